//! A reply: results out. Everything is copied and checked; a lie costs the worker its life.

use hotcell_protocol::wire::{self, reference};
use hotcell_protocol::{ErrorKind, Executed, Place};
use hotcell_shm::ReplyHead;

use super::{Call, Element, call};
use crate::error::{Cause, Error, Result};
use crate::fault::Fault;
use crate::session::Live;

/// Fixed result blocks up to this many bytes are kept without an allocation.
const SMALL: usize = 64;

/// The results of a call that returned. It holds the session's worker until it is dropped, for the data it
/// refers to lies in the worker's memory.
#[derive(Debug)]
pub struct Reply<'s> {
    call: Call<'s>,
    small: [u8; SMALL],
    large: Vec<u8>,
    /// Bytes of data handed out so far: references may overlap, copies do not.
    copied: u64,
}

macro_rules! get {
    ($($name:ident: $t:ty),*) => { $(
        /// The number at an offset of the result block.
        #[inline]
        pub fn $name(&self, offset: usize) -> $t {
            <$t as Element>::read(self.bytes(offset, size_of::<$t>()))
        }
    )* };
}

impl<'s> Reply<'s> {
    #[inline]
    pub(super) fn take(mut call: Call<'s>, head: ReplyHead) -> Result<Reply<'s>> {
        let size = usize::from(call.function.result_size);
        if (head.result_length as usize) < size {
            return Err(call.violation("a result block is shorter than the function's"));
        }
        let (mut small, mut large) = ([0; SMALL], Vec::new());
        if size <= SMALL {
            call.live().lane.copy_result(&mut small[..size]);
        } else {
            large.resize(size, 0);
            call.live().lane.copy_result(&mut large);
        }
        Ok(Reply { call, small, large, copied: 0 })
    }

    get!(get_u8: u8, get_u16: u16, get_u32: u32, get_u64: u64, get_i8: i8, get_i16: i16, get_i32: i32);
    get!(get_i64: i64, get_f32: f32, get_f64: f64);

    /// The data a reference points to; a null reference is empty.
    pub fn buffer(&mut self, offset: usize) -> Result<Vec<u8>> {
        Ok(self.opt_buffer(offset)?.unwrap_or_default())
    }

    /// The data a reference points to, if it is not null.
    pub fn opt_buffer(&mut self, offset: usize) -> Result<Option<Vec<u8>>> {
        let place = Place::from_raw(self.get_u64(offset + reference::PLACE));
        let length = self.get_u64(offset + reference::LENGTH);
        if place.is_null() {
            return Ok(None);
        }
        if length == wire::LENGTH_IMPOSSIBLE {
            let message = "the library claims to have written more than a result buffer holds";
            return Err(self.call.invalid_reply(message));
        }
        let fixed = usize::from(self.call.function.result_size);
        let limit = self.call.max_output();
        let Some(Live { lane, arena, .. }) = &self.call.seat.live else {
            // An earlier result of this reply was a lie.
            return Err(self.call.context.error(call::lost(), Executed::Yes, String::new()));
        };
        let Some(found) = lane.locate(arena, fixed, place, length) else {
            return Err(self.call.violation("a result lies outside of the memory granted to its call"));
        };
        self.copied = self.copied.saturating_add(length);
        let mut data = Vec::new();
        if self.copied > limit || !found.append_to(&mut data) {
            return Err(self.call.too_much_output(limit));
        }
        Ok(Some(data))
    }

    /// The numbers a reference points to; a null reference is empty.
    pub fn elements<T: Element>(&mut self, offset: usize) -> Result<Vec<T>> {
        let data = self.buffer(offset)?;
        if !data.len().is_multiple_of(T::SIZE) {
            return Err(self.call.violation("a result has no whole number of elements"));
        }
        Ok(data.chunks_exact(T::SIZE).map(T::read).collect())
    }

    /// The UTF-8 text a reference points to; a null reference is an error here.
    pub fn text(&mut self, offset: usize) -> Result<String> {
        let bytes = self.text_bytes(offset)?;
        self.utf8(bytes)
    }

    /// The UTF-8 text a reference points to, if it is not null.
    pub fn opt_text(&mut self, offset: usize) -> Result<Option<String>> {
        self.opt_buffer(offset)?.map(|bytes| self.utf8(bytes)).transpose()
    }

    /// The bytes of a text; a null reference is an error here.
    pub fn text_bytes(&mut self, offset: usize) -> Result<Vec<u8>> {
        let text = self.opt_buffer(offset)?;
        text.ok_or_else(|| {
            self.call.invalid_reply("the library returned NULL where its contract promises a text")
        })
    }

    /// The bytes of a text, if it is not null.
    pub fn opt_text_bytes(&mut self, offset: usize) -> Result<Option<Vec<u8>>> {
        self.opt_buffer(offset)
    }

    /// The library's own failure, from the returned value and the message.
    pub(super) fn library_error(mut self, errno: i32) -> Error {
        let function = self.call.function;
        let code = function
            .returned
            .map_or(0, |field| field.kind.code(self.bytes(usize::from(field.offset), field.kind.size())));
        let message = match function.message.map(|offset| self.opt_buffer(usize::from(offset))) {
            None => None,
            Some(Ok(text)) => text.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            Some(Err(error)) => return error,
        };
        let text = match &message {
            Some(message) => format!("{message} (code {code})"),
            None => format!("code {code}"),
        };
        let cause = Cause::Library { code, message, errno };
        let fault = Fault { kind: ErrorKind::LibraryError, cause, message: text };
        self.call.context.error(fault, Executed::Yes, String::new())
    }

    fn utf8(&self, bytes: Vec<u8>) -> Result<String> {
        String::from_utf8(bytes).map_err(|error| {
            let position = error.utf8_error().valid_up_to();
            let message = format!("a text of the library is not UTF-8 at byte {position}");
            let fault = Fault { kind: ErrorKind::BadEncoding, cause: Cause::None, message };
            self.call.context.error(fault, Executed::Yes, String::new())
        })
    }

    #[inline]
    fn bytes(&self, offset: usize, length: usize) -> &[u8] {
        let size = usize::from(self.call.function.result_size);
        let block = if size <= SMALL { &self.small[..size] } else { &self.large[..] };
        &block[offset..offset + length]
    }
}
