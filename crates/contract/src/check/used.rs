//! The records and enumerations that functions use.

use std::collections::BTreeMap;

use hotcell_model::api::{Api, Enum, Record};
use hotcell_model::interface::{Function, Role};
use hotcell_model::types::{CType, Type};

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
