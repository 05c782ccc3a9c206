//! SHA-256 (FIPS 180-4): an artifact's digest, the lanes that compute it, and the choice of
//! implementation; and the wider hashes that are computed beside it.

pub mod choice;
#[cfg(not(feature = "fips"))]
mod lanes;
#[cfg(not(feature = "fips"))]
mod portable;
pub mod stream;
#[cfg(feature = "fips")]
mod validated;
pub mod wide;

use std::fmt;

// The single seam between our own hashing and that of a validated module.
#[cfg(not(feature = "fips"))]
use lanes as implementation;
#[cfg(feature = "fips")]
use validated as implementation;

pub use implementation::{Hasher, Lane};
pub use wide::{Algorithm, Algorithms, Digests, Wanted, Wide};

/// The block of SHA-256: 64 bytes.
pub type Block = [u8; 64];

/// The SHA-256 of bytes that were actually hashed: 32 bytes, big-endian as FIPS 180-4 prints them.
///
/// Signature verification accepts any 32 bytes as a digest. To admit only hashes, this module alone
/// makes a `Digest`, from a finished lane.
///
/// ```
/// use verify_signatures::Digest;
///
/// // FIPS 180-4's own example.
/// assert!(Digest::of(b"abc").to_string().starts_with("ba7816bf8f01cfea"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Returns the 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the digest of bytes in memory.
    pub fn of(bytes: &[u8]) -> Digest {
        Lane::new().finish(bytes)
    }
}

