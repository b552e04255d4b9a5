//! A short soak: clients of every isolation setting, faults at random, and every error explained. `cargo dev soak` has long ones.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

use hotcell_e2e::cli::program;
use serde_json::Value;

/// Soaks with a folder for temporary files of its own, and gives the account.
fn soak(args: &[&str]) -> (Output, Value) {
    let folder = tempfile::tempdir().unwrap();
    let mut soak = Command::new(program("hotcell-soak"));
    soak.args(["--no-bars", "--format", "json", "--clients", "15"]).args(args);
    let output = soak.env("TMPDIR", folder.path()).output().unwrap();
    let account = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output, account)
}

#[test]
fn every_error_is_explained_no_result_is_wrong_and_nothing_is_left() {
    let (output, account) = soak(&["--seconds", "6", "--kills", "20", "--seed", "20"]);
    assert!(output.status.success(), "{account:#}");
    assert_eq!((&account["ok"], &account["seed"]), (&Value::Bool(true), &20.into()));
    for none in ["wrong", "unexplained", "missing"] {
        assert!(account[none].as_array().unwrap().is_empty(), "{account:#}");
    }
    assert!(account["right"].as_u64().unwrap() > 500, "{account:#}");
    let by_setting = account["right_by_setting"].as_object().unwrap();
    assert!(
        by_setting.len() > 10 && by_setting.values().all(|right| right.as_u64() > Some(0)),
        "{account:#}"
    );
    // Workers ended as they were to, and no other way.
    assert!(account["kills"]["served"].as_u64().unwrap() >= 20, "{account:#}");
    let ends = account["ends"]["why"].as_object().unwrap();
    let ended = |why: &str| ends.get(why).and_then(Value::as_u64).unwrap_or(0);
    assert!(ended("signalled") >= 20 && ended("reloaded") > 0 && ended("fault") > 0, "{account:#}");
    // What was to be done was done, and was met by calls.
    let faults = account["faults"].as_object().unwrap();
    let done = |what: &str| faults.get(what).and_then(Value::as_u64).unwrap_or(0);
    assert!(done("workers killed") >= 20, "{account:#}");
    for what in ["workers stopped for good", "libraries loaded anew", "futures dropped"] {
        assert!(done(what) > 0, "{what}: {account:#}");
    }
    for kind in ["Crashed", "StaleHandle", "WorkerLost"] {
        assert!(account["errors"][kind].as_u64().is_some_and(|times| times > 0), "{kind}: {account:#}");
    }
    assert!(account["kills"]["failed"].as_u64().unwrap() > 0, "{account:#}");
    for what in ["processes", "corpses", "descriptors", "segments", "threads", "directories"] {
        assert_eq!(account["left"][what], 0, "{account:#}");
    }
}

#[test]
fn an_error_that_nothing_explains_fails_the_soak() {
    let (output, account) = soak(&["--seconds", "2", "--kills", "10", "--seed", "21", "--forget"]);
    assert_eq!(output.status.code(), Some(1), "{account:#}");
    assert_eq!(account["ok"], false);
    let unexplained = account["unexplained"].as_array().unwrap();
    let says = |words: &str| unexplained.iter().any(|line| line.as_str().unwrap().contains(words));
    assert!(says("SIGKILL") && says("and nobody did that"), "{account:#}");
}
