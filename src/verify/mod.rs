//! The front door: from keys and paths to records.

mod inputs;
mod key_files;
mod lists;
mod other_signers;
mod patience;
mod recall;
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
use crate::earlier::Past;
use crate::earlier::place::Known;
use crate::engine::{self, Images, PoolError, Prepared, Settings};
use crate::hints;
use crate::hints::notes::{Note, NoteCollector};
use crate::limits;
use crate::mirror::helpers::Helpers;
use crate::mirror::pairing::Needed;
use crate::mirror::walk::WalkOptions;
use crate::mirror::watch::{Ended, Watch};
use crate::mirror::{self, Search, Survey};
use crate::progress::{Cancel, Counters};
use crate::text::{escape, os_error};
use crate::trust::key::Key;
use crate::trust::record::Record;
pub(crate) use inputs::{DataKind, Extent, Inputs, One, STDIN};
pub use records::Records;
use unmatched::Unmatched;
pub(crate) use work::access;
use work::seeks;

/// Approximate bytes of memory per artifact before the work begins, excluding its paths.
const MEMORY_OF_A_WORK: u64 = 660;

/// Verifies artifacts with trusted keys.
///
/// One verifier may serve many runs, and several threads at once.
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
    /// Whether to limit concurrent readers on devices that slow down under them.
    pub(crate) limit_readers: bool,
    pub(crate) cancel: Cancel,
    /// What earlier runs found, if this one may know.
    pub(crate) past: Option<Arc<Past>>,
}

/// What a run accepts, and what it computes for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Whether a missing signature is accepted.
    pub(crate) allow_unsigned: bool,
    /// Whether to compute the digests of artifacts that are accepted without a signature.
    pub(crate) wants_digests: bool,
    /// Whether to judge the images in artifacts.
    pub(crate) images: bool,
}

/// Why a mirror cannot be verified.
///
/// ```
/// use verify_signatures::{Verifier, VerifyError};
///
/// let error = Verifier::new([]).mirror(["/no/such/mirror"]).err();
/// assert!(matches!(error, Some(VerifyError::NoPath { .. })));
/// ```
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The run was cancelled during the search for files.
    #[error("cancelled while looking for files; nothing was verified")]
    Cancelled,
    /// One of the paths cannot be examined.
    #[error("{}: {}", escape::name(path.as_os_str()), os_error::words(source))]
    NoPath {
        /// The path.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The memory limit leaves too little for the directory entries.
    #[error(
        "the limit on memory leaves too little for what lies here, of which {entries} entries were seen"
    )]
    Memory {
        /// Number of entries seen.
        entries: u64,
    },
    /// The system lacks the resources for the work.
    #[error(transparent)]
    Pool(#[from] PoolError),
}

