//! No change to a whole image leaves it as good as it was.

use proptest::prelude::*;
use proptest::sample::Index;
use verify_signatures::internals::image::{Outer, Policy, Wanted};

use super::made::*;

/// Something that is done to members.
#[derive(Clone, Debug)]
enum Harm {
    Remove(Index),
    Truncate(Index, Index),
    Extend(Index),
    Flip(Index, Index, u8),
    Swap(Index, Index),
}

fn harm() -> impl Strategy<Value = Harm> {
    let index = any::<Index>;
    prop_oneof![
        index().prop_map(Harm::Remove),
        (index(), index()).prop_map(|(member, length)| Harm::Truncate(member, length)),
        index().prop_map(Harm::Extend),
        (index(), index(), 0_u8..8).prop_map(|(member, byte, bit)| Harm::Flip(member, byte, bit)),
        (index(), index()).prop_map(|(one, other)| Harm::Swap(one, other)),
    ]
}

impl Harm {
    fn is_done(&self, source: &mut Source) -> bool {
        let members = &mut source.members;
        let count = members.len();
        match self {
            Harm::Remove(at) => _ = members.remove(at.index(count)),
            Harm::Truncate(at, length) => {
                let content = &mut members[at.index(count)].1;
                if content.is_empty() {
                    return false;
                }
                content.truncate(length.index(content.len()));
            }
            Harm::Extend(at) => members[at.index(count)].1.push(b'x'),
            Harm::Flip(at, byte, bit) => {
                let content = &mut members[at.index(count)].1;
                if content.is_empty() {
                    return false;
                }
                let byte = byte.index(content.len());
                content[byte] ^= 1 << bit;
            }
            Harm::Swap(one, other) => {
                let (one, other) = (one.index(count), other.index(count));
                if one == other {
                    return false;
                }
                let content = members[one].1.clone();
                members[one].1 = std::mem::replace(&mut members[other].1, content);
            }
        }
        true
    }
}

/// An image that is whole: signed or not, with one platform or two, as a layout or as an archive.
fn whole(seed: u8, is_multi: bool, is_archive: bool, layers: usize) -> Source {
    let mut source = Source::default();
    let seed = seed.to_string();
    if is_archive {
        let contents: Vec<String> = (0..layers).map(|layer| format!("{seed} {layer}")).collect();
        let diff_ids: Vec<String> = contents.iter().map(id).collect();
        let paths: Vec<String> = (0..layers)
            .map(|layer| format!("{layer}/layer.tar"))
            .collect();
        let list = serde_json::json!([{"Config": "c", "RepoTags": ["a:1"], "Layers": paths}]);
        source.file("manifest.json", list.to_string());
        let config = config("linux/amd64", &diff_ids);
        let layers: Vec<_> = contents
            .iter()
            .map(|layer| descriptor(LAYER, layer))
            .collect();
        let document = serde_json::json!({"config": descriptor(CONFIG, &config), "layers": layers});
        let manifest = source.blob(MANIFEST, document.to_string());
        source.sign(&manifest, VENDOR, "a");
        source.file("c", config);
        paths
            .iter()
            .zip(&contents)
            .for_each(|(path, layer)| _ = source.file(path, layer));
        return source;
    }
    let image = match is_multi {
        true => source.multi(&seed),
        false => source.image(&seed, "linux/amd64", layers),
    };
    source.list(&image, "a:1").sign(&image, VENDOR, "a");
    source.all()
}

/// Reports whether all that the source holds passes, with the image in it under its name.
fn stays(source: &Source, policy: &Policy, outer: Outer) -> bool {
    let judgement = source.judged_by(policy, outer);
    let passes = judgement
        .images
        .iter()
        .all(|judged| judged.verdict.passes());
    let is_named = |judged: &verify_signatures::internals::image::Judged| {
        judged.image.name.as_deref() == Some("a:1")
    };
    judgement.failures.is_empty() && passes && judgement.images.iter().any(is_named)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn an_image_that_was_harmed_does_not_stay_signed(
        seed: u8, is_multi: bool, is_archive: bool, layers in 1_usize..4,
        harms in proptest::collection::vec(harm(), 1..3),
    ) {
        let whole = whole(seed, is_multi, is_archive, layers);
        let mut policy = policy();
        policy.platforms = vec![Wanted::parse("linux/amd64").unwrap()];
        if is_multi && !is_archive {
            policy.platforms.push(Wanted::parse("linux/arm64").unwrap());
        }
        prop_assert!(stays(&whole, &policy, Outer::NotValid));
        let mut harmed = whole.clone();
        let mut done = true;
        harms.iter().for_each(|harm| done &= harm.is_done(&mut harmed));
        // Without its marker, a layout is still one, and read as one; in it and in a list of
        // members, some bytes mean nothing.
        let of_meaning = |source: &Source| {
            let mut members = source.members.clone();
            members.retain(|(path, _)| path != "oci-layout");
            members.sort();
            members
        };
        prop_assume!(done && of_meaning(&whole) != of_meaning(&harmed));
        if stays(&harmed, &policy, Outer::NotValid) {
            // A list is not signed: what it lists is the same, or it would not pass.
            let signed = |source: &Source| {
                let mut members = source.members.clone();
                members.retain(|(path, _)| !["index.json", "manifest.json", "oci-layout"].contains(&&**path));
                members.sort();
                members
            };
            prop_assert_eq!(signed(&whole), signed(&harmed));
        }
    }

    #[test]
    fn order_and_directory_of_members_mean_nothing(
        seed: u8, is_multi: bool, is_archive: bool, turn: Index, prefix in "[a-z]{1,3}(/[a-z]{1,3})?",
    ) {
        let whole = whole(seed, is_multi, is_archive, 2);
        let mut other = whole.clone();
        let middle = turn.index(other.members.len());
        other.members.rotate_left(middle);
        other.members.swap(0, middle);
        other.members.iter_mut().for_each(|(path, _)| path.insert_str(0, &format!("{prefix}/")));
        prop_assert_eq!(whole.judged(), other.judged());
    }
}
