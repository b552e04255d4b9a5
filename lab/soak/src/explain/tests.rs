//! Stories of faults, ends and failures, and what explains these.

use std::time::Instant;

use hotcell::Wear;

use super::*;
use crate::book::{Late, Meant, Seen};
use crate::ends::End;
use crate::faults::{Kind, To};
use crate::setting::Setting;

/// Something that came about, in milliseconds from the beginning.
struct Told {
    closed: Closed,
    faults: Vec<Fault>,
    gone: Vec<Gone>,
    held_up: Duration,
}

/// Which session and which worker of it.
const WORKER: (usize, u64) = (7, 3);

const SIGSEGV: i32 = 11;
const SIGABRT: i32 = 6;

/// What a call has of time.
const TIME: u64 = 1000;

fn setting(role: Role) -> &'static Setting {
    SETTINGS.iter().find(|setting| setting.role == role).expect("there is one of each role")
}

fn signal(number: i32, external: bool) -> Cause {
    let (name, address, pc, stack_overflow, heap) = ("a signal", None, None, false, None);
    Cause::Signal { number, name, address, pc, stack_overflow, external, heap }
}

fn killed() -> (ErrorKind, Cause) {
    (ErrorKind::Crashed, signal(SIGKILL, true))
}

fn crashed(number: i32) -> (ErrorKind, Cause) {
    (ErrorKind::Crashed, signal(number, false))
}

fn plain(kind: ErrorKind) -> (ErrorKind, Cause) {
    (kind, Cause::None)
}

fn stale(made: u64) -> (ErrorKind, Cause) {
    let cause = Cause::Handle { argument: "db".into(), given: None, wanted: None, made, serving: 9 };
    (ErrorKind::StaleHandle, cause)
}

fn unavailable(reason: UnavailableReason) -> (ErrorKind, Cause) {
    (ErrorKind::Unavailable, Cause::Unavailable { reason })
}

fn meant(kinds: &'static [ErrorKind], signal: Option<i32>) -> Meant {
    Meant { what: "harm", function: "faulty_harm", kinds, signal, time: None, input: None }
}

/// A call that is to crash by SIGABRT.
fn abort() -> Meant {
    meant(&[ErrorKind::Crashed], Some(SIGABRT))
}

/// A process number that belongs to a worker and to no other.
fn process((subject, generation): (usize, u64)) -> u32 {
    subject as u32 * 1000 + generation as u32
}

impl Told {
    fn new() -> Told {
        let (half, most) = (Duration::ZERO, Duration::ZERO);
        let (right, late, wrong, failures) = Default::default();
        let closed = Closed { began: Instant::now(), right, late, wrong, failures, half, most };
        Told { closed, faults: Vec::new(), gone: Vec::new(), held_up: Duration::ZERO }
    }

    fn at(&self, milliseconds: u64) -> Instant {
        self.closed.began + Duration::from_millis(milliseconds)
    }

    fn done(mut self, kind: Kind, to: To, at: u64) -> Told {
        let (from, until) = (self.at(at), self.at(at + 1));
        self.faults.push(Fault { kind, to, from, until });
        self
    }

    fn done_to(self, kind: Kind, worker: (usize, u64), at: u64) -> Told {
        self.done(kind, To::Process(process(worker), None), at)
    }

    fn ends(self, worker: (usize, u64), at: u64, why: WhyEnded, cause: Cause) -> Told {
        self.ends_as(worker, at, why, cause, Role::Any)
    }

    fn ends_as(mut self, worker: (usize, u64), at: u64, why: WhyEnded, cause: Cause, role: Role) -> Told {
        let (subject, generation) = worker;
        let (pid, at, served, text) = (process(worker), self.at(at), true, "so".into());
        let end = End { generation, pid, at, served, why, cause, text };
        self.gone.push(Gone { subject, setting: setting(role), end });
        self
    }

