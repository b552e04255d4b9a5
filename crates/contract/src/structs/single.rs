//! Structures of numbers behind whose pointers there is one, as far as the headers show.
//!
//! A pointer to a structure may lead to several, or to the beginning of something longer. Where a library makes the memory, as
//! that of replies and of attributes, either is common. Of a structure that only callers make, that no other one begins with
//! or points to, and that no function takes by the pointer to its pointer, there is one.

use std::collections::BTreeSet;

use hotcell_model::api::{Api, Record};
use hotcell_model::types::{CType, Type};

/// Their keys.
pub(super) fn keys(api: &Api) -> impl Iterator<Item = &str> {
    let mut other: BTreeSet<&str> = BTreeSet::new();
    for function in &api.functions {
        other.extend(pointed(&function.result));
        // One that is handed out, and the arrays of a declaration.
        let params = function.params.iter();
        other.extend(params.clone().filter_map(|param| param.ty.pointee()).filter_map(|(ty, _)| pointed(ty)));
        other.extend(
            params.filter(|param| param.array_length.is_some()).filter_map(|param| pointed(&param.ty)),
        );
    }
    for record in api.records.values() {
        let fields = record.layout.iter().flat_map(|layout| &layout.fields);
        for (position, field) in fields.enumerate() {
            other.extend(pointed(&field.ty));
            match &field.ty.kind {
                Type::Record { name } if position == 0 || record.union => other.extend([name.as_str()]),
                Type::Array { element, .. } => other.extend(key(element)),
                _ => {}
            }
        }
    }
    let one = move |key: &str| {
        let record = api.records.get(key);
        record.is_some_and(|record| {
            is_standard(&record.c_name) || record.location.primary && !other.contains(key)
        })
    };
    plain(api).filter(move |key| one(key))
}

/// The keys of structures of numbers that only callers have memory of: no function returns one or hands one out.
pub(super) fn callers(api: &Api) -> impl Iterator<Item = &str> {
    let mut other: BTreeSet<&str> = BTreeSet::new();
    for function in &api.functions {
        other.extend(pointed(&function.result));
        let params = function.params.iter().filter_map(|param| param.ty.pointee());
        other.extend(params.filter_map(|(ty, _)| pointed(ty)));
    }
    let own = |key: &str| {
        let record = api.records.get(key);
        record.is_some_and(|record| is_standard(&record.c_name) || record.location.primary)
    };
    plain(api).filter(move |key| own(key) && !other.contains(key))
}

/// The keys of structures that have nothing but numbers in them.
pub(super) fn plain(api: &Api) -> impl Iterator<Item = &str> {
    let plain = |record: &&Record| !record.union && is_numbers(api, record, NESTED);
    let records = api.records.iter().filter(move |(_, record)| plain(record));
    records.map(|(key, _)| key.as_str())
}

/// Whether this is a structure of C's own that is one thing wherever it stands.
pub(crate) fn is_standard(c_name: &str) -> bool {
    ["struct timespec", "struct timeval"].contains(&c_name)
}

/// How deep structures may lie in structures.
const NESTED: u32 = 4;

/// Whether there is nothing in it but numbers, arrays of them, and structures of numbers.
fn is_numbers(api: &Api, record: &Record, depth: u32) -> bool {
    let fields = record.layout.as_ref().map(|layout| layout.fields.as_slice()).unwrap_or_default();
    // `counts[1]` at the end stands for as many as there are.
    let open = |ty: &CType| matches!(&ty.kind, Type::Array { length: Some(0 | 1), .. });
    if fields.last().is_some_and(|field| open(&field.ty)) {
        return false;
    }
    let number = |ty: &CType| match &ty.kind {
        // A `char` array may be a text, of which nothing says where it ends.
        Type::Array { element, length: Some(_) } => element.is_scalar() && !element.is_byte(),
        Type::Record { name } if depth > 0 => {
            let inner = api.records.get(name);
            inner.is_some_and(|inner| !inner.union && is_numbers(api, inner, depth - 1))
        }
        _ => ty.is_scalar(),
    };
    !fields.is_empty() && fields.iter().all(|field| field.bit_width.is_none() && number(&field.ty))
}

fn key(ty: &CType) -> Option<&str> {
    match &ty.kind {
        Type::Record { name } => Some(name),
        _ => None,
    }
}

fn pointed(ty: &CType) -> Option<&str> {
    ty.pointee().and_then(|(pointee, _)| key(pointee))
}
