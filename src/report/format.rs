//! The formats of reports, and the names that select them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::names::endings::{self, SignatureEnding};

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// One JSON document; see [`json`](super::json).
    Json,
    /// JUnit XML; see [`junit`](super::junit).
    Junit,
    /// One page; see [`html`](super::html).
    Html,
    /// A table; see [`csv`](super::csv).
    Csv,
    /// Metrics; see [`prom`](super::prom).
    Prometheus,
    /// A list of checksums; see [`sums`](super::sums).
    Sums,
    /// The signature of a list of checksums. No name selects it: `--sign-report` adds it.
    SumsSignature,
    /// Statements in envelopes; see [`vsa`](super::vsa).
    InToto,
    /// Assessment results; see [`oscal`](super::oscal).
    Oscal,
}

/// The endings that select a format. A longer ending precedes a shorter one that it ends in.
const ENDINGS: [(&str, ReportFormat); 7] = [
    (".oscal.json", ReportFormat::Oscal),
    (".json", ReportFormat::Json),
    (".xml", ReportFormat::Junit),
    (".html", ReportFormat::Html),
    (".csv", ReportFormat::Csv),
    (".prom", ReportFormat::Prometheus),
    (".intoto.jsonl", ReportFormat::InToto),
];

/// The one whole name that selects a format.
const SUMS: &str = "SHA256SUMS";

/// What the name of a signature has after the name of what it signs.
pub const SIGNATURE: &str = ".sig.bin";

impl ReportFormat {
    /// Returns the format that the name of a file selects.
    pub fn of(target: &Path) -> Option<ReportFormat> {
        let name = target.file_name()?.as_bytes();
        let is_selected =
            |ending: &str| name.len() > ending.len() && name.ends_with(ending.as_bytes());
        if name == SUMS.as_bytes() {
            return Some(ReportFormat::Sums);
        }
        let known = ENDINGS.iter().find(|(ending, _)| is_selected(ending));
        known.map(|(_, format)| *format)
    }

    /// Reports whether a comparison of two reports can be written in it.
    pub fn has_comparisons(self) -> bool {
        matches!(
            self,
            ReportFormat::Json | ReportFormat::Junit | ReportFormat::Html
        )
    }

    /// Reports whether it can be of one shard of a mirror: whether it says so.
    pub fn has_shards(self) -> bool {
        !matches!(
            self,
            ReportFormat::Sums
                | ReportFormat::SumsSignature
                | ReportFormat::InToto
                | ReportFormat::Oscal
        )
    }

    /// Reports whether `--sign-report` signs it, inside or beside.
    pub fn is_signed(self) -> bool {
        matches!(self, ReportFormat::InToto | ReportFormat::Sums)
    }

    /// Returns its place in the order of writing: what refers to other reports follows them.
    pub fn rank(self) -> u8 {
        match self {
            ReportFormat::Json
            | ReportFormat::Junit
            | ReportFormat::Html
            | ReportFormat::Csv
            | ReportFormat::Prometheus
            | ReportFormat::Sums => 0,
            ReportFormat::SumsSignature => 1,
            ReportFormat::InToto => 2,
            ReportFormat::Oscal => 3,
        }
    }

    /// Returns its media type, where one is registered or in general use.
    pub fn media_type(self) -> Option<&'static str> {
        match self {
            ReportFormat::Json | ReportFormat::Oscal => Some("application/json"),
            ReportFormat::Junit => Some("application/xml"),
            ReportFormat::Html => Some("text/html"),
            ReportFormat::Csv => Some("text/csv"),
            ReportFormat::Prometheus | ReportFormat::Sums => Some("text/plain"),
            ReportFormat::InToto => Some("application/jsonl"),
            ReportFormat::SumsSignature => None,
        }
    }
}

/// Returns the path of the signature of a report, as this command pairs them.
pub fn signature_of(report: &Path) -> PathBuf {
    let mut path = report.as_os_str().to_owned();
    path.push(SIGNATURE);
    path.into()
}

/// Returns the paths that a signature of a file may have, in any format.
pub fn signatures_of(data: &Path) -> impl Iterator<Item = PathBuf> {
    SignatureEnding::ALL.into_iter().map(move |ending| {
        let mut path = data.as_os_str().to_owned();
        path.push(ending.text());
        path.into()
    })
}

/// Returns the path of the file that a file of this name would be the signature of.
pub fn signed_by(signature: &Path) -> Option<PathBuf> {
    let name = signature.file_name()?.as_bytes();
    let (stem, _) = endings::strip_signature(name)?;
    Some(signature.with_file_name(OsStr::from_bytes(stem)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_selects_the_format_of_its_longest_known_ending() {
        for (name, format) in [
            ("a.json", Some(ReportFormat::Json)),
            ("a.oscal.json", Some(ReportFormat::Oscal)),
            ("d.json/a.xml", Some(ReportFormat::Junit)),
            ("a.intoto.jsonl", Some(ReportFormat::InToto)),
            ("d/SHA256SUMS", Some(ReportFormat::Sums)),
            ("a.csv", Some(ReportFormat::Csv)),
            ("a.prom", Some(ReportFormat::Prometheus)),
            ("a.html", Some(ReportFormat::Html)),
            ("a.jsonl", None),
            (".json", None),
            ("SHA256SUMS.sig.bin", None),
            ("my-SHA256SUMS", None),
            ("sha256sums", None),
            ("..", None),
        ] {
            assert_eq!(ReportFormat::of(Path::new(name)), format, "{name}");
        }
    }

    #[test]
    fn every_ending_can_be_reached() {
        for (ending, format) in ENDINGS {
            let name = format!("x{ending}");
            assert_eq!(ReportFormat::of(Path::new(&name)), Some(format));
        }
    }
}
