//! Whose turn it is among the library's own threads: first come, first served, and asleep until then.
//!
//! | field | who writes | meaning |
//! |---|---|---|
//! | `next` | every thread that comes | tickets given out |
//! | `now` | the thread whose turn it is | the ticket whose turn it is |

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::futex;

/// A lock that is taken in the order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    next: AtomicU32,
    now: AtomicU32,
}

impl Turns {
    pub(crate) const fn new() -> Turns {
        Turns { next: AtomicU32::new(0), now: AtomicU32::new(0) }
    }

    /// Waits until all threads that came before have had their turn.
    pub(crate) fn take(&self) {
        // With the load below: either this thread sees that its turn has come, or `pass_on` sees that it is there.
        let ticket = self.next.fetch_add(1, Ordering::SeqCst);
        loop {
            let now = self.now.load(Ordering::SeqCst);
            if now == ticket {
                return;
            }
            // Woken, interrupted or changed meanwhile: all the same.
            let _ = futex::wait_bitset(&self.now, futex::Flags::PRIVATE, now, None, bit(ticket));
        }
    }

    /// Ends the turn of this thread. What it did comes before what the next one does.
    pub(crate) fn pass_on(&self) {
        let following = self.now.load(Ordering::Relaxed).wrapping_add(1);
        self.now.store(following, Ordering::SeqCst);
        if self.next.load(Ordering::SeqCst) != following {
            let _ = futex::wake_bitset(&self.now, futex::Flags::PRIVATE, u32::MAX >> 1, bit(following));
        }
    }
}

/// By which a thread is woken alone, unless more than 32 wait.
fn bit(ticket: u32) -> NonZeroU32 {
    NonZeroU32::new(1 << (ticket % u32::BITS)).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn one_thread_at_a_time_has_its_turn() {
        const EACH: u64 = 20_000;
        let turns = Turns::new();
        // Not atomic as a whole: two turns at once lose a count.
        let count = std::sync::atomic::AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..EACH {
                        turns.take();
                        let before = count.load(Ordering::Relaxed);
                        std::hint::spin_loop();
                        count.store(before + 1, Ordering::Relaxed);
                        turns.pass_on();
                    }
                });
            }
        });
        assert_eq!(count.into_inner(), 4 * EACH);
    }

    #[test]
    fn turns_come_in_the_order_of_arrival() {
        // Also where tickets begin again at 0.
        let turns = Turns { next: AtomicU32::new(u32::MAX - 20), now: AtomicU32::new(u32::MAX - 20) };
        let order = Mutex::new(Vec::new());
        turns.take();
        std::thread::scope(|scope| {
            for number in 0..40u32 {
                let (turns, order) = (&turns, &order);
                scope.spawn(move || {
                    turns.take();
                    order.lock().unwrap().push(number);
                    turns.pass_on();
                });
                let arrived = (u32::MAX - 20).wrapping_add(2 + number);
                while turns.next.load(Ordering::SeqCst) != arrived {
                    std::thread::yield_now();
                }
            }
            turns.pass_on();
        });
        assert_eq!(order.into_inner().unwrap(), (0..40).collect::<Vec<_>>());
    }
}
