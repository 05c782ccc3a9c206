//! A directory of images: its files as members, each hashed from bytes in our own memory.

use std::fs::{self, File, FileType};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::defect::shown;
use super::names::{self, Names};
use super::text::Texts;
use super::{BundleError, Defect, Entry, Limits, Member, Step};
use crate::content::{ReadError, Stamp, open_regular};
use crate::digest::{Block, Feed, Hasher, Lane};

/// Bytes that one step hashes at most.
const STEP: u64 = 4 * 1024 * 1024;

/// Bytes of one read: whole blocks.
const BUFFER: usize = 256 * 1024;

/// Maximum number of files read side by side.
const MOST_FILES: usize = 2;

/// A directory being read.
#[derive(Debug)]
pub(crate) struct Tree {
    root: PathBuf,
    walk: walkdir::IntoIter,
    has_walked: bool,
    /// The directories met, each as it was before it was read.
    directories: Vec<(PathBuf, Stamp)>,
    names: Names,
    texts: Texts,
    hasher: Hasher,
    files: Vec<Reading>,
    /// Buffers to be used again.
    spent: Vec<Vec<u8>>,
}

/// A file being hashed.
#[derive(Debug)]
struct Reading {
    path: PathBuf,
    name: Vec<u8>,
    file: File,
    stamp: Stamp,
    lane: Lane,
    /// Bytes read so far.
    read: u64,
    buffer: Vec<u8>,
    /// Bytes of the buffer that are hashed.
    at: usize,
    text: Option<Vec<u8>>,
}

impl Tree {
    /// Begins to read the directory at `root`. Only its members are limited, and their text.
    pub(crate) fn begin(root: &Path, hasher: Hasher, limits: Limits) -> Tree {
        Tree {
            root: root.to_owned(),
            walk: WalkDir::new(root).into_iter(),
            has_walked: false,
            directories: Vec::new(),
            names: Names::new(limits.members),
            texts: Texts::new(limits.text),
            hasher,
            files: Vec::new(),
            spent: Vec::new(),
        }
    }

    /// Does a bounded amount of work, and hands over the members that are finished.
    ///
    /// # Errors
    /// The first file or directory that cannot be read, has changed meanwhile or is defective.
    /// Nothing can be read after it.
    pub(crate) fn advance(&mut self, sink: &mut dyn FnMut(Member)) -> Result<Step, BundleError> {
        let mut hashed = 0;
        while hashed < STEP {
            self.open_more(sink)?;
            self.settle(sink)?;
            if self.files.is_empty() && self.has_walked {
                self.expect_unchanged()?;
                return Ok(Step::Over { hashed });
            }
            hashed += self.hash();
        }
        Ok(Step::On { hashed })
    }

