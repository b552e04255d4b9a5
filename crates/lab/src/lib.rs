//! The crash lab: everything that goes wrong in C, what becomes of a program that calls it directly, what a caller of Hotcell
//! sees of it, and whether the next call works: `hotcell lab`.
//!
//! [The page of the lab](../../../docs/lab.md) has all rows.

mod bystander;
mod change;
mod direct;
mod failure;
mod host;
mod leaks;
mod report;
mod row;
mod rows;
mod session;
mod stage;
mod state;
mod sys;
mod value;
mod via;
mod warden;

use std::fmt;
use std::io;
use std::time::Instant;

use hotcell::{Profile, Sandbox};
use rustix::process::{getpid, set_child_subreaper};

use crate::bystander::Bystander;
use crate::direct::{Ended, Program};
use crate::report::Seen;
use crate::row::{Plan, Ran, Run, Stop};
use crate::stage::{Caller, Library, Stage};
use crate::via::There;

pub use host::serve as host;
pub use leaks::{Counts, corpses, descendants};
pub use report::{Came, Outcome, Report};

pub use row::{Group, Row};
pub use rows::GROUPS;
pub use via::Via;
pub use warden::{around, warden};

/// Why there is no report.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// No row has this id or name.
    Unknown(String),
    /// A call failed before anything was tried.
    Call(String),
    /// The lab's own program, or the file of the library, cannot be had.
    System(io::Error),
    /// A program in another language cannot be made, or does not come up.
    Program(Via, String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unknown(word) => write!(f, "no row is `{word}`: `hotcell lab --list` has all of them"),
            Error::Call(error) => write!(f, "the lab does not open: {error}"),
            Error::System(error) => write!(f, "the lab does not open: {error}"),
            Error::Program(via, text) => {
                write!(f, "there is no program in {} for the lab: {text}", via.name())
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error::System(error)
    }
}

/// A row that is to be tried.
#[derive(Debug, Clone, Copy)]
pub struct Chosen {
    /// Its group.
    pub group: &'static Group,
    /// The row.
    pub row: &'static Row,
}

/// The rows that these words name: an id, the beginning of one with `*`, or a name; all, when there are none.
///
/// # Errors
///
/// For a word that names no row.
pub fn rows(words: &[String]) -> Result<Vec<Chosen>, Error> {
    let names = |word: &str, row: &Row| match word.strip_suffix('*') {
        Some(beginning) => row.id.get(..beginning.len()).is_some_and(|it| it.eq_ignore_ascii_case(beginning)),
        None => row.id.eq_ignore_ascii_case(word) || row.name == word,
    };
    let of_group = |group: &'static Group| group.rows.iter().map(move |row| (group, row));
    let all: Vec<_> = GROUPS.iter().flat_map(of_group).collect();
    if let Some(word) = words.iter().find(|word| !all.iter().any(|it| names(word, it.1))) {
        return Err(Error::Unknown(word.clone()));
    }
    let wanted = |row: &Row| words.is_empty() || words.iter().any(|word| names(word, row));
    let chosen = all.into_iter().filter(|it| wanted(it.1));
    Ok(chosen.map(|(group, row)| Chosen { group, row }).collect())
}

