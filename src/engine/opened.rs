//! What is in a lane: a file that is hashed, or a bundle that is hashed and looked into. How one is
//! opened, and how a worker's lanes advance.

use std::io;
use std::path::Path;
use std::time::Instant;

use rustix::io::Errno;

use super::awaiting::Awaiting;
use super::bundles::Opening;
#[cfg(test)]
use super::faults;
use super::hashing::Hashing;
use super::judging::{CHANGED, of_error, record, unopened};
use super::plan::{Job, Slot, Turn};
use super::scheduler::Piece;
use super::shape::Shape;
use super::{Bundle, Claim, NamedData, Settings, Task, zarf};
use crate::content::{Input, IoMode, Joined, Piped, ReadError, Reading};
use crate::device::Medium;
use crate::digest::{Block, Feed, Hasher};
use crate::files::SharedPath;
use crate::limits;
use crate::progress::Counters;
use crate::trust::record::Record;
use crate::trust::verdict::Verdict;

/// A record, and the work that it belongs to.
#[derive(Debug)]
pub(crate) struct Placed {
    /// The index of the work in the list.
    pub(crate) place: usize,
    /// The record: boxed, since many wait in lists that grow.
    pub(crate) record: Box<Record>,
    /// Whether this is the work's last record.
    pub(crate) is_last: bool,
}

impl Placed {
    /// Returns the only record of a work.
    pub(super) fn only(place: usize, record: impl Into<Box<Record>>) -> Placed {
        Placed {
            place,
            record: record.into(),
            is_last: true,
        }
    }

    /// Returns all records of a work.
    pub(super) fn all(place: usize, records: Vec<Record>) -> impl Iterator<Item = Placed> {
        let last = records.len();
        let number = (1..).zip(records);
        number.map(move |(number, record)| Placed {
            place,
            record: record.into(),
            is_last: number == last,
        })
    }
}

/// What workers need besides their files.
pub(super) struct Context<'a> {
    /// The tasks, each with the index of its work.
    pub(super) tasks: &'a [(usize, Task)],
    pub(super) settings: &'a Settings,
    pub(super) counters: &'a Counters,
    pub(super) hasher: Hasher,
    pub(super) shape: Shape,
}

/// Number of files for which one spare core reads ahead: bringing in a file's windows takes a
/// twelfth of the time of hashing them, so that this many keep the core from idling.
const FILES_OF_A_SPARE: usize = 8;

impl Context<'_> {
    fn spare_threads(&self) -> usize {
        self.settings.threads.saturating_sub(self.shape.workers)
    }

    fn reading(&self, job: &Job) -> Reading {
        Reading {
            io: self.settings.io,
            settles: self.settings.keeps_stamps,
            window: self.shape.window,
            ahead: job.ahead,
            direct: job.direct && self.shape.memory.is_none(),
            // If memory is short, there is none for another thread and a second window.
            spare_core: self.shape.memory.is_none()
                && self.spare_threads() * FILES_OF_A_SPARE >= self.shape.workers,
        }
    }
}

/// Memory in bytes that must be there before a bundle is looked into: buffers, the windows of usual
/// frames, the stack of its thread, and what is kept of its members.
const MEMORY_OF_A_BUNDLE: u64 = 64 * 1024 * 1024;

/// Bytes per read of a bundle: few enough to stay in the processor's nearer cache until they are
/// copied, beside what the decoder works on.
const WINDOW_OF_A_BUNDLE: usize = 64 * 1024;

/// An open file in a lane.
// Nearly all are files: boxing those too would cost an allocation for each, to save memory in
// lanes, of which there are few.
#[allow(clippy::large_enum_variant)]
pub(super) enum Opened {
    /// A file that is hashed.
    File(Hashing),
    /// A bundle, or a directory of images, that is looked into as well.
    Bundle(Box<Opening>),
}

/// A file that is finished, or that could not be hashed further.
pub(super) struct Ended {
    pub(super) records: Vec<Placed>,
    /// What it took of its device, if that limits readers.
    pub(super) slot: Option<Slot>,
}

impl Opened {
    fn awaiting(&self) -> &Awaiting {
        match self {
            Opened::File(hashing) => &hashing.names,
            Opened::Bundle(opening) => &opening.names,
        }
    }

