//! What files really are, by their content. Pure: bytes in, hints out. No verdict rests on any of it.

pub mod data;
mod formats;
pub mod key;
pub mod key_recovery;
pub mod path;
pub mod signature;
