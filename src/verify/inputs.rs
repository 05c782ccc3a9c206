//! The inputs of a run.

use std::path::PathBuf;

/// The inputs of a run.
#[derive(Clone, Debug)]
pub(crate) enum Inputs {
    /// The artifacts found under these paths.
    Paths(Vec<PathBuf>),
    /// One data file against one signature, regardless of their names.
    One(One),
}

/// One data file against one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct One {
    /// The data file.
    pub(crate) data: PathBuf,
    /// The signature file.
    pub(crate) signature: PathBuf,
    /// The signature's content if it is a pipe, which can be read only once.
    pub(crate) content: Option<Vec<u8>>,
    /// What the data is.
    pub(crate) kind: DataKind,
}

/// What the data of `--signature` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DataKind {
    /// A file.
    File,
    /// A block device, and the extent to hash.
    Device(Extent),
    /// Standard input, and the number of bytes to come from it, if that is known.
    Stdin(Option<u64>),
}

impl One {
    /// Returns the extent to hash if the data is a block device.
    pub(crate) fn device(&self) -> Option<Extent> {
        match self.kind {
            DataKind::Device(extent) => Some(extent),
            DataKind::File | DataKind::Stdin(_) => None,
        }
    }

    /// Reports whether the data is standard input.
    pub(crate) fn is_stdin(&self) -> bool {
        matches!(self.kind, DataKind::Stdin(_))
    }
}

/// The PATH that stands for standard input, in arguments and reports.
pub(crate) const STDIN: &str = "-";

/// The bytes to hash from the beginning of a block device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Their number.
    pub(crate) length: u64,
    /// Whether the user gave the length; otherwise it comes from the image's own header.
    pub(crate) is_asked: bool,
}
