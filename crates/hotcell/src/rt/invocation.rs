//! A call of the library into the application: the arguments of a callback.

use hotcell_protocol::{ErrorKind, Executed, LimitExceededReason, RawHandle, UnavailableReason, wire};
use hotcell_shm::{Arena, ForkGuard, HostLane, bytes_of};

use super::reading::{Bad, Granted, Reads, Reference, data, numbers};
use super::{Converts, Element, Handle, Utf8, Utf16};
use crate::error::{Answer, Cause, Error, Result};
use crate::fault::{self, Fault};
use crate::session::{Context, Live, Session};

/// The arguments of a callback, at the offsets of its argument block. Everything is copied and checked, as results are;
/// an error of a method here is to be returned from the callback.
#[derive(Debug)]
pub struct Invocation<'a> {
    source: Source<'a>,
    context: Context,
    /// Bytes of the call's result block that are no data.
    fixed: usize,
    limit: u64,
    copied: u64,
    block: &'a [u8],
    /// Objects that were lent for the time of the callback, and are nobody's otherwise.
    lent: Vec<Handle>,
    /// What is wrong with what the worker said here.
    bad: Option<Bad>,
    /// What the application has filled in.
    filled: Option<Vec<u8>>,
}

/// Who calls back, and so where data lie.
#[derive(Debug)]
enum Source<'a> {
    /// A call of this session, which has set its worker aside.
    Call(&'a Session),
    /// A thread of the library, on the dispatcher lane.
    Thread(&'a HostLane, &'a Arena, &'a ForkGuard),
}

impl<'a> Invocation<'a> {
    /// What a thread of the library calls back.
    pub(crate) fn by_thread(
        (lane, arena, fork): (&'a HostLane, &'a Arena, &'a ForkGuard),
        context: Context,
        limit: u64,
        block: &'a [u8],
    ) -> Invocation<'a> {
        let source = Source::Thread(lane, arena, fork);
        Invocation::of(source, context, (0, limit), block)
    }

    pub(super) fn new(
        session: &'a Session,
        context: Context,
        fixed: usize,
        limit: u64,
        block: &'a [u8],
    ) -> Invocation<'a> {
        let source = Source::Call(session);
        Invocation::of(source, context, (fixed, limit), block)
    }

    fn of(
        source: Source<'a>,
        context: Context,
        (fixed, limit): (usize, u64),
        block: &'a [u8],
    ) -> Invocation<'a> {
        let (lent, bad, filled) = (Vec::new(), None, None);
        Invocation { source, context, fixed, limit, copied: 0, block, lent, bad, filled }
    }

    numbers!();
    data!();

    /// The UTF-8 texts a reference points to; a null reference is none, and a text that is NULL an error.
    pub fn texts(&mut self, offset: usize) -> Result<Vec<String>> {
        let texts = self.opt_texts(offset)?;
        texts.into_iter().map(|text| self.promised(text)).collect()
    }

    /// The UTF-8 texts a reference points to, some of which may be NULL; a null reference is none.
    pub fn opt_texts(&mut self, offset: usize) -> Result<Vec<Option<String>>> {
        let texts = self.opt_texts_bytes(offset)?;
        texts.into_iter().map(|text| text.map(|bytes| self.decoded::<Utf8>(bytes)).transpose()).collect()
    }

    /// As [`Invocation::texts`], of texts in UTF-16.
    pub fn texts_utf16(&mut self, offset: usize) -> Result<Vec<String>> {
        let texts = self.opt_texts_utf16(offset)?;
        texts.into_iter().map(|text| self.promised(text)).collect()
    }

    /// As [`Invocation::opt_texts`], of texts in UTF-16.
    pub fn opt_texts_utf16(&mut self, offset: usize) -> Result<Vec<Option<String>>> {
        let texts = self.opt_texts_bytes(offset)?;
        texts.into_iter().map(|text| text.map(|bytes| self.decoded::<Utf16>(bytes)).transpose()).collect()
    }

    /// As [`Invocation::texts`], of texts in this encoding.
    pub fn converted_texts<K: Converts>(&mut self, offset: usize) -> Result<Vec<String>> {
        let texts = self.opt_converted_texts::<K>(offset)?;
        texts.into_iter().map(|text| self.promised(text)).collect()
    }

    /// As [`Invocation::opt_texts`], of texts in this encoding.
    pub fn opt_converted_texts<K: Converts>(&mut self, offset: usize) -> Result<Vec<Option<String>>> {
        let texts = self.opt_texts_bytes(offset)?;
        texts.into_iter().map(|text| text.map(|bytes| self.decoded::<K>(bytes)).transpose()).collect()
    }

    /// The bytes of the texts a reference points to; a null reference is none, and a text that is NULL an error.
    pub fn texts_bytes(&mut self, offset: usize) -> Result<Vec<Vec<u8>>> {
        let texts = self.opt_texts_bytes(offset)?;
        texts.into_iter().map(|text| self.promised(text)).collect()
    }

    /// The bytes of the texts a reference points to, some of which may be NULL; a null reference is none.
    pub fn opt_texts_bytes(&mut self, offset: usize) -> Result<Vec<Option<Vec<u8>>>> {
        self.read_texts(self.reference(offset))
    }

    /// An object of this type, lent for the time of the callback; NULL is an error here.
    pub fn handle(&mut self, offset: usize, kind: u16) -> Result<Handle> {
        let handle = self.opt_handle(offset, kind)?;
        handle.ok_or_else(|| self.null_object())
    }

    /// An object of this type, lent for the time of the callback, if it is not NULL.
    pub fn opt_handle(&mut self, offset: usize, kind: u16) -> Result<Option<Handle>> {
        match RawHandle::from_raw(self.get_u64(offset)) {
            raw if raw.is_none() => Ok(None),
            raw => self.lend(raw, kind).map(Some),
        }
    }

    /// The objects of this type that a reference points to, lent for the time of the callback; a null reference is none,
    /// and an object that is NULL an error. So are more than a worker may have.
    pub fn handles(&mut self, offset: usize, kind: u16) -> Result<Vec<Handle>> {
        // A handle is many times as big here as in the worker's memory, so this is judged first.
        if self.reference(offset).length > u64::from(wire::MAX_HANDLES) * size_of::<u64>() as u64 {
            return Err(self.too_many_objects());
        }
        let list: Vec<u64> = self.elements(offset)?;
        let mut handles = Vec::new();
        if handles.try_reserve_exact(list.len()).is_err() || self.lent.try_reserve(list.len()).is_err() {
            return Err(self.bad(Bad::TooMuch));
        }
        for raw in list {
            handles.push(match RawHandle::from_raw(raw) {
                raw if raw.is_none() => return Err(self.null_object()),
                raw => self.lend(raw, kind)?,
            });
        }
        Ok(handles)
    }

    /// Memory to be filled, as much as the library has there: its bytes lie at an offset of the block.
    pub fn room<T: Element>(&mut self, offset: usize) -> Result<Vec<T>> {
        let bytes = self.get_u64(offset);
        let mut room = Vec::new();
        let count = usize::try_from(bytes).ok().filter(|_| bytes <= self.limit).map(|bytes| bytes / T::SIZE);
        match count.filter(|&count| room.try_reserve_exact(count).is_ok()) {
            Some(count) => room.resize(count, T::read(&[0; 8][..T::SIZE])),
            None => return Err(self.bad(Bad::TooMuch)),
        }
        Ok(room)
    }

    /// All of the memory to be filled is filled with this. A callback that has [`Invocation::room`] says so, or
    /// [`Invocation::fill_to`], whenever it does not fail.
    pub fn fill<T: Element>(&mut self, data: &[T]) {
        self.filled = Some(bytes_of(data).to_vec());
    }

    /// As [`Invocation::fill`], where the library is told how many are filled. What is no number of these says something else,
    /// and nothing is filled.
    pub fn fill_to<T: Element>(&mut self, data: &[T], count: impl TryInto<usize>) {
        let count = count.try_into().ok().filter(|&count| count <= data.len());
        self.fill(&data[..count.unwrap_or(0)]);
    }

    /// What was filled in.
    pub(super) fn take_filled(&mut self) -> Option<Vec<u8>> {
        self.filled.take()
    }

    /// What the application's function gave. Its failure comes out of the call that ran it.
    pub fn answer<T>(&self, answer: Answer<T>) -> Result<T> {
        answer.map_err(|error| match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(other) => self.failed(other.to_string()),
        })
    }

    /// The error of a callback that cannot do what it was called for.
    pub fn failed(&self, message: impl Into<String>) -> Error {
        let fault = Fault { kind: ErrorKind::CallbackFailed, cause: Cause::None, message: message.into() };
        self.context.error(fault, Executed::Maybe, String::new())
    }

    /// The callback has returned: what was lent cannot be used any more. Comes with what was wrong.
    pub(crate) fn end(&mut self) -> Option<Bad> {
        self.lent.iter().for_each(|handle| handle.object().end());
        self.bad.take()
    }

    fn lend(&mut self, raw: RawHandle, kind: u16) -> Result<Handle> {
        if raw.kind() != kind || raw.generation() == 0 {
            return Err(self.bad(Bad::Violation("an object has another type than its contract says")));
        }
        let Source::Call(session) = self.source else {
            return Err(self.failed("objects are lent to callbacks inside of calls only"));
        };
        if let Some(known) = Handle::known(session, self.context.generation, raw) {
            return Ok(known);
        }
        let handle = Handle::for_now(session, self.context.generation, raw);
        self.lent.push(handle.clone());
        Ok(handle)
    }

    /// No lie: one object may be there many times.
    fn too_many_objects(&self) -> Error {
        let value = u64::from(wire::MAX_HANDLES);
        let cause = Cause::Limit { what: LimitExceededReason::Handles, value };
        let message = format!("the library passed more than {value} objects to a callback at once");
        let fault = Fault { kind: ErrorKind::LimitExceeded, cause, message };
        self.context.error(fault, Executed::Maybe, String::new())
    }

    fn null_object(&mut self) -> Error {
        self.bad(Bad::Lie("the library passed NULL where its contract promises an object"))
    }

    pub(crate) fn bytes(&self, offset: usize, length: usize) -> &[u8] {
        &self.block[offset..offset + length]
    }

    pub(crate) fn reference(&self, offset: usize) -> Reference {
        Reference::read(self.bytes(offset, super::reading::REFERENCE))
    }
}

