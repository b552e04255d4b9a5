//! The seat of a task between two polls.

use std::future::poll_fn;
use std::task::{self, Poll};

use hotcell_protocol::{ErrorKind, Executed};
use hotcell_shm::lock::Mutex;
use hotcell_shm::{ReplyHead, Waited, clock};
use hotcell_supervisor::{Ending, SegmentError, Worker};

use super::{NoRuntime, Timer};
use crate::error::{Cause, Error, Result};
use crate::fault::Fault;
use crate::rt::Call;
use crate::session::{Context, Seat, Session, Turn, instant_of};

/// Where the seat of one number is while it is a task's, and nobody polls that.
#[derive(Debug, Default)]
pub(in crate::session) struct Afloat(Mutex<Option<Left>>);

/// A seat that a task has left.
#[derive(Debug)]
struct Left {
    seat: Box<Seat>,
    /// Which berth it belongs to.
    ticket: u64,
    /// When it may be taken back, in monotonic nanoseconds: the time of its call is over.
    deadline: u64,
}

/// What a task has of its seat, and finds it by. Who drops it gives the seat back, or has the call that is under way brought
/// to its end first.
#[derive(Debug)]
pub(crate) struct Berth<'s> {
    session: &'s Session,
    number: u32,
    ticket: u64,
    /// What errors say of the call.
    context: Context,
    deadline: u64,
    /// Its call was sent.
    sent: bool,
}

/// Times a task may be woken for nothing while it waits for one message.
const MOST_MISSED: u32 = 64;

impl Afloat {
    /// Forgets the seat, in a forked child.
    pub(in crate::session) fn forget(&mut self) {
        std::mem::forget(self.0.get_mut().take());
    }

    /// Drops the seat, with its part of the worker: the session goes.
    pub(in crate::session) fn let_go(&mut self) {
        drop(self.0.get_mut().take());
    }
}

impl<'s> Turn<'s> {
    /// Interrupts the turn of a task.
    pub(super) fn at_berth(self, context: Context) -> Berth<'s> {
        Berth::new(self, context)
    }
}

