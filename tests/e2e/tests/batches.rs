//! Batches: what each call of one gives is what it gives by itself, whatever becomes of the others.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hotcell::rt::{Batch, Handle};
use hotcell::{Cause, Error, ErrorKind, Executed, LimitExceededReason, Options, Result};
use hotcell_e2e::objects::{Collected as _, Objects, STORE};

fn objects() -> Objects {
    Objects::open(Options::default()).unwrap()
}

fn kind<T: std::fmt::Debug>(result: Result<T>, kind: ErrorKind) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    error
}

#[test]
fn entries_fail_for_themselves() {
    let objects = objects();
    let mut batch = objects.session.batch();
    let before = batch.living().unwrap();
    let first = batch.store(0).unwrap();
    let busy = batch.store(7).unwrap();
    let text = batch.bad_text().unwrap();
    let second = batch.store(0).unwrap();
    let after = batch.living().unwrap();
    let mut done = batch.run().unwrap();
    assert!(done.fault().is_none());
    assert_eq!(done.take(before).unwrap(), 0);
    let error = kind(done.take(busy), ErrorKind::LibraryError);
    assert!(matches!(error.cause(), Cause::Library { symbol: Some("STORE_BUSY"), code: 7, .. }), "{error:?}");
    assert_eq!((error.function(), error.executed()), ("open_store", Executed::Yes));
    assert!(error.call_site().is_some_and(|site| site.file().ends_with("batches.rs")));
    assert_eq!(kind(done.take(text), ErrorKind::BadEncoding).function(), "bad_text");
    let (first, second) = (done.take(first).unwrap(), done.take(second).unwrap());
    assert_ne!(first, second);
    assert!(done.take(after).unwrap() >= 3, "all were executed, in order");
    objects.close(&first).unwrap();
    objects.close(&second).unwrap();
    assert_eq!(objects.living().unwrap(), 0, "what nobody could take was released");
}

#[test]
fn what_nobody_takes_is_released() {
    let objects = objects();
    let mut batch = objects.session.batch();
    let kept = batch.store(0).unwrap();
    for _ in 0..100 {
        drop(batch.store(0).unwrap());
    }
    let mut done = batch.run().unwrap();
    let kept = done.take(kept).unwrap();
    assert_eq!(objects.living().unwrap(), 101, "the session is free while results wait");
    drop(done);
    assert_eq!(objects.living().unwrap(), 1);
    drop(kept);
    assert_eq!(objects.living().unwrap(), 0);
}

#[test]
fn what_an_entry_takes_over_is_gone_for_those_behind_it() {
    let objects = objects();
    let (store, other) = (objects.store(0).unwrap(), objects.store(0).unwrap());
    let mut batch = objects.session.batch();
    let item = batch.item(&other).unwrap();
    let closed = batch.close(&store).unwrap();
    let late = batch.item(&store).unwrap();
    let again = batch.close(&store).unwrap();
    let view = batch.view(&other).unwrap();
    let mut done = batch.run().unwrap();
    done.take(closed).unwrap();
    assert_eq!(kind(done.take(late), ErrorKind::StaleHandle).function(), "make_item");
    kind(done.take(again), ErrorKind::StaleHandle);
    assert!(done.take(view).unwrap().is_some());
    let item = done.take(item).unwrap();
    // That is known without the worker, though the last that took it over was refused.
    assert_eq!(kind(objects.item(&store), ErrorKind::StaleHandle).executed(), Executed::No);

    // Where the call fails, or is refused, the object is the caller's as before.
    let mut batch = objects.session.batch();
    let parent = batch.close(&other).unwrap();
    let failed = batch.give(&item, 5).unwrap();
    let given = batch.give(&item, 0).unwrap();
    let mut done = batch.run().unwrap();
    assert!(kind(done.take(parent), ErrorKind::InvalidArgument).message().contains("made from it"));
    kind(done.take(failed), ErrorKind::LibraryError);
    done.take(given).unwrap();
    assert_eq!(kind(objects.give(&item, None, 0), ErrorKind::StaleHandle).executed(), Executed::No);
    objects.close(&other).unwrap();
}

