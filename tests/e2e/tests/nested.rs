//! Calls from callbacks: in the library that calls back, on the same thread, within the time and the end of the outer call.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use hotcell::rt::Invocation;
use hotcell::{Cause, Error, ErrorKind, Executed, LimitExceededReason, Options};
use hotcell_e2e::objects::Objects;
use hotcell_e2e::process::{alive, wait_until};

fn objects() -> Objects {
    Objects::open(Options::default()).unwrap()
}

#[test]
fn a_callback_may_call_the_library() {
    let objects = objects();
    let store = objects.store(0).unwrap();
    let mut items = Vec::new();
    let counted = objects.each(3, 5, &mut |invocation| {
        items.push(objects.item(&store)?);
        assert_eq!(objects.store(7).unwrap_err().kind(), ErrorKind::LibraryError);
        // The arguments are there before a nested call and behind it.
        assert_eq!(invocation.text(8)?, "row");
        assert_eq!(objects.measure(&["abc"])?, 4);
        assert_eq!(invocation.buffer(40)?, b"xxxxx");
        Ok(objects.living()? as u64)
    });
    // What a callback drops is released behind the outer call.
    assert_eq!(counted.unwrap(), (3 + 5 + 7, 0));
    assert_eq!(
        objects.journal().unwrap(),
        "open0 item0 open1 item1 open2 item2 open3 open4 close1 close2 close3 close4"
    );
    items.into_iter().for_each(drop);
    drop(store);
    assert_eq!(objects.journal().unwrap(), "free0 free1 free2 close0");
    assert_eq!(objects.session.generation(), 1);
}

/// Calls back within calls back; what the innermost call says.
fn deep(objects: &Objects, depth: u32) -> Result<i64, Error> {
    let inside = |invocation: &mut Invocation<'_>| {
        let fill = invocation.buffer(40)?.len();
        let sum = if depth == 0 { objects.measure(&["x"])? } else { deep(objects, depth - 1)? };
        assert_eq!(invocation.buffer(40)?.len(), fill);
        assert_eq!(invocation.text(8)?, "row");
        Ok(sum as u64)
    };
    let mut inside = inside;
    let fill = [2_000_000, 10, 3_000][depth as usize % 3];
    objects.each(2, fill, &mut inside).map(|(sum, failed)| if failed == 0 { sum } else { -1 })
}

#[test]
fn calls_nest_eight_deep_and_no_deeper() {
    let objects = objects();
    // The outermost call is none of the eight.
    assert_eq!(deep(&objects, 7).unwrap(), 2 * 256);
    let error = deep(&objects, 8).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::LimitExceeded, Executed::Yes), "{error}");
    assert_eq!(error.cause(), &Cause::Limit { what: LimitExceededReason::Depth, value: 8 });
    assert_eq!(deep(&objects, 0).unwrap(), 4, "the worker serves on");
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn nested_calls_have_room_for_data() {
    let objects = objects();
    let run = |times| {
        objects
            .each(times, 3_000, &mut |invocation| {
                let turn = invocation.get_i64(0) as usize;
                let mut data = vec![b'.'; [10, 5_000, 2_000_000][turn % 3]];
                data[turn % 10] = b'!';
                let turned = objects.turn_round(1, "hello", &data, [1, 2, 3])?;
                data.reverse();
                assert!(turned.3 == data);
                assert_eq!(invocation.buffer(40)?, vec![b'x'; 3_000]);
                Ok(1)
            })
            .unwrap()
    };
    assert_eq!(run(30), (30, 0));
    let big = vec![7; 5_000_000];
    let turned = objects.turn_round(1, "hello", &big, [1, 2, 3]).unwrap();
    assert_eq!(turned.3, big, "and calls behind them work");
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn the_end_of_the_worker_in_a_nested_call_ends_the_outer_ones() {
    let objects = objects();
    for nested in [1, 2] {
        let mut inner = Vec::new();
        let mut crash = |_: &mut Invocation<'_>| {
            let error = objects.crash().unwrap_err();
            inner.push((error.kind(), error.executed()));
            // The worker is gone; another is not for this callback.
            let error = objects.living().unwrap_err();
            inner.push((error.kind(), error.executed()));
            Ok(1)
        };
        let error = match nested {
            1 => objects.each(3, 0, &mut crash).unwrap_err(),
            _ => objects.each(3, 0, &mut |_| objects.each(3, 0, &mut crash).map(|_| 1)).unwrap_err(),
        };
        assert_eq!((error.kind(), error.executed()), (ErrorKind::Crashed, Executed::Maybe), "{error}");
        assert!(matches!(error.cause(), Cause::Signal { name: "SIGABRT", .. }), "{error:?}");
        assert_eq!(
            inner,
            [(ErrorKind::Crashed, Executed::Maybe), (ErrorKind::WorkerLost, Executed::No)],
            "{nested}"
        );
        assert_eq!(objects.living().unwrap(), 0);
        assert_eq!(objects.session.generation(), nested + 1);
    }
    // A panic is the application's own.
    let panic = catch_unwind(AssertUnwindSafe(|| {
        objects.each(3, 0, &mut |_| {
            objects.crash().unwrap_err();
            panic!("mine")
        })
    }));
    assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "mine");
    assert_eq!(objects.living().unwrap(), 0);
}

