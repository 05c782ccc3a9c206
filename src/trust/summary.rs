//! How many records a run has with each verdict.

use std::time::Duration;

use super::record::{Record, Subject};
use super::terms::Status;
#[cfg(doc)]
use super::verdict::Verdict;

/// Number of artifacts and images with each verdict, and the run's cost.
///
/// ```no_run
/// # use verify_signatures::{Key, Verifier};
/// # fn of(key: Key) -> Result<(), Box<dyn std::error::Error>> {
/// let mut records = Verifier::new([key]).mirror(["/srv/mirror"])?;
/// records.by_ref().for_each(drop);
/// let summary = records.summary();
/// assert!(summary.is_complete() && summary.failures == 0 && summary.valid > 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// [`Verdict::Valid`].
    pub valid: u64,
    /// [`Verdict::Listed`].
    pub listed: u64,
    /// [`Verdict::Invalid`] and [`Verdict::Unlisted`].
    pub invalid: u64,
    /// [`Verdict::Missing`], [`Verdict::PartMissing`], and a listed file that is missing.
    pub missing: u64,
    /// [`Verdict::Unsigned`] and [`Verdict::NotEntered`], allowed or not.
    pub unsigned: u64,
    /// [`Verdict::Changed`].
    pub changed: u64,
    /// [`Verdict::Unreadable`].
    pub unreadable: u64,
    /// [`Verdict::NotRegular`].
    pub not_regular: u64,
    /// [`Verdict::VerifiedEarlier`].
    pub verified_earlier: u64,
    /// Images inside artifacts, which the numbers above leave out.
    pub images: ImageCounts,
    /// Records whose verdict does not pass.
    pub failures: u64,
    /// Records that an uninterrupted run would have. Those of images are expected once they are
    /// found.
    pub expected: u64,
    /// Whether the run ended before the number of records was known.
    pub unsurveyed: bool,
    /// Bytes hashed, counting each file once.
    pub bytes: u64,
    /// Wall-clock time of the run.
    pub elapsed: Duration,
}

/// Number of images with each verdict, and of artifacts whose contents have one.
///
/// ```no_run
/// # use verify_signatures::{Key, Verifier};
/// # fn of(key: Key) -> Result<(), Box<dyn std::error::Error>> {
/// let mut records = Verifier::new([key]).images().mirror(["/srv/mirror"])?;
/// records.by_ref().for_each(drop);
/// println!("{} images are signed", records.summary().images.valid);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageCounts {
    /// [`Status::Valid`].
    pub valid: u64,
    /// [`Status::Invalid`].
    pub invalid: u64,
    /// [`Status::Unsigned`].
    pub unsigned: u64,
    /// [`Status::Incomplete`].
    pub incomplete: u64,
    /// [`Status::Malformed`].
    pub malformed: u64,
    /// [`Status::TooLarge`].
    pub too_large: u64,
    /// [`Status::NoImages`].
    pub no_images: u64,
}

impl ImageCounts {
    /// Returns the place of a status; `None` for one that is given to files only.
    fn place(&mut self, status: Status) -> Option<&mut u64> {
        Some(match status {
            Status::Valid => &mut self.valid,
            Status::Invalid => &mut self.invalid,
            Status::Unsigned => &mut self.unsigned,
            Status::Incomplete => &mut self.incomplete,
            Status::Malformed => &mut self.malformed,
            Status::TooLarge => &mut self.too_large,
            Status::NoImages => &mut self.no_images,
            Status::Missing
            | Status::Changed
            | Status::Unreadable
            | Status::NotRegular
            | Status::Listed
            | Status::VerifiedEarlier => return None,
        })
    }

    /// Returns the number of records with a status.
    pub fn of(mut self, status: Status) -> u64 {
        self.place(status).map_or(0, |count| *count)
    }

    /// Returns the number of records.
    pub fn records(self) -> u64 {
        Status::ALL.map(|status| self.of(status)).iter().sum()
    }
}

