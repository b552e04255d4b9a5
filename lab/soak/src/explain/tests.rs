//! Stories of faults and failures, and what explains these.

use std::time::Instant;

use super::*;
use crate::book::{Meant, Seen};

/// Something that came about, in milliseconds from the beginning.
struct Story {
    closed: Closed,
    faults: Vec<Fault>,
}

/// Which session and which worker of it.
const WORKER: (usize, u64) = (7, 3);

fn killed() -> (ErrorKind, Cause) {
    let cause = Cause::Signal {
        number: SIGKILL,
        name: "SIGKILL",
        address: None,
        pc: None,
        stack_overflow: false,
        external: true,
        heap: None,
    };
    (ErrorKind::Crashed, cause)
}

fn stale(made: u64) -> (ErrorKind, Cause) {
    let cause = Cause::Handle { argument: "db".into(), given: None, wanted: None, made, serving: 9 };
    (ErrorKind::StaleHandle, cause)
}

fn unavailable(reason: UnavailableReason) -> (ErrorKind, Cause) {
    (ErrorKind::Unavailable, Cause::Unavailable { reason })
}

fn meant(kind: &'static [ErrorKind], input: Option<&str>) -> Option<Meant> {
    Some(Meant { what: "harm", kinds: kind, input: input.map(str::to_owned) })
}

impl Story {
    fn new() -> Story {
        let (half, most) = (Duration::ZERO, Duration::ZERO);
        let closed =
            Closed { began: Instant::now(), right: 0, wrong: Vec::new(), failures: Vec::new(), half, most };
        Story { closed, faults: Vec::new() }
    }

    fn at(&self, milliseconds: u64) -> Instant {
        self.closed.began + Duration::from_millis(milliseconds)
    }

    fn done(mut self, kind: Kind, worker: Option<(usize, u64)>, at: u64) -> Story {
        let (from, until) = (self.at(at), self.at(at + 1));
        self.faults.push(Fault { kind, worker, from, until });
        self
    }

    fn failed(self, worker: (usize, u64), time: [u64; 2], (kind, cause): (ErrorKind, Cause)) -> Story {
        self.failed_as(worker, time, (kind, cause), None)
    }

    fn failed_as(
        mut self,
        (subject, generation): (usize, u64),
        time: [u64; 2],
        (kind, cause): (ErrorKind, Cause),
        meant: Option<Meant>,
    ) -> Story {
        let error = Seen {
            kind,
            cause,
            generation,
            executed: Executed::No,
            function: "faulty_add".into(),
            message: String::new(),
        };
        let (began, ended, sent) = (self.at(time[0]), self.at(time[1]), self.closed.failures.len() as u64);
        self.closed.failures.push(Failure { subject, setting: "any", sent, began, ended, error, meant });
        self
    }

    /// What is without a reason, where so many calls may be under way.
    fn unexplained(&self, lanes: u32) -> Vec<String> {
        explain(&self.closed, &self.faults, |_| lanes).unexplained
    }

    fn check(&self, unexplained: usize) {
        let found = self.unexplained(64);
        assert_eq!(found.len(), unexplained, "{found:#?}");
    }
}

#[test]
fn what_was_done_to_a_worker_explains_errors_on_it_and_on_no_other() {
    let kill = || Story::new().done(Kind::Killed, Some(WORKER), 100);
    kill().failed(WORKER, [90, 110], killed()).check(0);
    kill().failed(WORKER, [90, 110], (ErrorKind::WorkerLost, Cause::None)).check(0);
    // It may not be known to the host at once.
    kill().failed(WORKER, [150, 160], killed()).check(0);
    // Another worker, another session, before it, long after it, another kind.
    kill().failed((7, 4), [90, 110], killed()).check(1);
    kill().failed((8, 3), [90, 110], killed()).check(1);
    kill().failed(WORKER, [80, 99], killed()).check(1);
    kill().failed(WORKER, [3000, 3010], killed()).check(1);
    for kind in
        [ErrorKind::Hung, ErrorKind::ProtocolViolation, ErrorKind::InvalidReply, ErrorKind::BadEncoding]
    {
        kill().failed(WORKER, [90, 110], (kind, Cause::None)).check(1);
    }
    Story::new().failed(WORKER, [90, 110], killed()).check(1);
}

#[test]
fn what_only_delays_explains_nothing() {
    for kind in [Kind::Paused, Kind::Dropped, Kind::Reloaded] {
        let story = Story::new().done(kind, Some(WORKER), 100);
        story.failed(WORKER, [90, 110], (ErrorKind::WorkerLost, Cause::None)).check(1);
    }
    let stopped = || Story::new().done(Kind::Stopped, Some(WORKER), 100);
    stopped().failed(WORKER, [90, 1090], (ErrorKind::Hung, Cause::None)).check(0);
    stopped().failed(WORKER, [90, 1090], killed()).check(1);
    // The next worker, and no turn at all: their time had passed before.
    stopped().failed((7, 4), [95, 1095], (ErrorKind::Hung, Cause::None)).check(0);
    stopped().failed((7, 0), [95, 1095], unavailable(UnavailableReason::PoolExhausted)).check(0);
    stopped().failed((8, 4), [95, 1095], (ErrorKind::Hung, Cause::None)).check(1);
}

