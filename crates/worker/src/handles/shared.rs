//! The handle table as the serving threads have it: one, or several that take turns.

use std::cell::{Cell, UnsafeCell};
use std::sync::{Mutex, PoisonError};

use super::Handles;
use super::uses::Before;

/// The one table of a worker.
pub(crate) struct SharedHandles {
    table: UnsafeCell<Handles>,
    /// Where several threads use it. One alone needs no lock.
    lock: Option<Mutex<()>>,
}

/// The table as one serving thread has it.
pub(crate) struct ThreadHandles {
    shared: &'static SharedHandles,
    /// Which thread it is, from 0.
    own: usize,
    /// Whether the outermost call has used the table.
    used: Cell<bool>,
}

// SAFETY: the table is used through `ThreadHandles::with` only, which takes the lock where there may be several of
// these. Where there is no lock, only one is ever made (`SharedHandles::of_thread`), and that one is no two threads' at a
// time, for it is not Sync.
unsafe impl Sync for SharedHandles {}

impl SharedHandles {
    /// The table of so many handles at most, for so many serving threads; for the life of the process.
    pub(crate) fn new(threads: usize, most: u32) -> &'static SharedHandles {
        let lock = (threads > 1).then(|| Mutex::new(()));
        let table = Handles { limit: most as usize, ..Handles::new(threads) };
        Box::leak(Box::new(SharedHandles { table: UnsafeCell::new(table), lock }))
    }

    /// The table for this thread, by its number.
    ///
    /// # Safety
    ///
    /// Each number may be used once, and must be less than the number of threads that the table was made for.
    pub(crate) unsafe fn of_thread(&'static self, own: usize) -> ThreadHandles {
        ThreadHandles { shared: self, own, used: Cell::new(false) }
    }
}

impl ThreadHandles {
    /// Uses the table, for a moment: nothing in here calls the library.
    #[inline]
    pub(crate) fn with<T>(&self, use_it: impl FnOnce(&mut Handles) -> T) -> T {
        let _turn = self.shared.lock.as_ref().map(|lock| lock.lock().unwrap_or_else(PoisonError::into_inner));
        self.used.set(true);
        // SAFETY: this thread has the lock, or is the only one; and `use_it` cannot come here again, for it is given
        // nothing but the table.
        let table = unsafe { &mut *self.shared.table.get() };
        table.turn_to(self.own);
        use_it(table)
    }

    /// A call begins at this depth; what [`ThreadHandles::leave`] wants of it.
    #[inline]
    pub(crate) fn enter(&self, depth: u8) -> Option<Before> {
        (depth > 0).then(|| self.with(Handles::enter))
    }

    /// The call has ended.
    #[inline]
    pub(crate) fn leave(&self, before: Option<Before>) {
        match before {
            Some(before) => self.with(|handles| handles.leave(before)),
            // Nothing was passed to an outermost call that has not used the table.
            None if self.used.get() => {
                self.with(|handles| handles.leave(Before::default()));
                self.used.set(false);
            }
            None => {}
        }
    }

    /// An entry of a batch has ended, which is the call: another may begin.
    #[inline]
    pub(crate) fn end_entry(&self) {
        if self.used.get() {
            self.with(Handles::end_entry);
        }
    }
}
