//! How a call ends otherwise than by returning, and what that means for the worker.

use std::sync::Arc;

use hotcell_protocol::wire::{self, Refusal};
use hotcell_protocol::{ErrorKind, Executed, LimitExceededReason, Place};
use hotcell_shm::{Mapping, ReplyHead, Seals, SegmentFile};
use hotcell_supervisor::{Ending, SegmentError, escape};

use super::Call;
use super::handle::IN_USE;
use super::passed::Usage;
use super::stop::did_not_stop;
use crate::error::{Cause, Error, Result};
use crate::fault::{self, Fault};
use crate::session::{Live, instant_of};

/// What offers a segment to the worker: its number there, or none where the worker takes no more.
pub(super) type Give<'a> = dyn FnMut(&SegmentFile) -> std::result::Result<Option<u16>, SegmentError> + 'a;

/// Why there is no segment for data of a call.
#[derive(Debug, Clone)]
pub(super) struct NoSegment {
    pub(super) cause: Cause,
    pub(super) message: String,
}

impl NoSegment {
    /// There would be more than this many bytes of results.
    pub(super) fn beyond(most: u64) -> NoSegment {
        let cause = Cause::Limit { what: LimitExceededReason::Memory, value: most };
        let message = format!(
            "memory for results would have more than {most} bytes, with what is held of earlier ones"
        );
        NoSegment { cause, message }
    }
}

