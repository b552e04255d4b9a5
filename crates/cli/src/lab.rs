//! `hotcell lab`: everything that goes wrong in C, directly and contained.

use std::ffi::OsString;
use std::io::{IsTerminal, Write, stderr};
use std::process::ExitCode;

use hotcell::ErrorKind;
use hotcell_lab::{Came, Chosen, Outcome, Report, Row, Via};
use serde_json::json;

use crate::args::{Client, Format, LabArgs};
use crate::fail::Failure;
use crate::print::{self, complain, out, out_width};
use crate::table::{BAD, Cell, FAINT, GOOD, OPEN, STRONG, columns, styled};

/// What makes this program play a host that something happens to.
const HOST: &[&str] = &["lab", "--host"];

/// A row is not as it has to be.
const DIFFERS: u8 = 1;

pub(crate) fn run(args: &LabArgs) -> ExitCode {
    if let Some(role) = &args.host {
        return match hotcell_lab::host(role) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain(&format!("error: `--host` is for `hotcell lab` itself: {error}"));
                ExitCode::from(ErrorKind::InvalidArgument.exit_code())
            }
        };
    }
    let rows = match hotcell_lab::rows(&args.rows) {
        Ok(rows) => rows,
        Err(error) => return Failure::Usage(error.to_string()).report(args.format),
    };
    let via = match args.via {
        Client::Rust => Via::Rust,
        Client::Go => Via::Go,
        Client::Python => Via::Python,
    };
    if args.list {
        return print(&list(&rows, via, args.format)).unwrap_or(ExitCode::SUCCESS);
    }
    if !args.inside {
        return around(args);
    }
    let terminal = stderr().is_terminal();
    let mut tried = 0;
    let mut progress = |row: &Row| {
        tried += 1;
        if terminal {
            let _ = write!(stderr(), "\r\x1b[K{tried} of {}: {} {}", rows.len(), row.id, row.name);
        }
    };
    let report = hotcell_lab::run(&rows, via, HOST, &mut progress);
    if terminal {
        let _ = write!(stderr(), "\r\x1b[K");
    }
    let report = match report {
        Ok(report) => report,
        Err(error) => return Failure::Usage(error.to_string()).report(args.format),
    };
    let text = match args.format {
        Format::Json => print::json(&report.to_json()),
        Format::Text => table(&report),
    };
    let verdict = if report.is_contained() { ExitCode::SUCCESS } else { ExitCode::from(DIFFERS) };
    print(&text).unwrap_or(verdict)
}

/// Has the run made by a process of its own, of which nothing is left however it ends.
fn around(args: &LabArgs) -> ExitCode {
    // Those of the run itself come behind: this one's own are not handed on.
    let own = args.warden.map(|warden| [OsString::from("--warden"), warden.to_string().into()]);
    let words = std::env::args_os().skip(1).collect::<Vec<_>>();
    let words = words.strip_suffix(own.iter().flatten().cloned().collect::<Vec<_>>().as_slice());
    let words = words.unwrap_or_default();
    let ended = match args.warden {
        Some(of) => hotcell_lab::warden(of, words),
        None => hotcell_lab::around(words),
    };
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => Failure::Usage(format!("the lab cannot be started: {error}")).report(args.format),
    }
}

/// Prints the text; the exit status where that fails.
fn print(text: &str) -> Option<ExitCode> {
    let error = out(text).err()?;
    Some(Failure::Usage(format!("cannot print: {error}")).report(Format::Text))
}

fn table(report: &Report) -> String {
    let (direct, gets) = match report.via {
        Via::Rust => (report.via.direct(), "a caller of Hotcell gets".to_owned()),
        via => (via.direct(), format!("a caller of Hotcell in {} gets", via.name())),
    };
    let head = ["", "the C code does", direct, "ms", &gets];
    let mut rows = vec![head.map(|it| Cell::new(it, FAINT)).to_vec()];
    let mut group = "";
    for came in &report.came {
        if came.group.name != group {
            group = came.group.name;
            rows.extend([vec![Cell::plain("")], vec![Cell::new(group, STRONG)]]);
        }
        rows.push(row(came));
    }
    format!("{}\n{}", columns(&rows, out_width()), last_line(report))
}

fn row(came: &Came) -> Vec<Cell> {
    let (id, name) = (Cell::plain(format!("{:>4}", came.row.id)), Cell::plain(came.row.name));
    let Outcome::Tried { direct, direct_survived, got, took, .. } = &came.outcome else {
        let Outcome::Skipped(reason) = &came.outcome else { return Vec::new() };
        let skipped = Cell::new(format!("skipped: {reason}"), OPEN);
        return vec![id, name, Cell::plain(""), Cell::plain(""), skipped];
    };
    let style = match direct_survived {
        Some(true) => OPEN,
        Some(false) => BAD,
        None => FAINT,
    };
    let wrong = wrong(&came.outcome);
    let (text, contained) =
        if wrong.is_empty() { (line(got), GOOD) } else { (format!("{}\n{wrong}", line(got)), BAD) };
    let milliseconds = format!("{:>7.1}", took.as_secs_f64() * 1e3);
    vec![id, name, Cell::new(line(direct), style), Cell::new(milliseconds, FAINT), Cell::new(text, contained)]
}

/// What is not as it has to be, a line each.
fn wrong(outcome: &Outcome) -> String {
    let Outcome::Tried { expected, ok, next_call_ok, leaked, bystander_ok, .. } = outcome else {
        return String::new();
    };
    let mut lines = Vec::new();
    if !ok {
        lines.push(format!("expected: {expected}"));
    }
    if !next_call_ok {
        lines.push("the next call is wrong".to_owned());
    }
    if !leaked.is_nothing() {
        lines.push(format!("left behind: {leaked:?}"));
    }
    if !bystander_ok {
        lines.push("somebody else's calls were not all right".to_owned());
    }
    lines.join("\n")
}

fn last_line(report: &Report) -> String {
    let ((programs, direct), (tried, contained)) = (report.direct(), report.contained());
    let skipped = report.came.len() - tried;
    let good = if contained == tried { GOOD } else { BAD };
    let mut line = format!(
        "{} {}",
        styled(&format!("Called directly, {direct} of {programs} programs went on."), BAD),
        styled(&format!("Contained, {contained} of {tried} did, and every next call was right."), good),
    );
    if contained != tried {
        line = line.replace(", and every next call was right", "");
    }
    if skipped > 0 {
        line.push_str(&format!(" {}", styled(&format!("{skipped} skipped."), OPEN)));
    }
    line.push('\n');
    line
}

/// On one line, without what steers terminals.
fn line(text: &str) -> String {
    text.chars()
        .flat_map(|it| if it.is_control() { it.escape_default().collect() } else { vec![it] })
        .collect()
}

fn list(rows: &[Chosen], via: Via, format: Format) -> String {
    if format == Format::Json {
        let one = |Chosen { group, row }: &Chosen| json!({ "id": row.id, "name": row.name, "group": group.name, "skipped": row.skipped_for(via) });
        return print::json(&rows.iter().map(one).collect());
    }
    let cells = |Chosen { group, row }: &Chosen| {
        let skipped = row.skipped_for(via).map(|reason| format!("skipped: {reason}")).unwrap_or_default();
        let group = Cell::new(group.name, FAINT);
        vec![Cell::plain(format!("{:>4}", row.id)), group, Cell::plain(row.name), Cell::new(skipped, OPEN)]
    };
    columns(&rows.iter().map(cells).collect::<Vec<_>>(), out_width())
}