impl Summary {
    /// Counts one record.
    pub(crate) fn count(&mut self, record: &Record) {
        let status = record.verdict.status();
        self.failures += u64::from(!record.verdict.passes());
        let count = match record.subject {
            Subject::Artifact(_) => self.place(status),
            Subject::Image(_) | Subject::Contents(_) => self.images.place(status),
        };
        // A verdict on an artifact is given to nothing else, and the other way round.
        if let Some(count) = count {
            *count += 1;
        }
    }

    /// Returns the place of an artifact's status; `None` for one that is given to images only.
    fn place(&mut self, status: Status) -> Option<&mut u64> {
        Some(match status {
            Status::Valid => &mut self.valid,
            Status::Listed => &mut self.listed,
            Status::Invalid => &mut self.invalid,
            Status::Unsigned => &mut self.unsigned,
            Status::Missing => &mut self.missing,
            Status::Changed => &mut self.changed,
            Status::Unreadable => &mut self.unreadable,
            Status::NotRegular => &mut self.not_regular,
            Status::VerifiedEarlier => &mut self.verified_earlier,
            Status::Incomplete | Status::Malformed | Status::TooLarge | Status::NoImages => {
                return None;
            }
        })
    }

    /// Returns the number of records with a status, on artifacts and images.
    pub fn of(&self, status: Status) -> u64 {
        let artifacts = self.clone().place(status).map_or(0, |count| *count);
        artifacts + self.images.of(status)
    }

    /// Returns the number of records counted so far.
    pub fn records(&self) -> u64 {
        Status::ALL.map(|status| self.of(status)).iter().sum()
    }

    /// Returns the number of valid signatures, of artifacts and of images.
    pub fn valid_in_all(&self) -> u64 {
        self.of(Status::Valid)
    }

    /// Returns the number of records that a trusted key vouches for: by a valid signature, by a
    /// signed list, or by a signature that was valid earlier, on a file unchanged since.
    pub(crate) fn covered(&self) -> u64 {
        self.valid_in_all() + self.listed + self.verified_earlier
    }

    /// Reports whether every expected record was counted.
    pub fn is_complete(&self) -> bool {
        // Fail closed: zero of zero is not complete if the expected number is unknown.
        !self.unsurveyed && self.records() == self.expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::verdict::{Invalid, Part, Unclaimed, Verdict};

    fn unsigned(allowed: bool) -> Verdict {
        let why = Unclaimed::NoSignature;
        Verdict::Unsigned { allowed, why }
    }

    /// Returns a verdict of each status that has no key in it, with a count for each.
    fn verdicts() -> [(Verdict, u64); 7] {
        let unreadable = Verdict::Unreadable {
            part: Part::Data,
            words: "Permission denied".to_owned(),
        };
        [
            (Verdict::Invalid(Invalid::NoKeyVerifies), 2),
            (unsigned(false), 3),
            (unsigned(true), 1),
            (Verdict::Missing, 5),
            (Verdict::Changed { part: Part::Data }, 6),
            (unreadable, 7),
            (Verdict::NotRegular { part: Part::Data }, 8),
        ]
    }

    #[test]
    fn a_summary_counts_each_verdict_under_its_status_and_what_does_not_pass_as_a_failure() {
        let mut summary = Summary::default();
        assert!(summary.is_complete());
        for (verdict, times) in verdicts() {
            let record = Record::unhashed("x".into(), None, verdict);
            (0..times).for_each(|_| summary.count(&record));
        }
        let counts = Status::ALL.map(|status| summary.of(status));
        assert_eq!(counts, [0, 0, 2, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0]);
        assert_eq!((summary.records(), summary.failures), (32, 31));
        assert!(!summary.is_complete());
        summary.expected = 32;
        assert!(summary.is_complete());
        summary.unsurveyed = true;
        assert!(!summary.is_complete());
    }
}
