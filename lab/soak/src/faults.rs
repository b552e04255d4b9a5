//! What was done, when, and to which processes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use hotcell_shm::lock::Mutex;

/// Something that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A worker that serves was killed.
    Killed,
    /// One that does not serve was: a spare, or one that comes up.
    KilledApart,
    /// One was stopped, and went on a while later.
    Paused,
    /// One was stopped, and did not go on.
    Stopped,
    /// A library was loaded anew.
    Reloaded,
    /// A future was dropped while its call was under way.
    Dropped,
}

/// To what it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    /// A process, and the session that it served. Which worker of it that was the session tells when it has ended.
    Process(u32, Option<usize>),
    /// A session, and the worker of it that was replaced, if one served.
    Session(usize, Option<u64>),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    pub(crate) to: To,
    /// It was done between these.
    pub(crate) from: Instant,
    pub(crate) until: Instant,
}

#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Done>);

#[derive(Debug, Default)]
struct Done {
    all: Vec<Fault>,
    /// Processes that were killed.
    killed: BTreeSet<u32>,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Killed => "workers killed",
            Kind::KilledApart => "spare and starting workers killed",
            Kind::Paused => "workers stopped for a while",
            Kind::Stopped => "workers stopped for good",
            Kind::Reloaded => "libraries loaded anew",
            Kind::Dropped => "futures dropped",
        }
    }

    /// Whether it is a kill.
    pub(crate) fn kills(self) -> bool {
        matches!(self, Kind::Killed | Kind::KilledApart)
    }
}

impl Faults {
    pub(crate) fn note(&self, kind: Kind, to: To, from: Instant) {
        self.0.lock().all.push(Fault { kind, to, from, until: Instant::now() });
    }

    /// Whether a process is to be killed: it was not. Who asks does it.
    pub(crate) fn may_kill(&self, process: u32) -> bool {
        self.0.lock().killed.insert(process)
    }

    pub(crate) fn all(&self) -> Vec<Fault> {
        self.0.lock().all.clone()
    }
}

/// How often what was done.
pub(crate) fn by_kind(faults: &[Fault]) -> BTreeMap<Kind, u64> {
    let mut kinds = BTreeMap::new();
    for fault in faults {
        *kinds.entry(fault.kind).or_default() += 1;
    }
    kinds
}
