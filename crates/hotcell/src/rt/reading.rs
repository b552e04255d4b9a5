//! Copying out what a worker's references point to: once, after the reference was judged.

use hotcell_protocol::wire::{self, reference};
use hotcell_protocol::{ErrorKind, Executed, Place};
use hotcell_shm::{Arena, HostLane, Lent, Located, SharedBuf};

use super::pool::Pool;
use super::{Converts, Element, TextKind, Utf8, Utf16};
use crate::error::{Cause, Error, Result};
use crate::fault::Fault;
use crate::session::Context;

/// Bytes of a reference.
pub(super) const REFERENCE: usize = reference::SIZE;

/// Where data lies, as the worker says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reference {
    pub(super) place: Place,
    pub(super) length: u64,
}

/// What is wrong with what a worker says.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bad {
    /// It broke this rule of the protocol.
    Violation(&'static str),
    /// The library says what cannot be.
    Lie(&'static str),
    /// It is more than this host will hold.
    TooMuch,
    /// An earlier datum was a lie, and the worker is gone.
    Lost,
}

/// The memory granted to a call, and how much of it was copied.
pub(super) struct Granted<'a> {
    /// The lane of the call and its data memory, unless the worker is gone.
    pub(super) memory: Option<(&'a HostLane, &'a Arena)>,
    /// What of it was copied already.
    pub(super) pool: Option<&'a Pool>,
    /// What the call lent.
    pub(super) lent: &'a [Lent],
    /// Bytes of the result block that are no data.
    pub(super) fixed: usize,
    pub(super) limit: u64,
    /// References may overlap, copies do not.
    pub(super) copied: &'a mut u64,
}

/// Data of the worker.
enum Found<'a> {
    /// They were copied already.
    Here(&'a [u8]),
    /// They lie in its memory.
    There(Located<'a>),
    /// They are the first bytes of a buffer that it was lent.
    Lent(&'a Lent, u64),
}

impl Granted<'_> {
    /// The data of a reference; `None` for a null one.
    pub(super) fn copy(&mut self, from: Reference) -> std::result::Result<Option<Vec<u8>>, Bad> {
        match self.locate(from)? {
            None => Ok(None),
            Some(Found::Here(data)) => Ok(Some(data.to_vec())),
            Some(Found::There(found)) => {
                let mut data = Vec::new();
                if found.append_to(&mut data) { Ok(Some(data)) } else { Err(Bad::TooMuch) }
            }
            Some(Found::Lent(lent, length)) => {
                let mut data = Vec::new();
                if lent.append_to(length, &mut data) { Ok(Some(data)) } else { Err(Bad::TooMuch) }
            }
        }
    }

    /// How many bytes of a buffer hold the data of a reference. They are there, if the buffer was lent, or are copied into it.
    pub(super) fn fill(
        &mut self,
        from: Reference,
        buffer: &mut SharedBuf,
    ) -> std::result::Result<usize, Bad> {
        let Some(lent) = self.lent.iter().find(|lent| lent.is_of(buffer)).map(Lent::place) else {
            let data = self.copy(from)?.unwrap_or_default();
            if data.len() > buffer.len() {
                return Err(Bad::Violation("a result is longer than the buffer that is to hold it"));
            }
            buffer.copy_from(0, &data);
            return Ok(data.len());
        };
        match self.locate(from)? {
            Some(Found::Lent(_, length)) if from.place == lent => Ok(length as usize),
            _ => Err(Bad::Violation("a result does not lie in the buffer that was lent for it")),
        }
    }

    /// Copies the data of a reference, which are as many as `into` has room for. False for a null reference.
    #[inline]
    pub(super) fn copy_to(&mut self, from: Reference, into: &mut [u8]) -> std::result::Result<bool, Bad> {
        let same = match self.locate(from)? {
            None => return Ok(false),
            Some(Found::Here(data)) if data.len() == into.len() => {
                into.copy_from_slice(data);
                true
            }
            Some(Found::Here(_) | Found::Lent(..)) => false,
            Some(Found::There(found)) => found.copy_to(into),
        };
        if same {
            Ok(true)
        } else {
            Err(Bad::Violation("a structure has another size than its contract says"))
        }
    }

    /// As [`Granted::copy`], of data that stay in their window. What came with the reply is copied all the same.
    pub(super) fn hold(&mut self, from: Reference) -> std::result::Result<Option<SharedBuf>, Bad> {
        let held = self.memory.and_then(|(_, arena)| arena.hold(from.place, from.length));
        match held {
            Some(held) => self.locate(from).map(|_| Some(held)),
            None => self.copy(from).map(|data| data.map(SharedBuf::copied)),
        }
    }

    /// Where the data lie, counted.
    #[inline]
    fn locate(&mut self, from: Reference) -> std::result::Result<Option<Found<'_>>, Bad> {
        if from.place.is_null() {
            return Ok(None);
        }
        if from.length == wire::LENGTH_IMPOSSIBLE {
            return Err(Bad::Lie(
                "the library claims to have written more than a result buffer holds, or less than nothing",
            ));
        }
        let (lane, arena) = self.memory.ok_or(Bad::Lost)?;
        let lent = self.lent.iter().find(|lent| lent.place() == from.place && from.length <= lent.length());
        if let Some(lent) = lent {
            return Ok(Some(Found::Lent(lent, from.length)));
        }
        let found = match self.pool.and_then(|pool| pool.find(from)) {
            Some(data) => Found::Here(data),
            None => Found::There(
                lane.locate(arena, self.fixed, from.place, from.length)
                    .ok_or(Bad::Violation("a result lies outside of the memory granted to its call"))?,
            ),
        };
        *self.copied = self.copied.saturating_add(from.length);
        if *self.copied > self.limit { Err(Bad::TooMuch) } else { Ok(Some(found)) }
    }
}

