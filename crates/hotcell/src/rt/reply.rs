//! A reply: results out. Everything is copied and checked; a lie costs the worker its life.

use std::ops::Range;
use std::panic::Location;

use hotcell_protocol::wire::{Refusal, ReplyState};
use hotcell_protocol::{Executed, RawHandle};
use hotcell_shm::{ReplyHead, SharedBuf};

use super::call::{SMALL, State};
use super::pool::Pool;
use super::reading::{Bad, Granted, REFERENCE, Reads, Reference, data, numbers};
use super::restore::Record;
use super::{Call, Element, Function, Handle, Image, OwnedField, Release, Repeated, Restore};
use crate::error::{Error, Result};
use crate::session::Context;

/// The results of a call that returned. It holds the session's worker until it is dropped, for the data it
/// refers to lies in the worker's memory. Objects the caller owns and does not take out are released.
#[derive(Debug)]
pub struct Reply<'s> {
    pub(super) call: Call<'s>,
}

impl<'s> Reply<'s> {
    #[inline(always)]
    pub(super) fn take(mut call: Call<'s>, head: ReplyHead) -> Result<Reply<'s>> {
        let size = usize::from(call.function.result_size);
        if (head.result_length as usize) < size {
            return Err(call.violation("a result block is shorter than the function's"));
        }
        call.copy_result(size);
        if head.state != ReplyState::Returned {
            call.setting = None;
        }
        Ok(Reply { call })
    }

    /// The replies of a batch, one after the other; none of them yet.
    pub(super) fn of_batch(mut call: Call<'s>) -> Reply<'s> {
        call.fixed = usize::from(call.function.result_size);
        Reply { call }
    }

    /// What was copied of a batch's reply memory.
    pub(super) fn pool(&self) -> &Pool {
        &self.call.pool
    }

    /// Takes it, when all was judged.
    pub(super) fn take_pool(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.call.pool).bytes
    }

    /// Turns away from the entry of a batch that was judged last, to one that errors tell by this. `lengths` are those of data
    /// that a failed call may give a place in.
    pub(super) fn turn_to(
        &mut self,
        function: &'static Function,
        (name, call_site): (&'static str, Option<&'static Location<'static>>),
        lengths: &[(u16, u64)],
    ) {
        self.let_go_of_rest();
        self.call.turn_to(function, (name, call_site), lengths);
    }

    /// Turns to the reply of an entry of a batch, whose result block starts there in what was copied.
    #[inline]
    pub(super) fn turn_to_entry(
        &mut self,
        function: &'static Function,
        call_site: &'static Location<'static>,
        start: usize,
        lengths: &[(u16, u64)],
    ) {
        self.let_go_of_rest();
        let call = &mut *self.call;
        call.turn_to(function, (function.name, Some(call_site)), lengths);
        let size = usize::from(function.result_size);
        let State { pool, small, large, .. } = call;
        if size > SMALL {
            return pool.bytes[start..start + size].clone_into(large);
        }
        match pool.bytes.get(start..start + SMALL) {
            // What is behind the block is not looked at: so many bytes are copied faster than as many as there are.
            Some(block) => small.copy_from_slice(block),
            None => small[..size].copy_from_slice(&pool.bytes[start..start + size]),
        }
    }

    /// The library has reported its own failure of this function.
    pub(super) fn count_failed(&self, function: u16) {
        self.call.turn.tally.failed(function);
    }

    /// Whether the worker is gone that the results are in.
    pub(super) fn is_lost(&self) -> bool {
        self.call.turn.live.is_none()
    }

    /// Behind this call objects may be free to go that another one kept.
    pub(super) fn may_let_go(&mut self) {
        self.call.turn.passed.may_let_go();
    }

    /// Which entries of a batch came to taking over what they use: by what objects each was passed, and how it ended.
    pub(super) fn taken_over(&self, entries: impl Iterator<Item = (Range<u32>, Option<ReplyState>)>) {
        self.call.turn.passed.taken_over(entries);
    }

    /// The error for an entry of a batch that was refused.
    pub(super) fn refusal(
        &mut self,
        number: usize,
        refusal: Option<Refusal>,
        name: &[u8],
        objects: bool,
    ) -> Error {
        let why = u32::try_from(number).ok().and_then(|number| self.call.no_segments.remove(&number));
        self.call.no_segment = why.map(Box::new);
        self.call.refusal(refusal, name, objects)
    }

    numbers!();
    data!();

    /// The data a reference points to; a null reference is an error here.
    pub fn promised_buffer(&mut self, offset: usize) -> Result<Vec<u8>> {
        let data = self.opt_buffer(offset)?;
        self.promised_data(data)
    }

    /// The data a reference points to, where the library wrote them; a null reference is empty.
    pub fn shared_buffer(&mut self, offset: usize) -> Result<SharedBuf> {
        let from = self.reference(offset);
        let held = self.granted(|granted| granted.hold(from))?;
        Ok(held.unwrap_or_else(|| SharedBuf::copied(Vec::new())))
    }

    /// The numbers a reference points to; a null reference is an error here.
    pub fn promised_elements<T: Element>(&mut self, offset: usize) -> Result<Vec<T>> {
        let data = self.opt_elements(offset)?;
        self.promised_data(data)
    }

    pub(crate) fn promised_data<T>(&mut self, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.bad(Bad::Lie("the library returned NULL where its contract promises data")))
    }

    /// How far the library came in an argument of `most` elements; `None` where it gave NULL.
    pub fn offset(&mut self, offset: usize, most: usize) -> Result<Option<usize>> {
        match self.get_i64(offset) {
            -1 => Ok(None),
            distance => self.within(u64::try_from(distance).unwrap_or(u64::MAX), most).map(Some),
        }
    }

    /// How far the library came in a text that went in as UTF-16, in bytes of that text as it is here; `None` where it
    /// gave NULL. A place in the middle of a character is `BadEncoding`.
    pub fn offset_utf16<'t>(
        &mut self,
        offset: usize,
        text: impl Into<Option<&'t str>>,
    ) -> Result<Option<usize>> {
        let text = text.into().unwrap_or_default();
        let Some(units) = self.offset(offset, text.encode_utf16().count())? else { return Ok(None) };
        let mut passed = 0;
        for (place, letter) in text.char_indices() {
            if passed >= units {
                return self.whole_letters(passed == units).map(|()| Some(place));
            }
            passed += letter.len_utf16();
        }
        self.whole_letters(passed == units).map(|()| Some(text.len()))
    }

