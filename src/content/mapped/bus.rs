//! The bus guard: a page of a mapped window that goes away fails its file, and neither its
//! neighbours nor the process.
//!
//! Where a file is cut off or its device fails while it is mapped, the kernel answers a look at the
//! missing page with SIGBUS. The handler here puts zeros in the place of the window that was being
//! looked at, marks that window as damaged and returns, so that whoever hashes it comes to its end.
//! Fail closed: zeros were never in the file, so that the digest of a damaged window would be
//! forged; whoever is done with a window asks whether it is damaged before the digest is used.
#![allow(unsafe_code)]

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, compiler_fence};

use libc::{c_int, c_void, siginfo_t};

/// Windows that can be guarded at one time: two for each of eight lanes in each of 128 threads.
/// Without a guard there is no map.
pub(in crate::content) const MOST: usize = 2048;
/// The unit in which extents are counted; no system has smaller pages.
const UNIT: usize = 4096;
/// Bits for the length of a window in units: less than 16 MiB, twice the largest window. The others
/// are for its first unit.
const LENGTH_BITS: u32 = 12;

static SLOTS: [Slot; MOST] = [const { Slot::free() }; MOST];
/// What SIGBUS did before; set when the handler is installed.
static PREVIOUS: OnceLock<Result<libc::sigaction, i32>> = OnceLock::new();

/// The place of a guarded window. Its extent is one number, so that the handler never sees half of
/// a change.
#[derive(Debug)]
struct Slot {
    /// The first unit of the window, and its length in units in the lower bits; zero where the
    /// slot is free.
    extent: AtomicU64,
    damaged: AtomicBool,
}

/// A window under guard, until this is dropped; which must be before the window is unmapped.
#[derive(Debug)]
pub(super) struct Guard(&'static Slot);

impl Guard {
    /// Guards the mapped bytes; installs the handler, the first time.
    ///
    /// # Errors
    /// Where the system takes no handler, or too many windows are guarded.
    pub(super) fn over(bytes: &[u8]) -> io::Result<Guard> {
        if let Err(code) = PREVIOUS.get_or_init(install) {
            return Err(io::Error::from_raw_os_error(*code));
        }
        let extent = extent(bytes.as_ptr().addr(), bytes.len());
        let extent = extent.ok_or(io::ErrorKind::InvalidInput)?;
        let claim = |slot: &&Slot| {
            let free = slot.extent.load(Ordering::Relaxed) == 0;
            free && slot.claim(extent)
        };
        SLOTS
            .iter()
            .find(claim)
            .map(Guard)
            .ok_or_else(|| io::Error::other("too many files are mapped at one time"))
    }

    /// Whether a page of the window went away while it was looked at. What was seen there since is
    /// not the file's.
    pub(super) fn is_damaged(&self) -> bool {
        // To the compiler, looking at the window has nothing to do with this mark: without a fence
        // it may look at the mark first.
        compiler_fence(Ordering::SeqCst);
        self.0.damaged.load(Ordering::Relaxed)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.damaged.store(false, Ordering::Relaxed);
        self.0.extent.store(0, Ordering::Release);
    }
}

/// The units that the bytes lie in, as a slot keeps them.
fn extent(address: usize, length: usize) -> Option<u64> {
    let first = address / UNIT;
    let units = (address + length).div_ceil(UNIT) - first;
    let fits = (1..1 << LENGTH_BITS).contains(&units) && first as u64 >> (64 - LENGTH_BITS) == 0;
    fits.then_some((first as u64) << LENGTH_BITS | units as u64)
}

impl Slot {
    const fn free() -> Slot {
        Slot {
            extent: AtomicU64::new(0),
            damaged: AtomicBool::new(false),
        }
    }

    fn claim(&self, extent: u64) -> bool {
        let claimed = self
            .extent
            .compare_exchange(0, extent, Ordering::Acquire, Ordering::Relaxed);
        claimed.is_ok()
    }

    /// The address and the length in bytes.
    fn window(&self) -> (usize, usize) {
        let extent = self.extent.load(Ordering::Relaxed);
        let (first, units) = (extent >> LENGTH_BITS, extent & ((1 << LENGTH_BITS) - 1));
        (first as usize * UNIT, units as usize * UNIT)
    }

    /// Called by the handler: marks the window as damaged and puts zeros in its place, if the
    /// address is in it.
    fn take_in(&self, address: usize) -> bool {
        let (start, length) = self.window();
        if !(start..start + length).contains(&address) {
            return false;
        }
        self.damaged.store(true, Ordering::Relaxed);
        let start = ptr::with_exposed_provenance_mut::<c_void>(start);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        // SAFETY: The slot is not free, so that the whole range is one read-only map of a file: a
        // guard is made over such a map and dropped before it, by a thread that nobody
        // hands the window to any more; and whoever looks at it is here, in the handler. What
        // is replaced is memory that others can change at any time anyhow; see `map`. mmap(2) is
        // one system call, and safe in a handler.
        let zeros = unsafe { libc::mmap(start, length, libc::PROT_READ, flags, -1, 0) };
        zeros != libc::MAP_FAILED
    }
}

fn install() -> Result<libc::sigaction, i32> {
    // Fail closed: where the signal is blocked the kernel asks no handler and ends the process.
    // Then there are no maps.
    if is_blocked() {
        return Err(libc::EPERM);
    }
    let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = on_bus_error;
    let mut previous = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: The structure is plain data, for which zeros are valid. The handler is one as
    // SA_SIGINFO wants it, runs on the alternate stack where there is one, and does only what
    // is allowed in a handler. `previous` is read only when it was written.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigemptyset(&mut action.sa_mask);
        match libc::sigaction(libc::SIGBUS, &action, previous.as_mut_ptr()) {
            0 => Ok(previous.assume_init()),
            _ => Err(io::Error::last_os_error()
                .raw_os_error()
                .unwrap_or(libc::EINVAL)),
        }
    }
}

