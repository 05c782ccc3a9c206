//! Fits the number of workers, lanes and bytes into the system's limits. Pure.

use crate::content::{MOST_MAPPED, SMALLEST_WINDOW, window};

/// Stack size of a worker.
pub(super) const STACK: usize = 1024 * 1024;
/// Files that a worker opens besides those in its lanes: the one hashed in passing, a signature,
/// and the next part of a split file.
const OTHER_FILES: usize = 3;
/// Files that the rest of the process opens: a terminal, a list of mounts.
const FILES_OF_THE_REST: usize = 2;
/// Memory reserved for the rest of the process: keys, tables, lines, reports.
const MEMORY_OF_THE_REST: u64 = 4 * 1024 * 1024;
/// Memory per record until it is printed and in every report, excluding its paths, which are
/// already allocated. A quarter more than is needed where all are names of one file, which are
/// judged at once.
const MEMORY_OF_A_RECORD: u64 = 1024;

/// The system's limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    /// Number of files that may be opened.
    pub(super) files: usize,
    /// Bytes that may be mapped or allocated, if limited.
    pub(super) memory: Option<u64>,
}

/// The number of threads and lanes, and the size of windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Worker threads, at least 1.
    pub(super) workers: usize,
    /// Files that each worker hashes in parallel, at least 1.
    pub(super) lanes: usize,
    /// Bytes of each file in memory at one time.
    pub(super) window: usize,
    /// Total bytes that this takes, if memory is limited.
    pub(super) memory: Option<u64>,
}

impl Shape {
    /// Returns the shape for one file that is hashed alone.
    pub(super) fn of_one() -> Shape {
        Shape {
            workers: 1,
            lanes: 1,
            window: window(1),
            memory: None,
        }
    }

    /// Returns the best shape for `workers` workers with `lanes` lanes each, or as many of them as
    /// the system allows. `None` if there is no memory for a single worker.
    pub(super) fn within(
        allowed: Allowed,
        workers: usize,
        lanes: usize,
        records: usize,
    ) -> Option<Shape> {
        let (workers, lanes) = within_files(allowed.files, workers.max(1), lanes);
        let lanes = lanes.min(MOST_MAPPED / workers.min(MOST_MAPPED)).max(1);
        let shape = Shape {
            workers,
            lanes,
            window: window(lanes),
            memory: None,
        };
        match allowed.memory {
            None => Some(shape),
            Some(memory) => shape.within_memory(memory, records),
        }
    }

    fn within_memory(self, memory: u64, records: usize) -> Option<Shape> {
        let records = MEMORY_OF_A_RECORD.saturating_mul(records as u64);
        let memory = memory.checked_sub(MEMORY_OF_THE_REST.saturating_add(records))?;
        let least = (STACK + 2 * SMALLEST_WINDOW) as u64;
        let workers = memory / least;
        if workers == 0 {
            return None;
        }
        let workers = self
            .workers
            .min(usize::try_from(workers).unwrap_or(usize::MAX));
        // Half of it: repeated mapping and unmapping leaves gaps.
        let windows = (memory / workers as u64 - STACK as u64) / 2;
        let windows = usize::try_from(windows).unwrap_or(usize::MAX);
        // One window for each lane, and one for the file hashed in passing.
        let lanes = self.lanes.min(windows / SMALLEST_WINDOW - 1).max(1);
        let window = windows / (lanes + 1) / SMALLEST_WINDOW * SMALLEST_WINDOW;
        let window = window.clamp(SMALLEST_WINDOW, self.window);
        let of_each = STACK + (lanes + 1) * window;
        Some(Shape {
            workers,
            lanes,
            window,
            memory: Some(MEMORY_OF_THE_REST + (workers * of_each) as u64),
        })
    }
}

/// Returns as many workers and lanes as open at most `files` files, reducing lanes before workers.
fn within_files(files: usize, workers: usize, lanes: usize) -> (usize, usize) {
    let files = files.saturating_sub(FILES_OF_THE_REST);
    let workers = workers.min(files / (1 + OTHER_FILES)).max(1);
    let allowed = (files / workers).saturating_sub(OTHER_FILES);
    (workers, lanes.min(allowed).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn shape(files: usize, memory: Option<u64>, workers: usize) -> Option<Shape> {
        Shape::within(Allowed { files, memory }, workers, 2, 20)
    }

    #[test]
    fn without_limits_there_is_what_was_asked_for() {
        let all = shape(usize::MAX, None, 16).unwrap();
        assert_eq!((all.workers, all.lanes, all.window), (16, 2, window(2)));
        // Two files in each of 1024 workers are the maximum that can be mapped.
        let many = Shape::within(
            Allowed {
                files: usize::MAX,
                memory: None,
            },
            1024,
            8,
            1,
        )
        .unwrap();
        assert_eq!((many.workers, many.lanes), (1024, 2));
    }

    #[test]
    fn no_more_files_are_opened_than_are_allowed_and_lanes_go_before_workers() {
        let sizes = |files| {
            let shape = shape(files, None, 4).unwrap();
            (shape.workers, shape.lanes)
        };
        assert_eq!(sizes(2 + 4 * 5), (4, 2));
        assert_eq!(sizes(2 + 4 * 4), (4, 1));
        assert_eq!(sizes(2 + 4 * 4 - 1), (3, 2));
        assert_eq!(sizes(6), (1, 1));
        // One file is always tried, and its failure names it.
        assert_eq!(sizes(0), (1, 1));
    }

    #[test]
    fn every_shape_within_memory_has_at_least_a_small_window_for_each_worker() {
        assert_eq!(shape(100, Some(5 * MIB), 2), None);
        for memory in (6..2000).map(|mib| mib * MIB) {
            for workers in [1, 2, 16, 64] {
                let shape = shape(10_000, Some(memory), workers).unwrap();
                assert!((1..=workers).contains(&shape.workers), "{shape:?}");
                assert!((1..=2).contains(&shape.lanes), "{shape:?}");
                assert!(shape.window >= SMALLEST_WINDOW, "{shape:?}");
                assert_eq!(shape.window % SMALLEST_WINDOW, 0, "{shape:?}");
                assert!(shape.memory.unwrap() <= memory, "{shape:?} in {memory}");
            }
        }
        assert_eq!(shape(10_000, Some(1000 * MIB), 16).unwrap().workers, 16);
    }
}
