//! `hotcell bench` from the outside: what it prints, what it needs, and what it leaves behind.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::process::{Command, Stdio};

use hotcell_e2e::cli::{Folder, program};
use hotcell_e2e::process::{alive, wait_until};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde_json::Value;

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect()
}

fn has_two_cpus() -> bool {
    sched_getaffinity(None).unwrap().count() > 1
}

#[test]
fn figures_have_their_shape() {
    let folder = Folder::new();
    let words = ["bench", "--quick", "--rounds", "2", "--only", "cold-start", "--only", "contained.crc32.1k"];
    // Neither a compiler nor libclang is needed.
    let report = folder.hotcell(words).env("CC", "no-such-compiler").env("LIBCLANG_PATH", "nowhere").json();
    let keys: Vec<_> = report.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["machine", "figures", "left_out"]);
    assert!(report["machine"]["cpus"].as_u64().is_some_and(|cpus| cpus > 0), "{report}");
    let figures = &report["figures"];
    for figure in figures.as_array().unwrap() {
        let keys: Vec<_> = figure.as_object().unwrap().keys().collect();
        let all = [
            "id",
            "unit",
            "median",
            "min",
            "max",
            "baseline",
            "ratio",
            "bar",
            "ok",
            "direct",
            "direct_ratio",
        ];
        assert_eq!(keys, all);
        let number = |key: &str| figure[key].as_f64().unwrap();
        assert!(
            0.0 < number("min") && number("min") <= number("median") && number("median") <= number("max")
        );
    }
    if !has_two_cpus() {
        assert_eq!(ids(figures), ["direct.crc32.1k", "worker.cold-start"]);
        return;
    }
    assert_eq!(ids(figures), ["raw.move.1k", "direct.crc32.1k", "contained.crc32.1k", "worker.cold-start"]);
    assert_eq!(report["left_out"], serde_json::json!([]));
    let (call, start) = (&figures[2], &figures[3]);
    assert_eq!(call["baseline"], "raw.move.1k, beyond direct.crc32.1k");
    assert!(call["ratio"].as_f64().is_some_and(|ratio| ratio > 0.0) && call["ok"].is_boolean(), "{call}");
    assert_eq!(
        (&start["unit"], &start["baseline"], &start["ratio"]),
        (&"ms".into(), &Value::Null, &Value::Null)
    );
    // A bar without a baseline is the figure's own.
    assert_eq!(start["ok"], start["median"].as_f64() <= start["bar"].as_f64(), "{start}");
}

#[test]
fn the_table_is_for_people() {
    let folder = Folder::new();
    let ended = folder.hotcell(["bench", "--quick", "--rounds", "1", "--only", "direct.add"]).succeeds();
    ended.mentions("median").mentions("direct.add").says("round 1 of 1");
    assert_eq!(folder.files().len(), 0);
}

#[test]
fn a_figure_that_does_not_exist_is_told_with_those_that_do() {
    let folder = Folder::new();
    let ended = folder.hotcell(["bench", "--only", "contained.nothing"]).fails(113);
    ended.says("no figure has `contained.nothing` in its name").says("contained.add, ");
}

#[test]
fn programs_in_other_languages_that_cannot_be_had_are_left_out_with_the_reason() {
    let folder = Folder::new();
    let words = ["bench", "--quick", "--rounds", "1", "--lang", "python", "--only", "python.ctypes.add"];
    let bench = || folder.hotcell(words);
    let report = bench().and(["--python", "no-such-python"]).json();
    assert_eq!(ids(&report["figures"]), [""; 0]);
    assert_eq!(report["left_out"][0]["reason"], "there is no `no-such-python`");
    // One that ends, and one that answers something else, are failures and no figures.
    for (script, said) in [("exit 3", "exit status: 3"), ("echo hello", "it answered `hello`")] {
        folder.write("broken", format!("#!/bin/sh\n{script}\n"));
        folder.make_executable("broken");
        let broken = folder.path().join("broken").display().to_string();
        let ended = bench().and(["--python", &broken]).fails(113);
        ended.says("while python.ctypes.add was measured, its program failed").says(said);
    }
    let words = ["bench", "--quick", "--rounds", "1", "--lang", "go", "--only", "go.cgo.add"];
    let bench = || folder.hotcell(words);
    let nothing = folder.path().display().to_string();
    let ended = bench().and(["--runtime", &nothing]).succeeds();
    ended.says("left out: go.cgo.add: ").says("is not the folder of the runtime for Go");
    bench().env("PATH", &nothing).succeeds().says("left out: go.cgo.add: there is no `go`");
    folder
        .hotcell(["bench", "--only", "go.contained.add"])
        .fails(113)
        .says("no figure has `go.contained.add`");
}

