//! Identifies a key file that contains no key as PEM or DER.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::VerifyingKey;

use super::formats::{contains, format, from_utf16, is_prose, is_zeros, other_signer, text};
use super::signature;
use crate::text::hex::from_hex;
use crate::trust::key::Key;
use crate::trust::signature::Signature;
use crate::trust::sniffed::Sniffed;

/// Returns what a key file contains instead of a key, if that is known.
pub fn sniff(bytes: &[u8]) -> Option<Sniffed> {
    is_zeros(bytes)
        .then_some(Sniffed::Zeros)
        .or_else(|| other_key(text(bytes)))
        .or_else(|| in_utf16(bytes))
        .or_else(|| format(bytes))
        .or_else(|| other_signer(bytes))
        .or_else(|| is_signature(bytes).then_some(Sniffed::Signature))
        .or_else(|| is_point(bytes).then_some(Sniffed::RawPoint))
        .or_else(|| is_message(bytes).then_some(Sniffed::Text))
}

/// Reports whether a file in a directory of keys is one that macOS keeps beside another, by both
/// name and content.
///
/// Fail closed: the name alone could skip a key whose owner means it to be trusted, or not to be;
/// the content alone could skip a damaged key.
pub fn is_apple_double(name: &[u8], content: &[u8]) -> bool {
    name.starts_with(b"._") && format(content) == Some(Sniffed::AppleDouble)
}

/// Recognizes a key in another form.
fn other_key(text: &[u8]) -> Option<Sniffed> {
    let compact: Vec<u8> = text
        .iter()
        .copied()
        .filter(|b| !b.is_ascii_whitespace())
        .collect();
    let is_key = |bytes: Vec<u8>| Key::parse("", &bytes).is_ok() || is_point(&bytes);
    let is_jwk = || contains(text, b"\"kty\"") && format(text) == Some(Sniffed::Json);
    if STANDARD.decode(&compact).is_ok_and(is_key) {
        Some(Sniffed::Base64)
    } else if from_hex(&compact).is_some_and(is_key) {
        Some(Sniffed::Hex)
    } else if is_jwk() {
        Some(Sniffed::Jwk)
    } else if text.starts_with(b"---- BEGIN SSH2 PUBLIC KEY ----") {
        Some(Sniffed::Ssh2)
    } else if contains(text, b"-----BEGIN") && contains(text, b"-----\\n") {
        Some(Sniffed::EscapedNewlines)
    } else if has_other_dashes(text) {
        Some(Sniffed::OtherDashes)
    } else {
        None
    }
}

/// Reports whether `BEGIN PUBLIC KEY` is surrounded by dashes that a word processor made of
/// hyphens.
fn has_other_dashes(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let before = text.split_once("BEGIN ").map(|(before, _)| before);
    before.is_some_and(|before| {
        before.trim_end().ends_with([
            '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2212}',
        ])
    })
}

fn in_utf16(bytes: &[u8]) -> Option<Sniffed> {
    let text = from_utf16(bytes)?;
    text.contains("-----BEGIN ").then_some(Sniffed::Utf16)
}

/// Reports whether the bytes are plain text without any PEM.
fn is_message(bytes: &[u8]) -> bool {
    is_prose(bytes) && !contains(bytes, b"-----")
}

fn is_signature(bytes: &[u8]) -> bool {
    Signature::parse(bytes).is_ok()
        || signature::signature_or_key(bytes) == Some(Sniffed::Signature)
}

