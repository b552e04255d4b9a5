//! Functions that read and write fields of objects, and that say whether a pointer in one is there.

use std::ops::Range;

use hotcell_model::api::Api;
use hotcell_model::types::{CType, Type};

use crate::contract::{Contract, FieldNames};
use crate::diagnostic::Diagnostic;
use crate::document::Text;
use crate::forms::{Form, c};
use crate::pattern;
use crate::suggest::did_you_mean;
use crate::type_names::{Named, TypeNames};

/// What a function does that is about a field or a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) how: How,
    /// Whether the object goes in as its first parameter; else it is about a variable.
    pub(crate) object: bool,
    /// The bits of a bit-field, and whether it has a sign.
    pub(crate) bits: Option<(u32, bool)>,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Get,
    Set,
    Has,
}

/// The parameter that is the object, and that which is the new value.
pub(crate) const OBJECT: &str = "object";
pub(crate) const VALUE: &str = "value";

/// Adds them for every field that the contract names.
pub(super) fn add(contract: &Contract, api: &Api, forms: &mut Vec<Form>, findings: &mut Vec<Diagnostic>) {
    let handles = contract.handles.iter().map(|line| (&line.name, &line.span, &line.access));
    let structs = contract.structs.iter().map(|lines| (&lines.name, &lines.span, &lines.access));
    let all: Vec<_> = handles.chain(structs).filter(|(_, _, names)| !names.is_empty()).collect();
    if all.is_empty() {
        return;
    }
    let types = TypeNames::of(api);
    for (name, span, names) in all {
        match members(api, &types, name) {
            Some((pointer, members)) => {
                let object = Object { contract, name, pointer, members };
                object.add(names, forms, findings);
            }
            None => {
                let message = format!("the headers do not say which fields a `{name}` has");
                let help = "leave `get`, `set` and `has` out, or name the header that defines it".to_owned();
                findings.push(Diagnostic::error(message).at(span.clone()).help(help));
            }
        }
    }
}

/// A field, or a field of a structure inside.
struct Member {
    /// As C names it behind the object.
    path: String,
    ty: CType,
    union: bool,
    bits: Option<u32>,
}

/// How C writes a pointer to a type, and its fields.
fn members(api: &Api, types: &TypeNames, name: &str) -> Option<(String, Vec<Member>)> {
    let Some(Named::Record { key, pointer }) = types.get(name) else { return None };
    let mut members = Vec::new();
    collect(api, key, "", false, &mut members);
    (!members.is_empty()).then(|| (pointer.clone(), members))
}

/// The fields of a record behind `before`. C has no structure that contains itself.
fn collect(api: &Api, key: &str, before: &str, union: bool, members: &mut Vec<Member>) {
    let Some(record) = api.records.get(key) else { return };
    let union = union || record.union;
    for field in record.layout.iter().flat_map(|layout| &layout.fields) {
        let path = field.name.as_ref().map(|name| format!("{before}{name}"));
        if let Some(path) = &path {
            let ty = field.ty.clone();
            members.push(Member { path: path.clone(), ty, union, bits: field.bit_width });
        }
        if let Type::Record { name } = &field.ty.kind {
            let inner = path.map_or_else(|| before.to_owned(), |path| format!("{path}."));
            collect(api, name, &inner, union, members);
        }
    }
}

/// A type whose fields are named.
struct Object<'a> {
    contract: &'a Contract,
    name: &'a str,
    /// How C writes a pointer to it.
    pointer: String,
    members: Vec<Member>,
}

