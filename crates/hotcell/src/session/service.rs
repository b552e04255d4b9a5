//! The worker that a session's callers share: which one it is, who brings another up, and who is to blame for its end.

#[cfg(feature = "tokio")]
use std::io;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
#[cfg(feature = "tokio")]
use std::thread;
use std::time::{Duration, Instant};

use hotcell_protocol::{ErrorKind, Executed, LimitExceededReason, UnavailableReason, wire};
#[cfg(feature = "tokio")]
use hotcell_sandbox::with_signals_blocked;
use hotcell_shm::Arena;
use hotcell_shm::lock::{Mutex, MutexGuard, Turn, TurnGuard};
use hotcell_supervisor::{End, HowEnded, LaneError, StartError, Worker};

#[cfg(feature = "tokio")]
use super::awaited::ComingUp;
use super::ends::{Because, Ends};
use super::spares::Spares;
use super::{Allowed, Context, Live, Seat, Session, Shared, instant_of};
use crate::error::{Cause, Error, Result};
use crate::fault;
use crate::restart::{Breaker, Ended};
use crate::rt::KeptCallback;

/// The worker of a session, and those that may follow it.
#[derive(Debug, Default)]
pub(super) struct Service {
    /// The one that serves, if it has not ended. Locked for moments only.
    pub(super) now: Mutex<Option<Arc<Serving>>>,
    /// Locked by whoever brings a worker up, or another one into service.
    pub(super) next: Turn<Next>,
    /// Those that serve no longer, by number, and on which calls may be under way yet.
    leaving: Mutex<Vec<(u64, Weak<Serving>)>>,
}

#[derive(Debug, Default)]
pub(super) struct Next {
    /// One that is coming up.
    pub(super) starting: Option<Worker>,
    /// The number of the spare that was taken last. What became of it is nobody's error, whoever waits for it by then.
    spare_taken: Option<u64>,
    pub(super) spares: Spares,
}

/// A worker that is up, as its callers share it.
#[derive(Debug)]
pub(crate) struct Serving {
    worker: Worker,
    /// When it came up.
    since: Instant,
    ends: Arc<Ends>,
    blame: OnceLock<Blame>,
    /// Whether it was ended because its caller gave a call up.
    unwanted: AtomicBool,
    /// Whether its end was counted against an input.
    counted: AtomicBool,
    /// Whether it was ended because it had been replaced, and a call on it went on.
    drained: AtomicBool,
    /// Whether a thread of this process runs what the library's own threads call back.
    has_listener: AtomicBool,
    /// Locked by whoever starts one.
    listener: Mutex<()>,
}

/// Nanoseconds that a lane may take to be opened for a release.
const JOIN: u64 = 5_000_000_000;

/// How many workers may end one after the other while a call has its lane opened there, and another is looked for.
const OTHERS: u32 = 3;

/// How often who brings a worker up lets others have the lock for that.
const LETS_IN: Duration = Duration::from_millis(50);

/// What stands for the function of a batch.
pub(super) const BATCH: &str = "a batch";

/// The call for which a worker was killed.
#[derive(Debug, Clone)]
pub(crate) struct Blame {
    pub(crate) lane: u32,
    pub(crate) function: String,
    pub(crate) call_id: u64,
}

impl Deref for Serving {
    type Target = Worker;

    fn deref(&self) -> &Worker {
        &self.worker
    }
}

impl Serving {
    pub(super) fn new(worker: Worker, ends: &Arc<Ends>) -> Serving {
        ends.serves(worker.generation());
        Serving {
            worker,
            since: Instant::now(),
            ends: Arc::clone(ends),
            blame: OnceLock::new(),
            unwanted: AtomicBool::new(false),
            counted: AtomicBool::new(false),
            drained: AtomicBool::new(false),
            has_listener: AtomicBool::new(false),
            listener: Mutex::default(),
        }
    }

