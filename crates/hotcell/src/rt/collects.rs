//! What the methods of a package put calls into that need not be waited for one by one: a batch, or a pipeline.

use std::any::Any;

use hotcell_shm::bytes_of;

use super::pipeline::{Reads, Sending};
use super::{Arguments, Batch, Converts, Element, Entry, Handle, Pipeline, Reply, Ticket, Values};
use crate::error::{Error, Result};

/// What calls are put into: a [`Batch`] sends them together, a [`Pipeline`] one after the other.
pub trait Collects: sealed::Sealed {
    /// A call whose arguments are being written. Dropped before it is added, it leaves no trace.
    type Entry<'c>: Puts
    where
        Self: 'c;

    /// Begins a call of a function by its index in the package.
    #[track_caller]
    fn entry(&mut self, function: u16) -> Result<Self::Entry<'_>>;

    /// As [`Collects::entry`], of a function that is passed these objects, where the contract has a rule for threads.
    #[track_caller]
    fn entry_of(&mut self, function: u16, objects: &[Option<&Handle>]) -> Result<Self::Entry<'_>>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Batch {}
    impl Sealed for super::Pipeline {}
}

impl Collects for Batch {
    type Entry<'c> = Entry<'c>;

    #[track_caller]
    #[inline(always)]
    fn entry(&mut self, function: u16) -> Result<Entry<'_>> {
        Batch::entry(self, function)
    }

    #[track_caller]
    #[inline]
    fn entry_of(&mut self, function: u16, _: &[Option<&Handle>]) -> Result<Entry<'_>> {
        // A batch knows the objects of all its entries when it runs.
        Batch::entry(self, function)
    }
}

impl Collects for Pipeline {
    type Entry<'c> = Sending<'c>;

    #[track_caller]
    #[inline]
    fn entry(&mut self, function: u16) -> Result<Sending<'_>> {
        self.begin(function, &[])
    }

    #[track_caller]
    #[inline]
    fn entry_of(&mut self, function: u16, objects: &[Option<&Handle>]) -> Result<Sending<'_>> {
        self.begin(function, objects)
    }
}

