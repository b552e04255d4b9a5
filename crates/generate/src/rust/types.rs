//! How values look in Rust.

use std::collections::BTreeMap;

use hotcell_model::Interface;
use hotcell_model::layout::WireKind;
use hotcell_model::types::{CType, Target, Type};

use crate::rust::names;

/// The Rust side of a number.
#[derive(Clone)]
pub(crate) struct Number {
    /// Its type in signatures.
    pub(crate) name: String,
    pub(crate) kind: WireKind,
    form: Form,
}

/// How a number differs from its wire kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Bool,
    /// A byte: `u8` even where the target's `char` is signed.
    SignedChar,
    /// A type of the package around the number.
    Wrapped,
}

impl Number {
    /// The expression that goes on the wire.
    pub(crate) fn encode(&self, value: &str) -> String {
        match self.form {
            Form::Plain => value.to_owned(),
            Form::Bool => format!("u8::from({value})"),
            Form::SignedChar => format!("{value}.cast_signed()"),
            Form::Wrapped => format!("{value}.0"),
        }
    }

    /// The expression of what came from the wire.
    pub(crate) fn decode(&self, value: &str) -> String {
        match self.form {
            Form::Plain => value.to_owned(),
            Form::Bool => format!("{value} != 0"),
            Form::SignedChar => format!("{value}.cast_unsigned()"),
            Form::Wrapped => format!("{}({value})", self.name),
        }
    }
}

/// The package's own types for enumerations: names by key.
pub(crate) type Enums = BTreeMap<String, String>;

/// The number a scalar type is; `None` for types that are no scalars.
pub(crate) fn number(ty: &CType, target: &Target, enums: &Enums) -> Option<Number> {
    let kind = WireKind::of_scalar(ty, target)?;
    let (name, form) = match &ty.kind {
        Type::Bool => ("bool".to_owned(), Form::Bool),
        Type::Char if target.char_signed => ("u8".to_owned(), Form::SignedChar),
        Type::Enum { name, .. } if enums.contains_key(name) => (enums[name].clone(), Form::Wrapped),
        _ => (primitive(kind).to_owned(), Form::Plain),
    };
    Some(Number { name, kind, form })
}

/// The type of a buffer's elements: `u8` for raw data.
pub(crate) fn element(ty: &CType, target: &Target) -> &'static str {
    match WireKind::of_scalar(ty, target) {
        Some(kind) if !ty.is_byte() && ty.kind != Type::Bool => primitive(kind),
        _ => "u8",
    }
}

/// The Rust type of a wire kind.
pub(crate) fn primitive(kind: WireKind) -> &'static str {
    match kind {
        WireKind::U8 | WireKind::Reference => "u8",
        WireKind::U16 => "u16",
        WireKind::U32 => "u32",
        WireKind::U64 => "u64",
        WireKind::I8 => "i8",
        WireKind::I16 => "i16",
        WireKind::I32 => "i32",
        WireKind::I64 => "i64",
        WireKind::F32 => "f32",
        WireKind::F64 => "f64",
    }
}

/// The name of a wire kind in the runtime.
pub(crate) fn runtime(kind: WireKind) -> &'static str {
    match kind {
        WireKind::U8 => "U8",
        WireKind::U16 => "U16",
        WireKind::U32 => "U32",
        WireKind::U64 => "U64",
        WireKind::I8 => "I8",
        WireKind::I16 => "I16",
        WireKind::I32 => "I32",
        WireKind::I64 => "I64",
        WireKind::F32 => "F32",
        WireKind::F64 => "F64",
        WireKind::Reference => "Reference",
    }
}

/// Names and integer types of the enumerations that functions take or give by value.
pub(crate) fn enums(
    interface: &Interface,
    scope: &mut names::Scope,
) -> (Enums, BTreeMap<String, &'static str>) {
    let (mut names, mut integers) = (Enums::new(), BTreeMap::new());
    for function in &interface.functions {
        for ty in function.params.iter().map(|p| &p.ty).chain([&function.result_type]) {
            let ty = ty.pointee().map_or(ty, |(pointee, _)| pointee);
            if let Type::Enum { name, .. } = &ty.kind
                && let Some(kind) = WireKind::of_scalar(ty, &interface.target)
                && interface.enums.contains_key(name)
            {
                integers.insert(name.clone(), primitive(kind));
            }
        }
    }
    for name in integers.keys() {
        names.insert(name.clone(), scope.take_type(names::camel(name)));
    }
    (names, integers)
}
