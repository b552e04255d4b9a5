//! Lines of shared memory that are asked for before they are needed.

use hotcell_protocol::wire;

/// Lines that are asked for before they are needed: so they come from the other core while entries are executed, not one
/// after the other when an entry waits for them.
///
/// Behind the last it asks for the last again, which costs less than to find out that there is no other.
#[derive(Debug)]
pub struct Ahead {
    next: *mut u8,
    last: *mut u8,
}

impl Ahead {
    /// Those of so many bytes, of the line of the first at least.
    #[inline]
    pub fn of(base: *mut u8, length: usize) -> Ahead {
        Ahead { next: base, last: base.wrapping_add(length.saturating_sub(1)) }
    }

    /// Asks for so many more, to be read.
    #[inline(always)]
    pub fn fetch(&mut self, lines: usize) {
        self.turn(lines, fetch);
    }

    /// Asks for so many more, to be written.
    #[inline(always)]
    pub fn claim(&mut self, lines: usize) {
        self.turn(lines, claim);
    }

    /// Asks for those that lie up to an address, to be written.
    #[inline(always)]
    pub fn claim_up_to(&mut self, end: *mut u8) {
        let end = end.min(self.last);
        while self.next < end {
            self.claim(1);
        }
    }

    /// Goes on behind an address, without asking for what is in front of it.
    pub fn pass(&mut self, address: *mut u8) {
        self.next = self.next.max(address).min(self.last);
    }

    #[inline(always)]
    fn turn(&mut self, lines: usize, ask: impl Fn(*mut u8)) {
        for _ in 0..lines {
            ask(self.next);
            self.next = self.next.wrapping_add(wire::LINE).min(self.last);
        }
    }
}

/// Asks for the line at an address, to be read.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn fetch(line: *mut u8) {
    // SAFETY: a hint, which no address makes a fault.
    unsafe { std::arch::asm!("prefetcht0 [{}]", in(reg) line, options(nostack, preserves_flags)) };
}

/// Asks for the line at an address, to be written.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub fn claim(line: *mut u8) {
    // SAFETY: a hint, which no address makes a fault.
    unsafe { std::arch::asm!("prefetchw [{}]", in(reg) line, options(nostack, preserves_flags)) };
}

/// Asks for the line at an address, to be read: not known here how.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn fetch(_: *mut u8) {}

/// Asks for the line at an address, to be written: not known here how.
#[cfg(not(target_arch = "x86_64"))]
pub fn claim(_: *mut u8) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_to_the_last_line_and_stays_there() {
        let mut lines = [0u8; 300];
        let (base, end) = (lines.as_mut_ptr(), lines.as_mut_ptr_range().end);
        let mut ahead = Ahead::of(base, lines.len());
        ahead.claim_up_to(base.wrapping_add(65));
        assert_eq!(ahead.next, base.wrapping_add(128));
        ahead.pass(base);
        assert_eq!(ahead.next, base.wrapping_add(128), "it never goes back");
        ahead.pass(base.wrapping_add(200));
        assert_eq!(ahead.next, base.wrapping_add(200));
        ahead.claim_up_to(end.wrapping_add(1 << 20));
        assert_eq!(ahead.next, end.wrapping_sub(1));
        ahead.fetch(3);
        assert_eq!(ahead.next, end.wrapping_sub(1));
        let mut none = Ahead::of(base, 0);
        none.claim(2);
        none.claim_up_to(end);
        assert_eq!(none.next, base);
    }
}
