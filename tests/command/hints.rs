//! What a run notes of signatures that fit nothing where they are: the wrong key, and files that
//! are mixed up, at a bounded price.

use std::fs;
use std::process::Command;

use crate::support::bundles::{Image, Layout, zstd};
use crate::support::{Mirror, public_der, public_pem, sign, signing_key};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The fingerprint of a key as people compare it.
fn fingerprint(number: u8) -> String {
    let digest = Sha256::digest(public_der(&signing_key(number)));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The notes on keys in a report.
fn notes(mirror: &Mirror) -> Vec<Value> {
    let report = fs::read_to_string(mirror.path().join("r.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let notes = report["summary"]["notes"].as_array().unwrap().clone();
    let kinds = ["wrong-key", "other-signer", "no-common-signer"];
    let is_on_keys = |note: &Value| kinds.iter().any(|kind| note["note"] == *kind);
    notes.into_iter().filter(is_on_keys).collect()
}

/// What signatures of `made_by` are for, as a note has it.
fn made(numbers: &[usize]) -> Value {
    let made = numbers.iter().map(|number| {
        json!({"path": format!("m/{number}.bin"), "signature": format!("m/{number}.bin.sig.bin")})
    });
    made.collect()
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
    let wrong = format!(
        "none of the 3 signatures of this run was made by a trusted key over its file: this is probably the wrong key, an old one or another \
         product's; used: key.pem ({used})\n"
    );
    let signer = format!(
        "3 of the 3 signatures that fit no trusted key were made by one key that you did not name (fingerprint {other}): m/0.bin, m/1.bin, \
         m/2.bin; rotated, or another product's key? Trust it only if the vendor publishes this fingerprint: anyone can sign with a key of \
         their own\n"
    );
    assert!(run.stderr.contains(&wrong), "{}", run.stderr);
    assert!(run.stderr.contains(&signer), "{}", run.stderr);
    let expected = [
        json!({"note": "wrong-key", "keys": [used], "signatures": 3}),
        json!({
            "note": "other-signer", "fingerprint": other, "signatures": 3, "examined": 3, "failed": 3, "made": made(&[0, 1, 2])
        }),
    ];
    assert_eq!(notes(&mirror), expected);
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
fn every_trusted_key_is_named_and_the_others_are_grouped() {
    let mirror = made_by(&[2, 3, 3, 4, 5, 3, 4]);
    mirror.write("k/a.pem", public_pem(&signing_key(1)));
    mirror.write("k/b.pem", public_pem(&signing_key(6)));
    mirror.run(&["-k", "k", "--report", "r.json", "m"]);
    let signer = |number, of: &[usize]| {
        json!({
            "note": "other-signer", "fingerprint": fingerprint(number), "signatures": of.len(), "examined": 7, "failed": 7, "made": made(of)
        })
    };
    let expected = [
        json!({"note": "wrong-key", "keys": [fingerprint(1), fingerprint(6)], "signatures": 7}),
        signer(3, &[1, 2, 5]),
        signer(4, &[3, 6]),
        json!({"note": "no-common-signer", "signatures": 2, "examined": 7, "failed": 7, "of": made(&[0, 4])}),
    ];
    assert_eq!(notes(&mirror), expected);
}

#[test]
fn where_no_key_made_two_signatures_the_files_are_suspected_and_not_the_key() {
    let mirror = made_by(&[1, 1, 1]);
    for n in 0..3 {
        mirror.write(&format!("m/{n}.bin"), format!("tampered with {n}"));
    }
    let run = mirror.run(&["-k", "key.pem", "--report", "r.json", "m"]);
    let words = "no key made two of the 3 signatures that fit no trusted key, so another key would make at most one of them valid: \
                 m/0.bin, m/1.bin, m/2.bin; more likely these files are not what was signed\n";
    assert!(run.stderr.contains(words), "{}", run.stderr);
    assert!(!run.stderr.contains("wrong key"), "{}", run.stderr);
    let expected = json!({
        "note": "no-common-signer", "signatures": 3, "examined": 3, "failed": 3, "of": made(&[0, 1, 2])
    });
    assert_eq!(notes(&mirror), [expected]);
    // Beside valid ones, their own lines say enough.
    mirror.write("m/0.bin", "\u{28}0");
    mirror.run(&["-k", "key.pem", "--report", "r.json", "m"]);
    assert_eq!(notes(&mirror), [] as [Value; 0]);
}

#[test]
fn a_key_file_in_the_tree_or_beside_it_that_made_a_signature_is_named_and_not_trusted() {
    let mirror = made_by(&[2]);
    mirror.write("m/keys/vendor.PUB", public_pem(&signing_key(2)));
    mirror.write("old.der", public_der(&signing_key(2)));
    mirror.write("m/other.pem", public_pem(&signing_key(3)));
    mirror.write("m/junk.pem", "-----BEGIN PUBLIC KEY-----");
    let run = mirror.run(&["-k", "key.pem", "--report", "r.json", "m"]);
    assert_eq!(run.status, Some(1));
    let other = fingerprint(2);
    let words = format!(
        "the signature that fits no trusted key was made by one key that you did not name (fingerprint {other}): m/0.bin; rotated, or another \
         product's key? Trust it only if the vendor publishes this fingerprint: anyone can sign with a key of their own; m/keys/vendor.PUB, \
         old.der hold this key, but that proves nothing: whoever can change these files can add a key\n"
    );
    assert!(run.stderr.contains(&words), "{words}\n{}", run.stderr);
    let note = &notes(&mirror)[1];
    assert_eq!(
        note["found_in"],
        json!([{"path": "m/keys/vendor.PUB"}, {"path": "old.der"}])
    );
    // The file itself is named.
    let run = mirror.run(&["-k", "key.pem", "m/0.bin"]);
    assert!(
        run.stderr.contains("; old.der holds this key"),
        "{}",
        run.stderr
    );
    // It costs nothing where all is valid: no key file is opened.
    mirror.write("good.pem", public_pem(&signing_key(2)));
    let run = mirror.run(&[
        "-k",
        "good.pem",
        "--key-fingerprint",
        &other,
        "--report",
        "r.json",
        "m",
    ]);
    assert_eq!((run.status, notes(&mirror)), (Some(0), vec![]));
}

#[test]
fn the_keys_are_in_every_report_and_so_is_the_file_that_none_of_them_signed() {
    let mirror = made_by(&[1, 2, 2, 3, 3, 3, 2]);
    mirror.write("m/6.bin", "tampered with");
    let reports = [
        "--report", "r.json", "--report", "r.xml", "--report", "r.html",
    ];
    let run = mirror.run(&[&["-k", "key.pem"], &reports[..], &["m"]].concat());
    assert_eq!(run.status, Some(1));
    let notes = notes(&mirror);
    let kinds: Vec<&str> = notes
        .iter()
        .map(|note| note["note"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["other-signer", "other-signer", "no-common-signer"]);
    assert_eq!(notes[0]["made"], made(&[3, 4, 5]));
    assert_eq!(notes[1]["made"], made(&[1, 2]));
    assert_eq!(notes[2]["of"], made(&[6]));
    let line = "1 of the 6 signatures that fit no trusted key has no key in common with any other: m/6.bin; most likely this file is not what was \
                signed\n";
    assert!(run.stderr.contains(line), "{}", run.stderr);
    let xml = fs::read_to_string(mirror.path().join("r.xml")).unwrap();
    let (two, three) = (fingerprint(2), fingerprint(3));
    for (fingerprint, count) in [(&two, 2), (&three, 3)] {
        let of_suite = format!("<property name=\"other-signer\" value=\"{fingerprint} {count}\"/>");
        let of_case = format!("<property name=\"other-signer\" value=\"{fingerprint}\"/>");
        assert!(xml.contains(&of_suite), "{xml}");
        assert_eq!(xml.matches(&of_case).count(), count, "{xml}");
    }
    let page = fs::read_to_string(mirror.path().join("r.html")).unwrap();
    assert!(page.contains("<section id=\"signers\">"), "{page}");
    for text in [&two, &three, "no key in common with another signature"] {
        assert!(page.contains(text), "{text} {page}");
    }
}

#[test]
fn the_key_that_openssl_made_signatures_with_is_the_one_that_is_named() {
    if !crate::support::openssl_is_here("the key that OpenSSL made signatures with is named") {
        return;
    }
    let mirror = made_by(&[1]);
    let script = "for product in one two; do
        openssl ecparam -name prime256v1 -genkey -noout -out $product.key
        openssl pkey -in $product.key -pubout -outform DER | sha256sum | cut -d' ' -f1 > $product.print
        for n in 1 2 3 4; do
            echo $product $n > m/$product-$n.zst
            openssl dgst -sha256 -sign $product.key -out m/$product-$n.sig.bin m/$product-$n.zst
        done
    done
    echo tampered >> m/two-4.zst";
    let mut shell = Command::new("sh");
    let made = shell
        .args(["-c", script])
        .current_dir(mirror.path())
        .output();
    assert!(made.unwrap().status.success());
    let run = mirror.run(&["-k", "key.pem", "--report", "r.json", "m"]);
    assert_eq!(run.status, Some(1));
    let print = |product: &str| {
        let path = mirror.path().join(format!("{product}.print"));
        fs::read_to_string(path).unwrap().trim().to_owned()
    };
    let notes = notes(&mirror);
    let signers: Vec<_> = notes[..2]
        .iter()
        .map(|note| (&note["fingerprint"], &note["signatures"]))
        .collect();
    assert_eq!(signers[0], (&json!(print("one")), &json!(4)));
    assert_eq!(signers[1], (&json!(print("two")), &json!(3)));
    assert_eq!(notes[2]["of"][0]["path"], "m/two-4.zst");
}

#[test]
fn the_key_of_images_that_was_not_named_is_named_with_the_images() {
    let mirror = Mirror::new();
    let mut layout = Layout::default();
    for name in ["one", "two"] {
        let image = Image::new("amd64", &[name.as_bytes()]);
        let repository = format!("registry.example.com/{name}");
        layout.add(&format!("{repository}:1"), &image);
        layout.sign(&signing_key(2), &repository, &image.manifest);
    }
    let bundle = zstd(&layout.tar());
    mirror.write("m/b.zst", &bundle);
    mirror.write("m/b.sig.bin", sign(&mirror.key, &bundle));
    let required = ["--images", "--signed-registry", "registry.example.com"];
    let with =
        |key: &'static str| [&["-k", key], &required[..], &["--report", "r.json", "m"]].concat();
    let run = mirror.run(&with("key.pem"));
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    let image =
        |name| json!({"path": "m/b.zst", "image": format!("registry.example.com/{name}:1")});
    let expected = json!({
        "note": "other-signer", "fingerprint": fingerprint(2), "signatures": 2, "examined": 2, "failed": 2,
        "made": [image("one"), image("two")]
    });
    assert_eq!(notes(&mirror), [expected]);
    let words = "2 of the 2 signatures that fit no trusted key were made by one key that you did not name (";
    assert!(run.stderr.contains(words), "{}", run.stderr);
    let named = ": m/b.zst » registry.example.com/one:1, m/b.zst » registry.example.com/two:1; ";
    assert!(run.stderr.contains(named), "{}", run.stderr);
    // A key that is trusted with artifacts, and not with images.
    mirror.write("two.pem", public_pem(&signing_key(2)));
    mirror.write("three.pem", public_pem(&signing_key(3)));
    let keys = ["-k", "two.pem", "--image-key", "three.pem"];
    let run = mirror.run(&[&keys[..], &with("key.pem")].concat());
    assert!(
        run.stderr
            .contains("by a key that you trust for artifacts only ("),
        "{}",
        run.stderr
    );
    assert_eq!(notes(&mirror)[0]["trusted_for"], "artifacts");
    // Images that pass unsigned by a trusted key, in a valid bundle, need no other key.
    let run = mirror.run(&["-k", "key.pem", "--images", "--report", "r.json", "m"]);
    assert_eq!(
        (run.status, notes(&mirror)),
        (Some(0), vec![]),
        "{}",
        run.stderr
    );
}

#[test]
fn of_thousands_of_signatures_by_another_key_a_sample_is_examined() {
    let mirror = Mirror::new();
    let (one, two) = (signing_key(2), signing_key(3));
    for n in 0..5000 {
        let key = if n % 2 == 0 { &one } else { &two };
        mirror.write(&format!("m/{n:04}.zst"), n.to_string());
        mirror.write(
            &format!("m/{n:04}.sig.bin"),
            sign(key, n.to_string().as_bytes()),
        );
    }
    let run = mirror.run(&["-k", "key.pem", "--report", "r.json", "--quiet", "m"]);
    assert_eq!(run.status, Some(1));
    let notes = notes(&mirror);
    let words = " examined signatures, out of 5000 that fit no trusted key, were made by ";
    assert!(run.stderr.contains(words), "{}", run.stderr);
    assert_eq!(notes[0]["signatures"], 5000);
    let examined = notes[1]["examined"].as_u64().unwrap();
    assert!((2048..4096).contains(&examined), "{examined}");
    assert_eq!(notes[1]["failed"], 5000);
}

#[test]
fn no_note_blames_the_key_where_one_signature_verifies_or_is_none_or_files_are_mixed_up() {
    let nothing: [Value; 0] = [];
    let one_verifies = made_by(&[2, 1, 2]);
    one_verifies.run(&["-k", "key.pem", "--report", "r.json", "m"]);
    let notes_of_one = notes(&one_verifies);
    assert_eq!(notes_of_one.len(), 1);
    assert_eq!(
        (&notes_of_one[0]["note"], &notes_of_one[0]["made"]),
        (&json!("other-signer"), &made(&[0, 2]))
    );
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
        .env("V", crate::support::COMMAND)
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
