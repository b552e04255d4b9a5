//! `hotcell lab --via`: rows whose calls are those of a program in another language. Those in Python are tried by
//! clients/python/tests/test_lab.py, where there is a Python with the package.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell_e2e::cli::Folder;
use serde_json::Value;

/// Of every group some that go through the client in a way of their own.
const SHARE: [&str; 37] = [
    "M1", "M3", "M5", "M8", "M14", "F1", "F6", "F9", "F17", "F18", "F19", "S1", "S10", "H2", "H5", "E3",
    "E4", "E5", "E6", "R1", "R5", "R7", "R8", "B1", "B5", "B7", "N1", "N2", "C4", "C6", "C10", "X2", "X6",
    "V1", "V2", "V9", "V10",
];

/// Rows that no program in Go can have.
const NOT_IN_GO: [&str; 7] = ["C1", "C5", "C8", "C9", "V8", "V13", "V14"];

#[test]
fn rows_are_in_go_as_they_are_in_rust() {
    let words = ["lab", "--via", "go"];
    let report = Folder::new().hotcell(words.iter().chain(&SHARE).chain(&NOT_IN_GO)).json();
    let rows = report.as_array().unwrap();
    assert_eq!(rows.len(), SHARE.len() + NOT_IN_GO.len());
    for row in rows {
        let id = row["id"].as_str().unwrap();
        if NOT_IN_GO.contains(&id) {
            assert!(row["skipped"].is_string(), "{row:#}");
            continue;
        }
        assert_eq!(row["ok"], true, "{row:#}");
        assert_eq!((&row["next_call_ok"], &row["bystander_ok"]), (&true.into(), &true.into()), "{row:#}");
        let leaked = row["leaked"].as_object().unwrap();
        assert!(leaked.len() == 5 && leaked.values().all(|count| count == 0), "{row:#}");
    }
    let of = |id: &str| rows.iter().find(|row| row["id"] == id).unwrap();
    // It is the runtime of Go that has met the fault, and the client in Go that tells of it.
    assert_eq!(of("M1")["direct"], "exits with 2");
    assert_eq!(of("F9")["direct"], "exits with 2");
    assert_eq!(of("F19")["got"], "Cancelled: the call was cancelled");
}

#[test]
fn a_program_that_cannot_be_made_says_what_is_missing() {
    let lab = |language: &str| {
        let folder = Folder::new();
        folder.hotcell(["lab", "M1", "--via", language]).env("PATH", folder.path()).fails(113)
    };
    lab("go")
        .says("there is no program in Go for the lab: `go` does not start")
        .says("help: `hotcell lab --via go` needs Go 1.24 or later as `go` on $PATH");
    lab("python")
        .says("there is no program in Python for the lab: `python3` does not start")
        .says("in it the package `hotcell` of the same version");
}

#[test]
fn a_compiler_for_cgo_is_asked_for() {
    let folder = Folder::new();
    let ended = folder.hotcell(["lab", "M1", "--via", "go"]).env("CC", "no-such-compiler").fails(113);
    ended
        .says("\"no-such-compiler\"")
        .says("help: the program that calls directly uses cgo, which needs a C compiler");
}

#[test]
fn the_table_and_the_list_name_the_language() {
    let ended = Folder::new().hotcell(["lab", "--via", "go", "F5"]).succeeds();
    let ended = ended.mentions("a program that calls it by cgo").mentions("a caller of Hotcell in Go gets");
    assert!(ended.stdout().ends_with(
        "Called directly, 0 of 1 programs went on. Contained, 1 of 1 did, and every next call was right.\n"
    ));
    let skipped = |via: &str| -> Vec<Value> {
        let list = Folder::new().hotcell(["lab", "--list", "--via", via]).json();
        let rows = list.as_array().unwrap().clone();
        rows.into_iter().filter(|row| !row["skipped"].is_null()).map(|row| row["id"].clone()).collect()
    };
    assert_eq!(skipped("rust"), ["V7"]);
    assert_eq!(skipped("go"), ["C1", "C5", "C8", "C9", "V7", "V8", "V13", "V14"]);
    assert_eq!(skipped("python"), ["R7", "V7", "V13"]);
}
