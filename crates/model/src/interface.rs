//! The checked interface: what generators read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::{Constant, Enum, Record};
use crate::evidence::{Evidence, Fact};
use crate::expr::Expr;
use crate::fingerprint::Fingerprint;
use crate::layout::Layout;
use crate::types::{CType, Target};

/// Version of the serialised form; readers refuse any other.
pub const FORMAT: u32 = 1;

/// A library as its header and its contract describe it together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interface {
    /// [`FORMAT`].
    pub format: u32,
    /// The library's name in the contract.
    pub library: String,
    /// The machine it holds for.
    pub target: Target,
    /// How the shim includes the header.
    pub source: Source,
    /// Sonames to link, first the library itself.
    pub link: Vec<String>,
    /// How many threads may be inside the library.
    pub threads: Threads,
    /// Functions that can be called; the position is the function index.
    pub functions: Vec<Function>,
    /// Handle types by name.
    pub handles: BTreeMap<String, Handle>,
    /// Records the functions use.
    pub records: BTreeMap<String, Record>,
    /// Enumerations the functions use.
    pub enums: BTreeMap<String, Enum>,
    /// Constants of the headers.
    pub constants: BTreeMap<String, Constant>,
    /// Functions that cannot be called, and why.
    pub left_out: Vec<LeftOut>,
    /// Over everything that decides what crosses the wire.
    pub fingerprint: Fingerprint,
}

/// How to include the header.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Headers in order, as `#include` names them.
    pub headers: Vec<String>,
    /// C text before the first `#include`.
    pub prelude: Option<String>,
    /// `-D` options, without the `-D`.
    pub defines: Vec<String>,
}

/// How many threads may be inside a library at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Threads {
    /// One call per worker at a time.
    #[default]
    Serialized,
    /// One call per handle at a time.
    PerHandle,
    /// Any number.
    Reentrant,
}

/// A function that can be called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// Its name in C.
    pub name: String,
    /// The header's comment.
    pub doc: Option<String>,
    /// Its declaration on one line.
    pub signature: String,
    /// Parameters in C order, hidden ones included.
    pub params: Vec<Param>,
    /// What the returned value means.
    pub result: Fact<ResultRole>,
    /// The C result type.
    pub result_type: CType,
    /// What means failure.
    pub error: Option<Fact<ErrorRule>>,
    /// Deadline of its own, milliseconds.
    pub deadline_ms: Option<u64>,
    /// Whether calling it twice is as good as once: it may be retried after a fault.
    pub idempotent: bool,
    /// Whether the header says that it never returns.
    pub noreturn: bool,
    /// Whether the header defines it.
    pub inline: bool,
    /// Where its values lie on the wire.
    pub layout: Layout,
    /// Over signature, roles and layout.
    pub fingerprint: Fingerprint,
}

/// A parameter and its role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Name, unique in the function; `argN` (1-based) when the header gives none.
    pub name: String,
    /// C type.
    pub ty: CType,
    /// What it is for.
    pub role: Fact<Role>,
}

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
    /// Data the function only reads.
    BufferIn {
        /// Whether NULL may be passed.
        nullable: bool,
        /// Elements it reads when no length parameter says so; shorter buffers are refused.
        length: Option<Expr>,
    },
    /// Data the function reads and changes in place.
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
    /// Memory the function fills.
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
    /// An object of the library.
    Handle {
        /// Key in [`Interface::handles`].
        handle: String,
        /// Whether the call takes it over (it cannot be used afterwards).
        consumed: bool,
        /// Whether NULL may be passed.
        nullable: bool,
    },
    /// An object the function hands out through a pointer.
    HandleOut {
        /// Key in [`Interface::handles`].
        handle: String,
        /// Who owns it.
        ownership: Ownership,
        /// Whether it must be released even when the call fails.
        valid_on_error: bool,
    },
    /// A function of the application.
    Callback {
        /// What it is called with.
        callback: Box<Callback>,
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
    /// Nothing is returned.
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
        /// Whether it may be NULL.
        nullable: bool,
        /// Who owns the memory.
        ownership: Ownership,
    },
    /// Memory, copied.
    Buffer {
        /// Its elements.
        length: Expr,
        /// Who owns it.
        ownership: Ownership,
    },
    /// An object of the library.
    Handle {
        /// Key in [`Interface::handles`].
        handle: String,
        /// Who owns it.
        ownership: Ownership,
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
    /// The library, for ever.
    Static,
    /// The object in this parameter; valid while that lives.
    Borrowed {
        /// Position of the owner.
        parent: usize,
    },
}

