//! Zstandard (RFC 8878): any number of frames and skippable frames, one after another.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::window::Share;
use super::{Defect, WindowBudget};

/// The magic number of a frame.
pub(super) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The common bytes of the magic numbers of skippable frames, which end the number; the first byte
/// is 0x50 to 0x5f.
const SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];

/// The last three bytes of the magic numbers of zstd 0.2 to 0.7, whose first byte is 0x22 to 0x27,
/// and the magic number of zstd 0.1.
const LEGACY: ([u8; 3], [u8; 4]) = ([0xb5, 0x2f, 0xfd], [0xfd, 0x2f, 0xb5, 0x1e]);

/// Maximum length of a frame header in bytes, its magic number included (3.1.1.1).
const LONGEST_HEADER: usize = 18;

/// What four bytes at the beginning of a frame say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Magic {
    Frame,
    Skippable,
    Legacy,
    Unknown,
}

impl Magic {
    pub(super) fn of(bytes: [u8; 4]) -> Magic {
        let [first, rest @ ..] = bytes;
        match first {
            _ if bytes == MAGIC => Magic::Frame,
            0x50..=0x5f if rest == SKIPPABLE => Magic::Skippable,
            0x22..=0x27 if rest == LEGACY.0 => Magic::Legacy,
            _ if bytes == LEGACY.1 => Magic::Legacy,
            _ => Magic::Unknown,
        }
    }
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    /// The window in bytes.
    window: u64,
    /// The declared size of the content.
    size: Option<u64>,
    has_checksum: bool,
}

/// Decompressed bytes.
pub(super) struct Zstd<'a, R> {
    input: R,
    max_window: u64,
    budget: WindowBudget,
    is_abandoned: &'a dyn Fn() -> bool,
    decoder: Option<FrameDecoder>,
    /// The frame being read.
    frame: Option<Frame>,
}

struct Frame {
    header: Header,
    /// Bytes of its content so far.
    produced: u64,
    share: Share,
}

impl<'a, R: BufRead> Zstd<'a, R> {
    /// Returns the content of the frames that `input` begins with. `is_abandoned` ends the wait for
    /// a share of the budget.
    pub(super) fn new(
        input: R,
        max_window: u64,
        budget: WindowBudget,
        is_abandoned: &'a dyn Fn() -> bool,
    ) -> Zstd<'a, R> {
        Zstd {
            input,
            max_window,
            budget,
            is_abandoned,
            decoder: None,
            frame: None,
        }
    }

    /// Begins the next frame with content. Returns false at the end of the input.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            if self.input.fill_buf()?.is_empty() {
                return Ok(false);
            }
            let mut bytes = [0; LONGEST_HEADER];
            let (magic, rest) = bytes.split_at_mut(4);
            read_exact(&mut self.input, magic)?;
            match Magic::of([magic[0], magic[1], magic[2], magic[3]]) {
                Magic::Frame => {
                    let length = read_header(&mut self.input, rest)?;
                    self.start(bytes.get(..4 + length).unwrap_or_default())?;
                    return Ok(true);
                }
                Magic::Skippable => self.skip()?,
                Magic::Legacy => return Err(Defect::Legacy.into()),
                Magic::Unknown => return Err(Defect::TrailingData.into()),
            }
        }
    }

    fn start(&mut self, header: &[u8]) -> io::Result<()> {
        let parsed = parse(header.get(4..).unwrap_or_default())?;
        if parsed.window > self.max_window {
            let needed = parsed.window;
            return Err(Defect::WindowTooLarge { needed }.into());
        }
        let share = self.budget.acquire(parsed.window, self.is_abandoned);
        let share = share.ok_or(super::BundleError::Abandoned)?;
        let decoder = self.decoder.get_or_insert_default();
        decoder.set_max_window_size(self.max_window);
        decoder.reset(header).map_err(damaged)?;
        self.frame = Some(Frame {
            header: parsed,
            produced: 0,
            share,
        });
        Ok(())
    }

    /// Passes over a skippable frame: four bytes of length, and as many as that says (3.1.2).
    fn skip(&mut self) -> io::Result<()> {
        let mut length = [0; 4];
        read_exact(&mut self.input, &mut length)?;
        let mut left = u32::from_le_bytes(length) as usize;
        while left > 0 {
            let count = self.input.fill_buf()?.len().min(left);
            if count == 0 {
                return Err(Defect::Truncated.into());
            }
            self.input.consume(count);
            left -= count;
        }
        Ok(())
    }

    /// Ends the frame whose content has been read.
    fn finish(&mut self) -> io::Result<()> {
        let Some(frame) = self.frame.take() else {
            return Ok(());
        };
        if frame.header.size.is_some_and(|size| size != frame.produced) {
            return Err(Defect::Damaged("a frame is not as long as it says".into()).into());
        }
        if let Some(decoder) = &self.decoder
            && frame.header.has_checksum
            && decoder.get_checksum_from_data() != decoder.get_calculated_checksum()
        {
            return Err(Defect::Checksum.into());
        }
        if frame.share.is_large() {
            self.decoder = None;
        }
        Ok(())
    }

    /// Reads from the current frame; nothing at its end.
    fn read_frame(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let (Some(frame), Some(decoder)) = (&mut self.frame, &mut self.decoder) else {
            return Ok(0);
        };
        loop {
            let count = decoder.read(target)?;
            frame.produced += count as u64;
            if count > 0 || decoder.is_finished() {
                return Ok(count);
            }
            let mut input = KeepsError::new(&mut self.input);
            let decoded = decoder.decode_blocks(&mut input, BlockDecodingStrategy::UptoBlocks(1));
            if let Err(error) = decoded {
                return Err(input.cause(|| damaged(error)));
            }
        }
    }
}

