//! Objects that are reached twice: by several parents, in calls from callbacks, by what they belong to.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell::dynamic::{self, Outcome, Value};
use hotcell::{ErrorKind, Executed, Options};
use hotcell_bind::{Job, Source};
use hotcell_e2e::cli::{Folder, committed};
use hotcell_e2e::packages::{run_app, write_app};

fn grove() -> Folder {
    let folder = Folder::new();
    folder.write("grove.h", include_str!("../src/grove/grove.h"));
    folder.write("grove.c", include_str!("../src/grove/grove.c"));
    folder.write("bind.toml", include_str!("../src/grove/bind.toml"));
    folder.compile_with("grove", &["-Wextra", "-Werror", "-Wl,-soname,libgrove.so"]);
    folder
}

/// What is asserted is in the application, case by case.
#[test]
fn objects_that_are_reached_twice_live_as_long_as_they_should() {
    let folder = grove();
    let runtime = format!("{{ path = {:?} }}", committed("crates/hotcell"));
    folder
        .hotcell(["gen", "bind.toml", "-I", ".", "-L", ".", "--out", "package", "--runtime", &runtime])
        .succeeds()
        .mentions("package is written: 33 functions");
    let dependencies = format!("grove-hotcell = {{ path = \"../package\" }}\nhotcell = {runtime}");
    write_app(&folder, &dependencies, include_str!("../src/grove/app.rs"));
    let here = folder.path().display().to_string();
    let library = folder.path().join("libgrove.so").display().to_string();
    let variables = [("HOTCELL_GROVE_INCLUDE", &*here), ("HOTCELL_GROVE_LIB", &here), ("GROVE", &library)];
    let said = run_app(&folder, "grove-hotcell", &variables);
    assert_eq!(said.lines().count(), 13, "{said}");
    assert!(said.lines().all(|line| line.ends_with(": yes")), "{said}");
}

#[test]
fn a_structure_that_stays_serves_one_call_at_a_time() {
    let folder = grove();
    let job = Job {
        source: Source::Contract(folder.path().join("bind.toml")),
        only: None,
        include_dirs: Vec::new(),
        defines: Vec::new(),
        library_dirs: vec![folder.path().to_owned()],
    };
    let bound = hotcell_bind::bind(&job).unwrap();
    let session = bound.open(Options::default()).unwrap();
    let function = |name: &str| bound.interface.function(name).unwrap();
    let pump = |outcome: Outcome| outcome.outs.into_iter().find(|(name, _)| name == "pump").unwrap().1;
    let filled = |pump: &Value, data: &[u8]| {
        let Value::Struct(mut fields) = pump.clone() else { panic!("{pump:?}") };
        fields.retain(|(name, _)| name != "next_in");
        fields.push(("next_in".into(), Value::Bytes(data.to_vec())));
        Value::Struct(fields)
    };
    let new = [Value::Struct(Vec::new())];
    let started =
        pump(dynamic::call(&session, &bound.interface, function("grove_pump_start"), &new).unwrap());
    let run = |data: &[u8], callback: &mut dynamic::Callback<'_>| {
        let args = [filled(&started, data), Value::Callback];
        dynamic::call_with(&session, &bound.interface, function("grove_pump_run"), &args, callback).map(pump)
    };
    let mut inner = Vec::new();
    let outer = run(&[1, 2, 3], &mut |_, _| {
        inner.push(run(&[10, 20], &mut |_, _| Ok(Value::Int(0))).unwrap_err());
        let end = [started.clone()];
        inner.push(dynamic::call(&session, &bound.interface, function("grove_pump_end"), &end).unwrap_err());
        Ok(Value::Int(0))
    });
    let Value::Struct(fields) = outer.unwrap() else { panic!("no structure") };
    assert!(fields.contains(&("total".into(), Value::Int(6))), "{fields:?}");
    for error in inner {
        assert_eq!((error.kind(), error.executed()), (ErrorKind::InvalidArgument, Executed::No), "{error}");
        assert!(error.message().contains("`pump` is in use by a call around"), "{error}");
    }
    assert!(run(&[4], &mut |_, _| Ok(Value::Int(0))).is_ok(), "behind it all is well");
    assert_eq!(session.generation(), 1);
}
