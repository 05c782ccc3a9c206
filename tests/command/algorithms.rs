//! Keys that are not on P-256, against OpenSSL: every algorithm with every hash, on files of every
//! shape.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Mirror, Run, bytes, openssl_is_here};

/// Lengths of files on both sides of the blocks of every hash, and one of many windows.
const LENGTHS: [usize; 8] = [0, 1, 63, 64, 127, 128, 4095, 3_000_001];
/// Two of them: the length of a file affects only its digest, whatever the salt.
const FEW: [usize; 2] = [0, 3_000_001];

/// The hashes.
const HASHES: [&str; 3] = ["sha256", "sha384", "sha512"];

/// Runs OpenSSL, and returns whether it succeeded.
fn openssl(directory: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new("openssl");
    let output = command.args(arguments).current_dir(directory).output();
    output.unwrap().status.success()
}

/// Makes a key pair: `NAME.key`, and its public half `NAME.pem`.
fn generate(mirror: &Mirror, name: &str, algorithm: &[&str]) {
    let (private, public) = (format!("{name}.key"), format!("{name}.pem"));
    let begin = ["genpkey", "-out", &private, "-algorithm"];
    assert!(openssl(mirror.path(), &[&begin, algorithm].concat()));
    let arguments = ["pkey", "-in", &private, "-pubout", "-out", &public];
    assert!(openssl(mirror.path(), &arguments));
}

const P384: &[&str] = &["EC", "-pkeyopt", "ec_paramgen_curve:P-384"];
const P521: &[&str] = &["EC", "-pkeyopt", "ec_paramgen_curve:P-521"];
const RSA: &[&str] = &["RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
const RSA_PSS: &[&str] = &["RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"];

/// Options of OpenSSL for a padding.
fn padding(salt: &str) -> Vec<String> {
    let salt = format!("rsa_pss_saltlen:{salt}");
    ["-sigopt", "rsa_padding_mode:pss", "-sigopt", &salt]
        .map(str::to_owned)
        .to_vec()
}

/// Writes files of these lengths with their signatures, and for each another one of which a bit is
/// flipped in the file, the signature, or the signature's last byte.
fn write_signed(mirror: &Mirror, lengths: &[usize], key: &str, hash: &str, options: &[String]) {
    let _ = fs::remove_dir_all(mirror.path().join("m"));
    for length in lengths {
        let content = bytes(*length, 0);
        mirror.write(&format!("m/{length}.zst"), &content);
        sign(mirror, key, hash, options, &format!("m/{length}"));
        let signature = fs::read(mirror.path().join(format!("m/{length}.sig.bin"))).unwrap();
        let flipped = |bytes: &[u8], at: usize| {
            let mut bytes = bytes.to_vec();
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 4;
            }
            bytes
        };
        mirror.write(&format!("m/{length}s.zst"), &content);
        let harmed = flipped(&signature, signature.len() / 2 + length % 7);
        mirror.write(&format!("m/{length}s.sig.bin"), harmed);
        mirror.write(&format!("m/{length}e.zst"), &content);
        let harmed = flipped(&signature, signature.len() - 1);
        mirror.write(&format!("m/{length}e.sig.bin"), harmed);
        mirror.write(&format!("m/{length}c.zst"), flipped(&content, length / 2));
        mirror.write(&format!("m/{length}c.sig.bin"), &signature);
    }
}

/// Signs `NAME.zst` as `NAME.sig.bin`.
fn sign(mirror: &Mirror, key: &str, hash: &str, options: &[String], name: &str) {
    let (private, hash) = (format!("{key}.key"), format!("-{hash}"));
    let (data, signature) = (format!("{name}.zst"), format!("{name}.sig.bin"));
    let mut arguments = vec!["dgst", &hash, "-sign", &private, "-out", &signature];
    arguments.extend(options.iter().map(String::as_str));
    arguments.push(&data);
    assert!(openssl(mirror.path(), &arguments), "{arguments:?}");
}

