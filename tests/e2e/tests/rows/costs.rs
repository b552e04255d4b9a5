//! Denial of service by cost: memory, address space and time on CPUs end where they are limited, as typed errors.

use std::path::Path;
use std::time::Duration;

use hotcell::dynamic::Value;
use hotcell::{Cause, ErrorKind, Executed, LimitExceededReason, Limits, Options};
use hotcell_e2e::process::wait_until;

use crate::rows::Rows;

fn limited(limits: Limits) -> Options {
    Options { limits, deadline: Duration::from_secs(60), ..Options::default() }
}

#[test]
fn few_bytes_that_ask_for_much_memory_get_none() {
    let rows = Rows::new();
    let session = rows.open(limited(Limits { data: Some(64 << 20), ..Limits::default() }));
    let picture = |width: u32, height: u32| {
        let bytes = [&width.to_le_bytes()[..], &height.to_le_bytes(), &[7]].concat();
        rows.call(&session, "rows_picture", &[Value::Bytes(bytes)]).unwrap()
    };
    assert_eq!(picture(1000, 1000), 1_000_000);
    for (width, height) in [(1 << 15, 1 << 15), (1 << 31, 1 << 20), (u32::MAX, u32::MAX)] {
        assert_eq!(picture(width, height), -1, "{width} x {height}");
    }
    assert_eq!(picture(10, 10), 100);
    assert_eq!(session.generation(), 1);
}

#[test]
fn address_space_can_be_limited() {
    let rows = Rows::new();
    let reserve = |options: Options| {
        let session = rows.open(options);
        let reserve = |gibibytes| rows.call(&session, "rows_reserve", &[Value::Int(gibibytes)]).unwrap();
        let reserved = [1, 1000].map(reserve);
        rows.serves(&session);
        reserved
    };
    assert_eq!(reserve(Options::default()), [0, 0]);
    let limits = Limits { address_space: Some(8 << 30), ..Limits::default() };
    assert_eq!(reserve(limited(limits)), [0, libc::ENOMEM.into()]);
}

#[test]
fn a_worker_that_has_taken_its_time_on_cpus_ends_with_that_reason() {
    let rows = Rows::new();
    let session = rows.open(limited(Limits { cpu: Some(Duration::from_millis(700)), ..Limits::default() }));
    rows.serves(&session);
    let error = rows.call(&session, "rows_loop", &[]).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::LimitExceeded, Executed::Maybe), "{error}");
    assert_eq!(error.cause(), &Cause::Limit { what: LimitExceededReason::Cpu, value: 1 });
    rows.serves(&session);
    // Whoever ignores that is killed.
    let error = rows.call(&session, "rows_loop_on", &[]).unwrap_err();
    assert!(matches!(error.cause(), Cause::Signal { name: "SIGKILL", .. }), "{error:?}");
    assert!(error.message().contains("its time on CPUs was over"), "{error}");
    rows.serves(&session);
}

/// Beside all calls, threads take time that no deadline of a call counts.
#[test]
fn threads_that_go_on_after_their_call_end_with_their_worker() {
    let rows = Rows::new();
    let session = rows.open(limited(Limits { cpu: Some(Duration::from_secs(1)), ..Limits::default() }));
    let worker = session.worker_pid().unwrap();
    assert_eq!(rows.call(&session, "rows_spin", &[Value::Int(2)]).unwrap(), 0);
    // Not only ended, but taken note of: a call that is sent before would meet the end itself.
    wait_until("it takes time for ever", || !Path::new(&format!("/proc/{worker}")).exists());
    rows.serves(&session);
    assert_eq!(session.generation(), 2);
}

/// The kernel has no limit of threads for one process: the host counts them, whoever made them and whether a call is under way.
#[test]
fn a_worker_with_too_many_threads_ends_with_that_reason() {
    let rows = Rows::new();
    let session = rows.open(limited(Limits { threads: Some(8), ..Limits::default() }));
    let spin = |threads| rows.call(&session, "rows_spin", &[Value::Int(threads)]);
    assert_eq!(spin(4).unwrap(), 0);
    // Long enough to be counted some times.
    std::thread::sleep(Duration::from_millis(200));
    rows.serves(&session);
    assert_eq!(session.generation(), 1, "four beside its own two are not too many");
    let error = spin(20).and_then(|_| rows.call(&session, "rows_loop", &[])).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::LimitExceeded, Executed::Maybe), "{error}");
    assert_eq!(error.cause(), &Cause::Limit { what: LimitExceededReason::Threads, value: 8 });
    rows.serves(&session);
    // Without a call, too.
    let worker = session.worker_pid().unwrap();
    let _ = spin(20);
    wait_until("it has its threads for ever", || !Path::new(&format!("/proc/{worker}")).exists());
    rows.serves(&session);
    assert_eq!(session.generation(), 3);
}
