//! `hotcell bench`: what a contained call costs on this machine.

use std::io::{IsTerminal, Write, stderr};
use std::process::ExitCode;

use hotcell::ErrorKind;
use hotcell_bench::{Error, Language, Measured, Report, Settings, Toolchains};

use crate::args::{BenchArgs, CallsIn, Format};
use crate::fail::Failure;
use crate::print::{complain, out, out_width};
use crate::table::{BAD, Cell, FAINT, GOOD, columns};

/// What makes this program answer the raw limits.
const PEER: &[&str] = &["bench", "--peer"];

/// With `--check`: a figure is beyond its bar.
const MISSED: u8 = 1;

pub(crate) fn run(args: &BenchArgs) -> ExitCode {
    if args.peer {
        return match hotcell_bench::serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain(&format!("error: `--peer` is for `hotcell bench` itself: {error}"));
                ExitCode::from(ErrorKind::InvalidArgument.exit_code())
            }
        };
    }
    let settings = settings(args);
    let terminal = stderr().is_terminal();
    let mut before = 0;
    let mut progress = |round: u32, rounds: u32, figure: &str| {
        if terminal {
            let _ = write!(stderr(), "\r\x1b[Kround {round} of {rounds}: {figure}");
        } else if round != before {
            complain(&format!("round {round} of {rounds}"));
        }
        before = round;
    };
    let report = hotcell_bench::run(&settings, PEER, &mut progress);
    if terminal {
        let _ = write!(stderr(), "\r\x1b[K");
    }
    let report = match report {
        Ok(report) => report,
        Err(Error::Call { figure, error }) => {
            complain(&format!("{figure} could not be measured"));
            return Failure::Call(error).report(args.format);
        }
        Err(error) => return Failure::Usage(error.to_string()).report(args.format),
    };
    for it in &report.left_out {
        complain(&format!("left out: {}: {}", it.id, it.reason));
    }
    let text = match args.format {
        Format::Json => format!("{:#}\n", report.to_json()),
        Format::Text => table(&report),
    };
    if let Err(error) = out(&text) {
        return Failure::Usage(format!("cannot print: {error}")).report(Format::Text);
    }
    let missed = report.figures.iter().any(|figure| figure.ok() == Some(false));
    if args.check && missed { ExitCode::from(MISSED) } else { ExitCode::SUCCESS }
}

fn settings(args: &BenchArgs) -> Settings {
    let language = |it: &CallsIn| match it {
        CallsIn::Rust => Language::Rust,
        CallsIn::Go => Language::Go,
        CallsIn::Python => Language::Python,
    };
    Settings {
        quick: args.quick,
        rounds: args.rounds,
        only: args.only.clone(),
        languages: args.lang.iter().map(language).collect(),
        toolchains: Toolchains { python: args.python.clone(), go_runtime: args.runtime.clone() },
    }
}

fn table(report: &Report) -> String {
    let head = ["", "median", "min", "max", "", "ratio", "bar", "", "held against"];
    let head = head.map(|it| Cell::new(it, FAINT)).to_vec();
    let rows: Vec<Vec<Cell>> = std::iter::once(head).chain(report.figures.iter().map(row)).collect();
    columns(&rows, out_width())
}

fn row(figure: &Measured) -> Vec<Cell> {
    let right = |text: String| Cell::plain(format!("{text:>9}"));
    let ratio = |value: Option<f64>| right(value.map_or(String::new(), fraction));
    let (verdict, style) = match figure.ok() {
        Some(true) => ("ok", GOOD),
        Some(false) => ("beyond", BAD),
        None => ("", FAINT),
    };
    let spread = figure.spread;
    vec![
        Cell::plain(figure.id),
        right(short(spread.median)),
        right(short(spread.min)),
        right(short(spread.max)),
        Cell::plain(figure.unit),
        ratio(figure.ratio),
        ratio(figure.bar),
        Cell::new(verdict, style),
        Cell::new(figure.baseline.clone().unwrap_or_default(), FAINT),
    ]
}

/// A ratio: one of a hundred times, and of a hundredth, is to be told from others.
fn fraction(value: f64) -> String {
    if value.abs() < 0.1 { format!("{value:.4}") } else { format!("{value:.2}") }
}

/// A number with three digits that count, thousands apart.
fn short(value: f64) -> String {
    let decimals = match value.abs() {
        below if below < 10.0 => 2,
        below if below < 100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    let digits = text.trim_start_matches('-');
    let (whole, rest) = digits.split_once('.').map_or((digits, String::new()), |(a, b)| (a, format!(".{b}")));
    let mut apart = String::new();
    for (at, digit) in whole.char_indices() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            apart.push(' ');
        }
        apart.push(digit);
    }
    format!("{}{apart}{rest}", if text.starts_with('-') { "-" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_of_what_is_much_faster_are_told_apart() {
        let check = |value, expect| assert_eq!(fraction(value), expect);
        check(1.304, "1.30");
        check(0.1, "0.10");
        check(0.0025, "0.0025");
        check(0.0, "0.0000");
    }

    #[test]
    fn numbers_are_short() {
        let check = |value, expect| assert_eq!(short(value), expect);
        check(1.2345, "1.23");
        check(0.0, "0.00");
        check(12.345, "12.3");
        check(281.4, "281");
        check(65_123.9, "65 124");
        check(1_234_567.0, "1 234 567");
        check(-1_234.0, "-1 234");
    }
}
