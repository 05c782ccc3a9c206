//! Tests of walks through trees that change.

use super::*;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

const DIRECTORIES: u64 = 300;

/// Counts the entries that a walk examines, calling `change` with the number of the call before
/// each.
fn entries_while(root: &Path, change: impl Fn(u64) + Sync) -> (u64, Found) {
    let (calls, entries) = (AtomicU64::new(0), AtomicU64::new(0));
    let cancelled = || {
        change(calls.fetch_add(1, Ordering::Relaxed));
        false
    };
    let watch = Watch {
        entries: &entries,
        cancelled: &cancelled,
        has_room: &|_| true,
    };
    let found = walk(root, &WalkOptions::default(), watch, &Helpers::none()).unwrap();
    (entries.into_inner(), found)
}

fn tree() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for n in 0..DIRECTORIES {
        let directory = root.path().join(n.to_string());
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("x.zst"), "").unwrap();
    }
    root
}

#[test]
fn a_walk_of_an_unchanged_tree_visits_each_entry_once() {
    let root = tree();
    let (entries, found) = entries_while(root.path(), |_| {});
    assert_eq!(entries, 2 * DIRECTORIES);
    assert!(found.problems.is_empty());
}

#[test]
fn a_writer_that_moves_through_the_tree_costs_a_bounded_number_of_readings() {
    let root = tree();
    let (entries, found) = entries_while(root.path(), |call| {
        let directory = root.path().join((call * 7 % DIRECTORIES).to_string());
        fs::write(directory.join("y"), "").unwrap();
        fs::remove_file(directory.join("y")).unwrap();
    });
    // Each directory, and the root, is read at most three times.
    let most = MOST_CHANGES as u64;
    assert!(entries <= most * 2 * DIRECTORIES, "{entries}");
    assert!(!found.problems.is_empty());
    let is_changed = |problem: &Problem| matches!(problem.error, WalkError::Changed);
    assert!(found.problems.iter().all(is_changed));
}

#[test]
fn a_file_that_moves_past_the_walk_is_found_or_a_directory_has_changed() {
    let root = tree();
    let at = |n: u64| {
        root.path()
            .join((n % DIRECTORIES).to_string())
            .join("moves.zst")
    };
    for pace in 1..20 {
        let place = AtomicU64::new(0);
        fs::write(at(0), "").unwrap();
        let (_, found) = entries_while(root.path(), |call| {
            if call % pace == 0 {
                let from = place.fetch_add(13, Ordering::Relaxed);
                fs::rename(at(from), at(from + 13)).unwrap();
            }
        });
        let listings = found.directories.iter();
        let mut entries = listings.flat_map(|(_, listing)| &listing.entries);
        let is_found = entries.any(|entry| entry.name == "moves.zst");
        assert!(is_found || !found.problems.is_empty(), "{pace}");
        fs::remove_file(at(place.into_inner())).unwrap();
    }
}

#[test]
fn a_directory_that_takes_the_place_of_another_is_read() {
    let root = tree();
    let other = tempfile::tempdir_in(root.path().parent().unwrap()).unwrap();
    fs::write(other.path().join("new.zst"), "").unwrap();
    let place = root.path().join("7");
    let (_, found) = entries_while(root.path(), |call| {
        if call == DIRECTORIES + 200 {
            fs::remove_dir_all(&place).unwrap();
            fs::rename(other.path(), &place).unwrap();
        }
    });
    let (_, listing) = found
        .directories
        .iter()
        .find(|(at, _)| *at == place)
        .unwrap();
    let names: Vec<_> = listing.entries.iter().map(|e| &e.name).collect();
    assert_eq!(names, ["new.zst"]);
    assert!(found.problems.is_empty());
}

#[test]
fn a_directory_that_a_link_takes_the_place_of_is_not_entered_any_more() {
    let root = tree();
    let other = tempfile::tempdir_in(root.path().parent().unwrap()).unwrap();
    fs::write(other.path().join("new.zst"), "").unwrap();
    let place = root.path().join("7");
    let (_, found) = entries_while(root.path(), |call| {
        // All directories have been read by then.
        if call == 3 * DIRECTORIES + 1 {
            fs::remove_dir_all(&place).unwrap();
            std::os::unix::fs::symlink(other.path(), &place).unwrap();
        }
    });
    assert!(found.directories.iter().all(|(at, _)| *at != place));
    assert_eq!(found.not_entered, [(place, 1)]);
    assert!(found.problems.is_empty());
}
