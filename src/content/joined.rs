//! Reads one or more files as one: an artifact in a single file, or in the parts that it was split
//! into.

use std::io;
use std::path::Path;

use super::{Content, ReadError, Reading, Stamp};
use crate::files::SharedPath;

/// Minimum number of bytes handed out at a time, except at the end: one SHA-256 block (FIPS 180-4,
/// 5.2.1).
const BLOCK: usize = 64;

/// An open artifact, read once from its beginning to its end.
#[derive(Debug)]
pub struct Joined {
    /// The part being read; the last one if `waiting` is zero.
    content: Content,
    /// The parts in order, each with its stamp at the start.
    parts: Vec<(SharedPath, Stamp)>,
    /// Number of parts opened so far.
    opened: usize,
    /// Number of bytes to read from a block device, which reports a size of zero.
    device_length: Option<u64>,
    reading: Reading,
    /// Total bytes of the parts not yet opened.
    waiting: u64,
    /// The bytes around the border of two parts that do not fill a block in either; at most one
    /// block.
    border: Vec<u8>,
    /// Whether the border is read next.
    is_at_border: bool,
}

impl Joined {
    /// Opens the file at `path`, or its `parts` in order, if there are any. Only one part is open
    /// at a time.
    ///
    /// # Errors
    /// Those of [`super::open_regular`], and of stat(2) for the parts not yet opened.
    pub fn open(path: &Path, parts: &[SharedPath], reading: Reading) -> Result<Joined, ReadError> {
        let first = parts.first().map(SharedPath::to_path_buf);
        let content = Content::open(first.as_deref().unwrap_or(path), reading)?;
        let mut all = Vec::with_capacity(parts.len());
        for (at, part) in parts.iter().enumerate() {
            let stamp = if at == 0 {
                *content.stamp()
            } else {
                Stamp::at(&part.to_path_buf())?
            };
            all.push((part.clone(), stamp));
        }
        let sizes = all.iter().skip(1).map(|(_, stamp)| stamp.size());
        Ok(Joined {
            waiting: sizes.fold(0, u64::saturating_add),
            content,
            parts: all,
            opened: 1,
            device_length: None,
            reading,
            border: Vec::new(),
            is_at_border: false,
        })
    }

    /// Opens the block device at `path` to read its first `length` bytes.
    ///
    /// # Errors
    /// Those of [`super::device::open`].
    pub fn open_device(path: &Path, length: u64, reading: Reading) -> Result<Joined, ReadError> {
        Ok(Joined {
            content: Content::open_device(path, length, reading)?,
            parts: Vec::new(),
            opened: 1,
            device_length: Some(length),
            reading,
            waiting: 0,
            border: Vec::new(),
            is_at_border: false,
        })
    }

    /// Returns the stamp of the file at the time it was opened, if it is one regular file and every
    /// later change shows in it.
    pub fn lasting_stamp(&self) -> Option<&Stamp> {
        let is_one = self.parts.is_empty() && self.device_length.is_none();
        (is_one && self.content.is_settled()).then(|| self.content.stamp())
    }

    /// Returns the total size in bytes.
    pub fn size(&self) -> u64 {
        let sizes = self.parts.iter().map(|(_, stamp)| stamp.size());
        if self.parts.is_empty() {
            self.content.stamp().size()
        } else {
            sizes.fold(0, u64::saturating_add)
        }
    }

    /// Returns the number of bytes not yet consumed.
    pub fn left(&self) -> u64 {
        (self.content.left() + self.border.len() as u64).saturating_add(self.waiting)
    }

    /// Returns the unconsumed bytes in memory: none before the first [`Joined::fill`] and at the
    /// end.
    pub fn unread(&self) -> &[u8] {
        if self.is_at_border {
            &self.border
        } else {
            self.content.unread()
        }
    }

    /// Marks the next `count` bytes as consumed.
    pub fn consume(&mut self, count: usize) {
        if self.is_at_border {
            self.border.drain(..count);
            self.is_at_border = !self.border.is_empty();
        } else {
            self.content.consume(count);
        }
    }

    /// Brings in the next bytes if none are left. If fewer than a block are unread afterwards, they
    /// are the last.
    ///
    /// # Errors
    /// Those of [`Content::fill`]; [`ReadError::Changed`] if a part has changed since the first was
    /// opened.
    pub fn fill(&mut self) -> Result<(), ReadError> {
        while !self.is_at_border {
            // Fail closed: this fails if the previous window is damaged, so nothing copied from it
            // can end up in a digest.
            self.content.fill()?;
            let unread = self.content.unread();
            let is_last_part = self.opened >= self.parts.len();
            if unread.is_empty() {
                if is_last_part {
                    self.is_at_border = !self.border.is_empty();
                    return Ok(());
                }
                self.open_next()?;
                continue;
            }
            let is_end = is_last_part && self.content.left() == unread.len() as u64;
            if self.border.is_empty() && (unread.len() >= BLOCK || is_end) {
                return Ok(());
            }
            let count = unread.len().min(BLOCK - self.border.len());
            self.border.extend_from_slice(&unread[..count]);
            self.content.consume(count);
            self.is_at_border = self.border.len() == BLOCK;
        }
        Ok(())
    }

    /// Requests the next bytes of the part being read, and waits for none.
    pub fn request(&mut self) {
        if !self.is_at_border {
            self.content.request();
        }
    }

    /// Reports whether every byte was requested from the device, or read.
    pub fn is_requested(&self) -> bool {
        self.opened >= self.parts.len() && self.content.is_requested()
    }

