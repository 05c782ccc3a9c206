//! Bundles made by hand for this room's tests, and their members.

use std::io::Read;

use ruzstd::decoding::FrameDecoder;

use super::{BundleError, Contents, Defect, Entry, Limits, Member, probe};
use crate::digest::Digest;

pub(super) fn read_with(
    input: impl std::io::BufRead,
    limits: Limits,
) -> (Vec<Member>, Result<Contents, Defect>) {
    let (members, contents) = probe::read_from(input, limits);
    let contents = contents.map_err(|fault| match fault {
        BundleError::Defect(defect) => defect,
        fault => panic!("{fault:?}"),
    });
    (members, contents)
}

/// The members of a bundle, and what it is.
pub(super) fn read(bundle: &[u8]) -> (Vec<Member>, Result<Contents, Defect>) {
    read_with(bundle, Limits::default())
}

/// Why a bundle is defective.
pub(super) fn defect(bundle: &[u8]) -> Defect {
    read(bundle).1.unwrap_err()
}

pub(super) fn file(path: &str, content: &[u8]) -> Member {
    let is_text = matches!(content.first(), Some(b'{' | b'['));
    Member {
        path: path.into(),
        entry: Entry::File {
            digest: Digest::of(content),
            size: content.len() as u64,
            text: is_text.then(|| content.to_vec()),
        },
    }
}

/// An archive of these files, by another hand.
pub(super) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, path, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A frame of zstd: descriptor, window, dictionary and size as given, raw blocks, a checksum.
pub(super) struct Frame<'a> {
    pub(super) content: &'a [u8],
    pub(super) window: u8,
    pub(super) dictionary: &'a [u8],
    pub(super) size: Option<u64>,
    pub(super) has_checksum: bool,
}

impl<'a> Frame<'a> {
    pub(super) fn of(content: &'a [u8]) -> Frame<'a> {
        Frame {
            content,
            // 1 MiB.
            window: 10 << 3,
            dictionary: &[],
            size: None,
            has_checksum: true,
        }
    }

    fn without_checksum(&self) -> Vec<u8> {
        let dictionary = [0, 1, 2, 0, 3][self.dictionary.len()];
        let mut bytes = super::zstd::MAGIC.to_vec();
        bytes.push(dictionary | if self.size.is_some() { 0xc0 } else { 0 });
        bytes.push(self.window);
        bytes.extend(self.dictionary);
        bytes.extend(self.size.iter().flat_map(|size| size.to_le_bytes()));
        let mut blocks = self.content.chunks(128 * 1024).peekable();
        loop {
            let block = blocks.next().unwrap_or_default();
            let is_last = blocks.peek().is_none();
            let header = (block.len() as u32) << 3 | u32::from(is_last);
            bytes.extend(&header.to_le_bytes()[..3]);
            bytes.extend(block);
            if is_last {
                return bytes;
            }
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.without_checksum();
        if self.has_checksum {
            bytes[4] |= 4;
            bytes.extend(checksum(self.content));
        }
        bytes
    }
}

/// The lower 32 bits of XXH64, which the decoder computes.
fn checksum(content: &[u8]) -> [u8; 4] {
    let frame = Frame {
        has_checksum: false,
        ..Frame::of(content)
    };
    let bytes = frame.without_checksum();
    let mut input = bytes.as_slice();
    let mut decoder = FrameDecoder::new();
    decoder.reset(&mut input).unwrap();
    let all = ruzstd::decoding::BlockDecodingStrategy::All;
    decoder.decode_blocks(&mut input, all).unwrap();
    let mut out = Vec::new();
    decoder.read_to_end(&mut out).unwrap();
    assert_eq!(out, content);
    decoder.get_calculated_checksum().unwrap().to_le_bytes()
}

/// A skippable frame.
pub(super) fn skippable(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_le_bytes();
    [&[0x5a, 0x2a, 0x4d, 0x18], &length[..], content].concat()
}

pub(super) fn gzip(content: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let level = flate2::Compression::fast();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Reads in pieces of these lengths, over and over.
pub(super) struct Chopped<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) lengths: Vec<usize>,
    pub(super) at: usize,
}

impl Read for Chopped<'_> {
    fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
        use std::io::BufRead;
        let count = self.fill_buf()?.read(target)?;
        self.consume(count);
        Ok(count)
    }
}

impl std::io::BufRead for Chopped<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        let length = self.lengths[self.at % self.lengths.len()];
        // The beginning is whole, as a file's first chunk is.
        let length = if self.at == 0 { 8 } else { length };
        Ok(&self.bytes[..length.min(self.bytes.len())])
    }

    fn consume(&mut self, count: usize) {
        self.bytes = &self.bytes[count..];
        self.at += 1;
    }
}
