//! Objects that are made anew when their worker has ended: by which calls, what is lost, and what is stale all the same.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use hotcell::dynamic::Value;
use hotcell::rt::Handle;
use hotcell::{
    Cause, Error, ErrorKind, Executed, Options, Pool, PoolOptions, Reload, Restart, Restores,
    UnavailableReason,
};
use hotcell_e2e::vault::{Vaults, text, worse};

/// Nothing of these tests is about the breaker.
fn options() -> Options {
    Options { restart: Restart::ALWAYS, ..Options::default() }
}

fn open() -> Vaults {
    Vaults::open(options())
}

/// That an object is stale, of this worker while that one serves, and that the error says so.
#[track_caller]
fn stale(error: &Error, (made, serving): (u64, u64), why: &str) {
    assert_eq!((error.kind(), error.executed()), (ErrorKind::StaleHandle, Executed::No), "{error:#}");
    let Cause::Handle { made: by, serving: now, .. } = error.cause() else { panic!("{error:#}") };
    assert_eq!((*by, *now), (made, serving), "{error:#}");
    assert!(error.message().contains(why), "{error}");
}

/// Loads the edition of the library that does not do everything any more.
fn load_worse(vaults: &Vaults) -> hotcell_e2e::cli::Folder {
    let (folder, file) = worse();
    vaults.session.reload(&Reload { libraries: Some(vec![file]), ..Reload::default() }).unwrap();
    folder
}

#[test]
fn an_object_is_made_anew_by_the_calls_that_made_it_and_that_configured_it() {
    let vaults = open();
    let vault = vaults.vault("first", 7).unwrap();
    vaults.of_object("vault_limit", &vault, &[50]).unwrap();
    vaults.set_word(&vault, 3, "three").unwrap();
    vaults.of_object("vault_limit", &vault, &[60]).unwrap();
    vaults.set_word(&vault, 4, "four").unwrap();
    vaults.set_word(&vault, 3, "drei").unwrap();
    let failed = vaults.of_object("vault_limit", &vault, &[-1]).unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::LibraryError);
    assert_eq!(vaults.of_object("vault_fill", &vault, &[1000]).unwrap(), 1000);
    assert_eq!(vaults.of_object("vault_settings", &vault, &[]).unwrap(), 5);
    assert_eq!((vault.restored(), vaults.session.generation()), (0, 1));

    for (round, generation) in [(1, 2), (2, 3)] {
        // The call that meets the end is not made again.
        let error = vaults.of_object("vault_break", &vault, &[]).unwrap_err();
        assert_eq!((error.kind(), error.executed()), (ErrorKind::Crashed, Executed::Maybe), "{error:#}");
        assert_eq!(vault.restored(), round - 1, "and nothing is made anew for it");

        assert_eq!(vaults.text("vault_name", &vault, &[]).unwrap(), "first");
        assert_eq!((vault.restored(), vaults.session.generation()), (round, generation));
        assert_eq!(vaults.of_object("vault_size", &vault, &[]).unwrap(), 7);
        assert_eq!(
            vaults.of_object("vault_most", &vault, &[]).unwrap(),
            60,
            "the last one that did not fail"
        );
        assert_eq!(vaults.text("vault_told", &vault, &[3]).unwrap(), "drei");
        assert_eq!(vaults.text("vault_told", &vault, &[4]).unwrap(), "four");
        assert_eq!(
            vaults.of_object("vault_settings", &vault, &[]).unwrap(),
            3,
            "one of each that sets the same"
        );
        assert_eq!(
            vaults.of_object("vault_fill", &vault, &[1]).unwrap(),
            1,
            "what nothing says again is lost"
        );
        assert_eq!(vaults.int("vaults_open", &[]).unwrap(), 1);
    }
    let stats = vaults.session.stats();
    assert_eq!((stats.restored, stats.objects), (2, 1));
    assert_eq!(stats.to_json()["restored"], 2);
    drop(vault);
    assert_eq!(vaults.int("vaults_open", &[]).unwrap(), 0, "it was released, once");
    assert_eq!(vaults.session.stats().objects, 0);
}

#[test]
fn data_are_kept_and_so_is_what_configures_an_object_that_was_made_anew() {
    let vaults = open();
    let vault = vaults.make("vault_of", &[Value::Bytes(vec![1, 2, 3])]).unwrap();
    assert_eq!(vaults.of_object("vault_seal", &vault, &[]).unwrap(), 1 + 4 + 9);
    vaults.break_worker();
    assert_eq!(vaults.of_object("vault_seal", &vault, &[]).unwrap(), 14, "the data were kept");
    // What configures what was made anew is kept as well.
    vaults.of_object("vault_limit", &vault, &[8]).unwrap();
    vaults.break_worker();
    assert_eq!(vaults.of_object("vault_most", &vault, &[]).unwrap(), 8);
    assert_eq!(vault.restored(), 2);
}

