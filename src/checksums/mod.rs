//! Checksum lists: the texts that `sha256sum`, `shasum`, `cksum`, BSD's `sha256` and `openssl dgst`
//! print. Pure: bytes in, names and digests out. Who vouches for a list is decided elsewhere.

mod line;
mod name;

use std::collections::BTreeMap;

use thiserror::Error;

use crate::trust::listed::{Sum, Unusable};
use line::{Line, Said};

pub use name::below;

/// Longest list that is read, in bytes: half a million names of usual length.
pub const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// A checksum list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// The files that it names, each once, in bytewise order of their names.
    pub entries: Vec<Entry>,
}

/// A file that a list names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path as the list has it, without `./`, repeated `/` and escapes.
    pub name: Vec<u8>,
    /// What its content must have, all of it.
    pub sums: Result<Box<[Sum]>, Unusable>,
}

/// Why a text cannot be used as a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ListError {
    /// No line is one of a list.
    #[error("it lists nothing")]
    NotAList,
    /// It is a text with an OpenPGP signature inside (RFC 9580, section 7).
    #[error("it is signed inside, by OpenPGP")]
    ClearSigned,
    /// One line is not what a list has, among others that are.
    #[error("line {0} is not a line of a checksum list")]
    Line(u64),
}

/// The first line of a text that is signed inside.
const CLEAR_SIGNED: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";

/// UTF-8 byte order mark, which editors on Windows write at the start of a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl List {
    /// Reads a list: the forms of coreutils' `sha256sum --check`, with comments (`#`), empty lines
    /// and CR LF at line ends.
    ///
    /// # Errors
    /// Fail closed: one line that cannot be read makes the whole list useless, since it may name a
    /// file that is missing.
    pub fn parse(text: &[u8]) -> Result<List, ListError> {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        if text.starts_with(CLEAR_SIGNED) {
            return Err(ListError::ClearSigned);
        }
        let mut files: BTreeMap<Vec<u8>, Stated> = BTreeMap::new();
        let (mut first_unreadable, mut form) = (None, None);
        for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
            match Line::parse(line, &mut form) {
                Line::Nothing => {}
                Line::Unreadable => first_unreadable = first_unreadable.or(Some(number)),
                Line::File { name, sum } => {
                    files.entry(name).or_default().add(sum);
                }
            }
        }
        match first_unreadable {
            _ if files.is_empty() => Err(ListError::NotAList),
            Some(number) => Err(ListError::Line(number)),
            None => Ok(List {
                entries: files.into_iter().map(Stated::entry).collect(),
            }),
        }
    }
}

/// What the lines say of one file.
#[derive(Default)]
struct Stated {
    sums: Vec<Sum>,
    is_contradicted: bool,
}

impl Stated {
    fn add(&mut self, said: Said) {
        // A digest of another kind says nothing that counts; the file needs one that does.
        let Said::Sum(sum) = said else {
            return;
        };
        let same = |other: &&Sum| other.algorithm() == sum.algorithm();
        match self.sums.iter().find(same) {
            None => self.sums.push(sum),
            Some(other) => self.is_contradicted |= *other != sum,
        }
    }

    fn entry((name, stated): (Vec<u8>, Stated)) -> Entry {
        let sums = if stated.is_contradicted {
            // Fail closed: which of two digests is meant is not guessed.
            Err(Unusable::TwoDigests)
        } else if stated.sums.is_empty() {
            Err(Unusable::NoDigest)
        } else {
            Ok(stated.sums.into())
        };
        Entry { name, sums }
    }
}

#[cfg(test)]
mod tests;
