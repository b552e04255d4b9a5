//! Calls that are sent one after the other, without waiting for each.

use std::collections::VecDeque;
use std::hint::black_box;

use hotcell::Ticket;
use hotcell_measured::{Measured, Pipeline, Rectangle};

use super::typical;
use crate::plan::{Bench, Samples};

/// Calls of one pipeline: what it costs to begin and to end one is theirs, too.
const CALLS: usize = 1024;

pub(crate) fn of_2(bench: &mut Bench) -> Samples {
    pipeline(bench, 2)
}

pub(crate) fn of_4(bench: &mut Bench) -> Samples {
    pipeline(bench, 4)
}

pub(crate) fn of_8(bench: &mut Bench) -> Samples {
    pipeline(bench, 8)
}

/// Nanoseconds for each call of pipelines with so many in flight: sent, and its result taken when that of all before it were.
fn pipeline(bench: &Bench, in_flight: usize) -> Samples {
    let samples = typical(bench, 40, 2, |library, at| mixed(library, in_flight, at))?;
    Ok(samples.into_iter().map(|calls| calls / CALLS as f64).collect())
}

/// A call that was sent.
enum Sent {
    Sum(Ticket<i32>),
    Area(Ticket<Rectangle>),
    Check(Ticket<u32>),
}

/// Numbers, a structure, and a few bytes in turn: the calls that batches are measured with.
fn mixed(library: &Measured, in_flight: usize, at: i32) -> hotcell::Result<()> {
    let mut calls = library.pipeline();
    let mut sent = VecDeque::with_capacity(in_flight);
    for call in 0..CALLS {
        if sent.len() == in_flight {
            take(&mut calls, sent.pop_front())?;
        }
        sent.push_back(match call % 4 {
            0 | 1 => Sent::Sum(calls.add(at, 1)?),
            2 => Sent::Area(calls.rectangle_of(f64::from(at), 2.0)?),
            _ => Sent::Check(calls.crc32(at as u32, b"a few bytes")?),
        });
    }
    while !sent.is_empty() {
        take(&mut calls, sent.pop_front())?;
    }
    Ok(())
}

fn take(calls: &mut Pipeline, sent: Option<Sent>) -> hotcell::Result<()> {
    match sent {
        Some(Sent::Sum(sum)) => _ = black_box(calls.take(sum)?),
        Some(Sent::Area(area)) => _ = black_box(calls.take(area)?),
        Some(Sent::Check(check)) => _ = black_box(calls.take(check)?),
        None => {}
    }
    Ok(())
}
