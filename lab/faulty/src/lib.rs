//! The faulty library: one C function for each way in which C code fails, bound at run time, or carried by a program.
#![forbid(unsafe_code)]

mod carried;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hotcell::dynamic::{self, Outcome, Value};
use hotcell::{Library, Options, Session, Ticket};
use hotcell_bind::{Bound, Error, Job, Source};
use hotcell_model::interface::Interface;

pub use carried::{Carried, DIRECT, DIRECT_LIBRARY, LIBRARY, OTHER_LAYOUT, SHIM, carried};
pub use hotcell_model::interface::Function;

/// Binds the library; the work is done once per process.
pub fn bound() -> Result<&'static Bound, Error> {
    static BOUND: OnceLock<Result<Bound, Error>> = OnceLock::new();
    BOUND.get_or_init(|| hotcell_bind::bind(&job())).as_ref().map_err(Clone::clone)
}

/// What is bound: the contract beside the header, and the library compiled by this crate's build.
pub fn job() -> Job {
    Job {
        source: Source::Contract(folder().join("bind.toml")),
        only: None,
        include_dirs: Vec::new(),
        defines: Vec::new(),
        library_dirs: vec![PathBuf::from(env!("FAULTY_DIR"))],
    }
}

/// The folder with header and contract.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The compiled library.
pub fn library() -> PathBuf {
    PathBuf::from(env!("FAULTY_DIR")).join("libfaulty.so")
}

/// The faulty library behind a session.
#[derive(Debug, Clone)]
pub struct Faulty {
    bound: &'static Bound,
    session: Session,
}

impl Faulty {
    /// Opens a session. Panics when the library cannot be bound: then there is nothing to show.
    pub fn open(options: Options) -> hotcell::Result<Faulty> {
        let bound = bound().unwrap_or_else(|error| panic!("the faulty library is not bound: {error}"));
        Ok(Faulty { bound, session: bound.open(options)? })
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The same library with a deadline for every call.
    pub fn within(&self, deadline: Duration) -> Faulty {
        Faulty { bound: self.bound, session: self.session.within(deadline) }
    }

    /// Calls `faulty_<name>`.
    pub fn call(&self, name: &str, args: &[Value]) -> hotcell::Result<Outcome> {
        dynamic::call(&self.session, &self.bound.interface, self.function(name), args)
    }

    /// The function `faulty_<name>`, with its index.
    pub fn function(&self, name: &str) -> (u16, &'static Function) {
        let function = self.bound.interface.function(&format!("faulty_{name}"));
        function.unwrap_or_else(|| panic!("the faulty library has no bound `{name}`"))
    }

    /// As [`Faulty::call`], with a callback.
    pub fn call_with(
        &self,
        name: &str,
        args: &[Value],
        callback: &mut dynamic::Callback<'_>,
    ) -> hotcell::Result<Outcome> {
        let interface = &self.bound.interface;
        dynamic::call_with(&self.session, interface, self.function(name), args, callback)
    }

    /// As [`Faulty::call`], awaited.
    #[cfg(feature = "tokio")]
    #[track_caller]
    pub fn awaited(
        &self,
        name: &str,
        args: &[Value],
    ) -> impl Future<Output = hotcell::Result<Outcome>> + Send + use<> {
        let (faulty, function, args) = (self.clone(), self.function(name), args.to_vec());
        let call_site = std::panic::Location::caller();
        async move {
            let interface = &faulty.bound.interface;
            dynamic::call_awaited(&faulty.session, interface, function, &args, call_site).await
        }
    }

    /// Begins a batch.
    pub fn batch(&self) -> dynamic::Batch {
        static INTERFACE: OnceLock<Arc<Interface>> = OnceLock::new();
        let interface = INTERFACE.get_or_init(|| Arc::new(self.bound.interface.clone()));
        dynamic::Batch::new(&self.session, interface)
    }

    /// Puts a call of `faulty_<name>` into a batch.
    #[track_caller]
    pub fn put(
        &self,
        batch: &mut dynamic::Batch,
        name: &str,
        args: &[Value],
    ) -> hotcell::Result<Ticket<Outcome>> {
        batch.add(self.function(name).0, args.to_vec())
    }

    /// Calls a function that takes and returns integers.
    pub fn int(&self, name: &str, args: &[i128]) -> hotcell::Result<i128> {
        let args: Vec<Value> = args.iter().copied().map(Value::Int).collect();
        match self.call(name, &args)?.returned {
            Some(Value::Int(number)) => Ok(number),
            _ => Ok(0),
        }
    }
}

impl Library for Faulty {
    /// Panics as [`Faulty::open`] does.
    fn package() -> &'static hotcell::rt::Package {
        bound().unwrap_or_else(|error| panic!("the faulty library is not bound: {error}")).package
    }

    fn open_with(options: Options) -> hotcell::Result<Faulty> {
        Faulty::open(options)
    }

    fn session(&self) -> &Session {
        &self.session
    }
}
