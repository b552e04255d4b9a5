//! How values look in Go.

use std::collections::BTreeMap;

use hotcell_model::layout::WireKind;
use hotcell_model::types::{CType, Target, Type};

/// The Go side of a number.
#[derive(Clone)]
pub(crate) struct Number {
    /// Its type in signatures.
    pub(crate) name: String,
    kind: WireKind,
    form: Form,
}

/// How a number differs from its wire kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Bool,
    /// A byte, even where the target's `char` is signed.
    SignedChar,
    /// A type of the package around the number.
    Wrapped,
}

/// The number a scalar type is; `None` for types that are no scalars. `enums` are the package's own types, by key.
pub(crate) fn number(ty: &CType, target: &Target, enums: &BTreeMap<String, String>) -> Option<Number> {
    let kind = WireKind::of_scalar(ty, target)?;
    let (name, form) = match &ty.kind {
        Type::Bool => ("bool".to_owned(), Form::Bool),
        Type::Char if target.char_signed => ("byte".to_owned(), Form::SignedChar),
        Type::Char => ("byte".to_owned(), Form::Plain),
        Type::Enum { name, .. } if enums.contains_key(name) => (enums[name].clone(), Form::Wrapped),
        _ => (primitive(kind).to_owned(), Form::Plain),
    };
    Some(Number { name, kind, form })
}

impl Number {
    /// The statement that writes it, by a method of `on`.
    pub(crate) fn put(&self, on: &str, offset: &str, value: &str) -> String {
        let value = match self.form {
            Form::Plain | Form::Bool => value.to_owned(),
            Form::SignedChar | Form::Wrapped => format!("{}({value})", primitive(self.kind)),
        };
        format!("{on}.Put{}({offset}, {value})", self.method())
    }

    /// The expression that reads it, by a method of `on`.
    pub(crate) fn get(&self, on: &str, offset: &str) -> String {
        let value = format!("{on}.{}({offset})", self.method());
        match self.form {
            Form::Plain | Form::Bool => value,
            Form::SignedChar | Form::Wrapped => format!("{}({value})", self.name),
        }
    }

    fn method(&self) -> &'static str {
        if self.form == Form::Bool { "Bool" } else { kind(self.kind) }
    }

    /// Its bits.
    pub(crate) fn bits(&self) -> u32 {
        self.kind.size() * 8
    }

    /// Whether it is a truth value, which Go makes no number of.
    pub(crate) fn is_bool(&self) -> bool {
        self.form == Form::Bool
    }

    /// The expression of the value as 64 bits, its own in the low ones; not of a truth value.
    pub(crate) fn widen(&self, value: &str) -> String {
        match self.kind {
            WireKind::F64 => format!("math.Float64bits({value})"),
            WireKind::F32 => format!("uint64(math.Float32bits({value}))"),
            WireKind::I8 if self.form == Form::SignedChar => format!("uint64({value})"),
            WireKind::I8 => format!("uint64(uint8({value}))"),
            WireKind::I16 => format!("uint64(uint16({value}))"),
            WireKind::I32 => format!("uint64(uint32({value}))"),
            WireKind::U64 if self.form == Form::Plain => value.to_owned(),
            _ => format!("uint64({value})"),
        }
    }

    /// The most that it holds and that 63 bits hold, too.
    pub(crate) fn most(&self) -> i64 {
        let bits = self.bits() - u32::from(self.is_signed() || self.kind.size() == 8);
        i64::try_from((1u64 << bits) - 1).unwrap_or(i64::MAX)
    }

    /// Whether it has a sign.
    pub(crate) fn is_signed(&self) -> bool {
        is_signed(self.kind)
    }
}

/// Whether a wire kind has a sign.
pub(crate) fn is_signed(kind: WireKind) -> bool {
    matches!(kind, WireKind::I8 | WireKind::I16 | WireKind::I32 | WireKind::I64)
}

/// The type of a buffer's elements: `byte` for raw data.
pub(crate) fn element(ty: Option<&CType>, target: &Target) -> &'static str {
    let Some(ty) = ty else { return "byte" };
    match WireKind::of_scalar(ty, target) {
        _ if ty.kind == Type::Bool => "bool",
        Some(kind) if !ty.is_byte() => primitive(kind),
        _ => "byte",
    }
}

/// Bytes of an element of this Go type.
pub(crate) fn size(element: &str) -> usize {
    let bits = element.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    bits.parse().map_or(1, |bits: usize| bits / 8)
}

/// The Go type of a wire kind.
pub(crate) fn primitive(kind: WireKind) -> &'static str {
    match kind {
        WireKind::U8 | WireKind::Reference => "uint8",
        WireKind::U16 => "uint16",
        WireKind::U32 => "uint32",
        WireKind::U64 => "uint64",
        WireKind::I8 => "int8",
        WireKind::I16 => "int16",
        WireKind::I32 => "int32",
        WireKind::I64 => "int64",
        WireKind::F32 => "float32",
        WireKind::F64 => "float64",
    }
}

/// The name of the kind of a number in the runtime.
pub(crate) fn kind(kind: WireKind) -> &'static str {
    match kind {
        WireKind::U8 | WireKind::Reference => "Uint8",
        WireKind::U16 => "Uint16",
        WireKind::U32 => "Uint32",
        WireKind::U64 => "Uint64",
        WireKind::I8 => "Int8",
        WireKind::I16 => "Int16",
        WireKind::I32 => "Int32",
        WireKind::I64 => "Int64",
        WireKind::F32 => "Float32",
        WireKind::F64 => "Float64",
    }
}
