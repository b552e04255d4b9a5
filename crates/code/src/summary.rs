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

    /// Whether it begins before the pointer, or may by an offset that does.
    fn is_before(self, offset: Offset) -> bool {
        match self {
            Extent::Within(start, _) => start < 0,
            _ => matches!(offset, Offset::Is(offset) if offset < 0),
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

impl Gone {
    /// Where in the code; nowhere of another library.
    pub(crate) fn address(&self) -> u64 {
        match self {
            Gone::Stored(address) | Gone::Lost(address) => *address,
            Gone::Handed(_) => 0,
        }
    }
}

/// What one function does with one pointer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Use {
    /// Where the pointer goes. The rest says nothing then.
    pub gone: Option<Gone>,
    /// Where it goes behind itself, and nowhere else: an object that leads to itself.
    pub(crate) into_itself: Option<Gone>,
    /// Where something goes that was read behind it, and may be a pointer.
    pub inner_gone: Option<Gone>,
    /// That it is released, or may be.
    pub released: bool,
    /// That it is handed to C's `free` on some way, and nothing else in its place.
    pub(crate) freed: bool,
    /// That what was read behind it is released, or may be.
    pub inner_released: bool,
    /// What is read behind it.
    pub read: Extent,
    /// What is written behind it.
    pub written: Extent,
    /// That memory is written to which what was read behind it leads.
    pub inner_written: bool,
    /// That it matters where the memory lies: its address is held against another one, or what lies before it is looked for.
    pub placed: bool,
    /// The same of what was read behind it.
    pub(crate) inner_placed: bool,
    /// That it is read up to a NUL.
    pub(crate) measured: bool,
    /// That it is read otherwise: there may be something behind a NUL, or none.
    pub(crate) unmeasured: bool,
    /// That something else is written than what lies behind the pointer and in the frame, or something called that may.
    pub(crate) noisy: bool,
    /// That it is read in parts of what an address takes, at places that nobody knows: what is there may be copied so.
    pub in_parts: bool,
    /// Which bytes behind it are read in parts of what an address takes.
    pub(crate) halved: Bytes,
    /// Where behind it its own address is written.
    pub(crate) own: Bytes,
    /// The first 64 bytes behind it, a bit for each: those that are written whenever the function returns.
    pub(crate) surely: Surely,
    /// Whether a NUL is written there, or a text with one, whenever the function returns.
    pub(crate) ended: Ended,
    /// What may be returned.
    pub returned: Returned,
}

/// Bytes behind a pointer: the first 64, a bit for each, and whether there may be others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bytes {
    pub(crate) first: u64,
    pub(crate) beyond: bool,
}

impl Bytes {
    pub(crate) fn of(offset: Offset, size: usize) -> Bytes {
        match (offset, u32::try_from(size)) {
            (Offset::Is(start @ 0..64), Ok(size @ 1..64)) => {
                let bits = u64::MAX >> (64 - size);
                Bytes { first: bits << start, beyond: start.saturating_add(i64::from(size)) > 64 }
            }
            _ => Bytes { first: 0, beyond: size > 0 },
        }
    }

    /// The same seen from a pointer that lies so far before.
    fn behind(self, offset: Offset) -> Bytes {
        match offset {
            Offset::Is(by @ 0..64) => {
                let lost = self.first != 0 && (self.first << by) >> by != self.first;
                Bytes { first: self.first << by, beyond: self.beyond || lost }
            }
            _ => Bytes { first: 0, beyond: self.is_any() },
        }
    }

    pub(crate) fn join(self, other: Bytes) -> Bytes {
        Bytes { first: self.first | other.first, beyond: self.beyond || other.beyond }
    }

    pub(crate) fn is_any(self) -> bool {
        self.first != 0 || self.beyond
    }

    /// Whether both may have one.
    pub(crate) fn meets(self, other: Bytes) -> bool {
        self.first & other.first != 0 || self.beyond && other.is_any() || other.beyond && self.is_any()
    }
}

/// Whether a NUL is written on each way; it is where there is no way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended(pub(crate) bool);

impl Default for Ended {
    fn default() -> Ended {
        Ended(true)
    }
}

/// Bytes that are written on each way, a bit for each; all of them where there is no way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Surely(pub(crate) u64);

impl Default for Surely {
    fn default() -> Surely {
        Surely(u64::MAX)
    }
}

impl Surely {
    /// Of a write of so many bytes at a distance.
    pub(crate) fn of(offset: i64, size: usize) -> u64 {
        let Ok(start @ 0..64) = u32::try_from(offset) else { return 0 };
        match size {
            0 => 0,
            1..64 => (u64::MAX >> (64 - size)) << start,
            _ => u64::MAX << start,
        }
    }