    /// Opens the next files while lanes are free.
    fn open_more(&mut self, sink: &mut dyn FnMut(Member)) -> Result<(), BundleError> {
        let lanes = self.hasher.lanes().clamp(1, MOST_FILES);
        while self.files.len() < lanes && !self.has_walked {
            let Some(entry) = self.walk.next() else {
                self.has_walked = true;
                break;
            };
            let entry = entry.map_err(unwalked)?;
            self.add(entry.path(), entry.file_type(), sink)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        path: &Path,
        kind: FileType,
        sink: &mut dyn FnMut(Member),
    ) -> Result<(), BundleError> {
        let below = path.strip_prefix(&self.root).unwrap_or(path);
        let name = below.as_os_str().as_bytes();
        // The root may be a link: the user named it. Its directory is the one it leads to.
        if kind.is_dir() || name.is_empty() && fs::metadata(path)?.is_dir() {
            self.directories.push((path.to_owned(), Stamp::at(path)?));
            return match name {
                b"" => Ok(()),
                name => Ok(self.names.add_directory(&names::normal(name)?)?),
            };
        }
        let name = names::normal(name)?;
        self.names.add_leaf(&name)?;
        if kind.is_symlink() {
            let target = names::target(&name, fs::read_link(path)?.as_os_str().as_bytes())?;
            sink(Member {
                path: name,
                entry: Entry::Link { target },
            });
            return Ok(());
        }
        if !kind.is_file() {
            return Err(Defect::SpecialFile(shown(&name)).into());
        }
        let (file, stamp) = open_regular(path)?;
        self.files.push(Reading {
            path: path.to_owned(),
            name,
            file,
            text: Texts::begin(stamp.size()),
            stamp,
            lane: self.hasher.begin(),
            read: 0,
            buffer: self.spent.pop().unwrap_or_default(),
            at: 0,
        });
        Ok(())
    }

    /// Ensures that every file has a block in memory, or finishes it.
    fn settle(&mut self, sink: &mut dyn FnMut(Member)) -> Result<(), BundleError> {
        let mut at = 0;
        while let Some(file) = self.files.get_mut(at) {
            file.fill(&mut self.texts)?;
            if file.unread().len() >= size_of::<Block>() {
                at += 1;
                continue;
            }
            let file = self.files.swap_remove(at);
            file.expect_end()?;
            let (member, buffer) = file.finish(&mut self.texts);
            self.spent.push(buffer);
            sink(member);
        }
        Ok(())
    }

    /// Hashes the files side by side, and returns the number of bytes.
    fn hash(&mut self) -> u64 {
        let mut feeds: Vec<Feed<'_>> = self.files.iter_mut().map(Reading::feed).collect();
        let taken = self.hasher.advance(&mut feeds) * size_of::<Block>();
        for file in &mut self.files {
            file.at += taken;
        }
        (taken * self.files.len()) as u64
    }

    /// Fail closed: a file that came or went while its directory was read may be missing here.
    fn expect_unchanged(&self) -> Result<(), BundleError> {
        for (path, stamp) in &self.directories {
            if Stamp::at(path).ok().as_ref() != Some(stamp) {
                return Err(ReadError::Changed.into());
            }
        }
        Ok(())
    }
}

impl Reading {
    fn unread(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    fn feed(&mut self) -> Feed<'_> {
        Feed {
            blocks: self.buffer.get(self.at..).unwrap_or_default().as_chunks().0,
            lane: &mut self.lane,
        }
    }

    /// Reads the next bytes if fewer than a block are left and the file has more.
    fn fill(&mut self, texts: &mut Texts) -> Result<(), BundleError> {
        let left = self.stamp.size() - self.read;
        // All reads but the last are of whole blocks, so nothing is left over from them.
        if !self.unread().is_empty() || left == 0 {
            return Ok(());
        }
        let length = usize::try_from(left).map_or(BUFFER, |left| left.min(BUFFER));
        self.buffer.resize(length, 0);
        self.at = 0;
        let read = self.file.read_exact_at(&mut self.buffer, self.read);
        read.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => ReadError::Changed,
            _ => ReadError::Io(error),
        })?;
        self.read += length as u64;
        Ok(texts.add(&mut self.text, &self.buffer)?)
    }

    /// Fail closed: the file must end where it did when it was opened, and be the one that its name
    /// leads to, in the same state.
    fn expect_end(&self) -> Result<(), ReadError> {
        let more = self.file.read_at(&mut [0], self.stamp.size())?;
        if more > 0 || Stamp::at(&self.path).ok() != Some(self.stamp) {
            return Err(ReadError::Changed);
        }
        Ok(())
    }

    /// Returns the member, and the buffer for reuse.
    fn finish(mut self, texts: &mut Texts) -> (Member, Vec<u8>) {
        let digest = self.lane.clone().finish(self.unread());
        let member = Member {
            path: std::mem::take(&mut self.name),
            entry: Entry::File {
                digest,
                size: self.stamp.size(),
                text: texts.end(self.text.take()),
            },
        };
        self.buffer.clear();
        (member, self.buffer)
    }
}

