//! What went into a call, kept so that the call can be made again in another worker.

use std::hint::black_box;

use hotcell_protocol::Place;
use hotcell_shm::Sent;

use crate::error::Result;
use crate::rt::input::{At, parts, read_of};
use crate::rt::reading::REFERENCE;
use crate::rt::{Call, Handle, Input, Repeated, Reply};
use crate::session::{Live, Session};

/// Most bytes that are kept of the calls of one object.
pub(in crate::rt) const MOST: usize = 64 << 10;

/// Bytes of NULs behind data: enough for any text.
const TAIL: usize = 4;

/// A call that can be made again.
#[derive(Debug)]
pub(in crate::rt) struct Record {
    pub(in crate::rt) repeated: &'static Repeated,
    inputs: Vec<Part>,
    /// What says what it sets.
    key: Vec<Part>,
    /// What the object belongs to.
    parent: Option<Handle>,
}

/// A part of what went in.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Numbers(Box<[u8]>),
    Null,
    Data(Box<[u8]>),
}

impl Part {
    /// It may be a secret, which is not to lie about when nothing needs it any more.
    fn overwrite(&mut self) {
        if let Part::Numbers(bytes) | Part::Data(bytes) = self {
            bytes.fill(0);
            // Somebody may look: so it is written.
            black_box(&**bytes);
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.overwrite();
    }
}

/// Why a call cannot be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rt) enum Unkept {
    TooMuch,
    /// Data lie where the application, or a worker, may change them.
    Elsewhere,
    NoParent,
}

impl Unkept {
    pub(in crate::rt) fn says(self, function: &str) -> String {
        match self {
            Unkept::TooMuch => {
                format!("what `{function}` was given is more than the {MOST} bytes that are kept")
            }
            Unkept::Elsewhere => format!("what `{function}` was given lies in memory that others may change"),
            Unkept::NoParent => format!("`{function}` was given an object that nobody holds any more"),
        }
    }
}

impl Record {
    /// Of a call that has returned, whose arguments are still there.
    pub(in crate::rt) fn of(
        call: &Call<'_>,
        repeated: &'static Repeated,
    ) -> std::result::Result<Record, Unkept> {
        let live = call.turn.live.as_ref().ok_or(Unkept::Elsewhere)?;
        let at = At { generation: call.context.generation, sent: Sent::Already, used: call.used };
        let mut reader = Reader { call, live, at, left: MOST };
        let inputs = reader.parts(repeated.inputs)?;
        reader.left = MOST;
        let key = reader.parts(repeated.key)?;
        let parent = match repeated.parent {
            None => None,
            Some((offset, _)) => {
                let handle = u64::from_ne_bytes(reader.bytes(offset.into()));
                let object = call.turn.passed.object(handle).ok_or(Unkept::NoParent)?;
                Some(Handle::held(object))
            }
        };
        Ok(Record { repeated, inputs, key, parent })
    }

    /// Bytes that it takes.
    pub(in crate::rt) fn size(&self) -> usize {
        self.inputs.iter().chain(&self.key).map(Part::size).sum()
    }

    /// Whether the two set the same.
    pub(in crate::rt) fn sets_the_same(&self, other: &Record) -> bool {
        self.repeated.function == other.repeated.function && self.key == other.key
    }

    /// What the object belongs to.
    pub(in crate::rt) fn parent(&self) -> Option<&Handle> {
        self.parent.as_ref()
    }

    /// Makes the call again: with what the object belongs to made anew, if it has to be, and on `object`, which is
    /// the new one, where it configures that.
    pub(in crate::rt) fn repeat<'s>(
        &self,
        session: &'s Session,
        object: Option<(&Handle, u16)>,
    ) -> Result<Reply<'s>> {
        let mut call = session.call_of(self.repeated.function, &[self.parent.as_ref()])?;
        let name = call.function.name;
        for (input, part) in self.repeated.inputs.iter().zip(&self.inputs) {
            let (Input::Numbers(offset, _) | Input::Data(offset)) = *input else { continue };
            let offset = usize::from(offset);
            match part {
                Part::Numbers(bytes) => {
                    (offset..).zip(bytes).for_each(|(at, byte)| call.put_u8(at, *byte));
                }
                Part::Null => call.put_null(offset),
                Part::Data(data) => {
                    let place = call.place(name, data, TAIL)?;
                    call.put_reference(offset, place, data.len() as u64);
                }
            }
        }
        if let Some(((offset, kind), parent)) = self.repeated.parent.zip(self.parent.as_ref()) {
            call.put_handle(offset.into(), name, parent, kind)?;
        }
        if let Some((object, kind)) = object {
            call.put_handle(self.repeated.object.into(), name, object, kind)?;
        }
        call.finish()
    }
}

impl Part {
    fn size(&self) -> usize {
        size_of::<Part>()
            + match self {
                Part::Numbers(bytes) | Part::Data(bytes) => bytes.len(),
                Part::Null => 0,
            }
    }
}

/// Reads what a call was given.
struct Reader<'a> {
    call: &'a Call<'a>,
    live: &'a Live,
    at: At,
    /// Bytes that may be kept.
    left: usize,
}

impl Reader<'_> {
    fn parts(&mut self, inputs: &[Input]) -> std::result::Result<Vec<Part>, Unkept> {
        inputs.iter().map(|input| self.part(*input)).collect()
    }

    fn part(&mut self, input: Input) -> std::result::Result<Part, Unkept> {
        match input {
            Input::Numbers(offset, bytes) => {
                let mut numbers = vec![0; bytes.into()].into_boxed_slice();
                self.live.lane.copy_args(Sent::Already, offset.into(), &mut numbers);
                Ok(Part::Numbers(numbers))
            }
            Input::Data(offset) => {
                let (place, length) = parts(&self.bytes::<REFERENCE>(offset.into()));
                if place.is_null() {
                    return Ok(Part::Null);
                }
                self.data(place, length).map(Part::Data)
            }
            // No others are said of what is kept.
            _ => Err(Unkept::Elsewhere),
        }
    }

    fn data(&mut self, place: Place, length: u64) -> std::result::Result<Box<[u8]>, Unkept> {
        let size = usize::try_from(length).ok().filter(|size| *size <= self.left).ok_or(Unkept::TooMuch)?;
        self.left -= size;
        let mut data = Vec::with_capacity(size);
        if size > 0 {
            let buffers = self.call.session().buffers();
            let mut read = |bytes: &[u8]| data.extend_from_slice(bytes);
            read_of(self.live, buffers, self.at, (place, length), &mut read)
                .map_err(|_| Unkept::Elsewhere)?;
        }
        Ok(data.into())
    }

    /// Bytes of the argument block.
    fn bytes<const N: usize>(&self, offset: usize) -> [u8; N] {
        let mut bytes = [0; N];
        self.live.lane.copy_args(Sent::Already, offset, &mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_overwritten_when_it_goes() {
        let parts = [Part::Numbers([1, 2].into()), Part::Data(b"a password".as_slice().into()), Part::Null];
        let zeros = [Part::Numbers([0; 2].into()), Part::Data([0; 10].into()), Part::Null];
        let overwritten = parts.map(|mut part| {
            part.overwrite();
            part
        });
        assert_eq!(overwritten, zeros);
    }
}
