//! What a row of the lab is: a fault, how it is provoked in both ways, and what has to come of it.

use std::fmt;

use hotcell::{Error, ErrorKind};

use crate::stage::Stage;

/// Rows of one kind.
#[derive(Debug)]
pub struct Group {
    /// What they have in common.
    pub name: &'static str,
    /// In the order of their numbers.
    pub rows: &'static [Row],
}

/// One way in which things go wrong.
#[derive(Debug)]
pub struct Row {
    /// A letter of its group, and a number.
    pub id: &'static str,
    /// What goes wrong.
    pub name: &'static str,
    pub(crate) plan: Plan,
}

/// Whether, and how, it is tried.
#[derive(Debug)]
pub(crate) enum Plan {
    Run(Run),
    /// The true reason why it is not.
    Skipped(&'static str),
}

/// How it is tried.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) direct: Direct,
    /// What calls it in a worker.
    pub(crate) act: fn(&mut Stage<'_>) -> Ran,
    pub(crate) expected: Expected,
}

/// A run of the program that calls the library directly, or none.
#[derive(Debug)]
pub(crate) struct Direct {
    /// The scenario and its words. In braces is a file that the lab makes.
    pub(crate) words: &'static [&'static str],
    /// A variable of its environment.
    pub(crate) variable: Option<(&'static str, &'static str)>,
    pub(crate) end: End,
    /// What it must have said: the proof that the fault was there.
    pub(crate) says: &'static str,
    /// Whether a machine may refuse it to everybody.
    pub(crate) where_allowed: bool,
}

/// What has to become of that program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A signal of this name.
    Dies(&'static str),
    /// An exit status, in the middle of the call.
    Exits(i32),
    /// It has to be killed.
    Hangs,
    /// It goes on, and the next call is right.
    GoesOn,
    /// It goes on, and has left a process behind.
    Leaves,
    /// There is nothing to run: the fault is one of containment itself.
    NotThere,
}

/// What came of a row in a worker.
pub(crate) type Ran = Result<String, Stop>;

/// Why there is no result.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The error that the caller sees.
    Failed(Error),
    /// The lab did not see the fault, or saw something that must not be.
    Wrong(String),
    /// This machine lacks something.
    Lacks(String),
}

/// What a caller has to see.
#[derive(Debug)]
pub(crate) enum Expected {
    /// An error of this kind, whose full text has all of these.
    Fails(ErrorKind, &'static [&'static str]),
    /// This result.
    Gives(&'static str),
    /// Any of these, where the library's own threads are in a race.
    OneOf(&'static [Expected]),
}

impl Row {
    pub(crate) const fn new(
        id: &'static str,
        name: &'static str,
        direct: Direct,
        act: fn(&mut Stage<'_>) -> Ran,
        expected: Expected,
    ) -> Row {
        Row { id, name, plan: Plan::Run(Run { direct, act, expected }) }
    }

    pub(crate) const fn skipped(id: &'static str, name: &'static str, reason: &'static str) -> Row {
        Row { id, name, plan: Plan::Skipped(reason) }
    }

    /// What has to become of a program that calls it directly, and what a caller has to see; `None` where it is never
    /// tried.
    pub fn expects(&self) -> Option<(String, String)> {
        let Plan::Run(run) = &self.plan else { return None };
        let says =
            if run.direct.says.is_empty() { String::new() } else { format!(": “{}”", run.direct.says) };
        Some((format!("{}{says}", run.direct.end), run.expected.to_string()))
    }

    /// Why it is not tried, on any machine.
    pub fn skipped_for(&self) -> Option<&'static str> {
        match self.plan {
            Plan::Run(_) => None,
            Plan::Skipped(reason) => Some(reason),
        }
    }
}

impl Direct {
    pub(crate) const fn new(words: &'static [&'static str], end: End) -> Direct {
        Direct { words, variable: None, end, says: "", where_allowed: false }
    }

    pub(crate) const fn says(mut self, text: &'static str) -> Direct {
        self.says = text;
        self
    }

    /// The row is skipped where the machine refuses it to everybody.
    pub(crate) const fn where_allowed(mut self) -> Direct {
        self.where_allowed = true;
        self
    }

    pub(crate) const fn with(mut self, name: &'static str, value: &'static str) -> Direct {
        self.variable = Some((name, value));
        self
    }

    /// There is nothing to be seen without a worker.
    pub(crate) const NOTHING: Direct = Direct::new(&[], End::NotThere);
}

impl Expected {
    pub(crate) fn holds(&self, ran: &Ran) -> bool {
        match (self, ran) {
            (Expected::Fails(kind, texts), Err(Stop::Failed(error))) => {
                let full = format!("{error:#}");
                error.kind() == *kind && texts.iter().all(|text| full.contains(text))
            }
            (Expected::Gives(text), Ok(got)) => text == got,
            (Expected::OneOf(all), _) => all.iter().any(|one| one.holds(ran)),
            _ => false,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Dies(signal) => write!(f, "dies of {signal}"),
            End::Exits(status) => write!(f, "exits with {status}"),
            End::Hangs => f.write_str("hangs"),
            End::GoesOn => f.write_str("goes on"),
            End::Leaves => f.write_str("goes on, and leaves a process behind"),
            End::NotThere => f.write_str("nothing to compare with"),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expected::Fails(kind, []) => write!(f, "{kind}"),
            Expected::Fails(kind, texts) => write!(f, "{kind}: {}", texts.join(", ")),
            Expected::Gives(text) => f.write_str(text),
            Expected::OneOf(all) => {
                for (at, one) in all.iter().enumerate() {
                    write!(f, "{}{one}", if at == 0 { "" } else { ", or " })?;
                }
                Ok(())
            }
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(error)
    }
}

impl Stop {
    /// For what the lab itself needs of the system.
    pub(crate) fn lacks<E: fmt::Display>(what: &'static str) -> impl Fn(E) -> Stop {
        move |error| Stop::Lacks(format!("{what}: {error}"))
    }
}
