//! Packages that zarf split: their part 000 is a description of the others, in JSON, and not of
//! their content.

use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use crate::content;
use crate::files::SharedPath;

/// The most bytes that a description is taken to have; zarf writes about 120.
const MOST_BYTES: u64 = 4096;

/// What zarf writes of a package that it splits (`ZarfSplitPackageData` of its sources).
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Description {
    #[serde(rename = "sha256Sum")]
    _sha256_sum: String,
    #[serde(rename = "bytes")]
    _bytes: u64,
    /// The parts that have content.
    count: usize,
}

/// The parts that have the content, and how many of them are not there at the end.
///
/// Nothing is passed by leaving the description out: a signature has to verify over the rest.
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
