//! A signature file is a signature exactly where OpenSSL reads one, writes the same bytes for it, and finds r and s in range.

use openssl::base64;
use openssl::bn::{BigNum, BigNumRef};
use openssl::ecdsa::EcdsaSig;
use verify_signatures::trust::signature::{Signature, SignatureError};

use crate::verify::order;

/// Checks a signature file's content.
pub fn check(content: &[u8]) {
    let ours = Signature::parse(content);
    assert_eq!(ours.is_ok(), read(content).is_some(), "{ours:?}");
    let compact = || -> Vec<u8> {
        let bytes = content.iter().copied();
        bytes.filter(|byte| !byte.is_ascii_whitespace()).collect()
    };
    // What it is called instead, it is.
    match ours {
        Err(SignatureError::Base64) => {
            let text = String::from_utf8(compact()).expect("base64 is text");
            let decoded = base64::decode_block(&text).expect("OpenSSL reads the base64");
            assert!(read(&decoded).is_some());
        }
        Err(SignatureError::Hex) => {
            let text = String::from_utf8(compact()).expect("digits are text");
            let number = BigNum::from_hex_str(&text).expect("OpenSSL reads the digits");
            assert!(read(&number.to_vec()).is_some());
        }
        Err(SignatureError::P1363) => {
            assert_eq!(content.len(), 64);
            let half = |bytes| BigNum::from_slice(bytes).expect("memory");
            assert!(in_range(&half(&content[..32])) && in_range(&half(&content[32..])));
        }
        _ => {}
    }
}

/// The signature that OpenSSL reads, if `content` is the one encoding of it.
pub(crate) fn read(content: &[u8]) -> Option<EcdsaSig> {
    let signature = EcdsaSig::from_der(content).ok()?;
    // It reads over what follows a signature; its own encoding has nothing there.
    let same = signature.to_der().is_ok_and(|der| der == content);
    (same && in_range(signature.r()) && in_range(signature.s())).then_some(signature)
}

fn in_range(number: &BigNumRef) -> bool {
    !number.is_negative() && number.num_bits() > 0 && number < &*order()
}
