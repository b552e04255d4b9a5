//! Reading what arguments of a stopped system call point to, in a signal handler: the pointers are the library's.

use std::ffi::c_int;

/// Bytes of a path that are read.
const LONGEST: usize = 256;

/// Bytes that are looked at together: what the kernel reads of a set of signals.
const WORD: u64 = 8;

/// The start of a path, without its NUL.
pub(super) struct Path {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Default for Path {
    fn default() -> Path {
        Path { bytes: [0; LONGEST], length: 0 }
    }
}

impl Path {
    /// Reads it. None where the memory cannot be read.
    pub(super) fn read(address: u64) -> Option<Path> {
        let mut path = Path::default();
        while path.length < LONGEST {
            let place = address.checked_add(path.length as u64)?;
            match byte(place, path.length == 0 || place.is_multiple_of(WORD))? {
                0 => break,
                byte => path.bytes[path.length] = byte,
            }
            path.length += 1;
        }
        Some(path)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The port in a socket's address of IPv4 or IPv6.
pub(super) fn port(address: u64) -> Option<u16> {
    let mut start = [0; 4];
    for (offset, into) in (0..).zip(&mut start) {
        *into = byte(address.checked_add(offset)?, true)?;
    }
    let [family, family_high, port_high, port] = start;
    let family = c_int::from(u16::from_ne_bytes([family, family_high]));
    matches!(family, libc::AF_INET | libc::AF_INET6).then_some(u16::from_be_bytes([port_high, port]))
}

/// The byte there. `unknown`: nothing of its word was read yet, so the kernel is asked whether it can be.
fn byte(address: u64, unknown: bool) -> Option<u8> {
    if unknown && !is_readable(address & !(WORD - 1)) {
        return None;
    }
    // SAFETY: the word can be read, or a byte of it was; another thread that takes the memory away meanwhile crashes this
    // process, which is the library's own affair.
    Some(unsafe { std::ptr::with_exposed_provenance::<u8>(address as usize).read_volatile() })
}

/// Whether 8 bytes can be read: the kernel reads a set of signals there, and refuses what is to be done with it.
fn is_readable(address: u64) -> bool {
    const NOTHING: c_int = -1;
    // SAFETY: the kernel reads 8 bytes or fails with EFAULT; the mask stays as it is, for there is no such operation.
    let answer = unsafe { libc::syscall(libc::SYS_rt_sigprocmask, NOTHING, address, 0usize, WORD) };
    // SAFETY: errno's address is always valid.
    answer == -1 && unsafe { *libc::__errno_location() } == libc::EINVAL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_read_is() {
        let text = c"/etc/passwd, and what is behind it";
        for start in 0..12 {
            let path = Path::read(text.as_ptr().addr() as u64 + start).unwrap();
            assert_eq!(path.bytes(), &text.to_bytes()[start as usize..]);
        }
        let long = vec![b'x'; 2 * LONGEST];
        assert_eq!(Path::read(long.as_ptr().addr() as u64).unwrap().bytes(), &long[..LONGEST]);
        for address in [0, 8, 4096, u64::MAX, u64::MAX - 7, 1 << 63] {
            assert!(Path::read(address).is_none(), "{address:#x}");
        }
    }

    #[test]
    fn a_text_that_ends_with_its_memory_is_read_up_to_there() {
        const PAGE: usize = 4096;
        // SAFETY: a fresh map of two pages, the second of which is made inaccessible; it is not used by anything else.
        let start = unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let map =
                libc::mmap(std::ptr::null_mut(), 2 * PAGE, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
            assert_ne!(map, libc::MAP_FAILED);
            assert_eq!(libc::mprotect(map.add(PAGE), PAGE, libc::PROT_NONE), 0);
            map.cast::<u8>()
        };
        // SAFETY: both bytes are in the first page.
        unsafe { start.add(PAGE - 2).write(b'a') };
        let near = start.addr() as u64 + PAGE as u64 - 2;
        assert_eq!(Path::read(near).unwrap().bytes(), b"a");
        // SAFETY: as above. Now no NUL is left in it.
        unsafe { start.add(PAGE - 1).write(b'b') };
        assert!(Path::read(near).is_none());
    }

    #[test]
    fn ports_are_of_the_internet() {
        let port_of = |bytes: [u8; 8]| port(bytes.as_ptr().addr() as u64);
        assert_eq!(port_of([2, 0, 1, 187, 127, 0, 0, 1]), Some(443));
        assert_eq!(port_of([10, 0, 0, 80, 0, 0, 0, 0]), Some(80));
        assert_eq!(port_of([1, 0, b'/', b'x', 0, 0, 0, 0]), None);
        assert_eq!(port(0), None);
    }
}
