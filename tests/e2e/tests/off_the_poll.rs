//! What takes long is done by threads, and no task's poll waits for it: bringing a worker up, and a callback that runs elsewhere.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File, OpenOptions};
use std::sync::mpsc::channel;
use std::time::{Duration, SystemTime};

use hotcell::dynamic::{Value, call, call_awaited};
use hotcell::{Cause, ErrorKind, Options, Session};
use hotcell_e2e::ticker::Ticker;
use hotcell_faulty::bound;
use tokio::runtime::{Builder, Runtime};

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// What the kernel has counted of the time that this thread, or all threads of the process, had on a CPU.
fn on_cpu(of_process: bool) -> Duration {
    let clock =
        if of_process { rustix::time::ClockId::ProcessCPUTime } else { rustix::time::ClockId::ThreadCPUTime };
    let time = rustix::time::clock_gettime(clock);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[test]
fn files_of_libraries_are_compared_by_no_poll() {
    let bound = bound().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("libfaulty.so");
    fs::copy(hotcell_faulty::library(), &library).unwrap();
    // So much takes its time to be read, and is no part of the library.
    let file = OpenOptions::new().write(true).open(&library).unwrap();
    file.set_len(8 << 20).unwrap();
    let options = Options { libraries: vec![library.clone()], ..Options::default() };
    let session = Session::open(bound.package, options).unwrap();
    // A thread has read them for the first time.
    assert!(!session.loaded().is_empty());
    let abort = bound.interface.function("faulty_abort").unwrap();
    let error = call(&session, &bound.interface, abort, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Crashed);
    // It is the same file, but that has to be found out.
    File::set_modified(&file, SystemTime::UNIX_EPOCH + Duration::from_secs(1)).unwrap();
    let add = bound.interface.function("faulty_add").unwrap();
    let args = [Value::Int(20), Value::Int(22)];
    let runtime = one_thread();
    let before = (on_cpu(false), on_cpu(true));
    let awaited = call_awaited(&session, &bound.interface, add, &args, std::panic::Location::caller());
    let outcome = runtime.block_on(awaited);
    let (here, everywhere) = (on_cpu(false) - before.0, on_cpu(true) - before.1);
    match outcome {
        Ok(outcome) => assert_eq!(outcome.returned, Some(Value::Int(42))),
        // On a machine with much else to do it may take longer than files may.
        Err(error) => assert!(matches!(error.cause(), Cause::Replaced { .. }), "{error}"),
    }
    assert!(here < everywhere / 2, "the task's thread has compared it: {here:?} of {everywhere:?}");
}

#[test]
fn a_poll_does_not_wait_for_a_callback_that_runs_on_another_thread() {
    let library = Ticker::open(Options::default()).unwrap().within(Duration::from_secs(20));
    let ticker = library.ticker().unwrap();
    let (begun, begins) = channel();
    let (tell, told) = channel();
    let tick = move |number, _| {
        begun.send(number).unwrap();
        Ok(told.recv().unwrap())
    };
    library.on_tick(&ticker, tick).unwrap();
    library.start(&ticker, 1, 1, 0).unwrap();
    // The dispatcher thread runs it now, and goes on when the task's own thread says so.
    assert_eq!(begins.recv().unwrap(), 0);
    let args = [Value::from(ticker.clone()), Value::Int(7)];
    let call = library.awaited("ticker_tick_here", &args);
    let other = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        tell.send(10).unwrap();
        tell.send(20).unwrap();
    };
    let (called, ()) = one_thread().block_on(async { tokio::join!(call, other) });
    assert_eq!(called.unwrap(), Value::Int(20));
    assert_eq!(begins.recv().unwrap(), 7);
    assert_eq!(library.session.generation(), 1);
}

#[test]
fn a_poll_that_waits_for_such_a_callback_ends_at_its_deadline() {
    let library = Ticker::open(Options::default()).unwrap();
    let ticker = library.ticker().unwrap();
    let (begun, begins) = channel();
    let (tell, told) = channel::<i128>();
    let tick = move |number, _| {
        begun.send(number).unwrap();
        told.recv().map_err(|_| "it is over".to_owned())
    };
    library.on_tick(&ticker, tick).unwrap();
    library.start(&ticker, 1, 1, 0).unwrap();
    assert_eq!(begins.recv().unwrap(), 0);
    let within = library.within(Duration::from_millis(300));
    let args = [Value::from(ticker.clone()), Value::Int(7)];
    let called = one_thread().block_on(within.awaited("ticker_tick_here", &args));
    assert_eq!(called.unwrap_err().kind(), ErrorKind::Hung);
    drop(tell);
}
