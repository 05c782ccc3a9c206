//! The formats in which people and programs read a run.

mod document;
pub mod file;
pub mod html;
mod images;
pub mod json;
pub mod junit;
pub mod lines;
pub mod place;
pub(crate) mod remedy;
mod replace;
pub mod unchecked;
pub(crate) mod words;
mod xml;

pub use words::{audit, choice, finding, note};
