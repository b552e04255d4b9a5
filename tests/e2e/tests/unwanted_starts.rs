//! Starts of workers that somebody waits for who gives up.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use hotcell::{Cancel, ErrorKind, Executed, Options};
use hotcell_e2e::edition::{Edition, Editions};
use hotcell_e2e::process::{alive, wait_until, workers};

/// Workers of this process are looked at: one test at a time has any.
static ALONE: Mutex<()> = Mutex::new(());

/// No test is so patient; one that fails waits for it.
const LONG: Duration = Duration::from_secs(120);

/// The library in a file that waits while it is loaded, options for it, and the file that says for how long.
fn waits(editions: &Editions) -> (std::path::PathBuf, Options, std::path::PathBuf) {
    let file = editions.compile("waits.so", &["-DWAITS_IN_TURN"]);
    let (options, turn) = editions.writing("EDITION_TURN");
    (file, Options { deadline: LONG, start_deadline: LONG, ..options }, turn)
}

#[test]
fn a_session_that_is_not_wanted_any_more_is_not_opened_and_leaves_no_worker() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let editions = Editions::new();
    let (file, options, turn) = waits(&editions);
    fs::write(&turn, "w").unwrap();
    let (cancel, before) = (Cancel::new(), workers());
    let begun = || workers().into_iter().find(|worker| !before.contains(worker));
    let (error, worker) = thread::scope(|scope| {
        let opens = scope.spawn(|| Edition::open_cancelled_by(&file, options.clone(), &cancel).unwrap_err());
        // A process is taken for a worker for a moment before it says that it keeps one.
        let mut worker = None;
        wait_until("a worker is coming up", || {
            let seen = begun();
            thread::sleep(Duration::from_millis(50));
            worker = begun().filter(|worker| seen == Some(*worker));
            worker.is_some()
        });
        let worker = worker.unwrap();
        assert!(!opens.is_finished());
        cancel.cancel();
        (opens.join().unwrap(), worker)
    });
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Cancelled, Executed::No), "{error}");
    assert!(!error.is_fault());
    wait_until("the worker goes on", || !alive(worker));
    // Calls of a session that was opened know nothing of it.
    fs::write(&turn, "g").unwrap();
    let cancel = Cancel::new();
    let edition = Edition::open_cancelled_by(&file, options, &cancel).unwrap();
    cancel.cancel();
    assert_eq!(edition.int("mark", &[1]).unwrap(), 11);
}

#[test]
fn a_call_that_waits_for_a_worker_is_given_up_and_the_worker_is_the_next_call_s() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let editions = Editions::new();
    let (file, options, turn) = waits(&editions);
    let edition = Edition::open(&file, options).unwrap();
    fs::write(&turn, "w").unwrap();
    assert_eq!(edition.int("abort", &[]).unwrap_err().kind(), ErrorKind::Crashed);
    let asked = AtomicBool::new(false);
    // Another call of this thread meanwhile is refused, and not waited for.
    let nested = edition.clone();
    let cancel = Cancel::asking(move || {
        if asked.swap(true, Ordering::Relaxed) {
            assert_eq!(nested.int("mark", &[1]).unwrap_err().kind(), ErrorKind::Unavailable);
            return true;
        }
        false
    });
    let mut unwanted = edition.clone();
    unwanted.session = edition.session.cancelled_by(&cancel);
    let error = unwanted.int("mark", &[1]).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Cancelled, Executed::No), "{error}");
    let coming = workers();
    fs::write(&turn, "g").unwrap();
    assert_eq!(edition.int("mark", &[1]).unwrap(), 11);
    assert_eq!((edition.session.generation(), edition.session.stats().faults.len()), (2, 1));
    assert!(coming.contains(&edition.session.worker_pid().unwrap()), "it is the one that was coming up");
}
