//! What was seen of a file, as reports and ledgers have it.

use crate::files::Stamp;
use crate::text::time::{self, rfc3339};
use crate::trust::earlier::Seen;
use crate::wire::Stamps;

/// Returns the member of a report.
pub fn member(seen: &Seen) -> Stamps<'static> {
    Stamps {
        device: seen.stamp.device,
        inode: seen.stamp.inode,
        size: seen.stamp.size,
        modified: seen.stamp.modified.to_string().into(),
        changed: seen.stamp.changed.to_string().into(),
        read: rfc3339(seen.time).into(),
    }
}

/// Returns what a member says; `None` if a time in it is none.
pub fn seen(stamps: &Stamps<'_>) -> Option<Seen> {
    Some(Seen {
        stamp: Stamp {
            device: stamps.device,
            inode: stamps.inode,
            size: stamps.size,
            modified: stamps.modified.parse().ok()?,
            changed: stamps.changed.parse().ok()?,
        },
        time: time::exactly(&stamps.read)?,
    })
}
