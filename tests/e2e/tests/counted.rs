//! What is counted by function, however calls are made, is what was called.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::thread;

use hotcell::dynamic::Value;
use hotcell::{FunctionStats, Options, Session, Stats};
use hotcell_e2e::crew::Crew;
use hotcell_faulty::Faulty;
use zlib_hotcell::Zlib;

fn of<'a>(stats: &'a Stats, name: &str) -> &'a FunctionStats {
    let found = stats.functions.iter().find(|function| function.name == name);
    found.unwrap_or_else(|| panic!("no {name} in {:?}", stats.functions))
}

fn counts(session: &Session, name: &str) -> (u64, u64, u64) {
    let stats = session.stats();
    let function = of(&stats, name);
    (function.calls, function.errors, function.faults)
}

#[test]
fn entries_of_batches_are_counted_one_by_one() {
    let faulty = Faulty::open(Options::default()).unwrap();
    let mut batch = faulty.batch();
    for _ in 0..5 {
        _ = faulty.put(&mut batch, "add", &[Value::Int(1), Value::Int(2)]).unwrap();
    }
    _ = faulty.put(&mut batch, "errno", &[Value::Int(5)]).unwrap();
    let _ = batch.run().unwrap();
    assert_eq!(counts(faulty.session(), "faulty_add"), (5, 0, 0));
    assert_eq!(counts(faulty.session(), "faulty_errno"), (1, 1, 0));
    assert_eq!(faulty.session().stats().calls, 1, "a batch is one call");
    // One that was not sent was not called.
    let mut unsent = faulty.batch();
    _ = faulty.put(&mut unsent, "add", &[Value::Int(1), Value::Int(2)]).unwrap();
    drop(unsent);
    assert_eq!(counts(faulty.session(), "faulty_add"), (5, 0, 0));
    // Of one that ends the worker all were sent, and the fault is the batch's.
    let mut batch = faulty.batch();
    _ = faulty.put(&mut batch, "add", &[Value::Int(1), Value::Int(2)]).unwrap();
    _ = faulty.put(&mut batch, "abort", &[]).unwrap();
    let _ = batch.run().unwrap();
    assert_eq!(counts(faulty.session(), "faulty_add"), (6, 0, 0));
    assert_eq!(
        (counts(faulty.session(), "faulty_abort"), counts(faulty.session(), "")),
        ((1, 0, 0), (0, 0, 1))
    );
}

#[tokio::test]
async fn calls_in_flight_and_those_of_tasks_are_counted() {
    let zlib = Zlib::open().unwrap();
    let mut pipe = zlib.pipeline();
    for _ in 0..20 {
        let crc = pipe.crc32(0, b"hello").unwrap();
        let spoilt = pipe.uncompress(10, b"no stream").unwrap();
        assert_eq!(pipe.take(crc).unwrap(), 0x3610_a686);
        pipe.take(spoilt).unwrap_err();
    }
    drop(pipe);
    assert_eq!(counts(zlib.session(), "crc32"), (20, 0, 0));
    assert_eq!(counts(zlib.session(), "uncompress"), (20, 20, 0));
    assert_eq!(of(&zlib.session().stats(), "crc32").latency.samples(), 0, "none of these is timed");
    let faulty = Faulty::open(Options::default()).unwrap();
    for _ in 0..3 {
        faulty.awaited("add", &[Value::Int(1), Value::Int(2)]).await.unwrap();
    }
    faulty.awaited("errno", &[Value::Int(5)]).await.unwrap_err();
    faulty.awaited("abort", &[]).await.unwrap_err();
    assert_eq!(counts(faulty.session(), "faulty_add"), (3, 0, 0));
    assert_eq!(counts(faulty.session(), "faulty_errno"), (1, 1, 0));
    assert_eq!(counts(faulty.session(), "faulty_abort"), (1, 0, 1));
}

#[test]
fn what_several_callers_do_at_a_time_is_summed_up() {
    let crew = Crew::of(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1000).for_each(|_| _ = crew.int("crew_add", &[1, 2]).unwrap()));
        }
    });
    let stats = crew.session.stats();
    let add = of(&stats, "crew_add");
    assert_eq!((add.calls, stats.calls, stats.in_flight), (4000, 4000, 0));
    // For each seat that was used the first eight, and then one of 64.
    assert!((8 + 15..=4 * (8 + 15)).contains(&add.latency.samples()), "{}", add.latency.samples());
}

#[test]
fn latencies_are_as_long_as_the_calls() {
    let faulty = Faulty::open(Options::default()).unwrap();
    for _ in 0..3 {
        faulty.int("sleep", &[20]).unwrap();
        faulty.int("add", &[1, 2]).unwrap();
    }
    let stats = faulty.session().stats();
    let at = |name, of_thousand| of(&stats, name).latency.per_mille(of_thousand).unwrap();
    assert_eq!(of(&stats, "faulty_sleep").latency.samples(), 3);
    // The clock is read behind the publication: a thread that is not let run in between has a shorter call.
    let (slow, quick) = (at("faulty_sleep", 1000), at("faulty_add", 1));
    assert!(slow.as_millis() >= 20 && quick.as_millis() < 20, "{slow:?}, {quick:?}");
}
