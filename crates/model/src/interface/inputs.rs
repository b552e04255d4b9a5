//! What goes into a call, by which one input can be told from another, and whether a call can be made again.

use crate::interface::{Function, Param, Role};
use crate::layout::{Carries, WireField};

/// A part of the argument block that tells one input from another. Of objects and callbacks it is only whether they are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// So many bytes of numbers.
    Numbers {
        /// Bytes from the start of the block.
        offset: u32,
        /// How many.
        bytes: u32,
    },
    /// What the caller has room for: a number, or the place of a reference to what is lent.
    Room {
        /// Bytes from the start of the block.
        offset: u32,
    },
    /// An object or a callback, of eight bytes, or none.
    Presence {
        /// Bytes from the start of the block.
        offset: u32,
    },
    /// A reference to objects.
    Objects {
        /// Bytes from the start of the block.
        offset: u32,
    },
    /// A reference to data.
    Data {
        /// Bytes from the start of the block.
        offset: u32,
    },
    /// A reference to references to data.
    References {
        /// Bytes from the start of the block.
        offset: u32,
    },
    /// A reference to images of structures, in which there may be references.
    Images {
        /// Bytes from the start of the block.
        offset: u32,
        /// Bytes at their start that are the handle of an object.
        handle: u32,
    },
}

/// Bytes of a handle at the start of an image.
const HANDLE: u32 = 8;

impl Function {
    /// What tells its inputs from each other, in the order of the block; nothing where no data go in.
    pub fn inputs(&self) -> Vec<Input> {
        let mut inputs: Vec<Input> = Vec::new();
        for field in &self.layout.args.fields {
            match (self.input(field), inputs.last_mut()) {
                (
                    Some(Input::Numbers { offset, bytes }),
                    Some(Input::Numbers { offset: from, bytes: many }),
                ) if *from + *many == offset => {
                    *many += bytes;
                }
                (input, _) => inputs.extend(input),
            }
        }
        let is_data = |input: &Input| {
            matches!(input, Input::Data { .. } | Input::References { .. } | Input::Images { .. })
        };
        match inputs.iter().any(is_data) {
            true => inputs,
            false => Vec::new(),
        }
    }

    fn input(&self, field: &WireField) -> Option<Input> {
        let WireField { carries, kind, offset } = *field;
        let numbers = Input::Numbers { offset, bytes: kind.size() };
        let index = match carries {
            Carries::Param { index } => index,
            Carries::Capacity { .. } => return Some(Input::Room { offset }),
            _ => return Some(numbers),
        };
        let param = self.params.get(index)?;
        match &param.role.value {
            Role::Value | Role::ValueInOut { .. } => Some(numbers),
            Role::BufferIn { .. } | Role::BufferInOut { .. } if param.structures().is_some() => {
                Some(Input::Images { offset, handle: 0 })
            }
            Role::Text { .. } | Role::BufferIn { .. } | Role::BufferInOut { .. } => {
                Some(Input::Data { offset })
            }
            Role::Texts { .. } => Some(Input::References { offset }),
            Role::Struct { .. } => Some(Input::Images { offset, handle: 0 }),
            Role::Resident { .. } => Some(Input::Images { offset, handle: HANDLE }),
            Role::Handle { nullable: true, .. } | Role::Callback { nullable: true, .. } => {
                Some(Input::Presence { offset })
            }
            Role::Handles { .. } => Some(Input::Objects { offset }),
            _ => None,
        }
    }

    /// Whether a call that may have been executed can be made again with the same arguments: the contract says that twice is
    /// as good as once, no object goes in, which went with its worker, and the library gets no function of the application.
    pub fn is_repeatable(&self) -> bool {
        let goes_with_worker = |param: &Param| {
            matches!(
                param.role.value,
                Role::Handle { .. } | Role::Handles { .. } | Role::Resident { .. } | Role::Callback { .. }
            )
        };
        self.idempotent && !self.params.iter().any(goes_with_worker)
    }

    /// Why a call by name cannot be one of many that are sent together, or behind each other; `None` when it can. All that it needs
    /// is known when it is put there, and all that it changes comes out of it.
    pub fn alone(&self) -> Option<&'static str> {
        self.params.iter().find_map(|param| match &param.role.value {
            Role::Callback { .. } => Some("it is passed a callback"),
            Role::Resident { .. } => Some("it is passed a structure that stays in the worker"),
            Role::Struct { direction, .. } if param.role.value.is_argument() && direction.goes_out() => {
                Some("it changes a structure that it is passed")
            }
            Role::OffsetOut { param: of, .. } => match self.params.get(*of).map(|of| &of.role.value) {
                Some(Role::Text { encoding, .. }) if encoding.is_converted() => {
                    Some("it tells a place in a text that is converted")
                }
                _ => None,
            },
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests;
