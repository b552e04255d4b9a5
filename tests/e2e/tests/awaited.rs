//! Calls that are awaited: what they give, what becomes of them when they fail, and when nobody waits for them any more.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use hotcell::dynamic::{Outcome, Value};
use hotcell::{Cause, ErrorKind, Executed, Options, Result, UnavailableReason};
use hotcell_e2e::process::{alive, wait_until};
use hotcell_e2e::tasks::{poll, start};
use hotcell_faulty::Faulty;
use tokio::runtime::{Builder, Runtime};
use zlib_hotcell::Zlib;

fn two_threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn faulty() -> Faulty {
    Faulty::open(Options::default()).unwrap()
}

fn int(outcome: Result<Outcome>) -> i128 {
    match outcome.unwrap().returned {
        Some(Value::Int(number)) => number,
        other => panic!("{other:?} is no number"),
    }
}

async fn add(faulty: &Faulty, a: i128, b: i128) -> i128 {
    int(faulty.awaited("add", &[Value::Int(a), Value::Int(b)]).await)
}

fn sleep(faulty: &Faulty, milliseconds: i128) -> impl Future<Output = Result<Outcome>> + Send + use<> {
    faulty.awaited("sleep", &[Value::Int(milliseconds)])
}

/// Time in which everything is over that nobody waits for.
const SHORT: Duration = Duration::from_millis(300);

#[test]
fn thousands_of_tasks_share_one_worker_and_two_threads() {
    const TASKS: u64 = 3_000;
    let zlib = Zlib::open().unwrap();
    let runtime = two_threads();
    let results = runtime.block_on(async {
        let tasks: Vec<_> = (0..TASKS)
            .map(|number| {
                let zlib = zlib.clone();
                tokio::spawn(async move {
                    let data = number.to_le_bytes().repeat(1 + number as usize % 300);
                    let first = zlib.aio().crc32(0, &data).await.unwrap();
                    tokio::task::yield_now().await;
                    (first, zlib.aio().crc32(number, &data).await.unwrap(), data)
                })
            })
            .collect();
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.unwrap());
        }
        results
    });
    for (number, (first, second, data)) in results.into_iter().enumerate() {
        assert_eq!(first, zlib.crc32(0, &data).unwrap());
        assert_eq!(second, zlib.crc32(number as u64, &data).unwrap());
    }
    assert_eq!(zlib.session().generation(), 1);
}

#[test]
fn a_failure_of_an_awaited_call_is_typed_and_the_next_call_is_right() {
    let faulty = faulty();
    one_thread().block_on(async {
        for (function, args, kind) in [
            ("abort", vec![], ErrorKind::Crashed),
            ("null_dereference", vec![], ErrorKind::Crashed),
            ("exit", vec![Value::Int(3)], ErrorKind::Exited),
            ("errno", vec![Value::Int(5)], ErrorKind::LibraryError),
            ("bad_text", vec![], ErrorKind::BadEncoding),
        ] {
            let (error, line) = (faulty.awaited(function, &args).await.unwrap_err(), line!());
            assert_eq!(error.kind(), kind, "{function}: {error}");
            assert_eq!(error.call_site().map(|site| (site.file(), site.line())), Some((file!(), line)));
            assert_eq!(add(&faulty, 20, 22).await, 42, "behind {function}");
        }
        for hangs in ["loop", "ignore_signals", "deadlock"] {
            let error = faulty.within(SHORT).awaited(hangs, &[]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Hung, "{hangs}: {error}");
            assert_eq!(error.executed(), Executed::Maybe);
            assert_eq!(add(&faulty, 20, 22).await, 42, "behind {hangs}");
        }
    });
}

#[test]
fn who_leaves_the_line_holds_nobody_up() {
    let faulty = faulty();
    one_thread().block_on(async {
        let mut first = pin!(sleep(&faulty, 100));
        start(first.as_mut()).await;
        {
            let mut second = pin!(sleep(&faulty, 100_000));
            start(second.as_mut()).await;
        }
        let third = add(&faulty, 1, 2);
        let (first, third) = tokio::join!(first, third);
        assert_eq!((int(first), third), (100, 3));
    });
    // It was never sent.
    assert_eq!(faulty.int("count", &[]).unwrap(), 1);
}

