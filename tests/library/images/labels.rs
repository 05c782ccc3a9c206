//! Names of images, which no image signature covers.

use serde_json::json;
use verify_signatures::internals::image::{ImageNote, Outer, Prefix};
use verify_signatures::{ImageFailure, Invalid, Unclaimed, Verdict};

use super::made::*;

#[test]
fn one_name_for_two_images_fails_both() {
    let mut source = Source::default();
    let (one, two) = (
        source.image("a", "linux/amd64", 1),
        source.image("b", "linux/amd64", 1),
    );
    for (image, name) in [
        (&one, "busybox"),
        (&two, "docker.io/library/busybox:latest"),
    ] {
        source.list(image, name).sign(image, VENDOR, name);
    }
    let twice = |other: &serde_json::Value| {
        Verdict::Image(ImageFailure::NameTwice(
            other["digest"].as_str().unwrap().into(),
        ))
    };
    let judgement = source.judged_by(&policy(), Outer::Valid);
    let expected = [
        (Some("busybox"), twice(&two)),
        (Some("docker.io/library/busybox:latest"), twice(&one)),
    ];
    assert_eq!(verdicts(&judgement), expected);
}

#[test]
fn one_image_with_two_names_is_told_and_one_listed_twice_is_one() {
    let mut source = Source::default();
    let image = source.image("a", "linux/amd64", 1);
    for name in ["r.example/b:1", "r.example/a:1", "r.example/a:1"] {
        source.list(&image, name);
    }
    source.sign(&image, VENDOR, "r.example/a");
    let judgement = source.judged_by(&policy(), Outer::Valid);
    let expected = [
        (Some("r.example/a:1"), valid()),
        (Some("r.example/b:1"), valid()),
    ];
    assert_eq!(verdicts(&judgement), expected);
    let names = vec!["r.example/a:1".into(), "r.example/b:1".into()];
    assert_eq!(judgement.notes, [ImageNote::SameDigest { names }]);
}

#[test]
fn a_name_that_differs_from_the_signatures_is_told_where_nothing_else_vouches_for_it() {
    let mut source = Source::default();
    let image = source.image("a", "linux/amd64", 1);
    source
        .list(&image, "r.example/new:2")
        .sign(&image, VENDOR, "r.example/old");
    let note = ImageNote::OtherRepository {
        image: "r.example/new:2".into(),
        signed_as: "r.example/old".into(),
    };
    assert_eq!(source.judged().notes, [note]);
    assert_eq!(source.judged_by(&policy(), Outer::Valid).notes, []);
    source.sign(&image, VENDOR, "r.example/new@sha256:0");
    let judgement = source.judged();
    assert_eq!(one(&judgement).verdict, valid());
}

#[test]
fn who_must_be_signed_depends_on_the_name_only_where_names_count() {
    let mut policy = policy();
    policy.signed_registries = vec![Prefix::parse("r.example/vendor").unwrap()];
    let verdict = |name: &str, outer, signer: Option<u8>| {
        let mut source = Source::default();
        let image = source.image("a", "linux/amd64", 1);
        source.list(&image, name);
        if let Some(key) = signer {
            source.sign(&image, key, name);
        }
        one(&source.judged_by(&policy, outer)).verdict.clone()
    };
    let unsigned = |allowed, why| Verdict::Unsigned { allowed, why };
    let (none, other) = (Unclaimed::NoSignature, Unclaimed::OtherSigner);
    let invalid = Verdict::Invalid(Invalid::NoKeyVerifies);
    for outer in [Outer::Valid, Outer::Accepted] {
        assert_eq!(
            verdict("r.example/vendor/x", outer, None),
            unsigned(false, none.clone())
        );
        assert_eq!(verdict("r.example/vendor/x", outer, Some(2)), invalid);
        assert_eq!(verdict("r.example/vendor/x", outer, Some(VENDOR)), valid());
        assert_eq!(
            verdict("r.example/other/x", outer, None),
            unsigned(true, none.clone())
        );
        assert_eq!(
            verdict("r.example/other/x", outer, Some(2)),
            unsigned(true, other.clone())
        );
        assert_eq!(verdict("", outer, None), unsigned(true, none.clone()));
    }
    for name in ["r.example/vendor/x", "r.example/other/x", ""] {
        assert_eq!(
            verdict(name, Outer::NotValid, None),
            unsigned(false, none.clone())
        );
        assert_eq!(verdict(name, Outer::NotValid, Some(2)), invalid);
        assert_eq!(verdict(name, Outer::NotValid, Some(VENDOR)), valid());
    }
}

