//! The progress of a run on stderr: bars that are drawn again and again, or a line now and then.

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

/// How often the bars are drawn.
const REDRAW: Duration = Duration::from_millis(100);
/// How often they are drawn at the most, whatever changes.
const HERTZ: u8 = 20;
/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// How long the thread that draws may take to end.
const PATIENCE: Duration = Duration::from_millis(50);
/// Rows that stay free for the total and for what was printed before.
const OTHER_ROWS: usize = 4;

/// How the progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Not at all.
    Hidden,
    /// Bars, for a terminal; failures in red or not.
    Bars {
        /// Whether there are colours.
        colour: bool,
    },
    /// A plain line every ten seconds, for a log.
    Lines,
}

/// What a run is at.
#[derive(Clone, Debug)]
pub enum Phase {
    /// It walks directories, and has seen so many entries.
    Walking(Arc<AtomicU64>),
    /// It verifies.
    Verifying(Arc<Counters>),
}

/// The progress being shown, by a thread of its own; nothing that works waits for it. By default
/// there is none.
#[derive(Debug, Default)]
pub struct Progress {
    screen: MultiProgress,
    ended: Arc<AtomicBool>,
    ticker: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins to show how far the phase is.
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

    /// Does something that may print while the bars are out of the way.
    pub fn without_bars<T>(&self, print: impl FnOnce() -> T) -> T {
        self.screen.suspend(print)
    }

    /// Takes the bars away.
    pub fn finish(self) {
        suspend::forget();
        self.ended.store(true, Ordering::Relaxed);
        if let Some(ticker) = self.ticker {
            ticker.thread().unpark();
            let asked = Instant::now();
            while !ticker.is_finished() && asked.elapsed() < PATIENCE {
                thread::park_timeout(Duration::from_millis(1));
            }
            // It waits for somebody to read stderr. The reports must not wait with it, and the bars
            // cannot be taken away.
            if !ticker.is_finished() {
                return;
            }
        }
        // Where the terminal is gone, so are the bars.
        let _ = self.screen.clear();
    }
}

type Tick = Box<dyn FnMut() + Send>;

/// What is to be done at every redraw.
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

/// The progress as one line without a terminal.
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
        // What is over before the first redraw shows nothing at all.
        thread::park_timeout(REDRAW);
        while !ended.load(Ordering::Relaxed) {
            draw();
            thread::park_timeout(REDRAW);
        }
    })
}

/// The bars: one for each file in flight, as many as there is room for, and the total below them.
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
        // indicatif keeps the rate and the time left; what they look like is ours.
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

    /// The lines of the files, in so many rows at the most.
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
    // The templates are ours, and the tests see them drawn; a wrong one would show indicatif's own
    // bar.
    ProgressStyle::with_template(text).unwrap_or_else(|_| ProgressStyle::default_bar())
}
