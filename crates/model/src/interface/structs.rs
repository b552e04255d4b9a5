//! Structures: how they travel.
//!
//! A structure travels as an *image*: its declared fields, one behind the other, without the holes of the C
//! layout. What a pointer in it refers to travels as data of its own, and the image holds the reference. The
//! shim builds the C structure from the image field by field, and the image from the structure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::evidence::Fact;
use crate::interface::roles::{Direction, Encoding, Unit};
use crate::layout::WireKind;
use crate::types::{CType, Target};

/// A structure that functions take or give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Struct {
    /// How C names it: `struct tm`, `z_stream`.
    pub c_name: String,
    /// The comment before it.
    pub doc: Option<String>,
    /// Whether the library keeps it between calls: then the object lives in the worker, behind the handle that
    /// starts its image, and each call writes and reads the declared fields. [`crate::Interface::handles`] has
    /// the handle type under the same name.
    pub resident: bool,
    /// Whether it is the union of a [`FieldRole::Union`]: its fields are the members that can be there. An image of one says
    /// in its first 8 bytes which is: its position counted from 1, or 0 for none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub union: bool,
    /// Its fields in C order.
    pub fields: Vec<StructField>,
    /// Bytes of its image, a multiple of 8.
    pub size: u32,
}

/// A field of a structure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StructField {
    /// Its name.
    pub name: String,
    /// Its C type.
    pub ty: CType,
    /// What it is for.
    pub role: Fact<FieldRole>,
    /// Bytes from the start of the image; absent when callers do not see it.
    pub offset: Option<u32>,
}

/// What a field is for. "Hidden" ones are filled by the shim and not seen by callers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "kebab-case")]
pub enum FieldRole {
    /// A number.
    Value,
    /// A number of so many bits, a bit-field.
    Bits {
        /// Bits.
        width: u32,
    },
    /// So many numbers, inside the structure; those of an array of arrays one behind the other.
    Array {
        /// Elements.
        length: u64,
    },
    /// So many structures, inside the structure.
    Structs {
        /// Key in [`crate::Interface::structs`].
        record: String,
        /// Elements.
        length: u64,
    },
    /// A structure inside the structure.
    Struct {
        /// Key in [`crate::Interface::structs`].
        record: String,
    },
    /// A pointer to a NUL-terminated text.
    Text {
        /// Its encoding.
        encoding: Encoding,
        /// Whether it may be NULL.
        nullable: bool,
    },
    /// An array of characters with a text in it; one that comes out may fill the array.
    TextArray {
        /// Its encoding, of bytes.
        encoding: Encoding,
        /// Characters of the array.
        length: u64,
        /// What stands behind a text that is shorter, where one that goes in may fill the array, too. Without it a NUL
        /// ends every text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pad: Option<Pad>,
    },
    /// A pointer to numbers, bytes or structures that comes out only: NULL on the way in, and copied after the call.
    Data {
        /// Position of the field that has how much of it there is. A [`FieldRole::Value`] of its own.
        length: usize,
        /// What is counted.
        unit: Unit,
        /// Key in [`crate::Interface::structs`], where it consists of structures.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<String>,
    },
    /// A pointer to pointers to NUL-terminated texts that comes out only, as [`FieldRole::Data`].
    Texts {
        /// Their encoding.
        encoding: Encoding,
        /// Position of the field that has their number: any of them may be NULL then. Without it a NULL ends them.
        length: Option<usize>,
    },
    /// A pointer to a structure, or NULL.
    Pointer {
        /// Key in [`crate::Interface::structs`].
        record: String,
        /// Which way it goes; what only comes out is NULL on the way in.
        direction: Direction,
    },
    /// A union inside the structure, of whose members one is there, or none.
    Union {
        /// Key in [`crate::Interface::structs`].
        record: String,
        /// Whether its members are reached as fields of the structure: it has no name.
        anonymous: bool,
        /// What says which member is there.
        told: Told,
    },
    /// A pointer to data that goes in. What comes back is how far the pointer has moved: the reference of the
    /// image has no place then, and as its length the bytes, or the impossible length when the pointer stands
    /// outside of the data.
    BufferIn {
        /// Whether it may be NULL.
        nullable: bool,
    },
    /// A pointer to memory that the function fills, as much as `capacity` says.
    BufferOut {
        /// Position of the field with the elements there is room for. A [`FieldRole::Value`] of its own.
        capacity: usize,
        /// What is counted.
        unit: Unit,
        /// How much of it is filled afterwards.
        filled: Filled,
    },
    /// Hidden: the length of a buffer.
    LengthOf {
        /// Position of the buffer's field.
        field: usize,
        /// What is counted.
        unit: Unit,
    },
    /// Hidden: always zero (NULL) on the way in, and not read on the way out.
    Zero,
    /// Hidden: of a resident structure, what belongs to the library alone; neither written nor read.
    Own,
}

