//! The same calls by programs in other languages: one for each means of calling, which is started once, kept, and asked for samples
//! in turn with everything else that is measured.

mod folder;
mod go;
mod program;
mod python;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use crate::figures;
use crate::languages::folder::Folder;
use crate::languages::program::{Program, Threads};
use crate::machine::{Pinned, pin_process};
use crate::plan::{Bench, Figure, Probe, Samples, Stop, When};

/// A language that calls are made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// This program itself.
    #[default]
    Rust,
    /// A program that the toolchain for Go builds.
    Go,
    /// A program that an interpreter of Python runs.
    Python,
}

/// What the programs need of the machine.
#[derive(Debug, Clone, Default)]
pub struct Toolchains {
    /// The interpreter that has the module `hotcell`: `python3`, unless it is said.
    pub python: Option<PathBuf>,
    /// A folder with the runtime for Go, in place of the one that packages carry.
    pub go_runtime: Option<PathBuf>,
}

impl Language {
    /// All of them, in the order of the report.
    pub const ALL: [Language; 3] = [Language::Rust, Language::Go, Language::Python];

    pub(crate) fn probes(self) -> &'static [Probe] {
        match self {
            Language::Rust => figures::PROBES,
            Language::Go => go::PROBES,
            Language::Python => python::PROBES,
        }
    }
}

/// A means of calling, which a program has.
struct Means {
    name: &'static str,
    /// Makes what starts the program.
    command: fn(&mut Programs) -> Result<Command, Stop>,
}

/// A sample that a program is asked for.
struct Sample {
    /// What the program calls it.
    figure: &'static str,
    place: Place,
    blocks: u32,
    calls: u32,
}

/// Where both sides run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// All in the program, on one CPU.
    Near,
    /// Caller and worker poll, pinned to a CPU each.
    TwoCores,
    /// Everything is as by default, and nothing pinned.
    Anywhere,
}

/// Programs that run, and those that cannot be had.
pub(crate) struct Programs {
    toolchains: Toolchains,
    /// They end before their folder goes.
    known: BTreeMap<&'static str, Result<Program, String>>,
    /// Made when the first program is started.
    folder: Option<Folder>,
}

impl Programs {
    pub(crate) fn new(toolchains: &Toolchains) -> Programs {
        Programs { toolchains: toolchains.clone(), folder: None, known: BTreeMap::new() }
    }

    /// What the programs that run say of themselves.
    pub(crate) fn about(&self) -> BTreeMap<&'static str, &str> {
        let running = self.known.iter().filter_map(|(name, it)| Some((*name, it.as_ref().ok()?.about())));
        running.collect()
    }

    fn folder(&mut self) -> Result<&Folder, Stop> {
        match &mut self.folder {
            Some(folder) => Ok(folder),
            none => Ok(none.insert(Folder::make()?)),
        }
    }

    /// The program of a means, started when it is asked for first.
    fn of(&mut self, means: &Means) -> Result<&mut Program, Stop> {
        if !self.known.contains_key(means.name) {
            let started = match (means.command)(self) {
                Ok(mut command) => Program::start(&mut command),
                Err(stop) => Err(stop),
            };
            let kept = match started {
                Ok(program) => Ok(program),
                Err(Stop::LeftOut(reason)) => Err(reason),
                Err(failed) => return Err(failed),
            };
            self.known.insert(means.name, kept);
        }
        match self.known.get_mut(means.name) {
            Some(Ok(program)) => Ok(program),
            Some(Err(reason)) => Err(Stop::LeftOut(reason.clone())),
            None => Err(Stop::LeftOut("its program was not started".into())),
        }
    }
}

/// Takes a sample of a means, once for each figure that it is.
fn sample(bench: &mut Bench, means: &Means, sample: &Sample, figures: usize) -> Samples {
    let (near, far) = match sample.place {
        Place::Near => (Some(bench.cpus.near), None),
        Place::TwoCores => (Some(bench.cpus.near), Some(bench.far()?)),
        Place::Anywhere => (None, None),
    };
    let extent = bench.extent(sample.blocks);
    let ask = serde_json::json!({
        "figure": sample.figure, "near": near, "far": far,
        "blocks": extent.blocks, "calls": sample.calls, "seconds": extent.time.as_secs_f64(),
    });
    let mut pinned = None;
    let value = bench.programs.of(means)?.ask(&ask, |threads: Threads| {
        let refused = Stop::refused("pinning a program");
        if let Some(near) = near {
            pinned = Some(Pinned::other(threads.caller, near).map_err(&refused)?);
        }
        match (far, threads.worker) {
            (Some(far), Some(worker)) => pin_process(worker, far).map_err(&refused),
            _ => Ok(()),
        }
    })?;
    Ok(vec![value; figures])
}

/// The probe that measures this.
pub(crate) fn probe_of(id: &str) -> Option<&'static Probe> {
    let probes = Language::ALL.into_iter().flat_map(Language::probes);
    probes.into_iter().find(|probe| probe.figures.iter().any(|figure| figure.id == id))
}

/// A probe in every round.
const fn each(run: fn(&mut Bench) -> Samples, figures: &'static [Figure]) -> Probe {
    Probe { figures, run, when: When::EachRound }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_baselines_exist() {
        let probes = || Language::ALL.into_iter().flat_map(Language::probes);
        let figures: Vec<&Figure> = probes().flat_map(|probe| probe.figures).collect();
        let ids: HashSet<&str> = figures.iter().map(|figure| figure.id).collect();
        assert_eq!(ids.len(), figures.len());
        for figure in figures {
            for id in figure.compared_with() {
                let figure = figure.id;
                assert!(ids.contains(id) && id != figure, "{figure} is held against {id}");
            }
            // A ratio needs something to divide by.
            assert!(figure.baseline.less.is_empty() || !figure.baseline.of.is_empty(), "{}", figure.id);
        }
    }

    #[test]
    fn a_figure_leads_to_its_probe() {
        let first = |id: &str| probe_of(id).map(|probe| probe.figures[0].id);
        assert_eq!(first("contained.every-1ms.worker-cpu"), Some("contained.every-1ms"));
        assert_eq!(first("python.contained.add.by-cffi"), Some("python.contained.add"));
        assert_eq!(first("contained.nothing"), None);
    }

    #[test]
    fn figures_of_a_language_begin_with_its_name() {
        for (language, begin) in [(Language::Go, "go."), (Language::Python, "python.")] {
            let figures = language.probes().iter().flat_map(|probe| probe.figures);
            figures.for_each(|figure| assert!(figure.id.starts_with(begin), "{}", figure.id));
        }
    }
}
