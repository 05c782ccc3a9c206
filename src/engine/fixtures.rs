//! Work for the unit tests of the engine.

use std::sync::Arc;

use super::plan::{Cost, Turn};
use super::{Bundle, Claim, Task};
use crate::files::{FileId, SharedPath};

/// An artifact of five bytes and its signature.
pub fn task(data: SharedPath, signature: SharedPath) -> Task {
    Task {
        data,
        parts: Arc::default(),
        link: None,
        claim: Claim::Signed(signature),
        bundle: Bundle::No,
        cost: Cost {
            size: 5,
            file: FileId {
                device: 1,
                inode: 1,
            },
            name: None,
            turn: Turn::default(),
        },
        earlier: None,
        read_as_list: None,
    }
}
