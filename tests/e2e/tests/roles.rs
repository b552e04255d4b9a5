//! Objects, callbacks, structures and what else a contract can say, from header to result.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use hotcell::dynamic::Value;
use hotcell::rt::Handle;
use hotcell::{Cause, ErrorKind, Executed, Options};
use hotcell_faulty::Faulty;

fn faulty() -> Faulty {
    Faulty::open(Options::default()).unwrap()
}

/// A text as an argument.
fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn fields(list: &[(&str, Value)]) -> Value {
    Value::Struct(list.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

/// What a structure has under a name.
fn field(value: &Value, name: &str) -> Value {
    let Value::Struct(fields) = value else { panic!("{value:?} is no structure") };
    fields.iter().find(|(key, _)| key == name).map_or(Value::Null, |(_, value)| value.clone())
}

fn open(faulty: &Faulty) -> Handle {
    match &faulty.call("open", &[Value::Int(0)]).unwrap().outs[..] {
        [(name, Value::Handle(db))] if name == "db" => db.clone(),
        other => panic!("{other:?}"),
    }
}

fn object(outcome: hotcell::Result<hotcell::dynamic::Outcome>) -> Handle {
    match outcome.unwrap().returned {
        Some(Value::Handle(handle)) => handle,
        other => panic!("{other:?}"),
    }
}

fn prepare(faulty: &Faulty, db: &Handle, text: &str) -> Handle {
    object(faulty.call("prepare", &[db.clone().into(), self::text(text)]))
}

fn events(faulty: &Faulty) -> String {
    match faulty.call("events", &[]).unwrap().returned {
        Some(Value::Text(events)) => events,
        other => panic!("{other:?}"),
    }
}

#[test]
fn objects_live_in_each_other() {
    let faulty = faulty();
    let db = open(&faulty);
    assert_eq!((db.type_name(), db.is_owned()), ("faulty_db", true));
    let query = prepare(&faulty, &db, "select");
    assert_eq!(object(faulty.call("db_of", &[query.clone().into()])), db, "lent, and the same object");
    let error = faulty.call("close", &[db.clone().into()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert!(error.message().contains("cannot go while objects"), "{error}");
    let row = object(faulty.call("step", &[query.clone().into()]));
    assert!(!row.is_owned());
    assert_eq!(faulty.call("number", &[row.clone().into()]).unwrap().returned, Some(Value::Int(1)));
    let next = object(faulty.call("step", &[query.clone().into()]));
    let error = faulty.call("number", &[row.into()]).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::StaleHandle, Executed::Maybe), "{error}");
    assert_eq!(faulty.call("number", &[next.clone().into()]).unwrap().returned, Some(Value::Int(2)));
    faulty.call("step", &[query.clone().into()]).unwrap();
    let last = faulty.call("step", &[query.clone().into()]).unwrap();
    assert_eq!(last.returned, Some(Value::Null));
    drop(db);
    assert_eq!(events(&faulty), "op", "the query keeps its database");
    drop((query, last, next));
    assert_eq!(events(&faulty), "fc");
    assert_eq!(faulty.session().generation(), 1);
}

#[test]
fn objects_are_given_away_and_released_once() {
    let faulty = faulty();
    let db = open(&faulty);
    let query = prepare(&faulty, &db, "select");
    let give = |query: &Handle, code| {
        faulty.call("give", &[db.clone().into(), query.clone().into(), Value::Int(code)])
    };
    let error = give(&query, 5).unwrap_err();
    assert_eq!(error.message(), "FAULTY_BUSY: somebody else is at it (code 5)");
    assert_eq!(error.symbol(), Some("FAULTY_BUSY"));
    give(&query, 0).unwrap();
    assert_eq!(give(&query, 0).unwrap_err().kind(), ErrorKind::StaleHandle);
    let second = prepare(&faulty, &db, "select");
    faulty.call("finish", &[second.clone().into()]).unwrap();
    assert_eq!(faulty.call("finish", &[second.into()]).unwrap_err().kind(), ErrorKind::StaleHandle);
    faulty.call("close", &[db.clone().into()]).unwrap();
    assert_eq!(faulty.call("close", &[db.into()]).unwrap_err().kind(), ErrorKind::StaleHandle);
    assert_eq!(events(&faulty), "opgpfc");
    let error = faulty.call("close", &[Value::Null]).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::InvalidArgument, Executed::No), "{error}");
}

#[test]
fn failures_know_their_codes_and_leave_nothing() {
    let faulty = faulty();
    let error = faulty.call("open", &[Value::Int(5)]).unwrap_err();
    assert_eq!(error.message(), "FAULTY_BUSY: somebody else is at it (code 5)");
    assert_eq!(events(&faulty), "oc");
    let db = open(&faulty);
    let error = faulty.call("prepare", &[db.into(), text("")]).unwrap_err();
    let message = Some("it is what it is".to_owned());
    let cause = Cause::Library { code: 11, symbol: Some("FAULTY_BROKEN"), message, errno: 0 };
    assert_eq!(error.cause(), &cause);
}

