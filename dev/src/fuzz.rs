//! `cargo dev fuzz`: the fuzz targets of `tests/fuzz` below libFuzzer, for as long as one likes.
//!
//! The compiler that is pinned here puts the counting of what an input reaches into the code, without anything that is not
//! stable (`docs/adr/0033-fuzz-targets-are-functions.md`).

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::process::{cargo, output, show, step};
use crate::{bench, setup};

/// A workspace of its own: nothing else is compiled with these flags.
pub(crate) const GUIDED: &str = "tests/fuzz/guided/Cargo.toml";

/// The worker of the target `replies`.
const PEER: &str = "hotcell-random-peer";

/// Where it is built, and where inputs and findings are left.
const TARGET: &str = "target/fuzz";

/// The inputs that are kept, a folder for each target.
const CORPUS: &str = "tests/fuzz/corpus";

/// Words that inputs of a target are made of, where that helps.
const WORDS: &str = "tests/fuzz/words";

pub(crate) const LEDGER: &str = "tests/fuzz/LEDGER.md";

/// Blocks and edges are counted, and what is compared is noted.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing";

/// Seconds an input may take.
const PATIENCE: u32 = 60;

/// MiB a target may use.
const MEMORY: u32 = 4096;

#[derive(Debug, PartialEq, Eq)]
struct Arguments {
    /// None: all of them.
    target: Option<String>,
    /// Inputs to run instead of looking for others.
    files: Vec<PathBuf>,
    minutes: u32,
    /// Whether a row is written into the ledger.
    ledger: bool,
}

/// What libFuzzer says at the end.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    executions: u64,
    /// Inputs that reached something new.
    found: u64,
}

pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let arguments = Arguments::parse(arguments)?;
    let known = targets(root)?;
    let chosen = match &arguments.target {
        None => known,
        Some(name) if known.contains(name) => vec![name.clone()],
        Some(name) => bail!("there is no target `{name}`; there are {}", known.join(", ")),
    };
    step("setup", setup::for_fuzzing)?;
    // What is built now, whatever is committed meanwhile.
    let head = output(Command::new("git").args(["rev-parse", "--short=7", "HEAD"]).current_dir(root))?;
    // Not below libFuzzer: what it does is the input.
    let peer = ["build", "--package", "hotcell-fuzz", "--bin", PEER];
    step("build the worker that lies", || show(&mut cargo(root, peer)))?;
    let programs = bench::target(root).join("debug");
    let peer = programs.join(PEER);
    // Some targets are of a library, whose header it reads for them.
    let reader = ["build", "--package", "hotcell-cli", "--bin", "hotcell"];
    step("build the program that reads headers", || show(&mut cargo(root, reader)))?;
    let reader = programs.join("hotcell");
    let program = build(root)?;
    let mut failed = Vec::new();
    for name in &chosen {
        let mut command = Command::new(&program);
        command
            .env("HOTCELL_FUZZ_TARGET", name)
            .env("HOTCELL_RANDOM_PEER", &peer)
            .env("HOTCELL_READER", &reader);
        command.current_dir(root);
        if !arguments.files.is_empty() {
            show(command.args(&arguments.files))?;
            continue;
        }
        println!("== {name}, {} min", arguments.minutes);
        let (figures, well) = guide(root, command, name, arguments.minutes)?;
        println!("   {name}: {} executions, {} new inputs", figures.executions, figures.found);
        if arguments.ledger {
            let row = row(name, head.trim(), arguments.minutes, &figures, well);
            let mut file =
                File::options().append(true).open(root.join(LEDGER)).context("opening the ledger")?;
            file.write_all(row.as_bytes()).context("writing the ledger")?;
        }
        if !well {
            failed.push(name.as_str());
        }
    }
    ensure!(failed.is_empty(), "findings in {TARGET}/findings: {}", failed.join(", "));
    Ok(())
}

