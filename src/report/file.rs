//! A report file: created beside its target before the work begins, and renamed into place once it
//! is complete.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::geteuid;
use tempfile::NamedTempFile;
use thiserror::Error;

use super::{html, json, junit, place, replace, words};
use crate::audit::comparison::Comparison;
use crate::digest::Digest;
use crate::digest::stream::Tee;
use crate::files::SharedPath;
use crate::run::Run;
use crate::text::os_error;
use crate::trust::verdict::{Record, Subject, Verdict};

/// Bytes of a report that are hashed and written at once.
const AT_ONCE: usize = 64 * 1024;

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// One JSON document; see [`json`].
    Json,
    /// JUnit XML; see [`junit`].
    Junit,
    /// One page; see [`html`].
    Html,
}

impl ReportFormat {
    /// Reports whether a comparison of two reports can be written in it.
    pub fn has_comparisons(self) -> bool {
        match self {
            ReportFormat::Json | ReportFormat::Junit | ReportFormat::Html => true,
        }
    }

    /// Returns the format that a file's extension selects.
    pub fn of(target: &Path) -> Option<ReportFormat> {
        match target.extension().and_then(OsStr::to_str) {
            Some("json") => Some(ReportFormat::Json),
            Some("xml") => Some(ReportFormat::Junit),
            Some("html") => Some(ReportFormat::Html),
            _ => None,
        }
    }
}

/// A report could not be written. An earlier run's report may remain in its place.
#[derive(Debug, Error)]
#[error(
    "{}: cannot write the report: {}",
    words::shown_path(target),
    os_error::words(source)
)]
pub struct ReportError {
    target: PathBuf,
    source: io::Error,
}

/// A report to be written.
#[derive(Debug)]
pub struct ReportFile {
    target: PathBuf,
    place: PathBuf,
    format: ReportFormat,
    /// In the same directory as the place, since a rename does not cross file systems.
    temporary: NamedTempFile,
    led_here: Vec<LedHere>,
}

/// A report that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its name, as it was given.
    pub target: PathBuf,
    /// The SHA-256 of its bytes.
    pub digest: Digest,
}

/// A record whose artifact or signature is a link to the place of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedHere {
    /// The artifact.
    pub data: SharedPath,
    /// Its signature file.
    pub signature: Option<SharedPath>,
}

impl ReportFile {
    /// Creates the file that will become the report, which shows whether a report is possible.
    ///
    /// # Errors
    /// If nothing can be written there, or the target cannot be replaced by a file.
    pub fn create(
        target: &Path,
        format: ReportFormat,
        led_here: Vec<LedHere>,
    ) -> Result<ReportFile, ReportError> {
        let created = place::of(target).and_then(|place| Ok((create(&place)?, place)));
        match created {
            Ok((temporary, place)) => Ok(ReportFile {
                target: target.to_owned(),
                place,
                format,
                temporary,
                led_here,
            }),
            Err(source) => Err(error(target, source)),
        }
    }

    /// Writes the complete report and moves it into place.
    ///
    /// # Errors
    /// On errors of the file system, and if the report would replace the target of a valid
    /// artifact's link.
    pub fn write(self, run: Run<'_>) -> Result<Written, ReportError> {
        self.replace(run.records, |format, out| match format {
            ReportFormat::Json => json::write(out, run),
            ReportFormat::Junit => junit::write(out, run),
            ReportFormat::Html => html::write(out, run),
        })
    }

    /// Writes a comparison of two reports, and moves it into place.
    ///
    /// # Errors
    /// On errors of the file system, and for a format without comparisons.
    pub fn write_comparison(self, comparison: &Comparison) -> Result<Written, ReportError> {
        self.replace(&[], |format, out| match format {
            ReportFormat::Json => json::write_comparison(out, comparison),
            ReportFormat::Junit => junit::write_comparison(out, comparison),
            ReportFormat::Html => html::comparison::write(out, comparison),
        })
    }

