//! What a function does with one pointer that it is given.

use crate::value::{Offset, Value};

/// Which memory behind a pointer is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Extent {
    /// None.
    #[default]
    Nothing,
    /// Only bytes between these distances from the pointer: from the first on, and before the second.
    Within(i64, i64),
    /// Nobody knows how much.
    Anywhere,
}

/// From here on nobody counts: a loop that walks on ends with it.
const FAR: i64 = 1 << 16;

impl Extent {
    pub(crate) fn of(offset: Offset, size: usize) -> Extent {
        let (Offset::Is(start), Ok(size)) = (offset, i64::try_from(size)) else { return Extent::Anywhere };
        match start.checked_add(size) {
            Some(end) if size > 0 && start > -FAR && end < FAR => Extent::Within(start, end),
            _ => Extent::Anywhere,
        }
    }

    /// Both.
    #[must_use]
    pub fn join(self, other: Extent) -> Extent {
        match (self, other) {
            (Extent::Nothing, other) | (other, Extent::Nothing) => other,
            (Extent::Within(start, end), Extent::Within(first, last)) => {
                Extent::Within(start.min(first), end.max(last))
            }
            _ => Extent::Anywhere,
        }
    }

    /// The same seen from a pointer that lies so far before.
    pub(crate) fn behind(self, offset: Offset) -> Extent {
        match (self, offset) {
            (Extent::Within(start, end), Offset::Is(offset)) => match start.checked_add(offset) {
                Some(first) => Extent::of(Offset::Is(first), usize::try_from(end - start).unwrap_or(0)),
                None => Extent::Anywhere,
            },
            (Extent::Nothing, _) => Extent::Nothing,
            _ => Extent::Anywhere,
        }
    }

    /// Whether any memory is touched.
    #[must_use]
    pub fn is_any(self) -> bool {
        self != Extent::Nothing
    }

    /// Whether nothing is touched but so many bytes behind the pointer.
    #[must_use]
    pub fn fits(self, size: u64) -> bool {
        match self {
            Extent::Nothing => true,
            Extent::Within(start, end) => start >= 0 && u64::try_from(end).is_ok_and(|end| end <= size),
            Extent::Anywhere => false,
        }
    }
}

/// Where a pointer goes that may be used when the function is over.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Gone {
    /// Into memory, by the instruction at this address.
    Stored(u64),
    /// To a function of another library.
    Handed(String),
    /// Out of sight, at this address: to a function that a pointer leads to, or by code that is not understood.
    Lost(u64),
}

/// What one function does with one pointer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Use {
    /// Where the pointer goes. The rest says nothing then.
    pub gone: Option<Gone>,
    /// Where something goes that was read behind it, and may be a pointer.
    pub inner_gone: Option<Gone>,
    /// That it is released, or may be.
    pub released: bool,
    /// That what was read behind it is released, or may be.
    pub inner_released: bool,
    /// What is read behind it.
    pub read: Extent,
    /// What is written behind it.
    pub written: Extent,
    /// That memory is written to which what was read behind it leads.
    pub inner_written: bool,
    /// That it matters where the memory lies: its address is held against another one, made a number of, or what lies before it is
    /// looked for.
    pub placed: bool,
    /// What may be returned.
    pub returned: Returned,
}

/// What of a pointer may be returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Returned {
    /// The pointer, perhaps with something added.
    pub(crate) pointer: Option<Offset>,
    /// The same, beside another value.
    pub(crate) second: Option<Offset>,
    /// What was read behind it.
    pub(crate) inner: bool,
}

impl Returned {
    /// Whether it is the pointer itself, or a place behind it.
    #[must_use]
    pub fn is_pointer(self) -> bool {
        self.pointer.is_some()
    }

    /// Whether it is something that was read behind it.
    #[must_use]
    pub fn is_inner(self) -> bool {
        self.inner
    }
}

impl Use {
    /// Whether anything at all is done with it that could be seen.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.gone.is_some() || self.released || self.read.is_any() || self.written.is_any()
    }

    /// Takes up what a function does that is given `value`.
    pub(crate) fn add(&mut self, callee: &Use, value: Value) {
        if let Some(offset) = value.pointer {
            self.lose(callee.gone.clone());
            self.lose_inner(callee.inner_gone.clone());
            self.released |= callee.released;
            self.inner_released |= callee.inner_released;
            self.read = self.read.join(callee.read.behind(offset));
            self.written = self.written.join(callee.written.behind(offset));
            self.inner_written |= callee.inner_written;
            self.placed |= callee.placed;
        }
        if value.inner {
            self.lose_inner(callee.gone.clone().or_else(|| callee.inner_gone.clone()));
            self.inner_released |= callee.released || callee.inner_released;
            self.inner_written |= callee.written.is_any() || callee.inner_written;
        }
    }

    /// The pointer goes there.
    pub(crate) fn lose(&mut self, gone: Option<Gone>) {
        self.gone = self.gone.take().or(gone);
    }

    /// What was read behind it goes there.
    pub(crate) fn lose_inner(&mut self, gone: Option<Gone>) {
        self.inner_gone = self.inner_gone.take().or(gone);
    }
}
