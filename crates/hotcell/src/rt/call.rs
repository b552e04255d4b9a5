//! A call being made: arguments in, published, waited for.

use hotcell_protocol::wire::{self, Refusal, ReplyState, reference};
use hotcell_protocol::{ErrorKind, Executed, LimitExceededReason, Place, UnavailableReason};
use hotcell_shm::{CallHead, Grant, ReplyHead, Seals, Waited, Window, clock};
use hotcell_supervisor::{SegmentError, escape};
use parking_lot::MutexGuard;

use super::{Element, Function, Kind, Reply};
use crate::error::{Cause, Error, Result};
use crate::fault::{self, Fault};
use crate::session::{Allowed, Context, Live, Seat, Session, instant_of};

/// A call whose arguments are being written. It holds the session's worker until it is finished or dropped.
#[derive(Debug)]
pub struct Call<'s> {
    session: &'s Session,
    pub(super) seat: MutexGuard<'s, Seat>,
    pub(super) context: Context,
    index: u16,
    pub(super) function: &'static Function,
    allowed: Allowed,
    /// Bytes of the argument block in use, data behind the fixed part included.
    used: usize,
    /// Bytes of data passed so far.
    input: u64,
    /// Bytes of reply space granted so far.
    granted: u64,
}

macro_rules! put {
    ($($name:ident: $t:ty),*) => { $(
        /// Writes a number at an offset of the argument block.
        #[inline]
        pub fn $name(&mut self, offset: usize, value: $t) {
            if let Some(live) = &self.seat.live {
                live.lane.put(offset, value);
            }
        }
    )* };
}

