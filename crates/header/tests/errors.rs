//! What is said when headers cannot be parsed.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::PathBuf;

use hotcell_header::{Error, ErrorKind, Job};

fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn fails(job: &Job) -> Error {
    hotcell_header::parse(job).map(|api| api.functions).unwrap_err()
}

#[test]
fn a_missing_header() {
    let mut job = Job::new(["no_such_header.h"]);
    let error = fails(&job);
    assert_eq!(error.kind, ErrorKind::HeaderNotFound);
    assert_eq!(
        error.to_string(),
        "error: header `no_such_header.h` was not found\n  = help: install the package that has \
         `no_such_header.h`, or name the directory it is in as an include directory (`-I DIR`,\n          `include_dirs` in a contract)"
    );
    job.include_dirs.push(PathBuf::from("somewhere"));
    assert!(fails(&job).help.unwrap().starts_with("searched `somewhere`"));
}

#[test]
fn a_missing_include() {
    let error = fails(&Job::new([fixture("incomplete.h")]));
    assert_eq!(error.kind, ErrorKind::HeaderNotFound);
    assert!(error.message.starts_with("`part_that_is_not_there.h`, which `"), "{error}");
    assert_eq!((error.diagnostics.len(), error.diagnostics[0].line), (1, 1));
    assert_eq!(error.diagnostics[0].file.as_deref(), Some(fixture("incomplete.h").as_str()));
}

#[test]
fn every_error_of_a_header_is_reported() {
    let error = fails(&Job::new([fixture("broken.h")]));
    assert_eq!(error.kind, ErrorKind::HeaderInvalid);
    assert!(error.message.ends_with("broken.h` does not compile: 2 errors"), "{error}");
    let places: Vec<_> = error.diagnostics.iter().map(|d| (d.line, d.message.as_str())).collect();
    assert_eq!(places[0], (2, "unknown type name 'unknown_t'"));
    assert_eq!(places[1].0, 4);
    assert!(error.diagnostics.iter().all(|d| d.file.as_deref() == Some(fixture("broken.h").as_str())));
    let text = error.to_string();
    assert!(text.contains("broken.h:2: unknown type name 'unknown_t'\n  --> "), "{text}");
    assert!(text.contains("\n  = help: a header must compile by itself"), "{text}");
}

#[test]
fn a_header_that_needs_a_prelude() {
    let error = fails(&Job::new([fixture("needs_prelude.h")]));
    assert_eq!(error.kind, ErrorKind::HeaderInvalid);
    assert!(error.help.unwrap().contains("prelude"));
}

#[test]
fn an_error_in_the_prelude() {
    let mut job = Job::new(["string.h"]);
    job.prelude = Some("\nint oops(\n;\n".into());
    let error = fails(&job);
    assert_eq!(error.diagnostics[0].file.as_deref(), Some("prelude"), "{error}");
    assert_eq!(error.diagnostics[0].line, 3, "{error}");
}

#[test]
fn jobs_that_make_no_sense() {
    let dir = env!("CARGO_MANIFEST_DIR");
    for (job, part) in [
        (Job::default(), "no header was given"),
        (Job::new([""]), "cannot stand in an `#include`"),
        (Job::new(["a>b.h"]), "cannot stand in an `#include`"),
        (Job::new([dir]), "is a directory, not a header"),
        (Job { defines: vec!["A=\0".into()], ..Job::new(["string.h"]) }, "NUL"),
        (Job { prelude: Some("\0".into()), ..Job::new(["string.h"]) }, "NUL"),
    ] {
        let error = fails(&job);
        assert_eq!(error.kind, ErrorKind::InvalidJob);
        assert!(error.message.contains(part), "{error}");
    }
}

#[test]
fn a_parser_that_met_an_error_goes_on() {
    fails(&Job::new([fixture("broken.h")]));
    let api = hotcell_header::parse(&Job::new(["string.h"])).unwrap_or_else(|error| panic!("{error}"));
    assert!(!api.functions.is_empty());
}
