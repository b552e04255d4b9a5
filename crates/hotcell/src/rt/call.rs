//! A call being made: its arguments.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{Arc, Weak};

use hotcell_protocol::wire;
use hotcell_protocol::{ErrorKind, Executed, LimitExceededReason, Place, RawHandle};
use hotcell_shm::{Grant, Granted, Lent, NEAR_RESULT, Seals, bytes_of};

#[cfg(feature = "tokio")]
use super::Done;
use super::arguments::arguments;
use super::ends::NoSegment;
use super::failed::Failure;
use super::handle::{Object, Unfit};
use super::passed::Usage;
use super::pool::Pool;
use super::reading::Reference;
use super::references::References;
use super::restore::Restorable;
use super::{Element, Function, Handle, Image, KeptCallback, OutputKind, Repeated};
use crate::error::{Cause, Error, Result};
use crate::session::{Allowed, Context, Entry, Inside, Live, Session, Turn};
#[cfg(feature = "tokio")]
use hotcell_shm::ReplyHead;

/// A call whose arguments are being written. It holds the session's worker until it is finished or dropped.
///
/// It is no more than whose turn it is: a call and its reply are values that are moved, and what is known of them stays
/// where it is. Both stay on their thread:
///
/// ```compile_fail,E0277
/// fn goes_to_other_threads<T: Send>() {}
/// goes_to_other_threads::<hotcell::rt::Call<'static>>();
/// ```
///
/// ```compile_fail,E0277
/// fn goes_to_other_threads<T: Send>() {}
/// goes_to_other_threads::<hotcell::rt::Reply<'static>>();
/// ```
#[derive(Debug)]
pub struct Call<'s> {
    pub(super) turn: Turn<'s>,
}

/// What is known of a call and of its reply. Calls of a session use the same memory, one after the other.
#[derive(Debug)]
pub struct State {
    pub(crate) context: Context,
    pub(super) index: u16,
    pub(super) function: &'static Function,
    pub(crate) allowed: Allowed,
    /// The call that it is nested in, if any.
    pub(crate) inside: Option<Box<Inside>>,
    /// Bytes of the argument block in use, data behind the fixed part included.
    pub(super) used: usize,
    /// Bytes of data passed so far.
    pub(super) input: u64,
    /// Bytes of reply space granted so far.
    pub(super) granted: u64,
    /// Entries, where it is a batch.
    pub(super) entries: u32,
    /// Why the last request for space was not granted, when that was for want of a segment.
    pub(super) no_segment: Option<Box<NoSegment>>,
    /// The same of the last request of each entry of a batch, by the entry that the worker said it was executing.
    pub(super) no_segments: BTreeMap<u32, NoSegment>,
    /// What is lent to the library: it stays as it is until the call is over.
    pub(super) lent: Vec<Lent>,
    /// Where in what goes in are references.
    pub(super) references: References,
    /// It releases an object that nobody holds: it has no input.
    pub(super) releases: bool,
    /// Where in the argument block data go that a failed call may give a place in, and their bytes.
    pub(super) lengths: Vec<(u16, u64)>,
    /// The fixed results, where they are short, and where they are not.
    pub(super) small: [u8; SMALL],
    pub(super) large: Vec<u8>,
    /// Bytes of the result block in the slot that are no data.
    pub(super) fixed: usize,
    /// Bytes of data handed out so far.
    pub(super) copied: u64,
    /// Of a batch: what was copied of its reply memory at once.
    pub(super) pool: Pool,
    /// Which of the function's owned objects were taken out, one bit each.
    pub(super) taken: u64,
    /// The object that the call configures, where that is kept, and how.
    pub(super) setting: Option<(Weak<Object>, &'static Repeated)>,
    /// Why the call is no success.
    pub(super) failure: Option<Failure>,
    /// It is one of a pipeline, which is answered when others were sent.
    pub(super) piped: bool,
    /// It is a task's: nothing may wait, and nothing that is the caller's may be lent to the worker.
    pub(super) awaited: bool,
    /// It is a task's, was sent, and has not ended: the library may be at work.
    pub(super) under_way: bool,
    /// The library has called back during it, or may have on a thread of its own: it is not to be made again.
    pub(super) called_back: bool,
    /// The final reply, where it is a task's that waits for something else yet.
    #[cfg(feature = "tokio")]
    pub(super) replied: Option<ReplyHead>,
    /// The batch that it is, where it is a task's.
    #[cfg(feature = "tokio")]
    pub(super) batch: Option<Box<Done>>,
}

/// Why a call has a worker.
pub(super) const LIVE: &str = "a call holds a seated worker until its error is made";

/// Fixed result blocks up to this many bytes lie beside what else is known of a call.
pub(super) const SMALL: usize = 64;

/// Stands for the function of a session that has made no call.
static NONE: Function = Function {
    name: "",
    args_size: 0,
    result_size: 0,
    deadline_ms: 0,
    idempotent: false,
    inputs: &[],
    lets_go: false,
    returned: None,
    code: None,
    message: None,
    symbols: &[],
    owned: &[],
    outputs: &[],
};

impl State {
    /// Of no call yet.
    pub(crate) fn new(context: Context) -> Box<State> {
        Box::new(State {
            context,
            index: 0,
            function: &NONE,
            allowed: Allowed::default(),
            inside: None,
            used: 0,
            input: 0,
            granted: 0,
            entries: 0,
            no_segment: None,
            no_segments: BTreeMap::new(),
            lent: Vec::new(),
            references: References::default(),
            releases: false,
            lengths: Vec::new(),
            small: [0; SMALL],
            large: Vec::new(),
            fixed: 0,
            copied: 0,
            pool: Pool::default(),
            taken: 0,
            setting: None,
            failure: None,
            piped: false,
            awaited: false,
            under_way: false,
            called_back: false,
            #[cfg(feature = "tokio")]
            replied: None,
            #[cfg(feature = "tokio")]
            batch: None,
        })
    }