    /// A worker that was killed by somebody.
    fn kill(self, worker: (usize, u64), at: u64) -> Told {
        self.done_to(Kind::Killed, worker, at).ends(
            worker,
            at + 2,
            WhyEnded::Signalled,
            signal(SIGKILL, true),
        )
    }

    /// One that was stopped for good, and ended at a deadline.
    fn stop(self, worker: (usize, u64), time: [u64; 2]) -> Told {
        let hung = WhyEnded::Fault(ErrorKind::Hung);
        self.done_to(Kind::Stopped, worker, time[0]).ends_as(
            worker,
            time[1],
            hung,
            Cause::None,
            Role::Stopped,
        )
    }

    fn failed(self, worker: (usize, u64), time: [u64; 2], error: (ErrorKind, Cause)) -> Told {
        self.failed_as(worker, time, error, None)
    }

    fn failed_as(
        mut self,
        (subject, generation): (usize, u64),
        time: [u64; 2],
        (kind, cause): (ErrorKind, Cause),
        meant: Option<Meant>,
    ) -> Told {
        let function = meant.as_ref().map_or("faulty_add", |meant| meant.function).into();
        let executed = if kind == ErrorKind::Unavailable { Executed::No } else { Executed::Maybe };
        let error = Seen { kind, cause, generation, executed, function, message: String::new() };
        let (began, ended, sent) = (self.at(time[0]), self.at(time[1]), self.closed.failures.len() as u64);
        let allowed = meant.as_ref().and_then(|meant| meant.time).unwrap_or(Duration::from_millis(TIME));
        let setting = setting(Role::Any).name;
        let failure = Failure { subject, setting, sent, time: allowed, began, ended, error, meant };
        self.closed.failures.push(failure);
        self
    }

    /// The last call was of a session of this role.
    fn of(mut self, role: Role) -> Told {
        self.closed.failures.last_mut().expect("one has failed").setting = setting(role).name;
        self
    }

    fn explain(&self, lanes: u32) -> Explained {
        let Told { closed, faults, gone, held_up } = self;
        explain(&Story { closed, faults, gone, held_up: *held_up }, |_| lanes)
    }

    #[track_caller]
    fn check(&self, unexplained: usize) {
        let found = self.explain(64).unexplained;
        assert_eq!(found.len(), unexplained, "{found:#?}");
    }
}

#[test]
fn an_end_that_nobody_did_is_unexplained_though_no_call_met_it() {
    let signalled = |number| Told::new().ends(WORKER, 100, WhyEnded::Signalled, signal(number, true));
    signalled(SIGKILL).check(1);
    signalled(SIGKILL).done_to(Kind::Killed, WORKER, 99).check(0);
    signalled(SIGKILL).done_to(Kind::KilledApart, WORKER, 99).check(0);
    // Another process, later, long before, another signal, another fault.
    signalled(SIGKILL).done_to(Kind::Killed, (7, 4), 99).check(1);
    signalled(SIGKILL).done_to(Kind::Killed, WORKER, 101).check(1);
    let late = Told::new().ends(WORKER, 9000, WhyEnded::Signalled, signal(SIGKILL, true));
    late.done_to(Kind::Killed, WORKER, 99).check(1);
    signalled(SIGABRT).done_to(Kind::Killed, WORKER, 99).check(1);
    for kind in [Kind::Paused, Kind::Stopped] {
        signalled(SIGKILL).done_to(kind, WORKER, 99).check(1);
    }
    for why in [
        WhyEnded::Fault(ErrorKind::Crashed),
        WhyEnded::Fault(ErrorKind::Hung),
        WhyEnded::Fault(ErrorKind::ProtocolViolation),
        WhyEnded::Cancelled,
        WhyEnded::Worn(Wear::Calls),
        WhyEnded::Reloaded,
        WhyEnded::Stopped,
    ] {
        Told::new().ends(WORKER, 100, why, Cause::None).done_to(Kind::Killed, WORKER, 99).check(1);
    }
}

