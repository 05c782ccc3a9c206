//! What files really are, by their content. Pure: bytes in, hints out. No verdict rests on any of
//! it.

pub mod budget;
mod cross_match;
pub mod data;
mod formats;
pub mod key;
pub mod key_recovery;
pub mod notes;
pub mod path;
pub mod signature;
