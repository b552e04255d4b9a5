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

fn written(folder: &tempfile::TempDir, name: &str, text: impl AsRef<[u8]>) -> Job {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    Job::new([path.to_str().unwrap()])
}

#[test]
fn a_file_that_is_no_header_has_a_few_complaints() {
    let folder = tempfile::tempdir().unwrap();
    let error = fails(&written(&folder, "binary.h", "\u{1}}\n".repeat(1000)));
    assert_eq!((error.kind, error.diagnostics.len()), (ErrorKind::HeaderInvalid, 51));
    let more = &error.diagnostics[50].message;
    assert!(more.starts_with("and ") && more.ends_with(" more"), "{error}");
}

/// It would be waited for without an end.
#[test]
fn a_pipe_is_no_header() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe.h");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let error = fails(&Job::new([path.to_str().unwrap()]));
    assert_eq!(error.kind, ErrorKind::InvalidJob);
    assert!(error.message.ends_with("is neither a file nor a directory"), "{error}");
}

/// Tried as a constant, it would end this process.
#[test]
fn a_macro_that_grows_without_bounds_is_no_constant() {
    let folder = tempfile::tempdir().unwrap();
    let lines = (1..40).map(|n| format!("#define A{n} A{0}+A{0}\n", n - 1)).collect::<String>();
    let job = written(&folder, "grows.h", format!("#define A0 1\n{lines}int f(void);\n"));
    let api = hotcell_header::parse(&job).unwrap();
    assert!(api.constants.contains_key("A11") && !api.constants.contains_key("A12"));
    assert!(api.functions.iter().any(|function| function.name == "f"));
}

/// All of its fields would be visited.
#[test]
fn a_structure_that_doubles_without_bounds_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let doubled = |count: usize| {
        let lines = (1..count).map(|n| format!("struct t{n} {{ struct t{} a, b; }};\n", n - 1));
        format!("struct t0 {{ char c; }};\n{}int f(struct t{} *p);\n", lines.collect::<String>(), count - 1)
    };
    let error = fails(&written(&folder, "doubles.h", doubled(40)));
    assert_eq!(error.kind, ErrorKind::HeaderInvalid);
    assert!(error.message.starts_with("`t17` has more than 100000 fields"), "{error}");
    hotcell_header::parse(&written(&folder, "less.h", doubled(12))).unwrap();
}
