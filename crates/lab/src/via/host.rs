//! A host that something happens to, in another language: a driver of its own, which does what the roles of [`crate::host`] do.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use hotcell::Options;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::json;

use super::{There, Via};
use crate::failure::Failure;
use crate::host::{ASLEEP, FOR_EVER};
use crate::leaks::children_of;
use crate::row::Stop;
use crate::session::Session;
use crate::stage::{number, said, told};
use crate::value::{Outcome, Value};
use crate::via::driver::{self, Driver};

/// A driver of its own.
#[derive(Debug)]
pub(crate) struct Driven {
    driver: Arc<Driver>,
    via: Via,
    session: Option<Session>,
    worker: u32,
    /// What it says, and what has it go on from a callback.
    lines: Receiver<String>,
    goes_on: Sender<()>,
}

impl Driven {
    pub(crate) fn start(there: &There, role: &str, variables: &[(&str, &Path)]) -> Result<Driven, Stop> {
        let driver = there.another(variables)?;
        let (says, lines) = mpsc::channel();
        let (goes_on, hears) = mpsc::channel();
        let mut driven = Driven { driver, via: there.via, session: None, worker: 0, lines, goes_on };
        if role == "no-descriptors" {
            let _ = says.send(driven.no_descriptors(&there.options)?);
            return Ok(driven);
        }
        let deadline = match role {
            "in-a-callback" => Duration::from_millis(300),
            "asleep" => ASLEEP,
            _ => FOR_EVER,
        };
        let session = driven.open(&Options { deadline, ..there.options.clone() })?;
        driven.worker = session.worker_pid().unwrap_or(0);
        driven.session = Some(session.clone());
        match role {
            "forks" => driven.forks(&session, &says)?,
            "idle" => {}
            role => {
                let role = role.to_owned();
                thread::spawn(move || act(&role, &session, &says, &hears));
            }
        }
        Ok(driven)
    }

    fn open(&self, options: &Options) -> Result<Session, Failure> {
        driver::There::open(&self.driver, &said(options)).map(Session::There)
    }

    pub(crate) fn worker(&self) -> u32 {
        self.worker
    }

    pub(crate) fn pid(&self) -> u32 {
        self.driver.pid()
    }

    pub(crate) fn line(&mut self) -> Result<String, Stop> {
        let line = self.lines.recv_timeout(FOR_EVER);
        line.map_err(|error| Stop::Wrong(format!("the host says nothing: {error}")))
    }

    pub(crate) fn said(mut self) -> Result<String, Stop> {
        // Who has ended waits for nothing.
        let _ = self.goes_on.send(());
        let said = self.line()?;
        drop(self.session.take());
        let ended = self.driver.end().map_err(Stop::lacks("to wait for a child"))?;
        match ended.success() {
            true => Ok(said),
            false => Err(Stop::Wrong(format!("the host: {ended}"))),
        }
    }

    pub(crate) fn send(&self, signal: Signal) -> Result<(), Stop> {
        self.driver.signal(signal).map_err(Stop::lacks("to send a child a signal"))
    }

    pub(crate) fn kill(self) -> Result<(), Stop> {
        self.send(Signal::KILL)?;
        self.driver.end().map(drop).map_err(Stop::lacks("to wait for a child"))
    }

    /// In Go, what supervises is a process of its own: then the call that was under way has to say so, and the next one works.
    pub(crate) fn kill_supervisor(self) -> Result<(), Stop> {
        if self.via != Via::Go {
            return self.kill();
        }
        let server =
            children_of(self.pid(), "serve").first().and_then(|&pid| Pid::from_raw(i32::try_from(pid).ok()?));
        let server = server.ok_or_else(|| Stop::Wrong("there is no supervisor".into()))?;
        kill_process(server, Signal::KILL).map_err(Stop::lacks("to kill a supervisor"))?;
        let said = self.lines.recv_timeout(FOR_EVER).unwrap_or_default();
        if !said.starts_with("SupervisorGone: ") {
            return Err(Stop::Wrong(format!("the call that was under way: {said}")));
        }
        let session = self.session.as_ref().ok_or_else(|| Stop::Wrong("there is no session".into()))?;
        let next = session.call("add", &[Value::Int(2), Value::Int(3)])?;
        match number(&next) {
            Some(5) => self.kill(),
            _ => Err(Stop::Wrong(format!("the next call gave {next:?}"))),
        }
    }

    /// What a child that it forks says, and then it.
    fn forks(&self, session: &Session, says: &Sender<String>) -> Result<(), Stop> {
        let add = |session: &Session| word(session.call("add", &[Value::Int(2), Value::Int(3)]));
        let before = add(session);
        let Session::There(there) = session else { return Ok(()) };
        let child = self.driver.ask(json!({ "do": "fork", "session": there.number() }))?;
        let (after, is_same) = (add(session), session.worker_pid() == Some(self.worker));
        let word = |name: &str| child[name].as_str().unwrap_or("nothing").to_owned();
        let well = if is_same && child["status"] == 0 { "as if nothing was" } else { "not well" };
        // Who hears is there.
        let _ = says.send(format!(
            "the child: {}, and {} in a session of its own",
            word("inherited"),
            word("own")
        ));
        let _ = says.send(format!("the parent: {before} before and {after} after, {well}"));
        Ok(())
    }

    /// Opens a session with as many descriptors as there are already, and one with more: what came of both.
    fn no_descriptors(&mut self, options: &Options) -> Result<String, Stop> {
        let open = || self.open(options);
        let right = |session: Result<Session, Failure>| {
            session
                .and_then(|it| it.call("add", &[Value::Int(2), Value::Int(3)]))
                .is_ok_and(|sum| number(&sum) == Some(5))
        };
        let first = right(open());
        let limit = |new: Rlimit| {
            let process = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
            prlimit(process, Resource::Nofile, new).map_err(Stop::lacks("to set a limit of a child"))
        };
        let entries = std::fs::read_dir(format!("/proc/{}/fd", self.pid()));
        let open_now = entries.map_err(Stop::lacks("to look at a child"))?.count() as u64;
        let most = Rlimit { current: Some(open_now), maximum: None };
        let before = limit(Rlimit { maximum: rustix::process::getrlimit(Resource::Nofile).maximum, ..most })?;
        let refused = word(open().map(|_| Outcome(Vec::new())));
        limit(before)?;
        let well = if first && right(open()) { "a right call" } else { "none" };
        Ok(format!("{refused}, and then {well}"))
    }
}

/// Makes the call of a role.
fn act(role: &str, session: &Session, says: &Sender<String>, hears: &Receiver<()>) {
    let begun = Instant::now();
    let line = match role {
        "in-a-callback" => {
            let called = session.call_with("outer", &[Value::Callback], &mut |_| {
                let _ = says.send("called back".into());
                hears.recv().map(|()| Value::Int(1)).map_err(|error| error.to_string())
            });
            called.map_or_else(|failure| failure.to_string(), |outcome| told(&outcome))
        }
        "asleep" => {
            let came = word(session.call("sleep", &[Value::Int(1500)]));
            let when = if begun.elapsed() < ASLEEP { "before" } else { "after" };
            format!("{came}, {when} its deadline")
        }
        _ => {
            let called = session.call("sleep", &[Value::Int(600_000)]);
            called.map_or_else(|failure| failure.to_string(), |outcome| told(&outcome))
        }
    };
    // Nobody may hear any more.
    let _ = says.send(line);
}

/// What came of a call, in a word.
fn word(came: Result<Outcome, Failure>) -> String {
    came.map_or_else(|failure| failure.name(), |outcome| told(&outcome))
}
