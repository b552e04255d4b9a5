//! A library that does little but end its workers is left alone for a while; one that works most of the time is not.
//!
//! The only tests of their program: they count the workers of the whole process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use hotcell::dynamic::Value;
use hotcell::{Breaker, Cause, Error, ErrorKind, Executed, Options, Restart, UnavailableReason};
use hotcell_e2e::process::{wait_until, workers};
use hotcell_faulty::Faulty;

/// Three faults open it, for less than half a second the first time.
const RULE: Restart = Restart {
    faults: 3,
    within: Duration::from_secs(60),
    pause: Duration::from_millis(200),
    longest_pause: Duration::from_secs(10),
};

fn open(restart: Restart) -> Faulty {
    Faulty::open(Options { restart, ..Options::default() }).unwrap()
}

/// A call that crashes, and how it ended.
fn crash(faulty: &Faulty) -> Error {
    faulty.int("abort", &[]).expect_err("abort")
}

fn is_refused(error: &Error) -> bool {
    let open = matches!(error.cause(), Cause::Unavailable { reason: UnavailableReason::BreakerOpen });
    error.kind() == ErrorKind::Unavailable && open && error.executed() == Executed::No
}

/// Ends as many workers as it takes.
fn crash_until_refused(faulty: &Faulty) {
    for _ in 0..RULE.faults {
        assert_eq!(crash(faulty).kind(), ErrorKind::Crashed);
    }
    let error = faulty.int("add", &[1, 2]).expect_err("no worker is brought up");
    assert!(is_refused(&error), "{error}");
    assert!(matches!(faulty.session().breaker(), Breaker::Open(_)));
}

/// Kills a worker, as an administrator may.
fn kill(pid: u32) {
    let process = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
    wait_until("a killed worker stays", || !workers().contains(&pid));
}

/// Waits until the breaker lets a call through again.
fn wait_until_half_open(faulty: &Faulty) {
    while let Breaker::Open(left) = faulty.session().breaker() {
        std::thread::sleep(left);
    }
    assert_eq!(faulty.session().breaker(), Breaker::HalfOpen);
}

#[test]
fn the_breaker() {
    a_library_that_only_crashes_is_left_alone_and_tried_again();
    a_fault_of_the_try_opens_it_again();
    good_calls_between_keep_it_closed();
    signals_of_others_do_not_count();
    hangs_count_and_tasks_are_refused_alike();
    it_can_be_left_out();
}

fn a_library_that_only_crashes_is_left_alone_and_tried_again() {
    let faulty = open(RULE);
    assert_eq!(faulty.session().breaker(), Breaker::Closed);
    crash_until_refused(&faulty);
    let before = faulty.session().generation();
    let refused = (0..100).filter(|_| faulty.int("add", &[1, 2]).is_err_and(|error| is_refused(&error)));
    assert!(refused.count() > 0, "it is open for longer than some calls take");
    assert_eq!(faulty.session().generation(), before, "refused calls start nothing");
    wait_until_half_open(&faulty);
    assert!(workers().is_empty(), "nothing is started before a call needs it");
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
    assert_eq!(faulty.session().breaker(), Breaker::Closed);
    // What was before is forgotten.
    assert_eq!(crash(&faulty).kind(), ErrorKind::Crashed);
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
}

fn a_fault_of_the_try_opens_it_again() {
    let faulty = open(RULE);
    crash_until_refused(&faulty);
    wait_until_half_open(&faulty);
    assert_eq!(crash(&faulty).kind(), ErrorKind::Crashed, "the call is let through");
    let began = Instant::now();
    assert!(is_refused(&crash(&faulty)), "one fault opens it again");
    wait_until_half_open(&faulty);
    assert!(began.elapsed() >= RULE.pause * 2, "and for longer");
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
}

fn good_calls_between_keep_it_closed() {
    let faulty = open(RULE);
    for _ in 0..4 * RULE.faults {
        assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3, "every second call is good");
        assert_eq!(crash(&faulty).kind(), ErrorKind::Crashed);
    }
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
}

fn signals_of_others_do_not_count() {
    let faulty = open(RULE);
    for _ in 0..4 * RULE.faults {
        let pid = faulty.session().worker_pid().unwrap();
        kill(pid);
        // It may be seen only by the call that it is killed under.
        if let Err(error) = faulty.int("add", &[1, 2]) {
            assert!(matches!(error.cause(), Cause::Signal { external: true, .. }), "{error}");
        }
        assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3, "a worker that somebody killed is replaced");
        assert_ne!(faulty.session().worker_pid(), Some(pid));
    }
}

fn hangs_count_and_tasks_are_refused_alike() {
    let faulty = open(RULE);
    let short = faulty.within(Duration::from_millis(50));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let numbers = [1, 2].map(Value::Int);
    for _ in 0..RULE.faults {
        assert_eq!(short.int("loop", &[]).expect_err("loop").kind(), ErrorKind::Hung);
    }
    let error = runtime.block_on(async { faulty.awaited("add", &numbers).await });
    assert!(is_refused(&error.expect_err("no worker is brought up")));
    wait_until_half_open(&faulty);
    runtime.block_on(async { faulty.awaited("add", &numbers).await }).unwrap();
}

fn it_can_be_left_out() {
    let faulty = open(Restart::ALWAYS);
    for _ in 0..4 * RULE.faults {
        assert_eq!(crash(&faulty).kind(), ErrorKind::Crashed);
    }
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
}
