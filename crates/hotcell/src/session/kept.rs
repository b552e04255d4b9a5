//! Callbacks that the library keeps: from the call that passes one until the object goes that it was registered with.
//!
//! The library may call them in any later call of the session; they run on the thread that waits for that call.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use hotcell_protocol::{RawHandle, wire};
use parking_lot::Mutex;

use crate::rt::KeptCallback;

/// The kept callbacks of one session, by number.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// How many numbers were given out. None is given twice: a library may hold on to old ones.
    numbers: AtomicU32,
    list: Mutex<HashMap<i32, Entry>>,
}

/// A callback of the application, and how long it is kept.
pub(crate) struct Entry {
    /// Bytes of its argument block.
    pub(crate) args_size: u32,
    /// The worker whose library has it.
    pub(crate) generation: u64,
    /// The objects that it goes with, whichever goes first.
    pub(crate) until: [RawHandle; 2],
    /// There unless it runs.
    pub(crate) run: Option<Box<KeptCallback>>,
}

/// What is behind a number.
pub(crate) enum Found {
    /// A callback, with the bytes of its argument block, to be given back with [`Kept::ran`].
    Ready(Box<KeptCallback>, u32),
    /// One that runs already, further out on this thread.
    Running,
    /// Nothing any more: its object or its worker has gone.
    Gone,
}

impl Kept {
    /// A number for a callback; `None` when all were given out.
    pub(crate) fn number(&self) -> Option<i32> {
        let first = wire::KEPT_CALLBACKS;
        let count = self.numbers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
            (count <= i32::MAX as u32 - first).then_some(count + 1)
        });
        i32::try_from(first + count.ok()?).ok()
    }

    /// Keeps callbacks from now on.
    pub(crate) fn add(&self, callbacks: impl Iterator<Item = (i32, Entry)>) {
        self.list.lock().extend(callbacks);
    }

    /// The callback of a number, to be run.
    pub(crate) fn find(&self, number: i32, generation: u64) -> Found {
        let mut list = self.list.lock();
        match list.get_mut(&number).filter(|entry| entry.generation == generation) {
            None => Found::Gone,
            Some(entry) => match entry.run.take() {
                Some(run) => Found::Ready(run, entry.args_size),
                None => Found::Running,
            },
        }
    }

    /// Takes a callback back that has run. It comes out again when it went meanwhile.
    #[must_use]
    pub(crate) fn ran(&self, number: i32, run: Box<KeptCallback>) -> Option<Box<KeptCallback>> {
        match self.list.lock().get_mut(&number) {
            Some(entry) => entry.run.replace(run),
            None => Some(run),
        }
    }

    /// Takes out what goes with this object.
    pub(crate) fn end(&self, generation: u64, object: RawHandle) -> Vec<Box<KeptCallback>> {
        self.take_out(|entry| entry.generation == generation && entry.until.contains(&object))
    }

    /// Takes out everything: the worker has gone.
    pub(super) fn end_all(&self) -> Vec<Box<KeptCallback>> {
        self.take_out(|_| true)
    }

    /// What is taken out is dropped by the caller, later: it is the application's, and may do anything.
    fn take_out(&self, goes: impl Fn(&Entry) -> bool) -> Vec<Box<KeptCallback>> {
        let mut list = self.list.lock();
        if list.is_empty() {
            return Vec::new();
        }
        list.extract_if(|_, entry| goes(entry)).filter_map(|(_, entry)| entry.run).collect()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("args_size", &self.args_size).field("until", &self.until).finish()
    }
}
