//! Loads windows in a dedicated thread, one ahead of the hashing: for a file that has a core to
//! itself while another core is idle. Page faults take 8 percent of a run; copying, if files are
//! read instead, 20.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::ReadError;
use super::loader::{Extent, Loader, Window};

/// Stack size of the thread, which does little besides system calls.
const STACK: usize = 256 * 1024;

/// A window to load, and one to release.
type Request = (Extent, Window);

/// The thread that loads the windows of one file. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Prefetcher {
    requests: SyncSender<Request>,
    windows: Receiver<(Extent, Result<Window, ReadError>)>,
    /// Whether a requested window has not been received yet.
    pending: bool,
}

impl Prefetcher {
    /// Starts the thread.
    ///
    /// # Errors
    /// Returns the loader if the system cannot start a thread.
    pub(super) fn start(loader: Loader) -> Result<Prefetcher, Loader> {
        let (requests, to_load) = sync_channel::<Request>(1);
        let (loaded, windows) = sync_channel(1);
        // Send the loader over a channel, so that it stays here if the thread does not start.
        let (hand, handed) = sync_channel::<Loader>(1);
        let bring_in = move || {
            let Ok(mut loader) = handed.recv() else {
                return;
            };
            for (extent, used) in to_load {
                // The file was abandoned; no receiver waits for the window.
                if loaded.send((extent, loader.load(extent, used))).is_err() {
                    return;
                }
            }
        };
        let builder = thread::Builder::new().name("read-ahead".to_owned());
        match builder.stack_size(STACK).spawn(bring_in) {
            Ok(_) => hand.send(loader).map_err(|unsent| unsent.0)?,
            Err(_) => return Err(loader),
        }
        Ok(Prefetcher {
            requests,
            windows,
            pending: false,
        })
    }

    /// Returns the window at `extent` and requests the one at `following`, unless the window is
    /// shorter than requested, so that another extent follows.
    pub(super) fn next(
        &mut self,
        extent: Extent,
        following: Extent,
        used: Window,
    ) -> Result<Window, ReadError> {
        let mut used = Some(used);
        if !self.pending {
            self.ask(extent, used.take().unwrap_or_default())?;
        }
        self.pending = false;
        // Fail closed: a thread that has died loaded nothing, and a window other than the requested
        // one is rejected.
        let window = match self.windows.recv() {
            Ok((received, window)) if received == extent => window?,
            Ok(_) | Err(_) => return Err(vanished()),
        };
        if following.length > 0 && window.bytes().len() == extent.length {
            self.ask(following, used.unwrap_or_default())?;
            self.pending = true;
        }
        Ok(window)
    }

    fn ask(&self, extent: Extent, used: Window) -> Result<(), ReadError> {
        self.requests.send((extent, used)).map_err(|_| vanished())
    }
}

fn vanished() -> ReadError {
    io::Error::other("the thread that reads the file ended").into()
}
