//! What a run notes of signatures that fit nothing where they are: the wrong key, and files that
//! are mixed up, at a bounded price.

use std::fs;
use std::process::Command;

use crate::support::{Mirror, public_der, public_pem, sign, signing_key};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The fingerprint of a key as people compare it.
fn fingerprint(number: u8) -> String {
    let digest = Sha256::digest(public_der(&signing_key(number)));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn notes(mirror: &Mirror) -> Vec<Value> {
    let report = fs::read_to_string(mirror.path().join("r.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let notes = report["summary"]["notes"].as_array().unwrap().clone();
    notes
        .into_iter()
        .filter(|note| note["note"] == "wrong-key")
        .collect()
}

/// A mirror whose files the keys of these numbers made, one each.
fn made_by(numbers: &[u8]) -> Mirror {
    let mirror = Mirror::new();
    for (at, number) in numbers.iter().enumerate() {
        let content = format!("\u{28}{at}");
        mirror.write(&format!("m/{at}.bin"), &content);
        mirror.write(
            &format!("m/{at}.bin.sig.bin"),
            sign(&signing_key(*number), content.as_bytes()),
        );
    }
    mirror
}

#[test]
fn where_no_signature_verifies_a_note_states_that_the_key_is_probably_wrong_and_which_one_verifies()
{
    let mirror = made_by(&[2, 2, 2]);
    let run = mirror.run(&["-k", "key.pem", "--report", "r.json", "m"]);
    assert_eq!(run.status, Some(1));
    let (used, other) = (fingerprint(1), fingerprint(2));
    let line = format!(
        "note: none of the 3 signatures of this run was made by a trusted key over its file: this is probably the wrong key, an old \
         one or another product's; used: key.pem ({used}); the key that made 3 of them has the fingerprint {other}: trust it only if the vendor \
         publishes that\n"
    );
    assert!(run.stderr.contains(&line), "{}", run.stderr);
    let expected = json!({
        "note": "wrong-key", "keys": [used], "signatures": 3, "signer": other, "signer_signatures": 3
    });
    assert_eq!(notes(&mirror), [expected]);
    // What is said is true: with that key, all is valid.
    mirror.write("other.pem", public_pem(&signing_key(2)));
    let run = mirror.run(&[
        "-k",
        "other.pem",
        "--key-fingerprint",
        &other,
        "--report",
        "r.json",
        "m",
    ]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert_eq!(notes(&mirror), [] as [Value; 0]);
}

#[test]
fn of_one_signature_the_note_is_cautious_and_names_no_other_key() {
    let mirror = made_by(&[2]);
    let run = mirror.run(&["-k", "key.pem", "--report", "r.json", "m"]);
    let words = "the only signature of this run was not made by a trusted key over its file: if the file is as its vendor published it, this is \
                 probably the wrong key, an old one or another product's; used: key.pem (";
    assert!(run.stderr.contains(words), "{}", run.stderr);
    let expected = json!({ "note": "wrong-key", "keys": [fingerprint(1)], "signatures": 1 });
    assert_eq!(notes(&mirror), [expected]);
}

#[test]
fn every_trusted_key_is_named_and_the_one_that_made_most_signatures() {
    let mirror = made_by(&[2, 3, 3, 4]);
    mirror.write("k/a.pem", public_pem(&signing_key(1)));
    mirror.write("k/b.pem", public_pem(&signing_key(5)));
    mirror.run(&["-k", "k", "--report", "r.json", "m"]);
    let expected = json!({
        "note": "wrong-key", "keys": [fingerprint(1), fingerprint(5)], "signatures": 4,
        "signer": fingerprint(3), "signer_signatures": 2
    });
    assert_eq!(notes(&mirror), [expected]);
}

#[test]
fn no_note_blames_the_key_where_one_signature_verifies_or_is_none_or_files_are_mixed_up() {
    let nothing: [Value; 0] = [];
    let one_verifies = made_by(&[2, 1, 2]);
    one_verifies.run(&["-k", "key.pem", "--report", "r.json", "m"]);
    assert_eq!(notes(&one_verifies), nothing);
    let one_is_none = made_by(&[2, 2]);
    one_is_none.write("m/1.bin.sig.bin", "<html>");
    one_is_none.run(&["-k", "key.pem", "--report", "r.json", "m"]);
    assert_eq!(notes(&one_is_none), nothing);
    let mixed_up = made_by(&[1, 1]);
    let path = |name: &str| mixed_up.path().join(name);
    fs::rename(path("m/0.bin"), path("m/x")).unwrap();
    fs::rename(path("m/1.bin"), path("m/0.bin")).unwrap();
    fs::rename(path("m/x"), path("m/1.bin")).unwrap();
    let run = mixed_up.run(&["-k", "key.pem", "--report", "r.json", "m"]);
    assert!(
        run.stderr
            .contains("m/0.bin.sig.bin: this signature fits m/1.bin"),
        "{}",
        run.stderr
    );
    assert_eq!(notes(&mixed_up), nothing);
    let unsigned = Mirror::new();
    unsigned.write("m/x.zst", "x");
    unsigned.run(&["-k", "key.pem", "--report", "r.json", "m"]);
    assert_eq!(notes(&unsigned), nothing);
}

/// The processor time of a finished command in clock ticks, by bash(1).
fn seconds_of_processor(mirror: &Mirror) -> f64 {
    let line = "TIMEFORMAT='%U %S'; time \"$V\" -k key.pem --status --report r.json m";
    let output = Command::new("bash")
        .args(["-c", line])
        .env("V", env!("CARGO_BIN_EXE_verify-signatures"))
        .current_dir(mirror.path())
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let last = stderr.lines().last().unwrap();
    last.split(' ')
        .map(|part| part.parse::<f64>().unwrap())
        .sum()
}

#[test]
fn many_names_of_one_file_and_many_copies_of_its_signature_cost_what_each_costs_once() {
    if !crate::support::is_here(
        "bash",
        "many names of one file and many copies of its signature",
    ) {
        return;
    }
    let mirror = Mirror::new();
    let signature = sign(&mirror.key, b"content");
    mirror.write("m/0.zst", b"content");
    for n in 0..1000 {
        if n > 0 {
            fs::hard_link(
                mirror.path().join("m/0.zst"),
                mirror.path().join(format!("m/{n}.zst")),
            )
            .unwrap();
        }
        mirror.write(&format!("m/{n}.sig.bin"), &signature);
        mirror.write(&format!("m/{n}.junk"), n.to_string());
        mirror.write(&format!("m/{n}.junk.sig.bin"), &signature);
    }
    // A million verifications took a hundred seconds.
    let seconds = seconds_of_processor(&mirror);
    assert!(seconds < 20.0, "{seconds}");
    let report = fs::read_to_string(mirror.path().join("r.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let notes = report["summary"]["notes"].as_array().unwrap();
    let fits = notes
        .iter()
        .filter(|note| note["note"] == "signature-fits-other");
    assert_eq!(fits.count(), 1000);
}

const UNPREFIX: &str = "sed 's/.*= //; s/ [*].*//' FILE | tr -d : | xxd -r -p";
const UNPREFIX_EACH: &str = r"grep -oiE '(0|[\])x[0-9a-f]+' FILE | cut -c3- | xxd -r -p";

/// Forms of the signature in `good`: what each is called, the command that writes it, and the
/// command of its remedy that undoes it.
const FORMS: [(&str, &str, &str); 16] = [
    ("base64", "base64 good", "base64 -d FILE"),
    (
        "base64-twice",
        "base64 good | base64",
        "base64 -d FILE | base64 -d",
    ),
    ("hex", "xxd -p good", "xxd -r -p FILE"),
    (
        "hex-prefixed",
        "printf 'EC-SHA2-256(x)= '; xxd -p good | tr -d '\\n'; echo",
        UNPREFIX,
    ),
    (
        "hex-prefixed",
        "printf 'EC-SHA2-256(x= y)= '; xxd -p good | tr -d '\\n' | sed 's/../&:/g; s/:$//'",
        UNPREFIX,
    ),
    (
        "hex-prefixed",
        "xxd -p good | tr -d '\\n'; echo ' *x.zst'",
        UNPREFIX,
    ),
    (
        "hex-separated",
        "xxd -p good | tr -d '\\n' | sed 's/../&:/g; s/:$//'",
        "tr -cd 0-9A-Fa-f <FILE | xxd -r -p",
    ),
    (
        "hex-0x",
        "printf 0x; xxd -p good | tr -d '\\n'",
        UNPREFIX_EACH,
    ),
    (
        "hex-0x",
        "printf 0X; xxd -p good | tr -d '\\n'",
        UNPREFIX_EACH,
    ),
    (
        "hex-0x",
        "xxd -p -c1 good | sed 's/^/0X/; s/$/,/'",
        UNPREFIX_EACH,
    ),
    (
        "hex-0x",
        r"xxd -p -c1 good | sed 's/^/\\x/' | tr -d '\n'",
        UNPREFIX_EACH,
    ),
    ("hex-0x", "xxd -i good", UNPREFIX_EACH),
    ("hex-0x", "xxd -i -u good", UNPREFIX_EACH),
    ("hex-dump", "xxd good", "xxd -r FILE"),
    ("trailing-newline", "cat good; echo", "head -c -1 FILE"),
    (
        "trailing-newline",
        "cat good; printf '\\r\\n'",
        "head -c -2 FILE",
    ),
];

#[test]
fn the_command_of_a_remedy_gives_the_signature_back() {
    for (form, write, undo) in FORMS {
        let mirror = Mirror::new();
        let good = sign(&signing_key(1), b"alpha");
        mirror.write("m/x.zst", "alpha");
        mirror.write("good", &good);
        let shell = |command: &str| {
            let mut shell = Command::new("sh");
            let output = shell.args(["-c", command]).current_dir(mirror.path());
            output.output().unwrap().stdout
        };
        mirror.write("m/x.sig.bin", shell(write));
        let run = mirror.run(&["-k", "key.pem", "--report", "r.json", "m"]);
        assert_eq!(run.status, Some(1), "{write}");
        let report = fs::read_to_string(mirror.path().join("r.json")).unwrap();
        let report: Value = serde_json::from_str(&report).unwrap();
        let record = &report["artifacts"][0];
        assert_eq!(record["reason"], format!("signature-{form}"), "{write}");
        let remedy = record["remedy"].as_str().unwrap();
        assert!(remedy.contains(undo), "{remedy}");
        assert_eq!(shell(&undo.replace("FILE", "m/x.sig.bin")), good, "{write}");
    }
}
