//! What values are written into: a call, or an entry of a batch.

use crate::error::{Error, Result};
use crate::rt::{Arguments, Call, Converts, Entry, Handle, Image, KeptCallback};

/// What values are written into, at offsets of its argument block. An entry of a batch is passed nothing that is called back,
/// and no structure that stays.
pub(super) trait Written: Arguments {
    /// Writes a byte of a number.
    fn put_byte(&mut self, offset: usize, byte: u8);
    /// Writes a null reference.
    fn put_null(&mut self, offset: usize);
    /// Copies data in.
    fn put_data(&mut self, offset: usize, name: &str, data: &[u8]) -> Result<()>;
    /// Copies a text in.
    fn put_text_bytes(&mut self, offset: usize, name: &str, text: &[u8]) -> Result<()>;
    /// Copies a text in for a library that takes UTF-16.
    fn put_text_utf16(&mut self, offset: usize, name: &str, text: &str) -> Result<()>;
    /// Copies a text in for a library that takes this encoding.
    fn put_converted<K: Converts>(&mut self, offset: usize, name: &str, text: &str) -> Result<()>;
    /// Copies texts in for a library that takes this encoding.
    fn put_converted_texts<K: Converts>(&mut self, offset: usize, name: &str, texts: &[&str]) -> Result<()>;
    /// Copies texts in.
    fn put_texts(&mut self, offset: usize, name: &str, texts: &[&[u8]]) -> Result<()>;
    /// Copies texts in for a library that takes UTF-16.
    fn put_texts_utf16(&mut self, offset: usize, name: &str, texts: &[&str]) -> Result<()>;
    /// Writes how many elements of so many bytes the caller has room for.
    fn put_capacity(&mut self, offset: usize, name: &str, elements: u64, size: u32) -> Result<()>;
    /// Writes an object, or NULL.
    fn put_opt_handle(&mut self, offset: usize, name: &str, handle: Option<&Handle>, kind: u16)
    -> Result<()>;
    /// Writes objects one behind the other.
    fn put_handles(&mut self, offset: usize, name: &str, handles: &[&Handle], kind: u16) -> Result<()>;
    /// Writes an object that the call takes over; `on_success` is whether only then.
    fn put_taken(
        &mut self,
        offset: usize,
        name: &str,
        handle: &Handle,
        kind: u16,
        on_success: bool,
    ) -> Result<()>;
    /// Writes the object of a structure that stays into its image; `life` is whether the call ends it, and begins it.
    fn put_resident(
        &mut self,
        image: &mut Image,
        name: &str,
        handle: Option<&Handle>,
        kind: u16,
        life: (bool, bool),
    ) -> Result<()>;
    /// Writes the callback of this number, with so many bytes of arguments; 0 is NULL.
    fn put_callback(&mut self, offset: usize, name: &str, number: u16, size: u16) -> Result<()>;
    /// Writes a callback that the library keeps; `by_threads` is whether threads of its own may call it.
    fn put_kept(
        &mut self,
        offset: usize,
        name: &str,
        size: u16,
        run: Box<KeptCallback>,
        until: &Handle,
        by_threads: bool,
    ) -> Result<()>;
    /// An error that says that an argument cannot be passed.
    fn invalid_argument(&self, name: &str, message: String) -> Error;
    /// An error that says that a text is not in the encoding that the contract declares.
    fn bad_encoding(&self, name: &str) -> Error;
}

