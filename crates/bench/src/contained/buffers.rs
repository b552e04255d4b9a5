//! Buffers that are copied in and out.

use std::hint::black_box;

use super::typical;
use crate::plan::{Bench, Samples};

pub(crate) fn sum_1m(bench: &mut Bench) -> Samples {
    sum(bench, 1 << 20, 20)
}

pub(crate) fn sum_64m(bench: &mut Bench) -> Samples {
    bench.not_quick()?;
    sum(bench, 64 << 20, 2)
}

pub(crate) fn invert_1m(bench: &mut Bench) -> Samples {
    invert(bench, 1 << 20, 20)
}

pub(crate) fn invert_64m(bench: &mut Bench) -> Samples {
    bench.not_quick()?;
    invert(bench, 64 << 20, 2)
}

fn sum(bench: &Bench, bytes: usize, blocks: u32) -> Samples {
    let data = vec![1; bytes];
    typical(bench, blocks, 1, |library, _| {
        black_box(library.sum(&data)?);
        Ok(())
    })
}

fn invert(bench: &Bench, bytes: usize, blocks: u32) -> Samples {
    let data = vec![1; bytes];
    typical(bench, blocks, 1, |library, _| {
        black_box(library.invert(&data)?);
        Ok(())
    })
}
