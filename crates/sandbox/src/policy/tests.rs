//! The tables are right and complete, and rules of users are read.

use std::process::Command;

use super::*;
use crate::profile::Profile;

mod machines;

fn numbers_of(architecture: Architecture) -> Vec<(&'static str, u32)> {
    SYSCALLS.iter().filter_map(|syscall| Some((syscall.name, architecture.number(syscall)?))).collect()
}

/// The number that another table of system calls has: that of the crate `seccompiler`, out of the filter it makes.
fn number_elsewhere(name: &str, architecture: Architecture) -> Option<u32> {
    let machine = match architecture {
        Architecture::X86_64 => seccompiler::TargetArch::x86_64,
        Architecture::Aarch64 => seccompiler::TargetArch::aarch64,
    };
    let filter = format!(
        r#"{{"it": {{"mismatch_action": "allow", "match_action": "trap", "filter": [{{"syscall": "{name}"}}]}}}}"#
    );
    let filters = seccompiler::compile_from_json(filter.as_bytes(), machine).ok()?;
    // The first comparison is of the architecture, the second of the number.
    filters["it"]
        .iter()
        .filter(|instruction| instruction.code == 0x15)
        .nth(1)
        .map(|instruction| instruction.k)
}

#[test]
fn numbers_are_those_of_another_table() {
    for architecture in [Architecture::X86_64, Architecture::Aarch64] {
        let mut compared = 0;
        for syscall in SYSCALLS {
            let Some(elsewhere) = number_elsewhere(syscall.name, architecture) else { continue };
            assert_eq!(architecture.number(syscall), Some(elsewhere), "{} on {architecture:?}", syscall.name);
            compared += 1;
        }
        assert!(compared > 270, "{compared} of {architecture:?}");
    }
}

/// The numbers that the kernel's own headers have, by the C compiler.
fn numbers_of_headers(include: &str, definitions: &[&str]) -> Vec<(String, u32)> {
    let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    compiler.args(["-E", "-dM", "-include", include, "-x", "c", "/dev/null"]);
    compiler.args(definitions.iter().map(|name| format!("-D{name}")));
    let output = compiler.output().expect("there is a C compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("names are ASCII");
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(&format!("#define {name} ")));
    let lines = text.lines().filter_map(|line| line.strip_prefix("#define __NR_")?.split_once(' '));
    let number = |text: &str| text.parse().ok().or_else(|| value(text)?.parse().ok());
    lines.filter_map(|(name, text)| Some((name.to_owned(), number(text)?))).collect()
}

/// Every system call that the headers of this machine's kernel know is in the table, with their number: a filter that does not
/// know one answers as if the kernel were older. aarch64 has the kernel's generic list.
#[test]
fn numbers_are_those_of_the_kernels_own_lists() {
    let aarch64 = [
        "__BITS_PER_LONG=64",
        "__ARCH_WANT_RENAMEAT",
        "__ARCH_WANT_NEW_STAT",
        "__ARCH_WANT_SET_GET_RLIMIT",
        "__ARCH_WANT_TIME32_SYSCALLS",
        "__ARCH_WANT_SYS_CLONE3",
        "__ARCH_WANT_MEMFD_SECRET",
    ];
    let mut lists = vec![(Architecture::Aarch64, numbers_of_headers("asm-generic/unistd.h", &aarch64))];
    if Architecture::NATIVE == Architecture::X86_64 {
        lists.push((Architecture::X86_64, numbers_of_headers("asm/unistd.h", &[])));
    }
    for (architecture, list) in lists {
        // What is no system call: where each machine's own begin, how many there are, and names of older interfaces.
        let beside = ["arch_specific_syscall", "syscalls"];
        let list =
            list.iter().filter(|(name, _)| !beside.contains(&name.as_str()) && !name.starts_with("3264_"));
        let mut compared = 0;
        for (name, number) in list {
            let syscall = Syscall::named(name).unwrap_or_else(|| panic!("{name} is in no table"));
            assert_eq!(architecture.number(syscall), Some(*number), "{name} on {architecture:?}");
            compared += 1;
        }
        assert!(compared > 280, "{compared} of {architecture:?}");
    }
}

