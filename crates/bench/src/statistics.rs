//! Medians and spreads.

use std::time::{Duration, Instant};

/// Median, minimum and maximum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The middle one, or the mean of the two in the middle.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

/// `None` of no samples.
pub(crate) fn spread(samples: &[f64]) -> Option<Spread> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    let upper = sorted[sorted.len() / 2];
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(Spread { median: (lower + upper) / 2.0, min, max })
}

/// The median of samples of which there are some.
pub(crate) fn median(samples: &[f64]) -> f64 {
    spread(samples).map_or(f64::NAN, |spread| spread.median)
}

/// Nanoseconds of one call, by blocks of calls: the clock is read between blocks only.
pub(crate) struct Blocks {
    pub(crate) samples: Vec<f64>,
}

/// How much of something is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// So many blocks,
    pub(crate) blocks: u32,
    /// and no further one when so much time has passed: on a busy machine everything takes longer.
    pub(crate) time: Duration,
}

impl Blocks {
    /// Blocks of so many calls; one at least.
    pub(crate) fn of<E>(
        extent: Extent,
        calls: u32,
        mut call: impl FnMut() -> Result<(), E>,
    ) -> Result<Blocks, E> {
        let (mut samples, mut started) = (Vec::new(), Instant::now());
        let end = started + extent.time;
        for _ in 0..extent.blocks.max(1) {
            for _ in 0..calls {
                call()?;
            }
            let now = Instant::now();
            samples.push((now - started).as_nanos() as f64 / f64::from(calls));
            if now >= end {
                break;
            }
            started = now;
        }
        Ok(Blocks { samples })
    }

    /// The block in the middle: what interrupts a few of them does not count.
    pub(crate) fn median(&self) -> f64 {
        median(&self.samples)
    }

    /// Everything counts.
    pub(crate) fn mean(&self) -> f64 {
        self.samples.iter().sum::<f64>() / self.samples.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_both_ends() {
        let check = |samples: &[f64], median, min, max| {
            assert_eq!(spread(samples), Some(Spread { median, min, max }), "{samples:?}");
        };
        check(&[3.0], 3.0, 3.0, 3.0);
        check(&[5.0, 1.0, 2.0], 2.0, 1.0, 5.0);
        check(&[4.0, 1.0, 2.0, 100.0], 3.0, 1.0, 100.0);
        check(&[-1.0, 2.0], 0.5, -1.0, 2.0);
        assert_eq!(spread(&[]), None);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_rare_stall_moves_the_mean_and_not_the_median() {
        let blocks = Blocks { samples: vec![1.0, 1.0, 1.0, 1.0, 96.0] };
        assert_eq!((blocks.median(), blocks.mean()), (1.0, 20.0));
    }

    #[test]
    fn blocks_make_every_call_and_stop_at_a_failure() {
        let long = Extent { blocks: 3, time: Duration::from_secs(3600) };
        let mut calls = 0;
        let blocks = Blocks::of(long, 4, || {
            calls += 1;
            Ok::<(), ()>(())
        });
        assert_eq!((calls, blocks.map(|it| it.samples.len())), (12, Ok(3)));
        let mut left = 5;
        let failed = Blocks::of(long, 4, || {
            left -= 1;
            if left == 0 { Err("the fifth") } else { Ok(()) }
        });
        assert_eq!((left, failed.err()), (0, Some("the fifth")));
        let short = Extent { time: Duration::ZERO, ..long };
        assert_eq!(Blocks::of(short, 4, || Ok::<(), ()>(())).map(|it| it.samples.len()), Ok(1));
    }
}
