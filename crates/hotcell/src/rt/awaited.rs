//! Calls of tasks: sent, continued and answered as those of threads are, but between two messages of the worker nobody
//! waits.

use std::future::Future;

use hotcell_protocol::wire::ReplyState;
use hotcell_protocol::{ErrorKind, Executed};
use hotcell_shm::{ReplyHead, Waited, clock};
use hotcell_supervisor::{Ending, SegmentError};

use super::failed::Failure;
use super::finish::{ASKS_ON, Callbacks, Published};
use super::stop::Why;
use super::{Call, Callback, Done, Invocation, Reply};
use crate::error::{Error, Result};
use crate::session::{Asks, Berth, Live, Turn, instant_of};

/// As [`Callback`], for a call of a task: it is run by whichever thread polls that.
pub type TaskCallback<'a> = dyn FnMut(&mut Invocation<'_>) -> Result<u64> + Send + 'a;

/// How long a poll looks for a reply before the task sleeps, in nanoseconds: a function that takes no time has returned by
/// then, and other tasks of the thread are hardly delayed.
const GLANCE: u64 = 5_000;

/// How far a call of a task has come.
struct Course<'a, 'b> {
    list: &'a mut [&'b mut TaskCallback<'b>],
    count: u64,
    block: Vec<u8>,
    raised: Option<Failure>,
    abandoned: bool,
    grants: u32,
}

impl<'s> Call<'s> {
    /// As [`Call::finish`], for a task.
    pub fn finish_awaited(self) -> impl Future<Output = Result<Reply<'s>>> + Send + use<'s> {
        let settled = self.settle_awaited();
        async move {
            let mut reply = settled.await?;
            reply.succeeded()?;
            Ok(reply)
        }
    }

    /// As [`Call::settle`], for a task.
    pub fn settle_awaited(self) -> impl Future<Output = Result<Reply<'s>>> + Send + use<'s> {
        let mut berth = Berth::of(self);
        async move { Course::of(&mut []).run(&mut berth).await }
    }

