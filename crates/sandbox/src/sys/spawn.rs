//! clone, prepare, exec: the load phase of the child.

use std::cell::Cell;
use std::ffi::{CString, c_char, c_int, c_void};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;

use crate::limits::{Limits, MOST_DESCRIPTORS};
use crate::spawn::{Launch, Spawned};
use crate::sys::namespaces::Namespaces;
use crate::sys::signals::with_signals_blocked;

/// Steps of the child in order, for the text of an error.
const STEPS: [&str; 10] = [
    "start a session",
    "reset signal handlers",
    "place descriptors",
    "close descriptors",
    "set limits",
    "go to its directory",
    "enter namespaces of its own",
    "ask to die with the host",
    "forbid new privileges",
    "execute the worker program",
];

/// The step that enters namespaces.
const ENTER: usize = 6;

thread_local! {
    /// Whether entering them has ended a child of this thread by a filter, which nobody takes off it again.
    static NAMESPACES_END: Cell<bool> = const { Cell::new(false) };
}

/// Bytes of the child's stack until exec. It calls thin libc wrappers only.
const STACK: usize = 64 * 1024;

/// Lowest descriptor for copies: above the four the child gets.
const ABOVE: c_int = 10;

/// What the child reads and writes: it runs in the host's memory until exec, while the spawning thread
/// stands still.
struct Plan<'a> {
    program: *const c_char,
    args: *const *const c_char,
    environment: *const *const c_char,
    directory: *const c_char,
    descriptors: [c_int; 4],
    limits: &'a [(c_int, libc::rlimit)],
    /// Those it enters, if it does.
    namespaces: Option<&'a Namespaces>,
    /// Who it dies with, if it does.
    host: Option<libc::pid_t>,
    /// The step that it came to: one that ends the child leaves no word.
    step: usize,
    /// Why that failed, if it says so.
    errno: Option<c_int>,
}

impl Plan<'_> {
    /// Whether the program is being executed, as far as the child could tell.
    fn is_executed(&self) -> bool {
        self.step == STEPS.len() - 1 && self.errno.is_none()
    }
}

/// What the child is given as text.
pub(crate) struct Texts<'a> {
    pub(crate) program: &'a CString,
    pub(crate) args: &'a [CString],
    pub(crate) environment: &'a [CString],
    pub(crate) directory: &'a CString,
}

pub(crate) fn spawn(texts: &Texts<'_>, launch: &Launch<'_>) -> io::Result<Spawned> {
    let pointers = |list: &[CString]| -> Vec<*const c_char> {
        list.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect()
    };
    let (args, environment) = (pointers(texts.args), pointers(texts.environment));
    let copies = launch.descriptors.map(|fd| rustix::io::fcntl_dupfd_cloexec(fd, ABOVE));
    let mut raw = [-1; 4];
    for (raw, copy) in raw.iter_mut().zip(&copies) {
        *raw = copy.as_ref().map_err(|&errno| io::Error::from(errno))?.as_raw_fd();
    }
    let limits = limit_table(launch.limits);
    let offered = launch.own_namespaces && !NAMESPACES_END.get();
    let namespaces = offered.then(|| Namespaces::new(&launch.limits)).flatten();
    let mut plan = Plan {
        program: texts.program.as_ptr(),
        args: args.as_ptr(),
        environment: environment.as_ptr(),
        directory: texts.directory.as_ptr(),
        descriptors: raw,
        limits: &limits,
        namespaces: namespaces.as_ref(),
        // SAFETY: getpid cannot fail and touches no memory.
        host: launch.dies_with_host.then(|| unsafe { libc::getpid() }),
        step: 0,
        errno: None,
    };
    let (mut pid, mut pidfd) = clone(&mut plan)?;
    if !plan.is_executed() && plan.namespaces.take().is_some() {
        // Whatever failed: who is the administrator no longer may what only he may, as execute a file of somebody's own.
        let by_filter = reap(&pidfd) == Some(libc::SIGSYS);
        NAMESPACES_END.set(by_filter && plan.step == ENTER);
        (plan.step, plan.errno) = (0, None);
        (pid, pidfd) = clone(&mut plan)?;
    }
    // One that was killed on the way is as one that is killed behind it: its end tells.
    if let Some(errno) = plan.errno {
        reap(&pidfd);
        let cause = io::Error::from_raw_os_error(errno);
        let step = STEPS.get(plan.step).copied().unwrap_or("start");
        return Err(io::Error::new(cause.kind(), format!("could not {step}: {cause}")));
    }
    Ok(Spawned { pid: pid.unsigned_abs(), pidfd, own_namespaces: plan.namespaces.is_some() })
}

