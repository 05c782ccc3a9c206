//! Detached signatures: parses the bytes of a `.sig.bin` file.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use p256::{NonZeroScalar, ecdsa};
use thiserror::Error;

use super::envelope;
use super::key::Key;
use super::sniffed::Sniffed;

/// Maximum length of a DER-encoded ECDSA P-256 signature in bytes (SEC 1, C.5: `ECDSA-Sig-Value`).
///
/// A two-byte SEQUENCE header, then two INTEGERs: each a two-byte header, 32 bytes, and a zero byte
/// if the first bit is set.
pub const MAX_BYTES: usize = 2 + 2 * (2 + 33);

/// Maximum length of a signature of any algorithm in bytes: by an RSA key of 4096 bits. (One on
/// P-521 has at most 139 in DER.)
pub const MAX_BYTES_OF_ANY: usize = 512;

/// A signature, not yet verified over anything: bytes that a key of some algorithm can have made.
#[derive(Clone, Debug)]
pub struct Signature {
    bytes: Box<[u8]>,
    /// What the bytes are on P-256, with `r` and `s` in range.
    p256: Option<ecdsa::Signature>,
}

/// Two signatures are equal if their bytes are.
impl PartialEq for Signature {
    fn eq(&self, other: &Signature) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Signature {}

impl Hash for Signature {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

/// The order of the bytes: any order will do, as long as it is the same in every run.
impl Ord for Signature {
    fn cmp(&self, other: &Signature) -> Ordering {
        self.bytes.cmp(&other.bytes)
    }
}

impl PartialOrd for Signature {
    fn partial_cmp(&self, other: &Signature) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Number of bytes read from a signature file. They suffice to identify other content in any
/// encoding.
pub const SNIFF_BYTES: usize = 4096;

/// What a signature file holds instead of a signature.
///
/// ```
/// use verify_signatures::SignatureError;
///
/// assert_eq!(SignatureError::Empty.to_string(), "the signature file is empty");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// The file is empty.
    #[error("the signature file is empty")]
    Empty,
    /// The file is longer than any signature.
    #[error(
        "the signature file is longer than the {MAX_BYTES} bytes that a P-256 signature has at most"
    )]
    TooLong,
    /// The bytes are not exactly the DER of two integers in the range 1 to n − 1.
    #[error("the signature file is not a DER-encoded ECDSA P-256 signature")]
    NotDer,
    /// No trusted key can have made a signature of these bytes, and not all trusted keys are on
    /// P-256.
    #[error("the signature file is not a signature of any of the trusted keys' algorithms")]
    OtherAlgorithm,
    /// Content of a known kind. Parsing a signature never returns this.
    #[error("the signature file is {}", .0.is())]
    Instead(Sniffed),
}

impl Signature {
    /// Returns the bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns what the bytes are on P-256.
    pub(crate) fn p256(&self) -> Option<&ecdsa::Signature> {
        self.p256.as_ref()
    }

    /// Returns r and s of a signature on P-256.
    pub fn scalars(&self) -> Option<(NonZeroScalar, NonZeroScalar)> {
        self.p256.as_ref().map(ecdsa::Signature::split_scalars)
    }

    /// Reads a signature file, which one of these keys is to have made: its container, and the
    /// signature inside.
    ///
    /// # Errors
    /// Reports what the bytes are instead of a signature. Where all keys are on P-256, that is as
    /// precise as for one algorithm.
    pub fn of_keys(content: &[u8], keys: &[Arc<Key>]) -> Result<Signature, SignatureError> {
        if keys.iter().all(|key| key.point().is_some()) {
            return Signature::parse(content);
        }
        let bytes = envelope::open(content, MAX_BYTES_OF_ANY);
        let signature = Signature::unread(bytes.map_err(|error| match error {
            SignatureError::TooLong => SignatureError::OtherAlgorithm,
            other => other,
        })?);
        // Fail closed: what no trusted key can have made is malformed, no matter what it resembles.
        if keys.iter().any(|key| key.can_make(&signature)) {
            Ok(signature)
        } else {
            Err(SignatureError::OtherAlgorithm)
        }
    }

    /// Reads a signature file on P-256: its container, and the signature inside.
    ///
    /// # Errors
    /// Reports what the bytes are instead of a signature.
    pub fn parse(content: &[u8]) -> Result<Signature, SignatureError> {
        Signature::from_der(envelope::open(content, MAX_BYTES)?)
    }

    /// Reads strict DER (X.690, clause 10) on P-256, with nothing after it.
    ///
    /// # Errors
    /// [`SignatureError::NotDer`].
    pub(crate) fn from_der(der: &[u8]) -> Result<Signature, SignatureError> {
        // Fail closed: however else the bytes could be read, only DER is a signature.
        let signature = Signature::unread(der);
        match signature.p256 {
            Some(_) => Ok(signature),
            None => Err(SignatureError::NotDer),
        }
    }

    fn unread(bytes: &[u8]) -> Signature {
        Signature {
            bytes: bytes.into(),
            p256: ecdsa::Signature::from_der(bytes).ok(),
        }
    }
}

