//! Buffers never overlap, and lie where the worker finds them.

use std::convert::Infallible;
use std::thread;

use proptest::prelude::*;
use proptest::sample::Index;

use rustix::io::Errno;

use super::room::UNIT;
use super::*;
use crate::mapping::{Access, Mapping};

fn buffers() -> Buffers {
    Buffers::new(&Arc::new(ForkGuard::new().unwrap()))
}

/// Gives the segment to a worker that takes it under this number.
fn given(buffers: &Buffers, data: &[u8], generation: u64, id: Option<u16>) -> Option<Place> {
    buffers.find(data)?.place::<Infallible>(generation, |_| Ok(id)).unwrap()
}

#[derive(Debug, Clone)]
enum Step {
    /// Makes a buffer of so many bytes.
    Make(usize),
    /// Drops one of those that are there.
    Drop(Index),
}

fn step() -> impl Strategy<Value = Step> {
    let length = prop_oneof![0..300usize, 900..9000usize, 60_000..70_000usize, 500_000..600_000usize];
    prop_oneof![3 => length.prop_map(Step::Make), 2 => any::<Index>().prop_map(Step::Drop)]
}

/// Marks each line of a buffer, and its last byte.
fn mark(buffer: &mut [u8], number: u8) {
    buffer.iter_mut().step_by(UNIT).for_each(|byte| *byte = number);
    buffer.last_mut().into_iter().for_each(|byte| *byte = number);
}

proptest! {
    #[test]
    fn buffers_never_overlap(steps in prop::collection::vec(step(), 1..80)) {
        let buffers = buffers();
        let mut living: Vec<(u8, InBuf)> = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Make(length) => {
                    let mut made = buffers.allocate(length, 1).unwrap();
                    prop_assert_eq!(made.len(), length);
                    prop_assert_eq!(made.as_ptr().addr() % UNIT, 0);
                    mark(&mut made, number as u8);
                    living.push((number as u8, made));
                }
                Step::Drop(_) if living.is_empty() => {}
                Step::Drop(index) => {
                    living.swap_remove(index.index(living.len()));
                }
            }
        }
        let mut ranges: Vec<_> = living.iter().map(|(_, it)| it.as_ptr_range()).collect();
        ranges.sort_by_key(|range| range.start);
        prop_assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start));
        for (mark, buffer) in &living {
            let whole = buffer.iter().step_by(UNIT).chain(buffer.last()).all(|byte| byte == mark);
            prop_assert!(whole, "somebody else wrote into a buffer");
        }
    }
}

#[test]
fn the_worker_finds_the_bytes_where_it_is_told() {
    let buffers = buffers();
    let _first = buffers.allocate(5000, 1).unwrap();
    let mut second = buffers.allocate(100_000, 1).unwrap();
    second[70_000..70_004].copy_from_slice(b"here");
    let found = buffers.find(&second[70_000..]).unwrap();
    let mut map: Option<Mapping> = None;
    let give = |file: &SegmentFile| {
        assert_eq!(file.map(Access::ReadWrite).unwrap_err(), Errno::PERM);
        map = Some(file.map(Access::ReadOnly).unwrap());
        Ok::<_, Infallible>(Some(7))
    };
    let place = found.place(1, give).unwrap().unwrap();
    assert_eq!(place.segment(), 7);
    let mut seen = [0; 4];
    map.unwrap().copy_out(place.offset() as usize, &mut seen);
    assert_eq!(&seen, b"here");
    // It has the segment now.
    let again =
        buffers.find(&second).unwrap().place::<Infallible>(1, |_| panic!("it has it already")).unwrap();
    assert_eq!(again, Some(Place::new(7, place.offset() - 70_000)));
}

