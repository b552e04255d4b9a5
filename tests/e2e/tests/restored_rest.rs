//! Objects that are made anew: what must not be left out of them, in which worker they stand, and what a try may cost.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::thread;
use std::time::{Duration, Instant};

use hotcell::dynamic::{KeptFunction, Value};
use hotcell::rt::Handle;
use hotcell::{Error, ErrorKind, Executed, Limits, Options, Reload, Restart};
use hotcell_e2e::vault::{Vaults, worse};

/// Nothing of these tests is about the breaker.
fn options() -> Options {
    Options { restart: Restart::ALWAYS, ..Options::default() }
}

fn open() -> Vaults {
    Vaults::open(options())
}

#[track_caller]
fn stale(error: &Error, why: &str) {
    assert_eq!((error.kind(), error.executed()), (ErrorKind::StaleHandle, Executed::No), "{error:#}");
    assert!(error.message().contains(why), "{error}");
}

/// Loads the edition of the library that does not do everything any more.
fn load_worse(vaults: &Vaults) -> hotcell_e2e::cli::Folder {
    let (folder, file) = worse();
    vaults.session.reload(&Reload { libraries: Some(vec![file]), ..Reload::default() }).unwrap();
    folder
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// What the library guards by it would go on without it.
#[test]
fn an_object_that_was_given_a_function_to_keep_is_not_made_anew_without_it() {
    let vaults = open();
    let (guarded, plain) = (vaults.vault("guarded", 1).unwrap(), vaults.vault("plain", 2).unwrap());
    let unguarded = vaults.vault("unguarded", 3).unwrap();
    vaults.call("vault_on_limit", &[unguarded.clone().into(), Value::Null]).unwrap();
    let guard = KeptFunction::new(|_| Ok(Value::Int(0)));
    vaults.call("vault_on_limit", &[guarded.clone().into(), Value::Kept(guard.clone())]).unwrap();
    vaults.break_worker();
    for _ in 0..2 {
        let error = vaults.of_object("vault_size", &guarded, &[]).unwrap_err();
        stale(&error, "`vault_on_limit` gave it a function of the application to keep");
    }
    assert_eq!(guarded.restored(), 0);
    assert_eq!(vaults.of_object("vault_size", &plain, &[]).unwrap(), 2);
    assert_eq!(vaults.of_object("vault_size", &unguarded, &[]).unwrap(), 3, "NULL is no function");
    // What stands for one, too: it is used as long as its worker is there.
    vaults.call("vault_on_limit", &[plain.clone().into(), Value::Kept(guard)]).unwrap();
    assert_eq!(vaults.of_object("vault_size", &plain, &[]).unwrap(), 2);
    vaults.break_worker();
    let error = vaults.of_object("vault_size", &plain, &[]).unwrap_err();
    stale(&error, "`vault_on_limit` gave it a function");
}

#[test]
fn a_setting_that_failed_for_its_caller_is_not_made_again() {
    let vaults = open();
    let (vault, teller) = (vaults.vault("first", 1).unwrap(), vaults.vault("teller", 1).unwrap());
    vaults.of_object("vault_limit", &vault, &[50]).unwrap();
    let refuses = KeptFunction::new(|_| Err("not this one".into()));
    vaults.call("vault_on_limit", &[teller.clone().into(), Value::Kept(refuses)]).unwrap();
    let error = vaults.of_object("vault_limit", &vault, &[60]).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::CallbackFailed, Executed::Yes), "{error:#}");
    assert_eq!(vaults.of_object("vault_most", &vault, &[]).unwrap(), 60, "the library had set it");
    vaults.break_worker();
    assert_eq!(vaults.of_object("vault_most", &vault, &[]).unwrap(), 50);
}

/// Has a setting come back in the worker that another has replaced. `meanwhile` is what is done in that one.
fn configured_late(meanwhile: impl Fn(&Vaults, &Handle)) -> (Vaults, Handle) {
    let vaults = Vaults::open_reentrant(Options { callers: 3, ..options() });
    let vault = vaults.vault("late", 7).unwrap();
    vaults.of_object("vault_limit", &vault, &[20]).unwrap();
    thread::scope(|scope| {
        let before = vaults.session.stats().calls;
        let late = scope.spawn(|| vaults.set_word(&vault, 1, "late").map(|_| ()));
        wait_until("it is under way", || vaults.session.stats().calls > before);
        let reload = scope.spawn(|| vaults.session.reload(&Reload::default()).unwrap());
        wait_until("another serves", || vaults.session.generation() == 2);
        meanwhile(&vaults, &vault);
        assert!(!late.is_finished() && !reload.is_finished(), "this test came too late: it proves nothing");
        late.join().unwrap().unwrap();
        assert!(reload.join().unwrap().drained);
    });
    (vaults, vault)
}

