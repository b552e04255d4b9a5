//! The reply memory of a batch, copied at once: what its entries refer to is read there.

use super::reading::Reference;
use hotcell_protocol::Place;

/// Bytes of reply memory in private memory, and the place where they lay.
#[derive(Debug, Default)]
pub(super) struct Pool {
    segment: u16,
    start: u64,
    pub(super) bytes: Vec<u8>,
}

impl Pool {
    /// Memory for what lies there.
    pub(super) fn at(place: Place, mut bytes: Vec<u8>) -> Pool {
        bytes.clear();
        Pool { segment: place.segment(), start: place.offset(), bytes }
    }

    /// Whether nothing was copied.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What a reference points to, if all of it was copied.
    #[inline]
    pub(super) fn find(&self, from: Reference) -> Option<&[u8]> {
        let start = from.place.offset().checked_sub(self.start)?;
        let end = start.checked_add(from.length)?;
        if self.bytes.is_empty() || from.place.segment() != self.segment || end > self.bytes.len() as u64 {
            return None;
        }
        Some(&self.bytes[start as usize..end as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_all_there_is_not_found() {
        let mut pool = Pool::at(Place::new(1, 100), vec![9; 3]);
        pool.bytes.extend([1, 2, 3, 4]);
        let find = |place, length| pool.find(Reference { place, length });
        assert_eq!(find(Place::new(1, 100), 4), Some(&[1, 2, 3, 4][..]));
        assert_eq!(find(Place::new(1, 103), 1), Some(&[4][..]));
        assert_eq!(find(Place::new(1, 104), 0), Some(&[][..]));
        for (place, length) in [
            (Place::new(1, 99), 2),
            (Place::new(1, 103), 2),
            (Place::new(1, 105), 0),
            (Place::new(2, 100), 1),
            (Place::new(1, 101), u64::MAX),
            (Place::NULL, 0),
        ] {
            assert_eq!(find(place, length), None, "{place:?} {length}");
        }
        assert_eq!(Pool::default().find(Reference { place: Place::new(0, 0), length: 0 }), None);
    }
}
