//! Converts a run to the objects of the JSON reports: the only place where a record is flattened.

use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::document_audit::of_audit;
use super::document_notes::note;
use super::remedy::remedy;
use super::words;
use crate::earlier::stamps;
use crate::files::SharedPath;
use crate::hints::notes;
use crate::module;
use crate::run::origin::{self, COMMIT};
use crate::run::{self, Run, TrustedKey, VERSION};
use crate::shard::{Division, METHOD, Total};
use crate::text::time::{self, rfc3339};
use crate::trust::claimed::{ClaimedContent, ClaimedDigest};
use crate::trust::image as images;
use crate::trust::record::{Record, Subject};
use crate::trust::sniffed::Sniffed;
use crate::trust::summary;
use crate::trust::terms::{Reason, Status};
use crate::trust::unchecked::{self, Unchecked};
use crate::wire::{
    Artifact, Blob, Content, Counts, Document, Excluded, Image, ImageCounts, ImageOptions, Key,
    Module, Names, NotChecked, Options, PathMember, Platform, SCHEMA, Shard, ShardRun, Share,
    SignatureFile, SignatureMember, Start, Summary, Type, User,
};

/// Returns a whole run.
pub(super) fn whole(run: Run<'_>) -> Document<'_, Artifacts<'_>, Notes<'_>> {
    Document {
        schema: SCHEMA,
        start: start(run.start),
        artifacts: Artifacts(run.records),
        summary: summary(run.start, run.end),
    }
}

/// A list that is built during serialization, so that a million records are not in memory twice.
pub(super) struct Artifacts<'a>(&'a [Record]);

impl Serialize for Artifacts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(artifact))
    }
}

/// The notes on the run, also built during serialization: a note may have all paths of the run.
pub(super) struct Notes<'a>(&'a [notes::Note]);

impl Serialize for Notes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(note))
    }
}

/// The paths of a note, also built during serialization.
pub(super) struct Members<'a>(pub(super) &'a [SharedPath]);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(member))
    }
}

/// Returns the start of a run.
pub(super) fn start(start: &run::Start) -> Start<'_> {
    Start {
        r#type: Type::Start,
        schema: SCHEMA,
        id: start.origin.id.as_str().into(),
        note: start.origin.note.as_deref().map(Into::into),
        version: VERSION.into(),
        commit: COMMIT.map(Into::into),
        module: start.module.as_ref().map(of_module),
        executable_sha256: start
            .origin
            .executable
            .map(|digest| digest.to_string().into()),
        command: start.origin.command.as_str().into(),
        user: user(&start.origin.user),
        system: start.origin.system.as_str().into(),
        time: rfc3339(start.time).into(),
        host: start.host.as_str().into(),
        keys: start.keys.iter().map(of_key).collect(),
        directory: start.directory.as_deref().map(PathMember::of),
        roots: start
            .roots
            .iter()
            .map(|root| PathMember::of(root))
            .collect(),
        options: options(start),
        shard: start.division.as_ref().map(of_division),
        shards: start.shards.iter().map(shard_run).collect(),
    }
}

fn of_module(module: &module::Module) -> Module<'_> {
    Module {
        name: module.name.as_str().into(),
        version: module.version.as_str().into(),
        certificate: module.certificate.as_str().into(),
    }
}

fn of_division(division: &Division) -> Shard<'static> {
    let share = |total: &Total| Share {
        artifacts: total.artifacts,
        bytes: total.bytes,
        sha256: total.sha256.to_string().into(),
    };
    Shard {
        index: division.shard.index(),
        count: division.shard.count(),
        divided: METHOD.into(),
        survey: share(&division.survey),
        share: share(&division.share),
        division_sha256: division.division.to_string().into(),
    }
}

fn shard_run(run: &run::ShardRun) -> ShardRun<'_> {
    ShardRun {
        index: run.index,
        report: PathMember::of(&run.report),
        sha256: run.digest.to_string().into(),
        id: run.id.as_str().into(),
        host: run.host.as_str().into(),
        directory: run.directory.as_deref().map(PathMember::of),
        roots: run.roots.iter().map(|root| PathMember::of(root)).collect(),
        time: rfc3339(run.time).into(),
        seconds: run.elapsed.as_secs(),
        records: run.records,
        failures: run.failures,
        exit_status: run.exit_status,
    }
}

