//! SQLite, called in this process.

use std::ffi::{c_char, c_double, c_int, c_void};
use std::marker::PhantomData;
use std::ptr::{null, null_mut};

mod functions;

pub use functions::{Change, Column, OWN, own_functions};

/// `sqlite3`, of which nothing is looked at.
#[repr(C)]
struct Database {
    _opaque: [u8; 0],
}

/// `sqlite3_stmt`, of which nothing is looked at.
#[repr(C)]
struct Prepared {
    _opaque: [u8; 0],
}

const OK: c_int = 0;
const ROW: c_int = 100;
const DONE: c_int = 101;

#[link(name = "sqlite3")]
unsafe extern "C" {
    fn sqlite3_open(filename: *const c_char, db: *mut *mut Database) -> c_int;
    fn sqlite3_close_v2(db: *mut Database) -> c_int;
    fn sqlite3_prepare_v2(
        db: *mut Database,
        sql: *const c_char,
        length: c_int,
        statement: *mut *mut Prepared,
        tail: *mut *const c_char,
    ) -> c_int;
    fn sqlite3_finalize(statement: *mut Prepared) -> c_int;
    fn sqlite3_step(statement: *mut Prepared) -> c_int;
    fn sqlite3_reset(statement: *mut Prepared) -> c_int;
    fn sqlite3_bind_int64(statement: *mut Prepared, index: c_int, value: i64) -> c_int;
    fn sqlite3_bind_double(statement: *mut Prepared, index: c_int, value: c_double) -> c_int;
    fn sqlite3_bind_text(
        statement: *mut Prepared,
        index: c_int,
        text: *const c_char,
        length: c_int,
        destructor: *const c_void,
    ) -> c_int;
    fn sqlite3_column_int64(statement: *mut Prepared, column: c_int) -> i64;
    fn sqlite3_column_double(statement: *mut Prepared, column: c_int) -> c_double;
    fn sqlite3_column_text(statement: *mut Prepared, column: c_int) -> *const u8;
    fn sqlite3_column_bytes(statement: *mut Prepared, column: c_int) -> c_int;
}

/// `SQLITE_TRANSIENT`: the text is copied before the call returns.
const TRANSIENT: *const c_void = std::ptr::without_provenance(usize::MAX);

/// A connection, until it is dropped. Errors are SQLite's codes.
pub struct Connection(*mut Database);

impl Connection {
    /// `sqlite3_open`, of a database in memory.
    pub fn in_memory() -> Result<Connection, i32> {
        let mut database = null_mut();
        // SAFETY: the name is terminated and the place for the connection is this function's.
        let code = unsafe { sqlite3_open(c":memory:".as_ptr(), &mut database) };
        // One that could not be opened is closed all the same.
        let connection = Connection(database);
        success(code).map(|()| connection)
    }

    /// `sqlite3_prepare_v2`.
    pub fn prepare(&self, sql: &str) -> Result<Statement<'_>, i32> {
        let mut statement = null_mut();
        let (start, length) = (sql.as_ptr().cast(), length(sql));
        // SAFETY: the connection is open, pointer and length are those of one text, the place is this function's;
        // nobody asks for the tail.
        let code = unsafe { sqlite3_prepare_v2(self.0, start, length, &mut statement, null_mut()) };
        success(code).map(|()| Statement { prepared: statement, _connection: PhantomData })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: the connection is this value's, and its statements, which borrow it, are gone.
        unsafe { sqlite3_close_v2(self.0) };
    }
}

/// A prepared statement, until it is dropped.
pub struct Statement<'c> {
    prepared: *mut Prepared,
    _connection: PhantomData<&'c Connection>,
}

impl Statement<'_> {
    /// `sqlite3_step`: whether there is a row.
    pub fn step(&mut self) -> Result<bool, i32> {
        // SAFETY: the statement lives as long as this value.
        match unsafe { sqlite3_step(self.prepared) } {
            ROW => Ok(true),
            DONE => Ok(false),
            code => Err(code),
        }
    }

    /// `sqlite3_reset`.
    pub fn reset(&mut self) -> Result<(), i32> {
        // SAFETY: as in `step`.
        success(unsafe { sqlite3_reset(self.prepared) })
    }

    /// `sqlite3_bind_int64`.
    pub fn bind_integer(&mut self, index: i32, value: i64) -> Result<(), i32> {
        // SAFETY: as in `step`; an index that is not there is an error of SQLite's.
        success(unsafe { sqlite3_bind_int64(self.prepared, index, value) })
    }

    /// `sqlite3_bind_double`.
    pub fn bind_double(&mut self, index: i32, value: f64) -> Result<(), i32> {
        // SAFETY: as in `bind_integer`.
        success(unsafe { sqlite3_bind_double(self.prepared, index, value) })
    }

    /// `sqlite3_bind_text`; NULL for nothing.
    pub fn bind_text(&mut self, index: i32, text: Option<&str>) -> Result<(), i32> {
        let (start, length) = text.map_or((null(), 0), |it| (it.as_ptr().cast(), length(it)));
        // SAFETY: as in `bind_integer`; pointer and length are those of one text, which SQLite copies, or NULL and 0.
        success(unsafe { sqlite3_bind_text(self.prepared, index, start, length, TRANSIENT) })
    }

    /// `sqlite3_column_int64`.
    pub fn integer(&mut self, column: i32) -> i64 {
        // SAFETY: as in `step`; without a row or such a column the value is NULL's.
        unsafe { sqlite3_column_int64(self.prepared, column) }
    }

    /// `sqlite3_column_double`.
    pub fn double(&mut self, column: i32) -> f64 {
        // SAFETY: as in `integer`.
        unsafe { sqlite3_column_double(self.prepared, column) }
    }

    /// `sqlite3_column_text`; nothing for NULL.
    pub fn text(&mut self, column: i32) -> Option<String> {
        // SAFETY: as in `integer`.
        let start = unsafe { sqlite3_column_text(self.prepared, column) };
        if start.is_null() {
            return None;
        }
        // SAFETY: as in `integer`; asked for behind the text, as SQLite wants it.
        let length = unsafe { sqlite3_column_bytes(self.prepared, column) };
        let length = usize::try_from(length).expect("SQLite counts bytes from 0");
        // SAFETY: SQLite lends so many bytes until the next call for this statement, and they are copied before.
        let bytes = unsafe { std::slice::from_raw_parts(start, length) };
        Some(String::from_utf8_lossy(bytes).into_owned())
    }
}

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        // SAFETY: the statement is this value's, and its connection, which it borrows, is open.
        unsafe { sqlite3_finalize(self.prepared) };
    }
}

fn success(code: c_int) -> Result<(), i32> {
    if code == OK { Ok(()) } else { Err(code) }
}

fn length(text: &str) -> c_int {
    c_int::try_from(text.len()).expect("test data is below 2 GiB")
}
