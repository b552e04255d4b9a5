//! How values look in Rust.

use std::collections::BTreeMap;

use hotcell_model::layout::WireKind;
use hotcell_model::types::{CType, Target, Type};

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

    /// The expression of zero.
    pub(crate) fn zero(&self) -> String {
        match self.form {
            Form::Wrapped => format!("{}(0)", self.name),
            _ => zero(&self.name).to_owned(),
        }
    }

    /// Whether it is of a type that the package defines.
    pub(crate) fn is_of_package(&self) -> bool {
        self.form == Form::Wrapped
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

impl Number {
    /// The expression of the value as 64 bits, its own in the low ones.
    pub(crate) fn widen(&self, value: &str) -> String {
        let value = match self.form {
            Form::Wrapped => format!("{value}.0"),
            _ => value.to_owned(),
        };
        match self.kind {
            _ if self.form == Form::Bool || self.form == Form::SignedChar => format!("u64::from({value})"),
            WireKind::U64 | WireKind::Reference => value,
            WireKind::I64 => format!("{value}.cast_unsigned()"),
            WireKind::F64 => format!("{value}.to_bits()"),
            WireKind::F32 => format!("u64::from({value}.to_bits())"),
            WireKind::U8 | WireKind::U16 | WireKind::U32 => format!("u64::from({value})"),
            WireKind::I8 | WireKind::I16 | WireKind::I32 => format!("u64::from({value}.cast_unsigned())"),
        }
    }
}

/// The type of a buffer's elements: `u8` for raw data.
pub(crate) fn element(ty: &CType, target: &Target) -> &'static str {
    match WireKind::of_scalar(ty, target) {
        _ if ty.kind == Type::Bool => "bool",
        Some(kind) if !ty.is_byte() => primitive(kind),
        _ => "u8",
    }
}

/// Zero in a Rust type of numbers.
pub(crate) fn zero(ty: &str) -> &'static str {
    match ty {
        "bool" => "false",
        "f32" | "f64" => "0.0",
        _ => "0",
    }
}

/// Bytes of an element of this Rust type.
pub(crate) fn size(element: &str) -> usize {
    element.trim_start_matches(['u', 'i', 'f']).parse().map_or(1, |bits: usize| bits / 8)
}

/// Whether a wire kind has a sign.
pub(crate) fn is_signed(kind: WireKind) -> bool {
    matches!(kind, WireKind::I8 | WireKind::I16 | WireKind::I32 | WireKind::I64)
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

/// The name of the kind of a number in the runtime.
pub(crate) fn runtime(kind: WireKind) -> Option<&'static str> {
    match kind {
        WireKind::U8 => Some("U8"),
        WireKind::U16 => Some("U16"),
        WireKind::U32 => Some("U32"),
        WireKind::U64 => Some("U64"),
        WireKind::I8 => Some("I8"),
        WireKind::I16 => Some("I16"),
        WireKind::I32 => Some("I32"),
        WireKind::I64 => Some("I64"),
        WireKind::F32 => Some("F32"),
        WireKind::F64 => Some("F64"),
        WireKind::Reference => None,
    }
}
