//! When a call is made again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// When a call is made again by itself: within its deadline, and only where that does no harm.
///
/// That is so where nothing was executed because no worker could be had, and where a worker ended in a call of a function that
/// its contract calls `idempotent`, which is passed no objects and no functions of the application. A call during which the
/// library has called back is not made again, nor is one of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// How often a call is made at most that may have been executed, the first time included. 2; with 1 it is not made again.
    pub tries: u32,
    /// How often a worker is started at most for a call, where this machine has no process, memory or descriptor for it just
    /// then. 8; with 1 it is not tried again.
    pub starts: u32,
    /// The pause before a worker is started again, twice as long each time; up to as much again is added by chance. 10 ms.
    pub pause: Duration,
    /// The longest of these pauses, without what is added. 1 s.
    pub longest_pause: Duration,
    /// Whether a call waits until the [breaker](crate::Restart) is half-open, where its deadline allows. No.
    pub breaker: bool,
}

impl Retries {
    /// No call is made again.
    pub const NEVER: Retries = Retries {
        tries: 1,
        starts: 1,
        pause: Duration::from_millis(10),
        longest_pause: Duration::from_secs(1),
        breaker: false,
    };

    /// The pauses between starts.
    pub(crate) fn pauses(&self) -> ExponentialBackoff {
        ExponentialBuilder::new()
            .with_min_delay(self.pause)
            .with_max_delay(self.longest_pause.max(self.pause))
            .with_factor(2.0)
            .with_jitter()
            .with_max_times(self.starts.saturating_sub(1) as usize)
            .build()
    }
}

impl Default for Retries {
    fn default() -> Self {
        Retries { tries: 2, starts: 8, ..Retries::NEVER }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let pauses: Vec<Duration> = Retries::default().pauses().collect();
        assert_eq!(pauses.len(), 7);
        let mut least = Duration::from_millis(10);
        for pause in pauses {
            assert!((least..=least * 2).contains(&pause), "{pause:?}");
            least = (least * 2).min(Duration::from_secs(1));
        }
        assert_eq!(Retries::NEVER.pauses().count(), 0);
    }
}