    /// Whether the call is a task's.
    #[inline]
    pub(crate) fn is_awaited(&self) -> bool {
        self.awaited
    }

    /// A task has the turn, and has not begun its call.
    #[cfg(feature = "tokio")]
    pub(crate) fn begin_of_task(&mut self) {
        (self.awaited, self.under_way) = (true, false);
    }

    /// The batch of a task whose call was not sent, or has ended.
    #[cfg(feature = "tokio")]
    pub(crate) fn take_batch(&mut self) -> Option<Box<Done>> {
        self.batch.take_if(|_| !self.under_way)
    }

    /// Whether it is one, and the library may be at work.
    #[cfg(feature = "tokio")]
    pub(crate) fn is_under_way(&self) -> bool {
        self.under_way
    }

    #[inline]
    pub(super) fn begin(&mut self, context: Context, index: u16, function: &'static Function) {
        (self.context, self.index, self.function) = (context, index, function);
        self.used = usize::from(function.args_size);
        (self.input, self.granted, self.entries) = (0, 0, 0);
        (self.copied, self.taken) = (0, 0);
        (self.awaited, self.under_way, self.called_back) = (false, false, false);
        (self.releases, self.piped) = (false, false);
        self.references.clear();
        self.lengths.clear();
        self.lent.clear();
        if self.no_segment.is_some()
            || self.failure.is_some()
            || self.setting.is_some()
            || !self.no_segments.is_empty()
        {
            self.forget_troubles();
        }
        if !self.pool.is_empty() {
            self.pool = Pool::default();
        }
    }

    /// Turns to an entry of a batch, or to the batch: errors are of this from now on.
    #[inline]
    pub(super) fn turn_to(
        &mut self,
        function: &'static Function,
        (name, call_site): (&'static str, Option<&'static Location<'static>>),
        lengths: &[(u16, u64)],
    ) {
        (self.function, self.taken) = (function, 0);
        (self.context.function, self.context.call_site) = (name, call_site);
        if !lengths.is_empty() || !self.lengths.is_empty() {
            self.lengths.clear();
            self.lengths.extend_from_slice(lengths);
        }
    }

    #[cold]
    fn forget_troubles(&mut self) {
        (self.no_segment, self.failure, self.setting) = (None, None, None);
        self.no_segments.clear();
    }
}

macro_rules! put {
    ($($name:ident: $t:ty),*) => { $(
        /// Writes a number at an offset of the argument block.
        #[inline]
        pub fn $name(&mut self, offset: usize, value: $t) {
            if let Some(live) = &mut self.turn.live {
                live.lane.put(offset, value);
            }
        }
    )* };
}

impl Deref for Call<'_> {
    type Target = State;

    #[inline]
    fn deref(&self) -> &State {
        self.turn.known()
    }
}

impl DerefMut for Call<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut State {
        self.turn.state()
    }
}

