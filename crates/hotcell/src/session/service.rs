//! The worker that a session's callers share: which one it is, who brings another up, and who is to blame for its end.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use hotcell_protocol::{ErrorKind, Executed, UnavailableReason, wire};
use hotcell_shm::Arena;
use hotcell_supervisor::{End, StartError, Worker};
use parking_lot::Mutex;

use super::spares::Spares;
use super::{Allowed, Context, Live, Seat, Session, instant_of};
use crate::error::{Cause, Result};
use crate::fault;

/// The worker of a session, and those that may follow it.
#[derive(Debug, Default)]
pub(super) struct Service {
    /// The one that serves, if it has not ended. Locked for moments only.
    now: Mutex<Option<Arc<Serving>>>,
    /// Locked by whoever brings a worker up.
    next: Mutex<Next>,
}

#[derive(Debug, Default)]
struct Next {
    /// One that is coming up.
    starting: Option<Worker>,
    spares: Spares,
}

/// A worker that is up, as its callers share it.
#[derive(Debug)]
pub(crate) struct Serving {
    worker: Worker,
    blame: OnceLock<Blame>,
}

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
    /// It is to be killed for what became of this call. Others that are under way end with it.
    pub(crate) fn blame(&self, lane: u32, context: &Context) {
        let blame = Blame { lane, function: context.function.to_owned(), call_id: context.call_id };
        // The first is to blame: who comes later only finds it dying.
        let _ = self.blame.set(blame);
    }

    /// The call of another lane that is to blame for its end, as far as anybody knows.
    pub(crate) fn to_blame(&self, lane: u32, end: &End, context: &Context) -> Option<Blame> {
        let known = self.blame.get().cloned().or_else(|| {
            let channel = self.worker.channel();
            let lane = end.crash?.lane?;
            let (call_id, _) = (lane < channel.lanes()).then(|| channel.executing(lane))?;
            let index = channel.function_of(lane, call_id);
            let function = match index {
                Some(wire::BATCH_FUNCTION) => "a batch",
                index => context.package.functions.get(usize::from(index?))?.name,
            };
            Some(Blame { lane, function: function.to_owned(), call_id })
        });
        known.filter(|blame| blame.lane != lane)
    }
}

impl Session {
    /// Gives a seat its part of the worker that serves; brings one up where none does. One that died between calls is
    /// replaced without a word: nothing of the caller's was on it. One that is not up in time goes on coming up for the next
    /// call.
    pub(super) fn seat_worker(&self, seat: &mut Seat, context: Context, allowed: &mut Allowed) -> Result<()> {
        self.bring_up(seat, context, instant_of(allowed.deadline()), allowed.time())
    }

    /// As [`Session::seat_worker`], until then, for a call that has so much time.
    pub(super) fn bring_up(
        &self,
        seat: &mut Seat,
        context: Context,
        until: Instant,
        time: Duration,
    ) -> Result<()> {
        seat.leave();
        let shared = &*self.shared;
        let late = || {
            let cause = Cause::Unavailable { reason: UnavailableReason::Restarting };
            let message = format!("no worker was ready within {time:?}");
            Err(context.not_executed(ErrorKind::Unavailable, cause, message))
        };
        if let Some(worker) = shared.service.serving() {
            return self.take_part(seat, worker, context);
        }
        let Some(mut next) = shared.service.next.try_lock_until(until) else { return late() };
        // Somebody may have brought one up meanwhile.
        if let Some(worker) = shared.service.serving() {
            drop(next);
            return self.take_part(seat, worker, context);
        }
        drop(shared.service.now.lock().take());
        shared.releases.drop_refused();
        seat.passed.drop_later(shared.kept.end_all());
        let spec = &shared.spec;
        let failed = |generation, error: &StartError| {
            let (fault, output) = fault::of_start(error);
            Context { generation, ..context }.error(fault, Executed::No, output)
        };
        loop {
            let spare = if next.starting.is_none() { next.spares.take() } else { None };
            let is_spare = spare.is_some();
            let worker = match next.starting.take().or(spare) {
                Some(worker) => worker,
                None => shared.facts.begun.another(spec).map_err(|(number, error)| {
                    seat.generation = number;
                    failed(number, &error)
                })?,
            };
            seat.generation = worker.generation();
            match worker.ready(spec, until) {
                Ok(true) => {
                    let worker = Arc::new(Serving { worker, blame: OnceLock::new() });
                    shared.facts.enter(&worker);
                    *shared.service.now.lock() = Some(Arc::clone(&worker));
                    drop(next);
                    seat.lacks_spares = shared.options.spares > 0;
                    self.clear_seats();
                    return self.take_part(seat, worker, context);
                }
                Ok(false) => {
                    next.starting = Some(worker);
                    return late();
                }
                // What became of a spare is nobody's error while another worker may do better.
                Err(_) if is_spare => {}
                Err(error) => return Err(failed(worker.generation(), &error)),
            }
        }
    }

    /// Gives a seat its part of the worker that serves, if one does.
    pub(super) fn join_worker(&self, seat: &mut Seat, context: Context) {
        if let Some(worker) = self.shared.service.serving() {
            seat.leave();
            // If it cannot have it, the next call will say why.
            let _ = self.take_part(seat, worker, context);
        }
    }

    /// Gives a seat its lane of a worker that is up.
    fn take_part(&self, seat: &mut Seat, worker: Arc<Serving>, context: Context) -> Result<()> {
        let capabilities = worker.capabilities();
        let can = |capability| capabilities & capability != 0;
        let lacks = |message: &str| {
            Err(context.not_executed(ErrorKind::AbiMismatch, Cause::None, message.to_owned()))
        };
        if self.has_handles() && !can(wire::capabilities::HANDLES) {
            return lacks("the worker knows no handles, which the package needs");
        }
        let channel = worker.channel();
        let lane = match seat.number {
            0 => channel.lane(0),
            _ if !can(wire::capabilities::LANES) => return lacks("the worker takes one call at a time only"),
            number => {
                // If it does not hear this, it is ending, or does not read: the call will say so.
                worker.open_lane(number);
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
            unmapped: Vec::new(),
            #[cfg(feature = "tokio")]
            ear: super::awaited::Ear::default(),
        });
        Ok(())
    }

    /// Has the seats that nobody has let go of workers that no longer serve, so that those can end. Who has a seat does so
    /// when he gives it back.
    fn clear_seats(&self) {
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
    pub(super) fn give_up(&self, generation: u64) {
        let now = self.shared.service.now.lock();
        if let Some(worker) = now.as_ref().filter(|worker| worker.generation() == generation) {
            worker.channel().give_up();
        }
    }

    /// Has spares begin to come up, behind the call that needed one.
    #[cold]
    pub(super) fn fill_spares(&self, seat: &mut Seat) {
        let shared = &*self.shared;
        // Whoever has it brings a worker up, and then sees to its spares.
        let Some(mut next) = shared.service.next.try_lock() else { return };
        seat.lacks_spares = false;
        next.spares.fill(&shared.spec, shared.options.spares as usize, &shared.facts.begun);
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

impl Service {
    /// The worker that serves, if there is one.
    fn serving(&self) -> Option<Arc<Serving>> {
        self.now.lock().clone().filter(|worker| worker.serves())
    }

    /// Forgets the workers, in a forked child: they are its parent's.
    pub(super) fn forget(&mut self) {
        std::mem::forget(std::mem::take(self));
    }
}
