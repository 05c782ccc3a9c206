//! SHA-256 of our own: several messages side by side in one thread.

#[cfg(target_arch = "x86_64")]
use verify_signatures_kernels::{avx2, sha_ni};

use super::{Block, Digest, Feed, portable};

pub use sha2::{Sha256, Sha384, Sha512};

/// A message being hashed: the state after the whole blocks so far.
#[derive(Clone, Debug)]
pub struct Lane {
    pub(super) state: [u32; 8],
    pub(super) blocks: u64,
}

impl Lane {
    /// Returns an empty lane: the initial hash value (FIPS 180-4, 5.3.3).
    pub(super) fn new() -> Lane {
        let state = [
            0x6a09_e667,
            0xbb67_ae85,
            0x3c6e_f372,
            0xa54f_f53a,
            0x510e_527f,
            0x9b05_688c,
            0x1f83_d9ab,
            0x5be0_cd19,
        ];
        Lane { state, blocks: 0 }
    }

    /// Adds the `rest` of the message, of any length, and finishes it.
    pub fn finish(mut self, rest: &[u8]) -> Digest {
        let (blocks, tail) = rest.as_chunks();
        portable::compress(&mut self.state, blocks);
        self.blocks += blocks.len() as u64;
        let (padded, count) = padding(tail, self.blocks);
        portable::compress(&mut self.state, padded.get(..count).unwrap_or(&padded));
        let mut bytes = [0; 32];
        for (word, place) in self.state.iter().zip(bytes.as_chunks_mut().0) {
            *place = word.to_be_bytes();
        }
        Digest(bytes)
    }

    /// Adds the `rest` of the message, and finishes it.
    pub(super) fn end(self, rest: &[u8]) -> (Digest, Kept) {
        (self.finish(rest), Kept)
    }
}

/// What is kept of a message beside its digests: nothing, since signatures are verified over these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept;

impl Kept {
    pub(super) fn of(_: &Sha256) -> Kept {
        Kept
    }

    pub(super) fn add_sha384(&mut self, _: &Sha384) {}

    pub(super) fn add_sha512(&mut self, _: &Sha512) {}
}

/// Returns the last one or two blocks: the tail, a one bit, zeros, and the length in bits (FIPS
/// 180-4, 5.1.1).
fn padding(tail: &[u8], blocks: u64) -> ([Block; 2], usize) {
    let mut padded = [0; 128];
    let count = 1 + usize::from(tail.len() >= 56);
    let bits = (blocks * 64 + tail.len() as u64) * 8;
    let end = count * 64;
    padded[..tail.len()].copy_from_slice(tail);
    padded[tail.len()] = 0x80;
    padded[end - 8..end].copy_from_slice(&bits.to_be_bytes());
    let (blocks, _) = padded.as_chunks();
    ([blocks[0], blocks[1]], count)
}

/// An implementation of SHA-256. Only implementations that this processor supports have a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hasher(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    ShaNi(sha_ni::ShaNi),
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
}

impl Hasher {
    /// The implementation that every processor supports.
    pub const PORTABLE: Hasher = Hasher(Kind::Portable);

    /// Returns the implementation that the processor's instructions promise to be fastest.
    pub fn promised() -> Hasher {
        Hasher::all().pop().unwrap_or(Hasher::PORTABLE)
    }

    /// Returns all implementations that this processor supports, ordered by the speed that its
    /// instructions promise, slowest first.
    pub fn all() -> Vec<Hasher> {
        let mut all = vec![Hasher::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(avx2::Avx2::detect().map(|hasher| Hasher(Kind::Avx2(hasher))));
            all.extend(sha_ni::ShaNi::detect().map(|hasher| Hasher(Kind::ShaNi(hasher))));
        }
        all
    }

    /// Returns the implementation of this name, if this processor supports it.
    pub fn named(name: &str) -> Option<Hasher> {
        Hasher::all()
            .into_iter()
            .find(|hasher| hasher.name() == name)
    }