/// The targets, by the folders of their inputs.
fn targets(root: &Path) -> Result<Vec<String>> {
    let folders = fs::read_dir(root.join(CORPUS)).with_context(|| format!("reading {CORPUS}"))?;
    let name = |folder: fs::DirEntry| folder.file_name().to_string_lossy().into_owned();
    let mut names = folders.map(|folder| Ok(name(folder?))).collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// Builds it. The flags need a target that is named: without one they are for build scripts, too.
fn build(root: &Path) -> Result<PathBuf> {
    let version = output(Command::new("rustc").args(["-vV"]).current_dir(root))?;
    let machine =
        version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc has no host")?;
    let words =
        ["build", "--release", "--manifest-path", GUIDED, "--target-dir", TARGET, "--target", machine];
    step("build the targets", || show(cargo(root, words).env("RUSTFLAGS", FLAGS)))?;
    Ok(root.join(TARGET).join(machine).join("release/hotcell-fuzz-guided"))
}

/// Runs a target; whether it ended well.
fn guide(root: &Path, mut command: Command, name: &str, minutes: u32) -> Result<(Figures, bool)> {
    let folder = |kind: &str| root.join(TARGET).join(kind).join(name);
    let (found, findings) = (folder("found"), folder("findings"));
    for folder in [&found, &findings] {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    command.arg(found).arg(root.join(CORPUS).join(name));
    command.args([
        format!("-artifact_prefix={}/", findings.display()),
        format!("-max_total_time={}", u64::from(minutes) * 60),
        format!("-timeout={PATIENCE}"),
        format!("-rss_limit_mb={MEMORY}"),
        "-print_final_stats=1".into(),
        "-use_value_profile=1".into(),
    ]);
    let words = root.join(WORDS).join(name);
    if words.is_file() {
        command.arg(format!("-dict={}", words.display()));
    }
    let mut child = command.stderr(Stdio::piped()).spawn().context("starting the targets")?;
    let stderr = child.stderr.take().expect("stderr was asked to be a pipe");
    let mut figures = Figures::default();
    for line in BufReader::new(stderr).split(b'\n') {
        let line = line.context("reading libFuzzer's output")?;
        let line = String::from_utf8_lossy(&line);
        eprintln!("{line}");
        figures.hear(&line);
    }
    let status = child.wait().context("waiting for the targets")?;
    Ok((figures, status.success()))
}

impl Figures {
    fn hear(&mut self, line: &str) {
        let number = |name: &str| line.strip_prefix(name)?.trim().parse().ok();
        if let Some(number) = number("stat::number_of_executed_units:") {
            self.executions = number;
        }
        if let Some(number) = number("stat::new_units_added:") {
            self.found = number;
        }
    }
}

/// A row of the ledger.
fn row(name: &str, version: &str, minutes: u32, figures: &Figures, well: bool) -> String {
    let findings = if well { "none" } else { "one" };
    format!("| {name} | {version} | {minutes} | {} | {findings} |\n", figures.executions)
}

impl Arguments {
    fn parse(words: &[String]) -> Result<Arguments> {
        let mut arguments = Arguments { target: None, files: Vec::new(), minutes: 1, ledger: false };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--minutes" => {
                    let number = words.next().and_then(|word| word.parse().ok()).filter(|&it| it > 0);
                    arguments.minutes = number.context("`--minutes` needs a number")?;
                }
                "--ledger" => arguments.ledger = true,
                option if option.starts_with('-') => bail!("unexpected option `{option}`"),
                target if arguments.target.is_none() => arguments.target = Some(target.to_owned()),
                file => {
                    let path = std::path::absolute(file).with_context(|| format!("the path {file}"))?;
                    arguments.files.push(path);
                }
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
        let all = Arguments { target: None, files: Vec::new(), minutes: 1, ledger: false };
        assert_eq!(parse("").unwrap(), all);
        let found = parse("lane --minutes 15 --ledger").unwrap();
        assert_eq!((found.target.as_deref(), found.minutes, found.ledger), (Some("lane"), 15, true));
        assert_eq!(parse("lane a b").unwrap().files.len(), 2);
        for wrong in ["--minutes", "--minutes 0", "--minutes soon", "--fast"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_libfuzzer_says_becomes_a_row() {
        let mut figures = Figures::default();
        let said =
            ["#2\tINITED", "stat::number_of_executed_units: 1234", "stat::new_units_added:          7"];
        said.iter().for_each(|line| figures.hear(line));
        assert_eq!(figures, Figures { executions: 1234, found: 7 });
        assert_eq!(row("lane", "abc", 15, &figures, true), "| lane | abc | 15 | 1234 | none |\n");
    }
}
