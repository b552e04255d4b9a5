//! The last words of a crashing worker: signal, address and registers, left in the reply segment.
//!
//! The host believes none of it without need: the kernel tells it which signal ended the worker. The record
//! adds the address, whether the stack ran over, and which lane's call it was. The last is noted of `exit`, too.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering};

use hotcell_protocol::wire::{ThreadRole, crash_record as at};

use crate::heap;

mod stack;

/// Signals that end a process because of what it did; SIGSYS is for [`crate::denial`].
const FATAL: [c_int; 6] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT, libc::SIGTRAP];

/// Signals that somebody sends, and that a thread beside the serving ones leaves to these.
const BESIDE: [c_int; 9] = [
    libc::SIGABRT,
    libc::SIGALRM,
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGPROF,
    libc::SIGTERM,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGVTALRM,
];

/// Bytes of the handler's own stack: it must work when the serving thread's stack is used up.
const STACK: usize = 64 * 1024;

/// Where the record lies; null until installed and after the first crash wrote it.
static RECORD: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());

/// Where the stack is left; null where it is not, and after the first crash wrote it.
static STACK_RECORD: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());

/// This process: a child that the library forks has no record.
static OWN: AtomicI32 = AtomicI32::new(0);

/// Whether it was noted that the process exits.
static EXITS: AtomicBool = AtomicBool::new(false);

/// A thread that does something for a lane, as the handler finds it on that thread.
#[derive(Debug, Clone, Copy)]
struct Serving {
    lane: u32,
    role: ThreadRole,
    /// The lowest address that the stack of one that serves may reach, and the first behind it, roughly: nothing of it lies above.
    stack: (u64, u64),
}

thread_local! {
    /// What this thread serves, if it does. A plain word of the thread: there is nothing to be made or dropped, so that a
    /// signal handler may look.
    static SERVING: Cell<Option<Serving>> = const { Cell::new(None) };
}

/// Installs the handler on the calling thread, which must be the first to serve.
pub(crate) fn install(record: *mut u8) {
    // SAFETY: has no conditions.
    OWN.store(unsafe { libc::getpid() }, Ordering::Relaxed);
    RECORD.store(record, Ordering::Release);
    attend(0, stack_limit());
    // SAFETY: the handler has the type SA_SIGINFO asks for, and does only what a signal handler may.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = record_crash as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESETHAND;
        for signal in FATAL {
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
    }
}

/// Bytes that a serving thread's stack may grow to.
pub(crate) fn stack_limit() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Stack).current;
    limit.unwrap_or(8 << 20) as usize
}

/// Has the handler know this thread as the one that serves a lane, with a stack of so many bytes of which little is used yet,
/// and gives it a stack to run on. No signal is blocked on it from now on.
pub(crate) fn attend(lane: u32, stack: usize) {
    let here = 0u8;
    let high = (&raw const here).addr() as u64;
    let stack = (high.saturating_sub(stack as u64), high);
    SERVING.set(Some(Serving { lane, role: ThreadRole::Serving, stack }));
    // Until the process ends.
    let _ = own_stack(&[]);
}

/// Has the handler know this thread as one that stops the call of a lane, and run on a stack of its own there, until that is dropped.
/// What is meant for the process is for other threads, as the abort by which the host asks where it is.
pub(crate) fn attend_stopping(lane: u32) -> OwnStack {
    SERVING.set(Some(Serving { lane, role: ThreadRole::Stopping, stack: (0, 0) }));
    OwnStack(own_stack(&BESIDE))
}

/// The stack of the handler on a thread that ends before the process does.
pub(crate) struct OwnStack(*mut [u8]);

impl Drop for OwnStack {
    fn drop(&mut self) {
        let none = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
        // SAFETY: the argument is valid; nothing runs on the stack, which is this thread's, for this does. Then the kernel does not
        // know it any more, and it was a box.
        unsafe {
            if libc::sigaltstack(&none, std::ptr::null_mut()) == 0 {
                drop(Box::from_raw(self.0));
            }
        }
    }
}

