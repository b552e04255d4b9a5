//! What became of every function: as a table for people, as JSON for programs.

use std::collections::BTreeSet;

use hotcell_bind::Checked;
use hotcell_contract::{OpenType, decided_lines};
use hotcell_model::evidence::Evidence;
use hotcell_model::interface::{Function, Interface, Ownership, ResultRole, Role, Status};
use serde_json::{Value, json};

use crate::report::kept::Kept;
use crate::table::{BAD, Cell, FAINT, GOOD, OPEN, columns};

mod kept;

/// A function of the headers.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    pub(crate) status: Status,
    /// The weakest ground its facts stand on, when it is bound.
    pub(crate) evidence: Option<&'static str>,
    /// Why it is left out.
    pub(crate) reason: Option<&'a str>,
    /// What to write into the contract.
    pub(crate) help: Option<&'a str>,
    pub(crate) signature: &'a str,
    /// The inference rules behind its facts, each once.
    pub(crate) rules: BTreeSet<&'a str>,
    /// What the library keeps of what it is given.
    pub(crate) keeps: Vec<Kept<'a>>,
}

/// Every selected function, in the order of the headers.
pub(crate) fn entries(checked: &Checked) -> Vec<Entry<'_>> {
    let bound = checked.interface.functions.iter().map(|function| Entry {
        name: &function.name,
        status: Status::Bound,
        evidence: Some(function.evidence().name()),
        reason: None,
        help: None,
        signature: &function.signature,
        rules: rules(&checked.interface, function),
        keeps: kept::of(function),
    });
    let left_out = checked.interface.left_out.iter().map(|function| Entry {
        name: &function.name,
        status: function.status,
        evidence: None,
        reason: Some(&function.reason),
        help: function.help.as_deref(),
        signature: &function.signature,
        rules: BTreeSet::new(),
        keeps: Vec::new(),
    });
    let mut entries: Vec<Entry<'_>> = bound.chain(left_out).collect();
    let place = |entry: &Entry<'_>| checked.api.functions.iter().position(|it| it.name == entry.name);
    entries.sort_by_cached_key(place);
    entries
}

/// The inference rules behind the facts of a function and the handle types it needs.
fn rules<'a>(interface: &'a Interface, function: &'a Function) -> BTreeSet<&'a str> {
    let facts = function.params.iter().map(|param| &param.role.evidence).chain([&function.result.evidence]);
    let handle = |role: &'a Role| match role {
        Role::Handle { handle, .. } | Role::HandleOut { handle, .. } => Some(handle),
        _ => None,
    };
    let returned = match &function.result.value {
        ResultRole::Handle { handle, .. } => Some(handle),
        _ => None,
    };
    let handles = function.params.iter().filter_map(|param| handle(&param.role.value)).chain(returned);
    let types = handles.filter_map(|name| interface.handles.get(name)).map(|handle| &handle.evidence);
    let rule = |evidence: &'a Evidence| match evidence {
        Evidence::Inferred { rule } => Some(rule.as_str()),
        _ => None,
    };
    facts.chain(types).filter_map(rule).collect()
}

