//! SQLite with functions, collations and hooks of the application.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hotcell::{Cause, Error, ErrorKind, Executed, Options};
use hotcell_direct::sqlite3 as direct;
use sqlite3_hotcell::constants::{DETERMINISTIC, INSERT, ROW, UTF8};
use sqlite3_hotcell::{Library, Sqlite3};

fn memory(library: &Library) -> Sqlite3 {
    let db = library.sqlite3_open(":memory:").unwrap();
    db.exec("CREATE TABLE t(a); INSERT INTO t VALUES (1), (2), (3), (4)", None).unwrap();
    db
}

/// The first column of every row, as texts.
fn ask(db: &Sqlite3, sql: &str) -> hotcell::Result<Vec<Option<String>>> {
    let statement = db.prepare_v2(sql)?.pp_stmt.expect("a statement");
    let mut rows = Vec::new();
    while statement.step()? == ROW {
        rows.push(statement.column_text(0)?);
    }
    Ok(rows)
}

fn texts(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

/// The code and the text of an error of SQLite.
fn said(error: &Error) -> (i64, Option<&str>) {
    match error.cause() {
        Cause::Library { code, message, .. } => (*code, message.as_deref()),
        other => panic!("{other:?}: {error}"),
    }
}

#[test]
fn functions_collations_and_hooks_do_what_they_do_directly() {
    let library = Library::open().unwrap();
    let db = library.sqlite3_open(":memory:").unwrap();
    let changes = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&changes);
    db.update_hook(Some(Box::new(move |operation, _, table, row| {
        noted.lock().unwrap().push((operation, table.to_owned(), row));
        Ok(())
    })))
    .unwrap();
    db.create_function("half", 1, |context, values| Ok(context.result_double(values[0].double()? / 2.0)?))
        .unwrap();
    let sum = Arc::new(Mutex::new(0));
    let total = Arc::clone(&sum);
    db.create_function_v2(
        "squares",
        1,
        UTF8 | DETERMINISTIC,
        None,
        Some(Box::new(move |_, values| {
            *sum.lock().unwrap() += values[0].int64()?.pow(2);
            Ok(())
        })),
        Some(Box::new(move |context| Ok(context.result_int64(std::mem::take(&mut *total.lock().unwrap()))?))),
    )
    .unwrap();
    db.create_collation("backwards", |one, two| Ok(two.cmp(one) as i32)).unwrap();
    let mut contained = Vec::new();
    for sql in direct::OWN {
        contained.push(ask(&db, sql).unwrap());
    }
    let (rows, hooks) = direct::own_functions().unwrap();
    assert_eq!(contained, rows);
    assert_eq!(*changes.lock().unwrap(), hooks);
    assert_eq!(hooks.len(), 6);
    assert!(hooks.contains(&(INSERT, "w".to_owned(), 1)), "{hooks:?}");
    assert!(rows.concat().len() > 10);
}

#[test]
fn a_panic_in_a_function_stops_the_statement_and_comes_out() {
    let library = Library::open().unwrap();
    let db = memory(&library);
    let mut calls = 0;
    db.create_function("third", 1, move |context, values| {
        calls += 1;
        assert!(calls < 3, "the third");
        Ok(context.result_value(&values[0])?)
    })
    .unwrap();
    let insert = || db.exec("INSERT INTO t SELECT third(a) FROM t", None);
    let panic = catch_unwind(AssertUnwindSafe(insert)).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the third"));
    assert_eq!(db.errmsg().unwrap().as_deref(), Some("query aborted"));
    assert_eq!(ask(&db, "SELECT count(*) FROM t").unwrap(), texts(&["4"]), "nothing is half done");
    let again = catch_unwind(AssertUnwindSafe(insert)).unwrap_err();
    assert_eq!(again.downcast_ref::<&str>(), Some(&"the third"), "it is kept");
    assert_eq!(library.session().generation(), 1);
}

#[test]
fn an_error_of_a_function_is_the_librarys_or_the_applications() {
    let library = Library::open().unwrap();
    let db = memory(&library);
    db.create_function("told", 1, |context, _| Ok(context.result_error("not this one")?)).unwrap();
    let error = ask(&db, "SELECT told(a) FROM t").unwrap_err();
    assert_eq!((error.kind(), said(&error)), (ErrorKind::LibraryError, (1, Some("not this one"))));
    db.create_function("raised", 1, |_, _| Err("not here".into())).unwrap();
    let error = db.exec("INSERT INTO t SELECT raised(a) FROM t", None).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::CallbackFailed, "not here"));
    assert_eq!(error.executed(), Executed::Yes);
    // An error of a call in it comes out as it is.
    db.create_function("asked", 1, |context, _| {
        context.db_handle()?.exec("SELECT * FROM missing", None)?;
        Ok(context.result_int(1)?)
    })
    .unwrap();
    let error = ask(&db, "SELECT asked(a) FROM t").unwrap_err();
    assert_eq!((error.kind(), said(&error)), (ErrorKind::LibraryError, (1, Some("no such table: missing"))));
    assert_eq!(ask(&db, "SELECT count(*) FROM t").unwrap(), texts(&["4"]));
}

