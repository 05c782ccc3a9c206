//! Progress of a run: the workers' counters, readable from any thread.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Minimum size of a file shown as in flight; a smaller one is hashed before it can be displayed.
const WORTH_WATCHING: u64 = 32 * 1024 * 1024;

/// The progress of a run.
///
/// ```no_run
/// # use verify_signatures::{Key, Verifier};
/// # fn of(key: Key) -> Result<(), Box<dyn std::error::Error>> {
/// let records = Verifier::new([key]).mirror(["/srv/mirror"])?;
/// let counters = records.progress();
/// std::thread::spawn(move || eprintln!("{} of {} bytes", counters.done(), counters.total()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Counters {
    total: AtomicU64,
    hashed: AtomicU64,
    passed_over: AtomicU64,
    records: AtomicU64,
    decided: AtomicU64,
    failures: AtomicU64,
    earlier: AtomicU64,
    panics: AtomicU64,
    /// Workers hold their files; a file that a worker has released is no longer in flight.
    flights: Mutex<Vec<Weak<Flight>>>,
}

/// A file that is being hashed.
///
/// ```no_run
/// # use verify_signatures::{Key, Verifier};
/// # fn of(key: Key) -> Result<(), Box<dyn std::error::Error>> {
/// let records = Verifier::new([key]).mirror(["/srv/mirror"])?;
/// for flight in records.progress().in_flight() {
///     eprintln!("{}: {} of {} bytes", flight.path.display(), flight.done(), flight.size);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Flight {
    /// The first of its paths.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    done: AtomicU64,
}

impl Flight {
    /// Returns the number of bytes hashed so far.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Counters {
    /// Returns the total bytes of all files to hash, each counted once.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Returns the number of bytes hashed so far.
    pub fn hashed(&self) -> u64 {
        self.hashed.load(Ordering::Relaxed)
    }

    /// Returns the number of bytes finished: hashed, or no longer worth hashing.
    pub fn done(&self) -> u64 {
        self.hashed()
            .saturating_add(self.passed_over.load(Ordering::Relaxed))
    }

    /// Returns the expected number of records.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Returns the number of decided records.
    pub fn decided(&self) -> u64 {
        self.decided.load(Ordering::Relaxed)
    }

    /// Returns the number of decided records that do not pass.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Returns the number of decided records on what was verified earlier.
    pub(crate) fn earlier(&self) -> u64 {
        self.earlier.load(Ordering::Relaxed)
    }

    /// Returns the number of worker panics: defects of this program. The affected artifacts have
    /// failed.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Returns the files being hashed, except small ones, in the order in which they were started.
    pub fn in_flight(&self) -> Vec<Arc<Flight>> {
        self.flights().iter().filter_map(Weak::upgrade).collect()
    }

    /// Returns the number of bytes to hash, without those that are no longer worth it.
    pub(crate) fn worth_hashing(&self) -> u64 {
        let passed_over = self.passed_over.load(Ordering::Relaxed);
        self.total().saturating_sub(passed_over)
    }

    /// Returns the number of bytes not yet finished. (Too low if a file grew since it was planned.)
    pub(crate) fn left(&self) -> u64 {
        self.total().saturating_sub(self.done())
    }

    pub(crate) fn expect(&self, records: usize, bytes: u64) {
        self.records.store(records as u64, Ordering::Relaxed);
        self.total.store(bytes, Ordering::Relaxed);
    }

    /// Expects a record more: a work had more than one.
    pub(crate) fn expect_another(&self) {
        self.records.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn decide(&self, passes: bool) {
        self.decided.fetch_add(1, Ordering::Relaxed);
        self.failures
            .fetch_add(u64::from(!passes), Ordering::Relaxed);
    }

    /// Counts a decided record on what was verified earlier.
    pub(crate) fn note_earlier(&self) {
        self.earlier.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn note_panic(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_hashed(&self, bytes: u64) {
        self.hashed.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn pass_over(&self, bytes: u64) {
        self.passed_over.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Registers a file, in flight while the result is held; `None` for a small one.
    pub(crate) fn begin(&self, path: &Path, size: u64) -> Option<Arc<Flight>> {
        if size < WORTH_WATCHING {
            return None;
        }
        let flight = Arc::new(Flight {
            path: path.to_owned(),
            size,
            done: AtomicU64::new(0),
        });
        let mut flights = self.flights();
        flights.retain(|old| old.strong_count() > 0);
        flights.push(Arc::downgrade(&flight));
        Some(flight)
    }

    /// Locks the list, which is consistent wherever a thread could panic, so poisoning is ignored.
    fn flights(&self) -> MutexGuard<'_, Vec<Weak<Flight>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request to end the run, checked in every window.
///
/// ```no_run
/// use verify_signatures::{Cancel, Key, Verifier};
///
/// # fn of(key: Key) -> Result<(), Box<dyn std::error::Error>> {
/// let cancel = Cancel::default();
/// let verifier = Verifier::new([key]).cancelled_by(&cancel);
/// std::thread::spawn(move || cancel.cancel());
/// let mut records = verifier.mirror(["/srv/mirror"])?;
/// while records.next().is_some() {}
/// assert!(!records.summary().is_complete());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    flag: Arc<AtomicBool>,
    /// The request to end all runs of which this is one.
    of_all: Option<Arc<AtomicBool>>,
}

impl Cancel {
    /// Requests the end of the run.
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    /// Reports whether the run should end.
    pub fn is_cancelled(&self) -> bool {
        let is_set = |flag: &Arc<AtomicBool>| flag.load(Ordering::Relaxed);
        is_set(&self.flag) || self.of_all.as_ref().is_some_and(is_set)
    }

    /// Returns a request for one run, which this one implies; not vice versa.
    pub(crate) fn child(&self) -> Cancel {
        Cancel {
            flag: Arc::default(),
            of_all: Some(self.flag()),
        }
    }

    /// Returns the flag itself, for a signal handler to set.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_in_flight_while_somebody_holds_it_and_a_small_one_never() {
        let counters = Counters::default();
        assert!(counters.begin(Path::new("small"), 1024).is_none());
        let first = counters.begin(Path::new("a"), WORTH_WATCHING).unwrap();
        let second = counters.begin(Path::new("b"), u64::MAX).unwrap();
        second.add(5);
        let names = |flights: Vec<Arc<Flight>>| -> Vec<(PathBuf, u64)> {
            let name = |flight: &Arc<Flight>| (flight.path.clone(), flight.done());
            flights.iter().map(name).collect()
        };
        let both = [("a".into(), 0), ("b".into(), 5)];
        assert_eq!(names(counters.in_flight()), both);
        drop(first);
        assert_eq!(names(counters.in_flight()), both[1..]);
    }
}