#[test]
fn what_workers_are_replaced_for_is_of_those_settings_alone() {
    let worn = |by, role| Told::new().ends_as(WORKER, 100, WhyEnded::Worn(by), Cause::None, role);
    worn(Wear::Calls, Role::Worn).check(0);
    worn(Wear::Calls, Role::Any).check(1);
    worn(Wear::Silence, Role::Worn).check(1);
    let replaced = |role| Told::new().ends_as(WORKER, 100, WhyEnded::Reloaded, Cause::None, role);
    replaced(Role::Reloaded).check(1);
    replaced(Role::Reloaded).done(Kind::Reloaded, To::Session(7, Some(3)), 90).check(0);
    replaced(Role::Reloaded).done(Kind::Reloaded, To::Session(7, Some(2)), 90).check(1);
    replaced(Role::Reloaded).done(Kind::Reloaded, To::Session(8, Some(3)), 90).check(1);
}

#[test]
fn the_end_of_a_worker_explains_errors_on_it_and_on_no_other() {
    let kill = || Told::new().kill(WORKER, 100);
    kill().failed(WORKER, [90, 110], killed()).check(0);
    kill().failed(WORKER, [90, 110], plain(ErrorKind::WorkerLost)).check(0);
    // Another worker, another session, before it, behind it.
    kill().failed((7, 4), [90, 110], killed()).check(1);
    kill().failed((8, 3), [90, 110], killed()).check(1);
    Told::new().kill(WORKER, 1000).failed(WORKER, [80, 99], killed()).check(1);
    kill().failed(WORKER, [400, 410], killed()).check(1);
    // Another kind, another signal.
    kill().failed(WORKER, [90, 110], crashed(SIGABRT)).check(1);
    kill().failed(WORKER, [90, 110], crashed(SIGKILL)).check(1);
    for kind in [
        ErrorKind::Hung,
        ErrorKind::Exited,
        ErrorKind::OutOfMemory,
        ErrorKind::ProtocolViolation,
        ErrorKind::InvalidReply,
        ErrorKind::BadEncoding,
    ] {
        kill().failed(WORKER, [90, 110], plain(kind)).check(1);
    }
    Told::new().failed(WORKER, [90, 110], killed()).check(1);
}

#[test]
fn a_worker_that_was_killed_apart_explains_errors_of_that_worker_alone() {
    let apart = || {
        let mut told = Told::new().done_to(Kind::KilledApart, WORKER, 100);
        told = told.ends(WORKER, 102, WhyEnded::Signalled, signal(SIGKILL, true));
        told.gone[0].end.served = false;
        told
    };
    apart().failed(WORKER, [90, 110], plain(ErrorKind::LoadFailed)).check(0);
    apart().failed((7, 4), [90, 110], plain(ErrorKind::LoadFailed)).check(1);
    apart().failed((8, 3), [90, 110], plain(ErrorKind::LoadFailed)).check(1);
    apart().failed((7, 4), [90, 110], killed()).check(1);
    apart().failed(WORKER, [500, 510], plain(ErrorKind::LoadFailed)).check(1);
    // One of a session that was not opened, and has no ends: a kill explains one of them.
    let unopened = || {
        let told = Told::new().done_to(Kind::KilledApart, WORKER, 100);
        told.failed((NOT_OPENED, 1), [90, 110], (ErrorKind::LoadFailed, signal(SIGKILL, true)))
    };
    unopened().check(0);
    unopened().failed((NOT_OPENED, 1), [90, 110], (ErrorKind::LoadFailed, signal(SIGKILL, true))).check(1);
    unopened().ends(WORKER, 102, WhyEnded::Signalled, signal(SIGKILL, true)).check(1);
    Told::new().failed((NOT_OPENED, 1), [90, 110], (ErrorKind::LoadFailed, signal(SIGKILL, true))).check(1);
    apart().failed((NOT_OPENED, 1), [90, 110], plain(ErrorKind::LoadFailed)).check(1);
    // One that serves has loaded.
    Told::new().kill(WORKER, 100).failed(WORKER, [90, 110], plain(ErrorKind::LoadFailed)).check(1);
}

