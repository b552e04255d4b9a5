//! The rule `made-and-ended` for structures: headers define them, and they are objects all the same.
//!
//! `cJSON` shows its fields, and yet nobody makes one but the library. A structure with pointers in it that some function
//! returns and another one ends is held by its pointer. One that goes anywhere by value is not.

use std::collections::{BTreeMap, BTreeSet};

use hotcell_model::api::{Api, Function, Record};
use hotcell_model::types::{CType, Type};

use crate::infer::endings::{Ending, ending};
use crate::infer::handles::{Library, pointed_record};
use crate::infer::names::words;

/// Ends of the words of functions that begin, or fill, a structure which callers have.
const BEGINNINGS: &[&str] = &["begin", "default", "defaults", "fill", "init", "initialize", "setup", "zero"];

/// Words of functions that fill a structure which callers have, and say how it went: `getpwnam_r`, `entry_next(entry)`.
const FILLERS: &[&str] = &[
    "copy", "decode", "fetch", "get", "into", "load", "lookup", "next", "open", "parse", "prev", "r", "read",
    "stat",
];

/// Words of functions that make what they hand out.
const ALLOCATES: &[&str] =
    &["add", "alloc", "allocate", "append", "create", "insert", "make", "malloc", "new", "open"];

/// What becomes of structures in the functions of a library.
pub(super) struct Made<'a> {
    api: &'a Api,
    returned: BTreeSet<&'a str>,
    ended: BTreeSet<&'a str>,
    /// Those of them that something is called like the release of.
    released: BTreeSet<&'a str>,
    /// Those that are ended by the pointer to their pointer, which may be an array of pointers.
    ended_through: BTreeSet<&'a str>,
    /// Those that a function hands out which is called like one that makes them.
    allocated: BTreeSet<&'a str>,
    /// Those that some function takes or returns by value.
    values: BTreeSet<&'a str>,
    /// Those that callers have memory of: a function begins or fills one, an array, or a field of another structure is one.
    callers: BTreeSet<&'a str>,
}

impl<'a> Made<'a> {
    pub(super) fn of(api: &'a Api, library: Library<'_>) -> Made<'a> {
        let there = |function: &&Function| library.has(function);
        let mut made = Made {
            api,
            returned: BTreeSet::new(),
            ended: BTreeSet::new(),
            released: BTreeSet::new(),
            ended_through: BTreeSet::new(),
            allocated: BTreeSet::new(),
            values: BTreeSet::new(),
            callers: callers(api).collect(),
        };
        for function in &api.functions {
            let types = function.params.iter().map(|param| &param.ty).chain([&function.result]);
            made.values.extend(types.filter_map(|ty| match &ty.kind {
                Type::Record { name } => Some(name.as_str()),
                _ => None,
            }));
        }
        for function in api.functions.iter().filter(there) {
            // What an inline function opens and closes is its own only where the type is the library's: not a `FILE`.
            let own = |key: &&str| !function.inline || is_primary(api, key);
            made.returned.extend(changeable(&function.result).filter(own));
            // `FT_New_Face(library, path, index, FT_Face *face)`.
            let out = function.params.iter().filter_map(|param| param.ty.pointee());
            let out: Vec<&str> = out
                .filter(|(_, constant)| !constant)
                .filter_map(|(ty, _)| changeable(ty))
                .filter(own)
                .collect();
            if words(&function.name).iter().any(|word| ALLOCATES.contains(&word.as_str())) {
                made.allocated.extend(changeable(&function.result).filter(own));
            }
            made.allocated.extend(&out);
            made.returned.extend(&out);
            if ends_first(function) {
                let first = function.params.first().map(|param| &param.ty);
                made.ended.extend(first.and_then(changeable).filter(own));
                if ending(&function.name).is_some_and(|(ending, _)| ending == Ending::Releases) {
                    made.released.extend(first.and_then(changeable).filter(own));
                }
                // `ebur128_destroy(ebur128_state **st)`.
                let behind = first.and_then(CType::pointee).filter(|(_, constant)| !constant);
                made.ended_through.extend(behind.and_then(|(pointer, _)| changeable(pointer)).filter(own));
            }
        }
        made
    }

    /// Whether a structure is defined, and made by the library: the rule that says so.
    pub(super) fn object(&self, key: &str) -> Option<&'static str> {
        let handed_out = self.returned.contains(key) && !self.values.contains(key);
        let object = handed_out && has_more_than_numbers(&self.api.records, key);
        let own = is_primary(self.api, key) && self.api.records.get(key).is_some_and(|record| !record.union);
        // `json_t`, a type and a count: behind it is more, since nobody has to release a copy of two numbers.
        // What few functions take are values to be read.
        let begins =
            || self.allocated.contains(key) && self.released.contains(key) && uses(self.api, key) >= USED;
        let numbers = handed_out && !object && own && !self.callers.contains(key);
        if numbers && begins() {
            return Some("made-and-ended");
        }
        match object {
            true if self.ended.contains(key) => Some("made-and-ended"),
            // What callers begin or fill is theirs, and what is only found may be filled for them as well.
            true if self.callers.contains(key) => None,
            true if self.ended_through.contains(key) => Some("made-and-ended"),
            true if own && self.allocated.contains(key) => Some("handed-out-structure"),
            _ => None,
        }
    }
}

