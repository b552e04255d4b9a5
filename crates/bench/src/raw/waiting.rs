//! How a side of the raw limits tells the other, and waits for it.

use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::futex;

/// One of three ways; a type each, so that no trip has to ask which it is.
pub(super) trait Waiting {
    /// Returns when the word has this value.
    fn until(word: &AtomicU32, value: u32);

    /// Stores the value behind everything that was written before.
    fn publish(word: &AtomicU32, value: u32) {
        // Partner: the acquire in `until`.
        word.store(value, Ordering::Release);
    }
}

/// Polls.
pub(super) struct Spinning;

/// Polls, and gives the core away in between.
pub(super) struct Yielding;

/// Sleeps at once, and wakes the other.
pub(super) struct Sleeping;

impl Waiting for Spinning {
    #[inline(always)]
    fn until(word: &AtomicU32, value: u32) {
        while word.load(Ordering::Acquire) != value {
            std::hint::spin_loop();
        }
    }
}

impl Waiting for Yielding {
    fn until(word: &AtomicU32, value: u32) {
        while word.load(Ordering::Acquire) != value {
            rustix::thread::sched_yield();
        }
    }
}

impl Waiting for Sleeping {
    fn until(word: &AtomicU32, value: u32) {
        loop {
            let seen = word.load(Ordering::Acquire);
            if seen == value {
                return;
            }
            // Woken, interrupted or changed meanwhile: the loop looks.
            let _ = futex::wait(word, futex::Flags::empty(), seen, None);
        }
    }

    fn publish(word: &AtomicU32, value: u32) {
        word.store(value, Ordering::Release);
        let _ = futex::wake(word, futex::Flags::empty(), 1);
    }
}
