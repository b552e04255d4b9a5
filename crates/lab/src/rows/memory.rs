//! Memory that is used as it must not be, and memory that is not there.

use hotcell::{ErrorKind::*, Guard, Profile, Sandbox};

use crate::row::End::*;
use crate::row::Expected::*;
use crate::row::{Direct, Ran, Row, Stop};
use crate::stage::{Stage, told};
use crate::value::Value;
use crate::via::Via;

pub(crate) const ROWS: &[Row] = &[
    Row::new(
        "M1",
        "null dereference",
        Direct::new(&["null_dereference"], Dies("SIGSEGV")),
        |stage| stage.int("null_dereference", &[]),
        Fails(Crashed, &["SIGSEGV at address 0x0", "a null pointer was used"]),
    ),
    Row::new(
        "M2",
        "write into foreign memory, and a crash later",
        Direct::new(&["corrupt_heap"], Dies("SIGABRT")).says("returned as if nothing had happened"),
        |stage| {
            stage.int("corrupt_heap", &[])?;
            stage.int("use_heap", &[])
        },
        Fails(Crashed, &["SIGABRT", "malloc(): "]),
    ),
    Row::new(
        "M3",
        "write over the reply and all around it",
        Direct::new(&["scribble"], Hangs),
        |stage| {
            // Without a wall: behind one it does not find out where that memory is.
            stage.open(|options| options.sandbox = Some(Sandbox::of(Profile::Basic)))?;
            stage.int("scribble", &[])
        },
        Fails(ProtocolViolation, &["commit word"]),
    ),
    Row::new(
        "M4",
        "write into the caller's data",
        Direct::new(&["write_input"], GoesOn).says("returned xxx program's own"),
        write_input,
        Fails(Crashed, &["SIGSEGV at address"]),
    ),
    Row::new(
        "M5",
        "stack overflow",
        Direct::new(&["stack_overflow"], Dies("SIGSEGV")),
        |stage| stage.int("stack_overflow", &[0]),
        Fails(Crashed, &["SIGSEGV", "the stack overflowed"]),
    ),
    Row::new(
        "M6",
        "stack buffer overflow",
        Direct::new(&["smash_stack", "64"], Dies("SIGABRT")).says("stack smashing detected"),
        |stage| stage.int("smash_stack", &[64]),
        Fails(Crashed, &["SIGABRT", "stack smashing detected"]),
    ),
    Row::new(
        "M7",
        "heap overflow that the allocator finds",
        Direct::new(&["overflow_block", "2064"], Dies("SIGABRT")).says("free(): "),
        |stage| stage.int("overflow_block", &[2064]),
        Fails(Crashed, &["SIGABRT", "free(): "]),
    ),
    Row::new(
        "M8",
        "heap overflow that nobody finds",
        Direct::new(&["write_block", "20", "20"], GoesOn).says("returned 0"),
        |stage| {
            let silent = stage.int("write_block", &[20, 20])?;
            if silent != "0" {
                return Err(Stop::Wrong(format!("without a guard it returned {silent}")));
            }
            stage.open(|options| options.guard = Some(Guard::All))?;
            stage.int("write_block", &[20, 20])
        },
        Fails(Crashed, &["behind a block of 20 bytes"]),
    ),
    Row::new(
        "M9",
        "double free",
        Direct::new(&["double_free"], Dies("SIGABRT")).says("double free"),
        |stage| stage.int("double_free", &[]),
        Fails(Crashed, &["SIGABRT", "double free"]),
    ),
    Row::new(
        "M10",
        "use after free",
        Direct::new(&["use_after_free", "64"], GoesOn).says("returned "),
        |stage| {
            stage.open(|options| options.guard = Some(Guard::All))?;
            stage.int("use_after_free", &[64])
        },
        Fails(Crashed, &["use-after-free", "faulty_use_after_free"]),
    ),
    Row::new(
        "M11",
        "no memory at the first, second, … allocation",
        Direct::new(&["need_limited", "512"], Dies("SIGABRT")),
        no_memory_at_each,
        Gives("each failed as the library's own error, until there was memory for all"),
    ),
    Row::new(
        "M12",
        "more memory than its limit",
        Direct::new(&["fill_limited", "512"], Dies("SIGSEGV")),
        |stage| {
            stage.open(|options| options.limits.memory = Some(64 << 20))?;
            stage.int("fill", &[1024])
        },
        Fails(OutOfMemory, &["67108864"]),
    ),
    Row::new(
        "M13",
        "std::bad_alloc that nobody catches",
        Direct::new(&["new_without_memory"], Dies("SIGABRT")).says("std::bad_alloc"),
        |stage| stage.int("new_without_memory", &[]),
        Fails(OutOfMemory, &["SIGABRT"]),
    ),
    Row::new(
        "M14",
        "a result that was never written",
        Direct::new(&["last_secret"], GoesOn).says("returned of another caller"),
        unwritten,
        Gives("64 zeros"),
    ),
    Row::new(
        "M15",
        "success, and death while nobody calls",
        Direct::new(&["die_idle"], Dies("SIGALRM"))
            .says("returned 0")
            // Its runtime handles that signal.
            .elsewhere(&[(Via::Go, GoesOn, "returned 0")]),
        |stage| {
            let returned = stage.int("die_idle", &[])?;
            stage.worker_ends()?;
            Ok(returned)
        },
        Gives("0"),
    ),
];

/// Every limit that is too small for what the library builds, then one that is not.
fn no_memory_at_each(stage: &mut Stage<'_>) -> Ran {
    let mut failed = 0;
    for mebibytes in 1..64 {
        stage.open(|options| options.limits.memory = Some(mebibytes << 20))?;
        match stage.int("build", &[8]) {
            Ok(_) if failed >= 7 => {
                return Ok("each failed as the library's own error, until there was memory for all".into());
            }
            Err(Stop::Failed(error)) if error.is(LibraryError) && error.has_shortage() => failed += 1,
            Ok(_) => return Err(Stop::Wrong(format!("there was memory after {failed} failures"))),
            other => return other,
        }
    }
    Err(Stop::Wrong("there never was memory".into()))
}

fn unwritten(stage: &mut Stage<'_>) -> Ran {
    stage.call("claim", &[Value::Int(16)])?;
    let secret = "of another caller ".repeat(8);
    stage.call("print", &[Value::Text(secret), Value::Int(0)])?;
    let outcome = stage.call("leave", &[])?;
    match outcome.0.iter().filter(|value| matches!(value, Value::Bytes(_))).collect::<Vec<_>>().as_slice() {
        [Value::Bytes(bytes)] if bytes.len() == 64 && bytes.iter().all(|byte| *byte == 0) => {
            Ok("64 zeros".into())
        }
        other => Err(Stop::Wrong(format!("{other:?}"))),
    }
}

fn write_input(stage: &mut Stage<'_>) -> Ran {
    let outcome = stage.call("write_input", &[Value::Bytes(b"the program's own".to_vec())])?;
    Ok(told(&outcome))
}
