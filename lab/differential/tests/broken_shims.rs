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
const DATA_RECIPES: &str = r#"
[values]
"uncompress.source" = ["x'789ccb48cdc9c957c840a1001e600685'", "x'789ccb48cdc9c957c840a1'", "x'789ccb48cdc9c957c840a1001e600686'", "'no data'"]
"#;

const CALLING_BACK: &str = r#"
hotcell = 1
library = "sqlite3"
headers = ["sqlite3.h"]
link = ["sqlite3"]
include = ["sqlite3_create_function", "sqlite3_exec", "sqlite3_open", "sqlite3_result_int", "sqlite3_value_int"]
handle.sqlite3 = { release = "sqlite3_close" }
handle.sqlite3_value = {}
function.sqlite3_open.params.ppDb = { out = "owned" }
function.sqlite3_exec.params = { callback = { fixed = "NULL" }, arg4 = { fixed = "NULL" }, errmsg = { fixed = "NULL" } }
function.sqlite3_create_function.params = { db = { in = "handle" }, zFunctionName = { string = "utf-8" }, xStep = { fixed = "NULL" }, xFinal = { fixed = "NULL" }, xFunc = { callback = "kept", user_data = "pApp", user_data_from = "sqlite3_user_data(sqlite3_context)", params = { arg3 = { in = "handles", length = "arg2" } } } }
"#;

const RECIPES: &str = r#"
[scenario]
kept = [
    "db = sqlite3_open(':memory:')",
    "sqlite3_create_function($db, 'own', 2, 1, call(0, context, given) { sqlite3_value_int($given1); sqlite3_result_int($context, 7) })",
    "sqlite3_exec($db, 'SELECT own(3, 4)')",
]
"#;

/// A library with a shim in which `from` stands as `to`, once, behind the first `head`.
fn damaged(folder: &Path, contract: &str, (head, from, to): (&str, &str, &str)) -> (Checked, Bound) {
    let path = folder.join("bind.toml");
    fs::write(&path, contract).unwrap();
    let job = Job {
        source: Source::Contract(path),
        only: None,
        include_dirs: Vec::new(),
        defines: Vec::new(),
        library_dirs: Vec::new(),
    };
    let checked = hotcell_bind::check(&job).unwrap();
    let bound = hotcell_bind::bind(&job).unwrap();
    let mut source = shim::render(&bound.interface).unwrap();
    let text = &mut source.files[0].1;
    let start = text.find(head).unwrap();
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
    let head = format!("static void hotcell_call_{function}(");
    let (checked, bound) = damaged(folder.path(), CONTRACT, (&head, from, to));
    let recipes = folder.path().join("differential.toml");
    fs::write(&recipes, DATA_RECIPES).unwrap();
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
fn a_callback_that_is_told_something_else_is_found() {
    let compare = |from: &str, to: &str| {
        let folder = tempfile::tempdir().unwrap();
        let recipes = folder.path().join("differential.toml");
        fs::write(&recipes, RECIPES).unwrap();
        let head = "static void hotcell_back_"; // there is one
        let (checked, bound) = damaged(folder.path(), CALLING_BACK, (head, from, to));
        let only = Some("kept".to_owned());
        run_bound(&checked, &bound, &Settings { recipes: Some(recipes), only, ..Settings::default() })
            .unwrap()
    };
    let whole = compare("arg_arg2", "arg_arg2");
    assert!(whole.passed() && whole.equal() == 1, "{whole}");
    for (from, to) in [("(hotcell_wide)arg_arg2", "(hotcell_wide)1"), ("arg_arg3, (", "arg_arg3 + 1, (")] {
        let report = compare(from, to);
        assert!(report.different() == 1, "`{to}` was not noticed:\n{report}");
    }
}

#[test]
fn a_crash_that_only_one_side_has_is_found() {
    found("zlibVersion", "errno = 0;", "errno = *(volatile int *)8;");
}
