//! Structures: their images, as they cross.

use hotcell_protocol::wire::reference;
use hotcell_protocol::{Place, RawHandle};
use hotcell_shm::bytes_of;

use super::arguments::Arguments;
use super::passed::Usage;
use super::reading::{Bad, REFERENCE, Reads, Reference, numbers};
use super::references::Offsets;
use super::{Call, Converts, Element, Handle, Reply, TextKind, Utf8};
use crate::error::Result;

/// The image of a structure, in private memory: its declared fields at their offsets. What a field refers to is put
/// into a call, or read from a reply, which the methods take.
///
/// The image of a resident structure starts with its handle.
#[derive(Debug, Clone)]
pub struct Image {
    bytes: Bytes,
    /// Where in it references to data of a call were written.
    references: Offsets,
    /// Where the reference to it lay in a result block.
    from: usize,
}

/// The bytes of an image. Those of most structures are few, and need no memory of their own.
#[derive(Debug, Clone)]
enum Bytes {
    Few([u8; FEW], usize),
    Many(Vec<u8>),
}

/// The most that are few.
const FEW: usize = 64;

impl Bytes {
    #[inline]
    fn zeros(size: usize) -> Bytes {
        if size <= FEW { Bytes::Few([0; FEW], size) } else { Bytes::Many(vec![0; size]) }
    }

    #[inline]
    fn as_slice(&self) -> &[u8] {
        match self {
            Bytes::Few(bytes, size) => &bytes[..*size],
            Bytes::Many(bytes) => bytes,
        }
    }

    #[inline]
    fn as_mut_slice(&mut self) -> &mut [u8] {
        match self {
            Bytes::Few(bytes, size) => &mut bytes[..*size],
            Bytes::Many(bytes) => bytes,
        }
    }
}

macro_rules! put {
    ($($name:ident: $t:ty),*) => { $(
        /// Writes a number at an offset.
        pub fn $name(&mut self, offset: usize, value: $t) {
            self.put(offset, &value.to_ne_bytes());
        }
    )* };
}

impl Image {
    /// An image of so many bytes, all zero.
    pub fn new(size: usize) -> Image {
        Image::of_result(size, 0)
    }

    /// One that is to be read from a result, which refers to it there.
    #[inline]
    pub(super) fn of_result(size: usize, from: usize) -> Image {
        Image { bytes: Bytes::zeros(size), references: Offsets::default(), from }
    }

    /// One that came as these bytes.
    pub(super) fn of_bytes(bytes: Vec<u8>) -> Image {
        Image { bytes: Bytes::Many(bytes), references: Offsets::default(), from: 0 }
    }

    put!(put_u8: u8, put_u16: u16, put_u32: u32, put_u64: u64, put_i8: i8, put_i16: i16, put_i32: i32);
    put!(put_i64: i64, put_f32: f32, put_f64: f64);
    numbers!();

    /// Writes the numbers of an array.
    pub fn put_array<T: Element>(&mut self, offset: usize, elements: &[T]) {
        self.put(offset, bytes_of(elements));
    }

    /// The numbers of an array.
    pub fn array<T: Element, const N: usize>(&self, offset: usize) -> [T; N] {
        std::array::from_fn(|index| T::read(self.bytes(offset + index * T::SIZE, T::SIZE)))
    }

    /// Writes a text into an array of so many characters. It must be shorter, and hold no NUL.
    pub fn put_text_array(
        &mut self,
        call: &mut impl Arguments,
        offset: usize,
        name: &str,
        text: &[u8],
        length: usize,
    ) -> Result<()> {
        if text.len() >= length {
            let wrong = format!("`{name}` has {} bytes; the array holds {}", text.len(), length - 1);
            return Err(call.wrong(name, wrong));
        }
        if text.contains(&0) {
            return Err(call.wrong(name, format!("`{name}` has a NUL, which would end it")));
        }
        self.put(offset, text);
        Ok(())
    }

