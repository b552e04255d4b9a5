//! The fields of a structure that is begun and ended: what callers see of it, and what is the library's own.

use hotcell_model::Fact;
use hotcell_model::api::{Field, Record};
use hotcell_model::interface::{FieldRole, Filled, Unit};
use hotcell_model::types::Type;

use crate::infer::begun::Memory;
use crate::infer::names::{length_name, words};

/// The roles of the named fields in order; none when callers would have to fill memory behind a pointer of which nothing says how
/// much there is, or when there is nothing in it that is not a number. Where the library allocates that memory it is its own; where
/// functions do everything with such a structure, all of it is.
pub(crate) fn roles(key: &str, record: &Record, memory: Memory) -> Option<Vec<Fact<FieldRole>>> {
    let layout = record.layout.as_ref()?;
    let fields: Vec<(&str, &Field)> =
        layout.fields.iter().filter_map(|field| Some((field.name.as_deref()?, field))).collect();
    // Structures of a list or of a loop: what the library changes between calls must not be written back.
    let linked = |field: &Field| {
        let to = field.ty.pointee().map(|(pointee, _)| &pointee.kind);
        matches!(to, Some(Type::Record { name }) if name == key)
    };
    let own = || Some(fields.iter().map(|_| Fact::inferred(FieldRole::Own, "begun-and-ended")).collect());
    if memory == Memory::Own || fields.iter().any(|(_, field)| linked(field)) {
        return own();
    }
    let hidden = fields.iter().any(|(name, field)| is_private(name) || !is_number(field));
    let mut roles: Vec<Option<FieldRole>> = vec![None; fields.len()];
    for (position, (name, field)) in fields.iter().enumerate() {
        if roles[position].is_some() {
            continue;
        }
        roles[position] = Some(match &field.ty.kind {
            _ if is_private(name) || field.bit_width.is_some() => FieldRole::Own,
            _ if field.ty.is_scalar() => continue,
            Type::Array { element, length: Some(length) } if element.is_scalar() && *length > 0 => {
                FieldRole::Array { length: *length }
            }
            Type::Pointer { pointee, constant } => match next(&fields, position) {
                Some((true, available)) => {
                    roles[available] = Some(FieldRole::LengthOf { field: position, unit: Unit::Bytes });
                    FieldRole::BufferIn { nullable: true }
                }
                Some((false, available)) if !constant => {
                    roles[available] = Some(FieldRole::Value);
                    let filled = Filled::Left { field: available };
                    FieldRole::BufferOut { capacity: available, unit: Unit::Bytes, filled }
                }
                _ if memory != Memory::Library
                    && (pointee.is_scalar() && pointee.kind != Type::Char || counted(&fields, position)) =>
                {
                    return if memory == Memory::Functions { own() } else { None };
                }
                _ => FieldRole::Own,
            },
            _ => FieldRole::Own,
        });
    }
    hidden.then(|| {
        let rule =
            |role: Option<FieldRole>| Fact::inferred(role.unwrap_or(FieldRole::Value), "begun-and-ended");
        roles.into_iter().map(rule).collect()
    })
}

/// Whether a name says that a field is the library's own.
fn is_private(name: &str) -> bool {
    name.starts_with('_') || name.starts_with("reserved")
}

fn is_number(field: &Field) -> bool {
    let element = match &field.ty.kind {
        Type::Array { element, .. } => element,
        _ => &field.ty,
    };
    element.is_scalar() && field.bit_width.is_none()
}

/// Of `next_in` and `next_out`, pointers to bytes: whether it goes in, and the position of the `avail_in` or `avail_out` beside it.
fn next(fields: &[(&str, &Field)], position: usize) -> Option<(bool, usize)> {
    let (name, field) = fields[position];
    let way = name.strip_prefix("next_")?;
    let bytes =
        field.ty.pointee().is_some_and(|(pointee, _)| pointee.is_byte() && pointee.kind != Type::Void);
    let available = fields.iter().position(|(name, field)| {
        name.strip_prefix("avail_") == Some(way) && field.ty.is_integer() && field.bit_width.is_none()
    })?;
    (bytes && ["in", "out"].contains(&way)).then_some((way == "in", available))
}

/// Whether a number behind or before a pointer may say how much is there, which callers would see and the memory not.
fn counted(fields: &[(&str, &Field)], position: usize) -> bool {
    let own = words(fields[position].0);
    let counts = |at: usize| {
        fields.get(at).is_some_and(|(name, field)| {
            let length = length_name(name);
            field.ty.is_integer()
                && !is_private(name)
                && length.is_some_and(|length| length.of.is_empty() || length.of == own)
        })
    };
    counts(position + 1) || position > 0 && counts(position - 1)
}
