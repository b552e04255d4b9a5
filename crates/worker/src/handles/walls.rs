//! Memory between walls: pages that nobody may touch (docs/adr/0093). What ends right before one is read no further than it goes.

use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};

/// Bytes that a wall has at least, as those that shims make.
const LEAST: usize = 64 << 10;

/// A mapping with walls. It ends with this.
#[derive(Debug)]
pub(super) struct Walls {
    base: *mut c_void,
    length: usize,
}

impl Walls {
    /// A copy of data between walls, where that ends; `None` when there is no memory, or when there may be no more mappings.
    pub(super) fn around(data: &[u8]) -> Option<(NonNull<u8>, Walls)> {
        // SAFETY: it only asks.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).ok()?;
        let open = data.len().checked_next_multiple_of(page)?;
        let length = page.checked_add(open)?.checked_add(open.max(LEAST))?;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh map at an address of the kernel's choice overlaps nothing.
        let base = unsafe { libc::mmap(null_mut(), length, libc::PROT_NONE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return None;
        }
        let walls = Walls { base, length };
        // SAFETY: the part lies within the map, behind its first page, and is nobody's yet.
        let (first, opened) = unsafe {
            let first = base.cast::<u8>().add(page);
            let access = libc::PROT_READ | libc::PROT_WRITE;
            (first, open == 0 || libc::mprotect(first.cast(), open, access) == 0)
        };
        if !opened {
            return None;
        }
        // SAFETY: the end of the part that is open has so many bytes, and the map is new.
        let copy = unsafe {
            let copy = first.add(open - data.len());
            std::ptr::copy_nonoverlapping(data.as_ptr(), copy, data.len());
            copy
        };
        Some((NonNull::new(copy)?, walls))
    }
}

impl Drop for Walls {
    fn drop(&mut self) {
        // SAFETY: the map is this one's, and nothing but the library knows of it.
        unsafe { libc::munmap(self.base, self.length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_ends_where_a_page_does() {
        for length in [0, 1, 4095, 4096, 4097, 100_000] {
            let data: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let (copy, _walls) = Walls::around(&data).unwrap();
            // SAFETY: there are so many bytes.
            assert_eq!(unsafe { std::slice::from_raw_parts(copy.as_ptr(), length) }, data);
            // SAFETY: it only asks.
            let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
            assert_eq!((copy.as_ptr().addr() + length) % page, 0);
        }
    }
}
