//! What ends the reading of a bundle: an error that passes through `std::io` unchanged.

use std::io;

use thiserror::Error;

use super::Defect;
use crate::content::ReadError;

/// Why reading ended early.
#[derive(Debug, Error)]
pub(crate) enum BundleError {
    /// The content is defective.
    #[error(transparent)]
    Defect(#[from] Defect),
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The result is no longer awaited.
    #[error("abandoned")]
    Abandoned,
}

impl From<BundleError> for io::Error {
    fn from(fault: BundleError) -> io::Error {
        io::Error::other(fault)
    }
}

impl From<Defect> for io::Error {
    fn from(defect: Defect) -> io::Error {
        BundleError::Defect(defect).into()
    }
}

/// Finds a fault again; any other error comes from the system.
impl From<io::Error> for BundleError {
    fn from(error: io::Error) -> BundleError {
        match error.downcast::<BundleError>() {
            Ok(fault) => fault,
            Err(error) => BundleError::Read(ReadError::Io(error)),
        }
    }
}
