//! Callbacks that the library keeps, with objects that are lent for their time.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use hotcell::rt::Invocation;
use hotcell::{ErrorKind, Executed, Options, Result};
use hotcell_e2e::objects::{Objects, VIEW};

fn objects() -> Objects {
    Objects::open(Options::default()).unwrap()
}

/// Something that is seen to be dropped.
fn token() -> (Arc<()>, std::sync::Weak<()>) {
    let token = Arc::new(());
    let weak = Arc::downgrade(&token);
    (token, weak)
}

#[test]
fn a_kept_callback_runs_in_later_calls_on_the_thread_that_waits() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    assert_eq!(objects.poke(Some(&store), 0..2).unwrap(), (0, 2), "nothing is kept");
    let (sender, threads) = channel();
    let run = move |invocation: &mut Invocation<'_>| {
        sender.send(std::thread::current().id()).unwrap();
        Ok(invocation.get_i64(24) as u64 + 100)
    };
    objects.keep(&store, 0, Some(Box::new(run))).unwrap();
    assert_eq!(objects.poke(Some(&store), 0..3).unwrap(), (303, 0));
    assert_eq!(threads.recv().unwrap(), std::thread::current().id());
    let other = objects.clone();
    std::thread::spawn(move || {
        threads.try_iter().for_each(drop);
        assert_eq!(other.poke(None, 5..6).unwrap(), (105, 0));
        assert_eq!(threads.recv().unwrap(), std::thread::current().id());
    })
    .join()
    .unwrap();
    // Another takes its place, and NULL ends it.
    objects.keep(&store, 0, Some(Box::new(|_| Ok(1)))).unwrap();
    assert_eq!(objects.poke(Some(&store), 0..3).unwrap(), (3, 0));
    objects.keep(&store, 0, None).unwrap();
    assert_eq!(objects.poke(Some(&store), 0..3).unwrap(), (0, 3));
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn objects_are_lent_for_the_time_of_a_callback() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    let held = Arc::new(Mutex::new(Vec::new()));
    let holding = Arc::clone(&held);
    // A closure calls through what it is given: it need not hold the session.
    let look = |view: &hotcell::rt::Handle| Objects { session: view.session() }.look(view);
    let run = move |invocation: &mut Invocation<'_>| {
        let view = invocation.handle(0, VIEW)?;
        let views = invocation.handles(8, VIEW)?;
        assert!(!view.is_owned() && views.len() == 2);
        let sum = look(&view)? + look(&views[0])? + look(&views[1])?;
        let mut holding = holding.lock().unwrap();
        holding.push(view);
        holding.extend(views);
        Ok(sum as u64)
    };
    objects.keep(&store, 0, Some(Box::new(run))).unwrap();
    assert_eq!(objects.poke(Some(&store), 0..3).unwrap(), (3 + 33 + 63, 0));
    let held = held.lock().unwrap();
    assert_eq!(held.len(), 9);
    for view in &*held {
        let error = objects.look(view).unwrap_err();
        assert_eq!((error.kind(), error.executed()), (ErrorKind::StaleHandle, Executed::No), "{error}");
    }
    let first = objects.view(&store, 0).unwrap().unwrap();
    assert!(held.iter().all(|view| *view != first), "the worker has forgotten what it lent for a while");
}

#[test]
fn a_kept_callback_goes_with_its_object() {
    let objects = objects();
    let keep = |store: &hotcell::rt::Handle, code| {
        let (token, seen) = token();
        let run = move |_: &mut Invocation<'_>| Ok(u64::from(Arc::strong_count(&token) > 0));
        let kept = objects.keep(store, code, Some(Box::new(run)));
        (kept, seen)
    };
    // Closed by a call, dropped, with a failed registration that the library kept all the same.
    let store = objects.store(0).unwrap();
    let (kept, first) = keep(&store, 0);
    kept.unwrap();
    objects.close(&store).unwrap();
    assert!(first.upgrade().is_none());
    assert_eq!(objects.poke(None, 0..2).unwrap(), (0, 2), "the library gets its default from then on");
    let store = objects.store(0).unwrap();
    let (kept, second) = keep(&store, 7);
    assert_eq!(kept.unwrap_err().kind(), ErrorKind::LibraryError);
    assert_eq!(objects.poke(None, 0..2).unwrap(), (2, 0));
    drop(store);
    assert!(second.upgrade().is_none());
    assert_eq!(objects.poke(None, 0..2).unwrap(), (0, 2));
    // A call that is not sent keeps nothing.
    let store = objects.store(0).unwrap();
    let (token, third) = token();
    let mut call = objects.session.call(21).unwrap();
    let run = move |_: &mut Invocation<'_>| Ok(u64::from(Arc::strong_count(&token) > 0));
    call.put_kept(8, "callback", 32, Some(Box::new(run)), &store).unwrap();
    drop(call);
    assert!(third.upgrade().is_none());
    // With the worker, at the latest when the next one is there.
    let (kept, fourth) = keep(&store, 0);
    kept.unwrap();
    objects.crash().unwrap_err();
    assert_eq!(objects.living().unwrap(), 0);
    assert!(fourth.upgrade().is_none());
    let stale = objects.keep(&store, 0, Some(Box::new(|_| Ok(1)))).unwrap_err();
    assert_eq!(stale.kind(), ErrorKind::StaleHandle);
}

