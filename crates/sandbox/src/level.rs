//! The restrictions that are in force, measured.

use std::io;

use crate::sys;

/// A set of restrictions, as the worker found them on itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Level(u32);

/// Every restriction with its bit and the words for reports.
const RESTRICTIONS: [(Level, &str); 4] = [
    (Level::NO_NEW_PRIVS, "no-new-privileges"),
    (Level::NO_CORE, "no-core-dumps"),
    (Level::OWN_SESSION, "own-session"),
    (Level::FEW_DESCRIPTORS, "limited-descriptors"),
];

impl Level {
    /// exec cannot gain privileges.
    pub const NO_NEW_PRIVS: Level = Level(1);
    /// A crash writes no core file.
    pub const NO_CORE: Level = Level(1 << 1);
    /// It has a session and process group of its own, without a terminal.
    pub const OWN_SESSION: Level = Level(1 << 2);
    /// It can open only a bounded number of descriptors.
    pub const FEW_DESCRIPTORS: Level = Level(1 << 3);

    /// Asks the kernel what holds for this process.
    pub fn measure() -> io::Result<Level> {
        let facts = [
            (Level::NO_NEW_PRIVS, sys::process::no_new_privs()?),
            (Level::NO_CORE, sys::process::core_limit()? <= 1),
            (Level::OWN_SESSION, sys::process::leads_session()),
            (Level::FEW_DESCRIPTORS, sys::process::descriptor_limit()? <= crate::limits::MOST_DESCRIPTORS),
        ];
        Ok(Level(facts.iter().filter(|(_, holds)| *holds).fold(0, |bits, (level, _)| bits | level.0)))
    }

    /// The level of a wire number; unknown bits are kept.
    pub fn from_bits(bits: u32) -> Level {
        Level(bits)
    }

    /// As a number.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Whether all of `other` is in force.
    pub fn contains(self, other: Level) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of the restrictions in force.
    pub fn names(self) -> Vec<&'static str> {
        RESTRICTIONS.iter().filter(|(level, _)| self.contains(*level)).map(|(_, name)| *name).collect()
    }

    /// The first restriction the load phase promises and that is not in force.
    pub(crate) fn missing_for_load(self) -> Option<&'static str> {
        RESTRICTIONS.iter().find(|(level, _)| !self.contains(*level)).map(|(_, name)| *name)
    }
}
