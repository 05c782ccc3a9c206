//! Trusted public keys: parses a key file, or identifies its content.

mod algorithm;
mod der;
mod error;
mod pem;

use p256::AffinePoint;
use thiserror::Error;

pub use error::KeyError;

use super::claimed::ClaimedDigest;
use super::signature::Signature;
use crate::digest::{Algorithm, Digest, Digests, Wanted};
use algorithm::{Hash, Public};

/// Maximum size of a key file in bytes. A P-256 key takes 178 as PEM; the rest leaves room for text
/// around it. A longer file was named by mistake (an artifact, for example).
pub const MAX_FILE_BYTES: usize = 64 * 1024;

/// UTF-8 byte order mark, which editors on Windows write at the start of a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A public key that verifies signatures: ECDSA on P-256, P-384 or P-521, RSA, or Ed25519.
///
/// ```
/// use verify_signatures::{Key, KeyError};
///
/// let not_a_key = Key::parse("vendor.pem", b"<html>404</html>");
/// assert_eq!(not_a_key, Err(KeyError::NotAKey));
/// ```
#[derive(Debug)]
pub struct Key {
    name: String,
    fingerprint: Digest,
    public: Public,
    /// The hash that its signatures are over, if that is not part of its algorithm.
    digest: Option<Algorithm>,
}

/// The key settles the hash of its signatures, and it is another.
///
/// ```
/// use verify_signatures::OwnDigest;
///
/// assert_eq!(OwnDigest.to_string(), "a key of this algorithm has a hash of its own");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a key of this algorithm has a hash of its own")]
pub struct OwnDigest;

/// Two keys are equal if their names, their bytes and the hashes of their signatures are.
impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        let parts = |key: &Key| (key.fingerprint, key.digest);
        self.name == other.name && parts(self) == parts(other)
    }
}

impl Eq for Key {}

