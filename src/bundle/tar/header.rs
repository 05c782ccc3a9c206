//! The header block of a member (POSIX.1-2024, pax, "ustar Interchange Format", and the GNU
//! variant), read strictly: what programs understand differently is refused.

use crate::bundle::Defect;
pub(super) use crate::text::tar_header::BLOCK;
use crate::text::tar_header::{may_be_header, sum};

pub(super) type Block = [u8; BLOCK];

/// The fields used, as ranges of the block.
mod field {
    use std::ops::Range;

    pub(super) const NAME: Range<usize> = 0..100;
    pub(super) const SIZE: Range<usize> = 124..136;
    pub(super) const CHECKSUM: Range<usize> = 148..156;
    pub(super) const KIND: usize = 156;
    pub(super) const LINK: Range<usize> = 157..257;
    /// Magic and version.
    pub(super) const MAGIC: Range<usize> = 257..265;
    pub(super) const PREFIX: Range<usize> = 345..500;
    /// Of star's headers: they have a shorter prefix, and times behind it.
    pub(super) const TRAILER: Range<usize> = 508..512;
}

/// Magic and version of ustar, whose names may continue in the prefix.
const USTAR: &[u8] = b"ustar\x0000";

/// The first bytes of the magic of ustar and of GNU's variant.
const ANY_USTAR: &[u8] = b"ustar";
/// The trailer of star's headers.
const STAR: &[u8] = b"tar\0";

/// What a header describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    HardLink,
    SymbolicLink,
    Directory,
    /// A device or a FIFO.
    Special,
    /// GNU: a sparse file.
    Sparse,
    /// GNU: the name of the next member.
    LongName,
    /// GNU: the link target of the next member.
    LongLink,
    /// pax: records for the next member.
    Extended,
    /// pax: records for all members that follow.
    Global,
}

/// A header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) name: Vec<u8>,
    pub(super) link: Vec<u8>,
    /// Bytes of content.
    pub(super) size: u64,
}

/// Reports whether the block is a header: its checksum is right.
fn is_header(block: &Block) -> bool {
    let sum = sum(block, i64::from);
    number(&block[field::CHECKSUM]).is_ok_and(|claimed| i64::try_from(claimed) == Ok(sum))
}

/// Reports whether some program may take the block for a header: its checksum may be right, or it
/// has the magic.
///
/// Fail closed: what begins so is an archive, if only a damaged one, and not other data.
pub(super) fn is_like_header(block: &Block) -> bool {
    may_be_header(block) || block[field::MAGIC].starts_with(ANY_USTAR)
}

impl Header {
    /// Parses a block.
    ///
    /// # Errors
    /// [`Defect::BadHeader`].
    pub(super) fn parse(block: &Block) -> Result<Header, Defect> {
        if !is_header(block) {
            return Err(Defect::BadHeader("its checksum does not match"));
        }
        let kind = kind(block[field::KIND])?;
        let header = Header {
            kind,
            name: name(block)?,
            link: text(&block[field::LINK]).to_owned(),
            size: number(&block[field::SIZE])?,
        };
        let has_no_content = matches!(
            kind,
            Kind::HardLink | Kind::SymbolicLink | Kind::Directory | Kind::Special
        );
        // Fail closed: some programs pass over such content, others take it for headers.
        if has_no_content && header.size > 0 {
            return Err(Defect::BadHeader("content where there can be none"));
        }
        Ok(header)
    }
}

fn kind(byte: u8) -> Result<Kind, Defect> {
    Ok(match byte {
        // 7 is a contiguous file, which POSIX treats as a regular one.
        b'0' | 0 | b'7' => Kind::File,
        b'1' => Kind::HardLink,
        b'2' => Kind::SymbolicLink,
        b'3' | b'4' | b'6' => Kind::Special,
        b'5' => Kind::Directory,
        b'S' => Kind::Sparse,
        b'L' => Kind::LongName,
        b'K' => Kind::LongLink,
        b'x' => Kind::Extended,
        b'g' => Kind::Global,
        // Fail closed: others may take it for a file.
        _ => return Err(Defect::BadHeader("a kind of member that is not known")),
    })
}

fn name(block: &Block) -> Result<Vec<u8>, Defect> {
    let name = text(&block[field::NAME]);
    let prefix = text(&block[field::PREFIX]);
    if prefix.is_empty() {
        return Ok(name.to_owned());
    }
    let is_star = block[field::TRAILER] == *STAR;
    // Fail closed: GNU tar, Go and Python have different rules for whether it is there, and star
    // for where it ends.
    if block[field::MAGIC] != *USTAR || is_star {
        let why = "programs differ in whether its name has a prefix";
        return Err(Defect::BadHeader(why));
    }
    Ok([prefix, name].join(&b'/'))
}

/// Returns the bytes up to the first zero.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Parses a number: octal digits, or with the first bit set, GNU's base 256.
fn number(field: &[u8]) -> Result<u64, Defect> {
    match field.split_first() {
        Some((first, rest)) if first & 0x80 != 0 => binary(first & 0x7f, rest),
        _ => octal(field),
    }
}

/// Parses blanks, octal digits, and blanks or zeros to the end.
fn octal(field: &[u8]) -> Result<u64, Defect> {
    const INVALID: Defect = Defect::BadHeader("a number is invalid");
    let start = field.iter().position(|byte| *byte != b' ');
    let digits = field.get(start.unwrap_or_default()..).unwrap_or_default();
    let is_end = |byte: &u8| matches!(byte, b' ' | 0);
    let end = digits.iter().position(is_end).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    let is_octal = digits.iter().all(|byte| matches!(byte, b'0'..=b'7'));
    if digits.is_empty() || !is_octal || !rest.iter().all(is_end) {
        return Err(INVALID);
    }
    // At most 12 digits of 3 bits.
    Ok(digits
        .iter()
        .fold(0, |sum, digit| sum << 3 | u64::from(digit - b'0')))
}

fn binary(first: u8, rest: &[u8]) -> Result<u64, Defect> {
    let add = |sum: u64, byte: &u8| {
        let sum = sum.checked_mul(256)?;
        sum.checked_add(u64::from(*byte))
    };
    rest.iter()
        .try_fold(u64::from(first), add)
        .ok_or(Defect::BadHeader("a number is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_octal_or_base_256_and_nothing_else() {
        const INVALID: Result<u64, Defect> = Err(Defect::BadHeader("a number is invalid"));
        for (field, value) in [
            (&b"00000000017\0"[..], Ok(15)),
            (b"        17 \0", Ok(15)),
            (b"777777777777", Ok(0o777_777_777_777)),
            (b"0\0          ", Ok(0)),
            (b"\x80\0\0\0\0\0\0\x02\0\0\0\0", Ok(1 << 33)),
            (b"+0000000017\0", INVALID),
            (b"0000000001\x008", INVALID),
            (b"00000000018\0", INVALID),
            (b"\0\0\0\0\0\0\0\0\0\0\0\0", INVALID),
            (b"            ", INVALID),
            (b"1 1         ", INVALID),
        ] {
            assert_eq!(number(field), value, "{field:?}");
        }
        // A negative number of GNU tar.
        let large = Err(Defect::BadHeader("a number is too large"));
        assert_eq!(number(&[0xff; 12]), large);
    }
}
