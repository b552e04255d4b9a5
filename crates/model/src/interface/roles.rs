//! What parameters and results are for.

use serde::{Deserialize, Serialize};

use crate::expr::Expr;
use crate::interface::callback::Callback;
use crate::types::{CType, Type};

/// What a parameter is for. "Hidden" ones are filled by the shim and not seen by callers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "kebab-case")]
pub enum Role {
    /// A number by value.
    Value,
    /// Hidden: always this C expression.
    Fixed {
        /// C text: a macro, `sizeof`, `NULL`.
        c: String,
    },
    /// A NUL-terminated text.
    Text {
        /// Its encoding.
        encoding: Encoding,
        /// Whether NULL may be passed.
        nullable: bool,
    },
    /// Data the function only reads: numbers, bytes, or structures, which travel as images one behind the other.
    BufferIn {
        /// Whether NULL may be passed.
        nullable: bool,
        /// Elements it reads when no length parameter says so; shorter buffers are refused.
        length: Option<Expr>,
    },
    /// Data the function reads and changes in place, as [`Role::BufferIn`].
    BufferInOut {
        /// Whether NULL may be passed.
        nullable: bool,
        /// Elements it touches when no length parameter says so; shorter buffers are refused.
        length: Option<Expr>,
        /// Elements that are valid afterwards.
        result: ResultLength,
        /// Whether the contents mean something when the call fails.
        valid_on_error: bool,
    },
    /// Memory the function fills, with what [`Role::BufferIn`] may be.
    BufferOut {
        /// How big it is.
        capacity: Capacity,
        /// How much of it is filled.
        result: ResultLength,
        /// Whether the contents mean something when the call fails.
        valid_on_error: bool,
    },
    /// Hidden: the length of an in or in-out buffer.
    LengthOf {
        /// The buffer's position.
        param: usize,
        /// What is counted.
        unit: Unit,
    },
    /// Hidden: the capacity of an out buffer.
    CapacityOf {
        /// The buffer's position.
        param: usize,
        /// What is counted.
        unit: Unit,
    },
    /// Hidden: points to the capacity before and to the result's length after the call.
    LengthPointerOf {
        /// The buffer's position.
        param: usize,
        /// What is counted.
        unit: Unit,
    },
    /// A number the function writes.
    ValueOut {
        /// Whether it means something when the call fails.
        valid_on_error: bool,
    },
    /// A number the function reads and changes.
    ValueInOut {
        /// Whether it means something when the call fails.
        valid_on_error: bool,
    },
    /// Texts: a pointer to pointers to NUL-terminated texts. A NULL follows the last one.
    Texts {
        /// Their encoding.
        encoding: Encoding,
        /// Whether NULL may be passed instead of texts.
        nullable: bool,
        /// Texts the function reads when no length parameter says so; fewer are refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        length: Option<Expr>,
    },
    /// A text the function hands out through a pointer (`char **`); NULL is no text.
    TextOut {
        /// Its encoding.
        encoding: Encoding,
        /// Who owns the memory.
        ownership: Ownership,
        /// Whether it means something when the call fails.
        valid_on_error: bool,
    },
    /// Texts the function hands out through a pointer (`char ***`): an array of pointers to NUL-terminated texts, any of
    /// which may be NULL; NULL is no array.
    TextsOut {
        /// Their number, evaluated after the call.
        length: Expr,
        /// Their encoding.
        encoding: Encoding,
        /// Who owns the memory; it is released by the pointer to the array.
        ownership: Ownership,
        /// Whether they mean something when the call fails.
        valid_on_error: bool,
    },
    /// Data the function hands out through a pointer (`void **`); NULL is no data.
    DataOut {
        /// Its elements, evaluated after the call.
        length: Expr,
        /// Who owns the memory.
        ownership: Ownership,
        /// Whether it means something when the call fails.
        valid_on_error: bool,
    },
    /// A place in a text or buffer that goes in, which the function hands out through a pointer
    /// (`const char **end`): callers get its distance in elements from the start, -1 for NULL.
    OffsetOut {
        /// Position of the text or buffer.
        param: usize,
        /// Whether it means something when the call fails.
        valid_on_error: bool,
    },
    /// A structure, by value or by pointer.
    Struct {
        /// Key in [`crate::Interface::structs`].
        record: String,
        /// Which way it goes; a structure by value goes in.
        direction: Direction,
        /// Whether NULL may be passed. What goes out only is always there.
        nullable: bool,
        /// Whether it means something when the call fails.
        valid_on_error: bool,
    },
    /// A structure that the library keeps (see [`crate::interface::Struct::resident`]). It goes in and out.
    Resident {
        /// Key in [`crate::Interface::structs`] and in [`crate::Interface::handles`].
        record: String,
        /// Whether the object ends with this call.
        consumed: bool,
        /// Where a new object may begin with this call, by passing none: the function that releases it then, if
        /// any. Elsewhere an object must be there.
        starts: Option<Start>,
    },
    /// An object of the library.
    Handle {
        /// Key in [`crate::Interface::handles`].
        handle: String,
        /// Whether the call takes it over: it must be owned, and cannot be used afterwards.
        consumed: bool,
        /// Whether it is taken over only when the call did not fail.
        on_success: bool,
        /// Whether NULL may be passed.
        nullable: bool,
        /// Whether what was borrowed from it is stale afterwards.
        invalidates: bool,
    },
    /// Objects of the library: a pointer to pointers to them. A NULL follows the last one.
    Handles {
        /// Key in [`crate::Interface::handles`].
        handle: String,
        /// Whether NULL may be passed instead of objects.
        nullable: bool,
    },
    /// An object the function hands out through a pointer.
    HandleOut {
        /// Key in [`crate::Interface::handles`].
        handle: String,
        /// Who owns it.
        ownership: Ownership,
        /// Position of the handle that must outlive it.
        parent: Option<usize>,
        /// Whether there may be none although the call does not fail.
        nullable: bool,
        /// Whether one may be there when the call fails, to be released.
        valid_on_error: bool,
    },
    /// A function of the application.
    Callback {
        /// What it is called with.
        callback: Box<Callback>,
        /// Whether NULL may be passed.
        nullable: bool,
    },
    /// Hidden: what the library hands back to a callback.
    UserData {
        /// Position of the callback.
        callback: usize,
    },
}

