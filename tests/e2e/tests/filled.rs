//! Callbacks that fill memory of the library's.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};

use hotcell::dynamic::{self, KeptFunction, Value};
use hotcell::rt::Handle;
use hotcell::{ErrorKind, Options, Result, Session};
use hotcell_bind::Bound;
use hotcell_e2e::bound::bind;
use hotcell_e2e::cli::Folder;

const HEADER: &str = "
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
typedef struct source source;

/* Reads to the end by pieces of this size; the sum of all bytes, or what `reads` returned that is no length. */
int64_t drain(size_t piece, ssize_t (*reads)(void *user, void *into, size_t room), void *user);
/* The sum of this many numbers. */
int64_t sum_of(int count, void (*fill)(void *user, int16_t *into, int count), void *user);

source *source_new(void);
void source_on_read(source *s, size_t (*reads)(char *into, size_t room, void *user), void *user);
/* The sum of `pieces` pieces. */
uint64_t source_read(source *s, size_t piece, int pieces);
void source_free(source *s);
";

/// What lies behind the memory that is filled must stay.
const CODE: &str = r#"
#include "sources.h"
#include <stdlib.h>
#include <string.h>
struct source { size_t (*reads)(char *, size_t, void *); void *user; };
static unsigned char *room_of(size_t size)
{
    unsigned char *room = malloc(size + 8);
    memset(room, 0xAB, size + 8);
    return room;
}
static void end_of(unsigned char *room, size_t size)
{
    for (int i = 0; i < 8; i++) {
        if (room[size + i] != 0xAB) {
            abort();
        }
    }
    free(room);
}
int64_t drain(size_t piece, ssize_t (*reads)(void *, void *, size_t), void *user)
{
    int64_t sum = 0;
    for (;;) {
        unsigned char *room = room_of(piece);
        ssize_t filled = reads(user, piece == 0 ? NULL : room, piece);
        for (ssize_t i = 0; i < filled && filled <= (ssize_t)piece; i++) {
            sum += room[i];
        }
        end_of(room, piece);
        if (filled <= 0 || filled > (ssize_t)piece) {
            return filled == 0 ? sum : filled;
        }
    }
}
int64_t sum_of(int count, void (*fill)(void *, int16_t *, int), void *user)
{
    int64_t sum = 0;
    unsigned char *room = room_of(count * sizeof(int16_t));
    fill(user, (int16_t *)(void *)room, count);
    for (int i = 0; i < count; i++) {
        int16_t number;
        memcpy(&number, room + i * sizeof number, sizeof number);
        sum += number;
    }
    end_of(room, count * sizeof(int16_t));
    return sum;
}
source *source_new(void) { return calloc(1, sizeof(source)); }
void source_free(source *s) { free(s); }
void source_on_read(source *s, size_t (*reads)(char *, size_t, void *), void *user)
{
    s->reads = reads;
    s->user = user;
}
uint64_t source_read(source *s, size_t piece, int pieces)
{
    uint64_t sum = 0;
    for (int i = 0; i < pieces; i++) {
        unsigned char *room = room_of(piece);
        size_t filled = s->reads((char *)room, piece, s->user);
        for (size_t at = 0; at < filled && filled <= piece; at++) {
            sum += room[at];
        }
        end_of(room, piece);
    }
    return sum;
}
"#;

const CONTRACT: &str = r#"
hotcell = 1
library = "sources"
headers = ["sources.h"]
link = ["sources"]
handle.source = { release = "source_free", taken_by = [] }
function.drain.params.reads = { callback = "call", user_data = "user", on_failure = -9, params = { into = { out = "buffer", capacity = "room", length = "result" } } }
function.sum_of.params.fill = { callback = "call", user_data = "user", params = { into = { out = "buffer", capacity = "count" } } }
function.sum_of.params.count = { in = "value" }
function.source_new.result = { out = "owned" }
function.source_on_read.params.reads = { callback = "kept", user_data = "user", on_failure = 0, params = { into = { out = "buffer", capacity = "room", length = "result" } } }
"#;

struct Sources {
    session: Session,
    bound: Bound,
    _folder: Folder,
}

impl Sources {
    fn open() -> Sources {
        let (folder, bound) = bind("sources", HEADER, CODE, CONTRACT);
        Sources { session: bound.open(Options::default()).unwrap(), bound, _folder: folder }
    }

    #[track_caller]
    fn call(&self, name: &str, args: &[Value], back: &mut dynamic::Callback<'_>) -> Result<Value> {
        let interface = &self.bound.interface;
        let function = interface.function(name).expect("it is bound");
        let outcome = dynamic::call_with(&self.session, interface, function, args, back)?;
        Ok(outcome.returned.unwrap_or(Value::Null))
    }

    fn source(&self) -> Handle {
        match self.call("source_new", &[], &mut none).unwrap() {
            Value::Handle(handle) => handle,
            other => panic!("an object, not {other:?}"),
        }
    }
}

fn none(_: &str, _: &[(String, Value)]) -> std::result::Result<Value, String> {
    Err("it calls back".into())
}

