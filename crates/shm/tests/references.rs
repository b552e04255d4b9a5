//! Whatever a worker refers to: the host finds what it granted and nothing else, and the worker what lies in its segments.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use hotcell_protocol::Place;
use hotcell_protocol::wire;
use hotcell_shm::{
    Access, Arena, ForkGuard, HostChannel, HostLane, Mapping, Seals, SegmentFile, SegmentTable, Window,
};
use proptest::prelude::*;

/// A segment number, offset and length that somebody makes up: many start or end about the ends of what there is.
fn lie(ends: Vec<u64>) -> impl Strategy<Value = (u16, u64, u64)> {
    let segment = prop_oneof![4 => 1..5u16, 1 => 0..6u16, 1 => Just(wire::SEGMENT_BATCH), 1 => any::<u16>()];
    let near = (prop::sample::select(ends), -3..4i64).prop_map(|(end, by)| end.wrapping_add_signed(by));
    let far = prop::sample::select(vec![1 << 31, 1 << 32, 1 << 48, 1 << 63, u64::MAX - 1, u64::MAX]);
    let start = prop_oneof![8 => near.clone(), 1 => any::<u64>()];
    let length = prop_oneof![
        8 => near.prop_map(Ok),
        2 => (0..9000u64).prop_map(Err),
        1 => far.prop_map(Err),
        1 => any::<u64>().prop_map(Err),
    ];
    (segment, start, length).prop_map(|(segment, start, length)| {
        let start = start & ((1 << wire::PLACE_SEGMENT_SHIFT) - 1);
        (segment, start, length.map_or_else(|length| length, |end| end.wrapping_sub(start)))
    })
}

fn place(segment: u16, offset: u64) -> Place {
    Place::from_raw(u64::from(segment) << wire::PLACE_SEGMENT_SHIFT | offset)
}

/// Fills a segment so that each byte says where it is.
fn fill(mapping: &Mapping, number: u8) {
    let bytes: Vec<u8> = (0..mapping.length()).map(|at| byte(number, at)).collect();
    mapping.copy_in(0, &bytes);
}

fn byte(number: u8, at: usize) -> u8 {
    number.wrapping_mul(77) ^ (at as u8) ^ ((at >> 8) as u8).wrapping_mul(31)
}

/// A lane whose call has windows 3 and 4. Window 2 was an earlier call's, 5 is nobody's.
struct Scene {
    lane: HostLane,
    arena: Arena,
}

/// Bytes of the windows, by number from 2.
const WINDOWS: [usize; 3] = [4096, 8192, 12_288];

fn scene() -> Scene {
    let host = HostChannel::create(2, 7, 1).unwrap();
    let mut lane = host.lane(1);
    fill(&host.files().1.map(Access::ReadWrite).unwrap(), 1);
    lane.open_call();
    let fork = Arc::new(ForkGuard::new().unwrap());
    let mut arena = Arena::default();
    for (id, length) in (2..).zip(WINDOWS) {
        if id == 3 {
            let _ = arena.descend();
        }
        let (_, window) = SegmentFile::create(length, Seals::Reply).unwrap();
        fill(&window, id as u8);
        arena.add_window(Window::new(id, window, &fork), true);
    }
    Scene { lane, arena }
}

/// Where the slot of the scene's call starts: the first of the second lane.
fn slot() -> u64 {
    let stride = wire::LANE_HEAD + (wire::RING_SLOTS + wire::STACK_SLOTS) as usize * wire::SLOT_STRIDE;
    (wire::LANES_OFFSET + stride.next_multiple_of(4096) + wire::LANE_HEAD) as u64
}

fn ends() -> Vec<u64> {
    let block = slot() + wire::RESULT_OFFSET as u64;
    let slot_end = slot() + wire::SLOT_STRIDE as u64;
    let windows = WINDOWS.iter().map(|&length| length as u64);
    windows
        .chain([0, slot(), block, block + 16, block + 500, slot_end, slot_end + wire::SLOT_STRIDE as u64])
        .collect()
}

