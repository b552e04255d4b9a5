//! `hotcell doctor`: what this machine has and lacks, and a call that shows whether calls work.

mod checks;
mod self_test;

use std::process::ExitCode;

use hotcell::ErrorKind;
use serde_json::{Value, json};

use crate::args::{DoctorArgs, Format};
use crate::print::{complain, out, out_width};
use crate::table::{BAD, Cell, GOOD, OPEN, columns};

/// Something calls need, or are better with.
#[derive(Debug)]
struct Check {
    name: &'static str,
    state: State,
    /// What was found, or why it is not there.
    found: String,
    /// What to do where it is not good.
    help: Option<String>,
}

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    /// Calls work without it.
    Limited,
    /// Calls do not work without it.
    Failed,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Good => "ok",
            State::Limited => "limited",
            State::Failed => "failed",
        }
    }
}

impl Check {
    fn good(name: &'static str, found: impl Into<String>) -> Check {
        Check { name, state: State::Good, found: found.into(), help: None }
    }

    fn lacks(name: &'static str, state: State, found: impl Into<String>, help: impl Into<String>) -> Check {
        Check { name, state, found: found.into(), help: Some(help.into()) }
    }

    fn row(&self) -> Vec<Cell> {
        let style = match self.state {
            State::Good => GOOD,
            State::Limited => OPEN,
            State::Failed => BAD,
        };
        let help = self.help.iter().flat_map(|help| help.lines()).map(|line| format!("\n  {line}"));
        let text = format!("{}{}", self.found, help.collect::<String>());
        vec![Cell::new(self.state.word(), style), Cell::plain(self.name), Cell::plain(text)]
    }

    fn to_json(&self) -> Value {
        json!({ "name": self.name, "state": self.state.word(), "found": self.found, "help": self.help })
    }
}

pub(crate) fn run(args: &DoctorArgs) -> ExitCode {
    let mut checks = checks::all();
    let tested = self_test::run();
    checks.extend(tested.as_ref().ok().map(|times| checks::sandbox(times.level)));
    checks.extend(tested.as_ref().ok().map(|times| checks::loaded(&times.loaded)));
    checks.push(match &tested {
        Ok(times) => Check::good("self-test", format!("{}\n{times}", self_test::WHAT)),
        Err(failure) => Check::lacks("self-test", State::Failed, &failure.found, &failure.help),
    });
    let works = checks.iter().all(|check| check.state != State::Failed);
    let text = match args.format {
        Format::Json => {
            let times = tested.as_ref().map_or(Value::Null, |times| times.to_json());
            let checks: Vec<Value> = checks.iter().map(Check::to_json).collect();
            format!("{:#}\n", json!({ "works": works, "checks": checks, "times": times }))
        }
        Format::Text => {
            let verdict = match (works, checks.iter().any(|check| check.state == State::Limited)) {
                (true, false) => "Calls work.",
                (true, true) => "Calls work. What is limited is told above.",
                (false, _) => "Calls do not work: see what failed.",
            };
            let rows: Vec<_> = checks.iter().map(Check::row).collect();
            format!("{}\n{verdict}\n", columns(&rows, out_width()))
        }
    };
    if let Err(error) = out(&text) {
        complain(&format!("error: cannot print: {error}"));
    }
    if works { ExitCode::SUCCESS } else { ExitCode::from(ErrorKind::LoadFailed.exit_code()) }
}
