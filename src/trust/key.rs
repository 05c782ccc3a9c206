//! A trusted public key: the content of a key file, or what it is instead.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use p256::AffinePoint;
use p256::ecdsa::VerifyingKey;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::pkcs8::der::asn1::AnyRef;
use p256::pkcs8::der::{self, Decode, Reader, SliceReader, Tag, Tagged};
use p256::pkcs8::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfoRef};
use thiserror::Error;

use super::multiples::Multiples;
use super::signature::Signature;
use crate::digest::Digest;

/// The longest key file that is read, in bytes. A P-256 key takes 178 as PEM; the rest is room for the text
/// that people keep around it. What is longer was named by mistake (an artifact, say).
pub const MAX_FILE_BYTES: usize = 64 * 1024;

/// The byte order mark of UTF-8, which editors on Windows write in front of a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// `id-ecPublicKey` (RFC 5480, 2.1.1).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// `rsaEncryption` (RFC 8017, appendix C).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `secp256r1`, which NIST calls P-256 (RFC 5480, 2.1.1.1).
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// Algorithms and curves that a wrong key is likely to have, under the names that people know them by.
const KNOWN: [(&str, &str); 11] = [
    ("1.3.132.0.34", "P-384"),
    ("1.3.132.0.35", "P-521"),
    ("1.3.132.0.33", "P-224"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("1.2.840.10040.4.1", "DSA"),
    ("1.2.840.113549.1.1.10", "RSA-PSS"),
];

/// An ECDSA P-256 public key that signatures are verified with.
#[derive(Debug)]
pub struct Key {
    name: String,
    fingerprint: Digest,
    verifying: VerifyingKey,
    /// How many signatures were verified.
    used: AtomicUsize,
    /// Computed when there have been [`FEW`].
    multiples: OnceLock<Multiples>,
}

/// As many signatures are verified in the time that it takes to compute the multiples that make the others cheaper.
const FEW: usize = 24;

/// A key is its name and its bytes.
impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        (&self.name, &self.fingerprint) == (&other.name, &other.fingerprint)
    }
}

impl Eq for Key {}

/// What a key file holds instead of one P-256 public key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// No bytes at all.
    #[error("the file is empty; an ECDSA P-256 public key is needed")]
    Empty,
    /// More than [`MAX_FILE_BYTES`].
    #[error("more than {} KiB, too long for a key; an ECDSA P-256 public key is needed", MAX_FILE_BYTES / 1024)]
    TooLong,
    /// A private key, in whatever format.
    #[error(
        "a private key; the public key is needed, and the private one should not be here at all \
         (`openssl pkey -in FILE -pubout` prints the public key)"
    )]
    PrivateKey,
    /// An X.509 certificate.
    #[error(
        "a certificate; the public key inside it is needed \
         (`openssl x509 -in FILE -noout -pubkey` prints it)"
    )]
    Certificate,
    /// An RSA public key.
    #[error("RSA {bits}; an ECDSA P-256 key is needed")]
    Rsa {
        /// The length of the modulus in bits.
        bits: usize,
    },
    /// An elliptic-curve key on another curve.
    #[error("a key on the curve {0}; an ECDSA P-256 key is needed")]
    OtherCurve(String),
    /// An elliptic-curve key that spells its curve out instead of naming it, which RFC 5480, 2.1.1 forbids.
    #[error("a key with explicit curve parameters; one that names the curve P-256 is needed")]
    ExplicitCurve,
    /// A public key of another algorithm.
    #[error("a key of the algorithm {0}; an ECDSA P-256 key is needed")]
    OtherAlgorithm(String),
    /// The coordinates are no point of the curve.
    #[error("its point is not on the curve P-256, so the key is damaged or forged")]
    NotOnCurve,
    /// The point is written in a form that RFC 5480, 2.2 does not know.
    #[error(
        "its point is neither compressed nor uncompressed \
         (`openssl ec -pubin -in FILE -conv_form uncompressed` may be able to write it so)"
    )]
    OtherForm,
    /// A PEM block that is something else.
    #[error("a PEM block `{0}`; an ECDSA P-256 `PUBLIC KEY` is needed")]
    OtherBlock(String),
    /// More than one PEM block.
    #[error("{0} PEM blocks in one file; give each key a file of its own and name each with --key")]
    Several(usize),
    /// A line as in `~/.ssh/*.pub`.
    #[error(
        "an OpenSSH public key; it is needed as PEM (`ssh-keygen -e -m PKCS8 -f FILE` prints that)"
    )]
    OpenSsh,
    /// A PEM block that cannot be decoded.
    #[error("its PEM block is damaged; an ECDSA P-256 public key is needed")]
    DamagedPem,
    /// Nothing that is recognized.
    #[error("neither PEM nor DER of a public key; an ECDSA P-256 public key is needed")]
    NotAKey,
}

