//! The first cache line of a message, in private memory until it is stored into a segment at once.
//!
//! The other side polls that line. Every store into it while it is polled takes the line away from the poller, who takes
//! it back: a message that is written field by field crosses between the cores more than once.
//!
//! A line is a head and, behind it, the start of a block. The head is put together in registers, and the block is read by
//! halves of a word: a processor forwards what was just stored to a load no wider than that store, and makes a wider one
//! wait.

use hotcell_protocol::wire;

use crate::mapping::Plain;

/// Bytes of the head of a call, of a reply, and of what is used of a resume line.
pub(crate) const HEAD: usize = 32;

/// Bytes of the block that lie in the line of the head.
pub(crate) const NEAR: usize = wire::LINE - HEAD;

/// Halves of words that they are.
pub(crate) const HALVES: usize = NEAR / size_of::<u32>();

const _: () = {
    assert!(wire::call_head::SIZE == HEAD && wire::reply_head::SIZE == HEAD);
    assert!(wire::resume_line::VALUE + size_of::<u64>() == HEAD);
};

/// A message's head, all but its commit word.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Head([u64; HEAD / size_of::<u64>()]);

impl Head {
    /// Sets a field at its offset, which was 0 before.
    #[inline(always)]
    pub(crate) fn with(mut self, offset: usize, value: impl Into<u64>) -> Head {
        let bits = offset % size_of::<u64>() * u8::BITS as usize;
        self.0[offset / size_of::<u64>()] |= value.into() << bits;
        self
    }

    #[inline(always)]
    pub(crate) fn words(&self) -> &[u64; HEAD / size_of::<u64>()] {
        &self.0
    }
}

/// The start of an argument block that is being filled.
#[derive(Debug, Clone, Default)]
#[repr(C, align(32))]
pub(crate) struct Near([u32; HALVES]);

impl Near {
    /// Stores a number.
    #[inline]
    pub(crate) fn put<T: Plain>(&mut self, offset: usize, value: T) {
        assert!(offset <= NEAR - size_of::<T>(), "a number outside of its line");
        // SAFETY: the assertion keeps the bytes inside of the words, which hold any bits; the store may be unaligned.
        unsafe { self.0.as_mut_ptr().cast::<u8>().add(offset).cast::<T>().write_unaligned(value) };
    }

    /// Copies bytes in.
    #[inline]
    pub(crate) fn put_bytes(&mut self, offset: usize, bytes: &[u8]) {
        assert!(offset <= NEAR && bytes.len() <= NEAR - offset, "data outside of their line");
        // SAFETY: the assertion keeps the bytes inside of the words, which hold any bits.
        let into = unsafe { self.0.as_mut_ptr().cast::<u8>().add(offset) };
        // SAFETY: as above; the line is borrowed mutably, so `bytes` lie elsewhere.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), into, bytes.len()) };
    }

    /// Copies bytes out.
    pub(crate) fn copy_out(&self, offset: usize, into: &mut [u8]) {
        assert!(offset <= NEAR && into.len() <= NEAR - offset, "data outside of their line");
        for (at, byte) in into.iter_mut().enumerate() {
            let word = self.0[(offset + at) / size_of::<u32>()];
            *byte = word.to_ne_bytes()[(offset + at) % size_of::<u32>()];
        }
    }

    /// All of it, by halves of words.
    #[inline]
    pub(crate) fn halves(&self) -> &[u32; HALVES] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_in_the_halves() {
        let mut near = Near::default();
        near.put(0, 7u32);
        near.put(12, -1i16);
        near.put_bytes(28, &[1, 2, 3, 4]);
        assert_eq!(near.halves(), &[7, 0, 0, 0xffff, 0, 0, 0, 0x0403_0201]);
        let mut out = [0; 7];
        near.copy_out(25, &mut out);
        assert_eq!(out, [0, 0, 0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_head_has_its_fields_where_they_belong() {
        let head =
            Head::default().with(4, 3u16).with(6, 0xffffu16).with(8, 1u64).with(16, 5u32).with(20, 6u32);
        assert_eq!(head.words(), &[0xffff_0003_0000_0000, 1, 0x0000_0006_0000_0005, 0]);
    }

    #[test]
    #[should_panic(expected = "outside")]
    fn a_line_has_an_end() {
        Near::default().put(25, 0u64);
    }
}
