//! The checked interface: what generators read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::{Constant, Enum, Record};
use crate::evidence::{Evidence, Fact};
use crate::expr::{Expr, Op};
use crate::fingerprint::Fingerprint;
use crate::layout::{Carries, Layout, WireField};
use crate::types::{CType, Target};

mod callback;
mod errors;
mod guard;
mod handle;
mod inputs;
mod left;
mod recycle;
mod restore;
mod roles;
mod sandbox;
mod state;
mod structs;

pub use callback::{Callback, CallbackParam, CallbackRole, CallbackScope, CallbackStream, CallbackThreads};
pub use errors::{ErrorRule, Fails};
pub use guard::GuardWord;
pub use handle::Handle;
pub use inputs::Input;
pub use left::{Left, LeftKind};
pub use recycle::RecycleLines;
pub use restore::{Repeated, Restore, Setting, TIMES as RESTORE_TIMES};
pub use roles::{Capacity, Direction, Encoding, Ownership, ResultLength, ResultRole, Role, Start, Unit};
pub use sandbox::{SandboxLines, SandboxProfile, SandboxRequire};
pub use state::StatePart;
pub use structs::{FieldRole, Filled, Pad, Struct, StructField, Told};

/// Version of the serialised form; readers refuse any other.
pub const FORMAT: u32 = 2;

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
    /// Calls every new worker makes before it serves, in order.
    pub init: Vec<LifeCall>,
    /// Calls a worker makes before it ends in peace, in order.
    pub shutdown: Vec<LifeCall>,
    /// Calls by which the first worker of a file of the library shows, before it serves, that it is well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health: Vec<LifeCall>,
    /// Calls by which every worker finds out whether the library is the one that the headers are of, before any other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub abi: Vec<LifeCall>,
    /// Whether a library is taken whatever its debug information says of structures.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub any_layout: bool,
    /// What the library may do once it serves.
    #[serde(default, skip_serializing_if = "SandboxLines::is_default")]
    pub sandbox: SandboxLines,
    /// Which blocks of the library's memory are guarded.
    #[serde(default, skip_serializing_if = "GuardWord::is_default")]
    pub guard: GuardWord,
    /// When a worker is worn.
    #[serde(default, skip_serializing_if = "RecycleLines::is_default")]
    pub recycle: RecycleLines,
    /// How often a call is made at most that may be made again; absent for the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries: Option<u32>,
    /// Parts of its process's state that the library may leave changed between calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaves: Vec<StatePart>,
    /// Handle types by name; on the wire they are numbered in this order, from 1.
    pub handles: BTreeMap<String, Handle>,
    /// Structures that functions take or give, by the record's key.
    pub structs: BTreeMap<String, Struct>,
    /// Names of error codes, by the set's name: for each code the first name the header gives it, ascending.
    pub symbols: BTreeMap<String, Vec<(i64, String)>>,
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
    /// C functions that the contract adds behind the headers, with what they need; an entry is on one line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    /// Whether functions among them note what the library tells about a failure.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tells: bool,
}

/// The function in [`Source::added`] that has what the library told during a call, or NULL.
pub const TOLD: &str = "hotcell_told";

/// How many threads may be inside a library at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Threads {
    /// One call per worker at a time.
    #[default]
    Serialized,
    /// One call at a time for each object with all that belongs to it.
    PerHandle,
    /// Any number.
    Reentrant,
}

/// A call that belongs to the life of a worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifeCall {
    /// The call, its arguments constants.
    pub call: Expr,
    /// What means failure; a worker whose init call fails does not start.
    pub fails: Option<Fails>,
    /// As the contract writes it, for error messages.
    pub text: String,
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
    /// What must hold before a call, or else it is not made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires: Option<Requirement>,
    /// Data, texts and objects that the library keeps when the call has returned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keeps: Vec<Keeps>,
    /// What stops a call of it that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<Cancel>,
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

/// What must hold before a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// Over what goes in.
    pub condition: Expr,
    /// The same in the words of the contract.
    pub text: String,
}

/// Objects that what stops a call can be passed.
pub const CANCEL_OBJECTS: usize = 4;

/// How the library stops a call that is under way: by another call, made on another thread meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// That call. What it is passed of the call that is under way are objects.
    pub call: Expr,
    /// The same in the words of the contract.
    pub text: String,
}

/// What the library keeps: of data the worker has a copy for it, and an object does not go meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keeps {
    /// Position of the text, buffer or object.
    pub param: usize,
    /// How long.
    pub until: Until,
    /// Whether a later call of the function that did not fail takes its place, with the same object in `until`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaced: bool,
}

