//! Objects that nobody holds any more, until the library has released them.
//!
//! Dropping a handle must not wait for another call, so it leaves a note here. Whoever has the next turn sends the
//! notes first, in the order in which they were left: children are dropped before their parents.

use std::sync::atomic::{AtomicBool, Ordering};

use hotcell_protocol::RawHandle;
use parking_lot::Mutex;

/// The notes of one session.
#[derive(Debug, Default)]
pub(super) struct Releases {
    /// Whether there are any, for the price of a load.
    any: AtomicBool,
    waiting: Mutex<Vec<Note>>,
}

/// An object to be released.
#[derive(Debug, Clone, Copy)]
pub(super) struct Note {
    /// The worker that has it.
    pub(super) generation: u64,
    pub(super) handle: RawHandle,
}

impl Releases {
    pub(super) fn leave(&self, note: Note) {
        let mut waiting = self.waiting.lock();
        waiting.push(note);
        self.any.store(true, Ordering::Relaxed);
    }

    /// Whether there is something to send. A note left meanwhile is seen by the next turn.
    #[inline]
    pub(super) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Takes what is there.
    pub(super) fn take(&self) -> Vec<Note> {
        let mut waiting = self.waiting.lock();
        self.any.store(false, Ordering::Relaxed);
        std::mem::take(&mut *waiting)
    }
}
