//! `hotcell ps`, `hotcell stats` and `hotcell reload`: what is seen and done of processes that use Hotcell.
//!
//! What they answer is theirs: root sees those of other users too, which may say anything. So texts are escaped and cut, and what should
//! be a number and is none is a dash.

mod ps;
mod reload;
mod said;
mod stats;

use std::io::{IsTerminal, stdout};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use hotcell::watch::{Host, PATIENCE, Seen, VARIABLE, look};
use serde_json::Value;

use crate::args::{Format, LookArgs};
use crate::fail::Failure;
use crate::print::{self, complain};
use said::{Answer, left_out, list, message, name, program, raw_program, refusal, sessions, text};

pub(crate) use ps::run as ps;
pub(crate) use reload::run as reload;
pub(crate) use stats::run as stats;

/// Looks once, or again and again as long as somebody reads, and prints what is seen.
fn show(args: &LookArgs, text: impl Fn(&[Host]) -> String, json: impl Fn(&[Host]) -> Value) -> ExitCode {
    let mut first = true;
    loop {
        let seen = match seen(args.host.as_deref()) {
            Ok(seen) => seen,
            Err(failure) => return failure.report(args.format),
        };
        let (again, terminal) = (args.watch.is_some(), stdout().is_terminal());
        let page = match args.format {
            Format::Json if again => print::json_line(&json(&seen.hosts)),
            Format::Json => print::json(&json(&seen.hosts)),
            Format::Text if again && terminal => format!("\x1b[H\x1b[2J{}", text(&seen.hosts)),
            Format::Text if again && !first => format!("\n{}", text(&seen.hosts)),
            Format::Text => text(&seen.hosts),
        };
        match print::shown(&page) {
            Err(error) => return Failure::Usage(format!("cannot print: {error}")).report(args.format),
            Ok(false) => return ExitCode::SUCCESS,
            Ok(true) => {}
        }
        // Behind the page, which clears the screen.
        if args.format == Format::Text {
            let none = seen.hosts.is_empty().then(|| nothing(args.host.as_deref()));
            none.filter(|_| first || terminal).iter().for_each(|line| complain(line));
            let remarks = seen.hosts.iter().filter_map(|host| remark(host.pid, &program(host), &host.answer));
            remarks.for_each(|line| complain(&line));
        }
        not_asked(&seen).iter().for_each(|line| complain(line));
        let Some(seconds) = args.watch else { return ExitCode::SUCCESS };
        first = false;
        thread::sleep(Duration::from_secs(seconds));
    }
}

/// The processes that let others look, or those that are meant of them: by the id that is shown, or else by the program's name.
fn seen(meant: Option<&str>) -> Result<Seen, Failure> {
    let mut seen = look(PATIENCE).map_err(|error| {
        Failure::Usage(format!(
            "which processes let others look is not to be seen here: /proc/net/unix: {error}"
        ))
    })?;
    seen.hosts.retain(|host| match meant.map(|meant| (meant, meant.parse::<u32>())) {
        None => true,
        Some((_, Ok(pid))) => host.pid == pid,
        Some((meant, Err(_))) => meant == raw_program(host),
    });
    seen.hosts.sort_by_key(|host| host.pid);
    Ok(seen)
}

/// What to do where nothing is to be seen.
fn nothing(meant: Option<&str>) -> String {
    match meant {
        Some(meant) => format!(
            "no process `{meant}` lets others look; it does with {VARIABLE}=look in its environment, or `Options::watch`"
        ),
        None => format!(
            "no process of this user lets others look; one does with {VARIABLE}=look in its environment, or `Options::watch`"
        ),
    }
}

/// That a process has not answered, refuses, or has more than it says.
fn remark(pid: u32, program: &str, answer: &Answer) -> Option<String> {
    let what = match (refusal(answer), left_out(answer)) {
        (Some(why), _) => message(why),
        (None, 0) => return None,
        (None, more) => format!("{more} more sessions or pools, which its answer has no room for"),
    };
    Some(format!("{pid} {program}: {what}"))
}

fn not_asked(seen: &Seen) -> Option<String> {
    (seen.not_asked > 0).then(|| {
        format!(
            "{} sockets by the name of such processes could not be asked: they have no room, there was no time, or they are too many",
            seen.not_asked
        )
    })
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
    fn remarks_are_one_line_each() {
        let told = |answer| remark(4711, "x", &answer);
        assert_eq!(told(Err("it is\nsilent".into())).unwrap(), "4711 x: it is\\nsilent");
        assert_eq!(told(Ok(json!({ "error": "another\nversion" }))).unwrap(), "4711 x: another\\nversion");
        let more = told(Ok(json!({ "sessions": [7, {}], "left_out": 3 }))).unwrap();
        assert!(more.starts_with("4711 x: 3 more sessions"), "{more}");
        let many = told(Ok(json!({ "sessions": vec![json!({}); 5000] }))).unwrap();
        assert!(many.starts_with("4711 x: 904 more sessions"), "{many}");
        assert_eq!(told(Ok(json!({ "sessions": vec![0; 5000], "left_out": 0 }))), None);
    }
}
