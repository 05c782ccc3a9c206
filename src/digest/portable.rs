//! One lane, by the `sha2` crate, which uses the processor's SHA instructions where it finds them.

use sha2::block_api::compress256;

use super::{Block, Feed};

/// Takes blocks into a state (FIPS 180-4, 6.2.2).
pub(super) fn compress(state: &mut [u32; 8], blocks: &[Block]) {
    compress256(state, blocks);
}

/// Takes each feed's blocks into its lane, one lane after the other.
pub(super) fn advance(feeds: &mut [Feed<'_>]) {
    for feed in feeds {
        compress(&mut feed.lane.state, feed.blocks);
    }
}
