//! Two reports compared with each other. It rests on what they claim: nothing is hashed, and no
//! signature verified.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::baseline::{BaselineError, complete};
use super::finding::Finding;
use super::state::State;
use super::{Failures, differences};
use crate::digest::Digest;
use crate::wire::Key;
use crate::wire::audited::Document;

/// The report of a complete run, to be compared with another one.
#[derive(Debug)]
pub struct Report {
    side: Side,
    roots: Vec<PathBuf>,
    keys: Vec<Trusted>,
    state: State,
}

/// What a comparison says of one of the reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Its path.
    pub path: PathBuf,
    /// Its SHA-256.
    pub digest: Digest,
    /// When its run began, as it says.
    pub time: String,
    /// The machine of its run, as it says.
    pub host: String,
    /// Number of artifacts in it.
    pub artifacts: u64,
    /// Number of artifacts and images that did not pass, as it says.
    pub failures: u64,
    /// The exit status of its run, as it says.
    pub exit_status: u8,
    /// Whether its run judged images.
    pub has_images: bool,
}

/// A key that a report says was trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// The name of its file.
    pub name: String,
    /// The SHA-256 of its DER, in hexadecimal digits.
    pub fingerprint: String,
    /// The hash that its signatures are over, if it is not SHA-256.
    pub digest: Option<String>,
}

impl Trusted {
    /// Reports whether both are the same key and trusted with the same hash.
    fn is(&self, other: &Trusted) -> bool {
        let parts = |key: &Trusted| (key.fingerprint.clone(), key.digest.clone());
        parts(self) == parts(other)
    }
}

/// What became of comparing two reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// When it was made.
    pub time: SystemTime,
    /// The machine on which it was made.
    pub host: String,
    /// The earlier report.
    pub old: Side,
    /// The later report.
    pub new: Side,
    /// All differences.
    pub findings: Vec<Finding>,
    /// Keys that the later run trusted and the earlier one did not.
    pub new_keys: Vec<Trusted>,
}

impl Report {
    /// Reads a report.
    ///
    /// # Errors
    /// If a comparison with it would prove nothing; the error gives the reason.
    pub fn parse(path: &Path, report: &[u8]) -> Result<Report, BaselineError> {
        let (document, roots) = complete(report)?;
        let state = State::of_report(&document, &roots)?;
        Ok(Report {
            side: Side {
                path: path.to_owned(),
                digest: Digest::of(report),
                artifacts: state.artifacts.len() as u64,
                failures: failures(&document),
                // Fail closed: a report that does not say so came to no judgement.
                exit_status: document.summary.exit_status.unwrap_or(2),
                has_images: state.images.is_some(),
                time: document.start.time.clone(),
                host: document.start.host.clone(),
            },
            keys: keys(&document),
            roots,
            state,
        })
    }

    /// Compares an earlier report with a later one.
    ///
    /// # Errors
    /// If they cannot be compared: nothing would be known to correspond.
    pub fn compare(
        self,
        later: Report,
        time: SystemTime,
        host: String,
    ) -> Result<Comparison, BaselineError> {
        let (then, now) = (self.roots.len(), later.roots.len());
        if then != now {
            return Err(BaselineError::OtherRoots { then, now });
        }
        // Fail closed: what the later report leaves out would show no difference.
        if self.state.images.is_some() && later.state.images.is_none() {
            return Err(BaselineError::WithoutImages);
        }
        if let Some(path) = self.state.torn() {
            return Err(BaselineError::torn(path));
        }
        let is_new = |key: &Trusted| {
            let mut known = self.keys.iter();
            !known.any(|known| known.is(key))
        };
        let state = &later.state;
        Ok(Comparison {
            time,
            host,
            findings: differences(&self.state, state, &later.roots, Failures::AreFindings),
            new_keys: later
                .keys
                .iter()
                .filter(|key| is_new(key))
                .cloned()
                .collect(),
            old: self.side,
            new: later.side,
        })
    }
}

impl Comparison {
    /// Reports whether images could not be compared: only the later run judged them.
    pub fn leaves_out_images(&self) -> bool {
        self.new.has_images && !self.old.has_images
    }

    /// Reports whether the later run is not what the earlier one was, or has failures of its own.
    pub fn differs(&self) -> bool {
        // Fail closed: a key that was not trusted before may have made every valid signature, and a
        // run with failures passes by no comparison.
        !self.findings.is_empty() || !self.new_keys.is_empty() || self.new.failures > 0
    }

    /// Reports whether there is nothing to go by: the later report has no artifact, or its run
    /// came to no judgement.
    pub fn proves_nothing(&self) -> bool {
        self.new.artifacts == 0 || self.new.exit_status > 1
    }
}

/// Returns the number of failures. Fail closed: by the sum or by the records, whichever says more.
fn failures(document: &Document) -> u64 {
    let failed = document.artifacts.iter().filter(|found| !found.passes);
    let failures = document.summary.failures.unwrap_or_default();
    failures.max(failed.count() as u64)
}

/// Returns the keys that a run trusted, for artifacts and for images.
fn keys(document: &Document) -> Vec<Trusted> {
    let of_images = document.start.options.images.iter();
    let of_images = of_images.flat_map(|images| &images.keys);
    let mut keys: Vec<Trusted> = Vec::new();
    for Key {
        name,
        fingerprint,
        digest,
        ..
    } in document.start.keys.iter().chain(of_images)
    {
        let digest = digest.as_deref().filter(|digest| *digest != "sha256");
        let key = Trusted {
            name: name.clone().into_owned(),
            fingerprint: fingerprint.clone().into_owned(),
            digest: digest.map(str::to_owned),
        };
        if !keys.iter().any(|known| known.is(&key)) {
            keys.push(key);
        }
    }
    keys
}
