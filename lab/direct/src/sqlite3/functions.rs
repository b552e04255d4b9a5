//! Functions, a collation and a hook of the application, called by SQLite in this process.

use std::ffi::{CStr, c_char, c_double, c_int, c_void};
use std::ptr::null_mut;
use std::slice::from_raw_parts;

use super::{Connection, Database, success};

/// `sqlite3_context`, of which nothing is looked at.
#[repr(C)]
struct Context {
    _opaque: [u8; 0],
}

/// `sqlite3_value`, of which nothing is looked at.
#[repr(C)]
struct Value {
    _opaque: [u8; 0],
}

type Called = unsafe extern "C" fn(*mut Context, c_int, *mut *mut Value);
type Ended = unsafe extern "C" fn(*mut Context);
type Compared = unsafe extern "C" fn(*mut c_void, c_int, *const c_void, c_int, *const c_void) -> c_int;
type Updated = unsafe extern "C" fn(*mut c_void, c_int, *const c_char, *const c_char, i64);

unsafe extern "C" {
    fn sqlite3_create_function(
        db: *mut Database,
        name: *const c_char,
        arguments: c_int,
        encoding: c_int,
        user: *mut c_void,
        called: Option<Called>,
        step: Option<Called>,
        ended: Option<Ended>,
    ) -> c_int;
    fn sqlite3_create_collation(
        db: *mut Database,
        name: *const c_char,
        encoding: c_int,
        user: *mut c_void,
        compare: Option<Compared>,
    ) -> c_int;
    fn sqlite3_update_hook(db: *mut Database, updated: Option<Updated>, user: *mut c_void) -> *mut c_void;
    fn sqlite3_aggregate_context(context: *mut Context, bytes: c_int) -> *mut c_void;
    fn sqlite3_value_double(value: *mut Value) -> c_double;
    fn sqlite3_value_int64(value: *mut Value) -> i64;
    fn sqlite3_result_double(context: *mut Context, value: c_double);
    fn sqlite3_result_int64(context: *mut Context, value: i64);
}

/// `SQLITE_UTF8`
const UTF8: c_int = 1;

/// Statements that use `half(x)`, the aggregate `squares(n)` and the collation `backwards`, and change 6 rows.
pub const OWN: &[&str] = &[
    "CREATE TABLE w(name TEXT, n REAL)",
    "INSERT INTO w VALUES ('Grüße', 3), ('abc', 4), ('', 5.5)",
    "SELECT half(n) FROM w",
    "SELECT squares(n) FROM w",
    "SELECT squares(n) FROM w WHERE n > 100",
    "SELECT name FROM w ORDER BY name COLLATE backwards",
    "UPDATE w SET n = half(n) WHERE n > 3.5",
    "SELECT n FROM w ORDER BY n",
    "DELETE FROM w WHERE n < half(5)",
    "SELECT count(*) FROM w WHERE name < 'b' COLLATE backwards",
];

/// A change of a row: operation, table and row.
pub type Change = (i32, String, i64);

/// The first columns of every row of a statement.
pub type Column = Vec<Option<String>>;

/// Runs [`OWN`]: the first column of every row, and what the hook was told.
pub fn own_functions() -> Result<(Vec<Column>, Vec<Change>), i32> {
    let mut changes: Vec<Change> = Vec::new();
    let database = Connection::in_memory()?;
    let (db, none) = (database.0, null_mut());
    // SAFETY: the connection is open, names are terminated, and what is called knows its arguments.
    success(unsafe { sqlite3_create_function(db, c"half".as_ptr(), 1, UTF8, none, Some(half), None, None) })?;
    // SAFETY: as above.
    success(unsafe {
        sqlite3_create_function(db, c"squares".as_ptr(), 1, UTF8, none, None, Some(add_square), Some(sum))
    })?;
    // SAFETY: as above.
    success(unsafe { sqlite3_create_collation(db, c"backwards".as_ptr(), UTF8, none, Some(backwards)) })?;
    // SAFETY: as above; the list lives longer than the connection, and nothing else uses it meanwhile.
    unsafe { sqlite3_update_hook(db, Some(note), (&raw mut changes).cast()) };
    let rows = OWN.iter().map(|sql| column(&database, sql)).collect::<Result<_, i32>>()?;
    drop(database);
    Ok((rows, changes))
}

fn column(database: &Connection, sql: &str) -> Result<Column, i32> {
    let mut statement = database.prepare(sql)?;
    let mut rows = Vec::new();
    while statement.step()? {
        rows.push(statement.text(0));
    }
    Ok(rows)
}

unsafe extern "C" fn half(context: *mut Context, _: c_int, values: *mut *mut Value) {
    // SAFETY: SQLite passes one value, as it was told, and both pointers are valid now.
    unsafe { sqlite3_result_double(context, sqlite3_value_double(*values) / 2.0) };
}

unsafe extern "C" fn add_square(context: *mut Context, _: c_int, values: *mut *mut Value) {
    // SAFETY: as in `half`; the memory is 8 bytes for each statement, zero at first, and aligned for every type.
    unsafe {
        let sum = sqlite3_aggregate_context(context, 8).cast::<i64>();
        *sum += sqlite3_value_int64(*values).pow(2);
    }
}

unsafe extern "C" fn sum(context: *mut Context) {
    // SAFETY: as in `add_square`.
    unsafe { sqlite3_result_int64(context, *sqlite3_aggregate_context(context, 8).cast::<i64>()) };
}

unsafe extern "C" fn backwards(
    _: *mut c_void,
    length: c_int,
    one: *const c_void,
    other_length: c_int,
    two: *const c_void,
) -> c_int {
    let bytes = |data: *const c_void, length: c_int| {
        let length = usize::try_from(length).expect("SQLite counts bytes from 0");
        // SAFETY: SQLite passes texts of so many bytes, which are there until this returns.
        if length == 0 { &[][..] } else { unsafe { from_raw_parts(data.cast::<u8>(), length) } }
    };
    bytes(two, other_length).cmp(bytes(one, length)) as c_int
}

unsafe extern "C" fn note(
    changes: *mut c_void,
    operation: c_int,
    _: *const c_char,
    table: *const c_char,
    row: i64,
) {
    // SAFETY: this is the list that was registered, and the name of the table is terminated.
    let (changes, table) = unsafe { (&mut *changes.cast::<Vec<Change>>(), CStr::from_ptr(table)) };
    changes.push((operation, table.to_string_lossy().into_owned(), row));
}
