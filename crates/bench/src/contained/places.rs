//! Caller and worker asleep on two cores, and both on one.

use hotcell::{Options, Waiting};
use hotcell_measured::Measured;

use super::Subject;
use crate::machine::{Pinned, pin_process};
use crate::plan::{Bench, Samples, Stop};
use crate::process::{activity, own_activity};
use crate::statistics::Blocks;

/// Nanoseconds of a call where both sides sleep at once, how often each does in a call, and how often each wakes the other.
pub(crate) fn parked(bench: &mut Bench) -> Samples {
    const CALLS: u32 = 10;
    let far = bench.far()?;
    let refused = Stop::refused("pinning");
    let _pinned = Pinned::thread(bench.cpus.near).map_err(&refused)?;
    let subject =
        Subject::open_with(bench, Options { waiting: Waiting::Economy, callers: 1, ..Options::default() })?;
    pin_process(subject.worker, far).map_err(&refused)?;
    let call = || subject.library().add(1, 2).map(drop);
    (0..CALLS).try_for_each(|_| call())?;
    let waits =
        || -> std::io::Result<(u64, u64)> { Ok((own_activity()?.waits, activity(subject.worker)?.waits)) };
    let counted = Stop::refused("counting waits");
    let wakes = || {
        let stats = subject.library().session().stats();
        (stats.woken, stats.wakes)
    };
    let (before, woken) = (waits().map_err(&counted)?, wakes());
    let blocks = Blocks::of(bench.extent(20), CALLS, call)?;
    let (after, woken_since) = (waits().map_err(&counted)?, wakes());
    let calls = blocks.samples.len() as f64 * f64::from(CALLS);
    let counts = [after.0 - before.0, after.1 - before.1, woken_since.0 - woken.0, woken_since.1 - woken.1];
    Ok([blocks.median()].into_iter().chain(counts.map(|it| it as f64 / calls)).collect())
}

/// Nanoseconds of a call when this process, and the worker that it starts, may use one CPU only.
pub(crate) fn one_core(bench: &mut Bench) -> Samples {
    on_one_core(bench, |library| library.add(1, 2).map(drop))
}

/// The same of a CRC of 1 KiB.
pub(crate) fn one_core_crc32_1k(bench: &mut Bench) -> Samples {
    let data = vec![0x5a; 1 << 10];
    on_one_core(bench, |library| library.crc32(1, &data).map(drop))
}

fn on_one_core(bench: &Bench, call: impl Fn(&Measured) -> hotcell::Result<()>) -> Samples {
    let _pinned = Pinned::process(bench.cpus.near).map_err(Stop::refused("pinning a process"))?;
    // The options' defaults look at how many CPUs there are.
    let subject = Subject::open(bench)?;
    subject.warm_up()?;
    let blocks = Blocks::of(bench.extent(40), 50, || call(subject.library()))?;
    Ok(vec![blocks.median()])
}
