//! Medians and spreads.

use std::time::Instant;

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

impl Blocks {
    /// So many blocks of so many calls.
    pub(crate) fn of<E>(
        blocks: u32,
        calls: u32,
        mut call: impl FnMut() -> Result<(), E>,
    ) -> Result<Blocks, E> {
        let mut samples = Vec::with_capacity(blocks as usize);
        for _ in 0..blocks {
            let started = Instant::now();
            for _ in 0..calls {
                call()?;
            }
            samples.push(started.elapsed().as_nanos() as f64 / f64::from(calls));
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
        let mut calls = 0;
        let blocks = Blocks::of(3, 4, || {
            calls += 1;
            Ok::<(), ()>(())
        });
        assert_eq!((calls, blocks.map(|it| it.samples.len())), (12, Ok(3)));
        let mut left = 5;
        let failed = Blocks::of(3, 4, || {
            left -= 1;
            if left == 0 { Err("the fifth") } else { Ok(()) }
        });
        assert_eq!((left, failed.err()), (0, Some("the fifth")));
    }
}
