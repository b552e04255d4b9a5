//! Whose turn it is: the one thread that may use the session's worker.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::MutexGuard;

use super::{Facts, Seat};

/// The right to use the worker, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'s>(MutexGuard<'s, Seat>);

impl<'s> Turn<'s> {
    /// Marks this thread as the one that has the turn.
    #[inline]
    pub(super) fn new(seat: MutexGuard<'s, Seat>) -> Turn<'s> {
        seat.facts.holder.store(this_thread(), Ordering::Relaxed);
        Turn(seat)
    }
}

impl Deref for Turn<'_> {
    type Target = Seat;

    #[inline]
    fn deref(&self) -> &Seat {
        &self.0
    }
}

impl DerefMut for Turn<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Seat {
        &mut self.0
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.facts.holder.store(0, Ordering::Relaxed);
    }
}

impl Facts {
    /// Whether this thread has the turn. A thread alone sets and clears its own mark, so what is read here is true
    /// of this one.
    pub(super) fn held_here(&self) -> bool {
        self.holder.load(Ordering::Relaxed) == this_thread()
    }
}

/// A number for this thread that no other thread of the process ever has.
#[inline]
fn this_thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static OWN: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    OWN.with(|own| *own)
}
