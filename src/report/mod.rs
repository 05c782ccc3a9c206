//! The formats in which people and programs read a run.

pub mod context;
mod csv;
mod differences;
mod document;
mod document_audit;
mod document_notes;
mod dsse;
pub mod file;
pub mod format;
mod gaps;
pub mod html;
mod images;
pub mod json;
pub mod junit;
mod junit_names;
pub mod lines;
mod oscal;
pub mod place;
mod prom;
mod relative;
pub(crate) mod remedy;
mod replace;
pub mod sign;
mod signers;
mod subjects;
mod sums;
pub mod unchecked;
mod vsa;
pub(crate) mod whole;
pub(crate) mod words;
mod xml;

pub use differences::{RESTS_ON, audit, compared, comparison, comparison_remarks, finding};
pub use words::{choice, note};
