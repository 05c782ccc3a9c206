//! A bundle, or a directory of images, in a lane: hashed and looked into at once, then judged with
//! the images inside.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::awaiting::{Awaiting, Outcome};
use super::judging::{CHANGED, of_error, record};
use super::opened::{Context, Ended, Placed};
use super::{Bundle, Claim, Task};
use crate::bundle::{
    self, BundleError, Defect, End, Entry, Member, Step, Stream, Tree, WindowBudget,
};
use crate::content::Input;
use crate::digest::{Digests, Hasher};
use crate::files::SharedPath;
use crate::hints::notes::Note;
use crate::image::{self, Contents, Judgement, Outer, Policy};
use crate::trust::claimed::ClaimedDigest;
use crate::trust::image::{Archive, ContentsFailure};
use crate::trust::image_notes::ImageNote;
use crate::trust::key::Key;
use crate::trust::record::{Record, Subject};
use crate::trust::verdict::Verdict;

/// How images inside artifacts are judged.
#[derive(Debug)]
pub struct Images {
    /// Which images must be signed, by whom, and for which platforms.
    pub policy: Policy,
    /// Signatures, manifests and indexes that were carried in beside the artifacts.
    pub outside: Contents,
    /// How much of a bundle is looked into.
    pub limits: bundle::Limits,
    /// The memory for large windows, which all bundles share.
    windows: WindowBudget,
    /// Whether an image may be unsigned in an artifact that has no signature either.
    pub allow_unsigned: bool,
    /// The files with signatures, each with the images that it is about.
    brought: Vec<(SharedPath, Vec<ClaimedDigest>)>,
    /// Those of these images that were found so far.
    found: Mutex<HashSet<ClaimedDigest>>,
    /// The values of `--signed-registry`, each with whether an image was found below it.
    registries: Vec<(String, AtomicBool)>,
}

impl Images {
    /// Has images signed by these keys, wherever no valid signature of their artifact vouches for
    /// them.
    pub fn signed_by(keys: Vec<Arc<Key>>) -> Images {
        Images {
            policy: Policy {
                keys,
                ..Policy::default()
            },
            outside: Contents::default(),
            limits: bundle::Limits::default(),
            windows: WindowBudget::new(bundle::Limits::default().max_window),
            allow_unsigned: false,
            brought: Vec::new(),
            found: Mutex::default(),
            registries: Vec::new(),
        }
    }
}

impl Images {
    /// Lets a zstd frame have a window of so many bytes, and all frames together no more at once.
    pub fn limit_windows(&mut self, bytes: u64) {
        self.limits.max_window = bytes;
        self.windows = WindowBudget::new(bytes);
    }

    /// Demands that images with names below `prefix` are signed.
    ///
    /// # Errors
    /// What is wrong with the prefix.
    pub fn require(&mut self, prefix: &str) -> Result<(), String> {
        self.policy
            .signed_registries
            .push(image::Prefix::parse(prefix)?);
        self.registries
            .push((prefix.to_owned(), AtomicBool::new(false)));
        Ok(())
    }

    /// Demands that images are here for this platform.
    ///
    /// # Errors
    /// What is wrong with the platform.
    pub fn demand(&mut self, platform: &str) -> Result<(), String> {
        self.policy.platforms.push(image::Wanted::parse(platform)?);
        Ok(())
    }

    /// Takes in signatures, a manifest or an index of images, from a file beside the artifacts.
    /// Reports whether the content is one.
    pub fn bring(&mut self, path: &Path, content: &[u8]) -> bool {
        let mut alone = Contents::default();
        alone.bring(content);
        let images: Vec<ClaimedDigest> = alone.signed_images().collect();
        if !images.is_empty() {
            self.brought.push((path.into(), images));
        }
        // A manifest that was printed and pasted ends in a line feed that the registry's has not.
        if let Some(without) = content.strip_suffix(b"\n") {
            self.outside.bring(without);
        }
        self.outside.bring(content)
    }