/// Asserts that the command and OpenSSL agree on everything in `m`.
fn assert_agrees(mirror: &Mirror, lengths: &[usize], key: &str, hash: &str, options: &[String]) {
    let public = format!("{key}.pem");
    let digest = format!("{hash}={public}");
    let run = mirror.run(&["-k", &public, "--digest", &digest, "--format", "jsonl", "m"]);
    let mut counts = [0, 0];
    for (name, status) in statuses(&run) {
        let signature = name.replace(".zst", ".sig.bin");
        let hash = format!("-{hash}");
        let mut arguments = vec!["dgst", &hash, "-verify", &public, "-signature", &signature];
        arguments.extend(options.iter().map(String::as_str));
        arguments.push(&name);
        let is_valid = openssl(mirror.path(), &arguments);
        let expected = if is_valid { "valid" } else { "invalid" };
        assert_eq!(status, expected, "{arguments:?}");
        counts[usize::from(is_valid)] += 1;
    }
    // Of the empty file, no bit is flipped.
    assert_eq!(counts, [lengths.len() * 3 - 1, lengths.len() + 1]);
}

/// Asserts that nothing in `m` is valid, no matter what OpenSSL says.
fn assert_none_is_valid(mirror: &Mirror, lengths: &[usize], key: &str, hash: &str) {
    let public = format!("{key}.pem");
    let digest = format!("{hash}={public}");
    let run = mirror.run(&["-k", &public, "--digest", &digest, "--format", "jsonl", "m"]);
    let statuses = statuses(&run);
    assert_eq!(statuses.len(), lengths.len() * 4);
    assert!(statuses.iter().all(|(_, status)| status == "invalid"));
}

/// Returns each artifact's path and status.
fn statuses(run: &Run) -> Vec<(String, String)> {
    let lines = run.stdout.lines();
    let objects = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let artifacts = objects.filter(|object| object["type"] == "artifact");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    artifacts
        .map(|object| (text(&object["path"]), text(&object["status"])))
        .collect()
}

#[test]
fn the_verdicts_on_the_larger_curves_are_those_of_openssl() {
    if !openssl_is_here("the verdicts on the larger curves") {
        return;
    }
    let mirror = Mirror::new();
    for (name, algorithm) in [("p384", P384), ("p521", P521)] {
        generate(&mirror, name, algorithm);
        for hash in HASHES {
            write_signed(&mirror, &LENGTHS, name, hash, &[]);
            assert_agrees(&mirror, &LENGTHS, name, hash, &[]);
        }
    }
}

#[test]
fn the_verdicts_on_rsa_are_those_of_openssl_whatever_the_padding_and_the_salt() {
    if !openssl_is_here("the verdicts on RSA") {
        return;
    }
    let mirror = Mirror::new();
    generate(&mirror, "rsa", RSA);
    generate(&mirror, "pss", RSA_PSS);
    let auto = padding("auto");
    for hash in HASHES {
        write_signed(&mirror, &LENGTHS, "rsa", hash, &[]);
        assert_agrees(&mirror, &LENGTHS, "rsa", hash, &[]);
        for salt in ["digest", "max", "0", "13"] {
            for key in ["rsa", "pss"] {
                write_signed(&mirror, &FEW, key, hash, &padding(salt));
                // A validated module verifies a salt as long as the digest, and no other.
                if cfg!(feature = "fips") && salt != "digest" {
                    assert_none_is_valid(&mirror, &FEW, key, hash);
                } else {
                    assert_agrees(&mirror, &FEW, key, hash, &auto);
                }
            }
        }
    }
}

