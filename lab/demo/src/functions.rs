//! SQLite calls back: functions, a collation and a hook of the application, and one of them fails.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use hotcell_direct::sqlite3 as direct;
use sqlite3_hotcell::constants::{DETERMINISTIC, ROW, UTF8};
use sqlite3_hotcell::{Library, Sqlite3};

use crate::screen::Screen;
use crate::work::{equal, text};

pub(crate) fn show(screen: &Screen) -> Result<(), String> {
    screen.heading("SQLite, calling back: what the application registers runs in the application");
    let sqlite = Library::open().map_err(text)?;
    let database = sqlite.sqlite3_open(":memory:").map_err(text)?;
    let changes = Arc::new(Mutex::new(Vec::new()));
    screen.step("register an SQL function, an aggregate, a collation and an update hook", || {
        register(&database, &changes).map_err(text)
    })?;
    let contained = screen.step("run statements that use them, contained", || {
        direct::OWN
            .iter()
            .map(|sql| column(&database, sql))
            .collect::<hotcell::Result<Vec<_>>>()
            .map_err(text)
    })?;
    let (rows, told) = screen.step("run them with direct calls", || {
        direct::own_functions().map_err(|code| format!("SQLite says {code}"))
    })?;
    screen.step(
        &format!("compare the rows, and the {} changes that the hooks were told", told.len()),
        || {
            equal(&contained, &rows)?;
            equal(&*changes.lock().map_err(|_| "a hook panicked")?, &told)
        },
    )?;
    screen.step("an SQL function panics: the INSERT is undone, the panic comes out here", || {
        let counted = "SELECT count(*) FROM w";
        let before = column(&database, counted).map_err(text)?;
        database.create_function("fails", 1, |_, _| panic!("in an SQL function")).map_err(text)?;
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| ()));
        let insert = || database.exec("INSERT INTO w SELECT fails(name), n FROM w", None);
        let panic = catch_unwind(AssertUnwindSafe(insert)).err();
        std::panic::set_hook(hook);
        let said = panic.as_ref().and_then(|panic| panic.downcast_ref::<&str>()).copied();
        equal(&said, &Some("in an SQL function"))?;
        equal(&column(&database, counted).map_err(text)?, &before)
    })
}

fn register(database: &Sqlite3, changes: &Arc<Mutex<Vec<direct::Change>>>) -> hotcell::Result<()> {
    database.create_function("half", 1, |context, values| {
        Ok(context.result_double(values[0].double()? / 2.0)?)
    })?;
    let sum = Arc::new(Mutex::new(0));
    let squares = Arc::clone(&sum);
    database.create_function_v2(
        "squares",
        1,
        UTF8 | DETERMINISTIC,
        None,
        Some(Box::new(move |_, values| {
            *squares.lock().map_err(|_| "a step panicked")? += values[0].int64()?.pow(2);
            Ok(())
        })),
        Some(Box::new(move |context| {
            let sum = std::mem::take(&mut *sum.lock().map_err(|_| "a step panicked")?);
            Ok(context.result_int64(sum)?)
        })),
    )?;
    database.create_collation("backwards", |one, two| Ok(two.cmp(one) as i32))?;
    let changes = Arc::clone(changes);
    database.update_hook(Some(Box::new(move |operation, _, table, row| {
        let mut changes = changes.lock().map_err(|_| "a hook panicked")?;
        changes.push((operation, table.to_owned(), row));
        Ok(())
    })))
}

/// The first column of every row.
fn column(database: &Sqlite3, sql: &str) -> hotcell::Result<direct::Column> {
    let mut rows = Vec::new();
    if let Some(statement) = database.prepare_v2(sql)?.pp_stmt {
        while statement.step()? == ROW {
            rows.push(statement.column_text(0)?);
        }
    }
    Ok(rows)
}
