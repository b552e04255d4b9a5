//! Calls back to back.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use hotcell::Options;
use hotcell_measured::Measured;

use super::{Subject, typical};
use crate::machine::{Pinned, pin_process};
use crate::plan::{Bench, Samples, Stop};
use crate::statistics::{Blocks, Extent};
use crate::sys::direct::half_of;

/// Calls between two looks at the clock, where time says when there were enough.
const BLOCK: u32 = 8;

pub(crate) fn add(bench: &mut Bench) -> Samples {
    typical(bench, 40, 500, |library, at| {
        black_box(library.add(at, 1)?);
        Ok(())
    })
}

/// The same in the default mode, with nothing pinned.
pub(crate) fn add_by_default(bench: &mut Bench) -> Samples {
    by_default(bench, |library| library.add(1, 2).map(drop))
}

/// The same of the CRC.
pub(crate) fn crc32_1k_by_default(bench: &mut Bench) -> Samples {
    let data = vec![0x5a; 1 << 10];
    by_default(bench, |library| library.crc32(1, &data).map(drop))
}

fn by_default(bench: &Bench, call: impl Fn(&Measured) -> hotcell::Result<()>) -> Samples {
    let subject = Subject::open(bench)?;
    subject.warm_up()?;
    let blocks = Blocks::of(bench.long(), BLOCK, || call(subject.library()))?;
    Ok(vec![blocks.median()])
}

pub(crate) fn crc32_1k(bench: &mut Bench) -> Samples {
    let data = vec![0x5a; 1 << 10];
    typical(bench, 40, 100, |library, at| {
        black_box(library.crc32(at as u32, &data)?);
        Ok(())
    })
}

pub(crate) fn string(bench: &mut Bench) -> Samples {
    typical(bench, 40, 200, |library, _| {
        black_box(library.capitals("hello, world")?);
        Ok(())
    })
}

pub(crate) fn structure(bench: &mut Bench) -> Samples {
    typical(bench, 40, 200, |library, at| {
        black_box(library.rectangle_of(f64::from(at), 2.0)?);
        Ok(())
    })
}

/// What one callback adds: a call with many, less one with none, by their number.
pub(crate) fn callback(bench: &mut Bench) -> Samples {
    const CALLBACKS: i32 = 1000;
    let with = |bench: &mut Bench, count| {
        typical(bench, 40, 1, |library, _| {
            black_box(library.each(count, |number| Ok(half_of(number)))?);
            Ok(())
        })
    };
    let (none, many) = (with(bench, 0)?, with(bench, CALLBACKS)?);
    Ok(many.into_iter().zip(none).map(|(many, none)| (many - none) / f64::from(CALLBACKS)).collect())
}

pub(crate) fn callers_1(bench: &mut Bench) -> Samples {
    callers(bench, 1)
}

pub(crate) fn callers_2(bench: &mut Bench) -> Samples {
    callers(bench, 2)
}

pub(crate) fn callers_4(bench: &mut Bench) -> Samples {
    callers(bench, 4)
}

pub(crate) fn callers_16(bench: &mut Bench) -> Samples {
    callers(bench, 16)
}

pub(crate) fn callers_2_on_lanes(bench: &mut Bench) -> Samples {
    callers_on_lanes(bench, 2)
}

pub(crate) fn callers_4_on_lanes(bench: &mut Bench) -> Samples {
    callers_on_lanes(bench, 4)
}

pub(crate) fn callers_16_on_lanes(bench: &mut Bench) -> Samples {
    callers_on_lanes(bench, 16)
}

/// As the options are by default, with a lane and a thread of the worker for each CPU; nothing is pinned.
fn callers_on_lanes(bench: &mut Bench, threads: usize) -> Samples {
    let subject = Subject::open(bench)?;
    subject.warm_up()?;
    at_once(&subject, bench.long(), threads, |library| library.add(1, 2).map(drop))
}

/// Nanoseconds for each call of so many threads that share a worker and its one lane, on all CPUs but its own: the time of
/// all, by the number of calls.
fn callers(bench: &mut Bench, threads: usize) -> Samples {
    let refused = Stop::refused("pinning");
    let far = bench.far()?;
    // The threads that are started here inherit it.
    let _pinned = Pinned::thread_off(far).map_err(&refused)?;
    let subject = Subject::open_with(bench, Options { callers: 1, ..Options::default() })?;
    pin_process(subject.worker, far).map_err(&refused)?;
    subject.warm_up()?;
    at_once(&subject, bench.long(), threads, |library| library.add(1, 2).map(drop))
}

/// Nanoseconds for each of the calls of two threads that take longer than a switch of threads does, in turn.
pub(crate) fn work_in_turn(bench: &mut Bench) -> Samples {
    work(bench, 1)
}

/// The same at once, on two lanes.
pub(crate) fn work_at_once(bench: &mut Bench) -> Samples {
    work(bench, 2)
}

/// Nothing is pinned: two threads of the worker and two that wait for them are to find their CPUs.
fn work(bench: &Bench, callers: u32) -> Samples {
    let subject = Subject::open_with(bench, Options { callers, ..Options::default() })?;
    subject.warm_up()?;
    let mut data = subject.library().session().buffer(256 << 10)?;
    data.fill(0x5a);
    at_once(&subject, bench.long(), 2, |library| library.crc32(1, &data).map(drop))
}

/// Nanoseconds for each call of so many threads: the time of all, by the number of calls.
fn at_once(
    subject: &Subject,
    extent: Extent,
    threads: usize,
    call: impl Fn(&Measured) -> hotcell::Result<()> + Sync,
) -> Samples {
    let barrier = Barrier::new(threads);
    let calls = || {
        barrier.wait();
        let started = Instant::now();
        let blocks = Blocks::of(extent, BLOCK, || call(subject.library()))?;
        Ok((blocks.samples.len(), started, Instant::now()))
    };
    let callers = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..threads).map(|_| scope.spawn(calls)).collect();
        let ended = callers.into_iter().map(|it| it.join().expect("calls do not panic"));
        ended.collect::<hotcell::Result<Vec<_>>>()
    })?;
    let calls: usize = callers.iter().map(|(blocks, ..)| blocks * BLOCK as usize).sum();
    let first = callers.iter().map(|(_, started, _)| *started).min();
    let last = callers.iter().map(|(.., ended)| *ended).max();
    let elapsed = first.zip(last).map_or(Duration::ZERO, |(first, last)| last - first);
    Ok(vec![elapsed.as_nanos() as f64 / calls as f64])
}
