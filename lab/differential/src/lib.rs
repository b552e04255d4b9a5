//! Direct and contained calls of the same functions with the same inputs, compared.
//!
//! The direct side is a C program that the library's own header compiles: it shares nothing with the shim but the
//! interface. The contained side is a session. Both make the same calls in the same order; returned values, what
//! parameters were filled with, error codes, messages, `errno` and the signal that ended a process must be equal.
#![forbid(unsafe_code)]

mod cases;
mod compare;
mod contained;
mod direct;
mod inputs;
mod plan;
mod random;
mod report;
mod seen;

use std::time::Duration;

use hotcell_bind::{Bound, Checked, Job};
use hotcell_model::Interface;

pub use plan::{Case, Group, Input, Plan, Step};
pub use report::{Compared, Difference, Report};

use direct::{BEYOND, Direct};
use seen::Outcome;

/// How a run is made.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What random values come from.
    pub seed: u64,
    /// How long a call may take.
    pub patience: Duration,
    /// Whether functions that reach beyond their process are found out, and not called contained. For libraries
    /// nobody has looked at.
    pub guarded: bool,
    /// The one function wanted.
    pub only: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { seed: 1, patience: Duration::from_secs(10), guarded: true, only: None }
    }
}

/// Binds a library, calls what can be called of it on both sides, and compares.
///
/// # Errors
///
/// Why nothing could be compared, in words.
pub fn run(job: &Job, settings: &Settings) -> Result<Report, String> {
    let checked = hotcell_bind::check(job).map_err(|error| error.to_string())?;
    let bound = hotcell_bind::bind(job).map_err(|error| error.to_string())?;
    run_bound(&checked, &bound, settings)
}

/// As [`run`], with a shim that is there already.
///
/// # Errors
///
/// As [`run`].
pub fn run_bound(checked: &Checked, bound: &Bound, settings: &Settings) -> Result<Report, String> {
    let plan = plan(&bound.interface, settings);
    let folder = tempfile::Builder::new().prefix("hotcell-differential-").tempdir();
    let folder = folder.map_err(|error| format!("cannot make a folder: {error}"))?;
    let direct = Direct::compile(checked, &plan, folder.path(), settings.guarded, settings.patience)?;
    let mut report = Report { skipped: plan.skipped.clone(), ..Report::default() };
    for (number, group) in plan.groups.iter().enumerate() {
        let once = direct.run(&plan, number)?;
        if settings.guarded && once.iter().flatten().any(|outcome| *outcome == BEYOND) {
            report.skipped.push((group.name.clone(), "it reaches beyond its process".into()));
            continue;
        }
        let twice = direct.run(&plan, number)?;
        let patience = match once.iter().flatten().any(|outcome| *outcome == Outcome::Hung) {
            true => settings.patience,
            false => settings.patience * 3,
        };
        let contained = contained::run(bound, &plan, number, once.len(), patience)?;
        report.groups.push(compare::group(&bound.interface, group, &once, &twice, &contained));
    }
    report.missed = missed(&report);
    Ok(report)
}

fn plan(interface: &Interface, settings: &Settings) -> Plan {
    let mut plan = Plan::default();
    for (index, function) in (0u16..).zip(&interface.functions) {
        if settings.only.as_ref().is_some_and(|only| *only != function.name) {
            continue;
        }
        match cases::of_function(interface, index, function, settings.seed) {
            Ok(group) => plan.groups.push(group),
            Err(reason) => plan.skipped.push((function.name.clone(), reason)),
        }
    }
    plan
}

fn missed(report: &Report) -> Vec<String> {
    let silent = report.groups.iter().filter(|it| it.equal == 0 && it.different.is_empty());
    silent.map(|it| it.name.clone()).collect()
}
