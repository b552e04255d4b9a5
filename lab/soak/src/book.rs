//! What came of calls: how many were right, how long they took, and what failed, with what is needed to explain it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hotcell::{Cause, Error, ErrorKind, Executed};
use hotcell_shm::lock::Mutex;

use crate::setting::{SETTINGS, Setting};

/// Most results and errors of which the text is kept.
const KEPT: usize = 100_000;

/// How much longer than its time a call may take: until the host has heard that it is over, and its caller runs again.
pub(crate) const LATE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) began: Instant,
    /// By setting.
    right: [AtomicU64; SETTINGS.len()],
    latencies: Latencies,
    late: Mutex<Vec<Late>>,
    wrong: Mutex<Vec<String>>,
    failures: Mutex<Vec<Failure>>,
}

/// A call that was right, and took longer than it may.
#[derive(Debug, Clone)]
pub(crate) struct Late {
    /// By how much.
    pub(crate) by: Duration,
    pub(crate) what: String,
}

/// A call that failed.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// Which session it was.
    pub(crate) subject: usize,
    /// How that is kept.
    pub(crate) setting: &'static str,
    /// What was sent together has one number: a call, a batch, a pipeline.
    pub(crate) sent: u64,
    /// What time it had.
    pub(crate) time: Duration,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    pub(crate) error: Seen,
    /// What the call was made to do, if it was to fail.
    pub(crate) meant: Option<Meant>,
}

/// What is needed of an error.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) kind: ErrorKind,
    pub(crate) cause: Cause,
    pub(crate) generation: u64,
    pub(crate) executed: Executed,
    pub(crate) function: String,
    pub(crate) message: String,
}

/// What a call was made to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meant {
    pub(crate) what: &'static str,
    /// The function, as errors have it.
    pub(crate) function: &'static str,
    /// What the error has to be.
    pub(crate) kinds: &'static [ErrorKind],
    /// The signal that ends its worker, where one does.
    pub(crate) signal: Option<i32>,
    /// The time that it was given, where that is little.
    pub(crate) time: Option<Duration>,
    /// The input, where it is one that ends workers.
    pub(crate) input: Option<String>,
}

/// What is done.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) began: Instant,
    /// Calls that were right, by setting.
    pub(crate) right: BTreeMap<&'static str, u64>,
    pub(crate) late: Vec<Late>,
    pub(crate) wrong: Vec<String>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) half: Duration,
    pub(crate) most: Duration,
}

impl From<Error> for Seen {
    fn from(error: Error) -> Seen {
        Seen {
            kind: error.kind(),
            cause: error.cause().clone(),
            generation: error.generation(),
            executed: error.executed(),
            function: error.function().to_owned(),
            message: error.message().to_owned(),
        }
    }
}

impl Closed {
    /// Calls that were right.
    pub(crate) fn all_right(&self) -> u64 {
        self.right.values().sum()
    }
}

impl Book {
    pub(crate) fn open() -> Book {
        Book {
            began: Instant::now(),
            right: [const { AtomicU64::new(0) }; SETTINGS.len()],
            latencies: Latencies::default(),
            late: Mutex::default(),
            wrong: Mutex::default(),
            failures: Mutex::default(),
        }
    }

    /// A number for what is sent together.
    pub(crate) fn sends() -> u64 {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        NUMBER.fetch_add(1, Ordering::Relaxed)
    }

    /// A call was right that had so much time, and took this.
    pub(crate) fn right(&self, setting: &Setting, time: Duration, took: Duration) {
        self.right[setting.number()].fetch_add(1, Ordering::Relaxed);
        self.latencies.add(took);
        let by = took.saturating_sub(time);
        if by >= LATE {
            let what = format!("a call ({}) took {took:.1?} of {time:?}", setting.name);
            self.late.lock().push(Late { by, what });
        }
    }

    pub(crate) fn wrong(&self, text: String) {
        let mut wrong = self.wrong.lock();
        if wrong.len() < KEPT {
            wrong.push(text);
        }
    }

    pub(crate) fn failed(&self, failure: Failure) {
        self.failures.lock().push(failure);
    }

    /// Calls that were right, results that were wrong, and calls that failed, so far.
    pub(crate) fn counts(&self) -> (u64, usize, usize) {
        let right = self.right.iter().map(|count| count.load(Ordering::Relaxed)).sum();
        (right, self.wrong.lock().len(), self.failures.lock().len())
    }

    pub(crate) fn close(&self) -> Closed {
        let right = SETTINGS.iter().zip(&self.right);
        Closed {
            began: self.began,
            right: right.map(|(setting, count)| (setting.name, count.load(Ordering::Relaxed))).collect(),
            late: self.late.lock().clone(),
            wrong: self.wrong.lock().clone(),
            failures: self.failures.lock().clone(),
            half: self.latencies.below(0.5),
            most: self.latencies.below(0.99),
        }
    }
}

/// How many calls failed, by kind.
pub(crate) fn by_kind<'a>(failures: impl Iterator<Item = &'a Failure>) -> BTreeMap<&'static str, u64> {
    let mut kinds = BTreeMap::new();
    for failure in failures {
        *kinds.entry(failure.error.kind.name()).or_default() += 1;
    }
    kinds
}

/// Sixteen classes for each power of two of nanoseconds: within 6 %.
#[derive(Debug)]
struct Latencies(Box<[AtomicU64]>);

impl Default for Latencies {
    fn default() -> Latencies {
        Latencies((0..64 * 16).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Latencies {
    fn add(&self, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).max(16);
        let power = nanoseconds.ilog2();
        let class = 16 * power as usize + (nanoseconds >> (power - 4) & 15) as usize;
        self.0[class].fetch_add(1, Ordering::Relaxed);
    }

    /// What this share of them took at most, but for the width of a class.
    fn below(&self, share: f64) -> Duration {
        let counts: Vec<u64> = self.0.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let wanted = (counts.iter().sum::<u64>() as f64 * share).ceil() as u64;
        let mut seen = 0;
        let class = counts.iter().position(|count| {
            seen += count;
            seen >= wanted.max(1)
        });
        let end = |class: usize| (17 + class as u64 % 16) << (class / 16).saturating_sub(4);
        Duration::from_nanos(class.map_or(0, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_known_within_a_class() {
        let latencies = Latencies::default();
        assert_eq!(latencies.below(0.5), Duration::ZERO);
        for microseconds in 1..=1000 {
            latencies.add(Duration::from_micros(microseconds));
        }
        for (share, is) in [(0.5, 500.0), (0.99, 990.0)] {
            let seen = latencies.below(share).as_secs_f64() * 1e6;
            assert!((is..is * 1.07).contains(&seen), "{seen} for {is}");
        }
    }
}
