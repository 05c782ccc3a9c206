//! What the mirror lies on, and how many files are read from it at once.

/// How a device is best read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// How many files at once; any number where nothing is said.
    pub readers: Option<usize>,
}
