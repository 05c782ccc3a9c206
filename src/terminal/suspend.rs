//! Ctrl-Z while bars are drawn: they are cleared before the process stops, and redrawn when it
//! continues.

use std::io::{self, PipeReader, Read};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use indicatif::{MultiProgress, ProgressDrawTarget};
use signal_hook::consts::{SIGTSTP, SIGTTOU};
use signal_hook::low_level::{pipe, raise};

use super::signals;

/// The screen to clear before the process stops. Unset if bars were never drawn: the signal then
/// keeps its default action.
static SCREEN: OnceLock<Mutex<MultiProgress>> = OnceLock::new();

/// Registers the screen with the bars.
pub(crate) fn answer_ctrl_z(screen: MultiProgress) {
    match SCREEN.get() {
        Some(known) => *lock(known) = screen,
        // If the system refuses, Ctrl-Z leaves the bars on the screen; the verdicts do not depend
        // on it.
        None => drop(SCREEN.set(Mutex::new(screen)).map(|()| listen())),
    }
}

/// Unregisters the screen: there are no bars from now on.
pub(crate) fn forget() {
    if let Some(known) = SCREEN.get() {
        *lock(known) = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
    }
}

fn lock(screen: &Mutex<MultiProgress>) -> MutexGuard<'_, MultiProgress> {
    screen.lock().unwrap_or_else(PoisonError::into_inner)
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
        if let Some(known) = SCREEN.get() {
            let screen = lock(known).clone();
            screen.suspend(stop);
        }
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
