//! Unions of every kind that travels: what comes of them is what comes of a direct call.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/library.rs"]
mod library;

use library::{compared, compile, job};

const HEADER: &str = include_str!("unions/unions.h");

#[test]
fn every_kind_of_union() {
    let folder = tempfile::tempdir().unwrap();
    compile(folder.path(), "unions", HEADER, include_str!("unions/unions.c"));
    let (contract, recipes) = (include_str!("unions/bind.toml"), include_str!("unions/differential.toml"));
    let job = job(folder.path(), contract, recipes);
    let left_out = hotcell_bind::bind(&job).unwrap().interface.left_out;
    assert!(left_out.is_empty(), "{left_out:#?}");
    let report = compared(folder.path(), &job);
    assert!(report.passed(), "{report}");
    let declared = HEADER.lines().filter(|line| line.ends_with(");")).count();
    assert_eq!(report.groups.len(), declared, "{report}");
    assert!(report.equal() > 4 * declared, "{report}");
}
