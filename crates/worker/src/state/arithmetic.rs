//! How the processor rounds, what it does with the smallest numbers, and which errors of arithmetic it traps: of one thread.

use std::cell::Cell;

use crate::state::Found;

thread_local! {
    /// What is to be, and which bits of it are compared: none before it is known.
    static TO_BE: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

/// Takes what holds on this thread for what is to be, if that is watched.
pub(super) fn remember(watched: bool) {
    TO_BE.set(if watched { (control(), u64::MAX) } else { (0, 0) });
}

/// Whether something else holds.
#[inline]
pub(super) fn is_changed() -> bool {
    let (to_be, compared) = TO_BE.get();
    (control() ^ to_be) & compared != 0
}

pub(super) fn put_back() -> Found {
    let (to_be, _) = TO_BE.get();
    set_control(to_be);
    Found::changed(!is_changed())
}

/// The control bits of both units; what is only noted of past operations is left out.
#[cfg(target_arch = "x86_64")]
#[inline]
fn control() -> u64 {
    let (mut vector, mut old) = (0u32, 0u16);
    // SAFETY: both store their word there, which is valid for writes, and change nothing else.
    unsafe {
        std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut vector, options(nostack, preserves_flags));
        std::arch::asm!("fnstcw [{}]", in(reg) &raw mut old, options(nostack, preserves_flags));
    }
    u64::from(old) << u32::BITS | u64::from(vector & !NOTES)
}

/// Bits of `mxcsr` that tell what has happened.
#[cfg(target_arch = "x86_64")]
const NOTES: u32 = 0x3f;

#[cfg(target_arch = "x86_64")]
fn set_control(to_be: u64) {
    let (vector, old) = (to_be as u32, (to_be >> u32::BITS) as u16);
    // SAFETY: both words were stored by the same unit, so no reserved bit is set in them. What is noted of past operations is
    // cleared first: it could trap as soon as that is allowed.
    unsafe {
        std::arch::asm!("fnclex", "fldcw [{}]", in(reg) &raw const old, options(nostack));
        std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const vector, options(nostack));
    }
}

#[cfg(target_arch = "aarch64")]
#[inline]
fn control() -> u64 {
    let word: u64;
    // SAFETY: reads a register of this thread.
    unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) word, options(nomem, nostack, preserves_flags)) };
    word
}

#[cfg(target_arch = "aarch64")]
fn set_control(to_be: u64) {
    // SAFETY: the word was read from this register.
    unsafe { std::arch::asm!("msr fpcr, {}", in(reg) to_be, options(nostack)) };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits 13 and 14: towards plus infinity.
    #[cfg(target_arch = "x86_64")]
    const UPWARD: u64 = 0x4000;
    /// Bits 22 and 23.
    #[cfg(target_arch = "aarch64")]
    const UPWARD: u64 = 0x40_0000;

    fn third() -> f64 {
        std::hint::black_box(1.0) / std::hint::black_box(3.0)
    }

    #[test]
    fn rounding_is_put_back_where_it_is_watched() {
        remember(false);
        let (right, before) = (third(), control());
        set_control(before | UPWARD);
        assert!(third() > right && !is_changed(), "nobody watches it");
        set_control(before);
        remember(true);
        set_control(before | UPWARD);
        assert!(third() > right && is_changed());
        assert_eq!(put_back(), Found::PutBack);
        assert!((third(), control()) == (right, before) && !is_changed());
    }
}
