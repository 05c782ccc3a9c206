//! Human-readable names, errors and sizes, and JSON that means one thing only.

pub mod escape;
pub mod hex;
pub(crate) mod json;
pub mod os_error;
#[cfg(feature = "cli")]
pub mod shell;
#[cfg(feature = "cli")]
pub mod size;
pub(crate) mod tar_header;
#[cfg(feature = "cli")]
pub mod time;
