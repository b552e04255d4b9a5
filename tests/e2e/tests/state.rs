//! What a library leaves changed of the state of its process: the next call does not find it, and it is told.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use hotcell::dynamic::Value;
use hotcell::{ErrorKind, Options, Profile, Recycle, Sandbox, StatePart};
use hotcell_e2e::process::wait_until;
use hotcell_faulty::Faulty;

fn faulty(options: Options) -> Faulty {
    Faulty::open(options).unwrap()
}

fn leaving(parts: &[StatePart]) -> Faulty {
    faulty(Options { leaves: Some(parts.to_vec()), ..Options::default() })
}

/// How often a part was put back. It is counted behind the reply: so another call comes first.
fn put_back(faulty: &Faulty, part: StatePart) -> u64 {
    assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5);
    faulty.session().stats().state_changes.unwrap().count(part)
}

fn third(faulty: &Faulty) -> f64 {
    match faulty.call("third", &[]).unwrap().returned {
        Some(Value::Float(third)) => third,
        other => panic!("{other:?}"),
    }
}

#[test]
fn signals_are_as_before_in_the_next_call() {
    let faulty = faulty(Options::default());
    for times in 1..=3 {
        assert_eq!(faulty.int("change_signals", &[]).unwrap(), 3, "it is seen to happen");
        assert_eq!(faulty.int("changed_signals", &[]).unwrap(), 0);
        let seen = [StatePart::Handlers, StatePart::Mask].map(|part| put_back(&faulty, part));
        assert_eq!(seen, [times, times]);
    }
    let changes = faulty.session().stats().state_changes.unwrap();
    assert_eq!((changes.function, changes.counts.len()), (Some("faulty_change_signals"), 2), "{changes:?}");
    // The worker's own handler is there again.
    let error = faulty.int("null_dereference", &[]).unwrap_err();
    assert!(error.message().contains("at address 0x0"), "{error}");
    let changes = faulty.session().stats().state_changes;
    assert!(changes.is_none_or(|changes| changes.counts.is_empty()), "another worker has changed nothing");
}

#[test]
fn what_may_stay_stays() {
    for (parts, left) in [
        (&[StatePart::Handlers, StatePart::Mask][..], 3),
        (&[StatePart::Handlers], 2),
        (&[StatePart::Mask], 1),
        (&[StatePart::Locale], 0),
    ] {
        let faulty = leaving(parts);
        assert_eq!(faulty.int("change_signals", &[]).unwrap(), 3);
        assert_eq!(faulty.int("changed_signals", &[]).unwrap(), left, "{parts:?}");
        assert_eq!(put_back(&faulty, StatePart::Handlers), u64::from(!parts.contains(&StatePart::Handlers)));
        assert_eq!(put_back(&faulty, StatePart::Mask), u64::from(!parts.contains(&StatePart::Mask)));
    }
    let faulty = leaving(&[StatePart::Arithmetic]);
    let before = third(&faulty);
    assert_eq!(faulty.int("round_up", &[]).unwrap(), 0);
    assert!(third(&faulty) > before && put_back(&faulty, StatePart::Arithmetic) == 0);
}

