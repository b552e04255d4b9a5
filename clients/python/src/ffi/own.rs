//! What only the thread may use that made it.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::thread::{self, ThreadId};

/// A value of one thread, in an object of Python, which any thread may have.
pub(crate) struct OfThread<T> {
    thread: ThreadId,
    value: ManuallyDrop<RefCell<T>>,
}

// SAFETY: the value is used and dropped on the thread that made it alone, of which no other one ever has the number: `with` and `drop`
// compare them first.
unsafe impl<T> Send for OfThread<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for OfThread<T> {}

impl<T> OfThread<T> {
    pub(crate) fn new(value: T) -> OfThread<T> {
        OfThread { thread: thread::current().id(), value: ManuallyDrop::new(RefCell::new(value)) }
    }

    /// Does something with the value, or says why that cannot be.
    pub(crate) fn with<R>(&self, run: impl FnOnce(&mut T) -> R) -> Result<R, &'static str> {
        if thread::current().id() != self.thread {
            return Err("it belongs to the thread that made it: make another one here");
        }
        match self.value.try_borrow_mut() {
            Ok(mut value) => Ok(run(&mut value)),
            Err(_) => Err("it waits for a call, and this comes from a function which that calls"),
        }
    }
}

impl<T> Drop for OfThread<T> {
    fn drop(&mut self) {
        if thread::current().id() == self.thread {
            // SAFETY: it is dropped here, once, on its own thread.
            let value = unsafe { ManuallyDrop::take(&mut self.value) };
            super::let_go(value);
        }
        // What another thread lets go of stays as it is: nothing can be done with it here.
    }
}