/// Something with references into a worker's memory.
pub(crate) trait Reads {
    /// Copies the data of a reference.
    fn fetch(&mut self, from: Reference) -> Result<Option<Vec<u8>>>;

    /// The error for what is wrong. It has its consequences for the worker.
    fn bad(&mut self, bad: Bad) -> Error;

    /// The call, for errors.
    fn context(&self) -> &Context;

    /// What must not be null.
    fn promised<T>(&mut self, value: Option<T>) -> Result<T> {
        value
            .ok_or_else(|| self.bad(Bad::Lie("the library returned NULL where its contract promises a text")))
    }

    fn read_text(&mut self, from: Reference) -> Result<Option<String>> {
        self.fetch(from)?.map(|bytes| self.decoded::<Utf8>(bytes)).transpose()
    }

    fn read_text_utf16(&mut self, from: Reference) -> Result<Option<String>> {
        self.fetch(from)?.map(|bytes| self.decoded::<Utf16>(bytes)).transpose()
    }

    fn read_converted<K: Converts>(&mut self, from: Reference) -> Result<Option<String>> {
        self.fetch(from)?.map(|bytes| self.decoded::<K>(bytes)).transpose()
    }

    fn read_elements<T: Element>(&mut self, from: Reference) -> Result<Vec<T>> {
        Ok(self.read_opt_elements(from)?.unwrap_or_default())
    }

    fn read_opt_elements<T: Element>(&mut self, from: Reference) -> Result<Option<Vec<T>>> {
        let Some(data) = self.fetch(from)? else { return Ok(None) };
        self.whole(data.len(), T::SIZE)?;
        let mut elements = Vec::new();
        if elements.try_reserve_exact(data.len() / T::SIZE).is_err() {
            return Err(self.bad(Bad::TooMuch));
        }
        elements.extend(data.chunks_exact(T::SIZE).map(T::read));
        Ok(Some(elements))
    }

    /// That so many bytes are elements of this size.
    fn whole(&mut self, bytes: usize, size: usize) -> Result<()> {
        match bytes.is_multiple_of(size) {
            true => Ok(()),
            false => Err(self.bad(Bad::Violation("a result has no whole number of elements"))),
        }
    }

    /// Texts behind an array of references.
    fn read_texts(&mut self, from: Reference) -> Result<Vec<Option<Vec<u8>>>> {
        Ok(self.read_opt_texts(from)?.unwrap_or_default())
    }

    /// Texts behind an array of references, if there is one.
    fn read_opt_texts(&mut self, from: Reference) -> Result<Option<Vec<Option<Vec<u8>>>>> {
        let Some(data) = self.fetch(from)? else { return Ok(None) };
        if !data.len().is_multiple_of(REFERENCE) {
            return Err(self.bad(Bad::Violation("an array of texts has no whole number of references")));
        }
        let mut texts = Vec::new();
        if texts.try_reserve_exact(data.len() / REFERENCE).is_err() {
            return Err(self.bad(Bad::TooMuch));
        }
        for bytes in data.chunks_exact(REFERENCE) {
            texts.push(self.fetch(Reference::read(bytes))?);
        }
        Ok(Some(texts))
    }

    /// A text in its encoding.
    fn decoded<K: TextKind>(&self, bytes: Vec<u8>) -> Result<K::Text> {
        K::read(bytes).map_err(|(encoding, position)| {
            self.bad_encoding(format!("a text of the library is not {encoding} at byte {position}"))
        })
    }

