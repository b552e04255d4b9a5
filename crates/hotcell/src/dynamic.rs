//! Calls by name, through an interface that is read at run time.
//!
//! What a generated package does with code, this does with data: the same session, the same blocks, values
//! of a few kinds instead of Rust types. `hotcell call` is built on it.

mod decode;
mod encode;

use hotcell_model::interface::{Function as ModelFunction, Interface};
use hotcell_model::layout::{Carries, WireKind};

use crate::error::Result;
use crate::rt::{Field, Function, Kind, Package};
use crate::session::Session;

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
    /// The elements of a buffer of numbers.
    List(Vec<Value>),
}

/// What a call gave back.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The returned value; `None` for `void` and for values that only carry a status or a length.
    pub returned: Option<Value>,
    /// What parameters were filled with, by name, in C order.
    pub outs: Vec<(String, Value)>,
}

/// Makes a package of an interface and its compiled shim. It lives until the process ends, as the packages
/// that are compiled in do: load an interface once, not for every call.
pub fn package(interface: &Interface, shim: Vec<u8>) -> &'static Package {
    let functions: Vec<Function> = interface.functions.iter().map(function).collect();
    Box::leak(Box::new(Package {
        runtime: 1,
        library: interface.library.clone().leak(),
        fingerprint: interface.fingerprint.0,
        functions: functions.leak(),
        handles: &[],
        shim: shim.leak(),
    }))
}

/// Calls the function of this index. `args` are the values of the parameters for which
/// [`hotcell_model::interface::Role::is_argument`] holds, in C order; an out buffer's is its capacity in
/// elements.
#[track_caller]
pub fn call(session: &Session, function: (u16, &ModelFunction), args: &[Value]) -> Result<Outcome> {
    let (index, function) = function;
    let mut call = session.call(index)?;
    encode::arguments(&mut call, function, args)?;
    decode::outcome(call.finish()?, function)
}

fn function(function: &ModelFunction) -> Function {
    let result = &function.layout.result;
    Function {
        name: function.name.clone().leak(),
        args_size: function.layout.args.size as u16,
        result_size: result.size as u16,
        deadline_ms: function.deadline_ms.unwrap_or(0),
        idempotent: function.idempotent,
        returned: result
            .field(Carries::Returned)
            .map(|field| Field { offset: field.offset as u16, kind: kind(field.kind) }),
        code: result.field(Carries::Code).map(|field| field.offset as u16),
        message: result.field(Carries::Message).map(|field| field.offset as u16),
        symbols: &[],
        owned: &[],
    }
}

fn kind(kind: WireKind) -> Kind {
    match kind {
        WireKind::U8 => Kind::U8,
        WireKind::U16 => Kind::U16,
        WireKind::U32 => Kind::U32,
        WireKind::U64 => Kind::U64,
        WireKind::I8 => Kind::I8,
        WireKind::I16 => Kind::I16,
        WireKind::I32 => Kind::I32,
        WireKind::I64 => Kind::I64,
        WireKind::F32 => Kind::F32,
        WireKind::F64 => Kind::F64,
        WireKind::Reference => Kind::Reference,
    }
}
