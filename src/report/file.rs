//! A report file: created beside its target before the work begins, and renamed into place once it
//! is complete.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::geteuid;
use tempfile::{NamedTempFile, PersistError};
use thiserror::Error;

use super::context::{Context, Withheld, Written};
use super::format::ReportFormat;
use super::sign::Signer;
use super::{csv, html, json, junit, oscal, place, prom, replace, sums, vsa, words};
use crate::audit::comparison::Comparison;
use crate::digest::Digests;
use crate::digest::stream::Tee;
use crate::files::SharedPath;
use crate::run::Run;
use crate::text::os_error;
use crate::trust::record::{Record, Subject};

/// What most of these files are.
const REPORT: &str = "report";

/// Bytes of a report that are hashed and written at once.
const AT_ONCE: usize = 64 * 1024;

/// A report could not be written. Unless this run allows none in that format, an earlier run's may
/// remain in its place.
#[derive(Debug, Error)]
#[error(
    "{}: cannot write the {what}: {}",
    words::shown_path(target),
    os_error::words(source)
)]
pub struct ReportError {
    target: PathBuf,
    /// What was to be written.
    what: &'static str,
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
            Err(source) => Err(error(target, REPORT, source)),
        }
    }

    /// Returns its place in the order of writing; see [`ReportFormat::rank`].
    pub fn rank(&self) -> u8 {
        self.format.rank()
    }

    /// Writes the complete report and moves it into place. `signer` signs it, if it can be signed,
    /// and it may refer to those that are already `written`.
    ///
    /// # Errors
    /// On errors of the file system, if the report would replace the target of a valid artifact's
    /// link, and if its format has nothing to say on this run. In that case what was in its place is
    /// removed.
    pub fn write(
        self,
        run: Run<'_>,
        signer: Option<&Signer>,
        written: &[Written],
    ) -> Result<Written, ReportError> {
        let context = Context {
            run,
            place: &self.place,
            signer,
            written,
        };
        let made = self.is_free(run.records).and_then(|()| {
            let made = write(&self.temporary, |out| of_run(out, self.format, &context));
            made.map_err(|source| self.vacate(source))
        });
        self.put(made)
    }

    /// Writes a comparison of two reports, and moves it into place.
    ///
    /// # Errors
    /// On errors of the file system, and for a format without comparisons.
    pub fn write_comparison(self, comparison: &Comparison) -> Result<Written, ReportError> {
        let made = write(&self.temporary, |out| match self.format {
            ReportFormat::Json => json::write_comparison(out, comparison),
            ReportFormat::Junit => junit::write_comparison(out, comparison),
            ReportFormat::Html => html::comparison::write(out, comparison),
            _ => Err(io::ErrorKind::Unsupported.into()),
        });
        self.put(made)
    }

    /// Moves what was made into place.
    fn put(self, made: io::Result<Digests>) -> Result<Written, ReportError> {
        let placed = made.and_then(|digests| {
            put(self.temporary, &self.place)?;
            Ok(digests)
        });
        match placed {
            Ok(digests) => Ok(Written {
                target: self.target,
                place: self.place,
                format: self.format,
                digests,
            }),
            Err(source) => Err(error(&self.target, REPORT, source)),
        }
    }

    /// Removes an earlier run's report if this run allows none, and returns why.
    ///
    /// Fail closed: it would be taken for this run's, and says more than this run does.
    fn vacate(&self, why: io::Error) -> io::Error {
        if !Withheld::is_reason(&why) {
            return why;
        }
        match fs::remove_file(&self.place) {
            Ok(()) => Withheld(format!("{why}; an earlier report was removed")).into(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => why,
            Err(error) => {
                let words = os_error::words(&error);
                Withheld(format!("{why}; an earlier report is still there: {words}")).into()
            }
        }
    }

    /// Checks that the report replaces nothing that was verified.
    ///
    /// A link in the tree that leads to the place of a report proves nothing: anyone who can write
    /// to the tree can make one, and must not keep the run from judging the other artifacts. So it
    /// is judged like any other. If it leads to an earlier report or to nothing, the artifact
    /// fails, and the report is written. Fail closed: if it passes, or was not judged, its target
    /// may be what the vendor signed, and stays.
    fn is_free(&self, records: &[Record]) -> io::Result<()> {
        let has_failed = |led: &&LedHere| {
            let mut of_it = records.iter().filter(|record| led.is_of(record)).peekable();
            of_it.peek().is_some() && of_it.all(|record| !record.verdict.passes())
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

/// Moves a finished report to its place. If that fails, it stays where it is, since the run may
/// have taken hours, and the error names it.
fn put(temporary: NamedTempFile, place: &Path) -> io::Result<()> {
    let Err(failed) = replace_by(temporary, place) else {
        return Ok(());
    };
    let why = os_error::words(&plain(failed.error));
    let (_, kept) = failed.file.keep().map_err(|failed| failed.error)?;
    Err(io::Error::other(format!(
        "{why}; its content is in {}",
        words::shown_path(&kept)
    )))
}

/// Moves a temporary file to its place, or gives it back with the error.
pub(super) fn replace_by(file: NamedTempFile, place: &Path) -> Result<(), PersistError> {
    match keep_mode(file.as_file(), place) {
        Ok(()) => file.persist(place).map(drop),
        Err(error) => Err(PersistError { error, file }),
    }
}

/// Creates the temporary file for a report at a place without links.
pub(super) fn create(place: &Path) -> io::Result<NamedTempFile> {
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

pub(super) fn error(target: &Path, what: &'static str, source: io::Error) -> ReportError {
    ReportError {
        target: target.to_owned(),
        what,
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

/// Returns the directory of a file.
pub(super) fn parent(target: &Path) -> &Path {
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

/// Writes a run in one of the formats.
fn of_run(out: &mut dyn Write, format: ReportFormat, context: &Context<'_>) -> io::Result<()> {
    match format {
        ReportFormat::Json => json::write(out, context.run),
        ReportFormat::Junit => junit::write(out, context.run),
        ReportFormat::Html => html::write(out, context.run),
        ReportFormat::Csv => csv::write(out, context.run),
        ReportFormat::Prometheus => prom::write(out, context),
        ReportFormat::Sums => sums::write(out, context),
        ReportFormat::SumsSignature => sums::sign(out, context),
        ReportFormat::InToto => vsa::write(out, context),
        ReportFormat::Oscal => oscal::write(out, context),
    }
}

/// Writes a report, and returns the digest of its bytes.
pub(super) fn write(
    file: &NamedTempFile,
    write_into: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<Digests> {
    let mut out = BufWriter::with_capacity(AT_ONCE, Tee::new(file.as_file()));
    write_into(&mut out)?;
    let out = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    // Synced before the rename: a report is complete even after a power failure.
    file.as_file().sync_all()?;
    Ok(out.finish())
}
