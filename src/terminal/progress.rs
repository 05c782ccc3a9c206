//! The progress of a run on stderr: redrawn bars, or periodic lines.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::bar::{self, Total};
use super::screen::{self, Screen};
use super::suspend;
use crate::progress::Counters;
use crate::terminal::print_message;
use crate::text::escape;
use crate::text::size::size;

/// Interval at which the bars are redrawn.
const REDRAW: Duration = Duration::from_millis(100);
/// Maximum redraw rate, regardless of changes.
const HERTZ: u8 = 20;
/// Interval between lines without a terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Maximum time to wait for the drawing thread to end.
const PATIENCE: Duration = Duration::from_millis(50);
/// Rows reserved for the total and for earlier output.
const OTHER_ROWS: usize = 4;

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
    screen: MultiProgress,
    ended: Arc<AtomicBool>,
    ticker: Option<JoinHandle<()>>,
}

impl Progress {
    /// Starts displaying the phase's progress.
    pub fn start(style: Style, phase: Phase) -> Progress {
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(Screen::default()), HERTZ);
        let screen = MultiProgress::with_draw_target(target);
        let ended = Arc::new(AtomicBool::new(false));
        let draw = tick(style, screen.clone(), phase);
        // Without a thread to draw them there are no bars; the verdicts do not depend on it.
        let ticker = draw.and_then(|draw| spawn(Arc::clone(&ended), draw).ok());
        Progress {
            screen,
            ended,
            ticker,
        }
    }

    /// Runs `print`, which may print, while the bars are hidden.
    pub fn without_bars<T>(&self, print: impl FnOnce() -> T) -> T {
        self.screen.suspend(print)
    }

    /// Removes the bars.
    pub fn finish(self) {
        suspend::forget();
        self.ended.store(true, Ordering::Relaxed);
        if let Some(ticker) = self.ticker {
            ticker.thread().unpark();
            let asked = Instant::now();
            while !ticker.is_finished() && asked.elapsed() < PATIENCE {
                thread::park_timeout(Duration::from_millis(1));
            }
            // The thread is waiting for stderr's reader. The reports must not wait as well, and the
            // bars cannot be removed.
            if !ticker.is_finished() {
                return;
            }
        }
        // If the terminal is gone, so are the bars.
        let _ = self.screen.clear();
    }
}

type Tick = Box<dyn FnMut() + Send>;

/// Returns what to do at every redraw.
fn tick(style: Style, screen: MultiProgress, phase: Phase) -> Option<Tick> {
    match style {
        Style::Hidden => None,
        Style::Bars { colour } => {
            suspend::answer_ctrl_z(screen.clone());
            let mut bars = Bars::new(screen, colour);
            Some(Box::new(move || bars.draw(&phase)))
        }
        Style::Lines => {
            let mut last = Instant::now();
            Some(Box::new(move || {
                if last.elapsed() >= LINE_EVERY {
                    last = Instant::now();
                    print_message(&plain(&phase));
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
            "{} of {} done, {} of {} files, {} failed",
            size(counters.done()),
            size(counters.total()),
            counters.decided(),
            counters.records(),
            counters.failures()
        ),
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
    screen: MultiProgress,
    files: Vec<ProgressBar>,
    total: ProgressBar,
    colour: bool,
}

impl Bars {
    fn new(screen: MultiProgress, colour: bool) -> Bars {
        let total = screen.add(line("{msg}"));
        Bars {
            screen,
            files: Vec::new(),
            total,
            colour,
        }
    }

    fn draw(&mut self, phase: &Phase) {
        match phase {
            Phase::Walking(entries) => {
                self.total.set_style(template("{spinner} {msg}"));
                self.total.tick();
                self.total
                    .set_message(bar::walking(entries.load(Ordering::Relaxed)));
            }
            Phase::Verifying(counters) => self.verifying(counters),
        }
    }

    fn verifying(&mut self, counters: &Counters) {
        let (columns, (_, rows)) = (screen::columns(), screen::size());
        let texts = self.files(counters, columns, rows.saturating_sub(OTHER_ROWS));
        while self.files.len() > texts.len() {
            if let Some(gone) = self.files.pop() {
                self.screen.remove(&gone);
            }
        }
        while self.files.len() < texts.len() {
            let new = self.screen.insert_before(&self.total, line("{msg}"));
            self.files.push(new);
        }
        for (bar, text) in self.files.iter().zip(texts) {
            bar.set_message(text);
        }
        // indicatif tracks the rate and the time left; the text is ours.
        self.total.set_length(counters.total());
        self.total.set_position(counters.done());
        let total = Total {
            done: counters.done(),
            bytes: counters.total(),
            rate: self.total.per_sec() as u64,
            left: self.total.eta(),
            decided: counters.decided(),
            records: counters.records(),
            failures: counters.failures(),
        };
        let text = bar::total(&total, columns, self.colour);
        self.total.set_message(text);
    }

    /// Returns the lines of the files, at most `rows` of them.
    fn files(&self, counters: &Counters, columns: usize, rows: usize) -> Vec<String> {
        let flights = counters.in_flight();
        let shown = if flights.len() > rows {
            rows.saturating_sub(1)
        } else {
            flights.len()
        };
        let lines = flights.iter().take(shown).map(|flight| {
            let name = escape::name(flight.path.as_os_str());
            bar::file(&name, flight.done(), flight.size, columns)
        });
        let hidden = flights.len() - shown;
        let more = (hidden > 0 && rows > 0).then(|| bar::more(hidden));
        lines.chain(more).collect()
    }
}

fn line(text: &str) -> ProgressBar {
    ProgressBar::no_length().with_style(template(text))
}

fn template(text: &str) -> ProgressStyle {
    // The templates are constant, and the tests render them; an invalid one would show indicatif's
    // default bar.
    ProgressStyle::with_template(text).unwrap_or_else(|_| ProgressStyle::default_bar())
}
