//! What a row of the lab is: a fault, how it is provoked in both ways, and what has to come of it.

use std::fmt;

use hotcell::ErrorKind;

use crate::failure::{Failure, Why};
use crate::stage::Stage;
use crate::via::Via;

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
    /// Clients that have no such call, and why.
    pub(crate) without: &'static [(Via, &'static str)],
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
    /// Languages in which it ends otherwise, and what it says there.
    pub(crate) elsewhere: &'static [(Via, End, &'static str)],
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
    Failed(Failure),
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
        Row { id, name, plan: Plan::Run(Run { direct, act, expected }), without: &[] }
    }

    pub(crate) const fn skipped(id: &'static str, name: &'static str, reason: &'static str) -> Row {
        Row { id, name, plan: Plan::Skipped(reason), without: &[] }
    }

    /// Clients that have no such call, and why: that is tried, too.
    pub(crate) const fn without(mut self, clients: &'static [(Via, &'static str)]) -> Row {
        self.without = clients;
        self
    }

    /// What has to become of a program in this language that calls it directly, and what a caller has to see; `None` where it
    /// is never tried.
    pub fn expects(&self, via: Via) -> Option<(String, String)> {
        let Plan::Run(run) = &self.plan else { return None };
        let (end, says) = run.direct.ends(via);
        let says: Vec<String> =
            says.iter().filter(|text| !text.is_empty()).map(|text| format!("“{text}”")).collect();
        let colon = if says.is_empty() { "" } else { ": " };
        Some((format!("{end}{colon}{}", says.join(", ")), run.expected.to_string()))
    }

    /// Why it is not tried through this client, or on any machine.
    pub fn skipped_for(&self, via: Via) -> Option<&'static str> {
        let without = self.without.iter().find(|(client, _)| *client == via);
        match self.plan {
            Plan::Run(_) => without.map(|(_, reason)| *reason),
            Plan::Skipped(reason) => Some(reason),
        }
    }
}

impl Direct {
    pub(crate) const fn new(words: &'static [&'static str], end: End) -> Direct {
        Direct { words, variable: None, end, says: "", where_allowed: false, elsewhere: &[] }
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

    /// In these languages it ends otherwise.
    pub(crate) const fn elsewhere(mut self, ends: &'static [(Via, End, &'static str)]) -> Direct {
        self.elsewhere = ends;
        self
    }

    /// How it has to end in this language, and what it has to say.
    pub(crate) fn ends(&self, via: Via) -> (End, [&'static str; 2]) {
        if let Some((_, end, says)) = self.elsewhere.iter().find(|(language, ..)| *language == via) {
            return (*end, [says, ""]);
        }
        match (via, self.end) {
            // The runtime of Go handles these, says which it was, and ends the process.
            (Via::Go, End::Dies(signal @ ("SIGABRT" | "SIGBUS" | "SIGFPE" | "SIGILL" | "SIGSEGV"))) => {
                (End::Exits(2), [self.says, signal])
            }
            (_, end) => (end, [self.says, ""]),
        }
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
            (Expected::Fails(kind, texts), Err(Stop::Failed(error))) => match error.why {
                Why::Kind(is) => is == *kind && texts.iter().all(|text| error.text().contains(text)),
                // A language has words of its own for these.
                Why::Refused => REFUSALS.contains(kind),
                Why::GivenUp => *kind == ErrorKind::Cancelled,
                _ => false,
            },
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

/// Kinds of errors by which arguments are refused before anything is sent.
const REFUSALS: [ErrorKind; 3] =
    [ErrorKind::InvalidArgument, ErrorKind::BadEncoding, ErrorKind::WrongHandleType];

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        match failure.why {
            Why::Kind(_) | Why::Refused | Why::GivenUp => Stop::Failed(failure),
            Why::Impossible | Why::Lacks => Stop::Lacks(failure.message().to_owned()),
            Why::Lost => Stop::Wrong(failure.message().to_owned()),
        }
    }
}

impl From<hotcell::Error> for Stop {
    fn from(error: hotcell::Error) -> Stop {
        Stop::Failed(error.into())
    }
}

impl Stop {
    /// For what the lab itself needs of the system.
    pub(crate) fn lacks<E: fmt::Display>(what: &'static str) -> impl Fn(E) -> Stop {
        move |error| Stop::Lacks(format!("{what}: {error}"))
    }
}