impl Reads for Invocation<'_> {
    fn fetch(&mut self, from: Reference) -> Result<Option<Vec<u8>>> {
        let forked = match &self.source {
            Source::Call(session) => session.is_forked(),
            Source::Thread(_, _, fork) => fork.forked(),
        };
        if forked {
            return Err(self.context.forked(Executed::Maybe));
        }
        let Invocation { source, context, fixed, limit, copied, .. } = self;
        let session = match source {
            Source::Call(session) => session,
            Source::Thread(lane, arena, _) => {
                let memory = Some((*lane, *arena));
                let data =
                    Granted { memory, pool: None, lent: &[], fixed: 0, limit: *limit, copied }.copy(from);
                return data.map_err(|bad| self.bad(bad));
            }
        };
        let copied = session.with_aside(context.call_id, |live| {
            let memory = live.map(Live::memory);
            let mut granted = Granted { memory, pool: None, lent: &[], fixed: *fixed, limit: *limit, copied };
            granted.copy(from)
        });
        match copied {
            Some(copied) => copied.map_err(|bad| self.bad(bad)),
            None => {
                let cause = Cause::Unavailable { reason: UnavailableReason::PoolExhausted };
                let message = "a call that this callback has made is not finished".into();
                let fault = Fault { kind: ErrorKind::Unavailable, cause, message };
                Err(self.context.error(fault, Executed::Maybe, String::new()))
            }
        }
    }

    /// The worker is judged when the callback has returned.
    fn bad(&mut self, bad: Bad) -> Error {
        self.bad.get_or_insert(bad);
        let (kind, message) = match bad {
            Bad::Violation(rule) => {
                return self.context.error(fault::violation(rule), Executed::Maybe, String::new());
            }
            Bad::TooMuch => return self.context.too_much_output(self.limit, Executed::Maybe),
            Bad::Lie(text) => (ErrorKind::InvalidReply, text.to_owned()),
            Bad::Lost => return self.context.error(fault::lost(), Executed::Maybe, String::new()),
        };
        self.context.error(Fault { kind, cause: Cause::None, message }, Executed::Maybe, String::new())
    }

    fn context(&self) -> &Context {
        &self.context
    }
}
