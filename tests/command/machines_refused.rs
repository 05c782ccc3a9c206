//! Reports for machines that are not written, and keys that sign none.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use crate::support::{
    Mirror, Run, private_pem, public_pem, send, sign, signing_key, wait_until_open,
};

/// The first reports of each kind that a run may be too incomplete for.
const REPORTS: [&str; 4] = ["--report", "SHA256SUMS", "--report", "r.intoto.jsonl"];

fn mirror() -> Mirror {
    let mirror = Mirror::new();
    mirror.write("reporter.pem", private_pem(&signing_key(7)));
    mirror.write_signed("m/a.zst", "m/a.sig.bin", b"alpha");
    mirror.write_signed("m/b.iso", "m/b.iso.sig.bin", b"beta");
    mirror
}

fn run(mirror: &Mirror, arguments: &[&str]) -> Run {
    mirror.run(&[&["-k", "key.pem"], arguments].concat())
}

fn exists(mirror: &Mirror, name: &str) -> bool {
    mirror.path().join(name).symlink_metadata().is_ok()
}

#[test]
fn there_is_no_list_of_a_run_in_which_something_failed_and_an_earlier_one_is_removed() {
    let mirror = mirror();
    let arguments = [
        "--report",
        "SHA256SUMS",
        "--sign-report",
        "reporter.pem",
        "m",
    ];
    assert_eq!(run(&mirror, &arguments).status, Some(0));
    assert!(exists(&mirror, "SHA256SUMS") && exists(&mirror, "SHA256SUMS.sig.bin"));
    mirror.write("m/b.iso", "other");
    let failed = run(&mirror, &arguments);
    assert_eq!(failed.status, Some(1));
    assert!(!exists(&mirror, "SHA256SUMS") && !exists(&mirror, "SHA256SUMS.sig.bin"));
    let why = "not everything is valid, and a partial list would look complete";
    let removed = "an earlier report was removed";
    for message in [
        format!("SHA256SUMS: cannot write the report: {why}; {removed}\n"),
        format!(
            "SHA256SUMS.sig.bin: cannot write the report: there is no list to sign; {removed}\n"
        ),
    ] {
        assert!(failed.stderr.contains(&message), "{}", failed.stderr);
    }
    let again = run(&mirror, &arguments);
    let message = format!("SHA256SUMS: cannot write the report: {why}\n");
    assert!(again.stderr.contains(&message), "{}", again.stderr);
    // A difference from the baseline is a failure, too.
    mirror.write("m/b.iso", "beta");
    assert_eq!(
        run(&mirror, &["--report", "then.json", "m"]).status,
        Some(0)
    );
    mirror.write_signed("m/c.iso", "m/c.iso.sig.bin", b"gamma");
    let audited = run(
        &mirror,
        &["--baseline", "then.json", "--report", "SHA256SUMS", "m"],
    );
    assert_eq!(audited.status, Some(1));
    assert!(!exists(&mirror, "SHA256SUMS"));
}

#[test]
fn a_list_without_a_file_is_not_written_and_no_success() {
    let mirror = mirror();
    let arguments = ["--allow-unsigned", "--report", "SHA256SUMS", "n"];
    mirror.write("n/unsigned.zst", "x");
    assert_eq!(run(&mirror, &arguments).status, Some(2));
    assert!(!exists(&mirror, "SHA256SUMS"));
}

#[test]
fn a_run_that_was_ended_states_nothing_and_leaves_no_earlier_statement() {
    let mirror = mirror();
    let endless = mirror.write_endless();
    mirror.write("SHA256SUMS", "an earlier run's");
    mirror.write("r.intoto.jsonl", "an earlier run's");
    let reports = [&REPORTS[..], &["--report", "r.csv", "--report", "r.prom"]].concat();
    let mut command = mirror.command(&[&["-k", "key.pem"], &endless[..], &reports[..]].concat());
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until_open(&child, |target| target.ends_with("0"));
    send(&["-TERM"], &child);
    let ended: Run = child.wait_with_output().unwrap().into();
    assert_eq!(ended.status, Some(143), "{}", ended.stderr);
    assert!(!exists(&mirror, "SHA256SUMS") && !exists(&mirror, "r.intoto.jsonl"));
    let why = "the run did not come to a judgement on everything, and states nothing";
    let message =
        format!("r.intoto.jsonl: cannot write the report: {why}; an earlier report was removed\n");
    assert!(ended.stderr.contains(&message), "{}", ended.stderr);
    // The others say that it was ended.
    let table = fs::read_to_string(mirror.path().join("r.csv")).unwrap();
    let last = table.lines().last().unwrap();
    let (before, after) = last.split_once("run ").unwrap();
    assert_eq!(before, "run,,,terminated,false,exit-status-143,");
    let expected = "; the search for files did not end; interrupted while looking for files; nothing was verified; ended by SIGTERM";
    assert!(after.contains(expected), "{last}");
    let metrics = fs::read_to_string(mirror.path().join("r.prom")).unwrap();
    assert!(metrics.contains("verify_signatures_complete{report=\"r\"} 0\n"));
    assert!(metrics.contains("verify_signatures_exit_status{report=\"r\"} 143\n"));
}