/// Gives the handler a stack on this thread, which it leaves to the caller. Only these signals are blocked on it from now on.
fn own_stack(blocked: &[c_int]) -> *mut [u8] {
    let stack = Box::into_raw(vec![0u8; STACK].into_boxed_slice());
    let own = libc::stack_t { ss_sp: stack.cast(), ss_flags: 0, ss_size: STACK };
    // SAFETY: the stack stays until the caller has the kernel forget it; the set is valid for writes, and sigemptyset initialises it.
    unsafe {
        libc::sigaltstack(&own, std::ptr::null_mut());
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for signal in blocked {
            libc::sigaddset(&mut set, *signal);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &set, std::ptr::null_mut());
    }
    stack
}

/// Has it noted which lane's thread ends the process with `exit`. To be called when the library is loaded: what was registered
/// last runs first, and what the library has registered may crash.
pub(crate) fn note_exits() {
    // SAFETY: the function is there for ever. Should there be no memory for it, it is not known which call it was.
    let _ = unsafe { libc::atexit(note_exit) };
}

extern "C" fn note_exit() {
    note_thread();
}

/// Whether an address lies on the stack of this thread, if it serves.
pub(crate) fn is_on_stack(address: u64) -> bool {
    SERVING.get().is_some_and(|serving| (serving.stack.0..serving.stack.1).contains(&address))
}

/// Notes that this thread ends the process, unless another one does already.
pub(crate) fn note_thread() {
    let record = RECORD.load(Ordering::Acquire);
    if record.is_null() || is_forked() || EXITS.swap(true, Ordering::AcqRel) {
        return;
    }
    heap::note_end();
    if let Some(serving) = SERVING.get() {
        // SAFETY: the record is mapped and writable for the life of the process.
        unsafe { write_lane(record, serving) };
    }
}

/// Whether this is a child of the worker: the record is not mapped there.
pub(crate) fn is_forked() -> bool {
    // SAFETY: has no conditions.
    unsafe { libc::getpid() != OWN.load(Ordering::Relaxed) }
}

/// # Safety
/// `record` must be the record.
unsafe fn write_lane(record: *mut u8, Serving { lane, role, .. }: Serving) {
    // SAFETY: the caller's promise. The lane first: who sees that it does something for a lane sees for which.
    unsafe {
        write(record, at::LANE, lane);
        write(record, at::SERVING, role.raw());
    }
}

/// Has the stack of the thread that ends the process left there, which is the stack record.
pub(crate) fn keep_stack(record: *mut u8) {
    STACK_RECORD.store(record, Ordering::Release);
}

/// Writes the record once, then lets the signal do its work: SA_RESETHAND has restored the default action.
pub(crate) extern "C" fn record_crash(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // Partner: the release store in `install`. The first crashing thread takes the record.
    let record = match is_forked() {
        true => std::ptr::null_mut(),
        false => RECORD.swap(std::ptr::null_mut(), Ordering::AcqRel),
    };
    // SAFETY: the kernel passes a valid siginfo and, for these signals, a ucontext; `record` is mapped and
    // writable for the life of the process.
    unsafe {
        let by_instruction = (*info).si_code > 0;
        if !record.is_null() {
            let (pc, sp) = registers(context);
            let address = if by_instruction { (*info).si_addr().addr() as u64 } else { 0 };
            // What is sent to a process goes to any thread.
            let to_process = matches!((*info).si_code, libc::SI_USER | libc::SI_QUEUE);
            let sent = to_process && (*info).si_pid() != libc::getpid();
            let serving = SERVING.get().filter(|_| !to_process);
            let (low, high) = serving.map_or((0, 0), |serving| serving.stack);
            // `kill` to itself is what `raise` is, but for the thread.
            let by_itself = to_process && !sent;
            write(record, at::CODE, if by_itself { libc::SI_TKILL } else { (*info).si_code });
            write(record, at::ADDRESS, address);
            write(record, at::PC, pc);
            write(record, at::SP, sp);
            write(record, at::STACK_LOW, low);
            write(record, at::STACK_HIGH, high);
            write(record, at::THREAD, libc::syscall(libc::SYS_gettid) as u32);
            if let (Some(serving), false) = (serving, EXITS.load(Ordering::Acquire)) {
                write_lane(record, serving);
            }
            write(record, at::SIGNAL, signal);
            if !sent {
                heap::note_end();
            }
            // Partner: the release store in `keep_stack`. Behind the record: should this fail, that is there.
            let stack = STACK_RECORD.swap(std::ptr::null_mut(), Ordering::AcqRel);
            if !stack.is_null() {
                stack::leave(stack, pc, sp, context);
            }
            if address != 0 {
                heap::note_fault(address as usize, pc as usize);
            }
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
