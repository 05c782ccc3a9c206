//! Reads a report: as one document, or as the objects that were printed.

use super::PartError;
use crate::wire::{Artifact, Document, Note, READ, SCHEMA, Start, Summary, Type};

/// A report as it was read. The end is absent if it was cut off.
pub(super) struct Read {
    pub(super) start: Start<'static>,
    pub(super) artifacts: Vec<Artifact<'static>>,
    pub(super) summary: Option<Summary<'static>>,
}

/// Reads a report.
///
/// # Errors
/// If it is none.
pub(super) fn read(report: &[u8]) -> Result<Read, PartError> {
    match first_object(report) {
        Some(start) => objects(start, report),
        None => document(report),
    }
}

/// Returns the first object of a stream; `None` if this is a document.
fn first_object(report: &[u8]) -> Option<Start<'static>> {
    let line = report.split(|byte| *byte == b'\n').next()?;
    let start: Start<'static> = serde_json::from_slice(line).ok()?;
    (start.r#type == Type::Start).then_some(start)
}

fn document(report: &[u8]) -> Result<Read, PartError> {
    let document: Document<'static> = match serde_json::from_slice(report) {
        Ok(document) => document,
        Err(_) if report.trim_ascii().is_empty() => return Err(PartError::Empty),
        Err(error) if error.is_eof() => return Err(PartError::CutOff),
        Err(error) => return Err(other_version(report).unwrap_or(error.into())),
    };
    check(document.schema)?;
    check(document.start.schema)?;
    Ok(Read {
        start: document.start,
        artifacts: document.artifacts,
        summary: Some(document.summary),
    })
}

fn objects(start: Start<'static>, report: &[u8]) -> Result<Read, PartError> {
    check(start.schema)?;
    let mut read = Read {
        start,
        artifacts: Vec::new(),
        summary: None,
    };
    let lines = report.split(|byte| *byte == b'\n').skip(1);
    for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
        // Fail closed: nothing follows the end.
        if read.summary.is_some() {
            let what = "something follows its end: are these two reports in one file?";
            return Err(PartError::Damaged(what.to_owned()));
        }
        match object(line) {
            Ok(Object::Artifact(artifact)) => read.artifacts.push(*artifact),
            Ok(Object::Summary(summary)) => read.summary = Some(*summary),
            // The last line was cut off, with all that would have followed.
            Err(PartError::CutOff) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

enum Object {
    Artifact(Box<Artifact<'static>>),
    Summary(Box<Summary<'static, Vec<Note<'static>>>>),
}

fn object(line: &[u8]) -> Result<Object, PartError> {
    #[derive(serde::Deserialize)]
    struct Tag {
        r#type: Type,
    }
    let cut_off = |error: serde_json::Error| {
        if error.is_eof() {
            PartError::CutOff
        } else {
            error.into()
        }
    };
    let Tag { r#type } = serde_json::from_slice(line).map_err(cut_off)?;
    match r#type {
        Type::Artifact | Type::Image | Type::Contents => {
            Ok(Object::Artifact(serde_json::from_slice(line)?))
        }
        Type::Summary => Ok(Object::Summary(serde_json::from_slice(line)?)),
        Type::Start | Type::Comparison => Err(PartError::Damaged(
            "a second beginning: are these two reports in one file?".to_owned(),
        )),
    }
}

/// Checks that a report has the schema that this program writes: shards came with it.
fn check(schema: u64) -> Result<(), PartError> {
    match schema {
        SCHEMA => Ok(()),
        known if READ.contains(&known) => Err(PartError::NotAShard),
        other => Err(PartError::OtherSchema(other)),
    }
}

/// Returns the error for a report of another version, if it states one.
fn other_version(report: &[u8]) -> Option<PartError> {
    let crate::wire::audited::Version { schema } = serde_json::from_slice(report).ok()?;
    check(schema).err()
}
