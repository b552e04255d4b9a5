//! How long calls took, by classes of lengths: four to each doubling.

use std::time::Duration;

use serde_json::{Value, json};

/// How long calls took: those that were timed. A length is known to a quarter, and told by its upper bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latency([u64; Latency::STEPS]);

/// Classes of a doubling.
const PARTS: usize = 4;

impl Default for Latency {
    fn default() -> Self {
        Latency([0; Latency::STEPS])
    }
}

impl Latency {
    /// Classes: the last is that of 2³⁹ ns (9 minutes) and more.
    pub(crate) const STEPS: usize = 38 * PARTS;

    /// The class of a length. Those of less than 8 ns are one each.
    #[inline]
    pub(crate) fn step(nanoseconds: u64) -> usize {
        let low = usize::try_from(nanoseconds).unwrap_or(usize::MAX);
        if low < 2 * PARTS {
            return low;
        }
        let doubling = low.ilog2() as usize;
        // The two bits behind the first.
        let part = (low >> (doubling - 2)) & (PARTS - 1);
        ((doubling - 1) * PARTS + part).min(Latency::STEPS - 1)
    }

    /// The longest of a class, in nanoseconds.
    fn longest(step: usize) -> u64 {
        if step < 2 * PARTS {
            return step as u64;
        }
        let (doubling, part) = (step / PARTS + 1, (step % PARTS) as u64);
        ((PARTS as u64 + part + 1) << (doubling - 2)) - 1
    }

    pub(crate) fn add(&mut self, step: usize, count: u64) {
        self.0[step] += count;
    }

    /// Calls that were timed.
    pub fn samples(&self) -> u64 {
        self.0.iter().sum()
    }

    /// What so many of a thousand calls did not exceed: `500` is the median. `None` where no call was timed.
    pub fn per_mille(&self, of_thousand: u64) -> Option<Duration> {
        let samples = self.samples();
        let wanted = (samples.saturating_mul(of_thousand.min(1000))).div_ceil(1000).max(1);
        let mut seen = 0;
        let step = self.0.iter().position(|count| {
            seen += count;
            seen >= wanted
        })?;
        Some(Duration::from_nanos(Latency::longest(step)))
    }

    /// As JSON, in nanoseconds.
    pub fn to_json(&self) -> Value {
        let at = |of_thousand| self.per_mille(of_thousand).map(|time| time.as_nanos() as u64);
        json!({ "samples": self.samples(), "p50_ns": at(500), "p90_ns": at(900), "p99_ns": at(990), "most_ns": at(1000) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_in_the_class_whose_bounds_are_around_it() {
        for length in (0..5000).chain([1 << 20, (1 << 20) + 12345, (1 << 38) - 1]) {
            let step = Latency::step(length);
            assert!(length <= Latency::longest(step), "{length}");
            assert!(step == 0 || length > Latency::longest(step - 1), "{length}");
            let width = Latency::longest(step) - length;
            assert!(width <= length / 4, "{length}: known to a quarter");
        }
        assert_eq!(Latency::step(u64::MAX), Latency::STEPS - 1);
    }

    #[test]
    fn parts_of_a_thousand_are_those_that_were_counted() {
        let mut latency = Latency::default();
        assert_eq!((latency.samples(), latency.per_mille(500)), (0, None));
        for (nanoseconds, count) in [(5, 90), (1000, 9), (1_000_000, 1)] {
            latency.add(Latency::step(nanoseconds), count);
        }
        let at = |of_thousand| latency.per_mille(of_thousand).unwrap().as_nanos();
        assert_eq!((at(0), at(500), at(900)), (5, 5, 5));
        assert_eq!((at(901), at(990)), (1023, 1023));
        assert_eq!((at(991), at(1000), at(5000)), (1_048_575, 1_048_575, 1_048_575));
        assert_eq!(latency.to_json()["p99_ns"], 1023);
    }
}
