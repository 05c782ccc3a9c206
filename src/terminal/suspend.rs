//! Ctrl-Z while bars are drawn: they are cleared before the process stops, and redrawn when it
//! continues.

use std::io::{self, PipeReader, Read};
use std::sync::Once;
use std::thread;

use signal_hook::consts::{SIGTSTP, SIGTTOU};
use signal_hook::low_level::{pipe, raise};

use super::canvas;
use super::signals;

/// Answers Ctrl-Z from now on. Where bars are never drawn the signal keeps its default action.
pub(crate) fn answer_ctrl_z() {
    static ANSWERED: Once = Once::new();
    // If the system refuses, Ctrl-Z leaves the bars on the screen; the verdicts do not depend on
    // it.
    ANSWERED.call_once(|| drop(listen()));
}

/// Starts a thread that waits for the signal for as long as the process lives: the handler stays
/// when the bars are gone, and the process must still stop.
fn listen() -> io::Result<()> {
    if signals::is_ignored(SIGTSTP) {
        return Ok(());
    }
    let (signals, handler) = io::pipe()?;
    // The thread comes first: a signal that is caught but not awaited would be lost.
    let waits = thread::Builder::new().name("pause".to_owned());
    waits.spawn(move || wait(signals))?;
    pipe::register(SIGTSTP, handler)?;
    Ok(())
}

fn wait(mut signals: PipeReader) {
    let mut one = [0];
    while matches!(signals.read(&mut one), Ok(1)) {
        canvas::without_rows(stop);
    }
}

/// Stops the process as SIGTSTP would without a handler: with another stop signal, which has none.
/// So the system does not stop a process that no shell would ever continue (an orphaned process
/// group, POSIX.1-2017, 2.4.3).
fn stop() {
    // Sent to this thread, which returns when the process continues. If the process is not stopped,
    // it simply continues.
    let _ = raise(SIGTTOU);
}
