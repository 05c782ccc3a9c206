//! The library as a program that embeds it uses it.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use verify_signatures::{
    Cancel, Invalid, IoMode, Key, Reason, Records, Status, Verdict, Verifier, VerifyError,
};

use crate::support::{Mirror, public_pem, sign, signing_key};

fn key() -> Key {
    Key::parse("key.pem", public_pem(&signing_key(1)).as_bytes()).unwrap()
}

/// Nine valid artifacts, and `5.zst`, whose content is another.
fn mirror() -> Mirror {
    let mirror = Mirror::new();
    for n in 0..10 {
        mirror.write_signed(&format!("m/{n}.zst"), &format!("m/{n}.sig.bin"), b"alpha");
    }
    mirror.write("m/5.zst", "beta");
    mirror
}

fn names(records: Records) -> Vec<(String, Status)> {
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    records
        .map(|record| (name(&record.path().to_path_buf()), record.verdict.status()))
        .collect()
}

#[test]
fn records_come_in_order_where_that_is_asked_for_and_none_is_lost_otherwise() {
    let mirror = mirror();
    let verifier = Verifier::new([key()]);
    let run = || verifier.mirror([mirror.path().join("m")]).unwrap();
    let status = |n| {
        if n == 5 {
            Status::Invalid
        } else {
            Status::Valid
        }
    };
    let expected: Vec<_> = (0..10).map(|n| (format!("{n}.zst"), status(n))).collect();
    assert_eq!(names(run().in_order()), expected);
    let mut decided = names(run());
    decided.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(decided, expected);
}

#[test]
fn what_was_given_before_the_order_was_asked_for_keeps_none_waiting() {
    let mirror = mirror();
    let verifier = Verifier::new([key()]);
    let mut records = verifier.mirror([mirror.path().join("m")]).unwrap();
    let first = records.next().unwrap().path().clone();
    let rest: Vec<_> = records.in_order().map(|r| r.path().clone()).collect();
    let mut sorted = rest.clone();
    sorted.sort();
    assert_eq!((rest.len(), &rest), (9, &sorted));
    assert!(!rest.contains(&first));
}

#[test]
fn the_summary_is_complete_at_the_end_and_not_before() {
    let mirror = mirror();
    let mut records = Verifier::new([key()]).mirror([mirror.path()]).unwrap();
    assert!(records.next().is_some());
    assert!(!records.summary().is_complete());
    records.by_ref().for_each(drop);
    let summary = records.summary();
    assert!(summary.is_complete());
    assert_eq!(
        (summary.valid, summary.invalid, summary.failures),
        (9, 1, 1)
    );
    // One content under ten names is hashed once for each name where it is not certainly one file.
    assert!(summary.bytes > 0);
    let counters = records.progress();
    assert_eq!((counters.records(), counters.failures()), (10, 1));
}

#[test]
fn one_file_is_verified_against_one_signature_regardless_of_their_names() {
    let mirror = Mirror::new();
    mirror.write("image.raw", "alpha");
    mirror.write("proof", sign(&signing_key(1), b"alpha"));
    let path = |name: &str| mirror.path().join(name);
    let verifier = Verifier::new([key()]);
    let record = verifier.file(path("image.raw"), path("proof"));
    assert!(matches!(record.verdict, Verdict::Valid { .. }));
    mirror.write("image.raw", "beta");
    let record = verifier.file(path("image.raw"), path("proof"));
    assert_eq!(record.verdict, Verdict::Invalid(Invalid::NoKeyVerifies));
    assert_eq!(
        verifier.file(path("none"), path("proof")).verdict,
        Verdict::Missing
    );
    // Without a key nothing is valid.
    mirror.write("image.raw", "alpha");
    let record = Verifier::new([]).file(path("image.raw"), path("proof"));
    assert_eq!(record.verdict.reason(), Reason::NoKeyVerifies);
}

#[test]
fn options_reach_the_walk_and_the_verdicts() {
    let mirror = Mirror::new();
    mirror.write("m/unsigned.zst", "alpha");
    mirror.write("m/notes.txt", "alpha");
    mirror.write_signed("m/d/deep.iso", "m/d/deep.sig.bin", b"alpha");
    let count = |verifier: Verifier| {
        let mut records = verifier.mirror([mirror.path().join("m")]).unwrap();
        records.by_ref().for_each(drop);
        let summary = records.summary();
        (summary.records(), summary.failures)
    };
    let verifier = || Verifier::new([key()]).threads(2).io(IoMode::Read);
    assert_eq!(count(verifier()), (2, 1));
    assert_eq!(count(verifier().allow_unsigned()), (2, 0));
    assert_eq!(count(verifier().all_files()), (3, 2));
    assert_eq!(count(verifier().max_depth(1)), (1, 1));
}

#[test]
fn a_run_that_is_dropped_or_cancelled_ends_and_the_verifier_is_good_for_another() {
    let mirror = Mirror::new();
    mirror.write_signed("x.zst", "x.sig.bin", b"alpha");
    for name in ["big-1", "big-2"] {
        mirror.write_signed(&format!("{name}.iso"), &format!("{name}.sig.bin"), b"");
        let file = File::create(mirror.path().join(format!("{name}.iso"))).unwrap();
        // Outlasts the test on any processor.
        file.set_len(1 << 41).unwrap();
    }
    let cancel = Cancel::default();
    let verifier = Verifier::new([key()]).cancelled_by(&cancel);
    let run = || verifier.mirror([mirror.path()]).unwrap();
    let mut records = run();
    assert!(records.next().is_some());
    drop(records);
    // Dropping one run is no wish to end the next.
    assert!(run().next().is_some());
    let mut records = run();
    let later = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        cancel.cancel();
    });
    records.by_ref().for_each(drop);
    later.join().unwrap();
    assert!(!records.summary().is_complete());
    // A cancelled verifier ends its next run too, in the walk or after it.
    match verifier.mirror([mirror.path()]) {
        Ok(mut records) => {
            records.by_ref().for_each(drop);
            assert!(!records.summary().is_complete());
        }
        Err(error) => assert!(matches!(error, VerifyError::Cancelled), "{error}"),
    }
}

#[test]
fn a_path_that_is_not_there_is_an_error_and_not_an_empty_mirror() {
    let error = Verifier::new([key()]).mirror(["/no/such/mirror"]).err();
    let text = error.unwrap().to_string();
    assert_eq!(text, "/no/such/mirror: No such file or directory");
}

#[test]
fn a_verifier_is_shared_between_threads_and_its_records_go_to_another() {
    fn is_shared<T: Send + Sync>() {}
    fn is_sent<T: Send>() {}
    is_shared::<Verifier>();
    is_sent::<Records>();
}
