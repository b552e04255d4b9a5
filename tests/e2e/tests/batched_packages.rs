//! The batches of generated packages: each result is that of the call by itself.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex, OnceLock};

use hotcell::{Cause, Error, ErrorKind, LimitExceededReason, Options, Result, Ticket};
use proptest::prelude::*;
use sqlite3_hotcell::constants::{DONE, ROW};
use sqlite3_hotcell::{Library, Sqlite3, Stmt};
use zlib_hotcell::{Batch, Zlib};

fn zlib() -> &'static Zlib {
    static ZLIB: OnceLock<Zlib> = OnceLock::new();
    ZLIB.get_or_init(|| Zlib::open().unwrap())
}

/// A call of zlib. Some fail, some give more than a window holds.
#[derive(Debug, Clone)]
enum Ask {
    Checksum(u64, Vec<u8>),
    Bound(u64),
    Compress(Vec<u8>, i32),
    Restore(usize, Vec<u8>),
    Version,
}

/// What a call gives, in bytes.
enum Asked {
    Number(Ticket<u64>),
    Bytes(Ticket<Vec<u8>>),
    Text(Ticket<Option<String>>),
}

impl Ask {
    fn alone(&self) -> Result<Vec<u8>> {
        match self {
            Ask::Checksum(start, data) => zlib().crc32(*start, data).map(|sum| sum.to_ne_bytes().to_vec()),
            Ask::Bound(length) => zlib().compress_bound(*length).map(|bound| bound.to_ne_bytes().to_vec()),
            Ask::Compress(data, level) => zlib().compress2(data, *level),
            Ask::Restore(capacity, data) => zlib().uncompress(*capacity, data),
            Ask::Version => zlib().zlib_version().map(|text| text.unwrap_or_default().into_bytes()),
        }
    }

    fn put(&self, batch: &mut Batch) -> Result<Asked> {
        Ok(match self {
            Ask::Checksum(start, data) => Asked::Number(batch.crc32(*start, data)?),
            Ask::Bound(length) => Asked::Number(batch.compress_bound(*length)?),
            Ask::Compress(data, level) => Asked::Bytes(batch.compress2(data, *level)?),
            Ask::Restore(capacity, data) => Asked::Bytes(batch.uncompress(*capacity, data)?),
            Ask::Version => Asked::Text(batch.zlib_version()?),
        })
    }
}

impl Asked {
    fn take(self, done: &mut hotcell::Done) -> Result<Vec<u8>> {
        match self {
            Asked::Number(ticket) => done.take(ticket).map(|number| number.to_ne_bytes().to_vec()),
            Asked::Bytes(ticket) => done.take(ticket),
            Asked::Text(ticket) => done.take(ticket).map(|text| text.unwrap_or_default().into_bytes()),
        }
    }
}

