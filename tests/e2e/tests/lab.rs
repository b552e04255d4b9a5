//! `hotcell lab` from the outside: every row is as it has to be, for the administrator and for everybody else.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::process::Command;

use hotcell_e2e::cli::{Folder, program};
use serde_json::Value;

/// Rows that take seconds.
const SLOW: [&str; 7] = ["E7", "M11", "R6", "R7", "V12", "V14", "V5"];

/// The ids of all rows that are tried.
fn tried() -> Vec<String> {
    let list = Folder::new().hotcell(["lab", "--list"]).json();
    let rows = list.as_array().unwrap();
    let tried = rows.iter().filter(|row| row["skipped"].is_null());
    tried.map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// Every row has its shape, and is as it has to be; those that this machine refuses to everybody say so.
fn check(ids: &[&str], report: &Value) {
    let rows = report.as_array().unwrap();
    let seen: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(seen, ids);
    for row in rows {
        if let Some(reason) = row.get("skipped") {
            assert!(reason.as_str().unwrap().starts_with("this machine refuses it to everybody"), "{row:#}");
            continue;
        }
        let keys: Vec<_> = row.as_object().unwrap().keys().collect();
        let known = [
            "id",
            "name",
            "group",
            "direct",
            "expected",
            "got",
            "ok",
            "next_call_ok",
            "leaked",
            "bystander_ok",
            "ms",
        ];
        assert_eq!(keys, known);
        assert_eq!((&row["ok"], &row["next_call_ok"]), (&true.into(), &true.into()), "{row:#}");
        assert_eq!(row["bystander_ok"], true, "{row:#}");
        let leaked = row["leaked"].as_object().unwrap();
        assert_eq!(leaked.len(), 5, "{row:#}");
        assert!(leaked.values().all(|count| count == 0), "{row:#}");
        assert!(row["ms"].as_f64().is_some_and(|ms| ms >= 0.0), "{row:#}");
    }
}

#[test]
fn every_quick_row_is_as_it_has_to_be() {
    let tried = tried();
    assert!(tried.len() > 110, "{tried:?}");
    let quick: Vec<&str> = tried.iter().map(String::as_str).filter(|id| !SLOW.contains(id)).collect();
    let words = ["lab", "--format", "json"].iter().chain(&quick).copied();
    // Neither a compiler nor libclang is needed.
    let folder = Folder::new();
    let lab = folder.hotcell(words).env("CC", "no-such-compiler").env("LIBCLANG_PATH", "nowhere");
    let output = lab.output();
    check(&quick, &serde_json::from_slice(&output.stdout).unwrap());
    assert!(output.status.success(), "{output:?}");
    assert_eq!(folder.files().len(), 0);
}

#[test]
fn all_rows_but_a_few_are_tried() {
    let list = Folder::new().hotcell(["lab", "--list"]).json();
    let rows = list.as_array().unwrap();
    let skipped: Vec<&str> =
        rows.iter().filter(|row| !row["skipped"].is_null()).map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(rows.len(), 120);
    assert_eq!(skipped, ["V7"]);
}

#[test]
fn rows_that_take_seconds_are_as_they_have_to_be() {
    let report = Folder::new().hotcell(["lab"].iter().chain(&SLOW)).json();
    let mut seen: Vec<&str> =
        report.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    check(&seen.clone(), &report);
    seen.sort_unstable();
    assert_eq!(seen, SLOW);
}

#[test]
fn an_ordinary_user_sees_the_same() {
    /// Of "nobody".
    const NOBODY: u32 = 65534;
    if !rustix::process::getuid().is_root() {
        // Then every other test here is of an ordinary user.
        return;
    }
    let folder = Folder::new();
    for name in ["hotcell", "hotcell-worker"] {
        fs::copy(program(name), folder.path().join(name)).unwrap();
        folder.make_executable(name);
    }
    chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let ids = [
        "M1", "M3", "M9", "F5", "F6", "S2", "H3", "E4", "E6", "B5", "B8", "C4", "X2", "X3", "X5", "X7", "V1",
        "V3",
    ];
    let mut command = Command::new(folder.path().join("hotcell"));
    command.args(["lab", "--format", "json"]).args(ids).uid(NOBODY).gid(NOBODY).current_dir("/");
    command.env("TMPDIR", folder.path()).env("HOTCELL_WORKER", folder.path().join("hotcell-worker"));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    check(&ids, &serde_json::from_str(&said).unwrap());
}

#[test]
fn a_fault_that_was_not_seen_does_not_count() {
    // The program that calls the library crashes before it calls.
    let lab = |format| {
        let folder = Folder::new();
        folder.hotcell(["lab", "F6", "--format", format]).env("FAULTY_CONSTRUCTOR", "crash").fails(1)
    };
    let report = lab("json").json();
    let row = &report[0];
    assert_eq!(row["direct"], "dies of SIGSEGV: the fault was not seen", "{row:#}");
    assert_eq!((&row["ok"], &row["next_call_ok"]), (&false.into(), &true.into()), "{row:#}");
    lab("text").mentions("expected: Exited: exit(0)").mentions("Contained, 0 of 1 did.");
}

#[test]
fn the_table_ends_with_who_survived() {
    let words = ["lab", "M1", "M8", "V7", "signal-in-foreign-stack"];
    let ended = Folder::new().hotcell(words).succeeds();
    let ended = ended
        .mentions("dies of SIGSEGV")
        .mentions("Crashed: SIGSEGV at address 0x0: a null pointer was used");
    let ended = ended.mentions("skipped: a clock is set for everybody on this machine");
    let last = "Called directly, 1 of 3 programs went on. Contained, 3 of 3 did, and every next call was right. 1 skipped.\n";
    assert!(ended.stdout().ends_with(last), "{}", ended.stdout());
    assert!(!ended.stdout().contains('\x1b'), "no colours where there is no terminal");
}

#[test]
fn a_row_that_does_not_exist_is_refused() {
    let folder = Folder::new();
    folder.hotcell(["lab", "M1", "M99"]).fails(113).says("no row is `M99`");
    folder.hotcell(["lab", "--host", "idler"]).fails(113).says("`--host` is for `hotcell lab` itself");
    folder.hotcell(["lab", "--list"]).succeeds().mentions("M1").mentions("thread-not-detached");
}
