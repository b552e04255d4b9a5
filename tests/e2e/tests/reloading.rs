//! Libraries that are loaded anew while calls go on: no call fails, answers are those of the file that serves, and what is not
//! well does not come into service.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use hotcell::{
    Breaker, Cause, Error, ErrorKind, Executed, Options, Pool, PoolOptions, Profile, Reload, Remedy, Restart,
    Sandbox,
};
use hotcell_e2e::edition::{Edition, Editions};
use hotcell_e2e::process::{alive, wait_until};

fn to(file: &Path) -> Reload {
    Reload { libraries: Some(vec![file.to_owned()]), ..Reload::default() }
}

fn first(editions: &Editions) -> PathBuf {
    editions.compile("first.so", &["-DEDITION=1"])
}

fn second(editions: &Editions) -> PathBuf {
    editions.compile("second.so", &["-DEDITION=2"])
}

/// Has threads call a library while it is loaded anew twenty times: the second edition, the first, and so on.
fn no_call_fails(edition: &Edition, files: [&Path; 2], threads: usize) {
    // The edition that serves, with the number of the reload; odd while one is under way.
    let (settled, done) = (AtomicU64::new(2), AtomicBool::new(false));
    let calls = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let before = settled.load(Ordering::SeqCst);
                    let answer = edition.int("mark", &[77]).expect("no call fails");
                    assert!(answer == 771 || answer == 772, "{answer}");
                    if before % 2 == 0 && before == settled.load(Ordering::SeqCst) {
                        let serves = if before % 4 == 2 { 771 } else { 772 };
                        assert_eq!(answer, serves, "behind the switch, and before the next one");
                    }
                    calls.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for number in 1..=20 {
            let before = edition.session.worker_pid().unwrap();
            settled.fetch_add(1, Ordering::SeqCst);
            let reloaded = edition.session.reload(&to(files[number % 2])).unwrap();
            settled.fetch_add(1, Ordering::SeqCst);
            assert!(reloaded.drained && reloaded.before.is_some(), "{reloaded:?}");
            assert!(!alive(before), "the old worker is gone when the reload is over");
            let made = calls.load(Ordering::SeqCst);
            wait_until("calls go on", || calls.load(Ordering::SeqCst) > made + 20);
        }
        done.store(true, Ordering::SeqCst);
    });
    let stats = edition.session.stats();
    assert!(stats.faults.is_empty(), "{stats:?}");
    assert_eq!((stats.reloads, stats.restarts, stats.retries, stats.generation), (20, 20, 0, 21));
}

#[test]
fn no_call_fails_while_the_library_is_loaded_anew_under_load() {
    let editions = Editions::new();
    let (first, second) = (first(&editions), second(&editions));
    let edition = Edition::open(&first, Options::default()).unwrap();
    no_call_fails(&edition, [&first, &second], 4);
}

