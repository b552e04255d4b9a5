//! How many messages a second are answered: what comes faster waits, in the worker.

use std::time::Duration;

use hotcell_shm::clock;

/// Bounds the messages of a while.
#[derive(Debug)]
pub(super) struct Pace {
    /// Messages of one while.
    most: u64,
    count: u64,
    /// When the while began.
    since: u64,
}

/// Nanoseconds of a while: short, for what waits behind it waits no longer.
const WHILE: u64 = 10_000_000;

impl Pace {
    /// At most so many messages a second.
    pub(super) fn new(rate: u64) -> Pace {
        let whiles = 1_000_000_000 / WHILE;
        Pace { most: rate.div_ceil(whiles).max(1), count: 0, since: 0 }
    }

    /// Counts a message that came at `now`. How long it has to wait for its answer.
    #[must_use]
    pub(super) fn count(&mut self, now: u64) -> Option<Duration> {
        let until = self.since.saturating_add(WHILE);
        if now >= until {
            (self.since, self.count) = (now, 0);
        }
        self.count += 1;
        if self.count <= self.most {
            return None;
        }
        (self.since, self.count) = (until, 1);
        Some(Duration::from_nanos(until - now))
    }

    /// Counts a message, and waits where there were too many.
    pub(super) fn keep(&mut self) {
        if let Some(wait) = self.count(clock::now()) {
            std::thread::sleep(wait);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_too_fast_waits() {
        // Five in 10 ms.
        let mut pace = Pace::new(500);
        let start = 1_000_000_000;
        for message in 0..5 {
            assert_eq!(pace.count(start + message), None);
        }
        assert_eq!(pace.count(start + 4_000_000), Some(Duration::from_millis(6)));
        let second = start + WHILE;
        for message in 1..5 {
            assert_eq!(pace.count(second + message), None, "the first of this while was that one");
        }
        assert_eq!(pace.count(second + 5), Some(Duration::from_nanos(WHILE - 5)));
        let later = second + 7 * WHILE;
        for message in 0..5 {
            assert_eq!(pace.count(later + message), None);
        }
        assert!(pace.count(later + 5).is_some());
    }

    #[test]
    fn a_steady_rate_below_the_limit_never_waits() {
        let mut pace = Pace::new(1000);
        for message in 0..100_000 {
            assert_eq!(pace.count(message * 1_000_000), None);
        }
        assert!(Pace::new(0).count(1).is_none(), "one at least goes through");
    }
}
