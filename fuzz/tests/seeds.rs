//! Every target over its seeds, once, without a fuzzer.

use std::fs;
use std::path::Path;

use verify_signatures::Key;
use verify_signatures::internals::bundle;
use verify_signatures::internals::checksums::List;
use verify_signatures::internals::image::Outer;
use verify_signatures::internals::trust::signature::Signature;
use verify_signatures_fuzz::{
    envelope, escape, image_signatures, images, key, list, pairing, signature, tar, verify,
};

/// A target's seeds, by their names.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("seeds")
        .join(target);
    let files = fs::read_dir(directory).expect("a target has seeds");
    let seeds: Vec<_> = files
        .map(|file| {
            let file = file.expect("a seed can be read");
            let name = file.file_name().to_string_lossy().into_owned();
            (name, fs::read(file.path()).expect("a seed can be read"))
        })
        .collect();
    assert!(seeds.len() > 5, "{target} has seeds");
    seeds
}

/// Whether a seed is what its kind should be, as its name begins with.
fn is_good(name: &str) -> bool {
    let good = name.starts_with("good-");
    assert!(good || name.starts_with("bad-"), "{name}");
    good
}

#[test]
fn every_seed_of_a_signature_holds_and_is_taken_if_it_is_good() {
    for (name, seed) in seeds("signature") {
        signature::check(&seed);
        assert_eq!(Signature::parse(&seed).is_ok(), is_good(&name), "{name}");
    }
}

#[test]
fn every_seed_of_a_key_holds_and_is_taken_if_it_is_good() {
    for (name, seed) in seeds("key") {
        key::check(&seed);
        assert_eq!(Key::parse("key", &seed).is_ok(), is_good(&name), "{name}");
    }
}

#[test]
fn every_seed_of_a_key_with_its_signature_holds_and_is_valid_if_it_is_good() {
    for (name, seed) in seeds("verify") {
        assert_eq!(verify::verdict(&seed), Some(is_good(&name)), "{name}");
    }
}

#[test]
fn every_seed_of_a_signature_file_holds_and_is_valid_if_it_is_good() {
    for (name, seed) in seeds("envelope") {
        assert_eq!(envelope::is_valid(&seed), is_good(&name), "{name}");
    }
}

#[test]
fn every_seed_of_an_images_signature_holds_and_is_the_trusted_keys_if_it_is_good() {
    for (name, seed) in seeds("image_signatures") {
        let is_signed = image_signatures::is_signed(&seed);
        assert_eq!(is_signed, is_good(&name), "{name}");
    }
}

#[test]
fn every_seed_of_a_list_holds_and_is_one_if_it_is_good() {
    for (name, seed) in seeds("list") {
        list::check(&seed);
        assert_eq!(List::parse(&seed).is_ok(), is_good(&name), "{name}");
    }
}

#[test]
fn every_seed_of_an_archive_holds_and_is_one_if_it_is_good() {
    for (name, seed) in seeds("tar") {
        tar::check(&seed);
        let is_archive = matches!(bundle::list(&seed), Ok(Some(_)));
        assert_eq!(is_archive, is_good(&name), "{name}");
    }
}

#[test]
fn every_seed_of_a_directory_holds() {
    for (_, seed) in seeds("pairing") {
        pairing::check(&seed);
    }
}

#[test]
fn every_seed_of_a_source_of_images_holds_and_passes_if_it_is_good() {
    for (name, seed) in seeds("image_documents") {
        images::check(&seed);
        let judgement = images::judged(&images::members(&seed), Outer::Valid);
        let passes = judgement.failures.is_empty()
            && judgement
                .images
                .iter()
                .all(|judged| judged.verdict.passes());
        // What is attached to an image, and no recognised signature, is an image, too.
        assert!(!judgement.images.is_empty() || !passes, "{name}");
        assert_eq!(passes, is_good(&name), "{name}: {judgement:?}");
    }
}

#[test]
fn every_seed_of_a_name_holds() {
    for (_, seed) in seeds("escape") {
        escape::check(&seed);
    }
}
