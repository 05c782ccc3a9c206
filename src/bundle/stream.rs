//! One file, read once: its digest, and its members.
//!
//! A thread of its own reads and decodes; see [`super::belt`] for who hashes.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::belt::{Belt, Loading, Outcome};
use super::frames::{self, Setting};
use super::raw::Raw;
use super::{BundleError, Contents, Defect, Limits, Member, Step, WindowBudget};
use crate::content::{Input, ReadError};
use crate::digest::{Digests, Hasher, Wanted};

/// Bytes of the file that one step hashes at most, beside those of its members.
const STEP: u64 = 2 * 1024 * 1024;

/// A file being read. Dropping it ends its thread, without waiting for it.
#[derive(Debug)]
pub(crate) struct Stream {
    belt: Arc<Belt>,
    thread: Option<JoinHandle<Input>>,
}

/// What a file came to.
#[derive(Debug)]
pub(crate) struct End {
    /// The content, to ask whether it is unchanged; `None` only if `outer` is an error.
    pub(crate) content: Option<Input>,
    /// The digests of the whole file. They do not depend on what the file holds.
    pub(crate) outer: Result<Digests, ReadError>,
    /// What it holds. The members that were handed over are all only if this is no defect and
    /// `outer` no error.
    pub(crate) contents: Result<Contents, Defect>,
}

impl Stream {
    /// Begins to read, and to compute what is `wanted` of the file beside its SHA-256.
    ///
    /// # Errors
    /// EAGAIN if the system allows no other thread.
    pub(crate) fn begin(
        mut content: Input,
        (hasher, wanted): (Hasher, Wanted),
        limits: Limits,
        budget: &WindowBudget,
    ) -> io::Result<Stream> {
        let belt = Arc::new(Belt::new(hasher, wanted));
        let (its, budget) = (Arc::clone(&belt), budget.clone());
        let work = move || {
            let _closing = Closing(&its);
            let outcome = run(&mut content, &its, limits, budget);
            its.close(outcome);
            content
        };
        let named = thread::Builder::new().name("bundle".into());
        Ok(Stream {
            belt,
            thread: Some(named.spawn(work)?),
        })
    }

    /// Does a bounded amount of work, or waits for it for at most some milliseconds, and hands
    /// over finished members.
    pub(crate) fn advance(&mut self, sink: &mut dyn FnMut(Member)) -> Step {
        match self.belt.advance(STEP, sink) {
            (hashed, true) => Step::Over { hashed },
            (hashed, false) => Step::On { hashed },
        }
    }

    /// Returns the end, after a step said [`Step::Over`].
    pub(crate) fn end(mut self) -> End {
        let thread = self.thread.take();
        let content = thread.and_then(|thread| thread.join().ok());
        match self.belt.end().filter(|_| content.is_some()) {
            Some((digests, outcome)) => End {
                content,
                outer: outcome.read.map(|()| digests),
                contents: outcome.contents,
            },
            // Fail closed: the thread panicked, or a worker did over a lane.
            None => End {
                content: None,
                outer: Err(io::Error::other("reading ended early").into()),
                contents: Err(Defect::Decoder),
            },
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.belt.abandon();
    }
}

/// Closes the belt even if the thread panics.
struct Closing<'a>(&'a Belt);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close_early();
    }
}

