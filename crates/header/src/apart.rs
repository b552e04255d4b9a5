//! Reading in a process of its own: what a header does to libclang is an error of that reading, and not the caller's end.
//!
//! A [`Reader`] is the caller's side. It starts the program `hotcell`, whose hidden command runs [`serve`], and sends it jobs over a
//! socket, its standard output, a line of JSON each. That process has bounds on time, memory and stack, and ends with its caller. What it answers is
//! believed when it is sound ([`Api::flaw`](hotcell_model::api::Api::flaw)).

mod bounded;
mod limits;
mod program;
mod running;
mod served;
mod wire;
mod words;

use std::cell::Cell;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hotcell_model::api::Api;

pub use program::prefer;
pub use served::serve;
pub use wire::{Refused, Reply, reply};

use crate::error::{Error, ErrorKind};
use crate::job::Job;
use crate::parser::Parser;
use limits::Limits;
use running::Running;
use wire::{Asked, Request};
use words::Fault;

/// The hidden command of `hotcell` that reads for others.
pub const COMMAND: &str = "read-for-another";

/// Has headers read by a process of its own. It is started for the first job, reads the next ones too, and ends with this.
#[derive(Debug)]
pub struct Reader {
    running: Mutex<Option<Running>>,
    limits: Result<Limits, Error>,
}

impl Reader {
    /// With the limits of the environment; a limit there that is none is an error of every job. Nothing is started.
    pub fn new() -> Reader {
        Reader { running: Mutex::new(None), limits: Limits::of_environment() }
    }

    /// Starts the process now, so that it is ready when the first job comes. What goes wrong is told of that job.
    pub fn start(&self) {
        let mut running = self.running();
        if running.is_none() {
            *running = Running::start().ok();
        }
    }

    /// Reads the headers of a job, as [`parse`](crate::parse) does here.
    ///
    /// # Errors
    ///
    /// Those of [`parse`](crate::parse), and what became of the process: the next job has another one.
    pub fn parse(&self, job: &Job) -> Result<Api, Error> {
        self.read(job, &mut Duration::default())
    }

    /// Trials, which all have the time of one job together, with what has been spent on that job before.
    pub fn trials(&self, spent: Duration) -> Trials<'_> {
        Trials { reader: self, spent: Cell::new(spent) }
    }

    fn read(&self, job: &Job, spent: &mut Duration) -> Result<Api, Error> {
        // What cannot be said in JSON is refused here.
        job.arguments()?;
        match self.ask(&Request::Parse(job.clone()), &words::headers(job), spent)? {
            Reply::Api(api) => Ok(api),
            Reply::Error(error) => Err(error),
            Reply::Parser(_) => Err(strange("it said what it reads by, and not what it read")),
        }
    }

    /// Says which parser is used there.
    ///
    /// # Errors
    ///
    /// When there is none that can be used: every job would fail with the same error.
    pub fn parser(&self) -> Result<Parser, Error> {
        match self.ask(&Request::Describe, "nothing yet", &mut Duration::default())? {
            Reply::Parser(parser) => Ok(parser),
            Reply::Error(error) => Err(error),
            Reply::Api(_) => Err(strange("it said what it read, and not by what")),
        }
    }

    fn ask(&self, request: &Request, subject: &str, spent: &mut Duration) -> Result<Reply, Error> {
        let limits = self.limits.as_ref().map_err(Clone::clone)?;
        let mut slot = self.running();
        // One that was ended while nobody asked it is no fault of what is read next.
        let mut running = match slot.take().filter(|running| !running.has_ended()) {
            Some(running) => running,
            None => Running::start()?,
        };
        let number = running.number();
        let answer = running.ask(&wire::line(&Asked { number, request }), limits, spent);
        let fault = |fault: &Fault| words::error(fault, subject, limits);
        let line = answer.map_err(|it| fault(&it))?;
        let reply = reply(&line, number).map_err(|refused| match refused {
            Refused::Strange(why) => strange(&why),
            Refused::Other => fault(&Fault::Other),
            Refused::Large => fault(&Fault::Large),
        })?;
        // Who has said something strange is not asked again.
        *slot = Some(running);
        Ok(reply)
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Jobs of one [`Reader`] of which each is another trial.
#[derive(Debug)]
pub struct Trials<'a> {
    reader: &'a Reader,
    spent: Cell<Duration>,
}

impl Trials<'_> {
    /// Reads the headers of a job, as [`Reader::parse`] does, in the time that is left.
    ///
    /// # Errors
    ///
    /// Those of [`Reader::parse`].
    pub fn parse(&self, job: &Job) -> Result<Api, Error> {
        let mut spent = self.spent.get();
        let api = self.reader.read(job, &mut spent);
        self.spent.set(spent);
        api
    }
}

impl Default for Reader {
    fn default() -> Reader {
        Reader::new()
    }
}

/// An answer that cannot be believed.
fn strange(why: &str) -> Error {
    let message = format!("the process that reads headers answered what no header says: {why}");
    Error::new(ErrorKind::ParserFailed, message).help(words::DAMAGED)
}
