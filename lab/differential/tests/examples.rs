//! The examples' contracts: every function that is bound does contained what it does directly.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hotcell_bind::{Job, Source};
use hotcell_differential::{Report, Settings, run};

/// This file: it has a test for each example.
const THIS: &str = include_str!("examples.rs");

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// Compares a library of `examples/` by its recipes, with contained calls in batches where that can be, or each by itself.
fn compared(library: &str, batch: bool) -> Report {
    let folder = examples().join(library);
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
    compare("sqlite3", 235, 2100);
}

#[test]
fn cjson_contained_is_cjson() {
    compare("cjson", 70, 1200);
}

#[test]
fn zstandard_contained_is_zstandard() {
    compare("zstd", 50, 500);
}

#[test]
fn gmp_contained_is_gmp() {
    compare("gmp", 335, 4100);
}

#[test]
fn gsl_contained_is_gsl() {
    compare("gsl", 600, 4700);
}

#[test]
fn libxml2_contained_is_libxml2() {
    compare("libxml2", 152, 1050);
}

#[test]
fn openssl_contained_is_openssl() {
    compare("openssl", 250, 1100);
}

#[test]
fn brotli_contained_is_brotli() {
    compare("brotli", 23, 180);
}

#[test]
fn bzip2_contained_is_bzip2() {
    compare("bzip2", 29, 290);
}

#[test]
fn hunspell_contained_is_hunspell() {
    compare("hunspell", 15, 80);
}

#[test]
fn lz4_contained_is_lz4() {
    compare("lz4", 79, 1000);
}

#[test]
fn liblzma_contained_is_liblzma() {
    compare("lzma", 72, 800);
}

#[test]
fn libuuid_contained_is_libuuid() {
    compare("uuid", 15, 135);
}

#[test]
fn libwebp_contained_is_libwebp() {
    compare("webp", 140, 1200);
}

#[test]
fn libcurl_contained_is_libcurl() {
    compare("curl", 220, 2500);
}

#[test]
fn libtiff_contained_is_libtiff() {
    compare("tiff", 280, 3000);
}

#[test]
fn libpng_contained_is_libpng() {
    compare("png", 195, 3500);
}

#[test]
fn fftw_contained_is_fftw() {
    compare("fftw", 53, 420);
}

#[test]
fn freetype_contained_is_freetype() {
    compare("freetype", 110, 600);
}

#[test]
fn every_example_is_compared() {
    let entries = fs::read_dir(examples()).unwrap().map(|entry| entry.unwrap().path());
    let with_contract = entries.filter(|folder| folder.join("bind.toml").is_file());
    let names: BTreeSet<String> =
        with_contract.map(|folder| folder.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert!(names.len() >= 11, "{names:?}");
    let missing = names.iter().filter(|name| !THIS.contains(&format!("compare(\"{name}\", ")));
    assert_eq!(missing.count(), 0, "a library of {names:?} has no test here");
}
