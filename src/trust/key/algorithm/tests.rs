//! Tests of the algorithms.

use std::sync::Arc;

use ::p256::pkcs8::EncodePublicKey;
use ed25519_dalek::Signer;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use proptest::prelude::*;

use crate::digest::{Algorithm, Algorithms, Digests, Wanted};
use crate::trust::judge;
use crate::trust::key::{Key, KeyError, OwnDigest};
use crate::trust::signature::{Signature, SignatureError};
use crate::trust::verdict::Verdict;

/// Number of the algorithms that sign here. A validated module verifies no Ed25519.
const ALGORITHMS: usize = if cfg!(feature = "fips") { 3 } else { 5 };

/// The AlgorithmIdentifiers of the larger curves (RFC 5480, 2.1.1).
const P384: &[u8] = b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22";
const P521: &[u8] = b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23";

/// An Ed25519 key as a SubjectPublicKeyInfo (RFC 8410, 4).
fn ed25519_der(key: &[u8]) -> Vec<u8> {
    let head = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
    [&head[..], key].concat()
}

fn ed25519(secret: u8) -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[secret; 32])
}

/// Returns a key and its signature over a message. The last algorithm is Ed25519ph.
fn made(algorithm: usize, secret: u8, message: &[u8]) -> (Arc<Key>, Vec<u8>) {
    let digests = Digests::of(message, Algorithm::Sha512);
    let sha512 = digests.get(Algorithm::Sha512).unwrap();
    let (der, signature, digest) = match algorithm {
        0 => {
            let key = ::p256::ecdsa::SigningKey::from_slice(&[secret; 32]).unwrap();
            let sha256 = digests.sha256().as_bytes();
            let made: ::p256::ecdsa::Signature = key.sign_prehash(sha256).unwrap();
            let der = key.verifying_key().to_public_key_der().unwrap().into_vec();
            (der, made.to_der().as_bytes().to_vec(), Algorithm::Sha256)
        }
        1 => {
            let key = ::p384::ecdsa::SigningKey::from_slice(&[secret; 48]).unwrap();
            let made: ::p384::ecdsa::Signature = key.sign_prehash(sha512).unwrap();
            let point = key.verifying_key().to_sec1_point(false);
            let head = [&[0x30, 0x76][..], P384, &[3, 0x62, 0]].concat();
            let der = [&head[..], point.as_bytes()].concat();
            (der, made.to_der().as_bytes().to_vec(), Algorithm::Sha512)
        }
        2 => {
            let key = [&[0, 0][..], &[secret; 64]].concat();
            let key = ::p521::ecdsa::SigningKey::from_slice(&key).unwrap();
            let made: ::p521::ecdsa::Signature = key.sign_prehash(sha512).unwrap();
            let point = key.verifying_key().to_sec1_point(false);
            let head = [&[0x30, 0x81, 0x9b][..], P521, &[3, 0x81, 0x86, 0]].concat();
            let der = [&head[..], point.as_bytes()].concat();
            (der, made.to_der().as_bytes().to_vec(), Algorithm::Sha512)
        }
        3 => {
            let key = ed25519(secret);
            let der = ed25519_der(key.verifying_key().as_bytes());
            (
                der,
                key.sign(message).to_bytes().to_vec(),
                Algorithm::Sha256,
            )
        }
        _ => {
            let key = ed25519(secret);
            let hash = <sha2::Sha512 as sha2::Digest>::new_with_prefix(message);
            let made = key.sign_prehashed(hash, None).unwrap();
            let der = ed25519_der(key.verifying_key().as_bytes());
            (der, made.to_bytes().to_vec(), Algorithm::Sha256)
        }
    };
    let key = Key::parse("k", &der).unwrap();
    let key = if key.leaves_digest_open() {
        key.with_digest(digest).unwrap()
    } else {
        key
    };
    (Arc::new(key), signature)
}