impl<'s> Call<'s> {
    /// Opens a call whose time is known already.
    #[inline(always)]
    pub(crate) fn open(
        mut turn: Turn<'s>,
        context: Context,
        index: u16,
        function: &'static Function,
    ) -> Call<'s> {
        let context = Context { call_id: turn.next_id(), generation: turn.generation, ..context };
        let (live, state) = turn.parts();
        if let Some(live) = live {
            live.lane.open_call();
            if live.lane.depth() == 0
                && let Some(Granted { place, length, .. }) = live.arena.reset()
            {
                live.lane.announce_window(place, length);
            }
        }
        state.begin(context, index, function);
        Call { turn }
    }

    /// Whose call it is.
    #[inline]
    pub(super) fn session(&self) -> &'s Session {
        self.turn.session
    }

    /// Copies the fixed results out.
    #[inline]
    pub(super) fn copy_result(&mut self, size: usize) {
        let (live, state) = self.turn.parts();
        let live = live.expect(LIVE);
        state.fixed = size;
        if size <= NEAR_RESULT {
            live.lane.copy_near_result(size, &mut state.small);
        } else if size <= SMALL {
            live.lane.copy_result(&mut state.small[..size]);
        } else {
            state.large.resize(size, 0);
            live.lane.copy_result(&mut state.large);
        }
    }

    /// Makes it that of a batch, if the worker takes any.
    pub(super) fn begin_batch(&mut self, entries: usize) -> Result<()> {
        self.entries = entries as u32;
        if self.live().takes_batches {
            return Ok(());
        }
        let message = "the worker takes no batches".into();
        Err(self.context.not_executed(ErrorKind::AbiMismatch, Cause::None, message))
    }

    put!(put_u8: u8, put_u16: u16, put_u32: u32, put_u64: u64, put_i8: i8, put_i16: i16, put_i32: i32);
    put!(put_i64: i64, put_f32: f32, put_f64: f64);

    arguments!();

    /// Writes a reference to data. They are copied in, unless they lie in a buffer of the session
    /// ([`crate::Session::buffer`]) and are more than fits a slot: then the library reads them where they lie.
    #[inline]
    pub fn put_buffer(&mut self, offset: usize, name: &str, data: &'s [u8]) -> Result<()> {
        if !self.fits_slot(data.len())
            && !self.awaited
            && let Some(place) = self.place_of(data)?
        {
            self.count(name, data.len())?;
            self.put_reference(offset, place, data.len() as u64);
            return Ok(());
        }
        self.put_copied(offset, name, data)
    }

    /// As [`Call::put_buffer`], for numbers.
    pub fn put_elements<T: Element>(&mut self, offset: usize, name: &str, elements: &'s [T]) -> Result<()> {
        self.put_buffer(offset, name, bytes_of(elements))
    }

    /// Writes a callback: `number` is its place in what [`Call::finish_with`] is given, from 1; `args_size` the bytes
    /// of its argument block.
    pub fn put_callback(&mut self, offset: usize, number: u16, args_size: u16) {
        self.put_u64(offset, u64::from(number));
        self.turn.passed.add_callback(number, args_size);
    }

    /// Writes a callback that the library keeps: from now on any call of the session may call it, on the thread that
    /// waits for that call, until `until` goes, or what that belongs to, or the worker. `None` is NULL, as a library
    /// takes it to end an earlier one.
    ///
    /// It cannot be run inside of itself. What it holds lives as long as it is kept: an object that it must not outlive,
    /// or the session, would be kept for ever.
    pub fn put_kept(
        &mut self,
        offset: usize,
        name: &str,
        args_size: u16,
        callback: Option<Box<KeptCallback>>,
        until: &Handle,
    ) -> Result<()> {
        self.keep(offset, name, args_size, callback, until, false)
    }

    /// As [`Call::put_kept`], of a callback that the library may also call on threads of its own. Those calls of it run on
    /// the dispatcher thread of the session, one at a time; what is inside of a call still runs on the thread that waits
    /// for that. While it runs on one of them, the other waits.
    ///
    /// What it fails with on the dispatcher thread comes out of the session's next call, which is not sent then, or of
    /// [`crate::Session::take_callback_failure`]; a panic as its text. It gets no objects there.
    pub fn put_kept_by_threads(
        &mut self,
        offset: usize,
        name: &str,
        args_size: u16,
        callback: Option<Box<KeptCallback>>,
        until: &Handle,
    ) -> Result<()> {
        self.keep(offset, name, args_size, callback, until, true)
    }

    fn keep(
        &mut self,
        offset: usize,
        name: &str,
        args_size: u16,
        callback: Option<Box<KeptCallback>>,
        until: &Handle,
        by_threads: bool,
    ) -> Result<()> {
        let Some(run) = callback else {
            self.put_no_callback(offset);
            return Ok(());
        };
        let stand_in = until.stand_in(self.context.generation);
        let (object, wanted) = (stand_in.as_ref().unwrap_or(until.object()), until.type_name());
        let fit = object.check(self.session(), self.context.generation, object.raw.kind());
        fit.map_err(|unfit| unfit.error(&self.context, name, object, wanted))?;
        let Some(number) = self.session().kept().number() else {
            let value = u64::from(wire::KEPT_CALLBACKS);
            let cause = Cause::Limit { what: LimitExceededReason::Callbacks, value };
            let message = "this session has kept as many callbacks as it can tell apart".into();
            return Err(self.context.not_executed(ErrorKind::LimitExceeded, cause, message));
        };
        if by_threads {
            let context = self.context;
            self.session().listen(&mut self.turn, context)?;
        }
        let (generation, goes_with) = (self.context.generation, object.goes_with());
        let (function, args_size, run) = (self.function.name, u32::from(args_size), Some(run));
        let entry =
            Entry { function, args_size, generation, until: goes_with, by_threads, run, runs_on: None };
        self.put_u64(offset, number as u64);
        self.turn.passed.add_kept(number, entry, until.object());
        Ok(())
    }

    /// Writes NULL instead of a callback.
    pub fn put_no_callback(&mut self, offset: usize) {
        self.put_u64(offset, 0);
    }

    /// Writes how many elements the caller has room for. More than a call may return is refused.
    #[cfg(feature = "dynamic")]
    pub fn put_capacity(&mut self, offset: usize, name: &str, elements: u64, size: u32) -> Result<()> {
        let (limit, context) = (self.max_output(), self.context);
        context.has_room(name, elements.saturating_mul(u64::from(size)), limit)?;
        self.put_room(offset, elements);
        Ok(())
    }

    /// An error that says that an argument cannot be passed. Nothing was published.
    pub fn invalid_argument(&self, name: &str, message: String) -> Error {
        let cause = Cause::Argument { name: name.to_owned() };
        self.context.not_executed(ErrorKind::InvalidArgument, cause, message)
    }

    /// An error that says that a text has a character that an encoding does not have. Nothing was published.
    fn not_encoded(&self, name: &str, encoding: &str, position: usize) -> Error {
        self.context.not_encoded(name, encoding, position)
    }

    /// An error that says that a text is not in the encoding the contract declares. Nothing was published.
    #[cfg(feature = "dynamic")]
    pub(crate) fn bad_encoding(&self, name: &str) -> Error {
        self.context.bad_encoding(name)
    }

    /// Whether it was begun with what it takes to use this object.
    pub(crate) fn covers(&self, object: &Object) -> bool {
        self.turn.covers(object)
    }

    /// Notes an object that goes in, and gives its handle.
    pub(super) fn pass(&mut self, name: &str, handle: &Handle, kind: u16, usage: Usage) -> Result<RawHandle> {
        let stand_in = handle.stand_in(self.context.generation);
        let object = stand_in.as_ref().unwrap_or(handle.object());
        let mut fit = object.check(self.session(), self.context.generation, kind);
        if fit.is_ok() && usage != Usage::Kept && !object.owned {
            fit = Err(Unfit::OnlyLent);
        }
        if fit.is_ok() && !self.covers(object) {
            fit = Err(Unfit::Unclaimed);
        }
        fit = fit.and_then(|()| self.turn.passed.add_object(object, usage));
        let wanted = || self.session().handle_type(kind).map_or("", |it| it.name);
        fit.map_err(|unfit| unfit.error(&self.context, name, handle.object(), wanted()))?;
        let raw = object.raw;
        if let Some(front) = handle.object().front() {
            self.begin_setting(handle, front);
        }
        Ok(raw)
    }

    /// Where the call configures an object that can be made anew, sees to it that what it is given is kept when it has come back.
    #[cold]
    fn begin_setting(&mut self, handle: &Handle, front: &Restorable) {
        let Some(repeated) = front.configured_by(self.index) else { return };
        if self.is_alone() {
            self.setting = Some((Arc::downgrade(handle.object()), repeated));
        } else {
            let (function, name) = (self.index, self.function.name);
            self.turn.passed.note_settings(1, function, name);
        }
    }

    /// Whether it is no batch, and is not in a pipeline.
    pub(super) fn is_alone(&self) -> bool {
        self.entries == 0 && !self.piped
    }

    /// Counts data that is passed, and refuses what is too much.
    #[inline]
    pub(super) fn count(&mut self, name: &str, bytes: usize) -> Result<()> {
        let limit = self.session().options().max_input;
        self.input = self.input.saturating_add(bytes as u64);
        if self.input <= limit {
            return Ok(());
        }
        let cause = Cause::Limit { what: LimitExceededReason::Memory, value: limit };
        let message = format!("with `{name}` the call passes {} bytes; {limit} are allowed", self.input);
        Err(self.context.not_executed(ErrorKind::LimitExceeded, cause, message))
    }

    /// Whether so much data has room behind the fixed arguments.
    #[inline]
    fn fits_slot(&self, bytes: usize) -> bool {
        self.used.next_multiple_of(8).saturating_add(bytes) <= wire::MAX_ARGS
    }

    /// Copies data in: small data goes behind the fixed arguments, into the same cache lines; the rest into the arena.
    pub(super) fn place(&mut self, name: &str, data: &[u8], tail: usize) -> Result<Place> {
        self.count(name, data.len())?;
        self.place_uncounted(name, data, tail)
    }

    /// Copies the image of a structure in, and notes where it has references.
    pub(super) fn place_image(&mut self, name: &str, image: &Image) -> Result<Place> {
        let place = self.place(name, image.whole(), 0)?;
        self.references.add(place, image.references());
        Ok(place)
    }

    /// As [`Call::place`], of what is no data of the application.
    pub(super) fn place_uncounted(&mut self, name: &str, data: &[u8], tail: usize) -> Result<Place> {
        self.place_parts(name, &[data], tail)
    }

    /// As [`Call::place_uncounted`], of data that come in parts: they lie one behind the other.
    #[inline]
    pub(super) fn place_parts(&mut self, name: &str, parts: &[&[u8]], tail: usize) -> Result<Place> {
        let bytes = parts.iter().map(|part| part.len()).sum::<usize>();
        let start = self.used.next_multiple_of(8);
        let end = start.saturating_add(bytes).saturating_add(tail);
        if end <= wire::MAX_ARGS {
            self.used = end;
        } else {
            // So much takes its time.
            self.allowed.begin();
        }
        let Some(Live { lane, arena, .. }) = &mut self.turn.live else {
            return Err(self.lost(Executed::No));
        };
        if end <= wire::MAX_ARGS {
            let mut at = start;
            for (index, part) in parts.iter().enumerate() {
                lane.put_bytes(at, part, if index + 1 == parts.len() { tail } else { 0 });
                at += part.len();
            }
            return Ok(lane.args_place(start));
        }
        if let Some(place) = arena.copy_parts_in(parts, tail) {
            return Ok(place);
        }
        let wanted = arena.wanted(bytes + tail);
        let (id, mapping) = self.add_segment(wanted, Seals::Request, Executed::No)?.map_err(
            |NoSegment { cause, message }| {
                self.context.not_executed(ErrorKind::LimitExceeded, cause, message)
            },
        )?;
        let arena = &mut self.live().arena;
        arena.add_request(Grant { id, mapping });
        arena.copy_parts_in(parts, tail).ok_or_else(|| {
            let message = format!("`{name}` does not fit the segment made for it");
            self.context.not_executed(ErrorKind::LimitExceeded, Cause::None, message)
        })
    }

    #[inline]
    pub(super) fn put_reference(&mut self, offset: usize, place: Place, length: u64) {
        self.put_u64(offset + wire::reference::PLACE, place.raw());
        self.put_u64(offset + wire::reference::LENGTH, length);
        let mut outputs = self.function.outputs.iter();
        let place = |kind| matches!(kind, OutputKind::Offset { of, .. } if usize::from(of) == offset);
        if outputs.any(|output| place(output.kind)) {
            self.lengths.push((offset as u16, length));
        }
    }

    /// Bytes of the data that were passed at an offset of the argument block.
    pub(super) fn length_of(&self, offset: u16) -> u64 {
        self.lengths.iter().rev().find(|(of, _)| *of == offset).map_or(0, |(_, length)| *length)
    }

    #[inline]
    pub(super) fn live(&mut self) -> &mut Live {
        self.turn.live.as_mut().expect(LIVE)
    }
}
