//! Inputs that have ended two workers: they are refused until their time is over, or they are released.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use hotcell::dynamic::Value;
use hotcell::rt::{Collects as _, Puts as _};
use hotcell::{
    Cause, Error, ErrorKind, Executed, InputId, Options, Pipeline, Quarantine, QuarantineRule, Restart,
    Result, Retries, Ticket,
};
use hotcell_e2e::brittle::Brittle;
use hotcell_e2e::process::{stays_asleep, wait_until};

/// No breaker, and no call is made again: what is counted here is inputs.
fn options() -> Options {
    Options { restart: Restart::ALWAYS, retries: Some(Retries::NEVER), ..Options::default() }
}

/// So many bytes, the first of which ends a worker if it is `0xEE`.
fn data(first: u8, length: usize) -> Value {
    Value::Bytes([first].into_iter().chain((1..length).map(|at| (at % 251) as u8)).collect())
}

fn sum(brittle: &Brittle, data: &Value, factor: i128) -> Result<Value> {
    let args = [data.clone(), Value::Int(factor)];
    brittle.call("sum", &args)
}

fn shape(name: &str, size: f64) -> Value {
    Value::Struct(vec![("name".into(), Value::Text(name.into())), ("size".into(), Value::Float(size))])
}

fn texts(list: &[&str]) -> Value {
    Value::List(list.iter().map(|text| Value::Text((*text).into())).collect())
}

/// The input by which a call was refused.
fn refused(error: &Error) -> InputId {
    let Cause::Quarantined { input, left } = *error.cause() else { panic!("{error}") };
    assert!(!left.is_zero(), "{error}");
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Quarantined, Executed::No), "{error}");
    input
}

fn crashes(made: Result<Value>) {
    let error = made.unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Crashed, Executed::Maybe), "{error}");
}

/// Ends two workers; then it is refused, and no third one ends.
fn is_refused_after_two(brittle: &Brittle, name: &str, args: &[Value]) -> InputId {
    let known = brittle.session.stats().quarantined;
    crashes(brittle.call(name, args));
    assert_eq!(brittle.session.stats().quarantined, known);
    // The next one lies elsewhere: in another slot, and in a segment that is there.
    assert!(sum(brittle, &data(0, 1 << 22), 1).is_ok());
    crashes(brittle.call(name, args));
    assert_eq!(brittle.session.stats().quarantined, known + 1);
    assert!(sum(brittle, &data(0, 5000), 1).is_ok() && sum(brittle, &data(0, 1 << 23), 1).is_ok());
    let (workers, calls) = (brittle.session.stats().restarts, brittle.session.stats().calls);
    let input = refused(&brittle.call(name, args).unwrap_err());
    assert_eq!(refused(&brittle.call(name, args).unwrap_err()), input);
    let stats = brittle.session.stats();
    assert_eq!((stats.restarts, stats.calls), (workers, calls));
    input
}

#[test]
fn an_input_that_ended_two_workers_is_refused_and_others_are_not() {
    let brittle = Brittle::open(options());
    // In the slot of its call, behind it, and in a segment of its own.
    for length in [1, 8, 100, 5000, 3 << 20] {
        let bad = data(0xEE, length);
        let input = is_refused_after_two(&brittle, "sum", &[bad.clone(), Value::Int(2)]);
        // Another number, other bytes, another length: other inputs.
        assert!(matches!(sum(&brittle, &data(0, length), 2), Ok(Value::Int(_))));
        crashes(sum(&brittle, &bad, 3));
        crashes(sum(&brittle, &data(0xEE, length + 1), 2));
        let known = brittle.session.quarantine().inputs();
        let known = known.iter().find(|it| it.input == input).unwrap();
        assert_eq!((known.library, known.function, known.crashes), ("brittle", "brittle_sum", 2));
        assert_eq!(known.refused, 2);
    }
    assert_eq!(brittle.session.stats().quarantined, 5);
    assert_eq!(brittle.session.stats().quarantine_refused, 10);
    let json = brittle.session.stats().to_json();
    assert_eq!((&json["quarantined"], &json["quarantine_refused"]), (&5.into(), &10.into()));
}

/// Sends [`sum`] in a pipeline.
fn sends(brittle: &Brittle, pipe: &mut Pipeline, data: &[u8]) -> Ticket<u64> {
    sends_to(brittle, pipe, "sum", data, 1)
}

