//! The front door: from keys and paths to records.

mod inputs;
mod patience;
mod records;
mod unmatched;
mod work;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use thiserror::Error;

use crate::content::IoMode;
use crate::device::Medium;
use crate::engine::{self, PoolError, Prepared, Settings};
use crate::hints::budget::Budget;
use crate::hints::key_recovery;
use crate::hints::notes::{Note, NoteCollector};
use crate::limits;
use crate::mirror::pairing::Needed;
use crate::mirror::walk::WalkOptions;
use crate::mirror::watch::{Ended, Watch};
use crate::mirror::{self, Search, Survey};
use crate::progress::{Cancel, Counters};
use crate::text::{escape, os_error};
use crate::trust::key::Key;
use crate::trust::verdict::Record;
pub(crate) use inputs::{Extent, Inputs, One};
pub use records::Records;
use unmatched::Unmatched;
pub(crate) use work::access;

/// Bytes that an artifact takes until the work begins, beside its paths.
const MEMORY_OF_A_WORK: u64 = 600;
/// The most work that finding another key may be, in verifications: less than a tenth of a second's
/// worth.
const MOST_RECOVERY: usize = 1000;

/// Verifies artifacts by trusted keys.
///
/// One verifier may be used for many runs, and by several threads at once.
///
/// ```no_run
/// use verify_signatures::{Key, Verifier};
///
/// let key = Key::parse("vendor", &std::fs::read("vendor.pem")?)?;
/// for record in Verifier::new([key]).mirror(["/srv/mirror"])?.in_order() {
///     if !record.verdict.passes() {
///         eprintln!("{}: {}", record.path(), record.verdict.reason());
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    pub(crate) settings: Settings,
    pub(crate) search: Search,
    pub(crate) policy: Policy,
    /// Whether devices that are slower when many files are read at once are spared that.
    pub(crate) limit_readers: bool,
    pub(crate) cancel: Cancel,
}

/// What is accepted, and what is wanted of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Whether a missing signature is accepted.
    pub(crate) allow_unsigned: bool,
    /// Whether the digest of what is accepted without a signature is wanted.
    pub(crate) wants_digests: bool,
}

/// Why a mirror is not verified.
///
/// ```
/// use verify_signatures::{Verifier, VerifyError};
///
/// let error = Verifier::new([]).mirror(["/no/such/mirror"]).err();
/// assert!(matches!(error, Some(VerifyError::NoPath { .. })));
/// ```
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The run was cancelled while it looked for files.
    #[error("cancelled while looking for files; nothing was verified")]
    Cancelled,
    /// One of the paths cannot be looked at.
    #[error("{}: {}", escape::name(path.as_os_str()), os_error::words(source))]
    NoPath {
        /// The path.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The limit on memory leaves too little for the entries of the directories.
    #[error(
        "the limit on memory leaves too little for what lies here, of which {entries} entries were seen; raise it (ulimit -v, ulimit -d), \
         or verify fewer at a time"
    )]
    Memory {
        /// How many entries were seen.
        entries: u64,
    },
    /// The system does not give what the work needs.
    #[error(transparent)]
    Pool(#[from] PoolError),
}

