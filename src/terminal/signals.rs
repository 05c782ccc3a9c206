//! SIGINT, SIGTERM, SIGHUP and SIGXCPU: the first ends the run in good order, a second SIGINT or
//! SIGTERM ends it at once.

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

/// Time after the first signal during which another one counts as the same request: timeout(1)
/// sends each signal twice, and a run that it ends should still write its reports.
const ONE_WISH: Duration = Duration::from_millis(150);
/// Interval at which the thread that waits for the first signal checks for it.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Stack size of that thread, which calls very little.
const STACK: usize = 64 * 1024;

/// The signal received, if any.
#[derive(Debug)]
pub struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// Makes the signals set `cancel` from now on, instead of ending the process. A signal that the
    /// parent process set to be ignored stays ignored (shells do that to SIGINT for background
    /// jobs; nohup(1) to SIGHUP).
    ///
    /// # Errors
    /// If the system refuses a handler.
    pub fn listen(cancel: &Cancel) -> io::Result<Interrupt> {
        let received = Arc::new(AtomicUsize::new(0));
        let again = armed_after_the_first(cancel);
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGXCPU]
            .into_iter()
            .filter(|s| !is_ignored(*s))
        {
            // Closing a terminal sends SIGHUP twice: once from the shell, and once from the system
            // when the shell has ended. SIGXCPU recurs every second. A second one of these is no
            // request to end at once.
            if [SIGINT, SIGTERM].contains(&signal) {
                // In this order: a signal that finds the flag already set is a second one.
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

    /// Returns the conclusion of a run that a signal ended.
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

/// Returns a flag that is set some time after the first signal.
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
        // Without a thread, any second signal counts as a separate request.
        Err(_) => cancel.flag(),
    }
}

/// Reports whether the process was started with the signal ignored (proc(5), `SigIgn`: one bit per
/// signal, the first being the lowest).
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
        // Two in quick succession count as one, as timeout(1) sends them.
        raise(SIGINT).unwrap();
        // A second request, once the thread that waits for the first one has run.
        for _ in 0..600 {
            thread::sleep(Duration::from_millis(100));
            raise(SIGTERM).unwrap();
        }
    }

    #[test]
    fn a_second_signal_ends_the_process_at_once_even_while_it_waits() {
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
