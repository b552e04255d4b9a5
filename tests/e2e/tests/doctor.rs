//! `hotcell doctor` from the outside: what it looks at, and what it says where something is not there.

use hotcell_e2e::cli::{Folder, Hotcell, program};
use serde_json::Value;

const NAMES: [&str; 16] = [
    "system",
    "C compiler",
    "libclang",
    "worker",
    "sealed memory",
    "process descriptors",
    "close_range",
    "seccomp",
    "Landlock",
    "namespaces",
    "control groups",
    "watching",
    "CPUs",
    "sandbox",
    "loaded files",
    "self-test",
];

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().expect("a list");
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {report}"))
}

#[test]
fn calls_work_where_these_tests_pass() {
    let folder = Folder::new();
    let report = folder.hotcell(["doctor"]).json();
    assert_eq!(report["works"], true);
    let names: Vec<_> = report["checks"].as_array().expect("a list").iter().map(|it| &it["name"]).collect();
    assert_eq!(names, NAMES);
    for name in NAMES {
        let check = check(&report, name);
        let good = check["state"] == "ok";
        assert!(good || check["state"] == "limited", "{check}");
        assert_eq!(check["help"].is_null(), good, "{check}");
        assert!(check["found"].as_str().is_some_and(|found| !found.is_empty()), "{check}");
    }
    let worker = program("hotcell-worker").display().to_string();
    assert!(check(&report, "worker")["found"].as_str().is_some_and(|found| found.ends_with(&worker)));
    for time in ["bind_ms", "start_ms", "call_us", "crash_ms", "next_call_ms"] {
        assert!(report["times"][time].as_f64().is_some_and(|time| time > 0.0), "{report}");
    }
    assert_eq!(folder.files().len(), 0);
    let text = folder.hotcell(["doctor"]).succeeds();
    text.mentions("ok       self-test").mentions("a call takes ").mentions("\nCalls work.");
}

/// What is missing: its check, the self-test, and the exit status say so.
fn fails(folder: &Folder, name: &str, found: &str, help: &str, changed: impl Fn(Hotcell) -> Hotcell) {
    let doctor = || changed(folder.hotcell(["doctor"]));
    let ended = doctor().and(["--format", "json"]).fails(117);
    let report = ended.json();
    assert_eq!(report["works"], false);
    let check = check(&report, name);
    assert_eq!(check["state"], "failed", "{check}");
    assert!(check["found"].as_str().is_some_and(|it| it.contains(found)), "{found}: {check}");
    assert!(check["help"].as_str().is_some_and(|it| it.contains(help)), "{help}: {check}");
    doctor()
        .fails(117)
        .mentions(&format!("failed   {name} "))
        .mentions("Calls do not work: see what failed.");
}

#[test]
fn what_is_not_there_is_told_with_what_mends_it() {
    let folder = Folder::new();
    let missing = "`no-such-compiler` did not start";
    fails(&folder, "C compiler", missing, "apt install gcc", |it| it.env("CC", "no-such-compiler"));
    fails(&folder, "self-test", missing, "", |it| it.env("CC", "no-such-compiler"));
    let missing = "libclang cannot be loaded";
    fails(&folder, "libclang", missing, "apt install libclang", |it| it.env("LIBCLANG_PATH", "nowhere"));
    fails(&folder, "self-test", missing, "apt install libclang", |it| it.env("LIBCLANG_PATH", "nowhere"));
    let missing = "HOTCELL_WORKER names nowhere";
    fails(&folder, "worker", missing, "cargo install", |it| it.env("HOTCELL_WORKER", "nowhere"));
    fails(&folder, "self-test", missing, "", |it| it.env("HOTCELL_WORKER", "nowhere"));
}

#[test]
fn a_worker_of_another_version_is_told_from_the_own_one() {
    let folder = Folder::new();
    folder.write("worker", "#!/bin/sh\necho 'hotcell-worker 0.0.1 (protocol 0.9)'\n");
    folder.make_executable("worker");
    let found = "worker is `hotcell-worker 0.0.1 (protocol 0.9)`, and this program needs `hotcell-worker ";
    let worker = folder.path().join("worker");
    fails(&folder, "worker", found, "cargo install", |it| it.env("HOTCELL_WORKER", &worker));
}

#[test]
fn other_systems_are_refused_with_the_reason() {
    let folder = Folder::new();
    let compiler =
        |target: &str| format!("case \"$1\" in -dumpmachine) echo {target};; *) exec cc \"$@\";; esac\n");
    folder.write("musl", compiler("x86_64-alpine-linux-musl"));
    folder.write("mac", compiler("arm64-apple-darwin23"));
    let help = "use Linux on x86-64 or aarch64 with glibc";
    let found = "programs here are made for musl (x86_64-alpine-linux-musl)";
    fails(&folder, "system", found, help, |it| it.env("CC", "sh musl"));
    fails(&folder, "system", "programs here are for arm64-apple-darwin23", help, |it| it.env("CC", "sh mac"));
}