/// Judges as a run does: with what the keys want of the content.
fn judged(keys: &[Arc<Key>], message: &[u8], signature: &[u8]) -> Result<Verdict, SignatureError> {
    let signature = Signature::of_keys(signature, keys)?;
    let mut wanted = Wanted::default();
    keys.iter()
        .for_each(|key| wanted.add(key.wants(&signature)));
    Ok(judge(keys, &Digests::of(message, wanted), &signature))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_signature_is_valid_exactly_if_one_of_the_trusted_keys_made_it_over_the_content(
        by in 0..ALGORITHMS, trusted in prop::collection::vec((0..ALGORITHMS, 1_u8..3), 0..5),
        message in prop::collection::vec(any::<u8>(), 0..300), is_other in any::<bool>(),
    ) {
        let (maker, signature) = made(by, 1, &message);
        let keys = trusted.iter().map(|(algorithm, secret)| made(*algorithm, *secret, b"").0);
        let keys: Vec<Arc<Key>> = keys.collect();
        let content = if is_other { [&message[..], &[0]].concat() } else { message };
        let passes = judged(&keys, &content, &signature).is_ok_and(|verdict| verdict.passes());
        let is_trusted = keys.iter().any(|key| key.fingerprint() == maker.fingerprint());
        prop_assert_eq!(passes, is_trusted && !is_other);
    }

    #[test]
    fn a_signature_with_a_flipped_bit_is_not_valid(
        by in 0..ALGORITHMS, at in any::<prop::sample::Index>(), bit in 0..8_u32
    ) {
        let (key, mut signature) = made(by, 1, b"message");
        let at = at.index(signature.len());
        signature[at] ^= 1 << bit;
        let verdict = judged(&[key], b"message", &signature);
        prop_assert!(!verdict.is_ok_and(|verdict| verdict.passes()));
    }
}

#[test]
fn a_digest_that_was_not_computed_verifies_nothing() {
    for algorithm in 0..ALGORITHMS {
        let (key, signature) = made(algorithm, 1, b"message");
        let keys = [key];
        let signature = Signature::of_keys(&signature, &keys).unwrap();
        let plain = judge(
            &keys,
            &Digests::of(b"message", Algorithms::NONE),
            &signature,
        );
        assert_eq!(plain.passes(), algorithm == 0);
    }
}

#[test]
fn a_malformed_signature_is_described_as_one_of_p256_only_among_such_keys() {
    let keys = |algorithms: &[usize]| -> Vec<Arc<Key>> {
        let keys = algorithms
            .iter()
            .map(|algorithm| made(*algorithm, 1, b"").0);
        keys.collect()
    };
    for (bytes, alone) in [
        (&[][..], SignatureError::Empty),
        (&[1; 64], SignatureError::NotDer),
        (&[1; 73], SignatureError::TooLong),
    ] {
        for p256 in [&[][..], &[0], &[0, 0]] {
            assert_eq!(Signature::of_keys(bytes, &keys(p256)), Err(alone));
        }
        let among = match bytes {
            [] => SignatureError::Empty,
            _ => SignatureError::OtherAlgorithm,
        };
        assert_eq!(Signature::of_keys(bytes, &keys(&[0, 1, 2])), Err(among));
    }
    let p256 = made(0, 1, b"").1;
    let error = Err(SignatureError::OtherAlgorithm);
    if ALGORITHMS > 3 {
        assert!(Signature::of_keys(&[1; 64], &keys(&[0, 3])).is_ok());
        assert_eq!(Signature::of_keys(&p256, &keys(&[3])), error);
    }
    // The numbers of a curve are in the range of a larger one.
    assert!(Signature::of_keys(&p256, &keys(&[1])).is_ok());
    let junk = [&p256[..], b"\n"].concat();
    assert_eq!(Signature::of_keys(&junk, &keys(&[0, 1])), error);
}

#[test]
fn a_key_settles_its_hash_or_leaves_it_open() {
    let own = |algorithm, digest| {
        let (key, _) = made(algorithm, 1, b"");
        Arc::into_inner(key).unwrap().with_digest(digest)
    };
    for digest in Algorithm::ALL {
        let is_sha256 = digest == Algorithm::Sha256;
        assert_eq!(own(0, digest).is_ok(), is_sha256);
        assert_eq!(own(1, digest).unwrap().digest(), Some(digest));
        assert_eq!(own(2, digest).unwrap().digest(), Some(digest));
        if ALGORITHMS > 3 {
            assert_eq!(own(3, digest), Err(OwnDigest));
        }
    }
}

#[cfg(feature = "fips")]
#[test]
fn a_key_that_the_module_does_not_verify_by_is_refused() {
    let parsed = Key::parse("k", &ed25519_der(ed25519(1).verifying_key().as_bytes()));
    assert_eq!(parsed, Err(KeyError::NotInModule("ed25519".to_owned())));
}