#[test]
fn a_call_that_was_to_fail_explains_its_end_and_those_beside_it() {
    let aborts = |(kind, cause): (ErrorKind, Cause)| {
        let told = Told::new().ends(WORKER, 109, WhyEnded::Fault(kind), cause.clone());
        told.failed_as(WORKER, [100, 110], (kind, cause), Some(abort()))
    };
    aborts(crashed(SIGABRT)).check(0);
    aborts(crashed(SIGABRT)).failed(WORKER, [90, 111], plain(ErrorKind::WorkerLost)).check(0);
    aborts(crashed(SIGABRT)).failed((7, 4), [90, 111], plain(ErrorKind::WorkerLost)).check(1);
    aborts(crashed(SIGABRT)).failed(WORKER, [90, 111], plain(ErrorKind::OutOfMemory)).check(1);
    aborts(crashed(SIGABRT)).failed(WORKER, [90, 111], crashed(SIGSEGV)).check(1);
    // What failed in another way has done nothing that is known: then its worker's end is without a reason, too.
    aborts(plain(ErrorKind::Exited)).check(2);
    aborts(crashed(SIGSEGV)).check(2);
    let mut elsewhere = aborts(crashed(SIGABRT));
    elsewhere.closed.failures[0].error.function = "faulty_add".into();
    elsewhere.check(2);
    // An error, and its worker goes on.
    Told::new().failed_as(WORKER, [100, 110], crashed(SIGABRT), Some(abort())).check(1);
}

#[test]
fn a_call_hangs_until_its_time_is_over_and_no_longer() {
    let hang = |took: u64| {
        let time = Some(Duration::from_millis(100));
        let hung = WhyEnded::Fault(ErrorKind::Hung);
        let told = Told::new().ends(WORKER, 100 + took, hung, Cause::None);
        let harm = Meant { time, ..meant(&[ErrorKind::Hung], None) };
        told.failed_as(WORKER, [100, 100 + took], plain(ErrorKind::Hung), Some(harm))
    };
    hang(100).check(0);
    hang(300).check(0);
    hang(99).check(2);
    hang(1101).check(1);
    Told { held_up: Duration::from_millis(10), ..hang(1101) }.check(0);
}

#[test]
fn a_call_that_is_right_too_late_is_unexplained() {
    let late = |by| {
        let mut told = Told::new();
        told.closed.late.push(Late { by: Duration::from_millis(by), what: "a call".into() });
        told
    };
    late(1000).check(0);
    late(1001).check(1);
    Told { held_up: Duration::from_millis(1), ..late(1001) }.check(0);
}

#[test]
fn what_is_behind_a_stopped_worker_has_waited_all_of_its_time() {
    let stopped = || Told::new().stop(WORKER, [100, 1200]);
    let full = || unavailable(UnavailableReason::PoolExhausted);
    stopped().check(0);
    stopped().failed(WORKER, [195, 1200], plain(ErrorKind::Hung)).check(0);
    stopped().failed(WORKER, [195, 1190], plain(ErrorKind::Hung)).check(1);
    stopped().failed((7, 0), [195, 1200], full()).check(0);
    stopped().failed((7, 0), [195, 1190], full()).check(1);
    stopped().failed((8, 0), [195, 1200], full()).check(1);
    stopped().failed((7, 0), [1300, 2300], full()).check(1);
    // The next worker, which was ended for a call that had no time left.
    let next = || {
        let hung = WhyEnded::Fault(ErrorKind::Hung);
        stopped().ends_as((7, 4), 1300, hung, Cause::None, Role::Stopped)
    };
    next().check(1);
    next().failed((7, 4), [298, 1300], plain(ErrorKind::Hung)).check(0);
    next().failed((7, 4), [500, 1300], plain(ErrorKind::Hung)).check(2);
    // One that nobody told of: its session was given up before.
    let untold = |to| Told::new().done(Kind::Stopped, to, 100);
    let of_it = || untold(To::Process(process(WORKER), Some(7)));
    of_it().failed((7, 0), [195, 1200], full()).check(0);
    of_it().failed((7, 0), [195, 1190], full()).check(1);
    of_it().failed((8, 0), [195, 1200], full()).check(1);
    untold(To::Process(process(WORKER), None)).failed((7, 0), [195, 1200], full()).check(1);
    of_it().kill(WORKER, 150).failed((7, 0), [195, 1200], full()).check(1);
    // One that went on again.
    let paused = Told::new().done_to(Kind::Paused, WORKER, 100);
    paused.ends(WORKER, 1200, WhyEnded::Fault(ErrorKind::Hung), Cause::None).check(1);
}

