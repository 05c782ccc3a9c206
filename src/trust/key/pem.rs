//! Keys as PEM (RFC 7468), with any text around the block.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::KeyError;
use super::algorithm::Public;
use super::der::{from_der, rsa};
use crate::digest::Digest;

/// The dashes on either side of a label.
const DASHES: &str = "-----";

/// A PEM block.
struct Block<'a> {
    label: &'a str,
    contents: Vec<u8>,
}

/// Reads a text that contains exactly one block, a public key.
pub(super) fn from_pem(text: &[u8]) -> Result<(Digest, Public), KeyError> {
    match blocks(text)?.as_slice() {
        [] => Err(without_block(text)),
        [block] => from_block(block),
        // Fail closed: do not guess which of them is meant to be trusted.
        several => Err(KeyError::Several(several.len())),
    }
}

fn from_block(block: &Block<'_>) -> Result<(Digest, Public), KeyError> {
    match block.label {
        "PUBLIC KEY" => from_der(&block.contents),
        "RSA PUBLIC KEY" => Err(rsa(&block.contents)),
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => Err(KeyError::Certificate),
        other => Err(KeyError::OtherBlock(other.to_owned())),
    }
}

/// A line that begins or ends a block.
enum Boundary<'a> {
    Begin(&'a str),
    End(&'a str),
}

/// Returns all blocks of a text.
fn blocks(text: &[u8]) -> Result<Vec<Block<'_>>, KeyError> {
    let lines = text.split(|byte| *byte == b'\n');
    let lines = lines.map(|line| Ok((line, boundary(line)?)));
    let lines = lines.collect::<Result<Vec<_>, KeyError>>()?;
    let is_private = |boundary: &Option<Boundary<'_>>| match boundary {
        Some(Boundary::Begin(label) | Boundary::End(label)) => label.ends_with("PRIVATE KEY"),
        None => false,
    };
    if lines.iter().any(|(_, boundary)| is_private(boundary)) {
        return Err(KeyError::PrivateKey);
    }
    let mut blocks = Vec::new();
    let mut open: Option<(&str, Vec<u8>)> = None;
    for (line, boundary) in lines {
        match (boundary, &mut open) {
            (None, None) => {}
            // As in OpenSSL, a blank line ends a block's headers; headers are not accepted.
            (None, Some(_)) if line.trim_ascii().is_empty() => return Err(KeyError::DamagedPem),
            (None, Some((_, base64))) => base64.extend(without_blanks(line)),
            (Some(Boundary::Begin(label)), None) => open = Some((label, Vec::new())),
            (Some(Boundary::End(label)), Some((begun, base64))) if label == *begun => {
                // Fail closed: a header, which would mark the block as encrypted, is not base64.
                let contents = STANDARD.decode(base64).map_err(|_| KeyError::DamagedPem)?;
                blocks.push(Block { label, contents });
                open = None;
            }
            (Some(_), _) => return Err(KeyError::DamagedPem),
        }
    }
    // Fail closed: a block without an end may be truncated.
    open.map_or(Ok(blocks), |_| Err(KeyError::DamagedPem))
}

fn without_blanks(line: &[u8]) -> impl Iterator<Item = u8> {
    let bytes = line.iter().copied();
    bytes.filter(|byte| !byte.is_ascii_whitespace())
}

/// Returns the boundary on a line, if the line mentions one.
///
/// Fail closed: the line must contain nothing else (RFC 7468, 2). A key that is commented out must
/// not be trusted, and a lone carriage return, which many editors do not show as a line end, does
/// not end the comment (nor a line to OpenSSL).
fn boundary(line: &[u8]) -> Result<Option<Boundary<'_>>, KeyError> {
    if !mentions_boundary(line) {
        return Ok(None);
    }
    let line = str::from_utf8(line.trim_ascii_end()).map_err(|_| KeyError::DamagedPem)?;
    let label = |prefix: &str| {
        let label = line.strip_prefix(prefix)?.strip_suffix(DASHES)?;
        (!label.is_empty() && !label.contains(DASHES)).then_some(label)
    };
    let begin = label("-----BEGIN ").map(Boundary::Begin);
    let boundary = begin.or_else(|| label("-----END ").map(Boundary::End));
    boundary.ok_or(KeyError::DamagedPem).map(Some)
}

/// Reports whether a text contains something like a boundary.
pub(super) fn mentions_boundary(text: &[u8]) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, Vec<u8>)>, KeyError> {
        let blocks = blocks(text.as_bytes())?.into_iter();
        Ok(blocks
            .map(|block| (block.label.to_owned(), block.contents))
            .collect())
    }

    #[test]
    fn a_block_is_read_regardless_of_the_text_around_it_and_its_line_ends() {
        for text in [
            "-----BEGIN A-----\nMAA=\n-----END A-----",
            "of the vendor\r\n-----BEGIN A-----\r\nMA\r\nA=\r\n-----END A-----\r\nmore\n",
            "-----BEGIN A----- \n MAA= \n-----END A-----\t\n",
        ] {
            assert_eq!(
                read(text),
                Ok(vec![("A".to_owned(), vec![0x30, 0])]),
                "{text}"
            );
        }
        assert_eq!(read("no key"), Ok(Vec::new()));
    }

    #[test]
    fn a_block_that_is_not_whole_or_not_base64_is_damaged() {
        for text in [
            "-----BEGIN A-----\nMAA=\n",
            "MAA=\n-----END A-----\n",
            "-----BEGIN A-----\nMAA=\n-----END B-----\n",
            "-----BEGIN A-----\nMAA\n-----END A-----\n",
            "-----BEGIN A-----\nMAA=MAA=\n-----END A-----\n",
            "-----BEGIN A-----\n\nMAA=\n-----END A-----\n",
            "-----BEGIN A-----\nMA\n\nA=\n-----END A-----\n",
            "-----BEGIN A-----\nMAA=\n \n-----END A-----\n",
            "-----BEGIN A-----\nDEK-Info: x\n\nMAA=\n-----END A-----\n",
            "-----BEGIN A-----\n-----BEGIN A-----\nMAA=\n-----END A-----\n",
            "# -----BEGIN A-----\nMAA=\n-----END A-----\n",
            "-----BEGIN A----- x\nMAA=\n-----END A-----\n",
            "-----BEGIN -----\nMAA=\n-----END -----\n",
            "-----BEGIN A-----\rMAA=\r-----END A-----\r",
            "-----BEGIN A-----MAA=-----END A-----",
            "-----BEGIN A-----\nMA\u{a0}A=\n-----END A-----\n",
        ] {
            assert_eq!(read(text), Err(KeyError::DamagedPem), "{text}");
        }
    }
}