#[test]
fn bad_arguments_are_errors_before_anything_is_sent() {
    let (objects, others) = (objects(), objects());
    let (store, foreign) = (objects.store(0).unwrap(), others.store(0).unwrap());
    let view = objects.view(&store, 1).unwrap().unwrap();
    let mut batch = objects.session.batch();
    let first = batch.living().unwrap();
    for (result, expect) in [
        (batch.item(&foreign).map(drop), ErrorKind::UnknownHandle),
        (batch.item(&view).map(drop), ErrorKind::WrongHandleType),
        (batch.entry(1000).map(drop), ErrorKind::InvalidArgument),
        (batch.entry(17).unwrap().put_text(0, "text", "a\0b"), ErrorKind::InvalidArgument),
    ] {
        assert_eq!(kind(result, expect).executed(), Executed::No);
    }
    let twice = batch.entry(7).and_then(|mut call| {
        call.put_consumed_on_success(0, "item", &store, STORE)?;
        call.put_handle(8, "to", &store, STORE)
    });
    kind(twice, ErrorKind::InvalidArgument);
    let last = batch.living().unwrap();
    assert_eq!(batch.len(), 2, "what was not added leaves no trace");
    let mut done = batch.run().unwrap();
    assert_eq!((done.take(first).unwrap(), done.take(last).unwrap()), (1, 1));
}

#[test]
fn a_crash_is_the_error_of_the_entry_that_crashed() {
    let objects = objects();
    let mut batch = objects.session.batch();
    let before = batch.living().unwrap();
    let crash = batch.crash().unwrap();
    let after = batch.store(0).unwrap();
    let mut done = batch.run().unwrap();
    assert_eq!(done.fault().map(Error::kind), Some(ErrorKind::Crashed));
    let error = kind(done.take(crash), ErrorKind::Crashed);
    assert_eq!((error.function(), error.executed()), ("crash", Executed::Maybe));
    assert!(matches!(error.cause(), Cause::Signal { .. }), "{error:?}");
    for error in [done.take(before).map(drop), done.take(after).map(drop)] {
        let error = kind(error, ErrorKind::WorkerLost);
        assert_eq!(error.executed(), Executed::Maybe);
        assert!(error.message().contains("entry 1, `crash`"), "{error}");
    }
    assert_eq!(objects.living().unwrap(), 0);
    assert_eq!(objects.session.generation(), 2);
}

#[test]
fn one_deadline_is_for_all() {
    let objects = objects();
    let mut batch = objects.session.within(Duration::from_secs(2)).batch();
    let before = batch.living().unwrap();
    let long = batch.wait_for(60_000).unwrap();
    let mut done = batch.run().unwrap();
    let error = kind(done.take(long), ErrorKind::Hung);
    assert_eq!(error.function(), "wait_for");
    assert!(matches!(error.cause(), Cause::Deadline { .. }));
    assert!(kind(done.take(before), ErrorKind::WorkerLost).message().contains("`wait_for`"));

    // Without another, it is the longest that an entry has by itself: the default, or its function's own.
    for (default, expect) in [(1, 500), (800, 800)] {
        let deadline = Duration::from_millis(default);
        let objects = Objects::open(Options { deadline, ..Options::default() }).unwrap();
        let store = objects.session.within(Duration::from_secs(60)).batch();
        let store = opened(store);
        let mut batch = objects.session.batch();
        let closed = batch.close(&store).unwrap();
        let long = batch.wait_for(60_000).unwrap();
        let mut done = batch.run().unwrap();
        assert_eq!(done.fault().unwrap().cause(), &Cause::Deadline { after: Duration::from_millis(expect) });
        drop((done.take(closed), done.take(long)));
    }

    // Of a batch of one, the entry is known whatever the worker has come to say.
    let mut batch = objects.session.within(Duration::from_millis(1)).batch();
    let wait = batch.wait_for(60_000).unwrap();
    match batch.run() {
        Ok(mut done) => drop(kind(done.take(wait), ErrorKind::Hung)),
        Err(error) => assert_eq!(error.executed(), Executed::No, "{error}"),
    }
}

/// A store that is opened by a batch.
fn opened(mut batch: Batch) -> Handle {
    let store = batch.store(0).unwrap();
    batch.run().unwrap().take(store).unwrap()
}

#[test]
fn a_lie_of_the_library_costs_the_worker_and_what_comes_after_it() {
    let objects = objects();
    let mut batch = objects.session.batch();
    let before = batch.offset(3, 5).unwrap();
    let lie = batch.offset(6, 5).unwrap();
    let after = batch.offset(2, 5).unwrap();
    let mut done = batch.run().unwrap();
    assert_eq!(done.take(before).unwrap(), Some(3), "what was judged stands");
    kind(done.take(lie), ErrorKind::InvalidReply);
    assert!(kind(done.take(after), ErrorKind::WorkerLost).message().contains("entry 1, `echo`"));
    assert_eq!(done.fault().map(Error::kind), Some(ErrorKind::InvalidReply));
    assert_eq!(objects.living().unwrap(), 0);
}

