//! `[handle]`.

use crate::contract::families::Families;
use crate::contract::{FieldNames, HandleLine, Selector, Selectors, keys, restore};
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Reader, Text};
use crate::pattern;

/// Reads every `NAME = { … }` of `[handle]`.
pub(crate) fn handles<'a>(
    reader: &mut Reader<'a>,
    entry: &Entry<'a>,
    families: &'a Families<'a>,
) -> Vec<HandleLine> {
    families.read(reader, entry, |reader, table, _| handle(reader, table))
}

fn handle<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> HandleLine {
    let (name, span) = (entry.key.to_owned(), entry.key_span.clone());
    let mut line = HandleLine {
        name,
        span,
        release: None,
        parent: None,
        taken_by: None,
        on_success: false,
        made_by: None,
        lends_until: None,
        jumps: None,
        message: None,
        restore: None,
        affine: false,
        access: FieldNames::default(),
    };
    let entries = reader.table(entry).unwrap_or_default();
    for entry in &entries {
        match entry.key {
            "release" => line.release = reader.text(entry),
            "parent" => line.parent = reader.text(entry),
            "taken_by" => line.taken_by = selectors(reader, entry),
            "on_success" => line.on_success = reader.boolean(entry).unwrap_or(false),
            "made_by" => line.made_by = selectors(reader, entry),
            "message" => line.message = reader.text(entry).and_then(|text| reader.expression(&text)),
            "affine" => line.affine = reader.boolean(entry).unwrap_or(false),
            "jumps" => line.jumps = reader.text(entry),
            "get" | "set" | "has" => line.access.key(reader, entry),
            "restore" => line.restore = restore::restore(reader, entry),
            "lends_until" => line.lends_until = selectors(reader, entry),
            _ => reader.unknown(entry, &keys::HANDLE),
        }
    }
    let alone = entries.iter().find(|entry| entry.key == "on_success" && line.taken_by.is_none());
    if let Some(entry) = alone {
        let help = "add `taken_by = [\"…\"]`, the functions that take it over".to_owned();
        let message = "`on_success` goes with `taken_by`";
        reader.push(Diagnostic::error(message).at(entry.key_span.clone()).help(help));
    }
    line
}

fn selectors<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Option<Selectors> {
    let all = reader.texts(entry)?.into_iter().map(|text| selector(reader, &text)).collect();
    Some(Selectors { span: entry.key_span.clone(), all })
}

/// Reads `FUNCTION` or `FUNCTION.PARAM`.
pub(crate) fn selector(reader: &mut Reader<'_>, text: &Text) -> Selector {
    let part = |range: std::ops::Range<usize>| Text {
        value: text.value[range.clone()].to_owned(),
        span: text.place(reader.text, range),
    };
    let selector = match text.value.split_once('.') {
        None => Selector { function: text.clone(), param: None },
        Some((function, _)) => Selector {
            function: part(0..function.len()),
            param: Some(part(function.len() + 1..text.value.len())),
        },
    };
    let named = [(Some(&selector.function), "function"), (selector.param.as_ref(), "parameter")];
    let wrong = named.into_iter().find_map(|(text, of)| pattern::wrong(reader.text, text?, of));
    reader.diagnostics.extend(wrong);
    selector
}