#[test]
fn numbers_are_those_of_this_machine() {
    let native = |name: &str| Syscall::named(name).and_then(|syscall| Architecture::NATIVE.number(syscall));
    for (name, number) in [
        ("read", libc::SYS_read),
        ("openat", libc::SYS_openat),
        ("clone", libc::SYS_clone),
        ("clone3", libc::SYS_clone3),
        ("seccomp", libc::SYS_seccomp),
        ("io_uring_setup", libc::SYS_io_uring_setup),
        ("prlimit64", libc::SYS_prlimit64),
        ("futex", libc::SYS_futex),
        ("landlock_restrict_self", libc::SYS_landlock_restrict_self),
    ] {
        assert_eq!(native(name).map(i64::from), Some(number), "{name}");
        assert_eq!(Syscall::of_number(number as u32).map(|syscall| syscall.name), Some(name));
    }
}

#[test]
fn numbers_are_told_apart() {
    assert!(SYSCALLS.is_sorted_by(|a, b| a.name < b.name));
    for architecture in [Architecture::X86_64, Architecture::Aarch64] {
        let mut numbers: Vec<u32> = numbers_of(architecture).into_iter().map(|(_, number)| number).collect();
        let count = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), count);
    }
}

#[test]
fn all_conditions_of_the_tables_are_read() {
    for rule in [ALWAYS, LOAD, COMPUTE, FILES, NETWORK].into_iter().flatten() {
        Decision::of(rule);
    }
}

/// No profile opens what is denied in every one, and none allows while it serves what was denied while it loaded.
#[test]
fn no_profile_opens_what_is_always_denied() {
    let everything: Vec<String> = SYSCALLS.iter().map(|syscall| syscall.name.to_owned()).collect();
    let never: Vec<&str> = ALWAYS
        .iter()
        .filter(|rule| rule.when.is_empty())
        .flat_map(|rule| rule.calls.iter().copied())
        .collect();
    assert!(never.len() > 80, "{}", never.len());
    for name in everything {
        let sandbox = Sandbox { allow: vec![name.clone()], ..Sandbox::of(Profile::Custom) };
        match Policy::serve(&sandbox) {
            Ok(policy) => {
                assert!(!never.contains(&name.as_str()), "{name}");
                let load = Policy::load(&sandbox).unwrap();
                for (call, decision) in &policy.decisions {
                    let shut = load
                        .decisions
                        .get(call)
                        .is_some_and(|it| it.when.is_empty() && it.then != Then::Allow);
                    assert!(!(decision.then == Then::Allow && shut), "{call} with {name}");
                }
            }
            Err(error) => {
                assert!(never.contains(&name.as_str()), "{name}");
                let expect = format!("the sandbox's rule `{name}`: `{name}` is denied in every profile");
                assert_eq!(error.to_string(), expect);
            }
        }
    }
}

/// The calls that a worker makes itself, whatever its library is.
#[test]
fn a_worker_can_live_in_every_profile() {
    for profile in [Profile::Compute, Profile::Files, Profile::Network, Profile::Custom] {
        let policy = Policy::serve(&Sandbox::of(profile)).unwrap();
        for call in [
            "futex",
            "write",
            "sendmsg",
            "recvmsg",
            "mmap",
            "munmap",
            "mprotect",
            "madvise",
            "clone",
            "sched_yield",
            "sched_setaffinity",
            "sched_getaffinity",
            "getcpu",
            "membarrier",
            "prctl",
            "brk",
            "clock_gettime",
            "exit",
            "exit_group",
            "rt_sigreturn",
            "rt_sigprocmask",
            "rt_sigaction",
            "sigaltstack",
            "tgkill",
            "gettid",
            "getpid",
            "set_robust_list",
            "rseq",
            "clock_nanosleep",
            "fcntl",
            "close",
            "fstat",
            "getrandom",
        ] {
            let decision = policy.decisions.get(call);
            assert!(decision.is_some_and(|decision| decision.then == Then::Allow), "{call} in {profile:?}");
        }
    }
}

