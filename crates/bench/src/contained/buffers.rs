//! Buffers that are copied in and out, and such that stay in place.

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

/// In a buffer of the session, which the library reads where it lies. It is filled anew for each call, as a copy would be.
pub(crate) fn sum_1m_in_place(bench: &mut Bench) -> Samples {
    let mut buffer = None;
    typical(bench, 20, 1, move |library, at| {
        let buffer = match &mut buffer {
            Some(buffer) => buffer,
            none => none.insert(library.session().buffer(1 << 20)?),
        };
        buffer.fill(at as u8);
        black_box(library.sum(buffer)?);
        Ok(())
    })
}

/// In a buffer of the session that the library changes where it lies. It is filled anew for each call, and read once.
pub(crate) fn invert_1m_in_place(bench: &mut Bench) -> Samples {
    let (mut buffer, mut read) = (None, vec![0; 1 << 20]);
    typical(bench, 20, 1, move |library, at| {
        let buffer = match &mut buffer {
            Some(buffer) => buffer,
            none => none.insert(library.session().shared_buffer(1 << 20)?),
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
