//! Uses a package of SQLite whose contract says how connections are made anew, as an application would.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use hotcell::{Cause, Error, ErrorKind, Executed, Options, Profile, Restart, Sandbox};
use sqlite3_hotcell::constants::{LIMIT_COLUMN, OPEN_CREATE, OPEN_READWRITE, ROW};
use sqlite3_hotcell::{Library, Sqlite3};

fn folder() -> PathBuf {
    std::env::var_os("DATABASES").expect("where databases are").into()
}

fn open() -> Library {
    let sandbox = Some(Sandbox { write: vec![folder()], ..Sandbox::of(Profile::Files) });
    Library::open_with(Options { sandbox, restart: Restart::ALWAYS, ..Options::default() }).unwrap()
}

/// Ends the worker by a signal, and waits until that is known.
fn kill(library: &Library) {
    let pid = library.session().worker_pid().unwrap();
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    while fs::metadata(format!("/proc/{pid}")).is_ok() {}
}

fn number(db: &Sqlite3, sql: &str) -> hotcell::Result<i32> {
    let statement = db.prepare_v2(sql)?.pp_stmt.expect("a statement");
    assert_eq!(statement.step()?, ROW, "{sql}");
    statement.column_int(0)
}

fn main() {
    a_file_is_opened_again_and_what_was_set_is_there();
    what_was_in_memory_is_gone_and_the_object_says_so();
    what_cannot_be_opened_again_is_stale();
    println!("all is well");
}

fn a_file_is_opened_again_and_what_was_set_is_there() {
    let library = open();
    let path = folder().join("file.db");
    let db = library.open_v2(path.to_str().unwrap(), OPEN_READWRITE | OPEN_CREATE, None).unwrap();
    db.exec("CREATE TABLE t(a); INSERT INTO t VALUES (1), (2); CREATE TEMP TABLE own(a)", None).unwrap();
    db.exec("CREATE TABLE once(a UNIQUE); INSERT INTO once VALUES (1)", None).unwrap();
    assert_eq!(code_of_twice(&db), 19);
    db.busy_timeout(1234).unwrap();
    db.limit(LIMIT_COLUMN, 50).unwrap();
    db.extended_result_codes(1).unwrap();
    assert_eq!(code_of_twice(&db), 2067);
    db.busy_timeout(4321).unwrap();
    let statement = db.prepare_v2("SELECT a FROM t").unwrap().pp_stmt.unwrap();
    assert_eq!((statement.step().unwrap(), db.restored(), library.session().generation()), (ROW, 0, 1));
    kill(&library);
    assert_eq!(number(&db, "SELECT count(*) FROM t").unwrap(), 2);
    assert_eq!((db.restored(), library.session().generation()), (1, 2));
    assert_eq!(number(&db, "PRAGMA busy_timeout").unwrap(), 4321);
    assert_eq!(code_of_twice(&db), 2067);
    // What is not named is lost: this function tells, too (-1 sets nothing), and the last call is what would be made again.
    assert_ne!(db.limit(LIMIT_COLUMN, -1).unwrap(), 50);
    // A statement is not made anew, nor is what this connection had of its own.
    stale(&statement.step().unwrap_err(), (1, 2));
    assert_eq!(db.exec("SELECT a FROM own", None).unwrap_err().kind(), ErrorKind::LibraryError);
    // It goes on as before: nothing of the old one is left that could lock the file.
    db.exec("INSERT INTO t VALUES (3)", None).unwrap();
    assert_eq!(number(&db, "SELECT count(*) FROM t").unwrap(), 3);
    assert_eq!(statement_of(&db), db, "it is the same object to the application");
    kill(&library);
    // To close what went with its worker makes nothing anew.
    stale(&db.clone().close().unwrap_err(), (1, 3));
    assert_eq!(db.restored(), 1);
    // The caller may ask for it.
    db.restore().unwrap();
    assert_eq!((db.restored(), number(&db, "SELECT count(*) FROM t").unwrap()), (2, 3));
    assert_eq!((number(&db, "PRAGMA busy_timeout").unwrap(), code_of_twice(&db)), (4321, 2067));
    // A pipeline takes what is there; what it configures is not kept.
    let mut pipeline = library.pipeline();
    let ticket = pipeline.get_autocommit(&db).unwrap();
    assert_eq!(pipeline.take(ticket).unwrap(), 1);
    let other = library.sqlite3_open(path.to_str().unwrap()).unwrap();
    let ticket = pipeline.busy_timeout(&other, 7).unwrap();
    pipeline.take(ticket).unwrap();
    let ticket = pipeline.open(path.to_str().unwrap()).unwrap();
    let made = pipeline.take(ticket).unwrap();
    drop(pipeline);
    kill(&library);
    let error = other.get_autocommit().unwrap_err();
    stale(&error, (3, 4));
    assert!(error.message().contains("`sqlite3_busy_timeout` configured it in a batch or in a pipeline"), "{error}");
    let error = made.get_autocommit().unwrap_err();
    assert!(error.message().contains("it was made in a batch or in a pipeline"), "{error}");
    db.clone().restore().unwrap();
    db.clone().close().unwrap();
    assert_eq!(db.get_autocommit().unwrap_err().kind(), ErrorKind::StaleHandle);
}