/// How many functions take what is an object though it has nothing but numbers in it.
const USED: usize = 4;

/// How many functions take a structure, but for those that end it.
fn uses(api: &Api, key: &str) -> usize {
    let takes = |function: &&Function| {
        !ends_first(function) && function.params.iter().any(|param| pointed_record(&param.ty) == Some(key))
    };
    api.functions.iter().filter(takes).count()
}

/// Whether the headers of the library, and no other's, define a structure.
fn is_primary(api: &Api, key: &str) -> bool {
    api.records.get(key).is_some_and(|record| record.location.primary)
}

/// Structures that callers have memory of.
fn callers(api: &Api) -> impl Iterator<Item = &str> {
    let begins = |function: &&Function| {
        let beginning = |word: &String| BEGINNINGS.iter().any(|begins| word.ends_with(begins));
        words(&function.name).iter().any(beginning)
    };
    let begun = api
        .functions
        .iter()
        .filter(begins)
        .filter_map(|function| function.params.first().and_then(|param| changeable(&param.ty)));
    let arrays = api.functions.iter().flat_map(|function| &function.params);
    let arrays =
        arrays.filter(|param| param.array_length.is_some()).filter_map(|param| pointed_record(&param.ty));
    let fields =
        api.records.values().filter_map(|record| record.layout.as_ref()).flat_map(|layout| &layout.fields);
    let within = fields.filter_map(|field| match &field.ty.kind {
        Type::Record { name } => Some(name.as_str()),
        Type::Array { element, .. } => match &element.kind {
            Type::Record { name } => Some(name.as_str()),
            _ => None,
        },
        _ => None,
    });
    // `int item_read(struct item *out)`.
    let params = api.functions.iter().flat_map(|function| &function.params);
    let filled = params.filter(|param| {
        let last = param.name.as_deref().and_then(|name| words(name).pop()).unwrap_or_default();
        ["dest", "dst", "out", "output", "res", "result", "ret"].contains(&last.as_str())
    });
    let status = |function: &&Function| function.result.pointee().is_none();
    let read = api
        .functions
        .iter()
        .filter(status)
        .filter(|function| words(&function.name).iter().any(|word| FILLERS.contains(&word.as_str())));
    let read = read.flat_map(|function| &function.params).filter_map(|param| changeable(&param.ty));
    begun.chain(arrays).chain(within).chain(read).chain(filled.filter_map(|param| changeable(&param.ty)))
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
