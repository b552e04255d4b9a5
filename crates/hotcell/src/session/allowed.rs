//! The time a call has, and when it is over.

use std::time::{Duration, Instant};

use hotcell_shm::clock;

/// The time a call has.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Allowed {
    nanoseconds: u64,
    /// Monotonic nanoseconds; 0 while nobody looked at the clock.
    deadline: u64,
}

/// As far as clocks are added to.
pub(super) const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Of less time than this, what passes before a call is sent may be a part that matters.
const SHORT: u64 = 20_000_000;

impl Allowed {
    /// Time that counts from now, or, where it is not short, from the first step that can take long: to wait for the turn, for
    /// a worker, for memory, to copy what does not fit a slot, and at the latest to be executed. A look at the clock
    /// before the call is sent costs a tenth of a short call; behind that it costs nothing, for nothing else can be done.
    #[inline]
    pub(super) fn new(nanoseconds: u64) -> Allowed {
        let mut allowed = Allowed { nanoseconds, deadline: 0 };
        if nanoseconds < SHORT {
            allowed.deadline();
        }
        allowed
    }

    /// When it ends, in monotonic nanoseconds.
    pub(crate) fn deadline(&mut self) -> u64 {
        match self.deadline {
            0 => self.deadline_from(clock::now()),
            deadline => deadline,
        }
    }

    /// The same, when it is known to be now.
    #[inline]
    pub(crate) fn deadline_from(&mut self, now: u64) -> u64 {
        if self.deadline == 0 {
            self.deadline = now.saturating_add(self.nanoseconds);
        }
        self.deadline
    }

    /// The same, if somebody has asked.
    #[inline]
    pub(crate) fn known(&self) -> Option<u64> {
        Some(self.deadline).filter(|&deadline| deadline != 0)
    }

    /// All of it, in nanoseconds.
    #[inline]
    pub(crate) fn nanoseconds(&self) -> u64 {
        self.nanoseconds
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
pub(super) fn left_until(deadline: u64) -> Duration {
    Duration::from_nanos(deadline.saturating_sub(clock::now()))
}

/// The instant of a monotonic time of the wire; a far one is cut to a year.
pub(crate) fn instant_of(monotonic: u64) -> Instant {
    Instant::now() + Duration::from_nanos(monotonic.saturating_sub(clock::now())).min(YEAR)
}
