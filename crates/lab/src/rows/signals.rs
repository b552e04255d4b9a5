//! Signals that come of a fault, and signals that a library does something with.

use hotcell::{ErrorKind::*, Profile, Sandbox, StatePart};

use super::environment::put_back;
use crate::row::End::*;
use crate::row::Expected::*;
use crate::row::{Direct, Row, Stop};
use crate::via::Via;

pub(crate) const ROWS: &[Row] = &[
    Row::new(
        "S1",
        "division by zero",
        Direct::new(&["divide", "7", "0"], Dies("SIGFPE")),
        |stage| stage.int("divide", &[7, 0]),
        Fails(Crashed, &["SIGFPE"]),
    ),
    Row::new(
        "S2",
        "read of a mapped file that was cut",
        Direct::new(&["truncated_map"], Dies("SIGBUS")),
        |stage| {
            // Behind a wall it gets no such file.
            stage.open(|options| options.sandbox = Some(Sandbox::of(Profile::Basic)))?;
            stage.int("truncated_map", &[])
        },
        Fails(Crashed, &["SIGBUS"]),
    ),
    Row::new(
        "S3",
        "write to a pipe that nobody reads",
        Direct::new(&["broken_pipe"], Dies("SIGPIPE"))
            // Their runtimes handle, or ignore, that signal.
            .elsewhere(&[(Via::Go, GoesOn, "returned 32"), (Via::Python, GoesOn, "returned 32")]),
        |stage| stage.int("broken_pipe", &[]),
        // EPIPE: the worker ignores the signal.
        Gives("32"),
    ),
    Row::new(
        "S4",
        "signal-in-foreign-stack",
        Direct::new(&["swallow_crash"], Hangs),
        |stage| stage.int_within(300, "swallow_crash", &[]),
        OneOf(&[Fails(Hung, &["300ms"]), Fails(Crashed, &["SIGSEGV"])]),
    ),
    Row::new(
        "S5",
        "waits for the children of others",
        Direct::new(&["reap_children"], GoesOn).says("returned with the program's own child"),
        |stage| {
            // Behind a wall it may not even ask.
            stage.open(|options| options.sandbox = Some(Sandbox::of(Profile::Basic)))?;
            stage.int("reap_children", &[])
        },
        // ECHILD: there are none in its worker.
        Gives("10"),
    ),
    Row::new(
        "S6",
        "a timer that is left running",
        Direct::new(&["leave_timer"], GoesOn).says("when the program cannot sleep any more"),
        |stage| {
            let went_off = stage.int("leave_timer", &[5])?;
            let disturbed = stage.int("rest", &[100])?;
            put_back(stage, StatePart::Timers, 1)?;
            Ok(format!("it went off: {went_off}, and the next call rests: {disturbed}"))
        },
        Gives("it went off: 1, and the next call rests: 0"),
    ),
    Row::new(
        "S7",
        "stack overflow without a signal stack",
        Direct::new(&["overflow_without_altstack"], Dies("SIGSEGV")).elsewhere(&[(
            Via::Go,
            Dies("SIGSEGV"),
            "",
        )]),
        |stage| stage.int("overflow_without_altstack", &[]),
        Fails(Crashed, &["SIGSEGV"]),
    ),
    Row::new(
        "S8",
        "ignores and blocks all signals, and loops",
        Direct::new(&["ignore_signals"], Hangs),
        |stage| stage.int_within(300, "ignore_signals", &[]),
        Fails(Hung, &["300ms"]),
    ),
    Row::new(
        "S9",
        "stops itself",
        Direct::new(&["raise", "19"], Hangs),
        |stage| stage.int_within(300, "raise", &[19]),
        Fails(Hung, &["300ms"]),
    ),
    Row::new(
        "S10",
        "handlers and mask that are left changed",
        Direct::new(&["change_signals"], GoesOn).says("when the program's signals are the library's"),
        |stage| {
            let changed = stage.int("change_signals", &[])?;
            let left = stage.int("changed_signals", &[])?;
            put_back(stage, StatePart::Handlers, 1)?;
            put_back(stage, StatePart::Mask, 1)?;
            // The worker's own handler is there again, and tells the address.
            match stage.int("null_dereference", &[]) {
                Err(Stop::Failed(error)) if error.to_string().contains("SIGSEGV at address 0x0") => {
                    Ok(format!("{changed} were changed, {left} in the next call"))
                }
                other => Err(Stop::Wrong(format!("a crash behind it: {other:?}"))),
            }
        },
        Gives("3 were changed, 0 in the next call"),
    ),
];
