//! Everything a contract says about a function: its own table, and the patterns that match it.

use std::collections::BTreeMap;
use std::time::Duration;

use hotcell_model::api::Function;

use crate::check::{names, type_errors};
use crate::contract::{Contract, ErrorLine, FailsLine, FunctionLines, Item, ParamLine, What};
use crate::diagnostic::{Diagnostic, Severity};
use crate::document::Text;
use crate::expression::Node;
use crate::infer;
use crate::pattern;
use crate::suggest::did_you_mean;
use crate::typed;

/// The tables about a function, the strongest last: patterns in the order of the file, then its own.
pub(crate) struct Lines<'a> {
    tables: Vec<&'a FunctionLines>,
    /// What is said of the returned value, and whether it is said of its type only.
    result: Option<(&'a Item, bool)>,
    /// What is said about the type that it returns.
    of_type: Option<&'a ErrorLine>,
}

/// What is said about a function.
pub(crate) fn of<'a>(contract: &'a Contract, function: &Function) -> Lines<'a> {
    let of_type = contract.errors.iter().find(|line| type_errors::returns(function, &line.name));
    let tables = contract.tables(&function.name);
    let said = |table: &&'a FunctionLines| {
        let own = table.result.as_ref().map(|item| (item, false));
        own.or_else(|| Some((returned(table, function)?, true)))
    };
    let result = tables.iter().rev().find_map(said);
    Lines { tables, result, of_type: of_type.map(|line| &line.rule) }
}

/// What a table says of the type that a function returns, unless the function looks as if it returned something else.
fn returned<'a>(table: &'a FunctionLines, function: &Function) -> Option<&'a Item> {
    let line = of_returned_type(table, function)?;
    let doubt = match line.item.what {
        What::Borrowed => infer::may_make(function),
        What::Text | What::TextsOut | What::Buffer(_) => {
            infer::may_return_otherwise(function, line.item.release.is_some(), line.item.length.is_some())
        }
        _ => false,
    };
    (!doubt).then_some(&line.item)
}

/// The line of a table about the type that a function returns.
fn of_returned_type<'a>(table: &'a FunctionLines, function: &Function) -> Option<&'a ParamLine> {
    table.results.iter().find(|line| typed::read(&line.name).is_ok_and(|typed| typed.fits(&function.result)))
}

/// The line about the type that a function returns, be it about this function or not.
pub(crate) fn about_returned_type<'a>(contract: &'a Contract, function: &Function) -> Option<&'a ParamLine> {
    contract.tables(&function.name).into_iter().rev().find_map(|table| of_returned_type(table, function))
}

impl<'a> Lines<'a> {
    /// Lines about parameters, the strongest last, and whether the table of a pattern has them. In a table the line
    /// about one parameter stands before that about several, and that before one about all of a type.
    pub(crate) fn params(&self) -> impl Iterator<Item = (&'a ParamLine, bool)> {
        self.tables.iter().flat_map(|table| {
            let mut lines: Vec<&ParamLine> = table.params.iter().collect();
            lines.sort_by_key(|line| line.closeness());
            lines.into_iter().map(|line| (line, table.is_pattern()))
        })
    }

    pub(crate) fn result(&self) -> Option<&'a Item> {
        self.result.map(|(item, _)| item)
    }

    /// What is said of the returned value of this function, and not of all of its type.
    pub(crate) fn own_result(&self) -> Option<&'a Item> {
        self.result.filter(|(_, of_type)| !of_type).map(|(item, _)| item)
    }

    /// Whether the returned value is only said to be memory of some type, without how much there is.
    pub(crate) fn leaves_length(&self) -> bool {
        let text = |item: &Item| matches!(item.what, What::Text | What::TextsOut) && item.length.is_none();
        self.result.is_some_and(|(item, of_type)| of_type && text(item))
    }

    pub(crate) fn error(&self) -> Option<&'a ErrorLine> {
        self.tables.iter().rev().find_map(|table| table.error.as_ref()).or(self.of_type)
    }

    /// Whether something means failure.
    pub(crate) fn fails(&self) -> bool {
        self.error().is_some_and(|line| !matches!(line.fails, FailsLine::Word("never", _)))
    }

    pub(crate) fn requires(&self) -> Option<&'a Node> {
        self.tables.iter().rev().find_map(|table| table.requires.as_ref())
    }

    /// What stops a call. `none` takes back what a pattern says.
    pub(crate) fn cancel(&self) -> Option<&'a Node> {
        let said = self.tables.iter().rev().find_map(|table| table.cancel.as_ref());
        said.filter(|node| node.name() != Some("none"))
    }

    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.tables.iter().rev().find_map(|table| table.deadline)
    }

    pub(crate) fn idempotent(&self) -> bool {
        self.tables.iter().rev().find_map(|table| table.idempotent).unwrap_or(false)
    }
}

/// Whether a function ends what another one starts.
pub(crate) fn ends(contract: &Contract, name: &str) -> bool {
    let items = contract.functions.iter().flat_map(|table| &table.params).map(|line| &line.item);
    let of_structs = contract.structs.iter().filter_map(|lines| lines.started_by.as_ref());
    let all =
        items.filter_map(|item| item.starts.as_ref()).chain(of_structs.flat_map(|started| &started.ends));
    all.filter_map(|starts| starts.release.as_deref()).any(|release| release == name)
}

