//! `cargo dev check`: what CI asks of a change besides its tests. Every check runs; the verdict is last.

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::process::{cargo, elapsed, output, show, succeeds};
use crate::{bench, fuzz, generate, go, tidy};

/// The cargo-deny that deny.toml was written for. Another one that is installed already is taken as it is.
const CARGO_DENY: &str = "0.20.2";

struct Check {
    name: &'static str,
    run: fn(&Path) -> Result<()>,
}

const CHECKS: &[Check] = &[
    Check { name: "fmt", run: fmt },
    Check { name: "gen", run: |root| generate::run(root, generate::Mode::Check) },
    Check { name: "tidy", run: tidy::run },
    Check {
        name: "clippy",
        run: |root| {
            quiet(root, &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"])
        },
    },
    Check { name: "doc", run: doc },
    Check { name: "deny", run: deny },
    Check { name: "go", run: go::check },
];

pub(crate) fn run(root: &Path) -> Result<()> {
    verdict(CHECKS, root)
}

fn verdict(checks: &[Check], root: &Path) -> Result<()> {
    let mut failed = Vec::new();
    for check in checks {
        print!("{:<8}", check.name);
        std::io::stdout().flush().context("writing to standard output")?;
        let start = Instant::now();
        let result = (check.run)(root);
        let time = elapsed(start.elapsed());
        match result {
            Ok(()) => println!("ok      {time}"),
            Err(error) => {
                println!("FAILED  {time}\n{error:#}\n");
                failed.push(check.name);
            }
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn quiet(root: &Path, arguments: &[&str]) -> Result<()> {
    output(&mut cargo(root, arguments)).map(drop)
}

/// The workspaces beside ours too, though nothing else of them is looked at here: they are slow to build.
fn fmt(root: &Path) -> Result<()> {
    quiet(root, &["fmt", "--all", "--check"])?;
    [bench::PEERS, fuzz::GUIDED]
        .iter()
        .try_for_each(|workspace| quiet(root, &["fmt", "--manifest-path", workspace, "--check"]))
}

fn doc(root: &Path) -> Result<()> {
    let mut command = cargo(root, ["doc", "--quiet", "--no-deps", "--workspace"]);
    output(command.env("RUSTDOCFLAGS", "-D warnings")).map(drop)
}

fn deny(root: &Path) -> Result<()> {
    if !succeeds(&mut cargo(root, ["deny", "--version"])) {
        println!("installing cargo-deny {CARGO_DENY}, once; this takes minutes");
        show(&mut cargo(root, ["install", "--locked", "cargo-deny", "--version", CARGO_DENY]))?;
    }
    quiet(root, &["deny", "--workspace", "check", "licenses", "bans", "sources"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_runs_and_the_failed_ones_are_named() {
        const GOOD: Check = Check { name: "good", run: |_| Ok(()) };
        const BAD: Check = Check { name: "bad", run: |_| bail!("broken") };
        const WORSE: Check = Check { name: "worse", run: |_| bail!("broken too") };
        let root = Path::new(".");
        assert!(verdict(&[GOOD], root).is_ok());
        let error = verdict(&[BAD, GOOD, WORSE], root).unwrap_err();
        assert_eq!(error.to_string(), "failed: bad, worse");
    }
}