#[test]
fn a_nested_call_has_no_more_time_than_the_outer_one() {
    let objects = objects();
    let hurried = Objects { session: objects.session.within(Duration::from_millis(200)) };
    let pid = objects.session.worker_pid().unwrap();
    let mut inner = None;
    let error = hurried
        .each(1, 0, &mut |_| {
            inner = objects.wait(60_000).err();
            Ok(1)
        })
        .unwrap_err();
    for error in [error, inner.unwrap()] {
        assert_eq!(error.kind(), ErrorKind::Hung, "{error}");
        assert_eq!(error.cause(), &Cause::Deadline { after: Duration::from_millis(200) });
    }
    wait_until("the worker lives on", || !alive(pid));
    // And none beyond its own.
    let error = objects.each(1, 0, &mut |_| hurried.wait(60_000).map(|()| 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Hung, "{error}");
    assert_eq!(objects.living().unwrap(), 0);
}

#[test]
fn errors_and_panics_of_nested_callbacks_are_those_of_their_calls() {
    let objects = objects();
    let mut seen = Vec::new();
    let counted = objects.each(2, 0, &mut |_| {
        let failed = |invocation: &mut Invocation<'_>| Err(invocation.failed("inner"));
        let error = objects.each(2, 0, &mut { failed }).unwrap_err();
        seen.push(error.message().to_owned());
        let panic = catch_unwind(AssertUnwindSafe(|| objects.each(2, 0, &mut |_| panic!("inner"))));
        assert!(panic.is_err());
        Ok(objects.each(2, 0, &mut |_| Ok(3))?.0 as u64)
    });
    assert_eq!((counted.unwrap(), seen.len()), ((12, 0), 2));
    assert_eq!(objects.session.generation(), 1);
}

#[test]
fn a_worker_that_lies_about_nested_calls_is_ended() {
    for how in 0..=2 {
        let objects = objects();
        let mut inner = None;
        let error = objects
            .each(1, 0, &mut |_| {
                inner = Some(objects.answer_early(how));
                Ok(1)
            })
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ProtocolViolation, "{how}: {error}");
        let inner = inner.unwrap().unwrap_err();
        assert_eq!((inner.kind(), inner.message()), (error.kind(), error.message()), "{how}");
        assert_eq!(objects.living().unwrap(), 0, "the next call works");
        assert_eq!(objects.session.generation(), 2);
    }
}

#[test]
fn a_call_that_waits_for_its_callback_asks_for_nothing_else() {
    for how in 0..=1 {
        let objects = objects();
        let error = objects.each(1, 0, &mut |_| objects.ask_outside(how).map(|()| 1)).unwrap_err();
        assert!(matches!(error.cause(), Cause::Signal { name: "SIGABRT", .. }), "{error:?}");
        assert!(error.output().contains("while another runs inside of it"), "{error:?}");
        assert_eq!(objects.living().unwrap(), 0);
    }
}

#[test]
fn calls_that_overlap_without_a_callback_between_them_say_so() {
    let objects = objects();
    let says_so = |error: Error| {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.message().contains("not finished"), "{error}");
    };
    let call = objects.session.call(20).unwrap();
    says_so(objects.living().unwrap_err());
    drop(call);
    let counted = objects.each(1, 5, &mut |invocation| {
        let reply = objects.session.call(20)?.finish()?;
        says_so(objects.living().unwrap_err());
        says_so(invocation.buffer(40).unwrap_err());
        drop(reply);
        // A call that is given up takes nothing.
        drop(objects.session.call(20)?);
        assert_eq!(invocation.buffer(40)?, b"xxxxx");
        Ok(objects.living()? as u64)
    });
    assert_eq!(counted.unwrap(), (0, 0));
}

#[test]
fn a_nested_call_that_outlives_its_callback_costs_the_worker() {
    let objects = objects();
    let pid = objects.session.worker_pid().unwrap();
    let mut kept = None;
    let error = objects
        .each(2, 0, &mut |_| {
            kept = Some(objects.session.call(20)?);
            Ok(1)
        })
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CallbackFailed, "{error}");
    assert!(error.message().contains("unfinished"), "{error}");
    assert_eq!(objects.living().unwrap(), 0, "another worker serves");
    assert_eq!(objects.session.generation(), 2);
    let served = objects.session.worker_pid();
    // Within a callback of another call it does no harm either.
    let mut kept = kept;
    let counted = objects.each(1, 0, &mut |_| {
        kept = None;
        Ok(objects.living()? as u64)
    });
    assert_eq!(counted.unwrap(), (0, 0));
    wait_until("the worker that was given up stays", || !alive(pid));
    assert_eq!(objects.session.worker_pid(), served);
}
