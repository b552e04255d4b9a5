//! Inputs that are in doubt: a call is refused only where it is certain that what it is given is what has ended workers.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::thread;
use std::time::{Duration, Instant};

use hotcell::dynamic::Value;
use hotcell::{Cause, Error, ErrorKind, Options, Restart, Result, Retries};
use hotcell_e2e::brittle::Brittle;
use hotcell_e2e::process::{process, stop};
use rustix::process::{Pid, Signal, kill_process};

/// No breaker, and no call is made again: what is counted here is inputs.
fn options() -> Options {
    Options { restart: Restart::ALWAYS, retries: Some(Retries::NEVER), ..Options::default() }
}

fn crashes<T: std::fmt::Debug>(made: Result<T>) {
    assert_eq!(made.unwrap_err().kind(), ErrorKind::Crashed);
}

fn is_refused<T: std::fmt::Debug>(made: Result<T>) {
    assert_eq!(made.unwrap_err().kind(), ErrorKind::Quarantined);
}

fn pair(first: i128, second: i128) -> Value {
    Value::Struct(vec![("first".into(), Value::Int(first)), ("second".into(), Value::Int(second))])
}

fn bad() -> Value {
    Value::Bytes(vec![0xEE, 1])
}

#[test]
fn room_that_is_lent_counts_by_its_length_wherever_it_lies() {
    let brittle = Brittle::open(options());
    // In whatever slot: there are eight.
    for before in 0..2 {
        for _ in 0..before {
            assert_eq!(brittle.int("break", &[0]).unwrap(), 0);
        }
        let room = brittle.session.shared_buffer(10).unwrap();
        crashes(brittle.unpack_into(&room, &[0xEE, 1]));
    }
    for before in 0..9 {
        let [small, large] = [10, 1 << 20].map(|length| brittle.session.shared_buffer(length).unwrap());
        is_refused(brittle.unpack_into(&small, &[0xEE, 1]));
        for _ in 0..before {
            assert_eq!(brittle.int("break", &[0]).unwrap(), 0);
        }
        brittle.unpack_into(&large, &[0xEE, 1]).unwrap();
    }
}

#[test]
fn numbers_that_look_like_references_are_numbers() {
    let brittle = Brittle::open(options());
    // Each is the first call of its worker: 4330 lies in the first slot, if it is taken for a place.
    crashes(brittle.call("weigh", &[pair(4330, 0)]));
    crashes(brittle.call("weigh", &[pair(4330, 0)]));
    for other in 4300..4400 {
        match other {
            4330 => is_refused(brittle.call("weigh", &[pair(other, 0)])),
            _ => assert_eq!(brittle.call("weigh", &[pair(other, 0)]).unwrap(), Value::Int(other)),
        }
    }
    for length in 1..64 {
        crashes(brittle.call("weigh", &[pair(4330, length)]));
        crashes(brittle.call("weigh", &[pair(4330, length)]));
        assert_eq!(brittle.int("break", &[0]).unwrap(), 0);
        is_refused(brittle.call("weigh", &[pair(4330, length)]));
        brittle.session.quarantine().release_all();
    }
}

#[test]
fn a_call_with_a_callback_is_another_than_without() {
    let brittle = Brittle::open(options());
    let without = [bad(), Value::Null];
    crashes(brittle.call("parse", &without));
    crashes(brittle.call("parse", &without));
    is_refused(brittle.call("parse", &without));
    let seen = brittle.call_with("parse", &[bad(), Value::Callback], &mut |_, _| Ok(Value::Int(7)));
    assert_eq!(seen.unwrap(), Value::Int(7));
}

#[test]
fn a_call_on_an_object_that_is_given_nothing_has_no_input() {
    let brittle = Brittle::open(options());
    for nothing in [Value::Null, Value::Bytes(Vec::new())] {
        for _ in 0..3 {
            let object = brittle.call("begin", &[]).unwrap();
            brittle.call("add", &[object.clone(), Value::Bytes(vec![0xED, 1])]).unwrap();
            crashes(brittle.call("flush", &[object, nothing.clone()]));
        }
        let object = brittle.call("begin", &[]).unwrap();
        assert_eq!(brittle.call("flush", &[object, nothing]).unwrap(), Value::Int(0));
    }
    assert_eq!(brittle.session.quarantine().count(), 0);
}

#[test]
fn what_ended_on_a_thread_of_the_librarys_counts_against_no_call() {
    let brittle = Brittle::open(options());
    for _ in 0..3 {
        crashes(brittle.call("sum_by_thread", &[bad()]));
    }
    assert_eq!(brittle.session.quarantine().count(), 0);
}

