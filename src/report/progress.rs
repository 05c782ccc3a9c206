//! The progress of a run on stderr: a bar, or a line now and then.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::{say, text::size};

/// How often the bar is drawn.
const REDRAW: Duration = Duration::from_millis(100);
/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
const TEMPLATE: &str =
    "{bar:24} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta} left";

/// How the progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Not at all.
    Hidden,
    /// A bar that is drawn again and again, for a terminal.
    Bar,
    /// A plain line every ten seconds, for a log.
    Lines,
}

/// The progress being shown, by a thread of its own; nothing that works waits for it.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    ended: Arc<AtomicBool>,
    ticker: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins to show the `state`: how many bytes are done, of how many.
    pub fn start(style: Style, state: impl Fn() -> (u64, u64) + Send + 'static) -> Progress {
        let bar = match style {
            Style::Bar => ProgressBar::new(0),
            Style::Hidden | Style::Lines => ProgressBar::hidden(),
        };
        if let Ok(template) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(template.progress_chars("━╸ "));
        }
        let ended = Arc::new(AtomicBool::new(false));
        let draw = tick(style, bar.clone(), state);
        // Without a thread to draw it there is no bar; the verdicts do not depend on it.
        let ticker = draw.and_then(|draw| spawn(Arc::clone(&ended), draw).ok());
        Progress { bar, ended, ticker }
    }

    /// Does something that may print while the bar is out of the way.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// Takes the bar away.
    pub fn finish(self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(ticker) = self.ticker {
            ticker.thread().unpark();
            // Only drawing happens there; were it to fail, the verdicts would stand all the same.
            let _ = ticker.join();
        }
        self.bar.finish_and_clear();
    }
}

type Tick = Box<dyn FnMut() + Send>;

/// What is to be done at every redraw.
fn tick(
    style: Style,
    bar: ProgressBar,
    state: impl Fn() -> (u64, u64) + Send + 'static,
) -> Option<Tick> {
    let mut last = Instant::now();
    match style {
        Style::Hidden => None,
        Style::Bar => Some(Box::new(move || {
            let (done, total) = state();
            bar.set_length(total);
            bar.set_position(done);
        })),
        Style::Lines => Some(Box::new(move || {
            if last.elapsed() >= LINE_EVERY {
                last = Instant::now();
                let (done, total) = state();
                say(&format!("{} of {} done", size(done), size(total)));
            }
        })),
    }
}

fn spawn(ended: Arc<AtomicBool>, mut draw: Tick) -> io::Result<JoinHandle<()>> {
    let name = "progress".to_owned();
    thread::Builder::new().name(name).spawn(move || {
        // What is over before the first redraw shows no bar at all.
        thread::park_timeout(REDRAW);
        while !ended.load(Ordering::Relaxed) {
            draw();
            thread::park_timeout(REDRAW);
        }
    })
}
