//! A call being waited for: published, continued, answered.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use hotcell_protocol::wire::{self, Refusal, ReplyState};
use hotcell_protocol::{ErrorKind, Executed, Place, RawHandle, UnavailableReason};
use hotcell_shm::{Arena, CallHead, Grant, Granted, ReplyHead, Seals, Waited, Window, clock};

use super::call::LIVE;
use super::ends::NoSegment;
use super::failed::Failure;
use super::invocation::Invocation;
use super::passed::Usage;
use super::reading::Bad;
use super::stop::Why;
use super::{Call, Image, Release, Reply};
use crate::error::{Cause, Error, Result};
use crate::fault::Fault;
use crate::session::{Asks, Found, Live, Ready, Turn};

/// A function of the application that the library calls. What it returns goes to C in the low bits: an integer
/// as it is, a floating-point number by its bits, 0 for nothing. An error ends the call, as soon as the library returns.
pub type Callback<'a> = dyn FnMut(&mut Invocation<'_>) -> Result<u64> + 'a;

/// As [`Callback`], of a function that the library keeps. It may run in any call of the session; an error of it ends that
/// call, and a panic comes out there. In a release it may run on a thread of the session's own.
pub type KeptCallback = dyn FnMut(&mut Invocation<'_>) -> Result<u64> + Send;

/// The callbacks of a call, and what became of them.
pub(super) struct Callbacks<'a, 'b> {
    pub(super) list: &'a mut [&'b mut Callback<'b>],
    /// Calls so far.
    pub(super) count: u64,
    /// Where arguments are copied to: the same memory for all of them.
    pub(super) block: Vec<u8>,
    /// What went wrong in one of them: kept until the library has returned.
    pub(super) raised: Option<Failure>,
    /// Nobody waits for the call any more: none of them is there.
    pub(super) abandoned: bool,
    /// Asked now and then whether the call is given up.
    pub(super) gives_up: Option<&'a mut dyn FnMut() -> bool>,
}

impl<'a, 'b> Callbacks<'a, 'b> {
    pub(super) fn of(list: &'a mut [&'b mut Callback<'b>]) -> Self {
        Callbacks { list, count: 0, block: Vec::new(), raised: None, abandoned: false, gives_up: None }
    }
}

/// The answer to a call that asks for space.
#[derive(Debug)]
pub(crate) struct Space(Option<Granted>);

/// The rule that a call breaks which asks for more space again and again.
pub(super) const ASKS_ON: &str = "a call asks for space without end";

/// What became of an object that was to be released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Released {
    /// It is gone: released, or with its worker, or before.
    Gone,
    /// Nothing was sent: it is there.
    NotSent,
    /// What belongs to it is there, or what keeps it, and so is it.
    Refused,
    /// A call or a callback uses it, and it is there.
    InUse,
    /// The release has failed: the object is there if only success takes it over.
    Failed,
}

impl Released {
    fn by(head: ReplyHead) -> Released {
        match (head.state, u32::try_from(head.value).ok().and_then(Refusal::from_raw)) {
            (ReplyState::Refused, Some(Refusal::HasChildren | Refusal::Kept)) => Released::Refused,
            (ReplyState::Refused, Some(Refusal::InUse)) => Released::InUse,
            (ReplyState::LibraryError, _) => Released::Failed,
            _ => Released::Gone,
        }
    }
}

/// A call that was sent.
pub(super) struct Published {
    pub(super) id: u64,
    /// When it was, in monotonic nanoseconds.
    pub(super) now: u64,
    /// When it must have ended.
    deadline: u64,
    /// Whether it is one of those that are timed.
    is_timed: bool,
}

impl<'s> Call<'s> {
    /// Refuses a call that was given up before it is sent.
    #[inline]
    pub(super) fn is_wanted(&self) -> Result<()> {
        if !self.is_given_up() {
            return Ok(());
        }
        Err(self.turn.session.given_up(&self.context))
    }

