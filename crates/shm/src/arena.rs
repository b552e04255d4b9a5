//! Where a lane's variable data lies: request memory the host fills, and the reply window it grants.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use hotcell_protocol::{Place, wire};

use crate::fork::ForkGuard;
use crate::mapping::Mapping;
use crate::shared::{OutSegment, SharedBuf};

/// The data memory of one lane. It starts without any and grows by whole segments, each at least twice as
/// big as the one before, so that a lane settles on one segment per direction.
#[derive(Debug, Default)]
pub struct Arena {
    request: Option<Grant>,
    /// Request segments that were outgrown during the call in progress: its references still point there.
    outgrown: Vec<Grant>,
    used: usize,
    /// Reply windows: the first `granted` belong to the call in progress, the announced one first of all. None is
    /// given up, so that calls of the same shape need no new ones.
    windows: Vec<Window>,
    /// Whether the first of them was announced: then every call has it from its start.
    announced: bool,
    /// The first of them that is not one of an outer call's: not 0 only in nested calls.
    first: usize,
    granted: usize,
}

mod flight;

/// Where a lane's data memory stood when a call was nested in another.
#[derive(Debug, Clone, Copy)]
pub struct Outer {
    /// The request segment in use.
    request: Option<u16>,
    used: usize,
    first: usize,
    granted: usize,
}

/// A segment the worker has mapped.
#[derive(Debug)]
pub struct Grant {
    /// Its number.
    pub id: u16,
    /// The host's map.
    pub mapping: Mapping,
}

/// The reply memory a lane grants to its calls.
#[derive(Debug)]
pub struct Window {
    id: u16,
    segment: Arc<OutSegment>,
    /// What is granted of it: the rest is held by callers.
    part: Range<usize>,
}

/// A reply window that a call was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted {
    /// Where it starts.
    pub place: Place,
    /// Its bytes.
    pub length: u64,
    /// Whether it is the largest from now on, or what is left of it, and to be announced. A nested call's never is, for
    /// it belongs to no call after it.
    pub announce: bool,
}

/// Smallest segment added: small enough to be cheap, big enough to be the only one for most callers.
const SMALLEST: usize = 1 << 20;

/// How many times what a call may return all windows of a lane may have. Calls of one shape find theirs in less than three
/// times as much.
const WINDOWS: u64 = 4;

/// As many bytes may always be there.
const WINDOWS_AT_LEAST: u64 = 64 << 20;

impl Arena {
    /// Forgets the data of the call before. Comes with the window in force where that is not what was announced: parts of
    /// it were taken, or have come back.
    #[inline]
    pub fn reset(&mut self) -> Option<Granted> {
        self.used = 0;
        self.outgrown.clear();
        self.first = 0;
        self.granted = usize::from(self.announced);
        let touched = self.announced && self.windows.first().is_some_and(Window::is_touched);
        if touched { self.announce_largest() } else { None }
    }

    /// Puts the largest window in front, now that no call has any. Comes with it where that is another than before.
    fn announce_largest(&mut self) -> Option<Granted> {
        let of = |window: &Window| (window.place(), window.part.len() as u64);
        let before = self.windows.first().map(of)?;
        let granted = self.put_largest_first()?;
        ((granted.place, granted.length) != before).then_some(granted)
    }

    fn put_largest_first(&mut self) -> Option<Granted> {
        self.windows.iter_mut().for_each(Window::measure);
        let (largest, window) =
            self.windows.iter().enumerate().max_by_key(|(_, window)| window.part.len())?;
        let granted = Granted { place: window.place(), length: window.part.len() as u64, announce: true };
        self.windows[..=largest].rotate_right(1);
        Some(granted)
    }

    /// Begins the data of a call nested in the one in progress: behind that one's, and without a window.
    pub fn descend(&mut self) -> Outer {
        let request = self.request.as_ref().map(|grant| grant.id);
        let outer = Outer { request, used: self.used, first: self.first, granted: self.granted };
        self.first = self.granted;
        outer
    }

    /// Forgets the data of a nested call.
    pub fn ascend(&mut self, outer: Outer) {
        // A segment that came into use meanwhile holds nothing of the outer call.
        let same = self.request.as_ref().map(|grant| grant.id) == outer.request;
        self.used = if same { outer.used } else { 0 };
        (self.first, self.granted) = (outer.first, outer.granted);
    }

