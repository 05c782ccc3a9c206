//! What counts as a difference between two states of a mirror.

use super::*;
use crate::digest::Digest;
use crate::names::place::Roots;
use crate::trust::verdict::{Invalid, Part, Unclaimed, Verdict};
use proptest::prelude::*;
use std::path::Path;

fn shown(path: &SharedPath) -> String {
    path.to_os_string().into_string().unwrap()
}

fn known(path: &str, content: Option<u8>) -> Known {
    Known {
        path: path.into(),
        content: content_of(content),
        passes: true,
        signatures: 0,
        is_torn: false,
        has_only_images: false,
    }
}

fn content_of(content: Option<u8>) -> Content {
    Content {
        sha256: content.map(|content| digest(content).into()),
        size: None,
    }
}

fn digest(content: u8) -> Digest {
    Digest::of(&[content])
}

fn baseline(roots: &[PathBuf], artifacts: &[(&str, Option<u8>)]) -> Baseline {
    let places = Roots::new(roots);
    let artifact = |(path, content): &(&str, Option<u8>)| {
        (places.place(Path::new(path)), known(path, *content))
    };
    Baseline {
        digest: digest(0),
        time: String::new(),
        state: State {
            images: None,
            artifacts: artifacts.iter().map(artifact).collect(),
        },
    }
}

fn record(path: &str, content: Option<u8>, verdict: Verdict) -> Record {
    Record {
        digest: content.map(digest),
        ..Record::unhashed(path.into(), None, verdict)
    }
}

/// Returns a record that passes.
fn passing(path: &str, content: u8) -> Record {
    record(
        path,
        Some(content),
        Verdict::Unsigned {
            allowed: true,
            why: Unclaimed::NoSignature,
        },
    )
}

fn roots(paths: &[&str]) -> Vec<PathBuf> {
    paths.iter().map(PathBuf::from).collect()
}

fn found(then: &[(&str, Option<u8>)], now: &[Record]) -> Vec<(&'static str, String)> {
    let roots = roots(&["m"]);
    let findings = compare(&baseline(&roots, then), &roots, now);
    let named = |finding: &Finding| (finding.difference.name(), shown(&finding.path));
    findings.iter().map(named).collect()
}

fn is(name: &'static str, path: &str) -> Vec<(&'static str, String)> {
    vec![(name, path.to_owned())]
}

#[test]
fn what_is_the_same_gives_no_finding_and_each_difference_gives_one() {
    let (a, b) = (("m/a", Some(1)), ("m/b", Some(2)));
    let (now_a, now_b) = (passing("m/a", 1), passing("m/b", 2));
    assert_eq!(found(&[a, b], &[now_a.clone(), now_b.clone()]), []);
    assert_eq!(
        found(&[a, b], std::slice::from_ref(&now_b)),
        is("removed", "m/a")
    );
    assert_eq!(
        found(&[b], &[now_a.clone(), now_b.clone()]),
        is("added", "m/a")
    );
    let changed = [passing("m/a", 3), now_b];
    assert_eq!(found(&[a, b], &changed), is("modified", "m/a"));
    let renamed = passing("m/c", 2);
    assert_eq!(found(&[a, b], &[now_a, renamed]), is("renamed", "m/c"));
}

#[test]
fn two_artifacts_in_each_others_place_have_changed() {
    let now = [passing("m/a", 2), passing("m/b", 1)];
    let findings = found(&[("m/a", Some(1)), ("m/b", Some(2))], &now);
    assert_eq!(
        findings,
        [is("modified", "m/a"), is("modified", "m/b")].concat()
    );
}

#[test]
fn one_content_that_went_away_is_the_source_of_one_rename_and_a_further_copy_is_added() {
    let now = [passing("m/b", 1), passing("m/c", 1)];
    let findings = found(&[("m/a", Some(1))], &now);
    assert_eq!(
        findings,
        [is("renamed", "m/b"), is("added", "m/c")].concat()
    );
    let findings = found(&[("m/a", Some(1)), ("m/d", Some(1))], &now[..1]);
    assert_eq!(
        findings,
        [is("renamed", "m/b"), is("removed", "m/d")].concat()
    );
}

#[test]
fn what_is_not_known_is_never_taken_for_the_same() {
    let passes = Verdict::Unsigned {
        allowed: true,
        why: Unclaimed::NoSignature,
    };
    let fails = Verdict::Invalid(Invalid::NoKeyVerifies);
    let unknown = [("m/a", None)];
    assert_eq!(found(&unknown, &[passing("m/a", 1)]), is("modified", "m/a"));
    let unhashed = record("m/a", None, passes.clone());
    assert_eq!(
        found(&unknown, std::slice::from_ref(&unhashed)),
        is("modified", "m/a")
    );
    assert_eq!(
        found(&[("m/a", Some(1))], &[unhashed]),
        is("modified", "m/a")
    );
    let elsewhere = record("m/b", None, passes);
    let both = [is("removed", "m/a"), is("added", "m/b")].concat();
    assert_eq!(found(&unknown, &[elsewhere]), both);
    // This one already has its own line, which fails the run.
    assert_eq!(
        found(&[("m/a", Some(1))], &[record("m/a", None, fails)]),
        []
    );
}

#[test]
fn an_artifact_that_is_gone_is_missing_though_its_signature_is_there_and_a_directory_is_no_artifact()
 {
    let gone = record("m/a", None, Verdict::Missing);
    assert_eq!(found(&[("m/a", Some(1))], &[gone]), is("removed", "m/a"));
    let directory = Verdict::Unreadable {
        part: Part::Directory,
        words: "Permission denied".to_owned(),
    };
    let changed = Verdict::Changed {
        part: Part::Directory,
    };
    for verdict in [directory, changed] {
        assert_eq!(found(&[], &[record("m/d", None, verdict)]), []);
    }
}

