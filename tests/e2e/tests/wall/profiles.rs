//! What users say about a sandbox: in options, in contracts, and wrongly.

use hotcell::dynamic::Value;
use hotcell::{ErrorKind, Profile, Sandbox};
use hotcell_e2e::bound;
use hotcell_e2e::wall::{Attacks, Outcome};

#[test]
fn single_system_calls_can_be_allowed_by_their_arguments() {
    let attacks = Attacks::new();
    let allow = vec!["socket(arg0 == 2 && arg1 & 0xf == 2)".to_owned(), "getpgid(arg0 == 0)".to_owned()];
    let attacker = attacks.open(Sandbox { allow, ..Sandbox::of(Profile::Custom) }, &[]).unwrap();
    let socket = |domain: i32, kind: i32| {
        let args = [domain, kind, 0].map(|number| Value::Int(number.into()));
        let outcome = Outcome::of(attacker.int("attack_socket", &args));
        attacker.serves();
        outcome
    };
    assert_eq!(socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC), Outcome::Succeeded);
    assert_eq!(socket(libc::AF_INET, libc::SOCK_STREAM).denied(), Some("socket"));
    assert_eq!(socket(libc::AF_INET6, libc::SOCK_DGRAM).denied(), Some("socket"));
}

#[test]
fn no_profile_opens_what_is_always_denied() {
    let attacks = Attacks::new();
    // Conditions of what is always denied hold, whatever a user allows.
    let allow: Vec<String> =
        ["clone", "kill", "prlimit64", "rt_sigaction", "fcntl", "tgkill", "ioctl"].map(str::to_owned).into();
    let attacker = attacks.open(Sandbox { allow, ..Sandbox::of(Profile::Custom) }, &[]).unwrap();
    for (name, call) in [
        ("clone", "clone"),
        ("kill_parent", "kill"),
        ("setown", "fcntl"),
        ("tgkill_parent", "tgkill"),
        ("fiosetown", "ioctl"),
    ] {
        assert_eq!(attacker.attack(name).denied(), Some(call), "{name}");
    }
    for name in ["prlimit_parent", "core_zero", "sigsys_action"] {
        assert_eq!(attacker.attack(name), Outcome::Errno(libc::EPERM), "{name}");
    }
}

#[test]
fn what_is_wrong_with_a_sandbox_is_said() {
    let attacks = Attacks::new();
    let custom = |rule: &str| Sandbox { allow: vec![rule.into()], ..Sandbox::of(Profile::Custom) };
    for (sandbox, expect) in [
        (custom("ptrace"), "`ptrace` is denied in every profile"),
        (custom("no_such_call"), "there is no system call `no_such_call`"),
        (custom("socket(arg0 = 1)"), "`arg0 = 1` is no comparison"),
        (Sandbox { read: vec!["/etc".into()], ..Sandbox::of(Profile::Compute) }, "`compute` has no `read`"),
        (Sandbox { bind: vec![1], ..Sandbox::of(Profile::Files) }, "`files` has no `bind`"),
        (
            Sandbox { allow: vec!["socket".into()], ..Sandbox::of(Profile::Network) },
            "`network` has no `allow`",
        ),
    ] {
        let error = attacks.open(sandbox, &[]).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.message().contains(expect), "{error}");
    }
    // The loader is shown what this names.
    for (searched, wrong) in [("/opt:/", true), ("/proc/1;/opt", true), ("relative:/opt", false)] {
        let opened = attacks.open(Sandbox::of(Profile::Compute), &[("LD_LIBRARY_PATH", searched)]);
        assert_eq!(opened.is_err(), wrong, "{searched}");
        if let Err(error) = opened {
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
            assert!(error.message().starts_with("LD_LIBRARY_PATH: the sandbox cannot open"), "{error}");
        }
    }
}

#[test]
fn a_contract_says_what_its_library_may_do() {
    let code = "#include <fcntl.h>\n#include <unistd.h>\nint first(const char *path)\n{\n    unsigned char byte = 0;\n\
                \x20   int fd = open(path, O_RDONLY);\n    if (fd < 0 || read(fd, &byte, 1) != 1) return -1;\n\
                \x20   close(fd);\n    return byte;\n}\n";
    let header = "int first(const char *path);\n";
    let contract = |sandbox: &str| {
        format!(
            "hotcell = 1\nlibrary = \"first\"\nheaders = [\"first.h\"]\nlink = [\"first\"]\n{sandbox}\n\
             [function.first]\nparams.path = {{ string = \"utf-8\" }}\n"
        )
    };
    let open = |sandbox: &str| {
        let (_folder, bound) = bound::bind("first", header, code, &contract(sandbox));
        let session = bound.open(hotcell::Options::default()).unwrap();
        let function = bound.interface.function("first").unwrap();
        let passwd = [Value::Text("/etc/passwd".into())];
        hotcell::dynamic::call(&session, &bound.interface, function, &passwd).map(|outcome| outcome.returned)
    };
    for says_compute in ["", "sandbox = \"compute\"", "sandbox = { profile = \"compute\" }"] {
        assert_eq!(open(says_compute).unwrap_err().kind(), ErrorKind::SandboxDenied);
    }
    let named = open("sandbox = { profile = \"files\", read = [\"/etc/passwd\"], require = \"strict\" }");
    assert!(matches!(named.unwrap(), Some(Value::Int(1..))));
    assert!(matches!(open("sandbox = \"basic\"").unwrap(), Some(Value::Int(1..))));
    let refused = open("sandbox = { profile = \"compute\", refuse = [\"/etc/passwd\"] }");
    assert_eq!(refused.unwrap(), Some(Value::Int(-1)));
}