    /// How long it has been up.
    pub(super) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// It is to be killed for what became of this call, which has this kind. Others that are under way end with it.
    pub(crate) fn blame(&self, lane: u32, context: &Context, kind: ErrorKind) {
        let function = if context.function.is_empty() { BATCH } else { context.function };
        self.ends_because(Because::call(kind, function));
        let blame = Blame { lane, function: function.to_owned(), call_id: context.call_id };
        // The first is to blame: who comes later only finds it dying.
        let _ = self.blame.set(blame);
    }

    /// It is to be ended for this.
    pub(super) fn ends_because(&self, because: Because) {
        self.ends.because(self.worker.generation(), because);
    }

    /// The function that it was ended for, by a call of this lane that was not sent and is not this one.
    pub(crate) fn ended_before(&self, lane: u32, end: &End, context: &Context) -> Option<&str> {
        let blame = self.blame.get().filter(|_| end.killed_by_host)?;
        (blame.lane == lane && blame.call_id != context.call_id).then_some(blame.function.as_str())
    }

    /// The call of another lane that is to blame for its end, as far as anybody knows.
    pub(crate) fn to_blame(&self, lane: u32, end: &End, context: &Context) -> Option<Blame> {
        match self.ended_for(end) {
            (Some(blame), _) => Some(blame).filter(|blame| blame.lane != lane).cloned(),
            (None, Some(noted)) if noted != lane => self.executing(noted, context),
            _ => None,
        }
    }

    /// Whether the function that was to stop the call of this lane may have ended it, as it says. Where no word is left of which, any may
    /// have.
    pub(crate) fn may_have_ended_stopping(&self, lane: u32) -> bool {
        let channel = self.worker.channel();
        channel.ended_in().is_none() && channel.ended_stopping().is_none_or(|noted| noted == lane)
    }

    /// Whether it ended in the call of this lane, or for what became of that, as far as anybody knows. `alone` is whether no call
    /// of another lane can be under way: then a signal counts of which the worker's handler has left no word. What ended on a
    /// thread of the library's, or for what that did, counts against no call.
    pub(crate) fn was_ended_in(&self, lane: u32, alone: bool) -> bool {
        let end = self.worker.end();
        match (end.as_ref().map_or((self.blame.get(), None), |end| self.ended_for(end)), end) {
            ((Some(blame), _), _) => blame.lane == lane,
            ((None, Some(noted)), _) => noted == lane,
            (
                (None, None),
                Some(End { how: HowEnded::Signalled(number), crash: None, killed_by_host, .. }),
            ) => alone && !killed_by_host && fault::is_of_code(number),
            ((None, None), _) => false,
        }
    }

    /// Whether nobody has counted its end against an input before. Who asks does.
    pub(crate) fn counts(&self) -> bool {
        !self.counted.swap(true, Ordering::AcqRel)
    }

    /// The call for which it was killed, where that came before its end; and the lane whose thread ended it, as it says.
    pub(super) fn ended_for(&self, end: &End) -> (Option<&Blame>, Option<u32>) {
        // The record is the worker's own word; it is believed only where it agrees with the kernel's.
        let agrees = match end.how {
            HowEnded::Signalled(number) => end.crash.is_some_and(|crash| crash.signal == number),
            HowEnded::Exited(_) => end.crash.is_none(),
            HowEnded::Unknown => true,
        };
        // What ended in the function that was to stop a call was ended by what stops that call.
        let channel = self.worker.channel();
        let noted = channel.ended_in().or_else(|| channel.ended_stopping()).filter(|_| agrees);
        // An instruction was faster than this host.
        let crashed = noted.is_some() && end.crash.is_some_and(|crash| crash.code > 0);
        (self.blame.get().filter(|_| !crashed), noted)
    }

