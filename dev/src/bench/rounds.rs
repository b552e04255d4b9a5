//! Rounds: each takes a sample of every peer, between two samples of what Hotcell takes for the same.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::sections::{OPERATIONS, Peer, SECTIONS, Section};
use crate::process::output;

/// What is run.
pub(crate) struct Programs {
    pub(crate) hotcell: PathBuf,
    pub(crate) peers: PathBuf,
}

/// What a run found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) machine: Machine,
    /// What else ran when it began: the kernel's load average of a minute.
    pub(crate) load: Option<f64>,
    pub(crate) rounds: u32,
    pub(crate) sections: Vec<FoundSection>,
    /// Peers, and sections, that this machine cannot have, and why.
    pub(crate) left_out: Vec<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct FoundSection {
    pub(crate) title: &'static str,
    /// Hotcell first.
    pub(crate) rows: Vec<Row>,
}

/// One way of calling.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) label: &'static str,
    /// Of [`OPERATIONS`].
    pub(crate) calls: [Call; 2],
    pub(crate) bar: Option<f64>,
}

/// What calls took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Call {
    /// Nanoseconds: median of the rounds, least, most.
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// How many contained calls one takes; `None` for those themselves.
    pub(crate) ratio: Option<f64>,
}

/// What `hotcell bench` says of the machine.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Machine {
    pub(crate) cpu: Option<String>,
    pub(crate) cpus: usize,
    pub(crate) caller_on: usize,
    pub(crate) peer_on: Option<usize>,
    pub(crate) r#virtual: bool,
    pub(crate) kernel: Option<String>,
    pub(crate) hotcell: String,
    /// Programs in other languages, and what they say of themselves.
    #[serde(default)]
    pub(crate) programs: BTreeMap<String, String>,
}

/// What a baseline may have changed by, from before a peer to behind it, as in `hotcell bench`.
const STEADY: f64 = 1.5;

/// Nanoseconds of each operation.
type Sample = [f64; 2];

/// A sample, or why there is none.
type Taken = Result<Sample, String>;

/// Samples of a peer, with those of Hotcell before and behind each.
type Samples = Vec<(Sample, Sample, Sample)>;

pub(crate) fn run(programs: &Programs, rounds: u32, quick: bool) -> Result<Found> {
    let mut samples: HashMap<(&str, &str), Samples> = HashMap::new();
    let load = load_now();
    let (mut machine, mut left_out): (Option<Machine>, Vec<(String, String)>) = (None, Vec::new());
    for round in 1..=rounds {
        eprintln!("peers: round {round} of {rounds}");
        for section in SECTIONS {
            let (said, before) = contained(programs, section, quick)?;
            let machine: &Machine = machine.get_or_insert(said);
            let mut before = match before {
                Ok(before) => before,
                Err(reason) => {
                    note(&mut left_out, section.title.to_owned(), reason);
                    continue;
                }
            };
            for peer in section.peers {
                match measure(programs, peer, section, machine, quick)? {
                    Err(reason) => note(&mut left_out, peer.label.to_owned(), reason),
                    Ok(taken) => {
                        let (_, behind) = contained(programs, section, quick)?;
                        let behind = behind.map_err(anyhow::Error::msg)?;
                        samples.entry((section.place, peer.name)).or_default().push((before, taken, behind));
                        before = behind;
                    }
                }
            }
        }
    }
    let sections = SECTIONS.iter().filter_map(|section| judge(section, &samples)).collect();
    let machine = machine.context("there was no round")?;
    Ok(Found { machine, load, rounds, sections, left_out })
}

pub(crate) fn load_now() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

/// Once, however many rounds say it.
fn note(left_out: &mut Vec<(String, String)>, what: String, reason: String) {
    if !left_out.iter().any(|(it, _)| *it == what) {
        left_out.push((what, reason));
    }
}

impl Found {
    /// What is not as many times slower as its bar says.
    pub(crate) fn missed(&self) -> Vec<String> {
        let rows =
            self.sections.iter().flat_map(|section| section.rows.iter().map(move |row| (section, row)));
        let missed = rows.filter(|(_, row)| row.ok() == Some(false));
        missed.map(|(section, row)| format!("{} ({})", row.label, section.title)).collect()
    }
}

impl Row {
    /// Whether the bar is reached; `None` without one.
    pub(crate) fn ok(&self) -> Option<bool> {
        Some(self.calls[0].ratio? >= self.bar?)
    }
}

/// What contained calls take now, in this section's way.
fn contained(programs: &Programs, section: &Section, quick: bool) -> Result<(Machine, Taken)> {
    let mut command = Command::new(&programs.hotcell);
    command.args(["bench", "--format", "json", "--rounds", "1"]);
    command.args(section.contained.iter().flat_map(|id| ["--only", id]));
    command.args(quick.then_some("--quick")).stderr(Stdio::null());
    read_contained(&output(&mut command)?, section.contained)
}

