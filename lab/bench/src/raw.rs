//! The limit of the machine: a cache line to another core and back.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// A word with its line, and the line the hardware fetches along with it, to itself.
#[repr(align(128))]
struct Line(AtomicU32);

/// Nanoseconds of a round trip between two polling threads.
pub(crate) fn ping_pong(trips: u32) -> f64 {
    let (ping, pong) = (Line(AtomicU32::new(0)), Line(AtomicU32::new(0)));
    let wait = |line: &Line, value: u32| {
        while line.0.load(Ordering::Acquire) != value {
            std::hint::spin_loop();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for trip in 1..=trips {
                wait(&ping, trip);
                pong.0.store(trip, Ordering::Release);
            }
        });
        // Until the other thread runs, nothing is measured.
        let started = Instant::now();
        for trip in 1..=trips {
            ping.0.store(trip, Ordering::Release);
            wait(&pong, trip);
        }
        started.elapsed().as_nanos() as f64 / f64::from(trips)
    })
}