#[test]
fn two_signatures_of_one_artifact_are_one_artifact() {
    let malformed = record("m/a", None, Verdict::Invalid(Invalid::NoKeyVerifies));
    let now = [malformed, passing("m/a", 1)];
    assert_eq!(found(&[("m/a", Some(1))], &now), []);
    assert_eq!(found(&[("m/a", Some(2))], &now), is("modified", "m/a"));
    let exchanged = [passing("m/a", 1), passing("m/a", 2)];
    for then in [1, 2] {
        assert_eq!(
            found(&[("m/a", Some(then))], &exchanged),
            is("modified", "m/a")
        );
    }
}

#[test]
fn a_mirror_is_compared_with_its_copy_by_the_paths_below_each_path() {
    let (then, now) = (roots(&["/srv/m", "/srv/n"]), roots(&[".", "/usb/n"]));
    let artifacts = [
        ("/srv/m/p/a.zst", Some(1)),
        ("/srv/m/b.zst", Some(2)),
        ("/srv/n/a.zst", Some(3)),
    ];
    let records = [
        passing("p/a.zst", 1),
        passing("b.zst", 4),
        passing("/usb/n/c.zst", 3),
    ];
    let path = SharedPath::from;
    let modified = Finding {
        from: Some(path("/srv/m/b.zst")),
        old: Some(content_of(Some(2))),
        new: Some(content_of(Some(4))),
        ..Finding::new(Difference::Modified, path("b.zst"))
    };
    let renamed = Finding {
        from: Some(path("/srv/n/a.zst")),
        old: Some(content_of(Some(3))),
        new: Some(content_of(Some(3))),
        ..Finding::new(Difference::Renamed, path("/usb/n/c.zst"))
    };
    let baseline = baseline(&then, &artifacts);
    let removed = |name, from, content| Finding {
        from: Some(path(from)),
        old: Some(content_of(Some(content))),
        ..Finding::new(Difference::Removed, path(name))
    };
    let gone = [
        removed("b.zst", "/srv/m/b.zst", 2),
        removed("p/a.zst", "/srv/m/p/a.zst", 1),
        removed("/usb/n/a.zst", "/srv/n/a.zst", 3),
    ];
    assert_eq!(compare(&baseline, &now, &records), [modified, renamed]);
    assert_eq!(compare(&baseline, &now, &[]), gone);
}

#[test]
fn a_file_that_is_named_itself_is_compared_by_its_name() {
    let (then, now) = (roots(&["/srv/x.iso"]), roots(&["usb/y.iso"]));
    let baseline = baseline(&then, &[("/srv/x.iso", Some(1))]);
    let renamed = Finding {
        from: Some("/srv/x.iso".into()),
        old: Some(content_of(Some(1))),
        new: Some(content_of(Some(1))),
        ..Finding::new(Difference::Renamed, "usb/y.iso".into())
    };
    assert_eq!(
        compare(&baseline, &now, &[passing("usb/y.iso", 1)]),
        [renamed]
    );
    assert_eq!(
        compare(
            &baseline,
            &roots(&["usb/x.iso"]),
            &[passing("usb/x.iso", 1)]
        ),
        []
    );
}

proptest! {
    #[test]
    fn a_run_differs_from_its_baseline_just_where_a_content_does(
        then in prop::collection::btree_map("[a-e]", 0..4_u8, 0..6),
        now in prop::collection::btree_map("[a-e]", 0..4_u8, 0..6)
    ) {
        let path = |name: &String| format!("m/{name}");
        let paths: Vec<(String, Option<u8>)> = then.iter().map(|(n, c)| (path(n), Some(*c))).collect();
        let artifacts: Vec<(&str, Option<u8>)> = paths.iter().map(|(n, c)| (n.as_str(), *c)).collect();
        let records: Vec<Record> = now.iter().map(|(n, c)| passing(&path(n), *c)).collect();
        let roots = roots(&["m"]);
        let findings = compare(&baseline(&roots, &artifacts), &roots, &records);
        prop_assert_eq!(findings.is_empty(), then == now);
        // Every path that differs is named, and no other.
        let mut named: Vec<String> = Vec::new();
        for finding in &findings {
            named.push(shown(&finding.path));
            if finding.difference == Difference::Renamed {
                named.extend(finding.from.iter().map(shown));
            }
        }
        named.sort();
        let all = then.keys().chain(now.keys());
        let mut differ: Vec<String> = all.filter(|n| then.get(*n) != now.get(*n)).map(path).collect();
        differ.sort();
        differ.dedup();
        prop_assert_eq!(named, differ);
    }
}

#[test]
fn a_signature_that_was_valid_and_is_not_any_more_is_lost_where_no_line_says_so() {
    let places = roots(&["m"]);
    let mut then = baseline(&places, &[("m/a", Some(1))]);
    for known in then.state.artifacts.values_mut() {
        known.signatures = 1;
    }
    let lost = Finding {
        old: Some(content_of(Some(1))),
        new: Some(content_of(Some(1))),
        ..Finding::new(Difference::SignatureLost, "m/a".into())
    };
    let accepted = [passing("m/a", 1)];
    assert_eq!(
        compare(&then, &places, &accepted),
        std::slice::from_ref(&lost)
    );
    let fails = Verdict::Invalid(Invalid::NoKeyVerifies);
    let failing = [record("m/a", Some(1), fails)];
    assert_eq!(compare(&then, &places, &failing), []);
    let now = State::of_run(&places, &failing);
    let found = differences(&then.state, &now, &places, Failures::AreFindings);
    assert_eq!(found, [lost]);
}
