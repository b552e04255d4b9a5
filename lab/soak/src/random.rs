//! Random choices that are the same for a seed and a name.

use fastrand::Rng;

/// The choices of one client, or of one who does faults.
#[derive(Debug, Clone)]
pub(crate) struct Random(Rng);

impl Random {
    /// The sequence that belongs to a seed and a name.
    pub(crate) fn new(seed: u64, name: &str) -> Random {
        let mix = |state: u64, byte: u8| state.wrapping_mul(31).wrapping_add(u64::from(byte));
        Random(Rng::with_seed(name.bytes().fold(seed, mix)))
    }

    /// Below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0.u64(..end)
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of these, of which there are some.
    pub(crate) fn one_of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.0.usize(..list.len())]
    }
}