    /// The call that a lane's worker says it was executing.
    pub(super) fn executing(&self, lane: u32, context: &Context) -> Option<Blame> {
        let channel = self.worker.channel();
        let (call_id, _) = channel.executing(lane);
        let function = match channel.function_of(lane, call_id)? {
            wire::BATCH_FUNCTION => BATCH,
            index => context.package.functions.get(usize::from(index))?.name,
        };
        Some(Blame { lane, function: function.to_owned(), call_id })
    }

    /// Whether the library ended it, or was ended for what it did: nobody else, and not its own shutdown.
    fn was_ended_by_library(&self) -> bool {
        let by_itself = |end: End| match fault::of_end(&end).cause {
            Cause::Signal { external, .. } => !external,
            _ => true,
        };
        let end = self.worker.end();
        if self.was_unwanted() && end.as_ref().is_none_or(|end| end.killed_by_host) {
            return false;
        }
        // The host was too slow, and not the library.
        if end.as_ref().and_then(fault::unanswered).is_some() {
            return false;
        }
        self.blame.get().is_some() || end.is_some_and(by_itself)
    }

    /// Whether it was to be ended because its caller has given a call up.
    pub(crate) fn was_unwanted(&self) -> bool {
        self.unwanted.load(Ordering::Acquire)
    }

    /// It is to be ended because its caller has given a call up: that is not the library's doing.
    pub(crate) fn is_unwanted(&self) {
        self.unwanted.store(true, Ordering::Release);
    }

    /// Whether it was to be ended because it had been replaced.
    pub(crate) fn was_drained(&self) -> bool {
        self.drained.load(Ordering::Acquire)
    }

    /// It is to be ended because it has been replaced: that is not the library's doing, nor that of the calls on it.
    pub(super) fn is_drained(&self) {
        self.is_unwanted();
        self.ends_because(Because::reloaded());
        self.drained.store(true, Ordering::Release);
    }

    /// Stops it, and waits until it is gone.
    pub(super) fn stop(self) {
        self.worker.stop();
    }

    /// Whether there is a thread that runs what the library's own threads call back.
    pub(crate) fn has_listener(&self) -> bool {
        self.has_listener.load(Ordering::Acquire)
    }

    /// The right to start it, if there is none.
    pub(super) fn no_listener(&self) -> Option<MutexGuard<'_, ()>> {
        let right = self.listener.lock();
        (!self.has_listener()).then_some(right)
    }

    /// It is there. Who says so has that right.
    pub(super) fn listens(&self) {
        self.has_listener.store(true, Ordering::Release);
    }
}

impl Session {
    /// Gives a seat its part of the worker that serves; brings one up where none does. One that died between calls is
    /// replaced without a word: nothing of the caller's was on it. One that is not up in time goes on coming up for the next
    /// call.
    pub(super) fn seat_worker(&self, seat: &mut Seat, context: Context, allowed: &mut Allowed) -> Result<()> {
        seat.leave();
        let mut others = Others::default();
        loop {
            let mut brought = Brought::default();
            let worker = self.bring_up(&mut brought, context, allowed);
            seat.passed.drop_later(brought.gone);
            seat.generation = brought.generation.unwrap_or(seat.generation);
            seat.lacks_spares |= brought.lacks_spares;
            match self.take_part(seat, worker?, context, allowed) {
                Err(error) if others.may_follow(&error) => {}
                taken => return taken.map_err(Error::lasting),
            }
        }
    }

    /// Refuses to bring a worker up where the breaker is open.
    pub(super) fn admit(&self, context: Context) -> Result<()> {
        self.shared.restarts.admit(Instant::now()).map_err(|left| {
            let cause = Cause::Unavailable { reason: UnavailableReason::BreakerOpen };
            let message = format!(
                "the library has ended its workers too often of late; it gets no other one for the next {left:?}"
            );
            context.not_executed(ErrorKind::Unavailable, cause, message)
        })
    }

    /// Notes how a worker came to serve no longer.
    fn note_end(&self, worker: &Serving) {
        self.shared.restarts.note(self.ended(worker), Instant::now());
    }

