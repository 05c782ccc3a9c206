//! A baseline: the state of the mirror that the JSON report of an earlier run records.

use std::path::PathBuf;

use thiserror::Error;

use super::state::State;
use crate::digest::Digest;
use crate::files::SharedPath;
use crate::text::escape;
use crate::trust::claimed::ClaimedDigest;
use crate::wire::audited::{Document, Shard, Version};
use crate::wire::{PathMember, READ, SCHEMA};

/// The findings of an earlier run.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// The SHA-256 of the report itself.
    pub digest: Digest,
    /// When that run began, according to the report.
    pub time: String,
    /// What existed.
    pub(super) state: State,
}

/// Why a report cannot be a baseline.
#[derive(Debug, Error)]
pub enum BaselineError {
    /// It is not a report, or it is damaged.
    #[error("no JSON report (--report FILE.json) of this program: {0}")]
    NotAReport(#[from] serde_json::Error),
    /// It is a JSON report with another schema version.
    #[error("a report with schema {0}; this program reads schemas 1 to {SCHEMA}")]
    OtherSchema(u64),
    /// The report's run is incomplete.
    #[error(
        "the report of an incomplete run, which cannot show what is missing; use the report of a complete run"
    )]
    Incomplete,
    /// The report is that of one shard.
    #[error(
        "the report of shard {0}/{1}, which has only a part of the mirror; merge the reports of all shards with --merge"
    )]
    Shard(u32, u32),
    /// The report's run had a different number of PATHs.
    #[error(
        "the report of a run over {}, and the other one is over {}; give as many, in the same order", paths(*then), paths(*now)
    )]
    OtherRoots {
        /// The number of PATHs then.
        then: usize,
        /// The number of PATHs now.
        now: usize,
    },
    /// Only the earlier of two reports has images.
    #[error(
        "the report of a run without --images, and the earlier one has images; make it again with --images"
    )]
    WithoutImages,
    /// A member has a value that no report contains.
    #[error("a damaged report: {0}")]
    Damaged(String),
}

impl BaselineError {
    pub(super) fn torn(path: &SharedPath) -> BaselineError {
        let path = escape::name(&path.to_os_string());
        BaselineError::Damaged(format!("{path} has two digests"))
    }
}

impl Baseline {
    /// Reads a report for a run over `roots` PATHs.
    ///
    /// # Errors
    /// If an audit against it would prove nothing; the error gives the reason.
    pub fn parse(report: &[u8], roots: usize) -> Result<Baseline, BaselineError> {
        let (document, then) = complete(report)?;
        // Fail closed: with a different number of PATHs, it is unknown which of them correspond.
        if then.len() != roots {
            return Err(BaselineError::OtherRoots {
                then: then.len(),
                now: roots,
            });
        }
        let state = State::of_report(&document, &then)?;
        // Fail closed: one artifact has one content; of two, either could be the right one.
        if let Some(path) = state.torn() {
            return Err(BaselineError::torn(path));
        }
        Ok(Baseline {
            digest: Digest::of(report),
            time: document.start.time,
            state,
        })
    }

    /// Reports whether it says which images were in the artifacts.
    pub fn has_images(&self) -> bool {
        self.state.images.is_some()
    }
}

/// Reads the report of a complete run, and its PATHs.
///
/// # Errors
/// If it is not one.
pub(super) fn complete(report: &[u8]) -> Result<(Document, Vec<PathBuf>), BaselineError> {
    let document: Document = match serde_json::from_slice(report) {
        Ok(document) => document,
        // A report of another version may have other members.
        Err(error) => return Err(other_version(report).unwrap_or(error.into())),
    };
    if !READ.contains(&document.schema) {
        return Err(BaselineError::OtherSchema(document.schema));
    }
    if !document.summary.complete || document.summary.interrupted.is_some() {
        return Err(BaselineError::Incomplete);
    }
    // Fail closed: what the other shards have would count as removed, or as not there to be
    // compared.
    if let Some(Shard { index, count }) = document.start.shard {
        return Err(BaselineError::Shard(index, count));
    }
    let roots = document.start.roots.iter().map(path);
    let roots = roots.collect::<Result<Vec<_>, _>>()?;
    Ok((document, roots))
}

/// Returns the error for a report of another version, if it states one.
fn other_version(report: &[u8]) -> Option<BaselineError> {
    let Version { schema } = serde_json::from_slice(report).ok()?;
    (!READ.contains(&schema)).then_some(BaselineError::OtherSchema(schema))
}

pub(super) fn path(member: &PathMember<'_>) -> Result<PathBuf, BaselineError> {
    let damaged = || BaselineError::Damaged("a path that is none".to_owned());
    member.decode().ok_or_else(damaged)
}