fn user(user: &origin::User) -> User<'_> {
    let login = user.login.as_ref();
    User {
        id: user.effective.id,
        name: user.effective.name.as_deref().map(Into::into),
        login_id: login.map(|login| login.id),
        login_name: login.and_then(|login| Some(login.name.as_deref()?.into())),
    }
}

fn of_key(key: &TrustedKey) -> Key<'_> {
    Key {
        name: key.name.as_str().into(),
        fingerprint: key.fingerprint.to_string().into(),
        algorithm: key.algorithm.as_deref().map(Into::into),
        digest: key.digest.map(|digest| digest.name().into()),
        pinned: key.is_pinned,
        inside_tree: key.is_exposed,
    }
}

/// Returns a path.
pub(super) fn member(path: &SharedPath) -> PathMember<'static> {
    PathMember::of_bytes(path.to_os_string().into_vec())
}

/// Returns the path of a signature file.
pub(super) fn signature(path: &SharedPath) -> SignatureMember<'static> {
    member(path).into()
}

/// Returns the options of a run.
pub(super) fn options(start: &run::Start) -> Options<'_> {
    let options = &start.options;
    let texts = |texts: &'_ [String]| texts.iter().map(|text| text.clone().into()).collect();
    Options {
        signature: options
            .signature
            .as_deref()
            .map(|path| PathMember::of(path).into())
            .unwrap_or_default(),
        max_depth: options.max_depth,
        follow_links: options.follow_links,
        exclude: texts(&options.exclude),
        key_fingerprints: texts(&options.key_fingerprints),
        allow_unsigned: options.allow_unsigned,
        all_files: options.all_files,
        lists: options
            .lists
            .iter()
            .map(|path| PathMember::of(path))
            .collect(),
        fail_fast: options.fail_fast,
        images: options.images.as_ref().map(of_images),
        baseline: options.baseline.as_deref().map(PathMember::of),
        stop_after: options
            .over_time
            .stop_after
            .map(|span| time::span(span).into()),
        ledger: options.over_time.ledger.as_deref().map(PathMember::of),
        max_age: options
            .over_time
            .max_age
            .map(|span| time::span(span).into()),
        resume: options.over_time.resume.as_deref().map(PathMember::of),
        io: options.io.as_str().into(),
        threads: start.threads,
        sha256: start.sha256.as_str().into(),
    }
}

fn of_images(options: &run::ImageOptions) -> ImageOptions<'_> {
    let texts = |texts: &'_ [String]| texts.iter().map(|text| text.clone().into()).collect();
    let paths = options.signatures.iter();
    ImageOptions {
        keys: options.keys.iter().map(of_key).collect(),
        signatures: paths.map(|path| PathMember::of(path)).collect(),
        signed_registries: texts(&options.signed_registries),
        platforms: texts(&options.platforms),
        max_window: options.max_window,
        max_unpacked: options.max_unpacked,
    }
}

/// Returns a record.
pub(super) fn artifact(record: &Record) -> Artifact<'_> {
    let PathMember { path, path_base64 } = member(record.path());
    let SignatureMember {
        signature: signature_path,
        signature_base64,
    } = record.signature.as_ref().map(signature).unwrap_or_default();
    let r#type = match &record.subject {
        Subject::Artifact(_) => Type::Artifact,
        Subject::Image(_) => Type::Image,
        Subject::Contents(_) => Type::Contents,
    };
    let image = match &record.subject {
        Subject::Image(of) => Some(image(of, record.blobs())),
        Subject::Artifact(_) | Subject::Contents(_) => None,
    };
    Artifact {
        r#type,
        path,
        path_base64,
        image,
        status: Status::of(&record.verdict).name().into(),
        passes: record.verdict.passes(),
        line: words::verdict(record).into(),
        reason: Reason::of(&record.verdict).name().into(),
        detail: words::detail(record).into(),
        remedy: remedy(record).map(Into::into),
        size: record.size,
        sha256: record.sha256().map(|digest| digest.to_string().into()),
        signature: signature_path,
        signature_base64,
        signature_file: record.signature_content().map(signature_file),
        archive: record.archive_content().map(archive),
        stamps: record.seen.as_deref().map(stamps::member),
        key: record.verdict.key().map(|key| key.to_string().into()),
        parts: record.parts.iter().map(member).collect(),
        link: record.link.as_deref().map(member),
        looks: record.sniffed.map(Sniffed::name).map(Into::into),
        read_as: record.read_as.as_deref().map(member),
        seconds: seconds(record.elapsed),
    }
}

