//! The data memory of a lane while several calls are in flight: arguments lie one behind the other, and windows belong to the one
//! call that is waited for.

use super::{Arena, Granted};

/// Calls that are to have been sent before others wait for the start of the segment: fewer are worth a larger one.
const ENOUGH: u32 = 16;

/// A segment of so many bytes is large enough, however few calls it holds.
const LARGE: usize = 8 << 20;

impl Arena {
    /// Begins anew, for calls that will be in flight together; none is.
    pub fn begin_flight(&mut self) {
        self.used = 0;
        self.outgrown.clear();
        (self.first, self.granted) = (0, 0);
    }

    /// No window is in force from the start of a call from now on. Comes with whether one was announced, which is to be taken
    /// back: before the first call is sent.
    #[inline]
    pub fn withdraw(&mut self) -> bool {
        std::mem::take(&mut self.announced)
    }

    /// None is in flight any more, and the largest window is in force from the start of a call again: it is to be announced.
    pub fn announce_again(&mut self) -> Option<Granted> {
        let granted = self.put_largest_first()?;
        self.announced = true;
        Some(granted)
    }

    /// Takes back the windows of the call that was waited for: its results were copied.
    pub fn end_of_flight(&mut self) {
        (self.first, self.granted) = (0, 0);
    }

    /// Whether the next call should wait until none is in flight, and the segment is free again. `sent` calls have used it since
    /// it was.
    pub fn is_crowded(&self, sent: u32) -> bool {
        let length = self.request.as_ref().map_or(0, |grant| grant.mapping.length());
        self.used > length / 2 && (sent >= ENOUGH || length >= LARGE)
    }
}

#[cfg(test)]
mod tests {
    use hotcell_protocol::Place;

    use super::super::tests::{grant, has, window};
    use super::*;

    #[test]
    fn a_call_in_flight_has_windows_of_its_own_and_none_is_announced() {
        let mut arena = Arena::default();
        arena.reset();
        assert!(arena.add_window(window(2, 4096), false).announce);
        arena.begin_flight();
        assert!(arena.withdraw(), "it is to be taken back");
        assert!(!has(&arena, 2));
        assert!(!arena.withdraw());
        for _ in 0..3 {
            let granted = arena.regrant(4096, true).unwrap();
            assert!(!granted.announce && granted.place == Place::new(2, 0));
            assert!(has(&arena, 2));
            assert!(!arena.add_window(window(3, 8192), true).announce);
            assert!(has(&arena, 2) && has(&arena, 3));
            arena.end_of_flight();
            assert!(!has(&arena, 2) && !has(&arena, 3));
        }
        let largest = Granted { place: Place::new(3, 0), length: 8192, announce: true };
        assert_eq!(arena.announce_again(), Some(largest));
        assert_eq!(arena.reset(), None);
        assert!(has(&arena, 3) && !has(&arena, 2), "a call by itself has it from its start");
        arena.begin_flight();
        assert_eq!(arena.reset(), None);
        assert!(has(&arena, 3), "a call that was not sent took nothing back");
    }

    /// What callers hold is not announced behind a flight, and without any there is nothing to announce.
    #[test]
    fn what_is_held_is_not_announced_behind_calls_in_flight() {
        let mut arena = Arena::default();
        arena.begin_flight();
        assert!(!arena.withdraw());
        assert_eq!(arena.announce_again(), None, "there is none");
        assert_eq!(arena.reset(), None);
        arena.begin_flight();
        arena.add_window(window(2, 65536), true);
        let held = arena.hold(Place::new(2, 0), 1000).unwrap();
        arena.end_of_flight();
        let rest = Granted { place: Place::new(2, 1024), length: 65536 - 1024, announce: true };
        assert_eq!(arena.announce_again(), Some(rest));
        assert_eq!(arena.reset(), None, "it is announced already");
        assert!(!has(&arena, 2) && arena.granted(Place::new(2, 1024), 64512).is_some());
        drop(held);
        assert!(arena.reset().is_some_and(|granted| granted.length == 65536));
    }

    #[test]
    fn arguments_in_flight_never_overlap_and_the_segment_is_used_again() {
        let mut arena = Arena::default();
        assert!(!arena.is_crowded(1000), "there is nothing yet");
        arena.begin_flight();
        arena.add_request(grant(2, 1 << 20));
        let mut end = 0;
        let mut sent = 0;
        while !arena.is_crowded(sent) {
            let place = arena.copy_in(&[1; 5000], 1).unwrap();
            assert!(place.segment() == 2 && place.offset() >= end);
            end = place.offset() + 5001;
            sent += 1;
        }
        assert!(end > 1 << 19 && sent > ENOUGH);
        arena.begin_flight();
        assert!(!arena.is_crowded(sent));
        assert_eq!(arena.copy_in(&[1; 600_000], 0), Some(Place::new(2, 0)));
        assert!(!arena.is_crowded(1), "few and large calls get a larger one");
        assert_eq!(arena.copy_in(&[1; 600_000], 0), None);
        arena.add_request(grant(3, LARGE));
        arena.copy_in(&vec![1; LARGE / 2 + 1], 0).unwrap();
        assert!(arena.is_crowded(2));
    }
}