/// Reads the whole file: as a bundle while that works, and then as bytes.
fn run(content: &mut Input, belt: &Belt, limits: Limits, budget: WindowBudget) -> Outcome {
    let mut raw = Raw::new(content, belt);
    let decode = || {
        let setting = Setting {
            limits,
            budget,
            is_abandoned: &|| belt.is_abandoned(),
        };
        frames::read(&mut raw, &mut Loading(belt), &setting)
    };
    // A panic of the decoder on hostile bytes fails the content. What it left behind is not used
    // again, except the reader, which stands between two chunks.
    let contents = catch_unwind(AssertUnwindSafe(decode));
    let (contents, failed) = match contents {
        Ok(Ok(contents)) => (Ok(contents), None),
        Ok(Err(BundleError::Defect(defect))) => (Err(defect), None),
        Ok(Err(BundleError::Read(error))) => (Err(Defect::Truncated), Some(error)),
        Ok(Err(BundleError::Abandoned)) => (Err(Defect::Truncated), Some(abandoned())),
        Err(_) => (Err(Defect::Decoder), None),
    };
    let read = match failed {
        Some(error) => Err(error),
        None => raw.read_to_end().map_err(|fault| match fault {
            BundleError::Read(error) => error,
            BundleError::Abandoned | BundleError::Defect(_) => abandoned(),
        }),
    };
    Outcome { read, contents }
}