/// Sends a sum that takes long: what is sent behind it is sent before it ends.
fn sends_slowly(brittle: &Brittle, pipe: &mut Pipeline, data: &[u8]) -> Ticket<u64> {
    sends_to(brittle, pipe, "sum_slowly", data, 200)
}

fn sends_to(brittle: &Brittle, pipe: &mut Pipeline, name: &str, data: &[u8], number: u32) -> Ticket<u64> {
    let mut call = pipe.entry(brittle.index(name)).unwrap();
    call.put_buffer(0, "data", data).unwrap();
    call.put_u32(16, number);
    call.values(|reply| reply.get_u64(0))
}

#[test]
fn inputs_of_calls_in_flight_are_told_apart_and_refused_as_others_are() {
    let brittle = Brittle::open(options());
    let (good, last, bad) = ([1, 2], [3, 4], [0xEE, 1]);
    let crash_in_flight = || {
        let mut pipe = brittle.session.pipeline();
        let first = sends_slowly(&brittle, &mut pipe, &good);
        let [ends, lost] = [&bad, &last].map(|data| sends(&brittle, &mut pipe, data));
        assert_eq!(pipe.take(first).unwrap(), 3);
        crashes(pipe.take(ends).map(|_| Value::Null));
        assert_eq!(pipe.take(lost).unwrap_err().kind(), ErrorKind::WorkerLost);
    };
    crash_in_flight();
    assert_eq!(brittle.session.stats().quarantined, 0);
    crash_in_flight();
    assert_eq!(brittle.session.stats().quarantined, 1);
    let restarts = brittle.session.stats().restarts;
    let mut pipe = brittle.session.pipeline();
    let [first, is_refused, behind] = [&good, &bad, &last].map(|data| sends(&brittle, &mut pipe, data));
    assert_eq!((pipe.take(first).unwrap(), pipe.take(behind).unwrap()), (3, 7));
    let in_flight = refused(&pipe.take(is_refused).unwrap_err());
    drop(pipe);
    // It is the input of a call by itself.
    let bytes = |data: &[u8]| Value::Bytes(data.to_vec());
    assert_eq!(refused(&sum(&brittle, &bytes(&bad), 1).unwrap_err()), in_flight);
    assert!(sum(&brittle, &bytes(&last), 1).is_ok());
    // By itself it is refused in a pipeline too, and the lane is free behind it.
    let mut pipe = brittle.session.pipeline();
    let by_itself = sends(&brittle, &mut pipe, &bad);
    refused(&pipe.take(by_itself).unwrap_err());
    drop(pipe);
    assert!(sum(&brittle, &bytes(&good), 1).is_ok());
    assert_eq!(brittle.session.stats().restarts, restarts + 1);
}

#[test]
fn texts_and_structures_are_inputs_wherever_they_lie() {
    let brittle = Brittle::open(options());
    let long = "long".repeat(1000);
    let lists = [texts(&["a", "poison"]), texts(&["poison"]), texts(&[&long, "poison", &long])];
    for list in lists {
        is_refused_after_two(&brittle, "texts", &[list]);
    }
    for size in [1.0, 2.0] {
        is_refused_after_two(&brittle, "measure", &[shape("poison", size)]);
    }
    assert_eq!(brittle.session.stats().quarantined, 5);
    // What is as long, and lies where that lay, is another.
    assert_eq!(brittle.call("texts", &[texts(&["a", "prison"])]).unwrap(), Value::Int(7));
    assert_eq!(brittle.call("texts", &[texts(&["apoison", ""])]).unwrap(), Value::Int(7));
    assert_eq!(brittle.call("measure", &[shape("prison", 2.0)]).unwrap(), Value::Float(12.0));
    crashes(brittle.call("measure", &[shape("poison", 3.0)]));
}

#[test]
fn an_input_is_the_same_behind_whatever_calls_and_on_whatever_object() {
    let brittle = Brittle::open(options());
    let bad = data(0xEE, 10_000);
    for round in 0..2 {
        // The slot and the segment that it lies in are others.
        for at in 0..round * 3 {
            assert!(sum(&brittle, &data(0, 1 << (at * 3)), 1).is_ok());
        }
        let object = brittle.call("begin", &[]).unwrap();
        brittle.call("add", &[object.clone(), data(0, 70_000 * round + 1)]).unwrap();
        crashes(brittle.call("add", &[object, bad.clone()]));
    }
    let object = brittle.call("begin", &[]).unwrap();
    refused(&brittle.call("add", &[object.clone(), bad.clone()]).unwrap_err());
    assert_eq!(brittle.call("add", &[object, data(5, 1)]).unwrap(), Value::Int(5), "the object is there");
    // The same data of another function are another input.
    crashes(sum(&brittle, &bad, 1));
}

