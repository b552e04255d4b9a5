//! Where a function's values lie in the argument and result blocks of the wire.
//!
//! Fields keep their natural alignment and are ordered by it (8-byte fields first, then 4, 2, 1; otherwise
//! as in C), so that blocks have no holes and a small call fits into one cache line.

use serde::{Deserialize, Serialize};

use crate::interface::{CallbackParam, CallbackRole, Capacity, ErrorRule, Param, ResultRole, Role};
use crate::types::{CType, Target, Type};

/// Both blocks of a function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// What the host writes.
    pub args: Block,
    /// What the worker writes.
    pub result: Block,
}

/// A block: like a C structure of its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Bytes, a multiple of 8.
    pub size: u32,
    /// Fields by offset.
    pub fields: Vec<WireField>,
}

/// A field of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireField {
    /// What it carries.
    pub carries: Carries,
    /// How it is encoded.
    pub kind: WireKind,
    /// Bytes from the start of the block.
    pub offset: u32,
}

/// What a field carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "carries", rename_all = "kebab-case")]
pub enum Carries {
    /// A parameter's value, or a reference to its data.
    Param {
        /// Its position.
        index: usize,
    },
    /// The capacity, in elements, the caller gives an out buffer.
    Capacity {
        /// The buffer's position.
        index: usize,
    },
    /// The returned value.
    Returned,
    /// The library's text about a failure.
    Message,
    /// The code of a failure, when it is not the returned value.
    Code,
}

/// How a field is encoded, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WireKind {
    /// Unsigned, 1 byte.
    U8,
    /// Unsigned, 2 bytes.
    U16,
    /// Unsigned, 4 bytes.
    U32,
    /// Unsigned, 8 bytes.
    U64,
    /// Signed, 1 byte.
    I8,
    /// Signed, 2 bytes.
    I16,
    /// Signed, 4 bytes.
    I32,
    /// Signed, 8 bytes.
    I64,
    /// IEEE 754, 4 bytes.
    F32,
    /// IEEE 754, 8 bytes.
    F64,
    /// `{place, length in bytes}`, 16 bytes.
    Reference,
}

impl WireKind {
    /// Bytes.
    pub fn size(self) -> u32 {
        match self {
            WireKind::U8 | WireKind::I8 => 1,
            WireKind::U16 | WireKind::I16 => 2,
            WireKind::U32 | WireKind::I32 | WireKind::F32 => 4,
            WireKind::U64 | WireKind::I64 | WireKind::F64 => 8,
            WireKind::Reference => 16,
        }
    }

    /// The kind that carries a scalar type; `None` for types that are no scalars.
    pub fn of_scalar(ty: &CType, target: &Target) -> Option<WireKind> {
        let (bits, signed) = match ty.kind {
            Type::Bool => (8, false),
            Type::Char => (8, target.char_signed),
            Type::Int { bits, signed } | Type::Enum { bits, signed, .. } => (bits, signed),
            Type::Float { bits: 32 } => return Some(WireKind::F32),
            Type::Float { bits: 64 } => return Some(WireKind::F64),
            _ => return None,
        };
        Some(match (bits, signed) {
            (8, false) => WireKind::U8,
            (16, false) => WireKind::U16,
            (32, false) => WireKind::U32,
            (64, false) => WireKind::U64,
            (8, true) => WireKind::I8,
            (16, true) => WireKind::I16,
            (32, true) => WireKind::I32,
            (64, true) => WireKind::I64,
            _ => return None,
        })
    }
}

