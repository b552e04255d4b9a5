//! What a run found, as it is printed.

use serde_json::{Value, json};

use crate::plan::{Baseline, Figure};
use crate::rounds::{Ratios, Taken};
use crate::statistics::{Spread, spread};

/// What a run found.
#[derive(Debug)]
pub struct Report {
    /// The machine, as a JSON object.
    pub machine: Value,
    /// Every figure that was measured, in the order of the table.
    pub figures: Vec<Measured>,
    /// Every figure that this machine, or this run, cannot have.
    pub left_out: Vec<LeftOut>,
}

/// A figure.
#[derive(Debug)]
pub struct Measured {
    /// Its name.
    pub id: &'static str,
    /// What it counts.
    pub unit: &'static str,
    /// Its samples, one or more for each round.
    pub spread: Spread,
    /// What it is held against.
    pub baseline: Option<String>,
    /// The median of the ratios of all rounds.
    pub ratio: Option<f64>,
    /// The most that the ratio may be, or the median where there is no baseline.
    pub bar: Option<f64>,
    /// The figure of the same done in process.
    pub direct: Option<String>,
    /// The median of the ratios to it.
    pub direct_ratio: Option<f64>,
}

/// A figure that cannot be had.
#[derive(Debug)]
pub struct LeftOut {
    /// Its name.
    pub id: &'static str,
    /// Why.
    pub reason: String,
}

impl Measured {
    /// Whether it is within its bar; `None` without one, or without the baseline to compare with.
    pub fn ok(&self) -> Option<bool> {
        let value = if self.baseline.is_some() { self.ratio? } else { self.spread.median };
        self.bar.map(|bar| value <= bar)
    }

    fn to_json(&self) -> Value {
        let Spread { median, min, max } = self.spread;
        json!({
            "id": self.id, "unit": self.unit, "median": median, "min": min, "max": max,
            "baseline": self.baseline, "ratio": self.ratio, "bar": self.bar, "ok": self.ok(),
            "direct": self.direct, "direct_ratio": self.direct_ratio,
        })
    }
}

impl Report {
    pub(crate) fn new<'a>(
        machine: Value,
        figures: impl Iterator<Item = &'a Figure>,
        taken: &Taken,
    ) -> Report {
        let measured = figures.filter_map(|figure| {
            let spread = spread(taken.values.get(figure.id)?)?;
            let text = |baseline: Baseline| (!baseline.of.is_empty()).then(|| baseline.to_string());
            let ratio = taken.ratios.get(figure.id).and_then(Ratios::median);
            let direct_ratio = taken.direct.get(figure.id).and_then(Ratios::median);
            let (baseline, direct) = (text(figure.baseline), text(figure.direct));
            let &Figure { id, unit, bar, .. } = figure;
            Some(Measured { id, unit, spread, baseline, ratio, bar, direct, direct_ratio })
        });
        let left_out = taken.left_out.iter().map(|(id, reason)| LeftOut { id, reason: reason.clone() });
        Report { machine, figures: measured.collect(), left_out: left_out.collect() }
    }

    /// `{"machine": …, "figures": […], "left_out": […]}`.
    pub fn to_json(&self) -> Value {
        let figures: Vec<Value> = self.figures.iter().map(Measured::to_json).collect();
        let left_out = self.left_out.iter().map(|it| json!({ "id": it.id, "reason": it.reason }));
        json!({ "machine": self.machine, "figures": figures, "left_out": left_out.collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIGURES: [Figure; 4] = [
        Figure::plain("base"),
        Figure::plain("call").over(&["base"]).beside(&["base"]).bar(1.3),
        Figure::of("size", "KiB").bar(3.0),
        Figure::plain("absent").bar(1.0),
    ];

    fn taken() -> Taken {
        let mut taken = Taken::default();
        taken.values.insert("base", vec![100.0, 1000.0, 100.0]);
        taken.values.insert("call", vec![120.0, 1200.0, 190.0]);
        let steady = vec![1.2, 1.2, 1.9];
        taken.ratios.insert("call", Ratios { steady, unsteady: Vec::new() });
        taken.direct.insert("call", Ratios { steady: vec![150.0, 160.0, 155.0], unsteady: Vec::new() });
        taken.values.insert("size", vec![4.0]);
        taken.left_out.push(("absent", "one CPU".into()));
        taken
    }

    #[test]
    fn a_ratio_is_the_median_of_the_ratios_of_rounds() {
        let report = Report::new(json!({}), FIGURES.iter(), &taken());
        let figure = |id: &str| report.figures.iter().find(|it| it.id == id).unwrap();
        assert_eq!((figure("call").ratio, figure("call").ok()), (Some(1.2), Some(true)));
        assert_eq!(
            (figure("call").direct.as_deref(), figure("call").direct_ratio),
            (Some("base"), Some(155.0))
        );
        assert_eq!((figure("size").ratio, figure("size").ok()), (None, Some(false)));
        assert_eq!((figure("base").spread.median, figure("base").ok()), (100.0, None));
        assert_eq!(report.figures.len(), 3);
    }

    #[test]
    fn a_figure_without_its_baseline_is_neither_good_nor_bad() {
        let mut taken = taken();
        taken.ratios.clear();
        let report = Report::new(json!({}), FIGURES.iter(), &taken);
        let json = &report.to_json()["figures"][1];
        assert_eq!((&json["id"], &json["baseline"]), (&json!("call"), &json!("base")));
        assert_eq!((&json["ratio"], &json["ok"]), (&Value::Null, &Value::Null));
    }

    #[test]
    fn figures_have_their_keys_in_order() {
        let json = Report::new(json!({"cpus": 2}), FIGURES.iter(), &taken()).to_json();
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(keys(&json), "machine figures left_out");
        assert_eq!(
            keys(&json["figures"][0]),
            "id unit median min max baseline ratio bar ok direct direct_ratio"
        );
        assert_eq!(json["left_out"], json!([{"id": "absent", "reason": "one CPU"}]));
    }
}
