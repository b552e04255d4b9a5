//! What arguments are written into: a call, an entry of a batch, or a call of a pipeline.

use hotcell_protocol::Place;

use super::pipeline::Sending;
use super::{Call, Converts, Entry, Image};
use crate::error::{Error, Result};

/// What arguments are written into: a [`Call`], an [`Entry`] of a batch, or a call of a pipeline. Structures write themselves into either.
pub trait Arguments: accepts::Accepts {
    /// Copies the image of a structure in and writes a reference to it.
    fn put_image(&mut self, offset: usize, name: &str, image: &Image) -> Result<()>;
}

pub(super) mod accepts {
    use super::{Converts, Error, Image, Place, Result};

    /// What images need of either.
    pub trait Accepts {
        fn place(&mut self, name: &str, data: &[u8]) -> Result<Place>;
        fn place_image(&mut self, name: &str, image: &Image) -> Result<Place>;
        fn place_text(&mut self, name: &str, text: &[u8]) -> Result<Place>;
        fn place_text_utf16(&mut self, name: &str, text: &str) -> Result<(Place, u64)>;
        /// As `place_text_utf16`, in another encoding.
        fn place_converted<K: Converts>(&mut self, name: &str, text: &str) -> Result<(Place, u64)>;
        fn wrong(&self, name: &str, text: String) -> Error;
    }
}

/// Refuses a number that a bit-field of so many bits cannot hold.
pub fn check_bits(
    call: &mut impl Arguments,
    name: &str,
    value: i128,
    width: u32,
    signed: bool,
) -> Result<()> {
    let (low, high) = match signed {
        true => (-(1i128 << (width - 1)), (1i128 << (width - 1)) - 1),
        false => (0, (1i128 << width) - 1),
    };
    match (low..=high).contains(&value) {
        true => Ok(()),
        false => Err(call.wrong(name, format!("`{name}` is {value}; {width} bits hold {low} to {high}"))),
    }
}

macro_rules! accepts {
    ($($t:ty),*) => { $(
        impl Arguments for $t {
            fn put_image(&mut self, offset: usize, name: &str, image: &Image) -> Result<()> {
                <$t>::put_image(self, offset, name, image)
            }
        }

        impl accepts::Accepts for $t {
            fn place(&mut self, name: &str, data: &[u8]) -> Result<Place> {
                <$t>::place(self, name, data, 0)
            }

            fn place_image(&mut self, name: &str, image: &Image) -> Result<Place> {
                <$t>::place_image(self, name, image)
            }

            fn place_text(&mut self, name: &str, text: &[u8]) -> Result<Place> {
                <$t>::place_text(self, name, text)
            }

            fn place_text_utf16(&mut self, name: &str, text: &str) -> Result<(Place, u64)> {
                <$t>::place_text_utf16(self, name, text)
            }

            fn place_converted<K: Converts>(&mut self, name: &str, text: &str) -> Result<(Place, u64)> {
                <$t>::place_converted::<K>(self, name, text)
            }

            fn wrong(&self, name: &str, text: String) -> Error {
                <$t>::invalid_argument(self, name, text)
            }
        }
    )* };
}

accepts!(Call<'_>, Entry<'_>);

impl Arguments for Sending<'_> {
    fn put_image(&mut self, offset: usize, name: &str, image: &Image) -> Result<()> {
        self.call.put_image(offset, name, image)
    }
}

impl accepts::Accepts for Sending<'_> {
    fn place(&mut self, name: &str, data: &[u8]) -> Result<Place> {
        self.call.place(name, data, 0)
    }

    fn place_image(&mut self, name: &str, image: &Image) -> Result<Place> {
        self.call.place_image(name, image)
    }

    fn place_text(&mut self, name: &str, text: &[u8]) -> Result<Place> {
        self.call.place_text(name, text)
    }

    fn place_text_utf16(&mut self, name: &str, text: &str) -> Result<(Place, u64)> {
        self.call.place_text_utf16(name, text)
    }

    fn place_converted<K: Converts>(&mut self, name: &str, text: &str) -> Result<(Place, u64)> {
        self.call.place_converted::<K>(name, text)
    }

    fn wrong(&self, name: &str, text: String) -> Error {
        self.call.invalid_argument(name, text)
    }
}