    /// The same seen from a pointer that lies so far before.
    pub(crate) fn behind(self, offset: i64) -> u64 {
        match u32::try_from(offset) {
            Ok(offset @ 0..64) => self.0 << offset,
            _ => 0,
        }
    }
}

/// What of a pointer may be returned: in the registers for a number, for a second one, and for real numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Returned(pub(crate) [Back; 3]);

/// What comes back in one register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Back {
    /// The pointer, perhaps with something added.
    pub(crate) pointer: Option<Offset>,
    /// What was read behind it.
    pub(crate) inner: bool,
    /// Something that is neither the pointer, from its beginning on, nor NULL.
    pub(crate) alien: bool,
}

impl Back {
    pub(crate) fn join(&mut self, value: Value) {
        self.pointer = match (self.pointer, value.pointer) {
            (Some(one), Some(other)) if one != other => Some(Offset::Any),
            (one, other) => one.or(other),
        };
        self.inner |= value.inner;
        self.alien |= !value.is_whole();
    }
}

impl Returned {
    /// Whether it is the pointer itself, or a place behind it.
    #[must_use]
    pub fn is_pointer(self) -> bool {
        self.0[0].pointer.is_some()
    }

    /// The pointer or NULL, and nothing else.
    pub(crate) fn whole() -> Returned {
        let mut returned = Returned::default();
        returned.0[0].join(Value::MADE);
        returned
    }

    /// Whether it is the pointer or NULL, and nothing else.
    pub(crate) fn is_whole(self) -> bool {
        !self.0[0].alien
    }

    /// Whether it is something that was read behind it.
    #[must_use]
    pub fn is_inner(self) -> bool {
        self.0[0].inner
    }
}

impl Use {
    /// Whether anything at all is done with it that could be seen.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.gone.is_some() || self.released || self.read.is_any() || self.written.is_any()
    }

    /// Whether a text is read there, and nothing else.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.gone.is_none() && self.measured && !self.unmeasured
    }

    /// Whether a text is read there on some way.
    #[must_use]
    pub fn may_be_text(&self) -> bool {
        self.measured
    }

    /// Whether the function does nothing but read: it writes nowhere but in its frame.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        !self.noisy && !self.written.is_any() && !self.inner_written
    }

    /// Where the pointer goes, behind itself or elsewhere.
    pub(crate) fn kept(&self) -> Option<Gone> {
        self.gone.clone().or_else(|| self.into_itself.clone())
    }

    /// Takes up what a function does that is given `value`.
    pub(crate) fn add(&mut self, callee: &Use, value: Value) {
        self.noisy |= callee.noisy;
        if let Some(offset) = value.pointer {
            self.lose(callee.gone.clone());
            self.into_itself = self.into_itself.take().or_else(|| callee.into_itself.clone());
            self.lose_inner(callee.inner_gone.clone());
            self.freed |= callee.freed && value.is_begin();
            self.released |= callee.released;
            self.inner_released |= callee.inner_released;
            self.reads(callee.read.behind(offset), offset);
            self.writes(callee.written.behind(offset), offset);
            self.inner_written |= callee.inner_written;
            self.placed |= callee.placed;
            self.inner_placed |= callee.inner_placed;
            self.in_parts |= callee.in_parts;
            self.halved = self.halved.join(callee.halved.behind(offset));
            self.own = self.own.join(callee.own.behind(offset));
        }
        if value.inner {
            self.lose_inner(callee.kept().or_else(|| callee.inner_gone.clone()));
            self.inner_released |= callee.released || callee.inner_released;
            self.inner_written |= callee.written.is_any() || callee.inner_written;
            self.inner_placed |= callee.placed || callee.inner_placed;
            self.in_parts |= callee.in_parts;
        }
    }

    /// What is read behind the pointer, of which what is meant lies so far behind it.
    pub(crate) fn reads(&mut self, extent: Extent, offset: Offset) {
        self.read = self.read.join(extent);
        self.placed |= extent.is_any() && extent.is_before(offset);
    }

    /// The same of what is written.
    pub(crate) fn writes(&mut self, extent: Extent, offset: Offset) {
        self.written = self.written.join(extent);
        self.placed |= extent.is_any() && extent.is_before(offset);
    }

    /// Whether all of so many bytes are written whenever the function returns.
    #[must_use]
    pub fn fills(&self, size: u64) -> bool {
        let bytes = u32::try_from(size).ok().filter(|size| (1..=64).contains(size));
        bytes.is_some_and(|bytes| {
            let all = u64::MAX >> (64 - bytes);
            self.surely.0 & all == all
        })
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
