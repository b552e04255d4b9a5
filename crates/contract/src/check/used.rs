//! The records and enumerations that functions use.

use std::collections::BTreeMap;

use hotcell_model::api::{Api, Enum, Record};
use hotcell_model::interface::{Function, Handle, ResultRole, Role};
use hotcell_model::types::{CType, Type};

use crate::handles::Handles;

/// By name, with everything they consist of.
pub(crate) fn types(api: &Api, functions: &[Function]) -> (BTreeMap<String, Record>, BTreeMap<String, Enum>) {
    let mut used = Used { api, records: BTreeMap::new(), enums: BTreeMap::new() };
    for function in functions {
        used.visit(&function.result_type);
        for param in &function.params {
            // What the contract fixes is C text; its type crosses nothing.
            if !matches!(param.role.value, Role::Fixed { .. }) {
                used.visit(&param.ty);
            }
        }
    }
    (used.records, used.enums)
}

/// The handle types that functions take or give, and those these go with.
pub(crate) fn handles(known: &Handles, functions: &[Function]) -> BTreeMap<String, Handle> {
    let mut used = BTreeMap::new();
    let mut wanted: Vec<&str> = Vec::new();
    for function in functions {
        wanted.extend(function.params.iter().filter_map(|param| match &param.role.value {
            Role::Handle { handle, .. } | Role::HandleOut { handle, .. } => Some(handle.as_str()),
            _ => None,
        }));
        if let ResultRole::Handle { handle, .. } = &function.result.value {
            wanted.push(handle);
        }
    }
    while let Some(name) = wanted.pop() {
        if let Some(handle) = known.get(name).filter(|_| !used.contains_key(name)) {
            used.insert(name.to_owned(), handle.clone());
            wanted.extend(handle.parent.as_deref());
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
                let fields = found.layout.iter().flat_map(|layout| &layout.fields);
                fields.for_each(|field| self.visit(&field.ty));
            }
            _ => {}
        }
    }
}
