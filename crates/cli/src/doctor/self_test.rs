//! A call, a crash and the next call, on functions of the C library that is here.

use std::fmt;
use std::time::{Duration, Instant};

use hotcell::dynamic::{self, Value};
use hotcell::{ErrorKind, Level, LoadedFile, Options, Session};
use hotcell_bind::{Bound, Job, Source};
use serde_json::json;

/// What it does, for people.
pub(super) const WHAT: &str =
    "called abs() in a worker; aborted there, which was an error value here; called abs() again";

/// Calls whose median is told.
const CALLS: usize = 1000;

/// Two functions that every C library has.
const CONTRACT: &str = r#"
hotcell = 1
library = "c"
headers = ["stdlib.h"]
link = ["libc.so.6"]
include = ["abs", "abort"]
"#;

/// How long its parts took.
#[derive(Debug)]
pub(super) struct Times {
    /// Reading the header and compiling the shim.
    bind: Duration,
    /// From nothing to a worker that serves.
    start: Duration,
    /// The median call.
    call: Duration,
    /// From the call to the error.
    crash: Duration,
    /// The call after the crash, on a new worker.
    again: Duration,
    /// What the worker was kept from.
    pub(super) level: Level,
    /// The files that the worker has loaded.
    pub(super) loaded: Vec<LoadedFile>,
}

/// What went wrong, and what to do.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) found: String,
    pub(super) help: String,
}

pub(super) fn run() -> Result<Times, Failed> {
    let started = Instant::now();
    let bound = bind()?;
    let bind = started.elapsed();
    let started = Instant::now();
    let session = bound.open(Options::default()).map_err(|error| Failed::of(&error))?;
    let start = started.elapsed();
    abs(&bound, &session)?;
    let mut calls = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let started = Instant::now();
        abs(&bound, &session)?;
        calls.push(started.elapsed());
    }
    calls.sort();
    let started = Instant::now();
    abort(&bound, &session)?;
    let crash = started.elapsed();
    let started = Instant::now();
    abs(&bound, &session)?;
    let again = started.elapsed();
    let (level, loaded) = (session.level(), session.loaded());
    Ok(Times { bind, start, call: calls[CALLS / 2], crash, again, level, loaded })
}

fn bind() -> Result<Bound, Failed> {
    let failed = |found: String, help: String| Failed { found: format!("cannot bind abs(): {found}"), help };
    // A folder without files, so that none of them is taken for the header or the library.
    let folder = tempfile::tempdir().map_err(|error| {
        let help =
            format!("make {} writable, or name another folder in $TMPDIR", std::env::temp_dir().display());
        failed(format!("cannot make a temporary folder: {error}"), help)
    })?;
    let source = Source::Text { text: CONTRACT.to_owned(), path: folder.path().join("bind.toml") };
    let job =
        Job { source, only: None, include_dirs: Vec::new(), defines: Vec::new(), library_dirs: Vec::new() };
    hotcell_bind::bind(&job).map_err(|error| failed(error.message, error.help.unwrap_or_default()))
}

fn call(
    bound: &Bound,
    session: &Session,
    name: &str,
    args: &[Value],
) -> Result<Option<Value>, hotcell::Error> {
    let function = bound.interface.function(name).expect("the contract includes both functions");
    dynamic::call(session, &bound.interface, function, args).map(|outcome| outcome.returned)
}

fn abs(bound: &Bound, session: &Session) -> Result<(), Failed> {
    match call(bound, session, "abs", &[Value::Int(-42)]) {
        Ok(Some(Value::Int(42))) => Ok(()),
        Ok(other) => Err(Failed::unexpected(format!("abs(-42) returned {other:?}"))),
        Err(error) => Err(Failed::of(&error)),
    }
}

fn abort(bound: &Bound, session: &Session) -> Result<(), Failed> {
    match call(bound, session, "abort", &[]) {
        Err(error) if error.kind() == ErrorKind::Crashed => Ok(()),
        Err(error) => Err(Failed::unexpected(format!("abort() was reported as: {error}"))),
        Ok(_) => Err(Failed::unexpected("abort() returned".into())),
    }
}

impl Failed {
    fn of(error: &hotcell::Error) -> Failed {
        Failed { found: error.to_string(), help: error.kind().advice().to_owned() }
    }

    fn unexpected(found: String) -> Failed {
        Failed { found, help: "this is a fault of Hotcell: please report it with all of this text".into() }
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
        let call = self.call.as_secs_f64() * 1e6;
        let (bind, start, crash, again) = (ms(self.bind), ms(self.start), ms(self.crash), ms(self.again));
        write!(
            f,
            "bound in {bind}, started in {start}; a call takes {call:.1} µs; the crash was known after {crash}, the next \
             call back after {again}"
        )
    }
}

impl Times {
    pub(super) fn to_json(&self) -> serde_json::Value {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        json!({
            "bind_ms": ms(self.bind), "start_ms": ms(self.start), "call_us": self.call.as_secs_f64() * 1e6,
            "crash_ms": ms(self.crash), "next_call_ms": ms(self.again),
        })
    }
}
