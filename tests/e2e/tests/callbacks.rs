//! Callbacks: run on the thread that waits, with arguments that are checked, whatever they do themselves.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use hotcell::{Cause, ErrorKind, Executed, LimitExceededReason, Options};
use hotcell_e2e::objects::{Objects, VIEW};
use hotcell_e2e::process::{alive, wait_until};
use hotcell_protocol::wire;

fn objects() -> Objects {
    Objects::open(Options::default()).unwrap()
}

#[test]
fn a_callback_sees_its_arguments_and_answers() {
    let objects = objects();
    let here = std::thread::current().id();
    let mut seen = Vec::new();
    let (sum, failed) = objects
        .each(3, 5, &mut |invocation| {
            assert_eq!(std::thread::current().id(), here);
            assert_eq!(invocation.text(8)?, "row");
            assert_eq!(invocation.opt_text_bytes(8)?, Some(b"row".to_vec()));
            assert_eq!(invocation.opt_texts(24)?, [Some("first".to_owned()), None]);
            assert_eq!(invocation.buffer(40)?, b"xxxxx");
            seen.push(invocation.get_i64(0));
            Ok((invocation.get_i64(0) * 10) as u64)
        })
        .unwrap();
    assert_eq!((sum, failed, seen), (30, 0, vec![0, 1, 2]));
    assert_eq!(objects.each_without(2).unwrap(), (0, 2));
    objects.each(1, 0, &mut |_| Ok(u64::MAX)).unwrap();
}

#[test]
fn a_text_that_must_not_be_null_is_a_lie() {
    let objects = objects();
    let error = objects.each(1, 0, &mut |invocation| invocation.texts(24).map(|_| 0)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidReply, "{error}");
}

#[test]
fn arguments_may_be_larger_than_a_slot() {
    let objects = objects();
    for fill in [2_000, 3 << 20, 100, 9 << 20, 3 << 20] {
        let mut bytes = 0;
        let counted = objects.each(5, fill, &mut |invocation| {
            bytes += invocation.buffer(40)?.len() as u64;
            Ok(1)
        });
        assert_eq!(counted.unwrap(), (5, 0));
        assert_eq!(bytes, 5 * fill);
    }
    // The limit is for each callback, not for all of them together.
    let objects = Objects::open(Options { max_output: 4 << 20, ..Options::default() }).unwrap();
    let counted = objects.each(20, 1 << 20, &mut |invocation| invocation.buffer(40).map(|_| 1));
    assert_eq!(counted.unwrap(), (20, 0));
    let error = objects.each(20, 8 << 20, &mut |_| Ok(1)).unwrap_err();
    assert!(matches!(error.cause(), Cause::Limit { what: LimitExceededReason::Output, .. }), "{error}");
    let mut twice = |invocation: &mut hotcell::rt::Invocation<'_>| {
        (0..5).try_for_each(|_| invocation.buffer(40).map(drop)).map(|()| 1)
    };
    let error = objects.each(1, 1 << 20, &mut twice).unwrap_err();
    assert!(matches!(error.cause(), Cause::Limit { what: LimitExceededReason::Output, .. }), "{error}");
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn a_panic_comes_out_unchanged_when_the_library_has_returned() {
    let objects = objects();
    let mut runs = 0;
    let panic = catch_unwind(AssertUnwindSafe(|| {
        objects.each(10, 0, &mut |_| {
            runs += 1;
            if runs == 3 { std::panic::panic_any(String::from("mine")) } else { Ok(1) }
        })
    }));
    assert_eq!(*panic.unwrap_err().downcast::<String>().unwrap(), "mine");
    assert_eq!(runs, 3, "nothing is run behind it");
    // The library came to its end; what it gave was released; the worker serves on.
    assert_eq!(objects.journal().unwrap(), "open0 close0");
    assert_eq!(objects.session.generation(), 1);
    assert_eq!(objects.each(2, 0, &mut |_| Ok(1)).unwrap(), (2, 0));
}

#[test]
fn an_error_of_a_callback_is_that_of_the_call() {
    let objects = objects();
    let mut runs = 0;
    let error = objects
        .each(10, 0, &mut |invocation| {
            runs += 1;
            Err(invocation.failed("the disk is full"))
        })
        .unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::CallbackFailed, "the disk is full"));
    assert_eq!((error.executed(), runs), (Executed::Yes, 1));
    assert_eq!(objects.journal().unwrap(), "open0 close0");
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn what_a_callback_drops_is_released_behind_the_call() {
    let objects = objects();
    let mut store = Some(objects.store(0).unwrap());
    objects
        .each(1, 0, &mut |_| {
            store = None;
            Ok(1)
        })
        .unwrap();
    assert_eq!(objects.journal().unwrap(), "open0 open1 close0 close1");
}

