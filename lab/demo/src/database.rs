//! SQLite: a table filled and read through prepared statements, in memory.

use hotcell_direct::sqlite3 as direct;
use sqlite3_hotcell::constants::ROW;
use sqlite3_hotcell::{Library, Sqlite3, Stmt};

use crate::screen::Screen;
use crate::work::{equal, text};

/// Rows of the table.
const ROWS: i64 = 10_000;

const CREATE: &str = "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL)";
const INSERT: &str = "INSERT INTO item VALUES (?, ?, ?)";
const SELECT: &str = "SELECT id, name, price FROM item ORDER BY id";

/// The columns of the table.
type Row = (i64, Option<String>, f64);

pub(crate) fn show(screen: &Screen) -> Result<(), String> {
    screen
        .heading("SQLite, contained: connections and statements are objects, released when they are dropped");
    let sqlite = screen.step("start a worker and load SQLite into it", || Library::open().map_err(text))?;
    let version = sqlite.libversion().map_err(text)?.unwrap_or_default();
    println!("  {}", screen.dim(&format!("SQLite {version}, a database in memory")));
    let rows: Vec<Row> = (1..=ROWS).map(row).collect();
    let database = screen.step("open a database and create a table", || {
        let database = sqlite.sqlite3_open(":memory:").map_err(text)?;
        database.exec(CREATE, None).map_err(text)?;
        Ok(database)
    })?;
    screen.step(&format!("insert {ROWS} rows through a prepared statement, contained"), || {
        insert(&database, &rows)
    })?;
    let contained = screen.step("read them back, column by column, contained", || select(&database))?;
    let expected = screen.step("insert and read them with direct calls", || {
        directly(&rows).map_err(|code| format!("SQLite says {code}"))
    })?;
    screen.step("compare with the direct calls' rows and with the original", || {
        equal(&contained, &expected)?;
        equal(&contained, &rows)
    })
}

/// A row with an integer, a text beyond ASCII and, in every seventh row, NULL in its place.
fn row(id: i64) -> Row {
    let name = (id % 7 != 0).then(|| format!("Stück № {id}"));
    (id, name, id as f64 / 8.0)
}

fn insert(database: &Sqlite3, rows: &[Row]) -> Result<(), String> {
    let statement = prepare(database, INSERT)?;
    for (id, name, price) in rows {
        statement.bind_int64(1, *id).map_err(text)?;
        statement.bind_text(2, name.as_deref()).map_err(text)?;
        statement.bind_double(3, *price).map_err(text)?;
        statement.step().map_err(text)?;
        statement.reset().map_err(text)?;
    }
    Ok(())
}

fn select(database: &Sqlite3) -> Result<Vec<Row>, String> {
    let statement = prepare(database, SELECT)?;
    let mut rows = Vec::new();
    while statement.step().map_err(text)? == ROW {
        let id = statement.column_int64(0).map_err(text)?;
        let name = statement.column_text(1).map_err(text)?;
        let price = statement.column_double(2).map_err(text)?;
        rows.push((id, name, price));
    }
    Ok(rows)
}

fn prepare(database: &Sqlite3, sql: &str) -> Result<Stmt, String> {
    let prepared = database.prepare_v2(sql).map_err(text)?;
    prepared.pp_stmt.ok_or_else(|| format!("no statement in {sql:?}"))
}

fn directly(rows: &[Row]) -> Result<Vec<Row>, i32> {
    let database = direct::Connection::in_memory()?;
    database.prepare(CREATE)?.step()?;
    let mut insert = database.prepare(INSERT)?;
    for (id, name, price) in rows {
        insert.bind_integer(1, *id)?;
        insert.bind_text(2, name.as_deref())?;
        insert.bind_double(3, *price)?;
        insert.step()?;
        insert.reset()?;
    }
    let mut select = database.prepare(SELECT)?;
    let mut read = Vec::new();
    while select.step()? {
        read.push((select.integer(0), select.text(1), select.double(2)));
    }
    Ok(read)
}
