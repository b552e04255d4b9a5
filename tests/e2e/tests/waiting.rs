//! How callers and workers wait for each other: whatever the mode, calls are answered, and who waits long sleeps.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use hotcell::{Options, Waiting};
use zlib_hotcell::Zlib;

/// The state of a process, as the kernel says it: `S` asleep.
fn state(pid: u32) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit(") ").next().unwrap()[..1].to_owned()
}

#[test]
fn every_mode_answers_dense_calls_and_rare_ones_and_sleeps_between() {
    for waiting in [Waiting::Latency, Waiting::Balanced, Waiting::Economy] {
        let zlib = Zlib::open_with(Options { waiting, ..Options::default() }).unwrap();
        let pid = zlib.session().worker_pid().unwrap();
        for round in 0..3 {
            for call in 0..500 {
                let data = vec![round; call];
                assert_eq!(zlib.crc32(0, &data).unwrap(), hotcell_direct::zlib::checksum(0, &data));
            }
            for pause in [1, 200, 3_000, 15_000] {
                std::thread::sleep(Duration::from_micros(pause));
                assert_eq!(zlib.compress_bound(9).unwrap(), 22, "{waiting:?} after {pause} µs");
            }
            // However long it polled: it is asleep at last, and stays so.
            while state(pid) != "S" {
                std::thread::yield_now();
            }
        }
        assert_eq!((zlib.session().generation(), zlib.session().worker_pid()), (1, Some(pid)));
    }
}

#[test]
fn a_call_wakes_each_side_once_and_so_does_a_batch() {
    let zlib =
        Zlib::open_with(Options { waiting: Waiting::Economy, callers: 1, ..Options::default() }).unwrap();
    let pid = zlib.session().worker_pid().unwrap();
    let wakes_of = |call: &dyn Fn()| {
        while state(pid) != "S" {
            std::thread::yield_now();
        }
        let before = zlib.session().stats();
        call();
        let after = zlib.session().stats();
        (after.woken - before.woken, after.wakes - before.wakes)
    };
    let one = || assert_eq!(zlib.compress_bound(9).unwrap(), 22);
    let many = || {
        let mut batch = zlib.batch();
        let tickets: Vec<_> = (0..64).map(|_| batch.compress_bound(9).unwrap()).collect();
        let mut done = batch.run().unwrap();
        tickets.into_iter().for_each(|ticket| assert_eq!(done.take(ticket).unwrap(), 22));
    };
    // The first batch makes room for batches.
    many();
    for _ in 0..50 {
        for call in [&one as &dyn Fn(), &many] {
            let (woken, wakes) = wakes_of(call);
            // Who finds the reply before it has gone to sleep needs not be woken.
            assert!(woken == 1 && wakes <= 1, "{woken} and {wakes}");
        }
    }
}

#[test]
fn several_threads_share_a_worker_in_every_mode() {
    for waiting in [Waiting::Latency, Waiting::Balanced, Waiting::Economy] {
        let zlib = Zlib::open_with(Options { waiting, ..Options::default() }).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..6u64 {
                let zlib = &zlib;
                scope.spawn(move || {
                    for call in 0..200 {
                        let data = (thread * 1000 + call).to_le_bytes();
                        let direct = hotcell_direct::zlib::checksum(7, &data);
                        assert_eq!(zlib.crc32(7, &data).unwrap(), direct);
                        if call % 50 == thread {
                            std::thread::sleep(Duration::from_millis(1));
                        }
                    }
                });
            }
        });
        assert_eq!(zlib.session().generation(), 1);
    }
}