fn paths(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} PATH{plural}")
}

pub(super) fn sha256(text: &str) -> Result<ClaimedDigest, BaselineError> {
    let damaged = || BaselineError::Damaged(format!("{text:?} is no SHA-256"));
    ClaimedDigest::parse(text).ok_or_else(damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::place::Place;
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    const HASH: &str = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b";

    fn report(roots: &str, artifacts: &str, end: &str) -> String {
        format!(
            r#"{{"schema": 1, "start": {{"time": "t", "roots": [{roots}]}}, "artifacts": [{artifacts}], "summary": {{{end}}}}}"#
        )
    }

    fn of_artifacts(artifacts: &str) -> Result<Baseline, String> {
        let report = report(r#"{"path": "m"}"#, artifacts, r#""complete": true"#);
        Baseline::parse(report.as_bytes(), 1).map_err(|error| error.to_string())
    }

    fn artifact(path: &str, status: &str, sha256: &str) -> String {
        format!(r#"{{{path}, "status": "{status}", "reason": "r", "sha256": "{sha256}"}}"#)
    }

    #[test]
    fn the_artifacts_are_those_that_were_there_with_the_digests_that_are_known() {
        let list = [
            artifact(r#""path": "m/a""#, "valid", HASH),
            artifact(r#""path": "m/gone""#, "missing", HASH),
            r#"{"path": "m/b", "status": "unsigned", "reason": "r"}"#.to_owned(),
            r#"{"path": "m/d", "status": "changed", "reason": "directory-changed"}"#.to_owned(),
            r#"{"path": "m/d", "status": "unreadable", "reason": "directory-unreadable"}"#
                .to_owned(),
            // Two signatures, one of which is invalid.
            artifact(r#""path_base64": "bS//""#, "valid", HASH),
            r#"{"path_base64": "bS//", "status": "invalid", "reason": "r"}"#.to_owned(),
        ];
        let artifacts = of_artifacts(&list.join(",")).unwrap().state.artifacts;
        let artifacts = artifacts.into_iter();
        let artifacts: Vec<_> = artifacts
            .map(|(place, known)| (place, known.content.sha256))
            .collect();
        let hash = Some(Digest::of(b"1").into());
        let below = |name: &[u8]| Place::Below(0, OsString::from_vec(name.to_vec()).into());
        let expected = [
            (below(b"a"), hash),
            (below(b"b"), None),
            (below(b"\xff"), hash),
        ];
        assert_eq!(artifacts, expected);
    }

    #[test]
    fn what_contradicts_itself_or_is_no_value_is_damaged() {
        let valid = |hash| artifact(r#""path": "m/a""#, "valid", hash);
        let other = HASH.replace('6', "7");
        let long = format!("{HASH}00");
        let cases = [
            [valid(HASH), valid(&other)].join(","),
            valid(&HASH[1..]),
            valid(&long),
            valid(&HASH.replace("6b", "+b")),
            artifact(r#""path": "m/a", "path_base64": "YQ==""#, "valid", HASH),
            artifact(r#""other": "m/a""#, "valid", HASH),
            artifact(r#""path_base64": "?""#, "valid", HASH),
        ];
        for case in cases {
            let error = of_artifacts(&case).unwrap_err();
            assert!(error.starts_with("a damaged report: "), "{case}: {error}");
        }
    }

    #[test]
    fn only_the_report_of_a_whole_run_over_as_many_paths_is_a_baseline() {
        let error = |report: &str| Baseline::parse(report.as_bytes(), 1).unwrap_err();
        let one = r#"{"path": "m"}"#;
        let whole = report(one, "", r#""complete": true"#);
        assert!(Baseline::parse(whole.as_bytes(), 1).is_ok());
        let cut = report(one, "", r#""complete": false"#);
        assert!(matches!(error(&cut), BaselineError::Incomplete));
        let interrupted = report(one, "", r#""complete": true, "interrupted": "SIGINT""#);
        assert!(matches!(error(&interrupted), BaselineError::Incomplete));
        let two = report(r#"{"path": "m"}, {"path": "n"}"#, "", r#""complete": true"#);
        assert!(matches!(
            error(&two),
            BaselineError::OtherRoots { then: 2, now: 1 }
        ));
        let newer = whole.replace(r#""schema": 1"#, r#""schema": 6"#);
        assert!(matches!(error(&newer), BaselineError::OtherSchema(6)));
        for other in ["", "{}", "<html>", &format!("{whole}{whole}"), &whole[1..]] {
            assert!(
                matches!(error(other), BaselineError::NotAReport(_)),
                "{other}"
            );
        }
    }
}
