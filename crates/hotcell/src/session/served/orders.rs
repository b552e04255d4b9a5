//! What a client orders of its session.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hotcell_protocol::{ErrorKind, Executed, LimitExceededReason, UnavailableReason};
use hotcell_shm::lock::Mutex;
use hotcell_supervisor::{End, Ending, StackLeft, Worker};

use super::{Had, Hears, Served};
use crate::error::{Cause, Error, Result};
use crate::fault::{self, Fault};
use crate::options::Options;
use crate::rt::{Package, ThreadRules};
use crate::session::allowed::{YEAR, nanoseconds};
use crate::session::service::{Blame, Brought, Serving, late};
use crate::session::walled::PrivateDirectory;
use crate::session::{Allowed, Context, Session};
use crate::stack::LastStack;

/// Why a client has a worker ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// A call is over its deadline.
    Deadline,
    /// Nobody wants a call any more.
    GivenUp,
    /// The worker broke this rule of the shared memory.
    Violation(String),
    /// The library lies about its results.
    InvalidReply,
    /// The library calls back more often than it may.
    Callbacks,
}

/// The end of a worker that a client has.
#[derive(Debug)]
pub(crate) struct EndOfWorker {
    /// What the calls met that were under way, of whoever is to blame.
    pub(crate) fault: Error,
    /// Whose call is to blame, as far as anybody knows: its lane, and which it was.
    pub(crate) blame: Option<(u32, Option<Blame>)>,
    /// Why the client had it ended, if that is why.
    pub(crate) why: Option<Why>,
    /// The lanes of the calls that it was to stop, where it has ended by itself in a function for that.
    pub(crate) stopping: Vec<u32>,
}

/// Workers of a session whose last stack is kept, 32 KiB each.
const STACKS: usize = 16;

/// For how long a worker is waited for at a time: then somebody looks whether anybody wants it.
const AT_A_TIME: Duration = Duration::from_millis(100);

/// How long a worker that is not stopped in order may take to be gone.
const GONE: Duration = Duration::from_secs(5);

impl Session {
    /// A session for a client, without a worker.
    pub(crate) fn for_client(
        package: &'static Package,
        rules: Option<&'static ThreadRules>,
        options: Options,
        pid: u32,
        hears: Arc<dyn Hears>,
    ) -> Result<Session> {
        let served = Served { pid, hears, has: Mutex::default(), stacks: Mutex::default() };
        Session::without_worker(package, rules, options, Some(served))
    }

    /// Brings the first worker up, behind which spares are to be filled. The start has a deadline of its own.
    pub(crate) fn open_for_client(self, is_wanted: &dyn Fn() -> bool) -> Result<Session> {
        self.for_callers("", YEAR, is_wanted)?;
        self.shared.found_healthy();
        let context = Context::of_package(self.shared.package);
        self.opened(context)
    }

