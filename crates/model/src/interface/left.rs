//! What a failed call leaves: the out parameters whose values come with the error.

use crate::interface::{Direction, Encoding, Function, ResultLength, Role};
use crate::layout::{Carries, WireKind};
use crate::types::{CType, Target, Type};

/// A parameter whose value comes with the error of a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Its position.
    pub param: usize,
    /// Where it lies in the result block.
    pub offset: u32,
    /// What lies there.
    pub kind: LeftKind,
}

/// What a failed call leaves, as it lies in the result block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftKind {
    /// A truth value.
    Bool,
    /// A number.
    Number(WireKind),
    /// A reference to a text that should be UTF-8.
    Text,
    /// A reference to a text that callers have in another encoding than this, of the library.
    Converted(Encoding),
    /// A reference to bytes.
    Bytes,
    /// A reference to references to texts, of which some may be none.
    Texts(Encoding),
    /// A reference to truth values.
    Bools,
    /// A reference to numbers.
    Elements(WireKind),
    /// A place in a text or buffer that went in.
    Offset {
        /// Where in the argument block the reference to it is.
        of: u32,
        /// Bytes of an element.
        size: u32,
    },
}

impl Function {
    /// What comes with the error when a call fails, in C order. Structures that go in and out do not: callers have
    /// them.
    pub fn left(&self, target: &Target) -> Vec<Left> {
        if self.error.is_none() {
            return Vec::new();
        }
        let place = |param: usize| self.layout.result.field(Carries::Param { index: param });
        let each = self.params.iter().enumerate().filter_map(|(param, it)| {
            let kind = self.kind(&it.role.value, &it.ty, target)?;
            Some(Left { param, offset: place(param)?.offset, kind })
        });
        each.collect()
    }

    fn kind(&self, role: &Role, ty: &CType, target: &Target) -> Option<LeftKind> {
        let pointee = ty.pointee().map(|(pointee, _)| pointee);
        match role {
            Role::ValueOut { valid_on_error: true } | Role::ValueInOut { valid_on_error: true } => {
                match pointee? {
                    truth if truth.kind == Type::Bool => Some(LeftKind::Bool),
                    number => WireKind::of_scalar(number, target).map(LeftKind::Number),
                }
            }
            Role::BufferOut { result: ResultLength::Text, valid_on_error: true, .. }
            | Role::BufferInOut { result: ResultLength::Text, valid_on_error: true, .. } => {
                Some(LeftKind::Text)
            }
            Role::BufferOut { valid_on_error: true, .. } | Role::BufferInOut { valid_on_error: true, .. } => {
                Some(elements(pointee?, target))
            }
            Role::DataOut { valid_on_error: true, .. } => {
                pointee?.pointee().map(|(element, _)| elements(element, target))
            }
            Role::TextOut { encoding, valid_on_error: true, .. } => Some(match encoding {
                Encoding::Utf8 => LeftKind::Text,
                Encoding::Bytes => LeftKind::Bytes,
                converted => LeftKind::Converted(*converted),
            }),
            Role::TextsOut { encoding, valid_on_error: true, .. } => Some(LeftKind::Texts(*encoding)),
            Role::OffsetOut { param, valid_on_error: true } => {
                // A place in the library's text is none in the text that the caller has.
                let role = &self.params.get(*param)?.role.value;
                if matches!(role, Role::Text { encoding, .. } if encoding.is_converted()) {
                    return None;
                }
                let size = self.params.get(*param)?.ty.pointee()?.0.element_size()?;
                let of = self.layout.args.field(Carries::Param { index: *param })?.offset;
                Some(LeftKind::Offset { of, size })
            }
            _ => None,
        }
    }
}

impl Role {
    /// Whether it is a structure of the caller's that is there after a failure.
    pub fn stays_after_failure(&self) -> bool {
        match self {
            Role::Resident { .. } => true,
            Role::Struct { direction: Direction::InOut, valid_on_error, .. } => *valid_on_error,
            _ => false,
        }
    }
}

fn elements(element: &CType, target: &Target) -> LeftKind {
    match WireKind::of_scalar(element, target) {
        _ if element.kind == Type::Bool => LeftKind::Bools,
        Some(kind) if !element.is_byte() => LeftKind::Elements(kind),
        _ => LeftKind::Bytes,
    }
}
