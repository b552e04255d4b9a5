//! Exhausted memory: the results of a call are bounded by their sum, and so is what a caller holds of them.

use hotcell::{Cause, Error, ErrorKind, LimitExceededReason, Options};
use hotcell_e2e::basin::Basin;

const LIMIT: usize = 16 << 20;

fn open() -> Basin {
    Basin::open(Options { max_output: LIMIT as u64, ..Options::default() }).unwrap()
}

fn limit_of(error: &Error) -> LimitExceededReason {
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    match error.cause() {
        Cause::Limit { what, .. } => *what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_results_of_a_call_are_bounded_by_their_sum() {
    let basin = open();
    assert!(basin.fill(LIMIT * 9 / 10, 1).is_ok());
    assert!(basin.two(LIMIT * 4 / 10, 1).is_ok());
    let error = basin.two(LIMIT * 6 / 10, 1).map(drop).unwrap_err();
    assert_eq!(limit_of(&error), LimitExceededReason::Output);
    assert_eq!(basin.fill(3, 1).unwrap(), [1, 2, 3]);
    assert_eq!(basin.session.generation(), 1);
}

#[test]
fn what_a_caller_holds_of_results_is_bounded() {
    let basin = open();
    for _ in 0..3 {
        let mut held = Vec::new();
        let error = loop {
            assert!(held.len() < 60, "it can be held for ever");
            match basin.fill_shared(LIMIT * 6 / 10, 1) {
                Ok(result) => held.push(result),
                Err(error) => break error,
            }
        };
        assert_eq!(limit_of(&error), LimitExceededReason::Memory);
        let bytes: usize = held.iter().map(|result| result.len()).sum();
        assert!((2 * LIMIT..=4 * LIMIT).contains(&bytes), "{bytes}");
        drop(held);
    }
    assert_eq!(basin.fill(3, 1).unwrap(), [1, 2, 3]);
    assert_eq!(basin.session.generation(), 1, "no worker was lost, and no memory");
}
