//! Whether a library that ends its workers again and again is given another one: a circuit breaker.
//!
//! A worker that ends is replaced at once: that is cheap, and one bad input in a hundred must not stop the other ninety-nine. A
//! library that does little else than crash is left alone for a while, so that callers hear at once what they would hear
//! after a start, and the machine has its time for others.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use hotcell_shm::lock::Mutex;

/// When a session's library is given no other worker for a while.
///
/// The breaker opens when the library has ended so many workers in so much time, and more than two of three calls met that. What does not count: errors that the library reports, signals that another process sent, and workers that nobody
/// ended. While it is open, calls are [`crate::UnavailableReason::BreakerOpen`] at once, and nothing is started.
/// Behind that one worker is brought up. If it ends before a call on it has come back the breaker is open again, twice as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restart {
    /// Faults that open the breaker; with 0 it never opens. 5.
    pub faults: u32,
    /// The time in which they count. 30 s.
    pub within: Duration,
    /// How long it is open the first time. Up to as much again is added by chance, so that programs that share a library do
    /// not all try it at once. 1 s.
    pub pause: Duration,
    /// The longest that it is open, without what is added. 60 s.
    pub longest_pause: Duration,
}

/// The state of a session's circuit breaker, see [`Restart`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    /// A worker that ends is replaced.
    Closed,
    /// None is brought up before this time has passed.
    Open(Duration),
    /// The next worker, or the one that serves, has to show that a call comes back.
    HalfOpen,
}

impl Breaker {
    /// Its state's name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Breaker::Closed => "closed",
            Breaker::Open(_) => "open",
            Breaker::HalfOpen => "half-open",
        }
    }

    /// For how long it is open yet.
    pub(crate) fn left(self) -> Option<Duration> {
        match self {
            Breaker::Open(left) => Some(left),
            _ => None,
        }
    }
}

/// The breaker of one session.
#[derive(Debug)]
pub(crate) struct Restarts {
    rule: Restart,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    /// The faults of late, oldest first, each with the calls that its worker had been given.
    faults: VecDeque<(Instant, u64)>,
    /// How long it will be open the next times; none before the first.
    pauses: Option<ExponentialBackoff>,
}

#[derive(Debug, Default, Clone, Copy)]
enum Phase {
    #[default]
    Closed,
    Open {
        until: Instant,
    },
    HalfOpen,
}

/// A worker that serves no longer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    /// Whether the library ended it.
    pub(crate) by_library: bool,
    /// Calls that it was given.
    pub(crate) calls: u64,
    /// Calls at a time that it may have been given.
    pub(crate) callers: u64,
}

impl Restarts {
    pub(crate) fn new(rule: Restart) -> Restarts {
        Restarts { rule, state: Mutex::default() }
    }

    /// Whether a worker may be brought up now; if not, for how long.
    pub(crate) fn admit(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.state.lock();
        match state.phase {
            Phase::Open { until } if now < until => Err(until - now),
            Phase::Open { .. } => {
                state.phase = Phase::HalfOpen;
                Ok(())
            }
            Phase::Closed | Phase::HalfOpen => Ok(()),
        }
    }

    /// Notes that a worker serves no longer, or did not come up.
    pub(crate) fn note(&self, ended: Ended, now: Instant) {
        let rule = &self.rule;
        let mut state = self.state.lock();
        if matches!(state.phase, Phase::HalfOpen) && ended.has_answered() {
            *state = State::default();
        }
        if !ended.by_library || rule.faults == 0 {
            return;
        }
        match state.phase {
            Phase::Closed => {
                state.faults.push_back((now, ended.calls));
                while state.faults.front().is_some_and(|(at, _)| now.duration_since(*at) > rule.within) {
                    state.faults.pop_front();
                }
                let (faults, calls) =
                    (state.faults.len() as u64, state.faults.iter().map(|(_, calls)| calls).sum::<u64>());
                if faults >= u64::from(rule.faults) && faults.saturating_mul(3) > calls.saturating_mul(2) {
                    state.open(rule, now);
                }
            }
            Phase::HalfOpen => state.open(rule, now),
            Phase::Open { .. } => {}
        }
    }

    /// Forgets all faults: they were of another library.
    pub(crate) fn reset(&self) {
        *self.state.lock() = State::default();
    }

    /// Its state, where this is the worker that serves.
    pub(crate) fn state(&self, now: Instant, serving: Option<Ended>) -> Breaker {
        match self.state.lock().phase {
            Phase::Open { until } if now < until => Breaker::Open(until - now),
            Phase::Open { .. } => Breaker::HalfOpen,
            Phase::HalfOpen if serving.is_some_and(|serving| serving.has_answered()) => Breaker::Closed,
            Phase::HalfOpen => Breaker::HalfOpen,
            Phase::Closed => Breaker::Closed,
        }
    }
}

impl State {
    fn open(&mut self, rule: &Restart, now: Instant) {
        let pauses = self.pauses.get_or_insert_with(|| rule.pauses());
        let pause = pauses.next().unwrap_or(rule.longest_pause);
        self.phase = Phase::Open { until: now + pause };
        self.faults.clear();
    }
}

impl Ended {
    /// Whether a call on it has come back: more were published than can be under way.
    fn has_answered(&self) -> bool {
        self.calls > self.callers
    }
}

impl Restart {
    /// Workers are always replaced, however often they end.
    pub const ALWAYS: Restart = Restart {
        faults: 0,
        within: Duration::from_secs(30),
        pause: Duration::from_secs(1),
        longest_pause: Duration::from_secs(60),
    };

    fn pauses(&self) -> ExponentialBackoff {
        ExponentialBuilder::new()
            .with_min_delay(self.pause)
            .with_max_delay(self.longest_pause.max(self.pause))
            .with_factor(2.0)
            .with_jitter()
            .without_max_times()
            .build()
    }
}

impl Default for Restart {
    fn default() -> Self {
        Restart { faults: 5, ..Restart::ALWAYS }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
