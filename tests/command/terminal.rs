//! What a person sees: the command in a pseudo-terminal, and the screen that it draws.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::support::{Mirror, comes_true, end_of, send, sign_digest, signing_key, wait_until};
use pty_process::Size;
use pty_process::blocking::{Command, Pty};
use vt100::{Color, Parser};

/// A file that no machine hashes before its test has looked.
pub(crate) const ENDLESS: u64 = 2 * 1024 * 1024 * 1024 * 1024;
pub(crate) const GREEN: Color = Color::Idx(2);
pub(crate) const RED: Color = Color::Idx(1);

/// A running command and the terminal that it runs in. It is killed when the test is over, however
/// that ends.
pub(crate) struct Terminal {
    child: Child,
    pty: Arc<Pty>,
    screen: Arc<Mutex<Parser>>,
    /// Everything that was written to the terminal.
    pub(crate) written: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Terminal {
    pub(crate) fn run(mirror: &Mirror, rows: u16, columns: u16, arguments: &[&str]) -> Terminal {
        Terminal::start(rows, columns, command(mirror, arguments))
    }

    pub(crate) fn start(rows: u16, columns: u16, command: Command) -> Terminal {
        let (pty, pts) = pty_process::blocking::open().unwrap();
        pty.resize(Size::new(rows, columns)).unwrap();
        let child = command.spawn(pts).unwrap();
        let (pty, screen) = (Arc::new(pty), Parser::new(rows, columns, 0));
        let screen = Arc::new(Mutex::new(screen));
        let (from, to) = (Arc::clone(&pty), Arc::clone(&screen));
        let written = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&written);
        let reader = thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Reading fails when the last program has left the terminal.
            while let Ok(count @ 1..) = (&*from).read(&mut bytes) {
                log.lock().unwrap().extend_from_slice(&bytes[..count]);
                to.lock().unwrap().process(&bytes[..count]);
            }
        });
        Terminal {
            child,
            pty,
            screen,
            written,
            reader: Some(reader),
        }
    }

    /// The rows that are not empty.
    pub(crate) fn rows(&self) -> Vec<String> {
        let screen = self.screen.lock().unwrap();
        let (_, columns) = screen.screen().size();
        let rows = screen.screen().rows(0, columns);
        let rows = rows.map(|row| row.trim_end().to_owned());
        rows.filter(|row| !row.is_empty()).collect()
    }

    /// Waits until the screen looks as it should.
    pub(crate) fn wait_for(&self, what: impl Fn(&[String]) -> bool) -> Vec<String> {
        let mut rows = Vec::new();
        let looks_so = || {
            rows = self.rows();
            what(&rows)
        };
        let has_come = comes_true(looks_so);
        assert!(has_come, "{rows:#?}");
        rows
    }

    /// The number of the row that begins with a text.
    pub(crate) fn row_of(&self, text: &str) -> u16 {
        let screen = self.screen.lock().unwrap();
        let (_, columns) = screen.screen().size();
        let mut rows = screen.screen().rows(0, columns);
        u16::try_from(rows.position(|row| row.starts_with(text)).unwrap()).unwrap()
    }

    pub(crate) fn colour_at(&self, row: u16, column: u16) -> Color {
        let screen = self.screen.lock().unwrap();
        screen.screen().cell(row, column).unwrap().fgcolor()
    }

    fn resize(&self, rows: u16, columns: u16) {
        self.pty.resize(Size::new(rows, columns)).unwrap();
        let mut screen = self.screen.lock().unwrap();
        screen.screen_mut().set_size(rows, columns);
    }

    pub(crate) fn press(&self, keys: &[u8]) {
        (&*self.pty).write_all(keys).unwrap();
    }

    pub(crate) fn press_ctrl_c(&self) {
        self.press(b"\x03");
    }

    /// Waits for the end, and for the terminal to have shown everything.
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<String>) {
        let status = self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        assert!(!self.screen.lock().unwrap().screen().hide_cursor());
        (status, self.rows())
    }
}

