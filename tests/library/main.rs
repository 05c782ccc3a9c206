//! The library from outside: properties of what it is made of, and the drawing of its rooms.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod architecture;
mod front_door;
mod properties;
#[path = "../support/mod.rs"]
mod support;
