//! Texts that are none, and arguments that are not what a function takes.

use std::thread;

use hotcell::ErrorKind::*;
use hotcell_faulty::carried;

use crate::row::End::*;
use crate::row::Expected::*;
use crate::row::{Direct, Ran, Row, Stop};
use crate::stage::{Caller, Stage, object, told};
use crate::value::Value;
use crate::via::Via;

pub(crate) const ENCODINGS: &[Row] = &[
    Row::new(
        "N1",
        "a text that is not UTF-8",
        Direct::new(&["bad_text"], GoesOn).says("returned caf"),
        |stage| stage.int("bad_text", &[]),
        Fails(BadEncoding, &[]),
    ),
    Row::new(
        "N2",
        "a text with a NUL in it",
        Direct::new(&["cut_text"], GoesOn).says("returned 1"),
        |stage| Ok(told(&stage.call("print", &[Value::Text("a\0b".into()), Value::Int(0)])?)),
        Fails(InvalidArgument, &["text"]),
    ),
    Row::new(
        "N3",
        "a text of another encoding",
        Direct::new(&["wide_text"], GoesOn).says("returned c"),
        |stage| turned(stage, "häß"),
        Gives("ßäh"),
    ),
    Row::new(
        "N4",
        "a text without an end",
        Direct::new(&["endless_text"], Dies("SIGSEGV")),
        |stage| stage.int("endless_text", &[]),
        Fails(Crashed, &["SIGSEGV"]),
    ),
    Row::new(
        "N5",
        "half of a character",
        Direct::new(&["lone_surrogate"], GoesOn).says("returned half a character"),
        |stage| turned(stage, "\u{1f600}"),
        Fails(BadEncoding, &[]),
    ),
];