#[test]
fn objects_of_another_session_or_worker_are_not_sent() {
    let (faulty, other) = (faulty(), faulty());
    let (db, query) = (open(&faulty), prepare(&other, &open(&other), "select"));
    let error = faulty.call("step", &[query.into()]).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::UnknownHandle, Executed::No), "{error}");
    assert!(error.message().contains("another session"), "{error}");
    let error = faulty.call("step", &[db.clone().into()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongHandleType, "{error}");
    faulty.call("abort", &[]).unwrap_err();
    let error = faulty.call("prepare", &[db.into(), text("select")]).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::StaleHandle, Executed::No), "{error}");
    assert!(matches!(error.cause(), Cause::Handle { made: 1, serving: 2, .. }), "{error:?}");
}

#[test]
fn a_release_that_crashes_or_hangs_is_nobodys_error() {
    for text in ["crash", "hang"] {
        let faulty = faulty();
        drop(prepare(&faulty, &open(&faulty), text));
        assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5);
        assert_eq!(faulty.session().generation(), 2);
        let error = faulty
            .call("finish", &[prepare(&faulty, &open(&faulty), text).into()])
            .expect_err("asked for, it is the call's");
        assert!([ErrorKind::Crashed, ErrorKind::Hung].contains(&error.kind()), "{error}");
    }
}

