//! Platforms: whole, absent, broken, and asked for.

use serde_json::json;
use verify_signatures::internals::image::{Contents, Judged, Outer, Wanted};
use verify_signatures::{ImageFailure, Platform, Verdict};

use super::made::*;

fn signed() -> Source {
    let mut source = Source::default();
    let index = source.multi("a");
    source
        .list(&index, "r.example/a")
        .sign(&index, VENDOR, "r.example/a");
    source
}

fn platform(name: &str, is_whole: bool) -> Platform {
    let name = name.into();
    Platform { name, is_whole }
}

/// Returns the path of the manifest of a platform of [`signed`], and that of its configuration.
fn paths(seed: &str, name: &str) -> (String, String) {
    let mut other = Source::default();
    let manifest = other.image(seed, name, 2);
    (path_of(&manifest), other.members[0].0.clone())
}

#[test]
fn a_platform_without_its_manifest_or_configuration_is_absent_and_the_rest_passes() {
    let (manifest, config) = paths("a arm", "linux/arm64");
    for path in [manifest, config] {
        let mut source = signed();
        source.remove(&path);
        let judgement = source.judged();
        let judged = one(&judgement);
        assert_eq!(judged.verdict, valid());
        let expected = [
            platform("linux/amd64", true),
            platform("linux/arm64", false),
        ];
        assert_eq!(*judged.image.platforms, expected);
    }
}

#[test]
fn a_platform_that_lacks_a_layer_is_broken() {
    let mut source = signed();
    source.remove(&blob_path("a arm layer 1"));
    let missing = ImageFailure::BlobMissing(id("a arm layer 1").into());
    assert_eq!(source.verdict(), Verdict::Image(missing));
}

#[test]
fn one_platform_must_be_whole() {
    let mut source = signed();
    source.remove(&paths("a arm", "linux/arm64").0);
    source.remove(&paths("a amd", "linux/amd64").1);
    assert_eq!(source.verdict(), Verdict::Image(ImageFailure::NoPlatform));
}

