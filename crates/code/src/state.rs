//! What is known at one place of a function: registers, and its frame on the stack.

use std::collections::BTreeMap;

use iced_x86::Register;

use crate::value::{Number, Offset, Value};

/// Where a function finds the pointer that is followed when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    /// In a general register.
    Register(u8),
    /// In a vector register.
    Vector(u8),
    /// In the stack, so many bytes behind the address to return to.
    Stack(i64),
    /// Nowhere: what is followed is memory that the function makes, and may return.
    Made,
}

/// General registers, by the numbers that instructions have for them.
pub(crate) const RAX: usize = 0;
pub(crate) const RCX: usize = 1;
pub(crate) const RDX: usize = 2;
pub(crate) const RSP: usize = 4;
pub(crate) const RSI: usize = 6;
pub(crate) const RDI: usize = 7;

/// Those that hold the first six arguments.
pub(crate) const ARGUMENTS: [usize; 6] = [RDI, RSI, RDX, RCX, 8, 9];

/// Those that a function gives back as it found them.
pub(crate) const KEPT: [usize; 7] = [3, RSP, 5, 12, 13, 14, 15];

/// Bytes of a slot.
const SLOT: i64 = 8;

/// What is known at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    general: [Value; 16],
    vectors: [Value; 32],
    slots: BTreeMap<i64, Value>,
    /// What may lie anywhere in the frame.
    anywhere: Value,
    /// What the flags are about.
    pub(crate) compared: Option<Compared>,
    /// Which bytes behind the pointer have been written on all ways here.
    pub(crate) written: u64,
    /// Whether a NUL has been written behind the pointer on all ways here.
    pub(crate) ended: bool,
    /// Which of the first 63 slots below the address to return to may have been written, a bit for each.
    filled: u64,
}

/// What the flags are about: so many bytes of a register, held against a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Compared {
    pub(crate) register: usize,
    pub(crate) width: u8,
    pub(crate) number: u32,
}

impl State {
    /// When a function begins.
    pub(crate) fn begin(place: Place) -> State {
        let mut state = State {
            general: [Value::OTHER; 16],
            vectors: [Value::OTHER; 32],
            slots: BTreeMap::new(),
            anywhere: Value::NONE,
            compared: None,
            written: 0,
            ended: false,
            filled: 1 << 63,
        };
        state.general[RSP] = Value::frame(0);
        match place {
            Place::Register(number) => state.general[usize::from(number)] = Value::pointer(),
            Place::Vector(number) => state.vectors[usize::from(number)] = Value::pointer(),
            Place::Stack(offset) => {
                state.slots.insert(offset.div_euclid(SLOT), Value::pointer());
            }
            Place::Made => {}
        }
        state
    }

    /// Takes up what another way to the same place says. Whether it says anything new.
    pub(crate) fn join(&mut self, other: &State) -> bool {
        let mut new = false;
        // Where there is no pointer nothing has to be ended.
        let ended = [&*self, other].iter().all(|state| state.ended || !state.leads());
        let mut take = |one: &mut Value, other: Value| {
            let both = one.join(other);
            new |= both != *one;
            *one = both;
        };
        for (one, other) in self.general.iter_mut().zip(&other.general) {
            take(one, *other);
        }
        for (one, other) in self.vectors.iter_mut().zip(&other.vectors) {
            take(one, *other);
        }
        for (slot, value) in &mut self.slots {
            take(value, other.slots.get(slot).copied().unwrap_or(Value::OTHER));
        }
        for (slot, value) in other.slots.iter().filter(|(_, value)| value.matters()) {
            self.slots.entry(*slot).or_insert_with(|| {
                new = true;
                value.join(Value::OTHER)
            });
        }
        let anywhere = self.anywhere.join(other.anywhere);
        new |= anywhere != self.anywhere;
        self.anywhere = anywhere;
        if self.compared.is_some() && self.compared != other.compared {
            self.compared = None;
            new = true;
        }
        new |= self.written & !other.written != 0;
        self.written &= other.written;
        new |= self.ended && !ended;
        self.ended = ended;
        new |= other.filled & !self.filled != 0;
        self.filled |= other.filled;
        new
    }

    /// Whether anything leads to what is followed: where nothing does, nothing can be done with it.
    pub(crate) fn leads(&self) -> bool {
        let all = self.general.iter().chain(&self.vectors).chain(self.slots.values()).chain([&self.anywhere]);
        { all }.any(|value| value.leads())
    }

