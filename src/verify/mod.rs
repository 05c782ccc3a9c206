//! From what lies on disk to what the engine has to do, and what the run shows as a whole.

pub mod patience;
pub mod unmatched;
pub mod work;
