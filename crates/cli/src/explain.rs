//! `hotcell explain`: what every parameter of a function is, why that is believed, or what is missing.

mod facts;
pub(crate) mod words;

use std::path::Path;
use std::process::ExitCode;

use hotcell_bind::{Checked, Reader};
use hotcell_model::api::Api;
use hotcell_model::interface::{Function, LeftOut, Status};
use serde_json::{Value, json};

use crate::args::{ExplainArgs, Format};
use crate::call;
use crate::explain::facts::{Fact, Facts};
use crate::fail::Failure;
use crate::print::{out, out_width};
use crate::report::words as status_words;
use crate::table::{BAD, Cell, FAINT, GOOD, OPEN, STRONG, columns, styled, wrapped};

/// Lines of the header's comment that are shown.
const DOC_LINES: usize = 6;

pub(crate) fn run(args: &ExplainArgs) -> ExitCode {
    match explain(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(args.format),
    }
}

/// What became of the function.
#[derive(Debug, Clone, Copy)]
enum Outcome<'a> {
    Bound(&'a Function),
    LeftOut(&'a LeftOut),
}

fn explain(args: &ExplainArgs) -> Result<(), Failure> {
    let (checked, selected) = find(args)?;
    let name = args.function.as_str();
    let interface = &checked.interface;
    let bound = interface.function(name).map(|(_, function)| Outcome::Bound(function));
    let left_out = || interface.left_out.iter().find(|it| it.name == name).map(Outcome::LeftOut);
    let outcome = bound.or_else(left_out).ok_or_else(|| {
        Failure::Usage(format!("`{name}` is neither bound nor left out; this is a fault of hotcell"))
    })?;
    let page = Page { checked: &checked, file: &args.source.source, selected, outcome };
    let text = match args.format {
        Format::Json => format!("{:#}\n", page.to_json()),
        Format::Text => page.to_text(out_width()),
    };
    out(&text).map_err(|error| Failure::Usage(format!("cannot print: {error}")))
}

/// The check that has the function in it, and whether the contract selects it.
fn find(args: &ExplainArgs) -> Result<(Checked, bool), Failure> {
    let has = |checked: &Checked| {
        let name = &args.function;
        let interface = &checked.interface;
        interface.function(name).is_some() || interface.left_out.iter().any(|it| it.name == *name)
    };
    let reader = Reader::new();
    let all = hotcell_bind::check_by(&reader, &call::job(&args.source, None)?)?;
    if has(&all) {
        return Ok((all, true));
    }
    // One the contract excludes, or of a header that the headers include; else the error names the nearest.
    let one = hotcell_bind::check_by(&reader, &call::job(&args.source, Some(args.function.clone()))?)?;
    Ok((one, false))
}

struct Page<'a> {
    checked: &'a Checked,
    file: &'a Path,
    selected: bool,
    outcome: Outcome<'a>,
}

impl Page<'_> {
    fn name(&self) -> &str {
        match self.outcome {
            Outcome::Bound(function) => &function.name,
            Outcome::LeftOut(function) => &function.name,
        }
    }

    /// One that is described without a contract is simply declared elsewhere.
    fn not_selected(&self) -> bool {
        !self.selected && !self.checked.text.is_empty()
    }

    fn to_text(&self, width: Option<usize>) -> String {
        let declared = declared(&self.checked.api, self.name());
        let mut text = match self.outcome {
            Outcome::Bound(function) => format!("{}\n", styled(&function.signature, STRONG)),
            Outcome::LeftOut(function) => format!("{}\n", styled(&function.signature, STRONG)),
        };
        if let Some(declared) = declared {
            let place = format!("{}:{}", declared.location.file, declared.location.line);
            text.push_str(&format!("{}\n", styled(&place, FAINT)));
            for line in first_lines(declared.doc.as_deref().unwrap_or_default()) {
                let lines = wrapped(&format!("  {line}"), width);
                text.push_str(&format!("{}\n", lines.join("\n").trim_end()));
            }
        }
        text.push('\n');
        match self.outcome {
            Outcome::Bound(function) => {
                text.push_str(&format!("{}: {}\n", styled("bound", GOOD), function.evidence().name()));
                let facts = Facts::of(function, &self.checked.text);
                let rows: Vec<_> = facts.iter().map(|fact| fact.row(self.file)).collect();
                text.push_str(&columns(&rows, width));
            }
            Outcome::LeftOut(function) => {
                let style = if function.help.is_some() { OPEN } else { BAD };
                text.push_str(&format!("{}:\n", styled(status_words(function.status), style)));
                let rows =
                    function.reason.split("; ").map(|reason| vec![Cell::plain(""), Cell::plain(reason)]);
                text.push_str(&columns(&rows.collect::<Vec<_>>(), width));
                if let Some(help) = &function.help {
                    text.push_str(&format!("\nwrite into the contract:\n{help}\n"));
                }
            }
        }
        if self.not_selected() {
            text.push_str("\nThe contract does not select it: see its `include` and `exclude`.\n");
        }
        text
    }

    fn to_json(&self) -> Value {
        let declared = declared(&self.checked.api, self.name());
        let location = declared.map(|it| json!({ "file": it.location.file, "line": it.location.line }));
        let doc = declared.and_then(|it| it.doc.as_deref());
        match self.outcome {
            Outcome::Bound(function) => {
                let facts = Facts::of(function, &self.checked.text);
                json!({
                    "name": function.name, "status": Status::Bound, "evidence": function.evidence().name(),
                    "signature": function.signature, "declared": location, "doc": doc,
                    "selected": !self.not_selected(),
                    "params": facts.params.iter().map(Fact::to_json).collect::<Vec<_>>(),
                    "result": facts.result.to_json(), "error": facts.error.to_json(),
                })
            }
            Outcome::LeftOut(function) => json!({
                "name": function.name, "status": function.status, "evidence": null,
                "signature": function.signature, "declared": location, "doc": doc,
                "selected": !self.not_selected(), "reasons": function.reason.split("; ").collect::<Vec<_>>(),
                "help": function.help,
            }),
        }
    }
}

fn declared<'a>(api: &'a Api, name: &str) -> Option<&'a hotcell_model::api::Function> {
    api.functions.iter().find(|function| function.name == name)
}

/// The beginning of a comment, without blank lines before and behind.
fn first_lines(doc: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = doc.trim().lines().map(str::trim_end).collect();
    if lines.len() > DOC_LINES {
        lines.truncate(DOC_LINES);
        while lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
        lines.push("…");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_comments_are_cut() {
        assert_eq!(first_lines("\n a \n\nb\n"), ["a", "", "b"]);
        assert!(first_lines("").is_empty());
        assert_eq!(first_lines("1\n2\n3\n4\n5\n6\n7"), ["1", "2", "3", "4", "5", "6", "…"]);
        assert_eq!(first_lines("1\n2\n3\n4\n5\n\n7"), ["1", "2", "3", "4", "5", "…"]);
    }
}
