//! Calls that the library stops when it is told to: at their deadline, and when nobody wants them any more. Where it does not, its
//! worker is ended.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::pin::pin;
use std::thread;
use std::time::{Duration, Instant};

use hotcell::dynamic::Value;
use hotcell::rt::Handle;
use hotcell::{Breaker, Cancel, Cause, Error, ErrorKind, Executed, Options, Restart};
use hotcell_e2e::halt::Halt;
use hotcell_e2e::process::{alive, go_on, stop, wait_until};
use hotcell_e2e::tasks::start;

/// More than any call takes here that is stopped.
const LONG: i128 = 60_000;

/// A deadline that passes. By then a call has come to the library, also where its worker has others before it.
const SHORT: Duration = Duration::from_millis(250);

/// What an obedient library may take on a machine that is busy: no test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// With one fault, the breaker opens.
fn options(cancel_grace: Duration) -> Options {
    Options { cancel_grace, restart: Restart { faults: 1, ..Restart::default() }, ..Options::default() }
}

fn halt() -> (Halt, Handle) {
    let halt = Halt::open(options(PATIENCE));
    let job = halt.make("halt_begin", &[]).unwrap();
    (halt, job)
}

fn within(halt: &Halt) -> Halt {
    halt.through(halt.session.within(SHORT))
}

#[track_caller]
fn is_stopped(error: &Error) {
    assert_eq!((error.kind(), error.executed()), (ErrorKind::DeadlineExceeded, Executed::Yes), "{error}");
    assert!(matches!(error.cause(), Cause::Deadline { after } if *after == SHORT), "{error:?}");
    assert!(!error.is_fault() && error.to_string().contains("the library stopped it"), "{error}");
}

/// Nobody died: the first worker has served all the while, and its objects are there.
#[track_caller]
fn all_is_well(halt: &Halt, job: &Handle, told: i128) {
    assert_eq!(halt.int("halt_told", job, None).unwrap(), told);
    assert_eq!((halt.session.generation(), halt.session.breaker()), (1, Breaker::Closed));
    assert_eq!(halt.session.stats().faults, []);
}

#[test]
fn the_library_stops_a_call_at_its_deadline_and_its_worker_goes_on() {
    let (halt, job) = halt();
    let worker = halt.session.worker_pid().unwrap();
    let brief = within(&halt);
    for told in 1..=5 {
        let begun = Instant::now();
        is_stopped(&brief.int("halt_turn", &job, Some(LONG)).unwrap_err());
        assert!(begun.elapsed() >= SHORT);
        all_is_well(&halt, &job, told);
        // The next call has nothing of it.
        assert_eq!(halt.int("halt_turn", &job, Some(3)).unwrap(), 3);
    }
    assert!(alive(worker));
    // What was told in time is not stopped, and nobody is told.
    assert_eq!(halt.int("halt_turn", &job, Some(5)).unwrap(), 5);
    all_is_well(&halt, &job, 5);
}

#[test]
fn what_stops_it_finds_the_object_through_another_one_or_needs_none() {
    let (halt, job) = halt();
    let part = halt.make("halt_part_of", &[&job]).unwrap();
    is_stopped(&within(&halt).int("halt_turn_part", &part, Some(LONG)).unwrap_err());
    all_is_well(&halt, &job, 1);
    is_stopped(&within(&halt).call("halt_wait", &[Value::Int(LONG)]).unwrap_err());
    assert_eq!(halt.call("halt_wait", &[Value::Int(2)]).unwrap(), Value::Int(2));
    all_is_well(&halt, &job, 1);
}

#[test]
fn what_a_stopped_call_has_made_is_released() {
    let (halt, job) = halt();
    is_stopped(&within(&halt).make("halt_make", &[&job]).unwrap_err());
    assert_eq!(halt.int("halt_parts", &job, None).unwrap(), 0);
    all_is_well(&halt, &job, 1);
}