#[test]
fn a_kept_callback_is_there_until_its_object_has_gone() {
    let objects = objects();
    for drops in [false, true] {
        let store = objects.store_with(0, 3).unwrap();
        let (sender, runs) = channel();
        let run = move |invocation: &mut Invocation<'_>| {
            sender.send(invocation.get_i64(24)).unwrap();
            Ok(0)
        };
        objects.keep(&store, 0, Some(Box::new(run))).unwrap();
        if !drops {
            objects.close(&store).unwrap();
        }
        drop(store);
        assert_eq!(runs.iter().collect::<Vec<_>>(), [9], "the library calls it when it closes the store");
    }
    assert_eq!(objects.journal().unwrap(), "open0 close0 open1 close1");
}

#[test]
fn failures_of_a_kept_callback_come_out_of_the_call_that_ran_it() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    let run = |invocation: &mut Invocation<'_>| match invocation.get_i64(24) {
        3 => Err(invocation.failed("third")),
        7 => std::panic::panic_any(7),
        turn => Ok(turn as u64),
    };
    objects.keep(&store, 0, Some(Box::new(run))).unwrap();
    let error = objects.poke(Some(&store), 0..5).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::CallbackFailed, "third"));
    assert_eq!(error.executed(), Executed::Yes);
    let panic = catch_unwind(AssertUnwindSafe(|| objects.poke(Some(&store), 6..9))).unwrap_err();
    assert_eq!(*panic.downcast::<i32>().unwrap(), 7);
    assert_eq!(objects.poke(Some(&store), 8..10).unwrap(), (17, 0), "it is kept");
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn a_kept_callback_is_not_run_inside_of_itself() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    let (sender, inner) = channel();
    let run = move |invocation: &mut Invocation<'_>| {
        let view = invocation.handle(0, VIEW)?;
        let inside = Objects { session: view.session() }.poke(None, 0..2);
        sender.send(inside.map_err(|error| (error.kind(), error.message().to_owned()))).unwrap();
        Ok(5)
    };
    objects.keep(&store, 0, Some(Box::new(run))).unwrap();
    assert_eq!(objects.poke(None, 0..1).unwrap(), (5, 0));
    let (kind, message) = inner.recv().unwrap().unwrap_err();
    assert_eq!(kind, ErrorKind::CallbackFailed);
    assert!(message.contains("inside of itself"), "{message}");
    // Another one may run inside.
    let other = objects.store(0).unwrap();
    let (sender, inner) = channel();
    let run = move |invocation: &mut Invocation<'_>| {
        let view = invocation.handle(0, VIEW)?;
        sender.send(Objects { session: view.session() }.poke(None, 0..2).unwrap()).unwrap();
        Ok(5)
    };
    objects.keep(&store, 0, Some(Box::new(run))).unwrap();
    objects.keep(&other, 0, Some(Box::new(|_| Ok(2)))).unwrap();
    assert_eq!(objects.poke(Some(&store), 0..1).unwrap(), (5, 0));
    assert_eq!(inner.recv().unwrap(), (4, 0));
}

#[test]
fn a_callback_may_end_what_keeps_it() {
    let objects = objects();
    let store = Arc::new(Mutex::new(Some(objects.store(0).unwrap())));
    let (token, seen) = token();
    let closing = Arc::clone(&store);
    let run = move |invocation: &mut Invocation<'_>| -> Result<u64> {
        let (view, _token) = (invocation.handle(0, VIEW)?, &token);
        let store = closing.lock().unwrap().take().unwrap();
        Objects { session: view.session() }.close(&store)?;
        Ok(6)
    };
    objects.keep(&store.lock().unwrap().clone().unwrap(), 0, Some(Box::new(run))).unwrap();
    assert_eq!(objects.poke(None, 0..2).unwrap(), (6, 1), "it runs to its end, and is gone then");
    assert!(seen.upgrade().is_none());
}

#[test]
fn a_worker_that_lies_about_kept_callbacks_is_ended() {
    for (turn, kind) in [
        (-1, ErrorKind::InvalidReply),
        (-2, ErrorKind::InvalidReply),
        (-3, ErrorKind::ProtocolViolation),
        (-4, ErrorKind::ProtocolViolation),
    ] {
        let objects = objects();
        let store = objects.store(0).unwrap();
        let run = move |invocation: &mut Invocation<'_>| {
            assert!(invocation.opt_handle(0, VIEW)?.is_none());
            let wrong = if turn == -1 { invocation.handle(0, VIEW).map(drop) } else { Ok(()) };
            wrong.and_then(|()| invocation.handles(8, VIEW).map(|views| views.len() as u64))
        };
        objects.keep(&store, 0, Some(Box::new(run))).unwrap();
        let error = objects.poke(Some(&store), turn..turn + 1).unwrap_err();
        assert_eq!(error.kind(), kind, "{turn}: {error}");
        assert_eq!(objects.living().unwrap(), 0, "the next call works");
        assert_eq!(objects.session.generation(), 2);
    }
}
