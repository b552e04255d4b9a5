//! Libraries that are not what they should be: layouts, versions, files.

use std::fs;
use std::path::Path;
use std::time::Duration;

use hotcell::ErrorKind::*;
use hotcell::{Profile, Sandbox};
use hotcell_faulty::{LIBRARY, OTHER_LAYOUT};

use crate::change;
use crate::row::End::*;
use crate::row::Expected::*;
use crate::row::{Direct, Ran, Row, Stop};
use crate::stage::{Stage, told};

pub(crate) const ROWS: &[Row] = &[
    Row::new(
        "B1",
        "a structure that is another in the header than in the library",
        Direct::new(&["other_layout", "{another-layout}"], GoesOn)
            .says("returned another sum, and the caller's data is overwritten"),
        |stage| load(stage, |bytes| *bytes = OTHER_LAYOUT.to_vec()),
        Fails(AbiMismatch, &["`struct faulty_point`", "its field `y` lies at 8, and at 16 in the library"]),
    ),
    Row::new(
        "B2",
        "a library for a newer system",
        Direct::new(&["load", "{newer-system}"], Exits(1)).says("GLIBC_9.99"),
        |stage| load(stage, change::newer_system),
        Fails(LoadFailed, &["GLIBC_9.99"]),
    ),
    Row::new(
        "B3",
        "a function that is declared and not there",
        Direct::new(&["load", "{without-add}"], Dies("SIGSEGV")),
        |stage| load(stage, change::without_add),
        Fails(SymbolMissing, &["faulty_add"]),
    ),
    Row::new(
        "B4",
        "a library that it needs is missing",
        Direct::new(&["load", "{missing-dependency}"], Exits(1)).says("lib0.so.6"),
        |stage| load(stage, change::missing_dependency),
        Fails(LoadFailed, &["lib0.so.6"]),
    ),
    Row::new(
        "B5",
        "duplicate-symbols",
        Direct::new(&["load_two", "{library}", "{version-2}"], GoesOn).says("returned 1"),
        two_versions,
        Gives("version 1 in one session, 2 in another"),
    ),
    Row::new(
        "B6",
        "no library, half of one, one for another machine",
        Direct::new(&["load", "{other-machine}"], Exits(1)),
        |stage| {
            for change in [change::text, change::truncated] {
                match load(stage, change) {
                    Err(Stop::Failed(error)) if error.is(LoadFailed) => {}
                    other => return Err(Stop::Wrong(format!("a file that is no library: {other:?}"))),
                }
            }
            load(stage, change::other_machine)
        },
        Fails(LoadFailed, &[]),
    ),
    Row::new(
        "B7",
        "a constructor that crashes, or hangs",
        Direct::new(&["add"], Dies("SIGSEGV")).with("FAULTY_CONSTRUCTOR", "crash"),
        constructor,
        Fails(LoadFailed, &["SIGSEGV"]),
    ),
    Row::new(
        "B8",
        "a library whose file changes while it runs",
        Direct::new(&["replace", "{copy}"], Dies("SIGBUS")),
        replaced,
        Fails(LoadFailed, &["is not the file that the session began with"]),
    ),
    Row::new(
        "B9",
        "a library that wants to write what it executes",
        Direct::new(&["written_code", "{executable-data}"], GoesOn)
            .says("returned with memory that is both written and executed"),
        written_code,
        Fails(LoadFailed, &["both written and executed", "`write_xor_execute`"]),
    ),
];

/// Opens a session with the library changed like this.
fn load(stage: &mut Stage<'_>, change: fn(&mut Vec<u8>)) -> Ran {
    let path = stage.changed_library(change)?;
    stage.open(|options| options.libraries = vec![path])?;
    stage.int("add", &[2, 3])
}

/// An executable stack, and data that can be executed: neither where the sandbox says so, and else the latter.
fn written_code(stage: &mut Stage<'_>) -> Ran {
    let works = load(stage, change::executable_data)?;
    let mut kept_from = |change: fn(&mut Vec<u8>)| {
        let path = stage.changed_library(change)?;
        stage.open(|options| {
            options.libraries = vec![path];
            options.sandbox = Some(Sandbox { write_xor_execute: true, ..Sandbox::of(Profile::Compute) });
        })
    };
    match (works.as_str(), kept_from(change::executable_stack)) {
        ("5", Err(Stop::Failed(error)))
            if error.is(LoadFailed) && error.message().contains("an executable stack") => {}
        (works, other) => return Err(Stop::Wrong(format!("{works}, with an executable stack {other:?}"))),
    }
    kept_from(change::executable_data).map(|_| "loaded".into())
}

fn two_versions(stage: &mut Stage<'_>) -> Ran {
    let first = stage.another()?;
    let path = stage.changed_library(change::version_2)?;
    stage.open(|options| options.libraries = vec![path])?;
    let second = stage.int("version", &[])?;
    Ok(format!("version {} in one session, {second} in another", told(&first.call("version", &[])?)))
}

fn constructor(stage: &mut Stage<'_>) -> Ran {
    let variable = |how: &str| vec![("FAULTY_CONSTRUCTOR".to_owned(), how.to_owned())];
    let hung = stage.open(|options| {
        options.environment = variable("hang");
        options.start_deadline = Duration::from_millis(300);
    });
    match hung {
        Err(Stop::Failed(error)) if error.is(LoadFailed) && error.message().contains("in time") => {}
        other => return Err(Stop::Wrong(format!("a constructor that hangs: {other:?}"))),
    }
    stage.open(|options| options.environment = variable("crash"))?;
    stage.int("add", &[2, 3])
}

/// Another version in the same place: who runs keeps the old one, and who comes is told.
fn replaced(stage: &mut Stage<'_>) -> Ran {
    let path = stage.file("libfaulty-in-use.so", LIBRARY)?;
    let put = |path: &Path, bytes: &[u8]| {
        let beside = path.with_extension("new");
        fs::write(&beside, bytes)
            .and_then(|()| fs::rename(&beside, path))
            .map_err(Stop::lacks("a temporary file"))
    };
    let file = path.clone();
    stage.open(|options| options.libraries = vec![file])?;
    let mut other = LIBRARY.to_vec();
    change::version_2(&mut other);
    put(&path, &other)?;
    let running = stage.int("version", &[])?;
    if running != "1" {
        return Err(Stop::Wrong(format!("the worker that runs has version {running}")));
    }
    let died = stage.int("abort", &[]);
    let refused = stage.int("version", &[]);
    put(&path, LIBRARY)?;
    match died {
        Err(Stop::Failed(error)) if error.is(Crashed) => refused,
        other => Err(Stop::Wrong(format!("the worker did not end: {other:?}"))),
    }
}