#[test]
fn a_run_that_could_not_judge_states_nothing() {
    let mirror = mirror();
    fs::create_dir(mirror.path().join("empty")).unwrap();
    let run = run(&mirror, &["--report", "r.intoto.jsonl", "m", "empty"]);
    assert_eq!(run.status, Some(2), "{}", run.stderr);
    assert!(!exists(&mirror, "r.intoto.jsonl"));
}

/// Whether it is refused with this message before anything is read.
fn refuses(mirror: &Mirror, arguments: &[&str], message: &str) {
    let run = run(mirror, &[arguments, &["m"]].concat());
    assert!(
        run.stderr.contains(message),
        "{arguments:?}: {}",
        run.stderr
    );
    assert_eq!(
        (run.stdout.as_str(), run.status),
        ("", Some(2)),
        "{arguments:?}"
    );
}

#[test]
fn a_key_that_would_sign_nothing_is_refused() {
    let mirror = mirror();
    let message = "--sign-report: no report that can be signed is asked for\nhelp: add --report FILE.intoto.jsonl or --report SHA256SUMS\n";
    refuses(&mirror, &["--sign-report", "reporter.pem"], message);
    let reports = ["--report", "r.json", "--report", "r.csv"];
    refuses(
        &mirror,
        &[&reports[..], &["--sign-report", "reporter.pem"]].concat(),
        message,
    );
    assert!(!exists(&mirror, "r.json"));
}

#[test]
fn a_key_inside_the_tree_signs_nothing() {
    let mirror = mirror();
    mirror.write("m/keys/reporter.pem", private_pem(&signing_key(7)));
    symlink("m/keys/reporter.pem", mirror.path().join("outside.pem")).unwrap();
    symlink("../reporter.pem", mirror.path().join("m/inside.pem")).unwrap();
    for key in ["m/keys/reporter.pem", "outside.pem", "m/inside.pem"] {
        let message = format!(
            "--sign-report {key}: this key is inside the tree that is verified, where others can read it or replace it\nhelp: keep it elsewhere\n"
        );
        let arguments = [&REPORTS[..], &["--sign-report", key]].concat();
        refuses(&mirror, &arguments, &message);
    }
}

#[test]
fn what_is_no_key_to_sign_with_is_named_before_anything_is_read() {
    let mirror = mirror();
    mirror.write("public.pem", public_pem(&signing_key(7)));
    mirror.write("empty.pem", "");
    mirror.write("der.pem", crate::support::private_der(&signing_key(7)));
    fs::create_dir(mirror.path().join("keys")).unwrap();
    let none = "not a private key in PEM (PKCS #8, \"BEGIN PRIVATE KEY\")";
    for (key, why) in [
        (
            "public.pem",
            "a public key; reports are signed with the private key that belongs to it",
        ),
        ("empty.pem", none),
        ("der.pem", none),
        ("none.pem", "cannot read the key: No such file or directory"),
        ("keys", "cannot read the key: Is a directory"),
    ] {
        let arguments = [&REPORTS[..], &["--sign-report", key]].concat();
        refuses(&mirror, &arguments, &format!("--sign-report {key}: {why}"));
    }
}