    /// Notes that these images were found.
    fn note_found(&self, images: Vec<ClaimedDigest>) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.extend(images);
    }

    /// Returns a note for each file with signatures of images that no artifact of the run holds.
    pub fn notes(&self) -> Vec<Note> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let note = |(path, images): &(SharedPath, Vec<ClaimedDigest>)| {
            let mut absent = images.iter().filter(|image| !found.contains(image));
            let first = absent.next()?;
            Some(Note::Images {
                path: path.clone(),
                note: ImageNote::SignatureWithoutImage {
                    digest: first.with_algorithm(),
                    others: absent.count(),
                },
            })
        };
        let brought = self.brought.iter().filter_map(note);
        brought.chain(self.unused_registries()).collect()
    }

    fn note_name(&self, name: &str) {
        let prefixes = self.policy.signed_registries.iter();
        for (prefix, (_, is_used)) in prefixes.zip(&self.registries) {
            if prefix.covers(name) {
                is_used.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Returns a note for each registry that no image was found below: it may be mistyped, and then
    /// demands nothing.
    fn unused_registries(&self) -> impl Iterator<Item = Note> {
        let unused = self.registries.iter();
        let unused = unused.filter(|(_, is_used)| !is_used.load(Ordering::Relaxed));
        unused.map(|(prefix, _)| Note::UnusedRegistry {
            prefix: prefix.clone(),
        })
    }
}

/// A bundle that is being looked into.
pub(super) struct Opening {
    source: Source,
    contents: Contents,
    images: Arc<Images>,
    left: u64,
    pub(super) names: Awaiting,
}

enum Source {
    File(Stream),
    Directory(Box<Tree>),
    /// One that ended.
    Ended,
}

/// What a bundle came to, before its images are judged.
struct Finished {
    /// The file, or `None` for a directory.
    file: Option<Input>,
    /// Its digests; for a directory whether it could be read, without any.
    hashed: Result<Option<Digests>, Verdict>,
    /// Whether it holds an archive, or why what it holds cannot be relied upon.
    contents: Result<bundle::Contents, Defect>,
}

impl Opening {
    /// Looks into a file.
    ///
    /// # Errors
    /// The verdict on one that no thread can be started for.
    pub(super) fn of_file(
        content: Input,
        images: &Arc<Images>,
        context: &Context<'_>,
        names: impl FnOnce(u64) -> Awaiting,
    ) -> Result<Opening, Verdict> {
        let left = content.size().unwrap_or(0);
        let names = names(left);
        let begun = (context.hasher, names.wanted(context));
        let stream = Stream::begin(content, begun, images.limits, &images.windows);
        Ok(Opening {
            source: Source::File(stream.map_err(|error| of_error(error.into()))?),
            contents: Contents::default(),
            images: Arc::clone(images),
            left,
            names,
        })
    }

    /// Looks into the directory of a task, which is known to have `size` bytes.
    pub(super) fn of_directory(
        task: &Task,
        images: &Arc<Images>,
        size: u64,
        hasher: Hasher,
        names: impl FnOnce(u64) -> Awaiting,
    ) -> Opening {
        let tree = Tree::begin(&task.data.to_path_buf(), hasher, images.limits);
        Opening {
            source: Source::Directory(Box::new(tree)),
            contents: Contents::default(),
            images: Arc::clone(images),
            left: size,
            names: names(size),
        }
    }

    /// Returns the number of bytes still to be read.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Looks at the next few megabytes, or judges what was found if there are no more.
    pub(super) fn step(&mut self, context: &Context<'_>) -> Option<Ended> {
        let contents = &mut self.contents;
        let mut take = |member| add(contents, member);
        let step = match &mut self.source {
            Source::File(stream) => Ok(stream.advance(&mut take)),
            Source::Directory(tree) => tree.advance(&mut take),
            Source::Ended => return None,
        };
        let finished = match step {
            Ok(Step::On { hashed }) => {
                self.count(hashed, context);
                return None;
            }
            Ok(Step::Over { hashed }) => {
                self.count(hashed, context);
                self.finish()
            }
            Err(fault) => of_tree(fault),
        };
        context.counters.pass_over(self.left);
        Some(self.end(finished, context))
    }

    /// Returns what a source came to that is over.
    fn finish(&mut self) -> Finished {
        match std::mem::replace(&mut self.source, Source::Ended) {
            Source::File(stream) => of_stream(stream.end()),
            Source::Directory(_) | Source::Ended => Finished {
                file: None,
                hashed: Ok(None),
                contents: Ok(bundle::Contents::Tar),
            },
        }
    }

    fn count(&mut self, bytes: u64, context: &Context<'_>) {
        self.left = self.left.saturating_sub(bytes);
        context.counters.add_hashed(bytes);
        self.names.advance(bytes);
    }

    /// Judges the artifact under each of its names, and the images in it for each.
    fn end(&self, finished: Finished, context: &Context<'_>) -> Ended {
        let Finished {
            file,
            hashed,
            contents,
        } = finished;
        // What could not be read to its end has no contents to judge; it fails by itself.
        let contents = hashed.is_ok().then_some(&contents);
        let failure = hashed.as_ref().err().cloned();
        let archive = match (&file, &hashed) {
            (Some(file), Ok(Some(digests))) => file.size().map(|size| Archive {
                digest: *digests.sha256(),
                size,
            }),
            _ => None,
        };
        let mut outcomes = match &file {
            // Fail closed: a file without a digest was not read to its end.
            Some(file) => {
                let hashed = hashed.and_then(|digests| digests.ok_or(CHANGED));
                self.names.judge(&hashed, file, context)
            }
            None => self.without_file(hashed.err(), context),
        };
        fail_unread(&mut outcomes, &failure.unwrap_or(CHANGED));
        let records =
            (0..outcomes.len()).flat_map(|at| self.records(&outcomes, at, contents, archive));
        Ended {
            records: records.collect(),
            slot: self.names.slot,
        }
    }

    /// Returns the outcomes for what is no file, whose only record of its own is that of a failure.
    fn without_file<'a>(
        &self,
        failure: Option<Verdict>,
        context: &Context<'a>,
    ) -> Vec<Outcome<'a>> {
        let outcome = |position: usize| {
            let (place, task) = context.tasks.get(position)?;
            let failure = failure.clone();
            Some(Outcome {
                place: *place,
                task,
                record: failure.map(|failure| Box::new(record(task, failure, self.names.started))),
            })
        };
        self.names.positions().filter_map(outcome).collect()
    }

    /// Returns the records of one name: the artifact's own, and, after the last name with this
    /// path, those of the images in it.
    fn records(
        &self,
        outcomes: &[Outcome<'_>],
        at: usize,
        contents: Option<&Result<bundle::Contents, Defect>>,
        archive: Option<Archive>,
    ) -> Vec<Placed> {
        let outcome = &outcomes[at];
        let own = outcome.record.as_deref().cloned();
        let mut records: Vec<Record> = own.into_iter().collect();
        let mut notes = Vec::new();
        let path = &outcome.task.data;
        // Another name of the file may be no bundle's.
        let is_last = outcome.task.bundle != Bundle::No
            && !outcomes[at + 1..]
                .iter()
                .any(|other| other.task.data == *path);
        if is_last {
            let same = outcomes.iter().filter(|other| other.task.data == *path);
            let same: Vec<&Outcome<'_>> = same.collect();
            if let Some(contents) = contents {
                let (images, of_images) = self.images(&same, contents);
                records.extend(images);
                notes = of_images;
            }
        }
        if records.is_empty() {
            records.push(self.nothing(outcome));
        }
        if let Some(first) = records.first_mut()
            && !notes.is_empty()
        {
            first.image_notes = Some(notes.into());
        }
        if outcome.record.is_none() {
            for record in &mut records {
                record.archive = archive;
            }
        }
        Placed::all(outcome.place, records).collect()
    }

    /// Returns the record of a saved image in which no image was found.
    fn nothing(&self, outcome: &Outcome<'_>) -> Record {
        let contents = Subject::Contents(outcome.task.data.clone());
        Record {
            elapsed: self.names.started.elapsed(),
            ..Record::on(contents, Verdict::NoImages)
        }
    }

    /// Returns the records of the images in an artifact, which these outcomes are all about, and
    /// the notes on them.
    fn images(
        &self,
        outcomes: &[&Outcome<'_>],
        contents: &Result<bundle::Contents, Defect>,
    ) -> (Vec<Record>, Vec<ImageNote>) {
        let nothing = (Vec::new(), Vec::new());
        let verdicts = || {
            let records = outcomes
                .iter()
                .filter_map(|outcome| outcome.record.as_deref());
            records.map(|record| &record.verdict)
        };
        // Neither has what changed meanwhile.
        let is_unread = |outcome: &&Outcome<'_>| {
            let record = outcome.record.as_deref();
            record.is_some_and(|record| record.digest.is_none())
        };
        let Some(task) = outcomes.first().map(|outcome| outcome.task) else {
            return nothing;
        };
        if outcomes.iter().any(is_unread) {
            return nothing;
        }
        match contents {
            // What is not called a bundle need not be one.
            Err(Defect::OtherCompression(_)) if task.bundle == Bundle::Possible => nothing,
            Err(defect) => (vec![self.contents(task, failure(defect))], Vec::new()),
            Ok(bundle::Contents::NotATar) => nothing,
            Ok(bundle::Contents::Tar) => {
                let judgement = image::judge(
                    &task.data,
                    &self.contents,
                    &self.images.outside,
                    &self.images.policy,
                    self.outer(task, verdicts()),
                );
                self.of_judgement(task, judgement)
            }
        }
    }

    /// Returns what the artifact's own signature says about the names in it.
    fn outer<'a>(&self, task: &Task, mut verdicts: impl Iterator<Item = &'a Verdict>) -> Outer {
        let is_valid = |verdict: &Verdict| verdict.status().is_verified();
        // Fail closed: only a valid signature vouches for labels and for unsigned images, and to
        // accept what is unsigned is not to accept a bad signature.
        if verdicts.any(is_valid) {
            return Outer::Valid;
        }
        match task.claim {
            Claim::Unsigned(..) | Claim::SavedImage | Claim::ImageDirectory
                if self.images.allow_unsigned =>
            {
                Outer::Accepted
            }
            _ => Outer::NotValid,
        }
    }

    fn of_judgement(&self, task: &Task, judgement: Judgement) -> (Vec<Record>, Vec<ImageNote>) {
        self.images.note_found(judgement.brought_for);
        let names = judgement.images.iter();
        names
            .filter_map(|judged| judged.image.name.as_deref())
            .for_each(|name| self.images.note_name(name));
        let contents = judgement.failures.into_iter();
        let contents = contents.map(|failure| self.contents(task, failure));
        let images = judgement.images.into_iter().map(|judged| Record {
            digest: judged.digest,
            size: Some(judged.size),
            strange: judged.strange,
            elapsed: self.names.started.elapsed(),
            ..Record::on(Subject::Image(Box::new(judged.image)), judged.verdict)
        });
        (contents.chain(images).collect(), judgement.notes)
    }

    fn contents(&self, task: &Task, failure: ContentsFailure) -> Record {
        Record {
            elapsed: self.names.started.elapsed(),
            ..Record::on(
                Subject::Contents(task.data.clone()),
                Verdict::Contents(failure),
            )
        }
    }
}

