//! The time a call has, and when it is over.

use std::time::{Duration, Instant};

use hotcell_shm::clock;

/// The time a call has.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Allowed {
    nanoseconds: u64,
    /// When it began, on the coarse clock; 0 before.
    begun: u64,
    /// Monotonic nanoseconds; 0 while nobody looked at the exact clock.
    deadline: u64,
    /// How often something stood still.
    standstills: u8,
}

/// As far as clocks are added to.
pub(super) const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// The longest that the coarse clock stands still.
const TICK: u64 = 10_000_000;

const SECOND: u64 = 1_000_000_000;

/// Standstills that a call is given time for.
const MOST_STANDSTILLS: u8 = 8;

impl Allowed {
    /// Time that counts from now.
    #[inline]
    pub(crate) fn new(nanoseconds: u64) -> Allowed {
        let mut allowed = Allowed { nanoseconds, begun: 0, deadline: 0, standstills: 0 };
        allowed.begin();
        allowed
    }

    /// The time of a call that is sent at once, unless it waits or copies much. A second and more counts from
    /// [`Allowed::begin`], or else from when the call is sent: no clock is looked at before.
    #[inline]
    pub(crate) fn of_call(nanoseconds: u64) -> Allowed {
        match nanoseconds {
            0..SECOND => Allowed::new(nanoseconds),
            _ => Allowed { nanoseconds, begun: 0, deadline: 0, standstills: 0 },
        }
    }

    /// Has it count from now, unless it does already. What is not short is counted by a clock that ticks every few milliseconds
    /// and costs less than the exact one.
    #[inline]
    pub(crate) fn begin(&mut self) {
        if self.begun == 0 {
            self.begun = clock::coarse();
            if self.nanoseconds < 2 * TICK {
                self.deadline();
            }
        }
    }

    /// The same time, as far as it is gone: nobody waits with it.
    #[cfg(feature = "tokio")]
    pub(super) fn over(&self) -> Allowed {
        Allowed { deadline: clock::now(), ..*self }
    }

    /// The same time, counted from now.
    pub(crate) fn renewed(&self) -> Allowed {
        Allowed::new(self.nanoseconds)
    }

    /// When it ends, in monotonic nanoseconds.
    pub(crate) fn deadline(&mut self) -> u64 {
        if self.deadline == 0 {
            self.deadline = clock::now().saturating_add(self.left());
        }
        self.deadline
    }

    /// The same, when so much is left from now on, unless it is known already.
    #[inline]
    pub(crate) fn deadline_in(&mut self, now: u64, left: u64) -> u64 {
        if self.deadline == 0 {
            self.deadline = now.saturating_add(left);
        }
        self.deadline
    }

    /// Adds a standstill of so many nanoseconds to the deadline.
    pub(crate) fn extend(&mut self, nanoseconds: u64) -> u64 {
        let more = self.not_counted(nanoseconds);
        self.deadline = self.deadline().saturating_add(more);
        self.deadline
    }

    /// Nanoseconds of a standstill that do not count. What stands still again and again is a machine that is too slow, and a
    /// deadline is to end.
    pub(crate) fn not_counted(&mut self, nanoseconds: u64) -> u64 {
        self.standstills = self.standstills.saturating_add(u8::from(nanoseconds > 0));
        if self.standstills <= MOST_STANDSTILLS { nanoseconds } else { 0 }
    }

    /// What is left of it, in nanoseconds, while the deadline is not known.
    #[inline]
    pub(crate) fn left(&self) -> u64 {
        if self.begun == 0 {
            return self.nanoseconds;
        }
        let gone = clock::coarse().saturating_sub(self.begun);
        self.nanoseconds.saturating_sub(gone.saturating_sub(TICK))
    }

    /// The same, if somebody has asked.
    #[inline]
    pub(crate) fn known(&self) -> Option<u64> {
        Some(self.deadline).filter(|&deadline| deadline != 0)
    }

    /// All of it.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds)
    }
}

/// A duration as [`Allowed`] counts it; one that is longer than a year is cut.
#[inline]
pub(super) fn nanoseconds(time: Duration) -> u64 {
    time.min(YEAR).as_nanos() as u64
}

/// What is left until a monotonic time.
pub(crate) fn left_until(deadline: u64) -> Duration {
    Duration::from_nanos(deadline.saturating_sub(clock::now()))
}

/// The instant of a monotonic time of the wire; a far one is cut to a year.
pub(crate) fn instant_of(monotonic: u64) -> Instant {
    Instant::now() + Duration::from_nanos(monotonic.saturating_sub(clock::now())).min(YEAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_and_more_counts_from_what_comes_first() {
        let mut sent = Allowed::of_call(SECOND);
        let mut begun = sent;
        begun.begin();
        let (mut short, less) = (Allowed::of_call(TICK), Allowed::of_call(SECOND - 1));
        assert!(short.known().is_some(), "little time is counted exactly");
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!((sent.known(), sent.left()), (None, SECOND));
        assert!(begun.left() < SECOND - 2 * TICK, "{}", begun.left());
        let now = clock::now();
        assert_eq!(sent.deadline_in(now, SECOND), now + SECOND);
        assert!(begun.deadline() < now + SECOND);
        assert!(short.deadline() <= now && less.left() < SECOND - 2 * TICK);
        // It counts once.
        let left = begun;
        begun.begin();
        assert_eq!(begun.begun, left.begun);
    }

    #[test]
    fn a_call_is_given_time_for_some_standstills() {
        const HOUR: u64 = 3_600_000_000_000;
        let mut allowed = Allowed::new(HOUR);
        let deadline = allowed.deadline();
        for times in 1..=u64::from(MOST_STANDSTILLS) {
            assert_eq!(allowed.extend(HOUR), deadline + times * HOUR);
        }
        let last = allowed.deadline();
        assert_eq!((allowed.extend(HOUR), allowed.not_counted(1)), (last, 0));
        // Those of one call are none of the next.
        assert_eq!(allowed.renewed().not_counted(HOUR), HOUR);
    }
}