#[test]
fn openssls_other_keys_sign_nothing_and_the_right_one_does() {
    if !crate::support::openssl_is_here("openssls_other_keys_sign_nothing_and_the_right_one_does") {
        return;
    }
    let mirror = mirror();
    let make = |script: &str| {
        let mut shell = std::process::Command::new("sh");
        let made = shell
            .args(["-c", script])
            .current_dir(mirror.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{script}: {made:?}");
    };
    let p256 = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256";
    make(&format!("{p256} -out right.pem"));
    make(&format!("{p256} -aes256 -pass pass:x -out encrypted.pem"));
    make("openssl ecparam -name prime256v1 -genkey -out sec1.pem");
    make("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.pem");
    make("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem");
    let other = "a private key, but not one for ECDSA P-256; make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out KEY.pem";
    for (key, why) in [
        (
            "encrypted.pem",
            "an encrypted private key; decrypt it where only this run can read it: openssl pkey -in FILE -out KEY.pem",
        ),
        (
            "sec1.pem",
            "a private key in the form of SEC 1; convert it to PKCS #8: openssl pkcs8 -topk8 -nocrypt -in FILE -out KEY.pem",
        ),
        ("p384.pem", other),
        ("rsa.pem", other),
    ] {
        let arguments = [&REPORTS[..], &["--sign-report", key]].concat();
        refuses(&mirror, &arguments, &format!("--sign-report {key}: {why}"));
    }
    make("openssl pkcs8 -topk8 -nocrypt -in sec1.pem -out converted.pem");
    for key in ["right.pem", "converted.pem"] {
        let arguments = [&REPORTS[..], &["--sign-report", key, "m"]].concat();
        let signed = run(&mirror, &arguments);
        assert_eq!(signed.status, Some(0), "{}", signed.stderr);
        // What one key signed is not replaced with another's.
        fs::remove_file(mirror.path().join("SHA256SUMS.sig.bin")).unwrap();
    }
}

#[test]
fn a_list_that_another_key_signed_is_not_replaced_even_where_it_is_left_out() {
    let mirror = mirror();
    mirror.write_signed("m/SHA256SUMS", "m/SHA256SUMS.sig.bin", b"the vendor's");
    let arguments = [
        "--exclude",
        "SHA*",
        "--report",
        "m/SHA256SUMS",
        "--sign-report",
        "reporter.pem",
        "m",
    ];
    let refused = run(&mirror, &arguments);
    assert_eq!((refused.stdout.as_str(), refused.status), ("", Some(2)));
    let message =
        "error: m/SHA256SUMS: there is a file with a signature, which the report would replace\n";
    assert!(refused.stderr.contains(message), "{}", refused.stderr);
    assert_eq!(
        fs::read(mirror.path().join("m/SHA256SUMS")).unwrap(),
        b"the vendor's"
    );
}

#[test]
fn no_statement_of_what_passed_stands_alone_where_something_failed() {
    let mirror = mirror();
    let arguments = ["--report", "r.intoto.jsonl", "m"];
    assert_eq!(run(&mirror, &arguments).status, Some(0));
    fs::remove_file(mirror.path().join("m/b.iso")).unwrap();
    let failed = run(&mirror, &arguments);
    assert_eq!(failed.status, Some(1));
    assert!(!exists(&mirror, "r.intoto.jsonl"));
    let why = "what failed has no digest to make a statement about, and what passed alone would look complete";
    let message =
        format!("r.intoto.jsonl: cannot write the report: {why}; an earlier report was removed\n");
    assert!(failed.stderr.contains(&message), "{}", failed.stderr);
}

#[test]
fn no_report_replaces_the_key_that_signs_it_or_what_the_run_reads() {
    let mirror = mirror();
    mirror.write("k.json", private_pem(&signing_key(7)));
    let arguments = [
        &REPORTS[..],
        &["--report", "k.json", "--sign-report", "k.json"],
    ]
    .concat();
    let message = "--report k.json: this is a key of this run; a report there would replace it";
    refuses(&mirror, &arguments, message);
    // A list that the vendor signed, in the place of ours.
    mirror.write_signed("m/SHA256SUMS", "m/SHA256SUMS.sig.bin", b"the vendor's");
    let arguments = ["--report", "m/SHA256SUMS", "--sign-report", "reporter.pem"];
    let message =
        "m/SHA256SUMS: an artifact or a signature of this run; a report there would replace it";
    refuses(&mirror, &arguments, message);
    // The signature of the list is a report, too.
    mirror.write("n/SHA256SUMS.sig.bin", sign(&mirror.key, b"gone"));
    let arguments = [
        "--report",
        "n/SHA256SUMS",
        "--sign-report",
        "reporter.pem",
        "n",
    ];
    let run = run(&mirror, &arguments);
    let message =
        "n/SHA256SUMS: an artifact or a signature of this run; a report there would replace it";
    assert!(run.stderr.contains(message), "{}", run.stderr);
    assert_eq!(run.status, Some(2));
}
