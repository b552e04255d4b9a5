//! Which words of what a call is given are references: noted as they are written, so that nobody has to guess.

use std::ops::Range;

use hotcell_protocol::Place;

/// Where in an image references lie, in the order in which they were written. Those of most structures are few, and need no
/// memory of their own.
#[derive(Debug, Clone, Default)]
pub(super) struct Offsets {
    few: [u32; FEW],
    count: usize,
    more: Vec<u32>,
}

/// The most that are few.
const FEW: usize = 6;

impl Offsets {
    #[inline]
    pub(super) fn add(&mut self, offset: usize) {
        match self.few.get_mut(self.count) {
            Some(free) => *free = offset as u32,
            None => self.more.push(offset as u32),
        }
        self.count += 1;
    }

    fn all(&self) -> impl Iterator<Item = u64> {
        let few = &self.few[..self.count.min(FEW)];
        few.iter().chain(&self.more).map(|offset| u64::from(*offset))
    }
}

/// The references in images that were copied into a call, by the words of their places.
#[derive(Debug, Default)]
pub(super) struct References {
    places: Vec<u64>,
    /// There were more than are noted.
    overflowed: bool,
}

/// The most that are noted of a call.
const MOST: usize = 1 << 16;

/// Memory for so many stays from call to call.
const STAYS: usize = 1 << 10;

impl References {
    /// Forgets those of the call before.
    #[inline]
    pub(super) fn clear(&mut self) {
        if self.places.is_empty() && !self.overflowed {
            return;
        }
        self.overflowed = false;
        self.places.clear();
        self.places.shrink_to(STAYS);
    }

    /// An image with these lies there now.
    #[inline]
    pub(super) fn add(&mut self, image: Place, offsets: &Offsets) {
        if offsets.count == 0 {
            return;
        }
        match self.places.len() + offsets.count <= MOST {
            true => self.places.extend(offsets.all().map(|offset| image.raw() + offset)),
            false => self.overflowed = true,
        }
    }

    /// All of them in order, once each. `None` where not all were noted.
    pub(super) fn sorted(&self) -> Option<Vec<u64>> {
        if self.overflowed {
            return None;
        }
        let mut sorted = self.places.clone();
        sorted.sort_unstable();
        sorted.dedup();
        Some(sorted)
    }
}

/// Which of these, which are in order, lie in data of that place and length.
pub(super) fn of(sorted: &[u64], place: Place, length: u64) -> Range<usize> {
    let until = place.raw().saturating_add(length);
    sorted.partition_point(|at| *at < place.raw())..sorted.partition_point(|at| *at < until)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(all: impl IntoIterator<Item = usize>) -> Offsets {
        let mut offsets = Offsets::default();
        all.into_iter().for_each(|offset| offsets.add(offset));
        offsets
    }

    #[test]
    fn references_are_found_by_the_place_of_what_they_lie_in() {
        let (first, second) = (Place::new(2, 64), Place::new(2, 1024));
        let mut references = References::default();
        references.add(second, &offsets((0..10).map(|at| at * 16)));
        references.add(first, &offsets([24, 8, 24]));
        references.add(Place::new(3, 64), &offsets([0]));
        let sorted = references.sorted().unwrap();
        let of = |place, length| {
            let found = of(&sorted, place, length);
            sorted[found].iter().map(|at| at - Place::raw(place)).collect::<Vec<_>>()
        };
        assert_eq!(of(first, 32), [8, 24]);
        assert_eq!(of(first, 24), [8], "the other one begins behind it");
        assert_eq!(of(second, 160), (0..10).map(|at| at * 16).collect::<Vec<_>>());
        assert!(of(Place::new(2, 0), 64).is_empty() && of(Place::new(4, 0), 1 << 40).is_empty());
        references.clear();
        assert_eq!(references.sorted(), Some(Vec::new()));
    }

    #[test]
    fn of_too_many_none_are_known() {
        let mut references = References::default();
        let many = offsets((0..1000).map(|at| at * 16));
        for at in 0..66 {
            references.add(Place::new(2, at * 16_000), &many);
        }
        assert!(references.sorted().is_none());
        references.clear();
        assert!(references.sorted().is_some() && references.places.capacity() < MOST);
    }
}
