//! Tests of divisions: over any survey and any number of shards, and over the sizes of real
//! mirrors.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;

use super::assignment::assign;
use super::*;
use crate::mirror::{Artifact, Metadata, State};
use crate::names::place::{Place, Roots};

/// An artifact of a generated survey.
#[derive(Clone, Debug)]
struct Made {
    name: u8,
    signature: Option<u8>,
    kind: u8,
    inode: u64,
    size: u64,
}

fn made() -> impl Strategy<Value = Made> {
    let names = (0_u8..20, prop::option::of(0_u8..3), 0_u8..6);
    let file = (
        0_u64..12,
        prop_oneof![0_u64..9, Just(u64::MAX), 1_u64 << 20..1 << 40],
    );
    (names, file).prop_map(|((name, signature, kind), (inode, size))| Made {
        name,
        signature,
        kind,
        inode,
        size,
    })
}

impl Made {
    fn artifact(&self, root: &str) -> Artifact {
        let path = format!("{root}/d{}/{}.zst", self.name % 3, self.name);
        let signature = || format!("{path}.{}.sig.bin", self.signature.unwrap_or(9)).into();
        let metadata = Metadata {
            size: self.size,
            device: 1,
            inode: self.inode,
        };
        let state = match self.kind {
            0 => State::DirectoryUnreadable(std::io::ErrorKind::PermissionDenied.into()),
            1 => State::Missing(signature()),
            2 => State::SavedImage(metadata),
            _ => State::Signed(signature(), metadata),
        };
        Artifact {
            data: path.into(),
            parts: Arc::default(),
            link: None,
            listing: None,
            read_as_list: None,
            unsigned_entry: None,
            state,
        }
    }
}

fn survey(made: &[Made], root: &str) -> Vec<Artifact> {
    made.iter().map(|made| made.artifact(root)).collect()
}

/// What tells artifacts apart: the path, the signature, the state.
fn names(artifacts: &[Artifact]) -> Vec<String> {
    artifacts
        .iter()
        .map(|artifact| format!("{artifact:?}"))
        .collect()
}

fn shares(made: &[Made], count: u32) -> Vec<(Division, Vec<Artifact>)> {
    let share = |index| {
        let mut artifacts = survey(made, "m");
        let shard = Shard::new(index, count).unwrap();
        (
            divide(&mut artifacts, &[PathBuf::from("m")], shard),
            artifacts,
        )
    };
    (1..=count).map(share).collect()
}

fn place(artifact: &Artifact) -> Place {
    let roots = [PathBuf::from("m")];
    Roots::new(&roots).place(&artifact.data.to_path_buf())
}

proptest! {
    #[test]
    fn every_artifact_is_in_exactly_one_share_in_the_order_of_the_survey(
        made in prop::collection::vec(made(), 0..60), count in 1_u32..12
    ) {
        let mut all = names(&survey(&made, "m"));
        let shares = shares(&made, count);
        for (division, artifacts) in &shares {
            let names = names(artifacts);
            let mut whole = survey(&made, "m").into_iter();
            let follows = |name: &String| whole.any(|artifact| format!("{artifact:?}") == *name);
            prop_assert!(names.iter().all(follows));
            prop_assert_eq!(division.share.artifacts, artifacts.len() as u64);
            prop_assert_eq!(division.survey.artifacts, made.len() as u64);
        }
        let mut together: Vec<String> = shares.iter().flat_map(|(_, share)| names(share)).collect();
        together.sort();
        all.sort();
        prop_assert_eq!(together, all);
    }

    #[test]
    fn all_signatures_of_a_file_and_all_its_names_are_in_one_share(
        made in prop::collection::vec(made(), 0..60), count in 1_u32..12
    ) {
        let (mut places, mut files) = (BTreeMap::new(), BTreeMap::new());
        // Of a file that is seen with two sizes, or of two files under one name, the name counts.
        let is_plain = |one: &Made| {
            let others = || made.iter().filter(|other| other.kind > 1);
            others().filter(|other| other.inode == one.inode).all(|other| other.size == one.size)
                && others().filter(|other| other.name == one.name).all(|other| other.inode == one.inode)
        };
        let plain: Vec<Made> = made.iter().filter(|one| is_plain(one)).cloned().collect();
        for (n, (_, artifacts)) in shares(&plain, count).iter().enumerate() {
            for artifact in artifacts {
                prop_assert_eq!(*places.entry(place(artifact)).or_insert(n), n);
                if let State::Signed(_, metadata) | State::SavedImage(metadata) = &artifact.state {
                    prop_assert_eq!(*files.entry(metadata.inode).or_insert(n), n);
                }
            }
        }
    }

    #[test]
    fn all_shards_agree_on_the_survey_and_their_records_prove_the_division(
        made in prop::collection::vec(made(), 0..40), count in 1_u32..8
    ) {
        let shares = shares(&made, count);
        let first = &shares[0].0;
        for (division, artifacts) in &shares {
            prop_assert_eq!(&division.survey, &first.survey);
            prop_assert_eq!(division.division, first.division);
            let mut places: Vec<Place> = artifacts.iter().map(place).collect();
            places.sort();
            places.dedup();
            prop_assert_eq!(fingerprint::of_share(&places), division.share.sha256);
        }
        let digests = shares.iter().map(|(division, _)| division.share.sha256);
        prop_assert_eq!(fingerprint::of_division(digests), first.division);
        let bytes = shares.iter().map(|(division, _)| division.share.bytes).fold(0, u64::saturating_add);
        prop_assert_eq!(bytes, first.survey.bytes);
    }

    #[test]
    fn neither_the_order_of_the_survey_nor_the_spelling_of_a_path_moves_anything(
        made in prop::collection::vec(made(), 0..40), count in 1_u32..8, index in 1_u32..8
    ) {
        let shard = Shard::new(index.min(count), count).unwrap();
        // A survey has each signature of a file once.
        let mut seen = BTreeSet::new();
        let made: Vec<Made> = made.into_iter().filter(|one| seen.insert((one.name, one.artifact("").signature().cloned()))).collect();
        let mut once = survey(&made, "m");
        let as_found = divide(&mut once, &["m".into()], shard);
        let mut again = survey(&made, "/srv/other");
        again.reverse();
        let elsewhere = divide(&mut again, &["/srv/other".into()], shard);
        prop_assert_eq!(as_found, elsewhere);
    }

    #[test]
    fn whatever_the_survey_has_else_its_digest_is_another(
        made in prop::collection::vec(made(), 1..30), at in any::<prop::sample::Index>(), kind in 0_usize..3
    ) {
        let digest = |made: &[Made]| shares(made, 1)[0].0.survey.sha256;
        let mut other = made.clone();
        let one = at.get_mut(&mut other);
        match kind {
            0 => one.name += 20,
            1 => (one.kind, one.size) = (3, one.size ^ 1 << 41),
            _ => drop(other.remove(at.index(made.len()))),
        }
        prop_assert_ne!(digest(&made), digest(&other));
    }
}

