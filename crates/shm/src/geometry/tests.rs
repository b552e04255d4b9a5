//! Nothing of a channel lies on anything else: all of it is looked at, for every number of lanes.

use proptest::prelude::*;

use super::*;

/// All that lies in a segment of so many lanes, without the head and what is reserved.
fn parts(lanes: u32) -> Vec<(usize, usize)> {
    let mut parts = vec![
        (0, wire::channel_head::SIZE),
        (CONTROL, wire::LINE),
        (CRASH, wire::crash_record::SIZE),
        (DENIALS, 2 * wire::denial_record::SIZE),
    ];
    for index in 0..lanes {
        parts.push((lane(index), wire::LANE_HEAD));
        parts.extend((0..SLOTS).map(|number| (slot(index, number), wire::SLOT_STRIDE)));
    }
    parts
}

#[test]
fn nothing_lies_on_anything_else() {
    for lanes in 1..=wire::MAX_LANES {
        let (parts, length) = (parts(lanes), segment_length(lanes));
        assert!(parts.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0), "{lanes}");
        assert!(parts.last().is_some_and(|(start, bytes)| start + bytes <= length));
        // Each on lines of its own.
        assert!(parts.iter().all(|(start, _)| start.is_multiple_of(wire::LINE)));
        assert!(lane(lanes - 1).is_multiple_of(4096) && length.is_multiple_of(4096));
    }
}

#[test]
fn nested_calls_have_slots_of_their_own() {
    let nested: Vec<usize> = (1..=wire::STACK_SLOTS as u8).map(|depth| slot_of(depth, 0)).collect();
    assert_eq!(nested, (wire::RING_SLOTS as usize..SLOTS).collect::<Vec<_>>());
    assert!(
        (0..=u8::MAX).filter(|&depth| slot_of(depth, 7) < SLOTS).count() == 1 + wire::STACK_SLOTS as usize
    );
}

proptest! {
    #[test]
    fn calls_take_slots_in_turn_whatever_their_number(number: u32) {
        let (slot, next) = (slot_of(0, number), slot_of(0, number.wrapping_add(1)));
        prop_assert!(slot < wire::RING_SLOTS as usize);
        prop_assert_eq!(next, (slot + 1) % wire::RING_SLOTS as usize);
    }
}

#[test]
fn the_number_of_calls_wraps_without_a_slot_being_left_out() {
    for number in u32::MAX - 20..=u32::MAX {
        assert_eq!(slot_of(0, number.wrapping_add(1)), (slot_of(0, number) + 1) % wire::RING_SLOTS as usize);
    }
}