    /// What counts of a worker for the breaker.
    fn ended(&self, worker: &Serving) -> Ended {
        let calls = worker.channel().published();
        Ended { by_library: worker.was_ended_by_library(), calls, callers: self.shared.seats.count() as u64 }
    }

    /// Whether the library gets another worker when it has ended one.
    pub fn breaker(&self) -> Breaker {
        if self.is_forked() {
            return Breaker::Closed;
        }
        let serving = self.shared.service.serving().map(|worker| self.ended(&worker));
        self.shared.restarts.state(Instant::now(), serving)
    }

    /// The worker that serves, or one that is brought up.
    pub(super) fn bring_up(
        &self,
        brought: &mut Brought,
        context: Context,
        allowed: &mut Allowed,
    ) -> Result<Arc<Serving>> {
        let shared = &*self.shared;
        let until = instant_of(allowed.deadline());
        if let Some(worker) = shared.service.serving() {
            return Ok(worker);
        }
        self.admit(context)?;
        let next = self.next_worker(until, context, allowed)?;
        // Somebody may have brought one up meanwhile.
        if let Some(worker) = shared.service.serving() {
            return Ok(worker);
        }
        self.end_before(brought, context)?;
        let worker = self.come_up(next, brought, context, allowed)?;
        // Where another file was loaded anew, they are cleared already.
        self.clear_seats();
        Ok(worker)
    }