/// Warns about patterns, and lines of patterns, that are about nothing. A line of a family is about nothing where it is in each of
/// its tables.
pub(crate) fn useless(contract: &Contract, selected: &[&Function], findings: &mut Vec<Diagnostic>) {
    let mut families: BTreeMap<usize, Vec<Vec<Diagnostic>>> = BTreeMap::new();
    for table in contract.functions.iter().filter(|table| table.is_pattern()) {
        let matching = selected.iter().copied();
        let matching: Vec<&Function> =
            matching.filter(|function| pattern::matches(&table.name, &function.name)).collect();
        if table.family.is_none() || !families.contains_key(&table.span.start) {
            let written = table.family.as_ref().unwrap_or(&table.name);
            let text = Text { value: written.clone(), span: table.span.clone() };
            let all = selected.iter().map(|function| function.name.as_str());
            findings.extend(pattern::useless(&contract.text, &text, all, "function that is selected"));
        }
        let found = if matching.is_empty() { None } else { Some(useless_lines(contract, table, &matching)) };
        match &table.family {
            Some(_) => families.entry(table.span.start).or_default().extend(found),
            None => findings.extend(found.into_iter().flatten()),
        }
    }
    for tables in families.into_values() {
        let Some((first, others)) = tables.split_first() else { continue };
        let everywhere = |found: &&Diagnostic| {
            others.iter().all(|table| table.iter().any(|other| other.span == found.span))
        };
        findings.extend(first.iter().filter(everywhere).cloned());
    }
}

/// Warns about lines of a table that are about nothing of the functions which it matches.
fn useless_lines(contract: &Contract, table: &FunctionLines, matching: &[&Function]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let names: Vec<String> = matching.iter().flat_map(|function| names::names(function)).collect();
    let raw =
        || matching.iter().flat_map(|function| &function.params).filter_map(|param| param.name.as_deref());
    for line in &table.params {
        if typed::is_typed(&line.name) {
            findings.extend(idle_type(line, &table.name, matching));
            continue;
        }
        let text = Text { value: line.name.clone(), span: line.span.clone() };
        let names = names.iter().map(String::as_str).chain(raw());
        let what = format!("parameter of the functions that `{}` matches", table.name);
        findings.extend(pattern::useless(&contract.text, &text, names, &what));
    }
    findings.extend(table.results.iter().filter_map(|line| idle_result(line, &table.name, matching)));
    findings
}

/// Warns about a line about a type that none of these functions returns.
fn idle_result(line: &ParamLine, table: &str, matching: &[&Function]) -> Option<Diagnostic> {
    let typed = typed::read(&line.name).ok()?;
    if matching.iter().any(|function| typed.fits(&function.result)) {
        return None;
    }
    let message = format!("no function that `{table}` matches returns `{}`", line.name);
    let types: Vec<String> =
        matching.iter().map(|function| format!("({})", function.result.written)).collect();
    let help = did_you_mean(&line.name, types.iter().map(String::as_str));
    Some(Diagnostic::warning(message).at(line.span.clone()).help(help))
}

/// Warns about a line about parameters of a type that none of these functions has.
fn idle_type(line: &ParamLine, table: &str, matching: &[&Function]) -> Option<Diagnostic> {
    let fits =
        |function: &&Function| !names::positions(function, &names::names(function), &line.name).is_empty();
    if matching.iter().any(fits) {
        return None;
    }
    let message = format!("`{}` matches no parameter of the functions that `{table}` matches", line.name);
    Some(Diagnostic::warning(message).at(line.span.clone()).help(near_type(line, matching)))
}

/// The type of a parameter that is spelled nearly so.
pub(crate) fn near_type(line: &ParamLine, functions: &[&Function]) -> Option<String> {
    let params = functions.iter().flat_map(|function| &function.params);
    let types: Vec<String> = params.map(|param| format!("({})", param.ty.written)).collect();
    did_you_mean(&line.name, types.iter().map(String::as_str))
}

/// Makes what is wrong with lines of patterns say which function it is about.
pub(crate) fn name_function(contract: &Contract, function: &str, findings: &mut [Diagnostic]) {
    for finding in findings {
        let from_pattern = finding.span.as_ref().is_some_and(|span| contract.is_about_several(span));
        if from_pattern && finding.severity == Severity::Error {
            finding.message = format!("`{function}`: {}", finding.message);
        }
    }
}

/// Keeps one finding of those that a line of a pattern causes for several functions.
pub(crate) fn join(contract: &Contract, findings: &mut Vec<Diagnostic>) {
    let mut kept: Vec<(Diagnostic, usize)> = Vec::new();
    for finding in findings.drain(..) {
        let pattern = finding.span.as_ref().is_some_and(|span| contract.is_about_several(span));
        let same = kept
            .iter_mut()
            .find(|(other, _)| pattern && other.span == finding.span && other.severity == finding.severity);
        match same {
            Some((_, more)) => *more += 1,
            None => kept.push((finding, 0)),
        }
    }
    findings.extend(kept.into_iter().map(|(mut finding, more)| {
        match more {
            0 => {}
            1 => finding.message.push_str(" (and one more function)"),
            _ => finding.message.push_str(&format!(" (and {more} more functions)")),
        }
        finding
    }));
}
