//! A library whose own threads call back (`ticker/ticker.c`), behind a session, called by name.

use std::fs;
use std::panic::Location;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use hotcell::dynamic::{self, KeptFunction, Value};
use hotcell::rt::Handle;
use hotcell::{Options, Result, Session};
use hotcell_bind::{Bound, Job, Source};
use hotcell_model::interface::Interface;
use tempfile::TempDir;

use crate::bound::Shared;

/// The library behind a session.
#[derive(Debug, Clone)]
pub struct Ticker {
    /// The session.
    pub session: Session,
    library: Arc<Library>,
}

/// The compiled library, in a folder that goes with the last who uses it.
#[derive(Debug)]
struct Library {
    bound: Bound,
    _folder: Option<TempDir>,
}

/// What is bound, in a folder: the interface, and the shim.
const BOUND: [&str; 2] = ["interface.json", "shim.so"];

/// Compiles and binds the library in a folder, for programs that do neither.
///
/// # Panics
///
/// Where it cannot be bound.
pub fn prepare(folder: &Path) {
    let bound = bind(folder);
    let interface = serde_json::to_vec(&bound.interface).expect("an interface is JSON");
    for (name, bytes) in BOUND.into_iter().zip([&interface[..], bound.package.shim]) {
        fs::write(folder.join(name), bytes).expect("the folder is ours");
    }
}

/// What a callback answers.
pub type Said = std::result::Result<i128, String>;

const FILES: [(&str, &str); 3] = [
    ("ticker.h", include_str!("ticker/ticker.h")),
    ("ticker.c", include_str!("ticker/ticker.c")),
    ("bind.toml", include_str!("ticker/bind.toml")),
];

impl Ticker {
    /// Opens a session.
    ///
    /// # Errors
    ///
    /// Faults of the start.
    pub fn open(options: Options) -> Result<Ticker> {
        let library = Library::get();
        Ok(Ticker { session: library.bound.open(options)?, library })
    }

    /// Opens a session of the library that lies [prepared](prepare) in a folder.
    ///
    /// # Errors
    ///
    /// Faults of the start.
    ///
    /// # Panics
    ///
    /// Where it does not lie there.
    pub fn open_prepared(folder: &Path, options: Options) -> Result<Ticker> {
        let read = |name: &str| fs::read(folder.join(name)).expect("it was prepared");
        let [interface, shim] = BOUND.map(read);
        let interface = String::from_utf8(interface).expect("JSON is UTF-8");
        let interface = Interface::from_json(&interface).expect("it is an interface");
        let bound = Bound {
            package: dynamic::package(&interface, shim),
            rules: dynamic::thread_rules(&interface),
            restores: dynamic::restores(&interface),
            libraries: vec![folder.join("libticker.so")],
            warnings: Vec::new(),
            interface,
        };
        let library = Arc::new(Library { bound, _folder: None });
        Ok(Ticker { session: library.bound.open(options)?, library })
    }

    /// The same, with this deadline for every call.
    #[must_use]
    pub fn within(&self, deadline: Duration) -> Ticker {
        Ticker { session: self.session.within(deadline), library: Arc::clone(&self.library) }
    }

