//! The ledger: what was last found of each artifact, as lines that are appended while a run goes
//! on, and written anew at its end.
//!
//! The first line is [`HEADER`]. Each of the others is the SHA-256 of a JSON object in hexadecimal
//! digits, a blank, and that object; of two lines on one artifact the later counts. What is cut off
//! behind the last line feed does not count, so that a run may be killed at any moment.

use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::place::Place;
use super::{History, Last, stamps};
use crate::digest::{Algorithm, Digest};
use crate::files::SharedPath;
use crate::text::time::{self, rfc3339};
use crate::trust::claimed::ClaimedDigest;
use crate::trust::earlier::Evidence;
use crate::wire::{PathMember, Stamps};

/// The first line.
pub const HEADER: &str = "verify-signatures ledger 1";

/// Why a ledger counts as empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Damaged {
    /// Its first line is another.
    #[error("not a ledger of this version of the program")]
    NotALedger,
    /// The SHA-256 of a line is another, or the line is no entry.
    #[error("line {0} is damaged, or was changed by another program")]
    Line(usize),
}

/// A ledger as it was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// What it says.
    pub history: History,
    /// Whether nothing can be appended, since its end is cut off or it is empty.
    pub is_torn: bool,
}

/// A line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    data: PathMember<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<PathMember<'a>>,
    passes: bool,
    time: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<Proof<'a>>,
}

/// The evidence in a line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Proof<'a> {
    stamps: Stamps<'a>,
    sha256: String,
    signature_sha256: String,
    key: String,
    /// The hash that the signature is over, if it is not the usual one of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

impl Ledger {
    /// Reads a ledger.
    ///
    /// # Errors
    /// If any of it is not what this program wrote.
    pub fn parse(bytes: &[u8]) -> Result<Ledger, Damaged> {
        let whole = bytes.iter().rposition(|byte| *byte == b'\n');
        let (whole, rest) = bytes.split_at(whole.map_or(0, |at| at + 1));
        let mut lines = whole.split_inclusive(|byte| *byte == b'\n');
        let is_header = |line: &[u8]| line.strip_suffix(b"\n") == Some(HEADER.as_bytes());
        match lines.next() {
            Some(first) if is_header(first) => {}
            None if HEADER.as_bytes().starts_with(rest) => {}
            Some(_) | None => return Err(Damaged::NotALedger),
        }
        let mut history = History::default();
        for (number, line) in (2..).zip(lines) {
            // Fail closed: what one line says cannot be relied upon if another was changed.
            let (place, last) = entry(line).ok_or(Damaged::Line(number))?;
            history.last.insert(place, last);
        }
        Ok(Ledger {
            history,
            is_torn: !rest.is_empty() || whole.is_empty(),
        })
    }
}

/// Writes a whole ledger.
///
/// # Errors
/// Those of the writer.
pub fn write(mut out: impl Write, history: &History) -> io::Result<()> {
    writeln!(out, "{HEADER}")?;
    let mut all: Vec<(&Place, &Last)> = history.last.iter().collect();
    all.sort_unstable_by_key(|(place, _)| *place);
    for (place, last) in all {
        out.write_all(&line(place, last)?)?;
    }
    Ok(())
}

/// Returns the line on an artifact, with its line feed.
///
/// # Errors
/// None: an object of texts and numbers can always be written.
pub fn line(place: &Place, last: &Last) -> io::Result<Vec<u8>> {
    let member = |path: &SharedPath| PathMember::of_bytes(path.to_os_string().into_vec());
    let line = Line {
        data: member(&place.data),
        signature: place.signature.as_ref().map(member),
        passes: matches!(last, Last::Passed(..)),
        time: rfc3339(last.time()),
        evidence: match last {
            Last::Passed(_, Some(evidence)) => Some(proof(evidence)),
            Last::Passed(_, None) | Last::Failed(_) => None,
        },
    };
    let object = serde_json::to_vec(&line)?;
    let digest = Digest::of(&object).to_string();
    Ok([digest.as_bytes(), b" ", &object, b"\n"].concat())
}

fn proof(evidence: &Evidence) -> Proof<'static> {
    Proof {
        stamps: stamps::member(&evidence.seen),
        sha256: evidence.content.to_string(),
        signature_sha256: evidence.signature.to_string(),
        key: evidence.key.to_string(),
        digest: evidence.digest.map(|digest| digest.name().to_owned()),
    }
}

fn entry(line: &[u8]) -> Option<(Place, Last)> {
    let object = line.strip_suffix(b"\n")?;
    let (digest, object) = object.split_at_checked(64)?;
    let object = object.strip_prefix(b" ")?;
    let claimed = ClaimedDigest::parse(std::str::from_utf8(digest).ok()?)?;
    if claimed != Digest::of(object).into() {
        return None;
    }
    let line: Line<'_> = serde_json::from_slice(object).ok()?;
    let path = |member: &PathMember<'_>| Some(SharedPath::from(member.decode()?));
    let place = Place {
        data: path(&line.data)?,
        signature: match &line.signature {
            Some(member) => Some(path(member)?),
            None => None,
        },
    };
    Some((place, last(&line)?))
}

fn last(line: &Line<'_>) -> Option<Last> {
    let time = time::exactly(&line.time)?;
    match (&line.evidence, line.passes) {
        (None, false) => Some(Last::Failed(time)),
        (None, true) => Some(Last::Passed(time, None)),
        (Some(proof), true) => Some(Last::Passed(time, Some(Box::new(evidence(proof, time)?)))),
        (Some(_), false) => None,
    }
}

fn evidence(proof: &Proof<'_>, time: SystemTime) -> Option<Evidence> {
    let seen = stamps::seen(&proof.stamps)?;
    // Fail closed: one of the two times was changed.
    (seen.time == time).then_some(())?;
    Some(Evidence {
        seen,
        content: ClaimedDigest::parse(&proof.sha256)?,
        signature: ClaimedDigest::parse(&proof.signature_sha256)?,
        key: ClaimedDigest::parse(&proof.key)?,
        digest: match &proof.digest {
            Some(term) => Some(Algorithm::named(term)?),
            None => None,
        },
    })
}
