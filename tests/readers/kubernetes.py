"""Validates manifests strictly, against each version that they are for, and prints both: kubernetes.py FILE."""

import json
import sys

import yaml
from kubernetes_validate.utils import all_versions, validate

# backoffLimitPerIndex is there by default from 1.29 on.
FIRST = (1, 29)

with open(sys.argv[1], encoding="utf-8") as file:
    manifests = list(yaml.safe_load_all(file))

versions = [v for v in all_versions() if tuple(map(int, v.split(".")[:2])) >= FIRST]
# all_versions() may name each twice, once for its strict schemas.
for version in sorted(set(versions)):
    for manifest in manifests:
        validate(manifest, version, strict=True)

json.dump({"versions": sorted(set(versions)), "manifests": manifests}, sys.stdout)
