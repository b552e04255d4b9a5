//! `cargo dev bench`: what contained calls cost on this machine, and what the same calls cost by other means.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::demo;
use crate::process::{cargo, show, step};

mod chart;
mod figures;
mod languages;
mod page;
mod rounds;
mod sections;

/// The peers' own workspace: none of what they depend on is a dependency of the product.
pub(crate) const PEERS: &str = "benches/peers/Cargo.toml";

/// Where it is built.
const TARGET: &str = "target/peers";

/// What `--write-docs` writes.
const PAGE: &str = "docs/internals/peers.md";
const CHART: &str = "docs/internals/peers.svg";
const FIGURES: &str = "docs/internals/figures.md";

const ROUNDS: u32 = 5;
const QUICK_ROUNDS: u32 = 1;

/// What is measured.
#[derive(Debug, PartialEq, Eq)]
struct Arguments {
    /// `hotcell bench` itself, with these words.
    hotcell: Option<Vec<String>>,
    peers: bool,
    /// Calls of programs in other languages.
    languages: bool,
    write_docs: bool,
    quick: bool,
    rounds: Option<u32>,
    /// Beyond a bar is a failure.
    check: bool,
}

pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let arguments = Arguments::parse(arguments)?;
    demo::build(root)?;
    let folder = target(root);
    let hotcell = folder.join("release/hotcell");
    // Beyond a bar, with `--check`: the peers are measured all the same.
    let figures = match &arguments.hotcell {
        Some(words) if arguments.write_docs => write_figures(root, &hotcell, words, arguments.check),
        Some(words) => show(Command::new(&hotcell).arg("bench").args(words)),
        None => Ok(()),
    };
    let peers = if arguments.peers { measure_peers(root, &hotcell, &arguments) } else { Ok(()) };
    if arguments.languages {
        let rounds = arguments.rounds();
        let &Arguments { quick, write_docs, check, .. } = &arguments;
        languages::run(root, &hotcell, rounds, quick, write_docs, check)?;
    }
    figures.and(peers)
}

/// The same calls by means that have nothing to do with C.
fn measure_peers(root: &Path, hotcell: &Path, arguments: &Arguments) -> Result<()> {
    let build = ["build", "--release", "--manifest-path", PEERS, "--target-dir", TARGET];
    step("build the peers", || show(&mut cargo(root, build)))
        .context("what they need has nothing to do with Hotcell: `--no-peers` goes without them")?;
    let programs = rounds::Programs {
        hotcell: hotcell.to_owned(),
        peers: root.join(TARGET).join("release/hotcell-peers"),
    };
    let found = rounds::run(&programs, arguments.rounds(), arguments.quick)?;
    println!("{}", page::text(&found));
    if arguments.write_docs {
        write(root, PAGE, &page::markdown(&found))?;
        write(root, CHART, &chart::svg(&found))?;
    }
    let missed = found.missed();
    ensure!(!arguments.check || missed.is_empty(), "beyond their bars: {}", missed.join(", "));
    Ok(())
}

/// Measures, and writes what was found into the documentation; a run of some figures only is no page.
fn write_figures(root: &Path, hotcell: &Path, words: &[String], check: bool) -> Result<()> {
    let load = rounds::load_now();
    let report = figures::measure(hotcell, words)?;
    let page = report.markdown(load);
    println!("{page}");
    if !words.iter().any(|word| word.starts_with("--only") || word.starts_with("--lang")) {
        write(root, FIGURES, &page)?;
    }
    let missed = report.missed();
    ensure!(!check || missed.is_empty(), "beyond their bars: {}", missed.join(", "));
    Ok(())
}

fn write(root: &Path, path: &str, text: &str) -> Result<()> {
    fs::write(root.join(path), text).with_context(|| format!("writing {path}"))?;
    println!("wrote {path}");
    Ok(())
}

/// Where the workspace is built.
pub(crate) fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

impl Arguments {
    fn parse(words: &[String]) -> Result<Arguments> {
        let has = |name: &str| words.iter().any(|word| word == name);
        let (no_peers, only_peers, write_docs) =
            (has("--no-peers"), has("--only-peers"), has("--write-docs"));
        let only_languages = has("--only-languages");
        if no_peers && (only_peers || only_languages || write_docs) {
            bail!(
                "`--no-peers` leaves out what `--only-peers`, `--only-languages` and `--write-docs` are about"
            );
        }
        if only_peers && only_languages {
            bail!("`--only-peers` and `--only-languages` leave out each other");
        }
        // Who asks for single figures, for JSON or for help does not want the peers behind it.
        let narrow = words.iter().any(|word| {
            let name = word.split('=').next().unwrap_or_default();
            ["--only", "--lang", "--format", "--help", "-h"].contains(&name)
        });
        let ours = ["--no-peers", "--only-peers", "--only-languages", "--write-docs"];
        let hotcell: Vec<String> =
            words.iter().filter(|word| !ours.contains(&word.as_str())).cloned().collect();
        Ok(Arguments {
            peers: !no_peers && !only_languages && (only_peers || write_docs || !narrow),
            languages: !no_peers && !only_peers && (only_languages || write_docs || !narrow),
            write_docs,
            quick: has("--quick"),
            rounds: rounds_of(words)?,
            check: has("--check"),
            hotcell: (!only_peers && !only_languages).then_some(hotcell),
        })
    }

    fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { QUICK_ROUNDS } else { ROUNDS })
    }
}

/// The number behind `--rounds`.
fn rounds_of(words: &[String]) -> Result<Option<u32>> {
    let behind = words.iter().position(|word| word == "--rounds").and_then(|at| words.get(at + 1));
    let within = words.iter().find_map(|word| word.strip_prefix("--rounds="));
    let Some(text) = within.or(behind.map(String::as_str)) else { return Ok(None) };
    let number = text.parse().ok().filter(|number| *number > 0);
    number.map(Some).with_context(|| format!("`--rounds {text}`: how many?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments> {
        Arguments::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn peers_and_other_languages_come_behind_a_whole_run() {
        let check = |line: &str, hotcell: Option<&str>, peers: bool, languages: bool| {
            let found = parse(line).unwrap();
            let words = found.hotcell.map(|words| words.join(" "));
            assert_eq!(
                (words.as_deref(), found.peers, found.languages),
                (hotcell, peers, languages),
                "{line}"
            );
        };
        check("", Some(""), true, true);
        check("--quick --rounds 2", Some("--quick --rounds 2"), true, true);
        check("--quick --no-peers", Some("--quick"), false, false);
        check("--only-peers --quick", None, true, false);
        check("--only-languages --write-docs", None, false, true);
        check("--only raw.spin", Some("--only raw.spin"), false, false);
        check("--lang go", Some("--lang go"), false, false);
        check("--format=json", Some("--format=json"), false, false);
        check("--only raw.spin --write-docs", Some("--only raw.spin"), true, true);
        for wrong in [
            "--no-peers --write-docs",
            "--no-peers --only-peers",
            "--no-peers --only-languages",
            "--only-peers --only-languages",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rounds_are_for_both() {
        assert_eq!(parse("--rounds 3").unwrap().rounds, Some(3));
        assert_eq!(parse("--rounds=4 --check").unwrap().rounds, Some(4));
        assert_eq!(parse("--quick").unwrap().rounds, None);
        for wrong in ["--rounds", "--rounds 0", "--rounds many"] {
            assert!(parse(wrong).is_err() == (wrong != "--rounds"), "{wrong}");
        }
    }
}