impl<'s> Call<'s> {
    pub(crate) fn open(
        session: &'s Session,
        mut seat: MutexGuard<'s, Seat>,
        context: Context,
        index: u16,
        function: &'static Function,
        allowed: Allowed,
    ) -> Call<'s> {
        if let Some(live) = &mut seat.live {
            live.lane.open_call();
            live.arena.reset();
        }
        seat.mark_holder(true);
        let used = usize::from(function.args_size);
        let (input, granted) = (0, 0);
        Call { session, seat, context, index, function, allowed, used, input, granted }
    }

    put!(put_u8: u8, put_u16: u16, put_u32: u32, put_u64: u64, put_i8: i8, put_i16: i16, put_i32: i32);
    put!(put_i64: i64, put_f32: f32, put_f64: f64);

    /// Writes a null reference.
    #[inline]
    pub fn put_null(&mut self, offset: usize) {
        self.put_reference(offset, Place::NULL, 0);
    }

    /// Copies data in and writes a reference to it.
    #[inline]
    pub fn put_buffer(&mut self, offset: usize, name: &str, data: &[u8]) -> Result<()> {
        self.put_data(offset, name, data, 0)
    }

    /// Copies numbers in and writes a reference to them.
    pub fn put_elements<T: Element>(&mut self, offset: usize, name: &str, elements: &[T]) -> Result<()> {
        let mut bytes = Vec::with_capacity(size_of_val(elements));
        elements.iter().for_each(|element| element.write(&mut bytes));
        self.put_data(offset, name, &bytes, 0)
    }

    /// Copies a text in, with a NUL behind it, and writes a reference to it.
    pub fn put_text(&mut self, offset: usize, name: &str, text: &str) -> Result<()> {
        self.put_text_bytes(offset, name, text.as_bytes())
    }

    /// As [`Call::put_text`], for a text that need not be UTF-8.
    pub fn put_text_bytes(&mut self, offset: usize, name: &str, text: &[u8]) -> Result<()> {
        if let Some(position) = text.iter().position(|&byte| byte == 0) {
            let message = format!("`{name}` has a NUL at byte {position}; C would end the text there");
            return Err(self.invalid_argument(name, message));
        }
        self.put_data(offset, name, text, 1)
    }

    /// An error that says that an argument cannot be passed. Nothing was published.
    pub fn invalid_argument(&self, name: &str, message: String) -> Error {
        let cause = Cause::Argument { name: name.to_owned() };
        self.context.not_executed(ErrorKind::InvalidArgument, cause, message)
    }

    /// An error that says that a text is not in the encoding the contract declares. Nothing was published.
    #[cfg(feature = "dynamic")]
    pub(crate) fn bad_encoding(&self, name: &str) -> Error {
        let cause = Cause::Argument { name: name.to_owned() };
        self.context.not_executed(ErrorKind::BadEncoding, cause, format!("`{name}` is not UTF-8"))
    }

    /// Publishes the call and waits for its reply.
    pub fn finish(mut self) -> Result<Reply<'s>> {
        /// Times one call may ask for space: an honest one doubles its window.
        const MOST_GRANTS: u32 = 64;
        let (id, deadline) = (self.context.call_id, self.allowed.deadline);
        let head = CallHead { function: self.index, args_length: self.used as u16, call_id: id, deadline };
        let mut now = clock::now();
        if now >= deadline {
            let cause = Cause::Unavailable { reason: UnavailableReason::PoolExhausted };
            let message = format!("the deadline of {:?} passed before the call was sent", self.allowed.time);
            return Err(self.context.not_executed(ErrorKind::Unavailable, cause, message));
        }
        let Some(live) = &mut self.seat.live else {
            // An argument met the worker's end, and that error was not heeded.
            return Err(self.context.error(lost(), Executed::No, String::new()));
        };
        live.lane.publish(head);
        let spin = u64::try_from(self.session.options().spin.as_nanos()).unwrap_or(u64::MAX);
        let mut grants = 0;
        loop {
            match self.live().lane.wait(id, now, spin, deadline) {
                Waited::Reply(head) if head.state == ReplyState::NeedSpace => {
                    grants += 1;
                    now = clock::now();
                    if now >= deadline {
                        return Err(self.hung(Executed::Maybe));
                    }
                    if grants > MOST_GRANTS {
                        return Err(self.violation("a call asks for space without end"));
                    }
                    self.grant(head.value)?;
                }
                Waited::Reply(head) => return self.conclude(head),
                Waited::Dead => return Err(self.worker_ended(Executed::Maybe)),
                Waited::DeadlinePassed => return Err(self.hung(Executed::Maybe)),
                Waited::Violation(rule) => return Err(self.violation(rule)),
            }
        }
    }

    fn put_data(&mut self, offset: usize, name: &str, data: &[u8], tail: usize) -> Result<()> {
        let place = self.place_data(name, data, tail)?;
        self.put_reference(offset, place, data.len() as u64);
        Ok(())
    }

    /// Small data goes behind the fixed arguments, into the same cache lines; the rest into the arena.
    fn place_data(&mut self, name: &str, data: &[u8], tail: usize) -> Result<Place> {
        let limit = self.session.options().max_input;
        self.input = self.input.saturating_add(data.len() as u64);
        if self.input > limit {
            let cause = Cause::Limit { what: LimitExceededReason::Memory, value: limit };
            let message = format!("with `{name}` the call passes {} bytes; {limit} are allowed", self.input);
            return Err(self.context.not_executed(ErrorKind::LimitExceeded, cause, message));
        }
        if self.seat.live.is_none() {
            return Err(self.context.error(lost(), Executed::No, String::new()));
        }
        let start = self.used.next_multiple_of(8);
        if start + data.len() + tail <= wire::MAX_ARGS {
            let lane = &self.live().lane;
            lane.put_bytes(start, data, tail);
            let place = lane.args_place(start);
            self.used = start + data.len() + tail;
            return Ok(place);
        }
        if let Some(place) = self.live().arena.copy_in(data, tail) {
            return Ok(place);
        }
        let wanted = self.live().arena.wanted(data.len() + tail);
        let Some((id, mapping)) = self.add_segment(wanted, Seals::Request, Executed::No)? else {
            let cause = Cause::Limit { what: LimitExceededReason::Memory, value: wanted as u64 };
            let message = format!("no memory for a segment of {wanted} bytes");
            return Err(self.context.not_executed(ErrorKind::LimitExceeded, cause, message));
        };
        let arena = &mut self.live().arena;
        arena.add_request(Grant { id, mapping });
        arena.copy_in(data, tail).ok_or_else(|| {
            let message = format!("`{name}` does not fit the segment made for it");
            self.context.not_executed(ErrorKind::LimitExceeded, Cause::None, message)
        })
    }

    #[inline]
    fn put_reference(&mut self, offset: usize, place: Place, length: u64) {
        self.put_u64(offset + reference::PLACE, place.raw());
        self.put_u64(offset + reference::LENGTH, length);
    }

    /// Answers NeedSpace. Beyond the limit, or when there is no memory, the answer is no, and the shim ends
    /// the call.
    fn grant(&mut self, needed: u64) -> Result<()> {
        let left = self.session.options().max_output.saturating_sub(self.granted);
        let Some(length) = usize::try_from(needed).ok().filter(|_| needed <= left) else {
            self.live().lane.resume(None);
            return Ok(());
        };
        self.granted += needed;
        let Live { lane, arena, .. } = self.live();
        if let Some(window) = arena.regrant(length) {
            lane.resume(Some((window.place(), window.mapping.length() as u64)));
            return Ok(());
        }
        let limit = usize::try_from(self.session.options().max_output).unwrap_or(usize::MAX);
        let wanted = self.live().arena.wanted_window(length).min(limit).max(length);
        let Some((id, mapping)) = self.add_segment(wanted, Seals::Reply, Executed::Maybe)? else {
            self.live().lane.resume(None);
            return Ok(());
        };
        let Live { lane, arena, .. } = self.live();
        let window = Window { id, mapping };
        let granted = (window.place(), window.mapping.length() as u64);
        if arena.add_window(window) {
            lane.announce_window(granted.0, granted.1);
        }
        lane.resume(Some(granted));
        Ok(())
    }

    /// Adds a segment; `None` when there is no more memory or no more room for segments.
    fn add_segment(
        &mut self,
        length: usize,
        seals: Seals,
        executed: Executed,
    ) -> Result<Option<(u16, hotcell_shm::Mapping)>> {
        let until = instant_of(self.allowed.deadline);
        match self.live().worker.add_segment(length, seals, until) {
            Ok(added) => Ok(Some(added)),
            Err(SegmentError::TooMany) => {
                self.seat.wear_out();
                Ok(None)
            }
            Err(SegmentError::System(_)) => Ok(None),
            Err(SegmentError::WorkerEnded) => Err(self.worker_ended(executed)),
            Err(SegmentError::DeadlinePassed) => Err(self.hung(executed)),
        }
    }

    fn conclude(mut self, head: ReplyHead) -> Result<Reply<'s>> {
        match head.state {
            ReplyState::Returned => Reply::take(self, head),
            ReplyState::LibraryError => Err(Reply::take(self, head)?.library_error(head.errno)),
            ReplyState::Refused => Err(self.refused(head)),
            // None of these was agreed on in the hello.
            _ => Err(self.violation("a reply uses a capability that was not agreed on")),
        }
    }

    fn refused(mut self, head: ReplyHead) -> Error {
        let refusal = u32::try_from(head.value).ok().and_then(Refusal::from_raw);
        let mut name = vec![0; head.result_length as usize];
        self.live().lane.copy_result(&mut name);
        let name = escape(&String::from_utf8_lossy(&name));
        let limit = self.session.options().max_output;
        let blamed = |text: &str| {
            let cause = Cause::Argument { name: name.clone() };
            (ErrorKind::InvalidArgument, cause, format!("`{name}` {text}"))
        };
        let (kind, cause, message) = match refusal {
            Some(Refusal::NullArgument) => blamed("must not be null"),
            Some(Refusal::ShortBuffer) => blamed("is shorter than the function will read"),
            Some(Refusal::SizeOverflow) => blamed("needs a size that does not fit its type"),
            Some(Refusal::BadReference) => {
                blamed("has no whole number of elements, or does not lie in its segment")
            }
            Some(Refusal::NoSpace) => (
                ErrorKind::LimitExceeded,
                Cause::Limit { what: LimitExceededReason::Output, value: limit },
                format!("the results need more than the {limit} bytes a call may return"),
            ),
            _ => return self.violation("a refusal that this session cannot have caused"),
        };
        self.context.error(Fault { kind, cause, message }, Executed::Maybe, String::new())
    }

    pub(super) fn violation(&mut self, rule: &str) -> Error {
        let output = match self.seat.leave() {
            Some(live) => {
                live.worker.kill_for_violation(rule);
                live.worker.output()
            }
            None => String::new(),
        };
        self.context.error(fault::violation(rule), Executed::Maybe, output)
    }

    /// The library lies about its own results: its memory may be overwritten, so the worker goes.
    pub(super) fn invalid_reply(&mut self, message: &str) -> Error {
        let output = self.lose_worker();
        let message = message.to_owned();
        let fault = Fault { kind: ErrorKind::InvalidReply, cause: Cause::None, message };
        self.context.error(fault, Executed::Yes, output)
    }

    /// The results are more than this host will hold; the worker is well.
    pub(super) fn too_much_output(&self, limit: u64) -> Error {
        let cause = Cause::Limit { what: LimitExceededReason::Output, value: limit };
        let message = format!("the results have more than the {limit} bytes a call may return");
        let fault = Fault { kind: ErrorKind::LimitExceeded, cause, message };
        self.context.error(fault, Executed::Yes, String::new())
    }

    pub(super) fn max_output(&self) -> u64 {
        self.session.options().max_output
    }

    fn hung(&mut self, executed: Executed) -> Error {
        let output = self.lose_worker();
        let after = self.allowed.time;
        let message = format!("no reply within {after:?}");
        let fault = Fault { kind: ErrorKind::Hung, cause: Cause::Deadline { after }, message };
        self.context.error(fault, executed, output)
    }

    fn worker_ended(&mut self, executed: Executed) -> Error {
        let live = self.seat.leave();
        let ended = live.as_ref().and_then(|live| live.worker.end().map(|end| (end, live.worker.output())));
        let (fault, output) = match ended {
            Some((end, output)) => (fault::of_end(&end), output),
            None => (lost(), String::new()),
        };
        self.context.error(fault, executed, output)
    }

    /// Kills the worker and forgets it; returns what it printed.
    fn lose_worker(&mut self) -> String {
        self.seat.leave().map_or_else(String::new, |live| {
            live.worker.kill();
            live.worker.output()
        })
    }

    #[inline]
    pub(super) fn live(&mut self) -> &mut Live {
        self.seat.live.as_mut().expect("a call holds a seated worker until its error is made")
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.seat.mark_holder(false);
    }
}

