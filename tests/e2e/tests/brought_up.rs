//! Many callers wait for one worker: each lets the others bring it up, and sees to what they have left.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hotcell::{ErrorKind, Options, Restart, Result};
use hotcell_e2e::edition::{Edition, Editions};
use hotcell_e2e::process::wait_until;

const CALLERS: usize = 12;

/// Options with which a worker that comes up does what the file says, and a session that has some callers.
fn options(editions: &Editions) -> (Options, std::path::PathBuf) {
    let (options, turn) = editions.writing("EDITION_TURN");
    let long = Duration::from_secs(600);
    (Options { callers: CALLERS as u32, deadline: long, start_deadline: long, ..options }, turn)
}

/// Not of a scope: where it fails, calls wait for minutes.
fn call(edition: &Arc<Edition>) -> Vec<JoinHandle<Result<i128>>> {
    let calls = (0..CALLERS).map(|_| {
        let edition = Arc::clone(edition);
        thread::spawn(move || edition.int("mark", &[1]))
    });
    let calls = calls.collect();
    wait_until("all wait for a worker", || edition.session.stats().in_flight == CALLERS);
    // All have had their turn to look whether it is up, some twice.
    thread::sleep(Duration::from_millis(75) * CALLERS as u32);
    calls
}

fn answers(calls: Vec<JoinHandle<Result<i128>>>) -> Vec<Result<i128>> {
    wait_until("all have their answer", || calls.iter().all(JoinHandle::is_finished));
    calls.into_iter().map(|call| call.join().unwrap()).collect()
}

#[test]
fn who_waited_for_a_start_that_failed_begins_no_other_where_the_breaker_is_open() {
    let editions = Editions::new();
    let file = editions.compile("waits.so", &["-DWAITS_IN_TURN"]);
    let (options, turn) = options(&editions);
    let restart = Restart { faults: 3, pause: Duration::from_secs(600), ..Restart::default() };
    let edition = Arc::new(Edition::open_reentrant(&file, Options { restart, ..options }).unwrap());
    fs::write(&turn, "w").unwrap();
    assert_eq!(edition.int("abort", &[]).unwrap_err().kind(), ErrorKind::Crashed);
    let calls = call(&edition);
    fs::write(&turn, "e").unwrap();
    let errors: Vec<_> = answers(calls).into_iter().map(Result::unwrap_err).collect();
    // With the one that the call has ended they are three.
    let began: Vec<_> = errors.iter().filter(|error| error.kind() == ErrorKind::LoadFailed).collect();
    assert_eq!(began.len(), 2, "{errors:#?}");
    let refused = errors.iter().filter(|error| error.kind() == ErrorKind::Unavailable).count();
    assert_eq!(refused, CALLERS - 2, "{errors:#?}");
}

#[test]
fn what_becomes_of_a_spare_is_the_error_of_nobody_who_waits_for_it() {
    let editions = Editions::new();
    let file = editions.compile("waits.so", &["-DWAITS_IN_TURN"]);
    let (options, turn) = options(&editions);
    // The spare begins when the session is opened.
    fs::write(&turn, "1").unwrap();
    let edition = Arc::new(Edition::open_reentrant(&file, Options { spares: 1, ..options }).unwrap());
    assert_eq!(edition.int("mark", &[1]).unwrap(), 11);
    wait_until("a spare has begun", || edition.session.stats().spares == 1);
    assert_eq!(edition.int("abort", &[]).unwrap_err().kind(), ErrorKind::Crashed);
    let calls = call(&edition);
    assert_eq!(edition.session.stats().spares, 0, "it was taken");
    fs::write(&turn, "o").unwrap();
    for answer in answers(calls) {
        assert_eq!(answer.unwrap(), 11);
    }
    assert_eq!(edition.session.generation(), 3, "the one that is behind the spare");
}
