//! SQLite at work: a stock of parts in a database, filled in a transaction and asked with parameters.
//! `cargo run --bin sqlite3-example`
#![forbid(unsafe_code)]

use sqlite3_hotcell::constants::ROW;
use sqlite3_hotcell::{Library, Sqlite3, Stmt};

const PARTS: [(&str, i64, f64, Option<&str>); 4] = [
    ("bolt M6", 1_200, 0.08, None),
    ("nut M6", 1_150, 0.05, None),
    ("bearing 6204", 16, 4.9, Some("shelf 3")),
    ("Wälzlager 6304", 4, 7.25, Some("shelf 3")),
];

fn main() -> hotcell::Result<()> {
    let sqlite = Library::open()?;
    let database = sqlite.sqlite3_open(":memory:")?;
    database.exec("CREATE TABLE part (name TEXT PRIMARY KEY, stock INT, price REAL, place TEXT)", None)?;

    // A statement is prepared once. It lives in its connection, and both are released when they are dropped.
    database.exec("BEGIN", None)?;
    let insert = prepare(&database, "INSERT INTO part VALUES (?, ?, ?, ?)")?;
    for (name, stock, price, place) in PARTS {
        insert.bind_text(1, Some(name))?;
        insert.bind_int64(2, stock)?;
        insert.bind_double(3, price)?;
        insert.bind_text(4, place)?;
        insert.step()?;
        insert.reset()?;
    }
    database.exec("COMMIT", None)?;

    // SQLite calls a function of this program, here, for every row. What fails in it is the error of the query.
    database.create_function("gross", 1, |context, values| {
        Ok(context.result_double(values[0].double()? * 1.25)?)
    })?;
    let sql = "SELECT name, gross(stock * price), place FROM part WHERE price > ? ORDER BY 2";
    let select = prepare(&database, sql)?;
    select.bind_double(1, 1.0)?;
    while select.step()? == ROW {
        let name = select.column_text(0)?.unwrap_or_default();
        let value = select.column_double(1)?;
        let place = select.column_text(2)?.unwrap_or_else(|| "the yard".into());
        println!("{name}: {value:.2} in {place}");
    }

    // A rule of the database that is broken: the error has SQLite's own words, its code and the code's name.
    insert.bind_text(1, Some("nut M6"))?;
    match insert.step() {
        Ok(_) => println!("a second nut"),
        Err(error) => println!("{error}"),
    }
    Ok(())
}

fn prepare(database: &Sqlite3, sql: &str) -> hotcell::Result<Stmt> {
    let statement = database.prepare_v2(sql)?.pp_stmt;
    Ok(statement.expect("SQLite gives none for an empty text only"))
}