    /// Returns the indices of its names in the tasks.
    pub(super) fn positions(&self) -> impl Iterator<Item = usize> {
        self.awaiting().positions()
    }
}

impl Piece for Opened {
    fn left(&self) -> u64 {
        match self {
            Opened::File(hashing) => hashing.left(),
            Opened::Bundle(opening) => opening.left(),
        }
    }

    fn slot(&self) -> Option<Slot> {
        self.awaiting().slot
    }

    fn fills_lanes(&self) -> bool {
        match self {
            Opened::File(_) => false,
            // It has two messages of its own, one inside the other.
            Opened::Bundle(_) => true,
        }
    }
}

/// Opens the file of a job. A name that cannot be opened gets its record at once and does not
/// affect the others.
pub(super) fn open(job: &Job, context: &Context<'_>) -> (Vec<Placed>, Option<Opened>) {
    let started = Instant::now();
    let mut records = Vec::new();
    for (at, position) in job.members.iter().enumerate() {
        let Some((place, task)) = context.tasks.get(*position) else {
            continue;
        };
        #[cfg(test)]
        faults::strike(faults::Moment::Opening, &task.data.to_path_buf());
        let names = job.members.get(at..).unwrap_or_default();
        match open_as(names, job, context, started) {
            Err(verdict) => records.push(Placed::only(*place, record(task, verdict, started))),
            Ok(opened) => return (records, Some(opened)),
        }
    }
    context.counters.pass_over(job.size);
    (records, None)
}

/// Opens a file under the first of these names, for all of them.
fn open_as(
    names: &[usize],
    job: &Job,
    context: &Context<'_>,
    started: Instant,
) -> Result<Opened, Verdict> {
    let tasks = || names.iter().filter_map(|at| context.tasks.get(*at));
    let (_, task) = tasks().next().ok_or(CHANGED)?;
    let await_it = |size| Awaiting::new(names, size, job.slot, context, started);
    let images = context.settings.images.as_ref();
    if let (Claim::ImageDirectory, Some(images)) = (&task.claim, images) {
        let opening = Opening::of_directory(task, images, job.size, context.hasher, await_it);
        return Ok(Opened::Bundle(Box::new(opening)));
    }
    if let Some(images) = images
        && tasks().any(|(_, task)| task.bundle != Bundle::No)
    {
        // Bytes in a map may change between two looks at them, and here they are parsed as well as
        // hashed: so they are read into memory of our own, once.
        let reading = Reading {
            io: match context.settings.io {
                IoMode::Direct => IoMode::Direct,
                IoMode::Auto | IoMode::Mmap | IoMode::Read => IoMode::Read,
            },
            window: WINDOW_OF_A_BUNDLE,
            spare_core: false,
            ..context.reading(job)
        };
        let content = open_content(task, reading).map_err(|error| error.of_images())?;
        // Fail this file, rather than have the process abort for want of memory.
        if !limits::has_room(MEMORY_OF_A_BUNDLE) {
            return Err(of_error(io::Error::from(Errno::NOMEM).into()));
        }
        let opening = Opening::of_file(content, images, context, await_it)?;
        return Ok(Opened::Bundle(Box::new(opening)));
    }
    let content = open_content(task, context.reading(job)).map_err(|error| error.of(task))?;
    let mut names = await_it(content.size().unwrap_or(job.size));
    names.cover(&content, context);
    Ok(Opened::File(Hashing::new(content, names, context)))
}

/// Why an artifact cannot be opened.
enum Unopened {
    /// The system's error.
    Error(ReadError),
    /// One of its parts is missing.
    Part(SharedPath),
}

impl Unopened {
    /// Returns the verdict on an artifact that was to be hashed.
    fn of(self, task: &Task) -> Verdict {
        match self {
            Unopened::Error(error) => unopened(task, error),
            Unopened::Part(part) => Verdict::PartMissing(part),
        }
    }

    /// Returns the verdict on one that was to be looked into. Fail closed: what the user accepts
    /// without a signature does not pass where its images cannot be judged.
    fn of_images(self) -> Verdict {
        match self {
            Unopened::Error(error) => of_error(error),
            Unopened::Part(part) => Verdict::PartMissing(part),
        }
    }
}

