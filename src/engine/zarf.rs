//! Packages split by zarf: their part 000 is a JSON description of the others, and not content.

use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use crate::content;
use crate::files::SharedPath;

/// Maximum size of a description; zarf writes about 120 bytes.
const MOST_BYTES: u64 = 4096;

/// What zarf writes about a package that it splits (`ZarfSplitPackageData` in its sources).
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Description {
    #[serde(rename = "sha256Sum")]
    _sha256_sum: String,
    #[serde(rename = "bytes")]
    _bytes: u64,
    /// The number of parts with content.
    count: usize,
}

/// Returns the parts with content, and how many of them are missing at the end.
///
/// Fail closed: skipping the description passes nothing, as a signature has to verify over the
/// rest.
pub(super) fn with_content(parts: &[SharedPath]) -> (&[SharedPath], usize) {
    match parts.split_first() {
        Some((first, rest)) if !rest.is_empty() => match description(&first.to_path_buf()) {
            Some(description) => (rest, description.count.saturating_sub(rest.len())),
            None => (parts, 0),
        },
        _ => (parts, 0),
    }
}

fn description(path: &Path) -> Option<Description> {
    let name = path.file_name()?.to_string_lossy();
    let (file, stamp) = content::open_regular(path)
        .ok()
        .filter(|_| name.ends_with("000"))?;
    let mut text = Vec::new();
    let is_short = stamp.size() <= MOST_BYTES;
    is_short
        .then(|| file.take(MOST_BYTES).read_to_end(&mut text))?
        .ok()?;
    serde_json::from_slice(&text).ok()
}
