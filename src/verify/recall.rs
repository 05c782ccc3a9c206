//! Adds to the work what earlier runs found: whose turn it is, and what may do instead of reading.

use std::time::SystemTime;

use crate::earlier::Past;
use crate::earlier::place::{Known, Places};
use crate::engine::plan::Turn;
use crate::engine::{Offer, Work};

/// Recalls what earlier runs found of each artifact. Returns where everything of the run is.
pub(super) fn recall(works: &mut [Work], past: &Past) -> Known {
    let mut places = Places::default();
    for work in works {
        let task = match work {
            Work::Verify(task) => task,
            Work::Decided(record) => {
                places.of(record.path(), record.signature.as_ref());
                continue;
            }
        };
        let Some(place) = places.of(&task.data, task.signature()) else {
            continue;
        };
        task.cost.turn = past.passed(&place).map_or_else(Turn::default, turn);
        let offer = past.offer(&place);
        task.earlier = offer.map(|(evidence, terms)| Box::new(Offer { evidence, terms }));
    }
    places.into()
}

/// Returns the turn of an artifact that passed at this time.
fn turn(time: SystemTime) -> Turn {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let nanoseconds = since.map_or(0, |since| since.as_nanos());
    Turn(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::earlier::place::Place;
    use crate::earlier::{History, Last};
    use crate::engine::plan::{Cost, Plan};
    use crate::files::FileId;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, HashMap};
    use std::sync::Arc;
    use std::time::Duration;

    const NIGHTS: usize = 30;

    /// Nightly runs over artifacts of these sizes, each of which begins none after so many bytes.
    /// Returns the artifacts of each night.
    fn nights(sizes: &[u64], bytes: u64) -> Vec<Vec<usize>> {
        let place = |at: usize| Place {
            data: format!("/m/{at}").into(),
            signature: None,
        };
        let mut clock = SystemTime::UNIX_EPOCH;
        let mut last: HashMap<Place, Last> = HashMap::new();
        let mut nights = Vec::new();
        for _ in 0..NIGHTS {
            let past = Past {
                now: clock,
                ledger: Some(Arc::new(History { last: last.clone() })),
                max_age: None,
                resumed: None,
            };
            let cost = |(at, size): (usize, &u64)| Cost {
                size: *size,
                file: FileId {
                    device: 1,
                    inode: at as u64,
                },
                name: None,
                turn: past.passed(&place(at)).map_or_else(Turn::default, turn),
            };
            let costs: Vec<Cost> = sizes.iter().enumerate().map(cost).collect();
            let mut plan = Plan::new(&costs, &BTreeMap::new());
            let (mut read, mut night) = (0, Vec::new());
            while read < bytes
                && let Some(job) = plan.take()
            {
                read += job.size;
                clock += Duration::from_secs(1 + job.size);
                for at in job.members {
                    last.insert(place(at), Last::Passed(clock, None));
                    night.push(at);
                }
            }
            nights.push(night);
        }
        nights
    }

    #[test]
    fn what_is_the_largest_goes_first_and_nothing_twice_before_everything_once() {
        let nights = nights(&[5, 9, 7, 3, 1], 10);
        assert_eq!(
            nights[..5],
            [
                vec![1, 2],
                vec![0, 3, 4, 1],
                vec![2, 0],
                vec![3, 4, 1],
                vec![2, 0]
            ]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn thirty_nights_cover_everything_once_in_as_many_nights_as_it_takes_to_read_it(
            sizes in prop::collection::vec(prop_oneof![1..100_u64, 1..10_000_u64], 1..60),
            part in 1..12_u64,
        ) {
            let total: u64 = sizes.iter().sum();
            let bytes = total.div_ceil(part);
            let needed = total.div_ceil(bytes) as usize;
            let nights = nights(&sizes, bytes);
            for some in nights.windows(needed) {
                let mut seen: Vec<usize> = some.concat();
                seen.sort_unstable();
                seen.dedup();
                prop_assert_eq!(seen.len(), sizes.len(), "{:?}", some);
            }
        }
    }
}
