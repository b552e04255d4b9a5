//! `hotcell diff`: what changed between two states of a library.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use hotcell_bind::Reader;
use hotcell_model::Interface;
use serde_json::json;

use crate::args::{DiffArgs, Format, SourceArgs};
use crate::call;
use crate::diff::changes::{Change, changes};
use crate::fail::Failure;
use crate::print::{complain, out, out_width};
use crate::table::{BAD, Cell, FAINT, STRONG, columns, styled};

mod changes;
mod contained;

/// Exit status when programs that were built against the first state may not work with the second.
const BREAKS: u8 = 1;

/// The file of a package that has its interface.
const INTERFACE: &str = "interface.json";

pub(crate) fn run(args: &DiffArgs) -> ExitCode {
    match diff(args) {
        Ok(true) => ExitCode::from(BREAKS),
        Ok(false) => ExitCode::SUCCESS,
        Err(failure) => failure.report(args.format),
    }
}

/// Prints what changed; whether something of it breaks programs.
fn diff(args: &DiffArgs) -> Result<bool, Failure> {
    let reader = Reader::new();
    let (old, new) = (state(&reader, &args.old, args)?, state(&reader, &args.new, args)?);
    if old.library != new.library {
        let text = format!("`{}` and `{}` are two libraries", old.library, new.library);
        return Err(Failure::Usage(text));
    }
    let found = changes(&old, &new);
    let text = match args.format {
        Format::Json => format!("{:#}\n", to_json(&found)),
        Format::Text => to_text(&found, out_width()),
    };
    out(&text).map_err(|error| Failure::Usage(format!("cannot print: {error}")))?;
    Ok(found.iter().any(|change| change.breaks))
}

/// A state of a library: a contract with the headers and the library that are there now, or what a package was made of.
fn state(reader: &Reader, path: &Path, args: &DiffArgs) -> Result<Interface, Failure> {
    if path.extension().is_some_and(|ending| ending == "toml") {
        let source = SourceArgs {
            source: path.to_owned(),
            library: None,
            headers: Vec::new(),
            include_dirs: args.include_dirs.clone(),
            defines: Vec::new(),
            library_dirs: args.library_dirs.clone(),
        };
        let checked = hotcell_bind::check_by(reader, &call::job(&source, None)?)?;
        for warning in hotcell_bind::shown(&checked.warnings) {
            complain(&warning);
        }
        return Ok(checked.interface);
    }
    let file: PathBuf = if path.is_dir() { path.join(INTERFACE) } else { path.to_owned() };
    let name = file.display();
    let text = fs::read_to_string(&file).map_err(|error| {
        let help = "name a contract (`bind.toml`), a package, or the `interface.json` of one";
        Failure::Usage(format!("cannot read {name}: {error}\nhelp: {help}"))
    })?;
    Interface::from_json(&text).map_err(|why| Failure::Usage(format!("{name}: {why}")))
}

/// Whether a change is one of a section's.
type Belongs = fn(&Change) -> bool;

fn to_text(found: &[Change], width: Option<usize>) -> String {
    if found.is_empty() {
        return "nothing changed\n".to_owned();
    }
    let mut text = String::new();
    let sections: [(Belongs, _, _); 3] = [
        (|change| change.breaks, "breaks programs", BAD),
        (Change::is_weaker, "contains the library less", BAD),
        (|change| !change.breaks && !change.is_weaker(), "breaks none", STRONG),
    ];
    for (belongs, title, style) in sections {
        let row = |change: &Change| {
            let said: Vec<&str> =
                [change.kind.word()].into_iter().chain(change.details.iter().map(String::as_str)).collect();
            let subject = Cell::new(change.subject.word(), FAINT);
            vec![
                Cell::plain("  "),
                subject,
                Cell::plain(change.name.as_str()),
                Cell::plain(said.join("\n  ")),
            ]
        };
        let rows: Vec<Vec<Cell>> = found.iter().filter(|change| belongs(change)).map(row).collect();
        if !rows.is_empty() {
            text.push_str(&format!("{}\n{}\n", styled(title, style), columns(&rows, width)));
        }
    }
    let count = |belongs: Belongs| found.iter().filter(|change| belongs(change)).count();
    let [breaking, weaker, other] = sections.map(|(belongs, ..)| count(belongs));
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let weakened = match weaker {
        0 => String::new(),
        1 => ", 1 that contains the library less".to_owned(),
        _ => format!(", {weaker} that contain the library less"),
    };
    text + &format!(
        "{breaking} change{} that break programs, {other} that do not{weakened}\n",
        plural(breaking)
    )
}

fn to_json(found: &[Change]) -> serde_json::Value {
    let breaking = found.iter().filter(|change| change.breaks).count();
    let changes: Vec<_> = found
        .iter()
        .map(|change| {
            json!({
                "kind": change.kind.word(),
                "subject": change.subject.word(),
                "name": change.name,
                "details": change.details,
                "breaks": change.breaks,
            })
        })
        .collect();
    let weakened = found.iter().filter(|change| change.is_weaker()).count();
    let other = found.len() - breaking - weakened;
    json!({ "changes": changes, "summary": { "breaking": breaking, "weakened": weakened, "other": other } })
}