    fn open_next(&mut self) -> Result<(), ReadError> {
        let (path, stamp) = &self.parts[self.opened];
        let content = Content::open(&path.to_path_buf(), self.reading)?;
        // Fail closed: a part replaced meanwhile may belong to another artifact.
        if content.stamp() != stamp {
            return Err(ReadError::Changed);
        }
        self.waiting = self.waiting.saturating_sub(stamp.size());
        self.opened += 1;
        self.content = content;
        Ok(())
    }

    /// Reports whether `path`, or the path of every part, still leads to the file that was read,
    /// unchanged.
    ///
    /// Fail closed: this detects a file that was written to, one that was replaced, and another
    /// name that no longer leads here.
    pub fn is_unchanged(&self, path: &Path) -> bool {
        let as_read = |now: Stamp| Stamp {
            size: self.device_length.unwrap_or(now.size),
            ..now
        };
        let is_at =
            |path: &Path, stamp: &Stamp| Stamp::at(path).is_ok_and(|now| as_read(now) == *stamp);
        if self.parts.is_empty() {
            is_at(path, self.content.stamp())
        } else {
            self.parts
                .iter()
                .all(|(part, stamp)| is_at(&part.to_path_buf(), stamp))
        }
    }

    /// Returns at most the first `most` bytes, all from the first part, independent of the reading
    /// position.
    ///
    /// # Errors
    /// Those of open(2) and pread(2).
    pub fn beginning(&self, most: usize) -> io::Result<Vec<u8>> {
        match self.parts.first() {
            Some((first, _)) if self.opened > 1 => {
                let content =
                    Content::open(&first.to_path_buf(), self.reading).map_err(io::Error::other)?;
                content.beginning(most)
            }
            _ => self.content.beginning(most),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::IoMode;
    use std::fs;

    fn reading(io: IoMode) -> Reading {
        Reading {
            settles: false,
            io,
            window: 65536,
            ahead: 65536,
            spare_core: false,
            direct: false,
        }
    }

    fn byte(n: usize) -> u8 {
        (n * 31 + n / 251) as u8
    }

    /// Writes parts of these sizes; their bytes continue from one to the next.
    fn parts(directory: &Path, sizes: &[usize]) -> (Vec<SharedPath>, Vec<u8>) {
        let mut whole = Vec::new();
        let mut paths = Vec::new();
        for (number, size) in sizes.iter().enumerate() {
            let path = directory.join(number.to_string());
            let bytes: Vec<u8> = (whole.len()..whole.len() + size).map(byte).collect();
            fs::write(&path, &bytes).unwrap();
            whole.extend(bytes);
            paths.push(path.into());
        }
        (paths, whole)
    }

    /// Reads as the engine does: whole blocks, then the remainder.
    fn all_of(joined: &mut Joined) -> Result<Vec<u8>, ReadError> {
        let mut all = Vec::new();
        loop {
            joined.fill()?;
            let unread = joined.unread();
            let count = if unread.len() < BLOCK {
                unread.len()
            } else {
                unread.len() / BLOCK * BLOCK
            };
            all.extend_from_slice(&unread[..count]);
            let is_end = unread.len() < BLOCK;
            joined.consume(count);
            assert_eq!(joined.left(), joined.size() - all.len() as u64);
            if is_end {
                joined.fill()?;
                assert!(joined.unread().is_empty());
                return Ok(all);
            }
        }
    }

    #[test]
    fn parts_of_any_sizes_are_read_as_their_whole() {
        let big = 300 * 1024;
        for sizes in [
            &[0][..],
            &[5],
            &[64, 64],
            &[1, 1, 1],
            &[63, 2],
            &[0, 0, 7, 0],
            &[65, 1000, 0, 63, 64, 1],
            &[big, big + 1, big - 1, 13],
            &[65536 + 1, 65536 - 1, 65536],
            &[1, big, 1, big],
            &[10; 40],
        ] {
            let directory = tempfile::tempdir().unwrap();
            let (paths, whole) = parts(directory.path(), sizes);
            for io in [IoMode::Auto, IoMode::Mmap, IoMode::Read] {
                let mut joined = Joined::open(Path::new("none"), &paths, reading(io)).unwrap();
                assert!(all_of(&mut joined).unwrap() == whole, "{sizes:?} by {io:?}");
                assert!(joined.is_unchanged(Path::new("none")));
            }
        }
    }

    #[test]
    fn a_part_that_is_exchanged_or_grows_while_the_others_are_read_has_changed() {
        for exchange in [true, false] {
            let directory = tempfile::tempdir().unwrap();
            let (paths, _) = parts(directory.path(), &[100, 100, 100]);
            let mut joined =
                Joined::open(Path::new("none"), &paths, reading(IoMode::Auto)).unwrap();
            if exchange {
                fs::remove_file(paths[1].to_path_buf()).unwrap();
            }
            fs::write(paths[1].to_path_buf(), [0; 150]).unwrap();
            assert!(matches!(all_of(&mut joined), Err(ReadError::Changed)));
        }
    }

    #[test]
    fn a_part_that_is_exchanged_after_it_was_read_is_noticed_at_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let (paths, _) = parts(directory.path(), &[100, 100]);
        let mut joined = Joined::open(Path::new("none"), &paths, reading(IoMode::Auto)).unwrap();
        all_of(&mut joined).unwrap();
        fs::write(paths[0].to_path_buf(), [0; 100]).unwrap();
        assert!(!joined.is_unchanged(Path::new("none")));
    }
}
