//! The label of a block: which function allocated it, and how many bytes it has, in the last 8 bytes it has room for.
//!
//! From the lowest bit: 16 bits of the function's entry, 24 bits of how many bytes lie between the block's end and the label,
//! 24 bits that depend on the address, by which a label is known.

use std::ffi::c_void;

use super::plain;

/// Bytes of a label.
pub(super) const SIZE: usize = size_of::<u64>();

const SLACK_BITS: u32 = 24;

/// What the address of every block is a multiple of.
const ALIGN: usize = 16;

/// Addresses that a process may have end here.
const SPACE: usize = 1 << if cfg!(target_arch = "x86_64") { 47 } else { 48 };

/// Bytes that every block has room for.
const LEAST: usize = 24;

/// Labels a block. False where it cannot be: then it has none, and is not to be counted.
///
/// # Safety
///
/// It must be a block of the C library's allocator with room for `size` bytes and a label.
#[inline]
pub(super) unsafe fn put(block: *mut c_void, entry: u16, size: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let place = plain::usable(block).wrapping_sub(SIZE);
        let slack = place.wrapping_sub(size) as u64;
        let fits = slack < 1 << SLACK_BITS;
        let label = if fits { mark(block) | slack << u16::BITS | u64::from(entry) } else { !mark(block) };
        block.byte_add(place).cast::<u64>().write_unaligned(label);
        fits
    }
}

/// Entry and bytes of a block, and takes the label off; none where it has none.
///
/// # Safety
///
/// It must be a block of the C library's allocator.
#[inline]
pub(super) unsafe fn take(block: *mut c_void) -> Option<(u16, usize)> {
    // SAFETY: the caller's promise.
    unsafe {
        let (found, place) = read(block)?;
        block.byte_add(place).cast::<u64>().write_unaligned(0);
        Some(found)
    }
}

/// Bytes of a block that has a label.
///
/// # Safety
///
/// As for [`take`].
pub(super) unsafe fn bytes_of(block: *mut c_void) -> Option<usize> {
    // SAFETY: the caller's promise.
    unsafe { read(block).map(|((_, size), _)| size) }
}

/// What the label says, and where it is. None for what cannot be a block, which is for the C library to say.
///
/// # Safety
///
/// As for [`take`].
#[inline]
unsafe fn read(block: *mut c_void) -> Option<((u16, usize), usize)> {
    if !block.addr().is_multiple_of(ALIGN) {
        return None;
    }
    // SAFETY: the caller's promise: so many bytes are there.
    unsafe {
        let room = plain::usable(block);
        if room < LEAST || block.addr().checked_add(room)? > SPACE {
            return None;
        }
        let place = room - SIZE;
        let label = block.byte_add(place).cast::<u64>().read_unaligned();
        let slack = (label >> u16::BITS) as usize & ((1 << SLACK_BITS) - 1);
        let known = label >> (u16::BITS + SLACK_BITS) == mark(block) >> (u16::BITS + SLACK_BITS);
        (known && slack <= place).then(|| ((label as u16, place - slack), place))
    }
}

/// What a label of this address has in its upper bits.
#[inline]
fn mark(block: *mut c_void) -> u64 {
    let mixed = (block.addr() as u64 ^ 0x5A3C_96E1_D287_4B0F).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed >> (u16::BITS + SLACK_BITS) << (u16::BITS + SLACK_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_block_has_no_label() {
        assert!(plain::prepare());
        for note in [0, 8, 16, 24, usize::MAX, usize::MAX - 7, 1 << 63 | 1, (1 << 48) - 7] {
            let place = Box::new([0u128, (note as u128) << 64, 0, 0]);
            let pointer = (&raw const place[2]).cast_mut().cast::<c_void>();
            // SAFETY: the note before it is there, and with these nothing else is read.
            assert_eq!(unsafe { take(pointer) }, None, "{note:#x}");
            for misaligned in [1, 8, 15] {
                // SAFETY: of these nothing is read.
                assert_eq!(unsafe { take(pointer.byte_add(misaligned)) }, None);
            }
        }
        // SAFETY: a block of the C library's allocator.
        unsafe {
            let block = plain::malloc(100 + SIZE);
            assert!(put(block, 7, 100));
            assert_eq!((take(block), take(block)), (Some((7, 100)), None));
            plain::free(block);
        }
    }
}
