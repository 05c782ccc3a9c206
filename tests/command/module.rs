//! The validated module: what a build with one and a build without one say of themselves, and what
//! the module does not verify.

use std::fs;

use serde_json::{Value, json};
use verify_signatures::internals::module::{self, Module};

use crate::support::{Mirror, PINNED};

fn mirror() -> Mirror {
    let mirror = Mirror::new();
    mirror.write_signed("m/x.zst", "m/x.sig.bin", b"x");
    mirror
}

/// What the JSON reports of this build have.
fn expected() -> Value {
    match Module::of_this_build() {
        Some(Module {
            name,
            version,
            certificate,
        }) => {
            json!({"name": name, "version": version, "certificate": certificate})
        }
        None => Value::Null,
    }
}

#[test]
fn every_report_names_the_module_or_says_that_there_is_none() {
    let mirror = mirror();
    let names = [
        "r.json",
        "r.xml",
        "r.html",
        "r.csv",
        "r.prom",
        "r.oscal.json",
        "r.intoto.jsonl",
    ];
    let reports = names.iter().flat_map(|name| ["--report", name]);
    let arguments: Vec<&str> = PINNED.into_iter().chain(reports).chain(["m"]).collect();
    let run = mirror.run(&arguments);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let read = |name: &str| fs::read_to_string(mirror.path().join(name)).unwrap();
    let report: Value = serde_json::from_str(&read("r.json")).unwrap();
    assert_eq!(report["start"]["module"], expected());
    let words = module::words(Module::of_this_build().as_ref());
    assert_eq!(words == module::NONE, !cfg!(feature = "fips"));
    for name in &names[1..6] {
        let text = read(name);
        assert!(text.contains(&words), "{name}: {words}");
    }
    let envelope: Value = serde_json::from_str(&read("r.intoto.jsonl")).unwrap();
    let payload = envelope["payload"].as_str().unwrap();
    let payload = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, payload);
    let statement: Value = serde_json::from_slice(&payload.unwrap()).unwrap();
    assert!(statement.to_string().contains(&words), "{statement}");
}

#[test]
fn the_version_names_the_module_and_its_certificate_or_says_that_there_is_none() {
    let run = mirror().run(&["--version"]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    let [program, module] = lines[..] else {
        panic!("{}", run.stdout);
    };
    assert_eq!(program, "verify-signatures 0.1.0");
    if cfg!(feature = "fips") {
        let begin = "cryptographic module: AWS-LC FIPS 3.";
        assert!(module.starts_with(begin), "{module}");
        assert!(
            module.contains("#5314") && module.contains("ask"),
            "{module}"
        );
    } else {
        assert_eq!(module, "no validated module in this build");
    }
}

#[test]
fn shards_that_different_modules_verified_are_not_one_run() {
    let mirror = mirror();
    mirror.write_signed("m/y.zst", "m/y.sig.bin", b"y");
    for shard in ["1/2", "2/2"] {
        let report = format!("r/{}.json", &shard[..1]);
        fs::create_dir_all(mirror.path().join("r")).unwrap();
        let options = ["--shard", shard, "--report", &report, "m"];
        let run = mirror.run(&[&PINNED[..], &options].concat());
        assert_eq!(run.status, Some(0), "{}", run.stderr);
    }
    let merge = ["--merge", "r", "--report", "whole.json"];
    let run = mirror.run(&merge);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let read = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(mirror.path().join(name)).unwrap()).unwrap()
    };
    assert_eq!(read("whole.json")["start"]["module"], expected());
    let mut other = read("r/2.json");
    other["start"]["module"] = json!({"name": "Other", "version": "1", "certificate": "none"});
    mirror.write("r/2.json", other.to_string());
    let run = mirror.run(&merge);
    assert_eq!(run.status, Some(2));
    let words = "error: the reports do not agree on the cryptographic module: ";
    assert!(run.stderr.contains(words), "{}", run.stderr);
    assert_eq!(read("whole.json")["start"]["module"], Value::Null);
}
