//! `cargo dev countdown`: a host, the server of a client, a worker or a keeper killed at every system call of every scenario.
//!
//! The tests are those of `cargo dev test`, which takes a share of the moments (`tests/e2e/tests/countdown.rs`).

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::process::{cargo, show, step, watch};

pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let (every, part) = share(arguments)?;
    step("build", || show(&mut cargo(root, ["build", "--workspace", "--bins"])))?;
    let mut tests =
        cargo(root, ["test", "--package", "hotcell-e2e", "--test", "countdown", "--", "--nocapture"]);
    tests.env("HOTCELL_COUNTDOWN_EVERY", every.to_string());
    tests.envs(part.map(|part| ("HOTCELL_COUNTDOWN_PART", part.to_string())));
    let mut scenarios = 0;
    watch(&mut tests, |line| scenarios += usize::from(line.contains(" moments, ")))?;
    ensure!(scenarios > 0, "nothing was killed: no process may be traced here");
    Ok(())
}

/// One of so many moments is tried, and which of each so many.
fn share(arguments: &[String]) -> Result<(u32, Option<u32>)> {
    let number = |word: &str, number: &String| {
        let number = number.parse().ok().filter(|&number: &u32| number > 0);
        number.with_context(|| format!("`{word}` needs a number"))
    };
    let (mut every, mut part) = (1, None);
    let mut rest = arguments;
    while let [word, behind @ ..] = rest {
        let value = behind.first().cloned().unwrap_or_default();
        match word.as_str() {
            "--every" => every = number(word, &value)?,
            "--part" => part = Some(number(word, &value)?),
            other => bail!("unexpected argument `{other}`"),
        }
        rest = behind.get(1..).unwrap_or_default();
    }
    ensure!(part.is_none_or(|part| part <= every), "there are {every} parts: `--every` says how many");
    Ok((every, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read() {
        let read = |line: &str| share(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!((read("").unwrap(), read("--every 5").unwrap()), ((1, None), (5, None)));
        assert_eq!(read("--every 4 --part 4").unwrap(), (4, Some(4)));
        for wrong in ["--every", "--every 0", "--every x", "5", "--all", "--part 2", "--every 4 --part 5"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
