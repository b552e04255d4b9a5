//! The structures of a library that can travel: by value, by pointer, or kept by the library.

use std::collections::BTreeMap;

use hotcell_model::interface::Struct;
use hotcell_model::types::{CType, Type};

/// The structures that can travel, by the record's key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Structs {
    known: BTreeMap<String, Struct>,
}

impl Structs {
    /// A structure that can travel.
    pub fn get(&self, record: &str) -> Option<&Struct> {
        self.known.get(record)
    }

    /// The structure that a C type is, when it can travel.
    pub fn of(&self, ty: &CType) -> Option<(&str, &Struct)> {
        match &ty.kind {
            Type::Record { name } => self.known.get_key_value(name).map(|(key, item)| (key.as_str(), item)),
            _ => None,
        }
    }

    /// The structure that a C type points to, when it can travel.
    pub fn of_pointer(&self, ty: &CType) -> Option<(&str, &Struct)> {
        ty.pointee().and_then(|(pointee, _)| self.of(pointee))
    }
}