fn read_contained(json: &str, ids: [&str; 2]) -> Result<(Machine, Taken)> {
    #[derive(Deserialize)]
    struct Report {
        machine: Machine,
        figures: Vec<Figure>,
        left_out: Vec<LeftOut>,
    }
    #[derive(Deserialize)]
    struct Figure {
        id: String,
        median: f64,
    }
    #[derive(Deserialize)]
    struct LeftOut {
        id: String,
        reason: String,
    }
    let report: Report = serde_json::from_str(json).context("what `hotcell bench` printed")?;
    if let Some(left_out) = report.left_out.into_iter().find(|it| ids.contains(&it.id.as_str())) {
        return Ok((report.machine, Err(left_out.reason)));
    }
    let median = |id: &str| {
        let figure = report.figures.iter().find(|it| it.id == id);
        figure.map(|it| it.median).with_context(|| format!("`hotcell bench` has no figure `{id}`"))
    };
    let sample = [median(ids[0])?, median(ids[1])?];
    Ok((report.machine, Ok(sample)))
}

/// What a peer takes now.
fn measure(
    programs: &Programs,
    peer: &Peer,
    section: &Section,
    machine: &Machine,
    quick: bool,
) -> Result<Taken> {
    let far = machine.peer_on.map_or("-".to_owned(), |cpu| cpu.to_string());
    let mut command = Command::new(&programs.peers);
    command.args(["measure", peer.name, section.place, &machine.caller_on.to_string(), &far]);
    command.args(quick.then_some("--quick"));
    read_peer(&output(&mut command)?)
}

fn read_peer(json: &str) -> Result<Taken> {
    let mut found: HashMap<String, serde_json::Value> =
        serde_json::from_str(json).context("what the peers' program printed")?;
    if let Some(reason) = found.remove("left_out") {
        return Ok(Err(reason.as_str().unwrap_or_default().to_owned()));
    }
    let mut value = |name: &str| {
        let value = found.remove(name).and_then(|it| it.as_f64());
        value.with_context(|| format!("the peers' program measured no `{name}`"))
    };
    let sample = [value(OPERATIONS[0].0)?, value(OPERATIONS[1].0)?];
    ensure!(sample.iter().all(|value| *value > 0.0), "a call that takes no time: {json}");
    Ok(Ok(sample))
}

/// The rows of a section; `None` when nothing was measured.
fn judge(section: &Section, samples: &HashMap<(&str, &str), Samples>) -> Option<FoundSection> {
    let (mut rows, mut own): (Vec<Row>, Vec<Sample>) = (Vec::new(), Vec::new());
    for peer in section.peers {
        let Some(samples) = samples.get(&(section.place, peer.name)) else { continue };
        own.extend(samples.iter().flat_map(|(before, _, behind)| [before, behind]));
        let call = |at: usize| {
            let values: Vec<f64> = samples.iter().map(|(_, taken, _)| taken[at]).collect();
            let around =
                samples.iter().map(|(before, taken, behind)| (before[at], taken[at], behind[at])).collect();
            Call { ratio: ratio(around), ..spread(values) }
        };
        rows.push(Row { label: peer.label, calls: [call(0), call(1)], bar: peer.bar });
    }
    if rows.is_empty() {
        return None;
    }
    let calls = [0, 1].map(|at| spread(own.iter().map(|sample| sample[at]).collect()));
    rows.insert(0, Row { label: "Hotcell", calls, bar: None });
    Some(FoundSection { title: section.title, rows })
}

/// The median of the ratios of rounds in which Hotcell took the same before and behind, or of all where there is none.
fn ratio(rounds: Vec<(f64, f64, f64)>) -> Option<f64> {
    let is_steady = |before: f64, behind: f64| before.max(behind) <= STEADY * before.min(behind);
    let (steady, unsteady): (Vec<_>, Vec<_>) =
        rounds.into_iter().partition(|&(before, _, behind)| is_steady(before, behind));
    let counted = if steady.is_empty() { unsteady } else { steady };
    let ratios: Vec<f64> =
        counted.into_iter().map(|(before, taken, behind)| taken * 2.0 / (before + behind)).collect();
    (!ratios.is_empty()).then(|| spread(ratios).median)
}

fn spread(mut values: Vec<f64>) -> Call {
    values.sort_by(f64::total_cmp);
    let (upper, lower) = (values.get(values.len() / 2), values.get(values.len().saturating_sub(1) / 2));
    Call {
        median: (upper.copied().unwrap_or(f64::NAN) + lower.copied().unwrap_or(f64::NAN)) / 2.0,
        min: values.first().copied().unwrap_or(f64::NAN),
        max: values.last().copied().unwrap_or(f64::NAN),
        ratio: None,
    }
}

#[cfg(test)]
mod tests;