#[test]
fn a_call_that_was_to_fail_explains_itself_and_those_beside_it() {
    let aborts = |kind| {
        let aborted = meant(&[ErrorKind::Crashed], None);
        Story::new().failed_as(WORKER, [100, 110], (kind, Cause::None), aborted)
    };
    aborts(ErrorKind::Crashed).check(0);
    aborts(ErrorKind::Crashed).failed(WORKER, [90, 111], (ErrorKind::WorkerLost, Cause::None)).check(0);
    aborts(ErrorKind::Crashed).failed((7, 4), [90, 111], (ErrorKind::WorkerLost, Cause::None)).check(1);
    aborts(ErrorKind::Crashed).failed(WORKER, [90, 111], (ErrorKind::InvalidReply, Cause::None)).check(1);
    // What failed in another way has done nothing that is known.
    aborts(ErrorKind::Exited).check(1);
    aborts(ErrorKind::Exited).failed(WORKER, [90, 111], (ErrorKind::WorkerLost, Cause::None)).check(2);
}

#[test]
fn what_follows_needs_what_it_follows() {
    Story::new().failed((7, 9), [200, 201], stale(3)).check(1);
    Story::new().done(Kind::Killed, Some(WORKER), 100).failed((7, 9), [200, 201], stale(3)).check(0);
    Story::new().done(Kind::Reloaded, Some(WORKER), 100).failed((7, 9), [200, 201], stale(3)).check(0);
    Story::new().done(Kind::Paused, Some(WORKER), 100).failed((7, 9), [200, 201], stale(3)).check(1);
    Story::new().done(Kind::Killed, Some(WORKER), 300).failed((7, 9), [200, 201], stale(3)).check(1);
    let given_up = meant(&[ErrorKind::Cancelled], None);
    let story = Story::new().failed_as(WORKER, [100, 110], (ErrorKind::Cancelled, Cause::None), given_up);
    story.failed((7, 9), [200, 201], stale(3)).check(0);
    let open = || unavailable(UnavailableReason::BreakerOpen);
    for (faults, unexplained) in [(2, 1), (3, 0)] {
        let crash = |story: Story, at| {
            let crashed = meant(&[ErrorKind::Crashed], None);
            story.failed_as((7, at), [10 * at, 10 * at + 1], (ErrorKind::Crashed, Cause::None), crashed)
        };
        (1..=faults).fold(Story::new(), crash).failed((7, 4), [200, 201], open()).check(unexplained);
    }
    for (second, unexplained) in [("a", 0), ("b", 1)] {
        let poison = |input| meant(&[ErrorKind::Crashed], Some(input));
        let refused = ErrorKind::Quarantined;
        let story = Story::new().failed_as((7, 1), [1, 2], (ErrorKind::Crashed, Cause::None), poison("a"));
        let story = story.failed_as((7, 2), [3, 4], (ErrorKind::Crashed, Cause::None), poison(second));
        story.failed_as((7, 3), [5, 6], (refused, Cause::None), poison("a")).check(unexplained);
    }
}

#[test]
fn a_worker_that_did_not_serve_explains_kills_and_starts() {
    let apart = || Story::new().done(Kind::KilledApart, None, 100);
    apart().failed(WORKER, [90, 110], killed()).check(0);
    apart().failed(WORKER, [90, 110], (ErrorKind::LoadFailed, Cause::None)).check(0);
    apart().failed(WORKER, [90, 110], (ErrorKind::Hung, Cause::None)).check(1);
    apart().failed(WORKER, [80, 99], killed()).check(1);
}

#[test]
fn no_more_calls_fail_with_a_worker_than_can_be_under_way() {
    let kill = Story::new().done(Kind::Killed, Some(WORKER), 100);
    let mut story = kill.failed(WORKER, [90, 110], killed()).failed(WORKER, [95, 110], killed());
    assert!(story.unexplained(2).is_empty());
    let found = story.unexplained(1);
    assert!(
        found.len() == 1 && found[0].contains("2 calls failed with it, where 1 can be under way"),
        "{found:?}"
    );
    // What was sent together was under way on one lane.
    story.closed.failures[1].sent = story.closed.failures[0].sent;
    assert!(story.unexplained(1).is_empty());
    let explained = explain(&story.closed, &story.faults, |_| 1);
    assert_eq!((explained.killed_in_calls, explained.failed_by_kills), (1, (2, 1)));
}