/// The code of a failure that has an extended one.
fn code_of_twice(db: &Sqlite3) -> i64 {
    let error = db.exec("INSERT INTO once VALUES (1)", None).unwrap_err();
    let Cause::Library { code, .. } = error.cause() else { panic!("{error:#}") };
    i64::from(*code)
}

/// The connection of a statement, as the library gives it.
fn statement_of(db: &Sqlite3) -> Sqlite3 {
    db.prepare_v2("SELECT 1").unwrap().pp_stmt.unwrap().db_handle().unwrap()
}

fn what_was_in_memory_is_gone_and_the_object_says_so() {
    let library = open();
    let db = library.sqlite3_open(":memory:").unwrap();
    db.exec("CREATE TABLE t(a)", None).unwrap();
    db.exec("BEGIN", None).unwrap();
    assert_eq!(db.get_autocommit().unwrap(), 0);
    kill(&library);
    let error = db.exec("INSERT INTO t VALUES (1)", None).unwrap_err();
    assert!(matches!(error.cause(), Cause::Library { code: 1, .. }), "{error:#}");
    assert!(error.to_string().contains("no such table"), "{error}");
    assert_eq!((db.restored(), library.session().stats().restored), (1, 1), "the caller can tell");
    assert_eq!(db.get_autocommit().unwrap(), 1, "the transaction went with its worker");
}

fn what_cannot_be_opened_again_is_stale() {
    let library = open();
    let path = folder().join("gone.db");
    let db = library.open_v2(path.to_str().unwrap(), OPEN_READWRITE | OPEN_CREATE, None).unwrap();
    db.exec("CREATE TABLE t(a)", None).unwrap();
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    kill(&library);
    for _ in 0..2 {
        let error = db.busy_timeout(1).unwrap_err();
        stale(&error, (1, 2));
        assert!(error.message().contains("it was not made anew: sqlite3: sqlite3_open_v2: "), "{error}");
        assert!(error.message().contains("unable to open database file"), "{error}");
        assert!(error.call_site().unwrap().file().ends_with("main.rs"), "{error:?}");
    }
    fs::remove_dir(&path).unwrap();
    db.busy_timeout(1).unwrap();
    assert_eq!(db.restored(), 1);
}

fn stale(error: &Error, workers: (u64, u64)) {
    assert_eq!((error.kind(), error.executed()), (ErrorKind::StaleHandle, Executed::No), "{error:#}");
    let Cause::Handle { made, serving, .. } = error.cause() else { panic!("{error:#}") };
    assert_eq!((*made, *serving), workers, "{error:#}");
}