    fn bad_encoding(&self, message: String) -> Error {
        let fault = Fault { kind: ErrorKind::BadEncoding, cause: Cause::None, message };
        self.context().error(fault, Executed::Yes, String::new())
    }
}

impl Reference {
    /// The reference in exactly [`REFERENCE`] bytes.
    pub(super) fn read(bytes: &[u8]) -> Reference {
        let number = |at: usize| u64::read(&bytes[at..at + size_of::<u64>()]);
        Reference { place: Place::from_raw(number(reference::PLACE)), length: number(reference::LENGTH) }
    }

    /// The bytes of a reference.
    pub(super) fn bytes(place: Place, length: u64) -> [u8; REFERENCE] {
        let mut bytes = [0; REFERENCE];
        bytes[reference::PLACE..][..size_of::<u64>()].copy_from_slice(&place.raw().to_ne_bytes());
        bytes[reference::LENGTH..][..size_of::<u64>()].copy_from_slice(&length.to_ne_bytes());
        bytes
    }
}

/// The numbers of a block, by their offsets: methods for a type that has `bytes(offset, length)`.
macro_rules! numbers {
    () => {
        numbers!(get_u8: u8, get_u16: u16, get_u32: u32, get_u64: u64, get_i8: i8, get_i16: i16);
        numbers!(get_i32: i32, get_i64: i64, get_f32: f32, get_f64: f64);
    };
    ($($name:ident: $t:ty),*) => { $(
        /// The number at an offset of the block.
        #[inline]
        pub fn $name(&self, offset: usize) -> $t {
            <$t as Element>::read(self.bytes(offset, size_of::<$t>()))
        }
    )* };
}

/// Data by the offset of its reference: methods for a type that [`Reads`] and has `reference(offset)`.
macro_rules! data {
    () => {
        /// The data a reference points to; a null reference is empty.
        pub fn buffer(&mut self, offset: usize) -> Result<Vec<u8>> {
            Ok(self.opt_buffer(offset)?.unwrap_or_default())
        }

        /// The data a reference points to, if it is not null.
        pub fn opt_buffer(&mut self, offset: usize) -> Result<Option<Vec<u8>>> {
            self.fetch(self.reference(offset))
        }

        /// The numbers a reference points to; a null reference is empty.
        pub fn elements<T: Element>(&mut self, offset: usize) -> Result<Vec<T>> {
            self.read_elements(self.reference(offset))
        }

        /// The numbers a reference points to, if it is not null.
        pub fn opt_elements<T: Element>(&mut self, offset: usize) -> Result<Option<Vec<T>>> {
            self.read_opt_elements(self.reference(offset))
        }

        /// The UTF-8 text a reference points to; a null reference is an error here.
        pub fn text(&mut self, offset: usize) -> Result<String> {
            let text = self.opt_text(offset)?;
            self.promised(text)
        }

        /// The UTF-8 text a reference points to, if it is not null.
        pub fn opt_text(&mut self, offset: usize) -> Result<Option<String>> {
            self.read_text(self.reference(offset))
        }

        /// The UTF-16 text a reference points to; a null reference is an error here.
        pub fn text_utf16(&mut self, offset: usize) -> Result<String> {
            let text = self.opt_text_utf16(offset)?;
            self.promised(text)
        }

        /// The UTF-16 text a reference points to, if it is not null.
        pub fn opt_text_utf16(&mut self, offset: usize) -> Result<Option<String>> {
            self.read_text_utf16(self.reference(offset))
        }

        /// The text a reference points to, in this encoding; a null reference is an error here.
        pub fn converted<K: crate::rt::Converts>(&mut self, offset: usize) -> Result<String> {
            let text = self.opt_converted::<K>(offset)?;
            self.promised(text)
        }

        /// The text a reference points to, in this encoding, if it is not null.
        pub fn opt_converted<K: crate::rt::Converts>(&mut self, offset: usize) -> Result<Option<String>> {
            self.read_converted::<K>(self.reference(offset))
        }

        /// The bytes of a text; a null reference is an error here.
        pub fn text_bytes(&mut self, offset: usize) -> Result<Vec<u8>> {
            let text = self.opt_buffer(offset)?;
            self.promised(text)
        }

        /// The bytes of a text, if it is not null.
        pub fn opt_text_bytes(&mut self, offset: usize) -> Result<Option<Vec<u8>>> {
            self.opt_buffer(offset)
        }
    };
}

pub(super) use {data, numbers};

#[cfg(test)]
mod tests;
