//! A session with the library, in this process or in a program in another language: rows do not tell them apart.

use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hotcell::{Cancel, StatePart, dynamic};
use hotcell_faulty::carried;
use serde_json::Value as Json;

use crate::failure::{Failure, Why};
use crate::stage::{c_name, function};
use crate::value::{Callback, Outcome, Value};
use crate::via::driver::There;

/// A session; a clone is the same one.
#[derive(Debug, Clone)]
pub(crate) enum Session {
    Here(hotcell::Session),
    There(There),
}

/// How a call went, and how long it took where it was made.
pub(crate) type Timed = (Result<Outcome, Failure>, Duration);

impl Session {
    /// The same session with a deadline.
    pub(crate) fn within(&self, deadline: Duration) -> Session {
        match self {
            Session::Here(session) => Session::Here(session.within(deadline)),
            Session::There(session) => Session::There(session.within(deadline)),
        }
    }

    /// Calls `faulty_<name>`, or a function of that name.
    pub(crate) fn call(&self, name: &str, args: &[Value]) -> Result<Outcome, Failure> {
        self.timed(name, args, None).0
    }

    /// The same with a callback.
    pub(crate) fn call_with(
        &self,
        name: &str,
        args: &[Value],
        callback: &mut Callback<'_>,
    ) -> Result<Outcome, Failure> {
        self.timed(name, args, Some(callback)).0
    }

    pub(crate) fn timed(&self, name: &str, args: &[Value], callback: Option<&mut Callback<'_>>) -> Timed {
        match self {
            Session::Here(session) => here(session, name, args, callback),
            Session::There(session) => session.call(&c_name(name), args, callback),
        }
    }

    /// Begins a call, which another thread waits for.
    pub(crate) fn begin(&self, name: &str, args: &[Value]) -> Begun {
        let (session, name, args) = (self.clone(), name.to_owned(), args.to_vec());
        match self {
            Session::Here(session) => {
                let (session, cancel) = (session.clone(), Cancel::new());
                let theirs = Session::Here(session.cancelled_by(&cancel));
                let calls = thread::spawn(move || theirs.call(&name, &args));
                Begun { calls, give_up: Box::new(move || cancel.cancel()) }
            }
            Session::There(there) => {
                let (says, hears) = mpsc::channel();
                let theirs = there.told(says);
                let calls = thread::spawn(move || Session::There(theirs).call(&name, &args));
                let give_up = move || {
                    if let (Ok(call), Session::There(there)) = (hears.recv(), session) {
                        there.give_up(call);
                    }
                };
                Begun { calls, give_up: Box::new(give_up) }
            }
        }
    }

    /// What is known of it.
    pub(crate) fn stats(&self) -> Stats {
        match self {
            Session::Here(session) => Stats(session.stats().to_json()),
            Session::There(session) => Stats(session.stats()),
        }
    }

    pub(crate) fn worker_pid(&self) -> Option<u32> {
        self.stats().pid()
    }

    pub(crate) fn generation(&self) -> u64 {
        self.stats().number("generation")
    }
}

fn here(
    session: &hotcell::Session,
    name: &str,
    args: &[Value],
    callback: Option<&mut Callback<'_>>,
) -> Timed {
    let (interface, args) = (&carried().interface, args.iter().map(Value::dynamic).collect::<Vec<_>>());
    let begun = Instant::now();
    let ran = match callback {
        None => dynamic::call(session, interface, function(name), &args),
        Some(callback) => {
            let mut named = |_: &str, given: &[(String, dynamic::Value)]| {
                let given: Vec<Value> = given.iter().map(|(_, value)| value.clone().into()).collect();
                callback(&given).map(|value| value.dynamic())
            };
            dynamic::call_with(session, interface, function(name), &args, &mut named)
        }
    };
    (ran.map(Outcome::of).map_err(Failure::from), begun.elapsed())
}

/// A call that is under way, or will be.
pub(crate) struct Begun {
    calls: JoinHandle<Result<Outcome, Failure>>,
    give_up: Box<dyn FnOnce()>,
}

impl Begun {
    /// Gives it up: what came of it.
    pub(crate) fn give_up(self) -> Result<Outcome, Failure> {
        (self.give_up)();
        let panicked = |_| Err(Failure::new(Why::Lost, "a thread of the lab panicked"));
        self.calls.join().unwrap_or_else(panicked)
    }
}

/// What is known of a session, as every language has it: the JSON of `hotcell stats`.
#[derive(Debug)]
pub(crate) struct Stats(Json);

impl Stats {
    /// Process id of the worker that serves.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.0["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok())
    }

    /// A number; 0 where there is none.
    pub(crate) fn number(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap_or(0)
    }

    /// Kinds of faults that calls met.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.0["faults"].as_object().map(|faults| faults.keys().cloned().collect()).unwrap_or_default()
    }

    /// How often a part of the worker's state was changed, and put back; `None` where one could not be put back.
    pub(crate) fn put_back(&self, part: StatePart) -> Option<u64> {
        let changes = &self.0["state_changes"];
        let lost = changes["lost"].as_array().is_some_and(|lost| !lost.is_empty());
        (!lost).then(|| changes["counts"][part.name()].as_u64().unwrap_or(0))
    }

    /// Whether the sandbox has refused the worker something, without an end of it.
    pub(crate) fn has_refused(&self) -> bool {
        !self.0["refused"].is_null()
    }

    /// Whether the breaker is open.
    pub(crate) fn breaker_is_open(&self) -> bool {
        self.0["breaker"] == "open"
    }

    /// Why the last worker ended, and by what.
    pub(crate) fn last_end(&self) -> (&str, &str) {
        let last = self.0["ends"].as_array().and_then(|ends| ends.last()).unwrap_or(&Json::Null);
        (last["why"].as_str().unwrap_or_default(), last["what"].as_str().unwrap_or_default())
    }
}