/// Protections as `PROT_READ`, `PROT_WRITE` and `PROT_EXEC` add up to them.
#[test]
fn what_is_written_is_not_executed() {
    const READ: u64 = 1;
    const WRITE: u64 = 2;
    const EXEC: u64 = 4;
    let refused = Then::Refuse(libc::EACCES);
    for profile in [Profile::Compute, Profile::Files, Profile::Network, Profile::Custom] {
        let allow =
            if profile == Profile::Custom { vec!["mmap".into(), "mprotect".into()] } else { Vec::new() };
        let sandbox = Sandbox { write_xor_execute: true, allow, ..Sandbox::of(profile) };
        let (load, serve) = (Policy::load(&sandbox).unwrap(), Policy::serve(&sandbox).unwrap());
        let with = |policy: &Policy, call: &str, protection: u64, flags: libc::c_int| {
            policy.then(call, &[0, 4096, protection, flags as u64, 0, 0], 1)
        };
        let then = |policy: &Policy, call: &str, protection: u64| {
            with(policy, call, protection, libc::MAP_PRIVATE | libc::MAP_FIXED)
        };
        for (call, protection, while_loading, serving) in [
            ("mmap", READ | WRITE, Then::Allow, Then::Allow),
            ("mmap", READ | EXEC, Then::Allow, refused),
            ("mmap", EXEC, Then::Allow, refused),
            ("mmap", READ | WRITE | EXEC, refused, refused),
            ("mmap", WRITE | EXEC, refused, refused),
            ("mprotect", READ | WRITE, Then::Allow, Then::Allow),
            ("mprotect", READ | EXEC, refused, refused),
            ("mprotect", READ | WRITE | EXEC | 1 << 24, refused, refused),
            ("pkey_mprotect", EXEC, refused, refused),
        ] {
            assert_eq!(then(&load, call, protection), while_loading, "{call} {protection} while it loads");
            assert_eq!(then(&serve, call, protection), serving, "{call} {protection} in {profile:?}");
        }
        // Memory that may have another name, and such as lies in no file.
        for flags in [
            libc::MAP_SHARED,
            libc::MAP_SHARED_VALIDATE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
        ] {
            assert_eq!(with(&load, "mmap", READ | EXEC, flags), refused, "{flags:#x}");
            assert_eq!(with(&load, "mmap", READ | WRITE, flags), Then::Allow, "{flags:#x}");
        }
        assert_eq!(load.then("memfd_create", &[0; 6], 1), refused);
        for (persona, expect) in [(0, Then::Allow), (0xffff_ffff, Then::Allow), (0x40_0000, refused)] {
            assert_eq!(load.then("personality", &[persona, 0, 0, 0, 0, 0], 1), expect, "{persona:#x}");
        }
    }
}

/// Whatever a line allows of a call while it serves: where it allows nothing, loading gives what it gives without the line.
#[test]
fn a_line_takes_nothing_from_what_loading_gives() {
    let without = Policy::load(&Sandbox::of(Profile::Custom)).unwrap();
    let mut told = 0;
    for call in LOAD.iter().flat_map(|rule| rule.calls) {
        if !without.decisions.contains_key(call) || Policy::is_never_allowed(call) {
            continue;
        }
        let allow = vec![format!("{call}(arg1:64 == 0x5a5a5a5a)")];
        let with = Policy::load(&Sandbox { allow, ..Sandbox::of(Profile::Custom) }).unwrap();
        for second in [0, 1, 2, 0x200, 0x201, 0x241, 0x1000] {
            let arguments = [1, second, second, 0, 0, 0];
            let before = without.then(call, &arguments, 1);
            assert_eq!(with.then(call, &arguments, 1), before, "{call} {arguments:?}");
            told += usize::from(matches!(before, Then::Refuse(_) | Then::Answer(_)));
        }
    }
    assert!(told > 100, "{told}");
}

