//! The formats in which people and programs read a run.

mod differences;
mod document;
mod document_audit;
mod document_notes;
pub mod file;
pub mod html;
mod images;
pub mod json;
pub mod junit;
mod junit_names;
pub mod lines;
pub mod place;
pub(crate) mod remedy;
mod replace;
mod signers;
pub mod unchecked;
pub(crate) mod words;
mod xml;

pub use differences::{RESTS_ON, audit, compared, comparison, comparison_remarks, finding};
pub use words::{choice, note};
