//! Structures of every kind that travels: what comes of them is what comes of a direct call.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use hotcell_bind::{Job, Source};
use hotcell_differential::{Settings, run};

const FILES: [(&str, &str); 4] = [
    ("records.h", include_str!("records/records.h")),
    ("records.c", include_str!("records/records.c")),
    ("bind.toml", include_str!("records/bind.toml")),
    ("differential.toml", include_str!("records/differential.toml")),
];

fn compile(folder: &Path) {
    for (name, text) in FILES {
        fs::write(folder.join(name), text).unwrap();
    }
    let mut command = Command::new("cc");
    command.args(["-w", "-O1", "-shared", "-fPIC", "-Wl,-soname,librecords.so", "-o"]);
    command.arg(folder.join("librecords.so")).arg(folder.join("records.c"));
    assert!(command.status().unwrap().success());
}

#[test]
fn every_kind_of_structure() {
    let folder = tempfile::tempdir().unwrap();
    compile(folder.path());
    let job = Job {
        source: Source::Contract(folder.path().join("bind.toml")),
        only: None,
        include_dirs: vec![folder.path().to_owned()],
        defines: Vec::new(),
        library_dirs: vec![folder.path().to_owned()],
    };
    let recipes = Some(folder.path().join("differential.toml"));
    let left_out = hotcell_bind::bind(&job).unwrap().interface.left_out;
    assert!(left_out.is_empty(), "{left_out:#?}");
    let report = run(&job, &Settings { recipes, ..Settings::default() }).unwrap();
    assert!(report.passed(), "{report}");
    let declared = FILES[0].1.lines().filter(|line| line.ends_with(");")).count();
    assert_eq!(report.groups.len(), declared, "{report}");
    assert!(report.equal() > 6 * declared, "{report}");
}
