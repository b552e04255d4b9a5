//! Objects that are made anew: what comes too late, or is never sent.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::thread;
use std::time::{Duration, Instant};

use hotcell::dynamic::Value;
use hotcell::rt::{Collects as _, Handle, Puts as _};
use hotcell::{Cancel, Error, ErrorKind, Executed, Options, Reload, Restart};
use hotcell_e2e::vault::{Vaults, text, worse};

/// Nothing of these tests is about the breaker.
fn options() -> Options {
    Options { restart: Restart::ALWAYS, ..Options::default() }
}

#[track_caller]
fn stale(error: &Error, why: &str) {
    assert_eq!((error.kind(), error.executed()), (ErrorKind::StaleHandle, Executed::No), "{error:#}");
    assert!(error.message().contains(why), "{error}");
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// It has cost the worker its life, and would cost the next one's.
#[test]
fn a_setting_whose_results_are_a_lie_is_not_made_again() {
    let vaults = Vaults::open(options());
    let vault = vaults.vault("titled", 1).unwrap();
    let title = |title: &str| vaults.call("vault_title", &[vault.clone().into(), text(title)]);
    assert_eq!(title("good").unwrap(), text("good"));
    let error = title("lies").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidReply, "{error:#}");
    assert_eq!(vaults.text("vault_told", &vault, &[9]).unwrap(), "good");
    assert_eq!((vault.restored(), vaults.session.generation()), (1, 2));
}

/// A batch that is dropped, or an entry that is refused, has configured nothing; nor has a call of a pipeline that is not sent.
#[test]
fn what_was_never_sent_loses_nothing() {
    let vaults = Vaults::open(options());
    let vault = vaults.vault("kept", 5).unwrap();
    let (limit, word, kind) = (vaults.index("vault_limit"), vaults.index("vault_word"), vaults.kind());
    let mut batch = vaults.batch();
    let _unsent = batch.add(limit, vec![vault.clone().into(), Value::Int(3)]).unwrap();
    drop(batch);
    let mut batch = vaults.batch();
    let refused = vec![vault.clone().into(), Value::Int(3), Value::Text("a\0b".into())];
    assert_eq!(batch.add(word, refused).unwrap_err().kind(), ErrorKind::InvalidArgument);
    drop(batch.run().unwrap());
    let mut pipe = vaults.session.pipeline();
    let mut call = pipe.entry(limit).unwrap();
    call.put_handle(0, "v", &vault, kind).unwrap();
    drop(call);
    drop(pipe);
    vaults.break_worker();
    assert_eq!(vaults.of_object("vault_size", &vault, &[]).unwrap(), 5);
    assert_eq!(vault.restored(), 1);
    // One that is sent does.
    let mut pipe = vaults.session.pipeline();
    let mut call = pipe.entry(limit).unwrap();
    call.put_handle(0, "v", &vault, kind).unwrap();
    call.put_i32(8, 3);
    let sent = call.values(|_| ());
    pipe.take(sent).unwrap();
    assert_eq!(vaults.of_object("vault_most", &vault, &[]).unwrap(), 3);
    vaults.break_worker();
    stale(
        &vaults.of_object("vault_size", &vault, &[]).unwrap_err(),
        "`vault_limit` configured it in a batch or in a pipeline",
    );
}

/// Who waits for another thread that makes an object anew is as one who waits for the library.
#[test]
fn who_waits_for_another_thread_is_given_up_at_once() {
    let vaults = Vaults::open_reentrant(Options { callers: 3, ..options() });
    let vault = vaults.vault("slowest", 4).unwrap();
    let (_folder, file) = worse();
    vaults.session.reload(&Reload { libraries: Some(vec![file]), ..Reload::default() }).unwrap();
    let (cancel, before) = (Cancel::new(), vaults.session.stats().calls);
    let theirs = vaults.through(vaults.session.cancelled_by(&cancel));
    thread::scope(|scope| {
        let makes = scope.spawn(|| vaults.of_object("vault_size", &vault, &[]));
        wait_until("it is being made", || vaults.session.stats().calls > before);
        let waits = scope.spawn(|| theirs.of_object("vault_size", &vault, &[]));
        thread::sleep(Duration::from_millis(50));
        cancel.cancel();
        let error = waits.join().unwrap().unwrap_err();
        assert_eq!((error.kind(), error.executed()), (ErrorKind::Cancelled, Executed::No), "{error:#}");
        assert!(!makes.is_finished(), "it has waited for the other");
        assert_eq!(makes.join().unwrap().unwrap(), 4);
    });
}

/// As before the first end of a worker: what an object belongs to is there as long as the object.
#[test]
fn what_is_lent_by_what_belongs_to_an_object_is_that_object_also_when_it_was_made_anew() {
    let vaults = Vaults::open(options());
    let vault = vaults.vault("lent", 6).unwrap();
    vaults.break_worker();
    let item = vaults.make("item_new", &[vault.clone().into()]).unwrap();
    assert_eq!(vault.restored(), 1);
    drop(vault);
    let vault = vaults.make("item_in", &[item.clone().into()]).unwrap();
    assert!(vault.is_owned(), "it is the application's");
    assert_eq!((vault.restored(), vaults.of_object("vault_size", &vault, &[]).unwrap()), (1, 6));
    vaults.break_worker();
    assert_eq!(vaults.of_object("vault_size", &vault, &[]).unwrap(), 6);
    assert_eq!(vault.restored(), 2);
    drop((item, vault));
    assert_eq!(vaults.int("vaults_open", &[]).unwrap(), 0);
}

/// Whatever stands for it in the worker that follows by then.
#[test]
fn what_was_closed_in_the_worker_before_is_closed() {
    let vaults = Vaults::open_reentrant(Options { callers: 3, ..options() });
    let vault = vaults.vault("closed", 7).unwrap();
    vaults.break_worker();
    assert_eq!((vaults.of_object("vault_size", &vault, &[]).unwrap(), vault.restored()), (7, 1));
    let closes = begin_to_close(&vaults, &vault);
    thread::scope(|scope| {
        let reload = scope.spawn(|| vaults.session.reload(&Reload::default()).unwrap());
        wait_until("another serves", || vaults.session.generation() == 3);
        let other = scope.spawn(|| vaults.of_object("vault_fill", &vault, &[9]).unwrap());
        assert_eq!((other.join().unwrap(), vault.restored()), (9, 2), "it stands in the next");
        drop(closes.finish().unwrap());
        assert!(reload.join().unwrap().drained);
    });
    for generation in [3, 4] {
        stale(&vaults.of_object("vault_fill", &vault, &[1]).unwrap_err(), "released");
        assert_eq!((vault.restored(), vaults.session.generation()), (2, generation));
        vaults.break_worker();
        assert_eq!(vaults.int("vaults_open", &[]).unwrap(), 0);
    }
}

/// A call that closes it, and was passed it, and is not sent.
fn begin_to_close<'v>(vaults: &'v Vaults, vault: &Handle) -> hotcell::rt::Call<'v> {
    let mut call = vaults.session.call_of(vaults.index("vault_close"), &[Some(vault)]).unwrap();
    call.put_consumed(0, "v", vault, vaults.kind()).unwrap();
    call
}
