//! Filters in the kernel: a child installs one, makes every system call that it is told to, and executes none of them.
//!
//! Below the filter lies another one, which fails whatever is called from one place of the program with an error that no
//! system call has. Of two errors the kernel takes that of the filter on top, and a trap before any error: so what comes back
//! is what the filter said, and that it allowed the call is an answer of its own.

use std::ffi::{c_int, c_void};
use std::io;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use crate::filter::{Instruction, JUMP_EQUAL, LOAD, Program, RETURN};

/// What the kernel did with a system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The filter let it through.
    Passed,
    /// The thread got SIGSYS, with this word of the filter's.
    Trapped(i32),
    /// It failed with this error, by the filter.
    Failed(i32),
}

/// An error that no system call has; the kernel takes up to 4095.
const PASSED: i32 = 4000;

/// A number that no kernel has, to find the place by.
const NO_CALL: u32 = 0x2fff_fff0;

/// Where the number, and the address of the instruction, lie in what filters see.
const NUMBER: u32 = 0;
const ADDRESS: u32 = 8;

/// Where the address lies in a `siginfo_t` of SIGSYS.
const CALL_ADDRESS: usize = 16;

/// What the handler saw: where the call was made, and the filter's word; -1 when there was no signal.
static PLACE: AtomicU64 = AtomicU64::new(0);
static WORD: AtomicI32 = AtomicI32::new(-1);

/// A call's number and arguments.
pub(crate) type Call = (u32, [u64; 6]);

/// What becomes of each call under a filter whose process ids are in place.
pub(crate) fn outcomes(program: &Program, calls: &[Call]) -> Vec<Outcome> {
    let size = size_of_val(calls).max(1);
    // SAFETY: a new mapping, at no given place.
    let shared = unsafe {
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        libc::mmap(ptr::null_mut(), size, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
    };
    assert_ne!(shared, libc::MAP_FAILED, "{}", io::Error::last_os_error());
    let told = shared.cast::<i64>();
    // SAFETY: the child calls nothing but thin wrappers of system calls, allocates nothing and ends in `child`.
    let pid = unsafe { libc::fork() };
    match pid {
        0 => child(&program.instructions, calls, told),
        ..0 => panic!("{}", io::Error::last_os_error()),
        _ => {}
    }
    let mut status = 0;
    // SAFETY: the child is this function's own; the kernel writes its status.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    assert_eq!(status, 0, "the child");
    // SAFETY: the mapping has a word for each call, and the child that wrote them has ended.
    let outcomes = (0..calls.len()).map(|at| outcome(unsafe { told.add(at).read() })).collect();
    // SAFETY: it was mapped above, and nothing points there any more.
    unsafe { libc::munmap(shared, size) };
    outcomes
}

/// As the child wrote it: an error, or a trap's word above all errors.
fn outcome(told: i64) -> Outcome {
    match told.checked_sub(1 << 32) {
        Some(word @ 0..) => Outcome::Trapped(word as i32),
        _ if told == i64::from(PASSED) => Outcome::Passed,
        _ => Outcome::Failed(told as i32),
    }
}

/// The child: it ends with 0, or with the number of the step that failed.
fn child(filter: &[Instruction], calls: &[Call], told: *mut i64) -> ! {
    // SAFETY: the handler has the type SA_SIGINFO asks for, and does what a handler may; the structures are valid for the
    // calls; `told` has room for every call.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_trap as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO;
        let handled = libc::sigaction(libc::SIGSYS, &action, ptr::null_mut()) == 0;
        require(handled && libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, 1);
        require(install(&[load(NUMBER), equal(NO_CALL, 0, 1), give(TRAP), give(ALLOW)]), 2);
        libc::syscall(NO_CALL.into());
        let place = PLACE.load(Ordering::Relaxed);
        require(place != 0, 3);
        let here = [
            load(ADDRESS),
            equal(place as u32, 0, 3),
            load(ADDRESS + 4),
            equal((place >> 32) as u32, 0, 1),
            give(libc::SECCOMP_RET_ERRNO | PASSED.unsigned_abs()),
            give(ALLOW),
        ];
        require(install(&here) && install(filter), 4);
        for (at, (number, [a, b, c, d, e, f])) in calls.iter().enumerate() {
            WORD.store(-1, Ordering::Relaxed);
            let answer = libc::syscall((*number).into(), *a, *b, *c, *d, *e, *f);
            let errno = if answer == -1 { *libc::__errno_location() } else { 0 };
            let word = WORD.load(Ordering::Relaxed);
            told.add(at).write(if word < 0 { i64::from(errno) } else { 1 << 32 | i64::from(word) });
        }
        libc::_exit(0)
    }
}

fn require(holds: bool, step: c_int) {
    if !holds {
        // SAFETY: ends this process without running anything of its parent's.
        unsafe { libc::_exit(step) };
    }
}

extern "C" fn on_trap(_: c_int, info: *mut libc::siginfo_t, _: *mut c_void) {
    // SAFETY: the kernel passes a siginfo, which has 128 bytes.
    unsafe {
        PLACE.store(info.cast::<u8>().add(CALL_ADDRESS).cast::<u64>().read_unaligned(), Ordering::Relaxed);
        WORD.store((*info).si_errno, Ordering::Relaxed);
    }
}

/// Installs a filter by `prctl`, which is called from another place than what is tried.
fn install(filter: &[Instruction]) -> bool {
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_ptr().cast_mut().cast() };
    // SAFETY: `program` points to so many instructions of the kernel's layout, which it copies and checks.
    unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, ptr::from_ref(&program)) == 0 }
}

const TRAP: u32 = libc::SECCOMP_RET_TRAP;
const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;

const fn load(at: u32) -> Instruction {
    Instruction { code: LOAD, yes: 0, no: 0, value: at }
}

const fn equal(value: u32, yes: u8, no: u8) -> Instruction {
    Instruction { code: JUMP_EQUAL, yes, no, value }
}

const fn give(value: u32) -> Instruction {
    Instruction { code: RETURN, yes: 0, no: 0, value }
}
