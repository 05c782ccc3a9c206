//! What the limits of this process (setrlimit(2)) leave, known before they are met.

use std::fs;

use rustix::process::{Resource, getrlimit};

/// The number of files that may be opened beside those that are open now.
pub fn files_left() -> usize {
    let Some(limit) = getrlimit(Resource::Nofile).current else {
        return usize::MAX;
    };
    // One of those listed is the listing itself. Where nothing is listed: the three standard
    // streams and one more.
    let open = fs::read_dir("/proc/self/fd").map_or(4, |open| open.count().saturating_sub(1));
    usize::try_from(limit)
        .unwrap_or(usize::MAX)
        .saturating_sub(open)
}

/// The bytes that may be mapped or allocated beyond those that are, if they are limited (RLIMIT_AS,
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

/// Whether so many bytes more can be had.
pub fn has_room(bytes: u64) -> bool {
    memory_left().is_none_or(|left| left >= bytes)
}

/// A line of proc(5)'s `status` that is given in KiB, in bytes.
fn status(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}