/// Tries these rows, with calls of such a program. `host` is what makes this program, started again with it, call [`host`];
/// `progress` hears of each row before it is tried.
///
/// # Errors
///
/// When nothing can be tried at all.
pub fn run(
    rows: &[Chosen],
    via: Via,
    host: &[&str],
    progress: &mut dyn FnMut(&Row),
) -> Result<Report, Error> {
    // What the library's programs leave behind then descends from this process, and is seen.
    set_child_subreaper(Some(getpid())).map_err(io::Error::from)?;
    let library = Library::new().map_err(io::Error::from)?;
    let there = There::make(via, &library).map_err(|text| Error::Program(via, text))?;
    let program = there.as_ref().map_or_else(Program::new, |there| Ok(there.direct()))?;
    let lab = Lab { library, via, program, host: host.to_vec(), there };
    // What the first session of a process leaves there for good is there before anything is counted.
    let mut first = Stage::new(&lab.library, lab.caller());
    // One with files has a thread besides, which looks at temporary ones; where there cannot be one, there is no such thread.
    let _ = first.open(|options| options.sandbox = Some(Sandbox::of(Profile::Files)));
    if !first.next_is_right() {
        first.int("add", &[2, 3]).map_err(|stop| match stop {
            Stop::Failed(failure) => Error::Call(failure.text().to_owned()),
            Stop::Wrong(text) | Stop::Lacks(text) => Error::System(io::Error::other(text)),
        })?;
    }
    drop(first);
    let bystander = match &lab.there {
        None => Bystander::start(lab.library.options()),
        Some(there) => Bystander::there(there),
    };
    let bystander = bystander.map_err(|failure| Error::Call(failure.text().to_owned()))?;
    let mut came = Vec::new();
    for chosen in rows {
        let Chosen { group, row } = *chosen;
        progress(row);
        came.push(Came { group, row, outcome: lab.one(chosen, &bystander) });
    }
    Ok(Report { via, came })
}

struct Lab<'a> {
    library: Library,
    via: Via,
    program: Program,
    host: Vec<&'a str>,
    /// Who makes the calls, where this program does not.
    there: Option<There>,
}

impl Lab<'_> {
    fn caller(&self) -> Caller<'_> {
        match &self.there {
            None => Caller::Here(&self.host),
            Some(there) => Caller::There(there),
        }
    }

    fn counts(&self) -> Counts {
        self.there.as_ref().map_or_else(Counts::now, There::counts)
    }

    fn one(&self, chosen: &Chosen, bystander: &Bystander<'_>) -> Outcome {
        let run = match &chosen.row.plan {
            Plan::Run(run) => run,
            Plan::Skipped(reason) => return Outcome::Skipped((*reason).to_owned()),
        };
        let before = Counts::settled_as(|| self.counts());
        let mark = bystander.mark();
        let mut stage = Stage::new(&self.library, self.caller());
        let direct = match self.direct(run, &mut stage) {
            Ok(ended) if ended.refused => {
                return Outcome::Skipped(format!("this machine refuses it to everybody: it {}", ended.told));
            }
            Ok(ended) => ended,
            Err(lacks) => return Outcome::Skipped(lacks),
        };
        let started = Instant::now();
        let ran = self.as_listed(chosen.row, (run.act)(&mut stage));
        let took = stage.took().unwrap_or_else(|| started.elapsed());
        if let Err(Stop::Lacks(lacks)) = ran {
            return Outcome::Skipped(lacks);
        }
        let next_call_ok = stage.next_is_right();
        drop(stage);
        let bystander_ok = bystander.was_unharmed_since(mark);
        let leaked = Counts::more_as(before, || self.counts());
        Outcome::tried(run, direct, &ran, Seen { next_call_ok, leaked, bystander_ok, took })
    }

    /// What came of a row, held against what is said of clients that have no such call: each row is tried.
    fn as_listed(&self, row: &Row, ran: Ran) -> Ran {
        let listed = row.skipped_for(self.via);
        match (ran, listed) {
            (Err(Stop::Lacks(_)), Some(reason)) => Err(Stop::Lacks(reason.to_owned())),
            (Err(Stop::Lacks(lacks)), None) if self.there.is_some() => {
                Err(Stop::Wrong(format!("it is not to be had, and nothing says so: {lacks}")))
            }
            (Ok(_) | Err(Stop::Failed(_)), Some(reason)) => {
                Err(Stop::Wrong(format!("it was tried, and is said to be impossible: {reason}")))
            }
            (ran, _) => ran,
        }
    }

    fn direct(&self, run: &Run, stage: &mut Stage<'_>) -> Result<Ended, String> {
        if run.direct.words.is_empty() {
            return Ok(Ended::not_there());
        }
        let words = stage.words(run.direct.words).map_err(|stop| match stop {
            Stop::Failed(failure) => failure.to_string(),
            Stop::Wrong(text) | Stop::Lacks(text) => text,
        })?;
        self.program.run(&run.direct, &words).map_err(|error| format!("a program cannot be run: {error}"))
    }
}
