//! Hotcell's own figures as a page of the documentation.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::page::{digits, in_unit, machine_line};
use super::rounds::Machine;
use crate::process::output;

/// What `hotcell bench --format json` prints.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    machine: Machine,
    figures: Vec<Figure>,
    left_out: Vec<LeftOut>,
}

#[derive(Debug, Deserialize)]
struct Figure {
    id: String,
    unit: String,
    median: f64,
    min: f64,
    max: f64,
    baseline: Option<String>,
    ratio: Option<f64>,
    bar: Option<f64>,
    ok: Option<bool>,
    direct: Option<String>,
    direct_ratio: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct LeftOut {
    id: String,
    reason: String,
}

/// Measures, with these words for `hotcell bench`.
pub(crate) fn measure(hotcell: &Path, words: &[String]) -> Result<Report> {
    let words = words.iter().filter(|word| *word != "--check");
    let mut command = Command::new(hotcell);
    read(command.arg("bench").args(words))
}

/// Runs `hotcell bench`, with the words that it has so far.
pub(crate) fn read(command: &mut Command) -> Result<Report> {
    command.args(["--format", "json"]).stderr(std::process::Stdio::inherit());
    serde_json::from_str(&output(command)?).context("what `hotcell bench` printed")
}

impl Report {
    /// The figures that are beyond their bars.
    pub(crate) fn missed(&self) -> Vec<&str> {
        self.figures.iter().filter(|it| it.ok == Some(false)).map(|it| it.id.as_str()).collect()
    }

    /// What it was made on.
    pub(crate) fn machine_line(&self, load: Option<f64>) -> String {
        machine_line(&self.machine, load)
    }

    pub(crate) fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Programs in other languages, and what they say of themselves.
    pub(crate) fn programs(&self) -> impl Iterator<Item = (&String, &String)> {
        self.machine.programs.iter()
    }

    /// Median, least and most of a figure.
    pub(crate) fn spread(&self, id: &str) -> Option<(f64, f64, f64)> {
        let figure = self.figures.iter().find(|it| it.id == id)?;
        Some((figure.median, figure.min, figure.max))
    }

    /// The page.
    pub(crate) fn markdown(&self, load: Option<f64>) -> String {
        format!(
            "# Figures\n\n\
             What `hotcell bench` found in one run; [what each figure is](data-path.md#how-figures-are-taken). Written by `cargo dev bench\n\
             --write-docs`.\n\n\
             {}\n\n\
             A *ratio* is to what the figure is held against, a *bar* the most that it may be; where there is nothing to hold it against, the bar is on\n\
             the median. Behind it, how many times longer the same takes than in process.\n\n{}",
            self.machine_line(load),
            self.table(),
        )
    }

    /// Every figure, and what was left out.
    pub(crate) fn table(&self) -> String {
        let mut page = String::from(
            "| figure | median | least – most | ratio | bar | held against | in process |\n\
             |---|--:|--:|--:|--:|---|---|\n",
        );
        for figure in &self.figures {
            page.push_str(&format!("{}\n", figure.row()));
        }
        if !self.left_out.is_empty() {
            page.push_str("\n## Left out\n\n");
            for it in &self.left_out {
                page.push_str(&format!("- `{}`: {}\n", it.id, it.reason));
            }
        }
        page
    }
}

impl Figure {
    fn row(&self) -> String {
        let value = |value: f64| match &*self.unit {
            "ns" => {
                let (value, unit) = in_unit(value);
                format!("{} {unit}", digits(value))
            }
            unit => format!("{} {unit}", digits(value)),
        };
        let number = |number: Option<f64>| number.map_or(String::new(), digits);
        let bar = match (self.bar, self.ok) {
            (Some(bar), Some(true)) => format!("{bar}"),
            (Some(bar), _) => format!("**{bar}**"),
            (None, _) => String::new(),
        };
        let direct = match (&self.direct, self.direct_ratio) {
            (Some(direct), Some(ratio)) => format!("{} × `{direct}`", digits(ratio)),
            _ => String::new(),
        };
        format!(
            "| `{}` | {} | {} – {} | {} | {bar} | {} | {direct} |",
            self.id,
            value(self.median),
            value(self.min),
            value(self.max),
            number(self.ratio),
            self.baseline.as_deref().unwrap_or_default(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_figure_with_its_unit_and_marks_what_is_missed() {
        let report: Report = serde_json::from_str(
            r#"{"machine": {"cpu": "a CPU", "cpus": 2, "caller_on": 0, "peer_on": 1, "virtual": true, "kernel": "6.1", "hotcell": "0.1.0"},
            "figures": [
              {"id": "contained.add", "unit": "ns", "median": 339.1, "min": 320.0, "max": 1500.0, "baseline": "raw.spin", "ratio": 1.32,
               "bar": 1.3, "ok": false, "direct": "direct.add", "direct_ratio": 169.6},
              {"id": "worker.idle.pss", "unit": "KiB", "median": 1229.0, "min": 1220.0, "max": 1240.0, "baseline": null, "ratio": null,
               "bar": 3072.0, "ok": true, "direct": null, "direct_ratio": null}],
            "left_out": [{"id": "raw.spin", "reason": "one CPU"}]}"#,
        )
        .unwrap();
        let page = report.markdown(Some(0.1));
        for part in [
            "a CPU, 2 virtual CPUs, Linux 6.1; Hotcell 0.1.0; load average 0.1 before it began",
            "| `contained.add` | 339 ns | 320 ns – 1.50 µs | 1.32 | **1.3** | raw.spin | 170 × `direct.add` |\n",
            "| `worker.idle.pss` | 1229 KiB | 1220 KiB – 1240 KiB |  | 3072 |  |  |\n",
            "- `raw.spin`: one CPU\n",
        ] {
            assert!(page.contains(part), "{part:?} is not in\n{page}");
        }
        assert_eq!(report.missed(), ["contained.add"]);
    }
}