proptest! {
    #[test]
    fn the_worker_finds_every_part_of_every_buffer(
        lengths in prop::collection::vec(1..50_000usize, 1..8),
        parts in prop::collection::vec(any::<(Index, Index, Index)>(), 1..20),
    ) {
        let buffers = buffers();
        let mut made: Vec<InBuf> = lengths.iter().map(|&length| buffers.allocate(length, 1).unwrap()).collect();
        for (number, buffer) in made.iter_mut().enumerate() {
            buffer.iter_mut().enumerate().for_each(|(at, byte)| *byte = (at ^ (at >> 8)) as u8 ^ number as u8);
        }
        let mut maps: Vec<Mapping> = Vec::new();
        for (which, from, to) in parts {
            let buffer = &made[which.index(made.len())];
            let from = from.index(buffer.len() + 1);
            let data = &buffer[from..from + to.index(buffer.len() - from + 1)];
            let found = buffers.find(data).unwrap();
            let place = found.place::<Infallible>(1, |file| {
                maps.push(file.map(Access::ReadOnly).unwrap());
                Ok(Some(1 + maps.len() as u16))
            });
            let place = place.unwrap().unwrap();
            let map = &maps[usize::from(place.segment()) - 2];
            prop_assert!(map.holds(place.offset(), data.len() as u64));
            let mut seen = vec![0; data.len()];
            map.copy_out(place.offset() as usize, &mut seen);
            prop_assert_eq!(&seen[..], data);
        }
    }
}

#[test]
fn a_segment_is_given_to_one_worker_and_no_other() {
    let buffers = buffers();
    let old = buffers.allocate(2000, 1).unwrap();
    assert!(given(&buffers, &old, 1, Some(2)).is_some());
    assert_eq!(given(&buffers, &old, 2, Some(2)), None, "what it holds is copied");
    let new = buffers.allocate(2000, 2).unwrap();
    assert_eq!(given(&buffers, &new, 2, Some(3)), Some(Place::new(3, 0)), "from a segment of its own");
    assert_eq!(given(&buffers, &old, 1, Some(2)), None, "the old one is not looked for any more");
}

#[test]
fn a_segment_whose_worker_ended_meanwhile_is_given_to_nobody_else() {
    let buffers = buffers();
    let buffer = buffers.allocate(2000, 1).unwrap();
    assert_eq!(buffers.find(&buffer).unwrap().place(1, |_| Err("it ended")), Err("it ended"));
    assert_eq!(given(&buffers, &buffer, 2, Some(2)), None, "the dead one may have it");
    assert_eq!(given(&buffers, &buffer, 1, Some(2)), None);
}

#[test]
fn a_segment_that_a_worker_does_not_take_waits_for_the_next() {
    let buffers = buffers();
    let buffer = buffers.allocate(2000, 1).unwrap();
    assert_eq!(given(&buffers, &buffer, 1, None), None);
    assert_eq!(given(&buffers, &buffer, 2, Some(2)), Some(Place::new(2, 0)));
}

#[test]
fn what_is_no_buffer_is_not_found() {
    let (ours, theirs) = (buffers(), buffers());
    let data = vec![0; 5000];
    assert!(ours.find(&data).is_none());
    let (buffer, other) = (ours.allocate(5000, 1).unwrap(), theirs.allocate(5000, 1).unwrap());
    assert!(ours.find(&buffer).is_some() && theirs.find(&other).is_some());
    assert!(ours.find(&other).is_none() && theirs.find(&buffer).is_none() && ours.find(&data).is_none());
}

#[test]
fn memory_of_dropped_buffers_serves_later_ones() {
    let buffers = buffers();
    let mut address = None;
    for _ in 0..10_000 {
        let made = buffers.allocate(700_000, 1).unwrap();
        assert_eq!(*address.get_or_insert(made.as_ptr().addr()), made.as_ptr().addr());
    }
    let many: Vec<_> = (0..64).map(|_| buffers.allocate(1 << 20, 1).unwrap()).collect();
    assert_eq!(buffers.request.lock().segments.len(), 7, "each segment is twice the one before");
    drop(many);
}