/// What both have by the same names.
macro_rules! same {
    () => {
        fn put_byte(&mut self, offset: usize, byte: u8) {
            self.put_u8(offset, byte);
        }

        fn put_handles(&mut self, offset: usize, name: &str, handles: &[&Handle], kind: u16) -> Result<()> {
            self.put_handles(offset, name, handles, kind)
        }

        fn put_null(&mut self, offset: usize) {
            Self::put_null(self, offset);
        }

        fn put_data(&mut self, offset: usize, name: &str, data: &[u8]) -> Result<()> {
            self.put_copied(offset, name, data)
        }

        fn put_text_bytes(&mut self, offset: usize, name: &str, text: &[u8]) -> Result<()> {
            Self::put_text_bytes(self, offset, name, text)
        }

        fn put_text_utf16(&mut self, offset: usize, name: &str, text: &str) -> Result<()> {
            Self::put_text_utf16(self, offset, name, text)
        }

        fn put_converted<K: Converts>(&mut self, offset: usize, name: &str, text: &str) -> Result<()> {
            Self::put_converted::<K>(self, offset, name, text)
        }

        fn put_converted_texts<K: Converts>(
            &mut self,
            offset: usize,
            name: &str,
            texts: &[&str],
        ) -> Result<()> {
            Self::put_converted_texts::<K, &str>(self, offset, name, texts)
        }

        fn put_texts(&mut self, offset: usize, name: &str, texts: &[&[u8]]) -> Result<()> {
            Self::put_texts(self, offset, name, texts)
        }

        fn put_texts_utf16(&mut self, offset: usize, name: &str, texts: &[&str]) -> Result<()> {
            Self::put_texts_utf16(self, offset, name, texts)
        }

        fn put_capacity(&mut self, offset: usize, name: &str, elements: u64, size: u32) -> Result<()> {
            Self::put_capacity(self, offset, name, elements, size)
        }

        fn put_opt_handle(
            &mut self,
            offset: usize,
            name: &str,
            handle: Option<&Handle>,
            kind: u16,
        ) -> Result<()> {
            Self::put_opt_handle(self, offset, name, handle, kind)
        }

        fn put_taken(
            &mut self,
            offset: usize,
            name: &str,
            handle: &Handle,
            kind: u16,
            on_success: bool,
        ) -> Result<()> {
            match on_success {
                true => self.put_consumed_on_success(offset, name, handle, kind),
                false => self.put_consumed(offset, name, handle, kind),
            }
        }

        fn invalid_argument(&self, name: &str, message: String) -> Error {
            Self::invalid_argument(self, name, message)
        }

        fn bad_encoding(&self, name: &str) -> Error {
            Self::bad_encoding(self, name)
        }
    };
}

impl Written for Call<'_> {
    same!();

    fn put_resident(
        &mut self,
        image: &mut Image,
        name: &str,
        handle: Option<&Handle>,
        kind: u16,
        life: (bool, bool),
    ) -> Result<()> {
        match (handle, life) {
            (Some(handle), (true, _)) => image.put_consumed(self, name, handle, kind),
            (Some(handle), (false, true)) => image.put_new(self, name, Some(handle), kind),
            (handle, _) => image.put_resident(self, name, handle, kind),
        }
    }

    fn put_callback(&mut self, offset: usize, _name: &str, number: u16, size: u16) -> Result<()> {
        match number {
            0 => self.put_no_callback(offset),
            number => Self::put_callback(self, offset, number, size),
        }
        Ok(())
    }

    fn put_kept(
        &mut self,
        offset: usize,
        name: &str,
        size: u16,
        run: Box<KeptCallback>,
        until: &Handle,
        by_threads: bool,
    ) -> Result<()> {
        match by_threads {
            true => self.put_kept_by_threads(offset, name, size, Some(run), until),
            false => Self::put_kept(self, offset, name, size, Some(run), until),
        }
    }
}

impl Written for Entry<'_> {
    same!();

    fn put_resident(
        &mut self,
        _image: &mut Image,
        name: &str,
        _handle: Option<&Handle>,
        _kind: u16,
        _life: (bool, bool),
    ) -> Result<()> {
        Err(not_in_a_batch(self, name))
    }

    fn put_callback(&mut self, _offset: usize, name: &str, _number: u16, _size: u16) -> Result<()> {
        Err(not_in_a_batch(self, name))
    }

    fn put_kept(
        &mut self,
        _offset: usize,
        name: &str,
        _size: u16,
        _run: Box<KeptCallback>,
        _until: &Handle,
        _by_threads: bool,
    ) -> Result<()> {
        Err(not_in_a_batch(self, name))
    }
}

/// The error of an argument that no entry can have.
fn not_in_a_batch(entry: &Entry<'_>, name: &str) -> Error {
    entry.invalid_argument(name, format!("`{name}` cannot be passed in a batch: call the function by itself"))
}
