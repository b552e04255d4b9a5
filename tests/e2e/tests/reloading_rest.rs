//! Libraries that are loaded anew: spares, pools with a call that goes on, health checks that end badly, calls that wait.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use hotcell::{Breaker, Cause, ErrorKind, Executed, Options, Pool, PoolOptions, Reload, Restart, Retries};
use hotcell_e2e::crew::Crew;
use hotcell_e2e::edition::{Edition, Editions};
use hotcell_e2e::process::{alive, wait_until};

fn to(file: &Path) -> Reload {
    Reload { libraries: Some(vec![file.to_owned()]), ..Reload::default() }
}

/// Two editions, and options with which both write into a file what this variable has them say; and that file.
fn two(editions: &Editions, variable: &str) -> (PathBuf, PathBuf, Options, PathBuf) {
    let of = |name, edition| editions.compile(name, &[edition]);
    let (options, log) = editions.writing(variable);
    (of("first.so", "-DEDITION=1"), of("second.so", "-DEDITION=2"), options, log)
}

#[test]
fn the_first_spares_take_over_and_make_no_health_checks() {
    let editions = Editions::new();
    let (first, second, options, log) = two(&editions, "EDITION_ASKED");
    let edition = Edition::open(&first, Options { spares: 1, ..options }).unwrap();
    let told = || std::fs::read_to_string(&log).unwrap();
    let spare_takes_over = |generation, marked| {
        wait_until("there is a spare", || edition.session.stats().spares == 1);
        edition.int("abort", &[]).unwrap_err();
        assert_eq!(edition.int("mark", &[1]).unwrap(), marked);
        assert_eq!(edition.session.generation(), generation, "the spare, and no worker behind it");
    };
    spare_takes_over(2, 11);
    assert_eq!(told(), "edition 1 is asked\n".repeat(2), "by the first worker alone");
    // The third is a spare of the old file.
    wait_until("there is a spare again", || edition.session.stats().spares == 1);
    assert_eq!(edition.session.reload(&to(&second)).unwrap().generation, 4);
    spare_takes_over(5, 12);
    let asked = ["edition 1 is asked\n".repeat(2), "edition 2 is asked\n".repeat(2)].concat();
    assert_eq!(told(), asked);
}

#[test]
fn sessions_of_a_pool_are_drained_each_by_itself() {
    let editions = Editions::new();
    let (first, second, options, log) = two(&editions, "EDITION_LEFT");
    let options = Options { libraries: vec![first], ..options };
    let pool = PoolOptions { min: 2, max: 2, options, ..PoolOptions::default() };
    let pool: Pool<Edition> = Pool::open(pool).unwrap();
    let leases = [pool.get().unwrap(), pool.get().unwrap()];
    thread::scope(|scope| {
        // Each of them is the first of the list once.
        for (busy, idle) in [(0, 1), (1, 0)] {
            let [busy, idle] = [&leases[busy], &leases[idle]];
            let (slow, calls) =
                (scope.spawn(|| busy.int("slowly", &[1, 20_000])), idle.session.stats().calls);
            let soon = scope.spawn(|| idle.int("slowly", &[1, 500]));
            wait_until("both are under way", || idle.session.stats().calls > calls);
            wait_until("both are under way", || busy.session.stats().calls > calls);
            let (pid, told) = (idle.session.worker_pid().unwrap(), std::fs::read_to_string(&log).unwrap());
            let (pool, drain) = (&pool, Duration::from_millis(2500));
            let reload = Reload { drain, ..to(&second) };
            let reload = scope.spawn(move || pool.reload(&reload).unwrap());
            assert!(soon.join().unwrap().is_ok());
            wait_until("a worker without calls has gone", || !alive(pid));
            assert!(
                !reload.is_finished() && !slow.is_finished(),
                "this test came too late: it proves nothing"
            );
            let left = std::fs::read_to_string(&log).unwrap();
            assert!(left.len() > told.len(), "it has made its shutdown calls: {left}");
            let mut drained: Vec<bool> = reload.join().unwrap().iter().map(|it| it.drained).collect();
            drained.sort_unstable();
            assert_eq!(drained, [false, true]);
            assert_eq!(slow.join().unwrap().unwrap_err().kind(), ErrorKind::WorkerLost);
        }
    });
    assert!(pool.stats().sessions.iter().all(|stats| stats.faults.is_empty()));
}

