//! What a process has once, and a library changes for everybody.

use std::path::Path;

use hotcell::{ErrorKind::*, Profile, Sandbox, StatePart};

use crate::row::End::*;
use crate::row::Expected::*;
use crate::row::{Direct, Ran, Row, Stop};
use crate::stage::{Stage, told, wait_while};
use crate::value::Value;
use crate::via::Via;

pub(crate) const ROWS: &[Row] = &[
    Row::new(
        "E1",
        "locale-versus-utf8",
        Direct::new(&["change_locale", "{locales}"], GoesOn).says("when the program reads 1.5 as 1"),
        change_locale,
        Gives("1.5 is 1000 thousandths in that call, and 1500 in the next"),
    ),
    Row::new(
        "E2",
        "changes the directory",
        Direct::new(&["change_directory"], GoesOn).says("the program is elsewhere"),
        |stage| {
            let before = stage.state(None)?;
            let ran = stage.text("change_directory", "/proc");
            if stage.state(None)? == before && before.directory != Path::new("/proc") {
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
        Gives("63 in the first call and the second"),
    ),
    Row::new(
        "E4",
        "closes every descriptor",
        Direct::new(&["close_descriptors"], GoesOn)
            // It cannot print any more.
            .elsewhere(&[(Via::Python, Exits(1), "")]),
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
            let before = stage.state(None)?;
            let returned = stage.int("clear_environment", &[])?;
            let variable = stage.text("environment", "LANG")?;
            put_back(stage, StatePart::Environment, 1)?;
            match stage.state(None)? == before {
                true => Ok(format!("{returned}, and LANG is {variable} in the next call")),
                false => Err(Stop::Wrong("the program's environment is another".into())),
            }
        },
        Gives("0, and LANG is C.UTF-8 in the next call"),
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
    Row::new(
        "E9",
        "changes how numbers are rounded",
        Direct::new(&["round_up"], GoesOn).says("when the program's own sums are others"),
        |stage| {
            let third = |stage: &mut Stage<'_>| stage.int("third", &[]);
            let before = third(stage)?;
            let (changed, after) = (stage.int("round_up", &[])?, third(stage)?);
            put_back(stage, StatePart::Arithmetic, 1)?;
            match changed == "0" && before == after {
                true => Ok(format!("a third is {after}, before and after")),
                false => Err(Stop::Wrong(format!("a third was {before}, and is {after}"))),
            }
        },
        Gives("a third is 0.3333333333333333, before and after"),
    ),
    Row::new(
        "E10",
        "state of its own that others change",
        Direct::new(&["count_twice"], GoesOn).says("returned 2"),
        |stage| {
            let first = stage.int("count", &[])?;
            let second = told(&stage.another()?.call("count", &[])?);
            Ok(format!("{first} in one session, {second} in another"))
        },
        Gives("1 in one session, 1 in another"),
    ),
];

/// What it takes away may be missed at once, at the next call, or at one behind that.
fn descriptors(stage: &mut Stage<'_>, name: &str) -> Ran {
    let before = stage.session()?.generation();
    let mut missed = false;
    let mut went = |ran: Ran| match ran {
        Ok(_) => Ok(()),
        Err(Stop::Failed(error)) if error.is_fault() => {
            missed = true;
            Ok(())
        }
        Err(other) => Err(other),
    };
    went(stage.int(name, &[]))?;
    // This one needs memory that is not mapped yet, and that goes through a descriptor.
    let text = Value::Text("x".repeat(1 << 20));
    went(stage.call("print", &[text, Value::Int(0)]).map(|outcome| told(&outcome)))?;
    went(stage.int("add", &[1, 1]))?;
    match missed || stage.session()?.generation() > before {
        true => Ok("every call returned or failed as one".into()),
        false => Err(Stop::Wrong("the worker never missed them".into())),
    }
}

fn change_mask(stage: &mut Stage<'_>) -> Ran {
    let before = stage.state(Some(0o027))?;
    let ran = stage.int("change_mask", &[0]).and_then(|first| Ok((first, stage.int("change_mask", &[0])?)));
    let after = stage.state(Some(before.mask))?;
    let (first, second) = ran?;
    put_back(stage, StatePart::Umask, 2)?;
    match after.mask {
        0o027 if first == second => Ok(format!("{first} in the first call and the second")),
        other => Err(Stop::Wrong(format!("{first}, then {second}; the program's mask is {other:o}"))),
    }
}

/// Whether the worker has seen a part of its state changed so often, and put it back.
pub(super) fn put_back(stage: &mut Stage<'_>, part: StatePart, times: u64) -> Result<(), Stop> {
    let session = stage.session()?;
    let changes = || session.stats().put_back(part);
    // It is looked at behind the reply.
    wait_while(
        || changes().is_some_and(|seen| seen < times),
        "the worker has not seen a change of its state",
    )?;
    match changes() {
        Some(seen) if seen == times => Ok(()),
        seen => Err(Stop::Wrong(format!("the worker has seen {seen:?} changes"))),
    }
}

/// A locale that writes 1.5 as 1,5: it holds in the call that sets it, and not in the next.
fn change_locale(stage: &mut Stage<'_>) -> Ran {
    let folder = stage.locales()?;
    let path = folder.display().to_string();
    stage.open(|options| {
        options.environment = vec![("LOCPATH".to_owned(), path)];
        options.sandbox = Some(Sandbox { read: vec![folder], ..Sandbox::of(Profile::Files) });
    })?;
    let during = stage.call("use_locale", &[Value::Text("comma".into()), Value::Text("1.5".into())])?;
    let after = stage.text("thousandths", "1.5")?;
    put_back(stage, StatePart::Locale, 1)?;
    Ok(format!("1.5 is {} thousandths in that call, and {after} in the next", told(&during)))
}
