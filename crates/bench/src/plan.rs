//! What a figure is, and what probes have to measure with.

use std::fmt::Display;
use std::os::fd::OwnedFd;
use std::time::Duration;

use crate::languages::Programs;
use crate::machine::Cpus;
use crate::raw::Peer;
use crate::statistics::Extent;

/// Takes a sample of everything that it measures: a value for each of its figures, in their order.
pub(crate) struct Probe {
    pub(crate) figures: &'static [Figure],
    pub(crate) run: fn(&mut Bench) -> Samples,
    pub(crate) when: When,
}

/// How often a probe runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// In every round.
    EachRound,
    /// In the first round: it takes long, and its value does not depend on luck.
    Once,
}

/// What is measured, and what it is held against.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) id: &'static str,
    pub(crate) unit: &'static str,
    /// What the ratio divides by.
    pub(crate) baseline: Baseline,
    /// The same done in process, where there is such a figure: it is compared besides.
    pub(crate) direct: Baseline,
    /// The most that the ratio may be, or the figure itself where it has no baseline.
    pub(crate) bar: Option<f64>,
}

/// Figures of the same round: the ratio is `(figure - less) / of`, of sums.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Baseline {
    pub(crate) of: &'static [&'static str],
    pub(crate) less: &'static [&'static str],
}

const NOTHING: Baseline = Baseline { of: &[], less: &[] };

/// What a probe returns.
pub(crate) type Samples = Result<Vec<f64>, Stop>;

/// Why a probe has no sample.
#[derive(Debug)]
pub(crate) enum Stop {
    /// This machine, or this run, cannot have the figure.
    LeftOut(String),
    /// A call failed that must not.
    Failed(hotcell::Error),
    /// A program in another language says so, or is not what it should be.
    Program(String),
}

/// What probes measure with.
pub(crate) struct Bench {
    pub(crate) cpus: Cpus,
    pub(crate) peer: Peer,
    /// Those in other languages.
    pub(crate) programs: Programs,
    /// The measured library, as a file.
    pub(crate) library: OwnedFd,
    /// A run of seconds.
    pub(crate) quick: bool,
}

impl Figure {
    /// A figure in nanoseconds that stands for itself.
    pub(crate) const fn plain(id: &'static str) -> Figure {
        Figure::of(id, "ns")
    }

    /// A figure that stands for itself.
    pub(crate) const fn of(id: &'static str, unit: &'static str) -> Figure {
        Figure { id, unit, baseline: NOTHING, direct: NOTHING, bar: None }
    }

    /// As a multiple of the sum of these.
    pub(crate) const fn over(mut self, of: &'static [&'static str]) -> Figure {
        self.baseline.of = of;
        self
    }

    /// Without the sum of these.
    pub(crate) const fn less(mut self, less: &'static [&'static str]) -> Figure {
        self.baseline.less = less;
        self
    }

    /// As a multiple of what this does in process, too.
    pub(crate) const fn beside(mut self, direct: &'static [&'static str]) -> Figure {
        self.direct.of = direct;
        self
    }

    /// Must not be more.
    pub(crate) const fn bar(mut self, bar: f64) -> Figure {
        self.bar = Some(bar);
        self
    }

    /// Every figure that it is compared with.
    pub(crate) fn compared_with(&self) -> impl Iterator<Item = &'static str> {
        self.baseline.ids().chain(self.direct.ids())
    }
}

impl Baseline {
    /// Every figure that it is made of.
    pub(crate) fn ids(self) -> impl Iterator<Item = &'static str> {
        self.of.iter().chain(self.less).copied()
    }

    /// The ratio, by the values of the round; `None` without a baseline, or where one was not had.
    pub(crate) fn ratio(self, value: f64, of_round: impl Fn(&str) -> Option<f64>) -> Option<f64> {
        let sum = |ids: &[&str]| ids.iter().map(|id| of_round(id)).sum::<Option<f64>>();
        let (of, less) = (sum(self.of)?, sum(self.less)?);
        (of > 0.0).then(|| (value - less) / of)
    }
}

impl std::fmt::Display for Baseline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.of.join(" + "))?;
        if self.less.is_empty() { Ok(()) } else { write!(f, ", beyond {}", self.less.join(" + ")) }
    }
}

impl Stop {
    /// For what the machine refuses.
    pub(crate) fn refused<E: Display>(what: &'static str) -> impl Fn(E) -> Stop {
        move |error| Stop::LeftOut(format!("{what}: {error}"))
    }
}

impl From<hotcell::Error> for Stop {
    fn from(error: hotcell::Error) -> Stop {
        Stop::Failed(error)
    }
}

impl Bench {
    /// The CPU of who answers.
    pub(crate) fn far(&self) -> Result<usize, Stop> {
        self.cpus.far.ok_or_else(|| Stop::LeftOut("this process may use one CPU only".into()))
    }

    /// So many blocks, a few in a quick run, and no more than they take on a machine that is not busy.
    pub(crate) fn extent(&self, blocks: u32) -> Extent {
        let time = Duration::from_millis(if self.quick { 50 } else { 300 });
        Extent { blocks: self.fewer(blocks), time }
    }

    /// As long as any sample may take.
    pub(crate) fn long(&self) -> Extent {
        Extent { blocks: u32::MAX, ..self.extent(0) }
    }

    /// For what takes seconds.
    pub(crate) fn not_quick(&self) -> Result<(), Stop> {
        let reason = "it takes long: not in a quick run";
        if self.quick { Err(Stop::LeftOut(reason.into())) } else { Ok(()) }
    }

    /// So many, or a few in a quick run.
    pub(crate) fn fewer(&self, count: u32) -> u32 {
        if self.quick { count.div_ceil(10) } else { count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_what_is_beyond() {
        let round = |id: &str| [("a", 10.0), ("b", 5.0), ("zero", 0.0)].into_iter().find(|it| it.0 == id);
        let check = |of: &'static [&str], less: &'static [&str], expect: Option<f64>, text: &str| {
            let baseline = Baseline { of, less };
            assert_eq!(baseline.ratio(30.0, |id| round(id).map(|it| it.1)), expect, "{baseline:?}");
            assert_eq!(baseline.to_string(), text);
        };
        check(&["a"], &[], Some(3.0), "a");
        check(&["a", "b"], &[], Some(2.0), "a + b");
        check(&["a"], &["b"], Some(2.5), "a, beyond b");
        check(&["b"], &["a", "b"], Some(3.0), "b, beyond a + b");
        check(&[], &[], None, "");
        check(&["absent"], &[], None, "absent");
        check(&["a"], &["absent"], None, "a, beyond absent");
        check(&["zero"], &[], None, "zero");
    }
}