#[test]
fn a_worker_that_is_replaced_killed_and_ended_for_a_call_at_once_has_one_of_these_reasons() {
    let told = |why, cause| {
        let told =
            Told::new().done_to(Kind::Killed, WORKER, 199).ends_as(WORKER, 202, why, cause, Role::Reloaded);
        let harm = Meant { time: Some(Duration::from_millis(100)), ..meant(&[ErrorKind::Hung], None) };
        let hung = told.failed_as(WORKER, [100, 203], plain(ErrorKind::Hung), Some(harm));
        hung.failed(WORKER, [150, 204], plain(ErrorKind::WorkerLost))
    };
    let reload = |told: Told| told.done(Kind::Reloaded, To::Session(7, Some(3)), 198);
    let killed = || told(WhyEnded::Signalled, signal(SIGKILL, true));
    for told in [killed(), told(WhyEnded::Fault(ErrorKind::Hung), Cause::None)] {
        told.check(0);
    }
    reload(killed()).check(0);
    // That nobody did.
    told(WhyEnded::Reloaded, Cause::None).check(3);
    told(WhyEnded::Cancelled, Cause::None).check(3);
}

#[test]
fn the_deadline_of_a_call_behind_a_stopped_worker_comes_with_other_ends_of_it() {
    let stopped = |why, cause| {
        Told::new().done_to(Kind::Stopped, WORKER, 100).ends_as(WORKER, 1200, why, cause, Role::Stopped)
    };
    let killed = || stopped(WhyEnded::Signalled, signal(SIGKILL, true)).done_to(Kind::Killed, WORKER, 1199);
    killed().failed(WORKER, [195, 1200], plain(ErrorKind::Hung)).check(0);
    killed().failed(WORKER, [205, 1200], plain(ErrorKind::Hung)).check(1);
    let given_up = || {
        let cancel = Some(meant(&[ErrorKind::Cancelled], None));
        let told = stopped(WhyEnded::Cancelled, Cause::None);
        told.failed_as(WORKER, [300, 1195], plain(ErrorKind::Cancelled), cancel)
    };
    given_up().failed(WORKER, [195, 1200], plain(ErrorKind::Hung)).check(0);
    given_up().failed(WORKER, [205, 1200], plain(ErrorKind::Hung)).check(1);
    let aborted = stopped(WhyEnded::Fault(ErrorKind::Crashed), signal(SIGABRT, false));
    aborted.failed(WORKER, [195, 1200], plain(ErrorKind::Hung)).check(2);
}

#[test]
fn little_time_explains_that_there_was_no_turn() {
    let full = |took: u64, time| {
        let harm = Meant { time, ..meant(&[ErrorKind::Hung], None) };
        let full = unavailable(UnavailableReason::PoolExhausted);
        Told::new().failed_as((7, 0), [100, 100 + took], full, Some(harm))
    };
    let little = Some(Duration::from_millis(100));
    full(100, little).check(0);
    full(99, little).check(1);
    full(100, None).check(1);
    full(TIME, None).check(1);
}