/// A result, or what matters of an error.
fn essence(result: Result<Vec<u8>>) -> std::result::Result<Vec<u8>, String> {
    result.map_err(|error| {
        format!("{:?} {:?} {:?} {:?}", error.kind(), error.function(), error.cause(), error.outputs())
    })
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let data = || {
        prop_oneof![
            4 => proptest::collection::vec(any::<u8>(), 0..60),
            1 => (any::<u8>(), 0..200_000usize).prop_map(|(byte, times)| vec![byte; times]),
        ]
    };
    let restored = (data(), 0..3usize, any::<bool>()).prop_map(|(data, missing, broken)| {
        let mut packed = zlib().compress(&data).unwrap();
        if broken {
            packed[0] ^= 1;
        }
        Ask::Restore(data.len().saturating_sub(missing), packed)
    });
    let ask = prop_oneof![
        3 => (any::<u32>(), data()).prop_map(|(start, data)| Ask::Checksum(start.into(), data)),
        3 => any::<u64>().prop_map(Ask::Bound),
        1 => (data(), -3..12i32).prop_map(|(data, level)| Ask::Compress(data, level)),
        1 => restored,
        1 => Just(Ask::Version),
    ];
    proptest::collection::vec(ask, 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn zlib_gives_the_same_in_a_batch(asks in asks()) {
        let mut batch = zlib().batch();
        let asked: Vec<Asked> = asks.iter().map(|ask| ask.put(&mut batch).unwrap()).collect();
        let mut done = batch.run().unwrap();
        for (ask, asked) in asks.iter().zip(asked) {
            prop_assert_eq!(essence(asked.take(&mut done)), essence(ask.alone()), "{:?}", ask);
        }
    }
}

#[test]
fn an_entry_whose_results_have_no_room_fails_alone() {
    let (small, big) = (zlib().compress(&[7; 100]).unwrap(), zlib().compress(&vec![7; 4 << 20]).unwrap());
    let zlib = Zlib::open_with(Options { max_output: 3 << 20, ..Options::default() }).unwrap();
    for _ in 0..3 {
        let mut batch = zlib.batch();
        let first = batch.uncompress(100, &small).unwrap();
        let too_much = batch.uncompress(4 << 20, &big).unwrap();
        let second = batch.uncompress(100, &small).unwrap();
        let sum = batch.crc32(0, &small).unwrap();
        let mut done = batch.run().unwrap();
        assert_eq!(done.take(first).unwrap(), [7; 100]);
        let error = done.take(too_much).unwrap_err();
        let limit = Cause::Limit { what: LimitExceededReason::Output, value: 3 << 20 };
        assert_eq!((error.kind(), error.cause()), (ErrorKind::LimitExceeded, &limit), "{error}");
        assert_eq!(done.take(second).unwrap(), [7; 100]);
        assert_eq!(done.take(sum).unwrap(), zlib.crc32(0, &small).unwrap());
    }
}

#[test]
fn many_big_results_come_out_of_one_batch() {
    let packed = zlib().compress(&vec![9; 300_000]).unwrap();
    let mut batch = zlib().batch();
    let tickets: Vec<_> = (0..100).map(|_| batch.uncompress(300_000, &packed).unwrap()).collect();
    let mut done = batch.run().unwrap();
    for ticket in tickets.into_iter().rev() {
        assert_eq!(done.take(ticket).unwrap(), vec![9; 300_000]);
    }
}

/// Some 64 KiB of data are copied with the replies, and more one by one: of what lies there, the border, and behind it.
#[test]
fn each_result_is_its_own_wherever_it_lies() {
    let data = |number: usize| (0..1000).map(|at| (at * 7 + number * 13) as u8).collect::<Vec<u8>>();
    for count in [8, 60, 200] {
        let mut batch = zlib().batch();
        let put = |number| batch.uncompress(1000, &zlib().compress(&data(number)).unwrap()).unwrap();
        let tickets: Vec<_> = (0..count).map(put).collect();
        let mut done = batch.run().unwrap();
        for (number, ticket) in tickets.into_iter().enumerate() {
            assert_eq!(done.take(ticket).unwrap(), data(number), "{number} of {count}");
        }
    }
}

#[test]
fn a_thousand_calls_are_one_batch() {
    let mut batch = zlib().batch();
    let tickets: Vec<_> = (0..1024).map(|length| batch.compress_bound(length).unwrap()).collect();
    let mut done = batch.run().unwrap();
    for (length, ticket) in (0..).zip(tickets) {
        let bound = done.take(ticket).unwrap();
        assert!(bound > length && (length % 100 != 0 || bound == zlib().compress_bound(length).unwrap()));
    }
}

fn table(library: &Library) -> Sqlite3 {
    let db = library.sqlite3_open(":memory:").unwrap();
    db.exec("CREATE TABLE t(number UNIQUE, text, data)", None).unwrap();
    db
}

fn said(error: &Error) -> (i64, Option<&str>) {
    match error.cause() {
        Cause::Library { code, message, .. } => (*code, message.as_deref()),
        other => panic!("{other:?}: {error}"),
    }
}

/// The rows of a query, each asked for with one batch.
fn rows(library: &Library, statement: &Stmt) -> Vec<(i32, Option<String>, Option<Vec<u8>>)> {
    let mut rows = Vec::new();
    loop {
        let mut batch = library.batch();
        let step = batch.step(statement).unwrap();
        let number = batch.column_int(statement, 0).unwrap();
        let text = batch.column_text(statement, 1).unwrap();
        let data = batch.column_blob(statement, 2).unwrap();
        let mut done = batch.run().unwrap();
        match done.take(step).unwrap() {
            ROW => {
                rows.push((done.take(number).unwrap(), done.take(text).unwrap(), done.take(data).unwrap()))
            }
            code => {
                assert_eq!(code, DONE);
                return rows;
            }
        }
    }
}

#[test]
fn sqlite_is_filled_and_read_by_batches() {
    let library = Library::open().unwrap();
    let db = table(&library);
    let hooked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&hooked);
    db.update_hook(Some(Box::new(move |_, _, _, _| {
        *count.lock().unwrap() += 1;
        Ok(())
    })))
    .unwrap();
    let insert = db.prepare_v2("INSERT INTO t VALUES (?, ?, ?)").unwrap().pp_stmt.unwrap();
    let mut batch = library.batch();
    let mut steps = Vec::new();
    for number in [1, 2, 2, 3] {
        batch.bind_int(&insert, 1, number).map(drop).unwrap();
        batch.bind_text(&insert, 2, Some(&format!("text {number}"))).map(drop).unwrap();
        batch.bind_blob(&insert, 3, Some(&[number as u8; 3000])).map(drop).unwrap();
        steps.push(batch.step(&insert).unwrap());
        batch.reset(&insert).map(drop).unwrap();
    }
    let bad = batch.prepare_v2(&db, "NONSENSE").unwrap();
    let select = batch.prepare_v2(&db, "SELECT * FROM t ORDER BY number").unwrap();
    let mut done = batch.run().unwrap();
    let steps: Vec<Result<i32>> = steps.into_iter().map(|step| done.take(step)).collect();
    for (at, step) in steps.into_iter().enumerate() {
        match (at, step) {
            (2, step) => {
                let alone = {
                    insert.bind_int(1, 2).unwrap();
                    let error = insert.step().unwrap_err();
                    let _ = insert.reset();
                    error
                };
                assert_eq!(said(&step.unwrap_err()), said(&alone));
            }
            (_, step) => assert_eq!(step.unwrap(), DONE),
        }
    }
    assert_eq!(*hooked.lock().unwrap(), 3, "a hook runs in batches, too");
    let alone = db.prepare_v2("NONSENSE").unwrap_err();
    assert_eq!(said(&done.take(bad).unwrap_err()), said(&alone));
    let select = done.take(select).unwrap().pp_stmt.unwrap();
    let expected: Vec<_> = (1..4)
        .map(|number| (number, Some(format!("text {number}")), Some(vec![number as u8; 3000])))
        .collect();
    assert_eq!(rows(&library, &select), expected);

    // Objects that a batch made keep what they belong to, and go as others do.
    let mut batch = library.batch();
    let forgotten = batch.prepare_v2(&db, "SELECT 1").unwrap();
    let closed = batch.finalize(insert.clone()).unwrap();
    let late = batch.step(&insert).unwrap();
    let mut done = batch.run().unwrap();
    done.take(closed).unwrap();
    assert_eq!(done.take(late).unwrap_err().kind(), ErrorKind::StaleHandle);
    drop(forgotten);
    drop((done, select, insert));
    db.close().unwrap();
}
