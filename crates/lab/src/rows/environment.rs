//! What a process has once, and a library changes for everybody.

use std::env;
use std::path::Path;

use hotcell::ErrorKind::*;
use hotcell::dynamic::Value;

use crate::row::End::*;
use crate::row::Expected::*;
use crate::row::{Direct, Ran, Row, Stop};
use crate::stage::{Stage, call, told};

pub(crate) const ROWS: &[Row] = &[
    Row::skipped("E1", "locale-versus-utf8", super::STATE),
    Row::new(
        "E2",
        "changes the directory",
        Direct::new(&["change_directory"], GoesOn).says("the program is elsewhere"),
        |stage| {
            let before = env::current_dir().map_err(Stop::lacks("a working directory"))?;
            let ran = stage.text("change_directory", "/proc");
            let same = env::current_dir().is_ok_and(|now| now == before);
            if same && before != Path::new("/proc") {
                ran
            } else {
                Err(Stop::Wrong("the program is elsewhere".into()))
            }
        },
        OneOf(&[Gives("0"), Fails(SandboxDenied, &["chdir"])]),
    ),
    Row::new(
        "E3",
        "changes the mask of new files",
        Direct::new(&["change_mask"], GoesOn).says("new files are everybody's"),
        change_mask,
        Gives("the program's new files are as before"),
    ),
    Row::new(
        "E4",
        "closes every descriptor",
        Direct::new(&["close_descriptors"], GoesOn),
        |stage| descriptors(stage, "close_descriptors"),
        Gives("every call returned or failed as one"),
    ),
    Row::new(
        "E5",
        "puts others in the place of descriptors",
        Direct::new(&["replace_descriptors"], GoesOn),
        |stage| descriptors(stage, "replace_descriptors"),
        Gives("every call returned or failed as one"),
    ),
    Row::new(
        "E6",
        "empties the environment",
        Direct::new(&["clear_environment"], GoesOn).says("the program's environment is empty"),
        |stage| {
            let before: Vec<_> = env::vars_os().collect();
            let returned = stage.int("clear_environment", &[])?;
            let variable = stage.text("environment", "LANG")?;
            match env::vars_os().eq(before) {
                true => Ok(format!("{returned}, and LANG is {variable} in the worker alone")),
                false => Err(Stop::Wrong("the program's environment is another".into())),
            }
        },
        Gives("0, and LANG is NULL in the worker alone"),
    ),
    Row::new(
        "E7",
        "a flood of noise on standard output",
        Direct::new(&["flood", "64"], GoesOn),
        |stage| stage.int("flood", &[1024]),
        Gives("1024"),
    ),
    Row::new(
        "E8",
        "prints on standard output",
        Direct::new(&["print"], GoesOn).says("a line of the library among the program's own"),
        |stage| stage.text("say", "a line"),
        Gives("7"),
    ),
    Row::skipped("E9", "changes how numbers are rounded", super::STATE),
    Row::new(
        "E10",
        "state of its own that others change",
        Direct::new(&["count_twice"], GoesOn).says("returned 2"),
        |stage| {
            let first = stage.int("count", &[])?;
            let second = told(&call(&stage.another()?, "count", &[])?);
            Ok(format!("{first} in one session, {second} in another"))
        },
        Gives("1 in one session, 1 in another"),
    ),
];

/// What it takes away may be missed at once, at the next call, or never.
fn descriptors(stage: &mut Stage<'_>, name: &str) -> Ran {
    let before = stage.session()?.generation();
    let went = |ran: Ran| match ran {
        Ok(_) => Ok(()),
        Err(Stop::Failed(error)) if error.is_fault() => Ok(()),
        Err(other) => Err(other),
    };
    went(stage.int(name, &[]))?;
    // This one needs memory that is not mapped yet, and that goes through a descriptor.
    let text = Value::Text("x".repeat(1 << 20));
    went(stage.call("print", &[text, Value::Int(0)]).map(|outcome| told(&outcome)))?;
    went(stage.int("add", &[1, 1]))?;
    match stage.session()?.generation() > before {
        true => Ok("every call returned or failed as one".into()),
        false => Err(Stop::Wrong("the worker never missed them".into())),
    }
}

fn change_mask(stage: &mut Stage<'_>) -> Ran {
    let before = rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o027));
    let ran = stage.int("change_mask", &[0]);
    let after = rustix::process::umask(before);
    ran?;
    match after.bits() {
        0o027 => Ok("the program's new files are as before".into()),
        other => Err(Stop::Wrong(format!("the program's mask is {other:o}"))),
    }
}
