//! Eight lanes in one thread, with the AVX2 instructions of x86-64, for processors without SHA
//! instructions.
//!
//! A vector holds one word of each of eight messages. Every SHA-256 operation applies to all eight
//! at once, so this pays off as soon as a few lanes are in use.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256i, _MM_HINT_T0, _mm_prefetch, _mm256_add_epi32, _mm256_and_si256, _mm256_andnot_si256,
    _mm256_loadu_si256, _mm256_or_si256, _mm256_permute2x128_si256, _mm256_set_epi64x,
    _mm256_set1_epi32, _mm256_shuffle_epi8, _mm256_slli_epi32, _mm256_srli_epi32,
    _mm256_storeu_si256, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32,
    _mm256_unpacklo_epi64, _mm256_xor_si256,
};
use std::array;

use super::{Block, State};

/// Number of messages side by side.
pub const LANES: usize = 8;

/// Break-even: with fewer messages, hashing them one by one is faster (BENCHMARKS.md).
pub const WORTH_IT: usize = 3;

/// Prefetch distance in bytes ahead of the block being hashed.
const PREFETCH: usize = 512;

/// Round constants (FIPS 180-4, 4.2.2).
static K: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

/// Proof that the processor has the instructions: a value comes only from [`Avx2::detect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx2(());

impl Avx2 {
    /// Queries the processor.
    pub fn detect() -> Option<Avx2> {
        is_x86_feature_detected!("avx2").then_some(Avx2(()))
    }

    /// Compresses blocks into eight states side by side, as many as the shortest list has.
    pub fn eight(self, states: &mut [State; LANES], blocks: [&[Block]; LANES]) {
        // SAFETY: `self` proves that the processor has the feature that `compress` is compiled
        // with.
        unsafe { compress(states, blocks) };
    }
}

/// Compresses blocks into eight states at once, as many as the shortest list has (FIPS 180-4,
/// 6.2.2).
#[target_feature(enable = "avx2")]
fn compress(states: &mut [State; LANES], blocks: [&[Block]; LANES]) {
    let count = blocks.iter().map(|list| list.len()).min().unwrap_or(0);
    let mut now = transpose(array::from_fn(|lane| load(&states[lane])));
    #[allow(
        clippy::needless_range_loop,
        reason = "the same place in several lists"
    )]
    for at in 0..count {
        let mut words = load_blocks(array::from_fn(|lane| &blocks[lane][at]));
        let after = rounds(now, &mut words);
        now = array::from_fn(|i| _mm256_add_epi32(now[i], after[i]));
    }
    let rows = transpose(now);
    for (state, row) in states.iter_mut().zip(rows) {
        store(state, row);
    }
}

/// Returns the sixteen words of eight blocks; each vector holds one word of all eight.
#[inline]
#[target_feature(enable = "avx2")]
fn load_blocks(blocks: [&Block; LANES]) -> [__m256i; 16] {
    let half = |number: usize| {
        transpose(array::from_fn(|lane| {
            let (halves, _) = blocks[lane].as_chunks::<32>();
            load_big_endian(&halves[number])
        }))
    };
    let (first, second) = (half(0), half(1));
    array::from_fn(|i| if i < 8 { first[i] } else { second[i - 8] })
}

/// Runs the 64 rounds on the words A to H.
#[inline]
#[target_feature(enable = "avx2")]
fn rounds(mut now: [__m256i; 8], words: &mut [__m256i; 16]) -> [__m256i; 8] {
    for first in [0, 16, 32, 48] {
        for round in 0..16 {
            if first > 0 {
                words[round] = schedule(words, round);
            }
            let k = _mm256_set1_epi32(K[first + round].cast_signed());
            now = one_round(now, _mm256_add_epi32(words[round], k));
        }
    }
    now
}

#[inline]
#[target_feature(enable = "avx2")]
fn one_round([a, b, c, d, e, f, g, h]: [__m256i; 8], term: __m256i) -> [__m256i; 8] {
    let choice = _mm256_xor_si256(_mm256_and_si256(e, f), _mm256_andnot_si256(e, g));
    let majority = _mm256_or_si256(
        _mm256_and_si256(a, b),
        _mm256_and_si256(c, _mm256_or_si256(a, b)),
    );
    let sum1 = xor3(rotate::<6, 26>(e), rotate::<11, 21>(e), rotate::<25, 7>(e));
    let sum0 = xor3(rotate::<2, 30>(a), rotate::<13, 19>(a), rotate::<22, 10>(a));
    let t1 = _mm256_add_epi32(_mm256_add_epi32(h, term), _mm256_add_epi32(sum1, choice));
    let t2 = _mm256_add_epi32(sum0, majority);
    [
        _mm256_add_epi32(t1, t2),
        a,
        b,
        c,
        _mm256_add_epi32(d, t1),
        e,
        f,
        g,
    ]
}