#[test]
fn what_is_lent_is_stale_and_what_can_be_made_anew_itself_is_made_with_what_it_belongs_to() {
    let vaults = open();
    let vault = vaults.vault("house", 9).unwrap();
    let shelf = vaults.make("shelf_open", &[vault.clone().into(), text("upper")]).unwrap();
    let item = vaults.make("item_new", &[vault.clone().into()]).unwrap();
    assert_eq!(vaults.of_object("item_size", &item, &[]).unwrap(), 9);
    vaults.break_worker();
    // Of the shelf first: the vault is made anew for it.
    assert_eq!(vaults.text("shelf_name", &shelf, &[]).unwrap(), "upper");
    assert_eq!(vaults.of_object("shelf_size", &shelf, &[]).unwrap(), 9, "it stands in the new one");
    assert_eq!((vault.restored(), shelf.restored()), (1, 1));
    let error = vaults.of_object("item_size", &item, &[]).unwrap_err();
    stale(&error, (1, 2), "which is gone");
    assert_eq!((item.restored(), item.restore().unwrap_err().kind()), (0, ErrorKind::StaleHandle));
    drop(item);
    // A new one is made in what stands for its vault.
    let item = vaults.make("item_new", &[vault.clone().into()]).unwrap();
    assert_eq!(vaults.of_object("item_size", &item, &[]).unwrap(), 9);
    assert_eq!(vaults.int("vaults_open", &[]).unwrap(), 2);
    // What belongs to it keeps it, as before; then all go once.
    drop(vault);
    assert_eq!(vaults.of_object("shelf_size", &shelf, &[]).unwrap(), 9);
    drop(shelf);
    assert_eq!(vaults.int("vaults_open", &[]).unwrap(), 1, "the item lies in it");
    drop(item);
    assert_eq!(vaults.int("vaults_open", &[]).unwrap(), 0);
}

#[test]
fn a_call_that_takes_an_object_over_makes_none_and_behind_it_there_is_none() {
    let vaults = open();
    let (kept, gone) = (vaults.vault("kept", 1).unwrap(), vaults.vault("gone", 2).unwrap());
    vaults.break_worker();
    let error = vaults.of_object("vault_close", &gone, &[]).unwrap_err();
    stale(&error, (1, 2), "does not take it over");
    assert_eq!((gone.restored(), vaults.int("vaults_open", &[]).unwrap()), (0, 0));
    assert_eq!(vaults.of_object("vault_size", &kept, &[]).unwrap(), 1);
    vaults.of_object("vault_close", &kept, &[]).unwrap();
    let error = vaults.of_object("vault_size", &kept, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StaleHandle, "{error}");
    vaults.break_worker();
    let error = vaults.of_object("vault_size", &kept, &[]).unwrap_err();
    stale(&error, (1, 3), "released");
    assert_eq!((kept.restored(), vaults.int("vaults_open", &[]).unwrap()), (1, 0));
    drop((kept, gone));
    assert_eq!(vaults.int("vaults_open", &[]).unwrap(), 0);
}

#[test]
fn several_threads_get_one_object() {
    for vaults in [open(), Vaults::open_reentrant(Options { callers: 3, ..options() })] {
        let vault = vaults.vault("shared", 5).unwrap();
        for round in 1..=5 {
            vaults.break_worker();
            let begin = Barrier::new(6);
            thread::scope(|scope| {
                for _ in 0..6 {
                    scope.spawn(|| {
                        begin.wait();
                        assert_eq!(vaults.of_object("vault_size", &vault, &[]).unwrap(), 5);
                    });
                }
            });
            assert_eq!((vault.restored(), vaults.int("vaults_open", &[]).unwrap()), (round, 1));
        }
        assert_eq!(vaults.session.stats().restored, 5);
    }
}

#[test]
fn an_object_is_made_anew_in_a_callback() {
    let vaults = open();
    let (outer, inner) = (vaults.vault("outer", 1).unwrap(), vaults.vault("inner", 2).unwrap());
    vaults.break_worker();
    let mut look = |_: &str, _: &[(String, Value)]| {
        let size = vaults.of_object("vault_size", &inner, &[]);
        Ok(Value::Int(size.map_err(|error| error.to_string())? + 40))
    };
    let looked = vaults.call_with("vault_look", &[outer.clone().into(), Value::Callback], &mut look).unwrap();
    assert_eq!((looked, outer.restored(), inner.restored()), (Value::Int(42), 1, 1));
    assert_eq!(vaults.int("vaults_open", &[]).unwrap(), 2);
}

