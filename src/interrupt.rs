//! SIGINT and SIGTERM: the first ends the run in good order, the second at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::engine::Cancel;
use crate::exit::Exit;

/// Which signal came, if any.
#[derive(Debug)]
pub struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// From now on the signals set `cancel` instead of ending the process.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub fn listen(cancel: &Cancel) -> io::Result<Interrupt> {
        let received = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM] {
            // In this order: a signal that finds the flag set already is a second one.
            flag::register_conditional_shutdown(signal, 128 + signal, cancel.flag())?;
            flag::register_usize(
                signal,
                Arc::clone(&received),
                signal.unsigned_abs() as usize,
            )?;
            flag::register(signal, cancel.flag())?;
        }
        Ok(Interrupt(received))
    }

    /// How a run ends that a signal ended.
    pub fn exit(&self) -> Option<Exit> {
        match i32::try_from(self.0.load(Ordering::Relaxed)) {
            Ok(SIGINT) => Some(Exit::Interrupted),
            Ok(SIGTERM) => Some(Exit::Terminated),
            _ => None,
        }
    }
}
