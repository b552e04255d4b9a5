//! C types as the target sees them.

use serde::{Deserialize, Serialize};

mod read;

/// The machine a header was read for; layouts hold for it alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    /// Target triple, such as `x86_64-pc-linux-gnu`.
    pub triple: String,
    /// Bits of a pointer.
    pub pointer_bits: u16,
    /// Whether plain `char` is signed.
    pub char_signed: bool,
}

/// A C type with its spellings.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CType {
    /// As the header writes it: `uLong`, `const Bytef *`.
    pub written: String,
    /// With typedefs resolved: `unsigned long`, `const unsigned char *`.
    pub canonical: String,
    /// What it is.
    pub kind: Type,
}

/// What a type is, typedefs resolved.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", try_from = "read::Fields")]
pub enum Type {
    /// `void`.
    Void,
    /// `_Bool`.
    Bool,
    /// Plain `char`: text or a byte. Its signedness is the target's.
    Char,
    /// Any other integer type.
    Int {
        /// 8, 16, 32 or 64.
        bits: u16,
        /// Whether it is signed.
        signed: bool,
    },
    /// `float` or `double`.
    Float {
        /// 32 or 64.
        bits: u16,
    },
    /// An enumeration, by its key in [`crate::api::Api::enums`].
    Enum {
        /// Key of the enumeration.
        name: String,
        /// Bits of its integer type.
        bits: u16,
        /// Whether that type is signed.
        signed: bool,
    },
    /// An object pointer.
    Pointer {
        /// What it points to.
        pointee: Box<CType>,
        /// Whether the pointee is `const`.
        constant: bool,
    },
    /// An array; only as a field or behind a pointer.
    Array {
        /// Type of an element.
        element: Box<CType>,
        /// Elements; absent for a flexible array member.
        length: Option<u64>,
    },
    /// A structure or union, by its key in [`crate::api::Api::records`].
    Record {
        /// Key of the record.
        name: String,
    },
    /// A pointer to a function.
    FunctionPointer {
        /// What it is called with.
        signature: Box<Signature>,
    },
    /// A type no generator handles: `long double`, `__int128`, `_Complex`, `va_list` and the like.
    Unsupported {
        /// Why, in words that fit behind "because".
        reason: String,
    },
}

/// Parameters and result of a function pointer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Signature {
    /// Parameter types with the names the header gives them.
    pub params: Vec<(Option<String>, CType)>,
    /// Result type.
    pub result: CType,
    /// Whether it ends in `...`.
    pub variadic: bool,
}

impl CType {
    /// The pointee and whether it is `const`, when this is an object pointer.
    pub fn pointee(&self) -> Option<(&CType, bool)> {
        match &self.kind {
            Type::Pointer { pointee, constant } => Some((pointee, *constant)),
            _ => None,
        }
    }

    /// What a pointer to numbers, or to an array of them, points to in the end, and whether it is `const`.
    pub fn pointed_elements(&self) -> Option<(&CType, bool)> {
        let (pointee, constant) = self.pointee()?;
        Some((pointee.array().map_or(pointee, |(element, _)| element), constant))
    }

    /// The structure or union that this is, by its key.
    pub fn record(&self) -> Option<&str> {
        match &self.kind {
            Type::Record { name } => Some(name),
            _ => None,
        }
    }

    /// What an array consists of, arrays of arrays resolved, and how many of them; `None` for what is no array and where
    /// a length is missing.
    pub fn array(&self) -> Option<(&CType, u64)> {
        let Type::Array { element, length: Some(length @ 1..) } = &self.kind else { return None };
        match &element.kind {
            Type::Array { .. } => {
                let (innermost, inner) = element.array()?;
                Some((innermost, length.checked_mul(inner)?))
            }
            _ => Some((element, *length)),
        }
    }

    /// Whether values of this type travel as one number.
    pub fn is_scalar(&self) -> bool {
        matches!(
            self.kind,
            Type::Bool | Type::Char | Type::Int { .. } | Type::Float { .. } | Type::Enum { .. }
        )
    }

    /// Whether this is an integer type proper: neither `_Bool`, `char` nor an enumeration.
    pub fn is_integer(&self) -> bool {
        matches!(self.kind, Type::Int { .. })
    }

    /// Whether an element of this type is one byte of raw data: `void`, `char`, `signed` or `unsigned char`.
    pub fn is_byte(&self) -> bool {
        matches!(self.kind, Type::Void | Type::Char | Type::Int { bits: 8, .. })
    }

    /// Bytes of a scalar; `None` for everything else.
    pub fn scalar_size(&self) -> Option<u32> {
        match self.kind {
            Type::Bool | Type::Char => Some(1),
            Type::Int { bits, .. } | Type::Float { bits } | Type::Enum { bits, .. } => {
                Some(u32::from(bits) / 8)
            }
            _ => None,
        }
    }

    /// The bits of an unsigned integer type that C compares as it is, without making an `int` of it first.
    pub fn unsigned_as_compared(&self) -> Option<u32> {
        match self.kind {
            Type::Int { bits, signed: false } | Type::Enum { bits, signed: false, .. } if bits >= 32 => {
                Some(bits.into())
            }
            _ => None,
        }
    }

    /// Bytes of an element of a buffer: 1 for `void`.
    pub fn element_size(&self) -> Option<u32> {
        if self.kind == Type::Void { Some(1) } else { self.scalar_size() }
    }

    /// A pointer to arrays of numbers as one to the numbers, which lie one array behind the other; it is spelled as before.
    pub fn of_numbers(&self) -> Option<CType> {
        let Type::Pointer { pointee, constant } = &self.kind else { return None };
        let mut number = pointee;
        while let Type::Array { element, .. } = &number.kind {
            number = element;
        }
        let arrays = !std::ptr::eq(number, pointee) && number.is_scalar();
        let kind = Type::Pointer { pointee: number.clone(), constant: *constant };
        arrays.then(|| CType { kind, ..self.clone() })
    }
}