#[test]
fn objects_are_stale_when_their_worker_has_gone() {
    let late = |at: u64| [at, at + 1];
    Told::new().failed((7, 9), late(200), stale(3)).check(1);
    Told::new().kill(WORKER, 100).failed((7, 9), late(200), stale(3)).check(0);
    Told::new().kill(WORKER, 100).failed((8, 9), late(200), stale(3)).check(1);
    Told::new().kill(WORKER, 800).failed((7, 9), late(200), stale(3)).check(1);
    let reloaded = |at| Told::new().done(Kind::Reloaded, To::Session(7, Some(3)), at);
    reloaded(100).failed((7, 9), late(200), stale(3)).check(0);
    reloaded(300).failed((7, 9), late(200), stale(3)).check(1);
    // It serves nobody while it is being ended.
    let given_up = Told::new().ends(WORKER, 900, WhyEnded::Cancelled, Cause::None);
    let cancel = Some(meant(&[ErrorKind::Cancelled], None));
    let given_up = given_up.failed_as(WORKER, [100, 890], plain(ErrorKind::Cancelled), cancel);
    given_up.failed((7, 9), late(200), stale(3)).check(0);
}

#[test]
fn a_breaker_opens_behind_faults_and_only_where_there_is_one() {
    let open = || unavailable(UnavailableReason::BreakerOpen);
    for (faults, role, unexplained) in [(2, Role::Broken, 1), (3, Role::Broken, 0), (3, Role::Any, 1)] {
        let crash = |told: Told, at: u64| {
            let aborted = WhyEnded::Fault(ErrorKind::Crashed);
            let told = told.ends((7, at), 10 * at + 1, aborted, signal(SIGABRT, false));
            told.failed_as((7, at), [10 * at, 10 * at + 1], crashed(SIGABRT), Some(abort())).of(role)
        };
        let told = (1..=faults).fold(Told::new(), crash);
        told.failed((7, 4), [200, 201], open()).of(role).check(unexplained);
    }
}

#[test]
fn an_input_is_refused_when_it_has_ended_two_workers_and_ends_no_third() {
    let poison = |told: Told, (generation, input): (u64, &str)| {
        let (at, harm) = (100 * generation, Meant { input: Some(input.into()), ..abort() });
        let aborted = WhyEnded::Fault(ErrorKind::Crashed);
        let told = told.ends((7, generation), at + 1, aborted, signal(SIGABRT, false));
        told.failed_as((7, generation), [at, at + 1], crashed(SIGABRT), Some(harm))
    };
    let refused = |told: Told| {
        let harm = Meant { input: Some("a".into()), ..abort() };
        told.failed_as((7, 9), [950, 951], plain(ErrorKind::Quarantined), Some(harm))
    };
    let story = |inputs: &[&'static str]| (1..).zip(inputs.iter().copied()).fold(Told::new(), poison);
    refused(story(&["a", "a"])).check(0);
    refused(story(&["a", "b"])).check(1);
    story(&["a", "a", "b"]).check(0);
    story(&["a", "b", "a", "a"]).check(1);
}

#[test]
fn no_more_calls_fail_with_a_worker_than_can_be_under_way() {
    let mut told =
        Told::new().kill(WORKER, 100).failed(WORKER, [90, 110], killed()).failed(WORKER, [95, 110], killed());
    assert!(told.explain(2).unexplained.is_empty());
    let found = told.explain(1).unexplained;
    assert!(
        found.len() == 1 && found[0].contains("2 calls failed with it, where 1 can be under way"),
        "{found:?}"
    );
    // What was sent together was under way on one lane.
    told.closed.failures[1].sent = told.closed.failures[0].sent;
    let explained = told.explain(1);
    assert!(explained.unexplained.is_empty());
    assert_eq!((explained.killed_in_calls, explained.failed_by_kills), (1, (2, 1)));
}