    fn replace(
        self,
        records: &[Record],
        write_into: impl FnOnce(ReportFormat, &mut dyn Write) -> io::Result<()>,
    ) -> Result<Written, ReportError> {
        let written = self.is_free(records).and_then(|()| {
            let digest = write(&self.temporary, |out| write_into(self.format, out))?;
            keep_mode(self.temporary.as_file(), &self.place)?;
            let persisted = self.temporary.persist(&self.place);
            persisted.map_err(|failed| failed.error)?;
            Ok(digest)
        });
        match written {
            Ok(digest) => Ok(Written {
                target: self.target,
                digest,
            }),
            Err(source) => Err(error(&self.target, source)),
        }
    }

    /// Checks that the report replaces nothing that was verified.
    ///
    /// A link in the tree that leads to the place of a report proves nothing: anyone who can write
    /// to the tree can make one, and must not keep the run from judging the other artifacts. So it
    /// is judged like any other. If it leads to an earlier report or to nothing, the artifact
    /// fails, and the report is written. Fail closed: if it is valid, or was not judged, its target
    /// may be what the vendor signed, and stays.
    fn is_free(&self, records: &[Record]) -> io::Result<()> {
        let has_failed = |led: &&LedHere| {
            let mut of_it = records.iter().filter(|record| led.is_of(record)).peekable();
            of_it.peek().is_some()
                && of_it.all(|record| !matches!(record.verdict, Verdict::Valid { .. }))
        };
        match self.led_here.iter().find(|led| !has_failed(led)) {
            None => Ok(()),
            Some(led) => Err(io::Error::other(format!(
                "{} leads here by a link, and is valid or was not judged; name another place for the report",
                words::shown(&led.data)
            ))),
        }
    }
}

impl LedHere {
    fn is_of(&self, record: &Record) -> bool {
        record.subject == Subject::Artifact(self.data.clone()) && record.signature == self.signature
    }
}

/// Creates the temporary file for a report at a place without links.
fn create(place: &Path) -> io::Result<NamedTempFile> {
    match place.symlink_metadata() {
        Ok(there) if there.is_dir() => Err(Errno::ISDIR.into()),
        Ok(there) if !there.is_file() => Err(io::Error::other("Not a regular file")),
        Ok(_) | Err(_) => {
            replace::is_allowed(place, parent(place))?;
            let temporary = beside(place)?;
            keep_mode(temporary.as_file(), place)?;
            Ok(temporary)
        }
    }
}

fn error(target: &Path, source: io::Error) -> ReportError {
    ReportError {
        target: target.to_owned(),
        source: plain(source),
    }
}

/// Returns the system's own error: tempfile wraps it with the path of the temporary file, which
/// helps no user, and keeps the kind.
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

/// Creates a file with the default mode, restricted by the umask and by the mode of the file that
/// it replaces.
fn beside(place: &Path) -> io::Result<NamedTempFile> {
    let old = old(place).map_or(0o666, |old| old.mode());
    tempfile::Builder::new()
        .prefix(".verify-signatures-")
        .suffix(".tmp")
        .permissions(Permissions::from_mode(0o666 & old))
        .tempfile_in(parent(place))
}

/// Returns the metadata of the file that a report replaces, if there is one.
fn old(place: &Path) -> Option<Metadata> {
    fs::symlink_metadata(place).ok().filter(Metadata::is_file)
}

/// Gives a new file the mode of the one that it replaces, or a narrower one.
fn keep_mode(new: &File, place: &Path) -> io::Result<()> {
    let Some(old) = old(place) else {
        return Ok(());
    };
    let now = new.metadata()?;
    // Another user may have put that file there to make the report readable or writable for
    // themselves.
    let wanted = if old.uid() == geteuid().as_raw() {
        old.mode() & 0o777
    } else {
        now.mode() & old.mode() & 0o777
    };
    // The old group's permissions apply to no other group.
    let is_same_group = now.gid() == old.gid() || fchown(new, None, Some(old.gid())).is_ok();
    let mode = if is_same_group {
        wanted
    } else {
        wanted & !0o070 | wanted & (wanted & 0o007) << 3
    };
    new.set_permissions(Permissions::from_mode(mode))
}

fn write(
    file: &NamedTempFile,
    write_into: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<Digest> {
    let mut out = BufWriter::with_capacity(AT_ONCE, Tee::new(file.as_file()));
    write_into(&mut out)?;
    let out = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    // Synced before the rename: a report is complete even after a power failure.
    file.as_file().sync_all()?;
    Ok(out.finish())
}
