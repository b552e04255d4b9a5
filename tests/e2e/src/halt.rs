//! A library whose calls can be stopped (`halt/halt.c`), behind a session, called by name.

use std::panic::Location;
use std::sync::Arc;

use hotcell::dynamic::{self, Value};
use hotcell::rt::{Collects as _, Handle, Puts as _};
use hotcell::{Options, Pipeline, Result, Session, Ticket};
use hotcell_bind::Bound;

use crate::bound::{Shared, bind};
use crate::cli::Folder;

/// The library behind a session.
#[derive(Debug, Clone)]
pub struct Halt {
    /// The session.
    pub session: Session,
    library: Arc<(Folder, Bound)>,
}

/// The compiled library: the one that is there, or a new one.
pub fn library() -> Arc<(Folder, Bound)> {
    static SHARED: Shared<(Folder, Bound)> = Shared::new();
    let (header, code) = (include_str!("halt/halt.h"), include_str!("halt/halt.c"));
    SHARED.get(|| bind("halt", header, code, include_str!("halt/bind.toml")))
}

impl Halt {
    /// Opens a session.
    ///
    /// # Panics
    ///
    /// Where no worker can be started.
    pub fn open(options: Options) -> Halt {
        let library = library();
        let session = library.1.open(options).unwrap_or_else(|error| panic!("{error}"));
        Halt { session, library }
    }

    /// Opens a session of the library as if several threads might be inside of it, which is so of calls on jobs of their own.
    ///
    /// # Panics
    ///
    /// Where no worker can be started.
    pub fn several(options: Options) -> Halt {
        let (header, code) = (include_str!("halt/halt.h"), include_str!("halt/halt.c"));
        let contract =
            include_str!("halt/bind.toml").replacen("[handle]", "threads = \"reentrant\"\n\n[handle]", 1);
        let library = Arc::new(bind("halt", header, code, &contract));
        let session = library.1.open(options).unwrap_or_else(|error| panic!("{error}"));
        Halt { session, library }
    }

    /// The same library, through another value of its session.
    #[must_use]
    pub fn through(&self, session: Session) -> Halt {
        Halt { session, library: Arc::clone(&self.library) }
    }

    /// Calls a function; what it returns.
    ///
    /// # Errors
    ///
    /// Faults, and calls that were stopped.
    #[track_caller]
    pub fn call(&self, name: &str, args: &[Value]) -> Result<Value> {
        let interface = &self.library.1.interface;
        let function = interface.function(name).expect("it is bound");
        Ok(dynamic::call(&self.session, interface, function, args)?.returned.unwrap_or(Value::Null))
    }

    /// Calls a function of an object and perhaps a number; the number that it returns.
    ///
    /// # Errors
    ///
    /// As [`Halt::call`].
    #[track_caller]
    pub fn int(&self, name: &str, of: &Handle, number: Option<i128>) -> Result<i128> {
        let args: Vec<Value> =
            [Value::Handle(of.clone())].into_iter().chain(number.map(Value::Int)).collect();
        let returned = self.call(name, &args)?;
        let Value::Int(number) = returned else { panic!("`{name}` returned {returned:?}") };
        Ok(number)
    }

    /// Calls a function of these that makes an object.
    ///
    /// # Errors
    ///
    /// As [`Halt::call`].
    #[track_caller]
    pub fn make(&self, name: &str, of: &[&Handle]) -> Result<Handle> {
        let args: Vec<Value> = of.iter().map(|of| Value::Handle((*of).clone())).collect();
        let returned = self.call(name, &args)?;
        let Value::Handle(object) = returned else { panic!("`{name}` returned {returned:?}") };
        Ok(object)
    }

    /// Sends a call of a function of an object and a number behind others.
    ///
    /// # Errors
    ///
    /// Where it cannot be sent.
    pub fn send(&self, pipe: &mut Pipeline, name: &str, of: &Handle, number: i32) -> Result<Ticket<i32>> {
        let interface = &self.library.1.interface;
        let index = interface.functions.iter().position(|function| function.name == name);
        let index = index.expect("it is bound");
        let kind = interface.handle_number(of.type_name()).expect("it is one of the library's");
        let mut call = pipe.entry_of(index as u16, &[Some(of)])?;
        call.put_handle(0, "job", of, kind)?;
        call.put_i32(8, number);
        Ok(call.values(|reply| reply.get_i32(0)))
    }

    /// As [`Halt::int`], awaited.
    ///
    /// # Errors
    ///
    /// As [`Halt::call`].
    pub fn awaited(
        &self,
        name: &str,
        of: &Handle,
        number: i128,
    ) -> impl Future<Output = Result<Value>> + Send + use<> {
        let (halt, name, args) =
            (self.clone(), name.to_owned(), [Value::Handle(of.clone()), Value::Int(number)]);
        let here = Location::caller();
        async move {
            let interface = &halt.library.1.interface;
            let function = interface.function(&name).expect("it is bound");
            let called = dynamic::call_awaited(&halt.session, interface, function, &args, here);
            Ok(called.await?.returned.unwrap_or(Value::Null))
        }
    }

    /// Calls a function of an object that calls back.
    ///
    /// # Errors
    ///
    /// As [`Halt::call`].
    #[track_caller]
    pub fn visit(
        &self,
        name: &str,
        of: &Handle,
        mut visit: impl FnMut(i128) -> std::result::Result<i128, String>,
    ) -> Result<Value> {
        let interface = &self.library.1.interface;
        let function = interface.function(name).expect("it is bound");
        let mut visit = |_: &str, args: &[(String, Value)]| match &args[0].1 {
            Value::Int(number) => Ok(Value::Int(visit(*number)?)),
            other => panic!("{other:?}"),
        };
        let args = [Value::Handle(of.clone()), Value::Callback];
        let called = dynamic::call_with(&self.session, interface, function, &args, &mut visit)?;
        Ok(called.returned.unwrap_or(Value::Null))
    }
}
