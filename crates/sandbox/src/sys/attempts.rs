//! Trying what a wall must stop: whatever succeeds is not in force, whoever was to stop it.
//!
//! Each attempt is chosen so that it harms nobody where it succeeds: it reads a byte, asks, or passes what the kernel
//! refuses for another reason than a wall has.

use std::ffi::{c_int, c_long};
use std::io;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::level::Level;
use crate::sys::{capabilities, probe, process};

const PAGE: usize = 4096;

/// A system call with its arguments.
type Attempt = (c_long, [usize; 6]);

/// What holds of everything that can be tried. What ends who tries it is denied, and not tried.
pub(crate) fn all(ending: Ending) -> Level {
    let mut level = Level::default();
    with_table(|groups| {
        let mut number = 0;
        for (restriction, attempts) in groups {
            let denied = |at: usize, attempt: Attempt| ending.has(number + at) || is_denied(attempt);
            if attempts.iter().enumerate().all(|(at, attempt)| denied(at, *attempt)) {
                level = level.and(*restriction);
            }
            number += attempts.len();
        }
    });
    if makes_no_code(ending) {
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

/// Attempts that end who makes them, by a filter that was around this process before its own: a bit for each, by its number in the
/// table or among the [others](OTHERS).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ending(u64);

/// Where the numbers of attempts begin that are in no group of the table, which has fewer.
const OTHERS: usize = 60;

const WRITTEN_CODE: usize = OTHERS;
const READ_CODE: usize = OTHERS + 1;
const BECOMES_CODE: usize = OTHERS + 2;
const LANDLOCK: usize = OTHERS + 3;

impl Ending {
    /// Asks for all of them: each is made by a child, of which nothing but its end is seen. Where there is no filter yet, nothing ends
    /// anybody.
    ///
    /// Call it while there is one thread, before there is code of others, which would be asked, and a filter of this process's own.
    ///
    /// # Errors
    ///
    /// There is no child to ask by: the machine has no process or memory for it.
    pub fn of_this_process() -> io::Result<Ending> {
        if !process::is_filtered() {
            return Ok(Ending::default());
        }
        let (written, read) = (libc::PROT_READ | libc::PROT_WRITE, libc::PROT_READ);
        let map = |protection: c_int| {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            (
                libc::SYS_mmap,
                [0, PAGE, (protection | libc::PROT_EXEC) as usize, flags as usize, usize::MAX, 0],
            )
        };
        let others: [Attempt; 4] = [
            map(written),
            map(read),
            // There is nothing.
            (libc::SYS_mprotect, [0, PAGE, (read | libc::PROT_EXEC) as usize, 0, 0, 0]),
            (libc::SYS_landlock_create_ruleset, [0, 0, probe::LANDLOCK_VERSION as usize, 0, 0, 0]),
        ];
        with_table(|groups| {
            let listed = groups.iter().flat_map(|(_, attempts)| attempts.iter().copied()).enumerate();
            let others = others.into_iter().enumerate().map(|(at, attempt)| (OTHERS + at, attempt));
            let all: Vec<(usize, Attempt)> = listed.chain(others).collect();
            Ok(Ending(which_end(&all)?.into_iter().fold(0, |bits, number| bits | 1 << number)))
        })
    }

    fn has(self, number: usize) -> bool {
        self.0 >> number & 1 == 1
    }

    /// Whether nothing of Landlock may be asked for.
    pub(crate) fn has_landlock(self) -> bool {
        self.has(LANDLOCK)
    }
}

/// The numbers of those that end a child that makes them: by SIGSYS, which is how filters do that.
fn which_end(all: &[(usize, Attempt)]) -> io::Result<Vec<usize>> {
    let (shared, anonymous) = (libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1);
    // SAFETY: a fresh map at an address of the kernel's choice overlaps nothing.
    let page = unsafe {
        libc::mmap(ptr::null_mut(), PAGE, libc::PROT_READ | libc::PROT_WRITE, shared, anonymous, 0)
    };
    if page == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the page is mapped, zeroed and aligned until it is unmapped below, and nothing else is in it.
    let at = unsafe { &*page.cast::<AtomicUsize>() };
    let (mut ending, mut from, mut failed) = (Vec::new(), 0, None);
    while let Some(rest) = all.get(from..).filter(|rest| !rest.is_empty()) {
        // Relaxed throughout: a child begins behind the store, and its end, which is waited for, is behind its own.
        at.store(from, Ordering::Relaxed);
        let child = match fork() {
            Ok(child) => child,
            Err(error) => {
                failed = Some(error);
                break;
            }
        };
        if child == 0 {
            // SAFETY: SIG_DFL is a valid action. What a handler noted would be noted of this process: memory is shared.
            unsafe { libc::signal(libc::SIGSYS, libc::SIG_DFL) };
            for (offset, (_, attempt)) in rest.iter().enumerate() {
                at.store(from + offset, Ordering::Relaxed);
                is_denied(*attempt);
            }
            // SAFETY: ends the child without any handler.
            unsafe { libc::_exit(0) };
        }
        if !ended_by_filter(child) {
            break;
        }
        let reached = at.load(Ordering::Relaxed);
        ending.extend(all.get(reached).map(|(number, _)| *number));
        from = reached + 1;
    }
    // SAFETY: it is this function's own map, and nothing refers to it any more.
    unsafe { libc::munmap(page, PAGE) };
    failed.map_or(Ok(ending), Err)
}

/// A child, which is to make system calls alone. Where the machine has none just then it is tried some times.
fn fork() -> io::Result<libc::pid_t> {
    const TIMES: u32 = 8;
    let mut pause = Duration::from_millis(1);
    for _ in 0..TIMES {
        // SAFETY: the child makes system calls that harm nobody, see `with_table`, and ends by one.
        let child = unsafe { libc::fork() };
        if child >= 0 {
            return Ok(child);
        }
        let error = io::Error::last_os_error();
        if !matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOMEM)) {
            return Err(error);
        }
        thread::sleep(pause);
        pause *= 2;
    }
    Err(io::Error::from_raw_os_error(libc::EAGAIN))
}

