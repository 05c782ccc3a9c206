//! An audit: a comparison of a run's records with the report of an earlier run. Pure: takes
//! records, returns findings.
//!
//! A signature covers neither a file's name nor the set of files. A report of the mirror in an
//! accepted state reveals what was removed, added, renamed, or replaced by something else that is
//! signed as well, such as an older release.

pub mod baseline;
mod images;
mod place;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::path::PathBuf;

use crate::digest::Digest;
use crate::files::SharedPath;
use crate::names::alike;
use crate::trust::claimed::ClaimedDigest;
use crate::trust::verdict::{Part, Record, Subject, Verdict};
use baseline::Baseline;
use place::{Place, Roots};

/// A difference between a run and its baseline. Artifacts are identified by their paths below the
/// PATH, and contents by their SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// `missing`: the baseline has it, and it is not there any more.
    Missing {
        /// Its path in the baseline.
        path: SharedPath,
    },
    /// `added`: it exists, and the baseline does not have it.
    Added {
        /// Its path.
        path: SharedPath,
        /// A missing path of the baseline that looks like it, if there is one.
        like: Option<SharedPath>,
    },
    /// `changed`: its content differs from the baseline's, or one of the two contents is unknown.
    Changed {
        /// Its path.
        path: SharedPath,
    },
    /// `renamed`: a content that is missing at its path in the baseline exists at a path that the
    /// baseline does not have.
    Renamed {
        /// Its path in the baseline.
        from: SharedPath,
        /// Its path now.
        path: SharedPath,
    },
    /// `image-missing`: the baseline has this image in an artifact that still exists.
    ImageMissing {
        /// The artifact's path.
        path: SharedPath,
        /// The image's name, or its digest if it has none.
        image: String,
    },
    /// `image-added`: the baseline has this artifact without this image.
    ImageAdded {
        /// The artifact's path.
        path: SharedPath,
        /// The image's name, or its digest if it has none.
        image: String,
    },
    /// `image-changed`: the image of this name has another digest than in the baseline.
    ImageChanged {
        /// The artifact's path.
        path: SharedPath,
        /// The image's name.
        image: String,
    },
}

impl Finding {
    /// Returns the term.
    pub fn name(&self) -> &'static str {
        match self {
            Finding::Missing { .. } => "missing",
            Finding::Added { .. } => "added",
            Finding::Changed { .. } => "changed",
            Finding::Renamed { .. } => "renamed",
            Finding::ImageMissing { .. } => "image-missing",
            Finding::ImageAdded { .. } => "image-added",
            Finding::ImageChanged { .. } => "image-changed",
        }
    }

    /// Returns the path of the artifact, or its path in the baseline if it is missing.
    pub fn path(&self) -> &SharedPath {
        match self {
            Finding::Missing { path }
            | Finding::Added { path, .. }
            | Finding::Changed { path }
            | Finding::Renamed { path, .. }
            | Finding::ImageMissing { path, .. }
            | Finding::ImageAdded { path, .. }
            | Finding::ImageChanged { path, .. } => path,
        }
    }

    /// Returns the name or the digest of the image that differs, if an image does.
    pub fn image(&self) -> Option<&str> {
        match self {
            Finding::ImageMissing { image, .. }
            | Finding::ImageAdded { image, .. }
            | Finding::ImageChanged { image, .. } => Some(image),
            _ => None,
        }
    }

    /// Returns the path of the baseline that an added path looks like.
    pub fn like(&self) -> Option<&SharedPath> {
        match self {
            Finding::Added { like, .. } => like.as_ref(),
            _ => None,
        }
    }
}

/// A completed audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// The report that the run was compared with.
    pub baseline: PathBuf,
    /// The SHA-256 of that report.
    pub digest: Digest,
    /// When the baseline's run began, according to the report.
    pub time: String,
    /// Whether this run judged images and could not compare them: the baseline's did not.
    pub leaves_out_images: bool,
    /// All differences.
    pub findings: Vec<Finding>,
}

/// The state of a path in a run.
#[derive(Debug)]
struct Present<'a> {
    path: &'a SharedPath,
    sha256: Option<ClaimedDigest>,
    /// Whether any of its records passes.
    passes: bool,
    /// Whether it has two contents, because it was replaced between two reads.
    is_torn: bool,
    /// Whether it is judged by the images in it alone, so that it has no digest.
    has_only_images: bool,
}

/// The places of the baseline where nothing exists any more, by their content.
type Gone<'a> = BTreeMap<Option<ClaimedDigest>, VecDeque<&'a Place>>;