/// Whether SIGBUS is blocked, in this thread and so in all, as whoever started the process may have
/// left it.
fn is_blocked() -> bool {
    let mut mask = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: With no new mask the call only writes the present one, which is read only when it was
    // written.
    unsafe {
        let told = libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), mask.as_mut_ptr());
        told != 0 || libc::sigismember(mask.as_ptr(), libc::SIGBUS) != 0
    }
}

/// Does only what is safe in a handler: looks at atomic numbers, and calls the system.
extern "C" fn on_bus_error(signal: c_int, info: *mut siginfo_t, _context: *mut c_void) {
    // SAFETY: The kernel hands over a valid structure; of a fault it has the address.
    let (cause, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    // What another process sends has a cause of zero or less (sigaction(2)), and no address.
    let is_fault = cause > 0;
    if is_fault && SLOTS.iter().any(|slot| slot.take_in(address)) {
        return;
    }
    // Not ours. A fault comes again by itself, and then to whoever had the signal before. What was
    // sent does not come again: it ends the process here, as it would have without us. (std,
    // which has the signal first, would take it for the last one and swallow it.)
    let Some(Ok(previous)) = PREVIOUS.get() else {
        // It is the first one and came before its installation was noted; there is no window yet.
        // Leave nothing to chance. SAFETY: abort(3) is safe in a handler.
        unsafe { libc::abort() }
    };
    // SAFETY: `previous` is what the system had before; all calls are safe in a handler.
    unsafe {
        if is_fault {
            libc::sigaction(signal, previous, ptr::null_mut());
        } else {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use memmap2::Mmap;
    use std::fs::File;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    const PAGES: usize = 16;

    fn file() -> File {
        let file = tempfile::tempfile().unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, &[7; PAGES * UNIT], 0).unwrap();
        file
    }

    fn map(file: &File) -> Mmap {
        // SAFETY: The tests change the file on purpose; that is what is tested.
        unsafe { Mmap::map(file) }.unwrap()
    }

    #[test]
    fn a_window_that_is_cut_off_is_damaged_and_reads_as_zeros_and_its_neighbour_is_whole() {
        let (cut, whole) = (file(), file());
        let (cut_map, whole_map) = (map(&cut), map(&whole));
        let cut_guard = Guard::over(&cut_map).unwrap();
        let whole_guard = Guard::over(&whole_map).unwrap();
        cut.set_len(UNIT as u64).unwrap();
        assert_eq!(cut_map[PAGES * UNIT - 1], 0);
        assert!(cut_guard.is_damaged());
        assert!(whole_map.iter().all(|byte| *byte == 7));
        assert!(!whole_guard.is_damaged());
    }

    #[test]
    fn a_slot_is_whole_again_for_the_next_window() {
        for _ in 0..3 {
            let file = file();
            let map = map(&file);
            let guard = Guard::over(&map).unwrap();
            assert!(!guard.is_damaged());
            file.set_len(0).unwrap();
            assert_eq!(map[5 * UNIT], 0);
            assert!(guard.is_damaged());
        }
    }

    #[test]
    fn an_extent_is_one_number_that_leads_back_to_it() {
        let slot = Slot::free();
        for (address, length, window) in [
            (0x7fff_1234_5000, 8 << 20, (0x7fff_1234_5000, 8 << 20)),
            (0x7fff_1234_5010, 1, (0x7fff_1234_5000, UNIT)),
            (0x7fff_1234_5fff, 2, (0x7fff_1234_5000, 2 * UNIT)),
            (
                0x01ff_ffff_ffff_f000,
                UNIT - 1,
                (0x01ff_ffff_ffff_f000, UNIT),
            ),
        ] {
            slot.extent
                .store(extent(address, length).unwrap(), Ordering::Relaxed);
            assert_eq!(slot.window(), window);
        }
        assert_eq!(extent(0x5000, 0), None);
        assert_eq!(extent(0x5000, 16 << 20), None);
    }

    #[test]
    fn a_fault_that_is_not_in_a_window_still_kills() {
        let name = "content::mapped::bus::tests::dies_of_a_map_without_a_guard";
        let test = std::env::current_exe().unwrap();
        let status = Command::new(test)
            .args(["--exact", name, "--ignored", "--nocapture"])
            .env("DIE", "")
            .output()
            .unwrap()
            .status;
        assert_eq!(status.signal(), Some(libc::SIGBUS));
    }

    #[test]
    #[ignore = "dies, as a process that another test starts"]
    fn dies_of_a_map_without_a_guard() {
        if std::env::var_os("DIE").is_none() {
            return;
        }
        let (guarded, other) = (file(), file());
        let (map_with, map_without) = (map(&guarded), map(&other));
        let _guard = Guard::over(&map_with).unwrap();
        other.set_len(0).unwrap();
        std::hint::black_box(map_without[3 * UNIT]);
    }
}
