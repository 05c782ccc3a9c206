//! One lane, computed by the `sha2` crate, which uses the processor's SHA instructions where it finds them.

use sha2::{Digest as _, Sha256};

use super::Digest;

/// One message being hashed, piece by piece.
#[derive(Clone, Debug, Default)]
pub struct Lane(Sha256);

impl Lane {
    /// Takes in the next bytes of the message.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Ends the message.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}
