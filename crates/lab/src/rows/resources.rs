//! What there is only so much of.

use std::thread;

use hotcell::ErrorKind::*;
use hotcell::dynamic::Value;

use crate::row::End::*;
use crate::row::Expected::*;
use crate::row::{Direct, Ran, Row, Stop};
use crate::stage::{Stage, call, number, told};

pub(crate) const ROWS: &[Row] = &[
    Row::skipped("R1", "a descriptor lost in each call", super::RECYCLED),
    Row::skipped("R2", "memory lost in each call", super::RECYCLED),
    Row::new(
        "R3",
        "fills the disk",
        Direct::new(&["fill_disk", "8"], GoesOn).says("returned 0"),
        |stage| stage.int("fill_disk", &[8]),
        Fails(SandboxDenied, &["openat", "/faulty-"]),
    ),
    Row::new(
        "R4",
        "many threads that burn time",
        Direct::new(&["burn", "16"], Hangs),
        |stage| stage.int_within(300, "burn", &[16]),
        Fails(Hung, &["300ms"]),
    ),
    Row::skipped("R5", "objects that the caller never frees", OBJECTS),
    Row::new(
        "R6",
        "many big calls at a time, and one that is too big",
        Direct::NOTHING,
        big_calls,
        Fails(LimitExceeded, &["67108864"]),
    ),
    Row::skipped("R7", "all workers of a pool hang", super::POOLS),
];

const OBJECTS: &str = "a session may have a million objects at a time, and a lower limit cannot be set";

fn big_calls(stage: &mut Stage<'_>) -> Ran {
    let session = stage.open(|options| options.max_input = 64 << 20)?;
    let big = |mebibytes: usize| [Value::Text("x".repeat(mebibytes << 20)), Value::Int(0)];
    let ended: Vec<_> = thread::scope(|scope| {
        let calls = || (0..8).map(|_| call(&session, "print", &big(16))).collect::<Result<Vec<_>, _>>();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(calls)).collect();
        threads.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    for one in ended {
        let outcomes = one.map_err(|_| Stop::Wrong("a thread of the lab panicked".into()))??;
        if outcomes.iter().any(|outcome| number(outcome) != Some(0)) {
            return Err(Stop::Wrong("a big call was wrong".into()));
        }
    }
    Ok(told(&stage.call("print", &big(65))?))
}