#[test]
fn the_deadline_ends_the_wait_for_a_turn() {
    let faulty = faulty();
    one_thread().block_on(async {
        let mut first = pin!(sleep(&faulty, 600));
        start(first.as_mut()).await;
        let error = faulty.within(Duration::from_millis(50)).awaited("count", &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        let exhausted = Cause::Unavailable { reason: UnavailableReason::PoolExhausted };
        assert_eq!((error.cause(), error.executed()), (&exhausted, Executed::No));
        assert_eq!(int(first.await), 600);
    });
}

#[test]
fn a_call_that_is_dropped_ends_before_its_seat_is_used_again() {
    let faulty = faulty();
    one_thread().block_on(async {
        {
            let mut dropped = pin!(sleep(&faulty, 200));
            start(dropped.as_mut()).await;
        }
        let begun = Instant::now();
        assert_eq!(add(&faulty, 1, 2).await, 3);
        assert!(begun.elapsed() >= Duration::from_millis(150), "it went on");
        {
            let mut dropped = pin!(sleep(&faulty, 200));
            start(dropped.as_mut()).await;
        }
    });
    // A thread waits for it as well.
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
    assert_eq!(faulty.session().generation(), 1, "a worker that answers in time is kept");
}

#[test]
fn a_call_that_is_dropped_and_hangs_costs_its_worker_at_its_deadline() {
    let faulty = faulty();
    let runtime = two_threads();
    let pid = faulty.session().worker_pid().unwrap();
    runtime.block_on(async {
        let mut dropped = pin!(faulty.within(SHORT).awaited("loop", &[]));
        start(dropped.as_mut()).await;
    });
    // Nobody calls, and it ends all the same.
    wait_until("it goes on without end", || !alive(pid));
    assert_eq!(runtime.block_on(add(&faulty, 1, 2)), 3);
    let pid = faulty.session().worker_pid().unwrap();
    let mut dropped = Box::pin(faulty.within(SHORT).awaited("loop", &[]));
    runtime.block_on(start(dropped.as_mut()));
    // There is no runtime any more.
    drop(runtime);
    drop(dropped);
    wait_until("it goes on without end", || !alive(pid));
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
}

#[test]
fn a_runtime_that_ends_takes_no_seat_along() {
    let faulty = faulty();
    let runtime = two_threads();
    let task = faulty.within(SHORT).awaited("loop", &[]);
    runtime.spawn(async move { task.await.map(drop) });
    wait_until("it is not sent", || faulty.session().within(Duration::ZERO).call(0).is_err());
    runtime.shutdown_timeout(Duration::from_secs(5));
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
    assert_eq!(one_thread().block_on(add(&faulty, 1, 2)), 3, "from another runtime");
}

#[test]
fn what_is_forgotten_or_not_polled_loses_its_seat_at_its_deadline() {
    let faulty = faulty();
    let runtime = two_threads();
    runtime.block_on(async {
        let mut forgotten = Box::pin(faulty.within(SHORT).awaited("sleep", &[Value::Int(50)]));
        start(forgotten.as_mut()).await;
        std::mem::forget(forgotten);
        assert_eq!(add(&faulty, 1, 2).await, 3);
        assert_eq!(faulty.session().generation(), 1, "the library had returned");
        let mut kept = Box::pin(faulty.within(SHORT).awaited("loop", &[]));
        start(kept.as_mut()).await;
        assert_eq!(add(&faulty, 1, 2).await, 3);
        let error = kept.await.unwrap_err();
        assert_eq!((error.kind(), error.executed()), (ErrorKind::Cancelled, Executed::Maybe), "{error}");
        // And so for a thread.
        let mut forgotten = Box::pin(faulty.within(SHORT).awaited("loop", &[]));
        start(forgotten.as_mut()).await;
        std::mem::forget(forgotten);
    });
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
}

#[test]
fn who_waits_and_is_not_polled_holds_nobody_up() {
    let faulty = faulty();
    one_thread().block_on(async {
        let mut first = pin!(sleep(&faulty, 50));
        start(first.as_mut()).await;
        let (mut second, mut third) = (pin!(sleep(&faulty, 1)), Box::pin(sleep(&faulty, 1)));
        start(second.as_mut()).await;
        start(third.as_mut()).await;
        std::mem::forget(third);
        let begun = Instant::now();
        assert_eq!(int(first.await), 50);
        assert_eq!(add(&faulty, 1, 2).await, 3, "though two others were called first");
        assert!(begun.elapsed() < Options::default().deadline, "not only when their time was over");
        assert_eq!(int(second.await), 1, "it stands in line again");
    });
}

#[test]
fn threads_and_tasks_call_in_turn() {
    const CALLS: u64 = 300;
    let zlib = Zlib::open().unwrap();
    let runtime = two_threads();
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let zlib = &zlib;
            scope.spawn(move || {
                for call in 0..CALLS {
                    let data = vec![thread as u8; 1 + call as usize * 7];
                    let sum = zlib.adler32(1, &data).unwrap();
                    assert_eq!(zlib.adler32(1, &data).unwrap(), sum);
                }
            });
        }
        let tasks: Vec<_> = (0..20)
            .map(|task| {
                let zlib = zlib.clone();
                runtime.spawn(async move {
                    for call in 0..CALLS / 10 {
                        let data = vec![task as u8; 1 + call as usize * 7];
                        let sum = zlib.aio().adler32(1, &data).await.unwrap();
                        assert_eq!(zlib.aio().adler32(1, &data).await.unwrap(), sum);
                    }
                })
            })
            .collect();
        runtime.block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
    });
    assert_eq!(zlib.session().generation(), 1);
}

