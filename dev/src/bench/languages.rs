//! Calls of programs in Go and Python, contained and by what the language has for calling C: measured, and as a page with a chart.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::figures::{self, Report};
use super::rounds::{self, Call, Found, FoundSection, Row};
use super::{chart, write};
use crate::process::step;
use crate::{python, setup};

const PAGE: &str = "docs/internals/languages.md";
const CHART: &str = "docs/internals/languages.svg";

/// What stands above the table.
const HEAD: &str = "\
# Calls from Go and Python, measured

What `hotcell bench --lang go --lang python` found in one run; [how each is run](data-path.md#calls-from-other-languages). Written by\n\
`cargo dev bench --only-languages --write-docs`.
";

/// What stands between what it was measured on and the table.
const LEGEND: &str = "\
![All times, on a logarithmic axis](languages.svg)

A *ratio* is to what the figure is held against, a *bar* the most that it may be: 0.01 is a hundred times faster. *In process* is the ratio to the same \
by cgo.
";

/// A part of the chart, with what Hotcell takes in front.
struct Section {
    title: &'static str,
    rows: &'static [(&'static str, [&'static str; 2])],
}

/// Labels, and figures for each of [`super::sections::OPERATIONS`].
const SECTIONS: &[Section] = &[
    Section {
        title: "Python, both sides polling on two cores, or in process on one",
        rows: &[
            ("Hotcell", ["python.contained.add", "python.contained.crc32.1k"]),
            (
                "Hotcell, map of 10 000",
                ["python.contained.map.10000.add", "python.contained.map.10000.crc32.1k"],
            ),
            ("ctypes", ["python.ctypes.add", "python.ctypes.crc32.1k"]),
            ("cffi, API mode", ["python.cffi.add", "python.cffi.crc32.1k"]),
        ],
    },
    Section {
        title: "Python, default settings of each, nothing pinned",
        rows: &[
            ("Hotcell", ["python.contained.add.default-mode", "python.contained.crc32.1k.default-mode"]),
            (
                "multiprocessing.Pipe",
                ["python.multiprocessing.pipe.add", "python.multiprocessing.pipe.crc32.1k"],
            ),
            ("Pool(1).apply", ["python.multiprocessing.pool.add", "python.multiprocessing.pool.crc32.1k"]),
        ],
    },
    Section {
        title: "Go, both sides polling on two cores, or in process on one",
        rows: &[
            ("Hotcell", ["go.contained.add", "go.contained.crc32.1k"]),
            ("Hotcell, batches of 64", ["go.contained.batch.64.add", "go.contained.batch.64.crc32.1k"]),
            ("cgo", ["go.cgo.add", "go.cgo.crc32.1k"]),
        ],
    },
];

/// Measures, and writes the page where that is asked for.
pub(super) fn run(
    root: &Path,
    hotcell: &Path,
    rounds: u32,
    quick: bool,
    write_docs: bool,
    check: bool,
) -> Result<()> {
    step("setup of what is measured", setup::run)?;
    let mut client = None;
    step("build the client for Python", || {
        client = Some(python::released(root)?);
        Ok(())
    })?;
    let client = client.context("the step before made it")?;
    let mut command = Command::new(hotcell);
    command.args(["bench", "--lang", "go", "--lang", "python", "--rounds", &rounds.to_string()]);
    command.args(quick.then_some("--quick"));
    command.arg("--python").arg(client.interpreter);
    command.env("PYTHONPATH", client.packages).env_remove("HOTCELL_WORKER");
    let load = rounds::load_now();
    let report = figures::read(&mut command)?;
    let text = page(&report, load);
    println!("{text}");
    if write_docs {
        write(root, PAGE, &text)?;
        write(root, CHART, &chart::svg(&charted(&report, rounds)))?;
    }
    let missed = report.missed();
    ensure!(!check || missed.is_empty(), "beyond their bars: {}", missed.join(", "));
    Ok(())
}

fn page(report: &Report, load: Option<f64>) -> String {
    let machine = report.machine_line(load);
    let programs: String = report.programs().map(|(name, about)| format!("- `{name}`: {about}\n")).collect();
    format!("{HEAD}\n{machine}\n\n{programs}\n{LEGEND}\n{}", report.table())
}

/// What the chart shows: rows of which both figures were measured, of sections with one.
fn charted(report: &Report, rounds: u32) -> Found {
    let call = |id: &str| {
        let (median, min, max) = report.spread(id)?;
        Some(Call { median, min, max, ratio: None })
    };
    let row = |&(label, [add, crc]): &(&'static str, [&'static str; 2])| {
        Some(Row { label, calls: [call(add)?, call(crc)?], bar: None })
    };
    let section = |section: &Section| {
        let rows: Vec<Row> = section.rows.iter().filter_map(row).collect();
        (!rows.is_empty()).then_some(FoundSection { title: section.title, rows })
    };
    let sections = SECTIONS.iter().filter_map(section).collect();
    Found { machine: report.machine().clone(), load: None, rounds, sections, left_out: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(figures: &str) -> Report {
        let text = format!(
            r#"{{"machine": {{"cpu": "a CPU", "cpus": 2, "caller_on": 0, "peer_on": 1, "virtual": true, "kernel": "6.1",
            "hotcell": "0.1.0", "programs": {{"go.cgo": "cgo of go1.26"}}}}, "figures": [{figures}], "left_out": []}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn figure(id: &str, median: f64) -> String {
        format!(
            r#"{{"id": "{id}", "unit": "ns", "median": {median}, "min": {median}, "max": {median}, "baseline": "go.cgo.add",
            "ratio": 0.0025, "bar": 0.01, "ok": true, "direct": null, "direct_ratio": null}}"#
        )
    }

    #[test]
    fn the_page_says_what_was_measured_and_how_much_faster_it_is() {
        let page = page(&report(&figure("go.contained.add", 300.0)), Some(0.1));
        for part in [
            "load average 0.1 before it began\n",
            "- `go.cgo`: cgo of go1.26\n",
            "| `go.contained.add` | 300 ns | 300 ns – 300 ns | 0.0025 | 0.01 | go.cgo.add |  |\n",
            "(languages.svg)",
        ] {
            assert!(page.contains(part), "{part:?} is not in\n{page}");
        }
    }

    #[test]
    fn the_chart_has_what_was_measured() {
        let ids = ["go.cgo.add", "go.cgo.crc32.1k", "go.contained.add"];
        let figures: Vec<String> = ids.iter().map(|id| figure(id, 40.0)).collect();
        let found = charted(&report(&figures.join(",")), 1);
        let rows: Vec<&str> = found.sections.iter().flat_map(|it| &it.rows).map(|it| it.label).collect();
        assert_eq!((found.sections.len(), rows), (1, vec!["cgo"]));
        assert!(chart::svg(&found).contains(">cgo<"));
    }

    #[test]
    fn the_program_has_the_figures_of_the_chart() {
        let tables = [
            include_str!("../../../crates/bench/src/languages/go.rs"),
            include_str!("../../../crates/bench/src/languages/python.rs"),
        ];
        for id in SECTIONS.iter().flat_map(|section| section.rows).flat_map(|row| row.1) {
            assert!(tables.iter().any(|table| table.contains(&format!("\"{id}\""))), "{id}");
        }
    }
}