    /// Writes a text into an array of so many characters, which it may fill, and `pad` behind it. It must hold no NUL.
    pub fn put_padded_text(
        &mut self,
        call: &mut impl Arguments,
        offset: usize,
        name: &str,
        text: &[u8],
        (length, pad): (usize, u8),
    ) -> Result<()> {
        if text.len() > length {
            let wrong = format!("`{name}` has {} bytes; the array holds {length}", text.len());
            return Err(call.wrong(name, wrong));
        }
        if text.contains(&0) {
            return Err(call.wrong(name, format!("`{name}` has a NUL, which would end it")));
        }
        self.put(offset, text);
        self.put(offset + text.len(), &vec![pad; length - text.len()]);
        Ok(())
    }

    /// The UTF-8 text in an array of so many characters, without the spaces behind it.
    pub fn spaced_text(&self, reply: &mut Reply<'_>, offset: usize, length: usize) -> Result<String> {
        reply.decoded::<Utf8>(self.spaced(offset, length))
    }

    /// As [`Image::spaced_text`], for a text that need not be UTF-8.
    pub fn spaced_bytes(&self, _reply: &mut Reply<'_>, offset: usize, length: usize) -> Result<Vec<u8>> {
        Ok(self.spaced(offset, length))
    }

    /// The bytes up to the spaces at the end, or to the first NUL.
    pub(crate) fn spaced(&self, offset: usize, length: usize) -> Vec<u8> {
        let mut text = self.array_text(offset, length);
        let end = text.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1);
        text.truncate(end);
        text
    }

    /// The UTF-8 text in an array of so many characters.
    pub fn text_array(&self, reply: &mut Reply<'_>, offset: usize, length: usize) -> Result<String> {
        reply.decoded::<Utf8>(self.array_text(offset, length))
    }

    /// The bytes of the text in an array of so many characters.
    pub fn bytes_array(&self, _reply: &mut Reply<'_>, offset: usize, length: usize) -> Result<Vec<u8>> {
        Ok(self.array_text(offset, length))
    }

    /// The bytes up to the first NUL.
    pub(crate) fn array_text(&self, offset: usize, length: usize) -> Vec<u8> {
        self.bytes(offset, length).iter().copied().take_while(|byte| *byte != 0).collect()
    }

    /// Copies the image of a structure that a field points to into the call.
    pub fn put_image(
        &mut self,
        call: &mut impl Arguments,
        offset: usize,
        name: &str,
        image: &Image,
    ) -> Result<()> {
        let place = call.place_image(name, image)?;
        self.put_reference(offset, place, image.whole().len() as u64);
        Ok(())
    }

    /// The image of the structure that a field points to, which has `size` bytes, if it is not null.
    pub fn image(&self, reply: &mut Reply<'_>, offset: usize, size: usize) -> Result<Option<Image>> {
        reply.image_at(self.reference(offset), size)
    }

    /// The images of the structures that a field points to, each of that size, and how many, if it is not null.
    pub fn images(
        &self,
        reply: &mut Reply<'_>,
        offset: usize,
        size: usize,
    ) -> Result<Option<(Image, usize)>> {
        reply.images_at(self.reference(offset), size)
    }

    /// The texts that a field points to, any of which may be null; a null reference is none.
    pub fn texts<K: TextKind>(&self, reply: &mut Reply<'_>, offset: usize) -> Result<Vec<Option<K::Text>>> {
        let Some(list) = reply.read_opt_texts(self.reference(offset))? else { return Ok(Vec::new()) };
        let mut texts = Vec::new();
        for text in list {
            texts.push(text.map(|bytes| reply.decoded::<K>(bytes)).transpose()?);
        }
        Ok(texts)
    }

    /// As [`Image::texts`], where a NULL ends them.
    pub fn ended_texts<K: TextKind>(&self, reply: &mut Reply<'_>, offset: usize) -> Result<Vec<K::Text>> {
        Ok(self.texts::<K>(reply, offset)?.into_iter().flatten().collect())
    }

    /// Writes a null reference.
    pub fn put_null(&mut self, offset: usize) {
        self.put_reference(offset, Place::NULL, 0);
    }

    /// Copies a text into the call, with a NUL behind it, and writes a reference to it.
    pub fn put_text(
        &mut self,
        call: &mut impl Arguments,
        offset: usize,
        name: &str,
        text: &str,
    ) -> Result<()> {
        self.put_text_bytes(call, offset, name, text.as_bytes())
    }

    /// As [`Image::put_text`], for a text that need not be UTF-8.
    pub fn put_text_bytes(
        &mut self,
        call: &mut impl Arguments,
        offset: usize,
        name: &str,
        text: &[u8],
    ) -> Result<()> {
        let place = call.place_text(name, text)?;
        self.put_reference(offset, place, text.len() as u64);
        Ok(())
    }

    /// As [`Image::put_text`], for a library that takes UTF-16.
    pub fn put_text_utf16(
        &mut self,
        call: &mut impl Arguments,
        offset: usize,
        name: &str,
        text: &str,
    ) -> Result<()> {
        let (place, length) = call.place_text_utf16(name, text)?;
        self.put_reference(offset, place, length);
        Ok(())
    }

    /// As [`Image::put_text`], for a library that takes another encoding.
    pub fn put_converted<K: Converts>(
        &mut self,
        call: &mut impl Arguments,
        offset: usize,
        name: &str,
        text: &str,
    ) -> Result<()> {
        let (place, length) = call.place_converted::<K>(name, text)?;
        self.put_reference(offset, place, length);
        Ok(())
    }

    /// Copies data into the call and writes a reference to it.
    pub fn put_buffer(
        &mut self,
        call: &mut impl Arguments,
        offset: usize,
        name: &str,
        data: &[u8],
    ) -> Result<()> {
        let place = call.place(name, data)?;
        self.put_reference(offset, place, data.len() as u64);
        Ok(())
    }

    /// Copies numbers into the call and writes a reference to them.
    pub fn put_elements<T: Element>(
        &mut self,
        call: &mut impl Arguments,
        offset: usize,
        name: &str,
        elements: &[T],
    ) -> Result<()> {
        self.put_buffer(call, offset, name, bytes_of(elements))
    }

    /// Writes the handle of a resident structure. Without one the library makes the object.
    pub fn put_resident(
        &mut self,
        call: &mut Call<'_>,
        name: &str,
        handle: Option<&Handle>,
        kind: u16,
    ) -> Result<()> {
        let raw = match handle {
            Some(handle) => call.pass(name, handle, kind, Usage::Alone)?,
            None => RawHandle::NONE,
        };
        self.put_u64(0, raw.raw());
        Ok(())
    }

    /// Writes that a resident structure has no object yet, for a call that begins it. One that is there is an error: it
    /// ends before another begins.
    pub fn put_new(
        &mut self,
        call: &mut Call<'_>,
        name: &str,
        handle: Option<&Handle>,
        kind: u16,
    ) -> Result<()> {
        if let Some(handle) = handle {
            // One that is gone says so.
            call.pass(name, handle, kind, Usage::Kept)?;
            let message = format!("`{name}` is there already: end it first, or take a new one");
            return Err(call.invalid_argument(name, message));
        }
        self.put_resident(call, name, None, kind)
    }

    /// Writes the handle of a resident structure whose object ends with the call.
    pub fn put_consumed(
        &mut self,
        call: &mut Call<'_>,
        name: &str,
        handle: &Handle,
        kind: u16,
    ) -> Result<()> {
        let raw = call.pass(name, handle, kind, Usage::Consumed)?;
        self.put_u64(0, raw.raw());
        Ok(())
    }

    /// The object of a resident structure: a new one, when there was none.
    pub fn resident(
        &self,
        reply: &mut Reply<'_>,
        kind: u16,
        handle: &mut Option<Handle>,
        parent: Option<&Handle>,
    ) -> Result<()> {
        let raw = RawHandle::from_raw(self.get_u64(0));
        match handle {
            Some(handle) if handle.object().raw == raw => {}
            // Of a call that failed: where none was, none has begun.
            None if raw.is_none() && reply.call.failure.is_some() => {}
            Some(_) => {
                return Err(reply.bad(Bad::Violation("a resident structure came back as another object")));
            }
            None => *handle = Some(reply.adopt(self.from, raw, kind, true, parent)?),
        }
        Ok(())
    }

    /// The data a field refers to; a null reference is empty.
    pub fn buffer(&self, reply: &mut Reply<'_>, offset: usize) -> Result<Vec<u8>> {
        Ok(reply.fetch(self.reference(offset))?.unwrap_or_default())
    }

    /// The numbers a field refers to; a null reference is empty.
    pub fn elements<T: Element>(&self, reply: &mut Reply<'_>, offset: usize) -> Result<Vec<T>> {
        reply.read_elements(self.reference(offset))
    }

    /// The UTF-8 text a field refers to; a null reference is an error here.
    pub fn text(&self, reply: &mut Reply<'_>, offset: usize) -> Result<String> {
        let text = self.opt_text(reply, offset)?;
        reply.promised(text)
    }

    /// The UTF-8 text a field refers to, if it is not null.
    pub fn opt_text(&self, reply: &mut Reply<'_>, offset: usize) -> Result<Option<String>> {
        reply.read_text(self.reference(offset))
    }

    /// The UTF-16 text a field refers to; a null reference is an error here.
    pub fn text_utf16(&self, reply: &mut Reply<'_>, offset: usize) -> Result<String> {
        let text = self.opt_text_utf16(reply, offset)?;
        reply.promised(text)
    }

    /// The UTF-16 text a field refers to, if it is not null.
    pub fn opt_text_utf16(&self, reply: &mut Reply<'_>, offset: usize) -> Result<Option<String>> {
        reply.read_text_utf16(self.reference(offset))
    }

    /// The text a field refers to, in this encoding; a null reference is an error here.
    pub fn converted<K: Converts>(&self, reply: &mut Reply<'_>, offset: usize) -> Result<String> {
        let text = self.opt_converted::<K>(reply, offset)?;
        reply.promised(text)
    }

    /// The text a field refers to, in this encoding, if it is not null.
    pub fn opt_converted<K: Converts>(&self, reply: &mut Reply<'_>, offset: usize) -> Result<Option<String>> {
        reply.read_converted::<K>(self.reference(offset))
    }

    /// The bytes of a text; a null reference is an error here.
    pub fn text_bytes(&self, reply: &mut Reply<'_>, offset: usize) -> Result<Vec<u8>> {
        let text = self.opt_text_bytes(reply, offset)?;
        reply.promised(text)
    }

    /// The bytes of a text, if it is not null.
    pub fn opt_text_bytes(&self, reply: &mut Reply<'_>, offset: usize) -> Result<Option<Vec<u8>>> {
        reply.fetch(self.reference(offset))
    }

    /// By how many of its `most` bytes the library advanced a pointer to data that went in.
    pub fn advanced(&self, reply: &mut Reply<'_>, offset: usize, most: usize) -> Result<usize> {
        let length = self.reference(offset).length;
        reply.within(length, most)
    }

    pub(super) fn whole(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// Where in it references were written.
    #[inline]
    pub(super) fn references(&self) -> &Offsets {
        &self.references
    }

    /// Where the reference to it lies in a result block.
    #[inline]
    pub(super) fn from(&self) -> usize {
        self.from
    }

    #[inline]
    pub(super) fn whole_mut(&mut self) -> &mut [u8] {
        self.bytes.as_mut_slice()
    }

    fn put_reference(&mut self, offset: usize, place: Place, length: u64) {
        if !place.is_null() {
            self.references.add(offset);
        }
        self.put_u64(offset + reference::PLACE, place.raw());
        self.put_u64(offset + reference::LENGTH, length);
    }

    fn put(&mut self, offset: usize, bytes: &[u8]) {
        self.whole_mut()[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    pub(crate) fn reference(&self, offset: usize) -> Reference {
        Reference::read(self.bytes(offset, REFERENCE))
    }

    #[inline]
    pub(crate) fn bytes(&self, offset: usize, length: usize) -> &[u8] {
        &self.whole()[offset..offset + length]
    }
}
