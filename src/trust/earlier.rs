//! What an earlier run saw and found valid, and whether that still stands. Pure.
//!
//! It finds accidents, not attackers: whoever can set time stamps, or write where the evidence
//! lies, can have anything taken for verified. So it has a verdict of its own, which is never
//! [`Verdict::Valid`](super::verdict::Verdict::Valid).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::claimed::ClaimedDigest;
use super::key::Key;
use crate::digest::{Algorithm, Digest};
use crate::files::Stamp;

/// A file as it was when it was hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What the file system said of it, before and after.
    pub stamp: Stamp,
    /// When hashing began, by the system clock.
    pub time: SystemTime,
}

/// An artifact with a signature that an earlier run found valid, and what both were. Everything in
/// it is a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The artifact's file.
    pub seen: Seen,
    /// The artifact's SHA-256.
    pub(crate) content: ClaimedDigest,
    /// The SHA-256 of the signature's file.
    pub(crate) signature: ClaimedDigest,
    /// The fingerprint of the key that verified it.
    pub(crate) key: ClaimedDigest,
    /// The hash that the signature was over, if not the usual one of such a key.
    pub(crate) digest: Option<Algorithm>,
}

/// Which evidence counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The beginning of this run, by the system clock.
    pub now: SystemTime,
    /// The greatest age that evidence may have, if there is a limit.
    pub max_age: Option<Duration>,
}

/// What this run finds of an artifact and its signature, without reading the artifact.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// What the file system says of the artifact.
    pub stamp: Stamp,
    /// The SHA-256 of the signature's file, as it was read now.
    pub signature: Digest,
    /// The trusted keys.
    pub keys: &'a [Arc<Key>],
}

/// An artifact that was verified earlier and has not changed since, as far as the file system says.
///
/// ```no_run
/// # use verify_signatures::Verdict;
/// # fn of(verdict: Verdict) {
/// if let Verdict::VerifiedEarlier(earlier) = verdict {
///     println!("{:?} by {}", earlier.time, earlier.key.fingerprint());
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Earlier {
    /// When it was verified, by that run's clock.
    pub time: SystemTime,
    /// The trusted key that verified it, according to that run.
    pub key: Arc<Key>,
    /// Its SHA-256, according to that run.
    pub(crate) content: ClaimedDigest,
}

/// Why evidence does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvidenceError {
    /// It is of a time that has not come yet: a clock was wrong then, or is now.
    Future,
    /// It is older than it may be.
    TooOld,
    /// The file had changed so shortly before it was hashed, or so far in the future, that a later
    /// change could have the same time.
    TooFresh,
    /// The file is another one, or has changed.
    FileChanged,
    /// The signature has changed.
    SignatureChanged,
    /// The key is not trusted any more.
    KeyNotTrusted,
}

/// The time for which a file must have been unchanged when it was hashed. File systems keep times
/// as coarsely as two seconds (FAT).
const SETTLED: Duration = Duration::from_secs(2);

impl Evidence {
    /// Decides whether an artifact passes on this evidence without being read.
    ///
    /// # Errors
    /// The first reason why it does not.
    pub fn holds(&self, terms: Terms, found: Found<'_>) -> Result<Earlier, EvidenceError> {
        self.counts(terms)?;
        // Fail closed: device, inode, size and both times, each to the last digit.
        if self.seen.stamp != found.stamp {
            return Err(EvidenceError::FileChanged);
        }
        if self.signature != ClaimedDigest::from(found.signature) {
            return Err(EvidenceError::SignatureChanged);
        }
        // Fail closed: a key that is trusted with another hash than then has not signed this.
        let is_it = |key: &&Arc<Key>| {
            let is_same = self.key == ClaimedDigest::from(*key.fingerprint());
            is_same && self.digest == key.other_digest()
        };
        let key = found.keys.iter().find(is_it);
        Ok(Earlier {
            time: self.seen.time,
            key: Arc::clone(key.ok_or(EvidenceError::KeyNotTrusted)?),
            content: self.content,
        })
    }

