//! What a call is given, as a number: by what this host holds of it, in memory that no worker can write.

use std::hash::{DefaultHasher, Hasher};

use hotcell_protocol::wire::{self, reference};
use hotcell_protocol::{ErrorKind, Place};
use hotcell_shm::{Buffers, Sent};

use super::reading::REFERENCE;
use super::{Call, references};
use crate::error::{Cause, Result};
use crate::quarantine::{Culprit, InputId};
use crate::session::{Context, Live};

/// A part of the argument block that tells one input from another. Of objects and callbacks it is only whether they are there,
/// for others stand for them in the next worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// From here so many bytes of numbers.
    Numbers(u16, u16),
    /// Here is what the caller has room for: a number, or the place of a reference to what is lent.
    Room(u16),
    /// Here is an object or a callback, or none.
    Presence(u16),
    /// Here is a reference to objects.
    Objects(u16),
    /// Here is a reference to data.
    Data(u16),
    /// Here is a reference to references to data.
    References(u16),
    /// Here is a reference to images of structures, of which so many bytes at the start are a handle.
    Images(u16, u16),
}

/// How deep structures point to structures.
const DEEPEST: u32 = 32;

/// Why there is no number: what goes in lies where a worker can write, or is nothing, or more than is looked at.
pub(super) struct Unknown;

type Known = std::result::Result<(), Unknown>;

/// The place and the length of data.
type Named = (Place, u64);

/// Where a call's data lie.
#[derive(Clone, Copy)]
pub(super) struct At {
    /// The worker that they were put into the memory of.
    pub(super) generation: u64,
    pub(super) sent: Sent,
    /// Bytes of the argument block in use.
    pub(super) used: usize,
}

/// Reads what a call is given.
struct Reader<'a> {
    live: &'a Live,
    buffers: &'a Buffers,
    at: At,
    /// Where in them references are, in order.
    noted: Vec<u64>,
    /// Whether objects go in.
    has_objects: bool,
    /// Bytes that may be read: no more than were put there.
    left: u64,
    /// Whether there were any data.
    has_data: bool,
    hasher: DefaultHasher,
}

impl Call<'_> {
    /// Refuses a call whose input is in quarantine, before it is sent.
    #[cold]
    pub(in crate::rt) fn examine(&mut self) -> Result<()> {
        let session = self.session();
        if self.releases || !session.quarantine().has_of(self.context.package, self.index) {
            return Ok(());
        }
        let Some(input) = self.turn.live.as_ref().and_then(|live| self.input_id(live, Sent::NotYet)) else {
            return Ok(());
        };
        let Some(left) = session.quarantine().refuses(input) else { return Ok(()) };
        session.count_refused_input();
        let message = format!(
            "this input has ended workers before; it is in quarantine for the next {left:?}, or until it is released"
        );
        Err(self.context.not_executed(ErrorKind::Quarantined, Cause::Quarantined { input, left }, message))
    }

    /// Counts the input of a call that has ended its worker, which is dead by now.
    pub(super) fn suspect(&self, live: &Live, kind: ErrorKind) {
        let crashed = matches!(
            kind,
            ErrorKind::Crashed
                | ErrorKind::Exited
                | ErrorKind::OutOfMemory
                | ErrorKind::SandboxDenied
                | ErrorKind::ProtocolViolation
                | ErrorKind::InvalidReply
        );
        let quarantine = self.session().quarantine();
        let (lane, alone) = (live.lane.index(), self.session().has_one_seat());
        if !crashed
            || self.releases
            || self.function.inputs.is_empty()
            || !quarantine.is_on()
            || !live.worker.was_ended_in(lane, alone)
        {
            return;
        }
        if let Some(input) = self.input_id(live, Sent::Already)
            && live.worker.counts()
        {
            let Context { package, function, .. } = self.context;
            quarantine.note(input, Culprit { package, index: self.index, function });
        }
    }

    /// A number for what the call is given, which only this process's list can make. `None` where no data go in, or others than
    /// this host alone writes.
    fn input_id(&self, live: &Live, sent: Sent) -> Option<InputId> {
        if self.function.inputs.is_empty() {
            return None;
        }
        let mut hasher = self.session().quarantine().hasher();
        hasher.write(&self.context.package.fingerprint);
        hasher.write_u16(self.index);
        let mut reader = Reader {
            live,
            buffers: self.session().buffers(),
            at: At { generation: self.context.generation, sent, used: self.used },
            noted: self.references.sorted()?,
            has_objects: self.turn.passed.has_objects(),
            left: self.input.saturating_mul(2).saturating_add(1 << 20),
            has_data: false,
            hasher,
        };
        reader.inputs(self.function.inputs).ok()?;
        Some(InputId::of(reader.hasher.finish()))
    }
}

