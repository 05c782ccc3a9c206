//! The tables of docs/DEPENDENCIES.md, held against what cargo and their sources say of the direct
//! dependencies; and the oldest Rust that builds the package, against the README.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use walkdir::WalkDir;

use crate::architecture::code_of;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn cargo(arguments: &[&str]) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = cargo.args(arguments).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    String::from_utf8(output.stdout).unwrap()
}

/// What the feature `fips` adds. It need not be on a machine that does not build it.
const OF_THE_MODULE: [&str; 2] = ["aws-lc-fips-sys", "aws-lc-rs"];

/// The packages of this tree that the command is made of.
const OUR_OWN: [&str; 2] = ["verify-signatures", "verify-signatures-kernels"];

/// What cargo knows of the packages that are built here, from what is on this machine.
fn metadata() -> Value {
    let version = cargo(&["--version", "--verbose"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let arguments = "metadata --format-version 1 --locked --offline --filter-platform";
    let arguments: Vec<&str> = arguments.split(' ').chain(host).collect();
    serde_json::from_str(&cargo(&arguments)).unwrap()
}

fn text<'a>(object: &'a Value, member: &str) -> &'a str {
    object[member].as_str().unwrap_or_default()
}

/// The first of these objects of which this member has this value.
fn find<'a>(objects: &'a Value, member: &str, value: &Value) -> &'a Value {
    let mut objects = objects.as_array().unwrap().iter();
    objects.find(|object| &object[member] == value).unwrap()
}

/// The direct dependencies: the heading under which each belongs, and how its row begins.
fn rows(metadata: &Value) -> Vec<(&'static str, String)> {
    let (packages, resolve) = (&metadata["packages"], &metadata["resolve"]);
    let own = find(packages, "id", &resolve["root"]);
    let needed = &find(&resolve["nodes"], "id", &resolve["root"])["deps"];
    let declared = own["dependencies"].as_array().unwrap().iter();
    // All but our own packages (this one's tests need more of it), and what is not built here.
    let declared = declared.filter(|one| !OUR_OWN.contains(&text(one, "name")));
    let declared = declared.filter(|one| !OF_THE_MODULE.contains(&text(one, "name")));
    let row_of = |declared: &Value| {
        // What the code calls it.
        let name = text(declared, "name").replace('-', "_");
        let id = &find(needed, "name", &name.into())["pkg"];
        (heading(declared), row(find(packages, "id", id)))
    };
    declared.map(row_of).collect()
}

fn heading(declared: &Value) -> &'static str {
    match (text(declared, "kind"), &declared["optional"]) {
        ("dev", _) => "The tests",
        (_, Value::Bool(true)) => "The command",
        _ => "The library",
    }
}

/// How the row of a package begins: everything but why it is there.
fn row(package: &Value) -> String {
    format!(
        "| [{}]({}) | {} | {} | {} | {} | ",
        text(package, "name"),
        text(package, "repository"),
        text(package, "version"),
        maintainers(package),
        text(package, "license"),
        unsafe_words(package),
    )
}

/// The authors that a package names, without their addresses; else the owner of its repository.
fn maintainers(package: &Value) -> String {
    let authors = package["authors"].as_array().unwrap().iter();
    let authors = authors.map(|author| author.as_str().unwrap().split('<').next().unwrap().trim());
    let authors: Vec<&str> = authors.collect();
    match authors.is_empty() {
        true => text(package, "repository")
            .split('/')
            .nth(3)
            .unwrap()
            .to_owned(),
        false => authors.join(", "),
    }
}

/// How often `unsafe` occurs in the code of a package, for all platforms and features.
fn unsafe_words(package: &Value) -> String {
    let sources = Path::new(text(package, "manifest_path")).with_file_name("src");
    let files = WalkDir::new(&sources).into_iter().map(Result::unwrap);
    let code: String = files
        .filter(|file| file.path().extension().is_some_and(|end| end == "rs"))
        .filter(|file| !file.path().ends_with("tests.rs"))
        .map(|file| code_of(&fs::read_to_string(file.path()).unwrap()))
        .collect();
    let is_no_word = |c: char| !c.is_alphanumeric() && c != '_';
    let count = code
        .split(is_no_word)
        .filter(|word| *word == "unsafe")
        .count();
    match (count, code.contains("#![forbid(unsafe_code)]")) {
        (0, true) => "forbidden".to_owned(),
        (0, false) => "none".to_owned(),
        (count, _) => count.to_string(),
    }
}