    /// Decides whether it may count at all, regardless of what the artifact is by now.
    ///
    /// # Errors
    /// The first reason why it may not.
    pub fn counts(&self, terms: Terms) -> Result<(), EvidenceError> {
        let age = terms.now.duration_since(self.seen.time);
        let age = age.map_err(|_| EvidenceError::Future)?;
        if terms.max_age.is_some_and(|most| age > most) {
            return Err(EvidenceError::TooOld);
        }
        let Stamp {
            modified, changed, ..
        } = self.seen.stamp;
        let is_settled = |time: Option<SystemTime>| {
            let until = time?.checked_add(SETTLED)?;
            Some(until < self.seen.time)
        };
        // Fail closed: a time that the clock does not have is no time long ago.
        let are_settled = [modified, changed].map(|time| is_settled(time.system()));
        if are_settled != [Some(true); 2] {
            return Err(EvidenceError::TooFresh);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::FileTime;
    use crate::testing::key;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    const STAMP: Stamp = Stamp {
        device: 1,
        inode: 2,
        size: 3,
        modified: FileTime::new(900, 5),
        changed: FileTime::new(950, 6),
    };

    fn evidence(key: &Key) -> Evidence {
        Evidence {
            seen: Seen {
                stamp: STAMP,
                time: at(1000),
            },
            content: Digest::of(b"content").into(),
            signature: Digest::of(b"signature").into(),
            key: (*key.fingerprint()).into(),
            digest: key.other_digest(),
        }
    }

    const TERMS: Terms = Terms {
        now: SystemTime::UNIX_EPOCH,
        max_age: Some(Duration::from_secs(100)),
    };

    fn terms(now: u64) -> Terms {
        Terms {
            now: at(now),
            ..TERMS
        }
    }

    /// What comes of evidence on a file with this stamp, and this signature.
    fn holds(
        evidence: Evidence,
        now: u64,
        stamp: Stamp,
        signature: &[u8],
    ) -> Result<(), EvidenceError> {
        let keys = [Arc::new(key(9)), Arc::new(key(1))];
        let found = Found {
            stamp,
            signature: Digest::of(signature),
            keys: &keys,
        };
        let earlier = evidence.holds(terms(now), found)?;
        assert_eq!(earlier.time, evidence.seen.time);
        assert_eq!(earlier.key, keys[1]);
        assert_eq!(earlier.content, evidence.content);
        Ok(())
    }

    #[test]
    fn evidence_holds_while_nothing_has_changed_and_it_is_not_too_old() {
        let evidence = evidence(&key(1));
        for now in [1000, 1001, 1100] {
            assert_eq!(holds(evidence, now, STAMP, b"signature"), Ok(()));
        }
        let for_ever = Terms {
            max_age: None,
            ..terms(1_000_000_000)
        };
        assert_eq!(evidence.counts(for_ever), Ok(()));
    }

    #[test]
    fn evidence_that_is_too_old_or_of_the_future_does_not_hold() {
        let evidence = evidence(&key(1));
        let at_time = |now| holds(evidence, now, STAMP, b"signature");
        assert_eq!(at_time(1101), Err(EvidenceError::TooOld));
        assert_eq!(at_time(999), Err(EvidenceError::Future));
    }

    #[test]
    fn a_file_that_differs_in_any_stamp_is_read_again() {
        let others = [
            Stamp { device: 0, ..STAMP },
            Stamp { inode: 0, ..STAMP },
            Stamp { size: 0, ..STAMP },
            Stamp {
                modified: FileTime::new(900, 6),
                ..STAMP
            },
            Stamp {
                modified: FileTime::new(901, 5),
                ..STAMP
            },
            Stamp {
                changed: FileTime::new(950, 7),
                ..STAMP
            },
            Stamp {
                changed: FileTime::new(949, 6),
                ..STAMP
            },
        ];
        for other in others {
            let result = holds(evidence(&key(1)), 1050, other, b"signature");
            assert_eq!(result, Err(EvidenceError::FileChanged), "{other:?}");
        }
    }

    #[test]
    fn another_signature_or_a_key_that_is_not_trusted_any_more_has_it_read_again() {
        let of = |number| evidence(&key(number));
        let other = holds(of(1), 1050, STAMP, b"other");
        assert_eq!(other, Err(EvidenceError::SignatureChanged));
        let other = holds(of(2), 1050, STAMP, b"signature");
        assert_eq!(other, Err(EvidenceError::KeyNotTrusted));
    }

    #[test]
    fn a_key_that_is_trusted_with_another_hash_than_then_has_it_read_again() {
        let rsa = include_bytes!("../../tests/keys/rsa2048.pem");
        let with = |digest| {
            let key = Key::parse("k", rsa).unwrap();
            Arc::new(key.with_digest(digest).unwrap())
        };
        for then in Algorithm::ALL {
            for now in Algorithm::ALL {
                let evidence = evidence(&with(then));
                let keys = [with(now)];
                let found = Found {
                    stamp: STAMP,
                    signature: Digest::of(b"signature"),
                    keys: &keys,
                };
                let expected = if then == now {
                    Ok(())
                } else {
                    Err(EvidenceError::KeyNotTrusted)
                };
                let result = evidence.holds(terms(1050), found).map(|_| ());
                assert_eq!(result, expected, "{then}, {now}");
            }
        }
    }

    #[test]
    fn what_had_changed_shortly_before_it_was_hashed_or_will_only_change_is_read_again() {
        let of = |modified, changed| {
            let mut evidence = evidence(&key(1));
            evidence.seen.stamp = Stamp {
                modified,
                changed,
                ..STAMP
            };
            holds(evidence, 1050, evidence.seen.stamp, b"signature")
        };
        let long_ago = FileTime::new(0, 0);
        let just_settled = FileTime::new(997, 999_999_999);
        assert_eq!(of(long_ago, just_settled), Ok(()));
        assert_eq!(of(just_settled, long_ago), Ok(()));
        let fresh = [
            FileTime::new(998, 0),
            FileTime::new(1000, 0),
            FileTime::new(5000, 0),
            FileTime::new(i64::MAX, 0),
            FileTime::new(-1, 0),
            FileTime::new(i64::MIN, i64::MIN),
        ];
        for fresh in fresh {
            assert_eq!(of(fresh, long_ago), Err(EvidenceError::TooFresh), "{fresh}");
            assert_eq!(of(long_ago, fresh), Err(EvidenceError::TooFresh), "{fresh}");
        }
    }
}