#[test]
fn a_key_for_pss_verifies_nothing_else_and_one_with_parameters_only_what_they_say() {
    if !openssl_is_here("a key for PSS") {
        return;
    }
    let mirror = Mirror::new();
    let parameters = [
        "-pkeyopt",
        "rsa_pss_keygen_md:sha384",
        "-pkeyopt",
        "rsa_pss_keygen_mgf1_md:sha384",
        "-pkeyopt",
        "rsa_pss_keygen_saltlen:48",
    ];
    generate(&mirror, "pss", &[RSA_PSS, &parameters].concat());
    write_signed(&mirror, &LENGTHS, "pss", "sha384", &[]);
    assert_agrees(&mirror, &LENGTHS, "pss", "sha384", &[]);
    let run = mirror.run(&["-k", "pss.pem", "--digest", "sha256=pss.pem", "m"]);
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.starts_with(
        "error: --digest: pss.pem: a key of this algorithm has a hash of its own\nhelp: "
    ));
    // A longer salt than the parameters name.
    mirror.write("n/x.zst", "x");
    sign(&mirror, "pss", "sha384", &padding("max"), "n/x");
    let run = mirror.run(&["-k", "pss.pem", "n"]);
    assert_eq!(run.stdout, "n/x.zst: ❌ Signature invalid\n");
    let verify = [
        "dgst",
        "-sha384",
        "-verify",
        "pss.pem",
        "-signature",
        "n/x.sig.bin",
        "n/x.zst",
    ];
    assert!(!openssl(mirror.path(), &verify));
    // The same numbers as those of a key for PKCS #1 v1.5, whose signature this must not be.
    generate(&mirror, "rsa", RSA);
    mirror.write("o/x.zst", "x");
    sign(&mirror, "rsa", "sha256", &[], "o/x");
    let spki = fs::read(mirror.path().join("rsa.pem")).unwrap();
    let der = pem::parse(spki).unwrap().into_contents();
    let (plain, only_pss) = (
        b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00",
        b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a",
    );
    let at = der
        .windows(plain.len())
        .position(|part| part == plain)
        .unwrap();
    let mut only = [&der[..at], only_pss, &der[at + plain.len()..]].concat();
    only[3] -= 2;
    mirror.write("only.der", only);
    let verdict = |key: &str| mirror.run(&["-k", key, "o"]).stdout;
    assert_eq!(verdict("rsa.pem"), "o/x.zst: ✅ Signature valid\n");
    assert_eq!(verdict("only.der"), "o/x.zst: ❌ Signature invalid\n");
}

/// Signs a file by Ed25519.
fn sign_ed25519(mirror: &Mirror, name: &str) {
    let (data, signature) = (format!("{name}.zst"), format!("{name}.sig.bin"));
    let begin = ["pkeyutl", "-sign", "-rawin", "-inkey", "ed.key"];
    let rest = ["-in", &data, "-out", &signature];
    assert!(openssl(mirror.path(), &[&begin[..], &rest].concat()));
}