#[test]
fn the_tables_of_dependencies_say_what_cargo_and_the_sources_say() {
    let document = read("docs/DEPENDENCIES.md");
    let rows = rows(&metadata());
    let mut tables = document.split("\n## ").skip(1);
    for heading in ["The library", "The command", "The tests"] {
        let table = tables.find(|table| table.starts_with(heading)).unwrap();
        let expected = rows.iter().filter(|(of, _)| *of == heading);
        let expected: Vec<&str> = expected.map(|(_, row)| row.as_str()).collect();
        let has_row = |row: &&str| table.lines().any(|line| line.starts_with(*row));
        let missing: Vec<&&str> = expected.iter().filter(|row| !has_row(row)).collect();
        assert!(
            missing.is_empty(),
            "{heading} has no such rows: {missing:#?}"
        );
        let count = table.matches("\n| [").count();
        assert_eq!(count, expected.len(), "rows under {heading}");
    }
}

#[test]
fn the_validated_module_is_the_locked_one_and_in_no_other_build() {
    let (document, locked) = (read("docs/DEPENDENCIES.md"), read("Cargo.lock"));
    let (_, table) = document.split_once("\n## The validated module\n").unwrap();
    let table = table.split("\n## ").next().unwrap();
    assert_eq!(table.matches("\n| [").count(), OF_THE_MODULE.len());
    for name in OF_THE_MODULE {
        let (_, package) = locked
            .split_once(&format!("\nname = \"{name}\"\n"))
            .unwrap();
        let version = package.split('"').nth(1).unwrap();
        let row = format!("\n| [{name}](https://github.com/aws/aws-lc-rs) | {version} | ");
        assert!(table.contains(&row), "{row}");
    }
    let built = cargo(&["tree", "--locked", "--offline", "--prefix", "none"]);
    assert!(
        built.contains("p256 v") && !built.contains("aws-lc"),
        "{built}"
    );
}

#[test]
fn every_row_says_why_the_dependency_is_there() {
    let document = read("docs/DEPENDENCIES.md");
    let rows = document.lines().filter(|line| line.starts_with("| ["));
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 8, "{row}");
        assert!(cells[6].ends_with('.'), "{row}");
    }
}

#[test]
fn the_examples_and_the_fuzz_targets_need_nothing_that_is_not_named() {
    let document = read("docs/DEPENDENCIES.md");
    for manifest in ["examples/Cargo.toml", "fuzz/Cargo.toml"] {
        let manifest: toml::Table = read(manifest).parse().unwrap();
        let needed = manifest["dependencies"].as_table().unwrap().keys();
        for name in needed.filter(|name| *name != env!("CARGO_PKG_NAME")) {
            let named = [format!("[{name}]("), format!("`{name}`")];
            let is_named = named.iter().any(|name| document.contains(name));
            assert!(is_named, "{name}");
        }
    }
}

#[test]
fn our_packages_have_one_version() {
    // Or a package might be built with lanes of another time.
    let version = |manifest: &str| -> String {
        let manifest: toml::Table = read(manifest).parse().unwrap();
        manifest["package"]["version"].as_str().unwrap().to_owned()
    };
    let own = version("Cargo.toml");
    assert_eq!(version("src/digest/kernels/Cargo.toml"), own);
    assert!(read("Cargo.toml").contains(&format!(
        "verify-signatures-kernels = {{ path = \"src/digest/kernels\", version = \"={own}\" }}"
    )));
}

#[test]
fn the_fuzz_targets_are_compiled_as_the_tests_are() {
    // Or CI would compile everything once more for them.
    let profile = |manifest: &str| {
        let manifest: toml::Table = read(manifest).parse().unwrap();
        manifest["profile"]["dev"].clone()
    };
    assert_eq!(profile("fuzz/Cargo.toml"), profile("Cargo.toml"));
}

#[test]
fn the_number_of_locked_packages_is_the_one_in_the_text() {
    let locked = read("Cargo.lock").matches("[[package]]\n").count();
    let document = read("docs/DEPENDENCIES.md");
    assert!(
        document.contains(&format!("**{locked} packages**")),
        "{locked}"
    );
}

#[test]
fn the_readme_names_the_oldest_rust_that_the_manifest_asks_for() {
    let oldest = env!("CARGO_PKG_RUST_VERSION");
    assert!(read("README.md").contains(&format!("With Rust {oldest} or newer")));
}
