//! The ledger as it is kept: a line is appended as soon as an artifact is judged, and all of it is
//! written anew at the end.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::config::LedgerFound;
use crate::earlier::place::{Known, Place};
use crate::earlier::{History, Last, ledger};
use crate::report::file::ReportError;
use crate::report::{place, whole};
use crate::trust::record::Record;

/// The time after which a ledger forgets what no run has looked at.
const FORGETS: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// A ledger that is being kept.
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    /// What it said at the beginning.
    before: Arc<History>,
    /// What this run found.
    found: HashMap<Place, Last>,
    places: Arc<Known>,
    /// When this run began.
    began: SystemTime,
    /// Whether it judges the images in artifacts.
    judges_images: bool,
    lines: File,
    /// Whether every line so far was appended.
    appended: io::Result<()>,
}

impl Ledger {
    /// Begins to keep a ledger, which shows whether it can be written. One that counts as empty is
    /// kept aside.
    ///
    /// # Errors
    /// If nothing can be written there.
    pub(super) fn begin(
        found: &LedgerFound,
        places: Arc<Known>,
        judges_images: bool,
    ) -> Result<Ledger, ReportError> {
        let path = &found.path;
        let lines = if found.is_torn {
            if found.damage.is_some() {
                // It may be something else altogether, or show who changed it.
                whole::check(path)?;
                keep_aside(path).map_err(|source| whole::error(path, source))?;
            }
            write(path, &found.history)
        } else {
            whole::check(path)
        };
        let lines = lines.and_then(|()| append_to(path));
        Ok(Ledger {
            path: path.clone(),
            before: Arc::clone(&found.history),
            found: HashMap::new(),
            places,
            began: SystemTime::now(),
            judges_images,
            lines: lines?,
            appended: Ok(()),
        })
    }

    /// Notes what a record says.
    pub(super) fn note(&mut self, record: &Record) {
        let place = self.places.of(record.path(), record.signature.as_ref());
        let Some(place) = place else {
            return;
        };
        let last = Last::of(record, SystemTime::now());
        // Several records may be on one place: all the images in an artifact.
        if matches!(self.found.get(&place), Some(Last::Failed(_))) {
            return;
        }
        if self.appended.is_ok() && self.before.last.get(&place) != Some(&last) {
            let line = ledger::line(&place, &last);
            self.appended = line.and_then(|line| self.lines.write_all(&line));
        }
        self.found.insert(place, last);
    }

    /// Writes it anew.
    ///
    /// # Errors
    /// If it cannot be written. What was appended so far is still there.
    pub(super) fn finish(self) -> Result<(), ReportError> {
        // Another run may have kept it meanwhile.
        let now = fs::read(&self.path).ok();
        let now = now.and_then(|now| ledger::Ledger::parse(&now).ok());
        let now = now.map(|ledger| ledger.history);
        let before = now.unwrap_or_else(|| (*self.before).clone());
        let times = (self.began, SystemTime::now());
        let history = merged(before, self.found, times, self.judges_images);
        write(&self.path, &history)
    }
}

/// Returns what is known after a run.
fn merged(
    before: History,
    found: HashMap<Place, Last>,
    (began, now): (SystemTime, SystemTime),
    judges_images: bool,
) -> History {
    let History { mut last } = before;
    // What is inside an artifact that was read was looked at with it, if images were.
    let was_read = |last: &Last| match last {
        Last::Passed(time, _) => *time >= began,
        Last::Failed(_) => true,
    };
    if judges_images {
        let read = found.iter().filter(|(_, last)| was_read(last));
        for (place, _) in read {
            last.remove(&place.inside());
        }
    }
    let is_kept = |last: &Last| match (last, now.duration_since(last.time())) {
        // Fail closed: a failure is remembered until its artifact passes, regardless of the clock.
        (Last::Failed(_), _) => true,
        (Last::Passed(..), Ok(age)) => age <= FORGETS,
        (Last::Passed(..), Err(_)) => false,
    };
    last.retain(|_, last| is_kept(last));
    last.extend(found);
    History { last }
}

/// Gives what counts as empty another name.
fn keep_aside(path: &Path) -> io::Result<()> {
    let place = place::of(path)?;
    let mut name = place.as_os_str().to_owned();
    name.push(".damaged");
    fs::rename(place, name)
}

fn write(path: &Path, history: &History) -> Result<(), ReportError> {
    whole::replace(path, |out| ledger::write(out, history))
}

fn append_to(path: &Path) -> Result<File, ReportError> {
    let file = OpenOptions::new().append(true).open(path);
    file.map_err(|error| whole::error(path, error))
}
