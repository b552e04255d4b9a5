//! Reading and writing, of the frame, of what lies behind the pointer, and of everything else.

use crate::state::State;
use crate::summary::{Bytes, Extent, Gone, Surely};
use crate::value::{Offset, Value};
use crate::walk::Walk;

/// How much is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Amount {
    /// So many bytes, on each way.
    All(usize),
    /// So many bytes at most.
    UpTo(usize),
    /// Nobody knows.
    Unknown,
}

impl Amount {
    fn most(self) -> Option<usize> {
        match self {
            Amount::All(size) | Amount::UpTo(size) => Some(size),
            Amount::Unknown => None,
        }
    }
}

/// More than any instruction writes.
const MUCH: usize = 64;

/// More than functions copy within their frames.
const AT_ONCE: usize = 4096;

impl Walk<'_> {
    /// What is read from an address, so many bytes.
    pub(crate) fn fetch(&mut self, state: &State, at: Value, size: usize, address: u64) -> Value {
        self.fetch_all(state, at, Some(size), address)
    }

    /// The same of as many bytes as nobody may know.
    pub(crate) fn fetch_all(&mut self, state: &State, at: Value, size: Option<usize>, address: u64) -> Value {
        let mut value = Value::NONE;
        if let Some(offset) = at.pointer {
            self.does.reads(extent(offset, size), offset);
            // Whether there is any text may be seen by its first letter.
            let first = size == Some(1) && offset == Offset::Is(0);
            self.does.unmeasured |= !first;
            if let Some(size @ ..8) = size {
                self.does.in_parts |= offset == Offset::Any;
                self.does.halved = self.does.halved.join(Bytes::of(offset, size));
            }
            value.inner = true;
        }
        value.inner |= at.inner;
        match (at.frame, size) {
            (Some(offset), Some(size)) => {
                let found = state.load(offset, size);
                self.frame_read |= !found.alien;
                value = value.join(found);
            }
            (Some(_), None) => value = value.join(state.between(None, None).somewhere()),
            (None, _) => {}
        }
        if at.other || !value.matters() && !value.other {
            value = value.join(Value::OTHER);
        }
        // Less than a pointer leads nowhere, but it may be put together again.
        if let Some(size @ ..8) = size {
            let part = at.frame.map(|offset| match (offset, i64::try_from(size)) {
                (Offset::Is(offset), Ok(size)) => {
                    state.between(Some(offset), Some(offset.saturating_add(size)))
                }
                _ => state.between(None, None),
            });
            self.take_apart(part.unwrap_or(Value::NONE), address);
            return Value::OTHER;
        }
        value
    }

    /// What is got back from the stack: what was put there by its address, for nobody writes over what a function has put aside.
    pub(crate) fn get_back(&mut self, state: &State, at: Value, address: u64) -> Value {
        match at {
            Value { frame: Some(Offset::Is(offset)), pointer: None, inner: false, other: false, .. } => {
                let found = state.at(offset);
                self.frame_read |= !found.alien;
                found
            }
            _ => self.fetch(state, at, 8, address),
        }
    }

    /// Notes that a number is made of what may be an address, or a part taken of which another place may have the rest.
    pub(crate) fn take_apart(&mut self, value: Value, address: u64) {
        self.lose(value, &Gone::Lost(address));
        self.frame_known |= value.frame.is_some();
    }

    /// Writes to an address.
    pub(crate) fn put(&mut self, state: &mut State, at: Value, amount: Amount, value: Value, gone: &Gone) {
        let size = amount.most();
        let nul = size == Some(1) && value.number == Value::NULL.number;
        let value = match size {
            Some(..8) => {
                self.take_apart(value, gone.address());
                Value::OTHER
            }
            _ => value,
        };
        self.does.noisy |= at.other;
        if let Some(offset) = at.pointer {
            self.does.writes(extent(offset, size), offset);
        }
        self.does.inner_written |= at.inner;
        let only_there = !at.inner && !at.other;
        state.ended |= nul && only_there && at.pointer.is_some() && at.frame.is_none();
        if let (Some(Offset::Is(offset)), None, true, Amount::All(size)) =
            (at.pointer, at.frame, only_there, amount)
        {
            state.written |= Surely::of(offset, size);
        }
        if let Some(offset) = at.frame {
            self.in_frame |= value.leads();
            match (offset, amount) {
                // Who writes over the address to return to goes on elsewhere.
                (Offset::Is(offset @ -7..8), _) if size.is_none_or(|size| end(offset, size) > 0) => {
                    self.lose_all(gone.address());
                }
                (Offset::Is(offset), Amount::All(size @ ..=MUCH)) => {
                    let certainly = !at.leads() && !at.other;
                    self.frame_open |= !certainly;
                    state.store(offset, size, value, certainly);
                }
                (Offset::Is(offset), Amount::UpTo(size @ ..=AT_ONCE)) => {
                    self.frame_open = true;
                    state.fill();
                    if value.matters() {
                        state.store(offset, size, value, false);
                    }
                }
                _ => {
                    self.frame_open = true;
                    state.store_anywhere(value);
                }
            }
        }
        if at.pointer.is_some() {
            // It points into itself, or to this frame.
            if value.pointer.is_some() {
                self.does.into_itself.get_or_insert_with(|| gone.clone());
                let written = at.pointer.map(|offset| Bytes::of(offset, size.unwrap_or(MUCH)));
                self.does.own = self.does.own.join(written.unwrap_or_default());
            }
            self.frame_known |= value.frame.is_some();
        }
        // What would be written to NULL goes nowhere.
        let only_null = self.sites.is_some() && at.pointer.is_some() && !at.alien;
        let elsewhere = at.other && !only_null;
        if at.inner || elsewhere {
            self.lose(value, gone);
            self.frame_known |= value.frame.is_some();
        }
    }
}

fn end(offset: i64, size: usize) -> i64 {
    i64::try_from(size).map_or(i64::MAX, |size| offset.saturating_add(size))
}

fn extent(offset: Offset, size: Option<usize>) -> Extent {
    size.map_or(Extent::Anywhere, |size| Extent::of(offset, size))
}
