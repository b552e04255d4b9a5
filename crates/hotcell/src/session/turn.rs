//! Whose turn it is: the one thread that may use the session's worker.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::MutexGuard;

use super::{Facts, Seat, Session};

/// The right to use the worker, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'s> {
    /// There until the turn is given back.
    seat: Option<MutexGuard<'s, Seat>>,
    session: &'s Session,
    /// Whether it is given back to whoever waits; else it is one of those that send what is to be released.
    looks: bool,
}

impl<'s> Turn<'s> {
    /// Marks this thread as the one that has the turn.
    #[inline]
    pub(super) fn new(session: &'s Session, seat: MutexGuard<'s, Seat>, looks: bool) -> Turn<'s> {
        seat.facts.holder.store(this_thread(), Ordering::Relaxed);
        Turn { seat: Some(seat), session, looks }
    }
}

impl Deref for Turn<'_> {
    type Target = Seat;

    #[inline]
    fn deref(&self) -> &Seat {
        self.seat.as_ref().expect("the seat is held until the turn is dropped")
    }
}

impl DerefMut for Turn<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Seat {
        self.seat.as_mut().expect("the seat is held until the turn is dropped")
    }
}

impl Drop for Turn<'_> {
    /// Who left something to be released while this turn lasted may have gone: so look behind it.
    #[inline]
    fn drop(&mut self) {
        self.passed.clear();
        self.facts.holder.store(0, Ordering::Relaxed);
        self.seat = None;
        if self.looks && self.session.has_handles() {
            self.session.send_what_is_left();
        }
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
