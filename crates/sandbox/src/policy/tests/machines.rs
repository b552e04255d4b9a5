//! Both machines have the same policy: by names that only one of them has, too, and with numbers that mean the same on both.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::*;

/// Arguments of a call.
type Arguments = [u64; 6];

/// The arguments of the newer call that mean what those of the older one do.
type Translate = fn(&Arguments) -> Arguments;

const AT_CWD: u64 = -100_i64 as u64;

fn same(arguments: &Arguments) -> Arguments {
    *arguments
}

/// A path, behind the directory that it starts from.
fn at([path, first, second, ..]: &Arguments) -> Arguments {
    [AT_CWD, *path, *first, *second, 0, 0]
}

fn two_paths([from, to, ..]: &Arguments) -> Arguments {
    [AT_CWD, *from, AT_CWD, *to, 0, 0]
}

/// What x86-64 has by an older name, with the name of both and the arguments that mean the same there.
const OLDER: &[(&str, &str, Translate)] = &[
    ("access", "faccessat", at),
    ("alarm", "setitimer", same),
    ("chmod", "fchmodat", at),
    ("chown", "fchownat", at),
    ("creat", "openat", |[path, mode, ..]| {
        [AT_CWD, *path, (libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC) as u64, *mode, 0, 0]
    }),
    ("dup2", "dup3", same),
    ("epoll_create", "epoll_create1", same),
    ("epoll_wait", "epoll_pwait", same),
    ("eventfd", "eventfd2", same),
    ("fork", "clone", |_| [libc::SIGCHLD as u64, 0, 0, 0, 0, 0]),
    ("futimesat", "utimensat", same),
    ("getdents", "getdents64", same),
    ("getpgrp", "getpgid", |_| [0; 6]),
    ("inotify_init", "inotify_init1", same),
    ("lchown", "fchownat", at),
    ("link", "linkat", two_paths),
    ("lstat", "newfstatat", at),
    ("mkdir", "mkdirat", at),
    ("mknod", "mknodat", at),
    ("open", "openat", at),
    ("pause", "rt_sigsuspend", same),
    ("pipe", "pipe2", same),
    ("poll", "ppoll", same),
    ("readlink", "readlinkat", at),
    ("rename", "renameat", two_paths),
    ("rmdir", "unlinkat", at),
    ("select", "pselect6", same),
    ("signalfd", "signalfd4", same),
    ("stat", "newfstatat", at),
    ("symlink", "symlinkat", |[to, path, ..]| [*to, AT_CWD, *path, 0, 0, 0]),
    ("time", "clock_gettime", same),
    ("unlink", "unlinkat", at),
    ("utime", "utimensat", at),
    ("utimes", "utimensat", at),
    ("vfork", "clone", |_| [(libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD) as u64, 0, 0, 0, 0, 0]),
];

/// What x86-64 alone has, by no other name: of its processor, of its kernel's own, or long gone.
const ALONE: &[&str] = &[
    "_sysctl",
    "afs_syscall",
    "arch_prctl",
    "create_module",
    "epoll_ctl_old",
    "epoll_wait_old",
    "get_kernel_syms",
    "get_thread_area",
    "getpmsg",
    "ioperm",
    "iopl",
    "modify_ldt",
    "putpmsg",
    "query_module",
    "security",
    "set_thread_area",
    "sysfs",
    "tuxcall",
    "uprobe",
    "uretprobe",
    "uselib",
    "ustat",
    "vserver",
];

fn policies() -> Vec<Policy> {
    let custom = Sandbox {
        read: vec!["/etc".into()],
        connect: vec![1],
        allow: vec!["socket(arg0 == 1)".into(), "memfd_create".into()],
        ..Sandbox::of(Profile::Custom)
    };
    let sandboxes = [Profile::Compute, Profile::Files, Profile::Network].map(Sandbox::of);
    let both = |sandbox: &Sandbox| [Policy::load(sandbox).unwrap(), Policy::serve(sandbox).unwrap()];
    sandboxes.iter().chain([&custom]).flat_map(both).chain([Policy::always(), Policy::asking()]).collect()
}