#[test]
fn an_object_that_goes_between_put_and_run_fails_its_entry_alone() {
    let objects = objects();
    let (store, other) = (objects.store(0).unwrap(), objects.store(0).unwrap());
    let mut batch = objects.session.batch();
    let first = batch.living().unwrap();
    let gone = batch.item(&store).unwrap();
    let item = batch.item(&other).unwrap();
    let last = batch.living().unwrap();
    objects.close(&store).unwrap();
    let mut done = batch.run().unwrap();
    assert_eq!(done.take(first).unwrap(), 1);
    assert_eq!(kind(done.take(gone), ErrorKind::StaleHandle).executed(), Executed::No);
    drop(done.take(item).unwrap());
    assert_eq!(done.take(last).unwrap(), 2);

    // The whole worker may be another.
    let mut batch = objects.session.batch();
    let stale = batch.item(&other).unwrap();
    let living = batch.living().unwrap();
    objects.crash().unwrap_err();
    let mut done = batch.run().unwrap();
    kind(done.take(stale), ErrorKind::StaleHandle);
    assert_eq!(done.take(living).unwrap(), 0);
}

#[test]
fn a_ticket_belongs_to_its_batch() {
    let objects = objects();
    let mut one = objects.session.batch();
    let ticket = one.living().unwrap();
    let mut other = objects.session.batch();
    let own = other.living().unwrap();
    let mut done = other.run().unwrap();
    assert_eq!(kind(done.take(ticket), ErrorKind::InvalidArgument).executed(), Executed::No);
    assert_eq!(done.take(own).unwrap(), 0);
}

#[test]
fn nothing_is_sent_of_an_empty_batch_or_one_that_is_dropped() {
    let objects = objects();
    let mut batch = objects.session.batch();
    assert!(batch.is_empty());
    batch.crash().map(drop).unwrap();
    drop(batch);
    let done = objects.session.batch().run().unwrap();
    assert!(done.fault().is_none());
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn limits_are_errors_and_leave_the_batch_as_it_was() {
    let options = Options { max_input: 1 << 20, max_output: 3 << 20, ..Options::default() };
    let objects = Objects::open(options).unwrap();
    let mut batch = objects.session.batch();
    let put = |batch: &mut Batch, bytes: usize| {
        let mut call = batch.entry(17)?;
        call.put_texts(0, "texts", &["x".repeat(bytes)])?;
        Ok(call.values(|reply| reply.get_i64(0)))
    };
    for _ in 0..4 {
        let mut forgotten = batch.entry(17).unwrap();
        forgotten.put_texts(0, "texts", &["x".repeat(1 << 19)]).unwrap();
    }
    let first = put(&mut batch, 1 << 19).unwrap();
    let error = kind(put(&mut batch, 1 << 20).map(drop), ErrorKind::LimitExceeded);
    assert!(
        matches!(error.cause(), Cause::Limit { what: LimitExceededReason::Memory, value } if *value == 1 << 20)
    );
    let mut done = batch.run().unwrap();
    assert_eq!(done.take(first).unwrap(), (1 << 19) + 1);

    let mut batch = objects.session.batch();
    let mut last = None;
    for _ in 0..hotcell_protocol::wire::MAX_BATCH {
        last = Some(batch.living().unwrap());
    }
    let error = kind(batch.living().map(drop), ErrorKind::LimitExceeded);
    assert!(matches!(error.cause(), Cause::Limit { what: LimitExceededReason::Entries, .. }), "{error}");
    let mut done = batch.run().unwrap();
    assert_eq!(done.take(last.unwrap()).unwrap(), 0);

    // What is allowed is the data; what an entry is made of besides does not count.
    let small = Objects::open(Options { max_input: 100, ..Options::default() }).unwrap();
    let mut batch = small.session.batch();
    let tickets: Vec<_> = (0..1000).map(|_| batch.offset(3, 3).unwrap()).collect();
    let mut done = batch.run().unwrap();
    assert!(tickets.into_iter().all(|ticket| done.take(ticket).unwrap() == Some(3)));

    // The replies alone may be more than a call may return: then nothing is executed.
    let small = Objects::open(Options { max_output: 1 << 20, ..Options::default() }).unwrap();
    let mut batch = small.session.batch();
    for _ in 0..hotcell_protocol::wire::MAX_BATCH {
        drop(batch.store(0).unwrap());
    }
    let error = kind(batch.run().map(drop), ErrorKind::LimitExceeded);
    assert!(matches!(error.cause(), Cause::Limit { what: LimitExceededReason::Output, .. }), "{error}");
    assert_eq!(small.living().unwrap(), 0);
}

#[test]
fn a_batch_returns_no_more_than_a_call_may() {
    let objects = Objects::open(Options { max_output: 1 << 20, ..Options::default() }).unwrap();
    let mut batch = objects.session.batch();
    let tickets: Vec<_> = (0..8)
        .map(|_| {
            let mut call = batch.entry(26).unwrap();
            call.put_i64(0, 300_000);
            call.read(|reply| reply.buffer(0).map(|data| data.len()))
        })
        .collect();
    let mut done = batch.run().unwrap();
    for (number, ticket) in tickets.into_iter().enumerate() {
        match number {
            0..3 => assert_eq!(done.take(ticket).unwrap(), 300_000),
            _ => drop(kind(done.take(ticket), ErrorKind::LimitExceeded)),
        }
    }
    assert_eq!(objects.living().unwrap(), 0, "what nobody took is released, however long the results are");
}

#[test]
fn callbacks_that_the_library_keeps_run_in_batches_and_may_run_batches() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (noted, session) = (Arc::clone(&seen), objects.session.clone());
    let callback = move |invocation: &mut hotcell::rt::Invocation<'_>| {
        let mut batch = session.batch();
        let (living, other) = (batch.living()?, batch.offset(4, 4)?);
        let mut done = batch.run()?;
        noted.lock().unwrap().push((done.take(living)?, done.take(other)?));
        let _ = invocation.get_i64(24);
        Ok(10)
    };
    objects.keep(&store, 0, Some(Box::new(callback))).unwrap();
    let mut batch = objects.session.batch();
    let first = batch.poke(&store).unwrap();
    let between = batch.offset(1, 4).unwrap();
    let second = batch.poke(&store).unwrap();
    let mut done = batch.run().unwrap();
    assert_eq!(done.take(first).unwrap(), (20, 0));
    assert_eq!(done.take(between).unwrap(), Some(1));
    assert_eq!(done.take(second).unwrap(), (20, 0));
    assert_eq!(*seen.lock().unwrap(), vec![(1, Some(4)); 4]);
}