fn clone(plan: &mut Plan<'_>) -> io::Result<(libc::pid_t, OwnedFd)> {
    let mut stack = vec![0u128; STACK / size_of::<u128>()];
    let mut pidfd: c_int = -1;
    // SAFETY: the child runs `child` on `stack`, whose end is 16-byte aligned, and reads `plan`; both live
    // until clone returns, which CLONE_VFORK delays until the child has called exec or _exit. The exit
    // signal (low byte of the flags) is 0 until exec, which makes it SIGCHLD. `pidfd` is where CLONE_PIDFD stores the descriptor.
    // Signals stay blocked meanwhile: the child shares the host's memory, so no handler may run in it.
    let clone = || unsafe {
        let pid = libc::clone(
            child,
            stack.as_mut_ptr().add(stack.len()).cast(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD,
            ptr::from_mut(plan).cast::<c_void>(),
            ptr::from_mut(&mut pidfd),
        );
        if pid < 0 { Err(io::Error::last_os_error()) } else { Ok(pid) }
    };
    let pid = with_signals_blocked(clone)?;
    // SAFETY: clone succeeded, so the kernel stored a new descriptor that nobody else owns.
    Ok((pid, unsafe { OwnedFd::from_raw_fd(pidfd) }))
}

/// The child. It must not allocate, lock or unwind: it shares all memory with the host's other threads.
extern "C" fn child(plan: *mut c_void) -> c_int {
    // SAFETY: `spawn` passes a `Plan` that outlives this function, and its own thread waits.
    let plan = unsafe { &mut *plan.cast::<Plan<'_>>() };
    let steps: [fn(&Plan<'_>) -> bool; STEPS.len()] = [
        start_session,
        reset_handlers,
        place_descriptors,
        close_descriptors,
        set_limits,
        go_to_directory,
        enter_namespaces,
        die_with_host,
        forbid_new_privileges,
        execute,
    ];
    for (number, step) in steps.iter().enumerate() {
        plan.step = number;
        if !step(plan) {
            // SAFETY: the address of this thread's errno is always valid.
            plan.errno = Some(unsafe { *libc::__errno_location() });
            break;
        }
    }
    // SAFETY: ends this process without running any exit handler of the host.
    unsafe { libc::_exit(127) }
}

fn start_session(_: &Plan<'_>) -> bool {
    // SAFETY: no memory is involved. The child is no group leader yet, so this cannot fail.
    unsafe { libc::setsid() >= 0 }
}

fn reset_handlers(_: &Plan<'_>) -> bool {
    // SAFETY: an all-zero sigaction is SIG_DFL with an empty mask; the child has its own table of handlers.
    // Failures (SIGKILL, SIGSTOP, the C library's own signals) are those that cannot be changed anyway.
    // SIGPIPE stays ignored across exec: a library that writes to a closed pipe gets EPIPE.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        for signal in 1..=libc::SIGRTMAX() {
            libc::sigaction(signal, &action, ptr::null_mut());
        }
        action.sa_sigaction = libc::SIG_IGN;
        libc::sigaction(libc::SIGPIPE, &action, ptr::null_mut());
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, ptr::null_mut()) == 0
    }
}

fn enter_namespaces(plan: &Plan<'_>) -> bool {
    plan.namespaces.is_none_or(Namespaces::enter)
}

fn die_with_host(plan: &Plan<'_>) -> bool {
    // Behind the namespaces: other rights can make the kernel forget it.
    // SAFETY: no memory is involved. A host that died before the prctl is noticed by the comparison.
    plan.host.is_none_or(|host| unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) == 0 && libc::getppid() == host
    })
}

fn place_descriptors(plan: &Plan<'_>) -> bool {
    // SAFETY: no memory is involved; the sources are all above the targets.
    plan.descriptors.iter().zip(0..).all(|(&from, to)| unsafe { libc::dup2(from, to) == to })
}

fn close_descriptors(_: &Plan<'_>) -> bool {
    // SAFETY: the child has its own descriptor table; what it closes stays open in the host.
    unsafe { libc::syscall(libc::SYS_close_range, 4, c_int::MAX, 0) == 0 }
}

fn set_limits(plan: &Plan<'_>) -> bool {
    // SAFETY: each limit is a valid structure; the call reads it only.
    plan.limits.iter().all(|(resource, limit)| unsafe { libc::setrlimit(*resource as _, limit) == 0 })
}

