//! The limits of the machine: what two processes and nothing else reach.

mod peer;
mod waiting;

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Duration;

pub use peer::serve;
pub(crate) use peer::{Manner, Order, Peer};

use crate::machine::Pinned;
use crate::plan::{Bench, Samples, Stop};
use crate::statistics::{Blocks, Extent, median};

/// A line there and a line back, both sides polling on cores of their own.
pub(crate) fn spin(bench: &mut Bench) -> Samples {
    two_cores(bench, Manner::Spin, 0, 0, 40, 500)
}

pub(crate) fn move_1k(bench: &mut Bench) -> Samples {
    two_cores(bench, Manner::Spin, 1 << 10, 0, 40, 200)
}

pub(crate) fn move_4k(bench: &mut Bench) -> Samples {
    two_cores(bench, Manner::Spin, 4 << 10, 0, 40, 100)
}

pub(crate) fn move_1m(bench: &mut Bench) -> Samples {
    two_cores(bench, Manner::Spin, 1 << 20, 0, 20, 1)
}

pub(crate) fn exchange_1m(bench: &mut Bench) -> Samples {
    two_cores(bench, Manner::Spin, 1 << 20, 1 << 20, 20, 1)
}

pub(crate) fn move_64m(bench: &mut Bench) -> Samples {
    bench.not_quick()?;
    two_cores(bench, Manner::Spin, 64 << 20, 0, 2, 1)
}

pub(crate) fn exchange_64m(bench: &mut Bench) -> Samples {
    bench.not_quick()?;
    two_cores(bench, Manner::Spin, 64 << 20, 64 << 20, 2, 1)
}

/// Both sides asleep, on cores of their own.
pub(crate) fn futex_two_cores(bench: &mut Bench) -> Samples {
    two_cores(bench, Manner::Futex, 0, 0, 20, 10)
}

/// One runs when the other sleeps, on one core.
pub(crate) fn futex_one_core(bench: &mut Bench) -> Samples {
    one_core(bench, Manner::Futex)
}

/// A hand-over on one core, a millisecond after the one before: caches and the core have gone cold.
pub(crate) fn futex_every_1ms(bench: &mut Bench) -> Samples {
    let cpu = bench.cpus.near;
    let _pinned = Pinned::thread(cpu).map_err(Stop::refused("pinning a thread"))?;
    let order = Order { manner: Manner::Futex, there: 0, back: 0, cpu: Some(cpu) };
    let trips = bench.fewer(200);
    let once = Extent { blocks: 1, ..bench.extent(1) };
    let mut conversation = bench.peer.talk(order).map_err(Stop::refused("starting a conversation"))?;
    let mut samples = Vec::new();
    for _ in 0..trips {
        std::thread::sleep(Duration::from_millis(1));
        samples.push(conversation.run(once, 1).median());
    }
    Ok(vec![median(&samples)])
}

/// The same without sleeping: each gives the core to whoever else wants it.
pub(crate) fn yield_one_core(bench: &mut Bench) -> Samples {
    one_core(bench, Manner::Yield)
}

pub(crate) fn memcpy_1m(bench: &mut Bench) -> Samples {
    Ok(vec![memcpy(1 << 20, bench.extent(20))])
}

pub(crate) fn memcpy_64m(bench: &mut Bench) -> Samples {
    bench.not_quick()?;
    Ok(vec![memcpy(64 << 20, bench.extent(4))])
}

fn memcpy(bytes: usize, extent: Extent) -> f64 {
    let (from, mut to) = (vec![1u8; bytes], vec![2u8; bytes]);
    let copy = || {
        black_box(&mut to[..]).copy_from_slice(black_box(&from));
        Ok::<(), Infallible>(())
    };
    match Blocks::of(extent, 1, copy) {
        Ok(blocks) => blocks.median(),
    }
}

fn two_cores(
    bench: &mut Bench,
    manner: Manner,
    there: usize,
    back: usize,
    blocks: u32,
    trips: u32,
) -> Samples {
    let far = bench.far()?;
    let _pinned = Pinned::thread(bench.cpus.near).map_err(Stop::refused("pinning a thread"))?;
    let order = Order { manner, there, back, cpu: Some(far) };
    typical(bench, order, blocks, trips)
}

fn one_core(bench: &mut Bench, manner: Manner) -> Samples {
    let cpu = bench.cpus.near;
    let _pinned = Pinned::thread(cpu).map_err(Stop::refused("pinning a thread"))?;
    let order = Order { manner, there: 0, back: 0, cpu: Some(cpu) };
    typical(bench, order, 40, 50)
}

/// Nanoseconds of a trip, in the block in the middle.
fn typical(bench: &mut Bench, order: Order, blocks: u32, trips: u32) -> Samples {
    let extent = bench.extent(blocks);
    let mut conversation = bench.peer.talk(order).map_err(Stop::refused("starting a conversation"))?;
    // Caches and pages first.
    conversation.run(Extent { blocks: 1, ..extent }, trips);
    Ok(vec![conversation.run(extent, trips).median()])
}
