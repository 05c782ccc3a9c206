//! The identities of JUnit's test cases.

use std::collections::HashMap;

use super::images::{self, INSIDE};
use super::words;
use crate::files::SharedPath;
use crate::text::escape;
use crate::trust::record::{Record, Subject};

/// A case's unique identity: consumers keep one of two cases with the same identity, so a failing
/// case could hide behind a passing one.
///
/// Some consumers identify a case by the name alone, some by class and name, and GitLab by the hash
/// of `class_name`: none of these three may be the same for two cases. So the name has the whole
/// path, and the class says only what kind of case it is: viewers show the class before the name,
/// and a directory there would be shown twice. Names of records have the form of [`part`], which
/// neither begins with `(` nor contains ` (`. So a case whose name begins with `(` belongs to the
/// run itself, and text after the first ` (` was added by [`names`].
#[derive(Clone)]
pub(super) struct Identity {
    pub(super) class: &'static str,
    pub(super) name: String,
}

/// The class of a case: the suite as the package, as Jenkins shows it, and the kind of the case.
/// None contains `_`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Artifact,
    Image,
    Contents,
    Baseline,
    Comparison,
    Run,
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Class::Artifact => "verify-signatures.artifact",
            Class::Image => "verify-signatures.image",
            Class::Contents => "verify-signatures.contents",
            Class::Baseline => "verify-signatures.baseline",
            Class::Comparison => "verify-signatures.comparison",
            Class::Run => "verify-signatures.run",
        }
    }
}

impl Identity {
    /// Returns the identity of a case that is not a record's.
    pub(super) fn of_run(class: Class, name: &str) -> Identity {
        Identity {
            class: class.name(),
            name: format!("({name})"),
        }
    }

    /// Returns the identity of a record's case, which has this name among [`names`].
    pub(super) fn of_record(record: &Record, name: String) -> Identity {
        let class = match record.subject {
            Subject::Artifact(_) => Class::Artifact,
            Subject::Image(_) => Class::Image,
            Subject::Contents(_) => Class::Contents,
        };
        Identity {
            class: class.name(),
            name,
        }
    }
}

/// Returns a path in a unique form, as printed, and without the separators of a name's parts.
/// Leading, trailing and repeated blanks are escaped as well, since parsers of XML attributes may
/// drop them.
pub(super) fn part(path: &SharedPath) -> String {
    part_of(&words::shown(path))
}

pub(super) fn part_of(printed: &str) -> String {
    let mut text = String::new();
    let mut chars = printed.chars().peekable();
    while let Some(c) = chars.next() {
        let at_start = text.is_empty();
        let is_escaped = match c {
            '(' => at_start || text.ends_with(' '),
            ' ' => at_start || text.ends_with(' ') || chars.peek().is_none(),
            _ => false,
        };
        if is_escaped {
            text.extend(c.escape_unicode());
        } else {
            text.push(c);
        }
    }
    text
}

/// What the name of a case is made of. Two records may have the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Named<'a> {
    Artifact(&'a SharedPath),
    /// The artifact, the image's name and its digest. An index may list an image twice.
    Image(&'a SharedPath, Option<&'a str>, &'a str),
    Contents(&'a SharedPath),
}

impl<'a> Named<'a> {
    fn of(record: &'a Record) -> Named<'a> {
        match &record.subject {
            Subject::Artifact(path) => Named::Artifact(path),
            Subject::Image(image) => {
                Named::Image(&image.artifact, image.name.as_deref(), &image.id)
            }
            Subject::Contents(artifact) => Named::Contents(artifact),
        }
    }

    fn printed(self) -> String {
        match self {
            Named::Artifact(path) => part(path),
            Named::Image(artifact, name, id) => format!(
                "{}{INSIDE}{} {}",
                part(artifact),
                part_of(&images::name(name, id)),
                part_of(&images::label(id))
            ),
            Named::Contents(artifact) => format!("{}{INSIDE}contents", part(artifact)),
        }
    }
}

/// Returns the names of the records' cases, in their order: the path; the signature after it, if
/// several records share a path; and a number after that, if even these are the same.
pub(super) fn names(records: &[Record]) -> impl Iterator<Item = String> {
    let mut of_subject: HashMap<Named<'_>, usize> = HashMap::new();
    for record in records {
        *of_subject.entry(Named::of(record)).or_default() += 1;
    }
    let mut seen: HashMap<(Named<'_>, String), usize> = HashMap::new();
    records.iter().map(move |record| {
        let named = Named::of(record);
        let name = named.printed();
        if of_subject[&named] == 1 {
            return name;
        }
        let signature = record.signature.as_ref();
        let signature =
            signature.map_or_else(String::new, |s| format!(" ({})", beside(record.path(), s)));
        let mut name = name + &signature;
        let times = seen.entry((named, signature)).or_default();
        *times += 1;
        if *times > 1 {
            // No signature file is shown with a leading parenthesis.
            name += &format!(" (({times}))");
        }
        name
    })
}

/// Returns a signature file as it appears in the name of its artifact's case: without its directory
/// if that is the artifact's.
fn beside(data: &SharedPath, signature: &SharedPath) -> String {
    match signature.file_name().filter(|_| signature.is_beside(data)) {
        Some(name) => part_of(&escape::name(name)),
        None => part(signature),
    }
}
