//! What is common to those who read debug information, which may have been made to take long, or to take memory: each step is asked for its
//! time, and what is read at once is bounded.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use gimli::{
    Abbreviations, AttributeValue, DebugAbbrev, DebugAbbrevOffset, DebugStrOffsets, DebugStrOffsetsBase,
    EndianSlice, Format, Reader, RunTimeEndian,
};

pub(crate) type Bytes<'d> = EndianSlice<'d, RunTimeEndian>;

/// Bytes of the abbreviations of a unit, and attributes of one of them: more than compilers make.
const MOST_ABBREVIATIONS: usize = 256 << 10;
pub(crate) const MOST_ATTRIBUTES: usize = 256;

/// What cannot be read, or not in time. It says nothing of a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unread;

impl From<gimli::Error> for Unread {
    fn from(_: gimli::Error) -> Unread {
        Unread
    }
}

impl From<object::Error> for Unread {
    fn from(_: object::Error) -> Unread {
        Unread
    }
}

/// How long it may take.
pub(crate) struct Time {
    until: Instant,
    steps: Cell<u8>,
}

impl Time {
    pub(crate) fn until(until: Instant) -> Time {
        Time { until, steps: Cell::new(0) }
    }

    pub(crate) fn look(&self) -> Result<(), Unread> {
        if Instant::now() < self.until { Ok(()) } else { Err(Unread) }
    }

    /// A small step: the clock is asked now and then.
    pub(crate) fn step(&self) -> Result<(), Unread> {
        self.steps.set(self.steps.get().wrapping_add(1));
        if self.steps.get() == 0 { self.look() } else { Ok(()) }
    }
}

/// The abbreviations at a place; most units of a library that was made by one linker share none, and some all.
pub(crate) struct Shared {
    at: DebugAbbrevOffset<usize>,
    pub(crate) all: Rc<Abbreviations>,
}

impl Shared {
    /// Those at a place of their section, which may be those that the unit before has.
    pub(crate) fn read(
        section: Bytes<'_>,
        at: DebugAbbrevOffset<usize>,
        before: Option<Shared>,
    ) -> Result<Shared, Unread> {
        if let Some(before) = before.filter(|before| before.at == at) {
            return Ok(before);
        }
        let bytes = section.slice().get(at.0..).ok_or(Unread)?;
        let bytes = &bytes[..bytes.len().min(MOST_ABBREVIATIONS)];
        let all = DebugAbbrev::new(bytes, section.endian()).abbreviations(DebugAbbrevOffset(0))?;
        Ok(Shared { at, all: Rc::new(all) })
    }
}

/// Where texts lie: their own, those of lines, and where texts begin.
pub(crate) struct Texts<'d> {
    pub(crate) own: &'d [u8],
    pub(crate) of_lines: &'d [u8],
    pub(crate) offsets: Bytes<'d>,
}

impl<'d> Texts<'d> {
    /// A text, of which no more than so many bytes are looked at; `base` is where those of its unit are listed.
    pub(crate) fn text(
        &self,
        value: AttributeValue<Bytes<'d>>,
        (format, base): (Format, DebugStrOffsetsBase<usize>),
        most: usize,
    ) -> Result<&'d [u8], Unread> {
        let (texts, start) = match value {
            AttributeValue::String(text) => (text.slice(), 0),
            AttributeValue::DebugStrRef(start) => (self.own, start.0),
            AttributeValue::DebugLineStrRef(start) => (self.of_lines, start.0),
            AttributeValue::DebugStrOffsetsIndex(index) => {
                let offsets = DebugStrOffsets::from(self.offsets);
                (self.own, offsets.get_str_offset(format, base, index)?.0)
            }
            _ => return Err(Unread),
        };
        let text = texts.get(start..).ok_or(Unread)?;
        let text = &text[..text.len().min(most)];
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        Ok(&text[..end])
    }
}
