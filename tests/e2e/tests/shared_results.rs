//! Results that stay where the library wrote them: they hold while they are held, and lies about them are met.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::VecDeque;

use hotcell::{Cause, ErrorKind, LimitExceededReason, Options, SharedBuf};
use hotcell_e2e::basin::Basin;

const BIG: usize = 1 << 20;

fn open() -> Basin {
    Basin::open(Options::default()).unwrap()
}

fn expected(length: usize, seed: u8) -> Vec<u8> {
    (0..length).map(|index| (index as u8).wrapping_add(seed)).collect()
}

fn holds(shared: &SharedBuf, length: usize, seed: u8) -> bool {
    shared.to_vec() == expected(length, seed)
}

#[test]
fn a_shared_result_is_read_where_the_library_wrote_it() {
    let basin = open();
    let shared = basin.keep(BIG, 7).unwrap();
    assert!(holds(&shared, BIG, 7));
    basin.scribble().unwrap();
    // A copy would be as it was.
    let after = shared.to_vec();
    let scribbled = |(index, byte): (usize, u8)| byte ^ (index + 1) as u8;
    assert_eq!(after, expected(BIG, 7).into_iter().enumerate().map(scribbled).collect::<Vec<_>>());
    let copy = basin.fill(BIG, 9).unwrap();
    basin.scribble().unwrap();
    assert_eq!(copy, expected(BIG, 9));
    assert_eq!(basin.session.generation(), 1);
}

#[test]
fn what_is_held_is_left_alone_by_later_calls() {
    let basin = open();
    let mut held = VecDeque::new();
    for round in 0..200u32 {
        let (length, seed) = (2000 + 3001 * (round as usize % 97), round as u8);
        held.push_back((basin.fill_shared(length, seed).unwrap(), length, seed));
        assert_eq!(basin.fill(length, !seed).unwrap(), expected(length, !seed));
        let (one, two) = basin.two(length / 2, seed).unwrap();
        assert!(holds(&one, length / 2, seed));
        assert_eq!(two.to_vec(), expected(length / 2, seed).iter().map(|byte| !byte).collect::<Vec<_>>());
        if round % 3 == 0 {
            held.push_front((one, length / 2, seed));
        }
        if held.len() > 20 {
            let (shared, length, seed) = held.pop_front().unwrap();
            assert!(holds(&shared, length, seed));
        }
    }
    assert!(held.iter().all(|(shared, length, seed)| holds(shared, *length, *seed)));
    assert_eq!(basin.session.generation(), 1, "few segments were needed");
}

#[test]
fn small_results_are_shared_results_too() {
    let basin = open();
    for length in [1, 100, 900] {
        assert!(holds(&basin.fill_shared(length, 3).unwrap(), length, 3));
    }
}

#[test]
fn held_results_outlive_their_worker_and_their_session() {
    let basin = open();
    let first = basin.fill_shared(BIG, 1).unwrap();
    assert_eq!(basin.crash().unwrap_err().kind(), ErrorKind::Crashed);
    assert!(holds(&first, BIG, 1));
    let second = basin.fill_shared(BIG, 2).unwrap();
    assert_eq!(basin.session.generation(), 2);
    drop(basin);
    assert!(holds(&first, BIG, 1) && holds(&second, BIG, 2));
}

#[test]
fn a_lie_about_the_length_is_met() {
    let basin = open();
    let error = basin.claim(BIG).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidReply, "{error}");
    assert!(holds(&basin.fill_shared(BIG, 2).unwrap(), BIG, 2));
    assert_eq!(basin.session.generation(), 2);
}

#[test]
fn the_limit_holds_for_shared_results() {
    let basin = Basin::open(Options { max_output: 2 << 20, ..Options::default() }).unwrap();
    let held = basin.fill_shared(BIG, 1).unwrap();
    let error = basin.fill_shared((2 << 20) + 1, 1).unwrap_err();
    assert_eq!(*error.cause(), Cause::Limit { what: LimitExceededReason::Output, value: 2 << 20 }, "{error}");
    let other = basin.fill_shared(BIG, 2).unwrap();
    assert!(holds(&held, BIG, 1) && holds(&other, BIG, 2));
    assert_eq!(basin.session.generation(), 1);
}

#[test]
fn a_caller_that_holds_too_many_results_keeps_its_worker() {
    // With so small a limit, windows do not grow.
    let basin = Basin::open(Options { max_output: 20_000, ..Options::default() }).unwrap();
    let mut held = Vec::new();
    let error = loop {
        match basin.fill_shared(15_000, held.len() as u8) {
            Ok(shared) => held.push(shared),
            Err(error) => break error,
        }
        assert!(held.len() < 600, "numbers for segments were never used up");
    };
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.message().contains("drop some of the shared results"), "{error}");
    assert!(held.iter().enumerate().all(|(seed, shared)| holds(shared, 15_000, seed as u8)));
    held.pop();
    for round in 0..10 {
        assert!(holds(&basin.fill_shared(15_000, round).unwrap(), 15_000, round));
    }
    assert_eq!(basin.session.generation(), 1);
}

#[test]
fn shared_results_go_on_to_other_threads() {
    let basin = open();
    std::thread::scope(|scope| {
        for seed in 0..4u8 {
            let basin = &basin;
            scope.spawn(move || {
                for round in 1..40 {
                    let length = 5000 * round;
                    let shared = basin.fill_shared(length, seed).unwrap();
                    let other = basin.fill_shared(length, !seed).unwrap();
                    assert!(holds(&shared, length, seed) && holds(&other, length, !seed));
                }
            });
        }
    });
    assert_eq!(basin.session.generation(), 1);
}