/// Waits for the end of a child, and tells whether it was ended by SIGSYS.
fn ended_by_filter(child: libc::pid_t) -> bool {
    let mut status = 0;
    // SAFETY: the child is this process's own and not waited for by anybody else; the kernel writes its status.
    while unsafe { libc::waitpid(child, &mut status, libc::__WALL) } < 0 {
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return false;
        }
    }
    libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGSYS
}

/// Does something with all attempts, by the restriction that they are to show.
fn with_table<T>(run: impl FnOnce(&[(Level, &[Attempt])]) -> T) -> T {
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
    run(&groups)
}

/// Whether the root directory cannot be listed, as rules of paths have it: its mode lets everybody.
pub(crate) fn root_is_closed() -> bool {
    let flags = (libc::O_CLOEXEC | libc::O_DIRECTORY) as usize;
    is_denied((libc::SYS_openat, [libc::AT_FDCWD as usize, c"/".as_ptr().addr(), flags, 0, 0, 0]))
}

/// Whether no memory can be made that is executed, and none that there is can become so.
fn makes_no_code(ending: Ending) -> bool {
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
    let executed =
        [(WRITTEN_CODE, writable | libc::PROT_EXEC), (READ_CODE, libc::PROT_READ | libc::PROT_EXEC)];
    for (_, executed) in executed.into_iter().filter(|(number, _)| !ending.has(*number)) {
        let page = map(executed);
        if page != libc::MAP_FAILED {
            unmap(page);
            return false;
        }
    }
    if ending.has(BECOMES_CODE) {
        return true;
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
    // SAFETY: see `with_table`: a pointer is 0, which the kernel refuses, or to memory of the caller that is large enough for
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

    use super::*;

    /// The attempts that end who makes them, where these calls do or fail: on a thread of its own, to which the filter stays.
    fn filtered(calls: &'static [c_long], action: SeccompAction) -> io::Result<Ending> {
        let filtered = std::thread::spawn(move || {
            let rules: BTreeMap<i64, Vec<_>> = calls.iter().map(|&call| (call, Vec::new())).collect();
            let architecture = std::env::consts::ARCH.try_into().unwrap();
            let filter = SeccompFilter::new(rules, SeccompAction::Allow, action, architecture).unwrap();
            let program: BpfProgram = filter.try_into().unwrap();
            apply_filter(&program).unwrap();
            Ending::of_this_process()
        });
        filtered.join().unwrap()
    }

    fn ending(calls: &'static [c_long], action: SeccompAction) -> Ending {
        filtered(calls, action).unwrap()
    }

    /// The numbers of these calls in the table.
    fn numbers(calls: &[c_long]) -> Ending {
        let bits = with_table(|groups| {
            let all = groups.iter().flat_map(|(_, attempts)| attempts.iter()).enumerate();
            all.filter(|(_, (call, _))| calls.contains(call)).fold(0, |bits, (number, _)| bits | 1 << number)
        });
        Ending(bits)
    }

    #[test]
    fn what_ends_a_child_is_told() {
        const CALLS: [c_long; 3] = [libc::SYS_unshare, libc::SYS_ptrace, libc::SYS_setpriority];
        let found = ending(&CALLS, SeccompAction::KillProcess);
        assert_eq!(found, numbers(&CALLS));
        assert_eq!(found.0.count_ones(), 3);
        assert_eq!(ending(&CALLS, SeccompAction::KillThread), found);
        assert_eq!(ending(&CALLS, SeccompAction::Errno(1)), Ending::default());
        let landlock = ending(&[libc::SYS_landlock_create_ruleset], SeccompAction::KillProcess);
        assert!(landlock.has_landlock() && landlock.0.count_ones() == 1);
        assert_eq!(Ending::of_this_process().unwrap().0 & numbers(&CALLS).0, 0, "of those threads alone");
    }

    #[test]
    fn who_has_no_child_to_ask_by_is_told() {
        let error = filtered(&[libc::SYS_clone, libc::SYS_clone3], SeccompAction::Errno(11)).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EAGAIN));
    }

    #[test]
    fn attempts_have_numbers_of_their_own() {
        let count = with_table(|groups| groups.iter().map(|(_, attempts)| attempts.len()).sum::<usize>());
        assert!(count <= OTHERS && LANDLOCK < 64);
    }
}