    /// Copies data (and `tail` zero bytes) behind the call's earlier data. `None` when there is no room:
    /// add a segment of [`Arena::wanted`] bytes and try again.
    pub fn copy_in(&mut self, bytes: &[u8], tail: usize) -> Option<Place> {
        self.copy_parts_in(&[bytes], tail)
    }

    /// As [`Arena::copy_in`], of data that come in parts: they lie one behind the other.
    #[inline]
    pub fn copy_parts_in(&mut self, parts: &[&[u8]], tail: usize) -> Option<Place> {
        let grant = self.request.as_ref()?;
        let bytes = parts.iter().map(|part| part.len()).sum::<usize>();
        let end = self.used.checked_add(bytes)?.checked_add(tail)?;
        if end > grant.mapping.length() {
            return None;
        }
        let mut at = self.used;
        for part in parts {
            grant.mapping.copy_in(at, part);
            at += part.len();
        }
        grant.mapping.zero(at, tail);
        let place = Place::new(grant.id, self.used as u64);
        self.used = end.next_multiple_of(wire::BUFFER_ALIGN);
        Some(place)
    }

    /// Says that another call will have about as many data as this one: asks for the lines that they will be stored into, which the
    /// worker has, while something else is done.
    #[inline]
    pub fn expect_data(&self) {
        if self.used > 0 {
            self.expect_lines();
        }
    }

    fn expect_lines(&self) {
        /// No more lines than are on their way before they are needed.
        const MOST: usize = 32;
        let Some(grant) = self.request.as_ref() else { return };
        for line in 0..self.used.div_ceil(wire::LINE).min(MOST) {
            grant.mapping.expect_store(line * wire::LINE);
        }
    }

    /// As [`Arena::copy_parts_in`], of what the worker reads before its next message: what comes behind it may lie in its place.
    pub fn lend_in(&mut self, parts: &[&[u8]]) -> Option<Place> {
        let used = self.used;
        let place = self.copy_parts_in(parts, 0);
        self.used = used;
        place
    }

    /// The map with these bytes of request memory, and where they start, if data of a call may lie there.
    pub(crate) fn lent(&self, place: Place, length: u64) -> Option<(&Mapping, usize)> {
        let mut grants = self.request.iter().chain(&self.outgrown);
        let grant = grants.find(|grant| grant.id == place.segment())?;
        let lies = grant.mapping.holds(place.offset(), length);
        lies.then_some((&grant.mapping, place.offset() as usize))
    }

    /// Bytes the next request segment should have to hold `needed`.
    pub fn wanted(&self, needed: usize) -> usize {
        padded(self.request.as_ref().map_or(0, |grant| grant.mapping.length()), needed)
    }

    /// Bytes the next reply window should have to hold `needed`.
    pub fn wanted_window(&self, needed: usize) -> usize {
        padded(self.windows.iter().map(|window| window.segment.length()).max().unwrap_or(0), needed)
    }

    /// Bytes the next reply window should have to hold `needed`, where a call may be granted `limit`. None when all windows
    /// together, what callers hold of them included, would have more than [`Arena::most_window_bytes`].
    pub fn next_window(&self, needed: usize, limit: usize) -> Option<usize> {
        let have: u64 = self.windows.iter().map(|window| window.segment.length() as u64).sum();
        let fits = |bytes: &usize| have.saturating_add(*bytes as u64) <= Arena::most_window_bytes(limit);
        let bounded = |bytes: usize| bytes.min(limit).max(needed);
        [self.wanted_window(needed), padded(0, needed)].map(bounded).into_iter().find(fits)
    }

    /// Most bytes of all windows of a lane: a worker that asks for ever more space, over any number of calls, gets no more.
    pub fn most_window_bytes(limit: usize) -> u64 {
        (limit as u64).saturating_mul(WINDOWS).max(WINDOWS_AT_LEAST)
    }

    /// Puts a new request segment in use.
    pub fn add_request(&mut self, grant: Grant) {
        self.used = 0;
        self.outgrown.extend(self.request.replace(grant));
    }