#[test]
fn what_is_released_or_was_long_enough_there_is_executed_again() {
    let rule = QuarantineRule { lasts: Duration::from_millis(200), ..QuarantineRule::default() };
    let quarantine = Quarantine::new(rule);
    let brittle = Brittle::open(Options { quarantine: quarantine.clone(), ..options() });
    let bad = [data(0xEE, 3), Value::Int(1)];
    crashes(brittle.call("sum", &bad));
    crashes(brittle.call("sum", &bad));
    while quarantine.count() > 0 {
        thread::sleep(Duration::from_millis(10));
    }
    crashes(brittle.call("sum", &bad));
    let longer = Quarantine::default();
    let brittle = Brittle::open(Options { quarantine: longer.clone(), ..options() });
    let input = is_refused_after_two(&brittle, "sum", &bad);
    assert!(longer.release(input) && !longer.release(input));
    let input = is_refused_after_two(&brittle, "sum", &bad);
    let text = input.to_string();
    assert_eq!(text.parse::<InputId>().unwrap(), input);
    longer.release_all();
    crashes(brittle.call("sum", &bad));
}

#[test]
fn calls_without_data_are_never_refused() {
    let brittle = Brittle::open(options());
    for _ in 0..5 {
        assert_eq!(brittle.int("break", &[1]).unwrap_err().kind(), ErrorKind::Crashed);
    }
    assert_eq!(brittle.session.quarantine().count(), 0);
}

#[test]
fn a_list_that_is_off_refuses_nothing() {
    let brittle = Brittle::open(Options { quarantine: Quarantine::off(), ..options() });
    for _ in 0..5 {
        crashes(sum(&brittle, &data(0xEE, 3), 1));
    }
}

#[test]
fn a_call_that_is_made_again_costs_two_workers_and_no_third() {
    let retries = Some(Retries { tries: 10, ..Retries::default() });
    let brittle = Brittle::open(Options { retries, ..options() });
    let error = brittle.call("texts", &[texts(&["poison"])]).unwrap_err();
    // What is refused says less than what came before.
    assert_eq!((error.kind(), error.executed(), error.tries()), (ErrorKind::Crashed, Executed::Maybe, 2));
    refused(&brittle.call("texts", &[texts(&["poison"])]).unwrap_err());
    let stats = brittle.session.stats();
    assert_eq!((stats.faults, stats.retries), (vec![(ErrorKind::Crashed, 2)], 1));
}

#[test]
fn what_another_process_killed_is_no_input_of_the_librarys() {
    let brittle = Brittle::open(options());
    for _ in 0..3 {
        let brittle = &brittle;
        let error = thread::scope(|scope| {
            let before = brittle.session.stats().calls;
            let args = [data(1, 3), Value::Int(10_000)];
            let calls = scope.spawn(move || brittle.call("sum_slowly", &args).unwrap_err());
            while brittle.session.stats().calls == before {
                thread::sleep(Duration::from_millis(1));
            }
            let pid = rustix::process::Pid::from_raw(brittle.session.worker_pid().unwrap().cast_signed());
            rustix::process::kill_process(pid.unwrap(), rustix::process::Signal::KILL).unwrap();
            calls.join().unwrap()
        });
        assert!(matches!(error.cause(), Cause::Signal { external: true, .. }), "{error}");
    }
    assert_eq!(brittle.session.quarantine().count(), 0);
}

