//! A library that costs, remembers, searches and complains (`rows.c`), behind sessions.

use hotcell::dynamic::{self, Value};
use hotcell::{Options, Session};
use hotcell_bind::Bound;
use hotcell_e2e::bound;
use hotcell_e2e::cli::Folder;

/// The compiled library.
pub(crate) struct Rows {
    bound: Bound,
    _folder: Folder,
}

impl Rows {
    pub(crate) fn new() -> Rows {
        let (header, code) = (include_str!("rows.h"), include_str!("rows.c"));
        let (folder, bound) = bound::bind("rows", header, code, include_str!("rows.toml"));
        Rows { bound, _folder: folder }
    }

    pub(crate) fn open(&self, options: Options) -> Session {
        self.bound.open(options).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn call(&self, session: &Session, name: &str, args: &[Value]) -> hotcell::Result<i128> {
        let function = self.bound.interface.function(name).unwrap_or_else(|| panic!("there is no {name}"));
        match dynamic::call(session, &self.bound.interface, function, args)?.returned {
            Some(Value::Int(number)) => Ok(number),
            None => Ok(0),
            other => panic!("{name} returned {other:?}"),
        }
    }

    /// Checks that calls work.
    pub(crate) fn serves(&self, session: &Session) {
        assert_eq!(self.call(session, "rows_add", &[Value::Int(2), Value::Int(3)]).ok(), Some(5));
    }
}
