//! No matter which documents are found, in which order and how often: the trusted key, whose signatures are only in the seeds, has
//! signed one image and no other, under one name.

use std::sync::{Arc, LazyLock};

use verify_signatures::internals::digest::{Algorithms, Digests};
use verify_signatures::internals::image::evidence::{Evidence, Signed};
use verify_signatures::{Digest, Key};

/// What is between two documents.
const SEPARATOR: u8 = 0x1e;
/// The image that the trusted key has signed.
const IMAGE: &[u8] = b"image";
/// The name in its payloads.
const NAME: &str = "r.example/i";
/// An image that only other keys have signed.
const OTHER: &[u8] = b"other";

/// The public key of the private key whose bytes are all 1.
pub(crate) const TRUSTED: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEb/A7lJJBzh2t1DUZ5pYOCoW0Gmmg
XDKBA6orzhWUyhY8T3U6Vb8B3FP2wLDH7ueLQMb/fSWpbiKCuYnO9xwUSg==
-----END PUBLIC KEY-----
";

static KEYS: LazyLock<[Arc<Key>; 1]> = LazyLock::new(|| {
    let key = Key::parse("trusted", TRUSTED.as_bytes()).expect("a key");
    [Arc::new(key)]
});

/// Checks documents.
pub fn check(data: &[u8]) {
    is_signed(data);
}

/// Whether the trusted key has signed the image, on which every order agrees.
pub fn is_signed(data: &[u8]) -> bool {
    let documents: Vec<&[u8]> = data.split(|byte| *byte == SEPARATOR).collect();
    let forwards = evidence(documents.iter().copied());
    let twice = documents.iter().chain(&documents).rev().copied();
    let backwards = evidence(twice);
    for image in [IMAGE, OTHER] {
        let signed = |evidence: &Evidence| evidence.signed(&digests(image), &*KEYS);
        assert_eq!(signed(&forwards), signed(&backwards));
    }
    let other = forwards.signed(&digests(OTHER), &*KEYS);
    assert!(!matches!(other, Signed::By { .. }), "nobody signed it");
    match forwards.signed(&digests(IMAGE), &*KEYS) {
        Signed::By {
            verdict,
            references,
        } => {
            assert!(verdict.passes());
            assert!(references.iter().all(|name| name == NAME));
            true
        }
        _ => false,
    }
}

/// The digests of an image of which only SHA-256 is wanted.
fn digests(image: &[u8]) -> Digests {
    Digests::of(image, Algorithms::NONE)
}

fn evidence<'a>(documents: impl Iterator<Item = &'a [u8]>) -> Evidence {
    let mut evidence = Evidence::default();
    for document in documents {
        evidence.add(&Digest::of(document), document);
    }
    evidence
}
