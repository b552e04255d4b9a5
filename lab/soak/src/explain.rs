//! Why calls failed: for each error the fault that was injected, or that there is none.
//!
//! A worker is known by its session and its generation, which no two have alike. An error is explained by what its own call was
//! made to do; by what was done to its worker, from outside or by another call, no later than it failed and not long before the
//! call began; or by what becomes of sessions after such faults: objects of a worker that is gone, a breaker that has
//! opened, an input that has ended two workers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hotcell::{Cause, ErrorKind, Executed, UnavailableReason};

use crate::book::{Closed, Failure};
use crate::faults::{Fault, Kind};
use crate::setting::BREAKER;

/// How long after a fault a call may begin that fails for it: until the host has heard of it.
const LAG: Duration = Duration::from_secs(2);

const SIGKILL: i32 = 9;

/// What is known of errors.
#[derive(Debug, Default)]
pub(crate) struct Explained {
    /// How many there were for each reason.
    pub(crate) reasons: BTreeMap<&'static str, u64>,
    /// What nothing explains.
    pub(crate) unexplained: Vec<String>,
    /// Workers that were killed in a call, or in several.
    pub(crate) killed_in_calls: u64,
    /// Calls that failed for it, and what was sent together of them: a batch counts once, and so does a pipeline.
    pub(crate) failed_by_kills: (u64, u64),
}

/// Faults and failures by the worker that they were on.
struct Workers<'a> {
    faults: BTreeMap<(usize, u64), Vec<&'a Fault>>,
    failures: BTreeMap<(usize, u64), Vec<&'a Failure>>,
    elsewhere: Vec<&'a Fault>,
}

/// Explains what failed. `lanes` is how many calls at a time a session makes.
pub(crate) fn explain(closed: &Closed, faults: &[Fault], lanes: impl Fn(usize) -> u32) -> Explained {
    let mut workers = Workers { faults: BTreeMap::new(), failures: BTreeMap::new(), elsewhere: Vec::new() };
    for fault in faults {
        match fault.worker {
            Some(worker) => workers.faults.entry(worker).or_default().push(fault),
            None => workers.elsewhere.push(fault),
        }
    }
    for failure in &closed.failures {
        workers.failures.entry(worker_of(failure)).or_default().push(failure);
    }
    let mut explained = Explained::default();
    for failure in &closed.failures {
        match workers.reason(failure, closed) {
            Some(reason) => *explained.reasons.entry(reason).or_default() += 1,
            None => explained.unexplained.push(words(failure, closed)),
        }
    }
    workers.count_kills(&mut explained, lanes);
    explained
}

fn worker_of(failure: &Failure) -> (usize, u64) {
    (failure.subject, failure.error.generation)
}

/// An error as its line in the account.
fn words(failure: &Failure, closed: &Closed) -> String {
    let Failure { subject, setting, sent, began, ended, error, meant } = failure;
    let at = ended.duration_since(closed.began);
    format!(
        "{at:.3?}: session {subject} ({setting}), worker {}: `{}` ({}, sent with {sent}) failed after {:.1?} with {} ({}): {}",
        error.generation,
        error.function,
        meant.as_ref().map_or("a call like any other", |meant| meant.what),
        ended.duration_since(*began),
        error.kind,
        match error.executed {
            Executed::No => "not executed",
            Executed::Yes => "executed",
            _ => "perhaps executed",
        },
        error.message,
    )
}

/// Whether a call of this time can have met what was done.
fn meets(fault: &Fault, failure: &Failure) -> bool {
    fault.from <= failure.ended && failure.began <= fault.until + LAG
}

/// Whether it is an end of a worker that calls on it hear of.
fn is_end(kind: ErrorKind) -> bool {
    use ErrorKind::{Crashed, Exited, Hung, OutOfMemory, ProtocolViolation, WorkerLost};
    matches!(kind, Crashed | Exited | Hung | OutOfMemory | ProtocolViolation | WorkerLost)
}

/// Whether a call failed in the way that it was made to.
fn did_as_meant(failure: &Failure) -> bool {
    failure.meant.as_ref().is_some_and(|meant| meant.kinds.contains(&failure.error.kind))
}