    /// What an instruction finds in a register: nothing that matters in a part of one.
    pub(crate) fn get(&self, register: Register) -> Value {
        match kind(register) {
            Kind::General(number, 8) => match self.general[number] {
                value @ Value { number: Number::AtMost { width: ..8, .. }, .. } => {
                    Value { number: Number::Any, ..value }
                }
                value => value,
            },
            Kind::General(number, width) => match self.general[number].number {
                Number::AtMost { most, width: known } if usize::from(known) >= width => Value::at_most(most),
                _ => Value::OTHER,
            },
            Kind::Vector(number) => self.vectors[number],
            Kind::Second(_) | Kind::Neither => Value::OTHER,
        }
    }

    /// What an instruction leaves in a register: one of 32 bits clears the rest, a smaller one leaves it.
    pub(crate) fn set(&mut self, register: Register, value: Value) {
        match kind(register) {
            Kind::General(number, 8) => self.general[number] = value,
            Kind::General(number, 4) => self.general[number] = Value::number(value.number.bound()),
            Kind::General(number, _) | Kind::Second(number) => {
                self.general[number] = self.general[number].somewhere();
            }
            Kind::Vector(number) => self.vectors[number] = value,
            Kind::Neither => {}
        }
        if let (Kind::General(number, _) | Kind::Second(number), Some(compared)) =
            (kind(register), self.compared)
            && number == compared.register
        {
            self.compared = None;
        }
    }

    pub(crate) fn general(&self, number: usize) -> Value {
        self.general[number]
    }

    pub(crate) fn set_general(&mut self, number: usize, value: Value) {
        self.general[number] = value;
    }

    pub(crate) fn vector(&self, number: usize) -> Value {
        self.vectors[number]
    }

    pub(crate) fn set_vector(&mut self, number: usize, value: Value) {
        self.vectors[number] = value;
    }

    /// What is read from the frame, so many bytes.
    pub(crate) fn load(&self, offset: Offset, size: usize) -> Value {
        if size < 8 {
            return Value::OTHER;
        }
        let Offset::Is(offset) = offset else {
            return self
                .slots
                .values()
                .fold(Value::OTHER.join(self.anywhere), |all, value| all.join(value.somewhere()));
        };
        let found = |slot| self.slots.get(&slot).copied().unwrap_or(Value::OTHER);
        let whole = size == 8 && offset.rem_euclid(SLOT) == 0;
        let value = match whole {
            true => found(offset.div_euclid(SLOT)),
            false => {
                slots(offset, size).map(found).fold(Value::NONE, |all, value| all.join(value.somewhere()))
            }
        };
        if self.anywhere == Value::NONE { value } else { value.join(self.anywhere) }
    }

    /// What was written to a place of the frame by its address.
    pub(crate) fn at(&self, offset: i64) -> Value {
        match offset.rem_euclid(SLOT) {
            0 => self.slots.get(&offset.div_euclid(SLOT)).copied().unwrap_or(Value::OTHER),
            _ => self.load(Offset::Is(offset), 8),
        }
    }

    /// What is written into the frame, so many bytes; `certainly` nowhere else.
    pub(crate) fn store(&mut self, offset: i64, size: usize, value: Value, certainly: bool) {
        let aligned = offset.rem_euclid(SLOT) == 0 && size.is_multiple_of(8);
        let value = if size < 8 { Value::OTHER } else { value };
        for slot in slots(offset, size) {
            self.filled |= bit(slot);
            let before = self.slots.get(&slot).copied().unwrap_or(Value::OTHER);
            let value = if size > 8 { value.somewhere() } else { value };
            let after = if aligned && certainly { value } else { before.join(value) };
            // What is not there is nothing that matters.
            match after.matters() || after.is_whole() {
                true => self.slots.insert(slot, after),
                false => self.slots.remove(&slot),
            };
        }
    }

    /// That any of the frame may have been written.
    pub(crate) fn fill(&mut self) {
        self.filled = u64::MAX;
    }

    /// What is written somewhere into the frame.
    pub(crate) fn store_anywhere(&mut self, value: Value) {
        self.fill();
        if value.matters() {
            self.anywhere = self.anywhere.join(value.somewhere());
        }
    }