    /// The right to bring a worker up: waits for who has it, until then, or until this call is given up.
    fn next_worker<'s>(
        &'s self,
        until: Instant,
        context: Context,
        allowed: &Allowed,
    ) -> Result<TurnGuard<'s, Next>> {
        loop {
            let look = self.cancel.as_ref().map_or(until, |_| until.min(Instant::now() + LETS_IN));
            if let Some(next) = self.shared.service.next.try_lock_until(look) {
                return Ok(next);
            }
            if self.is_cancelled() {
                return Err(self.given_up(&context));
            }
            if Instant::now() >= until {
                return Err(late(context, allowed));
            }
        }
    }

    /// Sees to what the worker leaves behind that serves no longer.
    fn end_before(&self, brought: &mut Brought, context: Context) -> Result<()> {
        let shared = &*self.shared;
        let before = shared.service.now.lock().take();
        shared.releases.drop_refused();
        // Only who has a call under way has a part of a worker behind this. Where that lives, it may still call what it has.
        self.clear_seats();
        let living = before.as_ref().filter(|worker| !worker.channel().is_dead());
        living.filter(|worker| Arc::strong_count(worker) > 1).into_iter().for_each(|it| shared.leaves(it));
        brought.gone.extend(shared.kept.end_all_but(&shared.service.leaving()));
        before.iter().for_each(|before| self.note_end(before));
        // By this end, or by those of others while this one waited.
        self.admit(context)
    }

    /// Brings a worker up. Who loads another file anew need not wait for one that does not come up: he is let in now and then, and
    /// so is whoever gives this call up. The worker goes on coming up for the next call then.
    fn come_up<'s>(
        &'s self,
        mut next: TurnGuard<'s, Next>,
        brought: &mut Brought,
        context: Context,
        allowed: &mut Allowed,
    ) -> Result<Arc<Serving>> {
        let (shared, until) = (&*self.shared, instant_of(allowed.deadline()));
        let failed = |generation, error: &StartError| {
            let (fault, output) = fault::of_start(error);
            let failed = Context { generation, ..context }.error(fault, Executed::No, output);
            if error.passes() { failed.passing() } else { failed }
        };
        loop {
            let spec = &*shared.spec();
            let spare = if next.starting.is_none() { next.spares.take() } else { None };
            next.spare_taken = spare.as_ref().map(|worker| worker.generation()).or(next.spare_taken);
            let worker = match next.starting.take().or(spare) {
                Some(worker) => worker,
                None => shared.facts.begun.another(spec).map_err(|(number, error)| {
                    brought.generation = Some(number);
                    failed(number, &error)
                })?,
            };
            brought.generation = Some(worker.generation());
            match worker.ready(spec, until.min(Instant::now() + LETS_IN)) {
                Ok(true) => {
                    let worker = Arc::new(Serving::new(worker, &shared.ends));
                    shared.facts.enter(&worker);
                    *shared.service.now.lock() = Some(Arc::clone(&worker));
                    brought.lacks_spares = shared.options.spares > 0;
                    return Ok(worker);
                }
                Ok(false) => {
                    next.starting = Some(worker);
                    next.unlock_fair();
                    // Whoever is asked may call this session.
                    if self.is_cancelled() {
                        return Err(self.given_up(&context));
                    }
                    next = self.next_worker(until, context, allowed)?;
                    if Instant::now() >= until {
                        return Err(late(context, allowed));
                    }
                    if let Some(worker) = shared.service.serving() {
                        return Ok(worker);
                    }
                    // Whoever had the lock may have brought one up that has ended by now.
                    self.end_before(brought, context)?;
                }
                // Another worker may do better.
                Err(_) if next.spare_taken == Some(worker.generation()) => {}
                Err(error) => {
                    if error.is_of_library() {
                        let ended = Ended { by_library: true, calls: 0, callers: 0 };
                        shared.restarts.note(ended, Instant::now());
                    }
                    return Err(failed(worker.generation(), &error));
                }
            }
        }
    }

    /// Gives a seat its part of the worker that serves, if one does.
    pub(super) fn join_worker(&self, seat: &mut Seat, context: Context) {
        if let Some(worker) = self.shared.service.serving() {
            seat.leave();
            // If it cannot have it, the next call will say why.
            let mut allowed = Allowed::new(JOIN);
            let _ = self.take_part(seat, worker, context, &mut allowed);
        }
    }

    /// Gives a seat its lane of a worker that is up.
    fn take_part(
        &self,
        seat: &mut Seat,
        worker: Arc<Serving>,
        context: Context,
        allowed: &mut Allowed,
    ) -> Result<()> {
        let capabilities = worker.capabilities();
        let can = |capability| capabilities & capability != 0;
        let lacks = |message: &str| {
            Err(context.not_executed(ErrorKind::AbiMismatch, Cause::None, message.to_owned()))
        };
        if self.has_handles() && !can(wire::capabilities::HANDLES) {
            return lacks("the worker knows no handles, which the package needs");
        }
        if self.shared.seats.count() > 1 && !can(wire::capabilities::LANES) {
            return lacks(
                "the worker takes one call at a time only: bring one of this version, or open the session with `callers: 1`",
            );
        }
        let channel = worker.channel();
        let lane = match seat.number {
            0 => channel.lane(0),
            number => {
                self.open_lane(&worker, number, context, allowed)?;
                channel.lane_apart(number)
            }
        };
        seat.generation = worker.generation();
        seat.ended = None;
        let calls_back = can(wire::capabilities::CALLBACKS);
        let takes_batches = can(wire::capabilities::BATCH);
        seat.live = Some(Live {
            lane,
            arena: Arena::default(),
            worker,
            calls_back,
            takes_batches,
            hints: super::Hints::default(),
            #[cfg(feature = "tokio")]
            offers: super::Offers::default(),
            #[cfg(feature = "tokio")]
            ear: super::awaited::Ear::default(),
        });
        Ok(())
    }

    /// Has the worker make a thread for a lane.
    pub(super) fn open_lane(
        &self,
        worker: &Serving,
        number: u32,
        context: Context,
        allowed: &mut Allowed,
    ) -> Result<()> {
        let (kind, cause, message) = match worker.open_lane(number, instant_of(allowed.deadline())) {
            Ok(()) => return Ok(()),
            Err(LaneError::NoThread(errno)) => {
                let cause = Cause::Limit { what: LimitExceededReason::Threads, value: u64::from(number) };
                let message = format!("the worker has no thread for a further call at a time: {errno}");
                (ErrorKind::LimitExceeded, cause, message)
            }
            Err(LaneError::WorkerEnded) => return Err(ended_before(worker, number, context)),
            Err(LaneError::DeadlinePassed) => {
                let cause = Cause::Unavailable { reason: UnavailableReason::PoolExhausted };
                let message = format!("the worker had no thread for the call within {:?}", allowed.time());
                (ErrorKind::Unavailable, cause, message)
            }
        };
        Err(context.not_executed(kind, cause, message))
    }

    /// Has the seats that nobody has let go of workers that no longer serve, so that those can end. Who has a seat does so
    /// when he gives it back.
    pub(super) fn clear_seats(&self) {
        let seats = &self.shared.seats;
        for number in 0..seats.count() {
            if let Some(mut seat) = seats.borrow(number) {
                if !seat.serves() {
                    seat.leave();
                }
                seats.put(number, seat);
            }
        }
    }

    /// Has no further call go to this worker of the session.
    pub(crate) fn give_up(&self, generation: u64) {
        let given_up = self.shared.service.now.lock().take_if(|worker| worker.generation() == generation);
        if let Some(worker) = given_up {
            self.shared.leaves(&worker);
            worker.channel().give_up();
            self.shared.facts.left(&worker);
            self.note_end(&worker);
        }
    }

    /// Has spares begin to come up, behind the call that needed one.
    #[cold]
    pub(super) fn fill_spares(&self, seat: &mut Seat) {
        let shared = &*self.shared;
        // Whoever has it brings a worker up, and then sees to its spares.
        let Some(mut next) = shared.service.next.try_lock() else { return };
        seat.lacks_spares = false;
        next.spares.fill(&shared.spec(), shared.options.spares as usize, &shared.facts.begun);
    }
}