impl Workers<'_> {
    fn reason(&self, failure: &Failure, closed: &Closed) -> Option<&'static str> {
        match (failure.error.kind, &failure.error.cause) {
            (ErrorKind::StaleHandle, Cause::Handle { made, .. }) => {
                self.has_gone(failure, *made).then_some("objects of a worker that is gone")
            }
            (ErrorKind::Unavailable, Cause::Unavailable { reason: UnavailableReason::BreakerOpen }) => {
                opened_breaker(failure, closed).then_some("a breaker that was open")
            }
            (ErrorKind::Quarantined, _) => {
                ended_two_workers(failure, closed).then_some("an input in quarantine")
            }
            // What has little time does not get its turn, or a worker, for others have it.
            (ErrorKind::Unavailable, _) if failure.meant.is_some() => {
                (failure.error.executed == Executed::No).then_some("no turn in the little time of a call")
            }
            _ if did_as_meant(failure) => Some("what the call was made to do"),
            (ErrorKind::Unavailable | ErrorKind::Hung, _) if self.waited_for_a_stopped(failure) => {
                Some("the time of a call that passed behind a stopped worker")
            }
            (kind, _) => self.met(failure, kind),
        }
    }

    /// What was done to its worker.
    fn met(&self, failure: &Failure, kind: ErrorKind) -> Option<&'static str> {
        let done = self.faults.get(&worker_of(failure)).into_iter().flatten();
        let explains = |fault: &&&Fault| match fault.kind {
            Kind::Killed | Kind::KilledApart => is_killed(failure) || kind == ErrorKind::WorkerLost,
            Kind::Stopped => matches!(kind, ErrorKind::Hung | ErrorKind::WorkerLost),
            // The call of a future that was dropped goes on, and ends the worker at its deadline, which is long.
            Kind::Paused | Kind::Reloaded | Kind::Dropped => false,
        };
        let done = done.filter(|fault| meets(fault, failure)).filter(explains).map(|fault| fault.kind);
        // What is certain comes first.
        if let Some(kind) = done.min() {
            return Some(kind.name());
        }
        let others = self.failures.get(&worker_of(failure)).into_iter().flatten();
        let beside = |other: &&&Failure| {
            did_as_meant(other) && other.began <= failure.ended && failure.began <= other.ended + LAG
        };
        if is_end(kind)
            && others.filter(beside).any(|other| other.sent != failure.sent || failure.meant.is_none())
        {
            return Some("what another call on its worker did");
        }
        let apart = self.elsewhere.iter().any(|fault| meets(fault, failure));
        let explains = is_killed(failure) || matches!(kind, ErrorKind::WorkerLost | ErrorKind::LoadFailed);
        (apart && explains).then_some(Kind::KilledApart.name())
    }

    /// Whether a worker of its session was stopped while the call waited for its turn, or before: until it was ended, others
    /// waited, and what time was left for the call on the next one may have been none.
    fn waited_for_a_stopped(&self, failure: &Failure) -> bool {
        let stopped = |fault: &Fault| fault.kind == Kind::Stopped && meets(fault, failure);
        let of_session = (failure.subject, 0)..=(failure.subject, u64::MAX);
        self.faults.range(of_session).flat_map(|(_, faults)| faults).any(|fault| stopped(fault))
    }

    /// Whether that worker of its session has met an end before the call failed.
    fn has_gone(&self, failure: &Failure, generation: u64) -> bool {
        let worker = (failure.subject, generation);
        let ends = |fault: &Fault| {
            !matches!(fault.kind, Kind::Paused | Kind::Dropped) && fault.from <= failure.ended
        };
        let done = self.faults.get(&worker).is_some_and(|faults| faults.iter().any(|fault| ends(fault)));
        // Those have their own reason, or are without one themselves.
        let failed = self.failures.get(&worker).into_iter().flatten();
        let ended = |other: &Failure| {
            (is_end(other.error.kind) || did_as_meant(other)) && other.began <= failure.ended
        };
        done || failed.into_iter().any(|other| ended(other))
    }

    /// No worker can fail more calls than were under way on it: one for each lane, or what was sent together on it.
    fn count_kills(&self, explained: &mut Explained, lanes: impl Fn(usize) -> u32) {
        for (&(subject, generation), failures) in &self.failures {
            let ended = failures.iter().filter(|failure| is_end(failure.error.kind));
            let sent: BTreeSet<u64> = ended.clone().map(|failure| failure.sent).collect();
            if sent.len() > lanes(subject) as usize {
                let (found, most) = (sent.len(), lanes(subject));
                explained.unexplained.push(format!(
                    "session {subject}, worker {generation}: {found} calls failed with it, where {most} can be under way"
                ));
            }
            let killed = self.faults.get(&(subject, generation));
            if killed.is_some_and(|faults| faults.iter().any(|fault| fault.kind == Kind::Killed))
                && !sent.is_empty()
            {
                explained.killed_in_calls += 1;
                explained.failed_by_kills.0 += ended.count() as u64;
                explained.failed_by_kills.1 += sent.len() as u64;
            }
        }
    }
}

fn is_killed(failure: &Failure) -> bool {
    matches!(failure.error.cause, Cause::Signal { number: SIGKILL, external: true, .. })
}

/// Whether enough faults of the library's came before, for its breaker.
fn opened_breaker(failure: &Failure, closed: &Closed) -> bool {
    let counts = |other: &&Failure| {
        other.subject == failure.subject
            && did_as_meant(other)
            && other.ended <= failure.ended
            && failure.ended.duration_since(other.ended) <= BREAKER.within + BREAKER.longest_pause * 2
    };
    closed.failures.iter().filter(counts).count() >= BREAKER.faults as usize
}

/// Whether the same input had ended two workers of its session.
fn ended_two_workers(failure: &Failure, closed: &Closed) -> bool {
    let Some(input) = failure.meant.as_ref().and_then(|meant| meant.input.as_ref()) else { return false };
    let same = |other: &&Failure| {
        other.setting == failure.setting
            && other.error.kind == ErrorKind::Crashed
            && other.began <= failure.ended
            && other.meant.as_ref().is_some_and(|meant| meant.input.as_ref() == Some(input))
    };
    closed.failures.iter().filter(same).count() >= 2
}

#[cfg(test)]
mod tests;
