//! Tests of what earlier runs found.

use super::ledger::{Damaged, HEADER, Ledger, line, write};
use super::place::{Known, Place, Places};
use super::*;
use crate::digest::{Algorithm, Digest};
use crate::files::{FileTime, SharedPath};
use crate::trust::earlier::Seen;
use crate::trust::format::Ignored;
use crate::trust::key::Key;
use crate::trust::record::SignatureFile;
use crate::trust::verdict::{Part, Verdict};
use p256::pkcs8::EncodePublicKey;
use proptest::prelude::*;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn evidence(seconds: u64) -> Evidence {
    Evidence {
        seen: Seen {
            stamp: Stamp {
                device: 1,
                inode: u64::MAX,
                size: 3,
                modified: FileTime::new(-5, 5),
                changed: FileTime::new(6, 999_999_999),
            },
            time: at(seconds),
        },
        content: Digest::of(b"content").into(),
        signature: Digest::of(b"signature").into(),
        key: Digest::of(b"key").into(),
        digest: None,
    }
}

fn place(name: &str) -> Place {
    Place {
        data: format!("/m/{name}.zst").into(),
        signature: Some(format!("/m/{name}.sig.bin").into()),
    }
}

fn history(entries: &[(Place, Last)]) -> History {
    History {
        last: entries.iter().cloned().collect(),
    }
}

fn passed(seconds: u64) -> Last {
    Last::Passed(at(seconds), None)
}

fn shown(seconds: u64) -> Last {
    let mut evidence = evidence(seconds);
    evidence.seen.stamp.modified = FileTime::new(0, 0);
    evidence.digest = [None, Some(Algorithm::Sha512)][(seconds % 2) as usize];
    Last::Passed(at(seconds), Some(Box::new(evidence)))
}

fn past(entries: &[(Place, Last)], max_age: Option<u64>) -> Past {
    Past {
        now: at(1000),
        ledger: Some(Arc::new(history(entries))),
        max_age: max_age.map(Duration::from_secs),
        resumed: None,
    }
}

#[test]
fn an_artifact_never_passed_that_failed_last_or_passes_in_the_future_or_has_a_failure_in_it() {
    let past = past(
        &[
            (place("a"), passed(7)),
            (place("b"), Last::Failed(at(7))),
            (place("c"), passed(1001)),
            (place("d"), passed(7)),
            (place("d").inside(), Last::Failed(at(7))),
            (place("e"), passed(7)),
            (place("e").inside(), passed(8)),
        ],
        None,
    );
    let times = ["a", "b", "c", "d", "e", "f"].map(|name| past.passed(&place(name)));
    assert_eq!(times, [Some(at(7)), None, None, None, Some(at(7)), None]);
    let all = ["a", "b", "c", "d", "e", "f"].map(|name| Some(place(name)));
    let unseen = past.count(all.into_iter().chain([None]));
    let expected = Unseen {
        failed: 2,
        never: 3,
        oldest: Some(at(7)),
    };
    assert_eq!(unseen, expected);
}

#[test]
fn without_max_age_a_ledger_offers_nothing_and_a_resumed_run_does() {
    let entries = [(place("a"), shown(900)), (place("b"), passed(900))];
    let offers = |past: &Past, name| past.offer(&place(name)).is_some();
    let without = past(&entries, None);
    assert!(!offers(&without, "a"));
    let with = past(&entries, Some(100));
    assert!(offers(&with, "a") && !offers(&with, "b") && !offers(&with, "c"));
    assert!(!offers(&past(&entries, Some(99)), "a"));
    let resumed = Past {
        resumed: Some(history(&entries)),
        ..past(&[], None)
    };
    assert!(offers(&resumed, "a") && !offers(&resumed, "b"));
    // What the one has too old a verdict on, the other may have a newer one on.
    let both = Past {
        resumed: Some(history(&[(place("a"), shown(1001))])),
        ..past(&entries, Some(100))
    };
    assert!(offers(&both, "a"));
}

