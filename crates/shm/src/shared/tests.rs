//! Held parts are never granted, and what is read of them is there.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::memfd::{Seals, SegmentFile};

const LENGTH: usize = 64 * 1024;

fn segment() -> Arc<OutSegment> {
    let fork = Arc::new(ForkGuard::new().unwrap());
    OutSegment::new(SegmentFile::create(LENGTH, Seals::Reply).unwrap().1, &fork)
}

#[derive(Debug, Clone)]
enum Step {
    /// Takes so many bytes, from so far into the free part.
    Hold(usize, Index),
    Drop(Index),
}

fn step() -> impl Strategy<Value = Step> {
    let hold = (1..9000usize, any::<Index>()).prop_map(|(length, at)| Step::Hold(length, at));
    prop_oneof![3 => hold, 2 => any::<Index>().prop_map(Step::Drop)]
}

proptest! {
    #[test]
    fn what_is_held_is_not_free(steps in prop::collection::vec(step(), 1..60)) {
        let segment = segment();
        let mut held: Vec<(Range<usize>, SharedBuf)> = Vec::new();
        for step in steps {
            match step {
                Step::Hold(length, at) => {
                    let free = segment.free();
                    if length <= free.len() {
                        let start = free.start + at.index(free.len() - length + 1);
                        held.push((start..start + length, segment.hold(start..start + length)));
                    }
                }
                Step::Drop(_) if held.is_empty() => {}
                Step::Drop(index) => {
                    held.swap_remove(index.index(held.len()));
                }
            }
            let free = segment.free();
            prop_assert!(free.is_empty() || free.start.is_multiple_of(wire::BUFFER_ALIGN));
            prop_assert!(free.end <= LENGTH);
            prop_assert!(held.iter().all(|(part, _)| part.end <= free.start || free.end <= part.start));
            // No gap between two parts that are held is larger.
            let mut ends: Vec<usize> = held.iter().map(|(part, _)| part.end).chain([0]).collect();
            ends.sort_unstable();
            for end in ends {
                let start = end.next_multiple_of(wire::BUFFER_ALIGN);
                let until = held.iter().map(|(part, _)| part.start).filter(|&at| at >= end).min().unwrap_or(LENGTH);
                prop_assert!(until.saturating_sub(start) <= free.len());
            }
        }
        drop(held);
        prop_assert_eq!(segment.free(), 0..LENGTH);
    }
}

proptest! {
    #[test]
    fn parts_of_views_are_parts_of_the_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300), cuts: Vec<(Index, Index)>) {
        let shared = SharedBuf::copied(bytes.clone());
        let (mut view, mut slice) = (shared.view(), &bytes[..]);
        for (from, to) in cuts {
            let from = from.index(slice.len() + 1);
            let to = from + to.index(slice.len() - from + 1);
            (view, slice) = (view.slice(from..to), &slice[from..to]);
            prop_assert_eq!(view.to_vec(), slice);
            prop_assert_eq!((view.len(), view.get(slice.len())), (slice.len(), None));
            prop_assert!(view.iter().eq(slice.iter().copied()));
        }
    }
}

#[test]
fn the_same_part_twice_is_free_when_both_are_dropped() {
    let segment = segment();
    let (first, second) = (segment.hold(0..LENGTH), segment.hold(0..LENGTH));
    drop(first);
    assert!(segment.free().is_empty());
    drop(second);
    assert_eq!(segment.free(), 0..LENGTH);
}

#[test]
fn bytes_are_read_where_they_lie() {
    let segment = segment();
    let bytes: Vec<u8> = (0..10_000).map(|index| index as u8).collect();
    segment.mapping().copy_in(100, &bytes);
    let held = segment.hold(100..10_100);
    for shared in [&held, &SharedBuf::copied(bytes.clone())] {
        assert_eq!((shared.len(), shared.is_empty()), (10_000, false));
        assert_eq!(shared.to_vec(), bytes);
        let view = shared.view();
        assert_eq!((view.get(9_999), view.get(10_000)), (Some(bytes[9_999]), None));
        assert!(view.iter().eq(bytes.iter().copied()));
        assert_eq!(view.slice(5..9).to_vec(), bytes[5..9]);
        let mut seen = Vec::new();
        view.pieces(|piece| seen.extend_from_slice(piece));
        assert_eq!(seen, bytes);
        let mut some = [0; 7];
        shared.copy_to(9_993, &mut some);
        assert_eq!(some, bytes[9_993..]);
    }
    segment.mapping().store(100, 77u8);
    assert_eq!(held.view().get(0), Some(77), "nothing was copied");
    let copy = held.to_vec();
    segment.mapping().store(100, 78u8);
    assert_eq!(copy[0], 77, "a copy does not change");
    drop(segment);
    assert_eq!(held.view().get(0), Some(78), "it outlives its window");
}

#[test]
#[should_panic(expected = "bytes outside of a shared result")]
fn more_than_there_is_cannot_be_copied() {
    segment().hold(0..10).copy_to(5, &mut [0; 6]);
}

#[test]
#[should_panic(expected = "bytes outside of a shared result")]
fn an_offset_that_overflows_is_outside() {
    segment().hold(0..10).copy_to(usize::MAX, &mut [0; 6]);
}