impl Verifier {
    /// A verifier that trusts these keys: a signature is valid if any of them made it.
    ///
    /// It walks directories to their end, does not enter linked ones, expects a signature for every
    /// `.zst` and `.iso`, and uses every core.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Verifier {
        Verifier {
            settings: Settings {
                keys: keys.into_iter().map(Arc::new).collect(),
                io: IoMode::Auto,
                threads: std::thread::available_parallelism().map_or(1, usize::from),
                exact_threads: false,
                hasher: None,
            },
            search: Search {
                reach: WalkOptions::default(),
                needed: Needed::Artifacts,
            },
            policy: Policy::default(),
            limit_readers: true,
            cancel: Cancel::default(),
        }
    }

    /// Uses exactly so many threads, however slow that makes a device. None is one.
    pub fn threads(mut self, threads: usize) -> Verifier {
        self.settings.threads = threads.max(1);
        self.settings.exact_threads = true;
        self.limit_readers = false;
        self
    }

    /// Reads files in this way.
    pub fn io(mut self, io: IoMode) -> Verifier {
        self.settings.io = io;
        self
    }

    /// Walks so many levels; 1 is the files directly in a directory.
    pub fn max_depth(mut self, levels: usize) -> Verifier {
        self.search.reach.max_depth = Some(levels);
        self
    }

    /// Enters linked directories, each once.
    pub fn follow_links(mut self) -> Verifier {
        self.search.reach.follow_links = true;
        self
    }

    /// Expects a signature for every regular file, not only for `.zst` and `.iso`.
    pub fn all_files(mut self) -> Verifier {
        self.search.needed = Needed::AllFiles;
        self
    }

    /// Lets artifacts without a signature pass.
    pub fn allow_unsigned(mut self) -> Verifier {
        self.policy.allow_unsigned = true;
        self
    }

    /// Ends its runs as soon as `cancel` is set, from whatever thread.
    pub fn cancelled_by(mut self, cancel: &Cancel) -> Verifier {
        self.cancel = cancel.clone();
        self
    }

    /// Verifies one artifact against one signature file, on this thread. A failure of whatever kind
    /// is a verdict.
    ///
    /// ```no_run
    /// use verify_signatures::{Key, Verifier};
    ///
    /// let key = Key::parse("vendor", &std::fs::read("vendor.pem")?)?;
    /// let record = Verifier::new([key]).file("x.iso", "x.iso.sig.bin");
    /// assert!(record.verdict.passes());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn file(&self, data: impl AsRef<Path>, signature: impl AsRef<Path>) -> Record {
        engine::verify_file(&self.settings, data.as_ref(), signature.as_ref())
    }

    /// Looks for the artifacts that these paths bring in, and begins to verify them. A directory is
    /// walked; a file brings in what it is paired with.
    ///
    /// # Errors
    /// When nothing was read. From then on every failure is a verdict.
    pub fn mirror<P: AsRef<Path>>(
        &self,
        paths: impl IntoIterator<Item = P>,
    ) -> Result<Records, VerifyError> {
        let began = Instant::now();
        let paths: Vec<PathBuf> = paths
            .into_iter()
            .map(|path| path.as_ref().to_owned())
            .collect();
        for path in &paths {
            path.metadata().map_err(|source| VerifyError::NoPath {
                path: path.clone(),
                source,
            })?;
        }
        let inputs = Inputs::Paths(paths);
        let survey = self.survey(&inputs, &Arc::default())?;
        let planned = self.plan(survey, &inputs)?;
        let (records, _) = planned.begin(Arc::default(), self.cancel.child(), began)?;
        Ok(records)
    }

    /// Finds what there is to verify. `entries` counts what was seen meanwhile.
    pub(crate) fn survey(
        &self,
        inputs: &Inputs,
        entries: &Arc<AtomicU64>,
    ) -> Result<Survey, VerifyError> {
        let (inputs, search) = (inputs.clone(), self.search.clone());
        let (seen, cancel) = (Arc::clone(entries), self.cancel.clone());
        let look = move || match inputs {
            Inputs::One(one) => Ok(Survey {
                artifacts: vec![work::artifact(&one)],
                ..Survey::default()
            }),
            Inputs::Paths(paths) => {
                let watch = Watch {
                    entries: &seen,
                    cancelled: &|| cancel.is_cancelled(),
                    has_room: &limits::has_room,
                };
                mirror::survey(&paths, &search, watch)
            }
        };
        let survey = patience::unless_cancelled(&self.cancel, look);
        survey
            .unwrap_or(Err(Ended::Cancelled))
            .map_err(|ended| match ended {
                Ended::Cancelled => VerifyError::Cancelled,
                Ended::Memory => VerifyError::Memory {
                    entries: entries.load(Ordering::Relaxed),
                },
            })
    }

    /// Plans the work on what was found. The threads are there afterwards, and wait.
    pub(crate) fn plan(&self, survey: Survey, inputs: &Inputs) -> Result<Planned, VerifyError> {
        let artifacts = survey.artifacts.len();
        if !limits::has_room(MEMORY_OF_A_WORK.saturating_mul(artifacts as u64)) {
            return Err(PoolError::Memory { records: artifacts }.into());
        }
        let one = match inputs {
            Inputs::One(one) => Some(one.clone()),
            Inputs::Paths(_) => None,
        };
        let policy = self.policy;
        let works = patience::unless_cancelled(&self.cancel, move || {
            let unmatched = Unmatched::of(&survey);
            let works = work::works(survey.artifacts, policy, one.as_ref(), unmatched.seeks());
            (works, unmatched)
        });
        let (works, unmatched) = works.ok_or(VerifyError::Cancelled)?;
        let media = work::media(&works);
        let access = media
            .iter()
            .map(|(device, medium)| (*device, access(*medium, self.limit_readers)));
        Ok(Planned {
            prepared: engine::prepare(works, self.settings.clone(), &access.collect())?,
            unmatched,
            media,
        })
    }

    /// What a run over nothing would be.
    pub(crate) fn plan_nothing(&self) -> Result<Prepared, VerifyError> {
        let nothing = engine::prepare(Vec::new(), self.settings.clone(), &BTreeMap::new());
        Ok(nothing?)
    }

    /// What a run shows as a whole.
    pub(crate) fn notes(&self, mut collector: NoteCollector, unmatched: Unmatched) -> Vec<Note> {
        let mut notes = unmatched.into_notes(&mut collector);
        let cancelled = || self.cancel.is_cancelled();
        let found = collector.notes(&self.settings.keys, &cancelled);
        notes.extend(self.wrong_key(&collector, &found, &cancelled));
        notes.extend(found);
        unmatched::without_repetitions(notes)
    }

    /// The note that the keys are probably the wrong ones; none where one of them made a signature,
    /// though over another file.
    fn wrong_key(
        &self,
        collector: &NoteCollector,
        found: &[Note],
        cancelled: &dyn Fn() -> bool,
    ) -> Option<Note> {
        let fits = |note: &Note| {
            matches!(
                note,
                Note::SignatureFitsOther { .. } | Note::SignatureFits { .. }
            )
        };
        let (strangers, signatures) = collector
            .all_strange()
            .filter(|_| !found.iter().any(fits))?;
        let signer = key_recovery::signer(strangers, &Budget::new(MOST_RECOVERY, cancelled));
        Some(Note::WrongKey {
            keys: self.settings.keys.clone(),
            signatures,
            signer: signer.map(|signer| (signer.fingerprint, signer.signatures)),
        })
    }
}

/// A run that is planned and has not begun.
pub(crate) struct Planned {
    pub(crate) prepared: Prepared,
    /// What the artifacts lie on, by the number of the device.
    pub(crate) media: BTreeMap<u64, Medium>,
    unmatched: Unmatched,
}

impl Planned {
    /// Begins the run. What no artifact was matched with is handed out for its notes.
    pub(crate) fn begin(
        self,
        counters: Arc<Counters>,
        cancel: Cancel,
        began: Instant,
    ) -> Result<(Records, Unmatched), VerifyError> {
        let running = self.prepared.begin(Arc::clone(&counters), cancel)?;
        Ok((Records::new(running, counters, began), self.unmatched))
    }
}