#[test]
fn after_a_reload_objects_are_made_anew_and_an_error_says_why_one_is_not() {
    let vaults = open();
    let handles: Vec<Handle> =
        ["well", "gone", "breaks"].into_iter().map(|name| vaults.vault(name, 3).unwrap()).collect();
    let strict = vaults.vault("strict", 4).unwrap();
    vaults.of_object("vault_limit", &strict, &[13]).unwrap();
    let _folder = load_worse(&vaults);
    let size = |handle: &Handle| vaults.of_object("vault_size", handle, &[]);
    assert_eq!(size(&handles[0]).unwrap(), 3);
    let served = vaults.session.generation();
    // The library says no: so it does the next time, however often that is.
    for _ in 0..9 {
        stale(&size(&handles[1]).unwrap_err(), (1, served), "it was not made anew: vault: vault_open: ");
    }
    // A setting fails: what was made is released.
    stale(&size(&strict).unwrap_err(), (1, served), "vault_limit: LibraryError");
    assert_eq!(vaults.int("vaults_open", &[]).unwrap(), 1);
    assert!(vaults.session.stats().faults.is_empty(), "until here nothing has ended a worker");
    // One that ends its worker does so once.
    stale(&size(&handles[2]).unwrap_err(), (1, served), "vault_open: Crashed");
    assert_eq!(vaults.session.stats().faults, [(ErrorKind::Crashed, 1)]);
    let error = size(&handles[2]).unwrap_err();
    assert!(
        error.message().contains("it is not made anew: ") && error.message().contains("Crashed"),
        "{error}"
    );
    assert_eq!(vaults.session.stats().faults, [(ErrorKind::Crashed, 1)]);
    assert_eq!(size(&handles[0]).unwrap(), 3);
    assert_eq!(handles[0].restored(), 2, "others go on");
}

#[test]
fn an_object_is_made_anew_so_often_and_not_more() {
    let vaults = open();
    let vault = vaults.vault("often", 1).unwrap();
    for round in 1..=6 {
        vaults.break_worker();
        assert_eq!(vaults.of_object("vault_size", &vault, &[]).unwrap(), 1);
        assert_eq!(vault.restored(), round);
    }
    vaults.break_worker();
    for _ in 0..2 {
        let error = vaults.of_object("vault_size", &vault, &[]).unwrap_err();
        stale(&error, (1, 8), "that was tried 6 times");
    }
    assert_eq!(vault.restored(), 6);
}

#[test]
fn the_time_of_the_call_is_that_of_what_it_makes_anew() {
    let vaults = open();
    let slow = vaults.vault("slow", 6).unwrap();
    let _folder = load_worse(&vaults);
    let before = Instant::now();
    let hasty = vaults.through(vaults.session.within(Duration::from_millis(60)));
    let error = hasty.of_object("vault_size", &slow, &[]).unwrap_err();
    assert!(before.elapsed() < Duration::from_millis(280), "{:?}", before.elapsed());
    stale(&error, (1, 2), "Hung");
    // Whoever has less time than another takes for it hears that, and ends nothing.
    thread::scope(|scope| {
        let other = scope.spawn(|| vaults.of_object("vault_size", &slow, &[]).unwrap());
        thread::sleep(Duration::from_millis(100));
        let error = hasty.of_object("vault_size", &slow, &[]).unwrap_err();
        let cause = Cause::Unavailable { reason: UnavailableReason::PoolExhausted };
        assert_eq!((error.kind(), error.cause()), (ErrorKind::Unavailable, &cause), "{error:#}");
        assert_eq!(error.executed(), Executed::No);
        assert_eq!(other.join().unwrap(), 6);
    });
    assert_eq!(slow.restored(), 1);
}

