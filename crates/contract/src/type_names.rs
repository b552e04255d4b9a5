//! What the names of types in a contract stand for: tags, and typedefs as the headers use them.

use std::collections::BTreeMap;

use hotcell_model::api::Api;
use hotcell_model::types::{CType, Type};

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// A structure or union, or a pointer to it.
    Record {
        /// Its key.
        key: String,
        /// How C writes a pointer to it with this name.
        pointer: String,
    },
    /// `void` under a name of its own, as in `typedef void CURL`.
    Void,
    /// A pointer to anything else under a name of its own, as in `typedef void *HANDLE`.
    Pointer,
}

/// The names of structures, unions, hidden types and pointers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TypeNames {
    names: BTreeMap<String, Named>,
}

impl TypeNames {
    pub(crate) fn of(api: &Api) -> Self {
        let mut names = TypeNames::default();
        for (key, record) in &api.records {
            let pointer = format!("{} *", record.c_name);
            names.names.insert(key.clone(), Named::Record { key: key.clone(), pointer });
        }
        for record in api.records.values() {
            record.layout.iter().flat_map(|layout| &layout.fields).for_each(|field| names.visit(&field.ty));
        }
        for function in &api.functions {
            names.visit(&function.result);
            function.params.iter().for_each(|param| names.visit(&param.ty));
        }
        names
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Named> {
        self.names.get(name)
    }

    /// Whether a name stands for this structure or union, or a pointer to it.
    pub(crate) fn is_record(&self, name: &str, record: &str) -> bool {
        matches!(self.get(name), Some(Named::Record { key, .. }) if key == record)
    }

    /// All names, to find the nearest one.
    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// The name itself, when it is a typedef of a structure.
    pub(crate) fn typedef(&self, name: &str) -> Option<&str> {
        match self.names.get_key_value(name)? {
            (name, Named::Record { pointer, .. }) if pointer.strip_suffix(" *") == Some(name) => Some(name),
            _ => None,
        }
    }

    /// A typedef of a structure, by its key.
    pub(crate) fn typedef_of(&self, record: &str) -> Option<&str> {
        let of = |named: &Named| matches!(named, Named::Record { key, .. } if key == record);
        let names = self.names.iter().filter(|(_, named)| of(named));
        names.map(|(name, _)| name.as_str()).find(|name| self.typedef(name).is_some())
    }

    fn visit(&mut self, ty: &CType) {
        match &ty.kind {
            Type::Record { name } => self.record(&ty.written, name, " *"),
            Type::Void => self.add(&ty.written, Named::Void),
            Type::Pointer { pointee, .. } => {
                match &pointee.kind {
                    Type::Record { name } => self.record(&ty.written, name, ""),
                    _ => self.add(&ty.written, Named::Pointer),
                }
                self.visit(pointee);
            }
            Type::Array { element, .. } => self.visit(element),
            Type::FunctionPointer { signature } => {
                self.visit(&signature.result);
                signature.params.iter().for_each(|(_, ty)| self.visit(ty));
            }
            _ => {}
        }
    }

    fn record(&mut self, written: &str, key: &str, star: &str) {
        let pointer = format!("{}{star}", unqualified(written));
        self.add(written, Named::Record { key: key.to_owned(), pointer });
    }

    /// Adds what is a name. A typedef stands before a tag of the same type, and behind one of another.
    fn add(&mut self, written: &str, named: Named) {
        let name = unqualified(written);
        let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !letters || name.is_empty() || name == "void" {
            return;
        }
        match (self.names.get_mut(name), named) {
            (None, named) => {
                self.names.insert(name.to_owned(), named);
            }
            (Some(Named::Record { key, pointer }), Named::Record { key: same, pointer: typedef })
                if *key == same =>
            {
                *pointer = typedef;
            }
            _ => {}
        }
    }
}

/// A type's spelling without its own `const`.
pub(crate) fn unqualified(written: &str) -> &str {
    let written = written.trim();
    let written = written.strip_prefix("const ").unwrap_or(written);
    written.strip_suffix(" const").unwrap_or(written).trim()
}
