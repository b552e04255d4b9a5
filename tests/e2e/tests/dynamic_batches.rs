//! Batches of calls by name, and batches that are awaited: what each call gives is what it gives by itself.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hotcell::dynamic::{Outcome, Value, never_in_a_batch, send};
use hotcell::rt::Batch;
use hotcell::{Cause, Done, Error, ErrorKind, Executed, Options, Result, Ticket};
use hotcell_e2e::objects::{Objects, STORE};
use hotcell_e2e::process::{alive, wait_until};
use hotcell_e2e::tasks::start;
use hotcell_faulty::Faulty;
use tokio::runtime::{Builder, Runtime};
use zlib_hotcell::Zlib;

fn faulty() -> Faulty {
    Faulty::open(Options::default()).unwrap()
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Time in which everything is over that nobody waits for.
const SHORT: Duration = Duration::from_millis(300);

/// Calls that return, and some that fail; none ends its worker.
fn calls() -> Vec<(&'static str, Vec<Value>)> {
    vec![
        ("add", vec![Value::Int(20), Value::Int(22)]),
        ("errno", vec![Value::Int(5)]),
        ("long_text", vec![Value::Int(10)]),
        ("long_text", vec![Value::Int(100_000)]),
        ("bad_text", vec![]),
        ("environment", vec![Value::Text("HOME".into())]),
        ("add", vec![Value::Int(-1), Value::Int(1)]),
    ]
}

fn put_all(faulty: &Faulty, batch: &mut hotcell::dynamic::Batch) -> Vec<Ticket<Outcome>> {
    calls().iter().map(|(name, args)| faulty.put(batch, name, args).unwrap()).collect()
}

/// Holds each result against that of the call by itself.
fn hold(faulty: &Faulty, done: &mut Done, tickets: Vec<Ticket<Outcome>>) {
    assert!(done.fault().is_none());
    let outcomes = tickets.into_iter().map(|ticket| done.take(ticket)).collect();
    compare(faulty, outcomes);
}

/// The same, of results that were taken.
fn compare(faulty: &Faulty, outcomes: Vec<Result<Outcome>>) {
    for ((name, args), outcome) in calls().into_iter().zip(outcomes) {
        match (outcome, faulty.call(name, &args)) {
            (Ok(one), Ok(other)) => assert_eq!(one, other, "{name}"),
            (Err(one), Err(other)) => {
                assert_eq!((one.kind(), one.cause()), (other.kind(), other.cause()), "{name}");
                assert_eq!((one.function(), one.executed()), (other.function(), other.executed()), "{name}");
                assert_eq!(one.outputs(), other.outputs(), "{name}");
            }
            (one, other) => panic!("{name}: {one:?}, by itself {other:?}"),
        }
    }
}

#[test]
fn calls_by_name_fail_for_themselves() {
    let faulty = faulty();
    for _ in 0..3 {
        let mut batch = faulty.batch();
        let tickets = put_all(&faulty, &mut batch);
        assert_eq!(batch.len(), tickets.len());
        let mut done = batch.run().unwrap();
        hold(&faulty, &mut done, tickets);
    }
    assert_eq!(faulty.session().generation(), 1);
}

#[test]
fn calls_by_name_go_through_a_pipeline() {
    let faulty = faulty();
    let interface = Arc::new(hotcell_faulty::bound().unwrap().interface.clone());
    let number = |name: &str| interface.function(&format!("faulty_{name}")).unwrap().0;
    let mut pipeline = faulty.session().pipeline();
    let mut sent = |function, args| send(&mut pipeline, &interface, function, args);
    let tickets: Vec<_> = calls().into_iter().map(|(name, args)| sent(number(name), args).unwrap()).collect();
    let functions = (0..).zip(&interface.functions);
    for (unfit, _) in functions.filter(|(_, it)| never_in_a_batch(it).is_some()) {
        let error = sent(unfit, Vec::new()).unwrap_err();
        assert_eq!((error.kind(), error.executed()), (ErrorKind::InvalidArgument, Executed::No), "{error}");
        assert!(error.message().contains("cannot be in a pipeline"), "{error}");
    }
    let outcomes = tickets.into_iter().map(|ticket| pipeline.take(ticket)).collect();
    drop(pipeline);
    compare(&faulty, outcomes);
}

#[test]
fn what_cannot_be_in_a_batch_is_refused_when_it_is_put_there() {
    let faulty = faulty();
    let interface = &hotcell_faulty::bound().unwrap().interface;
    let never = |name: &str| interface.functions.iter().find(|it| it.name == name).and_then(never_in_a_batch);
    assert_eq!(never("faulty_add"), None);
    let unfit: Vec<u16> = (0..interface.functions.len() as u16)
        .filter(|&index| never_in_a_batch(&interface.functions[usize::from(index)]).is_some())
        .collect();
    assert!(unfit.len() >= 2, "callbacks, and structures that are changed");
    let mut batch = faulty.batch();
    let first = faulty.put(&mut batch, "add", &[Value::Int(1), Value::Int(2)]).unwrap();
    for index in unfit {
        let error = batch.add(index, Vec::new()).unwrap_err();
        assert_eq!((error.kind(), error.executed()), (ErrorKind::InvalidArgument, Executed::No), "{error}");
        assert!(error.message().contains("cannot be in a batch"), "{error}");
    }
    for args in [vec![Value::Int(1)], vec![Value::Text("1".into()), Value::Int(2)]] {
        let error = faulty.put(&mut batch, "add", &args).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
    let last = faulty.put(&mut batch, "add", &[Value::Int(3), Value::Int(4)]).unwrap();
    assert_eq!(batch.len(), 2, "what was not added leaves no trace");
    let mut done = batch.run().unwrap();
    let sums = [first, last].map(|ticket| done.take(ticket).unwrap().returned);
    assert_eq!(sums, [Some(Value::Int(3)), Some(Value::Int(7))]);
}

/// Holds what a crash in the middle of a batch leaves.
fn crashed(faulty: &Faulty, run: impl FnOnce(hotcell::dynamic::Batch) -> Result<Done>) {
    let mut batch = faulty.batch();
    let [before, behind] = [0, 1].map(|at| {
        let sum = faulty.put(&mut batch, "add", &[Value::Int(1), Value::Int(2)]).unwrap();
        let crash = (at == 0).then(|| faulty.put(&mut batch, "abort", &[]).unwrap());
        (sum, crash)
    });
    let mut done = run(batch).unwrap();
    assert_eq!(done.fault().map(Error::kind), Some(ErrorKind::Crashed));
    let error = done.take(before.1.unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.function()), (ErrorKind::Crashed, "faulty_abort"), "{error}");
    for ticket in [before.0, behind.0] {
        let error = done.take(ticket).unwrap_err();
        assert_eq!((error.kind(), error.executed()), (ErrorKind::WorkerLost, Executed::Maybe), "{error}");
        assert!(error.message().contains("entry 1, `faulty_abort`"), "{error}");
    }
    assert_eq!(faulty.int("add", &[20, 22]).unwrap(), 42);
}

#[test]
fn a_crash_is_that_of_the_entry_that_crashed() {
    let faulty = faulty();
    crashed(&faulty, hotcell::dynamic::Batch::run);
    crashed(&faulty, |batch| one_thread().block_on(batch.run_awaited()));
}

#[test]
fn an_awaited_batch_gives_what_its_calls_give() {
    let faulty = faulty();
    let runtime = one_thread();
    for _ in 0..3 {
        let mut batch = faulty.batch();
        let tickets = put_all(&faulty, &mut batch);
        let mut done = runtime.block_on(batch.run_awaited()).unwrap();
        hold(&faulty, &mut done, tickets);
    }
    assert!(runtime.block_on(faulty.batch().run_awaited()).is_ok(), "nothing is sent of an empty one");
    assert_eq!(faulty.session().generation(), 1);
}

#[test]
fn tasks_await_batches_of_a_package_side_by_side() {
    let zlib = Zlib::open().unwrap();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let tasks: Vec<_> = (0..200usize)
        .map(|number| {
            let zlib = zlib.clone();
            runtime.spawn(async move {
                let data = vec![number as u8; 1 + number * 40];
                let mut batch = zlib.batch();
                let tickets: Vec<_> = (0..20).map(|start| batch.crc32(start, &data).unwrap()).collect();
                let mut done = batch.run_awaited().await.unwrap();
                (data, tickets.into_iter().map(|ticket| done.take(ticket).unwrap()).collect::<Vec<_>>())
            })
        })
        .collect();
    for task in tasks {
        let (data, sums) = runtime.block_on(task).unwrap();
        for (start, sum) in sums.into_iter().enumerate() {
            assert_eq!(sum, zlib.crc32(start as u64, &data).unwrap());
        }
    }
    assert_eq!(zlib.session().generation(), 1);
}

#[test]
fn one_deadline_is_for_all_of_an_awaited_batch() {
    let faulty = faulty();
    let within = faulty.within(SHORT);
    let mut batch = within.batch();
    let sum = within.put(&mut batch, "add", &[Value::Int(1), Value::Int(2)]).unwrap();
    let hangs = within.put(&mut batch, "loop", &[]).unwrap();
    let mut done = one_thread().block_on(batch.run_awaited()).unwrap();
    assert_eq!(done.fault().map(Error::cause), Some(&Cause::Deadline { after: SHORT }));
    assert_eq!(done.take(hangs).unwrap_err().kind(), ErrorKind::Hung);
    assert_eq!(done.take(sum).unwrap_err().kind(), ErrorKind::WorkerLost);
    assert_eq!(faulty.int("add", &[20, 22]).unwrap(), 42);
}

/// A batch that makes so many objects, and then takes its time.
fn stores(objects: &Objects, count: usize, milliseconds: i32) -> Batch {
    let mut batch = objects.session.batch();
    for _ in 0..count {
        let mut call = batch.entry(0).unwrap();
        call.put_i32(0, 0);
        drop(call.read(|reply| reply.handle(0, STORE, true, None)));
    }
    let mut call = batch.entry(9).unwrap();
    call.put_i32(0, milliseconds);
    drop(call.values(|_| ()));
    batch
}

#[test]
fn what_a_batch_that_is_dropped_would_have_returned_is_released() {
    let objects = Objects::open(Options::default()).unwrap();
    one_thread().block_on(async {
        for milliseconds in [0, 100] {
            let mut dropped = pin!(stores(&objects, 5, milliseconds).run_awaited());
            if milliseconds > 0 {
                start(dropped.as_mut()).await;
            }
        }
    });
    // Nobody waits for its end.
    wait_until("what it returned is released", || objects.living().unwrap() == 0);
    let done = one_thread().block_on(stores(&objects, 5, 1).run_awaited()).unwrap();
    assert_eq!(objects.living().unwrap(), 5);
    drop(done);
    assert_eq!((objects.living().unwrap(), objects.session.generation()), (0, 1));
}

#[test]
fn a_batch_that_is_forgotten_costs_its_worker_at_its_deadline() {
    let faulty = faulty();
    let pid = faulty.session().worker_pid().unwrap();
    let within = faulty.within(SHORT);
    let mut batch = within.batch();
    drop(within.put(&mut batch, "loop", &[]).unwrap());
    let mut forgotten = Box::pin(batch.run_awaited());
    one_thread().block_on(start(forgotten.as_mut()));
    mem::forget(forgotten);
    wait_until("it goes on without end", || !alive(pid));
    assert_eq!(faulty.within(Duration::from_secs(20)).int("add", &[1, 2]).unwrap(), 3);
}
