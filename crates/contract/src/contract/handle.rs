//! `[handle]`.

use crate::contract::{HandleLine, keys};
use crate::document::{Entry, Reader};

/// Reads every `NAME = { … }` of `[handle]`.
pub(crate) fn handles<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Vec<HandleLine> {
    let lines = reader.table(entry).unwrap_or_default();
    lines.iter().map(|line| handle(reader, line)).collect()
}

fn handle<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> HandleLine {
    let (name, span) = (entry.key.to_owned(), entry.key_span.clone());
    let mut line = HandleLine { name, span, release: None, parent: None };
    for entry in reader.table(entry).unwrap_or_default() {
        match entry.key {
            "release" => line.release = reader.text(&entry),
            "parent" => line.parent = reader.text(&entry),
            _ => reader.unknown(&entry, &keys::HANDLE),
        }
    }
    line
}