/// As it is written in DER.
impl From<ecdsa::Signature> for Signature {
    fn from(signature: ecdsa::Signature) -> Signature {
        Signature {
            bytes: signature.to_der().as_bytes().into(),
            p256: Some(signature),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::hex::from_hex;
    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::hazmat::PrehashSigner;
    use proptest::prelude::*;

    fn signature() -> ecdsa::Signature {
        let key = SigningKey::from_slice(&[1; 32]).unwrap();
        key.sign_prehash(&[7; 32]).unwrap()
    }

    #[test]
    fn what_is_no_signature_is_described_by_its_length() {
        let der = signature().to_der();
        let cases: [(&[u8], SignatureError); 5] = [
            (b"", SignatureError::Empty),
            (b"\n", SignatureError::NotDer),
            (&[b'x'; MAX_BYTES], SignatureError::NotDer),
            (&[b'x'; MAX_BYTES + 1], SignatureError::TooLong),
            (&[der.as_bytes(), b"\n"].concat(), SignatureError::NotDer),
        ];
        for (bytes, error) in cases {
            assert_eq!(Signature::parse(bytes), Err(error));
        }
        assert!(Signature::parse(der.as_bytes()).is_ok());
    }

    /// Returns r and s as a minimal DER reader finds them, written independently to every relevant
    /// rule of X.690, 8.1.3, 8.3.2 and 10.1.
    fn plainly_read(bytes: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let (content, nothing) = element(0x30, bytes)?;
        let (r, rest) = element(0x02, content)?;
        let (s, end) = element(0x02, rest)?;
        let whole = nothing.is_empty() && end.is_empty();
        whole.then_some((in_range(r)?, in_range(s)?))
    }

    /// Returns the content of the first element in `bytes`, and the rest.
    fn element(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
        match bytes {
            [first, length @ 0..0x80, rest @ ..] if *first == tag => {
                rest.split_at_checked(usize::from(*length))
            }
            _ => None,
        }
    }

    /// Returns the 32 bytes of an INTEGER from 1 to n − 1 in its shortest form.
    fn in_range(content: &[u8]) -> Option<Vec<u8>> {
        let digits = match content {
            [0, second, ..] if *second >= 0x80 => &content[1..],
            [1..0x80, ..] => content,
            _ => return None,
        };
        let order = [
            0xffff_ffff_0000_0000_ffff_ffff_ffff_ffff_u128,
            0xbce6_faad_a717_9e84_f3b9_cac2_fc63_2551,
        ];
        let padded = [
            vec![0; 32_usize.checked_sub(digits.len())?],
            digits.to_vec(),
        ]
        .concat();
        let below = padded < order.map(u128::to_be_bytes).concat();
        below.then_some(padded)
    }

    /// Generates INTEGERs at every edge of the range and of the encoding.
    fn integer() -> impl Strategy<Value = Vec<u8>> {
        let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
        let near = (0_u8..4).prop_map(move |last| {
            let mut number = from_hex(order.as_bytes()).unwrap();
            number[31] = number[31] - 2 + last;
            number
        });
        let random = proptest::collection::vec(any::<u8>(), 0..35);
        let zeros = prop_oneof![2 => Just(0), 2 => Just(1), 1 => Just(2)];
        (zeros, prop_oneof![near, random])
            .prop_map(|(zeros, digits)| [vec![0; zeros], digits].concat())
    }

    fn written(tag: u8, content: &[u8], long: bool) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        let form: &[u8] = if long { &[0x81] } else { &[] };
        [&[tag], form, &[length], content].concat()
    }

    /// Generates signatures with at most a few defects.
    fn almost() -> impl Strategy<Value = Vec<u8>> {
        let tag = |right: u8| prop_oneof![30 => Just(right), 1 => any::<u8>()];
        let long = || proptest::bool::weighted(0.03);
        let rest =
            || prop_oneof![20 => Just(Vec::new()), 1 => any::<[u8; 2]>().prop_map(Vec::from)];
        let one = || (tag(2), integer(), long()).prop_map(|(tag, n, long)| written(tag, &n, long));
        (tag(0x30), one(), one(), rest(), long(), rest()).prop_map(
            |(tag, r, s, inner, long, outer)| {
                [written(tag, &[r, s, inner].concat(), long), outer].concat()
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn what_is_a_signature_is_what_a_plain_reader_of_der_reads(bytes in almost()) {
            let ours = Signature::parse(&bytes).ok().map(|signature| {
                let (r, s) = signature.p256.unwrap().split_bytes();
                (r.to_vec(), s.to_vec())
            });
            prop_assert_eq!(ours, plainly_read(&bytes));
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_the_der_of_what_was_read(bytes in proptest::collection::vec(any::<u8>(), 0..90)) {
            if let Ok(signature) = Signature::parse(&bytes) {
                prop_assert_eq!(signature.p256.unwrap().to_der().as_bytes().to_vec(), bytes);
            }
        }
    }
}
