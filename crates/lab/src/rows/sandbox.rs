//! What a library has no business with.

use std::io;

use hotcell::ErrorKind::*;
use hotcell::{Profile, Sandbox};

use crate::row::End::*;
use crate::row::Expected::*;
use crate::row::{Direct, Ran, Row, Stop};
use crate::stage::{Stage, told};
use crate::value::Value;
use crate::via::Via;

pub(crate) const ROWS: &[Row] = &[
    Row::new(
        "X1",
        "opens the network",
        Direct::new(&["attack", "socket_inet"], GoesOn).says(SUCCEEDED).where_allowed(),
        |stage| attack(stage, "socket_inet"),
        Fails(SandboxDenied, &["socket"]),
    ),
    Row::new(
        "X2",
        "reads a file of its user",
        Direct::new(&["read_file", "{secret}"], GoesOn).says("returned what is in it"),
        |stage| {
            let path = stage.file("key", b"secret")?;
            stage.text("read_file", &path.display().to_string())
        },
        Fails(SandboxDenied, &["openat", "/key"]),
    ),
    Row::new(
        "X3",
        "becomes another program",
        Direct::new(&["attack", "execve"], GoesOn).says(SUCCEEDED).where_allowed(),
        |stage| attack(stage, "execve"),
        Fails(SandboxDenied, &["execve"]),
    ),
    Row::new(
        "X4",
        "writes into the memory of its host",
        Direct::new(&["attack", "process_vm_writev"], GoesOn).says(SUCCEEDED).where_allowed(),
        |stage| attack(stage, "process_vm_writev"),
        Fails(SandboxDenied, &["process_vm_writev"]),
    ),
    Row::new(
        "X5",
        "kills its host",
        Direct::new(&["attack", "kill_parent"], Dies("SIGUSR1"))
            // Its runtime handles that signal.
            .elsewhere(&[(Via::Go, GoesOn, SUCCEEDED)]),
        |stage| attack(stage, "kill_parent"),
        Fails(SandboxDenied, &["kill"]),
    ),
    Row::new(
        "X6",
        "goes round the filter with io_uring",
        Direct::new(&["attack", "io_uring_setup"], GoesOn).says(SUCCEEDED).where_allowed(),
        |stage| attack(stage, "io_uring_setup"),
        Gives("the library was told: Function not implemented (os error 38); it is counted"),
    ),
    Row::new(
        "X7",
        "writes a file",
        Direct::new(&["write_outside", "{outside}"], GoesOn).says("when it had written there"),
        |stage| {
            let path = stage.folder()?.join("outside-of-a-worker");
            let text = Value::Text(path.display().to_string());
            let ran = stage.call("attack_open", &[text, Value::Int(1)]).map(|outcome| told(&outcome));
            if path.exists() { Err(Stop::Wrong("the file is there".into())) } else { ran }
        },
        Fails(SandboxDenied, &["openat", "/outside-of-a-worker"]),
    ),
    Row::new(
        "X8",
        "makes itself root of a namespace",
        Direct::new(&["attack", "unshare"], GoesOn).says(SUCCEEDED).where_allowed(),
        |stage| attack(stage, "unshare"),
        Fails(SandboxDenied, &["unshare"]),
    ),
    Row::new(
        "X9",
        "calls the system as a 32-bit program",
        Direct::new(&["attack", "int80"], GoesOn).says(SUCCEEDED).where_allowed(),
        |stage| attack(stage, "int80"),
        Fails(SandboxDenied, &["of another kind of program"]),
    ),
    Row::new(
        "X10",
        "lowers the limits of its host",
        Direct::new(&["attack", "prlimit_parent"], GoesOn).says(SUCCEEDED).where_allowed(),
        |stage| attack(stage, "prlimit_parent"),
        Gives("the library was told: Operation not permitted (os error 1); it is counted"),
    ),
    Row::new(
        "X11",
        "executes memory that it wrote",
        Direct::new(&["execute_data"], GoesOn).says("returned 42"),
        |stage| {
            stage.open(|options| {
                options.sandbox = Some(Sandbox { write_xor_execute: true, ..Sandbox::of(Profile::Compute) });
            })?;
            // The number of an error, below 0.
            let told = stage.int("execute_data", &[])?;
            counted(stage, told.strip_prefix('-').unwrap_or(&told))
        },
        Gives("the library was told: Permission denied (os error 13); it is counted"),
    ),
];

const SUCCEEDED: &str = "when it had succeeded";

/// What comes of it: the call ends, or the library is told an error, and that it was is counted.
fn attack(stage: &mut Stage<'_>, name: &str) -> Ran {
    let told = stage.text("attack_now", name)?;
    counted(stage, &told)
}

/// The error that the library was told, which has to be the sandbox's.
fn counted(stage: &mut Stage<'_>, told: &str) -> Ran {
    let number = told.parse::<i32>().ok().filter(|number| *number > 0);
    let number = number.ok_or_else(|| Stop::Wrong(format!("it succeeded, or was not tried: {told}")))?;
    match stage.session()?.stats().has_refused() {
        true => Ok(format!("the library was told: {}; it is counted", io::Error::from_raw_os_error(number))),
        false => Err(Stop::Wrong(format!("it failed with {number} by itself"))),
    }
}