/// How many of these functions have this status.
pub(crate) fn count(entries: &[Entry<'_>], status: Status) -> usize {
    entries.iter().filter(|entry| entry.status == status).count()
}

/// All of it for people: what became of every function, the types that are open, and how many there are of each kind.
pub(crate) fn text(checked: &Checked, entries: &[Entry<'_>], width: Option<usize>) -> String {
    let mut text = table(entries, width);
    if !text.is_empty() {
        text.push('\n');
    }
    let types = types(&checked.open_types, width);
    if !types.is_empty() {
        text.push_str(&format!("{types}\n"));
    }
    if let Some(nobodys) = nobodys(&checked.interface) {
        text.push_str(&format!("{nobodys}\n"));
    }
    for grows in kept::growing(entries) {
        text.push_str(&format!("{grows}\n"));
    }
    let lines = decided_lines(&checked.text);
    let decide = if lines == 1 { "1 line decides" } else { &format!("{lines} lines decide") };
    text.push_str(&format!("{}; {decide}\n", summary(entries)));
    text
}

/// A line for each function.
pub(crate) fn table(entries: &[Entry<'_>], width: Option<usize>) -> String {
    let row = |entry: &Entry<'_>| {
        let text = match (entry.evidence, entry.reason, entry.help) {
            (Some(evidence), ..) => entry
                .keeps
                .iter()
                .fold(evidence.to_owned(), |text, kept| format!("{text}\n  {}", kept.text())),
            (None, reason, None) => reason.unwrap_or_default().to_owned(),
            (None, reason, Some(help)) => {
                format!("{}\n  {}", reason.unwrap_or_default(), help.replace('\n', "\n  "))
            }
        };
        let style = match entry.status {
            Status::Bound => GOOD,
            Status::Undecided => OPEN,
            Status::Unsupported => BAD,
            Status::NotExported => FAINT,
        };
        vec![Cell::new(words(entry.status), style), Cell::plain(entry.name), Cell::plain(text)]
    };
    columns(&entries.iter().map(row).collect::<Vec<_>>(), width)
}

/// The types that functions wait for, with what decides them.
pub(crate) fn types(open: &[OpenType], width: Option<usize>) -> String {
    let row = |ty: &OpenType| {
        let waiting = match &ty.functions[..] {
            [one] => format!("{one} waits for it"),
            [first, second, third, more @ ..] if !more.is_empty() => {
                let count = ty.functions.len();
                format!("{count} functions wait for it: {first}, {second}, {third}, …")
            }
            few => format!("{} functions wait for it: {}", few.len(), few.join(", ")),
        };
        let mut text = waiting;
        for (number, answer) in ty.answers().iter().enumerate() {
            let lines = answer.lines.replace('\n', "\n  ");
            text.push_str(&match number {
                0 if !lines.contains('\n') => format!("\n  {lines} # {}", answer.when),
                0 => format!("\n{}\n  {lines}", answer.when),
                _ => format!("\nor, {}\n  {lines}", answer.when),
            });
        }
        vec![Cell::new("open type", OPEN), Cell::plain(&ty.name), Cell::plain(text)]
    };
    columns(&open.iter().map(row).collect::<Vec<_>>(), width)
}

/// Which functions return texts that nobody releases, since nothing says who owns them.
fn nobodys(interface: &Interface) -> Option<String> {
    let unknown = |role: &ResultRole| matches!(role, ResultRole::Text { ownership: Ownership::Unknown, .. });
    let found = interface.functions.iter().filter(|function| unknown(&function.result.value));
    let names: Vec<&str> = found.map(|function| function.name.as_str()).collect();
    let (first, many) = (names.first()?, names.len());
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    let more = if many > SHOWN { ", …" } else { "" };
    let (what, them, are) = match many {
        1 => ("1 function returns a text".to_owned(), "it", "it is"),
        _ => (format!("{many} functions return texts"), "them", "they are"),
    };
    Some(format!(
        "{what} of which nothing says who owns {them}: copied, and never released, which is a leak where {are} the caller's: {shown}{more}\n  \
         function.{first}.result = {{ string = \"utf-8\", release = \"…\" }} # or without `release` when it stays the library's"
    ))
}

/// How many functions are named where there are many.
const SHOWN: usize = 6;

/// How many there are of each kind, on one line.
pub(crate) fn summary(entries: &[Entry<'_>]) -> String {
    let counts = [Status::Bound, Status::Undecided, Status::Unsupported, Status::NotExported]
        .map(|status| format!("{} {}", count(entries, status), words(status)));
    let functions = if entries.len() == 1 { "function" } else { "functions" };
    format!("{} {functions}: {}", entries.len(), counts.join(", "))
}

/// The same for programs.
pub(crate) fn to_json(checked: &Checked, entries: &[Entry<'_>]) -> Value {
    let function = |entry: &Entry<'_>| {
        let mut json = json!({
            "name": entry.name, "status": entry.status, "evidence": entry.evidence, "reason": entry.reason,
            "signature": entry.signature,
        });
        if !entry.rules.is_empty() {
            json["rules"] = json!(entry.rules);
        }
        if !entry.keeps.is_empty() {
            json["keeps"] = entry.keeps.iter().map(Kept::to_json).collect();
        }
        if let Some(help) = entry.help {
            json["help"] = json!(help);
        }
        json
    };
    let ty = |ty: &OpenType| {
        let answers = ty.answers();
        let mut json = json!({ "name": ty.name, "functions": ty.functions });
        if let [first, others @ ..] = &answers[..] {
            json["help"] = json!(first.lines);
            if let Some(other) = others.first() {
                json["otherwise"] = json!(other.lines);
            }
        }
        json
    };
    let file = |file: hotcell_bind::NeededFile| json!({ "name": file.soname, "path": file.path, "build_id": file.build_id });
    let mut report = json!({
        "libraries": checked.libraries.closure().into_iter().map(file).collect::<Vec<_>>(),
        "functions": entries.iter().map(function).collect::<Vec<_>>(),
        "summary": {
            "bound": count(entries, Status::Bound),
            "undecided": count(entries, Status::Undecided),
            "unsupported": count(entries, Status::Unsupported),
            "not_exported": count(entries, Status::NotExported),
            "total": entries.len(),
            "decided_lines": decided_lines(&checked.text),
        },
    });
    if !checked.warnings.is_empty() {
        report["warnings"] = checked.warnings.iter().map(|warning| json!(warning.trim_end())).collect();
    }
    if !checked.open_types.is_empty() {
        report["open_types"] = checked.open_types.iter().map(ty).collect();
    }
    report
}

/// A status as people say it.
pub(crate) fn words(status: Status) -> &'static str {
    match status {
        Status::Bound => "bound",
        Status::Undecided => "undecided",
        Status::Unsupported => "unsupported",
        Status::NotExported => "not exported",
    }
}
