//! Who is told what while a run goes on: stdout, the progress, and what is kept for the end.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;

use super::args::Format;
use super::config::Config;
use super::recap::Recap;
use crate::engine::Sink;
use crate::hints::notes::Noting;
use crate::report::{json, lines};
use crate::run::{End, Start};
use crate::terminal::progress::Progress;
use crate::trust::verdict::{Record, Summary};

/// Bytes of lines that are collected before they are handed over, whatever is still at hand.
const COLLECT: usize = 64 * 1024;

/// Tells the records on.
pub(super) struct Telling<'a, W> {
    config: &'a Config,
    stdout: W,
    /// Whether bars and lines are on one screen.
    shares_screen: bool,
    /// What stdout gets next.
    lines: Vec<u8>,
    progress: Progress,
    pub(super) summary: Summary,
    pub(super) recap: Recap,
    pub(super) noting: Noting,
    /// All records, in order, where there are reports to be written or there is a baseline to compare them with.
    pub(super) kept: Vec<Record>,
    /// Whether stdout took everything so far.
    pub(super) output: io::Result<()>,
}

impl<'a, W: Write> Telling<'a, W> {
    pub(super) fn new(config: &'a Config, stdout: W, progress: Progress, expected: u64) -> Self {
        Telling {
            config,
            stdout,
            shares_screen: io::stdout().is_terminal(),
            lines: Vec::new(),
            progress,
            summary: Summary {
                expected,
                ..Summary::default()
            },
            recap: Recap::new(&config.settings.keys),
            noting: Noting::default(),
            kept: Vec::new(),
            output: Ok(()),
        }
    }

    /// Tells how the run begins.
    pub(super) fn start(&mut self, start: &Start) {
        if self.streams_objects() {
            self.output = json::start(&mut self.lines, start);
        }
    }

    /// Takes the bars away.
    pub(super) fn finish_progress(&mut self) {
        std::mem::take(&mut self.progress).finish();
    }

    /// Tells how the run ended.
    pub(super) fn end(&mut self, end: &End) {
        if self.streams_objects() && self.output.is_ok() {
            self.output = json::end(&mut self.lines, end);
            // Nothing comes after it that could be broken off.
            let _ = self.hand_over();
        }
    }

    fn streams_objects(&self) -> bool {
        self.config.format == Format::Jsonl && self.config.detail.lines
    }

    fn print(&mut self, record: &Record) -> ControlFlow<()> {
        // What was refused once is not offered again.
        self.go_on()?;
        let detail = self.config.detail;
        self.output = match self.config.format {
            Format::Text => lines::record(&mut self.lines, record, detail),
            Format::Jsonl if detail.shows(record) => json::record(&mut self.lines, record),
            Format::Jsonl => Ok(()),
        };
        match self.lines.len() < COLLECT {
            true => self.go_on(),
            false => self.hand_over(),
        }
    }

    /// Gives stdout what was collected. Bars are out of the way meanwhile, so that no line is torn.
    fn hand_over(&mut self) -> ControlFlow<()> {
        if self.output.is_ok() && !self.lines.is_empty() {
            let (stdout, lines) = (&mut self.stdout, &self.lines);
            let mut write = || stdout.write_all(lines).and_then(|()| stdout.flush());
            self.output = match self.shares_screen {
                true => self.progress.aside(write),
                false => write(),
            };
            self.lines.clear();
        }
        self.go_on()
    }

    fn go_on(&self) -> ControlFlow<()> {
        match &self.output {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

impl<W: Write> Sink for Telling<'_, W> {
    fn decided(&mut self, record: &Record) -> ControlFlow<()> {
        self.summary.count(&record.verdict);
        match self.config.format {
            Format::Text => ControlFlow::Continue(()),
            Format::Jsonl => self.print(record),
        }
    }

    fn in_order(&mut self, record: Record) -> ControlFlow<()> {
        self.recap.note(&record, self.config.detail.shows(&record));
        self.noting.take(&record);
        let printed = match self.config.format {
            Format::Text => self.print(&record),
            Format::Jsonl => ControlFlow::Continue(()),
        };
        if !self.config.reports.is_empty() || self.config.against.is_some() {
            self.kept.push(record);
        }
        printed
    }

    fn settled(&mut self) -> ControlFlow<()> {
        self.hand_over()
    }
}
