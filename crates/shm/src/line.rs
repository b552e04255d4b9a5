//! A cache line in private memory, until it is stored into a segment at once.
//!
//! The other side polls the line that a message starts with. Every store into it while it is polled takes the line
//! away from the poller, who takes it back: a message that is written field by field crosses between the cores more
//! than once. So what belongs to that line is collected here.

use hotcell_protocol::wire;

use crate::mapping::Plain;

/// Bytes of a line as words.
const WORDS: usize = wire::LINE / size_of::<u64>();

/// A line that is being filled.
#[derive(Debug, Clone, Default)]
#[repr(C, align(64))]
pub(crate) struct Line([u64; WORDS]);

impl Line {
    /// Stores a number.
    #[inline]
    pub(crate) fn put<T: Plain>(&mut self, offset: usize, value: T) {
        assert!(offset <= wire::LINE - size_of::<T>(), "a number outside of its line");
        // SAFETY: the assertion keeps the bytes inside of the words, which hold any bits; the store may be unaligned.
        unsafe { self.0.as_mut_ptr().cast::<u8>().add(offset).cast::<T>().write_unaligned(value) };
    }

    /// Copies bytes in.
    #[inline]
    pub(crate) fn put_bytes(&mut self, offset: usize, bytes: &[u8]) {
        assert!(offset <= wire::LINE && bytes.len() <= wire::LINE - offset, "data outside of their line");
        // SAFETY: the assertion keeps the bytes inside of the words, which hold any bits.
        let into = unsafe { self.0.as_mut_ptr().cast::<u8>().add(offset) };
        // SAFETY: as above; the line is borrowed mutably, so `bytes` lie elsewhere.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), into, bytes.len()) };
    }

    /// The words that hold the first `bytes` bytes.
    #[inline]
    pub(crate) fn words(&self, bytes: usize) -> &[u64] {
        &self.0[..bytes.min(wire::LINE).div_ceil(size_of::<u64>())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_in_the_words() {
        let mut line = Line::default();
        line.put(0, 7u32);
        line.put(12, -1i16);
        line.put_bytes(60, &[1, 2, 3, 4]);
        assert_eq!(line.words(1), [7]);
        assert_eq!(line.words(14), [7, 0xffff << 32]);
        assert_eq!(line.words(500)[7], 0x0403_0201 << 32);
    }

    #[test]
    #[should_panic(expected = "outside")]
    fn a_line_has_an_end() {
        Line::default().put(57, 0u64);
    }
}
