//! The types that functions use.

use std::collections::BTreeMap;

use hotcell_model::api::{Api, Enum, Record};
use hotcell_model::evidence::Evidence;
use hotcell_model::interface::{Callback, CallbackRole, Function, Handle, ResultRole, Role, Struct};
use hotcell_model::types::{CType, Type};

use crate::check::releases;
use crate::infer::Known;
use crate::structs::Structs;

/// Records and enumerations by name, with everything they consist of.
pub(crate) fn types(api: &Api, functions: &[Function]) -> (BTreeMap<String, Record>, BTreeMap<String, Enum>) {
    let mut used = Used { api, records: BTreeMap::new(), enums: BTreeMap::new() };
    for function in functions {
        // Nobody looks into an object that is held by a handle.
        if !matches!(function.result.value, ResultRole::Handle { .. }) {
            used.visit(&function.result_type);
        }
        for param in &function.params {
            match &param.role.value {
                // What the contract fixes is C text; its type crosses nothing.
                Role::Fixed { .. } | Role::Handle { .. } | Role::Handles { .. } | Role::HandleOut { .. } => {}
                Role::Callback { callback, .. } => {
                    used.visit(&callback.result);
                    let seen = callback.params.iter().filter(|param| object(&param.role).is_none());
                    seen.for_each(|param| used.visit(&param.ty));
                }
                _ => used.visit(&param.ty),
            }
        }
    }
    (used.records, used.enums)
}

/// The handle type of an object that a callback gets.
fn object(role: &CallbackRole) -> Option<&str> {
    match role {
        CallbackRole::Handle { handle, .. } | CallbackRole::Handles { handle, .. } => Some(handle),
        _ => None,
    }
}

fn objects(callback: &Callback) -> impl Iterator<Item = &str> {
    callback.params.iter().filter_map(|param| object(&param.role))
}

/// The handle types that functions take or give, and those these go with.
pub(crate) fn handles(known: Known<'_>, functions: &[Function]) -> BTreeMap<String, Handle> {
    let mut used = BTreeMap::new();
    let mut wanted: Vec<&str> = Vec::new();
    let bound = |name: &String| {
        let release = functions.iter().find(|function| function.name == *name);
        release.is_some_and(|function| releases::objection(function).is_none())
    };
    for function in functions {
        for param in &function.params {
            match &param.role.value {
                Role::Handle { handle, .. }
                | Role::Handles { handle, .. }
                | Role::HandleOut { handle, .. } => wanted.push(handle),
                Role::Callback { callback, .. } => wanted.extend(objects(callback)),
                Role::Resident { record, .. } => {
                    if let Some(item) = known.structs.get(record) {
                        let evidence = match known.structs.resident_line(record) {
                            Some(line) => Evidence::Decided { line },
                            None => Evidence::Inferred { rule: "begun-and-ended".to_owned() },
                        };
                        let c_type = format!("{} *", item.c_name);
                        used.insert(record.clone(), Handle::new(c_type, item.doc.clone(), evidence));
                    }
                }
                _ => {}
            }
        }
        if let ResultRole::Handle { handle, .. } = &function.result.value {
            wanted.push(handle);
        }
    }
    while let Some(name) = wanted.pop() {
        if let Some(handle) = known.handles.get(name).filter(|_| !used.contains_key(name)) {
            let release = handle.release.clone().filter(bound);
            used.insert(name.to_owned(), Handle { release, ..handle.clone() });
            wanted.extend(handle.parent.as_deref());
        }
    }
    used
}

/// The structures that functions take or give, with those inside of them.
pub(crate) fn structs(known: &Structs, functions: &[Function]) -> BTreeMap<String, Struct> {
    let mut used = BTreeMap::new();
    let mut wanted: Vec<&str> = Vec::new();
    for function in functions {
        wanted.extend(function.params.iter().filter_map(|param| match &param.role.value {
            Role::Struct { record, .. } | Role::Resident { record, .. } => Some(record.as_str()),
            _ => param.structures(),
        }));
        wanted.extend(function.returned_structures());
        if let ResultRole::Struct { record, .. } = &function.result.value {
            wanted.push(record);
        }
    }
    while let Some(record) = wanted.pop() {
        if let Some(item) = known.get(record).filter(|_| !used.contains_key(record)) {
            used.insert(record.to_owned(), item.clone());
            wanted.extend(item.inner());
        }
    }
    used
}

struct Used<'a> {
    api: &'a Api,
    records: BTreeMap<String, Record>,
    enums: BTreeMap<String, Enum>,
}

impl Used<'_> {
    fn visit(&mut self, ty: &CType) {
        match &ty.kind {
            Type::Pointer { pointee, .. } => self.visit(pointee),
            Type::Array { element, .. } => self.visit(element),
            Type::FunctionPointer { signature } => {
                self.visit(&signature.result);
                signature.params.iter().for_each(|(_, ty)| self.visit(ty));
            }
            Type::Enum { name, .. } => {
                if let Some(found) = self.api.enums.get(name) {
                    self.enums.insert(name.clone(), found.clone());
                }
            }
            Type::Record { name } => {
                let Some(found) = self.api.records.get(name).filter(|_| !self.records.contains_key(name))
                else {
                    return;
                };
                self.records.insert(name.clone(), found.clone());
                // What a field points to does not cross with it.
                let fields = found.layout.iter().flat_map(|layout| &layout.fields);
                let inside =
                    |ty: &CType| !matches!(ty.kind, Type::Pointer { .. } | Type::FunctionPointer { .. });
                fields.filter(|field| inside(&field.ty)).for_each(|field| self.visit(&field.ty));
            }
            _ => {}
        }
    }
}