#[test]
fn what_stands_gets_the_setting_that_came_back_in_the_worker_before() {
    let (vaults, vault) = configured_late(|vaults, vault| {
        assert_eq!(vaults.of_object("vault_fill", vault, &[5]).unwrap(), 5);
        assert_eq!(vault.restored(), 1);
    });
    assert_eq!(vaults.of_object("vault_fill", &vault, &[1]).unwrap(), 6, "it is the one that stood");
    assert_eq!(vaults.text("vault_told", &vault, &[1]).unwrap(), "late");
    assert_eq!((vaults.of_object("vault_settings", &vault, &[]).unwrap(), vault.restored()), (2, 1));
    assert_eq!((vaults.session.generation(), vaults.session.stats().restored), (2, 1));
    vaults.break_worker();
    assert_eq!(vaults.text("vault_told", &vault, &[1]).unwrap(), "late");
    assert_eq!(vaults.of_object("vault_most", &vault, &[]).unwrap(), 20);
    drop(vault);
    assert_eq!(vaults.int("vaults_open", &[]).unwrap(), 0);
}

#[test]
fn what_was_closed_stays_closed_when_a_setting_comes_back_in_the_worker_before() {
    let (vaults, vault) = configured_late(|vaults, vault| {
        assert_eq!(vaults.of_object("vault_size", vault, &[]).unwrap(), 7);
        vaults.of_object("vault_close", vault, &[]).unwrap();
    });
    for _ in 0..2 {
        stale(&vaults.of_object("vault_size", &vault, &[]).unwrap_err(), "released");
        assert_eq!((vault.restored(), vaults.int("vaults_open", &[]).unwrap()), (1, 0));
        vaults.break_worker();
    }
}

/// A callback runs in the worker of its call, which another may have replaced.
#[test]
fn nothing_is_made_anew_in_a_worker_before_that_in_which_it_stands() {
    let vaults = Vaults::open_reentrant(Options { callers: 3, ..options() });
    let (outer, inner) = (vaults.vault("outer", 1).unwrap(), vaults.vault("inner", 2).unwrap());
    vaults.break_worker();
    let (session, theirs) = (&vaults, &inner);
    let looked = thread::scope(|scope| {
        let mut look = |_: &str, _: &[(String, Value)]| {
            let reload = scope.spawn(move || session.session.reload(&Reload::default()).unwrap());
            wait_until("another serves", || session.session.generation() == 3);
            let other = scope.spawn(move || session.of_object("vault_fill", theirs, &[4]).unwrap());
            assert_eq!((other.join().unwrap(), theirs.restored()), (4, 1));
            let error = session.of_object("vault_size", theirs, &[]).unwrap_err();
            stale(&error, "it was made anew in worker 3, which follows this one");
            assert!(!reload.is_finished(), "it waits for the call around");
            Ok(Value::Int(9))
        };
        vaults.call_with("vault_look", &[outer.clone().into(), Value::Callback], &mut look).unwrap()
    });
    assert_eq!((looked, inner.restored()), (Value::Int(9), 1));
    assert_eq!(vaults.of_object("vault_fill", &inner, &[1]).unwrap(), 5, "it is the one that stood");
}

/// A replay that a limit ends is as one that crashes.
#[test]
fn one_whose_replay_ends_the_worker_by_a_limit_is_not_tried_again() {
    let limits = Limits { threads: Some(8), ..Limits::default() };
    let vaults = Vaults::open(Options { limits, ..options() });
    let vault = vaults.vault("threads", 3).unwrap();
    let _folder = load_worse(&vaults);
    let served = vaults.session.generation();
    let error = vaults.of_object("vault_size", &vault, &[]).unwrap_err();
    stale(&error, "vault_open: LimitExceeded");
    assert_eq!(vaults.int("vaults_open", &[]).unwrap(), 0);
    assert_eq!(vaults.session.generation(), served + 1, "it had ended the worker");
    for _ in 0..3 {
        let error = vaults.of_object("vault_size", &vault, &[]).unwrap_err();
        stale(&error, "it is not made anew: ");
        assert!(error.message().contains("LimitExceeded"), "{error}");
        assert_eq!(vaults.int("vaults_open", &[]).unwrap(), 0);
    }
    assert_eq!(vaults.session.generation(), served + 1, "and no second one");
}

#[test]
fn a_call_with_little_time_ends_one_worker_and_not_one_after_the_other() {
    let vaults = open();
    let (slow, other) = (vaults.vault("slow", 6).unwrap(), vaults.vault("other", 1).unwrap());
    let _folder = load_worse(&vaults);
    let size = |milliseconds: u64| {
        let hasty = vaults.through(vaults.session.within(Duration::from_millis(milliseconds)));
        hasty.of_object("vault_size", &slow, &[])
    };
    stale(&size(60).unwrap_err(), "Hung");
    // The next worker has another, which keeps what it is given.
    assert_eq!(vaults.of_object("vault_fill", &other, &[5]).unwrap(), 5);
    let serves = vaults.session.generation();
    for milliseconds in [10, 60, 100] {
        stale(
            &size(milliseconds).unwrap_err(),
            "which cost a worker; a call with twice that time tries it again",
        );
    }
    assert_eq!((vaults.session.generation(), other.restored()), (serves, 1));
    assert_eq!(vaults.of_object("vault_fill", &other, &[1]).unwrap(), 6, "nothing of others was lost");
    assert_eq!(vaults.session.stats().faults, [(ErrorKind::Hung, 1)]);
    // With time it is made, and then that is forgotten.
    assert_eq!((size(5000).unwrap(), slow.restored()), (6, 1));
    assert_eq!(size(60).unwrap(), 6);
}