/// What the returned value means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "kebab-case")]
pub enum ResultRole {
    /// Nothing is returned, or nothing that callers see.
    Void,
    /// A number.
    Value,
    /// A number that only says whether the call failed: shown in errors, dropped on success.
    Status,
    /// The elements written to an out buffer: dropped, the buffer has that length.
    LengthOf {
        /// Position of the buffer.
        param: usize,
    },
    /// A NUL-terminated text, copied.
    Text {
        /// Its encoding.
        encoding: Encoding,
        /// Its bytes, when it need not end at the first NUL.
        length: Option<Expr>,
        /// Whether it may be NULL.
        nullable: bool,
        /// Who owns the memory.
        ownership: Ownership,
    },
    /// Texts: an array of pointers to NUL-terminated texts, copied.
    Texts {
        /// Their number; any of them may be NULL then. Without it a NULL ends them.
        length: Option<Expr>,
        /// Their encoding.
        encoding: Encoding,
        /// Whether the array may be NULL.
        nullable: bool,
        /// Who owns the memory; it is released by the pointer to the array.
        ownership: Ownership,
    },
    /// A structure by value, or by a pointer that may be read right after the call; copied.
    Struct {
        /// Key in [`crate::Interface::structs`].
        record: String,
        /// Whether the pointer may be NULL.
        nullable: bool,
        /// Who owns the memory behind a pointer.
        ownership: Ownership,
    },
    /// Memory, copied: numbers, bytes or structures.
    Buffer {
        /// Its elements.
        length: Expr,
        /// Whether it may be NULL.
        nullable: bool,
        /// Who owns it.
        ownership: Ownership,
    },
    /// An object of the library.
    Handle {
        /// Key in [`crate::Interface::handles`].
        handle: String,
        /// Who owns it.
        ownership: Ownership,
        /// Position of the handle that must outlive it.
        parent: Option<usize>,
        /// Whether it may be NULL without being an error.
        nullable: bool,
    },
}

/// Who owns memory or an object that the library hands out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ownership", rename_all = "kebab-case")]
pub enum Ownership {
    /// The caller; this function releases it.
    Owned {
        /// Name of the releasing function.
        release: String,
    },
    /// The library: memory is copied right after the call and never freed; an object is never released, and
    /// lives as long as its parent, or for ever where it has none.
    Library,
    /// Nobody knows: memory is copied right after the call and never freed, which is a leak where it is the caller's. No object
    /// is handed out so.
    Unknown,
}

