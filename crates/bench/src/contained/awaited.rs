//! Calls that are awaited, by one task on a runtime of one thread.

use hotcell::{Options, Waiting};
use tokio::runtime::{Builder, Runtime};

use super::Subject;
use crate::machine::{Pinned, pin_process};
use crate::plan::{Bench, Samples, Stop};
use crate::statistics::Blocks;

/// Calls that a task makes one behind the other.
const CALLS: u32 = 100;

/// Nanoseconds of a call where the worker polls on a core of its own.
pub(crate) fn add(bench: &mut Bench) -> Samples {
    asleep_or_not(bench, Waiting::Latency, 200)
}

/// Nanoseconds of a call where worker and runtime sleep at once.
pub(crate) fn parked(bench: &mut Bench) -> Samples {
    asleep_or_not(bench, Waiting::Economy, 2)
}

fn asleep_or_not(bench: &Bench, waiting: Waiting, blocks: u32) -> Samples {
    let far = bench.far()?;
    let refused = Stop::refused("pinning");
    let _pinned = Pinned::thread(bench.cpus.near).map_err(&refused)?;
    let subject = Subject::open_with(bench, Options { waiting, ..Options::default() })?;
    pin_process(subject.worker, far).map_err(&refused)?;
    let runtime = runtime()?;
    let call = || {
        runtime.block_on(async {
            for _ in 0..CALLS {
                subject.library().aio().add(1, 2).await?;
            }
            Ok::<(), hotcell::Error>(())
        })
    };
    call()?;
    let blocks = Blocks::of(bench.extent(blocks), 1, call)?;
    Ok(vec![blocks.median() / f64::from(CALLS)])
}

fn runtime() -> Result<Runtime, Stop> {
    Builder::new_current_thread().enable_all().build().map_err(Stop::refused("a runtime"))
}
