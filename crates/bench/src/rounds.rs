//! Rounds: each takes a sample of every figure, the samples it is held against right before it and right behind it.

use std::collections::{HashMap, HashSet};

use crate::languages::probe_of;
use crate::plan::{Baseline, Bench, Figure, Probe, Stop, When};
use crate::statistics::spread;

/// Samples of a run, by figure.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) values: HashMap<&'static str, Vec<f64>>,
    pub(crate) ratios: HashMap<&'static str, Ratios>,
    /// The same to what is done in process.
    pub(crate) direct: HashMap<&'static str, Ratios>,
    /// Figures that this machine cannot have, and why.
    pub(crate) left_out: Vec<(&'static str, String)>,
}

/// Ratios of a figure, one for each round.
#[derive(Debug, Default)]
pub(crate) struct Ratios {
    /// Of rounds in which what it is held against was the same before and behind it.
    pub(crate) steady: Vec<f64>,
    /// Of rounds in which the machine had become another one meanwhile: a virtual one has its CPUs moved, now on two
    /// cores, now on the two threads of one.
    pub(crate) unsteady: Vec<f64>,
}

/// What a baseline may have changed by, from before a figure to behind it.
const STEADY: f64 = 1.5;

/// What went wrong while a figure was measured.
#[derive(Debug)]
pub(crate) enum Failed {
    Call { figure: &'static str, error: hotcell::Error },
    Program { figure: &'static str, said: String },
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
        let mut of_round: OfRound = HashMap::new();
        for probe in probes.iter().filter(|probe| probe.when == When::EachRound || round == 1) {
            if taken.has_left_out(probe) || already(probe, &of_round) {
                continue;
            }
            let baselines = baselines(probe);
            for baseline in &baselines {
                taken.sample(bench, baseline, &mut of_round, round, progress)?;
            }
            let before = of_round.clone();
            taken.sample(bench, probe, &mut of_round, round, progress)?;
            for baseline in &baselines {
                taken.sample(bench, baseline, &mut of_round, round, progress)?;
            }
            for figure in probe.figures {
                taken.compare(figure, &before, &of_round);
            }
        }
    }
    Ok(taken)
}

/// The last sample of each figure in a round.
type OfRound = HashMap<&'static str, f64>;

/// Whether all that it measures was measured in this round, as the baseline of others, and nothing is held against
/// anything.
fn already(probe: &Probe, of_round: &OfRound) -> bool {
    probe.figures.iter().all(|it| of_round.contains_key(it.id) && it.compared_with().next().is_none())
}

/// The other probes that its figures are held against, each once.
fn baselines(probe: &Probe) -> Vec<&'static Probe> {
    let own: HashSet<&str> = probe.figures.iter().map(|figure| figure.id).collect();
    let mut found: Vec<&'static Probe> = Vec::new();
    for id in probe.figures.iter().flat_map(Figure::compared_with) {
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

    /// Holds a figure's sample against those of its baseline around it.
    fn compare(&mut self, figure: &Figure, before: &OfRound, behind: &OfRound) {
        // What the probe itself measures is behind it alone.
        let around = |id: &str| {
            let behind = *behind.get(id)?;
            Some((before.get(id).copied().unwrap_or(behind), behind))
        };
        let Some(value) = behind.get(figure.id) else { return };
        let middle = |id: &str| around(id).map(|(before, behind)| (before + behind) / 2.0);
        let against = |all: &mut HashMap<&'static str, Ratios>, baseline: Baseline| {
            let Some(ratio) = baseline.ratio(*value, middle) else { return };
            let mut pairs = baseline.of.iter().filter_map(|id| around(id));
            let steady = pairs.all(|(before, behind)| before.max(behind) <= STEADY * before.min(behind));
            let ratios = all.entry(figure.id).or_default();
            if steady { &mut ratios.steady } else { &mut ratios.unsteady }.push(ratio);
        };
        against(&mut self.ratios, figure.baseline);
        against(&mut self.direct, figure.direct);
    }

    fn sample(
        &mut self,
        bench: &mut Bench,
        probe: &'static Probe,
        of_round: &mut OfRound,
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
            Err(Stop::Failed(error)) => return Err(Failed::Call { figure: first.id, error }),
            Err(Stop::Program(said)) => return Err(Failed::Program { figure: first.id, said }),
        }
        Ok(())
    }
}

impl Ratios {
    /// The one in the middle, of steady rounds if there are any.
    pub(crate) fn median(&self) -> Option<f64> {
        let counted = if self.steady.is_empty() { &self.unsteady } else { &self.steady };
        spread(counted).map(|spread| spread.median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Figure = Figure::plain("call").over(&["raw"]);

    fn compared(rounds: &[(f64, f64, f64)]) -> Ratios {
        let mut taken = Taken::default();
        for &(before, value, behind) in rounds {
            let behind = HashMap::from([("raw", behind), ("call", value)]);
            taken.compare(&CALL, &HashMap::from([("raw", before)]), &behind);
        }
        taken.ratios.remove("call").unwrap_or_default()
    }

    #[test]
    fn a_round_in_which_the_machine_changed_does_not_count() {
        let ratios = compared(&[(280.0, 300.0, 320.0), (40.0, 300.0, 280.0), (290.0, 290.0, 290.0)]);
        assert_eq!((&ratios.steady[..], &ratios.unsteady[..]), (&[1.0, 1.0][..], &[1.875][..]));
        assert_eq!(ratios.median(), Some(1.0));
    }

    #[test]
    fn where_no_round_is_steady_all_count() {
        assert_eq!(compared(&[(40.0, 320.0, 280.0)]).median(), Some(2.0));
        assert_eq!(Ratios::default().median(), None);
    }

    #[test]
    fn what_a_probe_measures_itself_is_compared_as_it_is() {
        let mut taken = Taken::default();
        let behind = HashMap::from([("raw", 100.0), ("call", 150.0)]);
        taken.compare(&CALL, &HashMap::new(), &behind);
        assert_eq!(taken.ratios["call"].steady, [1.5]);
    }

    #[test]
    fn baselines_are_other_probes_each_once() {
        let of = |id: &str| -> Vec<&str> {
            let probe = probe_of(id).unwrap();
            baselines(probe).iter().map(|it| it.figures[0].id).collect()
        };
        assert_eq!(of("contained.crc32.1k"), ["raw.move.1k", "direct.crc32.1k"]);
        let twice = ["direct.invert.1m", "raw.exchange.1m", "raw.memcpy.1m"];
        assert_eq!(of("contained.invert.1m.copied"), twice);
        assert!(of("contained.1-hog.p50").is_empty() && of("raw.spin").is_empty());
    }
}
