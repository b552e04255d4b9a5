//! What a run found, as text for a terminal and as a page of the documentation.

use super::rounds::{Call, Found, Machine, Row};
use super::sections::OPERATIONS;

/// For a terminal.
pub(crate) fn text(found: &Found) -> String {
    let mut text = String::new();
    for section in &found.sections {
        text.push_str(&format!("\n{}\n", section.title));
        let [add, crc] = OPERATIONS.map(|it| format!("{:>15} {:>7}", it.1, "times"));
        text.push_str(&format!("  {:<22} {add} {:>5}   {crc}\n", "", "bar"));
        for row in &section.rows {
            let call = |call: &Call| format!("{:>15} {:>7}", time(call.median), times(call.ratio));
            let bar = row.bar.map_or(String::new(), |bar| bar.to_string());
            let [add, crc] = &row.calls;
            let (add, crc) = (call(add), call(crc));
            let line = format!("  {:<22} {add} {bar:>5}   {crc}  {}", row.label, verdict(row));
            text.push_str(&format!("{}\n", line.trim_end()));
        }
    }
    for (what, reason) in &found.left_out {
        text.push_str(&format!("left out: {what}: {reason}\n"));
    }
    text
}

/// For the documentation.
pub(crate) fn markdown(found: &Found) -> String {
    let mut page = format!(
        "# Peers, measured\n\n\
         The same two calls by other means, in the same run as Hotcell's; [how each is run](data-path.md#peers). Written by\n\
         `cargo dev bench --write-docs`.\n\n\
         {}; medians of {} rounds.\n\
         *Times* is how many contained calls one call takes, measured right before it and right behind it; a *bar* is the least that\n\
         this must be.\n\n\
         ![All times, on a logarithmic axis](peers.svg)\n",
        machine_line(&found.machine, found.load),
        found.rounds,
    );
    for section in &found.sections {
        let [add, crc] = OPERATIONS.map(|it| it.1);
        page.push_str(&format!("\n## {}\n\n", section.title));
        page.push_str(&format!("| | {add} | least – most | times | bar | {crc} | least – most | times |\n"));
        page.push_str("|---|---|---|---|---|---|---|---|\n");
        for row in &section.rows {
            let [add, crc] = row.calls.each_ref().map(|call| {
                let ends = format!("{} – {}", time(call.min), time(call.max));
                format!("{} | {ends} | {}", time(call.median), times(call.ratio))
            });
            let bar = match row.bar {
                Some(bar) => format!("{bar}: {}", verdict(row)),
                None => String::new(),
            };
            page.push_str(&format!("| {} | {add} | {bar} | {crc} |\n", row.label));
        }
    }
    if !found.left_out.is_empty() {
        page.push_str("\n## Left out\n\n");
        for (what, reason) in &found.left_out {
            page.push_str(&format!("- {what}: {reason}\n"));
        }
    }
    page
}

/// What a run was made on.
pub(crate) fn machine_line(machine: &Machine, load: Option<f64>) -> String {
    format!(
        "{}, {} {}CPUs, Linux {}; Hotcell {}{}",
        machine.cpu.as_deref().unwrap_or("An unknown CPU"),
        machine.cpus,
        if machine.r#virtual { "virtual " } else { "" },
        machine.kernel.as_deref().unwrap_or("of an unknown version"),
        machine.hotcell,
        load.map_or(String::new(), |load| format!("; load average {load:.1} before it began")),
    )
}

fn verdict(row: &Row) -> &'static str {
    match row.ok() {
        Some(true) => "ok",
        Some(false) => "missed",
        None => "",
    }
}

/// Nanoseconds as a person says them, with three digits that count.
pub(crate) fn time(nanoseconds: f64) -> String {
    let (value, unit) = in_unit(nanoseconds);
    format!("{} {unit}", digits(value))
}

/// Nanoseconds in the unit that suits them.
pub(crate) fn in_unit(nanoseconds: f64) -> (f64, &'static str) {
    match nanoseconds {
        short if short < 1e3 => (short, "ns"),
        middle if middle < 1e6 => (middle / 1e3, "µs"),
        long => (long / 1e6, "ms"),
    }
}

fn times(ratio: Option<f64>) -> String {
    ratio.map_or(String::new(), digits)
}

pub(crate) fn digits(value: f64) -> String {
    let decimals = match value {
        // A ratio of a hundredth is to be told from one of half that.
        below if below < 0.1 => 4,
        below if below < 10.0 => 2,
        below if below < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::super::rounds::{FoundSection, Machine};
    use super::*;

    fn found() -> Found {
        let call = |median: f64, ratio| Call { median, min: median / 2.0, max: median * 2.0, ratio };
        let hotcell = Row { label: "Hotcell", calls: [call(512.0, None), call(1400.0, None)], bar: None };
        let calls = [call(65_000.0, Some(127.0)), call(71_200.0, Some(51.0))];
        let grpc = Row { label: "gRPC", calls, bar: Some(100.0) };
        let calls = [call(21.5, Some(0.042)), call(640.0, Some(0.5))];
        let wasm = Row { label: "a <b> & c", calls, bar: None };
        let machine = Machine { cpu: Some("a CPU".into()), cpus: 2, r#virtual: true, ..Machine::default() };
        let sections = vec![FoundSection { title: "Back to back", rows: vec![hotcell, grpc, wasm] }];
        let left_out = vec![("JSON".to_owned(), "no python".to_owned())];
        Found { machine, load: Some(0.5), rounds: 5, sections, left_out }
    }

    #[test]
    fn times_are_short() {
        for (nanoseconds, expect) in [
            (21.54, "21.5 ns"),
            (512.4, "512 ns"),
            (1400.0, "1.40 µs"),
            (65_432.0, "65.4 µs"),
            (2.5e6, "2.50 ms"),
        ] {
            assert_eq!(time(nanoseconds), expect);
        }
    }

    #[test]
    fn the_table_has_ratios_and_bars() {
        let text = text(&found());
        let line = |label: &str| {
            let line = text.lines().find(|line| line.trim_start().starts_with(label)).unwrap();
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("gRPC"), "gRPC 65.0 µs 127 100 71.2 µs 51.0 ok");
        assert_eq!(line("Hotcell"), "Hotcell 512 ns 1.40 µs");
        assert!(text.contains("left out: JSON: no python\n"));
    }

    #[test]
    fn the_page_names_the_machine_and_every_row() {
        let page = markdown(&found());
        for part in [
            "a CPU, 2 virtual CPUs, Linux of an unknown version",
            "load average 0.5 before it began; medians of 5 rounds",
            "(peers.svg)",
            "## Back to back\n",
            "| gRPC | 65.0 µs | 32.5 µs – 130 µs | 127 | 100: ok | 71.2 µs | 35.6 µs – 142 µs | 51.0 |\n",
            "| Hotcell | 512 ns | 256 ns – 1.02 µs |  |  | 1.40 µs | 700 ns – 2.80 µs |  |\n",
            "- JSON: no python\n",
        ] {
            assert!(page.contains(part), "{part:?} is not in\n{page}");
        }
        let mut found = found();
        found.sections[0].rows[1].calls[0].ratio = Some(99.0);
        assert!(markdown(&found).contains("100: missed"));
    }
}