#[test]
fn a_buffer_outlives_what_made_it() {
    let buffers = buffers();
    let [mut made, spare] = [0; 2].map(|_| buffers.allocate(3000, 1).unwrap());
    drop(spare);
    let pool = Arc::downgrade(&buffers.request);
    drop(buffers);
    made.elements_mut::<u32>()[749] = 7;
    assert_eq!((made.elements::<u32>().len(), made[2996]), (750, 7));
    assert_eq!(made.elements::<u64>().len(), 375);
    assert!(pool.upgrade().is_some());
    drop(made);
    assert!(pool.upgrade().is_none(), "what is kept for later buffers keeps itself");
}

#[test]
fn blocks_of_a_worker_that_has_gone_serve_no_later_buffer() {
    let buffers = buffers();
    let [first, second] = [0; 2].map(|_| buffers.allocate(2000, 1).unwrap());
    assert!(given(&buffers, &first, 1, Some(2)).is_some());
    drop(first);
    let new = buffers.allocate(2000, 2).unwrap();
    // Dropped behind that, it is the spare one now.
    drop(second);
    let other = buffers.allocate(2000, 2).unwrap();
    for buffer in [&new, &other] {
        assert!(given(&buffers, buffer, 2, Some(3)).is_some_and(|place| place.segment() == 3));
    }
    assert_eq!(buffers.request.lock().segments.len(), 1);
}

#[test]
fn threads_make_and_drop_buffers_of_many_lengths_at_once() {
    let buffers = buffers();
    thread::scope(|scope| {
        for number in 1..4u8 {
            let buffers = &buffers;
            scope.spawn(move || {
                let mut held: [Option<InBuf>; 3] = Default::default();
                for round in 0..3000 {
                    let mut made = buffers.allocate(1000 << (round % 7), 1).unwrap();
                    mark(&mut made, number);
                    let before = held[round % 3].replace(made);
                    let whole =
                        |it: InBuf| it.iter().step_by(UNIT).chain(it.last()).all(|byte| *byte == number);
                    assert!(before.is_none_or(whole), "somebody else wrote into a buffer");
                }
            });
        }
    });
}

#[test]
fn a_shared_buffer_is_zeros_and_its_memory_stays_its_own_while_it_is_lent() {
    let buffers = buffers();
    let give = |_: &SegmentFile| Ok::<_, Infallible>(Some(7));
    let mut first = buffers.allocate_shared(5000, 1).unwrap();
    first.fill(9);
    first.copy_from(4000, b"here");
    assert_eq!(
        (first.view().get(3999), first.view().slice(4000..4004).to_vec()),
        (Some(9), b"here".to_vec())
    );
    let lent = buffers.lend(&first, 1, give).unwrap().unwrap();
    assert_eq!((lent.place().segment(), lent.length(), lent.is_of(&first)), (7, 5000, true));
    drop(first);
    let second = buffers.allocate_shared(5000, 1).unwrap();
    let place = buffers.lend(&second, 1, give).unwrap().unwrap().place();
    assert!(place.offset().abs_diff(lent.place().offset()) >= 5000, "a call has the first one's");
    assert!(second.view().iter().all(|byte| byte == 0) && !lent.is_of(&second));
    drop(lent);
    // It is made where the first was, and shows nothing of it.
    let third = buffers.allocate_shared(5000, 1).unwrap();
    assert_ne!(buffers.lend(&third, 1, give).unwrap().unwrap().place(), place);
    assert!(third.view().iter().all(|byte| byte == 0));
    assert!(buffers.lend(&third, 2, give).unwrap().is_none(), "it is of another worker");
    assert!(super::tests::buffers().lend(&third, 1, give).unwrap().is_none(), "it is of another session");
    assert!(buffers.lend(&SharedBuf::copied(vec![1]), 1, give).unwrap().is_none());
    assert!(buffers.find(&third.to_vec()).is_none());
}

#[test]
#[should_panic(expected = "bytes outside of a shared buffer")]
fn nothing_is_written_behind_a_shared_buffer() {
    buffers().allocate_shared(10, 1).unwrap().copy_from(5, &[0; 6]);
}
