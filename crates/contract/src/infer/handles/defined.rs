//! The rule `made-and-ended` for structures: headers define them, and they are objects all the same.
//!
//! `cJSON` shows its fields, and yet nobody makes one but the library. A structure with pointers in it that some function
//! returns and another one ends is held by its pointer. One that goes anywhere by value is not.

use std::collections::{BTreeMap, BTreeSet};

use hotcell_model::api::{Api, Function, Record};
use hotcell_model::types::{CType, Type};

use crate::infer::endings::{Ending, ending};
use crate::infer::handles::pointed_record;

/// What becomes of structures in the functions of a library.
pub(super) struct Made<'a> {
    api: &'a Api,
    returned: BTreeSet<&'a str>,
    ended: BTreeSet<&'a str>,
    /// Those that some function takes or returns by value.
    values: BTreeSet<&'a str>,
}

impl<'a> Made<'a> {
    pub(super) fn of(api: &'a Api, exports: Option<&BTreeSet<String>>) -> Made<'a> {
        let there = |function: &&Function| exports.is_none_or(|exports| exports.contains(&function.name));
        let mut made =
            Made { api, returned: BTreeSet::new(), ended: BTreeSet::new(), values: BTreeSet::new() };
        for function in &api.functions {
            let types = function.params.iter().map(|param| &param.ty).chain([&function.result]);
            made.values.extend(types.filter_map(|ty| match &ty.kind {
                Type::Record { name } => Some(name.as_str()),
                _ => None,
            }));
        }
        for function in api.functions.iter().filter(there) {
            made.returned.extend(changeable(&function.result));
            // `FT_New_Face(library, path, index, FT_Face *face)`.
            let out = function.params.iter().filter_map(|param| param.ty.pointee());
            made.returned.extend(out.filter(|(_, constant)| !constant).filter_map(|(ty, _)| changeable(ty)));
            if ends_first(function) {
                made.ended.extend(function.params.first().and_then(|param| changeable(&param.ty)));
            }
        }
        made
    }

    /// Whether a structure is defined, and made by the library.
    pub(super) fn is_object(&self, key: &str) -> bool {
        self.returned.contains(key)
            && self.ended.contains(key)
            && !self.values.contains(key)
            && has_more_than_numbers(&self.api.records, key)
    }
}

/// The structure behind a pointer that is not `const`.
fn changeable(ty: &CType) -> Option<&str> {
    let (_, constant) = ty.pointee()?;
    pointed_record(ty).filter(|_| !constant)
}

/// Whether a function takes one thing and is called like one that ends it.
pub(super) fn ends_first(function: &Function) -> bool {
    function.params.len() == 1 && ending(&function.name).is_some_and(|(ending, _)| ending >= Ending::Closes)
}

/// Whether a structure is defined and has more than numbers in it, so that a copy of its fields would not be the same.
fn has_more_than_numbers(records: &BTreeMap<String, Record>, key: &str) -> bool {
    let Some(layout) = records.get(key).and_then(|record| record.layout.as_ref()) else { return false };
    layout.fields.iter().any(|field| field.bit_width.is_some() || !is_numbers(records, &field.ty))
}

fn is_numbers(records: &BTreeMap<String, Record>, ty: &CType) -> bool {
    match &ty.kind {
        Type::Record { name } => {
            records.get(name).is_some_and(|record| !record.union) && !has_more_than_numbers(records, name)
        }
        Type::Array { element, .. } => is_numbers(records, element),
        _ => ty.is_scalar(),
    }
}