pub(crate) const ROWS: &[Row] = &[
    Row::new(
        "C1",
        "a length beyond the buffer",
        Direct::new(&["wrong_length"], Dies("SIGSEGV")),
        |stage| {
            let truths = Value::List(vec![Value::Bool(true), Value::Bool(false)]);
            let right = told(&stage.call("true", std::slice::from_ref(&truths))?);
            if right != "1" {
                return Err(Stop::Wrong(format!("with its own length it returned {right}")));
            }
            Ok(told(&stage.call("true", &[truths, Value::Int(1 << 40)])?))
        },
        Fails(InvalidArgument, &[]),
    )
    .without(&[(Via::Go, BY_LENGTH)]),
    Row::new(
        "C2",
        "claims to have written more than fits",
        Direct::new(&["false_claim"], Dies("SIGSEGV")),
        |stage| stage.int("claim", &[1 << 40]),
        Fails(InvalidReply, &[]),
    ),
    Row::new(
        "C3",
        "an object of somewhere else",
        Direct::new(&["made_up_handle"], Dies("SIGSEGV")),
        |stage| {
            let other = stage.another()?;
            let theirs = object(&other.call("open", &[Value::Int(0)])?)?;
            let query = object(&other.call("prepare", &[theirs, Value::Text("query".into())])?)?;
            let db = open(stage)?;
            Ok(told(&stage.call("give", &[db, query, Value::Int(0)])?))
        },
        Fails(UnknownHandle, &["another session"]),
    ),
    Row::new(
        "C4",
        "an object of a process that has ended",
        Direct::new(&["made_up_handle"], Dies("SIGSEGV")),
        |stage| {
            let db = open(stage)?;
            match stage.int("abort", &[]) {
                Err(Stop::Failed(error)) if error.is(Crashed) => {}
                other => return Err(Stop::Wrong(format!("the worker did not end: {other:?}"))),
            }
            stage.int("add", &[1, 1])?;
            Ok(told(&stage.call("message", &[db])?))
        },
        Fails(StaleHandle, &[]),
    ),
    Row::new(
        "C5",
        "an object of another type",
        Direct::new(&["handle_of_other_type"], Dies("SIGSEGV")),
        |stage| {
            let db = open(stage)?;
            let query = object(&stage.call("prepare", &[db, Value::Text("query".into())])?)?;
            Ok(told(&stage.call("message", &[query])?))
        },
        Fails(WrongHandleType, &["faulty_db"]),
    )
    .without(&[(Via::Go, BY_TYPE)]),
    Row::new(
        "C6",
        "closed twice",
        Direct::new(&["close_twice"], Dies("SIGABRT")).says("double free"),
        |stage| {
            let db = open(stage)?;
            stage.call("close", std::slice::from_ref(&db))?;
            Ok(told(&stage.call("close", &[db])?))
        },
        Fails(StaleHandle, &["was released"]),
    ),
    Row::new(
        "C7",
        "closed on another thread",
        Direct::new(&["use_what_another_closed"], GoesOn).says("returned it is what it is"),
        |stage| {
            let (db, session) = (open(stage)?, stage.session()?);
            let theirs = [db.clone()];
            let closed = thread::scope(|scope| scope.spawn(|| session.call("close", &theirs)).join());
            closed.map_err(|_| Stop::Wrong("a thread of the lab panicked".into()))??;
            Ok(told(&stage.call("message", &[db])?))
        },
        Fails(StaleHandle, &["was released"]),
    ),
    Row::new(
        "C8",
        "numbers that their types do not have",
        Direct::new(&["cut_number"], GoesOn).says("returned 6"),
        huge_numbers,
        Fails(InvalidArgument, &[]),
    )
    .without(&[(Via::Go, BY_TYPE)]),
    Row::new(
        "C9",
        "NULL among texts",
        Direct::new(&["null_text"], Dies("SIGSEGV")),
        |stage| {
            let texts = Value::List(vec![Value::Text("a".into()), Value::Null]);
            Ok(told(&stage.call("total", &[texts])?))
        },
        Fails(InvalidArgument, &["texts"]),
    )
    .without(&[(Via::Go, BY_TYPE)]),
    Row::new(
        "C10",
        "use-after-free-across-the-border",
        Direct::new(&["borrowed_row"], GoesOn).says("returned the row that is gone"),
        |stage| {
            let db = open(stage)?;
            let query = object(&stage.call("prepare", &[db, Value::Text("query".into())])?)?;
            let row = object(&stage.call("step", std::slice::from_ref(&query))?)?;
            stage.call("finish", &[query])?;
            Ok(told(&stage.call("number", &[row])?))
        },
        Fails(StaleHandle, &[]),
    ),
    Row::new(
        "C11",
        "arguments of a variable number, of wrong types",
        Direct::new(&["wrong_varargs"], Dies("SIGSEGV")),
        |stage| {
            if let Caller::There(_) = stage.caller() {
                // Nothing of it is in the package, either.
                let called = stage.call("format", &[Value::Text("%s".into()), Value::Int(42)]);
                if !matches!(called, Err(Stop::Lacks(_))) {
                    return Err(Stop::Wrong(format!("it was called: {called:?}")));
                }
            }
            let left = carried().interface.left_out.iter().find(|left| left.name == "faulty_format");
            let left = left.ok_or_else(|| Stop::Wrong("it can be called".into()))?;
            Ok(format!("it cannot be called: {}", left.reason))
        },
        Gives("it cannot be called: it takes a variable number of arguments (`...`)"),
    ),
];

/// Why a client has no such call.
const BY_TYPE: &str = "no program with that is compiled: its types have no such value";
const BY_LENGTH: &str = "no program with that is compiled: a slice has its own length";

fn open(stage: &mut Stage<'_>) -> Result<Value, Stop> {
    object(&stage.call("open", &[Value::Int(0)])?)
}

/// A text back to front, unit by unit.
fn turned(stage: &mut Stage<'_>, text: &str) -> Ran {
    let outcome = stage.call("turn", &[Value::Text(text.to_owned())])?;
    match outcome.0.iter().find(|value| matches!(value, Value::Text(_))) {
        Some(Value::Text(turned)) => Ok(turned.clone()),
        _ => Err(Stop::Wrong(format!("{outcome:?}"))),
    }
}

fn huge_numbers(stage: &mut Stage<'_>) -> Ran {
    let mut last = Err(Stop::Wrong("nothing was tried".into()));
    for number in [1 << 31, (1 << 32) + 5, 1 << 63, i128::from(u64::MAX), -(1 << 31) - 1] {
        last = stage.int("add", &[number, 1]);
        if let Err(Stop::Lacks(_)) = last {
            return last;
        }
        if !matches!(&last, Err(Stop::Failed(error)) if error.is_refusal()) {
            return Err(Stop::Wrong(format!("{number}: {last:?}")));
        }
    }
    last
}