#[test]
fn a_shard_is_two_numbers_of_which_the_first_is_not_the_larger() {
    let shard = |index, count| Ok(Shard::new(index, count).unwrap());
    assert_eq!(Shard::parse("3/8"), shard(3, 8));
    assert_eq!(Shard::parse("8/8"), shard(8, 8));
    assert_eq!(Shard::parse_from_zero("0/8"), shard(1, 8));
    assert_eq!(Shard::parse_from_zero("7/8"), shard(8, 8));
    let index = |count, first, last| Err(ShardError::Index { count, first, last });
    assert_eq!(Shard::parse("0/8"), index(8, 1, 8));
    assert_eq!(Shard::parse("9/8"), index(8, 1, 8));
    assert_eq!(Shard::parse_from_zero("8/8"), index(8, 0, 7));
    assert_eq!(Shard::parse("99999999999/8"), index(8, 1, 8));
    assert_eq!(Shard::parse("8/0"), Err(ShardError::Count));
    assert_eq!(Shard::parse("1/99999999999"), Err(ShardError::Count));
    for text in [
        "", "/", "1/", "/8", "1", "+1/8", "1/8/9", " 1/8", "-1/8", "1/٨", "a/b",
    ] {
        assert_eq!(
            Shard::parse(text),
            Err(ShardError::NotTwoNumbers("3/8")),
            "{text}"
        );
    }
}

/// The sizes of mirrors, in MiB, each with how many files have it: bundles of an airgap installer
/// with its appliance images, a distribution's images, container images by the thousand.
const MIRRORS: [&[(u64, u64)]; 4] = [
    &[(22_000, 3), (9_300, 8), (2_150, 40), (410, 200), (38, 900)],
    &[(4_700, 60), (3_100, 120), (1_200, 300), (650, 900)],
    &[(900, 400), (240, 3_000), (60, 9_000), (4, 7_600)],
    &[(120_000, 1), (1, 20_000)],
];

#[test]
fn the_longest_share_is_within_a_twentieth_of_the_best_that_could_be() {
    for mirror in MIRRORS {
        // No two files have the same size.
        let sizes = mirror.iter().flat_map(|(size, count)| {
            (0..*count)
                .map(move |n| (size << 20) + (size << 20) / 7 * (n * 2_654_435_761 % 97) / 97)
        });
        let sizes: Vec<u64> = sizes.collect();
        for shards in [1, 2, 3, 8, 16, 64, 100, 256] {
            let mut loads = vec![0; shards as usize];
            for (size, shard) in sizes.iter().zip(assign(&sizes, shards)) {
                loads[shard as usize] += size;
            }
            let largest = sizes.iter().max().unwrap();
            let bound = (sizes.iter().sum::<u64>() / u64::from(shards)).max(*largest);
            let longest = loads.iter().max().unwrap();
            assert!(
                longest * 20 <= bound * 21,
                "{mirror:?} in {shards}: {longest} of {bound}"
            );
        }
    }
}