#[test]
fn callbacks_get_texts_and_stop_the_library() {
    let faulty = faulty();
    let db: Value = open(&faulty).into();
    let visit = |times: i128| [db.clone(), Value::Int(times), Value::Callback];
    let mut seen = Vec::new();
    let outcome = faulty.call_with("visit", &visit(2), &mut |name, args| {
        seen.push((name.to_owned(), args.to_vec()));
        Ok(Value::Int(0))
    });
    assert_eq!(outcome.unwrap().returned, Some(Value::Int(2)));
    let args = vec![
        ("values".to_owned(), Value::List(vec![text("value"), Value::Null])),
        ("names".to_owned(), Value::List(vec![text("first"), text("second")])),
    ];
    assert_eq!(seen, [("visit".to_owned(), args.clone()), ("visit".to_owned(), args)]);
    let error = faulty.call_with("visit", &visit(5), &mut |_, _| Ok(Value::Int(3))).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::LibraryError, "code 7"));
    let error = faulty.call_with("visit", &visit(5), &mut |_, _| Err("no more".into())).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::CallbackFailed, "no more"));
    let error = faulty.call_with("visit", &visit(5), &mut |_, _| Ok(Value::Int(1 << 40))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CallbackFailed, "{error}");
    let panic = catch_unwind(AssertUnwindSafe(|| {
        faulty.call_with("visit", &visit(5), &mut |_, _| panic!("mine")).map(drop)
    }));
    assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "mine");
    let mut runs = 0;
    let patient = faulty.within(Duration::from_secs(300));
    let outcome = patient.call_with("visit", &visit(100_000), &mut |_, _| {
        runs += 1;
        Ok(Value::Int(0))
    });
    assert_eq!((outcome.unwrap().returned, runs), (Some(Value::Int(100_000)), 100_000));
    let data = Value::List([0.5, 1.5, 2.0].map(Value::Float).to_vec());
    let outcome = faulty.call_with("sum", &[data, Value::Callback], &mut |name, args| match args {
        [(value, Value::Float(number))] if (name, value.as_str()) == ("scale", "value") => {
            Ok(Value::Int((number * -4.0) as i128))
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(outcome.unwrap().returned, Some(Value::Int(-16)));
    assert_eq!(faulty.session().generation(), 1);
    // Without one.
    let error = faulty.call("visit", &visit(1)).unwrap_err();
    assert!(error.message().contains("`visit` is to be a callback"), "{error}");
    assert_eq!(
        faulty.call("visit", &[db, Value::Int(0), Value::Null]).unwrap().returned,
        Some(Value::Int(0))
    );
}

#[test]
fn a_callback_that_hangs_ends_with_the_deadline() {
    let faulty = faulty();
    let hurried = faulty.within(Duration::from_millis(100));
    let args = [open(&faulty).into(), Value::Int(5), Value::Callback];
    let error = hurried
        .call_with("visit", &args, &mut |_, _| {
            std::thread::sleep(Duration::from_millis(150));
            Ok(Value::Int(0))
        })
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Hung, "{error}");
    assert_eq!(faulty.int("add", &[2, 3]).unwrap(), 5);
}

#[test]
fn texts_data_and_places_come_out() {
    let faulty = faulty();
    let texts = Value::List(vec![text("a"), text(""), text("bcd")]);
    assert_eq!(faulty.call("total", &[texts]).unwrap().returned, Some(Value::Int(4)));
    assert_eq!(faulty.call("total", &[Value::List(Vec::new())]).unwrap().returned, Some(Value::Int(0)));
    let words = |line: &str| {
        let outcome = faulty.call("word", &[text(line)]).unwrap();
        let [(_, word), (_, rest)] = &outcome.outs[..] else { panic!("{outcome:?}") };
        (word.clone(), rest.clone())
    };
    assert_eq!(words("two words"), (text("two"), Value::Int(3)));
    assert_eq!(words("one"), (text("one"), Value::Null));
    assert_eq!(words(" "), (Value::Null, Value::Int(0)));
    let squares = |count| faulty.call("squares", &[Value::Int(count)]).unwrap().outs[0].clone();
    let list = Value::List((0..4).map(|number| Value::Int(number * number)).collect());
    assert_eq!(squares(4), ("squares".to_owned(), list));
    assert_eq!(squares(0).1, Value::Null);
}

#[test]
fn texts_in_utf_16_are_texts_of_the_caller() {
    let faulty = faulty();
    let turn = |line: &str| {
        let outcome = faulty.call("turn", &[text(line)])?;
        let [(_, turned), (_, blank)] = &outcome.outs[..] else { panic!("{outcome:?}") };
        Ok((outcome.returned.clone(), turned.clone(), blank.clone()))
    };
    let units = |count| Some(Value::Int(count));
    let check = |line: &str, count, turned: &str, blank| {
        assert_eq!(
            turn(line).unwrap_or_else(|error: hotcell::Error| panic!("{error}")),
            (units(count), text(turned), blank)
        );
    };
    check("zwölf Äpfel", 11, "lefpÄ flöwz", Value::Int(6));
    check("", 0, "", Value::Null);
    // In the arena, where texts of ordinary length are not.
    let long = "Ω ".repeat(100_000);
    check(&long, 200_000, &" Ω".repeat(100_000), Value::Int(2));
    for (line, kind) in [("🦀", ErrorKind::BadEncoding), ("a\0b", ErrorKind::InvalidArgument)] {
        let error = turn(line).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    assert_eq!(faulty.session().generation(), 1, "none of these costs a worker its life");
}

#[test]
fn texts_in_arrays_come_out() {
    let faulty = faulty();
    let list = |count, claimed| {
        let outcome = faulty.call("list", &[Value::Int(count), Value::Int(claimed)])?;
        Ok::<_, hotcell::Error>(outcome.outs[0].1.clone())
    };
    let expect = [text("text"), Value::Null, text("text")];
    assert_eq!(list(3, 3).unwrap(), Value::List(expect.to_vec()));
    assert_eq!(list(0, 0).unwrap(), Value::List(Vec::new()));
    assert_eq!(list(1000, 1000).unwrap(), Value::List((0..1000).map(|at| expect[at % 2].clone()).collect()));
    // A number that no array has is a lie, and the worker is not trusted again.
    let error = list(1, -1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidReply, "{error}");
    assert_eq!(list(1, 1).unwrap(), Value::List(vec![text("text")]));
    assert_eq!(faulty.session().generation(), 2);
    // So many that their references alone are more than may come back: nothing of them is read.
    let error = list(1, i32::MAX.into()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    assert_eq!(faulty.session().generation(), 2);
}

#[test]
fn truth_values_are_0_or_1() {
    let faulty = faulty();
    let list = |truths: &[bool]| Value::List(truths.iter().copied().map(Value::Bool).collect());
    // A capacity is a number of elements, whatever they are.
    let outcome = faulty.call("truths", &[Value::Int(5)]).unwrap();
    assert_eq!(outcome.outs[0].1, list(&[true, false, true, false, true]));
    let error = faulty.call("truths", &[Value::Int(-1)]).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::InvalidArgument, Executed::No), "{error}");
    let count = |truths| faulty.call("true", &[truths]).map(|outcome| outcome.returned);
    assert_eq!(count(list(&[true, false, true])).unwrap(), Some(Value::Int(2)));
    assert_eq!(count(Value::Bytes(vec![1, 0, 1, 1])).unwrap(), Some(Value::Int(3)));
    for wrong in [Value::Bytes(vec![1, 2]), Value::List(vec![Value::Int(2)]), text("yes")] {
        let error = count(wrong).unwrap_err();
        assert_eq!((error.kind(), error.executed()), (ErrorKind::InvalidArgument, Executed::No), "{error}");
    }
}

#[test]
fn structures_go_there_and_back() {
    let faulty = faulty();
    let point = |x, y| fields(&[("x", Value::Float(x)), ("y", Value::Float(y))]);
    let outcome = faulty.call("mirror", &[point(1.5, -2.0)]).unwrap();
    assert_eq!(outcome.returned, Some(point(-1.5, 2.0)));
    let values = Value::List([1, 2, 6].map(Value::Int).to_vec());
    let shape = fields(&[
        ("values", values),
        ("at", point(1.0, 2.0)),
        ("tag", Value::Bytes(b"abcd".to_vec())),
        ("name", text("round")),
    ]);
    let outcome = faulty.call("measure", &[shape]).unwrap();
    let shape = &outcome.outs[0].1;
    assert_eq!(outcome.returned, Some(Value::Int(3)));
    assert_eq!((field(shape, "sum"), field(shape, "at")), (Value::Int(9), point(4.0, 2.0)));
    assert_eq!(field(shape, "tag"), Value::Bytes(b"abcx".to_vec()));
    assert_eq!(field(shape, "values"), Value::List(vec![Value::Int(6)]), "what was not taken");
    assert_eq!((field(shape, "name"), field(shape, "reserved")), (Value::Null, Value::Null));
    // What is left out is zero, empty or NULL.
    let outcome = faulty.call("measure", &[fields(&[])]).unwrap();
    assert_eq!(outcome.returned, Some(Value::Int(0)));
    assert_eq!(field(&outcome.outs[0].1, "name"), text("nameless"));
    for (wrong, expect) in [
        (
            fields(&[("size", Value::Int(1))]),
            "has no field `size`; its fields are name, values, at, tag, sum",
        ),
        (fields(&[("tag", Value::Bytes(vec![0; 5]))]), "`shape.tag` has 5 bytes; the array holds 4"),
        (fields(&[("at", fields(&[("x", text("one"))]))]), "`shape.at.x` takes a number, not a text"),
        (Value::Int(1), "`shape` takes a structure"),
        (Value::Null, "`shape` must not be null"),
    ] {
        let error = faulty.call("measure", &[wrong]).unwrap_err();
        assert_eq!((error.kind(), error.executed()), (ErrorKind::InvalidArgument, Executed::No), "{error}");
        assert!(error.message().contains(expect), "{error}");
    }
}

#[test]
fn a_structure_stays_in_the_worker() {
    let faulty = faulty();
    let stream = |name, args: &[Value]| faulty.call(name, args).map(|outcome| outcome.outs[0].1.clone());
    let mut state = stream("begin", &[fields(&[]), Value::Int(1)]).unwrap();
    let Value::Handle(handle) = field(&state, "") else { panic!("{state:?}") };
    assert_eq!((handle.type_name(), handle.is_owned()), ("faulty_stream", true));
    let run = |state: &Value, input: &Value, room| {
        let object = field(state, "");
        let next = fields(&[("", object), ("next_in", input.clone()), ("avail_out", Value::Int(room))]);
        stream("run", &[next])
    };
    state = run(&state, &Value::Bytes(b"bcdef".to_vec()), 3).unwrap();
    assert_eq!(field(&state, "next_out"), Value::Bytes(b"cbe".to_vec()));
    let rest = field(&state, "next_in");
    assert_eq!((&rest, field(&state, "avail_out")), (&Value::Bytes(b"ef".to_vec()), Value::Int(0)));
    state = run(&state, &rest, 10).unwrap();
    assert_eq!(field(&state, "next_out"), Value::Bytes(b"dg".to_vec()));
    assert_eq!(field(&state, ""), Value::Handle(handle.clone()));
    // What a failed call did to it comes with the error. One that is there does not begin again.
    let input = fields(&[("", field(&state, "")), ("next_in", Value::Bytes(b"abcde".to_vec()))]);
    let error = stream("cut", &[input, Value::Int(2), Value::Int(-3)]).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::LibraryError, "code -3"));
    let left = error.output_of("stream").cloned().expect("the stream is there").into();
    assert_eq!(field(&left, "next_in"), Value::Bytes(b"de".to_vec()));
    let again = stream("begin", &[fields(&[("", field(&state, ""))]), Value::Int(1)]).unwrap_err();
    assert_eq!((again.kind(), again.executed()), (ErrorKind::InvalidArgument, Executed::No), "{again}");
    assert!(again.message().contains("is there already: end it first"), "{again}");
    stream("end", &[fields(&[("", field(&state, ""))])]).unwrap();
    let error = run(&state, &rest, 10).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::StaleHandle, Executed::No), "{error}");
    drop((state, handle));
    // What fails to begin is not there, and what is dropped is ended.
    let error = stream("begin", &[fields(&[]), Value::Int(-4)]).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::LibraryError, "code -4"));
    assert_eq!(events(&faulty), "oc");
    drop(stream("begin", &[fields(&[]), Value::Int(1)]).unwrap());
    assert_eq!(events(&faulty), "oc");
    let error = stream("run", &[fields(&[])]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "only `begin` begins: {error}");
}
