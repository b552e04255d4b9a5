//! What a library may leave changed of the state of its process, as the contract says it.

use serde::{Deserialize, Serialize};

/// A part of the state that a process has once, or each of its threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatePart {
    /// The locale.
    Locale,
    /// What is done on signals.
    Handlers,
    /// Which signals are blocked.
    Mask,
    /// Interval timers.
    Timers,
    /// The working directory.
    Directory,
    /// The mask of new files.
    Umask,
    /// The environment.
    Environment,
    /// How numbers are rounded.
    Arithmetic,
}

impl StatePart {
    /// All of them.
    pub const ALL: [StatePart; 8] = [
        StatePart::Locale,
        StatePart::Handlers,
        StatePart::Mask,
        StatePart::Timers,
        StatePart::Directory,
        StatePart::Umask,
        StatePart::Environment,
        StatePart::Arithmetic,
    ];

    /// Its name in contracts.
    pub const fn name(self) -> &'static str {
        match self {
            StatePart::Locale => "locale",
            StatePart::Handlers => "handlers",
            StatePart::Mask => "mask",
            StatePart::Timers => "timers",
            StatePart::Directory => "directory",
            StatePart::Umask => "umask",
            StatePart::Environment => "environment",
            StatePart::Arithmetic => "arithmetic",
        }
    }
}
