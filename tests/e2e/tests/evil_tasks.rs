//! Workers that lie to tasks, or keep them waiting.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use hotcell::dynamic::Value;
use hotcell::{ErrorKind, Executed, Options};
use hotcell_e2e::process::{alive, wait_until};
use hotcell_e2e::tasks::{poll, sleeps_in_polls};
use hotcell_faulty::Faulty;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Opens a session with a worker that lies like this, and the folder by which they talk.
fn liar(lie: &str) -> (Faulty, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let environment = vec![
        ("HOTCELL_EVIL".into(), lie.into()),
        ("HOTCELL_EVIL_FOLDER".into(), folder.path().to_str().unwrap().to_owned()),
    ];
    let options = Options {
        worker: Some(PathBuf::from(env!("CARGO_BIN_EXE_hotcell-evil-worker"))),
        environment,
        ..Options::default()
    };
    (Faulty::open(options).unwrap(), folder)
}

#[test]
fn a_call_that_is_dropped_while_it_is_given_space_goes_on_and_keeps_its_worker() {
    // Dropped within the runtime, and where there is none.
    for within in [true, false] {
        let (faulty, folder) = liar("task-maps-late");
        let runtime = runtime();
        let entered = runtime.enter();
        let mut call = Box::pin(faulty.awaited("long_text", &[Value::Int(1 << 20)]));
        wait_until("it is offered no space", || {
            assert!(poll(call.as_mut()).is_pending());
            folder.path().join("asked").exists()
        });
        let entered = within.then_some(entered);
        drop(call);
        drop(entered);
        fs::write(folder.path().join("go"), "").unwrap();
        assert_eq!(faulty.within(Duration::from_secs(20)).int("add", &[2, 3]).unwrap(), 5);
        assert_eq!(faulty.session().generation(), 1);
    }
}

#[test]
fn a_call_that_is_not_made_for_a_bad_argument_leaves_no_segment_that_is_not_mapped() {
    let (faulty, folder) = liar("task-maps-argument-late");
    let runtime = runtime();
    let text = Value::Text("long".repeat(100_000));
    let error = runtime.block_on(faulty.awaited("print", &[text.clone(), Value::Int(1 << 40)])).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::InvalidArgument, Executed::No), "{error}");
    wait_until("it is offered no segment", || folder.path().join("asked").exists());
    let in_use = faulty.within(Duration::from_millis(50)).call("print", &[text.clone(), Value::Int(1)]);
    assert_eq!(in_use.unwrap_err().kind(), ErrorKind::Unavailable);
    fs::write(folder.path().join("go"), "").unwrap();
    let printed = faulty.within(Duration::from_secs(20)).call("print", &[text, Value::Int(1)]);
    assert_eq!(printed.unwrap().returned, Some(Value::Int(5)));
    assert_eq!(faulty.session().generation(), 1);
}

/// Awaits a call; its error, and how often polls have slept in the attempt in which they did so least: locks of the runtime
/// may be taken now and then.
fn sleeps_at_least(lie: &str, function: &str, args: &[Value], kind: ErrorKind) -> u64 {
    let runtime = runtime();
    let attempts = (0..5).map(|_| {
        let (faulty, folder) = liar(lie);
        if lie == "task-hears-nothing" {
            wait_until("it hears", || folder.path().join("deaf").exists());
        }
        let pid = faulty.session().worker_pid().unwrap();
        let _entered = runtime.enter();
        let (outcome, slept) = sleeps_in_polls(faulty.awaited(function, args));
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), kind, "{lie}: {error}");
        wait_until("the liar lives", || !alive(pid));
        slept
    });
    attempts.min().unwrap()
}

#[test]
fn no_poll_waits_for_the_end_of_a_worker() {
    let short = [Value::Int(1)];
    for lie in [
        "task-other-call",
        "task-no-call",
        "task-unknown-state",
        "task-unpassed-callback",
        "task-long-result",
        "task-short-result",
        "task-skipped-commit",
        "task-wild-reference",
        "task-unknown-refusal",
        "task-refusal-of-no-argument",
    ] {
        let slept = sleeps_at_least(lie, "long_text", &short, ErrorKind::ProtocolViolation);
        assert_eq!(slept, 0, "{lie}");
    }
    let long = [Value::Text("long".repeat(100_000)), Value::Int(1)];
    let slept = sleeps_at_least("task-hears-nothing", "print", &long, ErrorKind::ProtocolViolation);
    assert_eq!(slept, 0, "hears-nothing");
}
