//! A container that offers less: what cannot be had is told, or loading fails. No wall is lower than it says.

use std::collections::BTreeMap;
use std::env;
use std::process::Command;

use hotcell::{Cause, ErrorKind, Level, Profile, Require, Sandbox};
use hotcell_e2e::wall::{Attacks, CONTAINER, Outcome, as_every_user};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

/// Runs a test in a process in which these system calls fail with this error, as under the filter of a container.
pub(crate) fn where_calls_fail(test: &str, calls: &[i64], errno: i32, body: impl FnOnce()) {
    filtered(test, calls, SeccompAction::Errno(errno.unsigned_abs()), &[], body);
}

/// The same where they end who makes them.
fn where_calls_end(test: &str, calls: &[i64], body: impl FnOnce()) {
    filtered(test, calls, SeccompAction::KillProcess, &[], body);
}

fn filtered(
    test: &str,
    calls: &[i64],
    action: SeccompAction,
    environment: &[(&str, &str)],
    body: impl FnOnce(),
) {
    if env::var_os(CONTAINER).is_none() {
        let mut command = Command::new(env::current_exe().unwrap());
        let output = command
            .args(["--exact", test])
            .env(CONTAINER, "1")
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let rules: BTreeMap<i64, Vec<_>> = calls.iter().map(|&call| (call, Vec::new())).collect();
    let architecture = env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, action, architecture).unwrap();
    // For this thread and those it starts: the worker's spawner among them, for there is no session yet.
    let program: BpfProgram = filter.try_into().unwrap();
    apply_filter(&program).unwrap();
    body();
}

const NAMESPACES: [i64; 2] = [libc::SYS_unshare, libc::SYS_setns];
pub(crate) const LANDLOCK: [i64; 3] =
    [libc::SYS_landlock_create_ruleset, libc::SYS_landlock_add_rule, libc::SYS_landlock_restrict_self];

#[test]
fn without_namespaces_nothing_else_is_missing() {
    const TEST: &str = "containers::without_namespaces_nothing_else_is_missing";
    as_every_user(TEST, || {
        where_calls_fail(TEST, &NAMESPACES, libc::EPERM, || {
            let attacks = Attacks::new();
            let strict = Sandbox { require: Require::Strict, ..Sandbox::of(Profile::Compute) };
            let attacker = attacks.open(strict, &[]).unwrap();
            assert_eq!(attacker.attack("passwd").denied(), Some("openat"));
            assert!(!attacker.session.level().contains(Level::OWN_NAMESPACES));
            let demanded = Sandbox { require: Require::Namespaces, ..Sandbox::of(Profile::Compute) };
            let error = attacks.open(demanded, &[]).map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LoadFailed, "{error}");
            assert_eq!(error.cause(), &Cause::NotInForce { missing: vec!["own-namespaces"] });
        });
    });
}

/// Most of what a worker tries to find out what holds; none of it is made by a host.
const TRIED: [i64; 12] = [
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_mount,
    libc::SYS_bpf,
    libc::SYS_io_uring_setup,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_setpriority,
    libc::SYS_execveat,
];

/// Nothing is missing then but what cannot be entered: what ends who does it is denied. The library's own attempts end it, as ever.
#[test]
fn where_calls_end_who_makes_them_workers_do_not_try_them() {
    const TEST: &str = "containers::where_calls_end_who_makes_them_workers_do_not_try_them";
    as_every_user(TEST, || {
        where_calls_end(TEST, &TRIED, || {
            let attacks = Attacks::new();
            let files = Sandbox { read: vec!["/etc".into()], ..Sandbox::of(Profile::Files) };
            for sandbox in [Sandbox::of(Profile::Compute), files] {
                let strict = Sandbox { require: Require::Strict, ..sandbox };
                let attacker = attacks.open(strict.clone(), &[]).unwrap();
                assert_eq!(attacker.session.level().missing(Level::strict(&strict)), [""; 0]);
                assert!(!attacker.session.level().contains(Level::OWN_NAMESPACES));
                assert_eq!(attacker.attack("ptrace_seize").denied().map(drop), Some(()));
                // The next worker was not ended, either.
                attacker.serves();
            }
        });
    });
}

