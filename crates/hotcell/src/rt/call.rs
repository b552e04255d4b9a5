//! A call being made: its arguments.

use hotcell_protocol::wire;
use hotcell_protocol::{ErrorKind, Executed, LimitExceededReason, Place, RawHandle};
use hotcell_shm::{Grant, Granted, Seals, bytes_of};

use super::ends::NoSegment;
use super::handle::Unfit;
use super::passed::Usage;
use super::reading::Reference;
use super::{Element, Function, Handle, Image, KeptCallback, OutputKind};
use crate::error::{Cause, Error, Result};
use crate::session::{Allowed, Context, Entry, Live, Session, Turn};

/// A call whose arguments are being written. It holds the session's worker until it is finished or dropped.
#[derive(Debug)]
pub struct Call<'s> {
    pub(super) session: &'s Session,
    pub(super) turn: Turn<'s>,
    pub(super) context: Context,
    pub(super) index: u16,
    pub(super) function: &'static Function,
    pub(super) allowed: Allowed,
    /// Bytes of the argument block in use, data behind the fixed part included.
    pub(super) used: usize,
    /// Bytes of data passed so far.
    input: u64,
    /// Bytes of reply space granted so far.
    pub(super) granted: u64,
    /// Why the last request for space was not granted, when that was for want of a segment.
    pub(super) no_segment: Option<Box<NoSegment>>,
    /// Where in the argument block data go that a failed call may give a place in, and their bytes.
    lengths: Vec<(u16, u64)>,
}

macro_rules! put {
    ($($name:ident: $t:ty),*) => { $(
        /// Writes a number at an offset of the argument block.
        #[inline]
        pub fn $name(&mut self, offset: usize, value: $t) {
            if let Some(live) = &self.turn.live {
                live.lane.put(offset, value);
            }
        }
    )* };
}

