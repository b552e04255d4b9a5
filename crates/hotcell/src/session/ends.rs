//! How the workers of a session ended: each end once, with its reason, for who asks later.
//!
//! An end is noted by the thread that watches all workers, as soon as there is one, whether or not a call meets it. What only the
//! host knows, that it is about to end a worker and why, is noted here before.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use hotcell_protocol::{ErrorKind, wire};
use hotcell_shm::HostChannel;
use hotcell_shm::lock::Mutex;
use hotcell_supervisor::{End, Ended, Hears, StartError};
use serde_json::{Value, json};

use super::Session;
use super::service::BATCH;
use crate::error::Cause;
use crate::fault::{self, Fault};
use crate::recycle::{Wear, Worn};
use crate::rt::Package;

/// How many are remembered.
const KEPT: usize = 64;

/// How many of them are in what is known of a session.
const SHOWN: usize = 8;

/// How a worker of a session ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WorkerEnd {
    /// Which end it is of all of the session, from 1.
    pub number: u64,
    /// Which worker it was.
    pub generation: u64,
    /// Its process id, which may be another's by now.
    pub pid: u32,
    /// When it was found to have ended.
    pub time: SystemTime,
    /// The same, by the clock that nobody sets.
    pub at: Instant,
    /// Whether it has served; else it was a spare, or was coming up.
    pub served: bool,
    /// Why.
    pub why: WhyEnded,
    /// The function that it was executing, or was ended for, as far as that is known.
    pub function: Option<String>,
    /// What is known beyond that, as in the error of a call that met it.
    pub cause: Cause,
    /// All of it in words.
    pub message: String,
}

/// Why a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhyEnded {
    /// The library ended it, or the host did for what became of a call, which fails with this kind.
    Fault(ErrorKind),
    /// A signal of another process did, or of the kernel when memory ran out.
    Signalled,
    /// The host did, because a call was given up that could not be stopped otherwise.
    Cancelled,
    /// The host did, because it was worn by this.
    Worn(Wear),
    /// The library was loaded anew.
    Reloaded,
    /// It was told to stop: the session was closed, or nobody needed it.
    Stopped,
}

/// Why the host is about to end a worker.
#[derive(Debug, Clone)]
pub(crate) struct Because {
    why: WhyEnded,
    function: Option<String>,
    message: String,
}

/// The last ends of the workers of a session.
#[derive(Debug)]
pub(super) struct Ends {
    package: &'static Package,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    count: u64,
    last: VecDeque<WorkerEnd>,
    /// Workers that have served and have not ended, with why that is to be.
    serving: BTreeMap<u64, Option<Because>>,
}

impl WhyEnded {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            WhyEnded::Fault(_) => "fault",
            WhyEnded::Signalled => "signalled",
            WhyEnded::Cancelled => "cancelled",
            WhyEnded::Worn(_) => "worn",
            WhyEnded::Reloaded => "reloaded",
            WhyEnded::Stopped => "stopped",
        }
    }
}

impl WorkerEnd {
    /// As JSON.
    pub fn to_json(&self) -> Value {
        let time = self.time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let what = match self.why {
            WhyEnded::Fault(kind) => Some(kind.name()),
            WhyEnded::Worn(by) => Some(by.name()),
            _ => None,
        };
        json!({
            "number": self.number,
            "generation": self.generation,
            "pid": self.pid,
            "time_unix_ms": u64::try_from(time).unwrap_or(u64::MAX),
            "served": self.served,
            "why": self.why.name(),
            "what": what,
            "function": self.function,
            "cause": self.cause.to_json(),
            "message": self.message,
        })
    }
}

impl fmt::Display for WorkerEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WorkerEnd { generation, pid, served, message, .. } = self;
        let which = if *served { "worker" } else { "worker that did not serve yet," };
        write!(f, "{which} {generation} (process {pid}): {message}")?;
        self.function.iter().try_for_each(|function| write!(f, ", in `{function}`"))
    }
}

impl Because {
    /// What became of a call, which has this kind.
    pub(super) fn call(kind: ErrorKind, function: &str) -> Because {
        let (why, message) = match kind {
            ErrorKind::Cancelled => (WhyEnded::Cancelled, "it was ended, for a call was given up".to_owned()),
            ErrorKind::Hung => (WhyEnded::Fault(kind), "it was ended at the deadline of a call".to_owned()),
            kind => (WhyEnded::Fault(kind), format!("it was ended for what became of a call: {kind}")),
        };
        Because { why, function: Some(function.to_owned()), message }
    }

    pub(super) fn worn(worn: Worn) -> Because {
        Because { why: WhyEnded::Worn(worn.by), function: None, message: format!("it was worn by {worn}") }
    }

    pub(super) fn reloaded() -> Because {
        let message = "the library was loaded anew".to_owned();
        Because { why: WhyEnded::Reloaded, function: None, message }
    }

