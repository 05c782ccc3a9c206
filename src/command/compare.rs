//! `--compare`: two reports compared with each other. Nothing is hashed and no key is needed.

use std::io::{self, Write};
use std::time::SystemTime;

use super::args::{Cli, Format};
use super::config::{Compared, Target};
use super::not_begun::NotBegun;
use super::{cannot, evidence, reports, undelivered};
use crate::audit::comparison::Comparison;
use crate::mirror::Survey;
use crate::report::file::ReportFile;
use crate::report::{self, json};
use crate::run::conclusion::Conclusion;
use crate::terminal::message::{Mood, last_word};
use crate::terminal::{Message, Stream, canvas};
use crate::text::escape;
use crate::verify::Inputs;

/// Compares the earlier report with the later one.
pub(super) fn run(cli: &Cli) -> Conclusion {
    let [old, new] = cli.compare.as_slice() else {
        return cannot(
            &Message::error("--compare was given more than once")
                .help("give it once, with two reports"),
        );
    };
    let compared = match Compared::resolve(cli, old, new) {
        Ok(compared) => compared,
        Err(error) => {
            let help = error.help();
            return cannot(&Message::error(error.to_string()).maybe_help(help));
        }
    };
    let Compared {
        old,
        new,
        named,
        reports: targets,
        prints,
        format,
    } = compared;
    let node = rustix::system::uname();
    let host = node.nodename().to_string_lossy().into_owned();
    let comparison = match old.compare(new, SystemTime::now(), host) {
        Ok(comparison) => comparison,
        Err(error) => {
            let error = escape::name(error.to_string().as_ref());
            return cannot(&Message::error(format!("{named}: {error}")));
        }
    };
    let files = match create(&targets) {
        Ok(files) => files,
        Err(error) => return cannot(&error.message()),
    };
    let printed = if prints {
        print(&comparison, format)
    } else {
        Ok(())
    };
    let written = write(files, &comparison, prints);
    let conclusion = conclude(&comparison, printed, written);
    if prints {
        word(conclusion, comparison.findings.len());
    }
    conclusion
}

/// Success comes last, after everything that could contradict it.
fn conclude(comparison: &Comparison, printed: io::Result<()>, is_written: bool) -> Conclusion {
    match (printed, Conclusion::of(comparison)) {
        (Err(error), _) if error.kind() == io::ErrorKind::BrokenPipe => Conclusion::PipeClosed,
        (Err(error), _) => undelivered(&error),
        (Ok(()), Conclusion::Valid) if !is_written => Conclusion::CannotJudge,
        (Ok(()), conclusion) => conclusion,
    }
}

fn create(targets: &[Target]) -> Result<Vec<ReportFile>, NotBegun> {
    let (nothing, no_paths) = (Survey::default(), Inputs::Paths(Vec::new()));
    let created = targets.iter();
    created
        .map(|target| reports::create(target, &no_paths, &nothing, None))
        .collect()
}

/// Writes the reports, and reports whether all of them were written.
fn write(files: Vec<ReportFile>, comparison: &Comparison, prints: bool) -> bool {
    let mut is_written = true;
    for file in files {
        match file.write_comparison(comparison) {
            Ok(written) if prints => evidence::name_report(&written),
            Ok(_) => {}
            Err(error) => {
                Message::error(error.to_string()).print();
                is_written = false;
            }
        }
    }
    is_written
}

/// Prints the last line: what the comparison came to, in a word. Fail closed: it is that of the
/// exit status, so a report that was not written is not OK.
fn word(conclusion: Conclusion, findings: usize) {
    let (mood, text) = match (conclusion, findings) {
        (Conclusion::Valid, _) => (Mood::Good, "OK: no difference".to_owned()),
        (Conclusion::NotValid, 0) => (Mood::Bad, "FAILED: see the errors above".to_owned()),
        (Conclusion::NotValid, 1) => (Mood::Bad, "FAILED: 1 difference".to_owned()),
        (Conclusion::NotValid, count) => (Mood::Bad, format!("FAILED: {count} differences")),
        // A pipe that is closed early is nothing to report.
        (Conclusion::PipeClosed, _) => return,
        _ => (Mood::Bad, "NO VERDICT: see the errors above".to_owned()),
    };
    canvas::print(&last_word(mood, &text));
}

/// Prints the differences on stdout, and on stderr what they come to.
fn print(comparison: &Comparison, format: Format) -> io::Result<()> {
    let mut out = Stream::stdout()?;
    out.check()?;
    let mut text = Vec::new();
    match format {
        Format::Jsonl => json::comparison(&mut text, comparison)?,
        Format::Text => {
            for finding in &comparison.findings {
                writeln!(text, "{}", report::compared(finding))?;
            }
        }
    }
    out.write_all(&text)?;
    out.flush()?;
    let remarks = report::comparison_remarks(comparison);
    for remark in remarks {
        Message::error(remark).print();
    }
    Message::note(report::RESTS_ON).print();
    Message::note(report::comparison(comparison)).print();
    Ok(())
}