impl Layout {
    /// The layout that a function's roles demand. `Err` names a parameter (or the result) whose type
    /// cannot play its role.
    pub fn of(
        params: &[Param],
        result: &ResultRole,
        result_type: &CType,
        error: Option<&ErrorRule>,
        target: &Target,
    ) -> Result<Layout, String> {
        let scalar = |ty: &CType, name: &str| {
            WireKind::of_scalar(ty, target).ok_or_else(|| format!("`{name}` ({}) is no number", ty.written))
        };
        let (mut args, mut results) = (Vec::new(), Vec::new());
        match result {
            ResultRole::Void => {}
            ResultRole::Value | ResultRole::Status | ResultRole::LengthOf { .. } => {
                results.push((Carries::Returned, scalar(result_type, "the result")?));
            }
            ResultRole::Text { .. }
            | ResultRole::Texts { .. }
            | ResultRole::Buffer { .. }
            | ResultRole::Struct { .. } => {
                results.push((Carries::Returned, WireKind::Reference));
            }
            ResultRole::Handle { .. } => results.push((Carries::Returned, WireKind::U64)),
        }
        for (index, param) in params.iter().enumerate() {
            let this = Carries::Param { index };
            let pointed = || match param.ty.pointee() {
                Some((pointee, _)) => scalar(pointee, &param.name),
                None => Err(format!("`{}` ({}) is no pointer", param.name, param.ty.written)),
            };
            match &param.role.value {
                Role::Value => args.push((this, scalar(&param.ty, &param.name)?)),
                Role::Text { .. } | Role::Texts { .. } | Role::Handles { .. } | Role::BufferIn { .. } => {
                    args.push((this, WireKind::Reference));
                }
                Role::TextOut { .. } | Role::TextsOut { .. } | Role::DataOut { .. } => {
                    results.push((this, WireKind::Reference))
                }
                Role::OffsetOut { .. } => results.push((this, WireKind::I64)),
                Role::Struct { direction, .. } => {
                    if direction.goes_in() {
                        args.push((this, WireKind::Reference));
                    }
                    if direction.goes_out() {
                        results.push((this, WireKind::Reference));
                    }
                }
                Role::BufferInOut { .. } | Role::Resident { .. } => {
                    args.push((this, WireKind::Reference));
                    results.push((this, WireKind::Reference));
                }
                Role::BufferOut { capacity, .. } => {
                    if *capacity == Capacity::Caller {
                        args.push((Carries::Capacity { index }, WireKind::U64));
                    }
                    results.push((this, WireKind::Reference));
                }
                Role::ValueOut { .. } => results.push((this, pointed()?)),
                Role::ValueInOut { .. } => {
                    args.push((this, pointed()?));
                    results.push((this, pointed()?));
                }
                Role::Handle { .. } | Role::Callback { .. } => args.push((this, WireKind::U64)),
                Role::HandleOut { .. } => results.push((this, WireKind::U64)),
                Role::Fixed { .. }
                | Role::LengthOf { .. }
                | Role::CapacityOf { .. }
                | Role::LengthPointerOf { .. }
                | Role::UserData { .. } => {}
            }
        }
        if error.is_some_and(|rule| rule.message.is_some() || rule.told_by.is_some()) {
            results.push((Carries::Message, WireKind::Reference));
        }
        if error.is_some_and(|rule| rule.code.is_some()) {
            results.push((Carries::Code, WireKind::I64));
        }
        Ok(Layout { args: Block::pack(args), result: Block::pack(results) })
    }
}

impl Block {
    /// The argument block of a callback. `Err` names a parameter whose type cannot play its role.
    pub fn of_callback(params: &[CallbackParam], target: &Target) -> Result<Block, String> {
        let mut args = Vec::new();
        for (index, param) in params.iter().enumerate() {
            let kind = match &param.role {
                CallbackRole::Value => WireKind::of_scalar(&param.ty, target)
                    .ok_or_else(|| format!("`{}` ({}) is no number", param.name, param.ty.written))?,
                CallbackRole::Text { .. }
                | CallbackRole::Buffer { .. }
                | CallbackRole::Texts { .. }
                | CallbackRole::Handles { .. } => WireKind::Reference,
                // Of memory to fill, its bytes.
                CallbackRole::Handle { .. } | CallbackRole::Room { .. } => WireKind::U64,
                CallbackRole::LengthOf { .. } | CallbackRole::UserData => continue,
            };
            args.push((Carries::Param { index }, kind));
        }
        Ok(Block::pack(args))
    }

    /// The field that carries this, if any.
    pub fn field(&self, carries: Carries) -> Option<&WireField> {
        self.fields.iter().find(|field| field.carries == carries)
    }

    fn pack(mut wanted: Vec<(Carries, WireKind)>) -> Block {
        wanted.sort_by_key(|(_, kind)| std::cmp::Reverse(kind.size().min(8)));
        let mut offset = 0;
        let fields = wanted
            .into_iter()
            .map(|(carries, kind)| {
                let field = WireField { carries, kind, offset };
                offset += kind.size();
                field
            })
            .collect();
        Block { size: offset.next_multiple_of(8), fields }
    }
}
