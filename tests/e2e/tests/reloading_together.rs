//! Libraries that are loaded anew: one file for all of a pool, a start of the old file that hangs, and tasks that wait for it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::thread;
use std::time::Duration;

use hotcell::watch::{Order, PATIENCE, Watch, look};
use hotcell::{Cause, ErrorKind, Options, Pool, PoolOptions, Reload};
use hotcell_e2e::edition::{Edition, Editions};
use hotcell_e2e::process::wait_until;

fn to(file: &Path) -> Reload {
    Reload { libraries: Some(vec![file.to_owned()]), ..Reload::default() }
}

fn cpus() -> usize {
    thread::available_parallelism().unwrap().get()
}

/// Twice as many sessions as come up at a time. The file is replaced when half of their workers are up.
#[test]
fn all_sessions_of_a_pool_load_one_file_or_none_and_their_workers_come_up_together() {
    let editions = Editions::new();
    let first = editions.compile("first.so", &[]);
    let second = editions.compile("second.so", &["-DEDITION=2", "-DSLOW_WHEN_ASKED"]);
    let third = editions.compile("third.so", &["-DEDITION=3"]);
    let (options, log) = editions.writing("EDITION_ASKED");
    let count = 2 * cpus().min(8);
    let options = Options { libraries: vec![first], ..options };
    let pool = PoolOptions { min: count as u32, max: count as u32, options, ..PoolOptions::default() };
    let pool: Pool<Edition> = Pool::open(pool).unwrap();
    let told = || std::fs::read_to_string(&log).unwrap();
    let before = told().len();
    let answers = || told()[before..].lines().filter(|line| line.ends_with("has answered")).count();
    thread::scope(|scope| {
        let reload = scope.spawn(|| pool.reload(&to(&second)));
        // Each is asked twice.
        wait_until("half of them have answered", || answers() >= count);
        std::fs::rename(&third, &second).unwrap();
        assert!(!reload.is_finished(), "this test came too late: it proves nothing");
        let error = reload.join().unwrap().unwrap_err();
        assert!(matches!(error.cause(), Cause::Replaced { path } if *path == second), "{error}");
    });
    let leases: Vec<_> = (0..count).map(|_| pool.get().unwrap()).collect();
    let marks = || leases.iter().map(|lease| lease.int("mark", &[1]).unwrap()).collect::<Vec<_>>();
    assert_eq!(marks(), vec![11; count]);
    assert_eq!(pool.reload(&to(&second)).unwrap().len(), count);
    assert_eq!(marks(), vec![13; count]);
    // Two that were asked before any has answered came up together.
    let asked = told()[before..].lines().take_while(|line| line.ends_with("is asked")).count();
    assert!(asked >= cpus().min(2), "{}", &told()[before..]);
}

/// Whoever asks waits for the time that calls are given once, however many sessions there are.
#[test]
fn what_is_loaded_anew_for_another_process_is_drained_together() {
    let editions = Editions::new();
    let file = editions.compile("first.so", &[]);
    let open = || Edition::open(&file, Options { watch: Some(Watch::Reload), ..Options::default() }).unwrap();
    let (all, drain): ([Edition; 5], _) = (std::array::from_fn(|_| open()), Duration::from_secs(2));
    thread::scope(|scope| {
        let calls: Vec<_> = all.iter().map(|it| scope.spawn(|| it.int("slowly", &[1, 25_000]))).collect();
        wait_until("all are under way", || all.iter().all(|it| it.session.stats().in_flight == 1));
        let order = Order { library: Some("edition".into()), libraries: None, drain };
        let seen = look(PATIENCE).unwrap();
        let own = seen.hosts.iter().find(|host| host.is_process(std::process::id())).unwrap();
        let answer = own.reload(&order, drain * 4).answer.expect("it answers in that time");
        let reloaded = answer["reloaded"].as_array().unwrap();
        let drained: Vec<_> = reloaded.iter().map(|it| &it["workers"][0]["drained"]).collect();
        assert_eq!(drained, [false; 5], "{answer:#}");
        for call in calls {
            assert_eq!(call.join().unwrap().unwrap_err().kind(), ErrorKind::WorkerLost);
        }
    });
}

/// Not of a scope: where it fails, the call waits for minutes.
#[test]
fn a_file_that_hangs_as_it_starts_is_replaced_at_once() {
    let editions = Editions::new();
    let first = editions.compile("first.so", &["-DHANGS_IN_TURN"]);
    let second = editions.compile("second.so", &["-DEDITION=2"]);
    let (options, told) = editions.writing("EDITION_HANGS");
    let long = Duration::from_secs(600);
    let options = Options { start_deadline: long, deadline: long, ..options };
    let edition = Edition::open(&first, options).unwrap();
    std::fs::write(&told, "now").unwrap();
    edition.int("abort", &[]).unwrap_err();
    let calls = edition.clone();
    let call = thread::spawn(move || calls.int("mark", &[1]));
    wait_until("it waits for a worker", || edition.session.stats().in_flight == 1);
    let reloads = edition.clone();
    let reload = thread::spawn(move || reloads.session.reload(&to(&second)));
    wait_until("the library is loaded anew", || reload.is_finished());
    assert_eq!(reload.join().unwrap().unwrap().before, None);
    wait_until("and the call is made there", || call.is_finished());
    assert_eq!((call.join().unwrap().unwrap(), edition.int("mark", &[2]).unwrap()), (12, 22));
}

#[tokio::test]
async fn a_task_waits_for_it_without_a_thread_of_its_own() {
    let editions = Editions::new();
    let first = editions.compile("first.so", &[]);
    let second = editions.compile("second.so", &["-DEDITION=2", "-DSLOW_WHEN_ASKED"]);
    let edition = Edition::open(&first, Options::default()).unwrap();
    let reload = edition.session.reload_awaited(&to(&second));
    let meanwhile = async {
        let mut calls = 0;
        while edition.session.generation() == 1 {
            assert_eq!(edition.mark_awaited(1).await.unwrap() / 10, 1);
            calls += 1;
        }
        calls
    };
    let (reloaded, calls) = tokio::join!(reload, meanwhile);
    assert!(calls > 0, "others go on");
    assert_eq!((reloaded.unwrap().generation, edition.mark_awaited(1).await.unwrap()), (2, 12));
    // In a callback it would wait for itself.
    let refused = edition.ask(|number| {
        let reload = edition.session.reload_awaited(&Reload::default());
        let waits = || tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(reload);
        let error = thread::scope(|scope| scope.spawn(waits).join()).unwrap().unwrap_err();
        number + i128::from(error.kind() == ErrorKind::InvalidArgument)
    });
    assert_eq!(refused.unwrap(), 3);

    let options = Options { libraries: vec![first], ..Options::default() };
    let pool: Pool<Edition> =
        Pool::open(PoolOptions { min: 2, max: 2, options, ..PoolOptions::default() }).unwrap();
    assert_eq!(pool.reload_awaited(&to(&second)).await.unwrap().len(), 2);
    assert_eq!(pool.get_awaited().await.unwrap().int("mark", &[1]).unwrap(), 12);
}

#[test]
fn without_a_runtime_there_is_an_error() {
    let editions = Editions::new();
    let edition = Edition::open(&editions.compile("first.so", &[]), Options::default()).unwrap();
    let mut reload = std::pin::pin!(edition.session.reload_awaited(&Reload::default()));
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = reload.as_mut().poll(&mut task) else {
        panic!("it is an error")
    };
    assert_eq!((error.kind(), edition.session.generation()), (ErrorKind::Cancelled, 1), "{error}");
}
