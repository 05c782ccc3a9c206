//! Names, errors and sizes as people read them.

pub mod escape;
pub mod os_error;
pub mod size;
pub mod time;
