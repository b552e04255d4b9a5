//! Calls back to back: both sides poll.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

use hotcell_measured::Measured;

use super::{Subject, typical};
use crate::plan::{Bench, Samples};
use crate::sys::direct::half_of;

pub(crate) fn add(bench: &mut Bench) -> Samples {
    typical(bench, 40, 500, |library, at| {
        black_box(library.add(at, 1)?);
        Ok(())
    })
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

/// Nanoseconds for each call of so many threads that share a worker: the time of all, by the number of calls.
fn callers(bench: &mut Bench, threads: u32) -> Samples {
    let subject = Subject::open(bench)?;
    subject.warm_up()?;
    let each = bench.fewer(20_000) / threads;
    let (together, barrier) = (threads * each, Barrier::new(threads as usize + 1));
    let calls = |library: &Measured| {
        barrier.wait();
        (0..each).try_for_each(|_| library.add(1, 2).map(drop))
    };
    let elapsed = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..threads).map(|_| scope.spawn(|| calls(subject.library()))).collect();
        barrier.wait();
        let started = Instant::now();
        let ended = callers.into_iter().try_for_each(|it| it.join().expect("calls do not panic"));
        ended.map(|()| started.elapsed())
    })?;
    Ok(vec![elapsed.as_nanos() as f64 / f64::from(together)])
}