impl Verifier {
    /// Returns a verifier that trusts these keys: a signature is valid if any of them made it.
    ///
    /// By default it walks directories to any depth, does not follow links to directories, expects
    /// a signature for every `.zst` and `.iso`, and uses every core.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Verifier {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Verifier {
            settings: Settings::new(keys.into_iter().map(Arc::new).collect(), threads),
            search: Search {
                reach: WalkOptions::default(),
                needed: Needed::Artifacts,
                images: false,
                lists: Vec::new(),
                is_signature: engine::is_signature_file,
                is_control_file: hints::data::is_control_file,
            },
            policy: Policy::default(),
            limit_readers: true,
            cancel: Cancel::default(),
            past: None,
        }
    }

    /// Uses exactly this many threads, even if that slows a device down. 0 means 1.
    pub fn threads(mut self, threads: usize) -> Verifier {
        self.settings.threads = threads.max(1);
        self.settings.exact_threads = true;
        self.limit_readers = false;
        self
    }

    /// Sets how files are read.
    pub fn io(mut self, io: IoMode) -> Verifier {
        self.settings.io = io;
        self
    }

    /// Limits the depth of the walk; 1 means only the files directly in a directory.
    pub fn max_depth(mut self, levels: usize) -> Verifier {
        self.search.reach.max_depth = Some(levels);
        self
    }

    /// Follows links to directories, entering each directory once.
    pub fn follow_links(mut self) -> Verifier {
        self.search.reach.follow_links = true;
        self
    }

    /// Expects a signature for every regular file, not only for `.zst` and `.iso`.
    pub fn all_files(mut self) -> Verifier {
        self.search.needed = Needed::AllFiles;
        self
    }

    /// Uses this file as a checksum list under any name: if one of the keys signed it, it vouches
    /// for the files that it names, and those are judged too. Lists with usual names, such as
    /// `SHA256SUMS`, are found where they lie.
    pub fn checksum_list(mut self, list: impl AsRef<Path>) -> Verifier {
        self.search.lists.push(list.as_ref().to_owned());
        self
    }

    /// Lets artifacts without a signature pass.
    pub fn allow_unsigned(mut self) -> Verifier {
        self.policy.allow_unsigned = true;
        self
    }

    /// Judges the images inside bundles, saved images and directories of images, too: each must be
    /// whole, and signed by one of the keys (Cosign) unless it lies in an artifact whose own
    /// signature is valid.
    pub fn images(self) -> Verifier {
        let keys = self.settings.keys.clone();
        self.images_by(Images::signed_by(keys))
    }

    /// Judges images by a policy of the caller's.
    pub(crate) fn images_by(mut self, images: Images) -> Verifier {
        self.search.images = true;
        self.policy.images = true;
        self.settings.images = Some(Arc::new(images));
        self
    }

    /// Ends its runs as soon as `cancel` is set, from any thread.
    pub fn cancelled_by(mut self, cancel: &Cancel) -> Verifier {
        self.cancel = cancel.clone();
        self
    }

    /// Verifies one artifact against one signature file on the current thread. The signature may
    /// have any [`SignatureFormat`](crate::SignatureFormat), under any name. Any failure is a
    /// verdict.
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

    /// Searches these paths for artifacts and begins to verify them. A directory is walked; a file
    /// brings in its counterpart.
    ///
    /// # Errors
    /// If nothing could be read. From then on every failure is a verdict.
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

    /// Finds the artifacts to verify. `entries` counts the directory entries seen so far.
    pub(crate) fn survey(
        &self,
        inputs: &Inputs,
        entries: &Arc<AtomicU64>,
    ) -> Result<Survey, VerifyError> {
        let (inputs, search) = (inputs.clone(), self.search.clone());
        let settings = self.settings.clone();
        let (seen, cancel) = (Arc::clone(entries), self.cancel.clone());
        let helpers = self.helpers(&inputs);
        let look = move || match inputs {
            Inputs::One(one) => Ok(Survey {
                artifacts: vec![work::artifact(&one)],
                control_files: true,
                ..Survey::default()
            }),
            Inputs::Paths(paths) => {
                let watch = Watch {
                    entries: &seen,
                    cancelled: &|| cancel.is_cancelled(),
                    has_room: &limits::has_room,
                };
                let mut survey = mirror::survey(&paths, &search, watch, &helpers)?;
                let context = lists::Context {
                    roots: &paths,
                    search: &search,
                    settings: &settings,
                    watch,
                };
                lists::bring(&mut survey, context)?;
                Ok(survey)
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

    /// Returns the threads that may help to survey the inputs.
    fn helpers(&self, inputs: &Inputs) -> Helpers {
        // If memory is limited, each directory is accounted for before the next one is read, and
        // threads would take address space for their heaps.
        if limits::memory_left().is_some() {
            return Helpers::none();
        }
        let paths = match inputs {
            Inputs::Paths(paths) if self.limit_readers => paths.clone(),
            _ => Vec::new(),
        };
        // Each has up to two directories open, and together they take half of what may be open.
        let threads = self.settings.threads.min(limits::files_left() / 4);
        Helpers::new(threads, move || paths.iter().any(|path| seeks(path)))
    }

    /// Plans the work on the survey. The threads exist on return, and wait.
    pub(crate) fn plan(&self, survey: Survey, inputs: &Inputs) -> Result<Planned, VerifyError> {
        let artifacts = survey.artifacts.len();
        if !limits::has_room(MEMORY_OF_A_WORK.saturating_mul(artifacts as u64)) {
            return Err(PoolError::Memory { records: artifacts }.into());
        }
        let one = match inputs {
            Inputs::One(one) => Some(one.clone()),
            Inputs::Paths(_) => None,
        };
        let (policy, inputs, past) = (self.policy, inputs.clone(), self.past.clone());
        let settings = Settings {
            control_files: survey.control_files,
            ..self.settings.clone()
        };
        let keys = settings.keys.clone();
        let works = patience::unless_cancelled(&self.cancel, move || {
            let unmatched = Unmatched::of(&survey, &inputs, &keys);
            let mut works = work::works(survey.artifacts, policy, one.as_ref(), unmatched.seeks());
            let places = past.map(|past| recall::recall(&mut works, &past));
            (works, unmatched, places)
        });
        let (works, unmatched, places) = works.ok_or(VerifyError::Cancelled)?;
        let media = work::media(&works);
        let access = media
            .iter()
            .map(|(device, medium)| (*device, access(*medium, self.limit_readers)));
        Ok(Planned {
            prepared: engine::prepare(works, settings, &access.collect())?,
            unmatched,
            media,
            places: Arc::new(places.unwrap_or_default()),
        })
    }

    /// Plans a run over nothing.
    pub(crate) fn plan_nothing(&self) -> Result<Prepared, VerifyError> {
        let nothing = engine::prepare(Vec::new(), self.settings.clone(), &BTreeMap::new());
        Ok(nothing?)
    }

    /// Returns the notes on the run as a whole.
    pub(crate) fn notes(&self, mut collector: NoteCollector, unmatched: Unmatched) -> Vec<Note> {
        let (mut notes, key_files) = unmatched.into_notes(&mut collector);
        let cancelled = || self.cancel.is_cancelled();
        let found = collector.notes(&self.settings.keys, &cancelled);
        notes.extend(other_signers::notes(
            &mut collector,
            &found,
            &self.settings,
            &key_files,
            &cancelled,
        ));
        notes.extend(found);
        // What a run did not reach is not known to be absent.
        let images = self.settings.images.iter().filter(|_| !cancelled());
        notes.extend(images.flat_map(|images| images.notes()));
        unmatched::without_repetitions(notes)
    }
}

/// A planned run that has not begun.
pub(crate) struct Planned {
    pub(crate) prepared: Prepared,
    /// The media of the artifacts, by device number.
    pub(crate) media: BTreeMap<u64, Medium>,
    /// Where everything of the run is, if earlier runs are known.
    pub(crate) places: Arc<Known>,
    unmatched: Unmatched,
}

impl Planned {
    /// Begins the run, and returns the unmatched signatures for its notes.
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