impl<'s> Call<'s> {
    pub(crate) fn open(
        session: &'s Session,
        mut turn: Turn<'s>,
        context: Context,
        index: u16,
        function: &'static Function,
        allowed: Allowed,
    ) -> Call<'s> {
        if let Some(live) = &mut turn.live {
            live.lane.open_call();
            if live.lane.depth() == 0
                && let Some(Granted { place, length, .. }) = live.arena.reset()
            {
                live.lane.announce_window(place, length);
            }
        }
        let used = usize::from(function.args_size);
        let (input, granted, no_segment, lengths) = (0, 0, None, Vec::new());
        Call { session, turn, context, index, function, allowed, used, input, granted, no_segment, lengths }
    }

    put!(put_u8: u8, put_u16: u16, put_u32: u32, put_u64: u64, put_i8: i8, put_i16: i16, put_i32: i32);
    put!(put_i64: i64, put_f32: f32, put_f64: f64);

    /// Writes a null reference.
    #[inline]
    pub fn put_null(&mut self, offset: usize) {
        self.put_reference(offset, Place::NULL, 0);
    }

    /// Writes a reference to data. They are copied in, unless they lie in a buffer of the session
    /// ([`crate::Session::buffer`]) and are more than fits a slot: then the library reads them where they lie.
    #[inline]
    pub fn put_buffer(&mut self, offset: usize, name: &str, data: &'s [u8]) -> Result<()> {
        if !self.fits_slot(data.len())
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

    /// Copies data in and writes a reference to it.
    #[inline]
    pub(crate) fn put_copied(&mut self, offset: usize, name: &str, data: &[u8]) -> Result<()> {
        let place = self.place(name, data, 0)?;
        self.put_reference(offset, place, data.len() as u64);
        Ok(())
    }

    /// Copies a text in, with a NUL behind it, and writes a reference to it.
    pub fn put_text(&mut self, offset: usize, name: &str, text: &str) -> Result<()> {
        self.put_text_bytes(offset, name, text.as_bytes())
    }

    /// As [`Call::put_text`], for a text that need not be UTF-8.
    pub fn put_text_bytes(&mut self, offset: usize, name: &str, text: &[u8]) -> Result<()> {
        let place = self.place_text(name, text)?;
        self.put_reference(offset, place, text.len() as u64);
        Ok(())
    }

    /// As [`Call::put_text`], for a library that takes UTF-16.
    pub fn put_text_utf16(&mut self, offset: usize, name: &str, text: &str) -> Result<()> {
        let (place, length) = self.place_text_utf16(name, text)?;
        self.put_reference(offset, place, length);
        Ok(())
    }

    /// Copies texts in and writes a reference to an array of references to them. Each is a `str`, or bytes where the
    /// text need not be UTF-8.
    pub fn put_texts<T: AsRef<[u8]>>(&mut self, offset: usize, name: &str, texts: &[T]) -> Result<()> {
        let mut references = Vec::with_capacity(texts.len());
        for text in texts {
            let text = text.as_ref();
            references.extend(Reference::bytes(self.place_text(name, text)?, text.len() as u64));
        }
        self.put_copied(offset, name, &references)
    }

    /// As [`Call::put_texts`], for a library that takes UTF-16.
    pub fn put_texts_utf16<T: AsRef<str>>(&mut self, offset: usize, name: &str, texts: &[T]) -> Result<()> {
        let mut references = Vec::with_capacity(texts.len());
        for text in texts {
            let (place, length) = self.place_text_utf16(name, text.as_ref())?;
            references.extend(Reference::bytes(place, length));
        }
        self.put_copied(offset, name, &references)
    }

    /// Copies the image of a structure in and writes a reference to it.
    pub fn put_image(&mut self, offset: usize, name: &str, image: &Image) -> Result<()> {
        self.put_copied(offset, name, image.whole())
    }

    /// Writes a handle of this type. It must belong to this session and its worker, and nobody may have released it.
    pub fn put_handle(&mut self, offset: usize, name: &str, handle: &Handle, kind: u16) -> Result<()> {
        self.put_object(offset, name, handle, kind, Usage::Kept)
    }

    /// As [`Call::put_handle`], or NULL.
    pub fn put_opt_handle(
        &mut self,
        offset: usize,
        name: &str,
        handle: Option<&Handle>,
        kind: u16,
    ) -> Result<()> {
        match handle {
            Some(handle) => self.put_handle(offset, name, handle, kind),
            None => {
                self.put_u64(offset, RawHandle::NONE.raw());
                Ok(())
            }
        }
    }

    /// Writes the handle of an object that the call takes over: once the call is published, it cannot be used any
    /// more, nor what was lent from it. It must be owned.
    pub fn put_consumed(&mut self, offset: usize, name: &str, handle: &Handle, kind: u16) -> Result<()> {
        self.put_object(offset, name, handle, kind, Usage::Consumed)
    }

    /// As [`Call::put_consumed`], for a call that takes the object over only if it does not fail.
    pub fn put_consumed_on_success(
        &mut self,
        offset: usize,
        name: &str,
        handle: &Handle,
        kind: u16,
    ) -> Result<()> {
        self.put_object(offset, name, handle, kind, Usage::ConsumedOnSuccess)
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
        let Some(run) = callback else {
            self.put_no_callback(offset);
            return Ok(());
        };
        let (object, wanted) = (until.object(), until.type_name());
        let fit = until.check(self.session, self.context.generation, object.raw.kind());
        fit.map_err(|unfit| unfit.error(&self.context, name, until, wanted))?;
        let Some(number) = self.session.kept().number() else {
            let value = u64::from(wire::KEPT_CALLBACKS);
            let cause = Cause::Limit { what: LimitExceededReason::Callbacks, value };
            let message = "this session has kept as many callbacks as it can tell apart".into();
            return Err(self.context.not_executed(ErrorKind::LimitExceeded, cause, message));
        };
        let (generation, until) = (self.context.generation, object.goes_with());
        let entry = Entry { args_size: u32::from(args_size), generation, until, run: Some(run) };
        self.put_u64(offset, number as u64);
        self.turn.passed.add_kept(number, entry);
        Ok(())
    }

    /// Writes NULL instead of a callback.
    pub fn put_no_callback(&mut self, offset: usize) {
        self.put_u64(offset, 0);
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

    /// Notes an object that goes in, and gives its handle.
    pub(super) fn pass(&mut self, name: &str, handle: &Handle, kind: u16, usage: Usage) -> Result<RawHandle> {
        let object = handle.object();
        let mut fit = handle.check(self.session, self.context.generation, kind);
        if fit.is_ok() && usage != Usage::Kept && !object.owned {
            fit = Err(Unfit::OnlyLent);
        }
        fit = fit.and_then(|()| self.turn.passed.add_object(object, usage));
        let wanted = || self.session.handle_type(kind).map_or("", |it| it.name);
        fit.map_err(|unfit| unfit.error(&self.context, name, handle, wanted()))?;
        Ok(object.raw)
    }

    /// Copies a text in, with a NUL behind it.
    pub(super) fn place_text(&mut self, name: &str, text: &[u8]) -> Result<Place> {
        self.refuse_nul(name, text)?;
        self.place(name, text, 1)
    }

    /// Copies a text in as UTF-16, with a NUL behind it. Comes with its bytes.
    pub(super) fn place_text_utf16(&mut self, name: &str, text: &str) -> Result<(Place, u64)> {
        self.refuse_nul(name, text.as_bytes())?;
        let units: Vec<u16> = text.encode_utf16().collect();
        let bytes = bytes_of(&units);
        Ok((self.place(name, bytes, size_of::<u16>())?, bytes.len() as u64))
    }

    fn refuse_nul(&self, name: &str, text: &[u8]) -> Result<()> {
        let Some(position) = text.iter().position(|&byte| byte == 0) else { return Ok(()) };
        let message = format!("`{name}` has a NUL at byte {position}; C would end the text there");
        Err(self.invalid_argument(name, message))
    }

    /// Counts data that is passed, and refuses what is too much.
    #[inline]
    fn count(&mut self, name: &str, bytes: usize) -> Result<()> {
        let limit = self.session.options().max_input;
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
        self.used.next_multiple_of(8) + bytes <= wire::MAX_ARGS
    }

    /// Copies data in: small data goes behind the fixed arguments, into the same cache lines; the rest into the arena.
    pub(super) fn place(&mut self, name: &str, data: &[u8], tail: usize) -> Result<Place> {
        self.count(name, data.len())?;
        let Some(Live { lane, arena, .. }) = &mut self.turn.live else {
            return Err(self.lost(Executed::No));
        };
        let start = self.used.next_multiple_of(8);
        if start + data.len() + tail <= wire::MAX_ARGS {
            lane.put_bytes(start, data, tail);
            self.used = start + data.len() + tail;
            return Ok(lane.args_place(start));
        }
        if let Some(place) = arena.copy_in(data, tail) {
            return Ok(place);
        }
        let wanted = arena.wanted(data.len() + tail);
        let (id, mapping) = self.add_segment(wanted, Seals::Request, Executed::No)?.map_err(
            |NoSegment { cause, message }| {
                self.context.not_executed(ErrorKind::LimitExceeded, cause, message)
            },
        )?;
        let arena = &mut self.live().arena;
        arena.add_request(Grant { id, mapping });
        arena.copy_in(data, tail).ok_or_else(|| {
            let message = format!("`{name}` does not fit the segment made for it");
            self.context.not_executed(ErrorKind::LimitExceeded, Cause::None, message)
        })
    }

    #[inline]
    fn put_reference(&mut self, offset: usize, place: Place, length: u64) {
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

    fn put_object(
        &mut self,
        offset: usize,
        name: &str,
        handle: &Handle,
        kind: u16,
        usage: Usage,
    ) -> Result<()> {
        let raw = self.pass(name, handle, kind, usage)?;
        self.put_u64(offset, raw.raw());
        Ok(())
    }

    #[inline]
    pub(super) fn live(&mut self) -> &mut Live {
        self.turn.live.as_mut().expect("a call holds a seated worker until its error is made")
    }
}
