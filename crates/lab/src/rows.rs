//! The table of all rows.

mod contract;
mod control;
mod environment;
mod host;
mod loading;
mod memory;
mod resources;
mod sandbox;
mod signals;
mod threads;

use crate::row::Group;

/// All groups.
pub const GROUPS: &[Group] = &[
    Group { name: "Memory", rows: memory::ROWS },
    Group { name: "Control flow", rows: control::ROWS },
    Group { name: "Signals", rows: signals::ROWS },
    Group { name: "Threads and processes", rows: threads::ROWS },
    Group { name: "Environment", rows: environment::ROWS },
    Group { name: "Resources", rows: resources::ROWS },
    Group { name: "Layouts and loading", rows: loading::ROWS },
    Group { name: "Encodings", rows: contract::ENCODINGS },
    Group { name: "Contract", rows: contract::ROWS },
    Group { name: "Sandbox", rows: sandbox::ROWS },
    Group { name: "Host", rows: host::ROWS },
];
