//! Calls that the library is told to stop, because their deadline has come or nobody wants them any more. Where it obeys, the
//! worker goes on; where it does not in time, that is ended.

use hotcell_protocol::wire::ReplyState;
use hotcell_protocol::{ErrorKind, Executed};
use hotcell_shm::{ReplyHead, Waited, clock};
use hotcell_supervisor::{Asking, CancelOutcome, Worker};

use super::Call;
use super::failed::Failure;
use super::finish::Callbacks;
use crate::error::{Cause, Error, Result};
use crate::fault::{self, Fault};
use crate::session::{Live, instant_of};

/// Why a call is to be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Deadline,
    GivenUp,
}

/// How long is waited for the call before it is looked at what became of the function that stops it, in nanoseconds.
const LOOKS: u64 = 1_000_000;

/// How often it is told again, as often as that is looked at, where there was nothing to stop: the call may not have come to the library
/// yet, or may be back from it. While the worker has not begun it, which is for its thread to be let run, that does not count.
const TELLS: u32 = 5;

/// A call that the library was told to stop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stopping {
    pub(super) lane: u32,
    /// How often it is told again.
    tells: u32,
    /// Until when it may obey, in monotonic nanoseconds.
    pub(super) until: u64,
}

impl Stopping {
    /// Until when to wait, where it is now that time.
    pub(super) fn next(&self, now: u64) -> u64 {
        self.until.min(now.saturating_add(LOOKS))
    }

    pub(super) fn is_over(&self) -> bool {
        clock::now() >= self.until
    }
}