#[test]
fn a_panic_in_a_kept_callback_comes_out_of_the_batch() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    objects.keep(&store, 0, Some(Box::new(|_| panic!("as it is")))).unwrap();
    let mut batch = objects.session.batch();
    drop(batch.poke(&store).unwrap());
    drop(batch.crash().unwrap());
    let run = std::panic::AssertUnwindSafe(|| batch.run().map(drop));
    let panic = std::panic::catch_unwind(run).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"as it is"), "though the worker met its end");
    assert_eq!(objects.living().unwrap(), 0);
}

#[test]
fn a_crash_after_a_batch_inside_is_that_of_the_entry_around() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    let session = objects.session.clone();
    let inner = move |_: &mut hotcell::rt::Invocation<'_>| {
        let mut batch = session.batch();
        let tickets: Vec<_> = (0..9).map(|_| batch.living()).collect::<Result<_>>()?;
        let mut done = batch.run()?;
        tickets.into_iter().try_for_each(|ticket| done.take(ticket).map(drop))?;
        Ok(10)
    };
    objects.keep(&store, 0, Some(Box::new(inner))).unwrap();
    let mut batch = objects.session.within(Duration::from_secs(60)).batch();
    let first = batch.living().unwrap();
    let poke = batch.poke(&store).unwrap();
    let crash = batch.crash().unwrap();
    let mut done = batch.run().unwrap();
    assert_eq!(kind(done.take(crash), ErrorKind::Crashed).function(), "crash");
    kind(done.take(poke), ErrorKind::WorkerLost);
    assert!(kind(done.take(first), ErrorKind::WorkerLost).message().contains("entry 2, `crash`"));
}

#[test]
fn a_kept_callback_that_fails_ends_the_batch_with_its_error() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    let failed =
        |invocation: &mut hotcell::rt::Invocation<'_>| invocation.answer(Err("no".into())).map(|()| 0);
    objects.keep(&store, 0, Some(Box::new(failed))).unwrap();
    let mut batch = objects.session.batch();
    drop(batch.store(0).unwrap());
    drop(batch.poke(&store).unwrap());
    drop(batch.store(0).unwrap());
    let error = kind(batch.run().map(drop), ErrorKind::CallbackFailed);
    assert!(error.message().contains("no"), "{error}");
    assert_eq!(objects.living().unwrap(), 1, "the results were released");
}
