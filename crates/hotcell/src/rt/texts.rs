//! Arrays of texts that come out of a call, each in the encoding that its contract says.

use super::Reply;
use super::reading::{Bad, Reads};
use crate::error::Result;

/// How texts lie in the memory of the library, for [`Reply::text_list`] and its like.
pub trait TextKind: super::sealed::Sealed {
    /// What a text is on this side.
    type Text;
    /// Reads one; `Err` says what it is not, and at which byte.
    fn read(bytes: Vec<u8>) -> std::result::Result<Self::Text, (&'static str, usize)>;
}

/// Texts in UTF-8.
#[derive(Debug)]
pub struct Utf8;

/// Texts in UTF-16, in the byte order of this machine.
#[derive(Debug)]
pub struct Utf16;

/// Texts of no known encoding.
#[derive(Debug)]
pub struct Bytes;

impl super::sealed::Sealed for Utf8 {}
impl super::sealed::Sealed for Utf16 {}
impl super::sealed::Sealed for Bytes {}

impl TextKind for Utf8 {
    type Text = String;

    fn read(bytes: Vec<u8>) -> std::result::Result<String, (&'static str, usize)> {
        String::from_utf8(bytes).map_err(|error| ("UTF-8", error.utf8_error().valid_up_to()))
    }
}

impl TextKind for Utf16 {
    type Text = String;

    fn read(bytes: Vec<u8>) -> std::result::Result<String, (&'static str, usize)> {
        let units = bytes.chunks_exact(size_of::<u16>()).map(|unit| u16::from_ne_bytes([unit[0], unit[1]]));
        let mut text = String::with_capacity(bytes.len() / size_of::<u16>());
        let mut position = 0;
        for decoded in char::decode_utf16(units) {
            let Ok(letter) = decoded else { break };
            text.push(letter);
            position += letter.len_utf16() * size_of::<u16>();
        }
        // Half a letter, or half a unit.
        if position == bytes.len() { Ok(text) } else { Err(("UTF-16", position)) }
    }
}

impl TextKind for Bytes {
    type Text = Vec<u8>;

    fn read(bytes: Vec<u8>) -> std::result::Result<Vec<u8>, (&'static str, usize)> {
        Ok(bytes)
    }
}

impl Reply<'_> {
    /// The texts of an array, any of which may be NULL; a null reference is an error here.
    pub fn text_list<K: TextKind>(&mut self, offset: usize) -> Result<Vec<Option<K::Text>>> {
        let list = self.opt_text_list::<K>(offset)?;
        self.promised_list(list)
    }

    /// The texts of an array, any of which may be NULL, if the reference is not null.
    pub fn opt_text_list<K: TextKind>(&mut self, offset: usize) -> Result<Option<Vec<Option<K::Text>>>> {
        let Some(list) = self.read_opt_texts(self.reference(offset))? else { return Ok(None) };
        let texts = list.into_iter().map(|text| text.map(|bytes| self.decoded::<K>(bytes)).transpose());
        texts.collect::<Result<_>>().map(Some)
    }

    /// The texts of an array that a NULL ends; a null reference is an error here.
    pub fn ended_text_list<K: TextKind>(&mut self, offset: usize) -> Result<Vec<K::Text>> {
        let list = self.opt_ended_text_list::<K>(offset)?;
        self.promised_list(list)
    }

    /// The texts of an array that a NULL ends, if the reference is not null.
    pub fn opt_ended_text_list<K: TextKind>(&mut self, offset: usize) -> Result<Option<Vec<K::Text>>> {
        let Some(list) = self.opt_text_list::<K>(offset)? else { return Ok(None) };
        list.into_iter().map(|text| self.promised(text)).collect::<Result<_>>().map(Some)
    }

    fn promised_list<T>(&mut self, list: Option<T>) -> Result<T> {
        list.ok_or_else(|| self.bad(Bad::Lie("the library returned NULL where its contract promises texts")))
    }
}