#[test]
fn only_a_valid_signature_over_one_file_is_evidence_for_later() {
    let signing = p256::ecdsa::SigningKey::from_slice(&[1; 32]).unwrap();
    let der = signing.verifying_key().to_public_key_der().unwrap();
    let key = Arc::new(Key::parse("k", der.as_bytes()).unwrap());
    let digest = Digest::of(b"content");
    let mut valid = Record::unhashed(
        "a".into(),
        Some("a.sig.bin".into()),
        Verdict::Valid { key: key.clone() },
    );
    valid.digest = Some(digest);
    valid.signature_file = Some(Box::new(SignatureFile {
        digest: Some(digest),
        size: 7,
        modified: None,
        format: None,
        ignored: Ignored::default(),
    }));
    valid.seen = Some(Box::new(evidence(900).seen));
    let is_evidence = |change: &dyn Fn(&mut Record)| {
        let mut record = valid.clone();
        change(&mut record);
        matches!(Last::of(&record, at(5)), Last::Passed(_, Some(_)))
    };
    assert!(is_evidence(&|_| {}));
    assert_eq!(Last::of(&valid, at(5)).time(), at(900));
    let changes: [&dyn Fn(&mut Record); 7] = [
        &|record| record.parts = [SharedPath::from("part")].into(),
        &|record| record.seen = None,
        &|record| record.digest = None,
        &|record| record.signature_file = None,
        &|record| record.verdict = Verdict::NoImages,
        &|record| record.subject = Subject::Contents("a".into()),
        &|record| {
            let mut seen = evidence(900).seen;
            seen.stamp.changed = FileTime::new(5, 1_000_000_000);
            record.seen = Some(Box::new(seen));
        },
    ];
    for change in changes {
        assert!(!is_evidence(change));
    }
    valid.verdict = Verdict::Changed { part: Part::Data };
    assert_eq!(Last::of(&valid, at(5)), Last::Failed(at(5)));
}

#[test]
fn a_place_is_the_same_under_every_name_of_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    let real = directory.path().canonicalize().unwrap();
    std::fs::create_dir(real.join("m")).unwrap();
    std::os::unix::fs::symlink("m", real.join("link")).unwrap();
    let mut places = Places::below(real.clone());
    let mut of = |data: &str| places.of(&data.into(), Some(&"m/x.sig.bin".into()));
    let expected = Some(Place {
        data: real.join("m/x").into(),
        signature: Some(real.join("m/x.sig.bin").into()),
    });
    for data in ["m/x", "./m/x", "m//x", "link/x", "m/../link/x"] {
        assert_eq!(of(data), expected, "{data}");
    }
    // What is not there, or has no name, has no past.
    for data in ["gone/x", "m/", "m/..", ".", ""] {
        assert_eq!(of(data), None, "{data}");
    }
    // From then on nothing is asked any more.
    directory.close().unwrap();
    let known = Known::from(places);
    assert_eq!(
        known.of(&"m/x".into(), Some(&"m/x.sig.bin".into())),
        expected
    );
    assert_eq!(known.of(&"other/x".into(), None), None);
    assert_eq!(known.of(&"m/".into(), None), None);
}

fn written(history: &History) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, history).unwrap();
    bytes
}

#[test]
fn of_two_lines_the_later_counts_and_an_end_that_is_cut_off_does_not() {
    let mut bytes = written(&history(&[(place("a"), passed(5))]));
    bytes.extend(line(&place("a"), &Last::Failed(at(6))).unwrap());
    let whole = Ledger::parse(&bytes).unwrap();
    let failed = history(&[(place("a"), Last::Failed(at(6)))]);
    assert_eq!((&whole.history, whole.is_torn), (&failed, false));
    let cut = Ledger::parse(&bytes[..bytes.len() - 1]).unwrap();
    let before = history(&[(place("a"), passed(5))]);
    assert_eq!((cut.history, cut.is_torn), (before, true));
    for beginning in 0..=HEADER.len() {
        let ledger = Ledger::parse(&HEADER.as_bytes()[..beginning]).unwrap();
        assert_eq!((ledger.history.last.len(), ledger.is_torn), (0, true));
    }
}

