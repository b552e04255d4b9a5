//! Calls by name, through an interface that is read at run time.
//!
//! What a generated package does with code, this does with data: the same session, the same blocks, values
//! of a few kinds instead of Rust types. `hotcell call` is built on it.

mod arguments;
#[cfg(feature = "tokio")]
mod awaited;
mod batch;
mod callbacks;
mod numbers;
mod objects;
mod package;
mod results;
mod structs;
mod unions;
mod written;

use std::cell::RefCell;
use std::time::Duration;

use hotcell_model::interface::{Function, Interface};

use crate::error::{Output, Result};
use crate::rt::{self, Handle};
use crate::session::Session;

#[cfg(feature = "tokio")]
pub use awaited::{TaskCallback, call_awaited, call_with_awaited};
pub use batch::{Batch, never_in_a_batch, send};
pub use callbacks::KeptFunction;
pub use package::{leaving, package, recycle, restores, thread_rules, trying};

/// A value of an argument or result.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// A truth value.
    Bool(bool),
    /// Any integer, enumerators included.
    Int(i128),
    /// A floating-point number.
    Float(f64),
    /// A text.
    Text(String),
    /// Raw data.
    Bytes(Vec<u8>),
    /// The elements of a buffer of numbers, or texts.
    List(Vec<Value>),
    /// An object of the library.
    Handle(Handle),
    /// The fields of a structure by name. Those that are left out are zero, empty or NULL. A structure that stays in
    /// the worker has its object under the empty name, once there is one.
    Struct(Vec<(String, Value)>),
    /// The callback that was given to [`call_with`].
    Callback,
    /// A callback that the library keeps.
    Kept(KeptFunction),
}

impl From<Handle> for Value {
    fn from(handle: Handle) -> Value {
        Value::Handle(handle)
    }
}

/// Objects are no outputs: callers have those that were passed, and others are released.
impl From<Value> for Output {
    fn from(value: Value) -> Output {
        match value {
            Value::Null | Value::Handle(_) | Value::Callback | Value::Kept(_) => Output::Null,
            Value::Bool(truth) => Output::Bool(truth),
            Value::Int(number) => Output::Int(number),
            Value::Float(number) => Output::Float(number),
            Value::Text(text) => Output::Text(text),
            Value::Bytes(bytes) => Output::Bytes(bytes),
            Value::List(values) => Output::List(values.into_iter().map(Output::from).collect()),
            Value::Struct(fields) => {
                let fields = fields.into_iter().filter(|(name, _)| !name.is_empty());
                Output::Struct(fields.map(|(name, value)| (name, value.into())).collect())
            }
        }
    }
}

impl From<Output> for Value {
    fn from(output: Output) -> Value {
        match output {
            Output::Null => Value::Null,
            Output::Bool(truth) => Value::Bool(truth),
            Output::Int(number) => Value::Int(number),
            Output::Float(number) => Value::Float(number),
            Output::Text(text) => Value::Text(text),
            Output::Bytes(bytes) => Value::Bytes(bytes),
            Output::List(values) => Value::List(values.into_iter().map(Value::from).collect()),
            Output::Struct(fields) => {
                Value::Struct(fields.into_iter().map(|(name, value)| (name, value.into())).collect())
            }
        }
    }
}

/// What a call gave back.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The returned value; `None` for `void` and for values that only carry a status or a length.
    pub returned: Option<Value>,
    /// What parameters were filled with, by name, in C order. Of data that went in with a structure, what the library
    /// has not taken is left; of memory that it fills there, what is new.
    pub outs: Vec<(String, Value)>,
}

/// A function for the library to call: with the name of the parameter it was passed as, and its arguments by name.
/// A failure ends the call when the library has returned. What the library keeps is a [`KeptFunction`] instead.
pub type Callback<'a> = dyn FnMut(&str, &[(String, Value)]) -> std::result::Result<Value, String> + 'a;

/// Calls the function of this index. A failure has with it, in [`crate::Error::outputs`], what means something then, the
/// structures that go in and out too.
/// `args` are the values of the parameters for which
/// [`hotcell_model::interface::Role::is_argument`] holds, in C order; an out buffer's is its capacity in
/// elements.
#[track_caller]
pub fn call(
    session: &Session,
    interface: &Interface,
    function: (u16, &Function),
    args: &[Value],
) -> Result<Outcome> {
    let tried = call_once(session, interface, function, args);
    session.retried(function.0, tried, |session| call_once(&session, interface, function, args))
}

#[track_caller]
fn call_once(
    session: &Session,
    interface: &Interface,
    function: (u16, &Function),
    args: &[Value],
) -> Result<Outcome> {
    let mut call = session.call_of(function.0, &objects::among(session, function.1, args))?;
    let passed = arguments::put(&mut call, interface, function.1, args)?;
    if let Some(passed) = passed.callbacks.first() {
        let name = passed.name();
        let message = format!("`{name}` is to be a callback, and none was given with the call");
        return Err(call.invalid_argument(name, message));
    }
    results::take(call.settle()?, interface, function.1, &passed)
}

/// As [`call`]. Every parameter that is passed [`Value::Callback`] calls `callback`.
#[track_caller]
pub fn call_with(
    session: &Session,
    interface: &Interface,
    function: (u16, &Function),
    args: &[Value],
    callback: &mut Callback<'_>,
) -> Result<Outcome> {
    call_asking(session, interface, function, args, callback, &mut || false)
}

/// As [`call_with`], of a call that is given up when `gives_up` says so, which is asked several times a second.
#[track_caller]
pub fn call_asking(
    session: &Session,
    interface: &Interface,
    function: (u16, &Function),
    args: &[Value],
    callback: &mut Callback<'_>,
    gives_up: &mut dyn FnMut() -> bool,
) -> Result<Outcome> {
    let mut call = session.call_of(function.0, &objects::among(session, function.1, args))?;
    let passed = arguments::put(&mut call, interface, function.1, args)?;
    // One runs at a time, and on this thread.
    let callback = RefCell::new(callback);
    let run = |passed| {
        let callback = &callback;
        move |invocation: &mut rt::Invocation<'_>| {
            callbacks::Passed::run(passed, invocation, &mut **callback.borrow_mut())
        }
    };
    let mut list: Vec<_> = passed.callbacks.iter().map(run).collect();
    let mut list: Vec<&mut rt::Callback<'_>> = list.iter_mut().map(|run| run as _).collect();
    let reply = call.settle_aside(Duration::ZERO, |wait| wait(), gives_up, &mut list)?;
    results::take(reply, interface, function.1, &passed)
}