impl FieldRole {
    /// The structure that a field is or consists of, by its key.
    pub fn record(&self) -> Option<&str> {
        match self {
            FieldRole::Struct { record }
            | FieldRole::Structs { record, .. }
            | FieldRole::Union { record, .. }
            | FieldRole::Data { record: Some(record), .. }
            | FieldRole::Pointer { record, .. } => Some(record),
            _ => None,
        }
    }
}

/// What an array is filled up with behind a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pad {
    /// NULs.
    Nul,
    /// Spaces.
    Space,
}

impl Pad {
    /// The byte.
    pub fn byte(self) -> u8 {
        match self {
            Pad::Nul => 0,
            Pad::Space => b' ',
        }
    }
}

/// What says which member of a union is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "told", rename_all = "kebab-case")]
pub enum Told {
    /// The contract: it is always the only one.
    Always,
    /// A field of the structure around it.
    By {
        /// Its position. A [`FieldRole::Value`] or [`FieldRole::Bits`].
        field: usize,
        /// What it holds for each of the union's members, none of it twice.
        values: Vec<Vec<i64>>,
    },
}

/// How much of an out buffer in a structure is filled after the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "filled", rename_all = "kebab-case")]
pub enum Filled {
    /// From what this field held before the call to what it holds now: that much is new, and follows what callers
    /// have. Less than before, or more than the capacity, is an impossible claim.
    Field {
        /// Its position.
        field: usize,
    },
    /// The capacity less what this field, which counts what is left, holds.
    Left {
        /// Its position.
        field: usize,
    },
}

impl Struct {
    /// The structures in its fields, by their keys.
    pub fn inner(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().filter_map(|field| field.role.value.record())
    }

    /// Whether fields go with every call. A structure that stays in the worker without is no more than its object.
    pub fn travels(&self) -> bool {
        self.fields.iter().any(|field| field.role.value != FieldRole::Own)
    }

