//! A moment of each target, the same each time.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use hotcell_fuzz::{TARGETS, short, target};

/// Runs a target. Where it fails, the input is left for `cargo dev fuzz`.
fn check(name: &str) {
    let target = target(name).unwrap();
    let mut last = Vec::new();
    let runs = catch_unwind(AssertUnwindSafe(|| short::run(target, |input| last = input.to_vec()).unwrap()));
    let runs = runs.unwrap_or_else(|panic| {
        let path = std::env::temp_dir().join(format!("hotcell-fuzz-{name}-{}", std::process::id()));
        std::fs::write(&path, &last).unwrap();
        eprintln!("the input is in {}: `cargo dev fuzz {name} FILE` runs it again", path.display());
        resume_unwind(panic)
    });
    assert!(runs > target.short, "no input is kept for `{name}`");
}

#[test]
fn any_text_as_a_contract() {
    check("contract");
}

#[test]
fn a_worker_that_says_anything() {
    check("control");
}

#[test]
fn a_host_that_says_anything() {
    check("control-worker");
}

#[test]
fn any_file_as_a_library() {
    check("elf");
}

#[test]
fn filters_of_any_table_of_rules() {
    check("filter");
}

#[test]
fn handles_in_any_order() {
    check("handles");
}

#[test]
fn any_text_as_a_header() {
    check("header");
}

#[test]
fn an_answer_of_a_damaged_reader() {
    check("readings");
}

#[test]
fn anything_as_counts_of_memory() {
    check("heap");
}

#[test]
fn a_host_and_a_worker_that_writes_anything() {
    check("lane");
}

#[test]
fn a_session_and_a_worker_that_lies() {
    check("replies");
}

#[test]
fn a_worker_and_a_host_that_writes_anything() {
    check("requests");
}

#[test]
fn stacks_in_any_memory() {
    check("stacks");
}

#[test]
fn profiles_of_anything_that_was_seen() {
    check("trace");
}

#[test]
fn no_target_is_left_out() {
    for target in TARGETS {
        let call = format!("check(\"{}\")", target.name);
        assert!(include_str!("short.rs").contains(&call), "there is no test that has {call}");
    }
    assert!(TARGETS.is_sorted_by_key(|target| target.name));
}
