//! Objects of a library: checked before they are sent, released from the leaves, gone with their worker.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::sync::mpsc::channel;
use std::time::Duration;

use hotcell::{Cause, Error, ErrorKind, Executed, LimitExceededReason, Options};
use hotcell_e2e::objects::{Objects, Stream};

fn objects() -> Objects {
    Objects::open(Options::default()).unwrap()
}

fn refused<T: std::fmt::Debug>(result: hotcell::Result<T>, kind: ErrorKind, text: &str) -> Error {
    let error = result.expect_err(text);
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.message().contains(text), "{error}");
    error
}

/// Refused by the host: nothing was sent.
fn not_sent<T: std::fmt::Debug>(result: hotcell::Result<T>, kind: ErrorKind, text: &str) -> Error {
    let error = refused(result, kind, text);
    assert_eq!(error.executed(), Executed::No, "{error}");
    error
}

#[test]
fn objects_are_released_from_the_leaves_in_whatever_order_they_are_dropped() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    let (first, second) = (objects.item(&store).unwrap(), objects.item(&store).unwrap());
    drop(store.clone());
    assert_eq!(objects.journal().unwrap(), "open0 item0 item1");
    drop(store);
    assert_eq!(objects.journal().unwrap(), "", "its items keep it");
    drop(first);
    assert_eq!(objects.journal().unwrap(), "free0");
    drop(second);
    assert_eq!(objects.journal().unwrap(), "free1 close0");
}

#[test]
fn the_most_objects_can_be_said() {
    let objects = Objects::open(Options { max_objects: 3, ..Options::default() }).unwrap();
    let mut stores: Vec<_> = (0..3).map(|_| objects.store(0).unwrap()).collect();
    let error = refused(objects.store(0), ErrorKind::LimitExceeded, "holds 3 objects already");
    assert_eq!(error.cause(), &Cause::Limit { what: LimitExceededReason::Handles, value: 3 });
    assert_eq!(objects.journal().unwrap(), "open0 open1 open2 open3", "the library was not asked first");
    drop(stores.pop());
    stores.push(objects.store(0).unwrap());
    refused(objects.store(0), ErrorKind::LimitExceeded, "holds 3 objects already");
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn an_object_is_released_once() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    let clone = store.clone();
    assert_eq!(store, clone);
    objects.close(&store).unwrap();
    let error = not_sent(objects.close(&store), ErrorKind::StaleHandle, "`store` was released");
    assert!(
        matches!(error.cause(), Cause::Handle { given: Some("store"), made: 1, serving: 1, .. }),
        "{error:?}"
    );
    not_sent(objects.item(&clone), ErrorKind::StaleHandle, "`store` was released");
    drop((store, clone));
    assert_eq!(objects.journal().unwrap(), "open0 close0");
}

#[test]
fn what_was_lent_goes_with_its_owner() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    let view = objects.view(&store, 1).unwrap().unwrap();
    assert_eq!(objects.view(&store, 1).unwrap().unwrap(), view, "the same object is the same handle");
    let other = objects.view(&store, 2).unwrap().unwrap();
    assert_eq!(HashSet::from([&view, &other, &view]).len(), 2);
    assert!(objects.view(&store, -1).unwrap().is_none());
    objects.use_view(&view).unwrap();
    objects.change(&store).unwrap();
    let error = refused(objects.use_view(&view), ErrorKind::StaleHandle, "`view`");
    assert_eq!(error.executed(), Executed::Maybe, "only the worker knows");
    let view = objects.view(&store, 1).unwrap().unwrap();
    objects.use_view(&view).unwrap();
    objects.close(&store).unwrap();
    not_sent(objects.use_view(&view), ErrorKind::StaleHandle, "belongs to was released");
    drop(view);
    assert_eq!(objects.journal().unwrap(), "open0 close0");
}

#[test]
fn a_view_keeps_its_store() {
    let objects = objects();
    let view = objects.view(&objects.store(0).unwrap(), 1).unwrap().unwrap();
    objects.use_view(&view).unwrap();
    assert_eq!(objects.journal().unwrap(), "open0");
    drop(view);
    assert_eq!(objects.journal().unwrap(), "close0");
}

#[test]
fn an_owner_does_not_go_before_its_children() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    let item = objects.item(&store).unwrap();
    refused(objects.close(&store), ErrorKind::InvalidArgument, "`store` cannot go while objects");
    let another = objects.item(&store).unwrap();
    objects.free(&item).unwrap();
    objects.free(&another).unwrap();
    objects.close(&store).unwrap();
    assert_eq!(objects.journal().unwrap(), "open0 item0 item1 free0 free1 close0");
}

