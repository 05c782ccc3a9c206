//! Remaining resource limits of this process (setrlimit(2)), queried before they are reached.

use std::fs;

use rustix::process::{Resource, getrlimit};

/// Returns the number of files that can still be opened.
pub fn files_left() -> usize {
    let Some(limit) = getrlimit(Resource::Nofile).current else {
        return usize::MAX;
    };
    // One listed descriptor is the listing's own. If the listing fails, assume the three standard
    // streams and one more.
    let open = fs::read_dir("/proc/self/fd").map_or(4, |open| open.count().saturating_sub(1));
    usize::try_from(limit)
        .unwrap_or(usize::MAX)
        .saturating_sub(open)
}

/// Returns the bytes that can still be mapped or allocated, if they are limited (RLIMIT_AS,
/// RLIMIT_DATA).
pub fn memory_left() -> Option<u64> {
    let left = |resource, used: &str| {
        let limit = getrlimit(resource).current?;
        Some(limit.saturating_sub(status(used).unwrap_or(0)))
    };
    let limits = [
        left(Resource::As, "VmSize:"),
        left(Resource::Data, "VmData:"),
    ];
    limits.into_iter().flatten().min()
}

/// Reports whether `bytes` more bytes are available.
pub fn has_room(bytes: u64) -> bool {
    memory_left().is_none_or(|left| left >= bytes)
}

/// Elements after which [`consume`] returns memory.
const AT_ONCE: usize = 64 * 1024;

/// Takes the elements of a list, the last first, each with its index, and returns the memory of the
/// list as it goes: what becomes of them never exists whole beside it.
pub fn consume<T>(mut list: Vec<T>, mut take: impl FnMut(usize, T)) {
    while let Some(element) = list.pop() {
        take(list.len(), element);
        if list.len().is_multiple_of(AT_ONCE) {
            list.shrink_to_fit();
        }
    }
}

/// Returns in bytes a line of proc(5)'s `status` that is given in KiB.
fn status(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_taken_once_with_its_index() {
        for length in [0, 1, AT_ONCE - 1, AT_ONCE, 2 * AT_ONCE + 1] {
            let mut taken = Vec::new();
            consume((0..length).map(|n| 3 * n).collect(), |at, element| {
                taken.push((at, element));
            });
            taken.reverse();
            let expected: Vec<(usize, usize)> = (0..length).map(|n| (n, 3 * n)).collect();
            assert_eq!(taken, expected);
        }
    }
}
