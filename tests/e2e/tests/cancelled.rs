//! Calls that somebody gives up while their thread waits for them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use hotcell::dynamic::Value;
use hotcell::{Breaker, Cancel, ErrorKind, Executed, Options, Restart};
use hotcell_e2e::process::{alive, wait_until};
use hotcell_faulty::{Faulty, bound};

/// The library through a session that may be given up.
fn loops(session: &hotcell::Session, cancel: &Cancel) -> hotcell::Result<hotcell::dynamic::Outcome> {
    let interface = &bound().unwrap().interface;
    let function = interface.function("faulty_loop").unwrap();
    hotcell::dynamic::call(&session.cancelled_by(cancel), interface, function, &[])
}

#[test]
fn a_call_that_is_given_up_ends_at_once_and_the_next_one_works() {
    let faulty =
        Faulty::open(Options { restart: Restart { faults: 1, ..Restart::default() }, ..Options::default() });
    let faulty = faulty.unwrap();
    for generation in 1..=3 {
        let cancel = Cancel::new();
        let (session, worker) = (faulty.session(), faulty.session().worker_pid().unwrap());
        let before = session.stats().calls;
        let error = thread::scope(|scope| {
            let calls = scope.spawn(|| loops(session, &cancel).unwrap_err());
            wait_until("the call is under way", || session.stats().calls > before);
            cancel.clone().cancel();
            calls.join().unwrap()
        });
        assert_eq!((error.kind(), error.executed()), (ErrorKind::Cancelled, Executed::Maybe), "{error}");
        assert_eq!((error.function(), error.generation()), ("faulty_loop", generation));
        assert!(!error.is_fault());
        wait_until("the worker goes on", || !alive(worker));
        assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5);
        // It is nobody's fault: with one, the breaker would be open.
        assert_eq!((session.breaker(), session.stats().faults.len()), (Breaker::Closed, 0));
    }
}

#[test]
fn a_call_that_is_given_up_before_it_is_sent_is_not_executed() {
    let faulty = Faulty::open(Options::default()).unwrap();
    let cancel = Cancel::new();
    assert!(!cancel.is_cancelled());
    cancel.cancel();
    let error = loops(faulty.session(), &cancel).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Cancelled, Executed::No), "{error}");
    assert_eq!((faulty.session().stats().calls, faulty.session().generation()), (0, 1));
    assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5, "other calls are not given up");
}

#[test]
fn a_call_in_line_that_is_given_up_leaves_it_and_nobody_else_hears_of_it() {
    let faulty = Faulty::open(Options::default()).unwrap();
    let (session, theirs) = (faulty.session(), Cancel::new());
    let (worker, before) = (session.worker_pid().unwrap(), session.stats().calls);
    thread::scope(|scope| {
        let holds = scope.spawn(|| loops(session, &theirs).unwrap_err());
        wait_until("the call is under way", || session.stats().calls > before);
        let asked = Arc::new(AtomicU32::new(0));
        let asks = Arc::clone(&asked);
        let own = Cancel::asking(move || asks.fetch_add(1, Ordering::Relaxed) >= 3);
        let error = loops(session, &own).unwrap_err();
        assert_eq!((error.kind(), error.executed()), (ErrorKind::Cancelled, Executed::No), "{error}");
        assert_eq!(asked.load(Ordering::Relaxed), 4, "what has given up is not asked again");
        assert!(alive(worker) && !holds.is_finished());
        theirs.cancel();
        assert_eq!(holds.join().unwrap().kind(), ErrorKind::Cancelled);
    });
}

#[test]
fn what_is_asked_in_line_may_call_the_session_itself() {
    let faulty = Faulty::open(Options::default()).unwrap();
    let (session, theirs) = (faulty.session(), Cancel::new());
    let (before, own, gives_up) = (session.stats().calls, session.clone(), theirs.clone());
    let (asked, made) = (AtomicU32::new(0), Arc::new(AtomicU32::new(0)));
    let sum = Arc::clone(&made);
    let asks = Cancel::asking(move || {
        // The first time before it stands in line.
        if asked.fetch_add(1, Ordering::Relaxed) == 1 {
            gives_up.cancel();
            sum.store(add(&own, 2, 3).unwrap(), Ordering::Relaxed);
        }
        false
    });
    thread::scope(|scope| {
        let holds = scope.spawn(|| loops(session, &theirs).unwrap_err());
        wait_until("the call is under way", || session.stats().calls > before);
        assert_eq!(add(&session.cancelled_by(&asks), 4, 5).unwrap(), 9);
        assert_eq!(made.load(Ordering::Relaxed), 5, "that was made from what is asked");
        assert_eq!(holds.join().unwrap().kind(), ErrorKind::Cancelled);
    });
}

#[test]
fn a_panic_of_what_is_asked_comes_out_behind_the_call() {
    let faulty = Faulty::open(Options::default()).unwrap();
    let (session, asked) = (faulty.session(), AtomicU32::new(0));
    let panics = Cancel::asking(move || {
        assert!(asked.fetch_add(1, Ordering::Relaxed) < 3, "asked too often");
        false
    });
    let panic = catch_unwind(AssertUnwindSafe(|| loops(session, &panics))).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"asked too often"));
    assert_eq!((add(session, 2, 3).unwrap(), session.generation()), (5, 2));
    assert_eq!(loops(session, &panics).unwrap_err().kind(), ErrorKind::Cancelled, "for good");
}

/// A sum by the library.
fn add(session: &hotcell::Session, left: i128, right: i128) -> hotcell::Result<u32> {
    let interface = &bound().unwrap().interface;
    let function = interface.function("faulty_add").unwrap();
    let made = hotcell::dynamic::call(session, interface, function, &[Value::Int(left), Value::Int(right)])?;
    match made.returned {
        Some(Value::Int(sum)) => Ok(u32::try_from(sum).unwrap()),
        other => panic!("{other:?} is no sum"),
    }
}

#[test]
fn a_deadline_holds_for_calls_that_may_be_given_up() {
    let faulty = Faulty::open(Options::default()).unwrap();
    let within = faulty.session().within(Duration::from_millis(50));
    let error = loops(&within, &Cancel::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Hung, "{error}");
    // Longer than it waits before it looks.
    let session = faulty.session().cancelled_by(&Cancel::new());
    let interface = &bound().unwrap().interface;
    let sleep = interface.function("faulty_sleep").unwrap();
    let slept = hotcell::dynamic::call(&session, interface, sleep, &[Value::Int(60)]).unwrap();
    assert_eq!(slept.returned, Some(Value::Int(60)));
}

#[test]
fn a_call_that_calls_back_is_given_up_behind_its_callback() {
    let faulty = Faulty::open(Options::default()).unwrap();
    let cancel = Cancel::new();
    let session = faulty.session().cancelled_by(&cancel);
    let interface = &bound().unwrap().interface;
    let outer = interface.function("faulty_outer").unwrap();
    let mut callbacks = 0;
    let called = hotcell::dynamic::call_with(&session, interface, outer, &[Value::Callback], &mut |_, _| {
        callbacks += 1;
        cancel.cancel();
        Ok(Value::Int(1))
    });
    let error = called.unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Cancelled, Executed::Maybe), "{error}");
    assert_eq!(callbacks, 1);
    assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5);
}
