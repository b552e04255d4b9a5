//! The layouts for which a shim is compiled, as a text in it: hosts hold it against the debug information of a library.

use std::collections::BTreeSet;

use hotcell_model::Interface;
use hotcell_model::api::{Field, Record};
use hotcell_model::types::{CType, Type};

use crate::shim::types::{literal, speakable};

/// Of all structures that the shim reads or writes: a literal for each line. See `Layout::of_text` in the crate `elf`.
pub(crate) fn of_interface(interface: &Interface) -> Vec<String> {
    let mut lines = Vec::new();
    if interface.any_layout {
        return lines;
    }
    for record in by_value(interface) {
        let Some(layout) = record.layout.as_ref().filter(|_| speakable(&record.c_name)) else { continue };
        lines.push(literal(&format!("{} {}\n", layout.size, record.c_name)));
        lines.extend(layout.fields.iter().filter_map(line).map(|line| literal(&line)));
    }
    lines
}

fn line(field: &Field) -> Option<String> {
    let name = field.name.as_ref()?;
    if field.bit_width.is_some() {
        return Some(format!(" - - {name}\n"));
    }
    let size = field.ty.scalar_size().map_or("-".to_owned(), |size| size.to_string());
    Some(format!(" {} {size} {name}\n", field.offset_bits / 8))
}

/// Structures that cross, and those that lie in them.
fn by_value(interface: &Interface) -> impl Iterator<Item = &Record> {
    let mut names: BTreeSet<&str> = interface.structs.keys().map(String::as_str).collect();
    let mut left: Vec<&str> = names.iter().copied().collect();
    while let Some(name) = left.pop() {
        let layout = interface.records.get(name).and_then(|record| record.layout.as_ref());
        let inner =
            layout.into_iter().flat_map(|layout| &layout.fields).filter_map(|field| record(&field.ty));
        left.extend(inner.filter(|inner| names.insert(inner)));
    }
    names.into_iter().filter_map(|name| interface.records.get(name))
}

/// The record that a field of this type is, or is an array of.
fn record(mut ty: &CType) -> Option<&str> {
    while let Type::Array { element, .. } = &ty.kind {
        ty = element;
    }
    match &ty.kind {
        Type::Record { name, .. } => Some(name),
        _ => None,
    }
}