#[test]
fn no_call_fails_where_several_are_made_at_a_time() {
    let editions = Editions::new();
    let (first, second) = (first(&editions), second(&editions));
    let edition = Edition::open_reentrant(&first, Options { callers: 3, ..Options::default() }).unwrap();
    no_call_fails(&edition, [&first, &second], 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_awaited_call_fails_while_the_library_is_loaded_anew() {
    let editions = Editions::new();
    let files = [first(&editions), second(&editions)];
    let options = Options { callers: 2, ..Options::default() };
    let edition = Edition::open_reentrant(&files[0], options).unwrap();
    let (done, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let task = |_| {
        let (edition, done, calls) = (edition.clone(), Arc::clone(&done), Arc::clone(&calls));
        tokio::spawn(async move {
            while !done.load(Ordering::SeqCst) {
                let answer = edition.mark_awaited(6).await.expect("no call fails");
                assert!(answer == 61 || answer == 62, "{answer}");
                calls.fetch_add(1, Ordering::SeqCst);
            }
        })
    };
    let tasks: Vec<_> = (0..5).map(task).collect();
    for number in 1..=10 {
        let (session, file) = (edition.session.clone(), files[number % 2].clone());
        let reload = tokio::task::spawn_blocking(move || session.reload(&to(&file)));
        let reloaded = reload.await.unwrap().unwrap();
        assert!(reloaded.drained, "{reloaded:?}");
        let answer = if number % 2 == 1 { 62 } else { 61 };
        assert_eq!(edition.mark_awaited(6).await.unwrap(), answer);
        let made = calls.load(Ordering::SeqCst);
        let calls = Arc::clone(&calls);
        let go_on = move || wait_until("calls go on", || calls.load(Ordering::SeqCst) > made + 10);
        tokio::task::spawn_blocking(go_on).await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.unwrap();
    }
    assert!(edition.session.stats().faults.is_empty());
}

#[test]
fn a_file_that_was_replaced_in_its_place_is_loaded() {
    let editions = Editions::new();
    let file = editions.compile("edition.so", &["-DEDITION=1"]);
    let edition = Edition::open(&file, Options { spares: 1, ..Options::default() }).unwrap();
    assert_eq!(edition.int("mark", &[3]).unwrap(), 31);
    let before = edition.session.loaded()[0].sha256.clone().unwrap();
    editions.compile("edition.so", &["-DEDITION=2"]);
    assert_eq!(edition.int("mark", &[3]).unwrap(), 31, "the worker that serves has the old one");
    edition.session.reload(&Reload::default()).unwrap();
    assert_eq!(edition.int("mark", &[3]).unwrap(), 32);
    assert_ne!(edition.session.loaded()[0].sha256.clone().unwrap(), before);
    // Workers that follow have it, too: the spare, and the one behind that.
    for _ in 0..2 {
        assert_eq!(edition.int("abort", &[]).unwrap_err().kind(), ErrorKind::Crashed);
        assert_eq!(edition.int("mark", &[3]).unwrap(), 32);
    }
}

/// Tries to load what is not well, under load.
fn stays(words: &[&str], is_it: impl Fn(&Error) -> bool) {
    let editions = Editions::new();
    let (first, broken) = (first(&editions), editions.compile("broken.so", words));
    let edition = Edition::open(&first, Options::default()).unwrap();
    let pid = edition.session.worker_pid();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                assert_eq!(edition.int("mark", &[4]).unwrap(), 41);
            }
        });
        let error = edition.session.reload(&to(&broken)).unwrap_err();
        done.store(true, Ordering::SeqCst);
        assert!(is_it(&error), "{error:?}");
        assert!(error.message().contains("what served before goes on"), "{error}");
        assert_eq!((error.executed(), error.generation()), (Executed::No, 2));
    });
    let stats = edition.session.stats();
    assert_eq!((stats.pid, stats.generation, stats.reloads, stats.restarts), (pid, 1, 0, 0));
    assert!(stats.faults.is_empty());
    // Who follows loads what served, and not what was tried.
    edition.int("abort", &[]).unwrap_err();
    assert_eq!(edition.int("mark", &[4]).unwrap(), 41);
}

#[test]
fn a_library_without_a_symbol_does_not_come_into_service() {
    stays(&["-DEDITION=2", "-DWITHOUT_SLOWLY"], |error| {
        error.kind() == ErrorKind::SymbolMissing && error.message().contains("edition_slowly")
    });
}

#[test]
fn a_library_that_crashes_as_it_is_loaded_does_not_come_into_service() {
    stays(&["-DEDITION=2", "-DCRASHES"], |error| {
        error.kind() == ErrorKind::LoadFailed && matches!(error.cause(), Cause::Signal { number: 6, .. })
    });
}

#[test]
fn a_library_that_gives_a_wrong_answer_does_not_come_into_service() {
    stays(&["-DEDITION=2", "-DOFF_BY=1"], |error| {
        let check = "health check failed: edition_mark(-1) == edition_number() - 10";
        error.kind() == ErrorKind::LoadFailed && error.message().contains(check)
    });
}

/// Health checks are made in the sandbox in which calls are made: what they are denied is told as of calls.
#[test]
fn what_would_allow_what_a_check_was_denied_has_it_pass() {
    let editions = Editions::new();
    let (files, log) = editions.writing("EDITION_ASKED");
    let first = first(&editions);
    let open = |sandbox: Sandbox| {
        let options = Options { sandbox: Some(sandbox), ..files.clone() };
        Edition::open(&first, options)
    };
    let error = open(Sandbox::of(Profile::Compute)).unwrap_err();
    let path = log.canonicalize().unwrap().display().to_string();
    let says = format!("while the library was checked: the sandbox denied openat({path:?})");
    assert_eq!((error.kind(), error.message()), (ErrorKind::LoadFailed, says.as_str()));
    let Cause::Denied(denied) = error.cause() else { panic!("{error:?}") };
    let Some(Remedy::With(with)) = denied.remedy.as_deref() else { panic!("{denied:?}") };
    let edition = open(with.clone()).unwrap();
    assert_eq!(edition.int("mark", &[1]).unwrap(), 11);
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "edition 1 is asked\n".repeat(2));
}

