//! Trying what a wall must stop: whatever succeeds is not in force, whoever was to stop it.
//!
//! Each attempt is chosen so that it harms nobody where it succeeds: it reads a byte, asks, or passes what the kernel
//! refuses for another reason than a wall has.

use std::ffi::{c_int, c_long};
use std::io;
use std::ptr;

use crate::level::Level;
use crate::sys::{capabilities, process};

/// A system call with its arguments.
type Attempt = (c_long, [usize; 6]);

/// What holds of everything that can be tried.
pub(crate) fn all() -> Level {
    let parent = process::parent() as usize;
    let mut byte = 0u8;
    let local = libc::iovec { iov_base: ptr::from_mut(&mut byte).cast(), iov_len: 1 };
    // An address of this process: whether the parent has it does not matter.
    let remote = local;
    let mut limits = [0u64; 2];
    let memory = format!("/proc/{parent}/mem\0");
    let (at_cwd, no_file) = (libc::AT_FDCWD as usize, usize::MAX);
    let (local, remote) = (ptr::from_ref(&local).addr(), ptr::from_ref(&remote).addr());
    let groups: [(Level, &[Attempt]); 8] = [
        (
            Level::NO_HOST_MEMORY,
            &[
                (libc::SYS_openat, [at_cwd, memory.as_ptr().addr(), libc::O_CLOEXEC as usize, 0, 0, 0]),
                (libc::SYS_process_vm_readv, [parent, local, 1, remote, 1, 0]),
                // Of a process that this one does not trace: without a wall there is no such process.
                (libc::SYS_ptrace, [libc::PTRACE_PEEKDATA as usize, parent, 0, 0, 0, 0]),
                (libc::SYS_pidfd_open, [parent, 0, 0, 0, 0, 0]),
            ],
        ),
        (
            Level::NO_FOREIGN_SIGNALS,
            &[(libc::SYS_kill, [parent, 0, 0, 0, 0, 0]), (libc::SYS_tgkill, [parent, parent, 0, 0, 0, 0])],
        ),
        (
            Level::NO_FOREIGN_LIMITS,
            &[
                (
                    libc::SYS_prlimit64,
                    [parent, libc::RLIMIT_NOFILE as usize, 0, limits.as_mut_ptr().addr(), 0, 0],
                ),
                // Without a mask.
                (libc::SYS_sched_setaffinity, [parent, 0, 0, 0, 0, 0]),
                (libc::SYS_setpriority, [usize::from(u16::MAX), parent, 0, 0, 0, 0]),
            ],
        ),
        (Level::NO_EXEC, &[(libc::SYS_execve, [0; 6]), (libc::SYS_execveat, [no_file, 0, 0, 0, 0, 0])]),
        (
            Level::NO_PROCESSES,
            &[
                // Two flags that exclude each other.
                (libc::SYS_clone, [(libc::CLONE_FS | libc::CLONE_NEWNS) as usize, 0, 0, 0, 0, 0]),
                (libc::SYS_clone3, [0; 6]),
            ],
        ),
        (
            Level::NO_KERNEL_INTERFACES,
            &[
                (libc::SYS_io_uring_setup, [0; 6]),
                (libc::SYS_bpf, [usize::from(u16::MAX), 0, 0, 0, 0, 0]),
                (libc::SYS_perf_event_open, [0; 6]),
                (libc::SYS_userfaultfd, [usize::from(u16::MAX), 0, 0, 0, 0, 0]),
                (libc::SYS_keyctl, [usize::from(u16::MAX), 0, 0, 0, 0, 0]),
                (libc::SYS_mount, [0; 6]),
                (libc::SYS_unshare, [0; 6]),
                (libc::SYS_setns, [no_file, 0, 0, 0, 0, 0]),
            ],
        ),
        (
            Level::NO_UNNAMED_FILES,
            &[(
                libc::SYS_openat,
                [at_cwd, c"/".as_ptr().addr(), (libc::O_CLOEXEC | libc::O_DIRECTORY) as usize, 0, 0, 0],
            )],
        ),
        (
            Level::NO_NETWORK,
            &[
                (
                    libc::SYS_socket,
                    [libc::AF_INET as usize, (libc::SOCK_STREAM | libc::SOCK_CLOEXEC) as usize, 0, 0, 0, 0],
                ),
                (
                    libc::SYS_socket,
                    [libc::AF_UNIX as usize, (libc::SOCK_STREAM | libc::SOCK_CLOEXEC) as usize, 0, 0, 0, 0],
                ),
            ],
        ),
    ];
    let mut level = Level::default();
    for (restriction, attempts) in groups {
        if attempts.iter().all(|attempt| is_denied(*attempt)) {
            level = level.and(restriction);
        }
    }
    if makes_no_code() {
        level = level.and(Level::NO_NEW_CODE);
    }
    if capabilities::has_none() {
        level = level.and(Level::NO_CAPABILITIES);
    }
    if process::is_filtered() {
        level = level.and(Level::SYSCALL_FILTER);
    }
    level
}

/// Whether the root directory cannot be listed, as rules of paths have it: its mode lets everybody.
pub(crate) fn root_is_closed() -> bool {
    let flags = (libc::O_CLOEXEC | libc::O_DIRECTORY) as usize;
    is_denied((libc::SYS_openat, [libc::AT_FDCWD as usize, c"/".as_ptr().addr(), flags, 0, 0, 0]))
}

/// Whether no memory can be made that is executed, and none that there is can become so.
fn makes_no_code() -> bool {
    const PAGE: usize = 4096;
    let (private, nowhere) = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1);
    let map = |protection| {
        // SAFETY: a fresh map at an address of the kernel's choice overlaps nothing.
        unsafe { libc::mmap(ptr::null_mut(), PAGE, protection, private, nowhere, 0) }
    };
    let unmap = |page| {
        // SAFETY: the page was mapped here, and nobody else knows it.
        unsafe { libc::munmap(page, PAGE) };
    };
    let writable = libc::PROT_READ | libc::PROT_WRITE;
    for executed in [writable | libc::PROT_EXEC, libc::PROT_READ | libc::PROT_EXEC] {
        let page = map(executed);
        if page != libc::MAP_FAILED {
            unmap(page);
            return false;
        }
    }
    let page = map(writable);
    if page == libc::MAP_FAILED {
        return false;
    }
    // SAFETY: the page was mapped here; nothing lies in it.
    let became = unsafe { libc::mprotect(page, PAGE, libc::PROT_READ | libc::PROT_EXEC) };
    let refused = became != 0 && io::Error::last_os_error().raw_os_error() == Some(libc::EACCES);
    unmap(page);
    refused
}

/// Whether the call fails because it is not allowed.
fn is_denied((number, [a, b, c, d, e, f]): Attempt) -> bool {
    // SAFETY: see `all`: a pointer is 0, which the kernel refuses, or to memory of the caller that is large enough for
    // what the kernel reads or writes there. No call changes anything of this process, but for descriptors, closed below.
    let answer = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if answer < 0 {
        let errno = io::Error::last_os_error().raw_os_error();
        return matches!(errno, Some(libc::EPERM | libc::EACCES | libc::ENOSYS));
    }
    let makes_descriptor = matches!(
        number,
        libc::SYS_openat | libc::SYS_socket | libc::SYS_pidfd_open | libc::SYS_perf_event_open
    );
    if makes_descriptor {
        // SAFETY: the call above made this descriptor, and nobody else knows it.
        unsafe { libc::close(answer as c_int) };
    }
    false
}