/// Arguments by their offsets: methods for a type that has `put_u64(offset, value)`, `put_reference(offset, place, length)`,
/// `place(name, data, tail)`, `place_image(name, image)`, `pass(name, handle, kind, usage)` and `invalid_argument(name, message)`.
macro_rules! arguments {
    () => {
        /// Writes a null reference.
        #[inline]
        pub fn put_null(&mut self, offset: usize) {
            self.put_reference(offset, Place::NULL, 0);
        }

        /// Writes how many elements the caller has room for.
        #[inline]
        pub fn put_room(&mut self, offset: usize, elements: u64) {
            // No library has so much room, and what is lent looks like it.
            self.put_u64(offset, elements.min(!wire::LENT));
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

        /// As [`Self::put_text`], for a text that need not be UTF-8.
        pub fn put_text_bytes(&mut self, offset: usize, name: &str, text: &[u8]) -> Result<()> {
            let place = self.place_text(name, text)?;
            self.put_reference(offset, place, text.len() as u64);
            Ok(())
        }

        /// As [`Self::put_text`], for a library that takes UTF-16.
        pub fn put_text_utf16(&mut self, offset: usize, name: &str, text: &str) -> Result<()> {
            let (place, length) = self.place_text_utf16(name, text)?;
            self.put_reference(offset, place, length);
            Ok(())
        }

        /// As [`Self::put_text`], for a library that takes another encoding.
        pub fn put_converted<K: crate::rt::Converts>(
            &mut self,
            offset: usize,
            name: &str,
            text: &str,
        ) -> Result<()> {
            let (place, length) = self.place_converted::<K>(name, text)?;
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

        /// As [`Self::put_texts`], for a library that takes UTF-16.
        pub fn put_texts_utf16<T: AsRef<str>>(
            &mut self,
            offset: usize,
            name: &str,
            texts: &[T],
        ) -> Result<()> {
            let mut references = Vec::with_capacity(texts.len());
            for text in texts {
                let (place, length) = self.place_text_utf16(name, text.as_ref())?;
                references.extend(Reference::bytes(place, length));
            }
            self.put_copied(offset, name, &references)
        }

        /// As [`Self::put_texts`], for a library that takes another encoding.
        pub fn put_converted_texts<K: crate::rt::Converts, T: AsRef<str>>(
            &mut self,
            offset: usize,
            name: &str,
            texts: &[T],
        ) -> Result<()> {
            let mut references = Vec::with_capacity(texts.len());
            for text in texts {
                let (place, length) = self.place_converted::<K>(name, text.as_ref())?;
                references.extend(Reference::bytes(place, length));
            }
            self.put_copied(offset, name, &references)
        }

        /// Copies the image of a structure in and writes a reference to it.
        pub fn put_image(&mut self, offset: usize, name: &str, image: &Image) -> Result<()> {
            let place = self.place_image(name, image)?;
            self.put_reference(offset, place, image.whole().len() as u64);
            Ok(())
        }

        /// Writes a handle of this type. It must belong to this session and its worker, and nobody may have released it.
        pub fn put_handle(&mut self, offset: usize, name: &str, handle: &Handle, kind: u16) -> Result<()> {
            self.put_object(offset, name, handle, kind, Usage::Kept)
        }

        /// Writes handles of this type one behind the other, and a reference to them. Each must be as one alone.
        pub fn put_handles(
            &mut self,
            offset: usize,
            name: &str,
            handles: &[&Handle],
            kind: u16,
        ) -> Result<()> {
            let mut raw = Vec::with_capacity(handles.len() * 8);
            for handle in handles {
                raw.extend(self.pass(name, handle, kind, Usage::Kept)?.raw().to_ne_bytes());
            }
            self.put_copied(offset, name, &raw)
        }

        /// As [`Self::put_handle`], or NULL.
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

        /// As [`Self::put_consumed`], for a call that takes the object over only if it does not fail.
        pub fn put_consumed_on_success(
            &mut self,
            offset: usize,
            name: &str,
            handle: &Handle,
            kind: u16,
        ) -> Result<()> {
            self.put_object(offset, name, handle, kind, Usage::ConsumedOnSuccess)
        }

        /// Copies a text in, with a NUL behind it.
        pub(in crate::rt) fn place_text(&mut self, name: &str, text: &[u8]) -> Result<Place> {
            self.refuse_nul(name, text)?;
            self.place(name, text, 1)
        }

        /// Copies a text in as UTF-16, with a NUL behind it. Comes with its bytes.
        pub(in crate::rt) fn place_text_utf16(&mut self, name: &str, text: &str) -> Result<(Place, u64)> {
            self.refuse_nul(name, text.as_bytes())?;
            let units: Vec<u16> = text.encode_utf16().collect();
            let bytes = bytes_of(&units);
            Ok((self.place(name, bytes, size_of::<u16>())?, bytes.len() as u64))
        }

        /// Copies a text in, in another encoding, with a NUL behind it. Comes with its bytes.
        pub(in crate::rt) fn place_converted<K: crate::rt::Converts>(
            &mut self,
            name: &str,
            text: &str,
        ) -> Result<(Place, u64)> {
            self.refuse_nul(name, text.as_bytes())?;
            match K::write(text) {
                Ok(bytes) => Ok((self.place(name, &bytes, K::UNIT)?, bytes.len() as u64)),
                Err(position) => Err(self.not_encoded(name, K::NAME, position)),
            }
        }

        fn refuse_nul(&self, name: &str, text: &[u8]) -> Result<()> {
            let Some(position) = text.iter().position(|&byte| byte == 0) else { return Ok(()) };
            let message = format!("`{name}` has a NUL at byte {position}; C would end the text there");
            Err(self.invalid_argument(name, message))
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
    };
}

pub(super) use arguments;