#[cfg(not(feature = "fips"))]
#[test]
fn a_key_of_ed25519_that_is_none_or_of_small_order_is_refused() {
    let parsed = |key: &[u8]| Key::parse("k", &ed25519_der(key)).map(|key| key.algorithm());
    let usual = ed25519(1).verifying_key().to_bytes();
    assert_eq!(parsed(&usual), Ok("ed25519".to_owned()));
    let refused = Err(KeyError::NotOnCurve("Ed25519"));
    let (mut one, mut above, mut two) = ([0; 32], [0xff; 32], [0; 32]);
    (one[0], two[0]) = (1, 2);
    // p + 1, another name of 1; and 2, which is the coordinate of no point.
    (above[0], above[31]) = (0xee, 0x7f);
    for key in [[0; 32], one, above, two] {
        assert_eq!(parsed(&key), refused, "{key:?}");
    }
    assert_eq!(
        Key::parse("k", &ed25519_der(&usual[1..])),
        Err(KeyError::NotAKey)
    );
}

#[test]
fn an_rsa_key_has_its_size_its_parameters_and_an_exponent() {
    let der = |modulus: &[u8], exponent: &[u8], algorithm: &[u8]| {
        let element = |tag: u8, content: &[u8]| {
            let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
            let length = match (high, low) {
                (0, ..0x80) => vec![low],
                (0, _) => vec![0x81, low],
                _ => vec![0x82, high, low],
            };
            [&[tag][..], &length, content].concat()
        };
        let short = |tag: u8, content: &[u8]| {
            [&[tag, u8::try_from(content.len()).unwrap()][..], content].concat()
        };
        let key = [element(2, modulus), short(2, exponent)].concat();
        let key = element(3, &[&[0][..], &element(0x30, &key)].concat());
        element(0x30, &[short(0x30, algorithm), key].concat())
    };
    let rsa = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    let parsed = |modulus: &[u8], exponent: &[u8], algorithm: &[u8]| {
        let key = Key::parse("k", &der(modulus, exponent, algorithm));
        key.map(|key| key.algorithm())
    };
    let modulus = |bytes: usize, first: u8| [&[0, first][..], &vec![0xff; bytes - 1]].concat();
    let named = |name: &str| Ok(name.to_owned());
    assert_eq!(parsed(&modulus(256, 0x80), &[3], rsa), named("rsa-2048"));
    assert_eq!(
        parsed(&modulus(512, 0xff), &[1, 0, 1], rsa),
        named("rsa-4096")
    );
    for (modulus, bits) in [
        (modulus(128, 0x80), 1024),
        (modulus(256, 0x80)[1..].to_vec(), 0),
        (modulus(513, 0x80), 4104),
    ] {
        let refused = parsed(&modulus, &[3], rsa);
        match bits {
            // A negative number.
            0 => assert_eq!(refused, Err(KeyError::BadRsa)),
            bits => assert_eq!(refused, Err(KeyError::Rsa { bits })),
        }
    }
    let shorter = [&[0x7f][..], &[0xff; 255]].concat();
    assert_eq!(
        parsed(&shorter, &[3], rsa),
        Err(KeyError::Rsa { bits: 2047 })
    );
    let even = [&[0, 0x80][..], &[0xff; 254], &[0xfe]].concat();
    assert_eq!(parsed(&even, &[3], rsa), Err(KeyError::BadRsa));
    for exponent in [&[1][..], &[0], &[4], &[0x7f; 5]] {
        let refused = parsed(&modulus(256, 0x80), exponent, rsa);
        assert_eq!(refused, Err(KeyError::BadRsa), "{exponent:?}");
    }
    let without = &rsa[..11];
    let refused = parsed(&modulus(256, 0x80), &[3], without);
    assert_eq!(refused, Err(KeyError::Parameters("RSA")));
    let pss = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
    assert_eq!(
        parsed(&modulus(384, 0x80), &[3], pss),
        named("rsa-pss-3072")
    );
    let null = [&pss[..], &[5, 0]].concat();
    let refused = parsed(&modulus(384, 0x80), &[3], &null);
    assert_eq!(refused, Err(KeyError::Parameters("RSA-PSS")));
    // Without members, which stands for SHA-1.
    let usual = [&pss[..], &[0x30, 0]].concat();
    let refused = parsed(&modulus(384, 0x80), &[3], &usual);
    assert_eq!(refused, Err(KeyError::OtherHash("SHA-1".to_owned())));
}
