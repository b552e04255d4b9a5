//! Why workers ended, and which calls met that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use hotcell::{ErrorKind, Wear, WhyEnded};

use super::{Explained, LAG, Story, by_sigkill, did_as_meant, is_end, own_signal, took, worker_of};
use crate::book::Failure;
use crate::ends::{Gone, SIGKILL};
use crate::faults::{Fault, Kind, To};
use crate::setting::Role;
use crate::subject::NOT_OPENED;

/// How long a signal may take to end a process, and the host to hear of it.
const DIES: Duration = Duration::from_secs(2);

/// Ends of workers, what was done to them, and what failed on them.
pub(super) struct Workers<'a> {
    held_up: Duration,
    gone: BTreeMap<(usize, u64), &'a Gone>,
    failures: BTreeMap<(usize, u64), Vec<&'a Failure>>,
    by_process: BTreeMap<u32, Vec<&'a Fault>>,
    reloaded: BTreeMap<(usize, u64), &'a Fault>,
    /// What could not be opened, for its worker was killed: by what was sent.
    not_opened: BTreeSet<u64>,
    /// When workers of sessions were stopped for good.
    stopped: BTreeMap<usize, Vec<(Instant, Instant)>>,
}

impl<'a> Workers<'a> {
    pub(super) fn of(story: &Story<'a>) -> Workers<'a> {
        let mut workers = Workers {
            held_up: story.held_up,
            gone: story.gone.iter().map(|gone| ((gone.subject, gone.end.generation), gone)).collect(),
            failures: BTreeMap::new(),
            by_process: BTreeMap::new(),
            reloaded: BTreeMap::new(),
            not_opened: not_opened(story),
            stopped: BTreeMap::new(),
        };
        for fault in story.faults {
            match fault.to {
                To::Process(process, _) => workers.by_process.entry(process).or_default().push(fault),
                To::Session(session, Some(before)) => _ = workers.reloaded.insert((session, before), fault),
                To::Session(_, None) => {}
            }
        }
        for failure in &story.closed.failures {
            workers.failures.entry(worker_of(failure)).or_default().push(failure);
        }
        for gone in story.gone {
            let stops = workers.done_to(gone, |kind| kind == Kind::Stopped);
            let stops: Vec<_> = stops.map(|fault| (fault.from, gone.end.at)).collect();
            workers.stopped.entry(gone.subject).or_default().extend(stops);
        }
        // One whose session was given up before it told of the end stood until then.
        let told: BTreeSet<u32> = story.gone.iter().map(|gone| gone.end.pid).collect();
        let last = story.closed.failures.iter().map(|failure| failure.ended).max();
        for fault in story.faults.iter().filter(|fault| fault.kind == Kind::Stopped) {
            if let (To::Process(process, Some(session)), Some(last)) = (fault.to, last)
                && !told.contains(&process)
            {
                workers.stopped.entry(session).or_default().push((fault.from, last));
            }
        }
        workers
    }

    /// The end of a worker.
    pub(super) fn gone(&self, worker: (usize, u64)) -> Option<&'a Gone> {
        self.gone.get(&worker).copied()
    }

