//! What came of the rows.

use std::time::Duration;

use serde_json::{Value, json};

use crate::direct::Ended;
use crate::failure::Failure;
use crate::leaks::Counts;
use crate::row::{Group, Ran, Row, Run, Stop};
use crate::via::Via;

/// What came of all rows that were asked for.
#[derive(Debug)]
pub struct Report {
    /// Whose calls they were tried with.
    pub via: Via,
    /// In the order of the table.
    pub came: Vec<Came>,
}

/// What came of a row.
#[derive(Debug)]
pub struct Came {
    /// Its group.
    pub group: &'static Group,
    /// The row.
    pub row: &'static Row,
    /// What came of it.
    pub outcome: Outcome,
}

/// Whether it was tried, and how that went.
#[derive(Debug)]
pub enum Outcome {
    /// It was not, for this reason.
    Skipped(String),
    /// It was.
    Tried {
        /// What became of the program that calls the library directly.
        direct: String,
        /// Whether that program went on with right results; `None` where there is none.
        direct_survived: Option<bool>,
        /// What the caller has to see.
        expected: String,
        /// What it saw.
        got: String,
        /// Whether it is that, and the fault was seen in both ways.
        ok: bool,
        /// Whether the next call was right.
        next_call_ok: bool,
        /// What is left.
        leaked: Counts,
        /// Whether somebody else's calls were right all the while.
        bystander_ok: bool,
        /// The last call of the row, which is the one that met the fault.
        took: Duration,
    },
}

/// What was seen besides the result of a row's calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) next_call_ok: bool,
    pub(crate) leaked: Counts,
    pub(crate) bystander_ok: bool,
    pub(crate) took: Duration,
}

impl Outcome {
    pub(crate) fn tried(run: &Run, direct: Ended, ran: &Ran, seen: Seen) -> Outcome {
        let Seen { next_call_ok, leaked, bystander_ok, took } = seen;
        let there = !run.direct.words.is_empty();
        let told = match direct.seen {
            true => direct.told.clone(),
            false => format!("{}: the fault was not seen", direct.told),
        };
        Outcome::Tried {
            direct: told,
            direct_survived: there.then(|| direct.survived()),
            expected: run.expected.to_string(),
            got: match ran {
                Ok(text) => text.clone(),
                Err(Stop::Failed(error)) => said(error),
                Err(Stop::Wrong(text) | Stop::Lacks(text)) => text.clone(),
            },
            ok: direct.seen && run.expected.holds(ran),
            next_call_ok,
            leaked,
            bystander_ok,
            took,
        }
    }

    /// Whether it is as it has to be in every respect; `None` for what was not tried.
    pub fn is_contained(&self) -> Option<bool> {
        match self {
            Outcome::Skipped(_) => None,
            Outcome::Tried { ok, next_call_ok, leaked, bystander_ok, .. } => {
                Some(*ok && *next_call_ok && leaked.is_nothing() && *bystander_ok)
            }
        }
    }
}

/// The error, and the last of what the library said.
fn said(error: &Failure) -> String {
    let text = error.to_string();
    match error.output().lines().rfind(|line| !line.trim().is_empty()) {
        Some(last) => format!("{text}, “{}”", last.trim()),
        None => text,
    }
}

impl Report {
    /// Whether every row that was tried is as it has to be.
    pub fn is_contained(&self) -> bool {
        self.came.iter().all(|came| came.outcome.is_contained() != Some(false))
    }

    /// Programs that called the library directly, and how many of them went on with right results.
    pub fn direct(&self) -> (usize, usize) {
        let survived = self.came.iter().filter_map(|came| match came.outcome {
            Outcome::Tried { direct_survived, .. } => direct_survived,
            Outcome::Skipped(_) => None,
        });
        let survived: Vec<bool> = survived.collect();
        (survived.len(), survived.iter().filter(|survived| **survived).count())
    }

    /// Rows that were tried, and how many of them were contained.
    pub fn contained(&self) -> (usize, usize) {
        let contained: Vec<bool> = self.came.iter().filter_map(|came| came.outcome.is_contained()).collect();
        (contained.len(), contained.iter().filter(|contained| **contained).count())
    }

    /// As JSON.
    pub fn to_json(&self) -> Value {
        self.came.iter().map(Came::to_json).collect()
    }
}

impl Came {
    fn to_json(&self) -> Value {
        let (id, name, group) = (self.row.id, self.row.name, self.group.name);
        match &self.outcome {
            Outcome::Skipped(reason) => json!({ "id": id, "name": name, "group": group, "skipped": reason }),
            Outcome::Tried {
                direct, expected, got, ok, next_call_ok, leaked, bystander_ok, took, ..
            } => json!({
                "id": id,
                "name": name,
                "group": group,
                "direct": direct,
                "expected": expected,
                "got": got,
                "ok": ok,
                "next_call_ok": next_call_ok,
                "leaked": leaked.to_json(),
                "bystander_ok": bystander_ok,
                "ms": took.as_secs_f64() * 1e3,
            }),
        }
    }
}
