//! A system call that the sandbox stops is told: by name, path and port, on the very call; or it is counted.

use hotcell::dynamic::Value;
use hotcell::{Cause, ErrorKind, Executed, Profile, Remedy, Sandbox};
use hotcell_e2e::wall::{Attacks, Outcome};

#[test]
fn a_denied_call_names_the_system_call_and_its_path() {
    let attacks = Attacks::new();
    let attacker = attacks.open(Sandbox::of(Profile::Compute), &[]).unwrap();
    let long = format!("/{}", "directory/".repeat(40));
    for path in ["/etc/shadow", "relative", "", "/etc/\x1b[2J", &long] {
        let error = attacker.int("attack_open", &[Value::Text(path.into()), Value::Int(0)]).unwrap_err();
        assert_eq!((error.kind(), error.executed()), (ErrorKind::SandboxDenied, Executed::Maybe), "{error}");
        assert!(error.is_fault());
        let Cause::Denied(denied) = error.cause() else { panic!("{error:?}") };
        assert_eq!((denied.syscall, denied.errno, denied.port), (Some("openat"), 0, None));
        // As much of it as is noted, and nothing that steers a terminal.
        let noted = denied.path.clone().unwrap_or_default();
        let escaped = path.replace('\x1b', "\\u{1b}");
        assert!(
            noted == escaped || (path == long && noted.len() > 100 && path.starts_with(&noted)),
            "{noted:?}"
        );
        assert_eq!(error.to_json()["cause"]["syscall"], "openat");
        attacker.serves();
    }
    let generation = attacker.session.generation();
    assert_eq!(generation, 6, "each costs a worker, and no more");
}

/// What is said to allow a call does; a session that was opened with it gets one step further.
#[test]
fn what_would_allow_a_denied_call_allows_it() {
    let attacks = Attacks::new();
    let open = |sandbox: &Sandbox, path: &str, flags: libc::c_int| {
        let attacker = attacks.open(sandbox.clone(), &[]).unwrap();
        attacker.int("attack_open", &[Value::Text(path.into()), Value::Int(flags.into())])
    };
    let remedy = |error: &hotcell::Error| match error.cause() {
        Cause::Denied(denied) => denied.remedy.as_deref().cloned(),
        other => panic!("{other:?}"),
    };
    let compute = Sandbox::of(Profile::Compute);
    let error = open(&compute, "/etc/hosts", libc::O_RDONLY).unwrap_err();
    let line = "attacks: attack_open: SandboxDenied: the sandbox denied openat(\"/etc/hosts\"); \
                `sandbox = { profile = \"files\", read = [\"/etc/hosts\"] }` would allow it, \
                or `refuse` with this path where it is missing";
    assert_eq!(error.to_string(), line);
    assert_eq!(error.message(), "the sandbox denied openat(\"/etc/hosts\")");
    let json = serde_json::json!({ "profile": "files", "read": ["/etc/hosts"] });
    assert_eq!(error.to_json()["cause"]["remedy"], json);
    let Some(Remedy::With(with)) = remedy(&error) else { panic!("{error:?}") };
    assert_eq!(open(&with, "/etc/hosts", libc::O_RDONLY).unwrap(), 0);

    // One that is missing cannot be named to be read, but refused.
    let missing = "/etc/hotcell-that-is-not-there";
    let error = open(&compute, missing, libc::O_RDONLY).unwrap_err();
    let Some(Remedy::With(with)) = remedy(&error) else { panic!("{error:?}") };
    assert!(attacks.open(with, &[]).is_err());
    let refused = Sandbox { refuse: vec![missing.into()], ..compute.clone() };
    assert_eq!(open(&refused, missing, libc::O_RDONLY).unwrap(), libc::EACCES);

    // What is made is made in a directory, which is said; one with much else is not opened by a line.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().canonicalize().unwrap().join("made").display().to_string();
    let error = open(&compute, &path, libc::O_WRONLY | libc::O_CREAT).unwrap_err();
    assert!(error.to_string().ends_with("` would allow it: its directory, with all below it"), "{error}");
    assert_eq!(error.to_json()["cause"]["remedy_note"], ": its directory, with all below it");
    let made = open(&compute, "/etc/made", libc::O_WRONLY | libc::O_CREAT).unwrap_err();
    let open_list = Remedy::Naming(Sandbox::of(Profile::Files), vec!["write"]);
    assert_eq!(remedy(&made), Some(open_list), "{made}");
    let Some(Remedy::With(with)) = remedy(&error) else { panic!("{error:?}") };
    assert_eq!(with.write, [folder.path().canonicalize().unwrap()]);
    assert_eq!(open(&with, &path, libc::O_WRONLY | libc::O_CREAT).unwrap(), 0);

    // A path that may have been cut, and one that begins who knows where, are not named.
    for path in [format!("/{}", "directory/".repeat(40)), "relative".to_owned()] {
        let error = open(&compute, &path, libc::O_RDONLY).unwrap_err();
        assert_eq!(
            remedy(&error),
            Some(Remedy::Naming(Sandbox::of(Profile::Files), vec!["read"])),
            "{error}"
        );
        let line = "`sandbox = { profile = \"files\", read = [PATH] }` would allow it";
        assert!(error.to_string().ends_with(line), "{error}");
    }
    let attacker = attacks.open(compute, &[]).unwrap();
    let error = attacker.int("attack_now", &[Value::Text("ptrace_seize".into())]).unwrap_err();
    assert_eq!(remedy(&error), Some(Remedy::Never));
    assert!(error.to_string().ends_with("the sandbox denied ptrace; no profile allows that"), "{error}");
}