/// Prints 64 lower-case hexadecimal digits, as `sha256sum` does.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A lane and its next blocks.
#[derive(Debug)]
pub struct Feed<'a> {
    /// The message.
    pub lane: &'a mut Lane,
    /// Its next blocks.
    pub blocks: &'a [Block],
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

    fn reference(message: &[u8]) -> [u8; 32] {
        Sha256::digest(message).into()
    }

    /// Hashes messages side by side, refilling each lane with the next message when its own ends,
    /// as the engine does.
    fn side_by_side(hasher: Hasher, messages: &[Vec<u8>]) -> Vec<[u8; 32]> {
        let mut digests = vec![[0; 32]; messages.len()];
        let mut waiting = messages.iter().enumerate();
        let mut active: Vec<(usize, Lane, &[u8])> = Vec::new();
        loop {
            while active.len() < hasher.lanes() {
                let Some((number, message)) = waiting.next() else {
                    break;
                };
                active.push((number, Lane::new(), message));
            }
            if active.is_empty() {
                return digests;
            }
            let mut feeds: Vec<Feed<'_>> = active
                .iter_mut()
                .map(|(_, lane, rest)| Feed {
                    lane,
                    blocks: rest.as_chunks().0,
                })
                .collect();
            let taken = hasher.advance(&mut feeds) * 64;
            for (_, _, rest) in &mut active {
                *rest = &rest[taken..];
            }
            active.retain(|(number, lane, rest)| {
                let ended = rest.len() < 64;
                if ended {
                    digests[*number] = *lane.clone().finish(rest).as_bytes();
                }
                !ended
            });
        }
    }

    fn message(length: usize, seed: u8) -> Vec<u8> {
        (0..length)
            .map(|n| (n * 31 + n / 251) as u8 ^ seed)
            .collect()
    }

    fn assert_every_hasher_agrees(messages: &[Vec<u8>]) {
        let expected: Vec<_> = messages.iter().map(|m| reference(m)).collect();
        for hasher in Hasher::all() {
            let digests = side_by_side(hasher, messages);
            assert_eq!(digests, expected, "{}", hasher.name());
        }
    }

    #[test]
    fn the_digest_of_nothing_is_the_one_of_fips_180_4() {
        assert_eq!(
            Digest::of(b"").to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn every_hasher_agrees_with_sha2_around_every_block_edge() {
        let lengths = (0..20).flat_map(|block| [63, 64, 65].map(|n| (block * 64 + n) - 63));
        let messages: Vec<Vec<u8>> = lengths.map(|n| message(n, n as u8)).collect();
        assert_every_hasher_agrees(&messages);
    }

    #[test]
    fn every_hasher_agrees_with_sha2_on_every_pairing_of_lengths() {
        let lengths = [0, 1, 55, 56, 63, 64, 65, 119, 128, 1000, 4096, 10_007];
        for hasher in Hasher::all() {
            for (a, b) in lengths.iter().flat_map(|a| lengths.map(|b| (*a, b))) {
                let messages = [message(a, 1), message(b, 2)];
                let expected = messages.clone().map(|m| reference(&m));
                assert_eq!(side_by_side(hasher, &messages), expected, "{a} with {b}");
            }
        }
    }

    /// The Monte Carlo test of the Secure Hash Algorithm Validation System (SHAVS, 6.4): the first
    /// value is NIST's, `sha2` computes the rest.
    #[test]
    fn every_hasher_agrees_with_sha2_in_the_monte_carlo_test() {
        for hasher in Hasher::all() {
            // The first seed is NIST's; the other lanes get different ones, to ensure that no lane
            // reads its neighbour's data.
            let mut seeds: Vec<[u8; 32]> = (0..hasher.lanes()).map(|n| [n as u8; 32]).collect();
            seeds[0] = from_hex("6d1e72ad03ddeb5de891e572e2396f8da015d899ef0e79503152d6010a3fe691");
            let first =
                from_hex("e93c330ae5447738c8aa85d71a6c80f2a58381d05872d26bdd39f1fcd4f2b788");
            let once = monte_carlo(seeds.clone(), |messages| side_by_side(hasher, messages));
            assert_eq!(once[0], first);
            let mut expected = seeds.clone();
            for _ in 0..20 {
                seeds = monte_carlo(seeds, |messages| side_by_side(hasher, messages));
                expected = monte_carlo(expected, |messages| {
                    messages.iter().map(|m| reference(m)).collect()
                });
                assert_eq!(seeds, expected, "{}", hasher.name());
            }
        }
    }

    fn from_hex(text: &str) -> [u8; 32] {
        let (pairs, _) = text.as_bytes().as_chunks::<2>();
        let digit = |d: u8| char::from(d).to_digit(16).unwrap() as u8;
        std::array::from_fn(|n| digit(pairs[n][0]) * 16 + digit(pairs[n][1]))
    }

    /// The lengths of NIST's byte-oriented short and long messages (SHAVS, 6.2.2 and 6.3).
    #[test]
    fn every_hasher_agrees_with_sha2_on_messages_of_the_lengths_of_nist() {
        let lengths = (0..=64).chain((1..=64).map(|i| (512 + 8 * 99 * i) / 8));
        let messages: Vec<Vec<u8>> = lengths.map(|n| message(n, 7)).collect();
        assert_every_hasher_agrees(&messages);
    }

    fn monte_carlo(
        seeds: Vec<[u8; 32]>,
        hash: impl Fn(&[Vec<u8>]) -> Vec<[u8; 32]>,
    ) -> Vec<[u8; 32]> {
        let mut last = [seeds.clone(), seeds.clone(), seeds];
        for _ in 0..1000 {
            let [a, b, c] = &last;
            let join = |n: usize| [a[n], b[n], c[n]].concat();
            let messages: Vec<Vec<u8>> = (0..a.len()).map(join).collect();
            let digests = hash(&messages);
            last.rotate_left(1);
            last[2] = digests;
        }
        last[2].clone()
    }

    #[test]
    fn what_no_processor_knows_has_no_name() {
        assert_eq!(Hasher::named("md5"), None);
        for hasher in Hasher::all() {
            assert_eq!(Hasher::named(hasher.name()), Some(hasher));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_hasher_agrees_with_sha2_on_messages_of_any_length_side_by_side(
            lengths in prop::collection::vec(prop_oneof![0..200_usize, 0..20_000_usize], 0..20)
        ) {
            let messages: Vec<Vec<u8>> =
                lengths.iter().enumerate().map(|(seed, n)| message(*n, seed as u8)).collect();
            let expected: Vec<_> = messages.iter().map(|m| reference(m)).collect();
            for hasher in Hasher::all() {
                prop_assert_eq!(&side_by_side(hasher, &messages), &expected);
            }
        }

        #[test]
        fn a_message_in_pieces_of_blocks_has_the_digest_of_the_whole(
            length in 0..10_000_usize, cuts in prop::collection::vec(1..40_usize, 1..20)
        ) {
            let whole = message(length, 3);
            for hasher in Hasher::all() {
                let (mut lane, mut rest) = (Lane::new(), whole.as_slice());
                for cut in &cuts {
                    let blocks = rest.as_chunks().0;
                    let blocks = &blocks[..blocks.len().min(*cut)];
                    let taken = hasher.advance(&mut [Feed { lane: &mut lane, blocks }]);
                    rest = &rest[taken * 64..];
                }
                prop_assert_eq!(*lane.finish(rest).as_bytes(), reference(&whole));
            }
        }
    }
}