#[test]
fn all_calls_that_take_too_long_say_why() {
    let editions = Editions::new();
    let (first, second) =
        (editions.compile("first.so", &[]), editions.compile("second.so", &["-DEDITION=2"]));
    let edition = Edition::open_reentrant(&first, Options { callers: 3, ..Options::default() }).unwrap();
    thread::scope(|scope| {
        let slow: Vec<_> = (0..3).map(|_| scope.spawn(|| edition.int("slowly", &[1, 20_000]))).collect();
        wait_until("they are under way", || edition.session.stats().calls == 3);
        let reload = Reload { drain: Duration::from_millis(100), ..to(&second) };
        assert!(!edition.session.reload(&reload).unwrap().drained);
        for slow in slow {
            let error = slow.join().unwrap().unwrap_err();
            assert_eq!((error.kind(), error.executed()), (ErrorKind::WorkerLost, Executed::Maybe), "{error}");
            assert!(error.message().contains("the library was loaded anew"), "{error}");
        }
    });
    assert!(edition.session.stats().faults.is_empty());
}

#[test]
fn a_health_check_that_crashes_or_hangs_is_not_passed() {
    let editions = Editions::new();
    let first = editions.compile("first.so", &[]);
    let crashes = editions.compile("crashes.so", &["-DEDITION=2", "-DCRASHES_WHEN_ASKED"]);
    let hangs = editions.compile("hangs.so", &["-DEDITION=2", "-DHANGS_WHEN_ASKED"]);
    let options = Options { start_deadline: Duration::from_secs(2), ..Options::default() };
    let edition = Edition::open(&first, options).unwrap();
    let pid = edition.session.worker_pid();
    let crashed = edition.session.reload(&to(&crashes)).unwrap_err();
    assert_eq!(crashed.kind(), ErrorKind::LoadFailed, "{crashed}");
    assert!(matches!(crashed.cause(), Cause::Signal { number: 6, .. }), "{crashed:?}");
    let hung = edition.session.reload(&to(&hangs)).unwrap_err();
    assert_eq!(hung.kind(), ErrorKind::LoadFailed, "{hung}");
    for error in [crashed, hung] {
        assert!(error.message().contains("what served before goes on"), "{error}");
    }
    assert_eq!((edition.int("mark", &[1]).unwrap(), edition.session.worker_pid()), (11, pid));
}

#[test]
fn a_call_that_waits_for_the_breaker_is_made_when_another_file_serves() {
    let editions = Editions::new();
    let (first, second) =
        (editions.compile("first.so", &[]), editions.compile("second.so", &["-DEDITION=2"]));
    let hour = Duration::from_secs(3600);
    let restart = Restart { faults: 2, pause: hour, longest_pause: hour, ..Restart::default() };
    let retries = Some(Retries { breaker: true, ..Retries::default() });
    let options = Options { restart, retries, deadline: hour * 10, ..Options::default() };
    let edition = Edition::open(&first, options).unwrap();
    (0..2).for_each(|_| drop(edition.int("abort", &[]).unwrap_err()));
    // Not of a scope: where it fails, it waits for hours.
    let waits = edition.clone();
    let call = thread::spawn(move || waits.int("mark", &[1]));
    wait_until("it waits", || edition.session.stats().restarted == 1);
    assert!(matches!(edition.session.breaker(), Breaker::Open(_)));
    edition.session.reload(&to(&second)).unwrap();
    wait_until("it is made", || call.is_finished());
    assert_eq!(call.join().unwrap().unwrap(), 12);
}

#[test]
fn what_the_old_library_keeps_stays_while_a_call_is_under_way_there() {
    let crew = Crew::of(2);
    let token = Arc::new(());
    let (weak, member) = (Arc::downgrade(&token), crew.hire(1).unwrap());
    crew.on_ask(&member, move |number| Ok(number + i128::from(Arc::strong_count(&token) == 1))).unwrap();
    let ((begins, begun), (end, ends)) = (channel(), channel::<()>());
    thread::scope(|scope| {
        // Where an assertion fails, the callback hears that nobody ends it.
        let (crew, end) = (&crew, end);
        let under_way = scope.spawn(move || {
            crew.each(1, |_| {
                begins.send(()).unwrap();
                ends.recv().unwrap();
                Ok(7)
            })
        });
        begun.recv().unwrap();
        let reload = scope.spawn(|| crew.session.reload(&Reload::default()).unwrap());
        wait_until("another serves", || crew.session.generation() == 2);
        assert_eq!(crew.int("crew_fault", &[1]).unwrap_err().kind(), ErrorKind::Crashed);
        assert_eq!((crew.int("crew_add", &[1, 2]).unwrap(), crew.session.generation()), (3, 3));
        assert!(weak.upgrade().is_some(), "the call that is under way there may call it");
        end.send(()).unwrap();
        assert_eq!(under_way.join().unwrap().unwrap(), 7);
        assert!(reload.join().unwrap().drained);
    });
    assert!(weak.upgrade().is_none(), "it goes with the worker");
}
