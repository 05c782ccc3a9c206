//! What is verified.

use std::path::PathBuf;

/// What is verified.
#[derive(Clone, Debug)]
pub(crate) enum Inputs {
    /// Whatever these PATHs bring in.
    Paths(Vec<PathBuf>),
    /// One data file against one signature, whatever their names.
    One(One),
}

/// One data file against one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct One {
    /// The data file.
    pub(crate) data: PathBuf,
    /// The signature file.
    pub(crate) signature: PathBuf,
    /// What was read of the signature where it is a pipe, which can be read once.
    pub(crate) content: Option<Vec<u8>>,
    /// What is hashed of the data where it is a block device.
    pub(crate) device: Option<Extent>,
}

/// The bytes from the beginning of a block device that are hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// How many.
    pub(crate) length: u64,
    /// Whether the user named them; else it is what the image says of itself.
    pub(crate) is_asked: bool,
}
