//! Asking the kernel what it has, without changing this process.

use std::ffi::{CStr, c_int, c_void};
use std::io;
use std::ptr;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::process::{PidfdFlags, getpid, pidfd_open};

use crate::limits::Limits;
use crate::sys::namespaces::Namespaces;
use crate::sys::signals::with_signals_blocked;

/// Bytes of the stack of a child that makes two system calls.
const STACK: usize = 16 * 1024;

/// Memory files whose writers and size can be fixed.
pub(crate) fn sealed_memory() -> io::Result<()> {
    let file = memfd_create("hotcell-probe", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::FUTURE_WRITE | SealFlags::SEAL;
    fcntl_add_seals(file, seals).map_err(Into::into)
}

/// Descriptors that stand for a process.
pub(crate) fn process_descriptors() -> io::Result<()> {
    pidfd_open(getpid(), PidfdFlags::empty()).map(drop).map_err(Into::into)
}

/// Closing all descriptors from one on.
pub(crate) fn close_range() -> io::Result<()> {
    // SAFETY: no process has a descriptor of this number, so nothing is closed; no memory is involved.
    done(unsafe { libc::syscall(libc::SYS_close_range, c_int::MAX, c_int::MAX, 0) }).map(drop)
}

/// Filters of system calls that end the whole process.
pub(crate) fn seccomp() -> io::Result<()> {
    let action: u32 = libc::SECCOMP_RET_KILL_PROCESS;
    // SAFETY: the kernel reads one u32 through the pointer, which outlives the call.
    let answer = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, ptr::from_ref(&action))
    };
    done(answer).map(drop)
}

/// Of `landlock_create_ruleset`: answer the version instead of making a ruleset.
pub(crate) const LANDLOCK_VERSION: u32 = 1;

/// The version of Landlock's interface.
pub(crate) fn landlock() -> io::Result<u32> {
    // SAFETY: with this flag the kernel takes no pointer and no size, and makes no descriptor.
    let answer = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, ptr::null::<c_void>(), 0usize, LANDLOCK_VERSION)
    };
    done(answer).map(|version| u32::try_from(version).unwrap_or(0))
}

/// The namespaces that workers are started in: tried, because what forbids them differs from system to system.
pub(crate) fn own_namespaces() -> io::Result<()> {
    let namespaces = Namespaces::new(&Limits::default());
    let mut namespaces = namespaces
        .ok_or_else(|| io::Error::other("they need Linux 5.16, and a process with one user and one group"))?;
    let mut stack = vec![0u128; STACK / size_of::<u128>()];
    // SAFETY: the child runs `enter_namespaces` on `stack`, whose end is 16-byte aligned and which lives until clone
    // returns, as `namespaces` does; CLONE_VFORK delays that until the child has ended. Signals stay blocked
    // meanwhile: the child shares this process's memory, so no handler may run in it.
    let child = with_signals_blocked(|| unsafe {
        let flags = libc::CLONE_VM | libc::CLONE_VFORK;
        let argument = ptr::from_mut(&mut namespaces).cast::<c_void>();
        libc::clone(enter_namespaces, stack.as_mut_ptr().add(stack.len()).cast(), flags, argument)
    });
    let child = done(child.into())?;
    let mut status = 0;
    // SAFETY: the child is this thread's own and not waited for by anybody else: it has no exit signal, so that it
    // needs __WALL. The kernel writes its status to `status`.
    while unsafe { libc::waitpid(child as libc::pid_t, &mut status, libc::__WALL) } < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    if libc::WIFSIGNALED(status) {
        return Err(io::Error::other(format!(
            "who asks for them is ended by signal {}",
            libc::WTERMSIG(status)
        )));
    }
    match libc::WEXITSTATUS(status) {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// The child: it ends with 0, or with the error's number. It must not allocate, lock or unwind.
extern "C" fn enter_namespaces(namespaces: *mut c_void) -> c_int {
    // SAFETY: `own_namespaces` passes them, and its thread waits. This thread's errno has an address that is always valid; _exit
    // runs no handler.
    unsafe {
        let entered = (*namespaces.cast::<Namespaces>()).enter();
        libc::_exit(if entered { 0 } else { *libc::__errno_location() })
    }
}

/// The version of the C library in this process.
pub(crate) fn glibc() -> Option<String> {
    // SAFETY: the function returns a terminated text that lives as long as the process.
    let version = unsafe { CStr::from_ptr(libc::gnu_get_libc_version()) };
    version.to_str().ok().map(str::to_owned)
}

fn done(answer: libc::c_long) -> io::Result<libc::c_long> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}