#[test]
fn a_function_may_ask_the_database_it_is_called_from() {
    let library = Library::open().unwrap();
    let db = memory(&library);
    let (sender, connections) = channel();
    db.create_function("below", 1, move |context, values| {
        let its = context.db_handle()?;
        let statement = its.prepare_v2("SELECT count(*) FROM t WHERE a < ?")?.pp_stmt.expect("a statement");
        statement.bind_value(1, &values[0])?;
        statement.step()?;
        context.result_value(&statement.column_value(0)?)?;
        sender.send((its, values[0].clone())).unwrap();
        Ok(())
    })
    .unwrap();
    assert_eq!(ask(&db, "SELECT below(a) FROM t").unwrap(), texts(&["0", "1", "2", "3"]));
    let (its, value) = connections.recv().unwrap();
    assert_eq!(its, db, "it is the same connection");
    assert_eq!(value.int().unwrap_err().kind(), ErrorKind::StaleHandle, "arguments are lent");
    // In a function in a function.
    db.create_function("deeper", 1, |context, _| {
        let below = ask(&context.db_handle()?, "SELECT below(4)")?;
        Ok(context.result_text(below[0].as_deref().unwrap_or("nothing"))?)
    })
    .unwrap();
    assert_eq!(ask(&db, "SELECT deeper(1)").unwrap(), texts(&["3"]));
}

#[test]
fn the_last_of_many_registrations_is_called() {
    let library = Library::open().unwrap();
    let db = memory(&library);
    let token = Arc::new(());
    for number in 0..1_000 {
        let token = Arc::clone(&token);
        db.create_function("number", 0, move |context, _| {
            let _token = &token;
            Ok(context.result_int(number)?)
        })
        .unwrap();
    }
    assert_eq!(ask(&db, "SELECT number()").unwrap(), texts(&["999"]));
    let other = memory(&library);
    let error = ask(&other, "SELECT number()").unwrap_err();
    assert_eq!(said(&error), (1, Some("no such function: number")));
    // Another name, and other arguments, are other functions.
    db.create_function("number", 1, |context, values| Ok(context.result_value(&values[0])?)).unwrap();
    assert_eq!(ask(&db, "SELECT number() + number(1)").unwrap(), texts(&["1000"]));
    db.create_function_v2("number", 0, UTF8, None, None, None).unwrap();
    assert!(ask(&db, "SELECT number()").is_err());
    assert!(Arc::strong_count(&token) > 1, "only the library knows that it has them no more");
    db.close().unwrap();
    assert_eq!(Arc::strong_count(&token), 1);
}

#[test]
fn a_hook_goes_with_its_connection() {
    let library = Library::open().unwrap();
    let (db, other) = (memory(&library), memory(&library));
    let (sender, seen) = channel();
    let hook = |name: &'static str| {
        let sender = sender.clone();
        Box::new(move || Ok(sender.send(name).map(|()| 0)?))
    };
    db.commit_hook(Some(hook("first"))).unwrap();
    other.commit_hook(Some(hook("second"))).unwrap();
    drop(sender);
    let write = |db: &Sqlite3| db.exec("INSERT INTO t VALUES (5)", None);
    write(&db).unwrap();
    let closed = db.clone();
    db.close().unwrap();
    let error = write(&closed).unwrap_err();
    assert_eq!((error.kind(), error.executed()), (ErrorKind::StaleHandle, Executed::No));
    assert_eq!(closed.commit_hook(None).unwrap_err().kind(), ErrorKind::StaleHandle);
    write(&other).unwrap();
    other.commit_hook(None).unwrap();
    write(&other).unwrap();
    drop(other);
    assert_eq!(seen.iter().collect::<Vec<_>>(), ["first", "second"], "both are gone, with what they hold");
}

