//! What a contained call costs on this machine, beside the machine's own limits and the direct call: `hotcell bench`.
//!
//! [The data path](../../../docs/internals/data-path.md) says what each figure is and how it is taken.

mod contained;
mod direct;
mod figures;
mod machine;
mod plan;
mod process;
mod raw;
mod report;
mod rounds;
mod statistics;
mod sys;

use std::fmt;
use std::io;

use crate::figures::PROBES;
use crate::plan::{Bench, Figure, Probe};

pub use raw::serve;
pub use report::{LeftOut, Measured, Report};
pub use statistics::Spread;

/// The measured library.
const LIBRARY: &[u8] = include_bytes!(env!("MEASURED_LIBRARY"));

/// Rounds, when nobody says how many.
const ROUNDS: u32 = 9;
const QUICK_ROUNDS: u32 = 3;

/// What to measure.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// A run of seconds: fewer rounds, and fewer calls in each.
    pub quick: bool,
    /// How many rounds.
    pub rounds: Option<u32>,
    /// Figures with one of these names, or whose names contain one that no figure has; all, when empty.
    pub only: Vec<String>,
}

/// Why there is no report.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// No figure has a name that contains this.
    Unknown(String),
    /// A call failed.
    Call {
        /// The figure.
        figure: &'static str,
        /// How.
        error: hotcell::Error,
    },
    /// The process of the raw limits, or the file of the library, cannot be had.
    System(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unknown(pattern) => {
                write!(f, "no figure has `{pattern}` in its name; there are {}", names())
            }
            Error::Call { figure, error } => write!(f, "while {figure} was measured: {error:#}"),
            Error::System(error) => write!(f, "nothing can be measured: {error}"),
        }
    }
}

impl std::error::Error for Error {}

/// Measures. `peer` is what makes this program, started again with it, call [`serve`]; `progress` hears of each
/// sample: its round, of how many, and its figure.
///
/// # Errors
///
/// When a call of the library fails, or nothing can be measured. A figure that this machine cannot have is left out.
pub fn run(
    settings: &Settings,
    peer: &[&str],
    progress: &mut dyn FnMut(u32, u32, &str),
) -> Result<Report, Error> {
    let ids = || PROBES.iter().flat_map(|probe| probe.figures).map(|figure| figure.id);
    // A whole name is that figure, and not what begins like it.
    let takes =
        |pattern: &str, id: &str| id == pattern || (id.contains(pattern) && !ids().any(|it| it == pattern));
    let wanted = |id: &str| settings.only.is_empty() || settings.only.iter().any(|it| takes(it, id));
    if let Some(unknown) = settings.only.iter().find(|pattern| !ids().any(|id| takes(pattern, id))) {
        return Err(Error::Unknown(unknown.clone()));
    }
    let probes: Vec<&'static Probe> =
        PROBES.iter().filter(|probe| probe.figures.iter().any(|figure| wanted(figure.id))).collect();
    let library = hotcell_shm::sealed_copy(LIBRARY).map_err(|errno| Error::System(errno.into()))?;
    let mut bench = Bench {
        cpus: machine::Cpus::of_this_process().map_err(|errno| Error::System(errno.into()))?,
        peer: raw::Peer::start(peer).map_err(Error::System)?,
        library,
        quick: settings.quick,
    };
    let rounds = settings.rounds.unwrap_or(if settings.quick { QUICK_ROUNDS } else { ROUNDS });
    let mut heard = |round, figure: &str| progress(round, rounds, figure);
    let taken = rounds::run(&mut bench, &probes, rounds, &mut heard)
        .map_err(|failed| Error::Call { figure: failed.figure, error: failed.error })?;
    let figures = PROBES.iter().flat_map(|probe| probe.figures);
    Ok(Report::new(bench.cpus.machine(), figures, &taken))
}

fn names() -> String {
    let figures: Vec<&Figure> = PROBES.iter().flat_map(|probe| probe.figures).collect();
    figures.iter().map(|figure| figure.id).collect::<Vec<_>>().join(", ")
}