    /// Gives every field its offset and the structure its size. Fields keep their natural alignment and are
    /// ordered by it, otherwise as in C; nested structures must be laid out before.
    ///
    /// # Errors
    ///
    /// The name of a field that cannot travel.
    pub fn lay_out(&mut self, structs: &BTreeMap<String, Struct>, target: &Target) -> Result<(), String> {
        let mut wanted = Vec::new();
        for (position, field) in self.fields.iter_mut().enumerate() {
            field.offset = None;
            let scalar = |ty: &CType| {
                let size = WireKind::of_scalar(ty, target).map(WireKind::size);
                size.ok_or_else(|| format!("`{}` ({}) is no number", field.name, field.ty.written))
            };
            let (align, size) = match &field.role.value {
                FieldRole::Value | FieldRole::Bits { .. } => {
                    let size = scalar(&field.ty)?;
                    (size, u64::from(size))
                }
                FieldRole::Array { length } => {
                    let element = match field.ty.array() {
                        Some((element, count)) if count == *length => scalar(element)?,
                        _ => return Err(format!("`{}` ({}) is no such array", field.name, field.ty.written)),
                    };
                    (element, u64::from(element).saturating_mul(*length))
                }
                FieldRole::Structs { record, length } => {
                    let inner = structs.get(record);
                    let inner =
                        inner.ok_or_else(|| format!("`{}` is of an unknown structure", field.name))?;
                    (8, u64::from(inner.size).saturating_mul(*length))
                }
                FieldRole::Struct { record } | FieldRole::Union { record, .. } => {
                    let inner = structs.get(record);
                    let inner =
                        inner.ok_or_else(|| format!("`{}` is of an unknown structure", field.name))?;
                    (8, u64::from(inner.size))
                }
                FieldRole::TextArray { length, .. } => match field.ty.array() {
                    Some((element, count)) if count == *length && scalar(element)? == 1 => (1, *length),
                    _ => {
                        return Err(format!("`{}` ({}) is no such array", field.name, field.ty.written));
                    }
                },
                FieldRole::Text { .. }
                | FieldRole::BufferIn { .. }
                | FieldRole::BufferOut { .. }
                | FieldRole::Data { .. }
                | FieldRole::Texts { .. }
                | FieldRole::Pointer { .. } => (8, u64::from(WireKind::Reference.size())),
                FieldRole::LengthOf { .. } | FieldRole::Zero | FieldRole::Own => continue,
            };
            wanted.push((align, size, position));
        }
        wanted.sort_by_key(|(align, ..)| std::cmp::Reverse(*align));
        // In front of fields is the object of what stays, in front of members which of them is there.
        let start = if self.resident || self.union { 8 } else { 0 };
        let mut offset = start;
        for (_, size, position) in wanted {
            let place = if self.union { start } else { offset };
            let end = u64::from(place).saturating_add(size);
            let end = u32::try_from(end).map_err(|_| format!("`{}` is too large", self.c_name))?;
            self.fields[position].offset = Some(place);
            offset = offset.max(end);
        }
        let size = offset.checked_next_multiple_of(8);
        self.size = size.ok_or_else(|| format!("`{}` is too large", self.c_name))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Type;

    fn field(name: &str, kind: Type, role: FieldRole) -> StructField {
        let ty = CType { written: name.into(), canonical: name.into(), kind };
        StructField { name: name.into(), ty, role: Fact::proven(role), offset: None }
    }

    #[test]
    fn an_image_has_no_holes_and_every_field_is_aligned() {
        let int = |bits| Type::Int { bits, signed: false };
        let target = Target { triple: "t".into(), pointer_bits: 64, char_signed: true };
        let byte = Box::new(CType { written: "c".into(), canonical: "c".into(), kind: Type::Char });
        let mut inner = Struct {
            c_name: "struct inner".into(),
            doc: None,
            resident: false,
            union: false,
            fields: vec![field("a", int(8), FieldRole::Value), field("b", int(32), FieldRole::Value)],
            size: 0,
        };
        inner.lay_out(&BTreeMap::new(), &target).unwrap();
        assert_eq!((inner.size, inner.fields[0].offset, inner.fields[1].offset), (8, Some(4), Some(0)));
        let structs = BTreeMap::from([("inner".to_owned(), inner)]);
        let text = FieldRole::Text { encoding: Encoding::Utf8, nullable: true };
        let array = Type::Array { element: byte, length: Some(5) };
        let mut outer = Struct {
            c_name: "struct outer".into(),
            doc: None,
            resident: true,
            union: false,
            fields: vec![
                field("flag", int(8), FieldRole::Value),
                field("name", Type::Void, text),
                field("id", array, FieldRole::Array { length: 5 }),
                field("own", Type::Void, FieldRole::Own),
                field("in", Type::Void, FieldRole::Struct { record: "inner".into() }),
                field("n", int(16), FieldRole::Value),
            ],
            size: 0,
        };
        outer.lay_out(&structs, &target).unwrap();
        let offsets: Vec<_> = outer.fields.iter().map(|field| field.offset).collect();
        assert_eq!(offsets, [Some(34), Some(8), Some(35), None, Some(24), Some(32)]);
        assert_eq!(outer.size, 40);
        outer.fields[0].role.value = FieldRole::Struct { record: "none".into() };
        assert!(outer.lay_out(&structs, &target).is_err());
    }

    #[test]
    fn members_of_a_union_lie_in_one_place() {
        let int = |bits| Type::Int { bits, signed: false };
        let target = Target { triple: "t".into(), pointer_bits: 64, char_signed: true };
        let byte = Box::new(CType { written: "c".into(), canonical: "c".into(), kind: Type::Char });
        let array = Type::Array { element: byte, length: Some(13) };
        let mut union = Struct {
            c_name: "union u".into(),
            doc: None,
            resident: false,
            union: true,
            fields: vec![
                field("n", int(32), FieldRole::Value),
                field("a", array, FieldRole::Array { length: 13 }),
                field("t", Type::Void, FieldRole::Text { encoding: Encoding::Utf8, nullable: true }),
            ],
            size: 0,
        };
        union.lay_out(&BTreeMap::new(), &target).unwrap();
        let offsets: Vec<_> = union.fields.iter().map(|field| field.offset).collect();
        assert_eq!((offsets, union.size), (vec![Some(8); 3], 24));
        let structs = BTreeMap::from([("u".to_owned(), union)]);
        let told = Told::By { field: 0, values: vec![vec![1], vec![2, 3], vec![-1]] };
        let mut outer = Struct {
            c_name: "struct s".into(),
            doc: None,
            resident: false,
            union: false,
            fields: vec![
                field("kind", int(8), FieldRole::Value),
                field("is", Type::Void, FieldRole::Union { record: "u".into(), anonymous: false, told }),
            ],
            size: 0,
        };
        outer.lay_out(&structs, &target).unwrap();
        assert_eq!((outer.fields[0].offset, outer.fields[1].offset, outer.size), (Some(24), Some(0), 32));
    }
}
