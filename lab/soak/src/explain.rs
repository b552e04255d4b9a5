//! Why calls failed, and why workers ended: for each the fault that was injected, or that there is none.
//!
//! A worker is known by its session and its generation, which no two have alike. How it [ended](workers) its session tells, with the number
//! of its process; what was done from outside was done to that. An error is explained by what its own call was made to do; by the end
//! of its worker, where that is explained and was met by the call in time; or by what becomes of sessions after such faults: objects of a
//! worker that is gone, a breaker that has opened, an input that has ended two workers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use hotcell::{Cause, ErrorKind, Executed, UnavailableReason, WhyEnded};

use crate::book::{Closed, Failure, LATE};
use crate::ends::{Gone, SIGKILL};
use crate::faults::{Fault, Kind, To};
use crate::setting::{Role, SETTINGS};
use crate::subject::NOT_OPENED;

mod follows;
mod workers;

use follows::{Faulted, ended_two_workers, is_in_quarantine};
use workers::Workers;

/// How far apart the end of a worker and a call may be that met it: by so much its caller runs late.
const LAG: Duration = Duration::from_millis(250);

/// What is known of a soak.
pub(crate) struct Story<'a> {
    pub(crate) closed: &'a Closed,
    pub(crate) faults: &'a [Fault],
    pub(crate) gone: &'a [Gone],
    /// For how long this process was held up at most when it wanted to run.
    pub(crate) held_up: Duration,
}

/// What is known of errors.
#[derive(Debug, Default)]
pub(crate) struct Explained {
    /// How many there were for each reason.
    pub(crate) reasons: BTreeMap<&'static str, u64>,
    /// Ends of workers, by reason.
    pub(crate) ends: BTreeMap<&'static str, u64>,
    /// What nothing explains.
    pub(crate) unexplained: Vec<String>,
    /// Workers that were killed in a call, or in several.
    pub(crate) killed_in_calls: u64,
    /// Calls that failed for it, and what was sent together of them: a batch counts once, and so does a pipeline.
    pub(crate) failed_by_kills: (u64, u64),
}

/// Explains what failed and what ended. `lanes` is how many calls at a time a session makes.
pub(crate) fn explain(story: &Story<'_>, lanes: impl Fn(usize) -> u32) -> Explained {
    let (workers, faulted) = (Workers::of(story), Faulted::of(story.gone));
    let mut explained = Explained::default();
    for gone in story.gone {
        match workers.why_ended(gone) {
            Some(reason) => *explained.ends.entry(reason).or_default() += 1,
            None => explained.unexplained.push(ended_in_words(gone, story)),
        }
    }
    for failure in &story.closed.failures {
        let judge = Judge { story, workers: &workers, faulted: &faulted, failure };
        match judge.reason() {
            Some(reason) => *explained.reasons.entry(reason).or_default() += 1,
            None => explained.unexplained.push(in_words(failure, story.closed)),
        }
    }
    for late in story.closed.late.iter().filter(|late| late.by > LATE + story.held_up) {
        explained.unexplained.push(late.what.clone());
    }
    workers.count_kills(&mut explained, lanes);
    explained
}

fn worker_of(failure: &Failure) -> (usize, u64) {
    (failure.subject, failure.error.generation)
}

