//! The measured library without containment: what calls cost in process.

use std::convert::Infallible;
use std::hint::black_box;

use crate::machine::Pinned;
use crate::plan::{Bench, Samples, Stop};
use crate::statistics::Blocks;
use crate::sys::direct as library;

/// Blocks that are allocated and freed in a call.
pub(crate) const BLOCKS: i32 = 10_000;

pub(crate) fn add(bench: &mut Bench) -> Samples {
    typical(bench, 40, 1000, |at| {
        black_box(library::add(at, 1));
    })
}

pub(crate) fn crc32_1k(bench: &mut Bench) -> Samples {
    let data = vec![0x5a; 1 << 10];
    typical(bench, 40, 100, |at| {
        black_box(library::crc32(at as u32, &data));
    })
}

/// What a call of `contained.work` does.
pub(crate) fn crc32_256k(bench: &mut Bench) -> Samples {
    let data = vec![0x5a; 256 << 10];
    typical(bench, 40, 1, |at| {
        black_box(library::crc32(at as u32, &data));
    })
}

pub(crate) fn string(bench: &mut Bench) -> Samples {
    typical(bench, 40, 500, |_| {
        black_box(library::capitals(c"hello, world"));
    })
}

pub(crate) fn structure(bench: &mut Bench) -> Samples {
    typical(bench, 40, 1000, |at| {
        black_box(library::rectangle_of(f64::from(at), 2.0));
    })
}

/// Of one callback.
pub(crate) fn callback(bench: &mut Bench) -> Samples {
    const CALLBACKS: i32 = 1000;
    let samples = typical(bench, 40, 1, |_| {
        black_box(library::each(CALLBACKS));
    })?;
    Ok(samples.into_iter().map(|it| it / f64::from(CALLBACKS)).collect())
}

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

/// Of one block, with the C library's own allocator.
pub(crate) fn malloc(bench: &mut Bench) -> Samples {
    let samples = typical(bench, 40, 1, |_| library::allocate(BLOCKS))?;
    Ok(samples.into_iter().map(|it| it / f64::from(BLOCKS)).collect())
}

fn sum(bench: &mut Bench, bytes: usize, blocks: u32) -> Samples {
    let data = vec![1; bytes];
    typical(bench, blocks, 1, |_| {
        black_box(library::sum(&data));
    })
}

fn invert(bench: &mut Bench, bytes: usize, blocks: u32) -> Samples {
    let mut data = vec![1; bytes];
    typical(bench, blocks, 1, |_| library::invert(black_box(&mut data)))
}

/// Nanoseconds of a call, in the block in the middle.
fn typical(bench: &Bench, blocks: u32, calls: u32, mut call: impl FnMut(i32)) -> Samples {
    let _pinned = Pinned::thread(bench.cpus.near).map_err(Stop::refused("pinning a thread"))?;
    call(0);
    let mut at = 0;
    let measured = Blocks::of(bench.extent(blocks), calls, || {
        at += 1;
        call(at);
        Ok::<(), Infallible>(())
    });
    match measured {
        Ok(blocks) => Ok(vec![blocks.median()]),
    }
}
