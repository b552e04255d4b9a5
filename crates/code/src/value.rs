//! What a register or a slot of the stack may hold, as far as it matters where one pointer goes.

/// How far behind an address another one lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Offset {
    /// So many bytes.
    Is(i64),
    /// Nobody knows.
    Any,
}

impl Offset {
    pub(crate) fn plus(self, bytes: i64) -> Offset {
        match self {
            Offset::Is(offset) => offset.checked_add(bytes).map_or(Offset::Any, Offset::Is),
            Offset::Any => Offset::Any,
        }
    }

    fn join(self, other: Offset) -> Offset {
        if self == other { self } else { Offset::Any }
    }
}

/// What is known of the number that a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Number {
    /// Nothing.
    #[default]
    Any,
    /// It is this address in the library.
    Address(u64),
    /// It was read at this address in the library.
    Read(u64),
    /// It is what the call has returned that is followed, as it came.
    Made,
    /// So many bytes of it, from the lowest on, are no more than this.
    AtMost { most: u32, width: u8 },
    /// It is one of the distances of a table, up to that number.
    Distance { table: u64, last: u32 },
    /// It is the table's address and one of its distances.
    Place { table: u64, last: u32 },
}

impl Number {
    /// Of numbers, only bounds outlive that half of a register is written.
    pub(crate) fn bound(self) -> Number {
        match self {
            Number::AtMost { .. } => self,
            _ => Number::Any,
        }
    }
}

/// What may be in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Value {
    /// That it is made of the pointer that is followed.
    pub(crate) pointer: Option<Offset>,
    /// That it is an address in the frame of the function, counted from where the stack was when it began.
    pub(crate) frame: Option<Offset>,
    /// That it was read out of memory behind the pointer, and may be a pointer itself.
    pub(crate) inner: bool,
    /// That it may be anything else.
    pub(crate) other: bool,
    /// That the rest of what it may be is more than NULL.
    pub(crate) alien: bool,
    /// What number it is.
    pub(crate) number: Number,
}

impl Value {
    /// Whether it is the pointer and nothing else, or the beginning of memory that has it a known way behind.
    pub(crate) fn is_begin(self) -> bool {
        let before = matches!(self.pointer, Some(Offset::Is(at)) if at <= 0);
        before && self.frame.is_none() && !self.inner && !self.other
    }

    /// Nothing that matters.
    pub(crate) const OTHER: Value =
        Value { pointer: None, frame: None, inner: false, other: true, alien: true, number: Number::Any };

    /// What nothing was read from yet.
    pub(crate) const NONE: Value = Value { other: false, alien: false, ..Value::OTHER };

    /// Nothing but NULL.
    pub(crate) const NULL: Value =
        Value { alien: false, number: Number::AtMost { most: 0, width: 8 }, ..Value::OTHER };

    pub(crate) fn pointer() -> Value {
        Value { pointer: Some(Offset::Is(0)), ..Value::NONE }
    }

    pub(crate) fn frame(offset: i64) -> Value {
        Value { frame: Some(Offset::Is(offset)), ..Value::NONE }
    }

    pub(crate) fn at_most(most: u32) -> Value {
        Value::number(Number::AtMost { most, width: 8 })
    }

    pub(crate) fn number(number: Number) -> Value {
        let null = number == Value::NULL.number;
        Value { number, alien: !null, ..Value::OTHER }
    }

    /// What a call returns that makes memory.
    pub(crate) const MADE: Value =
        Value { pointer: Some(Offset::Is(0)), alien: false, number: Number::Made, ..Value::OTHER };

    /// Whether it is the pointer, from its beginning on, or NULL.
    pub(crate) fn is_whole(self) -> bool {
        matches!(self.pointer, None | Some(Offset::Is(0)))
            && !self.inner
            && !self.alien
            && self.frame.is_none()
    }

    /// Whether it may lead to what is followed.
    pub(crate) fn leads(self) -> bool {
        self.pointer.is_some() || self.inner
    }

    /// Whether any of it matters.
    pub(crate) fn matters(self) -> bool {
        self.leads() || self.frame.is_some()
    }

    pub(crate) fn join(self, other: Value) -> Value {
        if self == Value::NONE || self == other {
            return other;
        }
        if other == Value::NONE {
            return self;
        }
        let either = |one: Option<Offset>, other: Option<Offset>| match (one, other) {
            (Some(one), Some(other)) => Some(one.join(other)),
            (one, other) => one.or(other),
        };
        Value {
            pointer: either(self.pointer, other.pointer),
            frame: either(self.frame, other.frame),
            inner: self.inner || other.inner,
            other: self.other || other.other,
            alien: self.alien || other.alien,
            number: match (self.number, other.number) {
                (one, other) if one == other => one,
                (Number::AtMost { most: one, width: narrow }, Number::AtMost { most: other, width }) => {
                    Number::AtMost { most: one.max(other), width: narrow.min(width) }
                }
                _ => Number::Any,
            },
        }
    }

    /// So many bytes further.
    pub(crate) fn plus(self, bytes: i64) -> Value {
        Value {
            pointer: self.pointer.map(|offset| offset.plus(bytes)),
            frame: self.frame.map(|offset| offset.plus(bytes)),
            inner: self.inner,
            other: self.other,
            alien: self.alien || self.other && bytes != 0,
            number: match self.number {
                Number::Address(address) => Number::Address(address.wrapping_add_signed(bytes)),
                _ => Number::Any,
            },
        }
    }

    /// What may be made of it, in a way that is not followed.
    pub(crate) fn somewhere(self) -> Value {
        Value {
            pointer: self.pointer.map(|_| Offset::Any),
            frame: self.frame.map(|_| Offset::Any),
            inner: self.inner,
            other: self.other,
            alien: true,
            number: Number::Any,
        }
    }
}