/// Returns the word that follows the sixteen in `words`, of which the one at `at` is the oldest.
#[inline]
#[target_feature(enable = "avx2")]
fn schedule(words: &[__m256i; 16], at: usize) -> __m256i {
    let [w0, w1, w9, w14] = [0, 1, 9, 14].map(|i| words[(at + i) % 16]);
    let sigma0 = xor3(
        rotate::<7, 25>(w1),
        rotate::<18, 14>(w1),
        _mm256_srli_epi32(w1, 3),
    );
    let sigma1 = xor3(
        rotate::<17, 15>(w14),
        rotate::<19, 13>(w14),
        _mm256_srli_epi32(w14, 10),
    );
    _mm256_add_epi32(_mm256_add_epi32(w0, sigma0), _mm256_add_epi32(w9, sigma1))
}

/// Rotates each word right by `R` bits; `L` is 32 − `R`.
#[inline]
#[target_feature(enable = "avx2")]
fn rotate<const R: i32, const L: i32>(words: __m256i) -> __m256i {
    const { assert!(R + L == 32) };
    _mm256_or_si256(_mm256_srli_epi32(words, R), _mm256_slli_epi32(words, L))
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor3(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    _mm256_xor_si256(_mm256_xor_si256(a, b), c)
}

/// Transposes an 8 × 8 matrix of words.
#[inline]
#[target_feature(enable = "avx2")]
fn transpose(rows: [__m256i; 8]) -> [__m256i; 8] {
    let [a, b, c, d, e, f, g, h] = rows;
    let pairs = [(a, b), (c, d), (e, f), (g, h)];
    let low = pairs.map(|(x, y)| _mm256_unpacklo_epi32(x, y));
    let high = pairs.map(|(x, y)| _mm256_unpackhi_epi32(x, y));
    // Columns 0 and 4, 1 and 5, 2 and 6, 3 and 7: first of the upper four rows, then of the lower
    // four.
    let fours = |i: usize| {
        [
            _mm256_unpacklo_epi64(low[i], low[i + 1]),
            _mm256_unpackhi_epi64(low[i], low[i + 1]),
            _mm256_unpacklo_epi64(high[i], high[i + 1]),
            _mm256_unpackhi_epi64(high[i], high[i + 1]),
        ]
    };
    let (upper, lower) = (fours(0), fours(2));
    array::from_fn(|i| {
        if i < 4 {
            _mm256_permute2x128_si256(upper[i], lower[i], 0x20)
        } else {
            _mm256_permute2x128_si256(upper[i - 4], lower[i - 4], 0x31)
        }
    })
}

/// Loads eight words of a message, and prefetches later ones.
#[inline]
#[target_feature(enable = "avx2")]
fn load_big_endian(bytes: &[u8; 32]) -> __m256i {
    let quarter = (0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    let swap = _mm256_set_epi64x(quarter.0, quarter.1, quarter.0, quarter.1);
    #[allow(
        unused_unsafe,
        reason = "it is unsafe to compilers of the rust-version, and safe to newer ones"
    )]
    // SAFETY: A prefetch has no effect visible to the program and never faults, at any
    // address.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(bytes.as_ptr().wrapping_add(PREFETCH).cast());
    }
    // SAFETY: The reference is to 32 readable bytes, every value of which is a valid vector; the
    // load requires no alignment.
    let words = unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) };
    _mm256_shuffle_epi8(words, swap)
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(words: &[u32; 8]) -> __m256i {
    // SAFETY: As in `load_big_endian`.
    unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(place: &mut [u32; 8], words: __m256i) {
    // SAFETY: The reference is to 32 writable bytes; the store requires no alignment, and every
    // value is eight valid words.
    unsafe { _mm256_storeu_si256(place.as_mut_ptr().cast(), words) };
}