/// Returns a line with this object, as the program would sum it.
fn summed(object: &str) -> Vec<u8> {
    let digest = Digest::of(object.as_bytes());
    format!("{HEADER}\n{digest} {object}\n").into()
}

#[test]
fn a_line_that_no_run_wrote_spoils_the_ledger_even_with_the_right_sum() {
    let good = line(&place("a"), &shown(900)).unwrap();
    let good = String::from_utf8(good[65..].to_vec()).unwrap();
    let good = good.trim_end();
    assert!(Ledger::parse(&summed(good)).is_ok());
    let changes = [
        ("\"passes\":true", "\"passes\":false"),
        ("\"passes\":true", "\"passes\":1"),
        ("\"passes\":true", "\"passes\":true,\"passes\":true"),
        ("\"passes\":true", "\"passes\":true,\"more\":true"),
        ("\"time\":\"1970", "\"time\":\"1971"),
        ("\"time\":\"1970-", "\"time\":\"-"),
        ("\"device\":1", "\"device\":-1"),
        ("\"device\":1", "\"device\":1e400"),
        ("\"device\":1", "\"device\":18446744073709551616"),
        ("\"changed\":\"6.", "\"changed\":\"06."),
        ("\"sha256\":\"", "\"sha256\":\"0"),
        (
            "{\"path\":\"/m/a.zst\"}",
            "{\"path\":\"/m/a.zst\",\"path_base64\":\"YQ==\"}",
        ),
        ("{\"path\":\"/m/a.zst\"}", "{}"),
        ("{\"path\":\"/m/a.zst\"}", "null"),
    ];
    for (from, to) in changes {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good, "{from}");
        assert_eq!(
            Ledger::parse(&summed(&changed)),
            Err(Damaged::Line(2)),
            "{to}"
        );
    }
    let deep = "[".repeat(100_000);
    assert_eq!(Ledger::parse(&summed(&deep)), Err(Damaged::Line(2)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn what_is_written_is_read_as_it_was(
        entries in prop::collection::vec((any::<Vec<u8>>(), prop::option::of(any::<Vec<u8>>()), 0..3, 0..1_u64 << 33), 0..9)
    ) {
        let entries: Vec<(Place, Last)> = entries.into_iter().map(|(data, signature, kind, time)| {
            let place = Place {
                data: data.as_slice().into(),
                signature: signature.map(|path| path.as_slice().into()),
            };
            let last = match kind {
                0 => Last::Failed(at(time)),
                1 => passed(time),
                _ => Last::Passed(at(time), Some(Box::new(evidence(time)))),
            };
            (place, last)
        }).collect();
        let history = history(&entries);
        let ledger = Ledger::parse(&written(&history));
        prop_assert_eq!(ledger, Ok(Ledger { history, is_torn: false }));
    }

    #[test]
    fn no_bytes_are_read_as_something_else_than_a_ledger(
        at_byte in 0..700_usize, byte: u8, garbage in any::<Vec<u8>>()
    ) {
        let whole = history(&[(place("a"), shown(900)), (place("b"), passed(5))]);
        let mut bytes = written(&whole);
        let here = at_byte % bytes.len();
        bytes[here] = byte;
        if let Ok(ledger) = Ledger::parse(&bytes) {
            // Nothing but what was written; less, where a line feed was overwritten.
            prop_assert!(ledger.history.last.iter().all(|(place, last)| whole.last.get(place) == Some(last)));
        }
        if let Ok(ledger) = Ledger::parse(&garbage) {
            prop_assert!(ledger.history.last.is_empty());
        }
    }
}