fn open_content(task: &Task, reading: Reading) -> Result<Input, Unopened> {
    let path = task.data.to_path_buf();
    let named = match &task.claim {
        Claim::Named(named) => named.data,
        _ => NamedData::File,
    };
    match named {
        NamedData::File => open_files(task, &path, reading).map(Input::Files),
        NamedData::Device(length) => Joined::open_device(&path, length, reading)
            .map(Input::Files)
            .map_err(Unopened::Error),
        NamedData::Stdin => Piped::stdin(reading.spare_core)
            .map(Input::Stream)
            .map_err(|error| Unopened::Error(error.into())),
    }
}

fn open_files(task: &Task, path: &Path, reading: Reading) -> Result<Joined, Unopened> {
    let (parts, missing) = zarf::with_content(&task.parts);
    if missing > 0 {
        // The description gives the number of parts but not their names, so the record names the
        // whole as incomplete.
        return Err(Unopened::Part(task.data.clone()));
    }
    Joined::open(path, parts, reading).map_err(Unopened::Error)
}

/// Requests what the first `in_use` lanes read next, and waits for nothing. Returns the queues of
/// the plan of those whose last bytes these are.
pub(super) fn request(lanes: &mut [Opened], in_use: usize) -> Vec<usize> {
    let used = lanes.iter_mut().take(in_use);
    used.filter_map(|opened| match opened {
        Opened::File(hashing) => hashing.request(),
        Opened::Bundle(_) => None,
    })
    .collect()
}

/// Advances the first `in_use` lanes: the files by the bytes that all of them have in memory, and
/// each bundle by a step of its own. What is finished moves from the lanes to `ended` one at a
/// time, so that a panic over one of them loses no other.
pub(super) fn step(
    lanes: &mut Vec<Opened>,
    mut in_use: usize,
    context: &Context<'_>,
    ended: &mut Vec<Ended>,
) {
    let mut at = 0;
    while at < in_use {
        let Some(opened) = lanes.get_mut(at) else {
            break;
        };
        let end = match opened {
            Opened::File(hashing) => hashing.fill().map(|result| hashing.end(result, context)),
            Opened::Bundle(opening) => opening.step(context),
        };
        match end {
            None => at += 1,
            Some(end) => {
                ended.push(end);
                lanes.remove(at);
                in_use -= 1;
            }
        }
    }
    let used = lanes.get_mut(..in_use).unwrap_or_default().iter_mut();
    let mut files: Vec<&mut Hashing> = used
        .filter_map(|opened| match opened {
            Opened::File(hashing) => Some(hashing),
            Opened::Bundle(_) => None,
        })
        .collect();
    advance(&mut files, context);
}

/// Advances files by the bytes that all of them have in memory.
fn advance(files: &mut [&mut Hashing], context: &Context<'_>) {
    #[cfg(test)]
    files
        .iter()
        .for_each(|hashing| hashing.names.strike(faults::Moment::Hashing, context));
    let mut feeds: Vec<Feed<'_>> = files.iter_mut().map(|hashing| hashing.feed()).collect();
    let taken = context.hasher.advance(&mut feeds) * size_of::<Block>();
    for hashing in files.iter_mut() {
        hashing.consume(taken);
    }
    context.counters.add_hashed((taken * files.len()) as u64);
}

/// Verifies one artifact that shares its file with no other, on the current thread.
pub(super) fn alone(task: Task, settings: &Settings, hasher: Hasher) -> Record {
    let context = Context {
        tasks: &[(0, task)],
        settings,
        counters: &Counters::default(),
        hasher,
        shape: Shape::of_one(),
    };
    let job = Job {
        size: 0,
        turn: Turn::default(),
        members: vec![0],
        slot: None,
        ahead: Medium::Unknown.access().ahead,
        direct: Medium::Unknown.access().direct,
    };
    let (mut records, opened) = open(&job, &context);
    let mut lanes: Vec<Opened> = opened.into_iter().collect();
    let mut ended = Vec::new();
    while !lanes.is_empty() {
        step(&mut lanes, 1, &context, &mut ended);
        records.extend(ended.drain(..).flat_map(|ended| ended.records));
    }
    // One name gives one record. Fail closed: without one, the verdict would not pass.
    let nothing = || record(&context.tasks[0].1, CHANGED, Instant::now());
    records.pop().map_or_else(nothing, |placed| *placed.record)
}
