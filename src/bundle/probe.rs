//! What benches and fuzz targets see of this room.

use std::io::{self, BufRead};
use std::path::Path;

use super::frames::{self, Setting};
use super::inner::{Inner, Job};
use super::packer::{Conveyor, Piece};
use super::{BundleError, Contents, Entry, Limits, Member, Step, Stream, WindowBudget};
use crate::content::{IoMode, Joined, Reading};
use crate::digest::{Digest, Hasher, Wanted};

/// Reads a bundle; returns the file's digest, the number of its members, and what is wrong with
/// them.
///
/// # Errors
/// Those of reading the file.
pub fn read(path: &Path, hasher: Hasher) -> io::Result<(Digest, usize, Option<String>)> {
    let limits = Limits::default();
    let reading = Reading {
        settles: false,
        io: IoMode::Read,
        window: crate::content::window(1),
        ahead: 8 * 1024 * 1024,
        spare_core: false,
        direct: false,
    };
    let content = Joined::open(path, &[], reading).map_err(io::Error::other)?;
    let budget = WindowBudget::new(limits.max_window);
    let mut stream = Stream::begin(content.into(), (hasher, Wanted::default()), limits, &budget)?;
    let mut members = 0;
    while let Step::On { .. } = stream.advance(&mut |_| members += 1) {}
    let end = stream.end();
    let digests = end
        .outer
        .map_err(|error| io::Error::from(BundleError::Read(error)))?;
    Ok((
        *digests.sha256(),
        members,
        end.contents.err().map(|defect| defect.to_string()),
    ))
}

/// A member: its path, and its digest and size, if it is a file; or a link's target.
pub type Listed = (Vec<u8>, Result<(Digest, u64), Vec<u8>>);

/// Returns the members of an archive in memory, in order; none if it is no archive.
///
/// # Errors
/// Why they cannot be relied upon.
pub fn list(bytes: &[u8]) -> Result<Option<Vec<Listed>>, String> {
    let limits = Limits {
        max_output: 16 * 1024 * 1024,
        ..Limits::default()
    };
    let listed = |member: Member| {
        let entry = match member.entry {
            Entry::File { digest, size, .. } => Ok((digest, size)),
            Entry::Link { target } => Err(target),
        };
        (member.path, entry)
    };
    match read_from(bytes, limits) {
        (members, Ok(Contents::Tar)) => Ok(Some(members.into_iter().map(listed).collect())),
        (_, Ok(Contents::NotATar)) => Ok(None),
        (_, Err(fault)) => Err(fault.to_string()),
    }
}

/// Hashes each piece at once, on the calling thread.
struct Direct(Job);

impl Conveyor for Direct {
    fn buffer(&mut self) -> Vec<u8> {
        self.0.buffer.take().unwrap_or_default()
    }

    fn put(&mut self, piece: Piece) -> Result<(), BundleError> {
        if let Some(inner) = &mut self.0.inner {
            inner.load(piece);
        }
        self.0.buffer = None;
        self.0.run(Hasher::promised());
        Ok(())
    }
}

/// Reads the members of a bundle without a thread.
pub(super) fn read_from(
    input: impl BufRead,
    limits: Limits,
) -> (Vec<Member>, Result<Contents, BundleError>) {
    let mut direct = Direct(Job {
        outer: None,
        inner: Some(Inner::new(Hasher::promised())),
        hashed: 0,
        chunk: None,
        buffer: None,
    });
    let setting = Setting {
        limits,
        budget: WindowBudget::new(limits.max_window),
        is_abandoned: &|| false,
    };
    let contents = frames::read(input, &mut direct, &setting);
    let members = direct.0.inner.map(|inner| inner.done);
    (members.unwrap_or_default(), contents)
}