pub(super) fn lost() -> Fault {
    let message = "the worker ended without a trace".to_owned();
    Fault { kind: ErrorKind::WorkerLost, cause: Cause::None, message }
}

impl Kind {
    /// A number as the code of a library error.
    pub(super) fn code(self, bytes: &[u8]) -> i64 {
        match self {
            Kind::U8 => i64::from(u8::read(bytes)),
            Kind::U16 => i64::from(u16::read(bytes)),
            Kind::U32 => i64::from(u32::read(bytes)),
            Kind::U64 => u64::read(bytes) as i64,
            Kind::I8 => i64::from(i8::read(bytes)),
            Kind::I16 => i64::from(i16::read(bytes)),
            Kind::I32 => i64::from(i32::read(bytes)),
            Kind::I64 => i64::read(bytes),
            Kind::F32 => f32::read(bytes) as i64,
            Kind::F64 => f64::read(bytes) as i64,
            Kind::Reference => 0,
        }
    }

    pub(super) fn size(self) -> usize {
        match self {
            Kind::U8 | Kind::I8 => 1,
            Kind::U16 | Kind::I16 => 2,
            Kind::U32 | Kind::I32 | Kind::F32 => 4,
            Kind::U64 | Kind::I64 | Kind::F64 => 8,
            Kind::Reference => 16,
        }
    }
}