impl<'s> Berth<'s> {
    fn new(mut turn: Turn<'s>, context: Context) -> Berth<'s> {
        let (session, number, ticket) = (turn.session, turn.number, turn.next_id());
        let deadline = turn.state().allowed.deadline();
        let mut berth = Berth { session, number, ticket, context, deadline, sent: false };
        berth.leave(turn);
        berth
    }

    /// Interrupts a call of a task that was not sent yet.
    pub(crate) fn of(call: Call<'s>) -> Berth<'s> {
        let context = call.context;
        call.into_turn().at_berth(context)
    }

    pub(crate) fn context(&self) -> Context {
        self.context
    }

    pub(crate) fn deadline(&self) -> u64 {
        self.deadline
    }

    /// Its call was sent.
    pub(crate) fn was_sent(&mut self) {
        self.sent = true;
    }

    /// Goes on with the turn, on this thread.
    pub(crate) fn board(&mut self) -> Result<Turn<'s>> {
        if self.session.is_forked() {
            return Err(self.context.forked(self.executed()));
        }
        let mut place = self.session.shared.afloat[self.number as usize].0.lock();
        match place.take_if(|left| left.ticket == self.ticket) {
            Some(left) => Ok(Turn::resume(self.session, left.seat)),
            None => Err(self.lost()),
        }
    }

    /// Interrupts the turn again.
    pub(crate) fn leave(&mut self, turn: Turn<'s>) {
        // In a forked child a thread that is not there may hold what is locked below.
        if self.session.is_forked() {
            std::mem::forget(turn);
            return;
        }
        let Some(seat) = turn.interrupt() else { return };
        let Berth { session, ticket, deadline, .. } = *self;
        let left = Left { seat, ticket, deadline };
        *session.shared.afloat[self.number as usize].0.lock() = Some(left);
        session.shared.seats.watch().look_at(deadline.saturating_add(GRACE));
    }

    /// Goes on with the call for a moment. It is interrupted again even when that panics: the library may be at work.
    pub(crate) fn aboard<R>(&mut self, then: impl FnOnce(&mut Call<'s>) -> R) -> Result<R> {
        let call = Some(Call::go_on_with(self.board()?));
        let mut aboard = Aboard { berth: self, call };
        let call = aboard.call.as_mut().expect("it is there until this is dropped");
        Ok(then(call))
    }

    /// Waits until `look` finds something, or until that time: then `None`. `look` sees to it that the task is woken.
    pub(crate) async fn until<R>(
        &mut self,
        deadline: u64,
        mut look: impl FnMut(&mut Call<'s>, &mut task::Context<'_>) -> Result<Option<R>>,
    ) -> Result<Option<R>> {
        let until = instant_of(deadline);
        let mut timer = Timer::default();
        poll_fn(|task| {
            let found = self.aboard(|call| look(call, task))?;
            match found {
                Ok(None) if clock::now() < deadline => {}
                found => return Poll::Ready(found),
            }
            // A clock that stands still, or a look that came a moment early: then it looks again.
            loop {
                match timer.poll(until, task) {
                    Ok(Poll::Pending) => return Poll::Pending,
                    Ok(Poll::Ready(())) if clock::now() >= deadline => break,
                    Ok(Poll::Ready(())) => timer = Timer::default(),
                    Err(NoRuntime) => {
                        let error = self.session.no_runtime(self.context, self.executed());
                        return Poll::Ready(Err(error));
                    }
                }
            }
            let found = self.aboard(|call| look(call, task))?;
            Poll::Ready(found)
        })
        .await
    }

    /// Waits for the worker's next message.
    pub(crate) async fn message(&mut self, call_id: u64) -> Result<Waited> {
        self.message_until(call_id, self.deadline).await
    }

    /// Its call has its reply, and waits for something else: who brings it to its end does not wait for that.
    pub(crate) fn has_replied(&mut self, head: ReplyHead) -> Result<()> {
        self.aboard(|call| call.has_replied(head))
    }

    /// Waits until that time for the answer of what was to stop the call of this lane; whether there is one.
    pub(crate) async fn cancelled(&mut self, lane: u32, until: u64) -> Result<bool> {
        let answered = self.until(until, |call, task| {
            let Some(live) = &call.turn().live else { return Ok(Some(false)) };
            live.worker.watch(live.lane.index().into(), task.waker());
            let ended = live.worker.end().map(|_| false);
            let answered = live.worker.cancelled(lane).map(|_| true).or(ended);
            if answered.is_some() {
                live.worker.unwatch(live.lane.index().into());
            }
            Ok(answered)
        });
        Ok(answered.await?.unwrap_or(false))
    }

    /// Waits until that time for the worker's next message.
    pub(crate) async fn message_until(&mut self, call_id: u64, until: u64) -> Result<Waited> {
        // Its seat is not taken back meanwhile.
        self.deadline = self.deadline.max(until);
        let (context, executed) = (self.context, self.executed());
        let mut missed = 0;
        let message = self.until(until, |call, task| {
            if let Some(live) = &call.turn().live {
                live.worker.watch(live.lane.index().into(), task.waker());
            }
            let Some(live) = &mut call.turn().live else { return Ok(Some(Waited::Dead)) };
            loop {
                let found = live.lane.glance(call_id, 0, 0).or_else(|| live.lane.doze(call_id));
                if found.is_some() {
                    live.lane.rise();
                    live.worker.unwatch(live.lane.index().into());
                    return Ok(found);
                }
                match live.ear.poll(&live.lane, &live.worker, task) {
                    Poll::Pending => return Ok(None),
                    Poll::Ready(Ok(())) => missed += 1,
                    Poll::Ready(Err(deaf)) => return Err(deaf.error(&context, executed)),
                }
                if missed > MOST_MISSED {
                    return Ok(Some(Waited::Violation("it wakes a task for nothing, again and again")));
                }
            }
        });
        Ok(message.await?.unwrap_or(Waited::DeadlinePassed))
    }

    /// Waits until the worker has mapped what it was offered.
    pub(crate) async fn mapped(&mut self) -> Result<std::result::Result<(), SegmentError>> {
        self.end_unheard().await?;
        let mapped = self.until(self.deadline, |call, task| {
            let Some(live) = &mut call.turn().live else { return Ok(Some(Ok(()))) };
            if live.offers.are_settled() {
                return Ok(Some(Ok(())));
            }
            live.worker.watch(live.lane.index().into(), task.waker());
            let settled = match live.offers.settle(&live.worker) {
                Ok(false) => return Ok(None),
                Ok(true) => Ok(()),
                Err(error) => Err(error),
            };
            live.worker.unwatch(live.lane.index().into());
            Ok(Some(settled))
        });
        Ok(mapped.await?.unwrap_or(Err(SegmentError::DeadlinePassed)))
    }

    /// Ends the worker if it could not be told what it was offered, unless it ends by itself.
    async fn end_unheard(&mut self) -> Result<()> {
        let is_unheard =
            |call: &mut Call<'s>| call.turn().live.as_ref().is_some_and(|live| live.offers.are_unheard());
        if !self.aboard(is_unheard)? {
            return Ok(());
        }
        let patience = u64::try_from(Worker::UNHEARD.as_nanos()).unwrap_or(u64::MAX);
        match self.ended(clock::now().saturating_add(patience)).await? {
            true => Ok(()),
            false => self.end_worker(&[Ending::Unheard]).await,
        }
    }

    /// Ends the worker, first gently, and waits for that: who then asks for its end does not wait.
    pub(crate) async fn end_worker(&mut self, endings: &[Ending<'_>]) -> Result<()> {
        for &ending in endings {
            let until = self.aboard(|call| call.begin_to_end(ending))?;
            // Its seat is not taken back for that.
            self.deadline = self.deadline.max(until);
            if self.ended(until).await? || self.ends_yet(ending).await? {
                break;
            }
        }
        Ok(())
    }

    /// Waits on for the end of a worker that has had its time for that, and was not let run in it; whether it has ended.
    async fn ends_yet(&mut self, ending: Ending<'_>) -> Result<bool> {
        if ending != Ending::Abort {
            return Ok(false);
        }
        loop {
            let yet =
                |call: &mut Call<'s>| call.turn().live.as_ref().and_then(|live| live.worker.aborts_yet());
            let Some(more) = self.aboard(yet)? else { return Ok(false) };
            let until = clock::now().saturating_add(u64::try_from(more.as_nanos()).unwrap_or(u64::MAX));
            self.deadline = self.deadline.max(until);
            if self.ended(until).await? {
                return Ok(true);
            }
        }
    }

    /// Waits for the end of the worker until that time; whether it has ended.
    async fn ended(&mut self, until: u64) -> Result<bool> {
        let ended = self.until(until, |call, task| {
            let Some(live) = &call.turn().live else { return Ok(Some(())) };
            live.worker.watch(live.lane.index().into(), task.waker());
            Ok(live.worker.end().map(drop))
        });
        Ok(ended.await?.is_some())
    }

    fn executed(&self) -> Executed {
        if self.sent { Executed::Maybe } else { Executed::No }
    }

    /// The error of a task that was not polled until the time of its call was over, and whose seat was taken back then.
    fn lost(&self) -> Error {
        let message = "nobody polled the call until its deadline had passed: its result was given up".into();
        let fault = Fault { kind: ErrorKind::Cancelled, cause: Cause::None, message };
        self.context.error(fault, self.executed(), String::new())
    }

    fn take(&self) -> Option<Box<Seat>> {
        let mut place = self.session.shared.afloat[self.number as usize].0.lock();
        Some(place.take_if(|left| left.ticket == self.ticket)?.seat)
    }
}

/// A call that goes on for a moment.
struct Aboard<'b, 's> {
    berth: &'b mut Berth<'s>,
    call: Option<Call<'s>>,
}

impl Drop for Aboard<'_, '_> {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            self.berth.leave(call.into_turn());
        }
    }
}

impl Drop for Berth<'_> {
    fn drop(&mut self) {
        // In a forked child the lock may be held for ever by a thread that is only in the parent.
        if !self.session.is_forked()
            && let Some(seat) = self.take()
        {
            self.session.give_up_call(seat);
        }
    }
}

/// How long after its deadline a task may come for its call, in nanoseconds: timers and runtimes are late.
const GRACE: u64 = 1_000_000_000;

impl Session {
    /// Takes seats back from tasks that were not polled until the time of their calls was over. Comes with when to do so again,
    /// in monotonic nanoseconds, for those that are afloat now.
    pub(in crate::session) fn reclaim_from_tasks(&self) -> u64 {
        let mut again = u64::MAX;
        for place in &self.shared.afloat {
            let now = clock::now();
            let left = {
                let mut place = place.0.lock();
                let overdue = place.take_if(|left| left.deadline.saturating_add(GRACE) <= now);
                let next = place.as_ref().map_or(u64::MAX, |left| left.deadline.saturating_add(GRACE));
                again = again.min(next);
                overdue
            };
            left.into_iter().for_each(|left| self.give_up_call(left.seat));
        }
        again
    }
}