    /// How far the library came in a text that went in with one unit for each character, in bytes of that text as it is
    /// here; `None` where it gave NULL.
    pub fn offset_converted<'t>(
        &mut self,
        offset: usize,
        text: impl Into<Option<&'t str>>,
    ) -> Result<Option<usize>> {
        let text = text.into().unwrap_or_default();
        let Some(letters) = self.offset(offset, text.chars().count())? else { return Ok(None) };
        Ok(Some(text.char_indices().nth(letters).map_or(text.len(), |(place, _)| place)))
    }

    fn whole_letters(&self, whole: bool) -> Result<()> {
        match whole {
            true => Ok(()),
            false => Err(self.bad_encoding("the library came to the middle of a character of UTF-16".into())),
        }
    }

    /// An object of this type. `parent` is what must outlive it; NULL is an error here.
    pub fn handle(
        &mut self,
        offset: usize,
        kind: u16,
        owned: bool,
        parent: Option<&Handle>,
    ) -> Result<Handle> {
        let handle = self.opt_handle(offset, kind, owned, parent)?;
        handle.ok_or_else(|| {
            self.bad(Bad::Lie("the library returned NULL where its contract promises an object"))
        })
    }

    /// An object of this type, if it is not NULL.
    pub fn opt_handle(
        &mut self,
        offset: usize,
        kind: u16,
        owned: bool,
        parent: Option<&Handle>,
    ) -> Result<Option<Handle>> {
        let raw = RawHandle::from_raw(self.get_u64(offset));
        if raw.is_none() {
            return Ok(None);
        }
        let handle = self.adopt(offset, raw, kind, owned, parent)?;
        if owned && let Some(restore) = self.call.session().restores().of(kind) {
            self.keep_made(&handle, offset, restore);
        }
        Ok(Some(handle))
    }

    /// Keeps what the call was given that has made an object, so that it can be made anew.
    #[cold]
    fn keep_made(&self, handle: &Handle, offset: usize, restore: &'static Restore) {
        let call = &self.call;
        let makes = |it: &&Repeated| it.function == call.index && usize::from(it.object) == offset;
        let made = match restore.by.iter().find(makes) {
            _ if !call.is_alone() => Err("it was made in a batch or in a pipeline".to_owned()),
            None => Err(format!("its contract does not say so of what `{}` makes", call.function.name)),
            Some(repeated) => Record::of(call, repeated).map_err(|why| why.says(call.function.name)),
        };
        handle.made_by(restore, made);
    }

    /// The image of a structure, which has `size` bytes; a null reference is an error here.
    #[inline]
    pub fn image(&mut self, offset: usize, size: usize) -> Result<Image> {
        let mut image = Image::of_result(size, offset);
        self.fill_promised(&mut image)?;
        Ok(image)
    }

    /// The image of a structure, if the reference is not null.
    #[inline]
    pub fn opt_image(&mut self, offset: usize, size: usize) -> Result<Option<Image>> {
        let mut image = Image::of_result(size, offset);
        Ok(if self.fill(&mut image)? { Some(image) } else { None })
    }

    /// The images of structures one behind the other, each of that size, and how many; a null reference is an error here.
    pub fn promised_images(&mut self, offset: usize, size: usize) -> Result<(Image, usize)> {
        let images = self.opt_images(offset, size)?;
        self.promised_data(images)
    }

    /// As [`Reply::promised_images`], if the reference is not null.
    pub fn opt_images(&mut self, offset: usize, size: usize) -> Result<Option<(Image, usize)>> {
        let from = self.reference(offset);
        self.images_at(from, size)
    }

    /// The images that a reference points to.
    pub(crate) fn images_at(&mut self, from: Reference, size: usize) -> Result<Option<(Image, usize)>> {
        let Some(bytes) = self.fetch(from)? else { return Ok(None) };
        self.whole(bytes.len(), size)?;
        let count = bytes.len() / size.max(1);
        Ok(Some((Image::of_bytes(bytes), count)))
    }

    /// The image of one structure, which has `size` bytes, that a reference points to.
    pub(crate) fn image_at(&mut self, from: Reference, size: usize) -> Result<Option<Image>> {
        let mut image = Image::new(size);
        Ok(self.granted(|granted| granted.copy_to(from, image.whole_mut()))?.then_some(image))
    }

    /// Puts what a call filled behind the first `start` elements of what is there. `room` is how many there was room for
    /// when the call was made; where it began is what an earlier reply said, which is worth no more than this one.
    pub fn append<T: Element>(
        &mut self,
        data: &mut Vec<T>,
        filled: Vec<T>,
        start: usize,
        room: usize,
    ) -> Result<()> {
        if filled.is_empty() {
            return Ok(());
        }
        let Some(end) = start.checked_add(filled.len()).filter(|&end| end <= room) else {
            return Err(self.bad(Bad::Lie("the library claims to have filled more memory than there was")));
        };
        // What is missing in front is made here, and counts as what is copied does.
        let missing = start.saturating_sub(data.len()).saturating_mul(T::SIZE);
        self.call.copied = self.call.copied.saturating_add(missing as u64);
        let much = self.call.copied > self.call.max_output();
        if much || data.try_reserve_exact(end.saturating_sub(data.len())).is_err() {
            return Err(self.bad(Bad::TooMuch));
        }
        data.resize(start, T::read(&[0; 8][..T::SIZE]));
        data.extend(filled);
        Ok(())
    }

    /// Copies the bytes of an image, where it lies: an image is too big to be handed from function to function. False
    /// for a null reference.
    fn fill(&mut self, image: &mut Image) -> Result<bool> {
        let from = self.reference(image.from());
        self.granted(|granted| granted.copy_to(from, image.whole_mut()))
    }

    /// As [`Reply::fill`]; a null reference is an error here.
    fn fill_promised(&mut self, image: &mut Image) -> Result<()> {
        match self.fill(image)? {
            true => Ok(()),
            false => {
                Err(self.bad(Bad::Lie("the library returned NULL where its contract promises a structure")))
            }
        }
    }

    pub(super) fn function(&self) -> &'static Function {
        self.call.function
    }

    /// Bytes of the data that were passed at an offset of the argument block.
    pub(super) fn argument_length(&self, offset: u16) -> u64 {
        self.call.length_of(offset)
    }

    /// A number of elements that cannot be more than `most`.
    pub(super) fn within(&mut self, count: u64, most: usize) -> Result<usize> {
        match usize::try_from(count).ok().filter(|&count| count <= most) {
            Some(count) => Ok(count),
            None => Err(self.bad(Bad::Lie("the library claims to have come further than its argument goes"))),
        }
    }

    /// An object the worker speaks of, found at an offset of the result block.
    pub(super) fn adopt(
        &mut self,
        offset: usize,
        raw: RawHandle,
        kind: u16,
        owned: bool,
        parent: Option<&Handle>,
    ) -> Result<Handle> {
        if raw.kind() != kind || raw.generation() == 0 {
            return Err(self.bad(Bad::Violation("an object has another type than its contract says")));
        }
        if owned {
            let field = self.call.function.owned.iter().position(|field| usize::from(field.offset) == offset);
            self.call.taken |= field.map_or(0, bit);
        }
        let session = self.call.session();
        match Handle::known(session, self.call.context.generation, raw) {
            Some(known) if owned && known.is_owned() => {
                return Err(self.bad(Bad::Violation("an object that is there came out as a new one")));
            }
            // A call on another thread may have been lent it before this one came to it.
            Some(_) if owned => {}
            Some(known) => return Ok(known),
            None => {}
        }
        let release = self.release_of(offset, kind);
        let place = (self.call.context.generation, self.call.turn.number());
        Ok(Handle::new(session, place, raw, owned, release, parent))
    }

    /// How the object at an offset of the result block is released.
    fn release_of(&self, offset: usize, kind: u16) -> Option<Release> {
        let field = self.call.function.owned.iter().find(|field| usize::from(field.offset) == offset);
        let of_type = || self.call.session().handle_type(kind).and_then(|it| it.release);
        field.and_then(|field| field.release).or_else(of_type)
    }

    /// Releases the objects that nobody took out.
    #[inline]
    fn let_go_of_rest(&mut self) {
        let owned = self.call.function.owned;
        if !owned.is_empty() {
            self.let_go_of(owned);
        }
    }

    #[cold]
    fn let_go_of(&mut self, owned: &'static [OwnedField]) {
        for (index, field) in owned.iter().enumerate() {
            if self.call.taken & bit(index) == 0 {
                self.let_go(field);
            }
        }
    }

    /// Releases an object of the result block that nobody took out. A resident structure that went in is its
    /// caller's as before.
    fn let_go(&mut self, field: &OwnedField) {
        let offset = usize::from(field.offset);
        // What was copied before does not count: an object must not stay because the results are long.
        let copied = std::mem::take(&mut self.call.copied);
        let raw = match field.image {
            0 => Some(self.get_u64(offset)),
            size => self.opt_image(offset, size as usize).ok().flatten().map(|image| image.get_u64(0)),
        };
        self.call.copied = copied;
        let Some(raw) = raw else { return };
        let raw = RawHandle::from_raw(raw);
        if raw.kind() == field.kind && raw.generation() != 0 && !self.call.turn.passed.has(raw) {
            let release = self.release_of(offset, field.kind);
            let claim = self.call.turn.claim(field.kind);
            self.call.session().release(self.call.context.generation, raw, release, claim);
        }
    }

    /// Reads in the memory that was granted to the call.
    #[inline]
    pub(super) fn granted<T>(
        &mut self,
        read: impl FnOnce(&mut Granted<'_>) -> std::result::Result<T, Bad>,
    ) -> Result<T> {
        if self.call.session().is_forked() {
            return Err(self.call.context.forked(Executed::Yes));
        }
        let limit = self.call.max_output();
        let (live, state) = self.call.turn.parts();
        let State { fixed, copied, pool, lent, .. } = state;
        let memory = live.map(|live| live.memory());
        let read = read(&mut Granted { memory, pool: Some(pool), lent, fixed: *fixed, limit, copied });
        read.map_err(|bad| self.bad(bad))
    }

    #[inline]
    pub(crate) fn bytes(&self, offset: usize, length: usize) -> &[u8] {
        let size = usize::from(self.call.function.result_size);
        let block = if size <= SMALL { &self.call.small[..size] } else { &self.call.large[..] };
        &block[offset..offset + length]
    }

    pub(crate) fn reference(&self, offset: usize) -> Reference {
        Reference::read(self.bytes(offset, REFERENCE))
    }
}

impl Reads for Reply<'_> {
    fn fetch(&mut self, from: Reference) -> Result<Option<Vec<u8>>> {
        self.granted(|granted| granted.copy(from))
    }

    fn bad(&mut self, bad: Bad) -> Error {
        // What has failed for its caller is not made again.
        self.call.setting = None;
        match bad {
            Bad::Violation(rule) => self.call.violation(rule),
            Bad::Lie(text) => self.call.invalid_reply(text, Executed::Yes),
            Bad::TooMuch => self.call.context.too_much_output(self.call.max_output(), Executed::Yes),
            Bad::Lost => self.call.lost(Executed::Yes),
        }
    }

    fn context(&self) -> &Context {
        &self.call.context
    }
}

impl Drop for Reply<'_> {
    #[inline]
    fn drop(&mut self) {
        // Behind the results, which may have been a lie.
        if self.call.setting.is_some() {
            self.call.end_setting();
        }
        self.let_go_of_rest();
    }
}

/// The bit of an owned object; none behind the last.
fn bit(index: usize) -> u64 {
    u32::try_from(index).ok().and_then(|index| 1u64.checked_shl(index)).unwrap_or(0)
}