impl Object<'_> {
    fn add(&self, names: &FieldNames, forms: &mut Vec<Form>, findings: &mut Vec<Diagnostic>) {
        for (how, texts) in [(How::Get, &names.get), (How::Set, &names.set), (How::Has, &names.has)] {
            let mut done: Vec<&str> = Vec::new();
            for text in texts {
                let paths = self.members.iter().map(|member| member.path.as_str());
                let chosen = self.members.iter().filter(|member| pattern::matches(&text.value, &member.path));
                let chosen: Vec<&Member> = chosen.collect();
                if chosen.is_empty() {
                    findings.push(self.unknown(text, paths));
                }
                for member in chosen {
                    if done.contains(&member.path.as_str()) {
                        continue;
                    }
                    done.push(&member.path);
                    match self.function(how, member, &text.span) {
                        Ok(form) => forms.push(form),
                        // A pattern is about those that can be had.
                        Err(_) if pattern::is_pattern(&text.value) => {}
                        Err((why, help)) => {
                            let message = format!("`{}` of `{}`: {why}", member.path, self.name);
                            findings.push(Diagnostic::error(message).at(text.span.clone()).help(help));
                        }
                    }
                }
            }
        }
    }

    fn unknown<'n>(&self, text: &Text, paths: impl Iterator<Item = &'n str>) -> Diagnostic {
        let message = format!("`{}` has no field `{}`", self.name, text.value);
        let diagnostic = match pattern::is_pattern(&text.value) {
            true => Diagnostic::warning(message),
            false => Diagnostic::error(message),
        };
        diagnostic.at(text.span.clone()).label("unknown field").help(did_you_mean(&text.value, paths))
    }

    fn function(
        &self,
        how: How,
        member: &Member,
        span: &Range<usize>,
    ) -> Result<Form, (String, Option<String>)> {
        let word = match how {
            How::Get => "get",
            How::Set => "set",
            How::Has => "has",
        };
        let name = format!("{}_{word}_{}", self.name, member.path.replace('.', "_"));
        if let Some(why) = unfit(how, &member.ty) {
            return Err((why.to_owned(), None));
        }
        let said = |name: &str| self.contract.tables(name).iter().any(|lines| lines.requires.is_some());
        if member.union && !said(&name) {
            let why = "it is a member of a union, and nothing says when it is there".to_owned();
            let help = format!(
                "[function.{name}]\nrequires = \"…\", what the field that tells the members apart is then"
            );
            return Err((why, Some(help)));
        }
        let object = c::pointed(&self.pointer, OBJECT);
        let place = format!("{OBJECT}->{}", member.path);
        let of = format!("the field `{}` of a `{}`.", member.path, self.name);
        let signed =
            matches!(member.ty.kind, Type::Int { signed: true, .. } | Type::Enum { signed: true, .. });
        let body = match how {
            How::Get => get(&name, &object, &place, &member.ty),
            How::Set => set(&name, &object, &place, &member.ty),
            How::Has => format!("static inline _Bool ({name})({object}) {{ return {place} != 0; }}"),
        };
        let doc = match how {
            How::Get => format!("Reads {of}"),
            How::Set => format!("Changes {of}"),
            How::Has => format!("Whether there is something behind {of}"),
        };
        let bits = member.bits.map(|bits| (bits, signed));
        Ok(Form {
            c: format!("{} {body}", c::comment(&doc)),
            c_name: name.clone(),
            name,
            of: None,
            span: span.clone(),
            access: Some(Access { how, object: true, bits }),
            measured: Vec::new(),
        })
    }
}

/// Why a field of this type is not read or written by a function.
fn unfit(how: How, ty: &CType) -> Option<&'static str> {
    let pointer = matches!(ty.kind, Type::Pointer { .. } | Type::FunctionPointer { .. });
    match (&ty.kind, how) {
        (Type::Unsupported { .. }, _) => Some("its type is not supported"),
        _ if ty.written.contains("(unnamed") || ty.written.contains("(anonymous") => {
            Some("its type has no name: say which of its fields are meant")
        }
        (_, How::Has) => (!pointer).then_some("`has` is about pointers, and this is none"),
        (Type::FunctionPointer { .. }, How::Get) => {
            Some("it is a pointer to a function: `has` says whether it is there")
        }
        (Type::Record { .. }, How::Set) => Some("it is a structure: say which of its fields are meant"),
        (_, How::Set) if constant(ty) => Some("it is `const`"),
        (Type::Array { element, .. }, How::Get) => {
            let numbers = ty.array().map_or(&**element, |(element, _)| element);
            (!numbers.is_scalar()).then_some("it is an array, and arrays of numbers are what is read")
        }
        (Type::Array { .. }, _) => {
            let numbers = ty.array().is_some_and(|(element, _)| element.is_scalar());
            (!numbers).then_some("it is an array, and arrays of numbers with a length are what is written")
        }
        _ => None,
    }
}

/// Whether a value of this type is `const` itself.
fn constant(ty: &CType) -> bool {
    match ty.pointee() {
        Some(_) => ty.written.trim_end().ends_with("*const"),
        None => ty.written.starts_with("const "),
    }
}

fn get(name: &str, object: &str, place: &str, ty: &CType) -> String {
    match (&ty.kind, ty.array()) {
        (Type::Array { .. }, Some((element, length))) => {
            let element = plain(&element.written);
            format!(
                "static inline void ({name})({object}, {element} values[{length}]) {{ __builtin_memcpy(values, {place}, sizeof {place}); }}"
            )
        }
        // One at the end of a structure, without a length: what there is of it begins there.
        (Type::Array { element, .. }, None) => {
            format!("static inline {} *({name})({object}) {{ return {place}; }}", plain(&element.written))
        }
        _ => {
            let head = c::pointed(plain(&ty.written), &format!("({name})({object})"));
            format!("static inline {head} {{ return {place}; }}")
        }
    }
}

fn set(name: &str, object: &str, place: &str, ty: &CType) -> String {
    match ty.array() {
        Some((element, length)) => {
            let element = plain(&element.written);
            format!(
                "static inline void ({name})({object}, const {element} {VALUE}[{length}]) {{ __builtin_memcpy({place}, {VALUE}, sizeof {place}); }}"
            )
        }
        None => {
            let value = c::pointed(&ty.written, VALUE);
            format!("static inline void ({name})({object}, {value}) {{ {place} = {VALUE}; }}")
        }
    }
}

/// A type whose values are handed on by value.
fn plain(written: &str) -> &str {
    match written.contains('*') {
        true => written.strip_suffix("const").map_or(written, str::trim_end),
        false => written.trim_start_matches("const "),
    }
}