#[test]
fn a_file_that_is_none_or_no_library_does_not_come_into_service() {
    let editions = Editions::new();
    let first = first(&editions);
    let edition = Edition::open(&first, Options::default()).unwrap();
    editions.folder().write("text.so", "no library");
    for (name, says) in [("nowhere.so", "No such file"), ("text.so", "text.so")] {
        let file = editions.folder().path().join(name);
        let error = edition.session.reload(&to(&file)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LoadFailed);
        assert!(error.message().contains(says), "{error}");
    }
    assert_eq!((edition.int("mark", &[5]).unwrap(), edition.session.generation()), (51, 1));
}

#[test]
fn the_first_worker_of_a_file_is_checked_and_those_that_follow_it_are_not() {
    let editions = Editions::new();
    let wrong = editions.compile("wrong.so", &["-DEDITION=7", "-DOFF_BY=1"]);
    let error = Edition::open(&wrong, Options::default()).unwrap_err();
    assert!(error.message().contains("health check failed: edition_mark(-1)"), "{error}");
    let (first, second) = (first(&editions), second(&editions));
    let (options, log) = editions.writing("EDITION_ASKED");
    let told = || std::fs::read_to_string(&log).unwrap();
    let edition = Edition::open(&first, options).unwrap();
    let checked = "edition 1 is asked\n".repeat(2);
    assert_eq!(told(), checked, "two of the checks ask");
    edition.int("abort", &[]).unwrap_err();
    assert_eq!(edition.int("mark", &[1]).unwrap(), 11);
    assert_eq!(told(), checked, "the file is known to be well");
    edition.session.reload(&to(&second)).unwrap();
    let checked = format!("{checked}{}", "edition 2 is asked\n".repeat(2));
    assert_eq!(told(), checked);
    edition.int("abort", &[]).unwrap_err();
    assert_eq!((edition.int("mark", &[1]).unwrap(), told()), (12, checked));
}

#[test]
fn objects_of_the_old_worker_are_stale() {
    let editions = Editions::new();
    let (first, second) = (first(&editions), second(&editions));
    let edition = Edition::open(&first, Options::default()).unwrap();
    let book = edition.book(300).unwrap();
    assert_eq!(edition.pages(&book).unwrap(), 300);
    let reloaded = edition.session.reload(&to(&second)).unwrap();
    assert_eq!((reloaded.before, reloaded.generation, reloaded.drained), (Some(1), 2, true));
    let error = edition.pages(&book).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::StaleHandle, Executed::No), "{error}");
    assert!(matches!(error.cause(), Cause::Handle { made: 1, serving: 2, .. }), "{error:?}");
    drop(book);
    let book = edition.book(20).unwrap();
    assert_eq!(edition.pages(&book).unwrap(), 20);
}

#[test]
fn a_call_under_way_ends_on_the_old_worker_and_others_are_made_on_the_new_one() {
    let editions = Editions::new();
    let (first, second) = (first(&editions), second(&editions));
    let edition = Edition::open_reentrant(&first, Options { callers: 2, ..Options::default() }).unwrap();
    thread::scope(|scope| {
        let slow = scope.spawn(|| edition.int("slowly", &[1, 1500]));
        wait_until("it is under way", || edition.session.stats().calls == 1);
        let reload = scope.spawn(|| edition.session.reload(&to(&second)).unwrap());
        wait_until("the new one serves", || edition.session.generation() == 2);
        assert_eq!(edition.int("mark", &[1]).unwrap(), 12, "while the other call is on the old one");
        assert!(!slow.is_finished() && !reload.is_finished(), "this test came too late: it proves nothing");
        assert_eq!(slow.join().unwrap().unwrap(), 11);
        assert!(reload.join().unwrap().drained);
    });
    assert!(edition.session.stats().faults.is_empty());
}

#[test]
fn a_call_that_takes_too_long_ends_with_the_old_worker_and_is_no_fault() {
    let editions = Editions::new();
    let (first, second) = (first(&editions), second(&editions));
    let edition = Edition::open(&first, Options::default()).unwrap();
    let pid = edition.session.worker_pid().unwrap();
    thread::scope(|scope| {
        let slow = scope.spawn(|| edition.int("slowly", &[1, 20_000]));
        wait_until("it is under way", || edition.session.stats().calls == 1);
        let reload = Reload { drain: Duration::from_millis(100), ..to(&second) };
        assert!(!edition.session.reload(&reload).unwrap().drained);
        let error = slow.join().unwrap().unwrap_err();
        assert_eq!((error.kind(), error.executed()), (ErrorKind::WorkerLost, Executed::Maybe), "{error}");
        assert!(error.message().contains("the library was loaded anew"), "{error}");
    });
    wait_until("the old worker has gone", || !alive(pid));
    assert_eq!(edition.int("mark", &[1]).unwrap(), 12);
    assert!(edition.session.stats().faults.is_empty(), "nobody's fault");
}