    /// Returns its name in messages and options.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::ShaNi(_) => "sha-ni",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(_) => "avx2",
        }
    }

    /// Begins a message: the single entry point for everything that is hashed.
    pub fn begin(self) -> Lane {
        Lane::new()
    }

    /// Returns the number of messages hashed side by side in one thread.
    pub fn lanes(self) -> usize {
        match self.0 {
            Kind::Portable => 1,
            #[cfg(target_arch = "x86_64")]
            Kind::ShaNi(_) => sha_ni::LANES,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(_) => avx2::LANES,
        }
    }

    /// Compresses the same number of blocks into each lane, as many as the shortest feed has, and
    /// returns that number.
    pub fn advance(self, feeds: &mut [Feed<'_>]) -> usize {
        let common = feeds
            .iter()
            .map(|feed| feed.blocks.len())
            .min()
            .unwrap_or(0);
        for feed in feeds.iter_mut() {
            feed.blocks = &feed.blocks[..common];
            feed.lane.blocks += common as u64;
        }
        for group in feeds.chunks_mut(self.lanes()) {
            match self.0 {
                Kind::Portable => portable::advance(group),
                #[cfg(target_arch = "x86_64")]
                Kind::ShaNi(kernel) => advance_two(kernel, group),
                #[cfg(target_arch = "x86_64")]
                Kind::Avx2(kernel) => advance_eight(kernel, group),
            }
        }
        common
    }
}

/// Compresses the blocks of one or two feeds, both of the same length, into their lanes.
#[cfg(target_arch = "x86_64")]
fn advance_two(kernel: sha_ni::ShaNi, feeds: &mut [Feed<'_>]) {
    match feeds {
        [one] => kernel.one(&mut one.lane.state, one.blocks),
        [one, two] => {
            let mut states = [one.lane.state, two.lane.state];
            kernel.two(&mut states, [one.blocks, two.blocks]);
            [one.lane.state, two.lane.state] = states;
        }
        _ => portable::advance(feeds),
    }
}

/// Compresses the blocks of up to eight feeds, all of the same length, into their lanes.
#[cfg(target_arch = "x86_64")]
fn advance_eight(kernel: avx2::Avx2, feeds: &mut [Feed<'_>]) {
    if feeds.len() < avx2::WORTH_IT || feeds.len() > avx2::LANES {
        return portable::advance(feeds);
    }
    // An unused lane repeats the first lane's message; its state is discarded.
    let spare = (feeds[0].lane.state, feeds[0].blocks);
    let used = |lane: usize| feeds.get(lane).map(|f| (f.lane.state, f.blocks));
    let all: [_; avx2::LANES] = std::array::from_fn(|lane| used(lane).unwrap_or(spare));
    let mut states = all.map(|(state, _)| state);
    kernel.eight(&mut states, all.map(|(_, blocks)| blocks));
    for (feed, state) in feeds.iter_mut().zip(states) {
        feed.lane.state = state;
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    /// States and lists of blocks, each list longer than the one before.
    fn unequal<const L: usize>() -> ([[u32; 8]; L], [Vec<Block>; L]) {
        let states = std::array::from_fn(|lane| [lane as u32; 8]);
        let list = |lane| (0..=lane).map(|n| [(lane * 16 + n) as u8; 64]).collect();
        (states, std::array::from_fn(list))
    }

    /// What `sha2` makes of each state and the first of its blocks.
    fn after_one_block<const L: usize>(
        states: &[[u32; 8]; L],
        lists: &[Vec<Block>; L],
    ) -> [[u32; 8]; L] {
        std::array::from_fn(|lane| {
            let mut state = states[lane];
            portable::compress(&mut state, &lists[lane][..1]);
            state
        })
    }

    #[test]
    fn lists_of_unequal_lengths_are_compressed_as_far_as_the_shortest_goes() {
        if let Some(kernel) = sha_ni::ShaNi::detect() {
            let (mut states, lists) = unequal();
            let expected = after_one_block(&states, &lists);
            kernel.two(&mut states, lists.each_ref().map(|list| &**list));
            assert_eq!(states, expected);
        }
        if let Some(kernel) = avx2::Avx2::detect() {
            let (mut states, lists) = unequal();
            let expected = after_one_block(&states, &lists);
            kernel.eight(&mut states, lists.each_ref().map(|list| &**list));
            assert_eq!(states, expected);
        }
    }
}
