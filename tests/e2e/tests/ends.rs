//! What a session says of how its workers ended: each end once, with its reason, whether or not a call met it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use hotcell::{
    Cancel, Cause, ErrorKind, Options, Recycle, Reload, Session, Wear, WhyEnded, WorkerEnd, dynamic,
};
use hotcell_e2e::process::{alive, wait_until, workers};
use hotcell_faulty::Faulty;
use rustix::process::{Pid, Signal, kill_process};

/// One test at a time has workers in this process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until so many workers have ended; how the last of them did.
fn last(session: &Session, count: u64) -> WorkerEnd {
    wait_until("the end is told", || session.stats().workers_ended >= count);
    let ends = session.ends();
    let numbers: Vec<u64> = ends.iter().map(|end| end.number).collect();
    assert_eq!(numbers, (1..=count).collect::<Vec<_>>(), "{ends:#?}");
    let last = ends.last().unwrap().clone();
    assert!(last.time <= SystemTime::now() && last.at.elapsed() < Duration::from_secs(600));
    last
}

/// Which worker it was, whether it has served, and why and in what function it ended.
fn told(end: &WorkerEnd) -> (u64, u32, bool, WhyEnded, Option<&str>) {
    (end.generation, end.pid, end.served, end.why, end.function.as_deref())
}

fn kill(pid: u32) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn what_calls_end_is_told_with_the_function_and_the_signal() {
    let _alone = alone();
    let faulty = Faulty::open(Options::default()).unwrap();
    let session = faulty.session();
    assert!(session.ends().is_empty());
    let pid = session.worker_pid().unwrap();
    let error = faulty.int("divide", &[1, 0]).unwrap_err();
    let end = last(session, 1);
    let crashed = WhyEnded::Fault(ErrorKind::Crashed);
    assert_eq!(told(&end), (1, pid, true, crashed, Some("faulty_divide")));
    assert!(matches!(end.cause, Cause::Signal { name: "SIGFPE", external: false, .. }), "{end:?}");
    assert_eq!(end.message, error.message());
    assert!(end.to_string().starts_with(&format!("worker 1 (process {pid}): SIGFPE")), "{end}");
    assert!(end.to_string().ends_with(", in `faulty_divide`"), "{end}");

    faulty.int("exit", &[3]).unwrap_err();
    let end = last(session, 2);
    assert_eq!((end.why, end.function.as_deref()), (WhyEnded::Fault(ErrorKind::Exited), Some("faulty_exit")));
    assert!(matches!(end.cause, Cause::Exit { status: 3 }), "{end:?}");
}

#[test]
fn what_the_host_ends_is_told_with_why_it_did() {
    let _alone = alone();
    let faulty = Faulty::open(Options::default()).unwrap();
    let session = faulty.session();
    let hung = faulty.within(Duration::from_millis(50)).int("loop", &[]).unwrap_err();
    assert_eq!(hung.kind(), ErrorKind::Hung);
    let end = last(session, 1);
    assert_eq!((end.why, end.function.as_deref()), (WhyEnded::Fault(ErrorKind::Hung), Some("faulty_loop")));

    let (cancel, interface) = (Cancel::new(), &hotcell_faulty::bound().unwrap().interface);
    let given_up = session.cancelled_by(&cancel);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(50));
            cancel.cancel();
        });
        let error = dynamic::call(&given_up, interface, faulty.function("loop"), &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
    });
    let end = last(session, 2);
    assert_eq!((end.why, end.function.as_deref()), (WhyEnded::Cancelled, Some("faulty_loop")));

    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
    let (pid, generation) = (session.worker_pid().unwrap(), session.generation());
    session.reload(&Reload::default()).unwrap();
    let end = last(session, 3);
    assert_eq!(told(&end), (generation, pid, true, WhyEnded::Reloaded, None));
}

#[test]
fn an_end_that_no_call_met_is_told() {
    let _alone = alone();
    let faulty = Faulty::open(Options { spares: 1, ..Options::default() }).unwrap();
    let session = faulty.session();
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
    wait_until("there is a spare", || session.stats().spares == 1);
    let pid = session.worker_pid().unwrap();
    kill(pid);
    let end = last(session, 1);
    assert_eq!(told(&end), (1, pid, true, WhyEnded::Signalled, None));
    assert!(matches!(end.cause, Cause::Signal { name: "SIGKILL", external: true, .. }), "{end:?}");
    // The spare, before it has served.
    wait_until("the worker is gone, and so are those of other tests", || workers().len() == 1);
    let spare = workers()[0];
    kill(spare);
    let end = last(session, 2);
    assert_eq!(told(&end), (2, spare, false, WhyEnded::Signalled, None));
    assert!(!alive(spare));
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
    assert_eq!(session.generation(), 3);
}

#[test]
fn a_worn_worker_says_by_what() {
    let _alone = alone();
    let recycle = Recycle { every: Duration::from_millis(10), calls: Some(5), ..Recycle::default() };
    let faulty = Faulty::open(Options { recycle: Some(recycle), ..Options::default() }).unwrap();
    let session = faulty.session();
    wait_until("the worker is worn", || {
        assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
        session.stats().recycled == 1
    });
    let end = session.ends().into_iter().next();
    let end = end.unwrap_or_else(|| last(session, 1));
    assert_eq!((end.generation, end.served, end.why), (1, true, WhyEnded::Worn(Wear::Calls)));
    assert!(end.message.starts_with("it was worn by calls: "), "{}", end.message);
}

#[test]
fn the_last_ones_are_in_what_is_known_of_the_session() {
    let _alone = alone();
    let faulty = Faulty::open(Options { restart: hotcell::Restart::ALWAYS, ..Options::default() }).unwrap();
    let session = faulty.session();
    for _ in 0..10 {
        faulty.int("exit", &[0]).unwrap_err();
    }
    last(session, 10);
    let json = session.stats().to_json();
    assert_eq!(json["workers_ended"], 10);
    let ends = json["ends"].as_array().unwrap();
    assert_eq!(ends.len(), 8);
    assert_eq!((&ends[0]["number"], &ends[7]["number"]), (&3.into(), &10.into()));
    assert_eq!((&ends[7]["why"], &ends[7]["what"]), (&"fault".into(), &"Exited".into()));
    assert_eq!((&ends[7]["function"], &ends[7]["cause"]["status"]), (&"faulty_exit".into(), &0.into()));
}
