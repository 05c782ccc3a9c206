//! The resource limits of this process (setrlimit(2)): raised if allowed, or turned into errors.

use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::SIGXFSZ;
use signal_hook::flag;

use crate::terminal::closed;

/// Stack of the main thread: the usual limit.
const STACK: u64 = 8 * 1024 * 1024;
/// Minimum stack considered safe for parsing the command line and writing reports.
const ENOUGH_STACK: u64 = 1024 * 1024;
/// Minimum memory: with less, the process would end midway instead of with a message.
const LEAST_MEMORY: usize = 3 * 1024 * 1024;
/// Seconds of processor time between the warning and the end: enough for writing reports.
const WARNING: u64 = 1;

/// Raises the limits that may be raised, and turns those that kill silently into errors.
///
/// # Errors
/// If there is too little memory to do anything.
pub fn lift() -> io::Result<()> {
    share_one_arena();
    // Writing past RLIMIT_FSIZE becomes an error, like a full disk. If the handler cannot be
    // installed, it still ends the process.
    let _ = flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
    raise(Resource::Nofile, u64::MAX);
    raise(Resource::Stack, STACK);
    warn_before_the_end();
    try_to_reserve(LEAST_MEMORY)
}

/// Runs `command` on a stack of sufficient size.
pub fn with_enough_stack<T: Send + 'static>(command: fn() -> T) -> T {
    let is_enough = |limit: u64| limit >= ENOUGH_STACK;
    if getrlimit(Resource::Stack).current.is_none_or(is_enough) {
        return command();
    }
    let stack = usize::try_from(STACK / 2).unwrap_or_default();
    let started = thread::Builder::new().stack_size(stack).spawn(command);
    match started.map(thread::JoinHandle::join) {
        Ok(Ok(ended)) => ended,
        // The current stack may still be enough.
        Err(_) => command(),
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
    }
}

/// Re-executes the program with one heap for all threads, if memory is limited. By default glibc
/// reserves 64 MiB for each thread, which counts against the limit, and if that is refused it maps
/// a page for every few bytes; and it reads this setting before the program begins.
fn share_one_arena() {
    const SETTING: &str = "MALLOC_ARENA_MAX";
    let is_limited = |resource| getrlimit(resource).current.is_some();
    let limited = [Resource::As, Resource::Data].into_iter().any(is_limited);
    if !limited || env::var_os(SETTING).is_some() {
        return;
    }
    let mut arguments = env::args_os();
    let mut again = Command::new("/proc/self/exe");
    again.arg0(arguments.next().unwrap_or_default());
    closed::keep_closed();
    // Returns only on failure; then memory runs short sooner.
    let _ = again.args(arguments).env(SETTING, "1").exec();
}

/// Raises a soft limit to the hard one, or to `wanted` if that is less.
fn raise(resource: Resource, wanted: u64) {
    let limit = getrlimit(resource);
    let allowed = limit.maximum.unwrap_or(u64::MAX).min(wanted);
    if limit.current.is_some_and(|current| current < allowed) {
        let current = (allowed != u64::MAX).then_some(allowed);
        // If the system refuses, the limit stays, and the run keeps within it.
        let _ = setrlimit(resource, Rlimit { current, ..limit });
    }
}

/// Lowers the soft limit of processor time below the hard one, at which the system kills without
/// warning.
fn warn_before_the_end() {
    let limit = getrlimit(Resource::Cpu);
    let Some(end) = limit.maximum.filter(|end| *end > WARNING) else {
        return;
    };
    let current = limit.current.unwrap_or(end).min(end - WARNING);
    let limit = Rlimit {
        current: Some(current),
        ..limit
    };
    // On failure, the system ends the run without a warning.
    let _ = setrlimit(Resource::Cpu, limit);
}

fn try_to_reserve(bytes: usize) -> io::Result<()> {
    Vec::<u8>::new()
        .try_reserve_exact(bytes)
        .map_err(|_| io::ErrorKind::OutOfMemory.into())
}
