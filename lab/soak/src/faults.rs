//! What was done to workers, when, and to which.

use std::collections::BTreeMap;
use std::time::Instant;

use parking_lot::Mutex;

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

#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    /// The session, and which worker of it; not known of one that does not serve.
    pub(crate) worker: Option<(usize, u64)>,
    /// It was done between these.
    pub(crate) from: Instant,
    pub(crate) until: Instant,
}

#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

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
}

impl Faults {
    pub(crate) fn note(&self, kind: Kind, worker: Option<(usize, u64)>, from: Instant) {
        self.0.lock().push(Fault { kind, worker, from, until: Instant::now() });
    }

    /// How many workers that served were killed.
    pub(crate) fn kills(&self) -> usize {
        self.0.lock().iter().filter(|fault| fault.kind == Kind::Killed).count()
    }

    pub(crate) fn close(&self) -> Vec<Fault> {
        std::mem::take(&mut self.0.lock())
    }
}

/// How often what was done.
pub(crate) fn by_kind(faults: &[Fault]) -> BTreeMap<Kind, u64> {
    let mut kinds = BTreeMap::new();
    // One that came into service as it was killed is there twice.
    for fault in faults.iter().filter(|fault| fault.kind != Kind::KilledApart || fault.worker.is_none()) {
        *kinds.entry(fault.kind).or_default() += 1;
    }
    kinds
}
