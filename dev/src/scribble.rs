//! `cargo dev scribble`: a worker that writes into all memory it shares, for as long as one likes, while calls run.
//!
//! The test is that of `cargo dev test`, which gives it ten seconds (`tests/e2e/tests/scribbler`).

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::fuzz::LEDGER;
use crate::process::{cargo, output, show, step, watch};

#[derive(Debug, PartialEq, Eq)]
struct Arguments {
    minutes: u32,
    /// Where its random numbers begin.
    seed: u64,
    /// Whether a row is written into the ledger.
    ledger: bool,
}

pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let Arguments { minutes, seed, ledger } = Arguments::parse(arguments)?;
    // What is built now, whatever is committed meanwhile.
    let head = output(Command::new("git").args(["rev-parse", "--short=7", "HEAD"]).current_dir(root))?;
    step("build", || show(&mut cargo(root, ["build", "--workspace", "--bins"])))?;
    // The test too: that it cannot be built is no finding.
    let test = ["test", "--package", "hotcell-e2e", "--test", "scribbler"];
    step("build the test", || show(cargo(root, test).arg("--no-run")))?;
    let mut tests = cargo(root, test);
    tests.args(["--", "--nocapture"]);
    tests.env("HOTCELL_SCRIBBLE_SECONDS", (u64::from(minutes) * 60).to_string());
    tests.env("HOTCELL_SCRIBBLE_SEED", seed.to_string());
    let mut calls = None;
    let outcome = watch(&mut tests, |line| calls = calls.or_else(|| calls_of(line)));
    if ledger {
        let row = row(head.trim(), minutes, calls.unwrap_or(0), outcome.is_ok());
        let mut file = File::options().append(true).open(root.join(LEDGER)).context("opening the ledger")?;
        file.write_all(row.as_bytes()).context("writing the ledger")?;
    }
    outcome?;
    ensure!(calls.is_some_and(|calls| calls > 0), "no call was made");
    Ok(())
}

/// How many calls were made, of the line in which the test sums up.
fn calls_of(line: &str) -> Option<u64> {
    let rest = line.split_once("Seen { made: ")?.1;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// A row of the ledger.
fn row(version: &str, minutes: u32, calls: u64, well: bool) -> String {
    let findings = if well { "none" } else { "one" };
    format!("| scribbler | {version} | {minutes} | {calls} calls | {findings} |\n")
}

impl Arguments {
    fn parse(words: &[String]) -> Result<Arguments> {
        let mut arguments = Arguments { minutes: 10, seed: 1, ledger: false };
        let mut words = words.iter();
        let number =
            |word: Option<&String>| word.and_then(|word| word.parse::<u32>().ok()).filter(|&it| it > 0);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--minutes" => {
                    arguments.minutes = number(words.next()).context("`--minutes` needs a number")?
                }
                "--seed" => arguments.seed = number(words.next()).context("`--seed` needs a number")?.into(),
                "--ledger" => arguments.ledger = true,
                other => bail!("unexpected argument `{other}`"),
            }
        }
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Arguments::parse(&words)
    }

    #[test]
    fn arguments_are_read() {
        assert_eq!(parse("").unwrap(), Arguments { minutes: 10, seed: 1, ledger: false });
        let long = Arguments { minutes: 60, seed: 7, ledger: true };
        assert_eq!(parse("--minutes 60 --seed 7 --ledger").unwrap(), long);
        for wrong in ["--minutes", "--minutes 0", "--seed x", "lane"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_the_test_sums_up_becomes_a_row() {
        let line = "seeds 1 to 90: [5, 6] words and replies, Seen { made: 1234, succeeded: 7, failed: {} }";
        assert_eq!(calls_of(line), Some(1234));
        assert_eq!(calls_of("seed 3: Aimed, 2 words, pause 16"), None);
        assert_eq!(row("abc", 10, 1234, true), "| scribbler | abc | 10 | 1234 calls | none |\n");
    }
}