impl Call<'_> {
    /// Adds a segment, or says why there is none: no more memory, no descriptor, no more room for segments.
    pub(super) fn add_segment(
        &mut self,
        length: usize,
        seals: Seals,
        executed: Executed,
    ) -> Result<std::result::Result<(u16, Mapping), NoSegment>> {
        #[cfg(feature = "tokio")]
        if self.awaited {
            return self.offer_segment(length, seals, executed);
        }
        self.add_segment_now(length, seals, executed)
    }

    /// As [`Call::add_segment`], of a segment that the worker must have at once, also where a task waits.
    pub(super) fn add_segment_now(
        &mut self,
        length: usize,
        seals: Seals,
        executed: Executed,
    ) -> Result<std::result::Result<(u16, Mapping), NoSegment>> {
        let until = instant_of(self.allowed.deadline());
        let error = match self.live().worker.add_segment(length, seals, until) {
            Ok(added) => return Ok(Ok(added)),
            Err(error) => error,
        };
        self.without_segment(error, length, executed).map(Err)
    }

    /// As [`Call::add_segment`], but does not wait until the worker has it.
    #[cfg(feature = "tokio")]
    fn offer_segment(
        &mut self,
        length: usize,
        seals: Seals,
        executed: Executed,
    ) -> Result<std::result::Result<(u16, Mapping), NoSegment>> {
        match self.live().worker.offer_segment(length, seals) {
            Ok((id, mapping, heard)) => {
                self.live().offers.add(id, heard);
                Ok(Ok((id, mapping)))
            }
            Err(error) => self.without_segment(error, length, executed).map(Err),
        }
    }

    /// Why a segment was not added, where that is not the worker's end.
    fn without_segment(
        &mut self,
        error: SegmentError,
        length: usize,
        executed: Executed,
    ) -> Result<NoSegment> {
        let (what, value, message) = match error {
            SegmentError::WorkerEnded if self.is_to_be_sent(executed) => return Err(self.ended_before()),
            SegmentError::WorkerEnded => return Err(self.worker_ended(executed)),
            SegmentError::DeadlinePassed if self.is_to_be_sent(executed) => return Err(self.hung_before()),
            SegmentError::DeadlinePassed => return Err(self.hung(executed)),
            SegmentError::TooMany => {
                let most = wire::SEGMENT_BATCH - wire::SEGMENT_FIRST_ADDED;
                let then = if self.live().arena.holds_results() {
                    "drop some of the shared results that are held"
                } else {
                    self.turn.wear_out();
                    "the next call gets another worker"
                };
                let message = format!("the worker has {most} segments already; {then}");
                (LimitExceededReason::Memory, length as u64, message)
            }
            SegmentError::NoDescriptor(errno) => {
                let message = format!("no descriptor for a segment of {length} bytes: {errno}");
                (LimitExceededReason::Fds, 0, message)
            }
            SegmentError::System(errno) => {
                let message = format!("no memory for a segment of {length} bytes: {errno}");
                (LimitExceededReason::Memory, length as u64, message)
            }
        };
        Ok(NoSegment { cause: Cause::Limit { what, value }, message })
    }

    /// Where the worker finds data that lie in a buffer of the session. `None` when it has not got them, nor can.
    pub(super) fn place_of(&mut self, data: &[u8]) -> Result<Option<Place>> {
        let Some(found) = self.session().buffers().find(data) else { return Ok(None) };
        self.offering(Seals::Request, |generation, give| found.place(generation, give))
    }

    /// Finds memory of a buffer for the worker, with what offers a segment of this kind to that where it has to have it. Not of
    /// calls in flight: what is passed to those is copied.
    pub(super) fn offering<T>(
        &mut self,
        kind: Seals,
        find: impl FnOnce(u64, &mut Give<'_>) -> std::result::Result<Option<T>, SegmentError>,
    ) -> Result<Option<T>> {
        let mut allowed = self.allowed;
        let Some(Live { worker, .. }) = &self.turn.live else { return Err(self.lost(Executed::No)) };
        let found = find(worker.generation(), &mut |file| {
            match worker.give_segment(file, kind, instant_of(allowed.deadline())) {
                Ok(id) => Ok(Some(id)),
                Err(error @ (SegmentError::WorkerEnded | SegmentError::DeadlinePassed)) => Err(error),
                // What cannot be shared can be copied, or that fails with the reason.
                Err(_) => Ok(None),
            }
        });
        self.allowed = allowed;
        match found {
            Ok(found) => Ok(found),
            Err(SegmentError::DeadlinePassed) => Err(self.hung(Executed::No)),
            Err(_) => Err(self.worker_ended(Executed::No)),
        }
    }

    /// The shim did not make the call, or has no place for its results.
    pub(super) fn refused(&mut self, head: ReplyHead) -> Error {
        self.turn.passed.give_back(Usage::Consumed);
        self.turn.passed.give_back(Usage::ConsumedOnSuccess);
        let refusal = u32::try_from(head.value).ok().and_then(Refusal::from_raw);
        let mut name = vec![0; head.result_length as usize];
        self.live().lane.copy_result(&mut name);
        let objects = self.turn.passed.has_objects();
        self.refusal(refusal, &name, objects)
    }

    /// The error for a refusal of a call, or of an entry of a batch, that is passed `objects` or none.
    pub(super) fn refusal(&mut self, refusal: Option<Refusal>, name: &[u8], objects: bool) -> Error {
        let impossible = "a refusal that this call cannot have caused";
        let Some(refusal) = refusal.filter(|&refusal| self.can_cause(refusal, objects)) else {
            return self.violation(impossible);
        };
        let name = escape(&String::from_utf8_lossy(name));
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
            Refusal::NullArgument => blamed("must not be null"),
            Refusal::ShortBuffer => blamed("is shorter than the function will read"),
            Refusal::SizeOverflow => blamed(
                "needs a size that there is not: it is negative, too large for its type, or a division by zero",
            ),
            Refusal::BadReference => blamed(
                "has no whole number of elements, no truth values, or is there already, or lies outside of its segment",
            ),
            Refusal::NotOwned => blamed("is only lent: it belongs to the library"),
            Refusal::HasChildren => blamed("cannot go while objects that were made from it are there"),
            Refusal::Kept => blamed(
                "is kept by another object, or something that belongs to it is, and cannot go before that: what is dropped is released then",
            ),
            Refusal::KeptInCircle => {
                blamed("would be kept by what must not go before it: neither would ever be released")
            }
            Refusal::InUse => blamed(IN_USE),
            Refusal::Unmet => blamed("must hold before the call, and does not"),
            Refusal::AlreadyOwned => {
                let text = "is one that this session owns already, and its contract says that it is a new one. Say \
                            `out = \"borrowed\"`; if the function counts references, clone the handle instead";
                (ErrorKind::Unsupported, Cause::None, format!("`{name}` {text}"))
            }
            Refusal::NoSpace => match self.no_segment.as_deref().cloned() {
                Some(NoSegment { cause, message }) => (ErrorKind::LimitExceeded, cause, message),
                None => (
                    ErrorKind::LimitExceeded,
                    Cause::Limit { what: LimitExceededReason::Output, value: limit },
                    format!("the results need more than the {limit} bytes a call may return"),
                ),
            },
            Refusal::NoMemory => {
                let cause = Cause::Limit { what: LimitExceededReason::Memory, value: 0 };
                (ErrorKind::LimitExceeded, cause, format!("the worker has no memory for `{name}`"))
            }
            Refusal::UnknownHandle => handle(ErrorKind::UnknownHandle, "is no handle of this worker"),
            Refusal::StaleHandle => {
                handle(ErrorKind::StaleHandle, "was released, or went with what it belonged to")
            }
            Refusal::WrongHandleType => handle(ErrorKind::WrongHandleType, "is a handle of another type"),
            Refusal::TooManyHandles => {
                let value = u64::from(self.session().options().max_objects.min(wire::MAX_HANDLES));
                let cause = Cause::Limit { what: LimitExceededReason::Handles, value };
                (ErrorKind::LimitExceeded, cause, format!("the worker holds {value} objects already"))
            }
            Refusal::BadArguments => return self.violation(impossible),
        };
        self.context.error(Fault { kind, cause, message }, Executed::Maybe, String::new())
    }

    /// Whether this call can be refused like this: of objects only those can be wrong that went in.
    fn can_cause(&self, refusal: Refusal, objects: bool) -> bool {
        match refusal {
            Refusal::UnknownHandle
            | Refusal::StaleHandle
            | Refusal::WrongHandleType
            | Refusal::NotOwned
            | Refusal::HasChildren
            | Refusal::Kept
            | Refusal::KeptInCircle
            | Refusal::InUse => objects,
            Refusal::TooManyHandles | Refusal::AlreadyOwned => self.session().has_handles(),
            _ => true,
        }
    }

    pub(super) fn violation(&mut self, rule: &str) -> Error {
        let output = self.end_worker(Some(rule), ErrorKind::ProtocolViolation);
        self.ended(fault::violation(rule), Executed::Maybe, output)
    }

    /// The library lies about its own results: its memory may be overwritten, so the worker goes.
    pub(super) fn invalid_reply(&mut self, message: &str, executed: Executed) -> Error {
        let output = self.end_worker(None, ErrorKind::InvalidReply);
        let message = message.to_owned();
        let fault = Fault { kind: ErrorKind::InvalidReply, cause: Cause::None, message };
        self.ended(fault, executed, output)
    }

    /// A library that calls back without end.
    pub(super) fn too_many_callbacks(&mut self, limit: u64) -> Error {
        let output = self.end_worker(None, ErrorKind::LimitExceeded);
        let cause = Cause::Limit { what: LimitExceededReason::Callbacks, value: limit };
        let message = format!("the library called back more than {limit} times in one call");
        let fault = Fault { kind: ErrorKind::LimitExceeded, cause, message };
        self.ended(fault, Executed::Maybe, output)
    }

    pub(super) fn hung(&mut self, executed: Executed) -> Error {
        let live = self.turn.live.as_ref().map(|live| (live.lane.index(), Arc::clone(&live.worker)));
        let (output, id) = (self.end_worker(None, ErrorKind::Hung), self.context.call_id);
        let after = self.allowed.time();
        let stack = live.as_ref().and_then(|(_, worker)| fault::stack_of(&worker.end()?));
        let why = live.and_then(|(lane, worker)| {
            // Where it has ended by then because a callback took longer, it was not the library.
            let unanswered = worker.end().and_then(|end| fault::unanswered(&end));
            unanswered.or_else(|| did_not_stop(&worker, lane, id))
        });
        let why = why.map(|text| format!(": {text}")).unwrap_or_default();
        let message = format!("no reply within {after:?}{why}");
        let fault = Fault { kind: ErrorKind::Hung, cause: Cause::Deadline { after }, message };
        self.ended(fault, executed, output).with_stack(stack)
    }

    /// The caller has given the call up.
    pub(super) fn cancelled(&mut self) -> Error {
        let live = self.turn.live.as_ref().map(|live| (live.lane.index(), Arc::clone(&live.worker)));
        live.iter().for_each(|(_, worker)| worker.is_unwanted());
        let (output, id) = (self.end_worker(None, ErrorKind::Cancelled), self.context.call_id);
        let why = live.and_then(|(lane, worker)| did_not_stop(&worker, lane, id));
        let why = why.unwrap_or_else(|| "the library would have gone on".into());
        let message = format!("the call was given up and its worker was ended: {why}");
        let fault = Fault { kind: ErrorKind::Cancelled, cause: Cause::None, message };
        self.ended(fault, Executed::Maybe, output)
    }

    pub(super) fn worker_ended(&mut self, executed: Executed) -> Error {
        let live = self.leave();
        let ended = live.as_ref().and_then(|live| Some((live, live.worker.end()?)));
        let (mut counts, mut stack) = (true, None);
        let (fault, output) = match ended {
            Some((live, end)) => {
                // A caller of another lane has given his call up.
                counts = !(live.worker.was_unwanted() && end.killed_by_host);
                let (worker, lane) = (&live.worker, live.lane.index());
                let fault = match worker.to_blame(lane, &end, &self.context) {
                    None if !counts && worker.was_drained() => fault::drained(),
                    Some(suspect) => fault::of_another(suspect, &end),
                    None => match worker.ended_before(lane, &end, &self.context) {
                        Some(function) => {
                            counts = false;
                            fault::of_unsent(function)
                        }
                        None => {
                            stack = fault::stack_of(&end);
                            fault::of_end(&end)
                        }
                    },
                };
                let external = matches!(fault.cause, Cause::Signal { external: true, .. });
                if executed != Executed::No && !external {
                    self.suspect(live, fault.kind);
                }
                (fault, live.worker.output())
            }
            None => (fault::lost(), String::new()),
        };
        if counts {
            self.session().count_fault(self.context.function, fault.kind);
        }
        self.met(fault, executed, output).with_stack(stack)
    }

    /// Whether it was not sent, and others are in flight in front of it.
    fn is_to_be_sent(&self, executed: Executed) -> bool {
        executed == Executed::No && !self.turn.is_nested() && self.turn.is_one_of_several()
    }

    /// The worker has ended while calls in front of this one were in flight, which was not sent: theirs is the fault, and the
    /// replies that have come are still theirs.
    fn ended_before(&self) -> Error {
        let ended = self.turn.live.as_ref().and_then(|live| Some((live.worker.end()?, live.worker.output())));
        let (fault, output) = ended
            .map_or_else(|| (fault::lost(), String::new()), |(end, output)| (fault::of_end(&end), output));
        self.context.error(fault, Executed::No, output)
    }

    /// A call nested in this one met the worker's end: that is this call's end too.
    pub(super) fn ended_inside(&mut self) -> Error {
        let (fault, output) = self.turn.ended.clone().unwrap_or_else(|| (fault::lost(), String::new()));
        self.context.error(fault, Executed::Maybe, output)
    }

    /// The worker has not done in time what this call needs that was not sent. It is ended, and the calls in front find that, and
    /// the replies that have come.
    fn hung_before(&mut self) -> Error {
        let after = self.allowed.time();
        let output = self.turn.live.as_ref().map_or_else(String::new, |live| {
            live.worker.blame(live.lane.index(), &self.context, ErrorKind::Hung);
            live.worker.kill();
            live.worker.output()
        });
        self.session().count_fault(self.context.function, ErrorKind::Hung);
        let message = format!("no answer within {after:?}");
        let fault = Fault { kind: ErrorKind::Hung, cause: Cause::Deadline { after }, message };
        self.context.error(fault, Executed::No, output)
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

    /// As below, and counts what was the library's fault.
    fn ended(&mut self, fault: Fault, executed: Executed, output: String) -> Error {
        if fault.kind.is_fault() {
            self.session().count_fault(self.context.function, fault.kind);
        }
        self.met(fault, executed, output)
    }

    /// The error of a call that met the worker's end. The calls that it is nested in have to be told, too.
    fn met(&mut self, fault: Fault, executed: Executed, output: String) -> Error {
        if self.turn.is_nested() {
            self.turn.ended = Some((fault.clone(), output.clone()));
        }
        let again = !self.called_back && !self.turn.is_nested();
        let until = if again { self.allowed.deadline() } else { 0 };
        self.context.error(fault, executed, output).of_call_until(until)
    }

    /// Gives the worker up. Where threads of its library may call back, nobody knows whether one has by then, or is about to: the
    /// call is not made again.
    fn leave(&mut self) -> Option<Live> {
        let live = self.turn.leave()?;
        self.called_back |= live.worker.has_listener();
        Some(live)
    }

    /// The worker ended, and the error that said so was not heeded.
    pub(super) fn lost(&self, executed: Executed) -> Error {
        self.context.error(fault::lost(), executed, String::new())
    }

    pub(super) fn max_output(&self) -> u64 {
        self.session().options().max_output
    }

    /// Kills the worker, for breaking a rule or for what became of the call, and forgets it; returns what it printed. A call
    /// of a task does not wait for its end: it has been waited for before, or nobody is held up for it.
    fn end_worker(&mut self, rule: Option<&str>, kind: ErrorKind) -> String {
        let (context, awaited) = (self.context, self.awaited);
        let Some(live) = self.leave() else { return String::new() };
        live.worker.blame(live.lane.index(), &context, kind);
        match (rule, awaited) {
            (Some(rule), false) => _ = live.worker.kill_for_violation(rule),
            (None, false) => _ = live.worker.kill(),
            (rule, true) => _ = live.worker.begin_to_end(rule.map_or(Ending::Kill, Ending::Violation)),
        }
        self.suspect(&live, kind);
        live.worker.output()
    }
}