/// Gives a call up that is under way.
#[track_caller]
fn given_up(halt: &Halt, cancel: &Cancel, name: &str, job: &Handle) -> Error {
    let theirs = halt.through(halt.session.cancelled_by(cancel));
    let before = halt.session.stats().calls;
    thread::scope(|scope| {
        let calls = scope.spawn(|| theirs.int(name, job, Some(LONG)).unwrap_err());
        wait_until("the call is under way", || halt.session.stats().calls > before);
        // Until it has come to the library.
        thread::sleep(Duration::from_millis(20));
        cancel.cancel();
        calls.join().unwrap()
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_call_that_is_given_up_is_stopped_too() {
    let (halt, job) = halt();
    for told in 1..=3 {
        let error = given_up(&halt, &Cancel::new(), "halt_turn", &job);
        assert_eq!((error.kind(), error.executed()), (ErrorKind::Cancelled, Executed::Yes), "{error}");
        assert!(error.to_string().contains("the library stopped it"), "{error}");
        all_is_well(&halt, &job, told);
    }
}

#[test]
fn a_library_that_does_not_listen_loses_its_worker_as_ever() {
    let halt = Halt::open(options(Duration::from_secs(2)));
    let job = halt.make("halt_begin", &[]).unwrap();
    let worker = halt.session.worker_pid().unwrap();
    let error = within(&halt).int("halt_turn_deaf", &job, Some(LONG)).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Hung, Executed::Maybe), "{error}");
    // It was told indeed.
    assert!(error.output().contains("halt: told to stop"), "{:?}", error.output());
    assert!(error.to_string().contains("the library was told to stop it, and went on"), "{error}");
    assert!(error.is_fault());
    wait_until("the worker is gone", || !alive(worker));
    assert_eq!(halt.session.stats().faults, [(ErrorKind::Hung, 1)]);
}

/// Nothing would come of waiting 20 ms for the record of where it was. One call shows it, when the machine is not busy.
#[test]
fn a_library_that_hears_no_signal_is_not_waited_for() {
    let halt = Halt::open(Options { restart: Restart::ALWAYS, ..Options::default() });
    wait_until("one is ended sooner", || {
        let job = halt.make("halt_begin", &[]).unwrap();
        let begun = Instant::now();
        let error = within(&halt).int("halt_turn_shut", &job, Some(LONG)).unwrap_err();
        let late = begun.elapsed() - SHORT;
        assert_eq!((error.kind(), error.executed()), (ErrorKind::Hung, Executed::Maybe), "{error}");
        late < Duration::from_millis(20)
    });
}

#[test]
fn what_does_not_return_from_stopping_a_call_is_ended_with_its_worker() {
    let halt = Halt::open(options(Duration::from_secs(2)));
    let job = halt.make("halt_begin", &[]).unwrap();
    let worker = halt.session.worker_pid().unwrap();
    // The call itself obeys at once.
    let error = within(&halt).int("halt_turn_hung", &job, Some(LONG)).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Hung, Executed::Maybe), "{error}");
    assert!(error.output().contains("halt: told to stop"), "{:?}", error.output());
    assert!(error.to_string().contains("what was to stop it has not returned"), "{error}");
    wait_until("the worker is gone", || !alive(worker));
}

#[test]
fn what_crashes_when_it_is_to_stop_a_call_is_told_with_that() {
    let (halt, job) = halt();
    let worker = halt.session.worker_pid().unwrap();
    let begun = Instant::now();
    let error = within(&halt).int("halt_turn_crashed", &job, Some(LONG)).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Hung, Executed::Maybe), "{error}");
    assert!(error.output().contains("halt: told to stop"), "{:?}", error.output());
    assert!(error.to_string().contains("what was to stop it ended the worker"), "{error}");
    assert!(error.to_string().contains("SIGSEGV"), "{error}");
    assert!(begun.elapsed() < PATIENCE, "its death is waited for, and not the grace");
    wait_until("the worker is gone", || !alive(worker));
}

