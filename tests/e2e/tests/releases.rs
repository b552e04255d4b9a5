//! Releases that wait: none is lost, none costs a healthy worker, and nobody's call is held up by those of others.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::mpsc::{Receiver, channel};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use hotcell::rt::Handle;
use hotcell::{Cancel, ErrorKind, Options};
use hotcell_e2e::objects::{KEPT, Objects, STORE};
use hotcell_e2e::process::{alive, wait_until};

/// Less than twice what a release may take: such a call runs none.
const LITTLE: Duration = Duration::from_secs(8);

/// A watchdog, not an expectation.
const PATIENCE: Duration = Duration::from_secs(20);

fn objects() -> Objects {
    Objects::open(Options::default()).unwrap()
}

fn within(objects: &Objects, time: Duration) -> Objects {
    Objects { session: objects.session.within(time) }
}

/// A store that says on which thread each of its items is released; a release takes at least this long.
fn store(objects: &Objects, takes: Duration) -> (Handle, Receiver<ThreadId>) {
    let (freed, threads) = channel();
    let store = objects.store_with(0, 4).unwrap();
    let run = move |_: &mut hotcell::rt::Invocation<'_>| {
        let began = Instant::now();
        while began.elapsed() < takes {
            std::thread::yield_now();
        }
        freed.send(std::thread::current().id()).unwrap();
        Ok(0)
    };
    objects.keep(&store, 0, Some(Box::new(run))).unwrap();
    (store, threads)
}

/// Makes a call in whose callback items are dropped, so that their releases wait for its end.
fn drop_in_a_call(objects: &Objects, items: Vec<Handle>) {
    let mut items = Some(items);
    objects.each(1, 0, &mut |_| Ok(u64::from(items.take().is_some()))).unwrap();
}