impl Key {
    /// Reads the whole content of a key file: a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7; RFC 5480) as DER,
    /// or as one PEM block (RFC 7468, 13) with any text around it.
    ///
    /// `name` is what messages and reports call the key; by custom the file's path, escaped as they show it.
    ///
    /// # Errors
    /// Says what the file holds instead.
    pub fn parse(name: impl Into<String>, content: &[u8]) -> Result<Key, KeyError> {
        let (fingerprint, verifying) = match content {
            [] => Err(KeyError::Empty),
            _ if content.len() > MAX_FILE_BYTES => Err(KeyError::TooLong),
            // A SEQUENCE; but a text may begin with the digit 0, too, and DER may have anything in it.
            [0x30, ..] => match from_der(content) {
                Err(_) if mentions_pem(content) => from_pem(content),
                read => read,
            },
            // In front of PEM, and once, as OpenSSL has it: in front of DER it is no part of the encoding.
            _ => from_pem(content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content)),
        }?;
        Ok(Key {
            name: name.into(),
            fingerprint,
            verifying,
            used: AtomicUsize::new(0),
            multiples: OnceLock::new(),
        })
    }

    /// What messages call this key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The SHA-256 of the key's DER, which `openssl pkey -pubin -outform DER | sha256sum` prints.
    pub fn fingerprint(&self) -> &Digest {
        &self.fingerprint
    }

    /// The point on the curve that the key is.
    pub(crate) fn point(&self) -> &AffinePoint {
        self.verifying.as_affine()
    }

    /// Whether this key made `signature` over `digest` (FIPS 186-5, 6.4.2).
    pub fn verifies(&self, digest: &Digest, signature: &Signature) -> bool {
        if self.used.fetch_add(1, Ordering::Relaxed) < FEW {
            let verified = self
                .verifying
                .verify_prehash(digest.as_bytes(), &signature.0);
            return verified.is_ok();
        }
        let multiples = || Multiples::of(self.point());
        self.multiples
            .get_or_init(multiples)
            .verify(digest.as_bytes(), &signature.0)
    }
}

fn from_pem(text: &[u8]) -> Result<(Digest, VerifyingKey), KeyError> {
    let blocks = pem::parse_many(text).map_err(|_| KeyError::DamagedPem)?;
    let lines = boundary_lines(text)?;
    if lines.iter().any(|line| line.ends_with("PRIVATE KEY-----")) {
        return Err(KeyError::PrivateKey);
    }
    // Fail closed: the PEM reader passes over a block without an end, and over headers, which say that it is encrypted.
    if lines.len() != 2 * blocks.len() || blocks.iter().any(|b| b.headers().iter().count() > 0) {
        return Err(KeyError::DamagedPem);
    }
    match blocks.as_slice() {
        [] => Err(without_block(text)),
        [block] => from_block(block),
        // Fail closed: which of them is meant to be trusted is not ours to guess.
        several => Err(KeyError::Several(several.len())),
    }
}

fn from_block(block: &pem::Pem) -> Result<(Digest, VerifyingKey), KeyError> {
    match block.tag() {
        "PUBLIC KEY" => from_der(block.contents()),
        "RSA PUBLIC KEY" => Err(rsa(block.contents())),
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => Err(KeyError::Certificate),
        other => Err(KeyError::OtherBlock(other.to_owned())),
    }
}

/// The lines that begin and end PEM blocks.
///
/// Fail closed: such a line has nothing else in it (RFC 7468, 2). A key that somebody commented out is not to be trusted, and a carriage
/// return alone, which many editors do not show as the end of a line, does not end the comment (nor a line to OpenSSL).
fn boundary_lines(text: &[u8]) -> Result<Vec<String>, KeyError> {
    let lines = text.split(|byte| *byte == b'\n');
    let boundaries = lines.filter(|line| mentions_pem(line)).map(|line| {
        let line = line.trim_ascii_end();
        let whole = line.starts_with(b"-----BEGIN ") || line.starts_with(b"-----END ");
        let dashes = line.windows(5).filter(|five| five == b"-----").count();
        match (
            whole && dashes == 2 && line.ends_with(b"-----"),
            str::from_utf8(line),
        ) {
            (true, Ok(line)) => Ok(line.to_owned()),
            _ => Err(KeyError::DamagedPem),
        }
    });
    boundaries.collect()
}

fn mentions_pem(text: &[u8]) -> bool {
    let contains = |what: &[u8]| text.windows(what.len()).any(|w| w == what);
    contains(b"-----BEGIN ") || contains(b"-----END ")
}

fn without_block(text: &[u8]) -> KeyError {
    let starts_with = |prefix: &str| text.starts_with(prefix.as_bytes());
    if starts_with("ssh-") || starts_with("ecdsa-sha2-") {
        KeyError::OpenSsh
    } else {
        KeyError::NotAKey
    }
}

fn from_der(bytes: &[u8]) -> Result<(Digest, VerifyingKey), KeyError> {
    let info = SubjectPublicKeyInfoRef::from_der(bytes).map_err(|_| not_public(bytes))?;
    let point = info
        .subject_public_key
        .as_bytes()
        .ok_or(KeyError::NotAKey)?;
    expect_p256(&info.algorithm, point)?;
    // Fail closed: the reader below takes a point without its y as well (0x05), which OpenSSL does not, and guesses which of two it is.
    if !matches!(point, [0x02..=0x04, ..]) {
        return Err(KeyError::OtherForm);
    }
    let key = VerifyingKey::from_sec1_bytes(point).map_err(|_| KeyError::NotOnCurve)?;
    Ok((Digest::of(bytes), key))
}

