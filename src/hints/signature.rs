//! Identifies a signature file that contains no signature: one in another encoding, one damaged in
//! transit, or something else.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use p256::ecdsa;

use super::formats::{contains, format, from_utf16, is_prose, is_zeros, other_signer, text};
use crate::text::hex::from_hex;
use crate::trust::key::{Key, KeyError};
use crate::trust::signature::{MAX_BYTES, Signature};
use crate::trust::sniffed::Sniffed;

/// Base64 with or without padding, which users cut off.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// Minimum size of a private key as DER: a shorter one is a damaged signature, which also consists
/// of two small integers.
const LEAST_PRIVATE_KEY: usize = 100;
/// Minimum size of an RSA modulus in bits: two smaller integers are a signature.
const LEAST_RSA: usize = 1024;

/// Returns what a signature file contains instead of a signature, if that is known. Of a longer
/// file, the first [`SNIFF_BYTES`](crate::trust::signature::SNIFF_BYTES) suffice.
pub fn sniff(bytes: &[u8]) -> Option<Sniffed> {
    is_zeros(bytes)
        .then_some(Sniffed::Zeros)
        .or_else(|| written_otherwise(text(bytes)))
        .or_else(|| damaged(bytes))
        .or_else(|| document(bytes))
        .or_else(|| format(bytes))
        .or_else(|| other_signer(bytes))
        .or_else(|| key(bytes))
        .or_else(|| other_signature(bytes))
        .or_else(|| is_prose(bytes).then_some(Sniffed::Text))
}

/// Returns the same where not all trusted keys are on P-256: a signature of another algorithm is
/// nothing else.
pub fn sniff_among_others(bytes: &[u8]) -> Option<Sniffed> {
    let is_other = |looks: &Sniffed| !matches!(looks, Sniffed::OtherCurve | Sniffed::RsaSized);
    sniff(bytes)
        .filter(is_other)
        .filter(|_| !is_signature(bytes))
}

/// Reports whether the whole content of an artifact is a signature or a key, so that files were
/// mixed up.
pub(crate) fn signature_or_key(bytes: &[u8]) -> Option<Sniffed> {
    let is_signature = is_signature(bytes) || written_otherwise(text(bytes)).is_some();
    is_signature
        .then_some(Sniffed::Signature)
        .or_else(|| other_signer(bytes))
        .or_else(|| key(bytes))
}

fn is_signature(bytes: &[u8]) -> bool {
    Signature::parse(bytes).is_ok()
}

/// Reports whether the bytes are a signature or, as in JSON Web Signatures, a raw pair.
fn is_signature_or_pair(bytes: &[u8]) -> bool {
    is_signature(bytes) || bytes.len() == 64 && ecdsa::Signature::from_slice(bytes).is_ok()
}

/// Recognizes a signature as text.
fn written_otherwise(text: &[u8]) -> Option<Sniffed> {
    let compact = without_blanks(text);
    let quoted = compact.strip_prefix(b"\"");
    let unquoted = quoted.and_then(|rest| rest.strip_suffix(b"\""));
    let unquoted = unquoted.unwrap_or(&compact);
    let base64 = BASE64.decode(unquoted).ok();
    if from_hex(&compact).is_some_and(|bytes| is_signature_or_pair(&bytes)) {
        Some(Sniffed::Hex)
    } else if base64.as_deref().is_some_and(is_signature_or_pair) {
        Some(Sniffed::Base64)
    } else if base64.as_deref().is_some_and(is_base64_of_signature) {
        Some(Sniffed::Base64Twice)
    } else if BASE64URL
        .decode(unquoted)
        .is_ok_and(|bytes| is_signature_or_pair(&bytes))
    {
        Some(Sniffed::Base64Url)
    } else {
        hexadecimal(text)
    }
}

fn without_blanks(text: &[u8]) -> Vec<u8> {
    let bytes = text.iter().copied();
    bytes.filter(|byte| !byte.is_ascii_whitespace()).collect()
}

fn is_base64_of_signature(text: &[u8]) -> bool {
    let decoded = BASE64.decode(without_blanks(text));
    decoded.is_ok_and(|bytes| is_signature(&bytes))
}

