//! In which order the files are hashed, and which names share one hash. Pure: sizes and identities in, order out.

use std::cmp::Reverse;
use std::collections::HashMap;

/// What the plan needs to know of one artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Its size in bytes.
    pub size: u64,
    /// Which file it is, whatever the name.
    pub file: FileId,
}

/// A file's identity: its inode number and the device that number is unique on (POSIX `<sys/stat.h>`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId {
    /// `st_dev`.
    pub device: u64,
    /// `st_ino`.
    pub inode: u64,
}

/// One file to be hashed once, for all the artifacts that are names of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The size in bytes that was seen last.
    pub size: u64,
    /// The positions of its artifacts in the list that was planned, in that list's order.
    pub members: Vec<usize>,
}

/// Puts the largest first, so that the last file to end is a small one; equals keep their order.
pub fn plan(loads: &[Load]) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::with_capacity(loads.len());
    let mut job_of: HashMap<FileId, usize> = HashMap::with_capacity(loads.len());
    for (position, load) in loads.iter().enumerate() {
        let at = *job_of.entry(load.file).or_insert(jobs.len());
        match jobs.get_mut(at) {
            Some(job) => {
                job.size = load.size;
                job.members.push(position);
            }
            None => jobs.push(Job {
                size: load.size,
                members: vec![position],
            }),
        }
    }
    jobs.sort_by_key(|job| Reverse(job.size));
    jobs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn load(size: u64, inode: u64) -> Load {
        Load {
            size,
            file: FileId { device: 1, inode },
        }
    }

    #[test]
    fn the_largest_comes_first_and_equals_keep_their_order() {
        let order: Vec<Vec<usize>> = plan(&[load(5, 1), load(9, 2), load(5, 3)])
            .into_iter()
            .map(|job| job.members)
            .collect();
        assert_eq!(order, [vec![1], vec![0], vec![2]]);
    }

    #[test]
    fn one_inode_on_two_devices_is_two_files() {
        let mut other = load(5, 1);
        other.file.device = 2;
        assert_eq!(plan(&[load(5, 1), other]).len(), 2);
    }

    proptest! {
        #[test]
        fn every_artifact_is_planned_once_and_shares_its_job_with_the_names_of_its_file(
            inodes in prop::collection::vec((0_u64..20, 0_u64..1000), 0..60)
        ) {
            let loads: Vec<Load> = inodes.iter().map(|(inode, size)| load(*size, *inode)).collect();
            let jobs = plan(&loads);
            let mut planned: Vec<usize> = jobs.iter().flat_map(|j| j.members.clone()).collect();
            planned.sort_unstable();
            prop_assert_eq!(planned, (0..loads.len()).collect::<Vec<_>>());
            for job in &jobs {
                let file = loads[job.members[0]].file;
                prop_assert!(job.members.iter().all(|m| loads[*m].file == file));
            }
            for pair in jobs.windows(2) {
                prop_assert!(pair[0].size >= pair[1].size);
                prop_assert_ne!(loads[pair[0].members[0]].file, loads[pair[1].members[0]].file);
            }
        }
    }
}
