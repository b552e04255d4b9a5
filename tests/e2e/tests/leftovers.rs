//! Nothing is left behind of a worker: no process, no descriptor, no mapping.
//!
//! The only test of its program: it counts what belongs to the whole process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use hotcell::Options;
use hotcell::dynamic::Value;
use hotcell_e2e::process::{alive, descriptors, segments, wait_until};
use hotcell_faulty::Faulty;

#[test]
fn nothing_is_left_of_workers() {
    // The first session starts the monitor, which stays.
    let first = Faulty::open(Options::default()).unwrap();
    // Its libraries are read by a thread, which has ended then.
    first.session().loaded();
    drop(first);
    wait_until("the first worker stays", || segments() == 0);
    // The monitor closes the first worker's descriptors behind its maps.
    let (mut descriptors_before, mut looks) = (descriptors(), 0);
    wait_until("descriptors come and go", || {
        let same = std::mem::replace(&mut descriptors_before, descriptors()) == descriptors_before;
        looks = if same { looks + 1 } else { 0 };
        looks == 20
    });
    let segments_before = segments();
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
    // Nor of spares that are given up before they are started, however long that might take.
    let start_deadline = Duration::from_secs(24 * 3600);
    for _ in 0..20 {
        let faulty = Faulty::open(Options { spares: 2, start_deadline, ..Options::default() }).unwrap();
        assert_eq!(faulty.int("add", &[1, 1]).unwrap(), 2);
    }
    wait_until("a segment of a spare is left", || segments() == segments_before);
    wait_until("a descriptor of a spare is left", || descriptors() == descriptors_before);
}
