//! Sessions for callers in another process, of whatever language: what the program `hotcell serve` is made of.
//!
//! The client speaks to workers itself, in shared memory. Here is everything that is not a call: files of libraries, workers and their
//! ends, spares, the breaker, restrictions. How both speak with each other is in `docs/internals/clients.md`.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use hotcell_protocol::{ErrorKind, Executed};
use hotcell_shm::lock::Mutex;

mod attended;
mod bounded;
mod client;
mod first;
mod known;
mod listen;
mod message;
pub mod options;
mod orders;
mod socket;

use first::First;
use known::Known;
pub use listen::Listener;

use crate::error::{Cause, Error, Inner, Tried};

/// Version of what a client and its server say to each other. 2: a channel has a bell for each lane, calls are stopped (`cancel`,
/// and `stopping` of an end), and a worker's stack is told (`frames`).
pub const VERSION: u64 = 2;

/// What clients have in common.
#[derive(Default)]
pub struct Server {
    known: Arc<Known>,
    clients: Mutex<Clients>,
}

#[derive(Default)]
struct Clients {
    is_over: bool,
    all: Vec<Weak<First>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Server {
    /// A server that attends nobody yet.
    pub fn new() -> Arc<Server> {
        Arc::default()
    }

    /// Attends a client by its first socket. Comes back when that has ended, and no worker of its sessions is left.
    ///
    /// # Errors
    ///
    /// It is no socket of packets, or another user's.
    pub fn attend(&self, socket: OwnedFd) -> io::Result<()> {
        let first = First::of(socket, &self.known)
            .map_err(|trouble| io::Error::new(io::ErrorKind::InvalidInput, trouble.to_string()))?;
        let first = Arc::new(first);
        let mut clients = self.clients.lock();
        if clients.is_over {
            return Ok(());
        }
        clients.all.retain(|client| client.strong_count() > 0);
        clients.all.push(Arc::downgrade(&first));
        drop(clients);
        first.run();
        Ok(())
    }

    /// Has all clients' sessions end in order, and attends nobody any more.
    pub fn end(&self) {
        let mut clients = self.clients.lock();
        clients.is_over = true;
        clients.all.iter().filter_map(Weak::upgrade).for_each(|first| first.end());
    }
}

/// An error of what is no session's yet.
fn refusal(kind: ErrorKind, cause: Cause, library: &str, message: String) -> Error {
    Error::new(Inner {
        kind,
        library: library.to_owned(),
        function: String::new(),
        call_id: 0,
        generation: 0,
        time: SystemTime::now(),
        call_site: None,
        executed: Executed::No,
        cause,
        message,
        output: String::new(),
        outputs: Vec::new(),
        refused: None,
        shortage: None,
        tried: Tried::default(),
        stack: None,
    })
}
