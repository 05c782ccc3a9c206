//! SIGINT, SIGTERM, SIGHUP and SIGXCPU: the first ends the run in good order, a second SIGINT or
//! SIGTERM at once.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXCPU};
use signal_hook::flag;

use crate::progress::Cancel;
use crate::run::conclusion::Conclusion;

/// How long after the first signal another one is part of the same wish: timeout(1) sends each one
/// twice, and the reports of a run that it ends are wanted.
const ONE_WISH: Duration = Duration::from_millis(150);
/// How often the thread that waits for the first signal looks up.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Its stack: it calls next to nothing.
const STACK: usize = 64 * 1024;

/// Which signal came, if any.
#[derive(Debug)]
pub struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// From now on the signals set `cancel` instead of ending the process. One that whoever started
    /// the process wants to be ignored (a shell does, of SIGINT, for what it runs in the
    /// background; nohup(1), of SIGHUP) stays ignored.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub fn listen(cancel: &Cancel) -> io::Result<Interrupt> {
        let received = Arc::new(AtomicUsize::new(0));
        let again = armed_after_the_first(cancel);
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGXCPU]
            .into_iter()
            .filter(|s| !is_ignored(*s))
        {
            // A terminal that is closed sends SIGHUP twice: the shell does, and the system when the
            // shell has ended. And SIGXCPU comes again with every second. No second one
            // of them is a wish to end at once.
            if [SIGINT, SIGTERM].contains(&signal) {
                // In this order: a signal that finds the flag set already is a second one.
                let again = Arc::clone(&again);
                flag::register_conditional_shutdown(signal, 128 + signal, again)?;
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
    pub fn conclusion(&self) -> Option<Conclusion> {
        match i32::try_from(self.0.load(Ordering::Relaxed)) {
            Ok(SIGINT) => Some(Conclusion::Interrupted),
            Ok(SIGTERM) => Some(Conclusion::Terminated),
            Ok(SIGHUP) => Some(Conclusion::HungUp),
            Ok(SIGXCPU) => Some(Conclusion::OutOfTime),
            _ => None,
        }
    }
}

/// A flag that is set some time after the first signal.
fn armed_after_the_first(cancel: &Cancel) -> Arc<AtomicBool> {
    let armed = Arc::new(AtomicBool::new(false));
    let (arm, cancelled) = (Arc::clone(&armed), cancel.clone());
    let watch = move || {
        while !cancelled.is_cancelled() {
            thread::sleep(POLL_INTERVAL);
        }
        thread::sleep(ONE_WISH);
        arm.store(true, Ordering::Relaxed);
    };
    let builder = thread::Builder::new().name("signals".to_owned());
    match builder.stack_size(STACK).spawn(watch) {
        Ok(_) => armed,
        // Without a thread any second signal is a wish of its own.
        Err(_) => cancel.flag(),
    }
}

/// Whether the process was started with the signal ignored (proc(5), `SigIgn`: a bit for each
/// signal, the first the lowest).
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

    use signal_hook::low_level::raise;

    const IN_A_PROCESS_OF_ITS_OWN: &str = "VERIFY_SIGNATURES_TEST_INTERRUPT";

    fn interrupted_twice() {
        let cancel = Cancel::default();
        let interrupt = Interrupt::listen(&cancel).unwrap();
        raise(SIGINT).unwrap();
        assert!(cancel.is_cancelled());
        assert_eq!(interrupt.conclusion(), Some(Conclusion::Interrupted));
        // Two at once are one, as timeout(1) sends them.
        raise(SIGINT).unwrap();
        // A second wish, as soon as the thread that waits for the first one has had its turn.
        for _ in 0..600 {
            thread::sleep(Duration::from_millis(100));
            raise(SIGTERM).unwrap();
        }
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