/// The error of a call whose worker ended while it was to have a lane there: of calls beside it, or between them. Nothing of it was
/// on that worker, and another one may do.
fn ended_before(worker: &Serving, lane: u32, context: Context) -> Error {
    let fault = match worker.end() {
        None => fault::lost(),
        Some(end) => match worker.to_blame(lane, &end, &context) {
            Some(blame) => fault::of_another(blame, &end),
            None => fault::of_end(&end),
        },
    };
    let context = Context { generation: worker.generation(), ..context };
    context.error(fault, Executed::No, String::new()).passing()
}

/// Workers that may follow ones that ended as a call was to have a lane there.
#[derive(Debug, Default)]
pub(super) struct Others(u32);

impl Others {
    /// Whether another worker is looked for behind this error. Who asks has it counted.
    pub(super) fn may_follow(&mut self, error: &Error) -> bool {
        self.0 += u32::from(error.is_passing());
        error.is_passing() && self.0 <= OTHERS
    }
}

/// The error of a call for which no worker was ready in time.
pub(super) fn late(context: Context, allowed: &Allowed) -> Error {
    let cause = Cause::Unavailable { reason: UnavailableReason::Restarting };
    let message = format!("no worker was ready within {:?}", allowed.time());
    context.not_executed(ErrorKind::Unavailable, cause, message)
}

/// What bringing a worker up comes to, besides it.
#[derive(Default)]
pub(super) struct Brought {
    /// The worker that was begun or waited for.
    generation: Option<u64>,
    /// It has taken over, and may have taken a spare.
    pub(super) lacks_spares: bool,
    /// What the library of the one before had kept, to be dropped by who has no lock.
    gone: Vec<Box<KeptCallback>>,
}

#[cfg(feature = "tokio")]
impl Session {
    /// Gives a seat its part of the worker that serves. False where none does.
    pub(super) fn seat_of_serving(
        &self,
        seat: &mut Seat,
        context: Context,
        allowed: &mut Allowed,
    ) -> Result<bool> {
        seat.leave();
        match self.shared.service.serving() {
            Some(worker) => self.take_part(seat, worker, context, allowed).map(|()| true),
            None => Ok(false),
        }
    }

