//! A signature file is a signature exactly where OpenSSL reads one, writes the same bytes for it, and finds r and s in range.

use openssl::base64;
use openssl::bn::{BigNum, BigNumRef};
use openssl::ecdsa::EcdsaSig;
use verify_signatures::Sniffed;
use verify_signatures::internals::hints::signature::sniff;
use verify_signatures::internals::trust::signature::Signature;

use crate::verify::order;

/// Checks a signature file's content.
pub fn check(content: &[u8]) {
    let ours = Signature::parse(content);
    assert_eq!(ours.is_ok(), read(content).is_some(), "{ours:?}");
    let compact = || -> Vec<u8> {
        let bytes = content.iter().copied();
        bytes.filter(|byte| !byte.is_ascii_whitespace()).collect()
    };
    // What it is called instead, it is. What is a signature is asked nothing more, as by the command.
    match ours.is_err().then(|| sniff(content)).flatten() {
        // With padding, and without quotation marks and a byte order mark, which OpenSSL does not pass over.
        Some(Sniffed::Base64) if content.is_ascii() && !content.contains(&b'"') => {
            let mut text = String::from_utf8(compact()).expect("base64 is text");
            text += &"=".repeat(text.len().next_multiple_of(4) - text.len());
            let decoded = base64::decode_block(&text).expect("OpenSSL reads the base64");
            assert!(read(&decoded).is_some() || decoded.len() == 64);
        }
        Some(Sniffed::Hex) if content.is_ascii() => {
            let text = String::from_utf8(compact()).expect("digits are text");
            let number = BigNum::from_hex_str(&text).expect("OpenSSL reads the digits");
            assert!(read(&number.to_vec()).is_some() || text.len() == 128);
        }
        Some(Sniffed::TrailingNewline | Sniffed::TrailingBytes) => {
            assert!((1..content.len()).any(|end| read(&content[..end]).is_some()));
        }
        Some(Sniffed::P1363) => {
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
