//! Lines of shared memory that are asked for before they are needed.

use hotcell_protocol::wire;

/// Lines that are asked for before they are needed: so they come from the other core while entries are executed, not one
/// after the other when an entry waits for them.
#[derive(Debug)]
pub struct Ahead {
    next: *mut u8,
    lines: usize,
}

impl Ahead {
    /// Those of so many bytes.
    #[inline]
    pub fn of(base: *mut u8, length: usize) -> Ahead {
        Ahead { next: base, lines: length.div_ceil(wire::LINE) }
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

    #[inline(always)]
    fn turn(&mut self, lines: usize, ask: impl Fn(*mut u8)) {
        let now = lines.min(self.lines);
        self.lines -= now;
        for _ in 0..now {
            ask(self.next);
            self.next = self.next.wrapping_add(wire::LINE);
        }
    }
}

/// Asks for the line at an address, to be read.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn fetch(line: *mut u8) {
    // SAFETY: a hint, which no address makes a fault.
    unsafe { std::arch::asm!("prefetcht0 [{}]", in(reg) line, options(nostack, preserves_flags)) };
}

/// Asks for the line at an address, to be written.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn claim(line: *mut u8) {
    // SAFETY: a hint, which no address makes a fault.
    unsafe { std::arch::asm!("prefetchw [{}]", in(reg) line, options(nostack, preserves_flags)) };
}

#[cfg(not(target_arch = "x86_64"))]
fn fetch(_: *mut u8) {}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn claim(_: *mut u8) {}
