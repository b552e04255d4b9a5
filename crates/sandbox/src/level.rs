//! The restrictions that are in force, measured.

use std::io;

use crate::policy::Policy;
use crate::profile::{Profile, Require, Sandbox};
use crate::sys;

/// A set of restrictions, as the worker found them on itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Level(u32);

/// Every restriction with its bit and the words for reports.
const RESTRICTIONS: [(Level, &str); 17] = [
    (Level::NO_NEW_PRIVS, "no-new-privileges"),
    (Level::NO_CORE, "no-core-dumps"),
    (Level::OWN_SESSION, "own-session"),
    (Level::FEW_DESCRIPTORS, "limited-descriptors"),
    (Level::SYSCALL_FILTER, "system-call-filter"),
    (Level::PATH_RULES, "path-rules"),
    (Level::NO_CAPABILITIES, "no-capabilities"),
    (Level::NO_HOST_MEMORY, "no-host-memory"),
    (Level::NO_FOREIGN_SIGNALS, "no-foreign-signals"),
    (Level::NO_FOREIGN_LIMITS, "no-foreign-limits"),
    (Level::NO_EXEC, "no-programs"),
    (Level::NO_PROCESSES, "no-processes"),
    (Level::NO_KERNEL_INTERFACES, "no-kernel-interfaces"),
    (Level::NO_UNNAMED_FILES, "no-unnamed-files"),
    (Level::NO_NETWORK, "no-network"),
    (Level::NO_NEW_CODE, "no-new-code"),
    (Level::OWN_NAMESPACES, "own-namespaces"),
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
    /// A filter of system calls holds.
    pub const SYSCALL_FILTER: Level = Level(1 << 4);
    /// The kernel judges paths (and, from Linux 6.7 on, ports).
    pub const PATH_RULES: Level = Level(1 << 5);
    /// It has no capabilities, also where the administrator runs it.
    pub const NO_CAPABILITIES: Level = Level(1 << 6);
    /// It could not open the host's memory, read it, trace the host or have a descriptor of it.
    pub const NO_HOST_MEMORY: Level = Level(1 << 7);
    /// It could not signal the host.
    pub const NO_FOREIGN_SIGNALS: Level = Level(1 << 8);
    /// It could not ask for the host's limits, nor set where it runs and with which priority.
    pub const NO_FOREIGN_LIMITS: Level = Level(1 << 9);
    /// It could not execute a program.
    pub const NO_EXEC: Level = Level(1 << 10);
    /// It could not start a process.
    pub const NO_PROCESSES: Level = Level(1 << 11);
    /// It could not use rings, programs in the kernel, counters, keys, mounts or namespaces.
    pub const NO_KERNEL_INTERFACES: Level = Level(1 << 12);
    /// It could not list the root directory, which nobody can name.
    pub const NO_UNNAMED_FILES: Level = Level(1 << 13);
    /// It could not make a socket.
    pub const NO_NETWORK: Level = Level(1 << 14);
    /// It could not make memory that is executed, nor execute what it has.
    pub const NO_NEW_CODE: Level = Level(1 << 15);
    /// It has namespaces of its own, of users and of System V's and POSIX' means between processes. Not a worker's to say.
    pub const OWN_NAMESPACES: Level = Level(1 << 16);

    /// What the load phase promises in every profile.
    const BASIC: Level = Level(0b1111);

    /// All that a profile is to be kept from.
    pub fn strict(sandbox: &Sandbox) -> Level {
        let walls = Level((1 << 13) - 1);
        let walls = if sandbox.write_xor_execute { walls.and(Level::NO_NEW_CODE) } else { walls };
        match sandbox.profile {
            Profile::Basic => Level::BASIC,
            // What single calls of the user's can do is the user's affair.
            Profile::Custom => walls,
            Profile::Compute => walls.and(Level::NO_UNNAMED_FILES).and(Level::NO_NETWORK),
            Profile::Files => walls.and(Level::NO_UNNAMED_FILES).and(Level::NO_NETWORK),
            Profile::Network => walls.and(Level::NO_UNNAMED_FILES),
        }
    }

    /// What must be in force, or else the library does not load. `Offered` does without the rules of paths where the profile
    /// names none, nor allows a call that they judge: its filter denies them all.
    pub fn required(sandbox: &Sandbox) -> Level {
        let strict = Level::strict(sandbox);
        let opens = Policy::serve(sandbox).is_ok_and(|policy| policy.opens_paths() || policy.opens_ports());
        let needs_rules = sandbox.has_files() || sandbox.has_network() || opens;
        match sandbox.require {
            Require::Namespaces => strict.and(Level::OWN_NAMESPACES),
            Require::Strict => strict,
            Require::Offered if needs_rules => strict,
            Require::Offered => Level(strict.0 & !Level::PATH_RULES.0),
        }
    }

    /// Asks the kernel what holds for this process: the restrictions of the load phase.
    pub fn measure() -> io::Result<Level> {
        let facts = [
            (Level::NO_NEW_PRIVS, sys::process::no_new_privs()?),
            (Level::NO_CORE, sys::process::core_limit()? <= 1),
            (Level::OWN_SESSION, sys::process::leads_session()),
            (Level::FEW_DESCRIPTORS, sys::process::descriptor_limit()? <= crate::limits::MOST_DESCRIPTORS),
        ];
        Ok(Level(facts.iter().filter(|(_, holds)| *holds).fold(0, |bits, (level, _)| bits | level.0)))
    }

    /// Of what a worker found on itself, and whether it was started in namespaces of its own.
    pub fn of_worker(bits: u32, own_namespaces: bool) -> Level {
        let own = if own_namespaces { Level::OWN_NAMESPACES.0 } else { 0 };
        Level((bits & !Level::OWN_NAMESPACES.0) | own)
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

    /// Both together.
    pub fn and(self, other: Level) -> Level {
        Level(self.0 | other.0)
    }

    /// The names of what of `wanted` is not in force.
    pub fn missing(self, wanted: Level) -> Vec<&'static str> {
        Level(wanted.0 & !self.0).names()
    }

    /// The first restriction the load phase promises and that is not in force.
    pub(crate) fn missing_for_load(self) -> Option<&'static str> {
        self.missing(Level::BASIC).first().copied()
    }
}
