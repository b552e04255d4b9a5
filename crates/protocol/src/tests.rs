//! What must hold for the generated tables as they are, and for the types around them.

use crate::wire::{self, Event, EventPacket, Hello, Packet, PacketHead, ReplyState, SegmentAdd, Welcome};
use crate::*;

fn all_different<T: PartialEq>(values: &[T]) -> bool {
    values.iter().enumerate().all(|(at, value)| !values[..at].contains(value))
}

#[test]
fn a_handle_keeps_its_parts() {
    for (kind, generation, index) in [
        (1, 1, 0),
        (u16::MAX, RawHandle::LAST_GENERATION, RawHandle::INDEX_END - 1),
        (3, 0x12_3456, 0x65_4321),
    ] {
        let handle = RawHandle::new(kind, generation, index);
        assert_eq!((handle.kind(), handle.generation(), handle.index()), (kind, generation, index));
        assert_eq!(RawHandle::from_raw(handle.raw()), handle);
        assert!(!handle.is_none());
    }
    assert!(RawHandle::NONE.is_none());
    const { assert!(wire::MAX_HANDLES <= RawHandle::INDEX_END) };
}

#[test]
fn every_code_is_there_once() {
    let mut codes: Vec<u16> = ErrorKind::ALL.iter().map(|it| it.code()).collect();
    codes.sort_unstable();
    assert_eq!(codes, (1..=26).collect::<Vec<u16>>());
}

#[test]
fn exit_codes_and_names_are_unique() {
    assert!(all_different(&ErrorKind::ALL.iter().map(|it| it.exit_code()).collect::<Vec<_>>()));
    assert!(all_different(&ErrorKind::ALL.iter().map(|it| it.name()).collect::<Vec<_>>()));
}

#[test]
fn kinds_are_found_by_code_and_by_name() {
    for &kind in ErrorKind::ALL {
        assert_eq!(ErrorKind::from_code(kind.code()), Some(kind));
        assert_eq!(ErrorKind::from_name(kind.name()), Some(kind));
        assert_eq!(kind.to_string(), kind.name());
    }
    assert_eq!(ErrorKind::from_code(0), None);
    assert_eq!(ErrorKind::from_code(27), None);
    assert_eq!(ErrorKind::from_name("crashed"), None);
}

#[test]
fn only_what_was_not_executed_may_be_tried_later() {
    for &kind in ErrorKind::ALL {
        // A dead worker may have executed the call, so that trying again needs an idempotent function.
        assert!(!(kind.is_fault() && kind.retry() == Retry::Later), "{kind}");
    }
    assert_eq!(ErrorKind::Crashed.retry(), Retry::Idempotent);
    assert_eq!(ErrorKind::Unavailable.retry(), Retry::Later);
    assert_eq!(ErrorKind::LibraryError.retry(), Retry::Never);
    assert!(!ErrorKind::LibraryError.is_fault());
}

#[test]
fn reasons_are_spelled_as_in_the_table() {
    let names: Vec<_> = UnavailableReason::ALL.iter().map(|it| it.name()).collect();
    assert_eq!(names, ["restarting", "breaker_open", "pool_exhausted"]);
    assert!(all_different(&LimitExceededReason::ALL.iter().map(|it| it.name()).collect::<Vec<_>>()));
    assert_eq!(LimitExceededReason::Fds.to_string(), "fds");
}

#[test]
fn unknown_numbers_are_no_values() {
    for raw in 0..=u16::MAX {
        let state = ReplyState::from_raw(raw);
        assert_eq!(state.is_some(), (1..=ReplyState::ALL.len() as u16).contains(&raw), "{raw}");
        assert!(state.is_none_or(|it| it.raw() == raw));
        assert!(Packet::from_raw(raw).is_none_or(|it| it.raw() == raw));
    }
    assert_eq!(Packet::from_raw(0), None);
    assert_eq!(Event::from_raw(u32::MAX), None);
    assert_eq!(wire::Park::from_raw(3), None);
    assert_eq!(wire::Park::Futex.name(), "Futex");
}