    /// Grants a new reply window to the call in progress. Earlier ones stay granted until it ends, for C may
    /// hold pointers into them.
    pub fn add_window(&mut self, window: Window, nested: bool) -> Granted {
        self.windows.push(window);
        self.grant(self.windows.len() - 1, nested)
    }

    /// Grants a window that an earlier call left behind, if one is big enough.
    pub fn regrant(&mut self, needed: usize, nested: bool) -> Option<Granted> {
        let spare = &mut self.windows[self.granted..];
        let found = spare.iter_mut().position(|window| {
            window.measure();
            window.part.len() >= needed
        })?;
        Some(self.grant(self.granted + found, nested))
    }

    fn grant(&mut self, index: usize, nested: bool) -> Granted {
        let length = self.windows[index].part.len();
        let announced = self.windows.first().filter(|_| self.announced);
        let announce = !nested && announced.is_none_or(|window| window.part.len() < length);
        let at = if announce { 0 } else { self.granted };
        self.announced |= announce;
        self.granted += 1;
        self.windows[at..=index].rotate_right(1);
        Granted { place: self.windows[at].place(), length: length as u64, announce }
    }

    /// The map with these bytes, and where they are, if they were granted to the call in progress.
    pub(crate) fn granted(&self, place: Place, length: u64) -> Option<(&Mapping, Range<usize>)> {
        let (window, part) = self.window_with(place, length)?;
        Some((window.segment.mapping(), part))
    }

    /// Leaves bytes that were granted to the call in progress to the caller: until what this gives is dropped, no call is
    /// granted them again.
    pub fn hold(&self, place: Place, length: u64) -> Option<SharedBuf> {
        let (window, part) = self.window_with(place, length)?;
        (!part.is_empty()).then(|| window.segment.hold(part))
    }

    /// Whether callers hold parts of windows.
    pub fn holds_results(&self) -> bool {
        self.windows.iter().any(|window| Arc::strong_count(&window.segment) > 1)
    }

    fn window_with(&self, place: Place, length: u64) -> Option<(&Window, Range<usize>)> {
        let mut granted = self.windows[self.first..self.granted].iter();
        let window = granted.find(|window| window.id == place.segment())?;
        let (start, length) = (usize::try_from(place.offset()).ok()?, usize::try_from(length).ok()?);
        let end = start.checked_add(length)?;
        (window.part.start <= start && end <= window.part.end).then_some((window, start..end))
    }
}

impl Window {
    /// A segment that the worker has under this number.
    pub fn new(id: u16, mapping: Mapping, fork: &Arc<ForkGuard>) -> Window {
        let part = 0..mapping.length();
        Window { id, segment: OutSegment::new(mapping, fork), part }
    }

    /// The window as the wire names it.
    fn place(&self) -> Place {
        Place::new(self.id, self.part.start as u64)
    }

    /// Whether parts are held, or were when it was measured.
    #[inline]
    fn is_touched(&self) -> bool {
        let held = Arc::strong_count(&self.segment) > 1;
        // Partner: the release with which an `Arc` is dropped. What was read there comes before what the worker writes.
        fence(Ordering::Acquire);
        held || self.part.len() != self.segment.length()
    }

    /// Finds what can be granted. No call may have it meanwhile.
    fn measure(&mut self) {
        if self.is_touched() {
            self.part = self.segment.free();
        }
    }
}

fn padded(current: usize, needed: usize) -> usize {
    grown(current, needed.saturating_add(wire::BUFFER_ALIGN))
}