#[test]
fn what_cannot_be_passed_is_not_sent() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    let (item, view) = (objects.item(&store).unwrap(), objects.view(&store, 0).unwrap().unwrap());
    let error = not_sent(objects.use_view(&item), ErrorKind::WrongHandleType, "takes a view, not a item");
    assert!(matches!(error.cause(), Cause::Handle { given: Some("item"), wanted: Some("view"), .. }));
    assert_eq!(error.to_json()["cause"]["wanted"], "view");
    let others = self::objects();
    let other = others.store(0).unwrap();
    not_sent(objects.item(&other), ErrorKind::UnknownHandle, "another session");
    not_sent(objects.give(&item, Some(&other), 0), ErrorKind::UnknownHandle, "another session");
    assert_ne!(other, store);
    // What the call would take over is passed twice, or is what the other belongs to.
    not_sent(objects.give(&view, None, 0), ErrorKind::WrongHandleType, "takes a item");
    let mut call = objects.session.call(7).unwrap();
    call.put_handle(8, "to", &store, 1).unwrap();
    call.put_handle(16, "item", &item, 2).unwrap();
    let twice = call.put_consumed(0, "item", &item, 2);
    drop(call);
    not_sent(twice, ErrorKind::InvalidArgument, "passed twice");
    let mut call = objects.session.call(7).unwrap();
    call.put_consumed(0, "store", &store, 1).unwrap();
    let below = call.put_handle(8, "item", &item, 2);
    drop(call);
    not_sent(below, ErrorKind::InvalidArgument, "belongs to it");
    // None of it cost anything.
    objects.use_view(&view).unwrap();
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn what_is_lent_is_not_given_away() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    let view = objects.view(&store, 0).unwrap().unwrap();
    let mut call = objects.session.call(3).unwrap();
    let lent = call.put_consumed(0, "item", &view, 3);
    drop(call);
    not_sent(lent, ErrorKind::InvalidArgument, "only lent");
}

#[test]
fn an_object_is_given_away_on_success_alone() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    let (given, kept) = (objects.item(&store).unwrap(), objects.item(&store).unwrap());
    refused(objects.give(&kept, Some(&store), 5), ErrorKind::LibraryError, "code 5");
    objects.give(&given, Some(&store), 0).unwrap();
    not_sent(objects.free(&given), ErrorKind::StaleHandle, "released");
    drop((given, kept));
    assert_eq!(objects.journal().unwrap(), "open0 item0 item1 give0 free1");
}

#[test]
fn a_failed_open_leaves_nothing() {
    let objects = objects();
    let error = refused(objects.store(7), ErrorKind::LibraryError, "STORE_BUSY (code 7)");
    assert_eq!(error.symbol(), Some("STORE_BUSY"));
    assert_eq!(error.to_json()["cause"]["symbol"], "STORE_BUSY");
    let error = refused(objects.store(8), ErrorKind::LibraryError, "code 8");
    assert_eq!((error.symbol(), error.message()), (None, "code 8"));
    assert_eq!(objects.journal().unwrap(), "open0 close0 open1 close1");
}

#[test]
fn what_is_not_taken_out_of_a_reply_is_released() {
    let objects = objects();
    refused(objects.bad_text(), ErrorKind::BadEncoding, "UTF-8");
    assert_eq!(objects.journal().unwrap(), "open0 close0");
    let mut call = objects.session.call(0).unwrap();
    call.put_i32(0, 0);
    drop(call.finish().unwrap());
    assert_eq!(objects.journal().unwrap(), "open1 close1");
}

#[test]
fn objects_go_with_their_worker() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    let item = objects.item(&store).unwrap();
    assert_eq!(objects.crash().unwrap_err().kind(), ErrorKind::Crashed);
    let error = not_sent(objects.free(&item), ErrorKind::StaleHandle, "made by worker 1");
    assert!(matches!(error.cause(), Cause::Handle { made: 1, serving: 2, .. }), "{error:?}");
    let new = objects.store(0).unwrap();
    drop((item, store));
    drop(new);
    assert_eq!(objects.journal().unwrap(), "open0 close0", "nothing of the first worker was released here");
    assert_eq!(objects.session.generation(), 2);
}

#[test]
fn handles_outlive_the_value_they_were_opened_with() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    drop(objects);
    let again = Objects { session: store.session() };
    let item = again.item(&store).unwrap();
    drop(again);
    assert!(Objects { session: item.session() }.journal().unwrap().ends_with("item0"));
}

#[test]
fn a_deadline_goes_along_with_a_handle() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    let hurried = store.within(Duration::from_millis(100));
    assert_eq!(hurried, store);
    let error = Objects { session: hurried.session() }.wait(60_000).unwrap_err();
    assert_eq!(error.cause(), &Cause::Deadline { after: Duration::from_millis(100) });
}

#[test]
fn dropping_does_not_wait_for_other_calls() {
    let objects = objects();
    let mut items: Vec<_> = {
        let store = objects.store(0).unwrap();
        (0..100).map(|_| objects.item(&store).unwrap()).collect()
    };
    objects.journal().unwrap();
    let ((calls, called), (drops, dropped)) = (channel(), channel());
    let caller = objects.clone();
    std::thread::scope(|scope| {
        let calling = scope.spawn(move || {
            caller.each(1, 0, &mut |_| {
                calls.send(()).unwrap();
                dropped.recv().unwrap();
                Ok(1)
            })
        });
        called.recv().unwrap();
        let threads = [60, 40, 20, 0].map(|rest| {
            let some = items.split_off(rest);
            scope.spawn(move || drop(some))
        });
        // Had one of them waited for the call, the call would now wait for it, until its deadline.
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        drops.send(()).unwrap();
        assert_eq!(calling.join().unwrap().unwrap(), (1, 0));
    });
    // Whoever gave the turn back released them: no further call was needed.
    let journal = objects.journal().unwrap();
    assert_eq!(journal.matches("free").count(), 100, "{journal}");
    assert!(journal.find("close0") > journal.rfind("free"), "{journal}");
}