/// An object type of the library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    /// The pointer's C type.
    pub c_type: String,
    /// The function that releases it.
    pub release: Option<String>,
    /// The handle type whose object must outlive it.
    pub parent: Option<String>,
    /// Whether only the thread that made it may use it.
    pub thread_affine: bool,
}

/// A function the library calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Its parameters.
    pub params: Vec<CallbackParam>,
    /// Its result type.
    pub result: CType,
    /// How long the library may call it.
    pub scope: CallbackScope,
    /// What the library gets when the application's function raises.
    pub on_failure: Option<i64>,
    /// Position of the user-data parameter of the registering function.
    pub user_data: Option<usize>,
}

/// A parameter of a callback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackParam {
    /// Its name.
    pub name: String,
    /// C type.
    pub ty: CType,
    /// What it is for.
    pub role: CallbackRole,
}

/// What a parameter of a callback is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "kebab-case")]
pub enum CallbackRole {
    /// A number.
    Value,
    /// A NUL-terminated text.
    Text {
        /// Its encoding.
        encoding: Encoding,
        /// Whether it may be NULL.
        nullable: bool,
    },
    /// Data, as long as another parameter says.
    Buffer {
        /// Position of the length.
        length: usize,
        /// What is counted.
        unit: Unit,
    },
    /// Hidden: the length of a buffer.
    LengthOf {
        /// Position of the buffer.
        param: usize,
    },
    /// Hidden: what the registering call passed.
    UserData,
}

/// How long a library may call a callback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "kebab-case")]
pub enum CallbackScope {
    /// Until the registering call returns.
    Call,
    /// Until the handle in this parameter is released.
    Handle {
        /// Position of the handle.
        param: usize,
    },
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
    /// ISO 8859-1.
    Latin1,
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
    /// What the function returned; nothing when that is negative.
    Returned,
    /// Up to the first NUL.
    Text,
    /// This many elements.
    Elements {
        /// Evaluated after the call.
        size: Expr,
    },
}

/// What means failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRule {
    /// True when the call failed.
    pub fails: Fails,
    /// A text of the library about the failure, evaluated right after it.
    pub message: Option<Expr>,
}

/// When a call failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fails", rename_all = "kebab-case")]
pub enum Fails {
    /// The result is not 0.
    Nonzero,
    /// The result is 0.
    Zero,
    /// The result is below 0.
    Negative,
    /// The result is NULL.
    Null,
    /// This is true.
    When {
        /// Evaluated right after the call.
        condition: Expr,
    },
}

/// A function that cannot be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its name.
    pub name: String,
    /// Its declaration on one line.
    pub signature: String,
    /// Why it is left out, as a class.
    pub status: Status,
    /// Why, in words.
    pub reason: String,
    /// What to write into the contract, when a line would help.
    pub help: Option<String>,
}

/// How far a function got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Can be called.
    Bound,
    /// A line of the contract is missing.
    Undecided,
    /// No line would help.
    Unsupported,
    /// The library has no such symbol.
    NotExported,
}

impl Interface {
    /// The serialised form: stable byte for byte.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("plain data with string keys serialises");
        text.push('\n');
        text
    }

    /// Reads the serialised form.
    pub fn from_json(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Header {
            format: u32,
        }
        let header: Header = serde_json::from_str(text).map_err(|e| format!("not an interface: {e}"))?;
        if header.format != FORMAT {
            return Err(format!("interface format {} is not {FORMAT}: generate it again", header.format));
        }
        serde_json::from_str(text).map_err(|e| format!("not an interface: {e}"))
    }

    /// The function of this name, with its index.
    pub fn function(&self, name: &str) -> Option<(u16, &Function)> {
        let index = self.functions.iter().position(|f| f.name == name)?;
        Some((u16::try_from(index).ok()?, &self.functions[index]))
    }
}

impl Function {
    /// The weakest ground any of its facts stands on: `Decided` before `Inferred` before `Proven`.
    pub fn evidence(&self) -> Evidence {
        let facts = self.params.iter().map(|p| &p.role.evidence).chain([&self.result.evidence]);
        facts.chain(self.error.iter().map(|e| &e.evidence)).max().cloned().unwrap_or(Evidence::Proven)
    }
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
            | Role::Handle { .. }
            | Role::Callback { .. } => true,
            Role::BufferOut { capacity, .. } => *capacity == Capacity::Caller,
            _ => false,
        }
    }

    /// Whether callers get something from it.
    pub fn is_result(&self) -> bool {
        matches!(
            self,
            Role::BufferInOut { .. }
                | Role::BufferOut { .. }
                | Role::ValueOut { .. }
                | Role::ValueInOut { .. }
                | Role::HandleOut { .. }
        )
    }
}
