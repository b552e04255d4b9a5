//! The examples' contracts: every function that is bound does contained what it does directly.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use hotcell_bind::{Job, Source};
use hotcell_differential::{Report, Settings, run};

/// Compares a library of `examples/` by its recipes, with contained calls in batches where that can be, or each by itself.
fn compared(library: &str, batch: bool) -> Report {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(library);
    let job = Job {
        source: Source::Contract(folder.join("bind.toml")),
        only: None,
        include_dirs: Vec::new(),
        defines: Vec::new(),
        library_dirs: Vec::new(),
    };
    let recipes = Some(folder.join("differential.toml"));
    let report = run(&job, &Settings { recipes, batch, ..Settings::default() }).unwrap();
    assert!(report.passed(), "{report}");
    report
}

fn compare(library: &str, functions: usize, cases: usize) {
    let report = compared(library, false);
    assert!(report.groups.len() >= functions, "{report}");
    assert!(report.equal() >= cases, "{report}");
}

#[test]
fn calls_in_batches_do_what_direct_calls_do() {
    for (library, cases, entries) in [("zlib", 1000, 1000), ("cjson", 900, 1000)] {
        let report = compared(library, true);
        assert!(report.equal() >= cases && report.entries >= entries, "{report}");
    }
}

#[test]
fn zlib_contained_is_zlib() {
    compare("zlib", 60, 1000);
}

#[test]
fn sqlite_contained_is_sqlite() {
    compare("sqlite3", 195, 1900);
}

#[test]
fn cjson_contained_is_cjson() {
    compare("cjson", 60, 900);
}

#[test]
fn zstandard_contained_is_zstandard() {
    compare("zstd", 50, 500);
}
