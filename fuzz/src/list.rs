//! A list names files below its directory, each once, and says the same in another order of its lines.

use std::collections::BTreeSet;
use std::path::Component;

use verify_signatures::internals::checksums::{List, below};

/// Checks a list.
pub fn check(text: &[u8]) {
    let Ok(list) = List::parse(text) else {
        return;
    };
    assert!(!list.entries.is_empty(), "a list names something");
    let names: BTreeSet<&[u8]> = list.entries.iter().map(|entry| &entry.name[..]).collect();
    assert_eq!(names.len(), list.entries.len(), "names differ");
    for entry in &list.entries {
        assert!(!entry.name.contains(&0), "no file has such a name");
        if let Ok(path) = below(&entry.name) {
            let is_normal = |part| matches!(part, Component::Normal(_));
            assert!(path.components().all(is_normal) && path.components().count() > 0);
        }
        if let Ok(sums) = &entry.sums {
            let algorithms: BTreeSet<_> = sums.iter().map(|sum| sum.algorithm()).collect();
            assert_eq!(algorithms.len(), sums.len(), "one digest of each kind");
            assert!(!sums.is_empty(), "a digest at least");
        }
    }
    // Lines in another order, or twice, say the same. A mark at the beginning belongs to the first line.
    if !text.starts_with(b"\xef\xbb\xbf") {
        let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        lines.extend(lines.clone());
        lines.reverse();
        let again = lines.join(&b'\n');
        if !again.starts_with(b"\xef\xbb\xbf") && !again.starts_with(b"-----BEGIN PGP") {
            let names = |list: &List| {
                list.entries
                    .iter()
                    .map(|e| e.name.clone())
                    .collect::<Vec<_>>()
            };
            let again = List::parse(&again).expect("the same lines");
            assert_eq!(names(&again), names(&list));
        }
    }
}