pub(crate) fn command(mirror: &Mirror, arguments: &[&str]) -> Command {
    Command::new(crate::support::COMMAND)
        .args(crate::support::PINNED)
        .args(arguments)
        .current_dir(mirror.path())
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .env_remove("CI")
        .env_remove("PUBKEY")
}

pub(crate) fn sparse(mirror: &Mirror, name: &str, size: u64) {
    let file = File::create(mirror.path().join(name)).unwrap();
    file.set_len(size).unwrap();
    mirror.write(&format!("{name}.sig.bin"), any_signature());
}

pub(crate) fn any_signature() -> Vec<u8> {
    sign_digest(&signing_key(1), &[7; 32])
}

/// One valid, one invalid, and two that are being hashed.
pub(crate) fn mirror_in_the_middle() -> Mirror {
    let mirror = Mirror::new();
    mirror.write_signed("a.zst", "a.sig.bin", b"alpha");
    mirror.write("b.zst", "beta");
    mirror.write("b.sig.bin", any_signature());
    sparse(&mirror, "big-1.iso", ENDLESS);
    sparse(&mirror, "big-2.iso", ENDLESS);
    mirror
}

/// What stdout has of it.
const LINES: [&str; 2] = ["a.zst: ✅ Signature valid", "b.zst: ❌ Signature invalid"];

/// Whether all of it is there. What is drawn at once may be read in parts, and found half done.
pub(crate) fn in_the_middle(rows: &[String]) -> bool {
    LINES.iter().all(|line| rows.iter().any(|row| row == line)) && are_bars(rows)
}

/// Whether the last rows are the bars of both files and the total.
fn are_bars(rows: &[String]) -> bool {
    let Some((total, bars)) = rows.split_last() else {
        return false;
    };
    let bars = &bars[bars.len().saturating_sub(2)..];
    are_bars_of_both(bars)
        && bars.iter().all(|row| row.contains("%   2.20 TB"))
        && total.contains("2/4 files 1 failed")
}

/// How many rows are of a bar or of the total.
pub(crate) fn bars_in(rows: &[String]) -> usize {
    let is_bar = |row: &&String| row.contains('━') || row.contains('─') || row.contains(" files");
    rows.iter().filter(is_bar).count()
}

/// Whether two rows are the bars of the two large files, the one that was begun first above the
/// other: two workers begin one each, so either may be first.
fn are_bars_of_both(rows: &[String]) -> bool {
    let mut names: Vec<&str> = rows
        .iter()
        .filter_map(|row| row.split(' ').next())
        .collect();
    names.sort_unstable();
    names == ["big-1.iso", "big-2.iso"]
}

#[test]
fn in_the_middle_of_a_run_the_lines_stand_above_a_bar_for_each_file_and_the_total() {
    let mirror = mirror_in_the_middle();
    let terminal = Terminal::run(&mirror, 24, 80, &[]);
    let rows = terminal.wait_for(in_the_middle);
    let at = |line: &str| rows.iter().position(|row| row == line).unwrap();
    assert!(at(LINES[0]) < at(LINES[1]), "{rows:#?}");
    assert_eq!(bars_in(&rows), 3, "{rows:#?}");
    let total = &rows[rows.len() - 1];
    assert!(
        total.contains("/4.40 TB ") && total.contains(" elapsed "),
        "{total}"
    );
    assert!(total.contains(" left 2/4 files"), "{total}");
}

#[test]
fn on_a_terminal_verdicts_and_failures_have_colours_and_no_color_takes_them_away() {
    let mirror = mirror_in_the_middle();
    let terminal = Terminal::run(&mirror, 24, 80, &[]);
    terminal.wait_for(in_the_middle);
    let (valid, invalid) = (terminal.row_of(LINES[0]), terminal.row_of(LINES[1]));
    assert_eq!(terminal.colour_at(valid, 0), Color::Default);
    assert_eq!(terminal.colour_at(valid, 10), GREEN);
    assert_eq!(terminal.colour_at(invalid, 10), RED);
    assert_eq!(terminal.colour_at(terminal.row_of("error: b.zst"), 0), RED);
    assert_eq!(terminal.colour_at(terminal.row_of("help: "), 0), GREEN);
    // The total is another one with every look.
    terminal.wait_for(|rows| {
        let total = &rows[rows.len() - 1];
        let columns = total.chars().count();
        let failed = u16::try_from(columns.saturating_sub("1 failed".len())).unwrap();
        let colour = |column| terminal.colour_at(terminal.row_of(total), column);
        in_the_middle(rows) && (colour(failed - 1), colour(failed)) == (Color::Default, RED)
    });
    let plain = command(&mirror, &[]).env("NO_COLOR", "1");
    let terminal = Terminal::start(24, 80, plain);
    terminal.wait_for(in_the_middle);
    for row in 0..24 {
        for column in 0..80 {
            assert_eq!(terminal.colour_at(row, column), Color::Default);
        }
    }
}