#[test]
fn images_come_in_the_order_of_their_names_and_those_without_first() {
    let mut source = Source::default();
    for name in ["r/b", "", "r/a"] {
        let image = source.image(name, "linux/amd64", 1);
        source.list(&image, name);
    }
    let judgement = source.judged();
    let names: Vec<_> = verdicts(&judgement)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, [None, Some("r/a"), Some("r/b")]);
}

/// Returns the verdicts in a valid bundle whose images of `us.example/pal` must be signed.
fn in_valid_bundle(source: &Source) -> Vec<bool> {
    let mut policy = policy();
    policy.signed_registries = vec![Prefix::parse("us.example/pal").unwrap()];
    let judgement = source.judged_by(&policy, Outer::Valid);
    let images = judgement.images.iter();
    images.map(|judged| judged.verdict.passes()).collect()
}

#[test]
fn an_image_must_be_signed_if_any_of_its_labels_says_so() {
    const REF_NAME: &str = "org.opencontainers.image.ref.name";
    const BASE: &str = "org.opencontainers.image.base.name";
    for (label, name, passes) in [
        (REF_NAME, "us.example/pal/app:1", false),
        (BASE, "us.example/pal/app:1", false),
        (BASE, "us.example/other/app:1", true),
    ] {
        let mut source = Source::default();
        let mut image = source.image("a", "linux/amd64", 1);
        image["annotations"] = json!({CONTAINERD: "quay.io/hide/it:1", label: name});
        source.entries.push(image.clone());
        assert_eq!(in_valid_bundle(&source), [passes], "{label} {name}");
        source.sign(&image, VENDOR, name);
        assert_eq!(in_valid_bundle(&source), [true]);
    }
}

#[test]
fn a_name_on_any_label_of_two_images_is_ambiguous() {
    let mut source = Source::default();
    let mut one = source.image("a", "linux/amd64", 1);
    let two = source.image("b", "linux/amd64", 1);
    one["annotations"] = json!({
        CONTAINERD: "quay.io/hide/it:1",
        "org.opencontainers.image.ref.name": "r.example/app:1",
    });
    source.entries.push(one.clone());
    source.list(&two, "r.example/app:1");
    let twice = |other: &serde_json::Value| {
        Verdict::Image(ImageFailure::NameTwice(
            other["digest"].as_str().unwrap().into(),
        ))
    };
    let expected = [
        (Some("quay.io/hide/it:1"), twice(&two)),
        (Some("r.example/app:1"), twice(&one)),
    ];
    let judgement = source.judged_by(&policy(), Outer::Valid);
    assert_eq!(verdicts(&judgement), expected);
}

#[test]
fn a_name_that_programs_may_read_differently_exempts_no_image() {
    for name in [
        "us.example:443/pal/app:1",
        "us.example./pal/app:1",
        "us.example//pal/app:1",
        "us.example/./pal/app:1",
        "us.example/x/../pal/app:1",
        " us.example/pal/app:1",
        "docker://us.example/pal/app:1",
        "https://us.example/pal/app:1",
        "us.example/%70al/app:1",
        "us.еxample/pal/app:1",
        "US.example/pal/app:1",
        "us.example/Pal/app:1",
    ] {
        let mut source = Source::default();
        let image = source.image("a", "linux/amd64", 1);
        source.list(&image, name);
        assert_eq!(in_valid_bundle(&source), [false], "{name}");
        let without_policy = source.judged_by(&policy(), Outer::Valid);
        assert!(one(&without_policy).verdict.passes());
    }
}
