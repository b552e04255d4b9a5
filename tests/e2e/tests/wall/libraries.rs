//! Real libraries work behind the wall.

use hotcell::{Cause, ErrorKind, Options, Profile, Require, Sandbox};
use hotcell_e2e::cli::Folder;
use hotcell_e2e::wall::as_every_user;
use sqlite3_hotcell::constants::ROW;
use sqlite3_hotcell::{Library, Sqlite3};

/// The first column of the first row.
fn ask(db: &Sqlite3, sql: &str) -> Option<String> {
    let statement = db.prepare_v2(sql).unwrap().pp_stmt.unwrap();
    assert_eq!(statement.step().unwrap(), ROW, "{sql}");
    statement.column_text(0).unwrap()
}

#[test]
fn a_database_works_where_its_directory_is_named() {
    as_every_user("libraries::a_database_works_where_its_directory_is_named", || {
        let folder = Folder::new();
        let path = folder.path().join("stock.db").display().to_string();
        let write = vec![folder.path().to_owned()];
        let sandbox = Sandbox { write, require: Require::Strict, ..Sandbox::of(Profile::Files) };
        let library = Library::open_with(Options { sandbox: Some(sandbox), ..Options::default() }).unwrap();
        let db = library.sqlite3_open(&path).unwrap();
        // Journals beside it, sorters and copies in the temporary directory, locks, and memory that processes share.
        db.exec("CREATE TABLE part(name TEXT, stock INT); CREATE INDEX by_stock ON part(stock)", None)
            .unwrap();
        db.exec("BEGIN; INSERT INTO part VALUES ('bolt', 7), ('nut', 9); COMMIT", None).unwrap();
        assert_eq!(ask(&db, "PRAGMA journal_mode = WAL").as_deref(), Some("wal"));
        let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) \
                    INSERT INTO part SELECT hex(randomblob(16)), i FROM n";
        db.exec(rows, None).unwrap();
        db.exec("PRAGMA temp_store = FILE; PRAGMA cache_size = 10", None).unwrap();
        assert!(ask(&db, "SELECT name FROM part ORDER BY name LIMIT 1").is_some());
        db.exec("PRAGMA wal_checkpoint(TRUNCATE); DELETE FROM part WHERE stock > 100; VACUUM", None).unwrap();
        drop(db);
        let again = library.sqlite3_open(&path).unwrap();
        assert_eq!(ask(&again, "SELECT count(*) FROM part").as_deref(), Some("102"));
        assert_eq!(ask(&again, "PRAGMA integrity_check").as_deref(), Some("ok"));
        assert_eq!(library.session().generation(), 1, "nothing was denied");
    });
}

#[test]
fn a_database_in_memory_needs_no_files() {
    as_every_user("libraries::a_database_in_memory_needs_no_files", || {
        let strict = Sandbox { require: Require::Strict, ..Sandbox::of(Profile::Compute) };
        let library = Library::open_with(Options { sandbox: Some(strict), ..Options::default() }).unwrap();
        let db = library.sqlite3_open(":memory:").unwrap();
        db.exec("CREATE TABLE t(a); INSERT INTO t VALUES (1), (2); VACUUM", None).unwrap();
        assert_eq!(ask(&db, "SELECT hex(randomblob(8)) != hex(randomblob(8))").as_deref(), Some("1"));
        assert_eq!(library.session().refused(), None);
        let error = library.sqlite3_open("/no/such/folder/stock.db").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SandboxDenied, "{error}");
        let Cause::Denied(denied) = error.cause() else { panic!("{error:?}") };
        let path = denied.path.as_deref().unwrap();
        assert!("/no/such/folder/stock.db".starts_with(path), "SQLite looks at each part of it: {path}");
    });
}
