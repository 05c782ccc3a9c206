//! Names, errors and sizes as people read them.

pub mod escape;
pub mod hex;
pub mod os_error;
#[cfg(feature = "cli")]
pub mod size;
#[cfg(feature = "cli")]
pub mod time;
