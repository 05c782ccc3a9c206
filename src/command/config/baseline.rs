//! The baseline for the audit: read before any artifact, so that a bad one is reported at once.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use rustix::io::Errno;

use super::places::lies_inside;
use super::{Against, ConfigError};
use crate::audit::baseline::Baseline;
use crate::command::args::Cli;
use crate::limits;

/// Loads the baseline, if one is given.
pub(super) fn load(cli: &Cli) -> Result<Option<Against>, ConfigError> {
    let Some(path) = &cli.baseline else {
        return Ok(None);
    };
    let is_exposed = lies_inside(path, &cli.paths);
    of(path, cli.paths.len(), cli.images, is_exposed).map(Some)
}

/// Loads the baseline of a run over this many PATHs.
pub(super) fn of(
    path: &Path,
    paths: usize,
    has_images: bool,
    is_exposed: bool,
) -> Result<Against, ConfigError> {
    let report = read(path).map_err(|source| ConfigError::BaselineUnreadable {
        path: path.to_owned(),
        source,
    })?;
    let baseline = Baseline::parse(&report, paths);
    let baseline = baseline.map_err(|source| ConfigError::BadBaseline {
        path: path.to_owned(),
        source,
    })?;
    // Fail closed: an audit that leaves out what the baseline has would find no difference there.
    if baseline.has_images() && !has_images {
        return Err(ConfigError::BaselineHasImages(path.to_owned()));
    }
    Ok(Against {
        is_exposed,
        path: path.to_owned(),
        baseline,
    })
}

/// Maximum size of a report in bytes: that of some ten million artifacts.
const MOST_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// Bytes that are read before the rest is asked for.
const BEGINNING: u64 = 64 * 1024;

/// Reads a report that the user names, which may be a pipe. Of what does not begin as one, only the
/// beginning is returned.
///
/// # Errors
/// Those of the system; if it is neither a regular file nor a pipe; if it is too long; ENOMEM if
/// memory lacks the room for it and its parsed form, which is no larger.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let kind = metadata.file_type();
    if kind.is_dir() {
        return Err(Errno::ISDIR.into());
    }
    // Fail closed: a device may have no end.
    if !kind.is_file() && !kind.is_fifo() {
        return Err(io::Error::other("neither a regular file nor a pipe"));
    }
    check_length(metadata.len())?;
    let mut report = Vec::new();
    // One byte more shows where it ends.
    make_room(&mut report, metadata.len() + 1)?;
    file.by_ref().take(BEGINNING).read_to_end(&mut report)?;
    if begins_as_report(&report) {
        read_rest(&mut file, &mut report)?;
    }
    Ok(report)
}

/// Reads a regular file to its end.
///
/// # Errors
/// Those of the system; if it is too long; ENOMEM if memory lacks the room for it and its parsed
/// form, which is no larger.
pub(super) fn read_whole(mut file: File) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    check_length(length)?;
    let mut content = Vec::new();
    // One byte more shows where it ends.
    make_room(&mut content, length + 1)?;
    read_rest(&mut file, &mut content)?;
    Ok(content)
}

/// Reports whether the first character that is no blank begins an object.
fn begins_as_report(beginning: &[u8]) -> bool {
    let mut bytes = beginning.iter();
    bytes.find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

/// Reads on to the end. A pipe does not say how long it is.
fn read_rest(file: &mut File, report: &mut Vec<u8>) -> io::Result<()> {
    loop {
        if report.len() == report.capacity() {
            let left = MOST_BYTES + 1 - report.len() as u64;
            make_room(report, left.min(report.len() as u64))?;
        }
        let room = report.capacity() - report.len();
        let count = file.by_ref().take(room as u64).read_to_end(report)?;
        check_length(report.len() as u64)?;
        if count == 0 {
            return Ok(());
        }
    }
}

fn check_length(length: u64) -> io::Result<()> {
    if length > MOST_BYTES {
        return Err(io::Error::other("longer than 4 GiB, which no report is"));
    }
    Ok(())
}

/// Makes room for so many bytes more.
fn make_room(report: &mut Vec<u8>, more: u64) -> io::Result<()> {
    let is_there = limits::has_room(more.saturating_mul(2));
    let more = usize::try_from(more).ok().filter(|_| is_there);
    let reserved = more.and_then(|more| report.try_reserve_exact(more).ok());
    reserved.ok_or_else(|| Errno::NOMEM.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_as_a_report_is_read_to_its_end_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("r.json");
        let most = BEGINNING as usize;
        for length in [0, 1, most - 1, most, most + 1, 3 * most] {
            let report = [b" \n{".to_vec(), vec![b'x'; length]].concat();
            std::fs::write(&path, &report).unwrap();
            assert!(read(&path).unwrap() == report, "{length}");
            let other = vec![b'x'; length];
            std::fs::write(&path, &other).unwrap();
            assert!(
                read(&path).unwrap() == other[..length.min(most)],
                "{length}"
            );
        }
    }
}
