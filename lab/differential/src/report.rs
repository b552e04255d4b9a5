//! What a run found, and how it is told.

use std::collections::BTreeSet;
use std::fmt;

/// What a run found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// One for each function or scenario that was called.
    pub groups: Vec<Compared>,
    /// Functions that were not called, and why.
    pub skipped: Vec<(String, String)>,
    /// Bound functions that were in no case that could be compared, without a reason.
    pub missed: Vec<String>,
    /// Calls that went in batches.
    pub entries: usize,
}

/// The cases of a function or scenario.
#[derive(Debug, Clone, Default)]
pub struct Compared {
    /// The function, or the scenario's own name.
    pub name: String,
    /// Cases that ended the same way on both sides.
    pub equal: usize,
    /// Those of them that ended the process: on both sides by the same signal or status.
    pub ended: usize,
    /// Cases in which two direct runs already differ: times, addresses, memory nobody wrote.
    pub unstable: usize,
    /// Cases that were not run behind one that hung.
    pub left_out: usize,
    /// Cases in which the sides differ.
    pub different: Vec<Difference>,
    /// Every call and what came of it directly, if that is wanted.
    pub shown: Vec<String>,
    /// Functions that were called, and did the same on both sides.
    pub called: BTreeSet<String>,
}

/// A step in which the sides differ.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The call.
    pub call: String,
    /// What the direct call gave.
    pub direct: String,
    /// What the contained call gave.
    pub contained: String,
}

impl Report {
    /// Cases that ended the same way on both sides.
    pub fn equal(&self) -> usize {
        self.groups.iter().map(|group| group.equal).sum()
    }

    /// Cases in which the sides differ.
    pub fn different(&self) -> usize {
        self.groups.iter().map(|group| group.different.len()).sum()
    }

    /// Whether something was compared, nothing differs and nothing was missed.
    pub fn passed(&self) -> bool {
        self.equal() > 0 && self.different() == 0 && self.missed.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Differences of one function that are shown.
        const SHOWN: usize = 3;
        for group in &self.groups {
            write!(f, "{:40} {:5} equal", group.name, group.equal)?;
            for (count, what) in [
                (group.ended, "of them ended the process"),
                (group.unstable, "not the same twice"),
                (group.left_out, "not run behind one that hung"),
                (group.different.len(), "DIFFERENT"),
            ] {
                if count > 0 {
                    write!(f, ", {count} {what}")?;
                }
            }
            writeln!(f)?;
            group.shown.iter().try_for_each(|line| writeln!(f, "    {line}"))?;
            for it in group.different.iter().take(SHOWN) {
                writeln!(
                    f,
                    "    {}\n      direct:    {}\n      contained: {}",
                    it.call, it.direct, it.contained
                )?;
            }
        }
        for (name, reason) in &self.skipped {
            writeln!(f, "{name:40} not called: {reason}")?;
        }
        for name in &self.missed {
            writeln!(f, "{name:40} NEVER COMPARED, and no reason is given")?;
        }
        writeln!(
            f,
            "{} functions and scenarios called, {} cases equal, {} different, {} not the same twice, {} functions not called, {} missed",
            self.groups.len(),
            self.equal(),
            self.different(),
            self.groups.iter().map(|group| group.unstable).sum::<usize>(),
            self.skipped.len(),
            self.missed.len()
        )?;
        match self.entries {
            0 => Ok(()),
            entries => writeln!(f, "{entries} contained calls went in batches"),
        }
    }
}
