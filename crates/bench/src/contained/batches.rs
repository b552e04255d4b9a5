//! Calls that are sent together.

use std::hint::black_box;

use hotcell_measured::Measured;

use super::typical;
use crate::plan::{Bench, Samples};

pub(crate) fn of_8(bench: &mut Bench) -> Samples {
    batch(bench, 8, 100)
}

pub(crate) fn of_64(bench: &mut Bench) -> Samples {
    batch(bench, 64, 20)
}

pub(crate) fn of_1024(bench: &mut Bench) -> Samples {
    batch(bench, 1024, 2)
}

/// Nanoseconds for each call of batches of so many: made, sent, and every result taken.
fn batch(bench: &Bench, calls: usize, batches: u32) -> Samples {
    let samples = typical(bench, 40, batches, |library, at| mixed(library, calls, at))?;
    Ok(samples.into_iter().map(|batch| batch / calls as f64).collect())
}

/// Numbers, a structure, and a few bytes in turn.
fn mixed(library: &Measured, calls: usize, at: i32) -> hotcell::Result<()> {
    let mut batch = library.batch();
    let tickets = calls / 2 + 1;
    let (mut sums, mut areas, mut checks) =
        (Vec::with_capacity(tickets), Vec::with_capacity(tickets), Vec::with_capacity(tickets));
    for call in 0..calls {
        match call % 4 {
            0 | 1 => sums.push(batch.add(at, 1)?),
            2 => areas.push(batch.rectangle_of(f64::from(at), 2.0)?),
            _ => checks.push(batch.crc32(at as u32, b"a few bytes")?),
        }
    }
    let mut done = batch.run()?;
    for sum in sums {
        black_box(done.take(sum)?);
    }
    for area in areas {
        black_box(done.take(area)?);
    }
    for check in checks {
        black_box(done.take(check)?);
    }
    Ok(())
}
