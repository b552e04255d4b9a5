//! The frame below which the library is called: whoever unwinds the stack takes it for the outermost.
//!
//! An exception of C++ that nobody catches would come to frames of Rust otherwise, which end the process without a word, or stumble over
//! another copy of the unwinder. So it finds that nobody catches it, and says on standard error what it is before it ends the process.

use std::ffi::c_void;

use crate::context::{Context, Reply, ShimRequest};
use crate::library::Entry;

unsafe extern "C" {
    /// The entry comes last. What the pointers point to is its business alone.
    fn hotcell_outermost(
        context: *mut c_void,
        request: *const c_void,
        reply: *mut c_void,
        entry: *const c_void,
    );
}

// The return address is said not to be known: that is what unwinders know an outermost frame by.
#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".pushsection .text.hotcell_outermost,\"ax\",@progbits",
    ".p2align 4",
    ".hidden hotcell_outermost",
    ".globl hotcell_outermost",
    ".type hotcell_outermost,@function",
    "hotcell_outermost:",
    ".cfi_startproc",
    ".cfi_undefined rip",
    "push rbp",
    ".cfi_def_cfa_offset 16",
    "mov rbp, rsp",
    "call rcx",
    "pop rbp",
    ".cfi_def_cfa_offset 8",
    "ret",
    ".cfi_endproc",
    ".size hotcell_outermost, . - hotcell_outermost",
    ".popsection",
);

#[cfg(target_arch = "aarch64")]
std::arch::global_asm!(
    ".pushsection .text.hotcell_outermost,\"ax\",@progbits",
    ".p2align 4",
    ".hidden hotcell_outermost",
    ".globl hotcell_outermost",
    ".type hotcell_outermost,@function",
    "hotcell_outermost:",
    ".cfi_startproc",
    ".cfi_undefined x30",
    "stp x29, x30, [sp, #-16]!",
    ".cfi_def_cfa_offset 16",
    "mov x29, sp",
    "blr x3",
    "ldp x29, x30, [sp], #16",
    ".cfi_def_cfa_offset 0",
    "ret",
    ".cfi_endproc",
    ".size hotcell_outermost, . - hotcell_outermost",
    ".popsection",
);

/// Runs an entry of the shim.
///
/// # Safety
///
/// As for the entry.
#[inline(always)]
pub(crate) unsafe fn call(
    entry: Entry,
    context: *mut Context,
    request: *const ShimRequest,
    reply: *mut Reply,
) {
    // SAFETY: the caller's promise. The code above passes its first three arguments on in the registers in which they came,
    // keeps what a function has to keep, and leaves the stack aligned for the call.
    unsafe { hotcell_outermost(context.cast(), request.cast(), reply.cast(), entry as *const c_void) };
}