fn unwalked(error: walkdir::Error) -> BundleError {
    let error = error.into_io_error();
    // Links are not followed, so there are no loops, the only other kind of error.
    let error = error.unwrap_or_else(|| io::ErrorKind::InvalidInput.into());
    match error.kind() {
        io::ErrorKind::NotFound => BundleError::Read(ReadError::Missing),
        _ => BundleError::Read(ReadError::Io(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::testing::file;
    use super::*;

    fn all_of(mut tree: Tree) -> Result<Vec<Member>, BundleError> {
        let mut members = Vec::new();
        while let Step::On { .. } = tree.advance(&mut |member| members.push(member))? {}
        members.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(members)
    }

    fn read(root: &Path) -> Result<Vec<Member>, BundleError> {
        all_of(Tree::begin(root, Hasher::promised(), Limits::default()))
    }

    fn defect(root: &Path) -> Defect {
        match read(root).unwrap_err() {
            BundleError::Defect(defect) => defect,
            fault => panic!("{fault:?}"),
        }
    }

    #[test]
    fn files_of_a_directory_are_its_members() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join("blobs/sha256")).unwrap();
        let mut expected = Vec::new();
        for (number, size) in [0, 1, 63, 64, 65, 262_144, 262_145, 9_000_000]
            .iter()
            .enumerate()
        {
            let name = format!("blobs/sha256/{number}");
            let content: Vec<u8> = (0..*size).map(|n| (n % 251 + number) as u8).collect();
            fs::write(root.join(&name), &content).unwrap();
            expected.push(file(&name, &content));
        }
        fs::write(root.join("index.json"), b"{}").unwrap();
        expected.push(file("index.json", b"{}"));
        symlink("../index.json", root.join("blobs/link")).unwrap();
        let target = b"index.json".to_vec();
        let path = b"blobs/link".to_vec();
        let entry = Entry::Link { target };
        expected.insert(0, Member { path, entry });
        assert_eq!(read(root).unwrap(), expected);
    }

    #[test]
    fn a_link_out_of_the_directory_is_unsafe_and_never_followed() {
        let directory = tempfile::tempdir().unwrap();
        symlink("..", directory.path().join("up")).unwrap();
        assert_eq!(defect(directory.path()), Defect::UnsafeName("..".into()));
    }

    #[test]
    fn a_directory_named_by_a_link_is_read_and_links_in_it_are_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (real, link) = (directory.path().join("real"), directory.path().join("link"));
        fs::create_dir(&real).unwrap();
        fs::write(real.join("a"), b"{}").unwrap();
        symlink(&real, &link).unwrap();
        assert_eq!(read(&link).unwrap(), [file("a", b"{}")]);
        fs::create_dir(real.join("b")).unwrap();
        symlink("b", real.join("c")).unwrap();
        let to_b = Member {
            path: b"c".to_vec(),
            entry: Entry::Link {
                target: b"b".to_vec(),
            },
        };
        assert_eq!(read(&link).unwrap(), [file("a", b"{}"), to_b]);
    }

    #[test]
    fn a_fifo_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        let fifo = rustix::fs::FileType::Fifo;
        let path = directory.path().join("f");
        rustix::fs::mknodat(rustix::fs::CWD, &path, fifo, mode, 0).unwrap();
        assert_eq!(defect(directory.path()), Defect::SpecialFile("f".into()));
    }

    #[test]
    fn members_and_texts_have_their_limits() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a"), b"[12345]").unwrap();
        fs::write(directory.path().join("b"), b"x").unwrap();
        for (members, text, expected) in
            [(1, 7, Defect::TooManyMembers), (2, 6, Defect::TooMuchText)]
        {
            let limits = Limits {
                members,
                text,
                ..Limits::default()
            };
            let tree = Tree::begin(directory.path(), Hasher::PORTABLE, limits);
            let failed = all_of(tree).unwrap_err();
            assert!(matches!(failed, BundleError::Defect(defect) if defect == expected));
        }
    }

    #[test]
    fn a_file_or_a_directory_that_changes_meanwhile_has_changed() {
        for name in ["large", "new"] {
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join("large"), vec![1; 9_000_000]).unwrap();
            let limits = Limits::default();
            let mut tree = Tree::begin(directory.path(), Hasher::promised(), limits);
            assert!(matches!(tree.advance(&mut |_| ()), Ok(Step::On { .. })));
            fs::write(directory.path().join(name), b"changed").unwrap();
            let failed = all_of(tree).unwrap_err();
            assert!(matches!(failed, BundleError::Read(ReadError::Changed)));
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        let failed = read(&directory.path().join("none")).unwrap_err();
        assert!(matches!(failed, BundleError::Read(ReadError::Missing)));
    }
}
