//! A run as a list of checksums, as sha256sum(1) of GNU coreutils writes and checks it, and the
//! list's signature.
//!
//! A line has the SHA-256 in hexadecimal digits, two blanks, and the artifact's path from the
//! directory of the list. A backslash, a line feed and a carriage return in a path are `\\`, `\n`
//! and `\r`, and then the line begins with a backslash.
//!
//! Fail closed: a list shows what it has and nothing else, so whoever checks it cannot see that an
//! artifact failed. So there is one only of a run in which nothing did.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::Component;

use super::context::{Context, Withheld, Written};
use super::format::{ReportFormat, signature_of};
use super::relative::Places;
use crate::digest::stream::Stream;
use crate::run::conclusion::Conclusion;
use crate::trust::claimed::ClaimedDigest;
use crate::trust::record::{Record, Subject};

/// The artifacts by their names, as bytes.
type Sums = BTreeMap<Vec<u8>, ClaimedDigest>;

/// Writes the list.
///
/// # Errors
/// Those of the writer, and [`Withheld`] unless every artifact passes and was read, and one is valid.
pub(super) fn write(out: impl Write, context: &Context<'_>) -> io::Result<()> {
    print(out, &list(context)?)
}

/// Writes the signature of the list in DER: ECDSA P-256 over the bytes of its file, as this command
/// verifies it.
///
/// # Errors
/// Those of the file system, and [`Withheld`] if there is no list.
pub(super) fn sign(mut out: impl Write, context: &Context<'_>) -> io::Result<()> {
    let is_of_this = |written: &&Written| {
        let signature = super::place::of(&signature_of(&written.target));
        written.format == ReportFormat::Sums
            && signature.is_ok_and(|signature| signature == context.place)
    };
    let list = context.written.iter().find(is_of_this);
    let (Some(list), Some(signer)) = (list, context.signer) else {
        return Err(Withheld("there is no list to sign".to_owned()).into());
    };
    let der = signer.sign(&list.digests)?;
    // What stands in the list's place by now is what the signature will be found beside.
    let mut there = Stream::default();
    io::copy(&mut File::open(&list.place)?, &mut there)?;
    signer.check(&there.digests(), &der)?;
    out.write_all(&der)
}

/// Returns what the list has.
fn list(context: &Context<'_>) -> io::Result<Sums> {
    let run = context.run;
    if run.end.conclusion != Conclusion::Valid {
        let why = "not everything is valid, and a partial list would look complete";
        return Err(Withheld(why.to_owned()).into());
    }
    // Fail closed: what was not read now is not stated now.
    if run.end.summary.verified_earlier > 0 {
        let why = "not everything was read in this run, and a partial list would look complete";
        return Err(Withheld(why.to_owned()).into());
    }
    let base = super::file::parent(context.place).canonicalize()?;
    let places = Places::of(run.start)?;
    let mut sums = Sums::new();
    for (record, digest) in run.records.iter().filter_map(valid) {
        let name = places.name(record.path(), &base);
        // Fail closed: no list vouches for a name that leads out of its directory, this program's
        // neither.
        if context.signer.is_some() && name.components().any(|part| part == Component::ParentDir) {
            let why = "it would have names that lead out of its directory, for which no list vouches: write it above the PATHs";
            return Err(Withheld(why.to_owned()).into());
        }
        let name = name.into_os_string();
        match sums.entry(name.into_vec()) {
            Entry::Vacant(place) => drop(place.insert(digest)),
            Entry::Occupied(known) if *known.get() == digest => {}
            Entry::Occupied(_) => {
                let name = super::words::shown(record.path());
                let why = format!("{name} was read twice, with different contents");
                return Err(Withheld(why).into());
            }
        }
    }
    if sums.is_empty() {
        let why = "no file of this run has a valid signature of its own";
        return Err(Withheld(why.to_owned()).into());
    }
    Ok(sums)
}

/// Returns the digest of an artifact that is valid. Images are no files.
fn valid(record: &Record) -> Option<(&Record, ClaimedDigest)> {
    let is_file = matches!(record.subject, Subject::Artifact(_));
    let is_valid = record.verdict.status().is_verified();
    let digest = record.sha256().filter(|_| is_file && is_valid)?;
    Some((record, digest))
}

fn print(mut out: impl Write, sums: &Sums) -> io::Result<()> {
    for (name, digest) in sums {
        // A name that is only `-` would be standard input.
        let name = if name == b"-" { &b"./-"[..] } else { name };
        let escaped = escaped(name);
        let mark = if escaped.len() > name.len() { "\\" } else { "" };
        write!(out, "{mark}{digest}  ")?;
        out.write_all(&escaped)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Returns a name as a line has it.
fn escaped(name: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(name.len());
    for byte in name {
        match byte {
            b'\\' => escaped.extend(b"\\\\"),
            b'\n' => escaped.extend(b"\\n"),
            b'\r' => escaped.extend(b"\\r"),
            byte => escaped.push(*byte),
        }
    }
    escaped
}