#[test]
fn ctrl_c_takes_the_bars_away_and_the_summary_says_how_far_it_came() {
    let mirror = mirror_in_the_middle();
    let terminal = Terminal::run(&mirror, 24, 120, &["--report", "r.json"]);
    terminal.wait_for(in_the_middle);
    terminal.press_ctrl_c();
    let (status, rows) = terminal.end();
    assert_eq!(status.code(), Some(130));
    for line in LINES {
        assert!(rows.iter().any(|row| row == line), "{rows:#?}");
    }
    let is_key = |row: &String| row.starts_with("key: key.pem (");
    assert!(rows.iter().any(is_key), "{rows:#?}");
    let last = &rows[rows.len() - 2..];
    let summary = "summary: ended after 2 of 4: 1 valid, 1 invalid; ";
    assert!(last[0].starts_with(summary), "{rows:#?}");
    assert_eq!(last[1], "Interrupted: 2 of 4 judged, 1 failed");
    assert!(!rows.concat().contains("big-"), "{rows:#?}");
    let report = std::fs::read(mirror.path().join("r.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["summary"]["interrupted"], "SIGINT");
    assert_eq!(report["summary"]["complete"], false);
    assert_eq!(report["artifacts"].as_array().unwrap().len(), 2);
}

#[test]
fn at_the_end_the_bars_are_gone_and_the_summary_stays() {
    let mirror = Mirror::new();
    mirror.write_signed("a.zst", "a.sig.bin", b"alpha");
    sparse(&mirror, "big-1.iso", 1 << 29);
    sparse(&mirror, "big-2.iso", 1 << 29);
    let terminal = Terminal::run(&mirror, 24, 120, &["--jobs", "1"]);
    let written = Arc::clone(&terminal.written);
    let (status, rows) = terminal.end();
    assert_eq!(status.code(), Some(1));
    // There were bars.
    assert!(String::from_utf8_lossy(&written.lock().unwrap()).contains("/3 files"));
    for line in [
        "a.zst: ✅ Signature valid",
        "big-1.iso: ❌ Signature invalid",
        "big-2.iso: ❌ Signature invalid",
    ] {
        assert!(rows.iter().any(|row| row == line), "{rows:#?}");
    }
    let is_key = |row: &String| row.starts_with("key: key.pem (");
    assert!(rows.iter().any(is_key), "{rows:#?}");
    let last = &rows[rows.len() - 2..];
    let summary = "summary: 1 valid, 2 invalid; 1.07 GB in ";
    assert!(last[0].starts_with(summary), "{rows:#?}");
    assert_eq!(last[1], "FAILED: 2 of 3");
    assert!(!rows.concat().contains("/3 files"), "{rows:#?}");
}

#[test]
fn after_a_resize_the_bars_fit_the_new_screen() {
    let mirror = mirror_in_the_middle();
    let terminal = Terminal::run(&mirror, 24, 120, &[]);
    terminal.wait_for(in_the_middle);
    terminal.resize(24, 40);
    let fits = |rows: &[String]| {
        let total = rows.last().map_or("", String::as_str);
        are_bars(rows) && !total.contains("elapsed") && total.ends_with("2/4 files 1 failed")
    };
    let rows = terminal.wait_for(fits);
    assert_eq!(bars_in(&rows), 3, "{rows:#?}");
    terminal.resize(24, 120);
    let is_wide = |rows: &[String]| are_bars(rows) && rows[rows.len() - 1].contains("elapsed");
    let rows = terminal.wait_for(is_wide);
    assert_eq!(bars_in(&rows), 3, "{rows:#?}");
}

#[test]
fn on_40_columns_a_long_name_of_double_width_characters_is_shortened_in_the_middle() {
    let mirror = Mirror::new();
    let name = format!("{}/{}-4.iso", "d".repeat(60), "漢字".repeat(20));
    mirror.write(&name, "");
    sparse(&mirror, &name, ENDLESS);
    let terminal = Terminal::run(&mirror, 24, 40, &[]);
    let is_whole = |rows: &[String]| {
        rows.len() == 2 && rows[0].ends_with("0%") && rows[1].contains("0/1 files")
    };
    let rows = terminal.wait_for(is_whole);
    assert!(rows[0].starts_with("漢字漢字漢字…"), "{rows:#?}");
    assert!(rows[0].contains("…漢字-4.iso ─"), "{rows:#?}");
}

#[test]
fn names_whose_width_is_not_the_sum_of_their_characters_fit_the_screen() {
    // Emoji presentation, a family, flags, Arabic that joins, combining marks, skin tones, Hangul
    // that composes.
    let pieces = [
        "❤️",
        "👩\u{200d}👧",
        "🇩🇪",
        "لا",
        "e\u{301}\u{20dd}",
        "👍🏽",
        "각",
        "\u{a4fc}\u{a4fd}",
    ];
    for piece in pieces {
        let mirror = Mirror::new();
        let name = format!("{}.iso", piece.repeat(200 / piece.len()));
        sparse(&mirror, &name, ENDLESS);
        for columns in [30, 40, 71] {
            let terminal = Terminal::run(&mirror, 10, columns, &["--jobs", "1"]);
            let rows = terminal.wait_for(|rows| rows.len() == 2 && rows[0].contains("  0%"));
            assert!(
                !rows.iter().any(|row| row.contains("panicked")),
                "{rows:#?}"
            );
            terminal.press_ctrl_c();
            let (status, rows) = terminal.end();
            assert_eq!(status.code(), Some(130), "{rows:#?}");
            assert!(
                !rows.iter().any(|row| row.contains("panicked")),
                "{rows:#?}"
            );
        }
    }
}

#[test]
fn more_files_in_flight_than_rows_are_counted_and_the_total_stays_in_sight() {
    let mirror = Mirror::new();
    for n in 0..16 {
        sparse(&mirror, &format!("big-{n:02}.iso"), ENDLESS);
    }
    let terminal = Terminal::run(&mirror, 10, 80, &["--jobs", "16"]);
    let full = |rows: &[String]| {
        rows.len() == 6
            && rows[..4].iter().all(|row| row.starts_with("big-"))
            && rows[4].starts_with("… and ")
            && rows[5].contains("0/16 files")
    };
    terminal.wait_for(full);
}

#[test]
fn no_line_is_torn_or_repeated_by_the_bars() {
    let mirror = Mirror::new();
    let names: Vec<String> = (0..600).map(|n| format!("a-{n:03}.zst")).collect();
    for name in &names {
        mirror.write_signed(name, &format!("{name}.sig.bin"), b"alpha");
    }
    sparse(&mirror, "big.iso", ENDLESS);
    let terminal = Terminal::run(&mirror, 700, 80, &["--jobs", "1"]);
    // All of it: the total may count what is not printed yet, and is drawn before the last file has
    // begun.
    let is_whole = |rows: &[String]| {
        rows.len() == 602
            && rows[600].starts_with("big.iso ")
            && rows[601].contains("600/601 files")
    };
    let rows = terminal.wait_for(is_whole);
    let lines: Vec<String> = names
        .iter()
        .map(|name| format!("{name}: ✅ Signature valid"))
        .collect();
    assert_eq!(rows[..600], lines);
}

/// A command whose output reaches the terminal in some way of the shell's; `"$@"` is the command.
pub(crate) fn through(mirror: &Mirror, script: &str, arguments: &[&str]) -> Terminal {
    let shell = Command::new("bash").args(["-c", script, "bash"]);
    let shell = shell.arg(crate::support::COMMAND);
    let shell = shell.args(crate::support::PINNED).args(arguments);
    let shell = shell
        .current_dir(mirror.path())
        .env("TERM", "xterm-256color");
    let shell = shell.env_remove("NO_COLOR").env_remove("CI");
    Terminal::start(24, 200, shell.env_remove("PUBKEY"))
}

#[test]
fn no_bars_are_drawn_where_another_process_writes_the_lines_to_the_terminal() {
    // Each leaves one more process between our stdout and the terminal: a pipe, a FIFO, a process
    // substitution.
    let ways = [
        "\"$@\" | tee log",
        "\"$@\" > >(cat)",
        "mkfifo f; cat f & \"$@\" > f",
        "\"$@\" --progress always | cat",
    ];
    for way in ways {
        let mirror = mirror_in_the_middle();
        let terminal = through(&mirror, way, &[]);
        let are_there = |rows: &[String]| LINES.iter().all(|l| rows.iter().any(|row| row == l));
        terminal.wait_for(are_there);
        // Bars would be drawn every tenth of a second. (Where the machine is busy, this shows less,
        // and fails no sooner.)
        thread::sleep(Duration::from_millis(500));
        let written = terminal.written.lock().unwrap().clone();
        let written = String::from_utf8(written).unwrap();
        assert!(
            !written.contains("\u{1b}[J") && !written.contains("\u{1b}7"),
            "{way}: {written:?}"
        );
        assert_eq!(bars_in(&terminal.rows()), 0, "{way}: {written:?}");
        terminal.press_ctrl_c();
    }
}

#[test]
fn bars_are_drawn_where_stdout_is_the_same_terminal_a_file_or_discarded() {
    let ways = [
        ("\"$@\"", true),
        ("\"$@\" >/dev/tty", true),
        ("\"$@\" 2>/dev/tty", true),
        ("\"$@\" >out", false),
        ("\"$@\" >/dev/null", false),
        ("\"$@\" 1<>/dev/null", false),
        ("\"$@\" --status --progress always | cat", false),
    ];
    for (way, has_lines) in ways {
        let mirror = mirror_in_the_middle();
        let terminal = through(&mirror, way, &[]);
        let is_drawn = |rows: &[String]| are_bars(rows) && has_lines == in_the_middle(rows);
        let rows = terminal.wait_for(is_drawn);
        assert_eq!(bars_in(&rows), 3, "{way}: {rows:#?}");
        terminal.press_ctrl_c();
    }
}

#[test]
fn no_line_is_lost_that_another_process_writes_to_the_terminal() {
    let mirror = Mirror::new();
    let names: Vec<String> = (0..9).map(|n| format!("a-{n:02}.zst")).collect();
    for name in &names {
        mirror.write_signed(name, &format!("{name}.sig.bin"), b"alpha");
    }
    mirror.write("b.zst", "beta");
    sparse(&mirror, "big.iso", 1 << 30);
    // The reader is slow, so that the lines come while the run goes on.
    let slow = "\"$@\" --jobs 1 | while read -r line; do sleep 0.02; echo \"$line\"; done";
    let (_, rows) = through(&mirror, slow, &[]).end();
    let text = rows.join("\n");
    for name in &names {
        let line = format!("{name}: ✅ Signature valid");
        assert_eq!(rows.iter().filter(|row| **row == line).count(), 1, "{text}");
    }
    assert!(
        rows.contains(&"b.zst: ❌ Signature file not found".to_owned()),
        "{text}"
    );
    let explained = "error: b.zst: ❌ Signature file not found (no signature file claims it: ";
    assert!(text.contains(explained), "{text}");
}

#[test]
fn while_directories_are_walked_a_spinner_counts_and_ctrl_c_ends_it() {
    let mirror = Mirror::new();
    let endless = mirror.write_endless();
    let terminal = Terminal::run(&mirror, 24, 80, &endless);
    let rows = terminal.wait_for(|rows| rows.len() == 1 && rows[0].contains("looking for files: "));
    assert!(rows[0].ends_with(" seen"), "{rows:#?}");
    terminal.press_ctrl_c();
    let (status, rows) = terminal.end();
    assert_eq!(status.code(), Some(130));
    let said = "error: interrupted while looking for files; nothing was verified";
    assert_eq!(rows[rows.len() - 2..], [said, "Interrupted"], "{rows:#?}");
}

#[test]
fn lines_that_are_piped_are_the_scripts_bytes_while_the_bars_are_on_the_terminal() {
    let mirror = mirror_in_the_middle();
    let out = mirror.path().join("out");
    let piped = command(&mirror, &[]).env("CLICOLOR_FORCE", "1");
    let piped = piped.stdout(Stdio::from(File::create(&out).unwrap()));
    let terminal = Terminal::start(24, 80, piped);
    terminal.wait_for(are_bars);
    let lines = "a.zst: ✅ Signature valid\nb.zst: ❌ Signature invalid\n";
    // What is counted may not be printed yet.
    wait_until("the lines are printed", || read(&out) == lines);
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// What /proc says a process does: `T` is that it is stopped.
fn state(id: &str) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// The process under this shell.
fn child_of(shell: u32) -> String {
    let children = format!("/proc/{shell}/task/{shell}/children");
    read(Path::new(&children)).trim().to_owned()
}

#[test]
fn ctrl_z_takes_the_bars_away_and_they_come_again_below_what_was_typed_meanwhile() {
    let mirror = mirror_in_the_middle();
    // A shell with job control. It has the terminal again when the command has stopped, and lets it
    // go on after a line is typed.
    let script = "set -m; \"$@\"; echo stopped; read line; fg >/dev/null";
    let mut shell = Command::new("sh").current_dir(mirror.path());
    shell = shell.args(["-c", script, "sh", crate::support::COMMAND]);
    let shell = shell.args(crate::support::PINNED).env("TERM", "xterm");
    let terminal = Terminal::start(24, 80, shell.env_remove("NO_COLOR"));
    terminal.wait_for(in_the_middle);
    let id = child_of(terminal.child.id());
    terminal.press(b"\x1a");
    let rows = terminal.wait_for(|rows| rows.iter().any(|row| row.ends_with("stopped")));
    assert_eq!(state(&id), Some('T'));
    for line in LINES {
        assert!(rows.iter().any(|row| row == line), "{rows:#?}");
    }
    assert!(!rows.concat().contains("big-"), "{rows:#?}");
    terminal.press(b"typed meanwhile\n");
    let typed = |row: &String| row.ends_with("typed meanwhile");
    let rows = terminal.wait_for(|rows| {
        let below = rows.iter().skip_while(|row| !typed(row)).skip(1);
        below.count() == 3 && rows[rows.len() - 1].contains("2/4 files")
    });
    let below = &rows[rows.len() - 3..rows.len() - 1];
    assert!(are_bars_of_both(below), "{rows:#?}");
    let bars = rows.iter().filter(|row| row.contains("big-")).count();
    assert_eq!(bars, 2, "{rows:#?}");
    assert_ne!(state(&id), Some('T'));
    terminal.press_ctrl_c();
    let (status, rows) = terminal.end();
    assert_eq!(status.code(), Some(130));
    assert!(!rows.concat().contains("big-"), "{rows:#?}");
}

#[test]
fn ctrl_z_stops_no_process_that_no_shell_would_let_go_on() {
    let mirror = mirror_in_the_middle();
    // By itself in its session, as under `ssh -t`.
    let terminal = Terminal::run(&mirror, 24, 80, &[]);
    terminal.wait_for(in_the_middle);
    let id = terminal.child.id().to_string();
    for _ in 0..3 {
        terminal.press(b"\x1a");
        // Long enough for the bars to be drawn over the ^Z that the terminal shows; there is room
        // for two.
        thread::sleep(Duration::from_millis(300));
        assert_ne!(state(&id), Some('T'));
    }
    terminal.wait_for(in_the_middle);
    terminal.press_ctrl_c();
    assert_eq!(terminal.end().0.code(), Some(130));
}

/// The command in an unattended terminal: nothing that it shows is read.
fn unread(command: Command) -> (Child, Pty) {
    let (pty, pts) = pty_process::blocking::open().unwrap();
    pty.resize(Size::new(24, 80)).unwrap();
    (command.spawn(pts).unwrap(), pty)
}

fn read_until(mut pty: &Pty, text: &str) {
    let (mut shown, mut bytes) = (String::new(), [0; 4096]);
    while !shown.contains(text) {
        let count = pty.read(&mut bytes).unwrap();
        shown += &String::from_utf8_lossy(&bytes[..count]);
    }
}

/// Waits until the process has waited for something for a while: the terminal takes no more.
fn wait_until_idle(child: &Child) {
    let stat = format!("/proc/{}/stat", child.id());
    let time = || {
        let stat = std::fs::read_to_string(&stat).unwrap();
        let fields: Vec<String> = stat.split(' ').map(str::to_owned).collect();
        fields[13..15].join(" ")
    };
    let id = child.id().to_string();
    wait_until("the process waits", || {
        let before = time();
        thread::sleep(Duration::from_millis(300));
        // One that a busy machine keeps from running does not wait for anything.
        state(&id) == Some('S') && time() == before
    });
}

#[test]
fn a_signal_is_answered_while_the_terminal_takes_nothing() {
    let mirror = Mirror::new();
    for n in 0..9000 {
        mirror.write(&format!("a-rather-long-name-{n:04}.zst"), "");
    }
    let (mut child, _pty) = unread(command(&mirror, &["--report", "r.json"]));
    wait_until_idle(&child);
    send(&["-TERM"], &child);
    assert_eq!(end_of(&mut child), Some(143));
    assert!(read(&mirror.path().join("r.json")).contains("SIGTERM"));
}

#[test]
fn a_terminal_that_goes_away_takes_no_report_with_it_where_its_signal_is_ignored() {
    let mirror = Mirror::new();
    sparse(&mirror, "big.iso", 1 << 30);
    let mut shell = Command::new("sh").current_dir(mirror.path());
    let script = "trap '' HUP; exec \"$0\" -k key.pem --jobs 1 --report r.json";
    shell = shell.args(["-c", script, crate::support::COMMAND]);
    let (mut child, pty) = unread(shell.env("TERM", "xterm"));
    // The bars are there: the run is in the middle of the file.
    read_until(&pty, "0/1 files");
    drop(pty);
    assert_eq!(child.wait().unwrap().code(), Some(2));
    let report = read(&mirror.path().join("r.json"));
    assert!(
        report.contains("standard output: Input/output error"),
        "{report}"
    );
}

#[test]
fn a_terminal_that_is_closed_ends_the_run_and_the_reports_say_so() {
    let mirror = mirror_in_the_middle();
    let reports = ["--report", "out/r.json", "--report", "out/r.xml"];
    std::fs::create_dir(mirror.path().join("out")).unwrap();
    let (mut child, pty) = unread(command(&mirror, &reports));
    read_until(&pty, "2/4 files");
    drop(pty);
    assert_eq!(end_of(&mut child), Some(129));
    let report: serde_json::Value =
        serde_json::from_str(&read(&mirror.path().join("out/r.json"))).unwrap();
    assert_eq!(report["summary"]["interrupted"], "SIGHUP");
    assert_eq!(report["summary"]["exit_status"], 129);
    assert!(read(&mirror.path().join("out/r.xml")).contains("ended by SIGHUP"));
    // Nothing else is left there.
    let out = std::fs::read_dir(mirror.path().join("out")).unwrap();
    assert_eq!(out.count(), 2);
}

#[test]
fn progress_never_shows_no_bar_on_a_terminal() {
    let mirror = mirror_in_the_middle();
    let terminal = Terminal::run(&mirror, 24, 80, &["--progress", "never"]);
    terminal.wait_for(|rows| rows.iter().any(|row| row == LINES[1]));
    thread::sleep(Duration::from_millis(400));
    let rows = terminal.rows();
    assert_eq!(bars_in(&rows), 0, "{rows:#?}");
}
