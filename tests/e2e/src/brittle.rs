//! A library that breaks now and then, or by what it is given (`brittle/brittle.c`), behind a session, called by name.

use std::sync::Arc;

use hotcell::dynamic::{self, Outcome, Value};
use hotcell::{Options, Result, Session, SharedBuf};
use hotcell_bind::Bound;
use hotcell_model::layout::Carries;

use crate::bound::{Shared, bind};
use crate::cli::Folder;

/// The library behind a session.
#[derive(Debug, Clone)]
pub struct Brittle {
    /// The session.
    pub session: Session,
    library: Arc<(Folder, Bound)>,
}

/// The compiled library: the one that is there, or a new one. It is the same for several callers.
fn library(reentrant: bool) -> Arc<(Folder, Bound)> {
    static SHARED: [Shared<(Folder, Bound)>; 2] = [Shared::new(), Shared::new()];
    let (header, code) = (include_str!("brittle/brittle.h"), include_str!("brittle/brittle.c"));
    let contract = include_str!("brittle/bind.toml");
    let threads = if reentrant { "reentrant" } else { "serialized" };
    let contract = contract.replace("tries = 3\n", &format!("tries = 3\nthreads = {threads:?}\n"));
    SHARED[usize::from(reentrant)].get(|| bind("brittle", header, code, &contract))
}

impl Brittle {
    /// Opens a session.
    ///
    /// # Panics
    ///
    /// Where no worker can be started.
    pub fn open(options: Options) -> Brittle {
        Brittle::of(library(false), options)
    }

    /// As [`Brittle::open`], with a contract by which several calls may be made at a time.
    ///
    /// # Panics
    ///
    /// As there.
    pub fn open_reentrant(options: Options) -> Brittle {
        Brittle::of(library(true), options)
    }

    fn of(library: Arc<(Folder, Bound)>, options: Options) -> Brittle {
        let session = library.1.open(options).unwrap_or_else(|error| panic!("{error}"));
        Brittle { session, library }
    }

    /// The same library, through another value of its session.
    #[must_use]
    pub fn through(&self, session: Session) -> Brittle {
        Brittle { session, library: Arc::clone(&self.library) }
    }

    /// Calls `brittle_<name>`; what it returns.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn call(&self, name: &str, args: &[Value]) -> Result<Value> {
        Ok(self.outcome(name, args)?.returned.unwrap_or(Value::Null))
    }

    /// As [`Brittle::call`], with all that comes out.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn outcome(&self, name: &str, args: &[Value]) -> Result<Outcome> {
        dynamic::call(&self.session, &self.library.1.interface, self.function(name), args)
    }

    /// As [`Brittle::call`], awaited.
    ///
    /// # Errors
    ///
    /// Faults.
    pub async fn call_awaited(&self, name: &str, args: &[Value]) -> Result<Value> {
        let (interface, here) = (&self.library.1.interface, std::panic::Location::caller());
        let called = dynamic::call_awaited(&self.session, interface, self.function(name), args, here);
        Ok(called.await?.returned.unwrap_or(Value::Null))
    }

    /// Calls `brittle_ask` with a function of the application.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn ask(&self, visit: &mut dynamic::Callback<'_>) -> Result<Value> {
        self.call_with("ask", &[Value::Callback], visit)
    }

    /// As [`Brittle::call`], with a function of the application.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn call_with(&self, name: &str, args: &[Value], run: &mut dynamic::Callback<'_>) -> Result<Value> {
        let interface = &self.library.1.interface;
        let made = dynamic::call_with(&self.session, interface, self.function(name), args, run)?;
        Ok(made.returned.unwrap_or(Value::Null))
    }

    /// Calls a function of numbers.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn int(&self, name: &str, args: &[i128]) -> Result<i128> {
        let args: Vec<Value> = args.iter().copied().map(Value::Int).collect();
        match self.call(name, &args)? {
            Value::Int(number) => Ok(number),
            other => panic!("`{name}` returned {other:?}"),
        }
    }

    /// Calls `brittle_sum` with data that the library reads where they lie, if that is in a buffer of the session.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn sum_in_place(&self, data: &[u8]) -> Result<u64> {
        let (index, function) = self.function("sum");
        let of =
            |index| function.layout.args.field(Carries::Param { index }).map(|field| field.offset as usize);
        let (Some(buffer), Some(factor)) = (of(0), of(2)) else { panic!("it has data and a factor") };
        let mut call = self.session.call(index)?;
        call.put_buffer(buffer, "data", data)?;
        call.put_u32(factor, 1);
        Ok(call.finish()?.get_u64(0))
    }

    /// The number of `brittle_<name>`.
    #[must_use]
    pub fn index(&self, name: &str) -> u16 {
        self.function(name).0
    }

    /// Calls `brittle_unpack` with room in a buffer of the session, which is lent to the library.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn unpack_into(&self, out: &SharedBuf, data: &[u8]) -> Result<()> {
        let (index, function) = self.function("unpack");
        let of = |carries| function.layout.args.field(carries).map(|field| field.offset as usize);
        let found = (of(Carries::Capacity { index: 0 }), of(Carries::Param { index: 2 }));
        let (Some(room), Some(buffer)) = found else { panic!("it has room and data") };
        let mut call = self.session.call(index)?;
        call.lend_room(room, "out", out)?;
        call.put_buffer(buffer, "data", data)?;
        call.finish().map(drop)
    }

    fn function(&self, name: &str) -> (u16, &hotcell_model::interface::Function) {
        let function = self.library.1.interface.function(&format!("brittle_{name}"));
        function.unwrap_or_else(|| panic!("there is no bound `{name}`"))
    }
}
