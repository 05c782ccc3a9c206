//! Loads windows in dedicated threads, ahead of the hashing. One thread maps those of a file that
//! has a core to itself while another core is idle: page faults take 8 percent of a run; copying,
//! if files are read instead, 20. Several, by turns, keep a device busy that is read directly; they
//! only wait.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::ReadError;
use super::loader::{Extent, Loader, Window};

/// Stack size of a thread, which does little besides system calls.
const STACK: usize = 256 * 1024;

/// A window to load, and one to release.
type Request = (Extent, Window);

/// The threads that load the windows of one file, each in its turn. They end when this is dropped.
#[derive(Debug)]
pub(super) struct Prefetcher {
    /// Those without a request, in the order of their turns.
    idle: VecDeque<Reader>,
    /// Those that were asked for a window that was not received yet, in the order of the windows.
    asked: VecDeque<(Extent, Reader)>,
}

/// A thread that loads windows.
#[derive(Debug)]
struct Reader {
    requests: SyncSender<Request>,
    windows: Receiver<(Extent, Result<Window, ReadError>)>,
}

impl Prefetcher {
    /// Starts `readers` threads, or as many as the system allows.
    ///
    /// # Errors
    /// Returns the loader if the system cannot start a single thread.
    pub(super) fn start(loader: Loader, readers: usize) -> Result<Prefetcher, Loader> {
        let mut idle = VecDeque::from([Reader::start(loader.clone())?]);
        while idle.len() < readers
            && let Ok(reader) = Reader::start(loader.clone())
        {
            idle.push_back(reader);
        }
        Ok(Prefetcher {
            idle,
            asked: VecDeque::new(),
        })
    }

    /// Returns the window at `extent`, and requests as many of those that follow as there are
    /// threads, unless the window is shorter than requested, so that another extent follows.
    /// `following` is the extent after another; it is empty at the end.
    pub(super) fn next(
        &mut self,
        extent: Extent,
        following: impl Fn(Extent) -> Extent,
        used: Window,
    ) -> Result<Window, ReadError> {
        let mut used = Some(used);
        if self.asked.is_empty() {
            self.ask(extent, used.take())?;
        }
        // Before waiting, so that each of the threads has work.
        self.ask_idle(extent, &following, &mut used)?;
        let (asked, reader) = self.asked.pop_front().ok_or_else(vanished)?;
        // Fail closed: a thread that has died loaded nothing, and a window other than the requested
        // one is rejected.
        let window = match reader.windows.recv() {
            Ok((received, window)) if received == extent && asked == extent => window?,
            Ok(_) | Err(_) => return Err(vanished()),
        };
        self.idle.push_back(reader);
        if window.bytes().len() == extent.length {
            self.ask_idle(extent, &following, &mut used)?;
        }
        Ok(window)
    }

    /// Requests the windows that follow the last one that was requested, or else `extent`, while
    /// there are idle threads and extents.
    fn ask_idle(
        &mut self,
        extent: Extent,
        following: impl Fn(Extent) -> Extent,
        used: &mut Option<Window>,
    ) -> Result<(), ReadError> {
        while !self.idle.is_empty() {
            let last = self.asked.back().map_or(extent, |(last, _)| *last);
            let extent = following(last);
            if extent.length == 0 {
                break;
            }
            self.ask(extent, used.take())?;
        }
        Ok(())
    }

    fn ask(&mut self, extent: Extent, used: Option<Window>) -> Result<(), ReadError> {
        let reader = self.idle.pop_front().ok_or_else(vanished)?;
        let request = (extent, used.unwrap_or_default());
        reader.requests.send(request).map_err(|_| vanished())?;
        self.asked.push_back((extent, reader));
        Ok(())
    }
}

impl Reader {
    fn start(loader: Loader) -> Result<Reader, Loader> {
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
        Ok(Reader { requests, windows })
    }
}

fn vanished() -> ReadError {
    io::Error::other("the thread that reads the file ended").into()
}
