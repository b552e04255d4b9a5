//! Parking and waking: how a side sleeps until the other has published something.
//!
//! Each side owns one *park word* (it alone writes it) and waits on one *bell word* (the other side alone
//! changes it). The bell lies in the other side's segment, the park word in one's own, so each line keeps
//! its one writer.
//!
//! | step | waiter | publisher |
//! |---|---|---|
//! | 1 | reads the bell | writes the message, commit word last (release) |
//! | 2 | park := Futex, fence | fence |
//! | 3 | checks for the message again | reads park |
//! | 4 | sleeps while the bell has the value of step 1 | if parked: changes the bell, wakes |
//!
//! A waiter that must not hold a thread sleeps on an eventfd instead: it says `Eventfd` in step 2, and the publisher writes
//! there in step 4. Nobody compares the bell for it, but what is written to the descriptor stays there until it is heard.
//!
//! The two fences order "park, then look" against "publish, then look at park": at least one side sees the
//! other, so no wake-up is lost. A publisher that finds the waiter awake makes no system call.

use std::sync::atomic::{AtomicU32, Ordering, fence};

use hotcell_protocol::wire::Park;
use rustix::thread::futex;

use crate::clock;

#[cfg(all(test, loom))]
mod model;

/// A word that can be waited on: an atomic in shared memory, or one of a model.
pub(crate) trait Word {
    fn load(&self, order: Ordering) -> u32;
    fn store(&self, value: u32, order: Ordering);
    /// Adds one.
    fn change(&self, order: Ordering);
    /// Sleeps while the word has this value, until woken or until the time has come; may return for no
    /// reason at all.
    fn wait(&self, value: u32, until: Option<u64>);
    /// Wakes everybody who waits.
    fn wake(&self);
    /// A fence that all sides agree on the order of.
    fn fence();
}

/// Sleeps until the bell changes, the time (monotonic nanoseconds) has come, or for no reason at all.
/// `message` looks for what is awaited; the caller checks again after every return.
pub(crate) fn park<W: Word>(park: &W, bell: &W, until: Option<u64>, message: impl FnOnce() -> bool) {
    let before = bell.load(Ordering::Acquire);
    park.store(Park::Futex.raw(), Ordering::Relaxed);
    // Partner: the fence in `ring` and in `ring_or_write`.
    W::fence();
    if !message() {
        bell.wait(before, until);
    }
    rise(park);
}

/// Wakes the other side if it sleeps; whether it did. Call it after the commit word was stored.
#[inline]
pub(crate) fn ring<W: Word>(park: &W, bell: &W) -> bool {
    // Partner: the fence in `park`.
    W::fence();
    let asleep = park.load(Ordering::Relaxed) != Park::Awake.raw();
    if asleep {
        wake(bell);
    }
    asleep
}

/// As [`ring`], behind a message that the other side has not answered, as far as `answered` tells: while it has not, it looks
/// for this one before it sleeps, and whoever sent that one has woken it.
#[inline]
pub(crate) fn ring_behind<W: Word>(park: &W, bell: &W, answered: impl FnOnce() -> bool) -> bool {
    // Partner: the fence in `park`. Who has seen no answer behind it is seen by who answers, and parks behind that.
    W::fence();
    let asleep = park.load(Ordering::Relaxed) != Park::Awake.raw() && answered();
    if asleep {
        wake(bell);
    }
    asleep
}

/// Says that the waiter sleeps on its eventfd, unless what it awaits is there: whether it may. What was written to the
/// eventfd before this, it must have heard.
pub(crate) fn doze<W: Word>(park: &W, message: impl FnOnce() -> bool) -> bool {
    park.store(Park::Eventfd.raw(), Ordering::Relaxed);
    // Partner: the fence in `ring_or_write`.
    W::fence();
    let asleep = !message();
    if !asleep {
        rise(park);
    }
    asleep
}

/// Says that the waiter looks again.
pub(crate) fn rise<W: Word>(park: &W) {
    park.store(Park::Awake.raw(), Ordering::Relaxed);
}

/// As [`ring`], for a waiter that may also sleep on an eventfd: `write` writes there.
#[inline]
pub(crate) fn ring_or_write<W: Word>(park: &W, bell: &W, write: impl FnOnce()) {
    // Partner: the fences in `park` and `doze`.
    W::fence();
    match park.load(Ordering::Relaxed) {
        park if park == Park::Awake.raw() => {}
        park if park == Park::Eventfd.raw() => {
            bell.change(Ordering::Release);
            write();
        }
        _ => wake(bell),
    }
}

/// Changes the bell and wakes whoever waits on it.
pub(crate) fn wake<W: Word>(bell: &W) {
    bell.change(Ordering::Release);
    bell.wake();
}

impl Word for AtomicU32 {
    #[inline]
    fn load(&self, order: Ordering) -> u32 {
        self.load(order)
    }

    #[inline]
    fn store(&self, value: u32, order: Ordering) {
        self.store(value, order);
    }

    fn change(&self, order: Ordering) {
        self.fetch_add(1, order);
    }

    fn wait(&self, value: u32, until: Option<u64>) {
        let timeout = until.map(|at| clock::timespec(at.saturating_sub(clock::now())));
        // Woken, timed out, interrupted or changed meanwhile: all the same to the caller.
        let _ = futex::wait(self, futex::Flags::empty(), value, timeout.as_ref());
    }

    fn wake(&self) {
        let _ = futex::wake(self, futex::Flags::empty(), u32::MAX >> 1);
    }

    #[inline]
    fn fence() {
        fence(Ordering::SeqCst);
    }
}
