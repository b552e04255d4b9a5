//! Whatever place a worker names: only what was granted to the call in progress is found, whatever came before.

use proptest::prelude::*;
use proptest::sample::Index;

use super::tests::window;
use super::*;

/// What becomes of an arena.
#[derive(Debug, Clone)]
enum Step {
    /// The next call begins.
    Reset,
    /// A window of so many pages is added, or one that an earlier call left.
    Add(usize),
    Regrant(usize),
    /// A call nested in this one begins, or the innermost ends.
    Descend,
    Ascend,
    /// Some of what is granted is held, or let go.
    Hold(Index, Index, Index),
    Drop(Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Reset),
        2 => (1..20usize).prop_map(Step::Add),
        3 => (0..80_000usize).prop_map(Step::Regrant),
        2 => Just(Step::Descend),
        2 => Just(Step::Ascend),
        3 => any::<(Index, Index, Index)>().prop_map(|(which, from, to)| Step::Hold(which, from, to)),
        2 => any::<Index>().prop_map(Step::Drop),
    ]
}

/// A part of a segment.
type Part = (u16, Range<u64>);

fn part(granted: &Granted) -> Part {
    let start = granted.place.offset();
    (granted.place.segment(), start..start + granted.length)
}

/// What an arena should grant, written down as it says so.
#[derive(Default)]
struct Book {
    /// What every call has from its start.
    announced: Option<Part>,
    /// What the call in progress has, and the calls around it.
    granted: Vec<Part>,
    around: Vec<(Outer, Vec<Part>)>,
    held: Vec<(Part, SharedBuf)>,
    /// The number of the last segment.
    last: u16,
}

impl Book {
    /// Notes what was granted. Nothing of it may be held, or be another call's.
    fn note(&mut self, granted: &Granted) -> Result<(), TestCaseError> {
        let (id, range) = part(granted);
        let apart = |other: &Part| other.0 != id || range.end <= other.1.start || other.1.end <= range.start;
        prop_assert!(self.held.iter().all(|(other, _)| apart(other)), "somebody holds it");
        prop_assert!(self.granted.iter().chain(self.around.iter().flat_map(|it| &it.1)).all(apart));
        prop_assert!(!granted.announce || self.around.is_empty(), "a nested call's is never announced");
        if granted.announce {
            self.announced = Some((id, range.clone()));
        }
        self.granted.push((id, range));
        Ok(())
    }

    /// Whether a worker may name these bytes.
    fn allows(&self, segment: u16, offset: u64, length: u64) -> bool {
        let end = u128::from(offset) + u128::from(length);
        self.granted
            .iter()
            .any(|(id, part)| *id == segment && part.start <= offset && end <= u128::from(part.end))
    }
}

/// Places and lengths about the ends of what there is, and far from them.
fn lies(book: &Book) -> Vec<(u16, u64, u64)> {
    let parts = book.granted.iter().chain(book.around.iter().flat_map(|it| &it.1)).chain(&book.announced);
    let parts: Vec<Part> = parts.cloned().chain(book.held.iter().map(|it| it.0.clone())).collect();
    let mut lies = Vec::new();
    for (id, part) in parts {
        let length = part.end - part.start;
        let offsets =
            [part.start.wrapping_sub(1), part.start, part.start + 1, part.end - 1, part.end, part.end + 1];
        let lengths =
            [0, 1, length.wrapping_sub(1), length, length + 1, 1 << 32, (1 << 48) - 1, 1 << 63, u64::MAX];
        for offset in offsets.into_iter().chain([0, (1 << 48) - 1]).filter(|offset| *offset < 1 << 48) {
            lies.extend(lengths.map(|length| (id, offset, length)));
            lies.extend([0, 1, id + 1, wire::SEGMENT_BATCH, u16::MAX].map(|segment| (segment, offset, 1)));
        }
    }
    lies
}

