//! The bars on terminals that do not stay as they are: keys that are pressed, other programs that
//! write, and terminals that wrap their rows anew.

use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::support::{Mirror, comes_true, is_here};
use crate::terminal::{
    ENDLESS, Terminal, bars_in, in_the_middle, mirror_in_the_middle, sparse, through,
};

/// Bars of two files, and the total.
const BARS: usize = 3;

#[test]
fn enter_leaves_no_bar_behind() {
    let mirror = mirror_in_the_middle();
    let terminal = Terminal::run(&mirror, 24, 120, &[]);
    terminal.wait_for(in_the_middle);
    // Single ones, and a key that is held down.
    for keys in ["\n", "\n", "\n\n\n", "typed\n", "\n"] {
        terminal.press(keys.as_bytes());
        thread::sleep(Duration::from_millis(250));
    }
    let rows = terminal.wait_for(|rows| in_the_middle(rows) && bars_in(rows) == BARS);
    assert!(!rows.concat().contains("typed"), "{rows:#?}");
    terminal.press_ctrl_c();
    let (_, rows) = terminal.end();
    assert_eq!(bars_in(&rows), 0, "{rows:#?}");
}

#[test]
fn what_another_program_writes_stays_above_the_bars() {
    let mirror = mirror_in_the_middle();
    let script = "(sleep 2; echo 'from another program' >/dev/tty)& \"$@\"";
    let terminal = through(&mirror, script, &[]);
    let is_there = |rows: &[String]| rows.iter().any(|row| row == "from another program");
    terminal.wait_for(|rows| is_there(rows) && in_the_middle(rows) && bars_in(rows) == BARS);
    thread::sleep(Duration::from_millis(300));
    let rows = terminal.wait_for(|rows| in_the_middle(rows) && bars_in(rows) == BARS);
    assert!(is_there(&rows), "{rows:#?}");
}

/// A terminal of tmux, which wraps its rows anew when its width changes. Ended with its server.
struct Tmux {
    socket: String,
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

impl Tmux {
    fn run(mirror: &Mirror) -> Tmux {
        let socket = mirror.path().join("tmux").to_str().unwrap().to_owned();
        let tmux = Tmux { socket };
        let program = crate::support::COMMAND;
        // What was there before, as in any terminal that is in use.
        let line = format!(
            "seq 1 12; {program} {} m; echo over; read -r line",
            crate::support::PINNED.join(" ")
        );
        let directory = mirror.path().to_str().unwrap();
        let size = ["-x", "120", "-y", "24"];
        let new = [
            &["-f", "/dev/null", "new-session", "-d"],
            &size[..],
            &["-c", directory, &line],
        ];
        tmux.tmux(&new.concat());
        tmux
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux")
            .args(["-S", &self.socket])
            .args(arguments)
            .env_remove("TMUX")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Everything that is or was on the screen.
    fn rows(&self) -> Vec<String> {
        let captured = self.tmux(&["capture-pane", "-p", "-S", "-"]);
        let rows = captured.lines().filter(|row| !row.is_empty());
        rows.map(str::to_owned).collect()
    }

    fn wait_for(&self, what: &str, is_so: impl Fn(&[String]) -> bool) {
        let came = comes_true(|| is_so(&self.rows()));
        assert!(came, "{what}: {:#?}", self.rows());
    }
}

#[test]
fn a_terminal_that_wraps_its_rows_anew_keeps_no_bars() {
    if !is_here("tmux", "a_terminal_that_wraps_its_rows_anew_keeps_no_bars") {
        return;
    }
    let mirror = Mirror::new();
    std::fs::create_dir(mirror.path().join("m")).unwrap();
    sparse(
        &mirror,
        "m/a-rather-long-name-of-an-appliance-1.iso",
        ENDLESS,
    );
    sparse(
        &mirror,
        "m/a-rather-long-name-of-an-appliance-2.iso",
        ENDLESS,
    );
    let tmux = Tmux::run(&mirror);
    let are_drawn = |rows: &[String]| {
        let total = rows.last().map_or("", String::as_str);
        bars_in(rows) == BARS && total.contains("0/2 files")
    };
    tmux.wait_for("bars are drawn", are_drawn);
    for columns in ["60", "90", "50", "120"] {
        tmux.tmux(&["resize-window", "-x", columns]);
        thread::sleep(Duration::from_millis(400));
        tmux.wait_for(columns, are_drawn);
        tmux.tmux(&["send-keys", "Enter"]);
        thread::sleep(Duration::from_millis(400));
        tmux.wait_for("after Enter", are_drawn);
    }
    tmux.tmux(&["send-keys", "C-c"]);
    tmux.wait_for("the end", |rows| rows.iter().any(|row| row == "over"));
    let rows = tmux.rows();
    assert_eq!(bars_in(&rows), 0, "{rows:#?}");
}
