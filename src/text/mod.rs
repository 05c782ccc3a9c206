//! Human-readable names, errors and sizes.

pub mod escape;
pub mod hex;
pub mod os_error;
#[cfg(feature = "cli")]
pub mod size;
#[cfg(feature = "cli")]
pub mod time;
