//! What is counted of the calls of one seat, by function.
//!
//! | field | who writes | who reads |
//! |---|---|---|
//! | all of them | who has the seat, or a call nested in his, with plain loads and stores | anybody, at any time |
//!
//! So nothing here is shared between callers: a count is a store to a line that its caller's core has already. It comes behind the
//! publication of the call, when the caller has nothing to do but wait.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::latency::Latency;

/// The counts of one seat.
#[derive(Debug)]
pub(crate) struct Tally(Box<[Lines]>);

/// Counts that have lines for themselves: two, for processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Lines([Count; PER_LINES]);

const PER_LINES: usize = 4;
const _: () = assert!(size_of::<Lines>() == 128, "none of it is lost");

/// What is counted of a function.
#[derive(Debug, Default)]
struct Count {
    calls: AtomicU64,
    errors: AtomicU64,
    /// Made for the first call that is timed.
    times: OnceLock<Box<Times>>,
}

/// How long calls took: how many there were of each length.
#[derive(Debug)]
struct Times([AtomicU32; Latency::STEPS]);

/// So many calls of a function are timed, and then one of [`EVERY`].
const FIRST: u64 = 8;
const EVERY: u64 = 64;

impl Tally {
    pub(super) fn new(functions: usize) -> Tally {
        Tally((0..functions.div_ceil(PER_LINES)).map(|_| Lines::default()).collect())
    }

    #[inline]
    fn count(&self, function: usize) -> Option<&Count> {
        self.0.get(function / PER_LINES).map(|lines| &lines.0[function % PER_LINES])
    }

    /// A call of this function was sent. A batch is none: its entries are. Whether it is one to be timed.
    #[inline]
    pub(crate) fn sent(&self, function: u16) -> bool {
        self.count(usize::from(function)).is_some_and(|count| {
            let calls = count.calls.load(Ordering::Relaxed) + 1;
            count.calls.store(calls, Ordering::Relaxed);
            calls <= FIRST || calls.is_multiple_of(EVERY)
        })
    }

    /// So many calls of this function were sent.
    #[inline]
    pub(crate) fn sent_times(&self, function: u16, times: u64) {
        if let Some(count) = self.count(usize::from(function)) {
            add(&count.calls, times);
        }
    }

    /// The library has reported its own failure.
    #[cold]
    pub(crate) fn failed(&self, function: u16) {
        if let Some(count) = self.count(usize::from(function)) {
            add(&count.errors, 1);
        }
    }

    /// A call that was to be timed took so many nanoseconds.
    #[cold]
    pub(crate) fn took(&self, function: u16, nanoseconds: u64) {
        let Some(count) = self.count(usize::from(function)) else { return };
        let times = count.times.get_or_init(|| Box::new(Times([const { AtomicU32::new(0) }; _])));
        let slot = &times.0[Latency::step(nanoseconds)];
        slot.store(slot.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
    }

    /// Calls of a function, those that the library reported as failed, and how long they took, added to what comes.
    pub(super) fn add_to(
        &self,
        function: usize,
        (calls, errors): (&mut u64, &mut u64),
        latency: &mut Latency,
    ) {
        let Some(count) = self.count(function) else { return };
        *calls += count.calls.load(Ordering::Relaxed);
        *errors += count.errors.load(Ordering::Relaxed);
        for (step, times) in count.times.get().into_iter().flat_map(|times| times.0.iter().enumerate()) {
            latency.add(step, u64::from(times.load(Ordering::Relaxed)));
        }
    }
}

/// So many more. Nobody else writes.
#[inline]
fn add(count: &AtomicU64, more: u64) {
    count.store(count.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_calls_of_a_function_are_timed_and_then_one_of_many() {
        let tally = Tally::new(2);
        let timed = (1..=200u64).filter(|_| tally.sent(1));
        assert_eq!(timed.collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8, 64, 128, 192]);
        let (mut calls, mut errors, mut latency) = (0, 0, Latency::default());
        tally.failed(1);
        tally.took(1, 1000);
        tally.add_to(1, (&mut calls, &mut errors), &mut latency);
        assert_eq!((calls, errors, latency.samples()), (200, 1, 1));
        tally.add_to(0, (&mut calls, &mut errors), &mut latency);
        assert_eq!((calls, errors, latency.samples()), (200, 1, 1), "of another function");
    }

    /// Of two callers, whose counts lie one behind the other, neither writes to a line of the other's.
    #[test]
    fn seats_share_no_line() {
        for functions in [1, 3, 4, 5] {
            let seats: Vec<Tally> = (0..8).map(|_| Tally::new(functions)).collect();
            let lines = |tally: &Tally| {
                let at = |function| std::ptr::from_ref(tally.count(function).unwrap()).addr() / 128;
                at(0)..=at(functions - 1)
            };
            for (index, seat) in seats.iter().enumerate() {
                let (own, others) = (lines(seat), seats[index + 1..].iter().flat_map(lines));
                assert!(others.into_iter().all(|line| !own.contains(&line)), "{functions} functions");
            }
        }
    }

    #[test]
    fn what_is_no_function_is_not_counted() {
        let tally = Tally::new(PER_LINES);
        assert!(!tally.sent(hotcell_protocol::wire::BATCH_FUNCTION));
        tally.failed(4);
        tally.took(7, 1);
        let (mut calls, mut errors, mut latency) = (0, 0, Latency::default());
        tally.add_to(0, (&mut calls, &mut errors), &mut latency);
        assert_eq!((calls, errors, latency.samples()), (0, 0, 0));
    }
}