/// While the library loads it has rules of its own, by which what is said to help is tried.
#[test]
fn what_would_allow_what_a_constructor_was_denied_has_it_load() {
    let attacks = Attacks::new();
    let error = attacks.open(Sandbox::of(Profile::Compute), &[("ATTACK", "socket_unix")]).unwrap_err();
    assert_eq!(error.message(), "while loading the library: the sandbox denied socket");
    let told = |attack: &str| {
        let outcome = attacks.in_constructor(Sandbox::of(Profile::Compute), attack);
        let Outcome::Denied(denied) = &outcome else { panic!("{attack}: {outcome:?}") };
        denied.remedy.as_deref().cloned()
    };
    let Some(Remedy::With(with)) = told("socket_unix") else { panic!("it has a line of its own") };
    assert_eq!(with.profile, Profile::Custom);
    assert_eq!(attacks.in_constructor(with, "socket_unix"), Outcome::Succeeded);
    let Some(Remedy::Naming(mut with, open)) = told("socket_inet") else { panic!("it has no port yet") };
    assert_eq!(open, ["connect"]);
    with.connect.push(7);
    assert_eq!(attacks.in_constructor(with, "socket_inet"), Outcome::Succeeded);
    assert_eq!(told("ptrace_seize"), Some(Remedy::Never));
}

/// What is told a constructor instead of being done stays so where a line allows some of it.
#[test]
fn a_line_leaves_a_constructor_the_answers_that_it_had() {
    let attacks = Attacks::new();
    let compute = Sandbox::of(Profile::Compute);
    let lines = [("times", "utimensat(arg1:64 == 0)"), ("chmod", "fchmodat(arg2 == 0)")];
    for (attack, line) in lines {
        assert_eq!(attacks.in_constructor(compute.clone(), attack), Outcome::Errno(libc::EPERM), "{attack}");
        let with = Sandbox { allow: vec![line.into()], ..Sandbox::of(Profile::Custom) };
        assert_eq!(attacks.in_constructor(with.clone(), attack), Outcome::Errno(libc::EPERM), "{line}");
        // Once it serves it is what the line does not allow.
        let attacker = attacks.open(with, &[]).unwrap();
        assert!(matches!(attacker.attack(attack), Outcome::Denied(_)), "{line}");
    }
}

/// The pointer is the library's: it may point nowhere.
#[test]
fn a_path_that_cannot_be_read_crashes_nobody() {
    let attacks = Attacks::new();
    let attacker = attacks.open(Sandbox::of(Profile::Compute), &[]).unwrap();
    for pointer in [0, 1, 4095, -1, i32::MIN] {
        let call =
            [Value::Int(libc::SYS_openat.into()), Value::Int((-100).into()), Value::Int(pointer.into())];
        let outcome = Outcome::of(attacker.int("attack_syscall", &call));
        let Outcome::Denied(denied) = &outcome else { panic!("{outcome:?}") };
        assert_eq!((denied.syscall, &denied.path), (Some("openat"), &None));
        attacker.serves();
    }
}

/// With its own handler gone, and all signals blocked, the kernel ends the worker: what it was remains unknown.
#[test]
fn a_library_that_takes_the_handler_away_is_told_all_the_same() {
    let attacks = Attacks::new();
    let attacker = attacks.open(Sandbox::of(Profile::Compute), &[]).unwrap();
    let error = attacker.int("attack_unseen", &[Value::Text("socket_inet".into())]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SandboxDenied, "{error}");
    assert!(matches!(error.cause(), Cause::Denied(denied) if denied.syscall.is_none()), "{error:?}");
    attacker.serves();
}

