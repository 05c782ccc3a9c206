//! One file, hashed once, and a record for each artifact that is a name of it.

use std::io::{self, Read};
use std::path::Path;
use std::time::Instant;

use super::{Cancel, Counters, Settings, Task};
use crate::content::{self, Content, Fault, Stamp};
use crate::digest::{Digest, Lane};
use crate::trust::signature::{MAX_BYTES, Signature};
use crate::trust::verdict::{Part, Record, Subject, Verdict};
use crate::trust::{self, verdict::Invalid};

/// What a worker needs besides its job.
pub(super) struct Context<'a> {
    pub(super) settings: &'a Settings,
    pub(super) counters: &'a Counters,
    pub(super) cancel: &'a Cancel,
}

/// The run was cancelled before the file's end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cancelled;

/// Verifies the `tasks`, all of which are names of one file, and gives their records in the same order.
pub(super) fn job(tasks: &[&Task], context: &Context<'_>) -> Result<Vec<Record>, Cancelled> {
    let mut records = Vec::with_capacity(tasks.len());
    // A name that cannot be opened says nothing about the file's other names.
    while let Some(head) = tasks.get(records.len()) {
        let started = Instant::now();
        match Content::open(&head.data, context.settings.io) {
            Err(fault) => records.push(record(head, of_fault(fault), started)),
            Ok(content) => {
                let rest = tasks.get(records.len()..).unwrap_or_default();
                records.extend(opened(rest, content, context, started)?);
            }
        }
    }
    Ok(records)
}

/// Verifies one artifact that shares its file with no other, and cannot be cancelled.
pub(super) fn alone(task: &Task, settings: &Settings) -> Record {
    let context = Context {
        settings,
        counters: &Counters::default(),
        cancel: &Cancel::default(),
    };
    let mut records = job(&[task], &context).unwrap_or_default();
    // Nobody holds the other end of `cancel`, so there is a record; and if there were none, it would not pass.
    records
        .pop()
        .unwrap_or_else(|| record(task, Verdict::Changed, Instant::now()))
}

fn opened(
    tasks: &[&Task],
    mut content: Content,
    context: &Context<'_>,
    started: Instant,
) -> Result<Vec<Record>, Cancelled> {
    let signatures: Vec<_> = tasks.iter().map(|t| read_signature(&t.signature)).collect();
    let size = content.stamp().size();
    let hashed = if signatures.iter().any(Result::is_ok) {
        hash(&mut content, context)?
    } else {
        // No signature can be valid, whatever the digest. Fail closed: nobody asks for this one, and it would not pass.
        context.counters.pass_over(size);
        Err(Verdict::Changed)
    };
    let judged = tasks.iter().zip(signatures).map(|(task, signature)| {
        let verdict = signature.and_then(|signature| {
            let digest = hashed.as_ref().map_err(Verdict::clone)?;
            decide(task, &signature, digest, &content, context.settings)
        });
        Record {
            digest: hashed.as_ref().ok().copied(),
            size: Some(size),
            ..record(task, verdict.unwrap_or_else(|failure| failure), started)
        }
    });
    Ok(judged.collect())
}

/// Hashes the file to its end, or says why that cannot be done.
fn hash(
    content: &mut Content,
    context: &Context<'_>,
) -> Result<Result<Digest, Verdict>, Cancelled> {
    let mut lane = Lane::default();
    let mut left = content.stamp().size();
    loop {
        if context.cancel.is_cancelled() {
            return Err(Cancelled);
        }
        match content.next_window() {
            Ok(Some(window)) => {
                lane.update(&window);
                left -= window.len() as u64;
                context.counters.add_hashed(window.len() as u64);
            }
            Ok(None) => return Ok(Ok(lane.finish())),
            Err(fault) => {
                context.counters.pass_over(left);
                return Ok(Err(of_fault(fault)));
            }
        }
    }
}

/// The verdict on a file whose digest is known. Both sides are verdicts; a failure is the one of the file.
fn decide(
    task: &Task,
    signature: &Signature,
    digest: &Digest,
    content: &Content,
    settings: &Settings,
) -> Result<Verdict, Verdict> {
    // Fail closed: the name must lead to the file that was hashed, as it was then. This tells a file that was
    // written to, one that was replaced, and another name that no longer leads here.
    match Stamp::at(&task.data) {
        Ok(now) if now == *content.stamp() => Ok(trust::judge(&settings.keys, digest, signature)),
        _ => Err(Verdict::Changed),
    }
}

fn read_signature(path: &Path) -> Result<Signature, Verdict> {
    let bytes = signature_bytes(path).map_err(|fault| match fault {
        Fault::NotRegular => Verdict::NotRegular {
            part: Part::Signature,
        },
        Fault::Io(error) => unreadable(Part::Signature, &error),
        // Fail closed: it was there when the names were read. Calling the artifact unsigned would pass under --allow-unsigned.
        Fault::Missing | Fault::Changed => {
            unreadable(Part::Signature, &io::Error::from_raw_os_error(libc::ENOENT))
        }
    })?;
    Signature::parse(&bytes).map_err(|error| Verdict::Invalid(Invalid::Malformed(error)))
}

/// All bytes of a signature file, or of a longer file as many as tell that it is none.
fn signature_bytes(path: &Path) -> Result<Vec<u8>, Fault> {
    let (file, _) = content::open_regular(path)?;
    let mut bytes = Vec::with_capacity(MAX_BYTES + 1);
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn of_fault(fault: Fault) -> Verdict {
    match fault {
        Fault::Missing => Verdict::Missing,
        Fault::NotRegular => Verdict::NotRegular { part: Part::Data },
        Fault::Changed => Verdict::Changed,
        Fault::Io(error) => unreadable(Part::Data, &error),
    }
}

fn unreadable(part: Part, error: &io::Error) -> Verdict {
    Verdict::Unreadable {
        part,
        words: content::words(error),
    }
}

fn record(task: &Task, verdict: Verdict, started: Instant) -> Record {
    Record {
        subject: Subject::Artifact(task.data.clone()),
        signature: Some(task.signature.clone()),
        verdict,
        digest: None,
        size: None,
        elapsed: started.elapsed(),
    }
}