#[test]
fn nor_does_it_count_against_those_beside_it() {
    const CALLERS: u64 = 3;
    let brittle = Brittle::open_reentrant(Options { callers: 4, ..options() });
    let good = [Value::Bytes(vec![1, 2, 3]), Value::Int(10_000)];
    thread::scope(|scope| {
        let call = || brittle.call("sum_slowly", &good).unwrap_err();
        let calls: Vec<_> = (0..CALLERS).map(|_| scope.spawn(call)).collect();
        let watchdog = Instant::now() + Duration::from_secs(20);
        while brittle.session.stats().calls < CALLERS {
            assert!(Instant::now() < watchdog, "all are under way");
            thread::sleep(Duration::from_millis(1));
        }
        assert!(brittle.call("sum_by_thread", &[bad()]).is_err());
        calls.into_iter().for_each(|call| assert!(call.join().unwrap().is_fault()));
    });
    assert_eq!(brittle.session.quarantine().count(), 0);
    // Where a call is to blame, its own input counts, and once.
    crashes(brittle.call("sum", &[bad(), Value::Int(1)]));
    assert_eq!(brittle.session.quarantine().count(), 0);
    crashes(brittle.call("sum", &[bad(), Value::Int(1)]));
    is_refused(brittle.call("sum", &[bad(), Value::Int(1)]));
}

#[test]
fn releases_are_never_refused() {
    let brittle = Brittle::open(options());
    for round in 0..6_u64 {
        let fields = Value::Struct(vec![("number".into(), Value::Int(i128::from(round)))]);
        let breaks = Value::Int(i128::from(round % 2));
        let outcome = brittle.outcome("stream_start", &[fields, breaks]).unwrap();
        drop(outcome);
        assert_eq!(brittle.int("break", &[0]).unwrap(), 0);
        assert_eq!(brittle.session.stats().restarts, round.div_ceil(2));
    }
    let stats = brittle.session.stats();
    assert_eq!((stats.quarantined, stats.quarantine_refused), (0, 0));
}

/// Sends the worker a signal while a call is under way that does nothing wrong.
fn killed(brittle: &Brittle, signal: Signal) -> Error {
    thread::scope(|scope| {
        let before = brittle.session.stats().calls;
        let args = [Value::Bytes(vec![1, 2, 3]), Value::Int(10_000)];
        let calls = scope.spawn(move || brittle.call("sum_slowly", &args).unwrap_err());
        while brittle.session.stats().calls == before {
            assert!(!calls.is_finished(), "it is executed");
            thread::sleep(Duration::from_millis(1));
        }
        let pid = Pid::from_raw(brittle.session.worker_pid().unwrap().cast_signed());
        kill_process(pid.unwrap(), signal).unwrap();
        calls.join().unwrap()
    })
}

#[test]
fn signals_of_others_count_against_no_input() {
    let brittle = Brittle::open(options());
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::SEGV, Signal::ABORT] {
        for _ in 0..3 {
            let error = killed(&brittle, signal);
            let Cause::Signal { number, external, .. } = *error.cause() else { panic!("{error}") };
            assert_eq!(number, signal.as_raw(), "{error}");
            // Whoever sent one that the worker's handler sees.
            assert_eq!(external, matches!(signal, Signal::SEGV | Signal::ABORT), "{error}");
        }
        assert_eq!(brittle.session.quarantine().count(), 0, "{signal:?}");
    }
}

#[test]
fn a_call_of_a_task_that_was_not_sent_is_no_fault() {
    let brittle = Brittle::open(options());
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let pid = brittle.session.worker_pid().unwrap();
    stop(pid);
    runtime.block_on(async {
        // The worker does not map what it is offered for so much.
        let args = [Value::Bytes(vec![1; 8 << 20]), Value::Int(1)];
        let call = brittle.call_awaited("sum", &args);
        assert!(tokio::time::timeout(Duration::from_millis(200), call).await.is_err());
    });
    assert_eq!(brittle.session.stats().calls, 0, "it was not sent");
    kill_process(process(pid), Signal::KILL).unwrap();
    let watchdog = Instant::now() + Duration::from_secs(20);
    while brittle.session.stats().restarts == 0 {
        assert!(Instant::now() < watchdog, "another worker serves");
        let _ = brittle.int("break", &[0]);
    }
    assert_eq!((brittle.session.stats().faults, brittle.session.quarantine().count()), (Vec::new(), 0));
}
