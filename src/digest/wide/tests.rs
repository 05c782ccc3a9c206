//! Tests of the wider hashes.

use super::*;
use proptest::prelude::*;
// The measure, also of a validated module.
use sha2::{Sha384, Sha512};

fn both() -> Wanted {
    Algorithms::from(Algorithm::Sha384)
        .union(Algorithm::Sha512.into())
        .into()
}

#[test]
fn the_digests_of_abc_are_those_of_nist() {
    let digests = Digests::of(b"abc", both());
    for (algorithm, digest) in [
        (
            Algorithm::Sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            Algorithm::Sha384,
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
             8086072ba1e7cc2358baeca134c825a7",
        ),
        (
            Algorithm::Sha512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
    ] {
        let computed = digests.get(algorithm).unwrap();
        let hex: String = computed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, digest);
        assert_eq!(computed.len(), algorithm.bytes());
        assert_eq!(Algorithm::named(algorithm.name()), Some(algorithm));
    }
    assert_eq!(digests.sha256(), &Digest::of(b"abc"));
}

#[test]
fn what_nobody_wants_is_not_computed() {
    assert!(Wide::begin(Wanted::default()).is_none());
    assert!(Wide::begin(Algorithms::from(Algorithm::Sha256).into()).is_none());
    let digests = Digests::of(b"abc", Algorithms::NONE);
    assert_eq!(digests.sha256(), &Digest::of(b"abc"));
    assert_eq!(digests.get(Algorithm::Sha384), None);
    assert_eq!(digests.get(Algorithm::Sha512), None);
    assert_eq!(digests.behind(&[0; 64]), None);
    let one = Digests::of(b"abc", Algorithms::from(Algorithm::Sha512));
    assert_eq!(one.get(Algorithm::Sha384), None);
    assert!(one.get(Algorithm::Sha512).is_some());
}

#[test]
fn what_several_want_is_computed_once() {
    let mut wanted = Wanted::default();
    assert!(wanted.is_empty());
    wanted.add_behind([1; 64]);
    wanted.add(both());
    wanted.add_behind([1; 64]);
    wanted.add(wanted.clone());
    assert_eq!(wanted.prefixes, [[1; 64]].into());
    assert_eq!(Wanted::from(wanted.algorithms), both());
    assert!(!wanted.is_empty());
}

#[test]
fn no_number_of_signatures_makes_a_file_cost_more_than_so_many_passes() {
    let mut wanted = Wanted::default();
    (0..100).for_each(|number| wanted.add_behind([number; 64]));
    let mut other = Wanted::default();
    other.add_behind([200; 64]);
    wanted.add(other);
    assert_eq!(wanted.prefixes.len(), MOST_PREFIXES);
    let digests = Digests::of(b"abc", wanted);
    assert!(digests.behind(&[0; 64]).is_some());
    assert_eq!(digests.behind(&[99; 64]), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn a_content_in_pieces_has_the_digests_of_the_whole(
        content in prop::collection::vec(any::<u8>(), 0..50_000), cut in 0_usize..50_000,
        prefix in any::<[u8; 32]>()
    ) {
        let prefix: Prefix = std::array::from_fn(|at| prefix[at / 2]);
        let mut wanted = both();
        wanted.add_behind(prefix);
        let (begin, rest) = content.split_at(cut.min(content.len()));
        let mut wide = Wide::begin(wanted.clone()).unwrap();
        wide.update(begin);
        wide.update(rest);
        let digests = Digests::new(Lane::new().end(&content), Some(wide));
        prop_assert_eq!(&digests, &Digests::of(&content, wanted));
        let sha384: [u8; 48] = Sha384::digest(&content).into();
        prop_assert_eq!(digests.get(Algorithm::Sha384), Some(&sha384[..]));
        let sha512: [u8; 64] = Sha512::digest([&prefix[..], &content].concat()).into();
        prop_assert_eq!(digests.behind(&prefix), Some(&sha512));
        prop_assert_eq!(digests.behind(&[0x5a; 64]), None);
    }
}