/// Recognizes hexadecimal digits with other text around or between them.
fn hexadecimal(text: &[u8]) -> Option<Sniffed> {
    let text = str::from_utf8(text).ok()?;
    let is_signature_in = |digits: &str| {
        let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
        from_hex(&digits).is_some_and(|bytes| is_signature(&bytes))
    };
    // `EC-SHA2-256(file)= 3045…`, and with -r `3045… *file`.
    let behind = text.rsplit_once("= ").map(|(_, digits)| digits);
    let before = text.split_once(" *").map(|(digits, _)| digits);
    let is_prefixed = behind.into_iter().chain(before).any(is_signature_in);
    let is_escaped = |prefix: &str| {
        text.contains(prefix) && is_signature_in(&inside_braces(text).replace(prefix, ""))
    };
    if is_prefixed {
        Some(Sniffed::HexPrefixed)
    } else if ["0x", "0X", "\\x"].into_iter().any(is_escaped) {
        Some(Sniffed::Hex0x)
    } else if text
        .bytes()
        .all(|b| b.is_ascii_hexdigit() || b" \r\n\t:-,;._".contains(&b))
        && is_signature_in(text)
    {
        Some(Sniffed::HexSeparated)
    } else if is_dump(text) {
        Some(Sniffed::HexDump)
    } else {
        None
    }
}

/// Returns the list of an array in C (`xxd -i`), or the whole text.
fn inside_braces(text: &str) -> &str {
    let inside = |text| Some(str::split_once(text, '{')?.1.split_once('}')?.0);
    inside(text).unwrap_or(text)
}

/// Reports whether a text is a dump of a signature: an offset in each line, bytes or two-byte
/// words, and perhaps the characters after them.
fn is_dump(text: &str) -> bool {
    let words: Vec<&str> = text.lines().flat_map(words_of_line).collect();
    let digits: String = words.concat();
    let Some(bytes) = from_hex(digits.as_bytes()) else {
        return false;
    };
    let swapped: Vec<u8> = bytes
        .chunks(2)
        .flat_map(|pair| pair.iter().rev().copied())
        .collect();
    let octal = from_octal(&words).unwrap_or_default();
    // An odd last byte is padded to a word.
    let shorter = |bytes: &[u8]| {
        bytes
            .split_last()
            .is_some_and(|(_, rest)| is_signature(rest))
    };
    is_signature(&bytes)
        || [swapped, octal]
            .iter()
            .any(|words| is_signature(words) || shorter(words))
}

/// Decodes two-byte words in octal digits, the lower byte first.
fn from_octal(words: &[&str]) -> Option<Vec<u8>> {
    let word = |word: &&str| u16::from_str_radix(word, 8).ok();
    let words: Option<Vec<u16>> = words.iter().map(word).collect();
    Some(words?.into_iter().flat_map(u16::to_le_bytes).collect())
}

/// Returns the words of a line of a dump, without its offset and its characters.
fn words_of_line(line: &str) -> Vec<&str> {
    let (offset, rest) = line
        .trim_start()
        .split_once([' ', '\t'])
        .unwrap_or_default();
    let is_offset = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_offset(offset.trim_end_matches(':')) {
        return Vec::new();
    }
    // xxd separates the characters by two blanks, hexdump -C and od -z by a mark.
    let rest = if offset.ends_with(':') {
        rest.trim_start().split("  ").next().unwrap_or_default()
    } else {
        rest.split(['|', '>']).next().unwrap_or_default()
    };
    rest.split_ascii_whitespace().collect()
}

/// Recognizes a signature that was damaged in transit.
fn damaged(bytes: &[u8]) -> Option<Sniffed> {
    let utf16 = || from_utf16(bytes);
    let is_raw_pair = !bytes.is_ascii() && ecdsa::Signature::from_slice(bytes).is_ok();
    if is_raw_pair {
        Some(Sniffed::P1363)
    } else if is_signature(bytes.trim_ascii_end()) || ends_in_newline(bytes) {
        Some(Sniffed::TrailingNewline)
    } else if is_crlf(bytes) {
        Some(Sniffed::Crlf)
    } else if is_latin1_as_utf8(bytes) {
        Some(Sniffed::Latin1)
    } else if utf16().is_some() {
        Some(Sniffed::Utf16)
    } else if contains(bytes, b"\xef\xbf\xbd") {
        Some(Sniffed::Replaced)
    } else if (1..bytes.len().min(MAX_BYTES + 1)).any(|end| is_signature(&bytes[..end])) {
        Some(Sniffed::TrailingBytes)
    } else if is_cut_off(bytes) {
        Some(Sniffed::CutOff)
    } else {
        None
    }
}