/// Nor can it take the handler away: denied calls do not come back to it as signals of its own.
#[test]
fn a_library_cannot_handle_what_is_denied() {
    let attacks = Attacks::new();
    let attacker = attacks.open(Sandbox::of(Profile::Compute), &[]).unwrap();
    assert_eq!(attacker.attack("sigsys_action"), Outcome::Errno(libc::EPERM));
    assert_eq!(attacker.session.refused().map(|refused| refused.last.syscall), Some(Some("rt_sigaction")));
    assert_eq!(attacker.session.generation(), 1);
    assert_eq!(attacker.attack("socket_inet").denied(), Some("socket"));
    assert_eq!(
        attacks.in_constructor(Sandbox::of(Profile::Compute), "sigsys_action"),
        Outcome::Errno(libc::EPERM)
    );
}

#[test]
fn sigsys_that_the_library_raises_is_a_crash() {
    let attacks = Attacks::new();
    let attacker = attacks.open(Sandbox::of(Profile::Compute), &[]).unwrap();
    let error = attacker.call("attack_raise_sigsys", &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Crashed, "{error}");
    assert!(matches!(error.cause(), Cause::Signal { name: "SIGSYS", .. }), "{error:?}");
    attacker.serves();
}

#[test]
fn refused_calls_are_counted_and_the_library_goes_on() {
    let attacks = Attacks::new();
    let sandbox = Sandbox { refuse: vec!["/etc/xml/*".into()], ..Sandbox::of(Profile::Compute) };
    let attacker = attacks.open(sandbox, &[]).unwrap();
    assert_eq!(attacker.session.refused(), None);
    let open =
        |path: &str| Outcome::of(attacker.int("attack_open", &[Value::Text(path.into()), Value::Int(0)]));
    assert_eq!(open("/proc/sys/vm/overcommit_memory"), Outcome::Errno(libc::EACCES));
    assert_eq!(open("/etc/xml/catalog"), Outcome::Errno(libc::EACCES));
    assert_eq!(attacker.attack("io_uring_setup"), Outcome::Errno(libc::ENOSYS));
    assert_eq!(open("/sys/devices/system/cpu/online"), Outcome::Errno(libc::EACCES));
    let refused = attacker.session.refused().unwrap();
    assert_eq!((refused.count, refused.last.syscall), (4, Some("openat")));
    assert_eq!(refused.last.path.as_deref(), Some("/sys/devices/system/cpu/online"));
    assert_eq!(refused.last.errno, libc::EACCES);
    assert_eq!(attacker.session.generation(), 1, "none of them cost a worker");
    assert!(matches!(open("/etc/xm"), Outcome::Denied(_)));
    attacker.serves();
    assert_eq!(attacker.session.refused(), None, "the worker is another");
}

/// What holds nothing can be opened in every profile.
#[test]
fn devices_that_hold_nothing_can_be_opened() {
    let attacks = Attacks::new();
    let files = Sandbox { read: vec!["/usr".into()], ..Sandbox::of(Profile::Files) };
    for sandbox in [Sandbox::of(Profile::Compute), files] {
        let attacker = attacks.open(sandbox, &[]).unwrap();
        let byte = |path: &str| attacker.int("attack_first_byte", &[Value::Text(path.into())]).unwrap();
        assert_eq!((byte("/dev/null"), byte("/dev/zero")), (0, 0));
        let random: std::collections::BTreeSet<i32> = (0..64).map(|_| byte("/dev/urandom")).collect();
        assert!(random.len() > 8 && random.iter().all(|&byte| byte >= 0), "{random:?}");
        assert_eq!(attacker.session.refused(), None);
    }
}

/// The C library asks for an open file by an empty path: no other can be asked for.
#[test]
fn open_files_can_be_looked_at_and_no_others() {
    let attacks = Attacks::new();
    let attacker = attacks.open(Sandbox::of(Profile::Compute), &[]).unwrap();
    let mode = attacker.int("attack_fstat", &[Value::Int(1)]).unwrap() as u32;
    assert_eq!(mode & libc::S_IFMT, libc::S_IFIFO);
    assert_eq!(attacker.int("attack_fstat", &[Value::Int(77)]).unwrap(), -libc::EBADF);
    assert_eq!(attacker.attack("statx").denied(), Some("statx"));
}

#[test]
fn a_crash_leaves_no_core_and_its_error_no_secret() {
    let attacks = Attacks::new();
    let attacker = attacks.open(Sandbox::of(Profile::Compute), &[]).unwrap();
    // 1: also a program that `core_pattern` names is kept from it, which 0 lets through.
    assert_eq!(attacker.int("attack_core_limit", &[]).unwrap(), 1);
    for name in ["core_zero", "core_zero_self", "core_setrlimit"] {
        assert_eq!(attacker.attack(name), Outcome::Errno(libc::EPERM), "{name}");
        assert_eq!(attacker.int("attack_core_limit", &[]).unwrap(), 1, "{name}");
    }
    let secret = "a-secret-of-the-application";
    let error = attacker.call("attack_abort_with", &[Value::Text(secret.into())]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Crashed);
    assert!(!format!("{error:#} {error:?} {}", error.to_json()).contains(secret));
    attacker.serves();
}