    /// What may be found in the frame between two distances: `None` is as far as it goes.
    pub(crate) fn between(&self, start: Option<i64>, end: Option<i64>) -> Value {
        let first = start.map_or(i64::MIN, |start| start.div_euclid(SLOT));
        let last = end.map_or(i64::MAX, |end| end.saturating_sub(1).div_euclid(SLOT));
        if first > last {
            return self.anywhere;
        }
        self.slots.range(first..=last).fold(self.anywhere, |all, (_, value)| all.join(*value))
    }

    /// Slots that may be arguments of a call, from the top of the stack on, and hold something which matters: they lie in the frame, or
    /// where this function's own arguments do when it is called in its place. None are where nothing can have been written to the first.
    pub(crate) fn slots_given(&self, top: i64) -> impl Iterator<Item = (i64, Value)> + '_ {
        let first = top.div_euclid(SLOT);
        let end = match top {
            0.. => i64::MAX,
            _ if self.filled & bit(first) != 0 => 0,
            _ => top,
        };
        let found = self
            .slots
            .range(first..end.div_euclid(SLOT))
            .map(|(slot, value)| (slot.saturating_mul(SLOT), *value));
        found.filter(|(_, value)| value.matters())
    }

    /// What may lie anywhere in the frame.
    pub(crate) fn anywhere(&self) -> Value {
        self.anywhere
    }

    /// What a comparison says of a register where it holds no more than the number.
    pub(crate) fn bound(&mut self, compared: Compared, most: u32) {
        let number = &mut self.general[compared.register].number;
        // What is known of more of the register is not given up.
        if matches!(*number, Number::AtMost { width, most: before } if width > compared.width || before < most)
        {
            return;
        }
        *number = Number::AtMost { most, width: compared.width };
    }

    /// Takes up whether what a call has returned is there: in one register, and in all that hold the same where only one call's is followed.
    pub(crate) fn there(&mut self, register: usize, everywhere: bool, is: bool) {
        let take = |value: &mut Value| {
            if value.number == Number::Made {
                *value = if is { Value::pointer() } else { Value::NULL };
            }
        };
        if self.general[register].number != Number::Made {
            return;
        }
        take(&mut self.general[register]);
        if everywhere {
            self.general.iter_mut().chain(&mut self.vectors).chain(self.slots.values_mut()).for_each(take);
        }
    }

    /// That what is followed has been released: whoever has its address has no memory there.
    pub(crate) fn released(&mut self) {
        let all = self.general.iter_mut().chain(&mut self.vectors).chain(self.slots.values_mut());
        for value in all.filter(|value| value.pointer.is_some()) {
            *value = value.somewhere();
        }
    }

    /// Whether something leads to what is followed where no argument of a function is: below the stack, or in a register that is kept.
    pub(crate) fn hides(&self) -> bool {
        let below = self.slots.range(..0).any(|(_, value)| value.matters());
        let kept = KEPT.iter().any(|number| self.general[*number].leads());
        let others = [RAX, 11].iter().any(|number| self.general[*number].leads());
        below || kept || others || self.anywhere.matters()
    }
}

/// The bit of a slot. Those that have none lie where anything may have been written.
fn bit(slot: i64) -> u64 {
    match u32::try_from(-1 - slot) {
        Ok(number @ 0..63) => 1 << number,
        _ => 1 << 63,
    }
}

fn slots(offset: i64, size: usize) -> std::ops::RangeInclusive<i64> {
    let last = i64::try_from(size).map_or(i64::MAX, |size| offset.saturating_add(size.max(1) - 1));
    offset.div_euclid(SLOT)..=last.div_euclid(SLOT)
}

enum Kind {
    /// The second byte of the register of this number.
    Second(usize),
    /// Its number, and how many bytes of it.
    General(usize, usize),
    Vector(usize),
    Neither,
}

fn kind(register: Register) -> Kind {
    if matches!(register, Register::AH | Register::BH | Register::CH | Register::DH) {
        return Kind::Second(register.full_register().number());
    }
    if register.is_gpr() {
        return Kind::General(register.full_register().number(), register.size());
    }
    match register.is_vector_register() {
        true => Kind::Vector(register.number()),
        false => Kind::Neither,
    }
}

/// The number of a general register.
pub(crate) fn general(register: Register) -> Option<usize> {
    register.is_gpr().then(|| register.full_register().number())
}
