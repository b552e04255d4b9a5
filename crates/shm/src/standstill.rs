//! Time in which a thread that waits did not run: its process was stopped, its container frozen, its machine paused. The clock
//! goes on meanwhile, and nobody could have answered in that time. (While a machine sleeps the clock stands still by itself.)
//!
//! A thread that could run, and was not let, is no standstill: then others ran, and the library among them.

use std::cell::Cell;
use std::fs::File;
use std::io::Read;

use crate::clock;

/// Nanoseconds that a host's wait with a deadline sleeps for at most before it looks again.
pub(crate) const LOOKS: u64 = 50_000_000;

/// Nanoseconds by which a look comes too late when something stands still.
const UNSEEN: u64 = 1_000_000_000;

/// Looks of a thread that waits.
#[derive(Debug)]
pub(crate) struct Watch(Cell<u64>);

impl Watch {
    /// Begins now.
    pub(crate) fn begin() -> Watch {
        Watch(Cell::new(clock::now()))
    }

    /// Looks, at this time, `every` nanoseconds after the last look or sooner. Comes with the nanoseconds by which it is too
    /// late; 0 where that may be by chance.
    pub(crate) fn look(&self, now: u64, every: u64) -> u64 {
        let late = now.saturating_sub(self.0.replace(now)).saturating_sub(every);
        if late > UNSEEN { late } else { 0 }
    }

    /// The same of a thread of the host, less the time in which it was not let run. Where the kernel does not tell that, nothing
    /// is a standstill.
    pub(crate) fn standstill(&self, now: u64) -> u64 {
        /// So long after the last look it has slept.
        const SLEPT: u64 = LOOKS / 2;
        if now.saturating_sub(self.0.get()) < SLEPT {
            self.0.set(now);
            return 0;
        }
        // At each, so that it is known from when on the delay counts.
        let delay = delayed();
        let late = self.look(now, LOOKS);
        delay.map_or(0, |delay| less(late, delay))
    }
}

/// What of a time in which a thread was not seen is a standstill, when it was not let run for so long.
fn less(late: u64, delay: u64) -> u64 {
    let stood = late.saturating_sub(delay);
    if stood > UNSEEN { stood } else { 0 }
}

/// Nanoseconds in which this thread could have run, and others did, since it asked last, or began.
fn delayed() -> Option<u64> {
    thread_local! {
        static BEFORE: Cell<u64> = const { Cell::new(0) };
    }
    let mut text = [0; 80];
    let length = File::open("/proc/thread-self/schedstat").and_then(|mut file| file.read(&mut text)).ok()?;
    let delay = of_text(text.get(..length)?)?;
    Some(delay.saturating_sub(BEFORE.replace(delay)))
}

/// Nanoseconds that it ran, that it waited to, and how often it ran: all 0 where the kernel does not count.
fn of_text(text: &[u8]) -> Option<u64> {
    let mut words = str::from_utf8(text).ok()?.split_ascii_whitespace();
    let (ran, waited): (u64, u64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    (ran > 0).then_some(waited)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_than_any_load_is_no_time_of_the_thread() {
        let watch = Watch(Cell::new(1));
        assert_eq!(watch.look(1 + LOOKS, LOOKS), 0);
        assert_eq!(watch.look(1 + 2 * LOOKS + UNSEEN, LOOKS), 0);
        assert_eq!(watch.look(2 + 3 * LOOKS + 2 * UNSEEN, LOOKS), UNSEEN + 1);
        // It counts from the last look, and a clock that goes back is none.
        let now = 3 + 3 * LOOKS + 2 * UNSEEN;
        assert_eq!([now, 5, 6].map(|now| watch.look(now, LOOKS)), [0; 3]);
    }

    #[test]
    fn what_load_explains_is_time_of_the_call() {
        // Frozen for a minute, and held up on the way; held up for all of it; for some of it.
        assert_eq!(less(60 * UNSEEN, 3_000_000), 60 * UNSEEN - 3_000_000);
        assert_eq!(less(3 * UNSEEN, 3 * UNSEEN + LOOKS), 0);
        assert_eq!(less(3 * UNSEEN, 2 * UNSEEN), 0);
    }

    #[test]
    fn the_kernel_tells_how_long_a_thread_was_held_up() {
        assert_eq!(of_text(b"52347 8123 7\n"), Some(8123));
        for nothing in [&b"0 0 0\n"[..], b"", b"1", b"x y z", b"\xff 1"] {
            assert_eq!(of_text(nothing), None, "{nothing:?}");
        }
        // It counts from when it was asked last.
        if let Some(first) = delayed() {
            assert!(delayed().is_some_and(|second| second <= first.max(UNSEEN)));
        }
    }
}
