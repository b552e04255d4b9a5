//! Functions of the application that a library calls.

use serde::{Deserialize, Serialize};

use crate::expr::Expr;
use crate::interface::roles::{Encoding, Unit};
use crate::layout::Block;
use crate::types::CType;

/// A function the library calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Its parameters.
    pub params: Vec<CallbackParam>,
    /// Where its arguments lie; [`crate::layout::Carries::Param`] counts the callback's own parameters.
    pub args: Block,
    /// Its result type.
    pub result: CType,
    /// How long the library may call it.
    pub scope: CallbackScope,
    /// On which threads the library may call it.
    #[serde(default, skip_serializing_if = "CallbackThreads::is_default")]
    pub threads: CallbackThreads,
    /// Whether what it is called with is a stream of bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<CallbackStream>,
    /// What the library gets when the application's function raises; absent only where nothing is returned.
    pub on_failure: Option<i64>,
    /// What is called before a callback returns nothing because the application's function raised, over the callback's
    /// parameters (`sqlite3_result_error_code(context, SQLITE_ABORT)`).
    pub failure_call: Option<Expr>,
    /// Position of the user-data parameter of the registering function.
    pub user_data: Option<usize>,
    /// Where no parameter of the callback is its user data: how it is found, over the callback's parameters
    /// (`sqlite3_user_data(context)`).
    pub user_data_from: Option<Expr>,
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
    /// Memory of the library's that the application fills: as much as another parameter says.
    Room {
        /// Position of how much there is.
        capacity: usize,
        /// What is counted.
        unit: Unit,
        /// Whether the callback returns how much of it is filled. Else it is all.
        returned: bool,
    },
    /// Texts: a pointer to pointers to NUL-terminated texts.
    Texts {
        /// Position of their number. Without one the first NULL ends them.
        length: Option<usize>,
        /// Their encoding.
        encoding: Encoding,
        /// Whether one of them may be NULL.
        nullable: bool,
    },
    /// An object, lent for the time of the callback.
    Handle {
        /// Key in [`crate::Interface::handles`].
        handle: String,
        /// Whether it may be NULL.
        nullable: bool,
    },
    /// Objects, lent for the time of the callback: a pointer to pointers to them.
    Handles {
        /// Position of their number.
        length: usize,
        /// Key in [`crate::Interface::handles`].
        handle: String,
    },
    /// Hidden: the length of buffers, texts or objects.
    LengthOf {
        /// Position of the first of them.
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

/// A stream of bytes, of which a callback moves the next ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallbackStream {
    /// The library reads: the callback fills its memory, and returns how many bytes there were, none at the end. Without a result
    /// it fills all of it.
    Read,
    /// The library writes: the callback takes all of its data, and returns how many bytes these are, if anything.
    Write,
}

/// On which threads a library may call a callback. Only one that it keeps can come from others than the one that executes
/// calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallbackThreads {
    /// On the one that executes a call, inside of that.
    #[default]
    Calls,
    /// On threads of its own, too.
    Any,
}

impl CallbackThreads {
    /// Whether it need not be said.
    fn is_default(&self) -> bool {
        *self == CallbackThreads::default()
    }
}
