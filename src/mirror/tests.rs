//! Tests of surveys.

use super::*;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use super::helpers::Helpers;
use super::watch::{Ended, Watch};

fn watch<'a>(cancelled: &'a (dyn Fn() -> bool + Sync), entries: &'a AtomicU64) -> Watch<'a> {
    Watch {
        entries,
        cancelled,
        has_room: &|_| true,
    }
}

/// A search for artifacts, in all directories.
fn search() -> Search {
    Search {
        reach: WalkOptions::default(),
        needed: Needed::Artifacts,
        images: false,
        lists: Vec::new(),
        is_signature: |_| true,
        is_control_file: |_| false,
    }
}

#[test]
fn a_path_that_is_gone_when_it_is_looked_at_fails_and_is_not_one_without_a_signature() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["usb", "x.zst", "x.sig.bin"] {
        let paths = [directory.path().join(name)];
        let entries = AtomicU64::new(0);
        let survey = survey(
            &paths,
            &search(),
            watch(&|| false, &entries),
            &Helpers::none(),
        )
        .unwrap();
        let states: Vec<&State> = survey.artifacts.iter().map(|a| &a.state).collect();
        assert!(matches!(states[..], [State::Gone(_)]), "{states:?}");
    }
}

#[test]
fn a_cancelled_survey_returns_nothing_of_what_it_saw() {
    let directory = tempfile::tempdir().unwrap();
    for n in 0..10 {
        fs::write(directory.path().join(format!("{n}.zst")), "").unwrap();
        fs::write(directory.path().join(format!("{n}.sig.bin")), "").unwrap();
    }
    let paths = [directory.path().to_owned()];
    // Twenty entries and the directory itself are examined, then ten pairs.
    for after in 0..31 {
        let looks = AtomicU64::new(0);
        let cancelled = || looks.fetch_add(1, Ordering::Relaxed) >= after;
        let ended = survey(
            &paths,
            &search(),
            watch(&cancelled, &AtomicU64::new(0)),
            &Helpers::none(),
        );
        assert!(matches!(ended, Err(Ended::Cancelled)), "after {after}");
    }
    let entries = AtomicU64::new(0);
    let whole = survey(
        &paths,
        &search(),
        watch(&|| false, &entries),
        &Helpers::none(),
    )
    .unwrap();
    assert_eq!(entries.into_inner(), 20);
    assert_eq!(whole.artifacts.len(), 10);
}