fn go_to_directory(plan: &Plan<'_>) -> bool {
    // SAFETY: the path is a terminated text that the spawning thread keeps alive.
    unsafe {
        libc::umask(0o077);
        libc::chdir(plan.directory) == 0
    }
}

fn forbid_new_privileges(_: &Plan<'_>) -> bool {
    // SAFETY: no memory is involved.
    unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 }
}

fn execute(plan: &Plan<'_>) -> bool {
    // SAFETY: program, arguments and environment are terminated texts in terminated lists that the spawning
    // thread keeps alive. exec replaces this process; if it returns, it failed.
    unsafe { libc::execve(plan.program, plan.args, plan.environment) == 0 }
}

fn limit_table(limits: Limits) -> Vec<(c_int, libc::rlimit)> {
    let mut table = vec![
        // Not 0: a core that goes to a program (`|…` in core_pattern) is only stopped by 1; a file needs more.
        limit(libc::RLIMIT_CORE as c_int, 1),
        limit(libc::RLIMIT_NOFILE as c_int, limits.descriptors.min(MOST_DESCRIPTORS)),
        limit(libc::RLIMIT_STACK as c_int, limits.stack),
    ];
    table.extend(limits.data().map(|bytes| limit(libc::RLIMIT_DATA as c_int, bytes)));
    table.extend(limits.address_space.map(|bytes| limit(libc::RLIMIT_AS as c_int, bytes)));
    if let Some(time) = limits.cpu {
        let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        let (resource, mut cpu) = limit(libc::RLIMIT_CPU as c_int, seconds.max(1) + 1);
        // First SIGXCPU, which tells the limit; whoever ignores that is killed a second later.
        cpu.rlim_cur = cpu.rlim_cur.saturating_sub(1).max(1);
        table.push((resource, cpu));
    }
    table
}

/// A limit, soft and hard, that is never above the host's own hard limit: an ordinary user may not raise it.
pub(super) fn limit(resource: c_int, wanted: u64) -> (c_int, libc::rlimit) {
    let mut own = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: getrlimit writes to the structure it is given.
    let known = unsafe { libc::getrlimit(resource as _, &mut own) } == 0;
    let value = if known { wanted.min(own.rlim_max) } else { wanted };
    (resource, libc::rlimit { rlim_cur: value, rlim_max: value })
}

/// Collects a child that failed before exec: the signal that ended it, if one did.
fn reap(pidfd: &OwnedFd) -> Option<c_int> {
    // SAFETY: an all-zero siginfo_t is valid, and waitid only writes to it.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let options = libc::WEXITED | libc::__WALL;
        while libc::waitid(libc::P_PIDFD, pidfd.as_raw_fd().unsigned_abs(), &mut info, options) < 0
            && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
        {}
        matches!(info.si_code, libc::CLD_KILLED | libc::CLD_DUMPED).then(|| info.si_status())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::fd::AsFd;
    use std::path::Path;

    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

    use super::*;

    /// Starts a program that ends at once, in namespaces of its own where those can be had: whether it is in some.
    fn start() -> bool {
        let null = std::fs::File::open("/dev/null").unwrap();
        let launch = Launch {
            program: Path::new("/bin/true"),
            args: &["true"],
            directory: Path::new("/"),
            environment: &[],
            descriptors: [null.as_fd(); 4],
            limits: Limits::default(),
            own_namespaces: true,
            dies_with_host: false,
        };
        let spawned = crate::spawn::spawn(&launch).unwrap();
        reap(&spawned.pidfd);
        spawned.own_namespaces
    }

    /// Under a filter that ends who asks for them, as under one that answers.
    #[test]
    fn an_attempt_that_is_the_end_of_a_child_is_not_that_of_the_start() {
        let offered = start();
        for action in [SeccompAction::KillProcess, SeccompAction::Errno(libc::EPERM.unsigned_abs())] {
            // Of this thread alone.
            let filtered = std::thread::spawn(move || {
                let rules = BTreeMap::from([(libc::SYS_unshare, Vec::new())]);
                let architecture = std::env::consts::ARCH.try_into().unwrap();
                let filter = SeccompFilter::new(rules, SeccompAction::Allow, action, architecture).unwrap();
                let program: BpfProgram = filter.try_into().unwrap();
                apply_filter(&program).unwrap();
                start()
            });
            assert!(!filtered.join().unwrap());
        }
        assert_eq!(start(), offered);
    }
}
