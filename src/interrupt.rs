//! SIGINT, SIGTERM, SIGHUP and SIGXCPU: the first ends the run in good order, a second SIGINT or SIGTERM at once.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXCPU};
use signal_hook::flag;

use crate::engine::Cancel;
use crate::exit::Exit;

/// Which signal came, if any.
#[derive(Debug)]
pub struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// From now on the signals set `cancel` instead of ending the process. One that whoever started the process wants to be
    /// ignored (a shell does, of SIGINT, for what it runs in the background; nohup(1), of SIGHUP) stays ignored.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub fn listen(cancel: &Cancel) -> io::Result<Interrupt> {
        let received = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGXCPU]
            .into_iter()
            .filter(|s| !is_ignored(*s))
        {
            // A terminal that is closed sends SIGHUP twice: the shell does, and the system when the shell has ended. And SIGXCPU comes
            // again with every second. No second one of them is a wish to end at once.
            if [SIGINT, SIGTERM].contains(&signal) {
                // In this order: a signal that finds the flag set already is a second one.
                flag::register_conditional_shutdown(signal, 128 + signal, cancel.flag())?;
            }
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
            Ok(SIGHUP) => Some(Exit::HungUp),
            Ok(SIGXCPU) => Some(Exit::OutOfTime),
            _ => None,
        }
    }
}

/// Whether the process was started with the signal ignored (proc(5), `SigIgn`: a bit for each signal, the first the lowest).
pub fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::thread;

    use signal_hook::low_level::raise;

    const IN_A_PROCESS_OF_ITS_OWN: &str = "VERIFY_SIGNATURES_TEST_INTERRUPT";

    fn interrupted_twice() {
        let cancel = Cancel::default();
        let interrupt = Interrupt::listen(&cancel).unwrap();
        raise(SIGINT).unwrap();
        assert!(cancel.is_cancelled());
        assert_eq!(interrupt.exit(), Some(Exit::Interrupted));
        raise(SIGTERM).unwrap();
    }

    #[test]
    fn a_second_signal_ends_the_process_at_once_whatever_it_waits_for() {
        if std::env::var_os(IN_A_PROCESS_OF_ITS_OWN).is_some() {
            return interrupted_twice();
        }
        let mut again = Command::new(std::env::current_exe().unwrap());
        let name = thread::current().name().unwrap().to_owned();
        again
            .args(["--exact", &name])
            .env(IN_A_PROCESS_OF_ITS_OWN, "");
        assert_eq!(again.output().unwrap().status.code(), Some(143));
    }
}
