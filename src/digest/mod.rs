//! SHA-256 (FIPS 180-4): the digest of an artifact, and the lane that computes it.

mod portable;

use std::fmt;

pub use portable::Lane;

/// The SHA-256 of bytes that were really hashed: 32 bytes, big-endian as FIPS 180-4 prints them.
///
/// Verifying a signature from a digest accepts whatever 32 bytes it is given. So that nothing but
/// a hash can reach it, a `Digest` is made in this module only, by a [`Lane`] that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The digest of bytes that are all in memory already.
    pub fn of(bytes: &[u8]) -> Digest {
        let mut lane = Lane::default();
        lane.update(bytes);
        lane.finish()
    }
}

/// 64 lower-case hexadecimal digits, as `sha256sum` prints them.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_nothing_is_the_one_of_fips_180_4() {
        assert_eq!(
            Digest::of(b"").to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn a_message_in_pieces_has_the_digest_of_the_whole() {
        let message: Vec<u8> = (0..300_u16).map(|n| n.to_le_bytes()[0]).collect();
        for cut in [0, 1, 63, 64, 65, 127, 128, 129, 299, 300] {
            let mut lane = Lane::default();
            lane.update(&message[..cut]);
            lane.update(&message[cut..]);
            assert_eq!(lane.finish(), Digest::of(&message), "cut at {cut}");
        }
    }
}
