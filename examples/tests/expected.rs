//! Each program prints what the file beside it says.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs a program, and compares.
fn prints_what_is_expected(program: &str, folder: &str) {
    let run = Command::new(program).output().expect("the program was built with this test");
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("expected.txt");
    let expected = fs::read_to_string(&expected).expect("it lies beside the program");
    assert_eq!(String::from_utf8_lossy(&run.stderr), "", "{folder}");
    assert_eq!(String::from_utf8_lossy(&run.stdout), expected, "{folder}");
    assert!(run.status.success(), "{folder}: {}", run.status);
}

#[test]
fn cjson_example() {
    prints_what_is_expected(env!("CARGO_BIN_EXE_cjson-example"), "cjson");
}

#[test]
fn sqlite3_example() {
    prints_what_is_expected(env!("CARGO_BIN_EXE_sqlite3-example"), "sqlite3");
}

#[test]
fn zlib_example() {
    prints_what_is_expected(env!("CARGO_BIN_EXE_zlib-example"), "zlib");
}

#[test]
fn zstd_example() {
    prints_what_is_expected(env!("CARGO_BIN_EXE_zstd-example"), "zstd");
}
