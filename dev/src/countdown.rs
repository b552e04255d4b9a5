//! `cargo dev countdown`: a host, the server of a client, a worker or a keeper killed at every system call of every scenario.
//!
//! The tests are those of `cargo dev test`, which takes a share of the moments (`tests/e2e/tests/countdown.rs`).

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::process::{cargo, show, step, watch};

pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let every = every(arguments)?;
    step("build", || show(&mut cargo(root, ["build", "--workspace", "--bins"])))?;
    let mut tests =
        cargo(root, ["test", "--package", "hotcell-e2e", "--test", "countdown", "--", "--nocapture"]);
    tests.env("HOTCELL_COUNTDOWN_EVERY", every.to_string());
    let mut scenarios = 0;
    watch(&mut tests, |line| scenarios += usize::from(line.contains(" moments, ")))?;
    ensure!(scenarios > 0, "nothing was killed: no process may be traced here");
    Ok(())
}

/// One of so many moments is tried.
fn every(arguments: &[String]) -> Result<u32> {
    match arguments {
        [] => Ok(1),
        [word, every] if word == "--every" => {
            let every = every.parse().ok().filter(|&every| every > 0);
            every.context("`--every` needs a number")
        }
        [other, ..] => bail!("unexpected argument `{other}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read() {
        let read = |line: &str| every(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!((read("").unwrap(), read("--every 5").unwrap()), (1, 5));
        for wrong in ["--every", "--every 0", "--every x", "5", "--all"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
