//! Images inside a source: the rules by which they are judged.

mod archives;
mod entries;
mod evidence;
mod labels;
mod made;
mod platforms;
mod walk;
mod whole;
