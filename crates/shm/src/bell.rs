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
//! The two fences order "park, then look" against "publish, then look at park": at least one side sees the
//! other, so no wake-up is lost. A publisher that finds the waiter awake makes no system call.

use std::sync::atomic::{AtomicU32, Ordering, fence};

use hotcell_protocol::wire::Park;
use rustix::thread::futex;

use crate::clock;

/// Sleeps until the bell changes, the time (monotonic nanoseconds) has come, or for no reason at all. `message` looks for what is
/// awaited; the caller checks again after every return.
pub(crate) fn park(park: &AtomicU32, bell: &AtomicU32, until: Option<u64>, message: impl Fn() -> bool) {
    let before = bell.load(Ordering::Acquire);
    park.store(Park::Futex.raw(), Ordering::Relaxed);
    // Partner: the fence in `ring`.
    fence(Ordering::SeqCst);
    if !message() {
        let timeout = until.map(|at| clock::timespec(at.saturating_sub(clock::now())));
        // Woken, timed out, interrupted or changed meanwhile: all the same, for the caller looks again.
        let _ = futex::wait(bell, futex::Flags::empty(), before, timeout.as_ref());
    }
    park.store(Park::Awake.raw(), Ordering::Relaxed);
}

/// Wakes the other side if it sleeps. Call it after the commit word was stored.
#[inline]
pub(crate) fn ring(park: &AtomicU32, bell: &AtomicU32) {
    // Partner: the fence in `park`.
    fence(Ordering::SeqCst);
    if park.load(Ordering::Relaxed) != Park::Awake.raw() {
        wake(bell);
    }
}

/// Changes the bell and wakes whoever waits on it.
pub(crate) fn wake(bell: &AtomicU32) {
    bell.fetch_add(1, Ordering::Release);
    let _ = futex::wake(bell, futex::Flags::empty(), u32::MAX >> 1);
}
