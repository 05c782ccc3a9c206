//! The progress of a run on stderr: redrawn bars, or periodic lines.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::bar::{self, File, Total};
use super::canvas;
use super::message::Message;
use super::pace::Pace;
use super::screen;
use super::suspend;
use crate::progress::{Counters, Flight};
use crate::text::escape;
use crate::text::size::size;

/// Interval at which the bars are redrawn.
const REDRAW: Duration = Duration::from_millis(100);
/// Interval between lines without a terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Maximum time to wait for the drawing thread to end.
const PATIENCE: Duration = Duration::from_millis(50);
/// Rows reserved for the total, the cursor and earlier output.
const OTHER_ROWS: usize = 5;
/// What turns while directories are walked.
const SPINNER: [&str; 6] = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠇"];

/// The style of the progress display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// No display.
    Hidden,
    /// Bars, for a terminal.
    Bars {
        /// Whether to use colours: failures in red.
        colour: bool,
    },
    /// A plain line every ten seconds, for a log.
    Lines,
}

/// The phase of a run.
#[derive(Clone, Debug)]
pub enum Phase {
    /// Walking directories; the number of entries seen.
    Walking(Arc<AtomicU64>),
    /// Verifying.
    Verifying(Arc<Counters>),
}

/// A running progress display on its own thread; no other thread waits for it. The default displays
/// nothing.
#[derive(Debug, Default)]
pub struct Progress {
    ended: Arc<AtomicBool>,
    ticker: Option<JoinHandle<()>>,
}

impl Progress {
    /// Starts displaying the phase's progress.
    pub fn start(style: Style, phase: Phase) -> Progress {
        let ended = Arc::new(AtomicBool::new(false));
        let draw = tick(style, phase);
        // Without a thread to draw them there are no bars; the verdicts do not depend on it.
        let ticker = draw.and_then(|draw| spawn(Arc::clone(&ended), draw).ok());
        Progress { ended, ticker }
    }

    /// Removes the bars.
    pub fn finish(self) {
        self.ended.store(true, Ordering::Relaxed);
        let Some(ticker) = self.ticker else {
            return;
        };
        ticker.thread().unpark();
        let asked = Instant::now();
        while !ticker.is_finished() && asked.elapsed() < PATIENCE {
            thread::park_timeout(Duration::from_millis(1));
        }
        // Otherwise the thread is waiting for stderr's reader. The reports must not wait as well,
        // and the bars cannot be removed.
        if ticker.is_finished() {
            canvas::close();
        }
    }
}

type Tick = Box<dyn FnMut() + Send>;

/// Returns what to do at every redraw.
fn tick(style: Style, phase: Phase) -> Option<Tick> {
    match style {
        Style::Hidden => None,
        Style::Bars { colour } => {
            suspend::answer_ctrl_z();
            canvas::open();
            let mut bars = Bars::new(&phase, colour);
            Some(Box::new(move || canvas::draw(bars.rows(&phase))))
        }
        Style::Lines => {
            let mut last = Instant::now();
            Some(Box::new(move || {
                if last.elapsed() >= LINE_EVERY {
                    last = Instant::now();
                    Message::note(plain(&phase)).print();
                }
            }))
        }
    }
}

/// Returns the progress as one line for use without a terminal.
fn plain(phase: &Phase) -> String {
    match phase {
        Phase::Walking(entries) => bar::walking(entries.load(Ordering::Relaxed)),
        Phase::Verifying(counters) => format!(
            "{} done, {} of {} files{}, {} failed",
            amount(counters),
            counters.decided(),
            counters.records(),
            bar::earlier(counters.earlier()),
            counters.failures()
        ),
    }
}

/// Returns how much is done, and of how much unless bytes come from a stream of unknown length.
fn amount(counters: &Counters) -> String {
    let (done, total) = (counters.done(), counters.total());
    match total {
        0 if done > 0 => size(done),
        _ => format!("{} of {}", size(done), size(total)),
    }
}