    /// As [`Call::finish_with`], for a task. The callbacks run while it is polled, and may call the library without waiting for
    /// a task.
    pub fn finish_with_awaited<'b>(
        self,
        callbacks: &'b mut [&'b mut TaskCallback<'b>],
    ) -> impl Future<Output = Result<Reply<'s>>> + Send + use<'s, 'b> {
        let settled = self.settle_with_awaited(callbacks);
        async move {
            let mut reply = settled.await?;
            reply.succeeded()?;
            Ok(reply)
        }
    }

    /// As [`Call::settle_with`], for a task; callbacks as in [`Call::finish_with_awaited`].
    pub fn settle_with_awaited<'b>(
        self,
        callbacks: &'b mut [&'b mut TaskCallback<'b>],
    ) -> impl Future<Output = Result<Reply<'s>>> + Send + use<'s, 'b> {
        let mut berth = Berth::of(self);
        async move { Course::of(callbacks).run(&mut berth).await }
    }

    /// Sends the batch that this call is, and waits for it.
    pub(super) fn settle_batch_awaited(
        mut self,
        done: Done,
    ) -> impl Future<Output = Result<Done>> + Send + use<'s> {
        // The seat has it: who brings an abandoned call to its end releases what it returns.
        self.batch = Some(Box::new(done));
        let mut berth = Berth::of(self);
        async move {
            let end = |mut call: Call<'s>, head, raised| match call.batch.take() {
                Some(done) => call.end_batch(*done, head, raised),
                None => unreachable!("a batch is in its seat until its call has ended"),
            };
            Course::of(&mut []).run_to(&mut berth, end).await
        }
    }

    /// Makes it a task's.
    pub(crate) fn of_task(mut self) -> Call<'s> {
        self.awaited = true;
        self
    }

    /// Goes on with the call that has this turn.
    pub(crate) fn go_on_with(turn: Turn<'s>) -> Call<'s> {
        Call { turn }
    }

    pub(crate) fn into_turn(self) -> Turn<'s> {
        self.turn
    }

    /// The turn that it holds.
    pub(crate) fn turn(&mut self) -> &mut Turn<'s> {
        &mut self.turn
    }

    /// It has its reply, and is not concluded yet.
    pub(crate) fn has_replied(&mut self, head: ReplyHead) {
        self.replied = Some(head);
    }

    /// Begins to end the worker. Comes with until when that may take, in monotonic nanoseconds.
    pub(crate) fn begin_to_end(&mut self, ending: Ending<'_>) -> u64 {
        let context = self.context;
        let grace = self.turn.live.as_ref().map(|live| {
            // One that is dying could not be told for that. It is asked once: what is blamed is what is done.
            let ending = match ending {
                Ending::Unheard if live.worker.is_dying() => Ending::Dying,
                ending => ending,
            };
            let kind = match ending {
                Ending::Abort | Ending::Kill => Some(ErrorKind::Hung),
                Ending::Violation(_) | Ending::Unheard => Some(ErrorKind::ProtocolViolation),
                Ending::Dying => None,
            };
            // Before the signal: calls of other lanes ask who is to blame as soon as they see the end.
            if let Some(kind) = kind {
                live.worker.blame(live.lane.index(), &context, kind);
            }
            live.worker.channel().give_up();
            live.worker.begin_to_end(ending)
        });
        let grace = grace.unwrap_or_default();
        clock::now().saturating_add(u64::try_from(grace.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Brings a call to its end that nobody waits for, on this thread.
    pub(crate) fn collect(mut self) {
        self.awaited = false;
        let under_way = std::mem::take(&mut self.under_way);
        let (id, spin) = (self.context.call_id, self.session().spin());
        let deadline = self.allowed.deadline();
        let Some(Live { lane, worker, offers, .. }) = &mut self.turn.live else { return };
        // No task sleeps there any more, nor is to be woken.
        lane.rise();
        worker.unwatch(lane.index().into());
        match offers.wait(worker, instant_of(deadline)) {
            Ok(()) => {}
            Err(SegmentError::DeadlinePassed) => return self.give_up(),
            // It was not sent: the end of its worker is none of its doing, and nobody hears of it.
            Err(_) if !under_way => return drop(self.turn.leave()),
            Err(_) => return drop(self.worker_ended(Executed::Maybe)),
        }
        if !under_way {
            return;
        }
        self.end_owed_grant();
        let mut callbacks = Callbacks::of(&mut []);
        callbacks.abandoned = true;
        // It may have come when it was being stopped.
        let obeyed = self.replied.take().map_or_else(|| self.obeys(), |head| Ok(Some(head)));
        let head = match obeyed {
            Ok(None) if self.turn.live.is_some() => {
                let waited = self.live().lane.wait(id, clock::now(), spin, deadline);
                self.go_on(waited, &mut callbacks)
            }
            Ok(None) => return,
            Ok(Some(head)) => Ok(head),
            Err(error) => Err(error),
        };
        if self.is_still_being_stopped(deadline) {
            return self.give_up();
        }
        match self.batch.take() {
            Some(done) => drop(self.end_batch(*done, head, None)),
            None => drop(head.and_then(|head| self.conclude(head))),
        }
    }

    /// Gives the call up, and the worker with it; waits for nothing.
    pub(crate) fn give_up(mut self) {
        (self.awaited, self.under_way) = (true, false);
        drop(self.hung(Executed::Maybe));
    }

    /// Sees to it that there is space, or refuses it, as a call of a thread does. What is granted the seat owes the worker, until
    /// that has mapped it: whoever has the seat then. False when nothing is owed.
    fn begin_to_owe(&mut self, needed: u64) -> Result<bool> {
        let space = self.begin_grant(needed)?;
        let owes = space.is_some();
        self.live().offers.owe(space);
        Ok(owes)
    }

    /// Gives the space that is owed, which the worker has mapped.
    fn end_owed_grant(&mut self) {
        let space = self.turn.live.as_mut().and_then(|live| live.offers.owed());
        space.into_iter().for_each(|space| self.end_grant(space));
    }

    /// Sends the call and looks for the worker's first message for a moment.
    fn first_awaited(&mut self) -> Result<Option<Waited>> {
        self.is_wanted()?;
        let Published { id, now, .. } = self.publish()?;
        (self.under_way, self.replied) = (true, None);
        let spin = self.session().spin().min(GLANCE);
        let lane = &mut self.live().lane;
        let waited = lane.glance(id, now, spin);
        lane.expect_call();
        Ok(waited)
    }

    /// What became of a segment that was offered.
    fn not_mapped(&mut self, error: SegmentError, executed: Executed) -> Error {
        match error {
            SegmentError::DeadlinePassed => self.hung(executed),
            _ => self.worker_ended(executed),
        }
    }
}

/// What is made of a call that has ended.
trait End<'s, R>: FnOnce(Call<'s>, Result<ReplyHead>, Option<Failure>) -> Result<R> {}

impl<'s, R, F: FnOnce(Call<'s>, Result<ReplyHead>, Option<Failure>) -> Result<R>> End<'s, R> for F {}