    /// Brings a worker up on a thread of its own, where none serves: files are compared and read for that, which no task's poll
    /// is to wait for. What comes of it the task is told; nobody need wait for it. Comes with an error where there is no thread.
    pub(super) fn bring_up_apart(&self, context: Context, mut allowed: Allowed) -> io::Result<Arc<ComingUp>> {
        let coming = Arc::new(ComingUp::default());
        let (theirs, (session, _)) = (Arc::clone(&coming), self.apart());
        let bring = move || {
            let mut brought = Brought::default();
            let worker = session.bring_up(&mut brought, context, &mut allowed);
            let lacks_spares = brought.lacks_spares;
            theirs.came(worker.map(|_| lacks_spares));
            drop(brought);
        };
        let thread = thread::Builder::new().name("hotcell-starter".into());
        // Signals of the application are for its own threads.
        with_signals_blocked(|| thread.spawn(bring)).map(|_| coming)
    }
}

impl Serving {
    /// Whether it can be given another call.
    #[inline]
    pub(super) fn serves(&self) -> bool {
        let channel = self.worker.channel();
        !channel.is_dead() && !channel.is_given_up()
    }
}

impl Shared {
    /// This one serves no longer, and calls may be under way on it yet.
    pub(super) fn leaves(&self, worker: &Arc<Serving>) {
        self.service.leaves(worker);
        self.served.iter().for_each(|served| served.leaves(worker.generation()));
    }
}

impl Service {
    /// The worker that serves, if there is one.
    pub(super) fn serving(&self) -> Option<Arc<Serving>> {
        self.now.lock().clone().filter(|worker| worker.serves())
    }

    /// Whether this one serves, and nobody has taken it out of service.
    #[cfg(feature = "serve")]
    pub(super) fn is_now(&self, generation: u64) -> bool {
        self.serving().is_some_and(|worker| worker.generation() == generation)
    }

    /// This one serves no longer, and calls may be under way on it yet.
    fn leaves(&self, worker: &Arc<Serving>) {
        self.leaving.lock().push((worker.generation(), Arc::downgrade(worker)));
    }

    /// The numbers of those that serve no longer, and on which calls may be under way yet.
    pub(super) fn leaving(&self) -> Vec<u64> {
        let mut leaving = self.leaving.lock();
        // None is held here, not for a moment: who waits for the last to let go would not see it.
        leaving.retain(|(_, worker)| worker.strong_count() > 0);
        leaving.iter().map(|(number, _)| *number).collect()
    }

    /// Lets go of spares that have owed an answer for so long.
    pub(super) fn probe_spares(&self, most: Option<Duration>) {
        if let (Some(mut next), Some(_)) = (self.next.try_lock(), most) {
            next.spares.probe(most);
        }
    }

    /// How many spares there are; none while somebody brings a worker up.
    pub(super) fn count_spares(&self) -> usize {
        self.next.try_lock().map_or(0, |mut next| next.spares.probe(None))
    }

    /// Whether the worker that serves is this one.
    pub(super) fn is_serving(&self, generation: u64) -> bool {
        self.serving().is_some_and(|worker| worker.generation() == generation)
    }

    /// Stops all workers, and waits until they are gone.
    pub(super) fn stop(&mut self) {
        let now = self.now.get_mut().take().and_then(Arc::into_inner);
        now.into_iter().for_each(Serving::stop);
        let next = self.next.get_mut();
        next.starting.take().into_iter().for_each(Worker::stop);
        next.spares.stop();
    }

    /// Forgets the workers, in a forked child: they are its parent's.
    pub(super) fn forget(&mut self) {
        std::mem::forget(std::mem::take(self));
    }
}