fn expect_p256(algorithm: &AlgorithmIdentifierRef<'_>, key: &[u8]) -> Result<(), KeyError> {
    match algorithm.oid {
        EC_PUBLIC_KEY => match algorithm.parameters_oid() {
            Ok(P256) => Ok(()),
            Ok(curve) => Err(KeyError::OtherCurve(name_of(curve))),
            Err(_) => Err(KeyError::ExplicitCurve),
        },
        RSA => Err(rsa(key)),
        other => Err(KeyError::OtherAlgorithm(name_of(other))),
    }
}

fn name_of(oid: ObjectIdentifier) -> String {
    let oid = oid.to_string();
    let known = KNOWN.iter().find(|(number, _)| *number == oid);
    known.map_or(oid, |(_, name)| (*name).to_owned())
}

/// An `RSAPublicKey` (RFC 8017, A.1.1), measured.
fn rsa(bytes: &[u8]) -> KeyError {
    match elements(bytes).first() {
        Some(modulus) if modulus.tag() == Tag::Integer => {
            let leading: usize = modulus.value().iter().take_while(|b| **b == 0).count();
            let significant = modulus.value().get(leading..).unwrap_or_default();
            let unused = significant
                .first()
                .map_or(0, |b| b.leading_zeros() as usize);
            KeyError::Rsa {
                bits: significant.len() * 8 - unused,
            }
        }
        _ => KeyError::OtherAlgorithm("RSA".to_owned()),
    }
}

/// Names DER that is no SubjectPublicKeyInfo by the first elements that the other formats begin with.
fn not_public(bytes: &[u8]) -> KeyError {
    let parts = elements(bytes);
    let tags: Vec<Tag> = parts.iter().map(|part| part.tag()).collect();
    match tags.as_slice() {
        // PKCS #1, SEC 1 and PKCS #8 begin with a version number of one byte; an RSAPublicKey with the modulus.
        [Tag::Integer, ..] if parts.first().is_some_and(|p| p.value().len() == 1) => {
            KeyError::PrivateKey
        }
        [Tag::Integer, Tag::Integer] => rsa(bytes),
        // EncryptedPrivateKeyInfo (RFC 5958, 3).
        [Tag::Sequence, Tag::OctetString] => KeyError::PrivateKey,
        // Certificate (RFC 5280, 4.1): the signed part, the algorithm, the signature.
        [Tag::Sequence, Tag::Sequence, Tag::BitString] => KeyError::Certificate,
        _ => KeyError::NotAKey,
    }
}

/// The elements of the SEQUENCE that `bytes` are, as far as they can be read; none if they are none.
fn elements(bytes: &[u8]) -> Vec<AnyRef<'_>> {
    let read = || -> der::Result<Vec<AnyRef<'_>>> {
        let sequence = AnyRef::from_der(bytes)?;
        sequence.tag().assert_eq(Tag::Sequence)?;
        let mut reader = SliceReader::new(sequence.value())?;
        let mut found = Vec::new();
        while !reader.is_finished() {
            found.push(AnyRef::decode(&mut reader)?);
        }
        Ok(found)
    };
    read().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_key_is_told_by_what_it_is() {
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

    /// The DER of a SubjectPublicKeyInfo with this point.
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
        // At infinity, compact, hybrid (X9.62, 4.3.6), and what nobody has defined.
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
                Err(KeyError::NotOnCurve),
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
    fn an_rsa_key_is_told_by_the_bits_of_its_modulus_if_it_has_one() {
        let told = |key: &[u8]| {
            let block = pem::encode(&pem::Pem::new("RSA PUBLIC KEY", key));
            Key::parse("k", block.as_bytes())
        };
        for (key, bits) in [
            (&[0x30, 4, 2, 2, 0x01, 0x00][..], 9),
            (&[0x30, 4, 2, 2, 0x00, 0x80], 8),
            (&[0x30, 7, 2, 2, 0x7f, 0xff, 2, 1, 3], 15),
        ] {
            assert_eq!(told(key), Err(KeyError::Rsa { bits }));
        }
        let none = Err(KeyError::OtherAlgorithm("RSA".to_owned()));
        assert_eq!(told(&[0x30, 4, 4, 2, 0x01, 0x00]), none);
        assert_eq!(told(&[0x30, 0]), none);
    }

    #[test]
    fn an_encrypted_private_key_as_der_is_told() {
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
        used.used.fetch_add(1, Ordering::Relaxed);
        assert_eq!(used, key("a", 1));
        assert_ne!(key("a", 1), key("b", 1));
        assert_ne!(key("a", 1), key("a", 2));
    }

    #[test]
    fn a_private_key_beside_a_public_one_is_refused_as_private() {
        let both = "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n\
                    -----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
        assert_eq!(Key::parse("k", both.as_bytes()), Err(KeyError::PrivateKey));
    }
}