/// Compares the records of a complete run over the PATHs `roots` with a baseline, and returns all
/// differences, in bytewise order of paths within each PATH.
pub fn compare(baseline: &Baseline, roots: &[PathBuf], records: &[Record]) -> Vec<Finding> {
    let present = present(roots, records);
    let mut gone = gone(baseline, &present);
    let mut findings: BTreeMap<&Place, Finding> = BTreeMap::new();
    for (place, now) in &present {
        let path = now.path.clone();
        let finding = match baseline.artifacts.get(place) {
            Some(then) if is_changed(*then, now) => Finding::Changed { path },
            Some(_) => continue,
            None => match take(&mut gone, now.sha256) {
                Some(from) => Finding::Renamed {
                    from: from.under(roots).into(),
                    path,
                },
                None => Finding::Added { path, like: None },
            },
        };
        findings.insert(place, finding);
    }
    for place in gone.into_values().flatten() {
        let path = place.under(roots).into();
        findings.insert(place, Finding::Missing { path });
    }
    let mut findings: Vec<Finding> = findings.into_values().collect();
    note_alike(&mut findings);
    if let Some(then) = &baseline.images {
        let is_here =
            |place: &Place| baseline.artifacts.contains_key(place) && present.contains_key(place);
        findings.extend(images::compare(then, roots, records, is_here));
    }
    findings
}

/// Adds the missing path that looks like it to each added one, whose lines would look the same.
fn note_alike(findings: &mut [Finding]) {
    let missing = findings
        .iter()
        .filter(|finding| matches!(finding, Finding::Missing { .. }));
    let missing: HashSet<&SharedPath> = missing.map(Finding::path).collect();
    let groups = alike::groups(findings.iter().map(Finding::path));
    let groups = groups.into_iter().filter_map(|group| {
        let like = group.iter().copied().find(|path| missing.contains(*path))?;
        Some((group.into_iter().cloned().collect::<Vec<_>>(), like.clone()))
    });
    let like: HashMap<SharedPath, SharedPath> = groups
        .flat_map(|(paths, like)| paths.into_iter().map(move |path| (path, like.clone())))
        .collect();
    for finding in findings {
        if let Finding::Added { path, like: known } = finding {
            *known = like.get(path).cloned();
        }
    }
}

fn gone<'a>(baseline: &'a Baseline, present: &BTreeMap<Place, Present<'_>>) -> Gone<'a> {
    let mut gone = Gone::new();
    for (place, sha256) in &baseline.artifacts {
        if !present.contains_key(place) {
            gone.entry(*sha256).or_default().push_back(place);
        }
    }
    gone
}

/// Takes a place that had this content. Each place belongs to at most one rename.
fn take<'a>(gone: &mut Gone<'a>, sha256: Option<ClaimedDigest>) -> Option<&'a Place> {
    // Two unknown contents do not count as the same.
    let places = sha256.and_then(|sha256| gone.get_mut(&Some(sha256)))?;
    places.pop_front()
}

/// Returns the artifacts that exist, regardless of their verdicts.
fn present<'a>(roots: &[PathBuf], records: &'a [Record]) -> BTreeMap<Place, Present<'a>> {
    let roots = Roots::new(roots);
    let mut present: BTreeMap<Place, Present<'a>> = BTreeMap::new();
    let artifacts = records.iter().filter(|record| is_there(&record.verdict));
    for record in artifacts {
        let path = record.path();
        let artifact = present
            .entry(roots.place(&path.to_path_buf()))
            .or_insert(Present {
                path,
                sha256: None,
                passes: false,
                is_torn: false,
                has_only_images: true,
            });
        // The digest of an image is not that of the artifact.
        let is_own = matches!(record.subject, Subject::Artifact(_));
        artifact.has_only_images &= !is_own;
        let digest = record.digest.filter(|_| is_own);
        let sha256 = digest.map(ClaimedDigest::from);
        artifact.is_torn |=
            artifact.sha256.is_some() && sha256.is_some() && artifact.sha256 != sha256;
        artifact.passes |= record.verdict.passes();
        artifact.sha256 = artifact.sha256.or(sha256);
    }
    present
}

/// Reports whether the verdict is on something that exists and is not a directory.
fn is_there(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Missing => false,
        Verdict::Unreadable { part, .. } | Verdict::Changed { part } => *part != Part::Directory,
        _ => true,
    }
}

