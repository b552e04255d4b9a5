//! `cargo dev bench`: what a contained call costs, beside the limits of the machine.
//!
//! Figures are medians of interleaved rounds of one run, each a ratio to the raw ping-pong of that run:
//! machines differ and are noisy, ratios less so.
#![forbid(unsafe_code)]

mod raw;

use std::time::{Duration, Instant};

use hotcell_direct::zlib as direct;
use zlib_hotcell::Zlib;

/// Rounds of every figure.
const ROUNDS: usize = 9;

/// Calls of a round.
const CALLS: u32 = 50_000;

/// A figure: its name and one round of it, in nanoseconds per call.
type Figure<'a> = (&'static str, Box<dyn FnMut() -> f64 + 'a>);

fn main() -> hotcell::Result<()> {
    let zlib = Zlib::open()?;
    let (few, kib) = (b"hello".to_vec(), vec![0x5a; 1024]);
    let mut figures: Vec<Figure<'_>> = vec![
        ("raw ping-pong between two cores", Box::new(|| raw::ping_pong(CALLS))),
        (
            "direct crc32, 5 bytes",
            Box::new(|| {
                per_call(CALLS, || {
                    std::hint::black_box(direct::checksum(0, &few));
                })
            }),
        ),
        (
            "direct crc32, 1 KiB",
            Box::new(|| {
                per_call(CALLS, || {
                    std::hint::black_box(direct::checksum(0, &kib));
                })
            }),
        ),
        ("contained compressBound, a number", Box::new(|| per_call(CALLS, || check(zlib.compress_bound(9))))),
        ("contained crc32, 5 bytes", Box::new(|| per_call(CALLS, || check(zlib.crc32(0, &few))))),
        ("contained crc32, 1 KiB", Box::new(|| per_call(CALLS, || check(zlib.crc32(0, &kib))))),
        ("contained crc32, a call every 1 ms", Box::new(|| sparse(&zlib, &few))),
        ("worker start, load, first call", Box::new(cold_start)),
    ];
    let mut rounds: Vec<Vec<f64>> = vec![Vec::new(); figures.len()];
    for round in 0..=ROUNDS {
        eprint!("\rround {round} of {ROUNDS} ");
        for ((_, figure), samples) in figures.iter_mut().zip(&mut rounds) {
            let sample = figure();
            // The first round warms caches and is not counted.
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    eprintln!();
    let medians: Vec<(f64, f64, f64)> = rounds.into_iter().map(spread).collect();
    let base = medians[0].1;
    println!("{:38} {:>12} {:>12} {:>12} {:>10}", "", "min ns", "median ns", "max ns", "ratio");
    for ((name, _), (low, median, high)) in figures.iter().zip(medians) {
        println!("{name:38} {low:12.0} {median:12.0} {high:12.0} {:10.2}", median / base);
    }
    Ok(())
}

fn per_call(calls: u32, mut call: impl FnMut()) -> f64 {
    let started = Instant::now();
    (0..calls).for_each(|_| call());
    started.elapsed().as_nanos() as f64 / f64::from(calls)
}

/// What a service sees that calls rarely: both sides have gone to sleep.
fn sparse(zlib: &Zlib, data: &[u8]) -> f64 {
    const CALLS: u32 = 50;
    let mut spent = Duration::ZERO;
    for _ in 0..CALLS {
        std::thread::sleep(Duration::from_millis(1));
        let started = Instant::now();
        check(zlib.crc32(0, data));
        spent += started.elapsed();
    }
    spent.as_nanos() as f64 / f64::from(CALLS)
}

fn cold_start() -> f64 {
    let started = Instant::now();
    let zlib = Zlib::open();
    check(zlib.and_then(|zlib| zlib.compress_bound(1)));
    started.elapsed().as_nanos() as f64
}

fn check<T>(result: hotcell::Result<T>) {
    if let Err(error) = result {
        panic!("a call of the benchmark failed: {error}");
    }
}

/// Minimum, median, maximum.
fn spread(mut samples: Vec<f64>) -> (f64, f64, f64) {
    samples.sort_by(f64::total_cmp);
    (samples[0], samples[samples.len() / 2], samples[samples.len() - 1])
}