#[test]
fn a_signal_whose_handler_was_put_back_says_so() {
    const SIGUSR1: i128 = 10;
    const SIGUSR2: i128 = 12;
    let faulty = faulty(Options::default());
    assert_eq!(faulty.int("change_signals", &[]).unwrap(), 3);
    let error = faulty.int("raise", &[SIGUSR1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Crashed, "{error}");
    assert!(error.message().starts_with("SIGUSR1; a handler that the library had set"), "{error}");
    assert!(error.message().contains("leaves = [\"handlers\"]"), "{error}");
    // Of one that nobody handled there is nothing to say.
    let error = faulty.int("raise", &[SIGUSR1]).unwrap_err();
    assert_eq!(error.message(), "SIGUSR1", "{error}");
    // Nor of another signal than the one whose handler it was.
    assert_eq!(faulty.int("change_signals", &[]).unwrap(), 3);
    let error = faulty.int("raise", &[SIGUSR2]).unwrap_err();
    assert_eq!(error.message(), "SIGUSR2", "{error}");
    // With what the worker's own handler tells of it, too.
    assert_eq!(faulty.int("change_signals", &[]).unwrap(), 3);
    let error = faulty.int("null_dereference", &[]).unwrap_err();
    assert!(error.message().starts_with("SIGSEGV at address 0x0"), "{error}");
    assert!(error.message().contains("leaves = [\"handlers\"]"), "{error}");
    // Where it stays, it handles.
    let faulty = leaving(&[StatePart::Handlers]);
    assert_eq!(faulty.int("change_signals", &[]).unwrap(), 3);
    assert_eq!(faulty.int("raise", &[SIGUSR1]).unwrap(), 0);
}

#[test]
fn sums_are_rounded_as_before_in_the_next_call() {
    let faulty = faulty(Options::default());
    let right = 1.0 / 3.0;
    for times in 1..=3 {
        assert_eq!(faulty.int("round_up", &[]).unwrap(), 0);
        assert_eq!(third(&faulty).to_bits(), f64::to_bits(right));
        assert_eq!(put_back(&faulty, StatePart::Arithmetic), times);
    }
    // A batch is one call.
    let mut batch = faulty.batch();
    let rounds = faulty.put(&mut batch, "round_up", &[]).unwrap();
    let third_there = faulty.put(&mut batch, "third", &[]).unwrap();
    let mut done = batch.run().unwrap();
    assert_eq!(done.take(rounds).unwrap().returned, Some(Value::Int(0)));
    match done.take(third_there).unwrap().returned {
        Some(Value::Float(third)) => assert!(third > right, "{third}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(third(&faulty).to_bits(), f64::to_bits(right));
}

#[test]
fn no_timer_goes_on() {
    let faulty = faulty(Options::default());
    assert_eq!(faulty.int("leave_timer", &[5]).unwrap(), 1);
    assert_eq!(faulty.int("rest", &[50]).unwrap(), 0, "nothing comes in between");
    assert_eq!(put_back(&faulty, StatePart::Timers), 1);
    const EINTR: i128 = 4;
    let faulty = leaving(&[StatePart::Timers]);
    assert_eq!(faulty.int("leave_timer", &[5]).unwrap(), 1);
    // Its handler has gone, and nobody else wants the signal.
    let disturbed = faulty.int("rest", &[10_000]);
    let is_alarm = disturbed.as_ref().is_err_and(|error| error.message().starts_with("SIGALRM"));
    // It may have come between the calls: then another worker rests.
    let came_between = faulty.session().generation() > 1;
    assert!(is_alarm || came_between || disturbed.is_ok_and(|errno| errno == EINTR));
}

#[test]
fn directory_mask_and_environment_are_as_before_in_the_next_call() {
    let sandbox = Some(Sandbox::of(Profile::Basic));
    let faulty =
        faulty(Options { sandbox, environment: vec![("OWN".into(), "1".into())], ..Options::default() });
    let text = |name: &str, text: &str| match faulty.call(name, &[Value::Text(text.into())]).unwrap().returned
    {
        Some(Value::Text(text)) => text,
        Some(Value::Int(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    // A path from where it is.
    assert_eq!(text("read_file", "proc/self/status"), i32::from(b'N').to_string());
    assert_eq!(text("change_directory", "/proc"), "0");
    assert_eq!(text("read_file", "proc/self/status"), i32::from(b'N').to_string());
    assert_eq!(put_back(&faulty, StatePart::Directory), 1);

    let masks = [0, 0o111, 0].map(|mask| faulty.int("change_mask", &[mask]).unwrap());
    assert_eq!(masks, [0o077; 3]);
    assert_eq!(put_back(&faulty, StatePart::Umask), 3);

    for times in 1..=3 {
        let set = faulty.call("set_variable", &["OWN", "2"].map(|text| Value::Text(text.into()))).unwrap();
        assert_eq!(set.returned, Some(Value::Int(0)));
        let new = faulty.call("set_variable", &["NEW", "3"].map(|text| Value::Text(text.into()))).unwrap();
        assert_eq!(new.returned, Some(Value::Int(0)));
        let seen = ["OWN", "NEW", "LANG"].map(|name| text("environment", name));
        assert_eq!(seen, ["1", "Some(Null)", "C.UTF-8"]);
        assert_eq!(faulty.int("clear_environment", &[]).unwrap(), 0);
        assert_eq!(text("environment", "OWN"), "1");
        assert_eq!(put_back(&faulty, StatePart::Environment), 3 * times);
    }
    assert_eq!(faulty.session().generation(), 1);
}

#[test]
fn a_locale_ends_with_its_call() {
    // Of the machine's own: it is the same as `C` but in name, and in what a letter is.
    let faulty = faulty(Options { sandbox: Some(Sandbox::of(Profile::Basic)), ..Options::default() });
    let set = |name: &str| {
        let args = [name, "1.5"].map(|text| Value::Text(text.into()));
        faulty.call("use_locale", &args).unwrap().returned
    };
    assert_eq!(set("C"), Some(Value::Int(1500)));
    assert_eq!(put_back(&faulty, StatePart::Locale), 0, "it is as it was");
    assert_eq!(set("no such locale"), Some(Value::Int(-1)));
    assert_eq!(put_back(&faulty, StatePart::Locale), 0, "nothing was changed");
    if set("C.UTF-8") == Some(Value::Int(1500)) {
        assert_eq!(put_back(&faulty, StatePart::Locale), 1);
    }
}

#[test]
fn calls_that_change_nothing_count_for_nothing() {
    let every = Duration::from_millis(10);
    let recycle = Some(Recycle { every, ..Recycle::default() });
    let faulty = faulty(Options { recycle, ..Options::default() });
    for _ in 0..100 {
        assert_eq!(faulty.int("changed_signals", &[]).unwrap(), 0);
        assert_eq!(faulty.int("rest", &[0]).unwrap(), 0);
    }
    let changes = faulty.session().stats().state_changes.unwrap();
    assert_eq!((changes.counts.len(), changes.lost.len(), changes.function), (0, 0, None));
    assert_eq!(faulty.session().stats().to_json()["state_changes"]["lost"], serde_json::json!([]));
    // Nobody is replaced for it.
    wait_until("the worker was looked at", || faulty.int("add", &[1, 1]).is_ok());
    assert_eq!(faulty.session().stats().recycled, 0);
}
