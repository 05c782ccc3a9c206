//! The library from outside: properties of what it is made of, and the drawing of its rooms.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// The properties are the fuzz targets', too, and bring what they need along.
#![allow(clippy::duplicate_mod)]

mod architecture;
mod dependencies;
mod front_door;
mod images;
mod properties;
#[path = "../support/mod.rs"]
mod support;
