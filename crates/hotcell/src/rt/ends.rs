//! How a call ends otherwise than by returning, and what that means for the worker.

use hotcell_protocol::wire::{self, Refusal};
use hotcell_protocol::{ErrorKind, Executed, LimitExceededReason};
use hotcell_shm::{Mapping, ReplyHead, Seals};
use hotcell_supervisor::{SegmentError, escape};

use super::Call;
use super::passed::Usage;
use crate::error::{Cause, Error, Result};
use crate::fault::{self, Fault};
use crate::session::instant_of;

impl Call<'_> {
    /// Adds a segment; `None` when there is no more memory or no more room for segments.
    pub(super) fn add_segment(
        &mut self,
        length: usize,
        seals: Seals,
        executed: Executed,
    ) -> Result<Option<(u16, Mapping)>> {
        let until = instant_of(self.allowed.deadline);
        match self.live().worker.add_segment(length, seals, until) {
            Ok(added) => Ok(Some(added)),
            Err(SegmentError::TooMany) => {
                self.turn.wear_out();
                Ok(None)
            }
            Err(SegmentError::System(_)) => Ok(None),
            Err(SegmentError::WorkerEnded) => Err(self.worker_ended(executed)),
            Err(SegmentError::DeadlinePassed) => Err(self.hung(executed)),
        }
    }

    /// The shim did not make the call, or has no place for its results.
    pub(super) fn refused(&mut self, head: ReplyHead) -> Error {
        self.turn.passed.give_back(Usage::Consumed);
        self.turn.passed.give_back(Usage::ConsumedOnSuccess);
        let refusal = u32::try_from(head.value).ok().and_then(Refusal::from_raw);
        let mut name = vec![0; head.result_length as usize];
        self.live().lane.copy_result(&mut name);
        let name = escape(&String::from_utf8_lossy(&name));
        let limit = self.max_output();
        let blamed = |text: &str| {
            let cause = Cause::Argument { name: name.clone() };
            (ErrorKind::InvalidArgument, cause, format!("`{name}` {text}"))
        };
        let generation = self.context.generation;
        let handle = |kind, text: &str| {
            let (given, wanted) = (None, None);
            let cause = Cause::Handle {
                argument: name.clone(),
                given,
                wanted,
                made: generation,
                serving: generation,
            };
            (kind, cause, format!("`{name}` {text}"))
        };
        let (kind, cause, message) = match refusal {
            Some(Refusal::NullArgument) => blamed("must not be null"),
            Some(Refusal::ShortBuffer) => blamed("is shorter than the function will read"),
            Some(Refusal::SizeOverflow) => blamed("needs a size that does not fit its type"),
            Some(Refusal::BadReference) => blamed(
                "has no whole number of elements, no truth values, or is there already, or lies outside of its segment",
            ),
            Some(Refusal::NotOwned) => blamed("is only lent: it belongs to the library"),
            Some(Refusal::HasChildren) => blamed("cannot go while objects that were made from it are there"),
            Some(Refusal::NoSpace) => (
                ErrorKind::LimitExceeded,
                Cause::Limit { what: LimitExceededReason::Output, value: limit },
                format!("the results need more than the {limit} bytes a call may return"),
            ),
            Some(Refusal::UnknownHandle) => handle(ErrorKind::UnknownHandle, "is no handle of this worker"),
            Some(Refusal::StaleHandle) => {
                handle(ErrorKind::StaleHandle, "was released, or went with what it belonged to")
            }
            Some(Refusal::WrongHandleType) => {
                handle(ErrorKind::WrongHandleType, "is a handle of another type")
            }
            Some(Refusal::TooManyHandles) => {
                let value = u64::from(wire::MAX_HANDLES);
                let cause = Cause::Limit { what: LimitExceededReason::Handles, value };
                (ErrorKind::LimitExceeded, cause, format!("the worker holds {value} objects already"))
            }
            Some(Refusal::BadArguments) | None => {
                return self.violation("a refusal that this session cannot have caused");
            }
        };
        self.context.error(Fault { kind, cause, message }, Executed::Maybe, String::new())
    }

    pub(super) fn violation(&mut self, rule: &str) -> Error {
        let output = match self.turn.leave() {
            Some(live) => {
                live.worker.kill_for_violation(rule);
                live.worker.output()
            }
            None => String::new(),
        };
        self.ended(fault::violation(rule), Executed::Maybe, output)
    }

    /// The library lies about its own results: its memory may be overwritten, so the worker goes.
    pub(super) fn invalid_reply(&mut self, message: &str, executed: Executed) -> Error {
        let output = self.lose_worker();
        let message = message.to_owned();
        let fault = Fault { kind: ErrorKind::InvalidReply, cause: Cause::None, message };
        self.ended(fault, executed, output)
    }

    /// A library that calls back without end.
    pub(super) fn too_many_callbacks(&mut self, limit: u64) -> Error {
        let output = self.lose_worker();
        let cause = Cause::Limit { what: LimitExceededReason::Callbacks, value: limit };
        let message = format!("the library called back more than {limit} times in one call");
        let fault = Fault { kind: ErrorKind::LimitExceeded, cause, message };
        self.ended(fault, Executed::Maybe, output)
    }

    pub(super) fn hung(&mut self, executed: Executed) -> Error {
        let output = self.lose_worker();
        let after = self.allowed.time;
        let message = format!("no reply within {after:?}");
        let fault = Fault { kind: ErrorKind::Hung, cause: Cause::Deadline { after }, message };
        self.ended(fault, executed, output)
    }

    pub(super) fn worker_ended(&mut self, executed: Executed) -> Error {
        let live = self.turn.leave();
        let ended = live.as_ref().and_then(|live| live.worker.end().map(|end| (end, live.worker.output())));
        let (fault, output) = match ended {
            Some((end, output)) => (fault::of_end(&end), output),
            None => (fault::lost(), String::new()),
        };
        self.ended(fault, executed, output)
    }

    /// A call nested in this one met the worker's end: that is this call's end too.
    pub(super) fn ended_inside(&mut self) -> Error {
        let (fault, output) = self.turn.ended.clone().unwrap_or_else(|| (fault::lost(), String::new()));
        self.context.error(fault, Executed::Maybe, output)
    }

    /// A callback has returned without the call that it made, which has the worker.
    pub(super) fn escaped(&self) -> Error {
        let message = "a callback left a call of its session unfinished; the worker is given up".into();
        let fault = Fault { kind: ErrorKind::CallbackFailed, cause: Cause::None, message };
        self.context.error(fault, Executed::Maybe, String::new())
    }

    /// A kept callback that the library calls while it runs, in a call that it has made.
    pub(super) fn runs_already(&self) -> Error {
        let message = "a callback that the library keeps was called inside of itself".into();
        let fault = Fault { kind: ErrorKind::CallbackFailed, cause: Cause::None, message };
        self.context.error(fault, Executed::Maybe, String::new())
    }

    /// The error of a call that met the worker's end. The calls that it is nested in have to be told, too.
    fn ended(&mut self, fault: Fault, executed: Executed, output: String) -> Error {
        if self.turn.is_nested() {
            self.turn.ended = Some((fault.clone(), output.clone()));
        }
        self.context.error(fault, executed, output)
    }

    /// The worker ended, and the error that said so was not heeded.
    pub(super) fn lost(&self, executed: Executed) -> Error {
        self.context.error(fault::lost(), executed, String::new())
    }

    pub(super) fn max_output(&self) -> u64 {
        self.session.options().max_output
    }

    /// Kills the worker and forgets it; returns what it printed.
    fn lose_worker(&mut self) -> String {
        self.turn.leave().map_or_else(String::new, |live| {
            live.worker.kill();
            live.worker.output()
        })
    }
}