fn spawn(ended: Arc<AtomicBool>, mut draw: Tick) -> io::Result<JoinHandle<()>> {
    let name = "progress".to_owned();
    thread::Builder::new().name(name).spawn(move || {
        // Work that ends before the first redraw displays nothing at all.
        thread::park_timeout(REDRAW);
        while !ended.load(Ordering::Relaxed) {
            draw();
            thread::park_timeout(REDRAW);
        }
    })
}

/// The bars: one for each file in flight, as many as fit, and the total below them.
struct Bars {
    pace: Pace,
    /// The files in flight, each with its pace since it was first seen. Held by no more than its
    /// address, since a file is in flight as long as it is held.
    paces: Vec<(Weak<Flight>, Pace)>,
    turns: usize,
    colour: bool,
}

impl Bars {
    fn new(phase: &Phase, colour: bool) -> Bars {
        let done = match phase {
            Phase::Walking(_) => 0,
            Phase::Verifying(counters) => counters.hashed(),
        };
        Bars {
            pace: Pace::begin(done),
            paces: Vec::new(),
            turns: 0,
            colour,
        }
    }

    /// Returns the rows to draw now.
    fn rows(&mut self, phase: &Phase) -> Vec<String> {
        match phase {
            Phase::Walking(entries) => {
                self.turns += 1;
                let spinner = SPINNER[self.turns % SPINNER.len()];
                let text = bar::walking(entries.load(Ordering::Relaxed));
                vec![format!("{spinner} {text}")]
            }
            Phase::Verifying(counters) => self.verifying(counters),
        }
    }

    fn verifying(&mut self, counters: &Counters) -> Vec<String> {
        let (columns, (_, height)) = (screen::columns(), screen::size());
        // What is passed over says nothing about the pace.
        self.pace.note(counters.hashed(), counters.worth_hashing());
        let mut rows = self.of_files(counters, columns, height.saturating_sub(OTHER_ROWS));
        let total = Total {
            done: counters.done(),
            bytes: counters.total(),
            rate: self.pace.rate(),
            elapsed: self.pace.elapsed(),
            left: self.pace.left(),
            decided: counters.decided(),
            records: counters.records(),
            failures: counters.failures(),
            earlier: counters.earlier(),
        };
        rows.push(bar::total(&total, columns, self.colour));
        rows
    }

    /// Returns the lines of the files, at most `rows` of them.
    fn of_files(&mut self, counters: &Counters, columns: usize, rows: usize) -> Vec<String> {
        let flights = counters.in_flight();
        self.follow(&flights);
        let shown = if flights.len() > rows {
            rows.saturating_sub(1)
        } else {
            flights.len()
        };
        let paces = self.paces.iter().map(|(_, pace)| pace);
        let files: Vec<File> = flights.iter().zip(paces).take(shown).map(file).collect();
        let hidden = flights.len() - shown;
        let more = (hidden > 0 && rows > 0).then(|| bar::more(hidden));
        let lines = bar::files(&files, columns).into_iter();
        lines.chain(more).collect()
    }

    /// Takes note of how far each file is.
    fn follow(&mut self, flights: &[Arc<Flight>]) {
        let followed = flights.iter().map(|flight| {
            let mut known = self.paces.iter();
            let known = known.find(|(known, _)| known.as_ptr() == Arc::as_ptr(flight));
            let known = known.map(|(_, pace)| pace.clone());
            let pace = known.unwrap_or_else(|| Pace::begin(flight.done()));
            pace.note(flight.done(), flight.size);
            (Arc::downgrade(flight), pace)
        });
        self.paces = followed.collect();
    }
}

fn file((flight, pace): (&Arc<Flight>, &Pace)) -> File {
    File {
        name: escape::name(flight.path.as_os_str()),
        done: flight.done(),
        bytes: flight.size,
        rate: pace.rate(),
        left: pace.left(),
    }
}