#[test]
fn a_collation_is_made_when_it_is_needed() {
    let library = Library::open().unwrap();
    let db = memory(&library);
    db.collation_needed(Some(Box::new(|db, _, name| {
        let backwards = name == "backwards";
        Ok(db.create_collation(name, move |one, two| {
            Ok(if backwards { two.cmp(one) } else { one.cmp(two) } as i32)
        })?)
    })))
    .unwrap();
    let sorted = |collation| {
        let sql = format!("SELECT column1 FROM (VALUES ('b'), ('c'), ('a')) ORDER BY 1 COLLATE {collation}");
        ask(&db, &sql).unwrap()
    };
    assert_eq!(sorted("backwards"), texts(&["c", "b", "a"]));
    assert_eq!(sorted("forwards"), texts(&["a", "b", "c"]));
    assert_eq!(
        sorted("backwards"),
        texts(&["c", "b", "a"]),
        "it is kept by the connection, not by the callback"
    );
}

#[test]
fn a_commit_hook_that_fails_rolls_back() {
    let library = Library::open().unwrap();
    let db = memory(&library);
    db.commit_hook(Some(Box::new(|| Err("not now".into())))).unwrap();
    let error = db.exec("INSERT INTO t VALUES (5)", None).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::CallbackFailed, "not now"));
    assert_eq!(ask(&db, "SELECT count(*) FROM t").unwrap(), texts(&["4"]));
}

#[test]
fn a_statement_of_a_connection_that_was_asked_for_is_the_connections() {
    let library = Library::open().unwrap();
    let db = memory(&library);
    let first = db.prepare_v2("SELECT a FROM t").unwrap().pp_stmt.unwrap();
    let its = first.db_handle().unwrap();
    assert_eq!(its, db);
    let second = its.prepare_v2("SELECT a FROM t").unwrap().pp_stmt.unwrap();
    let listed = db.next_stmt(None).unwrap().unwrap();
    assert!(listed == first || listed == second);
    drop(listed);
    first.finalize().unwrap();
    assert_eq!((second.step().unwrap(), second.column_text(0).unwrap().as_deref()), (ROW, Some("1")));
    drop(second);
    assert_eq!(its.next_stmt(None).unwrap(), None);
    its.close().unwrap();
    assert_eq!(db.exec("SELECT 1", None).unwrap_err().kind(), ErrorKind::StaleHandle);
}

#[test]
fn a_statement_made_in_a_function_keeps_its_connection() {
    let library = Library::open().unwrap();
    let before = library.memory_used().unwrap();
    let db = memory(&library);
    let ((sender, made), (hooks, seen)) = (channel(), channel());
    db.commit_hook(Some(Box::new(move || Ok(hooks.send("commit").map(|()| 0)?)))).unwrap();
    db.create_function("make", 0, move |context, _| {
        let statement = context.db_handle()?.prepare_v2("INSERT INTO t VALUES (5)")?.pp_stmt;
        Ok(sender.send(statement.expect("a statement"))?)
    })
    .unwrap();
    ask(&db, "SELECT make()").unwrap();
    drop(db);
    let insert = made.recv().unwrap();
    insert.step().unwrap();
    assert_eq!(seen.try_recv(), Ok("commit"), "the connection is there, with its hook");
    drop(insert);
    assert_eq!(seen.iter().count(), 0, "and goes with its last statement");
    assert_eq!(library.memory_used().unwrap(), before);
}

/// Counts for days, unless somebody stops it.
const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n WHERE i < 0";

#[test]
fn a_query_that_takes_too_long_costs_nothing_but_itself() {
    let options = Options { cancel_grace: Duration::from_secs(20), ..Options::default() };
    let library = Library::open_with(options).unwrap();
    // What a connection has, and would lose with its worker.
    let db = memory(&library);
    let brief = db.within(Duration::from_millis(100));
    let is_stopped = |error: &Error| {
        assert_eq!((error.kind(), error.executed()), (ErrorKind::DeadlineExceeded, Executed::Yes), "{error}");
        assert!(!error.is_fault());
    };
    is_stopped(&brief.exec(ENDLESS, None).unwrap_err());
    let statement = db.prepare_v2(ENDLESS).unwrap().pp_stmt.unwrap();
    is_stopped(&statement.within(Duration::from_millis(100)).step().unwrap_err());
    // The statement is there, and one that is run behind it is not stopped.
    assert_eq!(statement.sql().unwrap().as_deref(), Some(ENDLESS));
    assert_eq!(ask(&db, "SELECT sum(a) FROM t").unwrap(), texts(&["10"]));
    assert_eq!((library.session().generation(), library.session().stats().faults.len()), (1, 0));
}
