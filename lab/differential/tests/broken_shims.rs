//! Shims that were damaged before they were compiled: the comparison finds each.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use hotcell::dynamic;
use hotcell_bind::{Bound, Checked, Job, Source};
use hotcell_differential::{Report, Settings, run_bound};
use hotcell_generate::shim::{self, CompileOptions};

const CONTRACT: &str = r#"
hotcell = 1
library = "zlib"
headers = ["zlib.h"]
link = ["z"]
include = ["compress2", "compressBound", "uncompress", "crc32", "crc32_z", "zlibVersion", "zlibCompileFlags"]
function.compress2.params.dest = { out = "buffer", capacity = "compressBound(sourceLen)", length = "destLen" }
function.compress2.error = { fails = "nonzero", message = "zError(result)" }
function.uncompress = { params.dest = { out = "buffer", length = "destLen", valid_on_error = true }, error = { fails = "nonzero", message = "zError(result)" } }
"#;

/// Compressed data, whole, cut and damaged, and what is none.
const RECIPES: &str = r#"
[values]
"uncompress.source" = ["x'789ccb48cdc9c957c840a1001e600685'", "x'789ccb48cdc9c957c840a1'", "x'789ccb48cdc9c957c840a1001e600686'", "'no data'"]
"#;

/// zlib with a shim in which `from` stands as `to`, once, in the part of one function.
fn damaged(folder: &Path, function: &str, from: &str, to: &str) -> (Checked, Bound) {
    let contract = folder.join("bind.toml");
    fs::write(&contract, CONTRACT).unwrap();
    let job = Job {
        source: Source::Contract(contract),
        only: None,
        include_dirs: Vec::new(),
        defines: Vec::new(),
        library_dirs: Vec::new(),
    };
    let checked = hotcell_bind::check(&job).unwrap();
    let bound = hotcell_bind::bind(&job).unwrap();
    let mut source = shim::render(&bound.interface).unwrap();
    let text = &mut source.files[0].1;
    let start = text.find(&format!("static void hotcell_call_{function}(")).unwrap();
    let at = start + text[start..].find(from).unwrap_or_else(|| panic!("no `{from}` in\n{}", &text[start..]));
    text.replace_range(at..at + from.len(), to);
    let out = folder.join("shim.so");
    let options = CompileOptions {
        cc: None,
        include_dirs: checked.include_dirs.clone(),
        libraries: checked.libraries.own.clone(),
        out: out.clone(),
        work_dir: folder.to_owned(),
    };
    shim::compile(&source, &options).unwrap();
    let package = dynamic::package(&bound.interface, fs::read(out).unwrap());
    (checked, Bound { package, ..bound })
}

fn compare(function: &str, from: &str, to: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let (checked, bound) = damaged(folder.path(), function, from, to);
    let recipes = folder.path().join("differential.toml");
    fs::write(&recipes, RECIPES).unwrap();
    let settings = Settings { only: Some(function.into()), recipes: Some(recipes), ..Settings::default() };
    run_bound(&checked, &bound, &settings).unwrap()
}

/// The damage is found, and found in that function.
fn found(function: &str, from: &str, to: &str) {
    let report = compare(function, from, to);
    assert!(report.different() > 0 && !report.passed(), "`{to}` was not noticed:\n{report}");
}

#[test]
fn a_shim_that_is_whole_passes() {
    let report = compare("compress2", "hc_in.arg_level", "hc_in.arg_level");
    assert!(report.passed(), "{report}");
}

#[test]
fn another_argument_is_found() {
    found("compress2", "hc_in.arg_level", "hc_in.arg_level + 1");
    found("crc32", "hc_in.arg_crc", "0");
}

#[test]
fn another_length_is_found() {
    found("crc32_z", "hc_in.arg_buf.length", "(hc_in.arg_buf.length + 1) / 2");
}

#[test]
fn another_result_is_found() {
    found("zlibCompileFlags", "hc_result;", "hc_result + 1;");
    found("compress2", "(hotcell_wide)val_destLen", "(hotcell_wide)val_destLen - 1");
}

#[test]
fn a_failure_that_is_hidden_is_found() {
    found("uncompress", "HOTCELL_REPLY_STATE_LIBRARY_ERROR", "HOTCELL_REPLY_STATE_RETURNED");
}

#[test]
fn what_a_failed_call_left_is_compared_too() {
    found(
        "uncompress",
        "hotcell_claim_failed((hotcell_wide)val_destLen",
        "hotcell_claim_failed((hotcell_wide)val_destLen / 2",
    );
}

#[test]
fn another_message_is_found() {
    found("uncompress", "zError(hc_result)", "zError(0)");
}

#[test]
fn a_crash_that_only_one_side_has_is_found() {
    found("zlibVersion", "errno = 0;", "errno = *(volatile int *)8;");
}
