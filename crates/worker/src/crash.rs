//! The last words of a crashing worker: signal, address and registers, left in the reply segment.
//!
//! The host believes none of it without need: the kernel tells it which signal ended the worker. The record
//! adds the address and whether the stack ran over.

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use hotcell_protocol::wire::crash_record as at;

/// Signals that end a process because of what it did; SIGSYS is for [`crate::denial`].
const FATAL: [c_int; 6] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT, libc::SIGTRAP];

/// Bytes of the handler's own stack: it must work when the serving thread's stack is used up.
const STACK: usize = 64 * 1024;

/// Where the record lies; null until installed and after the first crash wrote it.
static RECORD: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());

/// First address behind the serving thread's stack, roughly: nothing of it lies above.
static STACK_HIGH: AtomicU64 = AtomicU64::new(0);

/// Bytes that stack may grow to.
static STACK_LIMIT: AtomicU64 = AtomicU64::new(0);

/// Installs the handler on the calling thread, which must be the serving one.
pub(crate) fn install(record: *mut u8) {
    let here = 0u8;
    STACK_HIGH.store((&raw const here).addr() as u64, Ordering::Relaxed);
    let limit = rustix::process::getrlimit(rustix::process::Resource::Stack).current;
    STACK_LIMIT.store(limit.unwrap_or(8 << 20), Ordering::Relaxed);
    RECORD.store(record, Ordering::Release);
    let stack = libc::stack_t {
        ss_sp: Box::leak(vec![0u8; STACK].into_boxed_slice()).as_mut_ptr().cast(),
        ss_flags: 0,
        ss_size: STACK,
    };
    // SAFETY: the stack lives for ever; the handler has the type SA_SIGINFO asks for, and does only what a
    // signal handler may.
    unsafe {
        libc::sigaltstack(&stack, std::ptr::null_mut());
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = record_crash as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESETHAND;
        for signal in FATAL {
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
    }
}

/// Writes the record once, then lets the signal do its work: SA_RESETHAND has restored the default action.
pub(crate) extern "C" fn record_crash(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // Partner: the release store in `install`. The first crashing thread takes the record.
    let record = RECORD.swap(std::ptr::null_mut(), Ordering::AcqRel);
    // SAFETY: the kernel passes a valid siginfo and, for these signals, a ucontext; `record` is mapped and
    // writable for the life of the process.
    unsafe {
        let by_instruction = (*info).si_code > 0;
        if !record.is_null() {
            let (pc, sp) = registers(context);
            let address = if by_instruction { (*info).si_addr().addr() as u64 } else { 0 };
            let high = STACK_HIGH.load(Ordering::Relaxed);
            write(record, at::CODE, (*info).si_code);
            write(record, at::ADDRESS, address);
            write(record, at::PC, pc);
            write(record, at::SP, sp);
            write(record, at::STACK_LOW, high.saturating_sub(STACK_LIMIT.load(Ordering::Relaxed)));
            write(record, at::STACK_HIGH, high);
            let thread = libc::syscall(libc::SYS_gettid) as u32;
            write(record, at::THREAD, thread);
            write(record, at::SERVING, u32::from(thread == libc::getpid() as u32));
            write(record, at::SIGNAL, signal);
        }
        // A fault repeats when the handler returns. Traps, denied system calls and signals that somebody sent
        // do not: send those once more.
        let repeats =
            by_instruction && matches!(signal, libc::SIGSEGV | libc::SIGBUS | libc::SIGILL | libc::SIGFPE);
        if !repeats {
            libc::syscall(libc::SYS_tgkill, libc::getpid(), libc::syscall(libc::SYS_gettid), signal);
        }
    }
}

/// # Safety
/// `record + offset` must be writable and aligned for `T`.
pub(crate) unsafe fn write<T>(record: *mut u8, offset: usize, value: T) {
    // SAFETY: the caller's promise.
    unsafe { record.add(offset).cast::<T>().write_volatile(value) }
}

/// Instruction and stack pointer of the interrupted code.
///
/// # Safety
/// `context` must be the ucontext the kernel passed to a handler.
unsafe fn registers(context: *mut c_void) -> (u64, u64) {
    // SAFETY: the caller's promise.
    let machine = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
    #[cfg(target_arch = "x86_64")]
    let (pc, sp) =
        (machine.gregs[libc::REG_RIP as usize] as u64, machine.gregs[libc::REG_RSP as usize] as u64);
    #[cfg(target_arch = "aarch64")]
    let (pc, sp) = (machine.pc, machine.sp);
    (pc, sp)
}
