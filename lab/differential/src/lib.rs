//! Direct and contained calls of the same functions with the same inputs, compared.
//!
//! The direct side is a C program that the library's own header compiles: it shares nothing with the shim but the
//! interface. The contained side is a session. Both make the same calls in the same order; returned values, what
//! parameters were filled with, error codes, messages, `errno` and the signal that ended a process must be equal.
#![forbid(unsafe_code)]

mod building;
mod cases;
mod compare;
mod contained;
mod direct;
mod folders;
mod inputs;
mod keeping;
mod plan;
mod random;
mod recipes;
mod report;
mod seen;

use std::path::PathBuf;
use std::time::Duration;

use hotcell_bind::{Bound, Checked, Job};
use hotcell_model::Interface;

pub use plan::{Case, Group, Input, Plan, Step};
pub use report::{Compared, Difference, Report};

use direct::{BEYOND, Direct};
use folders::Folders;
use recipes::Recipes;
use seen::Outcome;

/// How a run is made.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What random values come from.
    pub seed: u64,
    /// How long a call may take.
    pub patience: Duration,
    /// The library's recipes (`differential.toml`). Without them functions are called that need no object, and
    /// those that reach beyond their process are found out and not called contained.
    pub recipes: Option<PathBuf>,
    /// The one function or scenario wanted.
    pub only: Option<String>,
    /// Whether the report tells every call.
    pub show: bool,
    /// Whether contained calls go in batches, as far as they can.
    pub batch: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let patience = Duration::from_secs(10);
        Settings { seed: 1, patience, recipes: None, only: None, show: false, batch: false }
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
    let interface = &bound.interface;
    let given = settings.recipes.as_ref().map(|path| path.with_file_name("files")).filter(|it| it.is_dir());
    let folders = Folders::new(given).map_err(|error| format!("cannot make a folder: {error}"))?;
    let recipes =
        settings.recipes.as_ref().map(|path| Recipes::read(path, folders.scratch.path())).transpose()?;
    let guarded = recipes.is_none();
    let recipes = recipes.unwrap_or_default();
    let names = interface.functions.iter().map(|it| it.name.as_str());
    if let [first, ..] = recipes.unused(names).as_slice() {
        return Err(format!("the recipes speak of `{first}`, and no bound function has that name"));
    }
    let plan = plan(interface, &recipes, settings)?;
    let direct = Direct::compile(checked, &plan, &folders, guarded, settings.patience)?;
    let mut report = Report::default();
    for (number, group) in plan.groups.iter().enumerate() {
        let run = || {
            let seen = folders.clear().and_then(|()| direct.run(&plan, number));
            seen.map(|seen| compare::signs(interface, group, &recipes, seen))
        };
        let first = run()?;
        let came_of = |wanted: Outcome| first.iter().flatten().any(|outcome| *outcome == wanted);
        if guarded && came_of(BEYOND) {
            report.skipped.push((group.name.clone(), "it reaches beyond its process".into()));
            continue;
        }
        let patience = settings.patience * if came_of(Outcome::Hung) { 1 } else { 3 };
        let directory = folders.scratch.path().to_owned();
        let how = contained::How { patience, batch: settings.batch, directory };
        let count = first.len();
        let mut runs = vec![first, run()?];
        folders.clear()?;
        let (contained, entries) = contained::run(bound, &plan, number, count, &how)?;
        report.entries += entries;
        let contained = compare::signs(interface, group, &recipes, contained);
        let mut compared = compare::group(interface, group, &runs, &contained);
        // What differs only once in a while must differ without Hotcell too, or it counts.
        while !compared.different.is_empty() && runs.len() < DIRECT_RUNS {
            runs.push(run()?);
            compared = compare::group(interface, group, &runs, &contained);
        }
        if settings.show {
            compared.shown = compare::shown(interface, group, &runs[0]);
        }
        report.groups.push(compared);
    }
    finish(report, interface, &recipes, &plan, settings)
}

/// Direct runs of a group, at most: as many when the sides differ.
const DIRECT_RUNS: usize = 8;

/// Names the functions that no case has called, with the reason if there is one.
fn finish(
    mut report: Report,
    interface: &Interface,
    recipes: &Recipes,
    plan: &Plan,
    settings: &Settings,
) -> Result<Report, String> {
    let called = |name: &str| report.groups.iter().any(|group| group.called.contains(name));
    let (mut skipped, mut missed) = (Vec::new(), Vec::new());
    let guarded = settings.recipes.is_none();
    for function in &interface.functions {
        let name = function.name.as_str();
        let known = |it: &&(String, String)| it.0 == name;
        if called(name) || report.skipped.iter().any(|it| it.0 == name) || settings.only.is_some() {
            continue;
        }
        let unstable = report.groups.iter().any(|it| it.name == name && it.unstable > 0);
        let reason = recipes.skipped(name).map(str::to_owned);
        let reason =
            reason.or_else(|| (guarded && unstable).then(|| "it is never the same twice".to_owned()));
        let unplanned = plan.skipped.iter().find(known).map(|it| it.1.clone());
        match (reason, unplanned, guarded) {
            (Some(reason), ..) | (None, Some(reason), true) => skipped.push((name.to_owned(), reason)),
            (None, Some(reason), false) => missed.push(format!("{name} ({reason})")),
            (None, None, _) => missed.push(name.to_owned()),
        }
    }
    report.skipped.extend(skipped);
    report.missed = missed;
    Ok(report)
}

fn plan(interface: &Interface, recipes: &Recipes, settings: &Settings) -> Result<Plan, String> {
    let mut plan = Plan::default();
    let wanted = |name: &str| settings.only.as_ref().is_none_or(|only| only == name);
    for function in interface.functions.iter().filter(|it| wanted(&it.name)) {
        if recipes.skipped(&function.name).is_some() {
            continue;
        }
        match cases::of_function(interface, recipes, function, settings.seed) {
            Ok(group) => plan.groups.push(group),
            Err(reason) => plan.skipped.push((function.name.clone(), reason)),
        }
    }
    for (name, steps) in recipes.scenarios.iter().filter(|it| wanted(&it.0)) {
        let group = cases::of_scenario(interface, recipes, name, steps);
        plan.groups.push(group.map_err(|error| format!("scenario {name}: {error}"))?);
    }
    Ok(plan)
}