/// How much room a callback has, which is told that and nothing else.
#[track_caller]
fn room(args: &[(String, Value)]) -> usize {
    match args {
        [(name, Value::Int(room))] if name == "into" => usize::try_from(*room).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn sum(data: &[u8]) -> Value {
    Value::Int(data.iter().map(|&byte| i128::from(byte)).sum())
}

#[test]
fn a_callback_fills_as_much_as_it_returns() {
    let sources = Sources::open();
    for (size, piece) in [(10, 4), (100_000, 1000), (5_000_000, 3_000_000), (7, 100), (0, 5)] {
        let data: Vec<u8> = (0..size).map(|at| (at * 13 % 251) as u8).collect();
        let mut left = &data[..];
        let mut reads = |_: &str, args: &[(String, Value)]| {
            let (now, later) = left.split_at(room(args).min(left.len()));
            left = later;
            Ok(Value::Bytes(now.to_vec()))
        };
        let returned = sources.call("drain", &[Value::Int(piece), Value::Callback], &mut reads).unwrap();
        assert_eq!(returned, sum(&data), "{size} in pieces of {piece}");
    }
    assert_eq!(sources.session.generation(), 1);
}

#[test]
fn a_number_that_is_no_length_fills_nothing_and_is_returned() {
    let sources = Sources::open();
    for (number, piece) in [(-4, 100), (101, 100), (-1, 0)] {
        let mut reads = |_: &str, _: &[(String, Value)]| Ok(Value::Int(number));
        let returned = sources.call("drain", &[Value::Int(piece), Value::Callback], &mut reads).unwrap();
        assert_eq!(returned, Value::Int(number));
    }
}

#[test]
fn what_does_not_fit_is_not_filled_in_and_the_call_says_so() {
    let sources = Sources::open();
    let mut reads = |_: &str, args: &[(String, Value)]| Ok(Value::Bytes(vec![1; room(args) + 1]));
    let error = sources.call("drain", &[Value::Int(16), Value::Callback], &mut reads).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CallbackFailed, "{error}");
    assert!(error.to_string().contains("has 17 elements; there is room for 16"), "{error}");
    // A number that says that more is filled than is: the shim looks, too.
    let mut lies = |_: &str, _: &[(String, Value)]| Ok(Value::Int(5));
    let error = sources.call("drain", &[Value::Int(16), Value::Callback], &mut lies).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert_eq!(sources.session.generation(), 1);
}

#[test]
fn a_callback_that_returns_nothing_fills_all() {
    let sources = Sources::open();
    let numbers: Vec<i128> = (0..1000).map(|at| at * 7 - 900).collect();
    let mut fill = |_: &str, args: &[(String, Value)]| {
        Ok(Value::List(numbers[..room(args)].iter().map(|&n| Value::Int(n)).collect()))
    };
    for count in [0, 1, 1000] {
        let returned = sources.call("sum_of", &[Value::Int(count), Value::Callback], &mut fill).unwrap();
        assert_eq!(returned, Value::Int(numbers[..count as usize].iter().sum()));
    }
    let mut short = |_: &str, _: &[(String, Value)]| Ok(Value::List(vec![Value::Int(1)]));
    let error = sources.call("sum_of", &[Value::Int(2), Value::Callback], &mut short).unwrap_err();
    assert!(error.to_string().contains("has 1 elements; 2 are to be filled"), "{error}");
}

#[test]
fn one_that_is_kept_fills_in_later_calls_and_calls_itself_meanwhile() {
    let sources = Sources::open();
    let (source, inner) = (sources.source(), sources.source());
    let filled = Arc::new(Mutex::new(0_u64));
    let constant = |byte: u8| {
        let filled = Arc::clone(&filled);
        KeptFunction::new(move |args| {
            *filled.lock().unwrap() += room(args) as u64;
            Ok(Value::Bytes(vec![byte; room(args)]))
        })
    };
    let on_read = |source: &Handle, function: KeptFunction| {
        let args = [source.clone().into(), Value::Kept(function)];
        sources.call("source_on_read", &args, &mut none).unwrap();
    };
    on_read(&inner, constant(2));
    on_read(&source, constant(3));
    let read = |source: &Handle, piece: i128, pieces: i128| {
        let args = [source.clone().into(), Value::Int(piece), Value::Int(pieces)];
        sources.call("source_read", &args, &mut none).unwrap()
    };
    assert_eq!(read(&source, 10, 5), Value::Int(150));
    // Much of it does not stay behind.
    assert_eq!(read(&source, 1 << 20, 200), Value::Int((3 * 200) << 20));
    assert_eq!(*filled.lock().unwrap(), (200 << 20) + 50);
    let mut times = 0;
    let mut reads = |_: &str, args: &[(String, Value)]| {
        let room = room(args);
        let args = [inner.clone().into(), Value::Int(3_000_000), Value::Int(2)];
        let nested = sources.call("source_read", &args, &mut none).map_err(|error| error.to_string())?;
        assert_eq!(nested, Value::Int(12_000_000));
        times += 1;
        Ok(Value::Bytes(vec![7; if times == 1 { room } else { 0 }]))
    };
    let returned = sources.call("drain", &[Value::Int(50), Value::Callback], &mut reads).unwrap();
    assert_eq!(returned, Value::Int(350));
}
