"""Completes the bill of materials of cargo-cyclonedx: adds what is linked in beside crates, removes what is not shipped, and the paths of the machine.

Usage: sbom.py BOM.json LINKED RUST_VERSION, where LINKED has NAME, SOURCE, VERSION and PACKAGE of each library of Debian that is linked in.
"""

import json
import re
import sys


def without_paths(value):
    """The same value, with only the last name left of each local path in a reference."""
    if isinstance(value, dict):
        return {key: without_paths(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_paths(item) for item in value]
    if isinstance(value, str):
        return re.sub(r"path\+file://[^#]*/([^/#]+)", r"path+file:///\1", value)
    return value


def library(name, version, purl, licence):
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "scope": "required",
        "licenses": [{"expression": licence}],
        "purl": purl,
    }


LICENCES = {
    "libc": "LGPL-2.1-or-later",
    "libgcc_eh": "GPL-3.0-or-later WITH GCC-exception-3.1",
}


def linked_libraries(path):
    """The libraries of C, by the names under which Debian's advisories know them."""
    for line in open(path, encoding="ascii"):
        name, source, version, _ = line.split()
        purl = f"pkg:deb/debian/{source}@{version.replace('+', '%2B')}?arch=source"
        yield library(source, version, purl, LICENCES[name])


def main(bom_path, linked_path, rust_version):
    with open(bom_path, encoding="utf-8") as file:
        bom = without_paths(json.load(file))
    rust = f"pkg:generic/rust-std@{rust_version}"
    extra = [*linked_libraries(linked_path), library("rust-std", rust_version, rust, "MIT OR Apache-2.0")]
    bom["components"] += extra
    component = bom["metadata"]["component"]
    # Of the package's targets, what is shipped; cargo-cyclonedx names those, too, that need a feature which is off.
    component["components"] = [part for part in component["components"] if part["name"] in ("verify_signatures", "verify-signatures")]
    root = component["bom-ref"]
    (of_root,) = [entry for entry in bom["dependencies"] if entry["ref"] == root]
    of_root.setdefault("dependsOn", []).extend(entry["bom-ref"] for entry in extra)
    bom["dependencies"] += [{"ref": entry["bom-ref"]} for entry in extra]
    json.dump(bom, sys.stdout, indent=2, ensure_ascii=False)
    print()


main(*sys.argv[1:])