#[test]
fn a_bad_input_costs_two_workers_however_many_sessions_and_callers_there_are() {
    const CALLERS: u64 = 4;
    let shared = options();
    let sessions = [Brittle::open(shared.clone()), Brittle::open(shared.clone())];
    let (crashed, refused_calls) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (brittle, crashed, refused_calls) =
                (&sessions[caller as usize % 2], &crashed, &refused_calls);
            scope.spawn(move || {
                for round in 0..100_u64 {
                    let good = data(1, 1000 + round as usize);
                    match sum(brittle, &good, 1) {
                        Ok(sum) => {
                            let Value::Bytes(bytes) = &good else { unreachable!("it is data") };
                            let expected: i128 = bytes.iter().map(|byte| i128::from(*byte)).sum();
                            assert_eq!(sum, Value::Int(expected));
                        }
                        Err(error) => panic!("{error}"),
                    }
                    if round % 10 == 0 {
                        let error = sum(brittle, &data(0xEE, 2000), 1).unwrap_err();
                        match error.kind() {
                            ErrorKind::Crashed => crashed.fetch_add(1, Ordering::Relaxed),
                            _ => {
                                refused(&error);
                                refused_calls.fetch_add(1, Ordering::Relaxed)
                            }
                        };
                    }
                }
            });
        }
    });
    let (crashed, refused_calls) = (crashed.into_inner(), refused_calls.into_inner());
    // One call at a time in each session: as many may be under way when the second worker ends.
    assert!((2..=3).contains(&crashed), "{crashed}");
    assert_eq!(crashed + refused_calls, CALLERS * 10);
    let stats = sessions.each_ref().map(|brittle| brittle.session.stats());
    let faults: u64 = stats.iter().flat_map(|stats| &stats.faults).map(|(_, count)| count).sum();
    assert_eq!(faults, crashed);
    assert_eq!(stats.iter().map(|stats| stats.quarantine_refused).sum::<u64>(), refused_calls);
    let listed = shared.quarantine.inputs();
    assert_eq!((listed.len(), listed[0].refused), (1, refused_calls));
}

#[test]
fn an_input_that_is_listed_while_its_call_waits_for_its_turn_costs_no_worker() {
    let shared = options();
    let [elsewhere, here] = [Brittle::open(shared.clone()), Brittle::open(shared.clone())];
    let bad = data(0xEE, 2000);
    crashes(sum(&elsewhere, &bad, 1));
    let before = here.session.stats().calls;
    thread::scope(|scope| {
        let slow = scope.spawn(|| here.call("sum_slowly", &[data(1, 10), Value::Int(2000)]));
        wait_until("the call is sent", || here.session.stats().calls > before);
        let waits = thread::Builder::new().name("waits".into());
        let waits = waits.spawn_scoped(scope, || sum(&here, &bad, 1)).unwrap();
        wait_until("it waits for its turn", || stays_asleep("self", "waits"));
        crashes(sum(&elsewhere, &bad, 1));
        assert!(!slow.is_finished() && !waits.is_finished(), "it was listed too late");
        assert!(slow.join().unwrap().is_ok());
        refused(&waits.join().unwrap().unwrap_err());
    });
    assert_eq!(here.session.stats().restarts, 0);
}

#[test]
fn data_that_the_library_reads_where_they_lie_are_inputs() {
    let brittle = Brittle::open(options());
    let crashed = |made: Result<u64>| assert_eq!(made.unwrap_err().kind(), ErrorKind::Crashed);
    let filled = |length: usize| {
        // Of the worker that serves; each has its own.
        assert_eq!(brittle.sum_in_place(&[1]).unwrap(), 1);
        let mut buffer = brittle.session.buffer(length).unwrap();
        buffer.fill(7);
        buffer[0] = 0xEE;
        buffer
    };
    for length in [1 << 14, 1 << 20] {
        crashed(brittle.sum_in_place(&filled(length)));
        // As copied data they are the same input.
        let mut copied = vec![7; length];
        copied[0] = 0xEE;
        crashed(brittle.sum_in_place(&copied));
        refused(&brittle.sum_in_place(&filled(length)).unwrap_err());
        refused(&brittle.sum_in_place(&copied).unwrap_err());
        let mut good = filled(length);
        good[0] = 7;
        assert_eq!(brittle.sum_in_place(&good).unwrap(), 7 * length as u64);
    }
}

#[test]
fn tasks_are_refused_too() {
    let brittle = Brittle::open(options());
    let bad = [data(0xEE, 100), Value::Int(1)];
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(async {
        crashes(brittle.call_awaited("sum", &bad).await);
        crashes(brittle.call_awaited("sum", &bad).await);
        refused(&brittle.call_awaited("sum", &bad).await.unwrap_err());
        let good = [data(7, 1), Value::Int(3)];
        assert_eq!(brittle.call_awaited("sum", &good).await.unwrap(), Value::Int(21));
    });
    refused(&brittle.call("sum", &bad).unwrap_err());
}