#[test]
fn data_that_fill_no_slot_go_out_and_back() {
    let zlib = Zlib::open().unwrap();
    let data: Vec<u8> = (0..6_000_000u32).map(|number| (number / 7 % 251) as u8).collect();
    one_thread().block_on(async {
        for _ in 0..2 {
            let packed = zlib.aio().compress(&data).await.unwrap();
            assert_eq!(zlib.aio().uncompress(data.len(), &packed).await.unwrap(), data);
            let shared = zlib.aio().uncompress_shared(data.len(), &packed).await.unwrap();
            assert_eq!(shared.to_vec(), data);
        }
        // A buffer of the session is copied: nothing is lent to a call whose future may be forgotten.
        let mut buffer = zlib.session().buffer(data.len()).unwrap();
        buffer.copy_from_slice(&data);
        assert_eq!(zlib.aio().crc32(0, &buffer).await.unwrap(), zlib.crc32(0, &data).unwrap());
        // One that is dropped while the worker maps what it is to have.
        {
            let more = vec![7; 40_000_000];
            let mut dropped = pin!(zlib.aio().crc32(0, &more));
            let _ = poll(dropped.as_mut());
        }
        assert_eq!(zlib.aio().crc32(0, b"hello").await.unwrap(), 0x3610_a686);
    });
}

