//! Images inside a source: the rules by which they are judged.

pub mod made;
mod platforms;

mod walk;