#[test]
fn references_are_found_where_they_were_granted_and_nowhere_else() {
    let Scene { lane, arena } = scene();
    proptest!(ProptestConfig::with_cases(4_000), |(lie in lie(ends()), fixed in prop_oneof![Just(0), Just(16), Just(500), 0..=wire::MAX_RESULT])| {
        let (segment, offset, length) = lie;
        let end = u128::from(offset) + u128::from(length);
        let slot_end = u128::from(slot()) + wire::SLOT_STRIDE as u128;
        let allowed = match segment {
            1 => offset >= slot() + (wire::RESULT_OFFSET + fixed) as u64 && end <= slot_end,
            3 | 4 => end <= WINDOWS[usize::from(segment) - 2] as u128,
            _ => false,
        };
        let found = lane.locate(&arena, fixed, place(segment, offset), length);
        prop_assert_eq!(found.is_some(), allowed);
        if let Some(found) = found {
            let mut data = vec![9];
            prop_assert!(found.append_to(&mut data));
            let there = (offset as usize..).map(|at| byte(segment as u8, at));
            prop_assert!(data[1..].iter().copied().eq(there.take(length as usize)));
        }
        // Parts of windows can be held; the slot is copied.
        let held = arena.hold(place(segment, offset), length);
        prop_assert_eq!(held.is_some(), allowed && segment != 1 && length > 0);
        prop_assert!(held.is_none_or(|held| held.len() as u64 == length));
    });
}

#[test]
fn the_worker_finds_what_lies_in_its_segments_and_nothing_else() {
    let table = SegmentTable::new();
    let mut bases = Vec::new();
    for (id, length) in (2..).zip(WINDOWS) {
        let (file, _host) = SegmentFile::create(length, Seals::Request).unwrap();
        let mapping = file.map(Access::ReadOnly).unwrap();
        bases.push(mapping.base().addr());
        table.add(id, mapping).unwrap();
    }
    let entries = [0u64; 16];
    table.enter_batch(entries.as_ptr().cast_mut().cast(), size_of_val(&entries) as u64);
    proptest!(ProptestConfig::with_cases(4_000), |(lie in lie(WINDOWS.map(|it| it as u64).into_iter().chain([0, 128]).collect()))| {
        let (segment, offset, length) = lie;
        let known = match segment {
            2..=4 => Some((bases[usize::from(segment) - 2], WINDOWS[usize::from(segment) - 2])),
            wire::SEGMENT_BATCH => Some((entries.as_ptr().addr(), 128)),
            _ => None,
        };
        let end = u128::from(offset) + u128::from(length);
        let there = known.filter(|(_, bytes)| end <= *bytes as u128).map(|(base, _)| base + offset as usize);
        // Nothing lies in a segment that is not there; its address is nobody's.
        let nothing = known.is_none() && segment < wire::MAX_SEGMENTS && end == 0;
        let found = table.address(place(segment, offset), length).map(|address| address.addr());
        prop_assert_eq!(found, there.or(nothing.then_some(0)));
    });
}

#[test]
fn no_access_leaves_a_map() {
    let (_, mapping) = SegmentFile::create(4096, Seals::Reply).unwrap();
    fill(&mapping, 1);
    let near = [0, 1, 7, 8, 4088, 4089, 4092, 4095, 4096, 4097, 1 << 32, usize::MAX - 1, usize::MAX];
    let mut inside = 0;
    for offset in near {
        for length in [0, 1, 7, 8, 4095, 4096, 4097] {
            let holds = mapping.holds(offset as u64, length as u64);
            assert_eq!(holds, offset as u128 + length as u128 <= 4096);
            let mut bytes = vec![0; length];
            let accesses: [&mut dyn FnMut(); 4] = [
                &mut || mapping.copy_out(offset, &mut bytes),
                &mut || assert!(mapping.append_to(offset, length, &mut Vec::new())),
                &mut || mapping.zero(offset, length),
                &mut || mapping.copy_in(offset, &vec![0; length]),
            ];
            for access in accesses {
                assert_eq!(catch_unwind(AssertUnwindSafe(access)).is_ok(), holds, "{offset}+{length}");
                inside += u32::from(holds);
            }
        }
        let number = catch_unwind(AssertUnwindSafe(|| mapping.load::<u64>(offset)));
        assert_eq!(number.is_ok(), offset.is_multiple_of(8) && offset <= 4088, "{offset}");
        let word = catch_unwind(AssertUnwindSafe(|| mapping.word(offset)));
        assert_eq!(word.is_ok(), offset.is_multiple_of(4) && offset <= 4092, "{offset}");
    }
    assert!(inside > 100);
}