    /// The worker that serves, or one that is brought up, for as long as somebody wants it; and whether spares are to be filled
    /// behind it.
    pub(crate) fn for_callers(
        &self,
        function: &str,
        left: Duration,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<(Arc<Serving>, bool)> {
        let context = self.context(self.known_name(function), None);
        let until = Instant::now() + left.min(YEAR);
        loop {
            let mut brought = Brought::default();
            let now = until.saturating_duration_since(Instant::now()).min(AT_A_TIME);
            match self.bring_up(&mut brought, context, &mut Allowed::new(nanoseconds(now))) {
                Err(error) if is_late(&error) => {
                    if Instant::now() >= until || !is_wanted() {
                        return Err(late(context, &Allowed::new(nanoseconds(left))));
                    }
                }
                worker => return Ok((worker.map_err(Error::lasting)?, brought.lacks_spares)),
            }
        }
    }

    /// Notes that the client has this worker from now on. False when it has ended, or serves no longer, and the client will not
    /// hear of that.
    pub(crate) fn is_had(&self, worker: &Arc<Serving>) -> bool {
        let mut has = self.has().lock();
        // Whoever replaces it takes it out of service first, and then looks who has it.
        if worker.end().is_some() || !self.shared.service.is_now(worker.generation()) {
            return false;
        }
        if has.get(&worker.generation()).is_some_and(|had| had.is_left) {
            return false;
        }
        let worker = Arc::clone(worker);
        let had =
            || Had { worker: Arc::clone(&worker), why: None, knows_that_it_is_worn: false, is_left: false };
        has.entry(worker.generation()).or_insert_with(had);
        true
    }

    /// Has as many spares come up as there are to be.
    pub(crate) fn fill_spares_for_client(&self) {
        let shared = &*self.shared;
        // Whoever has it brings a worker up, and then sees to its spares.
        let Some(mut next) = shared.service.next.try_lock() else { return };
        next.spares.fill(&shared.spec(), shared.options.spares as usize, &shared.facts.begun);
    }

    /// A worker that the client has.
    pub(crate) fn had(&self, generation: u64) -> Option<Arc<Serving>> {
        self.has().lock().get(&generation).map(|had| Arc::clone(&had.worker))
    }

    /// The client lets go of this worker: no call is under way there any more, and none will be.
    pub(crate) fn is_left(&self, generation: u64) {
        // Of a worker that it has let go of it hears nothing more.
        self.has().lock().entry(generation).and_modify(|had| had.is_left = true);
        if let Some(worker) = self.had(generation) {
            self.note_replaced(&worker);
        }
        self.give_up(generation);
        let had = self.has().lock().remove(&generation);
        drop(had);
    }

    /// Notes for which call a worker is to be ended. Comes with it, if the client has it, it has not ended by itself before, and
    /// nobody else ends it already.
    pub(crate) fn is_to_blame(&self, generation: u64, call: &Blame, why: Why) -> Option<Arc<Serving>> {
        let mut has = self.has().lock();
        let had = has.get_mut(&generation)?;
        if had.why.is_some() || had.worker.has_ended() {
            return None;
        }
        let context =
            Context { call_id: call.call_id, ..self.context(self.known_name(&call.function), None) };
        if why == Why::GivenUp {
            had.worker.is_unwanted();
        }
        had.worker.blame(call.lane, &context, why.kind());
        had.why = Some(why);
        Some(Arc::clone(&had.worker))
    }

    /// What is told of a worker that has ended, unless the client has let go of it, or was told.
    pub(crate) fn end_for_client(&self, generation: u64) -> Option<EndOfWorker> {
        let Had { worker, why, .. } = self.has().lock().remove(&generation)?;
        let end = worker.end()?;
        let context = Context { generation, ..Context::of_package(self.shared.package) };
        let (blame, noted) = worker.ended_for(&end);
        // What ended by itself, before it was ended, did not end for that.
        let blame = blame.filter(|_| end.killed_by_host);
        let why = why.filter(|_| blame.is_some());
        let fault = match &why {
            _ if worker.was_drained() && end.killed_by_host => fault::drained(),
            Some(why) => why.fault().unwrap_or_else(|| fault::of_end(&end)),
            None => fault::of_end(&end),
        };
        let blame = match (blame, noted) {
            (Some(blame), _) => Some((blame.lane, Some(blame.clone()))),
            (None, Some(lane)) => Some((lane, worker.executing(lane, &context))),
            (None, None) => None,
        };
        if !(worker.was_unwanted() && end.killed_by_host) {
            let of = blame.as_ref().and_then(|(_, blame)| blame.as_ref());
            self.count_fault(of.map_or("", |of| self.known_name(&of.function)), fault.kind);
        }
        let stack = fault::stack_of(&end).filter(|_| !worker.was_drained() && why != Some(Why::GivenUp));
        let fault = context.error(fault, Executed::Maybe, worker.output());
        stack.into_iter().for_each(|stack| self.keep_stack(generation, stack));
        Some(EndOfWorker { fault, blame, why, stopping: stopping(&worker, &end) })
    }

    fn keep_stack(&self, generation: u64, stack: StackLeft) {
        let mut stacks = self.served().stacks.lock();
        if stacks.len() == STACKS {
            stacks.pop_front();
        }
        stacks.push_back((generation, stack));
    }

    /// The stack on which this worker ended, if that is still known.
    pub(crate) fn last_stack_of(&self, generation: u64) -> Option<LastStack> {
        let stacks = self.served().stacks.lock();
        let stack = stacks.iter().find(|(of, _)| *of == generation).map(|(_, stack)| stack.clone());
        stack.map(LastStack)
    }

    /// Has a thread of the worker serve a lane from 1 on.
    pub(crate) fn open_lane_for_client(&self, worker: &Serving, lane: u32, left: Duration) -> Result<()> {
        let context = Context { generation: worker.generation(), ..self.context("", None) };
        if !(1..self.shared.seats.count() as u32).contains(&lane) {
            let message = format!("there is no lane {lane} to be opened");
            return Err(context.not_executed(ErrorKind::InvalidArgument, Cause::None, message));
        }
        self.open_lane(worker, lane, context, &mut Allowed::new(nanoseconds(left)))
    }

    /// Has all workers end at once. Who waits for one of them waits no longer.
    pub(crate) fn begin_to_end_all(&self) {
        let service = &self.shared.service;
        let now = service.now.lock().clone();
        let had: Vec<_> = self.has().lock().values().map(|had| Arc::clone(&had.worker)).collect();
        had.iter().chain(&now).for_each(|worker| _ = worker.begin_to_end(Ending::Kill));
        let next = service.next.lock();
        next.starting.iter().for_each(|worker| _ = worker.begin_to_end(Ending::Kill));
        next.spares.kill();
    }

    /// Ends all workers and waits until they are gone: at once, or when they have come to their end in order.
    pub(crate) fn end_for_good(&self, in_order: bool) {
        let service = &self.shared.service;
        let now = service.now.lock().take();
        let mut next = service.next.lock();
        let (starting, mut spares) = (next.starting.take(), std::mem::take(&mut next.spares));
        drop(next);
        let mut serving: BTreeMap<u64, Arc<Serving>> = std::mem::take(&mut *self.has().lock())
            .into_iter()
            .map(|(number, had)| (number, had.worker))
            .collect();
        serving.extend(now.map(|worker| (worker.generation(), worker)));
        if !in_order {
            serving.values().for_each(|worker| _ = worker.begin_to_end(Ending::Kill));
            starting.iter().for_each(|worker| _ = worker.begin_to_end(Ending::Kill));
            spares.kill();
        }
        for worker in serving.into_values() {
            // Who has a part of it yet looks at it for a moment.
            match Arc::try_unwrap(worker) {
                Ok(worker) => worker.stop(),
                Err(worker) => {
                    worker.begin_to_end(Ending::Kill);
                    worker.wait_end(GONE);
                }
            }
        }
        starting.into_iter().for_each(Worker::stop);
        spares.stop();
        // Not by the last who has a part of the session: that may be a thread that the process does not wait for as it ends.
        self.shared.directory.iter().for_each(PrivateDirectory::remove);
    }

    /// How many calls it makes at a time, how long both sides poll, and how long a call may take, in nanoseconds.
    pub(crate) fn for_callers_to_know(&self) -> (u32, u64, u64) {
        (self.shared.seats.count() as u32, self.shared.spin, self.shared.time)
    }

    /// An error that is no call's.
    pub(crate) fn error_for_client(&self, kind: ErrorKind, cause: Cause, message: String) -> Error {
        self.context("", None).not_executed(kind, cause, message)
    }

    fn has(&self) -> &Mutex<BTreeMap<u64, Had>> {
        &self.served().has
    }

    fn served(&self) -> &Served {
        self.shared.served.as_ref().expect("only a client orders")
    }

    /// The name of a function as the package has it, which lives for ever; empty where it has none of this name.
    fn known_name(&self, name: &str) -> &'static str {
        self.functions().iter().find(|function| function.name == name).map_or("", |function| function.name)
    }
}

