//! Every attack is tried, comes to nothing, and leaves host and session well.

use std::fs;
use std::os::unix::fs::MetadataExt;

use hotcell::{Profile, Sandbox};
use hotcell_e2e::wall::{Attacks, Outcome, as_every_user};
use rustix::process::{Resource, getpriority_process, getrlimit};
use rustix::thread::{CpuSet, sched_getaffinity};

/// What is to come of an attack.
enum Expect {
    /// The call ends, for this system call.
    Denied(&'static str),
    /// The call ends, for a system call of another kind of program; or this machine has no such programs at all.
    Foreign,
    /// The library is told one of these errors.
    Errno(&'static [i32]),
}

use Expect::{Denied, Errno, Foreign};

const EPERM: &[i32] = &[libc::EPERM];
const ENOSYS: &[i32] = &[libc::ENOSYS];
/// The kernel's rules of paths say this.
const EACCES: &[i32] = &[libc::EACCES];

/// Attacks with what comes of them in a call under `compute`, and, where that is something else, in a constructor.
const ATTACKS: &[(&str, Expect, Option<Expect>)] = &[
    // Ways round a filter.
    ("int80", Foreign, None),
    ("x32", Foreign, None),
    ("io_uring_setup", Errno(ENOSYS), None),
    ("io_uring_enter", Errno(ENOSYS), None),
    ("io_uring_register", Errno(ENOSYS), None),
    ("landlock", Denied("landlock_create_ruleset"), None),
    // What /proc tells of the host, and files.
    ("proc_mem", Denied("openat"), Some(Errno(EACCES))),
    ("proc_environ", Denied("openat"), Some(Errno(EACCES))),
    ("proc_maps", Denied("openat"), Some(Errno(EACCES))),
    ("proc_fd", Denied("openat"), Some(Errno(EACCES))),
    ("proc_root", Denied("openat"), Some(Errno(EACCES))),
    ("passwd", Denied("openat"), Some(Errno(EACCES))),
    ("root_listing", Denied("openat"), Some(Errno(EACCES))),
    ("shm_name", Denied("openat"), Some(Errno(EACCES))),
    ("tmp_name", Denied("openat"), Some(Errno(EACCES))),
    ("openat2", Denied("openat2"), Some(Errno(ENOSYS))),
    ("symlink", Denied("symlinkat"), Some(Errno(EACCES))),
    // What Landlock does not judge, or not in each of its versions.
    ("open_truncating", Denied("openat"), Some(Errno(EACCES))),
    ("open_only_truncating", Denied("openat"), Some(Errno(EACCES))),
    ("chmod", Denied("fchmodat"), Some(Errno(EPERM))),
    ("chown", Denied("fchownat"), Some(Errno(EPERM))),
    ("times", Denied("utimensat"), Some(Errno(EPERM))),
    ("truncate", Denied("truncate"), Some(Errno(EPERM))),
    ("setxattr", Denied("setxattr"), Some(Errno(EPERM))),
    ("inotify", Denied("inotify_init1"), Some(Errno(ENOSYS))),
    ("socketpair", Denied("socketpair"), None),
    // The host's memory, descriptors and control flow; large parts of the kernel.
    ("ptrace_seize", Denied("ptrace"), None),
    ("process_vm_readv", Denied("process_vm_readv"), None),
    ("process_vm_writev", Denied("process_vm_writev"), None),
    ("process_madvise", Denied("process_madvise"), None),
    ("kcmp", Denied("kcmp"), None),
    ("pidfd_open", Denied("pidfd_open"), None),
    ("pidfd_getfd", Denied("pidfd_getfd"), None),
    ("pidfd_send_signal", Denied("pidfd_send_signal"), None),
    ("move_pages", Denied("move_pages"), None),
    ("bpf", Denied("bpf"), None),
    ("perf_event_open", Errno(EPERM), None),
    ("userfaultfd", Denied("userfaultfd"), None),
    ("memfd_secret", Denied("memfd_secret"), None),
    ("add_key", Denied("add_key"), None),
    ("request_key", Denied("request_key"), None),
    ("keyctl", Denied("keyctl"), None),
    ("mount", Denied("mount"), None),
    ("umount", Denied("umount2"), None),
    ("open_tree", Denied("open_tree"), None),
    ("fsopen", Denied("fsopen"), None),
    ("pivot_root", Denied("pivot_root"), None),
    ("chroot", Denied("chroot"), None),
    ("unshare", Denied("unshare"), None),
    ("setns", Denied("setns"), None),
    ("modules", Denied("init_module"), None),
    ("kexec", Denied("kexec_load"), None),
    ("reboot", Denied("reboot"), None),
    ("swapon", Denied("swapon"), None),
    ("acct", Denied("acct"), None),
    ("quotactl", Denied("quotactl"), None),
    ("syslog", Denied("syslog"), None),
    ("name_to_handle_at", Denied("name_to_handle_at"), None),
    ("open_by_handle_at", Denied("open_by_handle_at"), None),
    ("fanotify", Denied("fanotify_init"), None),
    ("mknod", Denied("mknodat"), None),
    // Signals to others.
    ("kill_parent", Denied("kill"), None),
    ("kill_all", Denied("kill"), None),
    ("kill_group", Denied("kill"), None),
    ("tgkill_parent", Denied("tgkill"), None),
    ("tkill_parent", Denied("tkill"), None),
    ("sigqueue_parent", Denied("rt_sigqueueinfo"), None),
    ("tgsigqueue_parent", Denied("rt_tgsigqueueinfo"), None),
    ("setown", Denied("fcntl"), None),
    ("setown_ex", Denied("fcntl"), None),
    ("setsig", Denied("fcntl"), None),
    ("o_async", Denied("fcntl"), None),
    ("fiosetown", Errno(&[libc::ENOTTY]), Some(Denied("ioctl"))),
    ("siocspgrp", Errno(&[libc::ENOTTY]), Some(Denied("ioctl"))),
    ("fioasync", Errno(&[libc::ENOTTY]), Some(Denied("ioctl"))),
    ("tiocsti", Errno(&[libc::ENOTTY]), Some(Denied("ioctl"))),
    // Limits and places of others.
    ("prlimit_parent", Errno(EPERM), None),
    ("prlimit_ask", Errno(EPERM), None),
    ("affinity_parent", Errno(EPERM), None),
    ("scheduler_parent", Errno(EPERM), None),
    ("priority_parent", Errno(EPERM), None),
    ("priority_user", Errno(EPERM), None),
    ("ioprio_parent", Errno(EPERM), None),
    // What keeps cores away, and tells of denied calls.
    ("core_zero", Errno(EPERM), None),
    ("core_zero_self", Errno(EPERM), None),
    ("core_setrlimit", Errno(EPERM), None),
    ("sigsys_action", Errno(EPERM), None),
    // Processes and programs.
    ("fork", Denied(FORK), None),
    ("libc_fork", Denied("clone"), None),
    ("clone", Denied("clone"), None),
    // The C library blocks all signals meanwhile, so that nothing can be noted.
    ("spawn", Denied(""), None),
    ("popen", Denied(""), None),
    ("clone_user_namespace", Denied("clone"), None),
    ("clone3", Errno(ENOSYS), None),
    ("execve", Denied("execve"), None),
    ("execveat", Denied("execveat"), None),
    ("setsid", Denied("setsid"), None),
    ("setpgid", Denied("setpgid"), None),
    ("pdeathsig", Errno(EPERM), Some(Denied("prctl"))),
    ("ptracer", Errno(EPERM), Some(Denied("prctl"))),
    // Time.
    ("clock_settime", Denied("clock_settime"), None),
    ("settimeofday", Denied("settimeofday"), None),
    ("adjtimex", Denied("adjtimex"), None),
    ("clock_adjtime", Denied("clock_adjtime"), None),
    // Network, and names that others know.
    ("socket_inet", Denied("socket"), None),
    ("socket_inet6", Denied("socket"), None),
    ("socket_unix", Denied("socket"), None),
    ("socket_netlink", Denied("socket"), None),
    ("socket_packet", Denied("socket"), None),
    ("shmget", Denied("shmget"), None),
    ("semget", Denied("semget"), None),
    ("msgget", Denied("msgget"), None),
    ("mq_open", Denied("mq_open"), None),
];

/// Attacks on what only holds once the library serves: until then it may restrict itself, and ask about files.
const LATER: &[(&str, Expect)] = &[
    ("own_filter", Denied("seccomp")),
    ("own_filter_by_prctl", Errno(EPERM)),
    ("statx", Denied("statx")),
    ("setuid", Errno(EPERM)),
];

const FORK: &str = if cfg!(target_arch = "x86_64") { "fork" } else { "clone" };

fn check(name: &str, outcome: &Outcome, expect: &Expect, place: &str) {
    let holds = match expect {
        Denied(syscall) => outcome.denied() == Some(*syscall),
        Errno(numbers) => matches!(outcome, Outcome::Errno(number) if numbers.contains(number)),
        Foreign if !cfg!(target_arch = "x86_64") => *outcome == Outcome::Errno(libc::ENOSYS),
        // A kernel without 32-bit programs ends it otherwise.
        Foreign => match outcome {
            Outcome::Denied(denied) => denied.foreign,
            Outcome::Fault(kind) => *kind == hotcell::ErrorKind::Crashed,
            _ => false,
        },
    };
    assert!(holds, "{name} {place}: {outcome:?}");
}

/// What of this process an attack would change.
fn own_state() -> impl PartialEq + std::fmt::Debug {
    let limit = getrlimit(Resource::Nofile);
    let affinity: CpuSet = sched_getaffinity(None).unwrap();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| status.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    let pending =
        field("ShdPnd").and_then(|line| u64::from_str_radix(line.split_whitespace().last()?, 16).ok());
    // Workers that end leave SIGCHLD.
    let pending = pending.map(|signals| signals & 1 << (libc::SIGUSR1 - 1));
    let tracer = field("TracerPid");
    let user = fs::metadata("/proc/self").unwrap().uid();
    (limit, affinity, getpriority_process(None).unwrap(), tracer, pending, user)
}

#[test]
fn attacks_from_a_call_come_to_nothing() {
    as_every_user("attacks::attacks_from_a_call_come_to_nothing", || {
        let attacks = Attacks::new();
        let attacker = attacks.open(Sandbox::of(Profile::Compute), &[]).unwrap();
        let before = own_state();
        let known: Vec<&str> = ATTACKS.iter().map(|it| it.0).chain(LATER.iter().map(|it| it.0)).collect();
        for name in attacker.names() {
            assert!(known.contains(&name.as_str()), "{name} is in no table");
        }
        for (name, expect) in ATTACKS
            .iter()
            .map(|(name, expect, _)| (name, expect))
            .chain(LATER.iter().map(|(name, expect)| (name, expect)))
        {
            check(name, &attacker.attack(name), expect, "in a call");
            assert_eq!(own_state(), before, "{name}");
        }
        for left in ["/dev/shm/hotcell-attack", "/dev/shm/hotcell-temporary"] {
            assert!(fs::symlink_metadata(left).is_err(), "{left}");
        }
    });
}

#[test]
fn attacks_from_a_constructor_come_to_nothing() {
    as_every_user("attacks::attacks_from_a_constructor_come_to_nothing", || {
        let attacks = Attacks::new();
        let before = own_state();
        for (name, in_call, in_constructor) in ATTACKS {
            let outcome = attacks.in_constructor(Sandbox::of(Profile::Compute), name);
            check(name, &outcome, in_constructor.as_ref().unwrap_or(in_call), "in a constructor");
            assert_eq!(own_state(), before, "{name}");
        }
        for left in ["/dev/shm/hotcell-attack", "/dev/shm/hotcell-temporary"] {
            assert!(fs::symlink_metadata(left).is_err(), "{left}");
        }
    });
}

/// A thread that was there before the profile held, and one that came later.
#[test]
fn attacks_from_threads_come_to_nothing() {
    as_every_user("attacks::attacks_from_threads_come_to_nothing", || {
        let attacks = Attacks::new();
        let attacker = attacks.open(Sandbox::of(Profile::Compute), &[("THREAD", "1")]).unwrap();
        let some = [
            "passwd",
            "proc_mem",
            "socket_inet",
            "ptrace_seize",
            "kill_parent",
            "execve",
            "fork",
            "own_filter",
            "io_uring_setup",
        ];
        for (name, expect) in ATTACKS
            .iter()
            .map(|(name, expect, _)| (name, expect))
            .chain(LATER.iter().map(|(name, expect)| (name, expect)))
        {
            if some.contains(name) {
                for thread in ["attack_in_old_thread", "attack_in_new_thread"] {
                    check(name, &attacker.with_text(thread, name), expect, thread);
                    attacker.serves();
                }
            }
        }
    });
}

/// The attacks are real: without a wall those that harm nobody succeed.
#[test]
fn attacks_succeed_without_a_wall() {
    as_every_user("attacks::attacks_succeed_without_a_wall", || {
        let attacks = Attacks::new();
        let attacker = attacks.open(Sandbox::of(Profile::Basic), &[]).unwrap();
        for name in [
            "passwd",
            "root_listing",
            "prlimit_ask",
            "kill_all",
            "socket_inet",
            "socket_unix",
            "fork",
            "spawn",
            "popen",
            "setown",
            "own_filter",
            "statx",
        ] {
            if name != "statx" || rustix::process::getuid().is_root() {
                assert_eq!(attacker.attack(name), Outcome::Succeeded, "{name}");
            }
        }
        // Where nothing else of the system forbids it to trace its parent.
        let restricted =
            fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").is_ok_and(|scope| scope.trim() != "0");
        for name in ["proc_mem", "proc_environ", "pidfd_open"] {
            let outcome = attacker.attack(name);
            assert!(restricted || outcome == Outcome::Succeeded, "{name}: {outcome:?}");
        }
    });
}