#[test]
fn many_threads_make_and_drop() {
    let objects = objects();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let store = objects.store(0).unwrap();
                    let item = objects.item(&store).unwrap();
                    let view = objects.view(&store, 0).unwrap().unwrap();
                    drop(store);
                    objects.use_view(&view).unwrap();
                    drop((item, view));
                }
            });
        }
    });
    // None was forgotten.
    assert_eq!(objects.living().unwrap(), 0);
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn a_worker_that_makes_handles_up_is_ended() {
    for raw in [5u64, 2 << 48 | 1 << 24, 1 << 48] {
        let objects = objects();
        let error = objects.made_up(raw).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ProtocolViolation, "{raw:#x}: {error}");
    }
    let objects = objects();
    let error = objects.made_up(0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidReply, "{error}");
    // Of a type and generation that may be: the worker is asked, and knows better. Its release is nobody's error.
    let forged = objects.made_up(1 << 48 | 1 << 24 | 70_000).unwrap();
    refused(objects.item(&forged), ErrorKind::UnknownHandle, "`store`");
    drop(forged);
    assert_eq!(objects.journal().unwrap(), "");
    // What comes out as new while somebody has it would be released twice.
    let first = objects.made_up(1 << 48 | 1 << 24 | 70_000).unwrap();
    let error = objects.made_up(1 << 48 | 1 << 24 | 70_000).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ProtocolViolation, "{error}");
    drop(first);
}

#[test]
fn a_table_that_is_full_is_a_limit() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    let last = objects.lend_many(&store, (1 << 20) - 1).unwrap();
    objects.use_view(&last).unwrap();
    let error = objects.lend_many(&store, 1 << 20).unwrap_err();
    assert_eq!(error.cause(), &Cause::Limit { what: LimitExceededReason::Handles, value: 1 << 20 });
    objects.change(&store).unwrap();
    objects.lend_many(&store, 1).unwrap();
}

#[test]
fn a_release_that_crashes_or_hangs_is_nobodys_error() {
    for temper in [1, 2] {
        let objects = objects();
        let store = objects.store_with(0, temper).unwrap();
        let other = objects.store(0).unwrap();
        // It is the drop's, and the worker's.
        drop(store);
        assert_eq!(objects.journal().unwrap(), "");
        assert_eq!(objects.session.generation(), 2);
        not_sent(objects.item(&other), ErrorKind::StaleHandle, "made by worker 1");
        // And not that of a call that ended just before.
        let mut store = Some(objects.store_with(0, temper).unwrap());
        let counted = objects.each(1, 0, &mut |_| {
            store = None;
            Ok(1)
        });
        assert_eq!(counted.unwrap(), (1, 0));
        assert_eq!(objects.session.worker_pid(), None, "it was sent when the turn was given back");
        assert_eq!(objects.journal().unwrap(), "");
        assert_eq!(objects.session.generation(), 3);
    }
}

#[test]
fn a_structure_stays_behind_its_handle() {
    let objects = objects();
    let mut stream = Stream { data: b"abcdefgh".to_vec(), ..Stream::default() };
    objects.advance(&mut stream, 0).unwrap();
    assert_eq!((stream.total, stream.data.as_slice()), (8, b"h".as_slice()));
    let handle = stream.handle.clone().unwrap();
    assert!(handle.is_owned() && handle.type_name() == "stream", "{handle:?}");
    objects.advance(&mut stream, 0).unwrap();
    assert_eq!((stream.total, stream.handle.as_ref()), (9, Some(&handle)));
    // A failure leaves the object with its owner.
    refused(objects.advance(&mut stream, 3), ErrorKind::LibraryError, "code 3");
    objects.advance(&mut stream, 0).unwrap();
    objects.end(&mut stream).unwrap();
    stream.handle = Some(handle);
    not_sent(objects.advance(&mut stream, 0), ErrorKind::StaleHandle, "released");
    assert_eq!(objects.journal().unwrap(), "stream0 end0");
    // What a failed call made is released, and what is dropped, too.
    refused(objects.advance(&mut Stream::default(), 3), ErrorKind::LibraryError, "code 3");
    assert_eq!(objects.journal().unwrap(), "stream0 end0");
    objects.advance(&mut Stream::default(), 0).unwrap();
    assert_eq!(objects.journal().unwrap(), "stream0 end0");
    let mut stream = Stream { data: vec![0; 13], ..Stream::default() };
    refused(objects.advance(&mut stream, 0), ErrorKind::InvalidReply, "further than its argument");
}
