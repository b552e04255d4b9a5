//! What a contained call costs on this machine, beside the machine's own limits and the direct call: `hotcell bench`.
//!
//! [The data path](../../../docs/internals/data-path.md) says what each figure is and how it is taken.

mod contained;
mod direct;
mod figures;
mod languages;
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

use crate::languages::Programs;
use crate::plan::{Bench, Figure, Probe};
use crate::rounds::Failed;

pub use languages::{Language, Toolchains};
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
    /// The languages that calls are made in; Rust alone, when empty.
    pub languages: Vec<Language>,
    /// What programs in other languages need.
    pub toolchains: Toolchains,
}

/// Why there is no report.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// No figure of these languages has a name that contains this.
    Unknown {
        /// This.
        pattern: String,
        /// The names there are.
        names: Vec<&'static str>,
    },
    /// A call failed.
    Call {
        /// The figure.
        figure: &'static str,
        /// How.
        error: hotcell::Error,
    },
    /// A program in another language failed.
    Program {
        /// The figure.
        figure: &'static str,
        /// What it said.
        said: String,
    },
    /// The process of the raw limits, or the file of the library, cannot be had.
    System(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unknown { pattern, names } => {
                write!(f, "no figure has `{pattern}` in its name; there are {}", names.join(", "))
            }
            Error::Call { figure, error } => write!(f, "while {figure} was measured: {error:#}"),
            Error::Program { figure, said } => {
                write!(f, "while {figure} was measured, its program failed: {said}")
            }
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
    let probes = chosen(settings)?;
    let library = hotcell_shm::sealed_copy(LIBRARY).map_err(|errno| Error::System(errno.into()))?;
    let mut bench = Bench {
        cpus: machine::Cpus::of_this_process().map_err(|errno| Error::System(errno.into()))?,
        peer: raw::Peer::start(peer).map_err(Error::System)?,
        programs: Programs::new(&settings.toolchains),
        library,
        quick: settings.quick,
    };
    let rounds = settings.rounds.unwrap_or(if settings.quick { QUICK_ROUNDS } else { ROUNDS });
    let mut heard = |round, figure: &str| progress(round, rounds, figure);
    let taken = rounds::run(&mut bench, &probes, rounds, &mut heard).map_err(|failed| match failed {
        Failed::Call { figure, error } => Error::Call { figure, error },
        Failed::Program { figure, said } => Error::Program { figure, said },
    })?;
    let mut machine = bench.cpus.machine();
    let programs = bench.programs.about();
    if !programs.is_empty() {
        machine["programs"] = serde_json::json!(programs);
    }
    Ok(Report::new(machine, figures_of(&Language::ALL), &taken))
}

/// The probes of the figures that are asked for.
fn chosen(settings: &Settings) -> Result<Vec<&'static Probe>, Error> {
    let none = settings.languages.is_empty();
    let languages = if none { &[Language::default()][..] } else { &settings.languages };
    let languages: Vec<Language> = Language::ALL.into_iter().filter(|it| languages.contains(it)).collect();
    let ids = || figures_of(&languages).map(|figure| figure.id);
    // A whole name is that figure, and not what begins like it.
    let takes =
        |pattern: &str, id: &str| id == pattern || (id.contains(pattern) && !ids().any(|it| it == pattern));
    if let Some(unknown) = settings.only.iter().find(|pattern| !ids().any(|id| takes(pattern, id))) {
        return Err(Error::Unknown { pattern: unknown.clone(), names: ids().collect() });
    }
    let wanted = |id: &str| settings.only.is_empty() || settings.only.iter().any(|it| takes(it, id));
    let probes = languages.iter().flat_map(|it| it.probes());
    Ok(probes.filter(|probe| probe.figures.iter().any(|figure| wanted(figure.id))).collect())
}

/// The figures of some languages, in the order of the report.
fn figures_of(languages: &[Language]) -> impl Iterator<Item = &'static Figure> {
    languages.iter().flat_map(|it| it.probes()).flat_map(|probe| probe.figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first figures of the probes that are chosen.
    fn first(languages: &[Language], only: &[&str]) -> Result<Vec<&'static str>, Error> {
        let only = only.iter().map(|it| (*it).to_owned()).collect();
        let settings = Settings { only, languages: languages.to_vec(), ..Settings::default() };
        chosen(&settings).map(|probes| probes.iter().map(|probe| probe.figures[0].id).collect())
    }

    #[test]
    fn figures_are_those_of_the_languages_that_are_named() {
        let counted = |languages: &[Language]| first(languages, &[]).unwrap().len();
        let of = |language: Language| language.probes().len();
        assert_eq!(counted(&[]), of(Language::Rust));
        let both = of(Language::Go) + of(Language::Python);
        assert_eq!(counted(&[Language::Python, Language::Go, Language::Python]), both);
    }

    #[test]
    fn a_whole_name_is_that_figure_alone_and_another_language_s_is_none() {
        assert_eq!(first(&[], &["contained.add"]).unwrap(), ["contained.add"]);
        assert_eq!(first(&[Language::Python], &["add.by-cffi"]).unwrap(), ["python.contained.add"]);
        let unknown = first(&[], &["python.contained.add"]).unwrap_err().to_string();
        assert!(unknown.contains("no figure has `python.contained.add`"), "{unknown}");
        assert!(first(&[Language::Go], &["raw.spin"]).is_err());
    }
}
