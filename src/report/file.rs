//! A report file: made beside its target before the work begins, renamed into place when it is whole.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use tempfile::NamedTempFile;
use thiserror::Error;

use super::run::Run;
use super::{html, json, junit, replace, words};
use crate::errno;

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON document; see [`json`].
    Json,
    /// JUnit XML; see [`junit`].
    Junit,
    /// One page; see [`html`].
    Html,
}

impl Format {
    /// The format that a file's name asks for by its ending.
    pub fn of(target: &Path) -> Option<Format> {
        match target.extension().and_then(OsStr::to_str) {
            Some("json") => Some(Format::Json),
            Some("xml") => Some(Format::Junit),
            Some("html") => Some(Format::Html),
            _ => None,
        }
    }
}

/// A report could not be written. There is none then, or the one of an earlier run.
#[derive(Debug, Error)]
#[error(
    "{}: cannot write the report: {}",
    words::shown(target),
    errno::words(source)
)]
pub struct ReportError {
    target: PathBuf,
    source: io::Error,
}

/// A report that will be written.
#[derive(Debug)]
pub struct ReportFile {
    target: PathBuf,
    format: Format,
    /// Lies beside the target, since a rename does not cross file systems.
    temporary: NamedTempFile,
}

impl ReportFile {
    /// Makes the file that will become the report, and so finds out whether there can be one.
    ///
    /// # Errors
    /// When nothing can be written there, or the target is something that a file cannot replace.
    pub fn create(target: &Path, format: Format) -> Result<ReportFile, ReportError> {
        // What a link leads to is replaced, and not the link; unless it leads nowhere.
        let place = target.canonicalize().unwrap_or_else(|_| target.to_owned());
        let created = match place.metadata() {
            Ok(there) if there.is_dir() => Err(Errno::ISDIR.into()),
            Ok(there) if !there.is_file() => Err(io::Error::other("Not a regular file")),
            Ok(_) | Err(_) => {
                replace::is_allowed(&place, parent(&place)).and_then(|()| beside(&place))
            }
        };
        match created {
            Ok(temporary) => Ok(ReportFile {
                target: place,
                format,
                temporary,
            }),
            Err(source) => Err(error(target, source)),
        }
    }

    /// Writes the report and puts it in its place, whole.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(self, run: Run<'_>) -> Result<(), ReportError> {
        let ReportFile {
            target,
            format,
            temporary,
        } = self;
        let written = write(&temporary, format, run)
            .and_then(|()| temporary.persist(&target).map_err(|failed| failed.error));
        written.map(drop).map_err(|source| error(&target, source))
    }
}

fn error(target: &Path, source: io::Error) -> ReportError {
    ReportError {
        target: target.to_owned(),
        source: plain(source),
    }
}

/// The system's own error: tempfile puts the path of the temporary file around it, which tells nobody anything, and leaves the kind.
fn plain(error: io::Error) -> io::Error {
    let known = match error.kind() {
        _ if error.raw_os_error().is_some() => None,
        io::ErrorKind::NotFound => Some(Errno::NOENT),
        io::ErrorKind::NotADirectory => Some(Errno::NOTDIR),
        io::ErrorKind::PermissionDenied => Some(Errno::ACCESS),
        io::ErrorKind::ReadOnlyFilesystem => Some(Errno::ROFS),
        io::ErrorKind::StorageFull => Some(Errno::NOSPC),
        _ => None,
    };
    known.map_or(error, io::Error::from)
}

fn parent(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn beside(target: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".verify-signatures-")
        .suffix(".tmp")
        // As for any new file, less what the user's umask takes.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(parent(target))
}

fn write(file: &NamedTempFile, format: Format, run: Run<'_>) -> io::Result<()> {
    let mut out = BufWriter::new(file.as_file());
    match format {
        Format::Json => json::write(&mut out, run),
        Format::Junit => junit::write(&mut out, run),
        Format::Html => html::write(&mut out, run),
    }?;
    out.flush()?;
    // On the disk before it has the report's name: a report is whole even after the power failed.
    file.as_file().sync_all()
}