/// What ends what the library keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// The end of the object of this parameter, which goes in or comes out.
    Param {
        /// Its position.
        param: usize,
    },
    /// The end of the object that the call returns.
    Result,
    /// The end of the worker.
    Worker,
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
    /// Keys of the structures that it points to and of which nothing says what they are to callers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open_types: Vec<String>,
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

    /// Whether several threads may be inside the library, but not everywhere: then calls are begun with their objects.
    pub fn has_thread_rules(&self) -> bool {
        let affine = || self.handles.values().any(|handle| handle.thread_affine);
        match self.threads {
            Threads::Serialized => false,
            Threads::PerHandle => true,
            Threads::Reentrant => affine(),
        }
    }

    /// The numbers of the handle types whose objects are used by the thread that made them only.
    pub fn affine_handles(&self) -> Vec<u16> {
        let affine = self.handles.iter().filter(|(_, handle)| handle.thread_affine);
        affine.filter_map(|(name, _)| self.handle_number(name)).collect()
    }

    /// The number of a handle type on the wire, from 1.
    pub fn handle_number(&self, name: &str) -> Option<u16> {
        let position = self.handles.keys().position(|key| key == name)?;
        u16::try_from(position + 1).ok()
    }

    /// The function of this name, with its index.
    pub fn function(&self, name: &str) -> Option<(u16, &Function)> {
        let index = self.functions.iter().position(|f| f.name == name)?;
        Some((u16::try_from(index).ok()?, &self.functions[index]))
    }
}

impl Param {
    /// The structures that a buffer consists of, by their key.
    pub fn structures(&self) -> Option<&str> {
        match &self.role.value {
            Role::BufferIn { .. } | Role::BufferInOut { .. } | Role::BufferOut { .. } => {
                self.ty.pointee().and_then(|(pointee, _)| pointee.record())
            }
            _ => None,
        }
    }
}

impl Requirement {
    /// Both of them.
    pub fn and(self, other: Requirement) -> Requirement {
        let (left, right) = (Box::new(self.condition), Box::new(other.condition));
        let text = format!("{} && {}", self.text, other.text);
        Requirement { condition: Expr::Binary { op: Op::And, left, right }, text }
    }
}

impl Function {
    /// Whether a call of it may let go of objects that calls before it had kept.
    pub fn lets_go(&self) -> bool {
        self.keeps.iter().any(|keeps| keeps.replaced)
    }

    /// Whether a parameter is memory of which callers say how much there is, and the function is not told: behind it is a wall, so
    /// that a function which wants more of it ends the worker instead of going on in what is another's.
    pub fn ends_at_wall(&self, index: usize) -> bool {
        let told = |param: &Param| match param.role.value {
            Role::LengthOf { param, .. } | Role::LengthPointerOf { param, .. } => param == index,
            _ => false,
        };
        let role = self.params.get(index).map(|param| &param.role.value);
        let open = matches!(
            role,
            Some(Role::BufferIn { length: None, .. } | Role::BufferInOut { length: None, .. })
        );
        open && !self.params.iter().any(told)
    }

    /// What of this is an object, and not data: the worker keeps no copy of it.
    pub fn keeps_object(&self, keeps: &Keeps) -> bool {
        let role = self.params.get(keeps.param).map(|param| &param.role.value);
        matches!(role, Some(Role::Handle { .. } | Role::Resident { .. }))
    }

    /// The structures that a returned buffer consists of, by their key.
    pub fn returned_structures(&self) -> Option<&str> {
        match &self.result.value {
            ResultRole::Buffer { .. } => self.result_type.pointee().and_then(|(pointee, _)| pointee.record()),
            _ => None,
        }
    }

    /// The objects that go in whose errors jump: positions, each with what gives the `jmp_buf`.
    pub fn jumps<'a>(&'a self, handles: &'a BTreeMap<String, Handle>) -> Vec<(usize, &'a str)> {
        let params = self.params.iter().enumerate();
        let jumps = params.filter_map(|(index, param)| match &param.role.value {
            Role::Handle { handle, .. } => Some((index, handles.get(handle)?.jumps.as_deref()?)),
            _ => None,
        });
        jumps.collect()
    }

    /// The weakest ground any of its facts stands on: `Decided` before `Inferred` before `Proven`.
    pub fn evidence(&self) -> Evidence {
        let facts = self.params.iter().map(|p| &p.role.evidence).chain([&self.result.evidence]);
        facts.chain(self.error.iter().map(|e| &e.evidence)).max().cloned().unwrap_or(Evidence::Proven)
    }

    /// Where the returned number lies, which is the code of a failure; none when no number is returned.
    pub fn returned_number(&self) -> Option<&WireField> {
        match self.result.value {
            ResultRole::Value | ResultRole::Status | ResultRole::LengthOf { .. } => {
                self.layout.result.field(Carries::Returned)
            }
            ResultRole::Void
            | ResultRole::Text { .. }
            | ResultRole::Texts { .. }
            | ResultRole::Struct { .. }
            | ResultRole::Buffer { .. }
            | ResultRole::Handle { .. } => None,
        }
    }
}
