//! Time in which a thread that waits did not run: its process was stopped, its container frozen, its machine paused. The clock
//! goes on meanwhile, and nobody could have answered in that time. (While a machine sleeps the clock stands still by itself.)

use std::cell::Cell;

use crate::clock;

/// Nanoseconds that a wait with a deadline sleeps for at most before it looks again.
pub(crate) const LOOKS: u64 = 50_000_000;

/// Nanoseconds between two looks that no load of a machine explains.
const UNSEEN: u64 = 1_000_000_000;

/// Looks of a thread that waits.
#[derive(Debug)]
pub(crate) struct Watch(Cell<u64>);

impl Watch {
    /// Begins now.
    pub(crate) fn begin() -> Watch {
        Watch(Cell::new(clock::now()))
    }

    /// Looks, at this time. Comes with the nanoseconds since the last look in which this thread did not run; 0 where it did.
    pub(crate) fn look(&self, now: u64) -> u64 {
        let unseen = now.saturating_sub(self.0.replace(now));
        if unseen > UNSEEN { unseen - LOOKS } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_than_any_load_is_no_time_of_the_thread() {
        let watch = Watch(Cell::new(1));
        assert_eq!(watch.look(1 + LOOKS), 0);
        assert_eq!(watch.look(1 + LOOKS + UNSEEN), 0);
        assert_eq!(watch.look(2 + LOOKS + 2 * UNSEEN), UNSEEN + 1 - LOOKS);
        // It counts from the last look, and a clock that goes back is none.
        assert_eq!((watch.look(3 + LOOKS + 2 * UNSEEN), watch.look(5), watch.look(6)), (0, 0, 0));
    }
}
