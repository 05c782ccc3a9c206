//! One loop over the records: prints them, and keeps what the end of the run needs.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;

use super::args::Format;
use super::config;
use super::recap::Recap;
use crate::hints::notes::NoteCollector;
use crate::report::{json, lines};
use crate::run::{End, Start};
use crate::terminal::progress::Progress;
use crate::trust::verdict::{Record, Summary};
use crate::verify::Records;

/// Bytes of lines to buffer before a flush, even if more records are at hand.
const COLLECT: usize = 64 * 1024;

/// Destination of a run's records.
pub(super) struct Printer<W> {
    output: config::Output,
    stdout: W,
    /// Whether progress bars and lines share one screen.
    shares_screen: bool,
    /// Buffered output for stdout.
    lines: Vec<u8>,
    progress: Progress,
    pub(super) recap: Recap,
    pub(super) collector: NoteCollector,
    /// Whether to keep the records: reports are to be written, or the run is compared with a
    /// baseline.
    pub(super) keeps: bool,
    /// All records, in order, if they are kept.
    pub(super) kept: Vec<Record>,
    /// Whether stdout has accepted everything so far.
    pub(super) taken: io::Result<()>,
}

impl<W: Write> Printer<W> {
    pub(super) fn new(output: config::Output, stdout: W, progress: Progress, recap: Recap) -> Self {
        Printer {
            output,
            stdout,
            shares_screen: io::stdout().is_terminal(),
            lines: Vec::new(),
            progress,
            recap,
            collector: NoteCollector::default(),
            keeps: false,
            kept: Vec::new(),
            taken: Ok(()),
        }
    }

    /// Writes the start object of a run.
    pub(super) fn start(&mut self, start: &Start) {
        if self.streams_objects() {
            self.taken = json::start(&mut self.lines, start);
        }
    }

    /// Removes the progress bars.
    pub(super) fn finish_progress(&mut self) {
        std::mem::take(&mut self.progress).finish();
    }

    /// Consumes all records, unless stdout fails, and ends the run: prints each as it is decided or
    /// in order, depending on the format. What is kept for the end is in order.
    pub(super) fn all(&mut self, records: &mut Records) -> Summary {
        let mut flow = ControlFlow::Continue(());
        while flow.is_continue() && records.receive(|record| flow = self.decided(record)) {
            while flow.is_continue()
                && let Some(record) = records.take_ready()
            {
                flow = self.in_order(record);
            }
            if flow.is_continue() && !records.is_ready() {
                flow = self.hand_over();
            }
        }
        // If the run is cut short, records that are already decided still count, although stdout
        // does not have them.
        while records.is_ready() && records.receive(|_| {}) {}
        while let Some(record) = records.take_next() {
            // After a failure, stdout is not written to again.
            let _ = self.in_order(record);
        }
        let _ = self.hand_over();
        records.summary()
    }

    fn decided(&mut self, record: &Record) -> ControlFlow<()> {
        match self.output.format {
            Format::Text => ControlFlow::Continue(()),
            Format::Jsonl => self.print(record),
        }
    }

    fn in_order(&mut self, record: Record) -> ControlFlow<()> {
        let is_shown = self.output.detail.shows(&record);
        self.recap.note(&record, is_shown);
        self.collector.take(&record);
        let printed = match self.output.format {
            Format::Text => self.print(&record),
            Format::Jsonl => ControlFlow::Continue(()),
        };
        if self.keeps {
            self.kept.push(record);
        }
        printed
    }

    /// Writes the end object of a run.
    pub(super) fn end(&mut self, start: &Start, end: &End) {
        if self.streams_objects() && self.taken.is_ok() {
            self.taken = json::end(&mut self.lines, start, end);
            // No output follows that would have to stop.
            let _ = self.hand_over();
        }
    }

    fn streams_objects(&self) -> bool {
        self.output.format == Format::Jsonl && self.output.detail.lines
    }

    fn print(&mut self, record: &Record) -> ControlFlow<()> {
        // After a failure, stdout is not written to again.
        self.go_on()?;
        let detail = self.output.detail;
        self.taken = match self.output.format {
            Format::Text => lines::record(&mut self.lines, record, detail),
            Format::Jsonl if detail.shows(record) => json::record(&mut self.lines, record),
            Format::Jsonl => Ok(()),
        };
        if self.lines.len() < COLLECT {
            self.go_on()
        } else {
            self.hand_over()
        }
    }

    /// Flushes the buffer to stdout. Progress bars are hidden meanwhile, so that no line is torn.
    fn hand_over(&mut self) -> ControlFlow<()> {
        if self.taken.is_ok() && !self.lines.is_empty() {
            let (stdout, lines) = (&mut self.stdout, &self.lines);
            let mut write = || stdout.write_all(lines).and_then(|()| stdout.flush());
            self.taken = if self.shares_screen {
                self.progress.without_bars(write)
            } else {
                write()
            };
            self.lines.clear();
        }
        self.go_on()
    }

    fn go_on(&self) -> ControlFlow<()> {
        match &self.taken {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}
