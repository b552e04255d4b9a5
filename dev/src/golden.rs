//! `cargo dev golden [--update]`: what the generators write, held against what is committed.

use std::path::Path;

use anyhow::{Result, bail};

use crate::process::{cargo, show, step};

/// Generated packages that are committed: contract, and folder.
const PACKAGES: &[(&str, &str)] = &[
    ("examples/cjson/bind.toml", "examples/cjson/rust"),
    ("examples/sqlite3/bind.toml", "examples/sqlite3/rust"),
    ("examples/zlib/bind.toml", "examples/zlib/rust"),
    ("examples/zstd/bind.toml", "examples/zstd/rust"),
];

/// Where a package of `examples/` finds the runtime.
const RUNTIME: &str = r#"{ path = "../../../crates/hotcell", version = "0.1.0" }"#;

/// Tests that hold what is committed against what is made now, and write it when they are asked to.
const TESTS: &[(&str, &[&str])] = &[
    ("shims and packages of the generator's tests", &["-p", "hotcell-generate"]),
    ("the library that `hotcell bench` measures", &["-p", "hotcell-measured"]),
    ("the library of `hotcell lab`", &["-p", "hotcell-faulty"]),
    ("the page of the lab", &["-p", "hotcell-lab", "--test", "page"]),
    ("the page of the command line", &["-p", "hotcell-cli", "reference"]),
    ("what the examples' contracts cover", &["-p", "hotcell-cli", "coverage"]),
    ("what the inference rules conclude about them", &["-p", "hotcell-cli", "evidence"]),
];

pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let update = match arguments {
        [] => false,
        [word] if word == "--update" => true,
        other => bail!("unexpected arguments {other:?}: `--update` is all there is"),
    };
    for (what, words) in TESTS {
        step(what, || {
            let mut tests = cargo(root, ["test", "--quiet"].iter().chain(*words));
            if update {
                tests.env("HOTCELL_UPDATE_GOLDEN", "1");
            }
            show(&mut tests)
        })?;
    }
    for (contract, folder) in PACKAGES {
        step(folder, || {
            let run = ["run", "--quiet", "-p", "hotcell-cli", "--", "gen", contract, "--out", folder];
            // What was merged by hand is overwritten, too.
            let how = if update { "--force" } else { "--check" };
            show(&mut cargo(root, run.into_iter().chain(["--runtime", RUNTIME, how])))
        })?;
    }
    Ok(())
}