    /// A ticker.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn ticker(&self) -> Result<Handle> {
        match self.call("ticker_new", &[])? {
            Value::Handle(ticker) => Ok(ticker),
            other => panic!("a ticker, not {other:?}"),
        }
    }

    /// Has `tick` called: with the number of the tick, and that of the thread.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn on_tick(
        &self,
        ticker: &Handle,
        mut tick: impl FnMut(i128, i128) -> Said + Send + 'static,
    ) -> Result<()> {
        let function = KeptFunction::new(move |args| {
            let [(_, Value::Int(number)), (_, Value::Int(thread))] = args else {
                return Err(format!("{args:?}"));
            };
            tick(*number, *thread).map(Value::Int)
        });
        self.call("ticker_on_tick", &[ticker.clone().into(), Value::Kept(function)]).map(drop)
    }

    /// Has `got` called with texts and data.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn on_data(
        &self,
        ticker: &Handle,
        mut got: impl FnMut(&str, &[u8]) -> Said + Send + 'static,
    ) -> Result<()> {
        let function = KeptFunction::new(move |args| {
            let [(_, Value::Text(text)), (_, Value::Bytes(data))] = args else {
                return Err(format!("{args:?}"));
            };
            got(text, data).map(Value::Int)
        });
        self.call("ticker_on_data", &[ticker.clone().into(), Value::Kept(function)]).map(drop)
    }

    /// Has `poke` called, which is not for threads.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn on_poke(
        &self,
        ticker: &Handle,
        mut poke: impl FnMut(i128) -> Said + Send + 'static,
    ) -> Result<()> {
        let function = KeptFunction::new(move |args| {
            let [(_, Value::Int(number))] = args else { return Err(format!("{args:?}")) };
            poke(*number).map(Value::Int)
        });
        self.call("ticker_on_poke", &[ticker.clone().into(), Value::Kept(function)]).map(drop)
    }

    /// Starts threads.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn start(&self, ticker: &Handle, threads: i128, count: i128, period: i128) -> Result<()> {
        self.start_with_signals(ticker, (threads, count, period), 0)
    }

    /// As [`Ticker::start`]; each thread is interrupted so often a second.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn start_with_signals(
        &self,
        ticker: &Handle,
        (threads, count, period): (i128, i128, i128),
        signals: i128,
    ) -> Result<()> {
        let numbers = [threads, count, period, signals].map(Value::Int);
        let args = [&[ticker.clone().into()], &numbers[..]].concat();
        self.call("ticker_start", &args).map(drop)
    }

    /// Calls a function that takes a ticker and perhaps numbers, and returns a number or nothing.
    ///
    /// # Errors
    ///
    /// Faults.
    #[track_caller]
    pub fn number(&self, function: &str, ticker: &Handle, numbers: &[i128]) -> Result<i128> {
        let numbers = numbers.iter().copied().map(Value::Int);
        let args: Vec<Value> = [ticker.clone().into()].into_iter().chain(numbers).collect();
        match self.call(function, &args)? {
            Value::Int(number) => Ok(number),
            _ => Ok(0),
        }
    }

    /// Calls a function by name; what it returns.
    ///
    /// # Errors
    ///
    /// Faults.
    #[track_caller]
    pub fn call(&self, name: &str, args: &[Value]) -> Result<Value> {
        let interface = &self.library.bound.interface;
        let function = interface.function(name).expect("it is bound");
        let outcome = dynamic::call(&self.session, interface, function, args)?;
        Ok(outcome.returned.unwrap_or(Value::Null))
    }

    /// As [`Ticker::call`], awaited.
    ///
    /// # Errors
    ///
    /// Faults, and what callbacks on threads of the library have failed with.
    pub async fn awaited(&self, name: &str, args: &[Value]) -> Result<Value> {
        let interface = &self.library.bound.interface;
        let function = interface.function(name).expect("it is bound");
        let call_site = Location::caller();
        let outcome = dynamic::call_awaited(&self.session, interface, function, args, call_site).await?;
        Ok(outcome.returned.unwrap_or(Value::Null))
    }
}

impl Library {
    /// The one that is there, or a new one.
    fn get() -> Arc<Library> {
        static SHARED: Shared<Library> = Shared::new();
        SHARED.get(|| {
            let folder = tempfile::tempdir().expect("there is room for a folder");
            Library { bound: bind(folder.path()), _folder: Some(folder) }
        })
    }
}

fn bind(folder: &Path) -> Bound {
    for (name, text) in FILES {
        fs::write(folder.join(name), text).expect("the folder is ours");
    }
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-shared", "-fPIC"]);
    compiler.args(["-Wl,-soname,libticker.so", "-o", "libticker.so", "ticker.c"]).current_dir(folder);
    assert!(compiler.status().expect("there is a C compiler").success());
    let job = Job {
        source: Source::Contract(folder.join("bind.toml")),
        only: None,
        include_dirs: Vec::new(),
        defines: Vec::new(),
        library_dirs: vec![folder.to_owned()],
    };
    hotcell_bind::bind(&job).unwrap_or_else(|error| panic!("ticker is not bound: {error}"))
}
