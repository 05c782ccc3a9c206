//! The bus guard: if a page of a mapped window disappears, only its file fails, not the other files
//! or the process.
//!
//! If a file is truncated or its device fails while it is mapped, the kernel answers an access to
//! the missing page with SIGBUS. The handler replaces the accessed window with zeros, marks that
//! window as damaged and returns, so that the hashing thread can finish the window. Fail closed:
//! the zeros were never in the file, so the digest of a damaged window would be forged; every user
//! of a window checks it for damage before using the digest.
#![allow(unsafe_code)]

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, compiler_fence};

use libc::{c_int, c_void, siginfo_t};

/// Maximum number of windows guarded at one time: two for each of eight lanes in each of 128
/// threads. Without a guard there is no map.
pub(in crate::content) const MOST: usize = 2048;
/// Unit of extents in bytes; no system has smaller pages.
const UNIT: usize = 4096;
/// Bits for the length of a window in units: less than 16 MiB, twice the largest window. The other
/// bits hold its first unit.
const LENGTH_BITS: u32 = 12;

static SLOTS: [Slot; MOST] = [const { Slot::free() }; MOST];
/// The previous disposition of SIGBUS; set when the handler is installed.
static PREVIOUS: OnceLock<Result<libc::sigaction, i32>> = OnceLock::new();

/// The slot of a guarded window. Its extent is a single number, so that the handler never sees a
/// half-written change.
#[derive(Debug)]
struct Slot {
    /// The first unit of the window, with its length in units in the lower bits; zero if the slot
    /// is free.
    extent: AtomicU64,
    damaged: AtomicBool,
}

/// Guards a window until dropped; must be dropped before the window is unmapped.
#[derive(Debug)]
pub(super) struct Guard(&'static Slot);

impl Guard {
    /// Guards the mapped bytes; the first call installs the handler.
    ///
    /// # Errors
    /// If the system rejects the handler, or too many windows are guarded.
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

    /// Reports whether a page of the window disappeared during use. Bytes read since then are not
    /// the file's.
    pub(super) fn is_damaged(&self) -> bool {
        // The compiler sees no connection between accesses to the window and this mark: without a
        // fence, it may load the mark first.
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

/// Encodes the units that contain the bytes, in the format of a slot.
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

    /// Returns the address and the length in bytes.
    fn window(&self) -> (usize, usize) {
        let extent = self.extent.load(Ordering::Relaxed);
        let (first, units) = (extent >> LENGTH_BITS, extent & ((1 << LENGTH_BITS) - 1));
        (first as usize * UNIT, units as usize * UNIT)
    }

    /// Marks the window as damaged and replaces it with zeros, if it contains the address. Called
    /// by the handler.
    fn take_in(&self, address: usize) -> bool {
        let (start, length) = self.window();
        if !(start..start + length).contains(&address) {
            return false;
        }
        self.damaged.store(true, Ordering::Relaxed);
        let start = ptr::with_exposed_provenance_mut::<c_void>(start);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        // SAFETY: The slot is not free, so the whole range is one read-only map of a file: a guard
        // is created over such a map and dropped before it, once no thread uses the window any
        // more; and the thread that accessed the window is here, in the handler. The replaced
        // memory is memory that other processes can change at any time in any case; see `map`.
        // mmap(2) is a single system call, and safe in a handler.
        let zeros = unsafe { libc::mmap(start, length, libc::PROT_READ, flags, -1, 0) };
        zeros != libc::MAP_FAILED
    }
}

fn install() -> Result<libc::sigaction, i32> {
    // Fail closed: if the signal is blocked, the kernel ends the process without calling a handler.
    // Do not map then.
    if is_blocked() {
        return Err(libc::EPERM);
    }
    let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = on_bus_error;
    let mut previous = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: The structure is plain data, for which zeros are valid. The handler has the signature
    // that SA_SIGINFO requires, runs on the alternate stack if there is one, and does only what is
    // allowed in a handler. `previous` is read only if it was written.
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

/// Reports whether SIGBUS is blocked in this thread, and so in all, as inherited from the parent
/// process.
fn is_blocked() -> bool {
    let mut mask = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: Without a new mask the call only writes the current one, which is read only if it was
    // written.
    unsafe {
        let status = libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), mask.as_mut_ptr());
        status != 0 || libc::sigismember(mask.as_ptr(), libc::SIGBUS) != 0
    }
}

/// Does only what is safe in a handler: accesses atomics and makes system calls.
extern "C" fn on_bus_error(signal: c_int, info: *mut siginfo_t, _context: *mut c_void) {
    // SAFETY: The kernel passes a valid structure, which for a fault contains the address.
    let (cause, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    // A signal sent by a process has a code of zero or less (sigaction(2)), and no address.
    let is_fault = cause > 0;
    if is_fault && SLOTS.iter().any(|slot| slot.take_in(address)) {
        return;
    }
    // Not ours. A fault recurs by itself, and then reaches the previous handler. A sent signal does
    // not recur: it ends the process here, as it would have without us. (std, whose handler was
    // there first, would take it for the last one and swallow it.)
    let Some(Ok(previous)) = PREVIOUS.get() else {
        // The first signal arrived before the installation was recorded; there is no window yet.
        // Abort to be sure. SAFETY: abort(3) is safe in a handler.
        unsafe { libc::abort() }
    };
    // SAFETY: `previous` is the system's previous disposition; all calls are safe in a handler.
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
        // SAFETY: The tests change the file on purpose; that is the subject of the test.
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