/// The beginning of a resident structure's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The function that releases the object; it takes the structure, consumed, and no other argument.
    pub release: Option<String>,
}

/// Which way a structure goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The function reads it.
    In,
    /// The function fills it; it is zero before.
    Out,
    /// The function reads and changes it.
    InOut,
}

impl Direction {
    /// Whether callers pass it.
    pub fn goes_in(self) -> bool {
        self != Direction::Out
    }

    /// Whether callers get it.
    pub fn goes_out(self) -> bool {
        self != Direction::In
    }
}

/// The encoding of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, checked.
    #[default]
    Utf8,
    /// Bytes without a known encoding.
    Bytes,
    /// ISO 8859-1, a byte for each of the first 256 characters. Callers have a text of their language.
    Latin1,
    /// UTF-16 in the byte order of the machine, checked. Callers have a text of their language.
    Utf16,
    /// UTF-32 in the byte order of the machine, checked: what `wchar_t` is here. Callers have a text of their language.
    Utf32,
}

impl Encoding {
    /// Bytes of a unit; a text ends with one that is zero.
    pub fn unit(self) -> u32 {
        match self {
            Encoding::Utf8 | Encoding::Bytes | Encoding::Latin1 => 1,
            Encoding::Utf16 => 2,
            Encoding::Utf32 => 4,
        }
    }

    /// Whether callers have a text that lies otherwise in the library's memory, so that places in it are other ones.
    pub fn is_converted(self) -> bool {
        matches!(self, Encoding::Latin1 | Encoding::Utf16 | Encoding::Utf32)
    }

    /// Whether texts may lie behind a pointer to this. `void` says nothing, and the contract does.
    pub fn lies_in(self, pointee: &CType) -> bool {
        match (self, &pointee.kind) {
            (Encoding::Utf16, Type::Void | Type::Int { bits: 16, .. }) => true,
            (Encoding::Utf32, Type::Void | Type::Int { bits: 32, .. }) => true,
            (Encoding::Utf16 | Encoding::Utf32, _) => false,
            _ => pointee.is_byte(),
        }
    }
}

/// What a length counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Elements of the buffer's type.
    Elements,
}

/// How big an out buffer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "capacity", rename_all = "kebab-case")]
pub enum Capacity {
    /// The caller says it with every call, in elements.
    Caller,
    /// This many elements.
    Elements {
        /// Evaluated before the call.
        size: Expr,
    },
}

/// How much of a buffer is filled after the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum ResultLength {
    /// All of it.
    Full,
    /// What the length pointer holds.
    Pointer {
        /// Position of the length pointer.
        param: usize,
    },
    /// What the function returned. A negative number is a length only where callers see it besides (nothing is
    /// filled then), or where the call failed.
    Returned,
    /// Up to the first NUL.
    Text,
    /// This many elements.
    Elements {
        /// Evaluated after the call.
        size: Expr,
    },
}

impl Role {
    /// Whether callers pass something for it.
    pub fn is_argument(&self) -> bool {
        match self {
            Role::Value
            | Role::Text { .. }
            | Role::BufferIn { .. }
            | Role::BufferInOut { .. }
            | Role::ValueInOut { .. }
            | Role::Texts { .. }
            | Role::Resident { .. }
            | Role::Handle { .. }
            | Role::Handles { .. }
            | Role::Callback { .. } => true,
            Role::Struct { direction, .. } => direction.goes_in(),
            Role::BufferOut { capacity, .. } => *capacity == Capacity::Caller,
            _ => false,
        }
    }

    /// Whether callers get something from it.
    pub fn is_result(&self) -> bool {
        match self {
            Role::BufferInOut { .. }
            | Role::BufferOut { .. }
            | Role::ValueOut { .. }
            | Role::ValueInOut { .. }
            | Role::TextOut { .. }
            | Role::TextsOut { .. }
            | Role::DataOut { .. }
            | Role::OffsetOut { .. }
            | Role::Resident { .. }
            | Role::HandleOut { .. } => true,
            Role::Struct { direction, .. } => direction.goes_out(),
            _ => false,
        }
    }
}