#[test]
fn programs_in_other_languages_end_with_the_benchmark() {
    let folder = Folder::new();
    let mut bench = Command::new(program("hotcell"));
    bench.args(["bench", "--rounds", "1000000", "--lang", "python", "--only", "python.ctypes.add"]);
    // What it leaves when it is killed goes with the test.
    bench.env("TMPDIR", folder.path());
    let mut bench = bench.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", bench.id());
    let measures = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains("direct_ctypes.py")
    };
    let found = || {
        let pids = fs::read_to_string(&children).ok()?;
        pids.split_whitespace().filter_map(|pid| pid.parse().ok()).find(measures)
    };
    let mut measuring = None;
    wait_until("there is no program", || {
        measuring = found();
        measuring.is_some()
    });
    let measuring = measuring.unwrap();
    bench.kill().unwrap();
    bench.wait().unwrap();
    wait_until("the program is left", || !alive(measuring));
}

#[test]
fn what_one_cpu_cannot_have_is_left_out_with_the_reason() {
    let before = sched_getaffinity(None).unwrap();
    let mut one = CpuSet::new();
    one.set((0..CpuSet::MAX_CPU).find(|cpu| before.is_set(*cpu)).unwrap());
    // What this thread starts inherits it.
    sched_setaffinity(None, &one).unwrap();
    let folder = Folder::new();
    let words = ["bench", "--quick", "--rounds", "1", "--only", "raw.spin", "--only", "contained.one-core"];
    let report = folder.hotcell(words).json();
    assert_eq!(ids(&report["figures"]), ["raw.futex.one-core", "contained.one-core"]);
    assert_eq!(ids(&report["left_out"]), ["raw.spin"]);
    assert_eq!(report["left_out"][0]["reason"], "this process may use one CPU only");
    folder.hotcell(words).succeeds().says("left out: raw.spin: this process may use one CPU only");
}

#[test]
fn a_missed_bar_is_a_failure_only_where_it_is_asked_for() {
    let folder = Folder::new();
    // A worker that takes longer to start than the bar allows.
    let worker = program("hotcell-worker").display().to_string();
    folder.write("slow", format!("#!/bin/sh\nsleep 0.05\nexec '{worker}' \"$@\"\n"));
    folder.make_executable("slow");
    let slow = folder.path().join("slow");
    let words = ["bench", "--quick", "--rounds", "1", "--only", "worker.cold-start"];
    folder.hotcell(words).env("HOTCELL_WORKER", &slow).succeeds().mentions("beyond");
    folder.hotcell(words).and(["--check"]).env("HOTCELL_WORKER", &slow).fails(1).mentions("beyond");
    folder.hotcell(["bench", "--quick", "--rounds", "1", "--check", "--only", "direct.add"]).succeeds();
}

#[test]
fn a_worker_that_cannot_be_started_is_the_error_of_its_call() {
    let folder = Folder::new();
    let words = ["bench", "--quick", "--only", "worker.cold-start", "--format", "json"];
    let ended = folder.hotcell(words).env("HOTCELL_WORKER", "nowhere").fails(117);
    assert_eq!(ended.json()["error"]["kind"], "LoadFailed");
}

#[test]
fn the_process_of_the_raw_limits_is_for_the_benchmark_alone_and_ends_with_it() {
    let folder = Folder::new();
    folder.hotcell(["bench", "--peer"]).fails(113).says("`--peer` is for `hotcell bench` itself");
    let mut bench = Command::new(program("hotcell"));
    bench.args(["bench", "--rounds", "1000000", "--only", "direct.add"]);
    let mut bench = bench.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", bench.id());
    let peer = || fs::read_to_string(&children).ok()?.split_whitespace().next()?.parse::<u32>().ok();
    wait_until("there is no peer", || peer().is_some());
    let peer = peer().unwrap();
    bench.kill().unwrap();
    bench.wait().unwrap();
    wait_until("the peer is left", || !alive(peer));
}