#[cfg(not(feature = "fips"))]
#[test]
fn the_verdicts_on_ed25519_are_those_of_openssl() {
    if !openssl_is_here("the verdicts on Ed25519") {
        return;
    }
    let mirror = Mirror::new();
    generate(&mirror, "ed", &["ED25519"]);
    // OpenSSL's program does not sign an empty file.
    for length in &LENGTHS[1..] {
        let content = bytes(*length, 0);
        for (at, name) in ["", "s", "e", "c"].iter().enumerate() {
            let name = format!("m/{length}{name}");
            mirror.write(&format!("{name}.zst"), &content);
            sign_ed25519(&mirror, &name);
            let path = mirror.path().join(format!("{name}.sig.bin"));
            let mut signature = fs::read(&path).unwrap();
            match at {
                1 => signature[length % 32] ^= 1,
                2 => signature[32 + length % 31] ^= 1,
                3 => mirror.write(&format!("{name}.zst"), bytes(length + 1, 0)),
                _ => {}
            }
            fs::write(path, signature).unwrap();
        }
    }
    let run = mirror.run(&["-k", "ed.pem", "--format", "jsonl", "m"]);
    let mut valid = 0;
    for (name, status) in statuses(&run) {
        let signature = name.replace(".zst", ".sig.bin");
        let begin = ["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "ed.pem"];
        let rest = ["-in", &name, "-sigfile", &signature];
        let is_valid = openssl(mirror.path(), &[&begin[..], &rest].concat());
        assert_eq!(status == "valid", is_valid, "{name}");
        valid += usize::from(is_valid);
    }
    assert_eq!(valid, LENGTHS.len() - 1);
}

#[test]
fn what_is_read_in_other_ways_is_hashed_as_wide_as_its_signature_needs() {
    if !openssl_is_here("what is read in other ways") {
        return;
    }
    let mirror = Mirror::new();
    generate(&mirror, "rsa", RSA);
    generate(&mirror, "ed", &["ED25519"]);
    let content = bytes(3_000_001, 0);
    mirror.write("x.zst", &content);
    sign(&mirror, "rsa", "sha512", &[], "x");
    mirror.write(
        "parts/x.sig.bin",
        fs::read(mirror.path().join("x.sig.bin")).unwrap(),
    );
    for (number, part) in content.chunks(1_000_003).enumerate() {
        mirror.write(&format!("parts/x.zst.part{number:03}"), part);
    }
    let rsa = ["-k", "rsa.pem", "--digest", "sha512"];
    let valid = "x.zst: ✅ Signature valid\n";
    for io in ["auto", "mmap", "read", "direct"] {
        let run = mirror.run(&[&rsa[..], &["--io", io, "x.zst"]].concat());
        assert_eq!(run.stdout, valid, "{}", run.stderr);
        let run = mirror.run(&[&rsa[..], &["--io", io, "parts"]].concat());
        assert_eq!(run.stdout, format!("parts/{valid}"), "{}", run.stderr);
    }
    // Its bytes are read by the way of bundles.
    let run = mirror.run(&[&rsa[..], &["--images", "x.zst"]].concat());
    assert!(run.stdout.starts_with(valid), "{}", run.stdout);
    let from_stdin = |key: &[&str]| {
        let mut command = mirror.command(&[key, &["-s", "x.sig.bin", "-"]].concat());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        for piece in content.chunks(70_001) {
            stdin.write_all(piece).unwrap();
        }
        drop(stdin);
        Run::from(child.wait_with_output().unwrap()).stdout
    };
    assert_eq!(from_stdin(&rsa), "-: ✅ Signature valid\n");
    if cfg!(feature = "fips") {
        return;
    }
    sign_ed25519(&mirror, "x");
    assert_eq!(from_stdin(&["-k", "ed.pem"]), "-: ✅ Signature valid\n");
    let run = mirror.run(&["-k", "ed.pem", "--images", "x.zst"]);
    assert!(run.stdout.starts_with(valid), "{}", run.stdout);
}

#[test]
fn names_of_one_file_may_have_signatures_of_different_algorithms() {
    if !openssl_is_here("names of one file") {
        return;
    }
    let mirror = Mirror::new();
    let keys = [
        ("p384", P384),
        ("p521", P521),
        ("rsa", RSA),
        ("ed", &["ED25519"]),
    ];
    for (name, algorithm) in keys {
        generate(&mirror, name, algorithm);
    }
    let content = bytes(1_000_001, 0);
    mirror.write_signed("m/p256.zst", "m/p256.sig.bin", &content);
    for (name, hash) in [
        ("p384", "sha384"),
        ("p521", "sha512"),
        ("rsa", "sha256"),
        ("ed", ""),
    ] {
        let path = |name: &str| mirror.path().join(format!("m/{name}.zst"));
        fs::hard_link(path("p256"), path(name)).unwrap();
        match name {
            "ed" => sign_ed25519(&mirror, "m/ed"),
            _ => sign(&mirror, name, hash, &[], &format!("m/{name}")),
        }
    }
    let options = [
        "--digest",
        "sha384=p384.pem",
        "--digest",
        "sha512=./p521.pem",
    ];
    let keys = [
        "-k", "key.pem", "-k", "p384.pem", "-k", "p521.pem", "-k", "rsa.pem",
    ];
    // A validated module verifies no Ed25519.
    let ed: &[&str] = if cfg!(feature = "fips") {
        &[]
    } else {
        &["-k", "ed.pem"]
    };
    let run = mirror.run(&[&keys[..], ed, &options, &["-v", "m"]].concat());
    // The file is read once.
    let all = [
        ("ed", "ed"),
        ("p256", "key"),
        ("p384", "p384"),
        ("p521", "p521"),
        ("rsa", "rsa"),
    ];
    for (name, key) in all.iter().skip(usize::from(ed.is_empty())) {
        let read = match *name {
            "ed" => "",
            _ => "; read as m/ed.zst, another name of the same file",
        };
        let line =
            format!("m/{name}.zst: ✅ Signature valid ({name}.sig.bin, key {key}.pem{read})\n");
        assert!(run.stdout.contains(&line), "{}{}", run.stdout, run.stderr);
    }
    // By the keys of the others, each is malformed or invalid.
    let run = mirror.run(&["-k", "p384.pem", "--digest", "sha384", "m"]);
    let valid = run.stdout.matches("valid").count() - run.stdout.matches("invalid").count();
    assert_eq!((valid, run.status), (1, Some(1)), "{}", run.stdout);
}

#[test]
fn the_hash_of_a_key_is_part_of_what_a_run_trusts() {
    if !openssl_is_here("the hash of a key") {
        return;
    }
    let mirror = Mirror::new();
    generate(&mirror, "rsa", RSA);
    generate(&mirror, "ed", &["ED25519"]);
    for name in ["m/a", "m/b"] {
        mirror.write(&format!("{name}.zst"), name);
        sign(&mirror, "rsa", "sha512", &[], name);
    }
    // A validated module verifies no Ed25519.
    let second = if cfg!(feature = "fips") {
        ("key.pem", "ecdsa-p256", Some("sha256"))
    } else {
        ("ed.pem", "ed25519", None)
    };
    let shard = |number: usize, hash: &str| {
        let (shard, report) = (format!("{number}/2"), format!("{number}.json"));
        let keys = ["-k", "rsa.pem", "-k", second.0, "--digest", hash];
        let rest = ["--shard", &shard, "--report", &report, "m"];
        mirror.run(&[&keys[..], &rest].concat()).status
    };
    assert_eq!([shard(1, "sha512"), shard(2, "sha512")], [Some(0); 2]);
    let merge = ["--merge", "1.json", "2.json", "--report", "whole.json"];
    let merged = mirror.run(&merge);
    assert_eq!(merged.status, Some(0), "{}", merged.stderr);
    let report = fs::read(mirror.path().join("whole.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    let keys = report["start"]["keys"].as_array().unwrap();
    let texts = |member: &str| {
        keys.iter()
            .map(|key| key[member].as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(texts("algorithm"), [Some("rsa-2048"), Some(second.1)]);
    assert_eq!(texts("digest"), [Some("sha512"), second.2]);
    shard(2, "sha256");
    let merged = mirror.run(&merge[..3]);
    assert_eq!(merged.status, Some(1));
    let words = "the reports do not agree on the trusted keys: ";
    assert!(merged.stderr.contains(words), "{}", merged.stderr);
    // A later run that trusts another hash trusts another key.
    let whole = |hash: &str, report: &str| {
        mirror.run(&["-k", "rsa.pem", "--digest", hash, "--report", report, "m"]);
    };
    whole("sha512", "old.json");
    whole("sha256", "new.json");
    let compared = mirror.run(&["--compare", "old.json", "new.json"]);
    let words = "the later run trusted it, and the earlier one did not";
    assert!(compared.stderr.contains(words), "{}", compared.stderr);
}

#[test]
fn a_signature_of_another_key_or_file_is_told_of_where_that_is_possible() {
    if !openssl_is_here("a signature of another key or file") {
        return;
    }
    let mirror = Mirror::new();
    generate(&mirror, "rsa", RSA);
    generate(&mirror, "other", RSA);
    for name in ["m/a", "m/b"] {
        mirror.write(&format!("{name}.zst"), name);
        sign(&mirror, "rsa", "sha256", &[], name);
    }
    let path = |name: &str| mirror.path().join(name);
    fs::rename(path("m/a.sig.bin"), path("m/c")).unwrap();
    fs::rename(path("m/b.sig.bin"), path("m/a.sig.bin")).unwrap();
    fs::rename(path("m/c"), path("m/b.sig.bin")).unwrap();
    let run = mirror.run(&["-k", "rsa.pem", "m"]);
    assert_eq!(run.stdout.matches("❌ Signature invalid").count(), 2);
    let notes: Vec<&str> = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("note: "))
        .collect();
    let mixed_up = "the files are mixed up, or one is in the other's place";
    assert_eq!(
        notes,
        [
            format!("note: m/a.sig.bin: this signature fits m/b.zst; {mixed_up}"),
            format!("note: m/b.sig.bin: this signature fits m/a.zst; {mixed_up}"),
        ]
    );
    let run = mirror.run(&["-k", "other.pem", "m"]);
    assert_eq!(run.status, Some(1));
    let words = "other.pem";
    assert!(run.stderr.contains(words), "{}", run.stderr);
}
