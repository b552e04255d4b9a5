//! The handle types of a library: objects that callers hold by a handle instead of a pointer.
//!
//! A type is one because a line of `[handle]` says so, or because a rule of [`crate::infer::handles`] does. A line
//! stands for everything that is said about its type: what a rule thinks about it besides is dropped.

use std::collections::{BTreeMap, BTreeSet};

use hotcell_model::api::Api;
use hotcell_model::evidence::Evidence;
use hotcell_model::interface::Handle;
use hotcell_model::types::{CType, Type};

use crate::contract::Contract;
use crate::diagnostic::Diagnostic;
use crate::document::Text;
use crate::infer::constants;
use crate::infer::functions::Functions;
use crate::infer::handles::{InferredHandle, Pairs};
use crate::suggest::did_you_mean;
use crate::type_names::{Named, TypeNames, unqualified};

/// The handle types by name, and the C types that are pointers to them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Handles {
    types: BTreeMap<String, Handle>,
    /// Names of types by what a pointer to them points to.
    pointees: BTreeMap<Pointee, String>,
    /// Types of which the contract says which functions make an object.
    made: BTreeSet<String>,
    /// What releases what functions make, by their names.
    pairs: Pairs,
    /// By type, a function that returns one of the library's own objects, which nobody may change.
    constants: BTreeMap<String, String>,
}

/// What a handle's pointer points to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Pointee {
    /// A structure or union, by its key.
    Record(String),
    /// `void`, as this typedef of it.
    Void(String),
    /// Anything else, through this typedef of the pointer.
    Pointer(String),
}

