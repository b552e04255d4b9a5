//! The pipelines of generated packages: each result is that of the call by itself, in whatever order it is taken.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::VecDeque;
use std::sync::OnceLock;

use hotcell::{ErrorKind, Options, Result, Ticket, Waiting};
use proptest::prelude::*;
use sqlite3_hotcell::Library;
use sqlite3_hotcell::constants::{DONE, ROW};
use zlib_hotcell::{Pipeline, Zlib};

fn zlib() -> &'static Zlib {
    static ZLIB: OnceLock<Zlib> = OnceLock::new();
    ZLIB.get_or_init(|| Zlib::open().unwrap())
}

#[test]
fn sums_are_those_that_anybody_can_compute() {
    let mut pipe = zlib().pipeline();
    let crc = pipe.crc32(0, b"hello").unwrap();
    let adler = pipe.adler32(1, b"Wikipedia").unwrap();
    let bound = pipe.compress_bound(9).unwrap();
    let version = pipe.zlib_version().unwrap();
    assert_eq!(pipe.take(bound).unwrap(), 22);
    assert_eq!(pipe.take(crc).unwrap(), 0x3610_a686);
    assert_eq!(pipe.take(adler).unwrap(), 0x11e6_0398);
    assert!(pipe.take(version).unwrap().unwrap().starts_with("1."));
    assert_eq!(pipe.in_flight(), 0);
}

#[test]
fn who_settles_calls_in_flight_has_the_worker_and_keeps_the_results() {
    let zlib = Zlib::open_with(Options { callers: 1, ..Options::default() }).unwrap();
    let mut pipe = zlib.pipeline();
    let crc = pipe.crc32(0, b"hello").unwrap();
    let spoilt = pipe.uncompress(10, b"no stream").unwrap();
    assert_eq!(zlib.adler32(1, b"").unwrap_err().kind(), ErrorKind::Unavailable, "it is in flight");
    assert_eq!(pipe.in_flight(), 2);
    pipe.settle();
    assert_eq!(pipe.in_flight(), 0);
    assert_eq!(zlib.adler32(1, b"Wikipedia").unwrap(), 0x11e6_0398);
    assert_eq!(pipe.take(crc).unwrap(), 0x3610_a686);
    assert_eq!(pipe.take(spoilt).unwrap_err().kind(), ErrorKind::LibraryError);
    pipe.settle();
}

/// A worker that had to ask for space would be woken once more in each call.
#[test]
fn a_call_by_itself_behind_a_pipeline_has_a_window_from_its_start() {
    let options = Options { waiting: Waiting::Economy, callers: 1, ..Options::default() };
    let zlib = Zlib::open_with(options).unwrap();
    let long = vec![7; 100_000];
    let packed = zlib.compress(&long).unwrap();
    assert_eq!(zlib.uncompress(long.len(), &packed).unwrap(), long);
    let woken = || zlib.session().stats().woken;
    let (mut more, calls) = (0, 20);
    for _ in 0..calls {
        let mut pipe = zlib.pipeline();
        let restored = pipe.uncompress(long.len(), &packed).unwrap();
        assert_eq!(pipe.take(restored).unwrap(), long);
        let before = woken();
        assert_eq!(zlib.uncompress(long.len(), &packed).unwrap(), long);
        more += woken() - before;
    }
    assert!(more <= calls, "{more}");
}

/// A call of zlib. Some fail, some give more than a window holds.
#[derive(Debug, Clone)]
enum Ask {
    Checksum(u64, Vec<u8>),
    Bound(u64),
    Compress(Vec<u8>, i32),
    Restore(usize, Vec<u8>),
}

/// What a call gives, in bytes.
enum Asked {
    Number(Ticket<u64>),
    Bytes(Ticket<Vec<u8>>),
}

impl Ask {
    fn alone(&self) -> Result<Vec<u8>> {
        match self {
            Ask::Checksum(start, data) => zlib().crc32(*start, data).map(|sum| sum.to_ne_bytes().to_vec()),
            Ask::Bound(length) => zlib().compress_bound(*length).map(|bound| bound.to_ne_bytes().to_vec()),
            Ask::Compress(data, level) => zlib().compress2(data, *level),
            Ask::Restore(capacity, data) => zlib().uncompress(*capacity, data),
        }
    }

    fn send(&self, pipe: &mut Pipeline) -> Result<Asked> {
        Ok(match self {
            Ask::Checksum(start, data) => Asked::Number(pipe.crc32(*start, data)?),
            Ask::Bound(length) => Asked::Number(pipe.compress_bound(*length)?),
            Ask::Compress(data, level) => Asked::Bytes(pipe.compress2(data, *level)?),
            Ask::Restore(capacity, data) => Asked::Bytes(pipe.uncompress(*capacity, data)?),
        })
    }
}