/// Fails records that pass without a digest. Fail closed: what the user accepts without a signature
/// does not pass where its images could not be judged.
fn fail_unread(outcomes: &mut [Outcome<'_>], failure: &Verdict) {
    let records = outcomes
        .iter_mut()
        .filter_map(|outcome| outcome.record.as_deref_mut());
    for record in records.filter(|record| record.digest.is_none()) {
        if record.verdict.passes() {
            record.verdict = failure.clone();
        }
    }
}

fn of_stream(end: End) -> Finished {
    let lost = || {
        let words = "reading ended early";
        of_error(io::Error::other(words).into())
    };
    let hashed = end.outer.map(Some).map_err(of_error);
    Finished {
        // Fail closed: without the file, it is unknown whether it has changed.
        hashed: if end.content.is_some() {
            hashed
        } else {
            Err(hashed.err().unwrap_or_else(lost))
        },
        file: end.content,
        contents: end.contents,
    }
}

/// Returns what a directory came to that could not be read to its end, or has a defect.
fn of_tree(fault: BundleError) -> Finished {
    let (hashed, contents) = match fault {
        BundleError::Defect(defect) => (Ok(None), Err(defect)),
        BundleError::Read(error) => (Err(of_error(error)), Ok(bundle::Contents::Tar)),
        BundleError::Abandoned => (Err(CHANGED), Ok(bundle::Contents::Tar)),
    };
    Finished {
        file: None,
        hashed,
        contents,
    }
}

fn add(contents: &mut Contents, member: Member) {
    let Member { path, entry } = member;
    match entry {
        Entry::File { digest, size, text } => {
            contents.add_file(&path, digest, size, text.as_deref());
        }
        Entry::Link { target } => contents.add_link(&path, &target),
    }
}

/// Returns the verdict on contents with this defect.
fn failure(defect: &Defect) -> ContentsFailure {
    let words = defect.to_string().into();
    match defect {
        Defect::Truncated
        | Defect::Damaged(_)
        | Defect::Checksum
        | Defect::Decoder
        | Defect::BadHeader(_) => ContentsFailure::Damaged(words),
        Defect::WindowTooLarge { .. }
        | Defect::NamesTooLong
        | Defect::TooManyMembers
        | Defect::TooMuchText
        | Defect::TooMuchOutput => ContentsFailure::Limit(words),
        // Fail closed: with any other defect, another program may find other members in it.
        _ => ContentsFailure::Refused(words),
    }
}
