//! What a quiet service sees: a call now and then, in the default mode.

use std::time::{Duration, Instant};

use hotcell_measured::Measured;

use super::Subject;
use crate::machine::Pinned;
use crate::plan::{Bench, Samples, Stop};
use crate::process::activity;
use crate::statistics::median;

pub(crate) fn every_1ms(bench: &mut Bench) -> Samples {
    let calls = bench.fewer(200);
    every(bench, Duration::from_millis(1), calls, add)
}

/// The time alone, to be held against the raw limit at the same distance.
pub(crate) fn every_1ms_like_for_like(bench: &mut Bench) -> Samples {
    let mut samples = every_1ms(bench)?;
    samples.truncate(1);
    Ok(samples)
}

pub(crate) fn every_100ms(bench: &mut Bench) -> Samples {
    let calls = bench.fewer(20);
    every(bench, Duration::from_millis(100), calls, add)
}

/// When caller and worker may use one CPU only.
pub(crate) fn one_core_every_1ms(bench: &mut Bench) -> Samples {
    one_core(bench, add)
}

/// The same of a CRC of 1 KiB.
pub(crate) fn one_core_every_1ms_crc32_1k(bench: &mut Bench) -> Samples {
    let data = vec![0x5a; 1 << 10];
    one_core(bench, |library| library.crc32(1, &data).map(drop))
}

fn one_core(bench: &mut Bench, call: impl Fn(&Measured) -> hotcell::Result<()>) -> Samples {
    let _pinned = Pinned::process(bench.cpus.near).map_err(Stop::refused("pinning a process"))?;
    let calls = bench.fewer(200);
    let mut samples = every(bench, Duration::from_millis(1), calls, call)?;
    samples.truncate(1);
    Ok(samples)
}

fn add(library: &Measured) -> hotcell::Result<()> {
    library.add(1, 2).map(drop)
}

/// Nanoseconds of the call in the middle, and the share of a CPU that the worker had, in percent.
fn every(
    bench: &Bench,
    pause: Duration,
    calls: u32,
    one: impl Fn(&Measured) -> hotcell::Result<()>,
) -> Samples {
    let subject = Subject::open(bench)?;
    let call = || -> hotcell::Result<f64> {
        std::thread::sleep(pause);
        let started = Instant::now();
        one(subject.library())?;
        Ok(started.elapsed().as_nanos() as f64)
    };
    // It takes a few calls to see that they are rare.
    (0..calls.div_ceil(10)).try_for_each(|_| call().map(drop))?;
    let unknown = Stop::refused("processor time of the worker");
    let (before, started) = (activity(subject.worker).map_err(&unknown)?, Instant::now());
    let samples = (0..calls).map(|_| call()).collect::<hotcell::Result<Vec<f64>>>()?;
    let (after, elapsed) = (activity(subject.worker).map_err(&unknown)?, started.elapsed());
    let share = (after.ran - before.ran) as f64 / elapsed.as_nanos() as f64;
    Ok(vec![median(&samples), 100.0 * share])
}
