//! Texts in the encodings that contracts say, and arrays of them that come out of a call.

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

/// Texts in UTF-32, in the byte order of this machine.
#[derive(Debug)]
pub struct Utf32;

/// Texts in ISO 8859-1.
#[derive(Debug)]
pub struct Latin1;

/// Texts of no known encoding.
#[derive(Debug)]
pub struct Bytes;

/// An encoding that texts of callers are converted to.
pub trait Converts: TextKind<Text = String> {
    /// What it is called.
    const NAME: &'static str;
    /// Bytes of a unit.
    const UNIT: usize;
    /// Converts a text; `Err` is the byte of the first character that it does not have.
    fn write(text: &str) -> std::result::Result<Vec<u8>, usize>;
}

impl super::sealed::Sealed for Utf8 {}
impl super::sealed::Sealed for Utf16 {}
impl super::sealed::Sealed for Utf32 {}
impl super::sealed::Sealed for Latin1 {}
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

impl TextKind for Utf32 {
    type Text = String;

    fn read(bytes: Vec<u8>) -> std::result::Result<String, (&'static str, usize)> {
        let mut text = String::with_capacity(bytes.len() / size_of::<u32>());
        for (position, unit) in bytes.chunks(size_of::<u32>()).enumerate() {
            let letter = unit.try_into().ok().map(u32::from_ne_bytes).and_then(char::from_u32);
            text.push(letter.ok_or(("UTF-32", position * size_of::<u32>()))?);
        }
        Ok(text)
    }
}

impl Converts for Utf32 {
    const NAME: &'static str = "UTF-32";
    const UNIT: usize = size_of::<u32>();

    fn write(text: &str) -> std::result::Result<Vec<u8>, usize> {
        Ok(text.chars().flat_map(|letter| u32::from(letter).to_ne_bytes()).collect())
    }
}

impl TextKind for Latin1 {
    type Text = String;

    fn read(bytes: Vec<u8>) -> std::result::Result<String, (&'static str, usize)> {
        Ok(bytes.into_iter().map(char::from).collect())
    }
}

impl Converts for Latin1 {
    const NAME: &'static str = "Latin-1";
    const UNIT: usize = 1;

    fn write(text: &str) -> std::result::Result<Vec<u8>, usize> {
        text.char_indices().map(|(at, letter)| u8::try_from(letter).map_err(|_| at)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_converted_and_come_back() {
        for text in ["", "plain", "Größe", "ÿ\u{80}\u{1}"] {
            assert_eq!(Latin1::read(Latin1::write(text).unwrap()).unwrap(), text);
        }
        assert_eq!(Latin1::write("ab€"), Err(2));
        for text in ["", "Größe", "🦀\u{10ffff}\u{d7ff}"] {
            assert_eq!(Utf32::read(Utf32::write(text).unwrap()).unwrap(), text);
        }
        let units = |units: &[u32]| Utf32::read(units.iter().flat_map(|unit| unit.to_ne_bytes()).collect());
        assert_eq!(units(&[65, 0xd800]), Err(("UTF-32", 4)));
        assert_eq!(units(&[0x11_0000]), Err(("UTF-32", 0)));
        assert_eq!(Utf32::read(vec![65, 0, 0, 0, 66]), Err(("UTF-32", 4)));
    }
}
