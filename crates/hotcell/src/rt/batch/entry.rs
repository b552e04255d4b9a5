//! An entry of a batch being written.

use hotcell_protocol::{ErrorKind, LimitExceededReason, Place, RawHandle, wire};
use hotcell_shm::bytes_of;

use super::memory::Memory;
use super::{Outcome, Ticket, Values, no_memory};
use crate::error::{Cause, Error, Result};
use crate::rt::arguments::arguments;
use crate::rt::handle::Unfit;
use crate::rt::passed::{PassedObject, Usage};
use crate::rt::reading::Reference;
use crate::rt::{Element, Handle, Image, OutputKind, Reply};
use crate::session::{Context, Session};

/// A call of a batch whose arguments are being written. Dropped before it is added, it leaves no trace.
#[derive(Debug)]
pub struct Entry<'b> {
    pub(super) memory: &'b mut Memory,
    pub(super) session: &'b Session,
}

macro_rules! put {
    ($($name:ident: $t:ty),*) => { $(
        /// Writes a number at an offset of the argument block.
        #[inline]
        pub fn $name(&mut self, offset: usize, value: $t) {
            self.memory.packed.put(offset, value.to_ne_bytes());
        }
    )* };
}

impl Entry<'_> {
    put!(put_u8: u8, put_u16: u16, put_u32: u32, put_u64: u64, put_i8: i8, put_i16: i16, put_i32: i32);
    put!(put_i64: i64, put_f32: f32, put_f64: f64);
    arguments!();

    /// Copies data in and writes a reference to it, wherever it lies: an entry waits for longer than data is lent to it.
    #[inline]
    pub fn put_buffer(&mut self, offset: usize, name: &str, data: &[u8]) -> Result<()> {
        self.put_copied(offset, name, data)
    }

    /// As [`Entry::put_buffer`], for numbers.
    pub fn put_elements<T: Element>(&mut self, offset: usize, name: &str, elements: &[T]) -> Result<()> {
        self.put_copied(offset, name, bytes_of(elements))
    }

    /// Adds the entry, whose results are numbers: `read` finds them in the result block.
    #[inline]
    pub fn values<T>(self, read: fn(&Values<'_>) -> T) -> Ticket<T> {
        let id = self.memory.add(Outcome::Values);
        Ticket { id, read }
    }

    /// Adds the entry. `read` reads its results when the batch has run; where the entry failed, it is not asked.
    #[inline]
    pub fn read<T: Send + 'static>(
        self,
        read: impl FnOnce(&mut Reply<'_>) -> Result<T> + Send + 'static,
    ) -> Ticket<T> {
        let slot = self.memory.columns.add(read);
        let id = self.memory.add(Outcome::Read(slot));
        Ticket { id, read: |_| unreachable!("an entry that was read has its result") }
    }

    /// An error that says that an argument cannot be passed. Nothing was added.
    pub fn invalid_argument(&self, name: &str, message: String) -> Error {
        let cause = Cause::Argument { name: name.to_owned() };
        self.context().not_executed(ErrorKind::InvalidArgument, cause, message)
    }

    /// As of a call: writes how many elements the caller has room for.
    #[cfg(feature = "dynamic")]
    pub fn put_capacity(&mut self, offset: usize, name: &str, elements: u64, size: u32) -> Result<()> {
        let (limit, context) = (self.session.options().max_output, self.context());
        context.has_room(name, elements.saturating_mul(u64::from(size)), limit)?;
        self.put_room(offset, elements);
        Ok(())
    }

    /// As of a call: an error that says that a text has a character that an encoding does not have.
    fn not_encoded(&self, name: &str, encoding: &str, position: usize) -> Error {
        self.context().not_encoded(name, encoding, position)
    }

    /// As of a call: an error that says that a text is not in the encoding that the contract declares.
    #[cfg(feature = "dynamic")]
    pub(crate) fn bad_encoding(&self, name: &str) -> Error {
        self.context().bad_encoding(name)
    }

    /// Notes an object that goes in, and gives its handle.
    pub(in crate::rt) fn pass(
        &mut self,
        name: &str,
        handle: &Handle,
        kind: u16,
        usage: Usage,
    ) -> Result<RawHandle> {
        let (session, stand_in) = (self.session, handle.stand_in(self.session.generation()));
        let object = stand_in.as_ref().unwrap_or(handle.object());
        let own = &self.memory.objects[self.memory.ends().0..];
        let mut fit = object.check(session, session.generation(), kind);
        if fit.is_ok() && usage != Usage::Kept && !object.owned {
            fit = Err(Unfit::OnlyLent);
        }
        let fit = fit.and_then(|()| usage.beside(object, own));
        let wanted = || session.handle_type(kind).map_or("", |it| it.name);
        fit.map_err(|unfit| unfit.error(&self.context(), name, handle.object(), wanted()))?;
        let raw = object.raw;
        self.memory.objects.push(PassedObject::new(object, usage));
        Ok(raw)
    }

    /// Copies data in, behind the arguments.
    #[inline]
    pub(in crate::rt) fn place(&mut self, name: &str, data: &[u8], tail: usize) -> Result<Place> {
        let limit = self.session.options().max_input;
        let input = self.memory.input.saturating_add(data.len() as u64);
        if input > limit {
            return Err(self.too_much(name, input, limit));
        }
        self.memory.input = input;
        self.memory.packed.add(data, tail).map_err(|_| no_memory(&self.context()))
    }

    /// Copies the image of a structure in, behind the arguments.
    pub(in crate::rt) fn place_image(&mut self, name: &str, image: &Image) -> Result<Place> {
        self.place(name, image.whole(), 0)
    }

    #[inline]
    fn put_reference(&mut self, offset: usize, place: Place, length: u64) {
        self.put_u64(offset + wire::reference::PLACE, place.raw());
        self.put_u64(offset + wire::reference::LENGTH, length);
        let mut outputs = self.memory.opened().function.outputs.iter();
        let place = |kind| matches!(kind, OutputKind::Offset { of, .. } if usize::from(of) == offset);
        if outputs.any(|output| place(output.kind)) {
            self.memory.lengths.push((offset as u16, length));
        }
    }

    #[cold]
    fn too_much(&self, name: &str, input: u64, limit: u64) -> Error {
        let cause = Cause::Limit { what: LimitExceededReason::Memory, value: limit };
        let message = format!("with `{name}` the batch passes {input} bytes; {limit} are allowed");
        self.context().not_executed(ErrorKind::LimitExceeded, cause, message)
    }

    fn context(&self) -> Context {
        let open = self.memory.opened();
        self.session.context(open.function.name, Some(open.call_site))
    }
}
