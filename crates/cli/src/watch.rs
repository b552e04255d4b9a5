//! `hotcell ps`, `hotcell stats` and `hotcell reload`: what is seen and done of processes that use Hotcell.
//!
//! What they answer is theirs: root sees those of other users too, which may say anything. So texts are escaped, and what should be a
//! number and is none is a dash.

mod ps;
mod reload;
mod stats;

use std::io::{IsTerminal, stdout};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use hotcell::watch::{Host, PATIENCE, VARIABLE, look};
use hotcell_supervisor::escape;
use serde_json::Value;

use crate::args::{Format, LookArgs};
use crate::fail::Failure;
use crate::print::{self, complain, out};

pub(crate) use ps::run as ps;
pub(crate) use reload::run as reload;
pub(crate) use stats::run as stats;

/// Looks once, or again and again, and prints what is seen.
fn show(args: &LookArgs, text: impl Fn(&[Host]) -> String, json: impl Fn(&[Host]) -> Value) -> ExitCode {
    let mut first = true;
    loop {
        let hosts = match seen(args.host.as_deref()) {
            Ok(hosts) => hosts,
            Err(failure) => return failure.report(args.format),
        };
        let (again, terminal) = (args.watch.is_some(), stdout().is_terminal());
        let page = match args.format {
            Format::Json if again => print::json_line(&json(&hosts)),
            Format::Json => print::json(&json(&hosts)),
            Format::Text if again && terminal => format!("\x1b[H\x1b[2J{}", text(&hosts)),
            Format::Text if again && !first => format!("\n{}", text(&hosts)),
            Format::Text => text(&hosts),
        };
        if args.format == Format::Text && first {
            told_nothing(&hosts, args.host.as_deref());
        }
        if args.format == Format::Text {
            hosts.iter().filter_map(silent).for_each(|line| complain(&line));
        }
        if let Err(error) = out(&page) {
            return Failure::Usage(format!("cannot print: {error}")).report(args.format);
        }
        let Some(seconds) = args.watch else { return ExitCode::SUCCESS };
        first = false;
        thread::sleep(Duration::from_secs(seconds));
    }
}

/// The processes that let others look, or those that are meant of them.
fn seen(meant: Option<&str>) -> Result<Vec<Host>, Failure> {
    let hosts = look(PATIENCE).map_err(|error| {
        Failure::Usage(format!(
            "which processes let others look is not to be seen here: /proc/net/unix: {error}"
        ))
    })?;
    let is_meant =
        |host: &Host| meant.is_none_or(|meant| meant == host.pid.to_string() || meant == program(host));
    let mut hosts: Vec<Host> = hosts.into_iter().filter(is_meant).collect();
    hosts.sort_by_key(|host| host.pid);
    Ok(hosts)
}

/// Says what to do where nothing is to be seen.
fn told_nothing(hosts: &[Host], meant: Option<&str>) {
    match meant {
        _ if !hosts.is_empty() => {}
        Some(meant) => complain(&format!(
            "no process `{meant}` lets others look; it does with {VARIABLE}=look in its environment, or `Options::watch`"
        )),
        None => complain(&format!(
            "no process of this user lets others look; one does with {VARIABLE}=look in its environment, or `Options::watch`"
        )),
    }
}

/// That a process has not answered.
fn silent(host: &Host) -> Option<String> {
    let why = host.answer.as_ref().err()?;
    Some(format!("{} {}: {}", host.pid, program(host), escape(why)))
}

/// The name of a process's program.
fn program(host: &Host) -> String {
    let said = host.answer.as_ref().ok().and_then(|answer| answer["host"]["program"].as_str());
    let kernel = || std::fs::read_to_string(format!("/proc/{}/comm", host.pid)).unwrap_or_default();
    escape(said.map_or_else(kernel, str::to_owned).trim())
}

/// The sessions of a process.
fn sessions(host: &Host) -> &[Value] {
    list(host.answer.as_ref().ok().map(|answer| &answer["sessions"]))
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| "-".into(), escape)
}

fn number(value: &Value) -> String {
    value.as_u64().map_or_else(|| "-".into(), |number| number.to_string())
}

/// Bytes, as people read them.
fn bytes(value: &Value) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let Some(number) = value.as_u64() else { return "-".into() };
    if number < 1024 {
        return format!("{number} B");
    }
    let mut amount = number as f64 / 1024.0;
    let mut units = UNITS.iter().peekable();
    while amount >= 1024.0 && units.len() > 1 {
        amount /= 1024.0;
        units.next();
    }
    format!("{amount:.1} {}", units.next().expect("one is left"))
}

/// A time of so many nanoseconds, as people read it.
fn time(nanoseconds: Option<u64>) -> String {
    const UNITS: [(u64, &str, u64); 4] = [
        (3_600_000_000_000, "h", 60),
        (60_000_000_000, "min", 60),
        (1_000_000_000, "s", 1000),
        (1_000_000, "ms", 1000),
    ];
    let Some(number) = nanoseconds else { return "-".into() };
    match UNITS.iter().find(|(unit, ..)| number >= *unit) {
        Some((unit, name, _)) if number >= 10 * unit => format!("{} {name}", number / unit),
        Some((unit, name, _)) => format!("{:.1} {name}", number as f64 / *unit as f64),
        None if number >= 1000 => format!("{:.1} µs", number as f64 / 1000.0),
        None => format!("{number} ns"),
    }
}

fn milliseconds(value: &Value) -> String {
    time(value.as_u64().map(|number| number.saturating_mul(1_000_000)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_are_as_people_read_them() {
        let all = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536 << 10, "1.5 MiB"),
            (u64::MAX, "16384.0 PiB"),
        ];
        all.iter().for_each(|(number, expect)| assert_eq!(bytes(&json!(number)), *expect));
        let all = [
            (0, "0 ns"),
            (999, "999 ns"),
            (1500, "1.5 µs"),
            (2_500_000, "2.5 ms"),
            (12_000_000_000, "12 s"),
            (90_000_000_000, "1.5 min"),
            (7_200_000_000_000, "2.0 h"),
        ];
        all.iter().for_each(|(number, expect)| assert_eq!(time(Some(*number)), *expect));
        assert_eq!(
            (bytes(&json!("x")), time(None), number(&json!(-1))),
            ("-".into(), "-".into(), "-".into())
        );
    }

    #[test]
    fn texts_of_others_do_not_steer_a_terminal() {
        assert_eq!(text(&json!("a\u{1b}[2J")), "a\\u{1b}[2J");
        assert_eq!(text(&json!(["a"])), "-");
    }
}
