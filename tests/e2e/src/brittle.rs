//! A library that breaks now and then, or by what it is given (`brittle/brittle.c`), behind a session, called by name.

use std::sync::Arc;

use hotcell::dynamic::{self, Value};
use hotcell::{Options, Result, Session};
use hotcell_bind::Bound;

use crate::bound::{Shared, bind};
use crate::cli::Folder;

/// The library behind a session.
#[derive(Debug, Clone)]
pub struct Brittle {
    /// The session.
    pub session: Session,
    library: Arc<(Folder, Bound)>,
}

/// The compiled library: the one that is there, or a new one.
fn library() -> Arc<(Folder, Bound)> {
    static SHARED: Shared<(Folder, Bound)> = Shared::new();
    let (header, code) = (include_str!("brittle/brittle.h"), include_str!("brittle/brittle.c"));
    SHARED.get(|| bind("brittle", header, code, include_str!("brittle/bind.toml")))
}

impl Brittle {
    /// Opens a session.
    ///
    /// # Panics
    ///
    /// Where no worker can be started.
    pub fn open(options: Options) -> Brittle {
        let library = library();
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
        let interface = &self.library.1.interface;
        let returned = dynamic::call(&self.session, interface, self.function(name), args)?.returned;
        Ok(returned.unwrap_or(Value::Null))
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
        let interface = &self.library.1.interface;
        let function = self.function("ask");
        let asked = dynamic::call_with(&self.session, interface, function, &[Value::Callback], visit)?;
        Ok(asked.returned.unwrap_or(Value::Null))
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

    fn function(&self, name: &str) -> (u16, &hotcell_model::interface::Function) {
        let function = self.library.1.interface.function(&format!("brittle_{name}"));
        function.unwrap_or_else(|| panic!("there is no bound `{name}`"))
    }
}