#[test]
fn an_attestation_is_no_platform_and_must_be_whole_if_it_is_here() {
    let mut source = Source::default();
    let absent = of_platform(descriptor(MANIFEST, "not here"), "linux/amd64");
    let config = source.blob(CONFIG, config("unknown/unknown", &[]));
    let payload = source.blob("application/vnd.in-toto+json", r#"{"_type":"x"}"#);
    let attestation = source.manifest(&config, std::slice::from_ref(&payload));
    let attestation = of_platform(attestation, "unknown/unknown");
    let index = source.index(&[absent, attestation.clone()]);
    source.list(&index, "").sign(&index, VENDOR, "r");
    assert_eq!(source.verdict(), Verdict::Image(ImageFailure::NoPlatform));

    let mut source = source.clone();
    let image = source.image("b", "linux/amd64", 1);
    let index = source.index(&[of_platform(image, "linux/amd64"), attestation]);
    source.entries.clear();
    source.list(&index, "").sign(&index, VENDOR, "r");
    let judgement = source.judged();
    assert_eq!(one(&judgement).verdict, valid());
    assert_eq!(
        *one(&judgement).image.platforms,
        [platform("linux/amd64", true)]
    );
    source.remove(&path_of(&payload));
    let missing = ImageFailure::BlobMissing(id(r#"{"_type":"x"}"#).into());
    assert_eq!(source.verdict(), Verdict::Image(missing));
}

fn wanting(platforms: &[&str], source: &Source) -> Verdict {
    let mut policy = policy();
    policy.platforms = platforms
        .iter()
        .map(|text| Wanted::parse(text).unwrap())
        .collect();
    one(&source.judged_by(&policy, Outer::NotValid))
        .verdict
        .clone()
}

#[test]
fn a_platform_that_is_asked_for_must_be_whole() {
    let mut source = signed();
    assert_eq!(
        wanting(&["linux/arm64/v8", "linux/x86_64"], &source),
        valid()
    );
    let missing = |name: &str| Verdict::Image(ImageFailure::PlatformMissing(name.into()));
    assert_eq!(
        wanting(&["linux/amd64", "linux/arm"], &source),
        missing("linux/arm")
    );
    source.remove(&paths("a arm", "linux/arm64").0);
    assert_eq!(wanting(&["linux/arm64"], &source), missing("linux/arm64"));
    assert_eq!(wanting(&["linux/amd64"], &source), valid());
}

#[test]
fn an_image_that_runs_must_have_the_platform_and_a_chart_need_not() {
    let mut source = Source::default();
    let image = source.image("a", "linux/amd64", 1);
    source.list(&image, "").sign(&image, VENDOR, "r");
    let missing = Verdict::Image(ImageFailure::PlatformMissing("linux/arm64".into()));
    assert_eq!(wanting(&["linux/arm64"], &source), missing);
    assert_eq!(wanting(&["linux/amd64"], &source), valid());

    let mut source = Source::default();
    let config = source.blob(
        "application/vnd.cncf.helm.config.v1+json",
        r#"{"name":"c"}"#,
    );
    let chart = source.blob(
        "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
        "chart",
    );
    let chart = source.manifest(&config, &[chart]);
    source.list(&chart, "").sign(&chart, VENDOR, "r");
    assert_eq!(wanting(&["linux/arm64"], &source), valid());

    // A configuration without a platform is still that of an image.
    let mut source = Source::default();
    let config = source.blob(CONFIG, "{}");
    let layer = source.blob(LAYER, "layer");
    let image = source.manifest(&config, &[layer]);
    source.list(&image, "").sign(&image, VENDOR, "r");
    assert_eq!(wanting(&["linux/arm64"], &source), missing);
}

#[test]
fn a_signed_index_that_was_dropped_can_be_brought_along() {
    let mut source = Source::default();
    let index = source.multi("a");
    let amd = source.image("a amd", "linux/amd64", 2);
    let text = source
        .members
        .iter()
        .find(|(path, _)| *path == path_of(&index))
        .unwrap()
        .1
        .clone();
    source.remove(&path_of(&index));
    source
        .list(&amd, "r.example/a")
        .sign(&index, VENDOR, "r.example/a");
    let unsigned = source.verdict();
    assert_eq!(unsigned.reason().name(), "no-signature-file");
    assert!(!unsigned.passes());
    let mut outside = Contents::default();
    assert!(outside.bring(&text));
    let judged = |outside: &Contents| {
        let judgement = source.judged_with(outside, &policy(), Outer::NotValid);
        one(&judgement).verdict.clone()
    };
    assert_eq!(judged(&outside), valid());
    // An index of other images does not vouch for this one.
    let mut outside = Contents::default();
    assert!(outside.bring(json!({"manifests": []}).to_string().as_bytes()));
    assert!(!judged(&outside).passes());
    assert!(!outside.bring(b"anything else"));
}

#[test]
fn a_platform_with_a_very_long_name_is_malformed() {
    for (length, is_read) in [(122, true), (123, false)] {
        let mut source = Source::default();
        let image = source.image("a", &format!("linux/{}", "x".repeat(length)), 1);
        source.list(&image, "").sign(&image, VENDOR, "r");
        let config = source.members[0].0.replace("blobs/sha256/", "sha256:");
        let why = "a platform's name is longer than 128 bytes".into();
        let document = config.into();
        let malformed = Verdict::Image(ImageFailure::Malformed { document, why });
        assert_eq!(source.verdict(), if is_read { valid() } else { malformed });
    }
}

#[test]
fn an_image_with_many_platforms_under_many_names_is_not_told_under_all_of_them() {
    let mut source = Source::default();
    let image = source.image("a", "linux/amd64", 1);
    let named = |number: usize| {
        let name = format!("linux/{number}{}", "x".repeat(100));
        of_platform(image.clone(), &name)
    };
    let children: Vec<_> = (0..3000).map(named).collect();
    let index = source.index(&children);
    (0..600).for_each(|number| _ = source.list(&index, &format!("r.example/{number}")));
    let judgement = source.judged_by(&policy(), Outer::Valid);
    assert_eq!(judgement.images.len(), 600);
    let platforms = |judged: &Judged| judged.image.platforms.len();
    let told: usize = judgement.images.iter().map(platforms).sum();
    assert!((3000..4_000_000 / 6).contains(&told), "{told}");
    for judged in &judgement.images {
        assert_eq!(judged.verdict.passes(), platforms(judged) == 3000);
    }
    // What is told under several names is in memory once.
    let [first, second] = [0, 1].map(|place| &judgement.images[place].image.platforms);
    assert!(std::sync::Arc::ptr_eq(first, second));
}