#[test]
fn of_several_calls_that_are_stopped_only_one_is_told_that_stopping_it_ended_the_worker() {
    let halt = Halt::several(Options { callers: 3, ..options(PATIENCE) });
    let [hangs, crashes] = [0, 1].map(|_| halt.make("halt_begin", &[]).unwrap());
    // Lanes are opened before: both calls are to be in the library when they are told to stop.
    thread::scope(|scope| {
        for job in [&hangs, &crashes] {
            scope.spawn(|| halt.int("halt_turn", job, Some(100)).unwrap());
        }
    });
    let within = |times: u32| halt.through(halt.session.within(SHORT * 4 * times));
    let (sooner, later) = (within(1), within(2));
    thread::scope(|scope| {
        let other = scope.spawn(|| sooner.int("halt_turn_hung", &hangs, Some(LONG)).unwrap_err());
        let error = later.int("halt_turn_crashed", &crashes, Some(LONG)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Hung, "{error}");
        assert!(error.to_string().contains("what was to stop it ended the worker"), "{error}");
        let error = other.join().unwrap();
        assert_eq!((error.kind(), error.executed()), (ErrorKind::WorkerLost, Executed::Maybe), "{error}");
        assert!(error.to_string().contains("halt_turn_crashed"), "{error}");
        assert_eq!(error.output().matches("halt: told to stop").count(), 2, "{:?}", error.output());
    });
}

#[test]
fn a_call_that_crashes_when_it_is_told_to_stop_says_so() {
    let (halt, job) = halt();
    let error = within(&halt).int("halt_fall", &job, Some(LONG)).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Crashed, Executed::Maybe), "{error}");
    assert!(matches!(error.cause(), Cause::Signal { number: 11, address: Some(0), .. }), "{error:?}");
    assert!(error.output().contains("halt: told to stop"), "{:?}", error.output());
    assert_eq!(halt.session.stats().faults, [(ErrorKind::Crashed, 1)]);
    // Nor is that lost where the call was given up.
    let (halt, job) = self::halt();
    let error = given_up(&halt, &Cancel::new(), "halt_leave", &job);
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Exited, Executed::Maybe), "{error}");
    assert!(matches!(error.cause(), Cause::Exit { status: 3 }), "{error:?}");
    // Of tasks either.
    let (halt, job) = self::halt();
    let runtime = runtime();
    let error = runtime.block_on(within(&halt).awaited("halt_fall", &job, LONG)).unwrap_err();
    assert!(matches!(error.cause(), Cause::Signal { number: 11, address: Some(0), .. }), "{error:?}");
}

#[test]
fn what_stops_a_call_meets_no_other_one() {
    const TIME: Duration = Duration::from_millis(300);
    let (halt, job) = halt();
    let mut pipe = halt.session.within(TIME).pipeline();
    // The first has ended long before what stops it has; then the others would be met.
    let stopped = halt.send(&mut pipe, "halt_turn_late", &job, LONG as i32).unwrap();
    let behind = [120, 1].map(|time| halt.send(&mut pipe, "halt_turn", &job, time).unwrap());
    let begun = Instant::now();
    let error = pipe.take(stopped).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::DeadlineExceeded, Executed::Yes), "{error}");
    assert!(begun.elapsed() >= TIME + Duration::from_millis(50), "what stops it takes so long");
    assert_eq!(behind.map(|ticket| pipe.take(ticket).unwrap()), [120, 1]);
    drop(pipe);
    all_is_well(&halt, &job, 1);
}

/// Bytes that a process may write to.
fn data_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let data = status.lines().find_map(|line| line.strip_prefix("VmData:")).unwrap();
    data.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[test]
fn calls_that_are_stopped_leave_no_memory_behind() {
    let (halt, job) = halt();
    let brief = within(&halt);
    let worker = halt.session.worker_pid().unwrap();
    let bytes = |times| {
        for _ in 0..times {
            is_stopped(&brief.int("halt_turn", &job, Some(LONG)).unwrap_err());
        }
        data_bytes(worker)
    };
    // What is kept for the next thread is there by then.
    let (before, after) = (bytes(5), bytes(20));
    assert!(after < before + (1 << 20), "{before} {after}");
}

#[test]
fn a_call_that_has_not_come_to_the_library_is_stopped_when_it_has() {
    const TIMES: usize = 30;
    // Each of them that loses its worker is a fault, and no reason to open the breaker.
    let halt = Halt::open(Options { cancel_grace: PATIENCE, ..Options::default() });
    let stopped = (0..TIMES).filter(|_| {
        let job = halt.make("halt_begin", &[]).unwrap();
        let worker = halt.session.worker_pid().unwrap();
        let cancel = Cancel::new();
        let theirs = halt.through(halt.session.cancelled_by(&cancel));
        // It hears of the call, and that this is to be stopped, at the same time.
        let before = halt.session.stats().calls;
        let error = thread::scope(|scope| {
            stop(worker);
            let calls = scope.spawn(|| theirs.int("halt_turn", &job, Some(LONG)).unwrap_err());
            wait_until("the call is sent", || halt.session.stats().calls > before);
            cancel.cancel();
            thread::sleep(Duration::from_millis(20));
            go_on(worker);
            calls.join().unwrap()
        });
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
        error.executed() == Executed::Yes
    });
    // A machine that is busy has some not come there for long.
    let stopped = stopped.count();
    assert!(stopped >= TIMES - 3, "{stopped}");
}

