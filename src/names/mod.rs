//! Classifies files by name: the endings of artifacts and signatures, the numbers of parts, names
//! that look alike. Pure.

pub mod alike;
pub mod endings;
pub mod lists;
pub mod parts;
pub mod place;
