//! Assigns work to shards by its cost.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Returns the shard of each piece of work, counted from 0: the most expensive is assigned first,
/// to the shard with the least so far; of equals, the first. This depends on nothing but the costs
/// and their order, and the longest shard is at most a third longer than in the best division
/// (Graham 1969, "Bounds on multiprocessing timing anomalies"), and in practice equal to it.
pub(super) fn assign(costs: &[u64], shards: u32) -> Vec<u32> {
    let mut order: Vec<usize> = (0..costs.len()).collect();
    // Stable: of equals, the first is assigned first.
    order.sort_by_key(|at| Reverse(costs.get(*at)));
    let mut least: BinaryHeap<_> = (0..shards).map(|shard| Reverse((0_u128, shard))).collect();
    let mut assigned = vec![0; costs.len()];
    for at in order {
        let Some(Reverse((load, shard))) = least.pop() else {
            break;
        };
        assigned[at] = shard;
        least.push(Reverse((load + u128::from(costs[at]), shard)));
    }
    assigned
}
