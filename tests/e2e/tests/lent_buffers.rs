//! Buffers of the session that the library changes in place: nothing is copied, and nothing of anybody else's is seen there.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::{Cause, ErrorKind, Executed, LimitExceededReason, Options, SharedBuf};
use hotcell_e2e::basin::Basin;

const BIG: usize = 1 << 20;

fn open() -> Basin {
    Basin::open(Options::default()).unwrap()
}

fn counting(length: usize, seed: u8) -> Vec<u8> {
    (0..length).map(|index| (index as u8).wrapping_add(seed)).collect()
}

fn inverted(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| !byte).collect()
}

fn all(buffer: &SharedBuf, byte: u8) -> bool {
    buffer.view().iter().all(|it| it == byte)
}

#[test]
fn the_library_changes_a_buffer_where_it_lies() {
    let basin = open();
    for length in [0, 1, 100, 900, 4097, BIG] {
        let mut data = basin.session.shared_buffer(length).unwrap();
        let bytes = counting(length, 3);
        data.copy_from(0, &bytes);
        assert_eq!(basin.invert_in_place(&mut data).unwrap(), length);
        assert_eq!(data.to_vec(), inverted(&bytes), "{length}");
        assert_eq!(basin.invert_in_place(&mut data).unwrap(), length);
        assert_eq!(data.to_vec(), bytes);
    }
    let mut kept = basin.session.shared_buffer(BIG).unwrap();
    assert_eq!(basin.keep_into(&mut kept, 7).unwrap(), BIG);
    assert_eq!(kept.to_vec(), counting(BIG, 7));
    basin.scribble().unwrap();
    // A copy would be as it was.
    let scribbled = |(index, byte): (usize, u8)| byte ^ (index + 1) as u8;
    let expected: Vec<u8> = counting(BIG, 7).into_iter().enumerate().map(scribbled).collect();
    assert_eq!(kept.to_vec(), expected);
    assert_eq!(basin.session.generation(), 1);
}

#[test]
fn what_is_lent_and_what_is_copied_come_to_the_same() {
    let basin = open();
    let mut room = basin.session.shared_buffer(200_000).unwrap();
    for seed in 0..50u8 {
        let length = 1 + 3989 * usize::from(seed);
        let mut out = basin.session.shared_buffer(length).unwrap();
        assert_eq!(basin.fill_into(&mut out, seed).unwrap(), length);
        assert_eq!(out.to_vec(), basin.fill(length, seed).unwrap());
        assert_eq!(basin.fill_into(&mut room, seed).unwrap(), room.len());
        assert_eq!(room.to_vec(), counting(room.len(), seed));
    }
    assert_eq!(basin.session.generation(), 1);
}

#[test]
fn a_buffer_holds_what_was_there_before_but_for_what_the_library_wrote() {
    let basin = open();
    let mut out = basin.session.shared_buffer(BIG).unwrap();
    out.fill(7);
    // It claims all of it, and writes none. Room that is not the caller's would be another call's data.
    assert_eq!(basin.omit_into(&mut out).unwrap(), BIG);
    assert!(all(&out, 7));
    let error = basin.mute_into(&mut out).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LibraryError, "{error}");
    assert!(all(&out, 7));
}

#[test]
fn a_new_buffer_is_zeros_whatever_was_there() {
    let basin = open();
    for length in [100, 5000, BIG, 4000, 700_000] {
        let mut secret = basin.session.shared_buffer(length).unwrap();
        assert!(all(&secret, 0));
        basin.fill_into(&mut secret, 1).unwrap();
        drop(secret);
        let mut out = basin.session.shared_buffer(length).unwrap();
        assert!(all(&out, 0), "{length}");
        assert_eq!(basin.omit_into(&mut out).unwrap(), length);
        assert!(all(&out, 0), "{length}");
    }
}

#[test]
fn a_buffer_of_a_dead_worker_or_another_session_is_copied() {
    let (basin, other) = (open(), open());
    let mut data = basin.session.shared_buffer(BIG).unwrap();
    data.copy_from(0, &counting(BIG, 1));
    assert_eq!(basin.invert_in_place(&mut data).unwrap(), BIG);
    assert_eq!(basin.crash().unwrap_err().kind(), ErrorKind::Crashed);
    assert_eq!(basin.invert_in_place(&mut data).unwrap(), BIG);
    assert_eq!(data.to_vec(), counting(BIG, 1));
    assert_eq!(basin.session.generation(), 2);
    assert_eq!(other.invert_in_place(&mut data).unwrap(), BIG);
    assert_eq!(data.to_vec(), inverted(&counting(BIG, 1)));
    assert_eq!(other.fill_into(&mut data, 9).unwrap(), BIG);
    assert_eq!(data.to_vec(), counting(BIG, 9));
    // Copied: what the library writes afterwards is not seen.
    basin.keep_into(&mut data, 5).unwrap();
    basin.scribble().unwrap();
    assert_eq!(data.to_vec(), counting(BIG, 5));
    let mut new = basin.session.shared_buffer(BIG).unwrap();
    basin.keep_into(&mut new, 5).unwrap();
    basin.scribble().unwrap();
    assert_ne!(new.to_vec(), counting(BIG, 5), "the new worker's own");
    drop((basin, other));
    assert_eq!(data.to_vec(), counting(BIG, 5), "it outlives its session");
}

#[test]
fn a_result_that_is_held_can_be_passed_on() {
    let basin = open();
    let mut result = basin.fill_shared(BIG, 4).unwrap();
    assert_eq!(basin.invert_in_place(&mut result).unwrap(), BIG);
    assert_eq!(result.to_vec(), inverted(&counting(BIG, 4)));
    let mut small = basin.fill_shared(10, 4).unwrap();
    assert_eq!(basin.invert_in_place(&mut small).unwrap(), 10);
    assert_eq!(small.to_vec(), inverted(&counting(10, 4)));
}

#[test]
fn a_lie_about_what_was_filled_is_met() {
    let basin = open();
    let mut out = basin.session.shared_buffer(BIG).unwrap();
    let error = basin.claim_into(&mut out).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidReply, "{error}");
    assert_eq!(basin.fill_into(&mut out, 2).unwrap(), BIG);
    assert_eq!((out.to_vec(), basin.session.generation()), (counting(BIG, 2), 2));
}

#[test]
fn a_capacity_beyond_all_memory_lends_nothing() {
    let basin = open();
    for capacity in [usize::MAX, 1 << 63, (1 << 63) + 96] {
        let error = basin.fill(capacity, 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    }
    assert_eq!(basin.session.generation(), 1);
}

#[test]
fn a_buffer_is_no_longer_than_a_call_may_need() {
    let limits = Options { max_input: 2 << 20, max_output: 1 << 20, ..Options::default() };
    let basin = Basin::open(limits).unwrap();
    let error = basin.session.shared_buffer((2 << 20) + 1).unwrap_err();
    let value = (2 << 20) + 1;
    assert_eq!(*error.cause(), Cause::Limit { what: LimitExceededReason::Memory, value }, "{error}");
    assert_eq!(error.executed(), Executed::No);
    assert!(basin.session.shared_buffer(2 << 20).is_ok());
}
