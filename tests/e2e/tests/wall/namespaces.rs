//! Namespaces of a worker's own: where they can be had they keep it from the host whatever else is missing, and what the kernel
//! counts for a user is counted for it alone.

use std::fs;
use std::process::Command;

use hotcell::dynamic::Value;
use hotcell::{ErrorKind, Level, Limits, Options, Profile, Require, Sandbox};
use hotcell_e2e::wall::{Attacker, Attacks, Outcome, as_every_user};

use crate::containers::{LANDLOCK, where_calls_fail};

/// Whether this user of this machine may have them, by the word of another program.
fn are_offered() -> bool {
    let mut unshare = Command::new("unshare");
    let tried = unshare.args(["--user", "--map-root-user", "--ipc", "true"]).output();
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers =
        release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse::<u32>().unwrap_or(0));
    let is_new = (numbers.next(), numbers.next()) >= (Some(5), Some(16));
    let are_offered = is_new && tried.expect("`unshare` of util-linux is there").status.success();
    if !are_offered {
        eprintln!("this machine offers no namespaces: that none are told is all that is tried");
    }
    are_offered
}

/// Whether a process has other namespaces than this one.
fn are_own(pid: u32) -> bool {
    let of = |process: &str, kind: &str| fs::read_link(format!("/proc/{process}/ns/{kind}")).unwrap();
    let own = ["user", "ipc"].map(|kind| of(&pid.to_string(), kind) != of("self", kind));
    assert_eq!(own[0], own[1]);
    let others = ["net", "pid", "mnt", "uts"];
    assert!(others.iter().all(|kind| of(&pid.to_string(), kind) == of("self", kind)), "no other ones");
    own[0]
}

fn has_own(attacker: &Attacker<'_>) -> bool {
    let told = attacker.session.level().contains(Level::OWN_NAMESPACES);
    assert_eq!(are_own(attacker.session.worker_pid().unwrap()), told, "what is told is what is");
    told
}

/// What the kernel limits for a process, soft and hard: `u64::MAX` for no limit.
fn limits(process: &str, name: &str) -> [u64; 2] {
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let row = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let mut words = row.split_whitespace().map(|word| word.parse().unwrap_or(u64::MAX));
    [words.next().unwrap(), words.next().unwrap()]
}

#[test]
fn profiles_without_files_have_their_own() {
    as_every_user("namespaces::profiles_without_files_have_their_own", || {
        let (attacks, are_offered) = (Attacks::new(), are_offered());
        let network = Sandbox { connect: vec![1], ..Sandbox::of(Profile::Network) };
        for sandbox in [Sandbox::of(Profile::Compute), network, Sandbox::of(Profile::Custom)] {
            let attacker = attacks.open(sandbox, &[]).unwrap();
            assert_eq!(has_own(&attacker), are_offered);
            attacker.serves();
            // It is in there who it was.
            let id = |call: i64| {
                attacker.int("attack_syscall", &[Value::Int(call.into()), Value::Int(0), Value::Int(0)])
            };
            let (user, group) = (rustix::process::getuid(), rustix::process::getgid());
            assert_eq!(id(libc::SYS_getuid).unwrap().cast_unsigned(), user.as_raw());
            assert_eq!(id(libc::SYS_getegid).unwrap().cast_unsigned(), group.as_raw());
        }
        let files = Sandbox { read: vec!["/etc".into()], ..Sandbox::of(Profile::Files) };
        let allow = Sandbox { allow: vec!["memfd_create".into()], ..Sandbox::of(Profile::Custom) };
        let load = Sandbox { load: vec!["/etc".into()], ..Sandbox::of(Profile::Compute) };
        for sandbox in [Sandbox::of(Profile::Basic), files, allow, load] {
            assert!(!has_own(&attacks.open(sandbox, &[]).unwrap()));
        }
    });
}

#[test]
fn they_can_be_demanded() {
    as_every_user("namespaces::they_can_be_demanded", || {
        let attacks = Attacks::new();
        let demanded = Sandbox { require: Require::Namespaces, ..Sandbox::of(Profile::Compute) };
        if are_offered() {
            attacks.open(demanded, &[]).unwrap().serves();
        }
        let files = Sandbox { require: Require::Namespaces, ..Sandbox::of(Profile::Files) };
        let error = attacks.open(files, &[]).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.message().contains("has no namespaces of its own"), "{error}");
    });
}

/// Without rules of paths a library that loads reads the host's memory, but for these.
#[test]
fn they_keep_constructors_from_the_hosts_memory() {
    const TEST: &str = "namespaces::they_keep_constructors_from_the_hosts_memory";
    as_every_user(TEST, || {
        let are_offered = are_offered();
        where_calls_fail(TEST, &LANDLOCK, libc::ENOSYS, || {
            let attacks = Attacks::new();
            let reads = |sandbox: &Sandbox| {
                ["proc_mem", "proc_environ"].map(|name| attacks.in_constructor(sandbox.clone(), name))
            };
            let shut = || [Outcome::Errno(libc::EACCES), Outcome::Errno(libc::EACCES)];
            // Capabilities of the administrator's host keep those out who have none, and some systems let nobody trace a parent.
            let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope");
            let restricted = scope.is_ok_and(|scope| scope.trim() != "0");
            let open = match rustix::process::getuid().is_root() {
                true => shut(),
                false => [Outcome::Succeeded, Outcome::Succeeded],
            };
            let without = Sandbox { allow: vec!["memfd_create".into()], ..Sandbox::of(Profile::Custom) };
            if restricted {
                return;
            }
            assert_eq!(reads(&without), open);
            assert_eq!(reads(&Sandbox::of(Profile::Compute)), if are_offered { shut() } else { open });
        });
    });
}

#[test]
fn what_is_counted_for_a_user_is_limited_for_each() {
    as_every_user("namespaces::what_is_counted_for_a_user_is_limited_for_each", || {
        if !are_offered() {
            return;
        }
        let attacks = Attacks::new();
        let timers = |sandbox| {
            let limits = Limits { threads: Some(8), ..Limits::default() };
            let options = Options { sandbox: Some(sandbox), limits, ..Options::default() };
            let attacker = attacks.open_with(options).unwrap();
            let made = attacker.int("attack_timers", &[Value::Int(1025)]).unwrap();
            (attacker, made)
        };
        let (compute, made) = timers(Sandbox::of(Profile::Compute));
        let worker = compute.session.worker_pid().unwrap().to_string();
        let at_most = |name, most: u64| [limits("self", name)[1].min(most); 2];
        assert_eq!(limits(&worker, "Max pending signals"), at_most("Max pending signals", 1024));
        assert_eq!(limits(&worker, "Max processes"), at_most("Max processes", 72));
        drop(compute);
        // Of a user who may have that many more, which others of his may have taken meanwhile.
        let (files, otherwise) = timers(Sandbox::of(Profile::Files));
        drop(files);
        assert!(made <= 1024, "{made}");
        if limits("self", "Max pending signals")[1] > 8 * 1024 {
            assert_eq!((made, otherwise), (1024, 1025));
        }
    });
}