/// Reports whether only blanks follow a signature, which may itself end in a blank's byte.
fn ends_in_newline(bytes: &[u8]) -> bool {
    let blank = |byte: &u8| byte.is_ascii_whitespace();
    let most = bytes.len().saturating_sub(bytes.trim_ascii_end().len());
    (1..=most).any(|count| {
        let (signature, end) = bytes.split_at(bytes.len() - count);
        end.iter().all(blank) && is_signature(signature)
    })
}

fn is_crlf(bytes: &[u8]) -> bool {
    let mut unix = Vec::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        if (*byte, bytes.get(at + 1)) != (b'\r', Some(&b'\n')) {
            unix.push(*byte);
        }
    }
    unix.len() < bytes.len() && is_signature(&unix)
}

/// The characters of Windows-1252 in place of Latin-1's control characters, from 0x80 on; those
/// that it does not define are as in Latin-1.
const WINDOWS_1252: &str = "\u{20ac}\u{81}\u{201a}\u{192}\u{201e}\u{2026}\u{2020}\u{2021}\u{2c6}\u{2030}\u{160}\u{2039}\u{152}\u{8d}\u{17d}\u{8f}\
    \u{90}\u{2018}\u{2019}\u{201c}\u{201d}\u{2022}\u{2013}\u{2014}\u{2dc}\u{2122}\u{161}\u{203a}\u{153}\u{9d}\u{17e}\u{178}";

/// Reports whether the bytes are UTF-8 whose characters, as bytes, are a signature.
fn is_latin1_as_utf8(bytes: &[u8]) -> bool {
    let byte = |c: char| {
        let windows = || WINDOWS_1252.chars().position(|known| known == c);
        u8::try_from(c)
            .ok()
            .or_else(|| u8::try_from(0x80 + windows()?).ok())
    };
    let text = str::from_utf8(bytes).ok().filter(|text| !text.is_ascii());
    let original = text.and_then(|text| {
        text.trim_start_matches('\u{feff}')
            .chars()
            .map(byte)
            .collect::<Option<Vec<u8>>>()
    });
    original.is_some_and(|bytes| is_signature(&bytes) || is_signature(bytes.trim_ascii_end()))
}

/// Reports whether the bytes begin like a signature of a longer length, and are cut off.
fn is_cut_off(bytes: &[u8]) -> bool {
    match bytes {
        [0x30, length @ 0x44..=0x46, 0x02, 0x1f..=0x21, ..] => {
            bytes.len() < 2 + usize::from(*length)
        }
        _ => false,
    }
}

/// Recognizes a document that contains a signature.
fn document(bytes: &[u8]) -> Option<Sniffed> {
    let names: [&[u8]; 4] = [
        b"dev.sigstore.bundle",
        b"\"messageSignature\"",
        b"\"base64Signature\"",
        b"\"SignedEntryTimestamp\"",
    ];
    let is_bundle =
        format(bytes) == Some(Sniffed::Json) && names.iter().any(|name| contains(bytes, name));
    is_bundle.then_some(Sniffed::SigstoreBundle)
}

/// Recognizes a key or certificate in place of a signature.
fn key(bytes: &[u8]) -> Option<Sniffed> {
    let text = text(bytes);
    let is_pem = text.starts_with(b"-----BEGIN ");
    match Key::parse("", text) {
        Ok(_) => Some(Sniffed::PublicKey),
        Err(KeyError::PrivateKey) if is_pem || bytes.len() >= LEAST_PRIVATE_KEY => {
            Some(Sniffed::PrivateKey)
        }
        Err(KeyError::Certificate) => Some(Sniffed::Certificate),
        Err(KeyError::Pkcs1) => Some(Sniffed::PublicKey),
        Err(KeyError::Rsa { bits }) if bits >= LEAST_RSA => Some(Sniffed::PublicKey),
        Err(KeyError::OtherCurve(_) | KeyError::OtherAlgorithm(_) | KeyError::OpenSsh) => {
            Some(Sniffed::PublicKey)
        }
        Err(_)
            if text.starts_with(b"-----BEGIN PKCS7-----")
                || text.starts_with(b"-----BEGIN CMS-----") =>
        {
            Some(Sniffed::Pkcs7)
        }
        Err(_) if is_pem => Some(Sniffed::Pem),
        Err(_) => None,
    }
}

