//! One loop over the records: prints them, and keeps what the end of the run needs.

use std::io::{self, Write};
use std::ops::ControlFlow;

use super::args::Format;
use super::config;
use super::ledger::Ledger;
use super::recap::Recap;
use crate::hints::notes::NoteCollector;
use crate::report::{json, lines};
use crate::run::{End, Start};
use crate::terminal::canvas;
use crate::terminal::outlet::{self, Outlet};
use crate::terminal::progress::Progress;
use crate::trust::record::Record;
use crate::trust::summary::Summary;
use crate::verify::Records;

/// Bytes of lines to buffer before a flush, even if more records are at hand.
const COLLECT: usize = 64 * 1024;

/// Destination of a run's records.
pub(super) struct Printer<W> {
    output: config::Output,
    stdout: W,
    /// Where the lines appear.
    outlet: Outlet,
    /// Buffered output for stdout.
    lines: Vec<u8>,
    progress: Progress,
    pub(super) recap: Recap,
    pub(super) collector: NoteCollector,
    /// Whether to keep the records: reports are to be written, or the run is compared with a
    /// baseline.
    pub(super) keeps: bool,
    /// The ledger, if one is kept.
    pub(super) ledger: Option<Ledger>,
    /// All records, in order, if they are kept.
    pub(super) kept: Vec<Record>,
    /// Whether stdout has accepted everything so far.
    pub(super) taken: io::Result<()>,
    /// Whether the first failure ended the run.
    pub(super) failed_fast: bool,
}

impl<W: Write> Printer<W> {
    pub(super) fn new(output: config::Output, stdout: W, progress: Progress, recap: Recap) -> Self {
        Printer {
            output,
            stdout,
            outlet: outlet::of_stdout(),
            lines: Vec::new(),
            progress,
            recap,
            collector: NoteCollector::default(),
            keeps: false,
            ledger: None,
            kept: Vec::new(),
            taken: Ok(()),
            failed_fast: false,
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
        if self.keeps {
            // At once: a list that grows needs the memory of two.
            let expected = usize::try_from(records.summary().expected).unwrap_or(0);
            self.kept.reserve_exact(expected);
        }
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
        // does not have them. After a failure that ends the run, it has no more.
        while !self.failed_fast && records.is_ready() && records.receive(|r| self.name(r)) {}
        while let Some(record) = records.take_next() {
            // After a failure, stdout is not written to again.
            let _ = self.in_order(record);
        }
        let _ = self.hand_over();
        records.summary()
    }

    fn decided(&mut self, record: &Record) -> ControlFlow<()> {
        self.name(record);
        match self.output.format {
            Format::Text => {}
            Format::Jsonl => self.print(record)?,
        }
        if self.output.fail_fast && !record.verdict.passes() {
            self.failed_fast = true;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Enters a record into the ledger, and names a failure on stderr at once: its line waits for
    /// everything before it.
    fn name(&mut self, record: &Record) {
        if let Some(ledger) = &mut self.ledger {
            ledger.note(record);
        }
        // A closed pipe ends the run quietly.
        if let Some(message) = self.recap.note(record)
            && self.output.detail.lines
            && self.taken.is_ok()
        {
            canvas::mark();
            message.print();
        }
    }

    fn in_order(&mut self, record: Record) -> ControlFlow<()> {
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
            self.taken = match self.outlet {
                Outlet::Elsewhere => write(),
                Outlet::Terminal => canvas::print_by(lines, write),
                // No bars are drawn, and messages must not wait for the reader.
                Outlet::Unknown => {
                    canvas::note(lines);
                    write()
                }
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
