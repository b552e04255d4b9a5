//! Types of constants and fields: their spelling, size and alignment.

use serde::Deserialize;

/// A type of the wire, spelled as in the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Type {
    /// `u8` … `u64`, `i32`, `i64`: little-endian.
    Int { signed: bool, bits: u32 },
    /// `usize`: for constants only, since its width depends on the machine.
    Usize,
    /// `u128`: sixteen bytes in big-endian order, aligned like a `u64`.
    Bytes16,
    /// `[u8; N]`.
    Bytes(usize),
}

impl TryFrom<String> for Type {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let int = |signed, bits| Ok(Type::Int { signed, bits });
        match text.as_str() {
            "u8" => int(false, 8),
            "u16" => int(false, 16),
            "u32" => int(false, 32),
            "u64" => int(false, 64),
            "i32" => int(true, 32),
            "i64" => int(true, 64),
            "usize" => Ok(Type::Usize),
            "u128" => Ok(Type::Bytes16),
            other => other
                .strip_prefix("[u8; ")
                .and_then(|rest| rest.strip_suffix(']'))
                .and_then(|count| count.parse().ok())
                .filter(|&count| count > 0)
                .map(Type::Bytes)
                .ok_or_else(|| {
                    format!("`{other}` is no type of the wire: u8 u16 u32 u64 i32 i64 u128 usize [u8; N]")
                }),
        }
    }
}

impl Type {
    /// How the file spells it.
    pub(crate) fn spelling(&self) -> String {
        match self {
            Type::Int { signed, bits } => format!("{}{bits}", if *signed { 'i' } else { 'u' }),
            Type::Usize => "usize".to_owned(),
            Type::Bytes16 => "u128".to_owned(),
            Type::Bytes(count) => format!("[u8; {count}]"),
        }
    }

    /// Bytes it takes in a layout.
    pub(crate) fn size(&self) -> usize {
        match self {
            Type::Int { bits, .. } => *bits as usize / 8,
            Type::Usize => 8,
            Type::Bytes16 => 16,
            Type::Bytes(count) => *count,
        }
    }

    /// Where it may start: at multiples of this.
    pub(crate) fn alignment(&self) -> usize {
        match self {
            Type::Bytes16 => 8,
            Type::Bytes(_) => 1,
            Type::Int { .. } | Type::Usize => self.size(),
        }
    }

    /// The largest value of an unsigned integer type; `None` for every other type.
    pub(crate) fn max(&self) -> Option<u64> {
        match self {
            Type::Int { signed: false, bits } => Some(u64::MAX >> (64 - bits)),
            Type::Usize => Some(u64::MAX),
            _ => None,
        }
    }
}