#[test]
fn a_hello_lies_on_the_wire_as_the_table_says() {
    let hello = Hello {
        capabilities: 0x0102_0304_0506_0708,
        generation: 1,
        request_length: 2,
        reply_length: 3,
        spin_ns: 4,
        epoch: 0x0506,
        libraries: 6,
        functions: 7,
        profile: 8,
        fingerprint: std::array::from_fn(|at| at as u8),
        eventfds: 0x0809,
        guard: 0x0a0b,
        sample: 0x0c0d_0e0f,
        memory: u64::MAX - 1,
        groups: 0x0e0f,
    };
    let bytes = hello.encode();
    assert_eq!(bytes[..8], [8, 7, 6, 5, 4, 3, 2, 1], "little-endian");
    assert_eq!(bytes[wire::hello::EPOCH..][..2], [6, 5]);
    assert_eq!(bytes[wire::hello::FINGERPRINT..][..32], hello.fingerprint);
    assert_eq!(bytes[wire::hello::EVENTFDS..][..2], [9, 8]);
    assert_eq!(bytes[wire::hello::GUARD..][..2], [0x0b, 0x0a]);
    assert_eq!(bytes[wire::hello::SAMPLE..][..4], [0x0f, 0x0e, 0x0d, 0x0c]);
    assert_eq!(bytes[wire::hello::MEMORY..][..8], [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(bytes[wire::hello::GROUPS..][..2], [0x0f, 0x0e]);
    assert_eq!(Hello::decode(&bytes), hello);
}

#[test]
fn packets_survive_the_way() {
    let head = PacketHead { magic: 1, major: 2, minor: 3, kind: 4, flags: 5, length: 6, serial: u64::MAX };
    assert_eq!(PacketHead::decode(&head.encode()), head);
    let welcome = Welcome { capabilities: 1, level: 2, functions: 3, fingerprint: [4; 32] };
    assert_eq!(Welcome::decode(&welcome.encode()), welcome);
    let segment = SegmentAdd { id: 1, writable: 2, length: 3 };
    assert_eq!(SegmentAdd::decode(&segment.encode()), segment);
    let event = EventPacket { event: 1, detail: -2, text_length: 3 };
    assert_eq!(EventPacket::decode(&event.encode()), event);
}

#[test]
fn bytes_of_no_field_are_ignored() {
    let mut bytes = SegmentAdd { id: 1, writable: 0, length: 2 }.encode();
    bytes[wire::segment_add::RESERVED] = 9;
    assert_eq!(SegmentAdd::decode(&bytes), SegmentAdd { id: 1, writable: 0, length: 2 });
}

#[test]
fn slots_and_lanes_are_filled_without_a_gap() {
    use wire::*;
    // The last field of each layout that others rely on must end within it.
    for (last, size, end) in [
        (call_head::TIME, 8, call_head::SIZE),
        (reply_head::VALUE, 8, reply_head::SIZE),
        (lane_host::TRACE_FLAGS, 1, LINE),
        (crash_record::SERVING, 4, LINE),
        (channel_head::GENERATION, 8, LINE),
        (hello::EVENTFDS, 2, hello::SIZE),
    ] {
        assert!(last + size <= end, "{last}");
    }
    assert_eq!(ARGS_OFFSET, CALL_OFFSET + call_head::SIZE);
    assert_eq!(CALL_OFFSET, resume_line::SIZE);
    assert_eq!(RESULT_OFFSET, reply_head::SIZE);
    assert_eq!(ARGS_OFFSET + MAX_ARGS, SLOT_STRIDE);
    assert_eq!(RESULT_OFFSET + MAX_RESULT, SLOT_STRIDE);
    assert_eq!(SLOT_STRIDE % LINE, 0);
    assert!(RING_SLOTS.is_power_of_two());
    const { assert!(MAX_LANES <= u64::BITS, "one bit of `active` each") };
    const { assert!(packet_head::SIZE + event::SIZE + MAX_TEXT <= MAX_PACKET) };
}

#[test]
fn the_magic_reads_as_text() {
    assert_eq!(&wire::MAGIC.to_le_bytes(), b"HOTCELL1");
}

#[test]
fn places_hold_segment_and_offset() {
    let place = Place::new(63, Place::OFFSET_END - 1);
    assert_eq!((place.segment(), place.offset()), (63, Place::OFFSET_END - 1));
    assert_eq!(Place::new(1, 2).raw(), 1 << 48 | 2);
    assert_eq!(Place::from_raw(place.raw()), place);
    assert!(Place::NULL.is_null() && !place.is_null());
    assert!(!Place::new(0, 0).is_null());
}

#[test]
fn a_place_behind_another_is_one_that_a_segment_can_have() {
    let last = Place::OFFSET_END - 1;
    for (place, bytes, expect) in [
        (Place::new(3, 64), 64, Some(Place::new(3, 128))),
        (Place::new(3, 0), last, Some(Place::new(3, last))),
        (Place::new(3, 1), last, None),
        (Place::new(3, 1), u64::MAX, None),
        (Place::NULL, 0, None),
        (Place::from_raw(u64::from(wire::MAX_SEGMENTS) << wire::PLACE_SEGMENT_SHIFT), 0, None),
    ] {
        assert_eq!(place.behind(bytes), expect, "{place:?} and {bytes}");
    }
}

#[test]
#[should_panic = "an offset has 48 bits"]
fn an_offset_cannot_reach_into_the_segment_number() {
    Place::new(0, Place::OFFSET_END);
}

#[test]
#[should_panic = "no channel has that many segments"]
fn no_place_is_null_by_accident() {
    Place::new(u16::MAX, Place::OFFSET_END - 1);
}

#[test]
fn versions_agree_on_the_smaller_minor() {
    assert_eq!(negotiate((1, 4), (1, 2)), Ok((1, 2)));
    assert_eq!(negotiate((1, 0), (1, 7)), Ok((1, 0)));
    let error = negotiate((1, 9), (2, 0)).unwrap_err();
    assert_eq!(error, VersionMismatch { host: (1, 9), worker: (2, 0) });
    assert!(error.to_string().contains("1.9") && error.to_string().contains("2.0"), "{error}");
}

#[test]
fn words_are_in_small_letters() {
    assert_eq!([Executed::No, Executed::Maybe, Executed::Yes].map(Executed::as_str), ["no", "maybe", "yes"]);
    assert_eq!(Retry::Idempotent.to_string(), "idempotent");
}