impl Key {
    /// Parses the whole content of a key file: a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7; RFC 5480)
    /// as DER, or as one PEM block (RFC 7468, 13) with any text around it.
    ///
    /// `name` identifies the key in messages and reports; by convention it is the file's path,
    /// escaped for output.
    ///
    /// # Errors
    /// Returns the [`KeyError`] that names what the file holds instead.
    pub fn parse(name: impl Into<String>, content: &[u8]) -> Result<Key, KeyError> {
        let (fingerprint, public) = match content {
            [] => Err(KeyError::Empty),
            _ if content.len() > MAX_FILE_BYTES => Err(KeyError::TooLong),
            // A SEQUENCE; but a text may begin with the digit 0 too, and DER may contain any bytes.
            [0x30, ..] => match der::from_der(content) {
                Err(_) if pem::mentions_boundary(content) => pem::from_pem(content),
                read => read,
            },
            // Like OpenSSL, skip one byte order mark before PEM; before DER it is not part of the
            // encoding.
            _ => pem::from_pem(content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content)),
        }?;
        Ok(Key {
            name: name.into(),
            fingerprint,
            digest: match public.scheme().hash() {
                Hash::Open(usual) | Hash::Own(usual) => Some(usual),
                Hash::Inside => None,
            },
            public,
        })
    }

    /// Takes signatures over this hash, instead of SHA-256, for those of the key.
    ///
    /// # Errors
    /// [`OwnDigest`] if the key settles the hash, as P-256 and Ed25519 do, and it is another.
    pub fn with_digest(self, digest: Algorithm) -> Result<Key, OwnDigest> {
        match self.public.scheme().hash() {
            Hash::Open(_) => Ok(Key {
                digest: Some(digest),
                ..self
            }),
            Hash::Own(own) if own == digest => Ok(self),
            Hash::Own(_) | Hash::Inside => Err(OwnDigest),
        }
    }

    /// Reports whether the user may name the hash of its signatures.
    pub fn leaves_digest_open(&self) -> bool {
        matches!(self.public.scheme().hash(), Hash::Open(_))
    }

    /// Returns the hash that its signatures are over; `None` if that is part of its algorithm, as
    /// of Ed25519.
    pub fn digest(&self) -> Option<Algorithm> {
        self.digest
    }

    /// Returns the hash that its signatures are over if it is another than the usual: SHA-256, or
    /// one that is part of its algorithm.
    pub(crate) fn other_digest(&self) -> Option<Algorithm> {
        self.digest.filter(|digest| *digest != Algorithm::Sha256)
    }

    /// Returns the term of its algorithm, such as `ecdsa-p256`, `rsa-3072` or `ed25519`.
    pub fn algorithm(&self) -> String {
        self.public.scheme().name()
    }

    /// Returns the key's name in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the SHA-256 of the key's DER, which `openssl pkey -pubin -outform DER | sha256sum`
    /// prints.
    pub fn fingerprint(&self) -> &Digest {
        &self.fingerprint
    }

    /// Returns the point of a P-256 key.
    pub(crate) fn point(&self) -> Option<&AffinePoint> {
        match &self.public {
            Public::P256(key) => Some(key.point()),
            _ => None,
        }
    }

    /// Reports whether `der` is the SHA-256 of this key's DER: on P-256 with the point
    /// uncompressed, as nearly every program writes it, whichever form the key file has.
    pub(crate) fn is_named_by(&self, der: &ClaimedDigest) -> bool {
        let usual = match &self.public {
            Public::P256(key) => key.usual_der().map(|der| Digest::of(der.as_bytes())),
            _ => Some(self.fingerprint),
        };
        usual.is_some_and(|usual| ClaimedDigest::from(usual) == *der)
    }

    /// Reports whether this key can have made a signature of these bytes, over any content.
    pub(crate) fn can_make(&self, signature: &Signature) -> bool {
        self.public.scheme().can_make(signature)
    }

    /// Returns what must be computed of a content beside its SHA-256 before it is known whether
    /// this key made `signature` over it.
    pub(crate) fn wants(&self, signature: &Signature) -> Wanted {
        if self.can_make(signature) {
            self.public.scheme().wants(self.hash(), signature)
        } else {
            Wanted::default()
        }
    }

    /// Reports whether this key made `signature` over the content with these digests.
    pub(crate) fn verifies(&self, digests: &Digests, signature: &Signature) -> bool {
        let scheme = self.public.scheme();
        scheme.verifies(self.hash(), digests, signature)
    }

    /// Reports whether this key made `signature` over a content of which only the SHA-256 is at
    /// hand. For hints: no verdict rests on it, and a validated module does not call it an approved
    /// service.
    pub(crate) fn made(&self, digest: &Digest, signature: &Signature) -> bool {
        self.hash() == Algorithm::Sha256 && self.public.scheme().made(digest, signature)
    }

    /// Returns the hash to name to the algorithm; one that has its own ignores it.
    fn hash(&self) -> Algorithm {
        self.digest.unwrap_or(Algorithm::Sha512)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn a_file_that_is_no_key_is_described_by_what_it_is() {
        let private = "-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n";
        let block = "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n";
        let cases: [(&[u8], KeyError); 10] = [
            (b"", KeyError::Empty),
            (&[b' '; MAX_FILE_BYTES + 1], KeyError::TooLong),
            (&[b' '; MAX_FILE_BYTES], KeyError::NotAKey),
            (b"hello", KeyError::NotAKey),
            (b"ssh-rsa AAAA", KeyError::OpenSsh),
            (b"ecdsa-sha2-nistp256 AAAA", KeyError::OpenSsh),
            (private.as_bytes(), KeyError::PrivateKey),
            (b"-----BEGIN PUBLIC KEY-----\nMAA=\n", KeyError::DamagedPem),
            (&[0x30, 0x00], KeyError::NotAKey),
            (block.as_bytes(), KeyError::NotAKey),
        ];
        for (content, error) in cases {
            assert_eq!(Key::parse("k", content), Err(error));
        }
    }

    /// Returns the DER of a SubjectPublicKeyInfo with this point.
    fn with_point(point: &[u8]) -> Vec<u8> {
        let algorithm =
            b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
        let length = |more: usize| u8::try_from(point.len() + more).unwrap();
        let head = [[0x30, length(24)], [0x03, length(1)]];
        [&head[0][..], algorithm, &head[1], &[0], point].concat()
    }

    #[test]
    fn a_point_is_taken_compressed_or_uncompressed_and_in_no_other_form() {
        let generator =
            p256::ecdsa::SigningKey::from_slice(&[&[0; 31][..], &[1]].concat()).unwrap();
        let whole = generator.verifying_key().to_sec1_point(false);
        let (x, y) = whole.as_bytes()[1..].split_at(32);
        let as_form = |form: u8, coordinates: &[&[u8]]| {
            let point = [&[form][..], &coordinates.concat()].concat();
            Key::parse("k", &with_point(&point)).map(|_| ())
        };
        for (form, coordinates) in [(2, &[x][..]), (3, &[x]), (4, &[x, y])] {
            assert_eq!(as_form(form, coordinates), Ok(()), "{form}");
        }
        // At infinity, compact, hybrid (X9.62, 4.3.6), and undefined forms.
        for (form, coordinates) in [
            (0, &[][..]),
            (5, &[x]),
            (6, &[x, y]),
            (7, &[x, y]),
            (8, &[x]),
        ] {
            assert_eq!(
                as_form(form, coordinates),
                Err(KeyError::OtherForm),
                "{form}"
            );
        }
        for (form, coordinates) in [
            (2, &[x, y][..]),
            (4, &[x]),
            (4, &[y, x]),
            (2, &[&[0xff; 32]]),
        ] {
            assert_eq!(
                as_form(form, coordinates),
                Err(KeyError::NotOnCurve("P-256")),
                "{form}"
            );
        }
        assert_eq!(Key::parse("k", &with_point(&[])), Err(KeyError::OtherForm));
    }

    #[test]
    fn der_that_happens_to_have_the_bounds_of_pem_in_it_is_der() {
        let x = b"\x69\x10\xcb\xd3\x2d\x20-----END \xc4\x70\x4c\xd7\xac\x56\xe1\x50\x47\xe3\x32\x5b\xac\xed\xaf\xba\x23";
        let der = with_point(&[&[3][..], x].concat());
        let key = Key::parse("k", &der).unwrap();
        assert_eq!(*key.fingerprint(), Digest::of(&der));
    }

    #[test]
    fn an_rsa_key_is_described_by_the_bits_of_its_modulus_if_it_has_one() {
        let parsed = |key: &[u8]| {
            let base64 = STANDARD.encode(key);
            let label = "RSA PUBLIC KEY-----";
            let block = format!("-----BEGIN {label}\n{base64}\n-----END {label}\n");
            Key::parse("k", block.as_bytes())
        };
        for (key, bits) in [
            (&[0x30, 4, 2, 2, 0x01, 0x00][..], 9),
            (&[0x30, 4, 2, 2, 0x00, 0x80], 8),
            (&[0x30, 7, 2, 2, 0x7f, 0xff, 2, 1, 3], 15),
        ] {
            assert_eq!(parsed(key), Err(KeyError::Rsa { bits }));
        }
        let none = Err(KeyError::OtherAlgorithm("RSA".to_owned()));
        assert_eq!(parsed(&[0x30, 4, 4, 2, 0x01, 0x00]), none);
        assert_eq!(parsed(&[0x30, 0]), none);
    }

    #[test]
    fn an_encrypted_private_key_as_der_is_recognized() {
        let encrypted = [0x30, 5, 0x30, 0, 0x04, 1, 0];
        assert_eq!(Key::parse("k", &encrypted), Err(KeyError::PrivateKey));
    }

    #[test]
    fn a_key_is_its_name_and_its_bytes_and_not_how_often_it_was_used() {
        let file = |secret: u8| {
            let key = p256::ecdsa::SigningKey::from_slice(&[secret; 32]).unwrap();
            with_point(key.verifying_key().to_sec1_point(true).as_bytes())
        };
        let key = |name: &str, secret| Key::parse(name, &file(secret)).unwrap();
        let used = key("a", 1);
        let signature = Signature::parse(&[0x30, 6, 2, 1, 1, 2, 1, 1]).unwrap();
        assert!(!used.verifies(&crate::testing::digests(b"x"), &signature));
        assert_eq!(used, key("a", 1));
        assert_ne!(key("a", 1), key("b", 1));
        assert_ne!(key("a", 1), key("a", 2));
    }

    #[test]
    fn a_key_is_named_by_its_uncompressed_der_and_by_nothing_else() {
        let generator = p256::ecdsa::SigningKey::from_slice(&[3; 32]).unwrap();
        let file =
            |compress| with_point(generator.verifying_key().to_sec1_point(compress).as_bytes());
        let name = |compress| ClaimedDigest::from(Digest::of(&file(compress)));
        for compress in [true, false] {
            let key = Key::parse("k", &file(compress)).unwrap();
            assert!(key.is_named_by(&name(false)));
            assert!(!key.is_named_by(&name(true)));
        }
    }

    #[test]
    fn a_private_key_beside_a_public_one_is_refused_as_private() {
        let both = "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n\
                    -----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
        assert_eq!(Key::parse("k", both.as_bytes()), Err(KeyError::PrivateKey));
    }
}