impl Reader<'_> {
    fn inputs(&mut self, inputs: &[Input]) -> Known {
        for input in inputs {
            match *input {
                Input::Numbers(offset, bytes) => {
                    let mut numbers = vec![0; bytes.into()];
                    self.live.lane.copy_args(self.at.sent, offset.into(), &mut numbers);
                    self.hasher.write(&numbers);
                }
                Input::Room(offset) => self.room(offset)?,
                Input::Presence(offset) => {
                    let word = self.word(offset);
                    self.hasher.write_u8(u8::from(word != 0));
                }
                Input::Objects(offset) => {
                    let objects = self.reference(offset);
                    self.begin(objects);
                }
                Input::Data(offset) => self.data(self.reference(offset), 0)?,
                Input::References(offset) => self.references(self.reference(offset))?,
                Input::Images(offset, handle) => self.images(self.reference(offset), handle.into())?,
            }
        }
        if self.has_data { Ok(()) } else { Err(Unknown) }
    }

    /// What the caller has room for: of what is lent the worker has the place, which is another each time.
    fn room(&mut self, offset: u16) -> Known {
        let mut room = self.word(offset);
        if room & wire::LENT != 0 {
            (_, room) = self.reference_at(Place::from_raw(room & !wire::LENT))?;
        }
        self.hasher.write_u64(room);
        Ok(())
    }

    /// References to data.
    fn references(&mut self, (place, length): Named) -> Known {
        if self.begin((place, length)) {
            for at in (0..length).step_by(REFERENCE) {
                let named = self.reference_at(behind(place, at))?;
                self.data(named, 0)?;
            }
        }
        Ok(())
    }

    /// Images of structures, of which so many bytes at the start are a handle. Those of a call on an object are no data by
    /// themselves: what is the same in all calls of a stream is no input, as a call is none that has nothing but numbers.
    fn images(&mut self, (place, length): Named, handle: u64) -> Known {
        if !self.begin((place, length)) {
            return Ok(());
        }
        if handle > 0 {
            let mut object = [0; size_of::<u64>()];
            self.copy(place, &mut object)?;
            self.hasher.write_u8(u8::from(object != [0; size_of::<u64>()]));
        }
        self.has_data |= handle == 0 && !self.has_objects && length > 0;
        self.parts((place, length), handle, 0)
    }

    /// Data, by what they are and not by where they lie.
    fn data(&mut self, named: Named, depth: u32) -> Known {
        if !self.begin(named) {
            return Ok(());
        }
        self.has_data |= named.1 > 0;
        self.parts(named, 0, depth)
    }

    /// Whether it is there, and how much: true where there may be more to read.
    fn begin(&mut self, (place, length): Named) -> bool {
        self.hasher.write_u8(u8::from(!place.is_null()));
        self.hasher.write_u64(length);
        !place.is_null()
    }

    /// Data from an offset on. What stands for a reference is what is behind it: the call has noted where it put some.
    fn parts(&mut self, (place, length): Named, from: u64, depth: u32) -> Known {
        let noted = references::of(&self.noted, place, length);
        if !noted.is_empty() && depth > DEEPEST {
            return Err(Unknown);
        }
        self.hasher.write_usize(noted.len());
        let mut at = from;
        for index in noted {
            let offset = self.noted[index] - place.raw();
            let plain = offset.checked_sub(at).ok_or(Unknown)?;
            self.hasher.write_u64(offset);
            self.plain((behind(place, at), plain))?;
            let named = self.reference_at(behind(place, offset))?;
            self.data(named, depth + 1)?;
            at = offset + REFERENCE as u64;
        }
        let rest = length.checked_sub(at).ok_or(Unknown)?;
        self.plain((behind(place, at), rest))
    }

    /// Bytes without references.
    fn plain(&mut self, (place, length): Named) -> Known {
        if length == 0 {
            return Ok(());
        }
        self.left = self.left.checked_sub(length).ok_or(Unknown)?;
        let Reader { live, buffers, at, hasher, .. } = self;
        read_of(live, buffers, *at, (place, length), &mut |bytes| hasher.write(bytes))
    }

    /// The word at an offset of the block.
    fn word(&self, offset: u16) -> u64 {
        let mut word = [0; size_of::<u64>()];
        self.live.lane.copy_args(self.at.sent, offset.into(), &mut word);
        u64::from_ne_bytes(word)
    }

    /// The reference at an offset of the block.
    fn reference(&self, offset: u16) -> Named {
        let mut reference = [0; REFERENCE];
        self.live.lane.copy_args(self.at.sent, offset.into(), &mut reference);
        parts(&reference)
    }

    /// The reference in data.
    fn reference_at(&self, place: Place) -> std::result::Result<Named, Unknown> {
        let mut reference = [0; REFERENCE];
        self.copy(place, &mut reference)?;
        Ok(parts(&reference))
    }

    fn copy(&self, place: Place, into: &mut [u8]) -> Known {
        let (length, mut filled) = (into.len() as u64, 0);
        read_of(self.live, self.buffers, self.at, (place, length), &mut |bytes| {
            into[filled..filled + bytes.len()].copy_from_slice(bytes);
            filled += bytes.len();
        })
    }
}

/// The place so many bytes behind another.
fn behind(place: Place, bytes: u64) -> Place {
    Place::from_raw(place.raw().saturating_add(bytes))
}

/// Reads data of a call, wherever this host has put them.
pub(super) fn read_of(
    live: &Live,
    buffers: &Buffers,
    at: At,
    data: Named,
    read: &mut dyn FnMut(&[u8]),
) -> Known {
    let At { generation, sent, used } = at;
    let found =
        live.lane.read_data(&live.arena, (sent, used), data, read) || buffers.read(data, generation, read);
    if found { Ok(()) } else { Err(Unknown) }
}

/// The place and the length of a reference.
pub(super) fn parts(bytes: &[u8]) -> Named {
    let number = |offset: usize| {
        let mut number = [0; size_of::<u64>()];
        number.copy_from_slice(&bytes[offset..offset + size_of::<u64>()]);
        u64::from_ne_bytes(number)
    };
    (Place::from_raw(number(reference::PLACE)), number(reference::LENGTH))
}
