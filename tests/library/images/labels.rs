//! Names of images, which no image signature covers.

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