/// `id-signedData` (RFC 5652, 5.1), as DER.
const SIGNED_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";

/// Recognizes a signature by a key that is not a P-256 key.
fn other_signature(bytes: &[u8]) -> Option<Sniffed> {
    if bytes.first() == Some(&0x30)
        && bytes
            .get(..32)
            .is_some_and(|begin| contains(begin, SIGNED_DATA))
    {
        Some(Sniffed::Pkcs7)
    } else if is_two_integers(bytes) && bytes.len() > MAX_BYTES {
        Some(Sniffed::OtherCurve)
    } else if matches!(bytes.len(), 256 | 384 | 512)
        && !bytes.is_ascii()
        && bytes.first() != Some(&0x30)
    {
        Some(Sniffed::RsaSized)
    } else {
        None
    }
}

/// Reports whether the bytes are a SEQUENCE of two INTEGERs, like ECDSA signatures on every curve.
fn is_two_integers(bytes: &[u8]) -> bool {
    let content = match bytes {
        [0x30, length @ ..=0x7f, content @ ..] if usize::from(*length) == content.len() => content,
        [0x30, 0x81, length, content @ ..] if usize::from(*length) == content.len() => content,
        _ => return false,
    };
    let integer = |bytes: &[u8]| match bytes {
        [0x02, length @ 1..0x80, rest @ ..] => rest.get(usize::from(*length)..).map(<[u8]>::to_vec),
        _ => None,
    };
    integer(content)
        .and_then(|rest| integer(&rest))
        .is_some_and(|rest| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::hazmat::PrehashSigner;
    use proptest::prelude::*;

    /// A signature that is 70 bytes long, with a line feed in it.
    fn signature() -> Vec<u8> {
        let key = SigningKey::from_slice(&[1; 32]).unwrap();
        let made = |n: u32| {
            let digest = [&n.to_be_bytes()[..], &[7; 28]].concat();
            let signature: ecdsa::Signature = key.sign_prehash(&digest).unwrap();
            signature.to_der().as_bytes().to_vec()
        };
        (0..)
            .map(made)
            .find(|der| der.len() == 70 && der[..69].contains(&b'\n'))
            .unwrap()
    }

    fn hex(bytes: &[u8], separator: &str) -> String {
        let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.join(separator)
    }

    fn expect(cases: &[(Vec<u8>, Option<Sniffed>)]) {
        for (bytes, expected) in cases {
            assert_eq!(
                sniff(bytes),
                *expected,
                "{}",
                String::from_utf8_lossy(bytes)
            );
        }
    }

    #[test]
    fn a_signature_that_is_written_otherwise_is_called_what_it_is_written_in() {
        let der = signature();
        let base64 = BASE64.encode(&der);
        let (first, second) = base64.split_at(40);
        let url = base64.replace('+', "-").replace('/', "_");
        assert_ne!(url, base64, "the signature tells the alphabets apart");
        let bare = hex(&der, "");
        let cases = [
            (base64.clone(), Sniffed::Base64),
            (format!("{first}\r\n{second}\n"), Sniffed::Base64),
            (format!("\"{base64}\"\n"), Sniffed::Base64),
            (base64.trim_end_matches('=').to_owned(), Sniffed::Base64),
            (format!("\u{feff}{base64}"), Sniffed::Base64),
            (url.clone(), Sniffed::Base64Url),
            (url.trim_end_matches('=').to_owned(), Sniffed::Base64Url),
            (BASE64.encode(&base64), Sniffed::Base64Twice),
            (BASE64.encode(format!("{base64}\n")), Sniffed::Base64Twice),
            (bare.clone(), Sniffed::Hex),
            (bare.to_uppercase(), Sniffed::Hex),
            (hex(&der, " "), Sniffed::Hex),
            (
                format!("EC-SHA2-256(x.zst)= {bare}\n"),
                Sniffed::HexPrefixed,
            ),
            (
                format!("ECDSA-SHA256(x= y)= {bare}\n"),
                Sniffed::HexPrefixed,
            ),
            (
                format!("EC-SHA2-256(x)= {}\n", hex(&der, ":")),
                Sniffed::HexPrefixed,
            ),
            (format!("{bare} *x.zst\n"), Sniffed::HexPrefixed),
            (hex(&der, ":"), Sniffed::HexSeparated),
            (hex(&der, "-").to_uppercase(), Sniffed::HexSeparated),
            (hex(&der, ", "), Sniffed::HexSeparated),
            (format!("0x{bare}\n"), Sniffed::Hex0x),
            (format!("0x{}", hex(&der, ", 0x")), Sniffed::Hex0x),
            (
                format!(
                    "unsigned char s[] = {{\n  0x{}\n}};\nunsigned int s_len = 70;\n",
                    hex(&der, ", 0x")
                ),
                Sniffed::Hex0x,
            ),
            (format!("\\x{}", hex(&der, "\\x")), Sniffed::Hex0x),
        ];
        expect(&cases.map(|(text, looks)| (text.into_bytes(), Some(looks))));
    }

    #[test]
    fn a_dump_of_a_signature_is_known_in_every_form() {
        let der = signature();
        let dump = |line: &dyn Fn(usize, &[u8]) -> String| -> String {
            let lines = der.chunks(16).enumerate();
            lines.map(|(n, bytes)| line(n * 16, bytes) + "\n").collect()
        };
        let words = |bytes: &[u8], word: &dyn Fn(u8, u8) -> String| -> String {
            let pairs = bytes
                .chunks(2)
                .map(|pair| word(pair[0], pair.get(1).copied().unwrap_or(0)));
            pairs.collect::<Vec<_>>().join(" ")
        };
        let xxd = dump(&|at, bytes| {
            let shown: String = bytes
                .iter()
                .map(|b| {
                    if b.is_ascii_graphic() {
                        char::from(*b)
                    } else {
                        '.'
                    }
                })
                .collect();
            format!(
                "{at:08x}: {}  {shown}",
                words(bytes, &|a, b| format!("{a:02x}{b:02x}"))
            )
        });
        let canonical = dump(&|at, bytes| format!("{at:08x}  {}  |0E. deadbeef|", hex(bytes, " ")))
            + "00000046\n";
        let od = dump(&|at, bytes| format!("{at:07o} {}", hex(bytes, " "))) + "0000106\n";
        let little = dump(&|at, bytes| {
            format!(
                "{at:07x} {}",
                words(bytes, &|a, b| format!("{b:02x}{a:02x}"))
            )
        });
        let octal = dump(&|at, bytes| {
            format!(
                "{at:07o} {}",
                words(bytes, &|a, b| format!("{:06o}", u16::from_le_bytes([a, b])))
            )
        });
        for text in [xxd, canonical, od, little, octal] {
            assert_eq!(sniff(text.as_bytes()), Some(Sniffed::HexDump), "{text}");
        }
    }

    #[test]
    fn a_signature_that_was_altered_in_transfer_is_recognized_by_the_alteration() {
        let der = signature();
        let at = der.iter().position(|byte| *byte == b'\n').unwrap();
        let crlf = [&der[..at], b"\r", &der[at..]].concat();
        let as_text: String = der.iter().map(|byte| char::from(*byte)).collect();
        let windows: String = as_text
            .chars()
            .map(
                |c| match WINDOWS_1252.chars().nth((c as usize).wrapping_sub(0x80)) {
                    Some(other) => other,
                    None => c,
                },
            )
            .collect();
        let utf16: Vec<u8> = [0xfeff]
            .into_iter()
            .chain(BASE64.encode(&der).encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let big: Vec<u8> = as_text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let pair = ecdsa::Signature::from_der(&der)
            .unwrap()
            .to_bytes()
            .to_vec();
        expect(&[
            ([&der[..], b"\n"].concat(), Some(Sniffed::TrailingNewline)),
            (
                [&der[..], b"\r\n \n"].concat(),
                Some(Sniffed::TrailingNewline),
            ),
            ([&der[..], b"x"].concat(), Some(Sniffed::TrailingBytes)),
            ([&der[..], &[0; 80]].concat(), Some(Sniffed::TrailingBytes)),
            (crlf, Some(Sniffed::Crlf)),
            (as_text.into_bytes(), Some(Sniffed::Latin1)),
            (windows.into_bytes(), Some(Sniffed::Latin1)),
            (
                String::from_utf8_lossy(&der).into_owned().into_bytes(),
                Some(Sniffed::Replaced),
            ),
            (utf16, Some(Sniffed::Utf16)),
            (big, Some(Sniffed::Utf16)),
            (der[..69].to_vec(), Some(Sniffed::CutOff)),
            (der[..40].to_vec(), Some(Sniffed::CutOff)),
            (pair, Some(Sniffed::P1363)),
            (vec![0; 70], Some(Sniffed::Zeros)),
        ]);
    }

    #[test]
    fn what_is_no_signature_at_all_is_called_what_it_is() {
        let key = SigningKey::from_slice(&[1; 32]).unwrap();
        let public = p256::pkcs8::EncodePublicKey::to_public_key_der(key.verifying_key()).unwrap();
        let private = p256::pkcs8::EncodePrivateKey::to_pkcs8_der(&key).unwrap();
        let pem = |tag: &str, der: &[u8]| {
            let base64 = BASE64.encode(der);
            format!("-----BEGIN {tag}-----\n{base64}\n-----END {tag}-----\n").into_bytes()
        };
        let large = [&[0x30, 100, 2, 48][..], &[0x11; 48], &[2, 48], &[0x22; 48]].concat();
        expect(&[
            (
                pem("PUBLIC KEY", public.as_bytes()),
                Some(Sniffed::PublicKey),
            ),
            (public.as_bytes().to_vec(), Some(Sniffed::PublicKey)),
            (
                pem("PRIVATE KEY", private.as_bytes()),
                Some(Sniffed::PrivateKey),
            ),
            (private.as_bytes().to_vec(), Some(Sniffed::PrivateKey)),
            (pem("CERTIFICATE", &[0x30, 0]), Some(Sniffed::Certificate)),
            (pem("PKCS7", &[0x30, 0]), Some(Sniffed::Pkcs7)),
            (pem("SIGNATURE", &signature()), Some(Sniffed::Pem)),
            (b"ssh-rsa AAAA x@y".to_vec(), Some(Sniffed::PublicKey)),
            (
                b"-----BEGIN PGP SIGNATURE-----\n\nabc\n".to_vec(),
                Some(Sniffed::Pgp),
            ),
            (
                b"untrusted comment: signature from minisign\n".to_vec(),
                Some(Sniffed::Minisign),
            ),
            (
                b"{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\"}".to_vec(),
                Some(Sniffed::SigstoreBundle),
            ),
            (
                b"{\"base64Signature\":\"MEUC\",\"cert\":\"\"}".to_vec(),
                Some(Sniffed::SigstoreBundle),
            ),
            (b"{\"message\":\"Not Found\"}".to_vec(), Some(Sniffed::Json)),
            (
                b"<?xml version=\"1.0\"?><Error>".to_vec(),
                Some(Sniffed::Xml),
            ),
            (b"\n<!DOCTYPE html><title>404".to_vec(), Some(Sniffed::Html)),
            (
                b"version https://git-lfs.github.com/spec/v1\n".to_vec(),
                Some(Sniffed::GitLfs),
            ),
            (
                b"\x00\x05\x16\x07\0\x02\0\0".to_vec(),
                Some(Sniffed::AppleDouble),
            ),
            (b"\x1f\x8b\x08\0".to_vec(), Some(Sniffed::Gzip)),
            (b"\x28\xb5\x2f\xfd".to_vec(), Some(Sniffed::Zstd)),
            (b"404: Not Found\n".to_vec(), Some(Sniffed::Text)),
            (large, Some(Sniffed::OtherCurve)),
            (vec![0xab; 256], Some(Sniffed::RsaSized)),
            (b"MEUCIQDabc=\n".to_vec(), None),
            (vec![b'x'; 80], None),
            (b"\x30\x06\x02\x01\x00\x02\x01\x01".to_vec(), None),
            (b"\x30\x09\x02\x01\x01\x02\x01\x00".to_vec(), None),
            (b"\n".to_vec(), None),
            (Vec::new(), None),
        ]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            sniff(&bytes);
            signature_or_key(&bytes);
        }

        #[test]
        fn text_of_the_characters_of_dumps_is_looked_at_without_harm(text in "[0-9a-f:x\\\\ |>={}\n,-]{0,300}") {
            sniff(text.as_bytes());
        }
    }
}
