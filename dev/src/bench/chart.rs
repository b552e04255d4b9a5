//! What a run found, as a chart: horizontal bars on a logarithmic axis, for light and dark pages.

use super::page::{in_unit, time};
use super::rounds::Found;
use super::sections::OPERATIONS;

const WIDTH: f64 = 860.0;
/// Where bars begin: labels are left of it.
const LEFT: f64 = 170.0;
/// Where the axis ends: there must be room for a number behind the longest bar.
const RIGHT: f64 = WIDTH - 80.0;
/// Of a bar.
const THICK: f64 = 9.0;
/// Of a row: two bars, and a gap.
const ROW: f64 = 28.0;
/// Of a section's title with the gap above it.
const TITLE: f64 = 40.0;
/// Of the legend.
const TOP: f64 = 34.0;
/// Of the axis's numbers.
const BOTTOM: f64 = 30.0;

const STYLE: &str = "
.page { fill: #ffffff }
text { font: 12px system-ui, sans-serif; fill: #1f2328; stroke: #ffffff; stroke-width: 3px; paint-order: stroke }
.title, .own { font-weight: 600 }
.number { font-size: 10px; fill: #59636e }
.grid { stroke: #d1d9e0 }
.first { fill: #0969da }
.second { fill: #bf8700 }
@media (prefers-color-scheme: dark) {
  .page { fill: #0d1117 }
  text { fill: #f0f6fc; stroke: #0d1117 }
  .number { fill: #9198a1 }
  .grid { stroke: #3d444d }
  .first { fill: #4493f8 }
  .second { fill: #d29922 }
}
";

/// The bars of the two operations.
const CLASSES: [&str; 2] = ["first", "second"];

/// The chart, as the text of an SVG file.
pub(crate) fn svg(found: &Found) -> String {
    let rows = || found.sections.iter().flat_map(|section| &section.rows);
    let values = || rows().flat_map(|row| row.calls.iter().map(|call| call.median));
    let axis = Axis::of(values());
    let height = TOP + found.sections.len() as f64 * TITLE + rows().count() as f64 * ROW + BOTTOM;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\">\n<title>What a call takes, by Hotcell and by other means</title>\n\
         <style>{STYLE}</style>\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n"
    );
    let mut at = LEFT;
    for (class, (_, title)) in CLASSES.into_iter().zip(OPERATIONS) {
        svg.push_str(&bar(class, at, 12.0, 14.0));
        svg.push_str(&text("", at + 20.0, 21.0, title));
        at += 150.0;
    }
    for (nanoseconds, x) in axis.decades() {
        let (value, unit) = in_unit(nanoseconds);
        let end = height - BOTTOM;
        svg.push_str(&format!(
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{end}\"/>\n"
        ));
        svg.push_str(&text("number", x - 12.0, end + 16.0, &format!("{value:.0} {unit}")));
    }
    let mut y = TOP;
    for section in &found.sections {
        svg.push_str(&text("title", 8.0, y + 24.0, section.title));
        y += TITLE;
        for (at, row) in section.rows.iter().enumerate() {
            let class = if at == 0 { "own" } else { "" };
            svg.push_str(&text(class, 16.0, y + 13.0, row.label));
            for ((call, class), top) in row.calls.iter().zip(CLASSES).zip([y, y + THICK + 1.0]) {
                let end = axis.x(call.median);
                svg.push_str(&bar(class, LEFT, top, end - LEFT));
                svg.push_str(&text("number", end + 4.0, top + THICK - 0.5, &time(call.median)));
            }
            y += ROW;
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Powers of ten, from the one below the least value to the one above the greatest.
struct Axis {
    first: i32,
    last: i32,
}

impl Axis {
    fn of(values: impl Iterator<Item = f64>) -> Axis {
        let (mut first, mut last) = (i32::MAX, i32::MIN);
        for power in values.filter(|value| *value > 0.0).map(f64::log10) {
            first = first.min(power.floor() as i32);
            last = last.max(power.ceil() as i32);
        }
        // A chart of nothing has an axis too.
        let first = if first == i32::MAX { 0 } else { first };
        Axis { first, last: last.max(first + 1) }
    }

    fn x(&self, value: f64) -> f64 {
        let share = (value.log10() - f64::from(self.first)) / f64::from(self.last - self.first);
        LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    fn decades(&self) -> impl Iterator<Item = (f64, f64)> {
        (self.first..=self.last).map(|power| (10f64.powi(power), self.x(10f64.powi(power))))
    }
}

fn bar(class: &str, x: f64, y: f64, width: f64) -> String {
    // What is least is seen too.
    let width = width.max(1.0);
    format!("<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{THICK}\"/>\n")
}

fn text(class: &str, x: f64, y: f64, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    format!("<text{class} x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>\n")
}

#[cfg(test)]
mod tests {
    use super::super::rounds::{Call, FoundSection, Machine, Row};
    use super::*;

    fn found(values: &[(&'static str, f64)]) -> Found {
        let row = |&(label, median): &(&'static str, f64)| {
            let call = Call { median, min: median, max: median, ratio: None };
            Row { label, calls: [call; 2], bar: None }
        };
        let sections = vec![FoundSection { title: "one", rows: values.iter().map(row).collect() }];
        Found { machine: Machine::default(), load: None, rounds: 1, sections, left_out: Vec::new() }
    }

    /// Widths of the bars of a class, the legend's left out.
    fn widths(svg: &str, class: &str) -> Vec<f64> {
        let bars = svg.lines().filter(|line| line.starts_with(&format!("<rect class=\"{class}\"")));
        let width = |line: &str| line.split("width=\"").nth(1)?.split('"').next()?.parse().ok();
        bars.skip(1).map(|line| width(line).unwrap()).collect()
    }

    #[test]
    fn ten_times_as_long_is_as_much_longer_everywhere() {
        let svg = svg(&found(&[("a", 20.0), ("b", 200.0), ("c", 2_000.0)]));
        for class in CLASSES {
            let widths = widths(&svg, class);
            assert_eq!(widths.len(), 3);
            let steps = [widths[1] - widths[0], widths[2] - widths[1]];
            assert!((steps[0] - steps[1]).abs() < 0.2 && steps[0] > 100.0, "{widths:?}");
        }
        for part in ["10 ns", "10 µs", "200 ns", "2.00 µs", "prefers-color-scheme: dark"] {
            assert!(svg.contains(part), "{part}");
        }
        assert!(!svg.contains("<script"));
    }

    #[test]
    fn labels_are_text() {
        let svg = svg(&found(&[("a <b> & c", 1.0)]));
        assert!(svg.contains("a &lt;b&gt; &amp; c") && !svg.contains("<b>"));
    }

    #[test]
    fn everything_is_within() {
        let svg = svg(&found(&[("a", 0.5), ("b", 1e7), ("c", 1e7)]));
        assert!(widths(&svg, "first").iter().all(|width| (0.0..=RIGHT - LEFT).contains(width)));
        let last = svg.lines().rev().find_map(|line| line.split(" y=\"").nth(1)?.split('"').next()).unwrap();
        let height = svg.split("height=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(last.parse::<f64>().unwrap() < height.parse::<f64>().unwrap());
        // And of nothing there is a chart.
        assert!(super::svg(&found(&[])).ends_with("</svg>\n"));
    }
}
