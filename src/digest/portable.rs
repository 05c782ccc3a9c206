//! One lane, with the `sha2` crate, which uses the processor's SHA instructions if present.

use sha2::block_api::compress256;

use super::{Block, Feed};

/// Compresses blocks into a state (FIPS 180-4, 6.2.2).
pub(super) fn compress(state: &mut [u32; 8], blocks: &[Block]) {
    compress256(state, blocks);
}

/// Compresses each feed's blocks into its lane, one lane after the other.
pub(super) fn advance(feeds: &mut [Feed<'_>]) {
    for feed in feeds {
        compress(&mut feed.lane.state, feed.blocks);
    }
}