fn take_step(arena: &mut Arena, book: &mut Book, step: Step) -> Result<(), TestCaseError> {
    let nested = !book.around.is_empty();
    match step {
        // Calls that are nested end first.
        Step::Reset if nested => {}
        Step::Reset => {
            book.granted.clear();
            let touched = arena.reset();
            match &touched {
                Some(granted) => book.note(granted)?,
                None => book.granted.extend(book.announced.clone()),
            }
        }
        Step::Add(pages) => {
            book.last += 1;
            let granted = arena.add_window(window(book.last, pages * 4096), nested);
            prop_assert_eq!(part(&granted), (book.last, 0..pages as u64 * 4096));
            book.note(&granted)?;
        }
        Step::Regrant(needed) => {
            if let Some(granted) = arena.regrant(needed, nested) {
                prop_assert!(granted.length >= needed as u64);
                book.note(&granted)?;
            }
        }
        Step::Descend => book.around.push((arena.descend(), std::mem::take(&mut book.granted))),
        Step::Ascend => {
            if let Some((outer, granted)) = book.around.pop() {
                arena.ascend(outer);
                book.granted = granted;
            }
        }
        Step::Hold(..) if book.granted.is_empty() => {}
        Step::Hold(which, from, to) => {
            let (id, part) = book.granted[which.index(book.granted.len())].clone();
            let length = (part.end - part.start) as usize;
            let start = from.index(length + 1);
            let bytes = to.index(length - start + 1) as u64;
            let start = part.start + start as u64;
            let held = arena.hold(Place::new(id, start), bytes);
            prop_assert_eq!(held.is_some(), bytes > 0);
            book.held.extend(held.map(|held| ((id, start..start + bytes), held)));
        }
        Step::Drop(_) if book.held.is_empty() => {}
        Step::Drop(which) => drop(book.held.swap_remove(which.index(book.held.len()))),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn only_what_was_granted_is_found(steps in prop::collection::vec(step(), 1..40)) {
        let (mut arena, mut book) = (Arena::default(), Book { last: 1, ..Book::default() });
        for step in steps {
            take_step(&mut arena, &mut book, step)?;
            for (segment, offset, length) in lies(&book) {
                let place = Place::from_raw(u64::from(segment) << wire::PLACE_SEGMENT_SHIFT | offset);
                let allowed = book.allows(segment, offset, length);
                let found = arena.granted(place, length);
                prop_assert_eq!(found.is_some(), allowed, "{}:{}+{}", segment, offset, length);
                if let Some((mapping, range)) = found {
                    prop_assert_eq!((range.start as u64, range.len() as u64), (offset, length));
                    prop_assert!(range.end <= mapping.length());
                }
                prop_assert!(allowed || arena.hold(place, length).is_none());
            }
        }
    }

    #[test]
    fn data_of_calls_lies_behind_that_of_calls_around(
        lengths in prop::collection::vec((0..9000usize, 0..3usize, 0..3u8), 1..60),
    ) {
        let mut arena = Arena::default();
        let (mut around, mut taken, mut last) = (Vec::new(), vec![Vec::<Part>::new()], 1);
        for (length, tail, what) in lengths {
            match what {
                0 if around.len() < 8 => {
                    around.push(arena.descend());
                    taken.push(Vec::new());
                }
                1 if !around.is_empty() => {
                    arena.ascend(around.pop().unwrap());
                    taken.pop();
                }
                _ => {}
            }
            let data = vec![1; length];
            let place = arena.copy_in(&data, tail).unwrap_or_else(|| {
                last += 1;
                arena.add_request(super::tests::grant(last, (length + tail).next_power_of_two().max(16_384)));
                arena.copy_in(&data, tail).unwrap()
            });
            let range = place.offset()..place.offset() + (length + tail) as u64;
            prop_assert!(place.offset().is_multiple_of(wire::BUFFER_ALIGN as u64));
            let apart = |(id, other): &Part| {
                *id != place.segment() || range.end <= other.start || other.end <= range.start
            };
            prop_assert!(taken.iter().flatten().all(apart), "another call's data");
            taken.last_mut().unwrap().push((place.segment(), range));
        }
    }
}
