//! `[struct.NAME]`.

use crate::contract::{StructLines, function, keys};
use crate::document::{Entry, Reader};

/// Reads every `[struct.NAME]`.
pub(crate) fn structs<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Vec<StructLines> {
    let tables = reader.table(entry).unwrap_or_default();
    tables.iter().map(|table| structure(reader, table)).collect()
}

fn structure<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> StructLines {
    let (name, span) = (entry.key.to_owned(), entry.key_span.clone());
    let mut lines = StructLines { name, span, resident: false, fields: Vec::new() };
    for entry in reader.table(entry).unwrap_or_default() {
        match entry.key {
            "resident" => lines.resident = reader.boolean(&entry).unwrap_or(false),
            "fields" => lines.fields = function::params(reader, &entry, &keys::FIELD),
            _ => reader.unknown(&entry, &keys::STRUCT),
        }
    }
    lines
}