/// An error as its line in the account.
fn in_words(failure: &Failure, closed: &Closed) -> String {
    let Failure { subject, setting, sent, time, began, ended, error, meant } = failure;
    let at = ended.duration_since(closed.began);
    format!(
        "{at:.3?}: session {subject} ({setting}), worker {}: `{}` ({}, sent with {sent}) failed after {:.1?} of {time:?} with {} ({}): {}",
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

/// The end of a worker as its line in the account, with what was done to it.
fn ended_in_words(gone: &Gone, story: &Story<'_>) -> String {
    let Gone { subject, setting, end } = gone;
    let since = |at: Instant| at.saturating_duration_since(story.closed.began);
    let (at, why) = (since(end.at), end.why);
    let mut text = format!(
        "{at:.3?}: session {subject} ({}), {} ({why:?}), and nobody did that",
        setting.name, end.text
    );
    let done = story.faults.iter().filter(|fault| matches!(fault.to, To::Process(it, _) if it == end.pid));
    for fault in done {
        let _ = write!(text, "; {:.3?}: {}", since(fault.from), fault.kind.name());
    }
    text
}

/// Whether it is an end of a worker that calls on it hear of.
fn is_end(kind: ErrorKind) -> bool {
    use ErrorKind::{Crashed, Exited, Hung, OutOfMemory, ProtocolViolation, WorkerLost};
    matches!(kind, Crashed | Exited | Hung | OutOfMemory | ProtocolViolation | WorkerLost)
}

/// The signal that ended a worker, if the code on it did that.
fn own_signal(cause: &Cause) -> Option<i32> {
    match cause {
        Cause::Signal { number, external: false, .. } => Some(*number),
        _ => None,
    }
}

/// Whether a call failed in the way that it was made to: by its kind, its signal, in its function, and not before its time.
fn did_as_meant(failure: &Failure) -> bool {
    let error = &failure.error;
    failure.meant.as_ref().is_some_and(|meant| {
        meant.kinds.contains(&error.kind)
            && error.function == meant.function
            && (error.kind != ErrorKind::Crashed || own_signal(&error.cause) == meant.signal)
            && (error.kind != ErrorKind::Hung || meant.time.is_some_and(|time| took(failure) >= time))
    })
}

fn took(failure: &Failure) -> Duration {
    failure.ended.duration_since(failure.began)
}

/// Looks at one failure.
struct Judge<'a> {
    story: &'a Story<'a>,
    workers: &'a Workers<'a>,
    faulted: &'a Faulted,
    failure: &'a Failure,
}

impl Judge<'_> {
    fn reason(&self) -> Option<&'static str> {
        let Judge { story: Story { closed, .. }, failure, .. } = *self;
        if took(failure) > failure.time + LATE + self.story.held_up {
            return None;
        }
        match (failure.error.kind, &failure.error.cause) {
            (ErrorKind::StaleHandle, Cause::Handle { made, .. }) => {
                self.workers.has_gone(failure, *made).then_some("objects of a worker that is gone")
            }
            (ErrorKind::Unavailable, Cause::Unavailable { reason: UnavailableReason::BreakerOpen }) => {
                let has_breaker = self.role() == Some(Role::Broken);
                (has_breaker && self.faulted.opened_breaker(failure)).then_some("a breaker that was open")
            }
            (ErrorKind::Quarantined, _) => {
                ended_two_workers(failure, closed).then_some("an input in quarantine")
            }
            (ErrorKind::Unavailable, _) => self.had_no_turn(),
            (ErrorKind::Cancelled, _) if failure.error.executed == Executed::No => {
                did_as_meant(failure).then_some("what the call was made to do")
            }
            (ErrorKind::LoadFailed, _) => self.was_not_started(),
            (kind, _) if is_end(kind) || kind == ErrorKind::Cancelled => self.met_an_end(),
            _ => None,
        }
    }

    fn role(&self) -> Option<Role> {
        SETTINGS.iter().find(|setting| setting.name == self.failure.setting).map(|setting| setting.role)
    }

    /// What has little time does not get its turn, or a worker, for others have it: until all of its time has passed.
    fn had_no_turn(&self) -> Option<&'static str> {
        let failure = self.failure;
        if failure.error.executed != Executed::No || took(failure) < failure.time {
            return None;
        }
        let little = failure.meant.as_ref().is_some_and(|meant| meant.time.is_some());
        match little {
            true => Some("no turn in the little time of a call"),
            false => self.workers.waited_for_a_stopped(failure).then_some(BEHIND_A_STOPPED),
        }
    }

    /// Its worker was to come up for the call, and was killed.
    fn was_not_started(&self) -> Option<&'static str> {
        if self.failure.subject == NOT_OPENED {
            return self.workers.was_not_opened(self.failure).then_some(Kind::KilledApart.name());
        }
        let gone = self.workers.gone(worker_of(self.failure))?;
        let killed = !gone.end.served && gone.signalled() == Some(SIGKILL) && self.is_of(gone);
        if killed { self.workers.why_ended(gone) } else { None }
    }

    /// Whether the call can have met that end.
    fn is_of(&self, gone: &Gone) -> bool {
        let (lag, Failure { began, ended, .. }) = (LAG + self.story.held_up, self.failure);
        *began <= gone.end.at + lag && gone.end.at <= *ended + lag
    }

    /// Its worker ended, in the call or beside it.
    fn met_an_end(&self) -> Option<&'static str> {
        let Judge { failure, workers, .. } = *self;
        let gone = workers.gone(worker_of(failure)).filter(|gone| self.is_of(gone))?;
        let why = workers.why_ended(gone)?;
        if did_as_meant(failure) {
            let passes = !is_in_quarantine(failure, self.story.closed);
            return passes.then_some("what the call was made to do");
        }
        let error = &failure.error;
        if error.kind == ErrorKind::Hung && may_come_with_a_deadline(gone.end.why) {
            // It is the deadline of this one.
            return (took(failure) >= failure.time && workers.waited_for_a_stopped(failure))
                .then_some(BEHIND_A_STOPPED);
        }
        let same = match gone.end.why {
            WhyEnded::Signalled => is_killed(failure),
            WhyEnded::Fault(kind) => {
                kind == error.kind && own_signal(&error.cause) == own_signal(&gone.end.cause)
            }
            _ => false,
        };
        (same || error.kind == ErrorKind::WorkerLost).then_some(why)
    }
}

const BEHIND_A_STOPPED: &str = "the time of a call that passed behind a stopped worker";

/// Whether a worker that ended so may have come to the deadline of a call before: it is ended for the first of several calls, and
/// somebody may kill it while the host is about to.
fn may_come_with_a_deadline(why: WhyEnded) -> bool {
    matches!(why, WhyEnded::Fault(ErrorKind::Hung) | WhyEnded::Cancelled | WhyEnded::Signalled)
}

fn is_killed(failure: &Failure) -> bool {
    failure.error.kind == ErrorKind::Crashed && by_sigkill(&failure.error.cause)
}

/// Whether somebody's SIGKILL was the cause.
fn by_sigkill(cause: &Cause) -> bool {
    matches!(cause, Cause::Signal { number: SIGKILL, external: true, .. })
}

#[cfg(test)]
mod tests;