/// The same while it serves, with paths and without.
#[test]
fn a_line_takes_nothing_from_what_is_told_while_it_serves() {
    let mut told = 0;
    let with_paths = Sandbox { read: vec!["/etc/hosts".into()], ..Sandbox::of(Profile::Custom) };
    for sandbox in [Sandbox::of(Profile::Custom), with_paths] {
        let without = Policy::serve(&sandbox).unwrap();
        for syscall in SYSCALLS.iter().filter(|it| !Policy::is_never_allowed(it.name)) {
            let call = syscall.name;
            let allow = vec![format!("{call}(arg1:64 == 0x5a5a5a5a)")];
            let with = Policy::serve(&Sandbox { allow, ..sandbox.clone() }).unwrap();
            for second in [0, 1, 2, 0x200, 0x241] {
                let arguments = [1, second, second, 0, 0, 0];
                let before = without.then(call, &arguments, 1);
                if matches!(before, Then::Refuse(_) | Then::Answer(_)) {
                    assert_eq!(with.then(call, &arguments, 1), before, "{call} {arguments:?}");
                    told += 1;
                }
            }
        }
    }
    assert!(told > 30, "{told}");
}

#[test]
fn rules_of_users_are_read_or_refused() {
    let wrong = |rule: &str| {
        let sandbox = Sandbox { allow: vec![rule.to_owned()], ..Sandbox::of(Profile::Custom) };
        Policy::serve(&sandbox).expect_err(rule).to_string()
    };
    for (rule, expect) in [
        ("memfd_crate", "there is no system call `memfd_crate`"),
        ("memfd_create(", "the bracket is not closed"),
        ("memfd_create(arg1 = 1)", "`arg1 = 1` is no comparison"),
        ("ptrace(arg0 == 0)", "`ptrace` is denied in every profile"),
    ] {
        assert!(wrong(rule).contains(expect), "{}", wrong(rule));
    }
    let allow = vec!["shmget".to_owned(), "shmget(arg0 == 1)".to_owned(), " ioctl ( arg1 == 7 ) ".to_owned()];
    let policy = Policy::serve(&Sandbox { allow, ..Sandbox::of(Profile::Custom) }).unwrap();
    assert!(policy.decisions["shmget"].when.is_empty());
    // It adds to what `compute` allows of the call.
    assert_eq!(policy.decisions["ioctl"].when.len(), 7);
}

/// Lines of a user's open nothing that goes past the kernel's rules of paths and ports.
#[test]
fn users_lines_do_not_go_past_rules_of_paths_and_ports() {
    let policy = |allow: &[&str]| {
        let allow = allow.iter().map(|&line| line.to_owned()).collect();
        Policy::serve(&Sandbox { allow, ..Sandbox::of(Profile::Custom) }).unwrap()
    };
    let fast = libc::MSG_FASTOPEN as u64;
    let bare = policy(&["socket", "sendto", "sendmmsg", "openat", "open(arg1 == 0x200)", "truncate"]);
    let flags_at = |place: usize, flags: u64| {
        let mut arguments = [0; 6];
        arguments[place] = flags;
        arguments
    };
    for (call, place) in [("sendto", 3), ("sendmsg", 2), ("sendmmsg", 3)] {
        assert_eq!(bare.then(call, &flags_at(place, 0), 0), Then::Allow, "{call}");
        assert_eq!(bare.then(call, &flags_at(place, fast), 0), Then::Deny, "{call}");
    }
    // The kernel does not take these for TCP, and they connect by it.
    for (socket, expect) in [
        ([2, 1, 0], Then::Allow),
        ([10, 0x80801, 6], Then::Allow),
        ([2, 1, 262], Then::Deny),
        ([10, 1, 256], Then::Deny),
        ([43, 1, 0], Then::Deny),
    ] {
        let [family, kind, protocol] = socket;
        assert_eq!(bare.then("socket", &[family, kind, protocol, 0, 0, 0], 0), expect, "{socket:?}");
    }
    let shortens = (libc::O_RDONLY | libc::O_TRUNC) as u64;
    assert_eq!(bare.then("openat", &flags_at(2, 0), 0), Then::Allow);
    assert_eq!(bare.then("openat", &flags_at(2, shortens), 0), Then::Refuse(libc::EACCES));
    assert_ne!(bare.then("open", &flags_at(1, 0x200), 0), Then::Allow);
    // Where no socket of TCP can be had, sending is as it is: messages of the worker's own socket.
    let unix = policy(&["socket(arg0 == 1)", "sendto"]);
    assert_eq!(unix.then("sendto", &flags_at(3, fast), 0), Then::Allow);
}