impl Handles {
    /// The types that the contract decides, and those that rules find besides.
    pub(crate) fn new(
        contract: &Contract,
        (api, functions): (&Api, &Functions<'_>),
        names: &TypeNames,
        (inferred, pairs): (Vec<InferredHandle>, Pairs),
        findings: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut handles = Handles { pairs, ..Handles::default() };
        for line in &contract.handles {
            let evidence = Evidence::Decided { line: contract.line(&line.span) };
            let release = line.release.as_ref().map(|text| text.value.clone());
            let parent = line.parent.as_ref().map(|text| text.value.clone());
            let Some(named) = names.get(&line.name) else {
                let message = format!("the headers use no type `{}`", line.name);
                let help = did_you_mean(&line.name, names.all());
                let diagnostic = Diagnostic::error(message).at(line.span.clone()).label("unknown type");
                findings.push(diagnostic.help(help));
                continue;
            };
            if line.made_by.is_some() {
                handles.made.insert(line.name.clone());
            }
            let pointee = pointee(&line.name, named);
            if let Some(other) = handles.pointees.get(&pointee) {
                let message = format!("`{}` and `{other}` are the same type", line.name);
                findings.push(Diagnostic::error(message).at(line.span.clone()).label("the second"));
                continue;
            }
            let jumps = line.jumps.as_ref().map(|text| text.value.clone());
            findings.extend(line.jumps.as_ref().and_then(|text| no_jump(api, text)));
            let described = describe(api, &line.name, named, evidence);
            let handle = Handle { release, parent, jumps, thread_affine: line.affine, ..described };
            handles.add(&line.name, pointee, handle);
        }
        for found in inferred {
            let Some(named) = names.get(&found.name) else { continue };
            let pointee = pointee(&found.name, named);
            let fields = |key: &str| contract.structs.iter().any(|line| names.is_record(&line.name, key));
            let travels = matches!(named, Named::Record { key, .. } if fields(key));
            if travels || handles.pointees.contains_key(&pointee) || handles.types.contains_key(&found.name) {
                continue;
            }
            let evidence = Evidence::Inferred { rule: found.rule.to_owned() };
            let described = describe(api, &found.name, named, evidence);
            let handle = Handle { c_type: found.c_type, release: found.release, ..described };
            handles.add(&found.name, pointee, handle);
        }
        for line in &contract.handles {
            let Some(parent) = &line.parent else { continue };
            if parent.value == line.name {
                let message = format!("a `{}` cannot be the parent of its own type", line.name);
                let help =
                    "say it where one is made, as `parent = \"…\"`: the name of a parameter".to_owned();
                findings.push(Diagnostic::error(message).at(parent.span.clone()).help(help));
                continue;
            }
            if !handles.types.contains_key(&parent.value) {
                let message = format!("`{}` is no handle type", parent.value);
                let help = did_you_mean(&parent.value, handles.types.keys().map(String::as_str));
                let help = help.unwrap_or_else(|| format!("add `{} = {{}}` to `[handle]`", parent.value));
                findings.push(Diagnostic::error(message).at(parent.span.clone()).help(help));
            }
        }
        for (record, function) in constants::families(api, functions) {
            if let Some(name) = handles.of_record(record).map(str::to_owned) {
                handles.constants.insert(name, function.to_owned());
            }
        }
        handles
    }

    /// A function that returns an object of this type which is the library's own, and which nobody may change.
    pub(crate) fn constant_of(&self, name: &str) -> Option<&str> {
        self.constants.get(name).map(String::as_str)
    }

    /// Functions that are each other's mirror.
    pub(crate) fn pairs(&self) -> &Pairs {
        &self.pairs
    }

    fn add(&mut self, name: &str, pointee: Pointee, handle: Handle) {
        self.pointees.insert(pointee, name.to_owned());
        self.types.insert(name.to_owned(), handle);
    }

    /// What is known about a handle type.
    pub fn get(&self, name: &str) -> Option<&Handle> {
        self.types.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Handle)> {
        self.types.iter().map(|(name, handle)| (name.as_str(), handle))
    }

    /// The handle type that a C type points to: `T *`, `const T *`, or a typedef of one.
    pub fn of_pointer(&self, ty: &CType) -> Option<&str> {
        let (pointee, _) = ty.pointee()?;
        let typedef = || Pointee::Pointer(unqualified(&ty.written).to_owned());
        let candidates = match &pointee.kind {
            Type::Record { name } => vec![Pointee::Record(name.clone())],
            Type::Void => vec![typedef(), Pointee::Void(unqualified(&pointee.written).to_owned())],
            _ => vec![typedef()],
        };
        candidates.iter().find_map(|candidate| self.pointees.get(candidate)).map(String::as_str)
    }

    /// The handle type that a function releases.
    pub(crate) fn released_by(&self, function: &str) -> Option<(&str, &Handle)> {
        self.iter().find(|(_, handle)| handle.release.as_deref() == Some(function))
    }

    /// Whether the contract says which functions make objects of a type: all others lend them.
    pub(crate) fn says_makers(&self, name: &str) -> bool {
        self.made.contains(name)
    }

    /// The handle type of a structure or union, by its key.
    pub(crate) fn of_record(&self, key: &str) -> Option<&str> {
        self.pointees.get(&Pointee::Record(key.to_owned())).map(String::as_str)
    }

    /// The handle type behind two pointers, `T **`, where the function can write one.
    pub fn of_pointer_pointer(&self, ty: &CType) -> Option<&str> {
        match ty.pointee()? {
            (pointer, false) => self.of_pointer(pointer),
            _ => None,
        }
    }
}

fn pointee(name: &str, named: &Named) -> Pointee {
    match named {
        Named::Record { key, .. } => Pointee::Record(key.clone()),
        Named::Void => Pointee::Void(name.to_owned()),
        Named::Pointer => Pointee::Pointer(name.to_owned()),
    }
}

/// Says that there is nothing of this name that gives a `jmp_buf`.
fn no_jump(api: &Api, text: &Text) -> Option<Diagnostic> {
    let functions = api.functions.iter().map(|function| function.name.as_str());
    let names = functions.chain(api.function_macros.keys().map(String::as_str));
    if names.clone().any(|name| name == text.value) {
        return None;
    }
    let help = did_you_mean(&text.value, names);
    let help =
        help.unwrap_or_else(|| "name what gives the `jmp_buf` of an object, as `png_jmpbuf` does".to_owned());
    let message = format!("the headers have no macro or function `{}`", text.value);
    Some(Diagnostic::error(message).at(text.span.clone()).help(help))
}

fn describe(api: &Api, name: &str, named: &Named, evidence: Evidence) -> Handle {
    let (c_type, doc) = match named {
        Named::Pointer => (name.to_owned(), None),
        Named::Void => (format!("{name} *"), None),
        Named::Record { key, pointer } => {
            (pointer.clone(), api.records.get(key).and_then(|record| record.doc.clone()))
        }
    };
    Handle::new(c_type, doc, evidence)
}