#[test]
fn a_callback_cannot_wait_for_itself() {
    let editions = Editions::new();
    let first = first(&editions);
    let edition = Edition::open(&first, Options::default()).unwrap();
    let mut tried = None;
    let answer = edition.ask(|number| {
        tried = Some(edition.session.reload(&Reload::default()));
        number + 1
    });
    assert_eq!(answer.unwrap(), 2);
    let error = tried.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert_eq!(edition.session.generation(), 1);
    assert!(edition.session.reload(&Reload::default()).unwrap().drained, "behind it");
}

#[test]
fn the_old_worker_makes_its_shutdown_calls() {
    let editions = Editions::new();
    let (first, second) = (first(&editions), second(&editions));
    let (options, log) = editions.writing("EDITION_LEFT");
    let edition = Edition::open(&first, options).unwrap();
    edition.session.reload(&to(&second)).unwrap();
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "edition 1 leaves\n");
    edition.session.reload(&to(&first)).unwrap();
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "edition 1 leaves\nedition 2 leaves\n");
}

#[test]
fn a_library_that_the_breaker_has_stopped_is_given_another_file_at_once() {
    let editions = Editions::new();
    let (first, second) = (first(&editions), second(&editions));
    let restart = Restart { faults: 2, pause: Duration::from_secs(3600), ..Restart::default() };
    let restart = Restart { longest_pause: Duration::from_secs(3600), ..restart };
    let edition = Edition::open(&first, Options { restart, ..Options::default() }).unwrap();
    (0..2).for_each(|_| drop(edition.int("abort", &[]).unwrap_err()));
    assert_eq!(edition.int("mark", &[1]).unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(matches!(edition.session.breaker(), Breaker::Open(_)));
    let reloaded = edition.session.reload(&to(&second)).unwrap();
    assert_eq!((edition.session.breaker(), edition.int("mark", &[1]).unwrap()), (Breaker::Closed, 12));
    assert!(reloaded.drained);
}

fn pool(file: &Path, min: u32) -> Pool<Edition> {
    let options = Options { libraries: vec![file.to_owned()], ..Options::default() };
    Pool::open(PoolOptions { min, max: 3, options, ..PoolOptions::default() }).unwrap()
}

#[test]
fn all_sessions_of_a_pool_load_the_library_anew_and_no_call_fails() {
    let editions = Editions::new();
    let (first, second) = (first(&editions), second(&editions));
    let (pool, done, calls) = (pool(&first, 2), AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let answer = pool.get().unwrap().int("mark", &[8]).expect("no call fails");
                    assert!(answer == 81 || answer == 82, "{answer}");
                    calls.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for number in 1..=6 {
            let (file, serves) = if number % 2 == 1 { (&second, 82) } else { (&first, 81) };
            let reloaded = pool.reload(&to(file)).unwrap();
            assert!(reloaded.len() >= 2 && reloaded.iter().all(|it| it.drained), "{reloaded:?}");
            assert_eq!(pool.get().unwrap().int("mark", &[8]).unwrap(), serves);
            let made = calls.load(Ordering::SeqCst);
            wait_until("calls go on", || calls.load(Ordering::SeqCst) > made + 20);
        }
        done.store(true, Ordering::SeqCst);
    });
    assert!(pool.stats().sessions.iter().all(|stats| stats.faults.is_empty()));
}

#[test]
fn a_pool_loads_what_is_well_in_all_sessions_or_in_none_and_in_those_that_come() {
    let editions = Editions::new();
    let (first, second) = (first(&editions), second(&editions));
    let wrong = editions.compile("wrong.so", &["-DEDITION=2", "-DOFF_BY=1"]);
    let pool = pool(&first, 1);
    let one = pool.get().unwrap();
    let book = one.book(9).unwrap();
    let error = pool.reload(&to(&wrong)).unwrap_err();
    assert!(error.message().contains("health check failed"), "{error}");
    assert_eq!((one.pages(&book).unwrap(), one.int("mark", &[1]).unwrap()), (9, 11));
    assert_eq!(pool.get().unwrap().int("mark", &[1]).unwrap(), 11, "one that was opened behind it");
    assert_eq!(pool.reload(&to(&second)).unwrap().len(), 2);
    assert_eq!(one.pages(&book).unwrap_err().kind(), ErrorKind::StaleHandle);
    let (other, third) = (pool.get().unwrap(), pool.get().unwrap());
    for lease in [&one, &other, &third] {
        assert_eq!(lease.int("mark", &[1]).unwrap(), 12);
    }
}
