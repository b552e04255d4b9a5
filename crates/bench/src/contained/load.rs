//! Calls beside programs that burn CPU, and the raw ping-pong beside the same; nothing is pinned.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Subject;
use crate::plan::{Bench, Samples, Stop};
use crate::raw::{Manner, Order};
use crate::statistics::{Blocks, Extent};

/// Calls between two looks at the clock.
const BLOCK: u32 = 8;

pub(crate) fn one_hog(bench: &mut Bench) -> Samples {
    beside(bench, 1)
}

pub(crate) fn two_hogs(bench: &mut Bench) -> Samples {
    beside(bench, 2)
}

/// The median block, and the mean of all: of the raw ping-pong, before and behind, the lower one, for it may stand still
/// as long as a hog has its turn; and of calls between.
fn beside(bench: &mut Bench, hogs: u32) -> Samples {
    bench.far()?;
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..hogs {
            scope.spawn(|| burn(&stop));
        }
        let samples = both(bench);
        stop.store(true, Ordering::Relaxed);
        samples
    })
}

fn both(bench: &mut Bench) -> Samples {
    // Many turns of the scheduler, whatever a call costs; a few before.
    let long = bench.long();
    let short = Extent { time: long.time / 10, ..long };
    let order = Order { manner: Manner::Spin, there: 0, back: 0, cpu: None };
    let raw = |bench: &mut Bench| -> Result<(f64, f64), Stop> {
        let mut conversation = bench.peer.talk(order).map_err(Stop::refused("starting a conversation"))?;
        conversation.run(short, BLOCK);
        let blocks = conversation.run(long, BLOCK);
        Ok((blocks.median(), blocks.mean()))
    };
    let before = raw(bench)?;
    let subject = Subject::open(bench)?;
    let mut call = || {
        black_box(subject.library().add(1, 2)?);
        Ok::<(), hotcell::Error>(())
    };
    Blocks::of(short, BLOCK, &mut call)?;
    let contained = Blocks::of(long, BLOCK, &mut call)?;
    drop(subject);
    let behind = raw(bench)?;
    let (median, mean) = (before.0.min(behind.0), before.1.min(behind.1));
    Ok(vec![median, mean, contained.median(), contained.mean()])
}

fn burn(stop: &AtomicBool) {
    let mut number = 1u64;
    while !stop.load(Ordering::Relaxed) {
        number = black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
}