impl<R: BufRead> Read for Zstd<'_, R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if target.is_empty() {
            return Ok(0);
        }
        loop {
            if self.frame.is_none() && !self.begin()? {
                return Ok(0);
            }
            match self.read_frame(target)? {
                0 => self.finish()?,
                count => return Ok(count),
            }
        }
    }
}

fn damaged(error: impl std::fmt::Display) -> io::Error {
    Defect::Damaged(error.to_string()).into()
}

fn read_exact(input: &mut impl Read, target: &mut [u8]) -> io::Result<()> {
    input
        .read_exact(target)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Defect::Truncated.into(),
            _ => error,
        })
}

/// Returns the number of bytes of a dictionary's number (3.1.1.1.1.6).
fn dictionary_length(descriptor: u8) -> usize {
    [0, 1, 2, 4][usize::from(descriptor & 3)]
}

/// Returns the number of bytes of the content's size (3.1.1.1.1.1).
fn size_length(descriptor: u8) -> usize {
    match descriptor >> 6 {
        0 => usize::from(is_single_segment(descriptor)),
        flag => 1 << flag,
    }
}

fn is_single_segment(descriptor: u8) -> bool {
    descriptor & 0x20 != 0
}

/// Reads a frame header without its magic number into the beginning of `target`, and returns its
/// length.
fn read_header(input: &mut impl Read, target: &mut [u8]) -> io::Result<usize> {
    let (descriptor, rest) = target.split_at_mut(1);
    read_exact(input, descriptor)?;
    let descriptor = descriptor[0];
    let window = usize::from(!is_single_segment(descriptor));
    let length = window + dictionary_length(descriptor) + size_length(descriptor);
    read_exact(input, rest.get_mut(..length).unwrap_or_default())?;
    Ok(1 + length)
}

/// Parses a frame header without its magic number (3.1.1.1).
fn parse(header: &[u8]) -> Result<Header, Defect> {
    let (descriptor, rest) = header.split_first().ok_or(Defect::Truncated)?;
    // A decoder must refuse a frame with this bit, which has no meaning yet (3.1.1.1.1.4).
    if descriptor & 0x08 != 0 {
        return Err(Defect::Damaged("a reserved bit is set".into()));
    }
    let (window, rest) = rest.split_at(usize::from(!is_single_segment(*descriptor)));
    let (dictionary, size) = rest.split_at(dictionary_length(*descriptor));
    if dictionary.iter().any(|byte| *byte != 0) {
        return Err(Defect::Dictionary);
    }
    let size = number(size).map(|number| match size.len() {
        2 => number + 256,
        _ => number,
    });
    let window = match window.first() {
        Some(byte) => {
            let base = 1_u64 << (10 + (byte >> 3));
            base + base / 8 * u64::from(byte & 7)
        }
        None => size.unwrap_or_default(),
    };
    Ok(Header {
        window,
        size,
        has_checksum: descriptor & 0x04 != 0,
    })
}

/// Returns a little-endian number; none without bytes.
fn number(bytes: &[u8]) -> Option<u64> {
    let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    (!bytes.is_empty()).then(|| bytes.iter().rev().fold(0, add))
}

/// Notes why the input of the decoder failed, since the decoder's errors hide it.
struct KeepsError<R> {
    input: R,
    error: Option<io::Error>,
    has_ended: bool,
}

impl<R> KeepsError<R> {
    fn new(input: R) -> KeepsError<R> {
        KeepsError {
            input,
            error: None,
            has_ended: false,
        }
    }

    /// Returns the input's own error, or the truncation that it met, or else what the decoder says.
    fn cause(&mut self, says: impl FnOnce() -> io::Error) -> io::Error {
        match self.error.take() {
            Some(error) => error,
            None if self.has_ended => Defect::Truncated.into(),
            None => says(),
        }
    }
}

impl<R: Read> Read for KeepsError<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        match self.input.read(target) {
            Ok(0) => {
                self.has_ended |= !target.is_empty();
                Ok(0)
            }
            Err(error) => {
                self.error = Some(error);
                Err(io::Error::other("see the input"))
            }
            count => count,
        }
    }
}