    /// Whether its caller has given it up. A release is nobody's call: it is sent before or behind that of somebody who may
    /// give his own up, and the worker with the objects of all others is not to end for that.
    #[inline]
    fn is_given_up(&self) -> bool {
        let session = self.turn.session;
        // In this order: who is asked says so once, and of a release nobody would hear it.
        session.can_be_cancelled() && !self.releases && session.is_cancelled()
    }

    /// Publishes the call and waits for its reply.
    pub fn finish(mut self) -> Result<Reply<'s>> {
        match self.first(u64::MAX)?.0 {
            // As most calls go.
            Waited::Reply(head) if head.state == ReplyState::Returned => Reply::take(self, head),
            waited => self.finish_from(waited),
        }
    }

    #[cold]
    fn finish_from(self, waited: Waited) -> Result<Reply<'s>> {
        let mut reply = self.settle_from(waited, &mut [])?;
        reply.succeeded()?;
        Ok(reply)
    }

    /// As [`Call::finish`], for a function that leaves something behind when it fails: then there is a reply, too,
    /// and what is left is read from it before [`Reply::succeeded`] says that the call failed.
    pub fn settle(self) -> Result<Reply<'s>> {
        self.settle_with(&mut [])
    }

    /// As [`Call::finish`]. Meanwhile the library may call these, on this thread. What a callback panics with, or its
    /// error, comes out of here when the library has returned; until then no callback of the call is run any more.
    pub fn finish_with<'b>(self, callbacks: &mut [&'b mut Callback<'b>]) -> Result<Reply<'s>> {
        let mut reply = self.settle_with(callbacks)?;
        reply.succeeded()?;
        Ok(reply)
    }

    /// As [`Call::settle`], with callbacks as in [`Call::finish_with`].
    pub fn settle_with<'b>(mut self, callbacks: &mut [&'b mut Callback<'b>]) -> Result<Reply<'s>> {
        let (waited, _) = self.first(u64::MAX)?;
        self.settle_from(waited, callbacks)
    }

    /// Goes on with a call from the worker's first message.
    fn settle_from<'b>(
        mut self,
        waited: Waited,
        callbacks: &mut [&'b mut Callback<'b>],
    ) -> Result<Reply<'s>> {
        let mut callbacks = Callbacks::of(callbacks);
        let head = self.go_on(waited, &mut callbacks);
        match callbacks.raised {
            None => self.conclude(head?),
            Some(raised) => self.raise(raised, head),
        }
    }

    /// Has an object released; gives back the turn.
    pub(crate) fn release(mut self, release: Release, handle: RawHandle) -> (Turn<'s>, Released) {
        self.releases = true;
        let offset = usize::from(release.offset);
        let put = match release.image {
            0 => {
                self.put_u64(offset, handle.raw());
                Ok(())
            }
            size => {
                let mut image = Image::new(size as usize);
                image.put_u64(0, handle.raw());
                self.put_image(offset, "", &image)
            }
        };
        let mut none = Callbacks::of(&mut []);
        let released = match put.and_then(|()| self.exchange(&mut none)) {
            _ if self.turn.live.is_none() => Released::Gone,
            Ok(head) => Released::by(head),
            Err(error) if error.executed() == Executed::No => Released::NotSent,
            Err(_) => Released::Gone,
        };
        if released == Released::Gone {
            let gone = self.session().went(self.context.generation, handle);
            self.turn.passed.drop_later(gone);
        }
        (self.turn, released)
    }

    /// Publishes the call, which is passed no callbacks, and goes on with it until its final reply. When it was published, does
    /// what is to be done `meanwhile`. Comes with what went wrong in a callback that the library keeps.
    pub(super) fn exchange_alone(
        &mut self,
        meanwhile: impl FnOnce(&Call<'s>),
    ) -> (Result<ReplyHead>, Option<Failure>) {
        let mut none = Callbacks::of(&mut []);
        let first = self.first_meanwhile(u64::MAX, meanwhile);
        let head = first.and_then(|(waited, _)| self.go_on(waited, &mut none));
        (head, none.raised)
    }

    /// Publishes the call and goes on with it until its final reply.
    fn exchange(&mut self, callbacks: &mut Callbacks<'_, '_>) -> Result<ReplyHead> {
        let (waited, _) = self.first(u64::MAX)?;
        self.go_on(waited, callbacks)
    }

    /// Publishes the call and waits for the worker's first message, no longer than so many nanoseconds. Comes with when it was
    /// published, where it is one of those that are timed. Another call like this one may follow its reply.
    #[inline(always)]
    pub(super) fn first(&mut self, patience: u64) -> Result<(Waited, Option<u64>)> {
        let first = self.first_meanwhile(patience, |_| ())?;
        // Before the call is over the worker may still read them.
        if let Waited::Reply(ReplyHead { state: ReplyState::Returned | ReplyState::LibraryError, .. }) =
            first.0
        {
            let used = self.used;
            let live = self.live();
            live.lane.expect_data(used);
            live.arena.expect_data();
        }
        Ok(first)
    }

    /// As [`Call::first`]. Before it waits it does something that takes no longer than the worker does.
    #[inline(always)]
    fn first_meanwhile(
        &mut self,
        patience: u64,
        meanwhile: impl FnOnce(&Call<'s>),
    ) -> Result<(Waited, Option<u64>)> {
        let session = self.turn.session;
        self.is_wanted()?;
        let Published { id, now, deadline, is_timed } = self.publish()?;
        meanwhile(self);
        let until = session.waits_until(now, deadline).min(now.saturating_add(patience));
        let spin = session.spin();
        let lane = &mut self.live().lane;
        let waited = lane.wait(id, now, spin, until);
        lane.expect_call();
        if is_timed {
            self.time(&waited, now);
        }
        Ok((waited, is_timed.then_some(now)))
    }

    /// Notes how long the call took, if its first message is its reply.
    #[cold]
    pub(super) fn time(&self, waited: &Waited, since: u64) {
        if let Waited::Reply(ReplyHead { state: ReplyState::Returned | ReplyState::LibraryError, .. }) =
            waited
        {
            self.turn.tally.took(self.index, clock::now().saturating_sub(since));
        }
    }

    /// Publishes the call.
    #[inline(always)]
    pub(super) fn publish(&mut self) -> Result<Published> {
        let time = match self.allowed.known() {
            None => self.allowed.left(),
            Some(deadline) => {
                if self.turn.session.examines() {
                    self.examine()?;
                }
                deadline.saturating_sub(clock::now())
            }
        };
        if time == 0 {
            return Err(self.too_late());
        }
        let (session, seat) = (self.turn.session, &mut *self.turn);
        if seat.live.is_none() {
            // An argument met the worker's end, and that error was not heeded.
            return Err(self.lost(Executed::No));
        }
        // From the moment it has the call, the library may call what it is to keep.
        seat.passed.keep(session.kept());
        let (live, state) = seat.parts();
        let lane = &mut live.expect(LIVE).lane;
        let id = state.context.call_id;
        lane.publish(CallHead { function: state.index, args_length: state.used as u16, call_id: id, time });
        // From here on a look at the exact clock costs nothing: the call travels.
        let now = clock::now();
        let (function, deadline) = (state.index, state.allowed.deadline_in(now, time));
        if state.function.lets_go {
            seat.passed.may_let_go();
        }
        seat.passed.take_over();
        let is_timed = seat.tally.sent(function);
        Ok(Published { id, now, deadline, is_timed })
    }

    #[cold]
    fn too_late(&self) -> Error {
        let cause = Cause::Unavailable { reason: UnavailableReason::PoolExhausted };
        let message = format!("the deadline of {:?} passed before the call was sent", self.allowed.time());
        self.context.not_executed(ErrorKind::Unavailable, cause, message)
    }

    /// Times this call may ask for space: an honest one doubles its window.
    pub(super) fn most_grants(&self) -> u32 {
        const MOST_GRANTS: u32 = 64;
        MOST_GRANTS.saturating_add(self.entries.saturating_mul(2))
    }

    /// Does what the worker asks for until its final reply.
    pub(super) fn go_on(
        &mut self,
        mut waited: Waited,
        callbacks: &mut Callbacks<'_, '_>,
    ) -> Result<ReplyHead> {
        let most = self.most_grants();
        let (id, spin, mut deadline) = (self.context.call_id, self.session().spin(), self.allowed.deadline());
        let mut grants = 0;
        loop {
            // Before a callback: calls that are nested in it have their own.
            let stood = self.live().lane.take_standstill();
            if stood > 0 {
                deadline = self.allowed.extend(stood);
            }
            match waited {
                Waited::Reply(head) => match head.state {
                    ReplyState::NeedSpace => {
                        grants += 1;
                        if grants > most {
                            return Err(self.violation(ASKS_ON));
                        }
                        self.grant(head.value)?;
                    }
                    ReplyState::Callback => {
                        let asks = Asks::Call(deadline);
                        let answered = self.call_back(head, callbacks, asks)?;
                        debug_assert!(answered, "a thread waits for it");
                    }
                    _ => return Ok(head),
                },
                Waited::Dead => return Err(self.worker_ended(Executed::Maybe)),
                // Of this wait; of the call it is looked at below.
                Waited::DeadlinePassed => {}
                Waited::Violation(rule) => return Err(self.violation(rule)),
            }
            let now = clock::now();
            if now >= deadline {
                return self.stop(Why::Deadline, callbacks);
            }
            if self.is_given_up() || callbacks.give_up() {
                let stopped = self.stop(Why::GivenUp, callbacks);
                self.session().resume_panic();
                return stopped;
            }
            let until = callbacks.look_at(now, self.session().waits_until(now, deadline));
            waited = self.live().lane.wait(id, now, spin, until);
        }
    }

    /// Runs a callback and answers. False when it is one that runs on another thread, and a task asks, which is woken then.
    pub(super) fn call_back(
        &mut self,
        head: ReplyHead,
        callbacks: &mut Callbacks<'_, '_>,
        asks: Asks<'_>,
    ) -> Result<bool> {
        let number = head.errno;
        self.live().lane.expect_answer();
        if !self.live().calls_back {
            return Err(self.violation("a callback, which was not agreed on"));
        }
        let is_kept = u32::try_from(number).is_ok_and(|number| number >= wire::KEPT_CALLBACKS);
        let passed = self.turn.passed.callback_size(number).filter(|_| !is_kept);
        if passed.is_none() && !is_kept {
            return Err(self.violation("a callback that was not passed to this call"));
        }
        callbacks.count += 1;
        self.called_back = true;
        let most = self.session().options().max_callbacks;
        if callbacks.count > most {
            return Err(self.too_many_callbacks(most));
        }
        let session = self.session();
        let found = match is_kept {
            true => session.kept().find(number, self.context.generation, asks),
            false => Found::Gone,
        };
        let (mut kept, size) = match (found, passed) {
            (Found::Ready(Ready { run, args_size, .. }), _) => (Some(run), args_size),
            (Found::Late, _) => return Err(self.hung(Executed::Maybe)),
            (Found::Busy, _) => {
                callbacks.count -= 1;
                return Ok(false);
            }
            (Found::Gone | Found::NotByThreads, Some(size)) => (None, size),
            // The library may still have it, and may well call it: it gets the contract's default.
            (Found::Gone | Found::NotByThreads, None) => {
                self.live().lane.resume_callback(None);
                return Ok(true);
            }
            (Found::Running, _) => {
                callbacks.raised.get_or_insert_with(|| Failure::Error(self.runs_already()));
                self.live().lane.resume_callback(None);
                return Ok(true);
            }
        };
        let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        let Callbacks { list, block, raised, abandoned, .. } = callbacks;
        if *abandoned {
            let gone = kept.and_then(|run| session.kept().ran(number, run));
            self.turn.passed.drop_later(gone);
            self.live().lane.resume_callback(None);
            return Ok(true);
        }
        let answered = match (&mut kept, index.and_then(|index| list.get_mut(index))) {
            (Some(run), _) => self.run(head, size, &mut **run, block, raised),
            (None, Some(run)) => self.run(head, size, &mut **run, block, raised),
            (None, None) => Err(self.violation("a callback that was not passed to this call")),
        };
        let gone = kept.and_then(|run| session.kept().ran(number, run));
        self.turn.passed.drop_later(gone);
        answered.map(|()| true)
    }

    /// Copies the arguments of a callback, runs it, and answers.
    fn run(
        &mut self,
        head: ReplyHead,
        size: u32,
        run: &mut Callback<'_>,
        block: &mut Vec<u8>,
        raised: &mut Option<Failure>,
    ) -> Result<()> {
        if head.result_length != size {
            return Err(self.violation("the arguments of a callback have another size than was agreed on"));
        }
        block.clear();
        let fixed = usize::from(self.function.result_size);
        let Live { lane, arena, .. } = self.live();
        let found = match size {
            0 => true,
            size => lane
                .locate(arena, fixed, Place::from_raw(head.value), u64::from(size))
                .is_some_and(|found| found.append_to(block)),
        };
        if !found {
            return Err(
                self.violation("the arguments of a callback lie outside of the memory granted to its call")
            );
        }
        if raised.is_some() {
            self.live().lane.resume_callback(None);
            return Ok(());
        }
        let (limit, context) = (self.max_output(), self.context);
        let session = self.session();
        let left = self.turn.set_aside();
        let mut invocation = Invocation::new(session, context, fixed, limit, block);
        let returned = catch_unwind(AssertUnwindSafe(|| run(&mut invocation)));
        let filled = invocation.take_filled();
        let bad = invocation.end();
        let back = self.turn.take_back(left);
        let answer = match returned {
            Ok(Ok(value)) => Some(value),
            Ok(Err(error)) => {
                *raised = Some(Failure::Error(error));
                None
            }
            Err(panic) => {
                *raised = Some(Failure::Panic(panic));
                None
            }
        };
        if self.session().is_forked() {
            return Err(context.forked(Executed::Maybe));
        }
        if !back {
            return Err(self.escaped());
        }
        if self.turn.live.is_none() {
            return Err(self.ended_inside());
        }
        match bad {
            Some(Bad::Violation(rule)) => return Err(self.violation(rule)),
            Some(Bad::Lie(text)) => return Err(self.invalid_reply(text, Executed::Maybe)),
            _ => {}
        }
        let answer = match (answer, filled) {
            (Some(value), Some(data)) => match self.place_answer(value, &data)? {
                Ok(place) => Some(place.raw()),
                Err(error) => {
                    *raised = Some(Failure::Error(error));
                    None
                }
            },
            (answer, _) => answer,
        };
        self.live().lane.resume_callback(answer);
        Ok(())
    }

    /// Puts what a callback returned and has filled in where the worker finds it, until it goes on. Or why there is no room.
    fn place_answer(&mut self, value: u64, data: &[u8]) -> Result<std::result::Result<Place, Error>> {
        let (value, length) = (value.to_ne_bytes(), (data.len() as u64).to_ne_bytes());
        let parts = [&value[..], &length, data];
        let bytes = parts.iter().map(|part| part.len()).sum();
        if let Some(place) = self.live().arena.lend_in(&parts) {
            return Ok(Ok(place));
        }
        let wanted = self.live().arena.wanted(bytes);
        let no_segment = |call: &Self, NoSegment { cause, message }: NoSegment| {
            let fault = Fault { kind: ErrorKind::LimitExceeded, cause, message };
            Ok(Err(call.context.error(fault, Executed::Maybe, String::new())))
        };
        match self.add_segment_now(wanted, Seals::Request, Executed::Maybe)? {
            Ok((id, mapping)) => self.live().arena.add_request(Grant { id, mapping }),
            Err(none) => return no_segment(self, none),
        }
        match self.live().arena.lend_in(&parts) {
            Some(place) => Ok(Ok(place)),
            None => {
                let message = "what a callback filled in does not fit the segment made for it".into();
                no_segment(self, NoSegment { cause: Cause::None, message })
            }
        }
    }

    pub(super) fn conclude(mut self, head: ReplyHead) -> Result<Reply<'s>> {
        match head.state {
            ReplyState::Returned => Reply::take(self, head),
            ReplyState::LibraryError => {
                self.turn.passed.give_back(Usage::ConsumedOnSuccess);
                self.turn.tally.failed(self.index);
                let mut reply = Reply::take(self, head)?;
                reply.call.failure = Some(Failure::Error(reply.library_error(head.errno)?));
                Ok(reply)
            }
            ReplyState::Refused => Err(self.refused(head)),
            // None of these was agreed on in the hello.
            _ => Err(self.violation("a reply uses a capability that was not agreed on")),
        }
    }

    /// Ends a call whose callback failed: with the application's own failure, unless the worker broke.
    pub(super) fn raise(mut self, raised: Failure, head: Result<ReplyHead>) -> Result<Reply<'s>> {
        // What has failed for its caller is not made again.
        self.setting = None;
        match (raised, head.and_then(|head| self.conclude(head))) {
            (Failure::Panic(panic), Err(_)) => resume_unwind(panic),
            (Failure::Error(_), Err(fault)) if fault.is_fault() => Err(fault),
            (Failure::Error(error), Err(_)) => Err(error.executed_after_all()),
            (raised, Ok(mut reply)) => {
                reply.call.failure = Some(match raised {
                    Failure::Error(error) => Failure::Error(error.executed_after_all()),
                    panic => panic,
                });
                Ok(reply)
            }
        }
    }

    /// The entry that the worker says it is executing, if this is a batch.
    fn executed_entry(&mut self) -> Option<u32> {
        let lane = (self.entries > 0).then(|| &self.live().lane)?;
        Some(lane.channel().executing(lane.index()).1)
    }

    /// Answers NeedSpace. Beyond the limit, or when there is no memory, the answer is no, and the shim ends
    /// the call.
    fn grant(&mut self, needed: u64) -> Result<()> {
        if let Some(space) = self.begin_grant(needed)? {
            self.end_grant(space);
        }
        Ok(())
    }

    /// Sees to it that there is space, or refuses it. What was granted is not there for the worker yet.
    pub(super) fn begin_grant(&mut self, needed: u64) -> Result<Option<Space>> {
        self.no_segment = None;
        let entry = self.executed_entry();
        if let Some(entry) = entry {
            self.no_segments.remove(&entry);
        }
        let left = self.session().options().max_output.saturating_sub(self.granted);
        let Some(length) = usize::try_from(needed).ok().filter(|_| needed <= left) else {
            self.live().lane.resume(None);
            return Ok(None);
        };
        self.granted += needed;
        let apart = self.turn.is_one_of_several();
        let granted = match self.live().arena.regrant(length, apart) {
            Some(granted) => Some(granted),
            None => {
                let limit = usize::try_from(self.session().options().max_output).unwrap_or(usize::MAX);
                let added = match self.live().arena.next_window(length, limit) {
                    Some(wanted) => self.add_segment(wanted, Seals::Reply, Executed::Maybe)?,
                    None => Err(NoSegment::beyond(Arena::most_window_bytes(limit))),
                };
                match added {
                    Ok((id, mapping)) => {
                        let window = Window::new(id, mapping, self.session().fork());
                        Some(self.live().arena.add_window(window, apart))
                    }
                    Err(why) => {
                        if let Some(entry) = entry {
                            self.no_segments.insert(entry, why.clone());
                        }
                        self.no_segment = Some(Box::new(why));
                        None
                    }
                }
            }
        };
        Ok(Some(Space(granted)))
    }

    /// Tells the worker what it was granted, which it has mapped.
    pub(super) fn end_grant(&mut self, Space(granted): Space) {
        let lane = &mut self.live().lane;
        if let Some(Granted { place, length, .. }) = granted.filter(|granted| granted.announce) {
            lane.announce_window(place, length);
        }
        lane.resume(granted.map(|granted| (granted.place, granted.length)));
    }
}