#[test]
fn where_asking_for_rules_of_paths_ends_who_does_they_are_not_there() {
    const TEST: &str = "containers::where_asking_for_rules_of_paths_ends_who_does_they_are_not_there";
    as_every_user(TEST, || {
        where_calls_end(TEST, &LANDLOCK, || {
            let attacks = Attacks::new();
            let compute = Sandbox::of(Profile::Compute);
            let attacker = attacks.open(compute.clone(), &[]).unwrap();
            assert_eq!(attacker.session.level().missing(Level::strict(&compute)), ["path-rules"]);
            attacker.serves();
        });
    });
}

/// Where it is noted what a library does, too.
#[test]
fn where_asking_for_rules_of_paths_ends_who_does_a_library_is_traced() {
    const TEST: &str = "containers::where_asking_for_rules_of_paths_ends_who_does_a_library_is_traced";
    let file = env::temp_dir().join(format!("hotcell-traced-{}", std::process::id()));
    let traced = [("HOTCELL_TRACE", file.to_str().unwrap()), ("HOTCELL_TRACE_LIBRARY", "attacks")];
    filtered(TEST, &LANDLOCK, SeccompAction::KillProcess, &traced, || {
        Attacks::new().open(Sandbox::of(Profile::Compute), &[]).unwrap().serves();
    });
    let _ = std::fs::remove_file(file);
}

#[test]
fn without_rules_of_paths_less_is_told_or_nothing_loads() {
    const TEST: &str = "containers::without_rules_of_paths_less_is_told_or_nothing_loads";
    as_every_user(TEST, || {
        where_calls_fail(TEST, &LANDLOCK, libc::ENOSYS, || {
            let attacks = Attacks::new();
            let compute = Sandbox::of(Profile::Compute);
            let attacker = attacks.open(compute.clone(), &[]).unwrap();
            assert_eq!(attacker.session.level().missing(Level::strict(&compute)), ["path-rules"]);
            for (name, call) in [("passwd", "openat"), ("proc_mem", "openat"), ("kill_parent", "kill")] {
                assert_eq!(attacker.attack(name).denied(), Some(call), "{name}");
            }
            // So is a profile that names single calls, and nothing that only such rules can hold.
            let allow = vec!["memfd_create".to_owned()];
            let custom = attacks.open(Sandbox { allow, ..Sandbox::of(Profile::Custom) }, &[]).unwrap();
            assert_eq!(custom.attack("passwd").denied(), Some("openat"));
            // A call that they judge would reach everything.
            let allow = vec!["openat".to_owned()];
            let error =
                attacks.open(Sandbox { allow, ..Sandbox::of(Profile::Custom) }, &[]).map(drop).unwrap_err();
            assert!(error.message().contains("paths need Landlock"), "{error}");
            let strict = Sandbox { require: Require::Strict, ..compute };
            let error = attacks.open(strict, &[]).map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LoadFailed, "{error}");
            assert_eq!(error.cause(), &Cause::NotInForce { missing: vec!["path-rules"] });
            // What only the kernel's rules can hold is not had without them.
            for (sandbox, expect) in [
                (Sandbox { read: vec!["/etc".into()], ..Sandbox::of(Profile::Files) }, "paths need Landlock"),
                (
                    Sandbox { connect: vec![1], ..Sandbox::of(Profile::Network) },
                    "ports need version 4 of Landlock",
                ),
                (
                    Sandbox { allow: vec!["socket".into()], ..Sandbox::of(Profile::Custom) },
                    "ports need version 4 of Landlock",
                ),
            ] {
                let error = attacks.open(sandbox, &[]).map(drop).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::LoadFailed, "{error}");
                assert!(error.message().contains(expect), "{error}");
            }
        });
    });
}

#[test]
fn without_filters_nothing_loads_but_what_wants_no_wall() {
    const TEST: &str = "containers::without_filters_nothing_loads_but_what_wants_no_wall";
    as_every_user(TEST, || {
        where_calls_fail(TEST, &[libc::SYS_seccomp], libc::EPERM, || {
            let attacks = Attacks::new();
            let error = attacks.open(Sandbox::of(Profile::Compute), &[]).map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LoadFailed, "{error}");
            assert!(error.message().contains("install the filter of system calls"), "{error}");
            let attacker = attacks.open(Sandbox::of(Profile::Basic), &[]).unwrap();
            assert_eq!(attacker.attack("passwd"), Outcome::Succeeded);
        });
    });
}
