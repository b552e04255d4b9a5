//! Buffers that are copied in and out, and such that stay in place.

use std::hint::black_box;

use super::{Subject, typical};
use crate::plan::{Bench, Samples};
use crate::statistics::Blocks;

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

pub(crate) fn sum_1m_in_place(bench: &mut Bench) -> Samples {
    sum_in_place(bench, 1 << 20, 20)
}

pub(crate) fn sum_64m_in_place(bench: &mut Bench) -> Samples {
    bench.not_quick()?;
    sum_in_place(bench, 64 << 20, 2)
}

pub(crate) fn invert_1m_in_place(bench: &mut Bench) -> Samples {
    invert_in_place(bench, 1 << 20, 20)
}

pub(crate) fn invert_64m_in_place(bench: &mut Bench) -> Samples {
    bench.not_quick()?;
    invert_in_place(bench, 64 << 20, 2)
}

pub(crate) fn made_1k(bench: &mut Bench) -> Samples {
    made(bench, 1 << 10)
}

pub(crate) fn made_4k(bench: &mut Bench) -> Samples {
    made(bench, 4 << 10)
}

pub(crate) fn made_64k(bench: &mut Bench) -> Samples {
    made(bench, 64 << 10)
}

/// Nanoseconds of making a buffer of the session, and of dropping it, while eight others are held.
fn made(bench: &mut Bench, bytes: usize) -> Samples {
    let subject = Subject::polling(bench)?;
    let session = subject.library().session();
    let held = (0..8).map(|_| session.buffer(bytes)).collect::<hotcell::Result<Vec<_>>>()?;
    let blocks = Blocks::of(bench.extent(40), 500, || {
        black_box(session.buffer(bytes)?);
        Ok::<(), hotcell::Error>(())
    })?;
    drop(held);
    Ok(vec![blocks.median()])
}

/// In a buffer of the session, which the library reads where it lies. It is filled anew for each call, as a copy would be.
fn sum_in_place(bench: &Bench, bytes: usize, blocks: u32) -> Samples {
    let mut buffer = None;
    typical(bench, blocks, 1, move |library, at| {
        let buffer = match &mut buffer {
            Some(buffer) => buffer,
            none => none.insert(library.session().buffer(bytes)?),
        };
        buffer.fill(at as u8);
        black_box(library.sum(buffer)?);
        Ok(())
    })
}

/// In a buffer of the session that the library changes where it lies. It is filled anew for each call, and read once.
fn invert_in_place(bench: &Bench, bytes: usize, blocks: u32) -> Samples {
    let (mut buffer, mut read) = (None, vec![0; bytes]);
    typical(bench, blocks, 1, move |library, at| {
        let buffer = match &mut buffer {
            Some(buffer) => buffer,
            none => none.insert(library.session().shared_buffer(bytes)?),
        };
        buffer.fill(at as u8);
        library.invert_in_place(buffer)?;
        buffer.copy_to(0, &mut read);
        black_box(&read);
        Ok(())
    })
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