#[test]
fn deadlines_hold_through_callbacks() {
    let objects = objects();
    let hurried = Objects { session: objects.session.within(Duration::from_millis(200)) };
    let pid = objects.session.worker_pid().unwrap();
    let mut runs = 0;
    let error = hurried
        .each(1_000_000, 0, &mut |_| {
            runs += 1;
            std::thread::sleep(Duration::from_millis(50));
            Ok(1)
        })
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Hung, "{error}");
    assert!(runs >= 1);
    wait_until("the worker lives on", || !alive(pid));
    assert_eq!(objects.each(2, 0, &mut |_| Ok(1)).unwrap(), (2, 0));
    // A panic is the application's own, whatever became of the worker.
    let panic = catch_unwind(AssertUnwindSafe(|| {
        hurried.each(3, 0, &mut |_| {
            std::thread::sleep(Duration::from_millis(300));
            panic!("late")
        })
    }));
    assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "late");
}

#[test]
fn callbacks_are_counted() {
    let objects = Objects::open(Options { max_callbacks: 100, ..Options::default() }).unwrap();
    assert_eq!(objects.each(100, 0, &mut |_| Ok(1)).unwrap(), (100, 0));
    let error = objects.each(101, 0, &mut |_| Ok(1)).unwrap_err();
    assert_eq!(error.cause(), &Cause::Limit { what: LimitExceededReason::Callbacks, value: 100 });
    assert_eq!(objects.each(100, 0, &mut |_| Ok(1)).unwrap(), (100, 0));
    assert_eq!(objects.session.generation(), 2);
    let error = objects.lie(11, &mut |_| Ok(0)).unwrap_err();
    assert_eq!(error.cause(), &Cause::Limit { what: LimitExceededReason::Callbacks, value: 100 });
}

#[test]
fn a_worker_that_lies_about_callbacks_is_ended() {
    for how in 0..=10 {
        let objects = objects();
        let mut runs = 0;
        let error = objects
            .lie(how, &mut |invocation| {
                runs += 1;
                invocation.opt_text(8)?;
                invocation.opt_texts(24)?;
                Ok(0)
            })
            .unwrap_err();
        let (kind, reached) = match how {
            0..=6 => (ErrorKind::ProtocolViolation, 0),
            7 | 9 => (ErrorKind::ProtocolViolation, 1),
            8 => (ErrorKind::InvalidReply, 1),
            _ => (ErrorKind::BadEncoding, 1),
        };
        assert_eq!((error.kind(), runs), (kind, reached), "{how}: {error}");
        assert_eq!(objects.journal().unwrap(), "", "the next call works");
        assert_eq!(objects.session.generation(), if how == 10 { 1 } else { 2 });
    }
}

#[test]
fn a_refusal_in_the_middle_of_a_call_leaves_the_librarys_memory_alone() {
    let objects = objects();
    let error = objects.lie(12, &mut |_| Ok(0)).unwrap_err();
    assert_eq!(error.cause(), &Cause::Limit { what: LimitExceededReason::Output, value: 1 << 30 });
    assert_eq!(objects.journal().unwrap(), "whole0");
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn more_objects_than_there_can_be_are_not_taken() {
    let objects = objects();
    let error =
        objects.lie(13, &mut |invocation| Ok(invocation.handles(24, VIEW)?.len() as u64)).unwrap_err();
    let value = u64::from(wire::MAX_HANDLES);
    assert_eq!(error.cause(), &Cause::Limit { what: LimitExceededReason::Handles, value });
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn structures_and_texts_go_there_and_back() {
    let objects = objects();
    let turned = objects.turn_round(21, "hello", b"abc", [1, 2, 3]).unwrap();
    assert_eq!(turned, (42, 2.5, "out".to_owned(), b"cba".to_vec(), [3, 2, 1]));
    let error = objects.turn_round(1, "four", b"", [0; 3]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ProtocolViolation, "{error}");
    let error = objects.turn_round(1, "a\0b", b"", [0; 3]).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::InvalidArgument, Executed::No));
    assert_eq!(objects.measure(&[]).unwrap(), 0);
    assert_eq!(objects.measure(&["", "ab", "ü"]).unwrap(), 1 + 3 + 3);
    let many: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(objects.measure(&many).unwrap(), many.iter().map(|text| text.len() as i64 + 1).sum::<i64>());
    assert_eq!(objects.offset(-1, 10).unwrap(), None);
    assert_eq!(objects.offset(10, 10).unwrap(), Some(10));
    for claim in [11, -2, i64::MIN, i64::MAX] {
        assert_eq!(objects.offset(claim, 10).unwrap_err().kind(), ErrorKind::InvalidReply);
    }
}