impl<'b> Course<'_, 'b> {
    fn of<'a>(list: &'a mut [&'b mut TaskCallback<'b>]) -> Course<'a, 'b> {
        Course { list, count: 0, block: Vec::new(), raised: None, abandoned: false, grants: 0 }
    }

    /// Sends the call, and goes on with it until it has ended.
    async fn run<'s>(self, berth: &mut Berth<'s>) -> Result<Reply<'s>> {
        self.run_to(berth, |call, head, raised| match raised {
            None => call.conclude(head?),
            Some(raised) => call.raise(raised, head),
        })
        .await
    }

    /// As [`Course::run`]; `end` is what is made of the call, its reply, and what its callbacks failed with.
    async fn run_to<'s, R>(mut self, berth: &mut Berth<'s>, end: impl End<'s, R>) -> Result<R> {
        Self::map(berth, Executed::No).await?;
        let first = berth.aboard(Call::first_awaited)??;
        berth.was_sent();
        let head = self.head(berth, first).await;
        let turn = match berth.board() {
            Ok(turn) => turn,
            Err(lost) => return Err(head.err().unwrap_or(lost)),
        };
        let head = match head {
            // Nothing wakes this task any more, and the library goes on.
            Err(error) if turn.live.is_some() => {
                berth.leave(turn);
                return Err(error);
            }
            head => head,
        };
        // There is a reply, or the worker is gone.
        let mut call = Call { turn };
        call.under_way = false;
        end(call, head, self.raised)
    }

    /// The final reply.
    async fn head(&mut self, berth: &mut Berth<'_>, mut waited: Option<Waited>) -> Result<ReplyHead> {
        let (id, deadline) = (berth.context().call_id, berth.deadline());
        loop {
            let message = match waited.take() {
                Some(waited) => waited,
                None => berth.message(id).await?,
            };
            match message {
                Waited::Reply(head) => match head.state {
                    ReplyState::NeedSpace => self.grant(berth, head.value).await?,
                    ReplyState::Callback => self.answer(berth, head).await?,
                    _ => return Ok(head),
                },
                Waited::Dead => return Err(berth.aboard(|call| call.worker_ended(Executed::Maybe))?),
                Waited::DeadlinePassed => return self.stop(berth).await,
                Waited::Violation(rule) => {
                    berth.end_worker(&[Ending::Violation(rule)]).await?;
                    return Err(berth.aboard(|call| call.violation(rule))?);
                }
            }
            if clock::now() >= deadline {
                return self.stop(berth).await;
            }
        }
    }

    /// As [`Call::stop`], of a call whose deadline has come.
    async fn stop(&mut self, berth: &mut Berth<'_>) -> Result<ReplyHead> {
        match Self::obeys(berth).await? {
            Some(head) => {
                let stopped = berth.aboard(|call| call.stopped(Why::Deadline))?;
                self.raised.get_or_insert(Failure::Error(stopped));
                Ok(head)
            }
            None if berth.aboard(|call| call.ended_otherwise())? => {
                Err(berth.aboard(|call| call.worker_ended(Executed::Maybe))?)
            }
            None => Err(Self::hung(berth, Executed::Maybe).await?),
        }
    }

    /// As [`Call::obeys`].
    async fn obeys(berth: &mut Berth<'_>) -> Result<Option<ReplyHead>> {
        let Some(mut stopping) = berth.aboard(Call::begin_to_stop)? else { return Ok(None) };
        let id = berth.context().call_id;
        let head = loop {
            let over = berth.aboard(|call| call.cannot_be_stopped(&mut stopping))?;
            let now = clock::now();
            let until = if over { now } else { stopping.next(now) };
            let waited = berth.message_until(id, until).await?;
            if let Waited::Violation(rule) = waited {
                berth.end_worker(&[Ending::Violation(rule)]).await?;
            }
            match berth.aboard(|call| call.hear_stopping(waited))?? {
                Some(head) => break head,
                None if over || waited == Waited::Dead || stopping.is_over() => return Ok(None),
                None => {}
            }
        };
        berth.has_replied(head)?;
        Ok(berth.cancelled(stopping.lane, stopping.until).await?.then_some(head))
    }

    async fn grant(&mut self, berth: &mut Berth<'_>, needed: u64) -> Result<()> {
        self.grants += 1;
        let grants = self.grants;
        let owes = berth.aboard(|call| match grants > call.most_grants() {
            true => Err(call.violation(ASKS_ON)),
            false => call.begin_to_owe(needed),
        })??;
        if owes {
            Self::map(berth, Executed::Maybe).await?;
            berth.aboard(Call::end_owed_grant)?;
        }
        Ok(())
    }

    /// Answers a callback, when it does not run on another thread.
    async fn answer(&mut self, berth: &mut Berth<'_>, head: ReplyHead) -> Result<()> {
        let deadline = berth.deadline();
        let answered = berth.until(deadline, |call, task| {
            Ok(self.call_back(call, head, Asks::Task(task.waker()))?.then_some(()))
        });
        match answered.await? {
            Some(()) => Ok(()),
            None => Err(Self::hung(berth, Executed::Maybe).await?),
        }
    }

    fn call_back(&mut self, call: &mut Call<'_>, head: ReplyHead, asks: Asks<'_>) -> Result<bool> {
        let mut list: Vec<&mut Callback<'_>> = Vec::with_capacity(self.list.len());
        for callback in self.list.iter_mut() {
            list.push(&mut **callback);
        }
        let mut callbacks = Callbacks {
            list: &mut list,
            count: self.count,
            block: std::mem::take(&mut self.block),
            raised: self.raised.take(),
            abandoned: self.abandoned,
            gives_up: None,
        };
        let answered = call.call_back(head, &mut callbacks, asks);
        (self.count, self.block, self.raised) = (callbacks.count, callbacks.block, callbacks.raised);
        answered
    }

    /// Waits until the worker has mapped what it was offered.
    async fn map(berth: &mut Berth<'_>, executed: Executed) -> Result<()> {
        match berth.mapped().await? {
            Ok(()) => Ok(()),
            Err(SegmentError::DeadlinePassed) => Err(Self::hung(berth, executed).await?),
            Err(error) => Err(berth.aboard(|call| call.not_mapped(error, executed))?),
        }
    }

    /// The error of a call whose time is over; its worker is ended.
    async fn hung(berth: &mut Berth<'_>, executed: Executed) -> Result<Error> {
        berth.end_worker(&[Ending::Abort, Ending::Kill]).await?;
        berth.aboard(|call| call.hung(executed))
    }
}
