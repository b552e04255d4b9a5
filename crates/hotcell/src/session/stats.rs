//! What can be asked of a session at any time, without its worker noticing.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hotcell_protocol::ErrorKind;
use serde_json::{Value, json};

use super::{Facts, Session, WorkerEnd};
use crate::denied::Refused;
use crate::memory::Heap;
use crate::restart::Breaker;
use crate::state::StateChanges;

mod functions;

pub use functions::FunctionStats;

/// What is known of a session now. Each number is taken by itself, while calls are under way.
#[derive(Debug, Clone)]
pub struct Stats {
    /// Which session of this process it is, from 1.
    pub session: u64,
    /// The library.
    pub library: &'static str,
    /// Process id of the client that has the callers, where `hotcell serve` has the worker.
    pub client: Option<u32>,
    /// Whether a worker serves.
    pub state: State,
    /// Whether the library gets another worker when it ends this one.
    pub breaker: Breaker,
    /// Process id of the worker that serves.
    pub pid: Option<u32>,
    /// Which worker serves, or served last; from 1.
    pub generation: u64,
    /// How long the worker has been up.
    pub age: Option<Duration>,
    /// Calls that were sent to this session's workers, those from callbacks aside; a batch is one.
    pub calls: u64,
    /// Faults that calls met, by kind.
    pub faults: Vec<(ErrorKind, u64)>,
    /// Workers that have taken over from others, for whatever reason.
    pub restarts: u64,
    /// Of these, those that took over from a worker that was worn, or did not answer.
    pub recycled: u64,
    /// How often the library was [loaded anew](Session::reload).
    pub reloads: u64,
    /// Workers that have ended, spares among them.
    pub workers_ended: u64,
    /// How the last eight of them did, oldest first. [`Session::ends`] has more.
    pub ends: Vec<WorkerEnd>,
    /// Calls that were made again, each time counted, for a worker had ended in them.
    pub retries: u64,
    /// Calls that came back from such a try.
    pub recovered: u64,
    /// Workers that were looked for again, for none could be had just then.
    pub restarted: u64,
    /// How often an object was made anew, for its worker had ended.
    pub restored: u64,
    /// Inputs that are in [quarantine](Session::quarantine).
    pub quarantined: usize,
    /// Calls of this session that were refused for that.
    pub quarantine_refused: u64,
    /// How often the worker that serves slept, and a call has woken it; begins again behind 4 294 967 295 by a lane.
    pub woken: u64,
    /// How often it has woken a caller who slept, as it says; in the same way.
    pub wakes: u64,
    /// Calls that stand in line for their turn.
    pub waiting: usize,
    /// Callers that have their turn: with a call, a batch or a pipeline.
    pub in_flight: usize,
    /// Objects of the worker that somebody holds.
    pub objects: usize,
    /// Spare workers.
    pub spares: usize,
    /// Bytes of the worker that are in memory (RSS).
    pub resident: Option<u64>,
    /// Its threads.
    pub threads: Option<u64>,
    /// Its descriptors, where the kernel tells.
    pub descriptors: Option<u64>,
    /// What its library has left changed of the state of its process, and was put back between calls.
    pub state_changes: Option<StateChanges>,
    /// What the sandbox [refused](Session::refused) it.
    pub refused: Option<Refused>,
    /// What its library has of memory, by function.
    pub heap: Option<Heap>,
    /// The functions that were called, or have memory.
    pub functions: Vec<FunctionStats>,
}

/// Whether a worker serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// One does.
    Serving,
    /// One does that is to be replaced when nobody holds an object of it any more.
    Worn,
    /// None does. The next call brings one up.
    Down,
}

impl State {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            State::Serving => "serving",
            State::Worn => "worn",
            State::Down => "down",
        }
    }
}