impl Asked {
    fn take(self, pipe: &mut Pipeline) -> Result<Vec<u8>> {
        match self {
            Asked::Number(ticket) => pipe.take(ticket).map(|number| number.to_ne_bytes().to_vec()),
            Asked::Bytes(ticket) => pipe.take(ticket),
        }
    }
}

/// A result, or what matters of an error.
fn essence(result: Result<Vec<u8>>) -> std::result::Result<Vec<u8>, String> {
    result.map_err(|error| {
        format!("{:?} {:?} {:?} {:?}", error.kind(), error.function(), error.cause(), error.outputs())
    })
}

/// Calls, and behind each which of those that are in flight is taken, if any.
fn asks() -> impl Strategy<Value = Vec<(Ask, Option<prop::sample::Index>)>> {
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
        2 => any::<u64>().prop_map(Ask::Bound),
        1 => (data(), -3..12i32).prop_map(|(data, level)| Ask::Compress(data, level)),
        2 => restored,
    ];
    proptest::collection::vec((ask, proptest::option::of(any::<prop::sample::Index>())), 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn zlib_gives_the_same_in_a_pipeline(asks in asks()) {
        let mut pipe = zlib().pipeline();
        let (mut sent, mut results) = (Vec::new(), Vec::new());
        for (number, (ask, taken)) in asks.iter().enumerate() {
            sent.push((number, ask.send(&mut pipe).unwrap()));
            if let Some(taken) = taken {
                let (number, asked) = sent.remove(taken.index(sent.len()));
                results.push((number, essence(asked.take(&mut pipe))));
            }
        }
        for (number, asked) in sent {
            results.push((number, essence(asked.take(&mut pipe))));
        }
        drop(pipe);
        for (number, result) in results {
            prop_assert_eq!(result, essence(asks[number].0.alone()), "{:?}", asks[number].0);
        }
    }
}

#[test]
fn a_database_is_filled_without_waiting_for_each_row() {
    let library = Library::open().unwrap();
    let db = library.sqlite3_open(":memory:").unwrap();
    let prepare = |sql: &str| db.prepare_v2(sql).unwrap().pp_stmt.unwrap();
    assert_eq!(prepare("create table t (n integer, name text)").step().unwrap(), DONE);
    let insert = prepare("insert into t values (?, ?)");
    let mut pipe = library.pipeline();
    let mut steps = VecDeque::new();
    for row in 0..200 {
        drop(pipe.bind_int(&insert, 1, row).unwrap());
        drop(pipe.bind_text(&insert, 2, Some(&format!("name {row}"))).unwrap());
        steps.push_back(pipe.step(&insert).unwrap());
        drop(pipe.reset(&insert).unwrap());
    }
    for step in steps {
        assert_eq!(pipe.take(step).unwrap(), DONE);
    }
    drop(pipe);
    let select = prepare("select count(*), sum(n), max(name) from t");
    let mut pipe = library.pipeline();
    let step = pipe.step(&select).unwrap();
    let (count, sum) = (pipe.column_int(&select, 0).unwrap(), pipe.column_int(&select, 1).unwrap());
    let name = pipe.column_text(&select, 2).unwrap();
    assert_eq!(pipe.take(step).unwrap(), ROW);
    assert_eq!((pipe.take(count).unwrap(), pipe.take(sum).unwrap()), (200, 199 * 100));
    assert_eq!(pipe.take(name).unwrap().as_deref(), Some("name 99"));
}

#[test]
fn calls_in_flight_wake_the_worker_once() {
    let options = Options { waiting: Waiting::Economy, callers: 1, ..Options::default() };
    let library = hotcell_faulty::Faulty::open(options).unwrap();
    let pid = library.session().worker_pid().unwrap();
    let asleep = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit(") ").next().unwrap().starts_with('S')
    };
    for _ in 0..20 {
        while !asleep() {
            std::thread::yield_now();
        }
        let before = library.session().stats();
        let mut pipe = library.session().pipeline();
        let mut tickets = Vec::new();
        // While it executes the first, the others come.
        for (name, number) in [("sleep", 30), ("add", 1), ("add", 2), ("add", 3), ("add", 4), ("add", 5)] {
            use hotcell::rt::{Collects, Puts};
            let mut call = pipe.entry(library.function(name).0).unwrap();
            call.put_i32(0, number);
            if name == "add" {
                call.put_i32(4, number);
            }
            tickets.push(call.values(|reply| reply.get_i32(0)));
        }
        let results: Vec<i32> = tickets.into_iter().map(|ticket| pipe.take(ticket).unwrap()).collect();
        assert_eq!(results[1..], [2, 4, 6, 8, 10]);
        let after = library.session().stats();
        assert_eq!(after.woken - before.woken, 1);
    }
}