/// Numbers near to everything that a decision compares. No address is 0: a call with that fails.
fn near(decision: Option<&Decision>) -> BTreeSet<u64> {
    let mut numbers = BTreeSet::from([1, 0x1000, u64::from(u32::MAX), u64::MAX]);
    for comparison in decision.into_iter().flat_map(|decision| decision.when.iter().flatten()) {
        if let crate::condition::Value::Number(number) = comparison.value {
            numbers.extend([number | 1, number.max(1), number + 1, comparison.mask, !comparison.mask | 1]);
        }
    }
    numbers
}

/// Of a call that has two names the same becomes by both, whatever its arguments are.
#[test]
fn both_machines_have_the_same_policy() {
    let only = SYSCALLS.iter().filter(|syscall| syscall.aarch64.is_none()).map(|syscall| syscall.name);
    let told = OLDER.iter().map(|(old, ..)| *old).chain(ALONE.iter().copied());
    assert_eq!(only.collect::<BTreeSet<_>>(), told.collect::<BTreeSet<_>>());
    let neither = |syscall: &&Syscall| syscall.x86_64.is_none();
    assert_eq!(SYSCALLS.iter().find(neither).map(|syscall| syscall.name), None, "aarch64 has none alone");
    let mut compared = 0;
    for policy in policies() {
        for (old, new, arguments) in OLDER {
            assert!(Syscall::named(new).is_some_and(|syscall| syscall.aarch64.is_some()), "{new}");
            let decision = |name: &str| policy.decisions.get(name);
            let numbers = &near(decision(old)) | &near(decision(new));
            for (first, second) in (0..4).flat_map(|first| (first..4).map(move |second| (first, second))) {
                for (here, there) in numbers.iter().flat_map(|here| numbers.iter().map(move |it| (here, it)))
                {
                    let mut call = [0x1000; 6];
                    (call[first], call[second]) = (*here, *there);
                    let by_both = [policy.then(old, &call, 7), policy.then(new, &arguments(&call), 7)];
                    assert_eq!(by_both[0], by_both[1], "{old} and {new} with {call:x?}");
                    compared += 1;
                }
            }
        }
        for name in ALONE.iter().filter(|name| **name != "arch_prctl") {
            let serves = policy.default == Then::Deny;
            let then = policy.then(name, &[0; 6], 7);
            assert!(!serves || then != Then::Allow, "{name} is open on one machine only");
        }
    }
    assert!(compared > 30_000, "{compared}");
}

/// Flags of `open` that aarch64 has by other numbers: `O_DIRECTORY`, `O_NOFOLLOW`, `O_DIRECT`, `O_LARGEFILE`.
const OTHER_FLAGS: u64 = 0x3_c000;

/// Where the two machines differ in what an argument means, no rule looks.
#[test]
fn no_rule_compares_what_means_something_else_on_one_machine() {
    for policy in policies() {
        for (call, decision) in &policy.decisions {
            for comparison in decision.when.iter().flatten() {
                match *call {
                    "open" | "openat" | "openat2" => {
                        assert_eq!(comparison.mask & OTHER_FLAGS, 0, "{call}: {comparison:?}");
                    }
                    // The last two are in another order.
                    "clone" => assert!(comparison.argument < 3, "{comparison:?}"),
                    _ => {}
                }
            }
        }
    }
}

