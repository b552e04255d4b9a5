//! What a call is given, as a number: by what this host holds of it, in memory that no worker can write.

use std::hash::{DefaultHasher, Hasher};

use hotcell_protocol::wire::reference;
use hotcell_protocol::{ErrorKind, Place};
use hotcell_shm::{Buffers, Sent};

use super::Call;
use super::reading::REFERENCE;
use crate::error::{Cause, Result};
use crate::quarantine::{Culprit, InputId};
use crate::session::{Context, Live};

/// A part of the argument block that tells one input from another. Objects and callbacks are none, for others stand for them
/// in the next worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// From here so many bytes of numbers.
    Numbers(u16, u16),
    /// Here is a reference to data.
    Data(u16),
    /// Here is a reference to references to data.
    References(u16),
    /// Here is a reference to images of structures, of which so many bytes at the start are a handle.
    Images(u16, u16),
}

/// How deep structures point to structures.
const DEEPEST: u32 = 8;

/// Why there is no number: what goes in lies where a worker can write, or points in circles.
struct Unknown;

/// Reads what a call is given.
struct Reader<'a> {
    live: &'a Live,
    buffers: &'a Buffers,
    generation: u64,
    sent: Sent,
    /// Bytes of the argument block in use.
    used: usize,
    /// Bytes that may be read: structures may look as if they pointed to one another.
    left: u64,
    hasher: DefaultHasher,
}

impl Call<'_> {
    /// Refuses a call whose input is in quarantine, before it is sent.
    #[cold]
    pub(in crate::rt) fn examine(&mut self) -> Result<()> {
        let session = self.session();
        if !session.quarantine().has_of(self.context.package, self.index) {
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
        if !crashed || self.function.inputs.is_empty() || !quarantine.is_on() {
            return;
        }
        if let Some(input) = self.input_id(live, Sent::Already) {
            let Context { package, function, .. } = self.context;
            quarantine.note(input, Culprit { package, index: self.index, function });
        }
    }

    /// A number for what the call is given, which only this process's list can make. `None` where no data go in that this host
    /// alone writes.
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
            generation: self.context.generation,
            sent,
            used: self.used,
            left: self.input.saturating_mul(2).saturating_add(1 << 20),
            hasher,
        };
        reader.inputs(self.function.inputs).ok()?;
        Some(InputId::of(reader.hasher.finish()))
    }
}

impl Reader<'_> {
    fn inputs(&mut self, inputs: &[Input]) -> std::result::Result<(), Unknown> {
        for input in inputs {
            match *input {
                Input::Numbers(offset, bytes) => {
                    let mut numbers = vec![0; bytes.into()];
                    self.live.lane.copy_args(self.sent, offset.into(), &mut numbers);
                    self.hasher.write(&numbers);
                }
                Input::Data(offset) => self.data(self.reference(offset))?,
                Input::References(offset) => {
                    let (place, length) = self.reference(offset);
                    let references = self.bytes(place, length)?;
                    self.hasher.write_u64(length);
                    for reference in references.chunks_exact(REFERENCE) {
                        self.data(parts(reference))?;
                    }
                }
                Input::Images(offset, handle) => {
                    let (place, length) = self.reference(offset);
                    self.images((place, length), handle.into(), 0)?;
                }
            }
        }
        Ok(())
    }

    /// The reference at an offset of the block.
    fn reference(&self, offset: u16) -> (Place, u64) {
        let mut reference = [0; REFERENCE];
        self.live.lane.copy_args(self.sent, offset.into(), &mut reference);
        parts(&reference)
    }

    /// Data, by what they are and not by where they lie.
    fn data(&mut self, (place, length): (Place, u64)) -> std::result::Result<(), Unknown> {
        self.hasher.write_u8(u8::from(!place.is_null()));
        self.hasher.write_u64(length);
        if place.is_null() {
            return Ok(());
        }
        self.left = self.left.checked_sub(length).ok_or(Unknown)?;
        let Reader { live, buffers, generation, sent, used, hasher, .. } = self;
        let mut read = |bytes: &[u8]| hasher.write(bytes);
        let found = read_of(live, buffers, (*generation, *sent, *used), (place, length), &mut read);
        if found { Ok(()) } else { Err(Unknown) }
    }

    /// Structures, with what is behind the references in them: what looks like one, and names memory that was filled for this
    /// very call, is taken for one. Of two inputs, that makes one only where both have the same there, and the same behind it.
    fn images(
        &mut self,
        (place, length): (Place, u64),
        handle: usize,
        depth: u32,
    ) -> std::result::Result<(), Unknown> {
        self.hasher.write_u8(u8::from(!place.is_null()));
        self.hasher.write_u64(length);
        if place.is_null() {
            return Ok(());
        }
        if depth > DEEPEST {
            return Err(Unknown);
        }
        let bytes = self.bytes(place, length)?;
        let mut rest = bytes.get(handle..).unwrap_or_default();
        while let Some(word) = rest.get(..size_of::<u64>()) {
            let named = rest.get(..REFERENCE).map(parts).filter(|(place, _)| !place.is_null());
            match named.filter(|named| self.is_filled(*named)) {
                Some(named) => {
                    self.hasher.write_u8(REFERRED);
                    self.images(named, 0, depth + 1)?;
                    rest = &rest[REFERENCE..];
                }
                None => {
                    self.hasher.write_u8(PLAIN);
                    self.hasher.write(word);
                    rest = &rest[word.len()..];
                }
            }
        }
        self.hasher.write(rest);
        Ok(())
    }

    /// Whether data of this call lie there.
    fn is_filled(&self, (place, length): (Place, u64)) -> bool {
        // Whoever has filled more than that, has filled it elsewhere.
        length <= self.left && self.copied(place, length).is_ok()
    }

    /// A copy of data.
    fn bytes(&mut self, place: Place, length: u64) -> std::result::Result<Vec<u8>, Unknown> {
        if place.is_null() {
            return Ok(Vec::new());
        }
        self.left = self.left.checked_sub(length).ok_or(Unknown)?;
        self.copied(place, length)
    }

    fn copied(&self, place: Place, length: u64) -> std::result::Result<Vec<u8>, Unknown> {
        let mut copy = Vec::new();
        let at = (self.generation, self.sent, self.used);
        let mut read = |bytes: &[u8]| copy.extend_from_slice(bytes);
        let found = read_of(self.live, self.buffers, at, (place, length), &mut read);
        if found { Ok(copy) } else { Err(Unknown) }
    }
}

/// What is hashed before a word of a structure that is no reference, and before what is behind one.
const PLAIN: u8 = 2;
const REFERRED: u8 = 3;

/// Reads data of a call, wherever this host has put them.
fn read_of(
    live: &Live,
    buffers: &Buffers,
    (generation, sent, used): (u64, Sent, usize),
    data: (Place, u64),
    read: &mut dyn FnMut(&[u8]),
) -> bool {
    live.lane.read_data(&live.arena, (sent, used), data, read) || buffers.read(data, generation, read)
}

/// The place and the length of a reference.
fn parts(bytes: &[u8]) -> (Place, u64) {
    let number = |offset: usize| {
        let mut number = [0; size_of::<u64>()];
        number.copy_from_slice(&bytes[offset..offset + size_of::<u64>()]);
        u64::from_ne_bytes(number)
    };
    (Place::from_raw(number(reference::PLACE)), number(reference::LENGTH))
}