#[test]
fn a_call_with_little_time_runs_no_releases() {
    let objects = objects();
    let (store, threads) = store(&objects, Duration::ZERO);
    let item = objects.item(&store).unwrap();
    drop_in_a_call(&within(&objects, LITTLE), vec![item]);
    assert_ne!(threads.recv_timeout(PATIENCE).unwrap(), std::thread::current().id());
    assert_eq!(objects.living().unwrap(), 1);
    // The next one works as well: the thread has ended, or sends this too.
    let item = objects.item(&store).unwrap();
    drop_in_a_call(&within(&objects, LITTLE), vec![item]);
    assert_ne!(threads.recv_timeout(PATIENCE).unwrap(), std::thread::current().id());
    assert_eq!(objects.living().unwrap(), 1);
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn a_call_with_much_time_runs_releases_for_a_moment_only() {
    let objects = objects();
    let (store, threads) = store(&objects, Duration::from_millis(30));
    let items = (0..3).map(|_| objects.item(&store).unwrap()).collect();
    drop_in_a_call(&objects, items);
    let threads: Vec<_> = (0..3).map(|_| threads.recv_timeout(PATIENCE).unwrap()).collect();
    let here = std::thread::current().id();
    assert!(threads[1] != here && threads[2] != here, "{threads:?}, here {here:?}");
    let journal = objects.journal().unwrap();
    assert!(journal.contains("free0 free1 free2"), "{journal}");
    assert_eq!(objects.session.generation(), 1);
}

/// A worker has objects of everybody: who gives his own call up does not end it for a release that is sent behind that.
#[test]
fn a_release_is_not_given_up_with_the_call_that_it_is_sent_behind() {
    let objects = objects();
    let store = objects.store_with(0, 4).unwrap();
    let (cancel, (freed, threads)) = (Cancel::new(), channel());
    let given_up = Objects { session: objects.session.cancelled_by(&cancel) };
    let run = move |_: &mut hotcell::rt::Invocation<'_>| {
        cancel.cancel();
        freed.send(std::thread::current().id()).unwrap();
        Ok(0)
    };
    objects.keep(&store, 0, Some(Box::new(run))).unwrap();
    let item = objects.item(&store).unwrap();
    drop_in_a_call(&given_up, vec![item]);
    let behind_the_call = threads.recv_timeout(PATIENCE).unwrap();
    assert_eq!(behind_the_call, std::thread::current().id());
    assert_eq!(objects.living().unwrap(), 1, "the store is there, and the item is not");
    assert_eq!(objects.session.generation(), 1);
    assert!(objects.session.ends().is_empty(), "{:?}", objects.session.ends());
    // What is a call of his is given up.
    let error = given_up.living().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[test]
fn what_was_dropped_before_a_call_is_released_before_it() {
    let objects = objects();
    for time in [LITTLE, Duration::from_secs(30)] {
        let hurried = within(&objects, time);
        let store = objects.store(0).unwrap();
        let items: Vec<_> = (0..100).map(|_| objects.item(&store).unwrap()).collect();
        let ((calls, called), (drops, dropped)) = (channel(), channel());
        std::thread::scope(|scope| {
            let other = hurried.clone();
            let calling = scope.spawn(move || {
                other.each(1, 0, &mut |_| {
                    calls.send(()).unwrap();
                    dropped.recv().unwrap();
                    Ok(1)
                })
            });
            called.recv().unwrap();
            drop(items);
            drops.send(()).unwrap();
            // It would be refused if one of the items were there.
            hurried.close(&store).unwrap();
            calling.join().unwrap().unwrap();
        });
        assert_eq!(objects.living().unwrap(), 0);
    }
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn releases_that_come_before_a_call_without_time_are_neither_lost_nor_cut_short() {
    for left in [1, 3, 10, 30] {
        let objects = objects();
        let store = objects.store(0).unwrap();
        let items: Vec<_> = (0..4_000).map(|_| objects.item(&store).unwrap()).collect();
        let (time, left) = (Duration::from_millis(150), Duration::from_millis(left));
        let ((calls, called), (drops, dropped)) = (channel(), channel());
        let hurried = std::thread::scope(|scope| {
            let (caller, hurried) = (objects.clone(), within(&objects, time));
            scope.spawn(move || {
                caller.each(1, 0, &mut |_| {
                    calls.send(()).unwrap();
                    // The hurried call has come: it gets the turn when its time is almost over.
                    let came: Instant = dropped.recv().unwrap();
                    while came.elapsed() + left < time {
                        std::thread::yield_now();
                    }
                    Ok(1)
                })
            });
            called.recv().unwrap();
            drop(items);
            drops.send(Instant::now()).unwrap();
            hurried.living()
        });
        // It may come too late to be sent, but also too late to be answered.
        if hurried.is_err_and(|error| error.kind() == ErrorKind::Hung) {
            continue;
        }
        assert_eq!(objects.living().unwrap(), 1, "{left:?}");
        assert_eq!(objects.session.generation(), 1, "{left:?}");
        objects.close(&store).unwrap();
    }
}

#[test]
fn a_session_ends_though_releases_wait() {
    let objects = objects();
    let pid = objects.session.worker_pid().unwrap();
    let store = objects.store(0).unwrap();
    let items: Vec<_> = (0..20_000).map(|_| objects.item(&store).unwrap()).collect();
    drop_in_a_call(&within(&objects, LITTLE), items);
    drop(store);
    drop(objects);
    wait_until("the worker lives on", || !alive(pid));
}

#[test]
fn a_panic_in_what_a_release_drops_is_not_the_end_of_releases() {
    struct Bomb(std::sync::mpsc::Sender<ThreadId>);
    impl Drop for Bomb {
        fn drop(&mut self) {
            self.0.send(std::thread::current().id()).unwrap();
            panic!("of its own");
        }
    }
    let objects = objects();
    let store = objects.store(0).unwrap();
    let items = [(); 2].map(|()| objects.item(&store).unwrap());
    let (gone, threads) = channel();
    let bomb = Bomb(gone);
    let run = move |_: &mut hotcell::rt::Invocation<'_>| {
        let _kept = &bomb;
        Ok(0)
    };
    // Kept until the first item goes.
    let mut call = objects.session.call(21).unwrap();
    call.put_handle(0, "store", &store, STORE).unwrap();
    call.put_kept(8, "callback", KEPT, Some(Box::new(run)), &items[0]).unwrap();
    call.finish().unwrap();
    drop_in_a_call(&within(&objects, LITTLE), items.into());
    assert_ne!(threads.recv_timeout(PATIENCE).unwrap(), std::thread::current().id());
    assert_eq!(objects.living().unwrap(), 1);
    assert_eq!(objects.session.generation(), 1);
}
