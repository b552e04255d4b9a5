//! Lines of a segment: what a message begins with, whose place is checked once for all of its fields.
//!
//! A call touches some twenty fields of five lines. Each by itself would be looked at for whether it lies in its segment and is
//! aligned; where the line does and is, all that is left are offsets in it, which are constants.

#[cfg(not(all(test, loom)))]
use std::marker::PhantomData;
use std::ops::Deref;

use hotcell_protocol::wire;

use super::{Mapping, Plain};
use crate::line::{HALVES, HEAD, Head};
use crate::{ahead, atomics};

/// A line of a segment that this side may only load from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'m> {
    /// Aligned to a line, with a whole one there.
    address: *mut u8,
    #[cfg(not(all(test, loom)))]
    mapping: PhantomData<&'m Mapping>,
    /// A model is told of each access.
    #[cfg(all(test, loom))]
    mapping: (&'m Mapping, usize),
}

/// A line of a segment that this side writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnLine<'m>(Line<'m>);

impl<'m> Line<'m> {
    #[inline(always)]
    pub(super) fn new(mapping: &'m Mapping, offset: usize) -> Line<'m> {
        assert!(offset.is_multiple_of(wire::LINE), "a line at an odd offset");
        assert!(mapping.holds(offset as u64, wire::LINE as u64), "a line outside of its segment");
        // SAFETY: the assertion keeps the address inside the map.
        let address = unsafe { mapping.base().add(offset) };
        #[cfg(not(all(test, loom)))]
        let mapping = PhantomData;
        #[cfg(all(test, loom))]
        let mapping = (mapping, offset);
        Line { address, mapping }
    }

    /// The address of a field.
    #[inline(always)]
    fn at<T>(self, at: usize) -> *mut T {
        assert!(at <= wire::LINE - size_of::<T>(), "a field outside of its line");
        assert!(at.is_multiple_of(align_of::<T>()), "a number at an odd offset");
        // SAFETY: the assertion keeps the address inside the line.
        unsafe { self.address.add(at).cast::<T>() }
    }

    /// Loads a number once.
    #[inline(always)]
    pub(crate) fn load<T: Plain>(self, at: usize) -> T {
        #[cfg(all(test, loom))]
        self.mapping.0.watched.touch(self.mapping.1 + at, size_of::<T>());
        // SAFETY: `at` checked range and alignment; `Plain` types hold any bits; volatile makes it one fetch that the compiler
        // cannot repeat after the value was judged.
        unsafe { self.at::<T>(at).read_volatile() }
    }

    /// A 4-byte word that this side may only load from and wait on where the map is read-only.
    #[cfg(not(all(test, loom)))]
    #[inline(always)]
    pub(crate) fn word(self, at: usize) -> &'m atomics::AtomicU32 {
        // SAFETY: `at` checked range and alignment, and the map lives as long as what it was borrowed of. Other processes access
        // the word with machine-word accesses only through this protocol, and a hostile one that does not can change its value
        // but not break the atomic.
        unsafe { atomics::AtomicU32::from_ptr(self.at(at)) }
    }

    #[cfg(all(test, loom))]
    pub(crate) fn word(self, at: usize) -> &'m atomics::AtomicU32 {
        self.mapping.0.peer_word(self.mapping.1 + at)
    }

    /// Asks for it, as it is going to be stored into, while something else is done. Until then the other side, which polls it,
    /// has it.
    #[inline(always)]
    pub(crate) fn expect_store(self) {
        ahead::claim(self.address);
    }
}

impl<'m> OwnLine<'m> {
    #[inline(always)]
    pub(super) fn new(line: Line<'m>) -> OwnLine<'m> {
        OwnLine(line)
    }

    /// Stores a number.
    #[inline(always)]
    pub(crate) fn store<T: Plain>(self, at: usize, value: T) {
        #[cfg(all(test, loom))]
        self.touch(at, size_of::<T>());
        // SAFETY: `at` checked range and alignment, and who made this that the map is writable.
        unsafe { self.at::<T>(at).write_volatile(value) }
    }

    /// Stores all of it but its first four bytes: these are the commit word, which is stored last. Of a block that is shorter than what
    /// is near, what lies behind it is of an earlier message of the same two sides.
    #[inline(always)]
    pub(crate) fn store_message(self, head: &Head, near: &[u32; HALVES]) {
        #[cfg(all(test, loom))]
        self.touch(0, wire::LINE);
        let [first, rest @ ..] = head.words();
        // SAFETY: a head and what is near are no more than a line, all of which is there and writable.
        unsafe {
            self.at::<u32>(size_of::<u32>()).write_volatile((first >> u32::BITS) as u32);
            for (index, word) in rest.iter().enumerate() {
                self.at::<u64>((1 + index) * size_of::<u64>()).write_volatile(*word);
            }
            for (index, half) in near.iter().enumerate() {
                self.at::<u32>(HEAD + index * size_of::<u32>()).write_volatile(*half);
            }
        }
    }

    /// Tells the model that it is written.
    #[cfg(all(test, loom))]
    fn touch(self, at: usize, length: usize) {
        let (mapping, offset) = self.mapping;
        mapping.watched.note(offset + at, length, true);
        mapping.watched.touch(offset + at, length);
    }
}

impl<'m> Deref for OwnLine<'m> {
    type Target = Line<'m>;

    #[inline(always)]
    fn deref(&self) -> &Line<'m> {
        &self.0
    }
}
