//! Windows brought in by a thread of their own, one ahead of the hashing: for a file that has a
//! core to itself beside a core with nothing to do. Faulting pages in takes 8 percent of a run, and
//! copying them, where they are read, 20.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::ReadError;
use super::loader::{Extent, Loader, Window};

/// Stack of such a thread, which calls little more than the system.
const STACK: usize = 256 * 1024;

/// A window to bring in, and one to let go.
type Request = (Extent, Window);

/// The thread that brings in the windows of one file. It ends with this.
#[derive(Debug)]
pub(super) struct Prefetcher {
    requests: SyncSender<Request>,
    windows: Receiver<(Extent, Result<Window, ReadError>)>,
    /// Whether a window was asked for that is not received yet.
    pending: bool,
}

impl Prefetcher {
    /// Starts the thread.
    ///
    /// # Errors
    /// Gives the loader back where the system has no thread to give.
    pub(super) fn start(loader: Loader) -> Result<Prefetcher, Loader> {
        let (requests, to_load) = sync_channel::<Request>(1);
        let (loaded, windows) = sync_channel(1);
        // The loader goes to the thread by a channel, so that it is still here where there is none.
        let (hand, handed) = sync_channel::<Loader>(1);
        let bring_in = move || {
            let Ok(mut loader) = handed.recv() else {
                return;
            };
            for (extent, used) in to_load {
                // Nobody waits for the window any more where the file was given up.
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

    /// The window at `extent`, after which the one at `following` is brought in; unless the window
    /// is shorter than it should be, so that something else follows.
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
        // Fail closed: a thread that vanished has brought in nothing, and another window than this
        // is none.
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