impl Call<'_> {
    /// Has the library stop the call, and goes on with it until its reply, which has come too late: it is a failure of the call.
    /// Where the library does not obey, the worker is ended.
    pub(super) fn stop(&mut self, why: Why, callbacks: &mut Callbacks<'_, '_>) -> Result<ReplyHead> {
        match self.obeys()? {
            Some(head) => {
                callbacks.raised.get_or_insert_with(|| Failure::Error(self.stopped(why)));
                Ok(head)
            }
            None if self.ended_otherwise() => Err(self.worker_ended(Executed::Maybe)),
            None if why == Why::Deadline => Err(self.hung(Executed::Maybe)),
            None => Err(self.cancelled()),
        }
    }

    /// The reply of a call that the library has stopped when it was told to.
    pub(super) fn obeys(&mut self) -> Result<Option<ReplyHead>> {
        let Some(mut stopping) = self.begin_to_stop() else { return Ok(None) };
        let (id, spin) = (self.context.call_id, self.session().spin());
        loop {
            // Before the look at the call, which may have ended by itself.
            let over = self.cannot_be_stopped(&mut stopping);
            let now = clock::now();
            let until = if over { now } else { stopping.next(now) };
            let waited = self.live().lane.wait(id, now, spin, until);
            if let Some(head) = self.hear_stopping(waited)? {
                let outcome = self.live().worker.wait_cancelled(stopping.lane, instant_of(stopping.until));
                return Ok(outcome.map(|_| head));
            }
            let stood = self.live().lane.take_standstill();
            stopping.until = stopping.until.saturating_add(self.allowed.not_counted(stood));
            if over || waited == Waited::Dead || stopping.is_over() {
                return Ok(None);
            }
        }
    }

    /// Tells the library to stop the call. `None` where it cannot be told. A batch is many calls.
    pub(super) fn begin_to_stop(&mut self) -> Option<Stopping> {
        let id = self.context.call_id;
        let Live { lane, worker, .. } = self.turn.live.as_ref()?;
        let lane = lane.index();
        let told = self.entries == 0 && worker.begin_cancel(lane, id) == Asking::Asked;
        let grace = self.session().options().cancel_grace;
        let grace = u64::try_from(grace.as_nanos()).unwrap_or(u64::MAX);
        told.then(|| Stopping { lane, tells: TELLS, until: clock::now().saturating_add(grace) })
    }

    /// Whether nothing is there that could stop the call. Where it was not in the library, that is told again for a while; where it was
    /// not even begun, until it is, or the time is over.
    pub(super) fn cannot_be_stopped(&self, stopping: &mut Stopping) -> bool {
        let Some(live) = &self.turn.live else { return true };
        match live.worker.cancelled(stopping.lane) {
            Some(CancelOutcome::NotUnderWay) => {
                let (begun, _) = live.worker.channel().executing(stopping.lane);
                if begun == self.context.call_id {
                    let Some(tells) = stopping.tells.checked_sub(1) else { return true };
                    stopping.tells = tells;
                }
                live.worker.begin_cancel(stopping.lane, self.context.call_id) != Asking::Asked
            }
            Some(CancelOutcome::NoThread) => true,
            Some(CancelOutcome::Called) | None => false,
        }
    }

    /// Whether the worker, which was to stop the call, has ended otherwise than in the function for that: in this call or another, or
    /// because somebody has ended it.
    pub(super) fn ended_otherwise(&self) -> bool {
        let Some(live) = &self.turn.live else { return false };
        live.worker.end().is_some_and(|end| {
            let of_code = !matches!(fault::of_end(&end).cause, Cause::Signal { external: true, .. });
            let in_function = live.worker.cancelled(live.lane.index()).is_none()
                && live.worker.was_asked(live.lane.index(), self.context.call_id)
                && live.worker.may_have_ended_stopping(live.lane.index());
            // A callback that nobody answered is the end of a call that took too long.
            fault::unanswered(&end).is_none() && (end.killed_by_host || !of_code || !in_function)
        })
    }

    /// Whether the function that was to stop the call has not returned by that time, though the call has ended.
    #[cfg(feature = "tokio")]
    pub(super) fn is_still_being_stopped(&self, until: u64) -> bool {
        self.turn.live.as_ref().is_some_and(|live| {
            let lane = live.lane.index();
            live.worker.was_asked(lane, self.context.call_id)
                && live.worker.wait_cancelled(lane, instant_of(until)).is_none()
        })
    }

    /// Takes a message of a call that is to be stopped: the final reply, or what it asks for, which it does not get.
    pub(super) fn hear_stopping(&mut self, waited: Waited) -> Result<Option<ReplyHead>> {
        let head = match waited {
            Waited::Reply(head) => head,
            Waited::Violation(rule) => return Err(self.violation(rule)),
            Waited::Dead | Waited::DeadlinePassed => return Ok(None),
        };
        match head.state {
            ReplyState::NeedSpace => {
                self.no_segment = None;
                self.live().lane.resume(None);
            }
            ReplyState::Callback if !self.live().calls_back => {
                return Err(self.violation("a callback, which was not agreed on"));
            }
            ReplyState::Callback => {
                self.called_back = true;
                let lane = &mut self.live().lane;
                lane.expect_answer();
                lane.resume_callback(None);
            }
            _ => return Ok(Some(head)),
        }
        Ok(None)
    }

    /// The failure of a call that the library has stopped, or that has ended by itself before that.
    pub(super) fn stopped(&self, why: Why) -> Error {
        let by_itself =
            self.turn.live.as_ref().is_some_and(|live| {
                live.worker.cancelled(live.lane.index()) == Some(CancelOutcome::NotUnderWay)
            });
        let how = if by_itself { "it ended by itself then" } else { "the library stopped it" };
        let fault = match why {
            Why::Deadline => {
                let after = self.allowed.time();
                let message = format!("no reply within {after:?}; {how}");
                Fault { kind: ErrorKind::DeadlineExceeded, cause: Cause::Deadline { after }, message }
            }
            Why::GivenUp => {
                let message = format!("the call was given up; {how}");
                Fault { kind: ErrorKind::Cancelled, cause: Cause::None, message }
            }
        };
        self.context.error(fault, Executed::Maybe, String::new())
    }
}

/// What became of a call that the library was told to stop and did not, in words; `None` where it could not be told.
pub(super) fn did_not_stop(worker: &Worker, lane: u32, call_id: u64) -> Option<String> {
    if !worker.was_asked(lane, call_id) {
        return None;
    }
    let ended = worker.end().filter(|end| !end.killed_by_host);
    match (worker.cancelled(lane), ended) {
        (Some(CancelOutcome::NotUnderWay), _) => None,
        (_, Some(end)) => {
            Some(format!("what was to stop it ended the worker: {}", fault::of_end(&end).message))
        }
        (None, None) => Some("what was to stop it has not returned".into()),
        (Some(CancelOutcome::Called), None) => Some("the library was told to stop it, and went on".into()),
        (Some(CancelOutcome::NoThread), None) => Some("there was no thread to stop it on".into()),
    }
}
