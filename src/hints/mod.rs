//! Identifies files by their content. Pure: takes bytes, returns hints. No verdict rests on them.

pub mod budget;
mod cross_match;
pub mod data;
mod formats;
pub mod key;
mod key_recovery;
pub mod notes;
pub mod path;
pub mod same_content;
pub mod signature;
pub mod signers;