fn signature_file(file: ClaimedContent) -> SignatureFile<'static> {
    SignatureFile {
        sha256: file.sha256.map(|digest| digest.to_string().into()),
        size: file.size.unwrap_or_default(),
        modified: file.modified.map(|time| rfc3339(time).into()),
        format: file.format.map(|format| format.name().into()),
    }
}

fn archive(archive: ClaimedContent) -> Content<'static> {
    Content {
        sha256: archive.sha256.map(|digest| digest.to_string().into()),
        size: archive.size,
    }
}

fn image(image: &images::Image, blobs: Vec<(ClaimedDigest, u64)>) -> Image<'_> {
    let platform = |platform: &'_ images::Platform| Platform {
        name: platform.name.to_string().into(),
        whole: platform.is_whole,
    };
    let blob = |(digest, size): (ClaimedDigest, u64)| Blob {
        sha256: digest.to_string().into(),
        size,
    };
    Image {
        name: image.name.as_deref().map(Into::into),
        id: (*image.id).into(),
        platforms: image.platforms.iter().map(platform).collect(),
        blobs: blobs.into_iter().map(blob).collect(),
    }
}

/// Returns the end of a run.
pub(super) fn summary<'a>(start: &'a run::Start, end: &'a run::End) -> Summary<'a, Notes<'a>> {
    Summary {
        r#type: Type::Summary,
        time: rfc3339(end.time).into(),
        complete: end.summary.is_complete(),
        interrupted: end.interrupted.map(Into::into),
        expected: end.summary.expected,
        counts: counts(&end.summary),
        image_counts: image_counts(end.summary.images),
        failures: end.summary.failures,
        bytes: end.summary.bytes,
        seconds: seconds(end.summary.elapsed),
        exit_status: end.conclusion.exit_status(),
        not_checked: not_checked(&start.options.exclude, &end.unchecked),
        conclusion: end.conclusion_name().into(),
        problems: end
            .problems
            .iter()
            .map(|text| text.as_str().into())
            .collect(),
        notes: Notes(&end.notes),
        audit: end.audit.as_deref().map(of_audit),
    }
}

fn not_checked<'a>(patterns: &'a [String], unchecked: &Unchecked) -> NotChecked<'a> {
    let excluded = patterns.iter().zip(&unchecked.excluded);
    let excluded = excluded.map(|(pattern, excluded)| Excluded {
        pattern: pattern.as_str().into(),
        artifacts: excluded.artifacts,
        bytes: excluded.bytes,
        files: names(&excluded.files),
        directories: names(&excluded.directories),
    });
    NotChecked {
        excluded: excluded.collect(),
        too_deep: names(&unchecked.too_deep),
        links: names(&unchecked.links),
        uncovered: names(&unchecked.uncovered),
        unjudged: names(&unchecked.unjudged),
    }
}

fn names(names: &unchecked::Names) -> Names<'static> {
    Names {
        count: names.count(),
        paths: names.kept().iter().map(member).collect(),
        left_off: names.left_off(),
    }
}

fn counts(summary: &summary::Summary) -> Counts {
    Counts {
        valid: summary.valid,
        listed: summary.listed,
        invalid: summary.invalid,
        unsigned: summary.unsigned,
        missing: summary.missing,
        changed: summary.changed,
        unreadable: summary.unreadable,
        not_regular: summary.not_regular,
        verified_earlier: summary.verified_earlier,
    }
}

fn image_counts(images: summary::ImageCounts) -> Option<ImageCounts> {
    (images.records() > 0).then_some(ImageCounts {
        valid: images.valid,
        invalid: images.invalid,
        unsigned: images.unsigned,
        incomplete: images.incomplete,
        malformed: images.malformed,
        too_large: images.too_large,
        no_images: images.no_images,
    })
}

/// Returns seconds, rounded to the useful resolution of a clock: microseconds.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e6
}