    fn is_of_call(&self) -> bool {
        self.function.is_some()
    }

    fn stopped() -> Because {
        let message = "it was told to stop".to_owned();
        Because { why: WhyEnded::Stopped, function: None, message }
    }
}

impl Ends {
    pub(super) fn of(package: &'static Package) -> Ends {
        Ends { package, known: Mutex::default() }
    }

    /// This worker serves from now on.
    pub(super) fn serves(&self, generation: u64) {
        let mut known = self.known.lock();
        // It may have ended just then.
        match known.last.iter_mut().find(|end| end.generation == generation) {
            Some(end) => end.served = true,
            None => _ = known.serving.insert(generation, None),
        }
    }

    /// The host is about to end this worker, if it has not ended. The first call holds for which it does; without one, the first
    /// reason: a worker that was replaced may yet be ended for a call that it has.
    pub(super) fn because(&self, generation: u64, because: Because) {
        if let Some(known) = self.known.lock().serving.get_mut(&generation)
            && known.as_ref().is_none_or(|known| because.is_of_call() && !known.is_of_call())
        {
            *known = Some(because);
        }
    }

    /// How many there were, and the last of them, oldest first.
    fn last(&self, most: usize) -> (u64, Vec<WorkerEnd>) {
        let known = self.known.lock();
        let skipped = known.last.len().saturating_sub(most);
        (known.count, known.last.iter().skip(skipped).cloned().collect())
    }
}

impl Hears for Ends {
    fn ended(&self, worker: &Ended<'_>) {
        let Ended { generation, pid, end, channel } = *worker;
        self.note(generation, pid, end, executed(channel, self.package));
    }
}

impl Ends {
    /// Notes an end. `executed` is the function in which the worker says that it ended.
    fn note(&self, generation: u64, pid: u32, end: &End, executed: Option<String>) {
        let mut known = self.known.lock();
        let serving = known.serving.remove(&generation);
        let served = serving.is_some();
        let because = serving.flatten();
        let ended_for = because.as_ref().and_then(|because| because.function.clone());
        let (why, Fault { cause, message, .. }) = judged(end, because, served);
        let function = match why {
            _ if end.is_by_host() => ended_for,
            WhyEnded::Fault(_) => executed,
            _ => None,
        };
        known.count += 1;
        let (number, time, at) = (known.count, SystemTime::now(), Instant::now());
        let end = WorkerEnd { number, generation, pid, time, at, served, why, function, cause, message };
        if known.last.len() == KEPT {
            known.last.pop_front();
        }
        known.last.push_back(end);
    }
}

/// Why a worker ended, by what the kernel and the worker say, and by what the host had in mind.
fn judged(end: &End, because: Option<Because>, served: bool) -> (WhyEnded, Fault) {
    let fault = match &end.report {
        Some(_) if !served => {
            let (end, output) = (Box::new(end.clone()), String::new());
            fault::of_start(&StartError::Ended { end, output }).0
        }
        _ => fault::of_end(end),
    };
    let by_host = because.or_else(|| end.retired.then(Because::stopped));
    if let Some(Because { why, message, .. }) = by_host.filter(|_| end.is_by_host() && !broke_a_rule(end)) {
        return (why, Fault { message, ..Fault { cause: Cause::None, ..fault } });
    }
    let external = matches!(fault.cause, Cause::Signal { external: true, .. });
    (if external { WhyEnded::Signalled } else { WhyEnded::Fault(fault.kind) }, fault)
}

/// Whether it was ended for what it did besides.
fn broke_a_rule(end: &End) -> bool {
    end.violation.is_some() || end.too_many_threads.is_some() || end.too_much_on_disk.is_some()
}

/// The function in which a worker says that it ended.
fn executed(channel: &HostChannel, package: &'static Package) -> Option<String> {
    let lane = channel.ended_in()?;
    let name = match channel.function_of(lane, channel.executing(lane).0)? {
        wire::BATCH_FUNCTION => BATCH,
        index => package.functions.get(usize::from(index))?.name,
    };
    Some(name.to_owned())
}

impl Session {
    /// How the last workers of the session ended, oldest first: every one that has had a process, whether or not a call has met its
    /// end, spares among them. The last 64 are remembered; [`WorkerEnd::number`] tells how many there were. In a child of
    /// the process that opened the session nothing is known.
    pub fn ends(&self) -> Vec<WorkerEnd> {
        self.last_ends(KEPT).1
    }

    /// How many workers have ended, and how those did that are shown.
    pub(super) fn shown_ends(&self) -> (u64, Vec<WorkerEnd>) {
        self.last_ends(SHOWN)
    }

    fn last_ends(&self, most: usize) -> (u64, Vec<WorkerEnd>) {
        if self.is_forked() { (0, Vec::new()) } else { self.shared.ends.last(most) }
    }
}

#[cfg(test)]
mod tests;
