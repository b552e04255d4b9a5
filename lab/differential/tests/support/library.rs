//! A library of a test's own, with its contract and recipes, in a folder.

use std::fs;
use std::path::Path;
use std::process::Command;

use hotcell_bind::{Job, Source};
use hotcell_differential::{Report, Settings, run};

/// Compiles a library of this name.
pub(crate) fn compile(folder: &Path, name: &str, header: &str, source: &str) {
    let file = |ending| folder.join(format!("{name}.{ending}"));
    fs::write(file("h"), header).unwrap();
    fs::write(file("c"), source).unwrap();
    let library = format!("lib{name}.so");
    let mut command = Command::new("cc");
    command.args(["-w", "-O1", "-shared", "-fPIC", &format!("-Wl,-soname,{library}"), "-o"]);
    command.arg(folder.join(library)).arg(file("c"));
    assert!(command.status().unwrap().success());
}

/// Writes a contract with its recipes, and gives what binds it.
pub(crate) fn job(folder: &Path, contract: &str, recipes: &str) -> Job {
    fs::write(folder.join("bind.toml"), contract).unwrap();
    fs::write(folder.join("differential.toml"), recipes).unwrap();
    Job {
        source: Source::Contract(folder.join("bind.toml")),
        only: None,
        include_dirs: vec![folder.to_owned()],
        defines: Vec::new(),
        library_dirs: vec![folder.to_owned()],
    }
}

/// Compares what it binds with direct calls, by the recipes beside the contract.
pub(crate) fn compared(folder: &Path, job: &Job) -> Report {
    let recipes = Some(folder.join("differential.toml"));
    run(job, &Settings { recipes, ..Settings::default() }).unwrap()
}
