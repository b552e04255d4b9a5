//! `[struct.NAME]`.

use crate::contract::families::Families;
use crate::contract::{FieldNames, Selectors, StartedBy, StructLines, function, handle, item, keys};
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Reader, Text};

/// Reads every `[struct.NAME]`.
pub(crate) fn structs<'a>(
    reader: &mut Reader<'a>,
    entry: &Entry<'a>,
    families: &'a Families<'a>,
) -> Vec<StructLines> {
    families.read(reader, entry, |reader, table, _| structure(reader, table))
}

fn structure<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> StructLines {
    let (name, span) = (entry.key.to_owned(), entry.key_span.clone());
    let access = FieldNames::default();
    let mut lines = StructLines { name, span, resident: false, started_by: None, fields: Vec::new(), access };
    for entry in reader.table(entry).unwrap_or_default() {
        match entry.key {
            "resident" => lines.resident = reader.boolean(&entry).unwrap_or(false),
            "started_by" => lines.started_by = started_by(reader, &entry),
            "get" | "set" | "has" => lines.access.key(reader, &entry),
            "fields" => lines.fields = function::params(reader, &entry, &keys::FIELD),
            _ => reader.unknown(&entry, &keys::STRUCT),
        }
    }
    if let Some(started) = lines.started_by.as_ref().filter(|_| !lines.resident) {
        let message = "`started_by` is of a structure that the library keeps";
        let diagnostic = Diagnostic::error(message).at(started.selectors.span.clone());
        reader.push(diagnostic.help("add `resident = true`, or leave `started_by` out".to_owned()));
    }
    if !lines.access.is_empty() && !lines.resident {
        let message = "`get`, `set` and `has` are about objects, and this structure goes with each call";
        let help =
            "add `resident = true` if the library keeps it, or leave them out: callers have its fields";
        reader.push(Diagnostic::error(message).at(lines.span.clone()).help(help.to_owned()));
    }
    lines
}

fn started_by<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Option<StartedBy> {
    let (mut all, mut ends) = (Vec::new(), Vec::new());
    for line in reader.table(entry)? {
        let key = Text { value: line.key.to_owned(), span: line.key_span.clone() };
        if let Some(end) = item::starts(reader, &line) {
            all.push(handle::selector(reader, &key));
            ends.push(end);
        }
    }
    Some(StartedBy { selectors: Selectors { span: entry.key_span.clone(), all }, ends })
}
