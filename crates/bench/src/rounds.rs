//! Rounds: each takes a sample of every figure, the samples it is held against right before it.

use std::collections::{HashMap, HashSet};

use crate::figures::probe_of;
use crate::plan::{Bench, Figure, Probe, Stop, When};

/// Samples of a run, by figure.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) values: HashMap<&'static str, Vec<f64>>,
    pub(crate) ratios: HashMap<&'static str, Vec<f64>>,
    /// Figures that this machine cannot have, and why.
    pub(crate) left_out: Vec<(&'static str, String)>,
}

/// A call failed while this figure was measured.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) figure: &'static str,
    pub(crate) error: hotcell::Error,
}

/// Runs so many rounds of these probes.
pub(crate) fn run(
    bench: &mut Bench,
    probes: &[&'static Probe],
    rounds: u32,
    progress: &mut dyn FnMut(u32, &str),
) -> Result<Taken, Failed> {
    let mut taken = Taken::default();
    for round in 1..=rounds {
        let mut of_round = HashMap::new();
        for probe in probes.iter().filter(|probe| probe.when == When::EachRound || round == 1) {
            if taken.has_left_out(probe) || already(probe, &of_round) {
                continue;
            }
            for baseline in baselines(probe) {
                taken.sample(bench, baseline, &mut of_round, round, progress)?;
            }
            taken.sample(bench, probe, &mut of_round, round, progress)?;
            for figure in probe.figures {
                let value = of_round.get(figure.id);
                let ratio = value.and_then(|it| figure.baseline.ratio(*it, |id| of_round.get(id).copied()));
                taken.ratios.entry(figure.id).or_default().extend(ratio);
            }
        }
    }
    Ok(taken)
}

/// Whether all that it measures was measured in this round, as the baseline of others, and nothing is held against
/// anything.
fn already(probe: &Probe, of_round: &HashMap<&str, f64>) -> bool {
    probe.figures.iter().all(|it| of_round.contains_key(it.id) && it.baseline.of.is_empty())
}

/// The other probes that its figures are held against, each once.
fn baselines(probe: &Probe) -> Vec<&'static Probe> {
    let own: HashSet<&str> = probe.figures.iter().map(|figure| figure.id).collect();
    let mut found: Vec<&'static Probe> = Vec::new();
    for id in probe.figures.iter().flat_map(|figure| figure.baseline.ids()) {
        let other = probe_of(id).filter(|_| !own.contains(id));
        if let Some(other) = other.filter(|other| !found.iter().any(|it| std::ptr::eq(*it, *other))) {
            found.push(other);
        }
    }
    found
}

impl Taken {
    fn has_left_out(&self, probe: &Probe) -> bool {
        self.left_out.iter().any(|(id, _)| probe.figures.iter().any(|figure| figure.id == *id))
    }

    fn sample(
        &mut self,
        bench: &mut Bench,
        probe: &'static Probe,
        of_round: &mut HashMap<&'static str, f64>,
        round: u32,
        progress: &mut dyn FnMut(u32, &str),
    ) -> Result<(), Failed> {
        if self.has_left_out(probe) {
            return Ok(());
        }
        let first: &Figure = &probe.figures[0];
        progress(round, first.id);
        match (probe.run)(bench) {
            Ok(values) => {
                for (figure, value) in probe.figures.iter().zip(values) {
                    self.values.entry(figure.id).or_default().push(value);
                    of_round.insert(figure.id, value);
                }
            }
            Err(Stop::LeftOut(reason)) => {
                self.left_out.extend(probe.figures.iter().map(|figure| (figure.id, reason.clone())));
            }
            Err(Stop::Failed(error)) => return Err(Failed { figure: first.id, error }),
        }
        Ok(())
    }
}
