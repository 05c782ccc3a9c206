//! Two lanes in one thread, with the SHA instructions of x86-64.
//!
//! `sha256rnds2` has a latency of several cycles, and another one can start before it ends. A
//! single message leaves the unit idle, since each round depends on the previous one; the rounds of
//! a second, independent message fill the gap.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, _MM_HINT_T0, _mm_add_epi32, _mm_alignr_epi8, _mm_blend_epi16, _mm_loadu_si128,
    _mm_prefetch, _mm_set_epi64x, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32,
    _mm_sha256rnds2_epu32, _mm_shuffle_epi8, _mm_shuffle_epi32, _mm_storeu_si128,
};
use std::array;

use super::{Block, State as Words};

/// Number of messages side by side. Three and four measured no faster than two (BENCHMARKS.md).
pub const LANES: usize = 2;

/// Prefetch distance in bytes ahead of the block being hashed. Without prefetching, one lane over
/// uncached memory ran at 1.2 GB/s instead of 1.9, since the processor's own prefetching stops at
/// each page boundary (BENCHMARKS.md).
const PREFETCH: usize = 1024;

/// Round constants (FIPS 180-4, 4.2.2), in groups of four rounds.
static K: [[u32; 4]; 16] = [
    [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5],
    [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
    [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3],
    [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
    [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc],
    [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
    [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7],
    [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
    [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13],
    [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
    [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3],
    [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
    [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5],
    [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
    [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208],
    [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
];

/// Proof that the processor has the instructions: a value comes only from [`ShaNi::detect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShaNi(());

/// A hash value in the layout of the instructions: the words A B E F and C D G H (Intel SDM,
/// SHA256RNDS2).
#[derive(Clone, Copy)]
struct State {
    abef: __m128i,
    cdgh: __m128i,
}

impl ShaNi {
    /// Queries the processor.
    pub fn detect() -> Option<ShaNi> {
        let has = is_x86_feature_detected!("sha")
            && is_x86_feature_detected!("sse4.1")
            && is_x86_feature_detected!("ssse3");
        has.then_some(ShaNi(()))
    }

    /// Compresses blocks into one state.
    pub fn one(self, state: &mut Words, blocks: &[Block]) {
        let mut states = [*state];
        // SAFETY: `self` proves that the processor has every feature that `compress` is compiled
        // with.
        unsafe { compress(&mut states, [blocks]) };
        [*state] = states;
    }

    /// Compresses blocks into two states side by side, as many as the shorter list has.
    pub fn two(self, states: &mut [Words; 2], blocks: [&[Block]; 2]) {
        // SAFETY: `self` proves that the processor has every feature that `compress` is compiled
        // with.
        unsafe { compress(states, blocks) };
    }
}

/// Compresses blocks into `L` states at once, as many as the shortest list has (FIPS 180-4, 6.2.2).
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn compress<const L: usize>(states: &mut [Words; L], blocks: [&[Block]; L]) {
    let count = blocks.iter().map(|list| list.len()).min().unwrap_or(0);
    let mut now: [State; L] = array::from_fn(|lane| load_state(&states[lane]));
    #[allow(
        clippy::needless_range_loop,
        reason = "the same place in several lists"
    )]
    for at in 0..count {
        let before = now;
        let mut words = array::from_fn(|lane| load_block(&blocks[lane][at]));
        rounds(&mut now, &mut words);
        for (now, before) in now.iter_mut().zip(before) {
            now.abef = _mm_add_epi32(now.abef, before.abef);
            now.cdgh = _mm_add_epi32(now.cdgh, before.cdgh);
        }
    }
    for (state, now) in states.iter_mut().zip(now) {
        store_state(state, now);
    }
}

/// Runs the 64 rounds, four at a time; from the second sixteen on, the message schedule produces
/// their words.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn rounds<const L: usize>(now: &mut [State; L], words: &mut [[__m128i; 4]; L]) {
    for first in [0, 4, 8, 12] {
        for four in 0..4 {
            let k = load(&K[first + four]);
            let mut terms = [k; L];
            for (term, words) in terms.iter_mut().zip(words.iter_mut()) {
                if first > 0 {
                    words[four] = schedule(words, four);
                }
                *term = _mm_add_epi32(words[four], k);
            }
            // Issue each instruction for all lanes before the next instruction: here the lanes fill
            // each other's gaps.
            for (now, term) in now.iter_mut().zip(terms) {
                now.cdgh = _mm_sha256rnds2_epu32(now.cdgh, now.abef, term);
            }
            for (now, term) in now.iter_mut().zip(terms) {
                let upper = _mm_shuffle_epi32(term, 0x0e);
                now.abef = _mm_sha256rnds2_epu32(now.abef, now.cdgh, upper);
            }
        }
    }
}

/// Returns the four words that follow the sixteen in `words`, of which those at `four` are the
/// oldest.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn schedule(words: &[__m128i; 4], four: usize) -> __m128i {
    let [w0, w1, w2, w3] = array::from_fn(|i| words[(four + i) % 4]);
    let partial = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
    _mm_sha256msg2_epu32(partial, w3)
}

/// Loads the sixteen big-endian words of a block, and prefetches a later one.
#[inline]
#[target_feature(enable = "ssse3")]
fn load_block(block: &Block) -> [__m128i; 4] {
    let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    let start: *const u8 = block.as_ptr();
    #[allow(
        unused_unsafe,
        reason = "it is unsafe to compilers of the rust-version, and safe to newer ones"
    )]
    // SAFETY: A prefetch has no effect visible to the program and never faults, at any
    // address.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(PREFETCH).cast());
    }
    let (quarters, _) = block.as_chunks::<16>();
    array::from_fn(|i| _mm_shuffle_epi8(load(&quarters[i]), swap))
}

#[inline]
#[target_feature(enable = "sse2")]
fn load<T: Plain>(sixteen: &T) -> __m128i {
    const { assert!(size_of::<T>() == 16) };
    // SAFETY: The reference is to 16 readable bytes, every value of which is a valid vector; the
    // load requires no alignment.
    unsafe { _mm_loadu_si128(std::ptr::from_ref(sixteen).cast()) }
}

/// Types that consist only of bytes: no padding, no invalid values.
trait Plain {}
impl Plain for [u8; 16] {}
impl Plain for [u32; 4] {}

#[inline]
#[target_feature(enable = "sse4.1,ssse3")]
fn load_state(state: &Words) -> State {
    let (halves, _) = state.as_chunks::<4>();
    let (dcba, hgfe) = (load(&halves[0]), load(&halves[1]));
    let cdab = _mm_shuffle_epi32(dcba, 0xb1);
    let efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    State {
        abef: _mm_alignr_epi8(cdab, efgh, 8),
        cdgh: _mm_blend_epi16(efgh, cdab, 0xf0),
    }
}

#[inline]
#[target_feature(enable = "sse4.1,ssse3")]
fn store_state(state: &mut Words, now: State) {
    let feba = _mm_shuffle_epi32(now.abef, 0x1b);
    let dchg = _mm_shuffle_epi32(now.cdgh, 0xb1);
    let (halves, _) = state.as_chunks_mut::<4>();
    store(&mut halves[0], _mm_blend_epi16(feba, dchg, 0xf0));
    store(&mut halves[1], _mm_alignr_epi8(dchg, feba, 8));
}

#[inline]
#[target_feature(enable = "sse2")]
fn store(place: &mut [u32; 4], words: __m128i) {
    // SAFETY: The reference is to 16 writable bytes; the store requires no alignment, and every
    // value is four valid words.
    unsafe { _mm_storeu_si128(std::ptr::from_mut(place).cast(), words) };
}