/// What `fcntl`, `ioctl` and `prctl` are told to do, as rules compare it, with its name: it is in the headers that all machines have
/// in common.
const COMMANDS: &[(&str, u8, u64, &str)] = &[
    ("fcntl", 1, 0, "F_DUPFD"),
    ("fcntl", 1, 1, "F_GETFD"),
    ("fcntl", 1, 2, "F_SETFD"),
    ("fcntl", 1, 3, "F_GETFL"),
    ("fcntl", 1, 4, "F_SETFL"),
    ("fcntl", 1, 5, "F_GETLK"),
    ("fcntl", 1, 6, "F_SETLK"),
    ("fcntl", 1, 7, "F_SETLKW"),
    ("fcntl", 1, 8, "F_SETOWN"),
    ("fcntl", 1, 10, "F_SETSIG"),
    ("fcntl", 1, 15, "F_SETOWN_EX"),
    ("fcntl", 1, 36, "F_OFD_GETLK"),
    ("fcntl", 1, 37, "F_OFD_SETLK"),
    ("fcntl", 1, 38, "F_OFD_SETLKW"),
    ("fcntl", 1, 1024, "F_SETLEASE"),
    ("fcntl", 1, 1026, "F_NOTIFY"),
    ("fcntl", 1, 1030, "F_DUPFD_CLOEXEC"),
    ("fcntl", 1, 1032, "F_GETPIPE_SZ"),
    ("fcntl", 1, 1034, "F_GET_SEALS"),
    ("fcntl", 2, 0x2000, "FASYNC"),
    ("ioctl", 1, 0x5401, "TCGETS"),
    ("ioctl", 1, 0x5411, "TIOCOUTQ"),
    ("ioctl", 1, 0x5412, "TIOCSTI"),
    ("ioctl", 1, 0x5413, "TIOCGWINSZ"),
    ("ioctl", 1, 0x541b, "FIONREAD"),
    ("ioctl", 1, 0x541c, "TIOCLINUX"),
    ("ioctl", 1, 0x5421, "FIONBIO"),
    ("ioctl", 1, 0x5450, "FIONCLEX"),
    ("ioctl", 1, 0x5451, "FIOCLEX"),
    ("ioctl", 1, 0x5452, "FIOASYNC"),
    ("ioctl", 1, 0x8901, "FIOSETOWN"),
    ("ioctl", 1, 0x8902, "SIOCSPGRP"),
    ("ioctl", 1, 0x8905, "SIOCATMARK"),
    ("prctl", 0, 1, "PR_SET_PDEATHSIG"),
    ("prctl", 0, 2, "PR_GET_PDEATHSIG"),
    ("prctl", 0, 3, "PR_GET_DUMPABLE"),
    ("prctl", 0, 15, "PR_SET_NAME"),
    ("prctl", 0, 16, "PR_GET_NAME"),
    ("prctl", 0, 21, "PR_GET_SECCOMP"),
    ("prctl", 0, 23, "PR_CAPBSET_READ"),
    ("prctl", 0, 29, "PR_SET_TIMERSLACK"),
    ("prctl", 0, 30, "PR_GET_TIMERSLACK"),
    ("prctl", 0, 35, "PR_SET_MM"),
    ("prctl", 0, 39, "PR_GET_NO_NEW_PRIVS"),
    ("prctl", 0, 42, "PR_GET_THP_DISABLE"),
    ("prctl", 0, 54, "PR_PAC_RESET_KEYS"),
    ("prctl", 0, 56, "PR_GET_TAGGED_ADDR_CTRL"),
    ("prctl", 0, 0x4155_5856, "PR_GET_AUXV"),
    ("prctl", 0, 0x5356_4d41, "PR_SET_VMA"),
    ("prctl", 0, 0x5961_6d61, "PR_SET_PTRACER"),
];

/// Headers that each machine includes as they are; of `fcntl.h` aarch64 changes flags of `open` alone.
const GENERIC: &str = "#include <asm-generic/fcntl.h>\n#include <linux/fcntl.h>\n#include <asm-generic/ioctls.h>\n\
    #include <asm-generic/sockios.h>\n#include <linux/prctl.h>\n";

#[test]
fn what_is_compared_is_what_the_kernels_headers_say() {
    let mut compared = BTreeSet::new();
    for policy in policies() {
        for (call, decision) in &policy.decisions {
            for comparison in decision.when.iter().flatten() {
                if let crate::condition::Value::Number(number) = comparison.value
                    && ["fcntl", "ioctl", "prctl"].contains(call)
                {
                    compared.insert((*call, comparison.argument, number));
                }
            }
        }
    }
    // With the bit, and without it.
    compared.remove(&("fcntl", 2, 0));
    let known = COMMANDS.iter().map(|(call, argument, number, _)| (*call, *argument, *number));
    assert_eq!(compared, known.collect());
    let holds = |(_, _, number, name): &(&str, u8, u64, &str)| {
        // Headers may be older than what they lack.
        format!("#ifdef {name}\n_Static_assert({name} == {number}, \"{name}\");\n#endif\n")
    };
    let text = GENERIC.to_owned() + &COMMANDS.iter().map(holds).collect::<String>();
    let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    let compiler = compiler.args(["-fsyntax-only", "-x", "c", "-"]).stdin(Stdio::piped());
    let mut compiler = compiler.stderr(Stdio::piped()).spawn().expect("there is a C compiler");
    compiler.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = compiler.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
