//! Nothing is left behind of a worker: no process, no descriptor, no mapping.
//!
//! The only test of its program: it counts what belongs to the whole process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::time::{Duration, Instant};

use hotcell::Options;
use hotcell::dynamic::Value;
use hotcell_faulty::Faulty;

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < patience, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn segments() -> usize {
    fs::read_to_string("/proc/self/maps").unwrap().matches("hotcell-segment").count()
}

#[test]
fn nothing_is_left_of_workers() {
    // The first session starts the monitor, which stays.
    drop(Faulty::open(Options::default()).unwrap());
    wait_until("the first worker stays", || segments() == 0);
    let (descriptors_before, segments_before) = (descriptors(), segments());
    let mut pids = Vec::new();
    for round in 0..20 {
        let faulty = Faulty::open(Options::default()).unwrap();
        pids.extend(faulty.session().worker_pid());
        // Added segments go as well.
        faulty.call("print", &[Value::Text("x".repeat(50_000)), Value::Int(0)]).unwrap();
        match round % 3 {
            0 => drop(faulty.int("abort", &[]).unwrap_err()),
            1 => drop(faulty.within(Duration::from_millis(20)).int("loop", &[]).unwrap_err()),
            _ => {}
        }
    }
    wait_until("a worker is left", || !pids.iter().any(|&pid| alive(pid)));
    wait_until("a segment is left", || segments() == segments_before);
    wait_until("a descriptor is left", || descriptors() == descriptors_before);
    assert_eq!(pids.len(), 20);
}