    /// What was done to the process of a worker before it ended.
    fn done_to(&self, gone: &Gone, which: impl Fn(Kind) -> bool) -> impl Iterator<Item = &'a Fault> {
        let done = self.by_process.get(&gone.end.pid).into_iter().flatten().copied();
        let at = gone.end.at;
        done.filter(move |fault| which(fault.kind) && fault.from <= at)
    }

    /// The reason of a worker's end, if it was one of those that were given.
    pub(super) fn why_ended(&self, gone: &Gone) -> Option<&'static str> {
        let Gone { subject, setting, end } = gone;
        let failures = || self.failures.get(&(*subject, end.generation)).into_iter().flatten().copied();
        let meant =
            |kind: ErrorKind| failures().any(|failure| did_as_meant(failure) && failure.error.kind == kind);
        match end.why {
            WhyEnded::Signalled => {
                let dies = DIES + self.held_up;
                let mut kills = self.done_to(gone, Kind::kills).filter(|fault| end.at <= fault.until + dies);
                let kill = kills.next().filter(|_| gone.signalled() == Some(SIGKILL));
                kill.map(|fault| fault.kind.name())
            }
            WhyEnded::Fault(ErrorKind::Hung) => {
                let stopped = self.done_to(gone, |kind| kind == Kind::Stopped).next().is_some();
                let behind = |failure: &Failure| {
                    failure.error.kind == ErrorKind::Hung
                        && took(failure) >= failure.time
                        && self.waited_for_a_stopped(failure)
                };
                match (stopped, meant(ErrorKind::Hung)) {
                    (true, _) => Some(Kind::Stopped.name()),
                    (false, true) => Some(BY_A_CALL),
                    (false, false) => failures().any(behind).then_some("no time was left for its call"),
                }
            }
            WhyEnded::Fault(kind) => {
                let by_signal =
                    |failure: &Failure| own_signal(&failure.error.cause) == own_signal(&end.cause);
                let mut as_it_did = failures()
                    .filter(|failure| did_as_meant(failure) && failure.error.kind == kind)
                    .filter(|failure| by_signal(failure));
                as_it_did.next().map(|_| BY_A_CALL)
            }
            WhyEnded::Cancelled => meant(ErrorKind::Cancelled).then_some("a call was given up"),
            WhyEnded::Worn(Wear::Calls | Wear::Threads | Wear::Descriptors) => {
                (setting.role == Role::Worn).then_some("worn")
            }
            WhyEnded::Reloaded => {
                self.reloaded.contains_key(&(*subject, end.generation)).then_some(Kind::Reloaded.name())
            }
            // Those of the library before.
            WhyEnded::Stopped => (setting.role == Role::Reloaded && !end.served)
                .then_some("spares of a library that was replaced"),
            _ => None,
        }
    }

    /// Whether it could not open a session because a worker was killed that came up for that.
    pub(super) fn was_not_opened(&self, failure: &Failure) -> bool {
        self.not_opened.contains(&failure.sent)
    }

    /// Whether a worker of its session was stopped while the call waited for its turn: until it was ended, others
    /// waited, and what time was left for the call on the next one may have been none.
    pub(super) fn waited_for_a_stopped(&self, failure: &Failure) -> bool {
        let met = |(from, until): &(Instant, Instant)| *from <= failure.ended && failure.began <= *until;
        self.stopped.get(&failure.subject).into_iter().flatten().any(met)
    }

    /// Whether that worker of its session has met an end before the call failed, or was replaced.
    pub(super) fn has_gone(&self, failure: &Failure, generation: u64) -> bool {
        let worker = (failure.subject, generation);
        let reloaded = self.reloaded.get(&worker).is_some_and(|fault| fault.from <= failure.ended);
        let Some(gone) = self.gone(worker) else { return reloaded };
        // It serves nobody from when its host is about to end it, which takes a while.
        let ended = |other: &&Failure| {
            (is_end(other.error.kind) || did_as_meant(other)) && other.began <= failure.ended
        };
        let ends = || self.failures.get(&worker).into_iter().flatten().any(ended);
        reloaded || gone.end.at <= failure.ended + LAG + self.held_up || ends()
    }

    /// No worker can fail more calls than were under way on it: one for each lane, or what was sent together on it.
    pub(super) fn count_kills(&self, explained: &mut Explained, lanes: impl Fn(usize) -> u32) {
        for (&(subject, generation), failures) in &self.failures {
            let ended = failures.iter().filter(|failure| is_end(failure.error.kind));
            let sent: BTreeSet<u64> = ended.clone().map(|failure| failure.sent).collect();
            if sent.len() > lanes(subject) as usize {
                let (found, most) = (sent.len(), lanes(subject));
                explained.unexplained.push(format!(
                    "session {subject}, worker {generation}: {found} calls failed with it, where {most} can be under way"
                ));
            }
            let killed = self.gone((subject, generation)).is_some_and(Gone::was_killed_serving);
            if killed && !sent.is_empty() {
                explained.killed_in_calls += 1;
                explained.failed_by_kills.0 += ended.count() as u64;
                explained.failed_by_kills.1 += sent.len() as u64;
            }
        }
    }
}

const BY_A_CALL: &str = "what a call was made to do";

/// What could not open a session, each with a kill of its own: of a process whose end no session tells.
fn not_opened(story: &Story<'_>) -> BTreeSet<u64> {
    let told: BTreeSet<u32> = story.gone.iter().map(|gone| gone.end.pid).collect();
    let is_untold = |fault: &&Fault| match fault.to {
        To::Process(process, _) => fault.kind == Kind::KilledApart && !told.contains(&process),
        To::Session(..) => false,
    };
    let mut kills: Vec<&Fault> = story.faults.iter().filter(is_untold).collect();
    let lag = LAG + story.held_up;
    let failed = story.closed.failures.iter().filter(|failure| failure.subject == NOT_OPENED);
    let of_a_kill = failed.filter(|failure| {
        let met = |kill: &&Fault| kill.from <= failure.ended && failure.began <= kill.until + lag;
        let kill = kills.iter().position(met).filter(|_| by_sigkill(&failure.error.cause));
        kill.map(|kill| kills.swap_remove(kill)).is_some()
    });
    of_a_kill.map(|failure| failure.sent).collect()
}
