//! A session whose callers are in another process: the client. It speaks to the worker itself, in shared memory that it maps, and has here
//! who brings workers up, ends them, replaces them, and tells of their ends.
//!
//! A worker that the client was told of it *has*, until it has said that it lets go, or was told of the end. So is known what calls may
//! be under way on, as elsewhere by seats.

use std::collections::BTreeMap;
#[cfg(feature = "serve")]
use std::collections::VecDeque;
use std::sync::Arc;

use hotcell_shm::lock::Mutex;
use hotcell_supervisor::Client;
#[cfg(feature = "serve")]
use hotcell_supervisor::StackLeft;

use super::Session;
use super::service::Serving;

#[cfg(feature = "serve")]
mod orders;

#[cfg(feature = "serve")]
pub(crate) use orders::{EndOfWorker, Why};

/// What a client is told besides of what serves it. Waits for nothing.
pub(crate) trait Hears: Client {
    /// This worker serves nobody new.
    fn retired(&self, generation: u64);

    /// This worker is worn: it goes when the client has no object of it.
    fn worn(&self, generation: u64);
}

/// The client of a session.
#[derive(Debug)]
pub(crate) struct Served {
    pid: u32,
    hears: Arc<dyn Hears>,
    has: Mutex<BTreeMap<u64, Had>>,
    /// What the last workers left of the stacks on which they ended, the oldest first.
    #[cfg(feature = "serve")]
    stacks: Mutex<VecDeque<(u64, StackLeft)>>,
}

/// A worker that the client has.
#[derive(Debug)]
struct Had {
    #[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "it is held"))]
    worker: Arc<Serving>,
    /// Why the client has had it ended.
    #[cfg(feature = "serve")]
    why: Option<Why>,
    knows_that_it_is_worn: bool,
    /// Whether the client lets go of it just now.
    is_left: bool,
}

impl Served {
    /// What workers of the session are to tell.
    pub(super) fn client(&self) -> Arc<dyn Client> {
        Arc::clone(&self.hears) as Arc<dyn Client>
    }

    /// The client's process, as the kernel says.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// This worker serves nobody new.
    pub(super) fn leaves(&self, generation: u64) {
        if self.has.lock().get(&generation).is_some_and(|had| !had.is_left) {
            self.hears.retired(generation);
        }
    }

    /// This worker is to go as soon as nobody holds anything of it.
    pub(super) fn worn(&self, generation: u64) {
        let mut has = self.has.lock();
        if let Some(had) = has.get_mut(&generation)
            && !had.is_left
            && !std::mem::replace(&mut had.knows_that_it_is_worn, true)
        {
            self.hears.worn(generation);
        }
    }
}

impl Session {
    /// Whether callers of another process have a call under way there, as far as anybody here knows.
    pub(super) fn is_served_now(&self, worker: &Serving) -> bool {
        self.shared.served.is_some() && worker.channel().in_flight() > 0
    }
}
