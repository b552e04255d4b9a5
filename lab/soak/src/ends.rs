//! What sessions say of how their workers ended: all of it is taken down, before they forget.

use std::collections::BTreeMap;
use std::time::Instant;

use hotcell::{Cause, WhyEnded, WorkerEnd};
use hotcell_shm::lock::Mutex;

use crate::setting::Setting;
use crate::subject::Subject;

pub(crate) const SIGKILL: i32 = 9;

/// What a session tells of the end of a worker.
#[derive(Debug, Clone)]
pub(crate) struct End {
    pub(crate) generation: u64,
    pub(crate) pid: u32,
    pub(crate) at: Instant,
    pub(crate) served: bool,
    pub(crate) why: WhyEnded,
    pub(crate) cause: Cause,
    /// All of it in words.
    pub(crate) text: String,
}

/// The end of a worker.
#[derive(Debug, Clone)]
pub(crate) struct Gone {
    /// Which session it was of.
    pub(crate) subject: usize,
    pub(crate) setting: &'static Setting,
    pub(crate) end: End,
}

#[derive(Debug, Default)]
pub(crate) struct Ends(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    gone: Vec<Gone>,
    /// How many ends of each session are known.
    counts: BTreeMap<usize, u64>,
    /// Ends that nobody took down in time.
    missed: u64,
    /// Workers that served, and that somebody killed.
    killed: usize,
}

impl From<WorkerEnd> for End {
    fn from(end: WorkerEnd) -> End {
        let text = end.to_string();
        let WorkerEnd { generation, pid, at, served, why, cause, .. } = end;
        End { generation, pid, at, served, why, cause, text }
    }
}

impl Gone {
    /// The signal of somebody else that ended it.
    pub(crate) fn signalled(&self) -> Option<i32> {
        match (self.end.why, &self.end.cause) {
            (WhyEnded::Signalled, Cause::Signal { number, .. }) => Some(*number),
            _ => None,
        }
    }

    /// Whether it has served, and somebody killed it.
    pub(crate) fn was_killed_serving(&self) -> bool {
        self.end.served && self.signalled() == Some(SIGKILL)
    }
}

impl Ends {
    /// Takes down what the session has to say that is new.
    pub(crate) fn take_down(&self, subject: &Subject, setting: &'static Setting) {
        let ends = subject.session.ends();
        let mut known = self.0.lock();
        let Known { gone, counts, missed, killed } = &mut *known;
        let count = counts.entry(subject.number).or_default();
        for end in ends {
            if end.number <= *count {
                continue;
            }
            *missed += end.number - *count - 1;
            *count = end.number;
            let new = Gone { subject: subject.number, setting, end: end.into() };
            *killed += usize::from(new.was_killed_serving());
            gone.push(new);
        }
    }

    /// Workers that served, and that somebody killed.
    pub(crate) fn killed(&self) -> usize {
        self.0.lock().killed
    }

    /// Whether the end of this process is known.
    pub(crate) fn has(&self, process: u32) -> bool {
        self.0.lock().gone.iter().any(|gone| gone.end.pid == process)
    }

    /// All of them, and how many were missed.
    pub(crate) fn all(&self) -> (Vec<Gone>, u64) {
        let known = self.0.lock();
        (known.gone.clone(), known.missed)
    }
}

/// How many workers ended for which reason.
pub(crate) fn by_why(gone: &[Gone]) -> BTreeMap<&'static str, u64> {
    let mut whys = BTreeMap::new();
    for gone in gone {
        *whys.entry(gone.end.why.name()).or_default() += 1;
    }
    whys
}