#[test]
fn what_is_too_much_or_was_put_elsewhere_is_not_kept_and_the_error_says_so() {
    let vaults = open();
    let of = |data: Vec<u8>| vaults.make("vault_of", &[Value::Bytes(data)]);
    let (fits, much) = (of(vec![1; 60_000]).unwrap(), of(vec![1; 70_000]).unwrap());
    let batched = vaults.vault("batched", 1).unwrap();
    let mut batch = vaults.batch();
    let limited =
        batch.add(vaults.index("vault_limit"), vec![batched.clone().into(), Value::Int(3)]).unwrap();
    let made = batch.add(vaults.index("vault_open"), vec![text("made"), Value::Int(1)]).unwrap();
    let mut done = batch.run().unwrap();
    done.take(limited).unwrap();
    let Some(Value::Handle(made)) = done.take(made).unwrap().returned else { panic!("a vault") };
    let full = vaults.vault("full", 1).unwrap();
    vaults.set_word(&full, 1, &"x".repeat(70_000)).unwrap();
    vaults.break_worker();
    assert_eq!(vaults.of_object("vault_size", &fits, &[]).unwrap(), 60_000);
    for (handle, why) in [
        (&much, "what `vault_of` was given is more than the 65536 bytes that are kept"),
        (&batched, "`vault_limit` configured it in a batch or in a pipeline"),
        (&made, "it was made in a batch or in a pipeline"),
        (&full, "`vault_word` was given is more than the 65536 bytes"),
    ] {
        let error = vaults.of_object("vault_size", handle, &[]).unwrap_err();
        stale(&error, (1, 2), why);
    }
    assert_eq!(vaults.session.stats().restored, 1);
}

#[test]
fn batches_take_what_is_there_and_make_nothing_anew() {
    let vaults = open();
    let vault = vaults.vault("batched", 8).unwrap();
    vaults.break_worker();
    assert_eq!(vaults.int("vaults_open", &[]).unwrap(), 0);
    let size = vaults.index("vault_size");
    let error = vaults.batch().add(size, vec![vault.clone().into()]).unwrap_err();
    stale(&error, (1, 2), "`restore` makes it anew");
    vault.restore().unwrap();
    vault.restore().unwrap();
    let mut batch = vaults.batch();
    let ticket = batch.add(size, vec![vault.clone().into()]).unwrap();
    assert_eq!(batch.run().unwrap().take(ticket).unwrap().returned, Some(Value::Int(8)));
    assert_eq!((vault.restored(), vaults.int("vaults_open", &[]).unwrap()), (1, 1));
}

#[tokio::test]
async fn awaited_calls_take_what_is_there_and_make_nothing_anew() {
    let vaults = open();
    let open = vaults.call_awaited("vault_open", &[text("awaited"), Value::Int(8)]).await.unwrap();
    let Value::Handle(vault) = open else { panic!("{open:?}") };
    vaults.call_awaited("vault_limit", &[vault.clone().into(), Value::Int(21)]).await.unwrap();
    vaults.break_worker();
    let error = vaults.call_awaited("vault_most", &[vault.clone().into()]).await.unwrap_err();
    stale(&error, (1, 2), "`restore` makes it anew");
    let restoring = vault.clone();
    tokio::task::spawn_blocking(move || restoring.restore()).await.unwrap().unwrap();
    let most = vaults.call_awaited("vault_most", &[vault.clone().into()]).await.unwrap();
    assert_eq!((most, vault.restored()), (Value::Int(21), 1), "what was awaited is kept, too");
}

#[test]
fn a_session_that_is_leased_stays_its_callers_while_an_object_can_be_made_anew() {
    // So that the pool looks often for sessions whose objects have gone.
    let idle = Duration::from_millis(40);
    let options = PoolOptions { max: 2, idle, options: options(), ..PoolOptions::default() };
    let pool = Pool::<Vaults>::open(options).unwrap();
    let lease = pool.get().unwrap();
    let vaults = (*lease).clone();
    let vault = vaults.vault("pinned", 4).unwrap();
    vaults.break_worker();
    drop(lease);
    // Two others come: the first gets the other session, and the second none.
    let other = pool.get().unwrap();
    assert!(pool.get_within(Duration::from_millis(400)).is_err(), "the object may be made anew there");
    assert_eq!(pool.stats().pinned, 1);
    assert_eq!(vaults.of_object("vault_size", &vault, &[]).unwrap(), 4);
    assert_eq!(other.int("vaults_open", &[]).unwrap(), 0);
    drop(vault);
    assert!(pool.get_within(Duration::from_secs(5)).is_ok(), "and then it goes back");
}

#[test]
fn options_say_that_nothing_is_made_anew() {
    let vaults = Vaults::open(Options { restores: Some(Restores::NEVER), ..options() });
    let vault = vaults.vault("once", 4).unwrap();
    vaults.break_worker();
    let error = vaults.of_object("vault_size", &vault, &[]).unwrap_err();
    stale(&error, (1, 2), "which is gone; now worker 2 serves");
    assert!(!error.message().contains("anew"), "{error}");
    assert_eq!(vault.restored(), 0);
}