/// Reports whether the bytes are a point of the curve (SEC 1, 2.3.3), or its two coordinates.
fn is_point(bytes: &[u8]) -> bool {
    let is_sec1 = |bytes: &[u8]| VerifyingKey::from_sec1_bytes(bytes).is_ok();
    is_sec1(bytes) || bytes.len() == 64 && is_sec1(&[&[4][..], bytes].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::hazmat::PrehashSigner;
    use p256::pkcs8::EncodePublicKey;

    #[test]
    fn a_key_file_that_is_none_is_called_what_it_is() {
        let signing = SigningKey::from_slice(&[1; 32]).unwrap();
        let der = signing.verifying_key().to_public_key_der().unwrap();
        let der = der.as_bytes();
        let signature: p256::ecdsa::Signature = signing.sign_prehash(&[7; 32]).unwrap();
        let signature = signature.to_der();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\r\n{}\r\n-----END PUBLIC KEY-----\r\n",
            STANDARD.encode(der)
        );
        let utf16 = |mark: bool| -> Vec<u8> {
            let mark = [0xfeff].into_iter().filter(|_| mark);
            mark.chain(pem.encode_utf16())
                .flat_map(u16::to_le_bytes)
                .collect()
        };
        let hex: String = der.iter().map(|byte| format!("{byte:02x}")).collect();
        let point = signing.verifying_key().to_sec1_point(false);
        let cases: Vec<(Vec<u8>, Option<Sniffed>)> = vec![
            (utf16(true), Some(Sniffed::Utf16)),
            (utf16(false), Some(Sniffed::Utf16)),
            (STANDARD.encode(der).into(), Some(Sniffed::Base64)),
            (format!("{}\n", hex).into(), Some(Sniffed::Hex)),
            (point.as_bytes().to_vec(), Some(Sniffed::RawPoint)),
            (point.as_bytes()[1..].to_vec(), Some(Sniffed::RawPoint)),
            (
                b"{\"kty\":\"EC\",\"crv\":\"P-256\"}".to_vec(),
                Some(Sniffed::Jwk),
            ),
            (
                b"{\"keys\":[{\"kty\":\"EC\"}]}".to_vec(),
                Some(Sniffed::Jwk),
            ),
            (b"{\"error\":\"gone\"}".to_vec(), Some(Sniffed::Json)),
            (
                b"untrusted comment: minisign public key\nRWQ\n".to_vec(),
                Some(Sniffed::Minisign),
            ),
            (
                b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n".to_vec(),
                Some(Sniffed::Pgp),
            ),
            (b"<!DOCTYPE html>".to_vec(), Some(Sniffed::Html)),
            (b"<Error><Code>".to_vec(), Some(Sniffed::Xml)),
            (
                b"version https://git-lfs.github.com/spec/v1\n".to_vec(),
                Some(Sniffed::GitLfs),
            ),
            (b"\x00\x05\x16\x07".to_vec(), Some(Sniffed::AppleDouble)),
            (signature.as_bytes().to_vec(), Some(Sniffed::Signature)),
            (
                STANDARD.encode(signature.as_bytes()).into(),
                Some(Sniffed::Signature),
            ),
            (
                b"---- BEGIN SSH2 PUBLIC KEY ----\n".to_vec(),
                Some(Sniffed::Ssh2),
            ),
            (
                pem.replace("\r\n", "\\n").into(),
                Some(Sniffed::EscapedNewlines),
            ),
            (
                pem.replace("-----", "\u{2014}\u{2014}-")
                    .replace("-BEGIN", "\u{2013}BEGIN")
                    .into(),
                Some(Sniffed::OtherDashes),
            ),
            (vec![0; 178], Some(Sniffed::Zeros)),
            (b"404 page not found\n".to_vec(), Some(Sniffed::Text)),
            (b"hello".to_vec(), None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(
                sniff(&bytes),
                expected,
                "{}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }

    #[test]
    fn what_macos_keeps_beside_a_file_is_known_by_name_and_content_together() {
        let content = b"\x00\x05\x16\x07\x00\x02\x00\x00";
        assert!(is_apple_double(b"._key.pem", content));
        assert!(!is_apple_double(b"key.pem", content));
        assert!(!is_apple_double(
            b"._key.pem",
            b"-----BEGIN PUBLIC KEY-----"
        ));
    }
}