#[test]
fn callbacks_run_while_their_task_is_polled_and_may_call() {
    let library = sqlite3_hotcell::Library::open().unwrap();
    two_threads().block_on(async {
        let db = library.aio().sqlite3_open(":memory:").await.unwrap();
        db.aio().exec("CREATE TABLE t(a); INSERT INTO t VALUES (1), (2), (3)", None).await.unwrap();
        let mut rows = Vec::new();
        let task = std::thread::current().id();
        let mut note = |values: &[Option<String>], _: &[String]| {
            assert!(db.changes().is_ok(), "a nested call");
            rows.push((values[0].clone(), std::thread::current().id() == task));
            Ok(0)
        };
        db.aio().exec("SELECT a FROM t", Some(&mut note)).await.unwrap();
        let all = ["1", "2", "3"].map(|row| (Some(row.to_owned()), true));
        assert_eq!(rows, all, "the task of `block_on` stays on its thread");

        let mut fails = |_: &[Option<String>], _: &[String]| Err("no more".into());
        let error = db.aio().exec("SELECT a FROM t", Some(&mut fails)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CallbackFailed, "{error}");
        let panics = db.clone();
        let panicked = tokio::spawn(async move {
            let mut panics_at_once =
                |_: &[Option<String>], _: &[String]| -> hotcell::Answer<i32> { panic!("here") };
            panics.aio().exec("SELECT a FROM t", Some(&mut panics_at_once)).await
        });
        assert!(panicked.await.unwrap_err().is_panic(), "it comes out where it is awaited");

        // A task cannot wait in a callback of its own session.
        let waits = db.clone();
        let mut nested = move |_: &[Option<String>], _: &[String]| match poll(pin!(waits.aio().changes())) {
            Poll::Ready(Err(error)) => Err(error.into()),
            other => panic!("{other:?}"),
        };
        let error = db.aio().exec("SELECT a FROM t LIMIT 1", Some(&mut nested)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");

        // One that is dropped while the library waits for its callback.
        let called = Arc::new(AtomicU32::new(0));
        {
            let counts = Arc::clone(&called);
            let mut count = move |_: &[Option<String>], _: &[String]| {
                counts.fetch_add(1, Ordering::Relaxed);
                Ok(0)
            };
            let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) \
                       SELECT count(*) FROM n UNION ALL SELECT 2";
            let mut dropped = pin!(db.aio().exec(sql, Some(&mut count)));
            start(dropped.as_mut()).await;
        }
        assert_eq!(db.aio().changes().await.unwrap(), 3);
        assert_eq!(called.load(Ordering::Relaxed), 0);
        assert_eq!(library.session().generation(), 1);
    });
}

#[test]
fn objects_that_tasks_drop_are_released() {
    let library = sqlite3_hotcell::Library::open().unwrap();
    let used = || library.memory_used().unwrap();
    let before = {
        drop(library.sqlite3_open(":memory:").unwrap());
        used()
    };
    two_threads().block_on(async {
        for _ in 0..50 {
            let db = library.aio().sqlite3_open(":memory:").await.unwrap();
            let statement = db.aio().prepare_v2("SELECT 1").await.unwrap().pp_stmt.unwrap();
            assert_eq!(statement.aio().step().await.unwrap(), 100);
            drop((db, statement));
            assert_eq!(library.aio().memory_used().await.unwrap(), before, "before the next call");
        }
        // What is released with the call that is awaited.
        let db = library.aio().sqlite3_open(":memory:").await.unwrap();
        let (one, other) = (db.clone(), db.clone());
        assert_eq!(one.into_aio().close().await.unwrap(), ());
        let error = other.aio().changes().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StaleHandle, "{error}");
        // Results that nobody takes any more.
        {
            let mut dropped = pin!(library.aio().sqlite3_open(":memory:"));
            let _ = poll(dropped.as_mut());
        }
    });
    wait_until("what a dropped call gave is not released", || used() == before);
}

#[test]
fn who_awaits_outside_of_a_runtime_is_told_so() {
    let faulty = faulty();
    let mut outside = Box::pin(sleep(&faulty, 200));
    let begun = Instant::now();
    match poll(outside.as_mut()) {
        Poll::Ready(Err(error)) => assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}"),
        other => panic!("{other:?}"),
    }
    assert!(faulty.within(Duration::from_millis(20)).int("add", &[1, 2]).is_err(), "its seat is in use");
    assert_eq!(faulty.int("add", &[1, 2]).unwrap(), 3);
    assert!(begun.elapsed() >= Duration::from_millis(150), "before the library had returned");
    assert_eq!(faulty.session().generation(), 1);
}

#[test]
fn a_library_that_closes_descriptors_keeps_nobody_beyond_the_deadline() {
    let faulty = faulty();
    one_thread().block_on(async {
        let closed = int(faulty.within(SHORT).awaited("close_descriptors", &[]).await);
        assert!(closed > 3, "what it returned is there, though nothing could tell");
        let slept = faulty.within(SHORT).awaited("sleep", &[Value::Int(20)]).await;
        assert_eq!(int(slept), 20);
    });
}