/// Bytes of the segment after one of `current` bytes, when it has to hold `needed`.
pub(crate) fn grown(current: usize, needed: usize) -> usize {
    needed.max(current.saturating_mul(2)).max(SMALLEST).checked_next_power_of_two().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod hostile;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memfd::{Seals, SegmentFile};

    pub(super) fn grant(id: u16, length: usize) -> Grant {
        Grant { id, mapping: SegmentFile::create(length, Seals::Request).unwrap().1 }
    }

    pub(super) fn window(id: u16, length: usize) -> Window {
        let fork = Arc::new(ForkGuard::new().unwrap());
        Window::new(id, SegmentFile::create(length, Seals::Reply).unwrap().1, &fork)
    }

    pub(super) fn has(arena: &Arena, id: u16) -> bool {
        arena.granted(Place::new(id, 0), 1).is_some()
    }

    #[test]
    fn data_is_aligned_and_never_overlaps() {
        let mut arena = Arena::default();
        assert_eq!(arena.copy_in(b"x", 0), None);
        arena.add_request(grant(2, 4096));
        let first = arena.copy_in(b"abc", 1).unwrap();
        let second = arena.copy_in(b"defg", 0).unwrap();
        assert_eq!((first.segment(), first.offset()), (2, 0));
        assert_eq!((second.segment(), second.offset()), (2, 64));
        assert_eq!(arena.copy_in(&[0; 4096], 0), None);
        arena.reset();
        assert_eq!(arena.copy_in(b"abc", 0), Some(first));
    }

    #[test]
    fn windows_are_granted_again() {
        let mut arena = Arena::default();
        arena.reset();
        assert!(arena.add_window(window(2, 4096), false).announce);
        assert!(!arena.add_window(window(3, 4096), false).announce);
        assert!(arena.add_window(window(4, 8192), false).announce);
        assert!([2, 3, 4].iter().all(|&id| has(&arena, id)));
        arena.reset();
        assert!(has(&arena, 4), "the largest is there from the start");
        assert!([2, 3].iter().all(|&id| !has(&arena, id)));
        assert!(arena.regrant(5000, false).is_none());
        assert!(arena.regrant(4096, false).is_some_and(|granted| !granted.announce));
        assert!(arena.regrant(4096, false).is_some());
        assert!(arena.regrant(1, false).is_none());
        assert!([2, 3, 4].iter().all(|&id| has(&arena, id)));
    }

    #[test]
    fn windows_never_have_more_together_than_is_bounded() {
        const LIMIT: usize = 32 << 20;
        let most = Arena::most_window_bytes(LIMIT);
        assert_eq!(most, 4 * LIMIT as u64);
        for needed in [1, 4096, LIMIT / 60, LIMIT / 3, LIMIT] {
            let mut arena = Arena::default();
            let mut have = 0;
            for id in 2.. {
                let Some(bytes) = arena.next_window(needed, LIMIT) else { break };
                assert!((needed..=LIMIT).contains(&bytes));
                have += bytes as u64;
                arena.add_window(window(id, bytes), false);
            }
            // All but what one more would have.
            assert!(have <= most && have + 2 * needed.max(SMALLEST) as u64 > most, "{needed}: {have}");
        }
        assert_eq!(
            Arena::default().next_window(LIMIT + 1, LIMIT),
            Some(LIMIT + 1),
            "a limit is kept elsewhere"
        );
    }

    #[test]
    fn nested_calls_leave_an_outer_calls_data_alone() {
        let mut arena = Arena::default();
        arena.reset();
        arena.add_request(grant(2, 4096));
        let outer = arena.copy_in(b"outer", 0).unwrap();
        assert!(arena.add_window(window(3, 4096), false).announce);
        for _ in 0..1000 {
            let level = arena.descend();
            let nested = arena.copy_in(&[1; 1000], 0).unwrap();
            assert_eq!((nested.segment(), nested.offset()), (2, 64), "behind the outer call's");
            assert!(!has(&arena, 3), "its windows are its own");
            arena.ascend(level);
        }
        let level = arena.descend();
        assert!(arena.regrant(1, true).is_none());
        assert!(!arena.add_window(window(4, 8192), true).announce, "never announced");
        assert_eq!(arena.wanted_window(1), SMALLEST.max(4 * 4096));
        assert!(has(&arena, 4));
        arena.add_request(grant(5, 8192));
        assert_eq!(arena.copy_in(b"nested", 0).unwrap().offset(), 0);
        let deeper = arena.descend();
        assert_eq!(arena.copy_in(b"deeper", 0).unwrap().offset(), 64);
        assert!(!has(&arena, 4));
        arena.ascend(deeper);
        assert_eq!(arena.copy_in(b"nested", 0).unwrap().offset(), 64);
        arena.ascend(level);
        assert!(has(&arena, 3) && !has(&arena, 4));
        assert_ne!(arena.copy_in(b"outer", 0), Some(outer));
        arena.reset();
        assert!(has(&arena, 3), "what was announced is in force again");
        let again = Granted { place: Place::new(4, 0), length: 8192, announce: true };
        assert_eq!(arena.regrant(8192, false), Some(again), "it is the largest");
        arena.reset();
        assert!(has(&arena, 4) && !has(&arena, 3));
    }

    #[test]
    fn a_window_is_in_force_once_it_was_announced() {
        let mut arena = Arena::default();
        arena.reset();
        let level = arena.descend();
        assert!(!arena.add_window(window(2, 4096), true).announce);
        arena.ascend(level);
        assert!(!has(&arena, 2), "it was the nested call's");
        arena.reset();
        assert!(!has(&arena, 2), "nobody was told of it");
        let level = arena.descend();
        assert!(arena.regrant(1, true).is_some_and(|granted| !granted.announce));
        arena.ascend(level);
        arena.reset();
        let granted = Granted { place: Place::new(2, 0), length: 4096, announce: true };
        assert_eq!(arena.regrant(1, false), Some(granted), "an outer call finds it");
        arena.reset();
        assert!(has(&arena, 2));
    }

    #[test]
    fn what_is_held_is_not_granted() {
        let mut arena = Arena::default();
        assert_eq!(arena.reset(), None);
        assert!(arena.add_window(window(2, 65536), false).announce);
        assert!(arena.hold(Place::new(2, 0), 0).is_none() && arena.hold(Place::new(2, 1), 65536).is_none());
        let first = arena.hold(Place::new(2, 0), 1000).unwrap();
        assert!(arena.granted(Place::new(2, 0), 1000).is_some(), "until the call is over");
        let rest = Granted { place: Place::new(2, 1024), length: 65536 - 1024, announce: true };
        assert_eq!(arena.reset(), Some(rest), "what is left is announced");
        assert_eq!(arena.reset(), None, "once");
        for (offset, length) in [(0, 1000), (1000, 24), (1023, 2), (1024, 65536 - 1023)] {
            assert!(arena.granted(Place::new(2, offset), length).is_none(), "{offset}");
        }
        assert!(arena.granted(Place::new(2, 1024), 65536 - 1024).is_some());
        let all = arena.hold(Place::new(2, 1024), 65536 - 1024).unwrap();
        assert_eq!(arena.reset().map(|granted| granted.length), Some(0));
        assert!(arena.regrant(1, false).is_none() && arena.granted(Place::new(2, 0), 1).is_none());
        assert!(arena.add_window(window(3, 4096), false).announce, "it is larger than what is left");
        drop(first);
        assert!(arena.holds_results());
        assert_eq!(arena.reset(), None);
        drop(all);
        assert!(!arena.holds_results());
        assert_eq!(arena.regrant(5000, false).map(|granted| granted.length), Some(65536));
        assert!(has(&arena, 2) && has(&arena, 3));
        assert_eq!(arena.reset(), None, "the larger one was announced meanwhile");
        assert!(has(&arena, 2) && !has(&arena, 3));
    }

    #[test]
    fn the_largest_free_part_is_announced() {
        let mut arena = Arena::default();
        arena.reset();
        arena.add_window(window(2, 65536), false);
        arena.add_window(window(3, 65536), false);
        let held = arena.hold(Place::new(2, 0), 40_000).unwrap();
        let other = Granted { place: Place::new(3, 0), length: 65536, announce: true };
        assert_eq!(arena.reset(), Some(other));
        let small = arena.hold(Place::new(3, 60_000), 1).unwrap();
        let part = Granted { place: Place::new(3, 0), length: 60_000, announce: true };
        assert_eq!(arena.reset(), Some(part));
        drop((held, small));
        assert!(arena.reset().is_some_and(|granted| granted.length == 65536));
    }

    #[test]
    fn segments_at_least_double() {
        let mut arena = Arena::default();
        assert_eq!(arena.wanted(1), SMALLEST);
        arena.add_request(grant(2, 4 * SMALLEST));
        assert_eq!(arena.wanted(1), 8 * SMALLEST);
        assert_eq!(arena.wanted(8 * SMALLEST), 16 * SMALLEST);
        assert_eq!(arena.wanted(usize::MAX), usize::MAX);
    }
}
