//! Sniffs an artifact that fails, by its first bytes and the files beside it. The verdict is final
//! by then.

use std::path::Path;

use crate::content;
use crate::hints::data::{self, Seen};
use crate::trust::sniffed::Sniffed;

/// Returns what the artifact at `path` really is; `None` if it matches its name, is unknown, or
/// cannot be read. `control_files`: whether the control file of a download may lie beside it.
pub fn sniff_file(path: &Path, control_files: bool) -> Option<Sniffed> {
    let (size, beginning) = content::beginning_of(path, data::SNIFF_BYTES).ok()?;
    sniff(path, size, &beginning, control_files)
}

/// Does the same for an artifact of `size` bytes whose first [`data::SNIFF_BYTES`] are at hand.
pub(super) fn sniff(
    path: &Path,
    size: u64,
    beginning: &[u8],
    control_files: bool,
) -> Option<Sniffed> {
    let name = path.file_name()?;
    let is_there = |name| path.with_file_name(name).symlink_metadata().is_ok();
    data::sniff(Seen {
        name,
        size,
        beginning,
        has_control_file: control_files && data::control_names(name).any(is_there),
    })
}
