//! What names say: how artifacts and signatures end, how parts are numbered, which names look
//! alike. Pure.

pub mod alike;
pub mod endings;
pub mod parts;
