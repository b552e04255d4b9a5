//! A library that calls back without end: its call ends at the deadline of the call, however short each callback is.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use hotcell::dynamic::Value;
use hotcell::{ErrorKind, Executed, Options};
use hotcell_faulty::Faulty;

/// Calls back two thousand million times, unless it is stopped, and does this each time: how often it did, and the error.
#[track_caller]
fn visits(faulty: &Faulty, deadline: Duration, mut each: impl FnMut(u64)) -> (u64, hotcell::Error) {
    let watchdog = Instant::now() + Duration::from_secs(120);
    let opened = faulty.call("open", &[Value::Int(0)]).unwrap();
    let out = opened.outs.iter().map(|(_, value)| value);
    let object = opened.returned.iter().chain(out).find(|value| matches!(value, Value::Handle(_)));
    let args = [object.unwrap().clone(), Value::Int(i32::MAX.into()), Value::Callback];
    let mut seen = 0;
    let mut back = |_: &str, _: &[(String, Value)]| {
        assert!(Instant::now() < watchdog, "it goes on and on");
        seen += 1;
        each(seen);
        Ok(Value::Int(0))
    };
    let ended = faulty.within(deadline).call_with("visit", &args, &mut back);
    (seen, ended.unwrap_err())
}

#[test]
fn a_library_that_calls_back_for_ever_ends_at_the_deadline_of_its_call() {
    let faulty = Faulty::open(Options { max_callbacks: u64::MAX, ..Options::default() }).unwrap();
    let deadline = Duration::from_millis(300);
    let hung = |(seen, error): (u64, hotcell::Error), least: u64| {
        assert_eq!((error.kind(), error.executed()), (ErrorKind::Hung, Executed::Maybe), "{error}");
        assert!(error.message().starts_with("no reply within 300ms"), "{error}");
        assert!(seen >= least, "{seen} callbacks");
        assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5, "the next call is right");
    };
    // As fast as they come, and each far shorter than the deadline.
    hung(visits(&faulty, deadline, |_| {}), 100);
    hung(visits(&faulty, deadline, |_| std::thread::sleep(Duration::from_millis(20))), 5);
    // With calls in each, which have no more time than the one around.
    let mut refused = None;
    let nested = visits(&faulty, deadline, |_| match faulty.int("add", &[2, 3]) {
        Ok(sum) => assert_eq!(sum, 5),
        Err(error) => refused = refused.take().or(Some(error)),
    });
    hung(nested, 5);
    // The last of them met the deadline: in the library, or before it was sent.
    let kinds = [(ErrorKind::Hung, Executed::Maybe), (ErrorKind::Unavailable, Executed::No)];
    assert!(refused.is_none_or(|error| kinds.contains(&(error.kind(), error.executed()))));
}

/// One that is longer than the deadline is the last.
#[test]
fn a_callback_that_outlasts_its_call_is_told_from_a_library_that_hangs() {
    let faulty = Faulty::open(Options::default()).unwrap();
    let worker = faulty.session().worker_pid().unwrap();
    let ended = visits(&faulty, Duration::from_millis(100), |_| {
        let patience = Instant::now() + Duration::from_secs(60);
        // Its worker waits for the call's time and a second more, and then says why it ends.
        while hotcell_e2e::process::alive(worker) && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    assert_eq!((ended.0, ended.1.kind()), (1, ErrorKind::Hung), "{}", ended.1);
    let expect = "no reply within 100ms: the host has not answered a callback by the deadline of its call";
    assert_eq!(ended.1.message(), expect);
    assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5);
}
