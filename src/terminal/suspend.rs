//! Ctrl-Z where bars are drawn: they go away before the process stops, and come again when it goes
//! on.

use std::io::{self, PipeReader, Read};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use indicatif::{MultiProgress, ProgressDrawTarget};
use signal_hook::consts::{SIGTSTP, SIGTTOU};
use signal_hook::low_level::{pipe, raise};

use super::signals;

/// The screen that has to be clear when the process stops. None is needed where no bars were ever
/// drawn: the signal does what it always does there.
static SCREEN: OnceLock<Mutex<MultiProgress>> = OnceLock::new();

/// From now on this is the screen with the bars.
pub(crate) fn answer_ctrl_z(screen: MultiProgress) {
    match SCREEN.get() {
        Some(known) => *lock(known) = screen,
        // Where the system refuses, Ctrl-Z leaves the bars on the screen; the verdicts do not
        // depend on it.
        None => drop(SCREEN.set(Mutex::new(screen)).map(|()| listen())),
    }
}

/// From now on there are no bars.
pub(crate) fn forget() {
    if let Some(known) = SCREEN.get() {
        *lock(known) = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
    }
}

fn lock(screen: &Mutex<MultiProgress>) -> MutexGuard<'_, MultiProgress> {
    screen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread of its own waits for the signal, as long as the process is there: the handler stays
/// when the bars are gone, and somebody must stop the process then, too.
fn listen() -> io::Result<()> {
    if signals::is_ignored(SIGTSTP) {
        return Ok(());
    }
    let (signals, handler) = io::pipe()?;
    // The thread first: a signal that is caught and that nobody waits for would be lost.
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

/// Stops the process as SIGTSTP would, had it no handler: by another of its kind, which has none.
/// So the system sees to it that a process is not stopped that no shell would ever let go on (an
/// orphaned process group, POSIX.1-2017, 2.4.3).
fn stop() {
    // To this thread, which comes back when the process goes on. Where nothing is stopped, all goes
    // on.
    let _ = raise(SIGTTOU);
}
