//! What allocating and freeing a block costs the library.

use hotcell::{Guard, Options, Waiting};

use super::{Subject, each_on};
use crate::direct::BLOCKS;
use crate::plan::{Bench, Samples};

/// Counted, as it always is.
pub(crate) fn malloc(bench: &mut Bench) -> Samples {
    with(bench, Guard::None, 40)
}

/// Besides, one in 5 000 is guarded.
pub(crate) fn malloc_sampled(bench: &mut Bench) -> Samples {
    with(bench, Guard::Sampled, 40)
}

/// All are guarded.
pub(crate) fn malloc_all(bench: &mut Bench) -> Samples {
    with(bench, Guard::All, 3)
}

fn with(bench: &mut Bench, guard: Guard, blocks: u32) -> Samples {
    let options = Options { guard: Some(guard), waiting: Waiting::Latency, callers: 1, ..Options::default() };
    let subject = Subject::open_with(bench, options)?;
    let samples = each_on(bench, &subject, blocks, 1, |library, _| library.allocate(BLOCKS))?;
    Ok(samples.into_iter().map(|it| it / f64::from(BLOCKS)).collect())
}