impl Stats {
    /// As JSON.
    pub fn to_json(&self) -> Value {
        let faults = self.faults.iter().map(|(kind, count)| (kind.name().to_owned(), json!(count)));
        json!({
            "session": self.session,
            "library": self.library,
            "client_pid": self.client,
            "state": self.state.name(),
            "breaker": self.breaker.name(),
            "breaker_open_for_ms": self.breaker.left().map(milliseconds),
            "pid": self.pid,
            "generation": self.generation,
            "age_ms": self.age.map(milliseconds),
            "calls": self.calls,
            "faults": faults.collect::<serde_json::Map<_, _>>(),
            "restarts": self.restarts,
            "recycled": self.recycled,
            "reloads": self.reloads,
            "workers_ended": self.workers_ended,
            "ends": self.ends.iter().map(WorkerEnd::to_json).collect::<Vec<_>>(),
            "retries": self.retries,
            "recovered": self.recovered,
            "restarted": self.restarted,
            "restored": self.restored,
            "quarantined": self.quarantined,
            "quarantine_refused": self.quarantine_refused,
            "woken": self.woken,
            "wakes": self.wakes,
            "waiting": self.waiting,
            "in_flight": self.in_flight,
            "objects": self.objects,
            "spares": self.spares,
            "resident": self.resident,
            "threads": self.threads,
            "descriptors": self.descriptors,
            "state_changes": self.state_changes.as_ref().map(StateChanges::to_json),
            "refused": self.refused.as_ref().map(Refused::to_json),
            "heap": self.heap.as_ref().map(Heap::to_json),
            "functions": self.functions.iter().map(FunctionStats::to_json).collect::<Vec<_>>(),
        })
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Session {
    /// What is known of the session now. Asking costs its worker and its calls nothing, and waits for neither. In a child of the
    /// process that opened it nothing is known.
    pub fn stats(&self) -> Stats {
        let shared = &*self.shared;
        let (forked, facts) = (self.is_forked(), &shared.facts);
        let worker = if forked { None } else { shared.service.serving() };
        let (workers_ended, ends) = self.shown_ends();
        let (recycled, worn) = if forked { (0, None) } else { self.replaced() };
        let usage = worker.as_ref().and_then(|worker| worker.usage());
        let (woken, wakes) = worker.as_ref().map_or((0, 0), |worker| worker.channel().wakes());
        let generation = self.generation();
        let (retries, recovered, restarted, quarantine_refused) = shared.again.counts();
        let heap =
            worker.as_ref().map(|worker| Heap::of(worker.heap(), self.functions(), shared.spec().guard));
        Stats {
            session: shared.number,
            library: shared.package.library,
            client: shared.served.as_ref().map(|served| served.pid()),
            state: match &worker {
                None => State::Down,
                Some(worker) if worn == Some(worker.generation()) => State::Worn,
                Some(_) => State::Serving,
            },
            breaker: self.breaker(),
            pid: worker.as_ref().map(|worker| worker.pid()),
            generation,
            age: worker.as_ref().map(|worker| worker.age()),
            calls: if forked { 0 } else { facts.calls() },
            faults: if forked { Vec::new() } else { facts.faults() },
            restarts: facts.served.load(Ordering::Relaxed).saturating_sub(1),
            recycled,
            reloads: facts.reloads.load(Ordering::Relaxed),
            workers_ended,
            ends,
            retries,
            recovered,
            restarted,
            restored: shared.again.objects(),
            quarantined: if forked { 0 } else { self.quarantine().count() },
            quarantine_refused,
            woken,
            wakes,
            waiting: if forked { 0 } else { shared.seats.waiting() },
            in_flight: match &worker {
                Some(worker) if shared.served.is_some() => worker.channel().in_flight(),
                _ if forked => 0,
                _ => shared.seats.taken(),
            },
            objects: if forked { 0 } else { self.held_objects(generation) },
            spares: if forked { 0 } else { shared.service.count_spares() },
            resident: usage.map(|usage| usage.resident),
            threads: usage.map(|usage| usage.threads),
            descriptors: usage.and_then(|usage| usage.descriptors),
            state_changes: worker
                .as_ref()
                .map(|worker| StateChanges::of(&worker.channel().state_record(), self.functions())),
            refused: self.refused(),
            functions: if forked { Vec::new() } else { self.functions_seen(heap.as_ref()) },
            heap,
        }
    }
}

impl Facts {
    fn calls(&self) -> u64 {
        // With the lock: they are added to the others when the worker is no longer there.
        let channel = self.channel.lock();
        let serving = channel.as_ref().map_or(0, |channel| channel.published());
        self.calls.load(Ordering::Relaxed) + serving
    }

    fn faults(&self) -> Vec<(ErrorKind, u64)> {
        let mut by_kind = BTreeMap::new();
        for ((_, kind), count) in self.faults.lock().iter() {
            *by_kind.entry(*kind).or_default() += count;
        }
        by_kind.into_iter().collect()
    }
}