macro_rules! puts {
    ($(
        $(#[$about:meta])*
        fn $name:ident $(<$t:ident: AsRef<$bound:ty>>)? (&mut self, $($arg:ident: $ty:ty),*) $(-> $out:ty)?;
    )*) => {
        /// Arguments by their offsets, and what reads the results: the same for all that calls are put into.
        pub trait Puts: Arguments + Sized {
            $(
                $(#[$about])*
                fn $name $(<$t: AsRef<$bound>>)? (&mut self, $($arg: $ty),*) $(-> $out)?;
            )*

            /// Copies data in and writes a reference to it, wherever it lies.
            fn put_buffer(&mut self, offset: usize, name: &str, data: &[u8]) -> Result<()>;

            /// As `put_text`, in the encoding `K`.
            fn put_converted<K: Converts>(&mut self, offset: usize, name: &str, text: &str) -> Result<()>;

            /// As `put_texts`, in the encoding `K`.
            fn put_converted_texts<K: Converts, T: AsRef<str>>(
                &mut self,
                offset: usize,
                name: &str,
                texts: &[T],
            ) -> Result<()>;

            /// An error that says that an argument cannot be passed. Nothing was added.
            fn invalid_argument(&self, name: &str, message: String) -> Error;

            /// Adds the call, whose results are numbers: `read` finds them in the result block.
            fn values<T>(self, read: fn(&Values<'_>) -> T) -> Ticket<T>;

            /// Adds the call. `read` reads its results when they are there; where it failed, it is not asked.
            fn read<T: Send + 'static>(
                self,
                read: impl FnOnce(&mut Reply<'_>) -> Result<T> + Send + 'static,
            ) -> Ticket<T>;

            /// As [`Puts::put_buffer`], for numbers.
            fn put_elements<T: Element>(&mut self, offset: usize, name: &str, elements: &[T]) -> Result<()> {
                self.put_buffer(offset, name, bytes_of(elements))
            }
        }

        impl Puts for Entry<'_> {
            $(
                $(#[$about])*
                #[inline]
                fn $name $(<$t: AsRef<$bound>>)? (&mut self, $($arg: $ty),*) $(-> $out)? {
                    Entry::$name(self, $($arg),*)
                }
            )*

            #[inline]
            fn put_buffer(&mut self, offset: usize, name: &str, data: &[u8]) -> Result<()> {
                Entry::put_buffer(self, offset, name, data)
            }

            fn put_converted<K: Converts>(&mut self, offset: usize, name: &str, text: &str) -> Result<()> {
                Entry::put_converted::<K>(self, offset, name, text)
            }

            fn put_converted_texts<K: Converts, T: AsRef<str>>(
                &mut self,
                offset: usize,
                name: &str,
                texts: &[T],
            ) -> Result<()> {
                Entry::put_converted_texts::<K, T>(self, offset, name, texts)
            }

            fn invalid_argument(&self, name: &str, message: String) -> Error {
                Entry::invalid_argument(self, name, message)
            }

            #[inline]
            fn values<T>(self, read: fn(&Values<'_>) -> T) -> Ticket<T> {
                Entry::values(self, read)
            }

            #[inline]
            fn read<T: Send + 'static>(
                self,
                read: impl FnOnce(&mut Reply<'_>) -> Result<T> + Send + 'static,
            ) -> Ticket<T> {
                Entry::read(self, read)
            }
        }

        impl Puts for Sending<'_> {
            $(
                $(#[$about])*
                #[inline]
                fn $name $(<$t: AsRef<$bound>>)? (&mut self, $($arg: $ty),*) $(-> $out)? {
                    self.call.$name($($arg),*)
                }
            )*

            #[inline]
            fn put_buffer(&mut self, offset: usize, name: &str, data: &[u8]) -> Result<()> {
                // The caller goes on before the library has read them.
                self.call.put_copied(offset, name, data)
            }

            fn put_converted<K: Converts>(&mut self, offset: usize, name: &str, text: &str) -> Result<()> {
                self.call.put_converted::<K>(offset, name, text)
            }

            fn put_converted_texts<K: Converts, T: AsRef<str>>(
                &mut self,
                offset: usize,
                name: &str,
                texts: &[T],
            ) -> Result<()> {
                self.call.put_converted_texts::<K, T>(offset, name, texts)
            }

            fn invalid_argument(&self, name: &str, message: String) -> Error {
                self.call.invalid_argument(name, message)
            }

            #[inline]
            fn values<T>(self, read: fn(&Values<'_>) -> T) -> Ticket<T> {
                let id = self.send(Reads::Values);
                Ticket { id, read }
            }

            #[inline]
            fn read<T: Send + 'static>(
                self,
                read: impl FnOnce(&mut Reply<'_>) -> Result<T> + Send + 'static,
            ) -> Ticket<T> {
                let read = move |reply: &mut Reply<'_>| -> Result<Box<dyn Any + Send>> {
                    Ok(Box::new(read(reply)?))
                };
                let id = self.send(Reads::With(Box::new(read)));
                Ticket { id, read: |_| unreachable!("a result that was read is not read again") }
            }
        }
    };
}

puts! {
    /// Writes a number at an offset of the argument block.
    fn put_u8(&mut self, offset: usize, value: u8);
    /// Writes a number at an offset of the argument block.
    fn put_u16(&mut self, offset: usize, value: u16);
    /// Writes a number at an offset of the argument block.
    fn put_u32(&mut self, offset: usize, value: u32);
    /// Writes a number at an offset of the argument block.
    fn put_u64(&mut self, offset: usize, value: u64);
    /// Writes a number at an offset of the argument block.
    fn put_i8(&mut self, offset: usize, value: i8);
    /// Writes a number at an offset of the argument block.
    fn put_i16(&mut self, offset: usize, value: i16);
    /// Writes a number at an offset of the argument block.
    fn put_i32(&mut self, offset: usize, value: i32);
    /// Writes a number at an offset of the argument block.
    fn put_i64(&mut self, offset: usize, value: i64);
    /// Writes a number at an offset of the argument block.
    fn put_f32(&mut self, offset: usize, value: f32);
    /// Writes a number at an offset of the argument block.
    fn put_f64(&mut self, offset: usize, value: f64);
    /// Writes a null reference.
    fn put_null(&mut self, offset: usize);
    /// Writes how many elements the caller has room for.
    fn put_room(&mut self, offset: usize, elements: u64);
    /// As [`Puts::put_room`], of elements of so many bytes, which are no more than a call may return.
    #[cfg(feature = "dynamic")]
    fn put_capacity(&mut self, offset: usize, name: &str, elements: u64, size: u32) -> Result<()>;
    /// Copies a text in, with a NUL behind it, and writes a reference to it.
    fn put_text(&mut self, offset: usize, name: &str, text: &str) -> Result<()>;
    /// As [`Puts::put_text`], for a text that need not be UTF-8.
    fn put_text_bytes(&mut self, offset: usize, name: &str, text: &[u8]) -> Result<()>;
    /// As [`Puts::put_text`], for a library that takes UTF-16.
    fn put_text_utf16(&mut self, offset: usize, name: &str, text: &str) -> Result<()>;
    /// Copies texts in and writes a reference to an array of references to them.
    fn put_texts<T: AsRef<[u8]>>(&mut self, offset: usize, name: &str, texts: &[T]) -> Result<()>;
    /// As [`Puts::put_texts`], for a library that takes UTF-16.
    fn put_texts_utf16<T: AsRef<str>>(&mut self, offset: usize, name: &str, texts: &[T]) -> Result<()>;
    /// Writes a handle of this type.
    fn put_handle(&mut self, offset: usize, name: &str, handle: &Handle, kind: u16) -> Result<()>;
    /// Writes handles of this type one behind the other, and a reference to them.
    fn put_handles(&mut self, offset: usize, name: &str, handles: &[&Handle], kind: u16) -> Result<()>;
    /// As [`Puts::put_handle`], or NULL.
    fn put_opt_handle(
        &mut self, offset: usize, name: &str, handle: Option<&Handle>, kind: u16
    ) -> Result<()>;
    /// Writes the handle of an object that the call takes over.
    fn put_consumed(&mut self, offset: usize, name: &str, handle: &Handle, kind: u16) -> Result<()>;
    /// As [`Puts::put_consumed`], for a call that takes the object over only if it does not fail.
    fn put_consumed_on_success(
        &mut self, offset: usize, name: &str, handle: &Handle, kind: u16
    ) -> Result<()>;
}