/// The lanes of the calls that a worker was to stop, where it may have ended in the function for that: as in `rt::stop`, where calls are
/// this process's. It is one, unless no word is left of which.
fn stopping(worker: &Serving, end: &End) -> Vec<u32> {
    let of_code = !matches!(fault::of_end(end).cause, Cause::Signal { external: true, .. });
    if !of_code || end.killed_by_host || fault::unanswered(end).is_some() {
        return Vec::new();
    }
    let mut lanes = worker.owed_cancels();
    lanes.retain(|lane| worker.may_have_ended_stopping(*lane));
    lanes
}

fn is_late(error: &Error) -> bool {
    matches!(error.cause(), Cause::Unavailable { reason: UnavailableReason::Restarting })
}

impl Why {
    /// Its name, as clients say it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Why::Deadline => "deadline",
            Why::GivenUp => "given-up",
            Why::Violation(_) => "violation",
            Why::InvalidReply => "invalid-reply",
            Why::Callbacks => "callbacks",
        }
    }

    /// The kind of error of the call that it is ended for.
    fn kind(&self) -> ErrorKind {
        self.fault().map_or(ErrorKind::ProtocolViolation, |fault| fault.kind)
    }

    /// Ends a worker for this, and waits for its end.
    pub(crate) fn end(&self, worker: &Serving) {
        match self {
            Why::Violation(rule) => _ = worker.kill_for_violation(rule),
            _ => _ = worker.kill(),
        }
    }

    /// The rest of what a call met that is to blame; `None` where the end says it.
    fn fault(&self) -> Option<Fault> {
        let fault = |kind, cause, message: &str| Some(Fault { kind, cause, message: message.to_owned() });
        match self {
            Why::Deadline => fault(ErrorKind::Hung, Cause::None, "no reply by the deadline"),
            Why::GivenUp => fault(
                ErrorKind::Cancelled,
                Cause::None,
                "the call was given up and its worker was ended: the library would have gone on",
            ),
            Why::InvalidReply => fault(
                ErrorKind::InvalidReply,
                Cause::None,
                "what the library gave back is not what its contract says",
            ),
            Why::Callbacks => {
                let cause = Cause::Limit { what: LimitExceededReason::Callbacks, value: 0 };
                fault(
                    ErrorKind::LimitExceeded,
                    cause,
                    "the library called back more often than it may in one call",
                )
            }
            Why::Violation(_) => None,
        }
    }
}