fn is_changed(then: Option<ClaimedDigest>, now: &Present<'_>) -> bool {
    match (then, now.sha256) {
        // Fail closed: one of its contents differs from the baseline's.
        _ if now.is_torn => true,
        (Some(then), Some(now)) => then != now,
        // Fail closed: the baseline vouches for none of its contents.
        (None, Some(_)) => true,
        // Its images are compared one by one.
        (None, None) if now.has_only_images => false,
        // An artifact that was not hashed has already failed, with its own line. Fail closed: if
        // one ever passes, it is not known to be the same.
        (_, None) => now.passes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::verdict::{Invalid, Unclaimed};
    use proptest::prelude::*;
    use std::path::Path;

    fn shown(path: &SharedPath) -> String {
        path.to_os_string().into_string().unwrap()
    }

    fn digest(content: u8) -> Digest {
        Digest::of(&[content])
    }

    fn baseline(roots: &[PathBuf], artifacts: &[(&str, Option<u8>)]) -> Baseline {
        let artifact = |(path, content): &(&str, Option<u8>)| {
            let sha256 = content.map(|content| digest(content).into());
            (Roots::new(roots).place(Path::new(path)), sha256)
        };
        Baseline {
            digest: digest(0),
            time: String::new(),
            images: None,
            artifacts: artifacts.iter().map(artifact).collect(),
        }
    }

    fn record(path: &str, content: Option<u8>, verdict: Verdict) -> Record {
        Record {
            digest: content.map(digest),
            ..Record::unhashed(path.into(), None, verdict)
        }
    }

    /// Returns a record that passes.
    fn passing(path: &str, content: u8) -> Record {
        record(
            path,
            Some(content),
            Verdict::Unsigned {
                allowed: true,
                why: Unclaimed::NoSignature,
            },
        )
    }

    fn roots(paths: &[&str]) -> Vec<PathBuf> {
        paths.iter().map(PathBuf::from).collect()
    }

    fn found(then: &[(&str, Option<u8>)], now: &[Record]) -> Vec<(&'static str, String)> {
        let roots = roots(&["m"]);
        let findings = compare(&baseline(&roots, then), &roots, now);
        let path = |finding: &Finding| shown(finding.path());
        findings.iter().map(|f| (f.name(), path(f))).collect()
    }

    fn is(name: &'static str, path: &str) -> Vec<(&'static str, String)> {
        vec![(name, path.to_owned())]
    }

    #[test]
    fn what_is_the_same_gives_no_finding_and_each_difference_gives_one() {
        let (a, b) = (("m/a", Some(1)), ("m/b", Some(2)));
        let (now_a, now_b) = (passing("m/a", 1), passing("m/b", 2));
        assert_eq!(found(&[a, b], &[now_a.clone(), now_b.clone()]), []);
        assert_eq!(
            found(&[a, b], std::slice::from_ref(&now_b)),
            is("missing", "m/a")
        );
        assert_eq!(
            found(&[b], &[now_a.clone(), now_b.clone()]),
            is("added", "m/a")
        );
        let changed = [passing("m/a", 3), now_b];
        assert_eq!(found(&[a, b], &changed), is("changed", "m/a"));
        let renamed = passing("m/c", 2);
        assert_eq!(found(&[a, b], &[now_a, renamed]), is("renamed", "m/c"));
    }

    #[test]
    fn two_artifacts_in_each_others_place_have_changed() {
        let now = [passing("m/a", 2), passing("m/b", 1)];
        let findings = found(&[("m/a", Some(1)), ("m/b", Some(2))], &now);
        assert_eq!(
            findings,
            [is("changed", "m/a"), is("changed", "m/b")].concat()
        );
    }

    #[test]
    fn one_content_that_went_away_is_the_source_of_one_rename_and_a_further_copy_is_added() {
        let now = [passing("m/b", 1), passing("m/c", 1)];
        let findings = found(&[("m/a", Some(1))], &now);
        assert_eq!(
            findings,
            [is("renamed", "m/b"), is("added", "m/c")].concat()
        );
        let findings = found(&[("m/a", Some(1)), ("m/d", Some(1))], &now[..1]);
        assert_eq!(
            findings,
            [is("renamed", "m/b"), is("missing", "m/d")].concat()
        );
    }

    #[test]
    fn what_is_not_known_is_never_taken_for_the_same() {
        let passes = Verdict::Unsigned {
            allowed: true,
            why: Unclaimed::NoSignature,
        };
        let fails = Verdict::Invalid(Invalid::NoKeyVerifies);
        let unknown = [("m/a", None)];
        assert_eq!(found(&unknown, &[passing("m/a", 1)]), is("changed", "m/a"));
        let unhashed = record("m/a", None, passes.clone());
        assert_eq!(
            found(&unknown, std::slice::from_ref(&unhashed)),
            is("changed", "m/a")
        );
        assert_eq!(
            found(&[("m/a", Some(1))], &[unhashed]),
            is("changed", "m/a")
        );
        let elsewhere = record("m/b", None, passes);
        let both = [is("missing", "m/a"), is("added", "m/b")].concat();
        assert_eq!(found(&unknown, &[elsewhere]), both);
        // This one already has its own line, which fails the run.
        assert_eq!(
            found(&[("m/a", Some(1))], &[record("m/a", None, fails)]),
            []
        );
    }

    #[test]
    fn an_artifact_that_is_gone_is_missing_though_its_signature_is_there_and_a_directory_is_no_artifact()
     {
        let gone = record("m/a", None, Verdict::Missing);
        assert_eq!(found(&[("m/a", Some(1))], &[gone]), is("missing", "m/a"));
        let directory = Verdict::Unreadable {
            part: Part::Directory,
            words: "Permission denied".to_owned(),
        };
        let changed = Verdict::Changed {
            part: Part::Directory,
        };
        for verdict in [directory, changed] {
            assert_eq!(found(&[], &[record("m/d", None, verdict)]), []);
        }
    }

    #[test]
    fn two_signatures_of_one_artifact_are_one_artifact() {
        let malformed = record("m/a", None, Verdict::Invalid(Invalid::NoKeyVerifies));
        let now = [malformed, passing("m/a", 1)];
        assert_eq!(found(&[("m/a", Some(1))], &now), []);
        assert_eq!(found(&[("m/a", Some(2))], &now), is("changed", "m/a"));
        let exchanged = [passing("m/a", 1), passing("m/a", 2)];
        for then in [1, 2] {
            assert_eq!(
                found(&[("m/a", Some(then))], &exchanged),
                is("changed", "m/a")
            );
        }
    }

    #[test]
    fn a_mirror_is_compared_with_its_copy_by_the_paths_below_each_path() {
        let (then, now) = (roots(&["/srv/m", "/srv/n"]), roots(&[".", "/usb/n"]));
        let artifacts = [
            ("/srv/m/p/a.zst", Some(1)),
            ("/srv/m/b.zst", Some(2)),
            ("/srv/n/a.zst", Some(3)),
        ];
        let records = [
            passing("p/a.zst", 1),
            passing("b.zst", 4),
            passing("/usb/n/c.zst", 3),
        ];
        let path = SharedPath::from;
        let changed = Finding::Changed {
            path: path("b.zst"),
        };
        let renamed = Finding::Renamed {
            from: path("/usb/n/a.zst"),
            path: path("/usb/n/c.zst"),
        };
        let baseline = baseline(&then, &artifacts);
        assert_eq!(compare(&baseline, &now, &records), [changed, renamed]);
        let missing = ["b.zst", "p/a.zst", "/usb/n/a.zst"];
        let missing = missing.map(|name| Finding::Missing { path: path(name) });
        assert_eq!(compare(&baseline, &now, &[]), missing);
    }

    #[test]
    fn a_file_that_is_named_itself_is_compared_by_its_name() {
        let (then, now) = (roots(&["/srv/x.iso"]), roots(&["usb/y.iso"]));
        let baseline = baseline(&then, &[("/srv/x.iso", Some(1))]);
        let renamed = Finding::Renamed {
            from: "usb/x.iso".into(),
            path: "usb/y.iso".into(),
        };
        assert_eq!(
            compare(&baseline, &now, &[passing("usb/y.iso", 1)]),
            [renamed]
        );
        assert_eq!(
            compare(
                &baseline,
                &roots(&["usb/x.iso"]),
                &[passing("usb/x.iso", 1)]
            ),
            []
        );
    }

    proptest! {
        #[test]
        fn a_run_differs_from_its_baseline_just_where_a_content_does(
            then in prop::collection::btree_map("[a-e]", 0..4_u8, 0..6),
            now in prop::collection::btree_map("[a-e]", 0..4_u8, 0..6)
        ) {
            let path = |name: &String| format!("m/{name}");
            let paths: Vec<(String, Option<u8>)> = then.iter().map(|(n, c)| (path(n), Some(*c))).collect();
            let artifacts: Vec<(&str, Option<u8>)> = paths.iter().map(|(n, c)| (n.as_str(), *c)).collect();
            let records: Vec<Record> = now.iter().map(|(n, c)| passing(&path(n), *c)).collect();
            let roots = roots(&["m"]);
            let findings = compare(&baseline(&roots, &artifacts), &roots, &records);
            prop_assert_eq!(findings.is_empty(), then == now);
            // Every path that differs is named, and no other.
            let mut named: Vec<String> = Vec::new();
            for finding in &findings {
                named.push(shown(finding.path()));
                if let Finding::Renamed { from, .. } = finding {
                    named.push(shown(from));
                }
            }
            named.sort();
            let all = then.keys().chain(now.keys());
            let mut differ: Vec<String> = all.filter(|n| then.get(*n) != now.get(*n)).map(path).collect();
            differ.sort();
            differ.dedup();
            prop_assert_eq!(named, differ);
        }
    }
}