/// The error of an abandoned read; it is never seen.
fn abandoned() -> ReadError {
    io::Error::from(io::ErrorKind::Interrupted).into()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use proptest::prelude::*;

    use super::super::testing::{Frame, file, gzip, tar};
    use super::*;
    use crate::content::{IoMode, Joined, Reading};
    use crate::digest::{Algorithm, Algorithms};
    use crate::files::SharedPath;
    use crate::testing::digests;

    fn plainly() -> (Hasher, Wanted) {
        (Hasher::promised(), Wanted::default())
    }

    fn opened(path: &Path, parts: &[SharedPath]) -> Input {
        let reading = Reading {
            settles: false,
            io: IoMode::Read,
            window: 256 * 1024,
            ahead: 0,
            spare_core: false,
            direct: false,
        };
        Joined::open(path, parts, reading).unwrap().into()
    }

    fn begun(path: &Path, limits: Limits) -> Stream {
        let budget = WindowBudget::new(limits.max_window);
        Stream::begin(opened(path, &[]), plainly(), limits, &budget).unwrap()
    }

    /// Reads to the end; returns the members and the sum of the bytes that steps reported.
    fn finish(mut stream: Stream) -> (Vec<Member>, u64, End) {
        let (mut members, mut sum) = (Vec::new(), 0);
        loop {
            match stream.advance(&mut |member| members.push(member)) {
                Step::On { hashed } => sum += hashed,
                Step::Over { hashed } => return (members, sum + hashed, stream.end()),
            }
        }
    }

    fn assert_is_read(bytes: &[u8], members: &[Member], contents: Result<Contents, Defect>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bundle");
        fs::write(&path, bytes).unwrap();
        let (found, hashed, end) = finish(begun(&path, Limits::default()));
        assert_eq!(end.outer.unwrap(), digests(bytes));
        assert_eq!(end.contents, contents);
        assert_eq!(found, members);
        assert_eq!(hashed, bytes.len() as u64);
        let content = end.content.unwrap();
        assert!(content.is_unchanged(&path));
        assert_eq!(content.size(), Some(bytes.len() as u64));
    }

    fn large() -> (Vec<u8>, Vec<Member>) {
        let contents: Vec<Vec<u8>> = (0..40_usize)
            .map(|n| vec![n as u8; n * n * 300 + 64 * (n % 3)])
            .collect();
        let names: Vec<String> = (0..40).map(|n| format!("blobs/{n}")).collect();
        let names = names.iter().map(String::as_str);
        let files: Vec<(&str, &[u8])> = names.zip(contents.iter().map(Vec::as_slice)).collect();
        let members = files.iter().map(|(path, content)| file(path, content));
        (tar(&files), members.collect())
    }

    #[test]
    fn both_digests_come_from_one_reading_of_any_kind_of_bundle() {
        let (tar, members) = large();
        for bytes in [gzip(&tar), Frame::of(&tar).bytes(), tar.clone()] {
            assert_is_read(&bytes, &members, Ok(Contents::Tar));
        }
        assert_is_read(b"", &[], Ok(Contents::NotATar));
        assert_is_read(&vec![3; 3_000_001], &[], Ok(Contents::NotATar));
    }

    #[test]
    fn the_wider_digests_are_those_of_the_whole_file() {
        let (tar, members) = large();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bundle");
        let wanted = || -> Wanted {
            let mut wanted = Algorithms::from(Algorithm::Sha384).into();
            Wanted::add(&mut wanted, Algorithms::from(Algorithm::Sha512).into());
            wanted.add_behind([7; 64]);
            wanted
        };
        for bytes in [gzip(&tar), tar, vec![3; 3_000_001], vec![1; 63], Vec::new()] {
            fs::write(&path, &bytes).unwrap();
            let limits = Limits::default();
            let budget = WindowBudget::new(limits.max_window);
            let begun = (Hasher::promised(), wanted());
            let stream = Stream::begin(opened(&path, &[]), begun, limits, &budget).unwrap();
            let (found, _, end) = finish(stream);
            assert_eq!(end.outer.unwrap(), Digests::of(&bytes, wanted()));
            assert!(found.is_empty() || found == members);
        }
    }

    #[test]
    fn the_digest_of_the_file_does_not_depend_on_its_content() {
        let (tar, members) = large();
        let mut bytes = Frame::of(&tar).bytes();
        let end = bytes.len() - 1;
        bytes[end] ^= 1;
        assert_is_read(&bytes, &members[..39], Err(Defect::Checksum));
        let followed = [tar, vec![1; 5_000_000]].concat();
        assert_is_read(&followed, &members[..39], Err(Defect::TrailingData));
    }

    #[test]
    fn parts_are_read_as_their_whole() {
        let (tar, members) = large();
        let bytes = gzip(&tar);
        let directory = tempfile::tempdir().unwrap();
        let parts: Vec<SharedPath> = bytes
            .chunks(bytes.len() / 3 + 5)
            .enumerate()
            .map(|(number, part)| {
                let path = directory.path().join(number.to_string());
                fs::write(&path, part).unwrap();
                path.into()
            })
            .collect();
        let content = opened(Path::new("none"), &parts);
        let limits = Limits::default();
        let budget = WindowBudget::new(limits.max_window);
        let stream = Stream::begin(content, plainly(), limits, &budget).unwrap();
        let (found, _, end) = finish(stream);
        assert_eq!(end.outer.unwrap(), digests(&bytes));
        assert_eq!((found, end.contents), (members, Ok(Contents::Tar)));
    }

    #[test]
    fn a_file_that_changed_has_no_digest() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bundle");
        fs::write(&path, large().0).unwrap();
        let content = opened(&path, &[]);
        fs::write(&path, b"short").unwrap();
        let limits = Limits::default();
        let budget = WindowBudget::new(limits.max_window);
        let stream = Stream::begin(content, plainly(), limits, &budget).unwrap();
        let (_, _, end) = finish(stream);
        assert!(matches!(end.outer, Err(ReadError::Changed)));
    }

    #[test]
    fn a_stream_that_is_dropped_ends_its_thread() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bundle");
        fs::write(&path, large().0).unwrap();
        let budget = WindowBudget::new(1);
        let _all = budget.acquire(u64::MAX, &|| false).unwrap();
        let frame = Frame {
            window: 17 << 3,
            ..Frame::of(b"waits for a window that never comes")
        };
        fs::write(&path, frame.bytes()).unwrap();
        let limits = Limits::default();
        let content = opened(&path, &[]);
        let mut stream = Stream::begin(content, plainly(), limits, &budget).unwrap();
        let mut sink = |_| ();
        assert!(matches!(stream.advance(&mut sink), Step::On { .. }));
        let thread = stream.thread.take().unwrap();
        drop(stream);
        // Without the drop, this would never return.
        thread.join().unwrap();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_file_of_any_length_has_its_digest(length in 0..2_000_000_usize, seed in any::<u8>()) {
            let bytes: Vec<u8> = (0..length).map(|n| (n * 31 + n / 251) as u8 ^ seed).collect();
            let (found, result) = super::super::testing::read(&bytes);
            assert_is_read(&bytes, &found, result);
        }
    }
}
