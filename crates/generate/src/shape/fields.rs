//! What is said of the fields of structures.

use hotcell_model::interface::{Direction, FieldRole, Filled, Struct, StructField, Told, Unit};
use hotcell_model::types::Type;

/// What is said of a field: its declaration, and what it is.
pub(crate) fn about(record: &Struct, field: &StructField) -> String {
    let text = match &field.role.value {
        FieldRole::Data { .. }
        | FieldRole::Texts { .. }
        | FieldRole::Pointer { direction: Direction::Out, .. } => ". It comes out only.",
        FieldRole::TextArray { pad: None, .. } => ". A text, shorter than the array.",
        FieldRole::TextArray { .. } => ". A text, no longer than the array.",
        FieldRole::Union { told, .. } => return about_union(record, told),
        FieldRole::BufferIn { .. } => ". What a call took is gone from here.",
        FieldRole::BufferOut { capacity, unit, filled } => {
            let capacity = record.fields.get(*capacity).map_or("", |field| &field.name);
            let (unit, filled) = match (unit, filled) {
                (Unit::Bytes, Filled::Left { .. }) => ("bytes", "What the last call filled"),
                (Unit::Elements, Filled::Left { .. }) => ("elements", "What the last call filled"),
                (Unit::Bytes, Filled::Field { .. }) => ("bytes", "What calls filled"),
                (Unit::Elements, Filled::Field { .. }) => ("elements", "What calls filled"),
            };
            let written = field.ty.written.split_whitespace().collect::<Vec<_>>().join(" ");
            return format!("C: `{written}{}`. {filled}; there is room for `{capacity}` {unit}.", field.name);
        }
        _ => "",
    };
    let written = field.ty.written.split_whitespace().collect::<Vec<_>>().join(" ");
    match &field.ty.kind {
        // The length stands behind the name.
        Type::Array { length: Some(_), .. } => {
            let (mut ty, mut lengths) = (&field.ty, String::new());
            while let Type::Array { element, length: Some(length) } = &ty.kind {
                lengths.push_str(&format!("[{length}]"));
                ty = element;
            }
            format!("C: `{} {}{lengths}`{text}", ty.written, field.name)
        }
        _ if written.ends_with('*') => format!("C: `{written}{}`{text}", field.name),
        _ => format!("C: `{written} {}`{text}", field.name),
    }
}

fn about_union(record: &Struct, told: &Told) -> String {
    match told {
        Told::Always => "C: a union.".into(),
        Told::By { field, .. } => {
            let by = record.fields.get(*field).map_or("", |field| &field.name);
            format!("C: a union. `{by}` says what of it is there.")
        }
    }
}