#[test]
fn without_a_function_for_it_nothing_is_waited_for() {
    let (halt, job) = halt();
    let begun = Instant::now();
    let error = within(&halt).int("halt_turn_alone", &job, Some(LONG)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Hung, "{error}");
    assert!(!error.output().contains("told") && !error.to_string().contains("told"), "{error}");
    assert!(begun.elapsed() < PATIENCE);
}

#[test]
fn null_cannot_be_told() {
    let (halt, job) = halt();
    let args = |job: Value| [job, Value::Int(LONG)];
    is_stopped(&within(&halt).call("halt_turn_any", &args(Value::Handle(job.clone()))).unwrap_err());
    all_is_well(&halt, &job, 1);
    let halt = Halt::open(options(Duration::from_millis(100)));
    let error = within(&halt).call("halt_turn_any", &args(Value::Null)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Hung, "{error}");
}

#[test]
fn a_library_that_calls_back_is_answered_no_more_when_it_is_to_stop() {
    let (halt, job) = halt();
    let mut visits = 0;
    let error = within(&halt).visit("halt_visit", &job, |_| {
        visits += 1;
        Ok(1)
    });
    is_stopped(&error.unwrap_err());
    assert!(visits > 0);
    all_is_well(&halt, &job, 1);
    // What the application itself fails with comes first.
    let error = within(&halt).visit("halt_visit", &job, |_| Err("no more".to_owned())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CallbackFailed, "{error}");
    all_is_well(&halt, &job, 2);
}

#[test]
fn a_call_that_is_nested_in_another_is_stopped_alone() {
    let (halt, job) = halt();
    let inner = halt.make("halt_begin", &[]).unwrap();
    let answer = halt.visit("halt_ask", &job, |_| {
        is_stopped(&within(&halt).int("halt_turn", &inner, Some(LONG)).unwrap_err());
        Ok(7)
    });
    assert_eq!(answer.unwrap(), Value::Int(7));
    all_is_well(&halt, &inner, 1);
    all_is_well(&halt, &job, 0);
}

#[test]
fn calls_of_tasks_are_stopped_too() {
    let (halt, job) = halt();
    let runtime = runtime();
    let worker = halt.session.worker_pid().unwrap();
    runtime.block_on(async {
        is_stopped(&within(&halt).awaited("halt_turn", &job, LONG).await.unwrap_err());
        assert_eq!(halt.awaited("halt_turn", &job, 3).await.unwrap(), Value::Int(3));
    });
    all_is_well(&halt, &job, 1);
    // One that is dropped does not go on until its deadline.
    let begun = Instant::now();
    runtime.block_on(async {
        let mut dropped = pin!(halt.awaited("halt_turn", &job, LONG));
        start(dropped.as_mut()).await;
        thread::sleep(Duration::from_millis(20));
    });
    all_is_well(&halt, &job, 2);
    assert!(begun.elapsed() < Duration::from_millis(LONG as u64) && alive(worker));
    // Others are ended.
    let deaf = Halt::open(options(Duration::from_millis(100)));
    let other = deaf.make("halt_begin", &[]).unwrap();
    let error = runtime.block_on(within(&deaf).awaited("halt_turn_deaf", &other, LONG)).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::Hung, Executed::Maybe), "{error}");
    assert!(error.output().contains("halt: told to stop"), "{:?}", error.output());
    let begun = Instant::now();
    let error = runtime.block_on(within(&halt).awaited("halt_turn_crashed", &job, LONG)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Hung, "{error}");
    assert!(error.to_string().contains("SIGSEGV") && begun.elapsed() < PATIENCE, "{error}");
}
