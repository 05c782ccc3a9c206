//! Reports whether stdout was closed when the process started, which `main` can no longer detect.
//!
//! std opens /dev/null, for reading and writing, in place of each closed standard stream, so that
//! no other file gets its number. Writes to it are lost without an error. That descriptor cannot be
//! distinguished from one that a caller opened in the same way (Python's `subprocess.DEVNULL`,
//! container runtimes), so the check runs before std's.
// Only for the attribute that puts a function into the list of initializers; see `INITIALIZER`.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::{Errno, FdFlags, fcntl_getfd, fcntl_setfd};

static STDOUT_WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Entry in the system's list of initializers, which the C library calls before `main`, and so
/// before std's runtime starts.
// SAFETY: the section holds pointers to functions of the C ABI, and this is one. It is called once,
// while there is only one thread. It needs nothing of std that the runtime sets up: it makes one
// system call and stores one atomic flag; it does not allocate or lock, and cannot panic. The C
// library passes arguments (argc, argv, envp) that a C function without parameters ignores.
#[used]
#[cfg_attr(
    target_vendor = "apple",
    unsafe(link_section = "__DATA,__mod_init_func")
)]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static INITIALIZER: extern "C" fn() = look;

extern "C" fn look() {
    let is_closed = fcntl_getfd(rustix::stdio::stdout()) == Err(Errno::BADF);
    STDOUT_WAS_CLOSED.store(is_closed, Ordering::Relaxed);
}

/// Reports whether stdout was closed when the process started.
pub fn stdout_was_closed() -> bool {
    STDOUT_WAS_CLOSED.load(Ordering::Relaxed)
}

/// Makes a program that replaces this one (execve(2)) start without stdout as well, if it was
/// closed.
pub fn keep_closed() {
    if stdout_was_closed() {
        // Closes std's /dev/null on exec. If that fails, there is no descriptor at all.
        let _ = fcntl_setfd(rustix::stdio::stdout(), FdFlags::CLOEXEC);
    }
}
