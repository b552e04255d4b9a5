//! The contained side: the same calls through a session.

use std::time::Duration;

use hotcell::dynamic::{self, Value};
use hotcell::{Cause, Error, ErrorKind, Options, Session};
use hotcell_bind::Bound;
use hotcell_model::interface::Function;
use hotcell_model::types::{CType, Type};

use crate::plan::{Case, Input, Plan};
use crate::seen::{Outcome, Seen};

/// What comes of each step of the first `count` cases of a group.
pub(crate) fn run(
    bound: &Bound,
    plan: &Plan,
    group: usize,
    count: usize,
    patience: Duration,
) -> Result<Vec<Vec<Outcome>>, String> {
    let session = bound.open(Options::default()).map_err(|error| format!("{error:#}"))?.within(patience);
    Ok(plan.groups[group].cases[..count].iter().map(|it| case(bound, &session, it)).collect())
}

fn case(bound: &Bound, session: &Session, case: &Case) -> Vec<Outcome> {
    let mut seen = Vec::new();
    for step in &case.steps {
        let function = &bound.interface.functions[usize::from(step.function)];
        let args: Vec<Value> = step.args.iter().map(value).collect();
        let outcome = match dynamic::call(session, (step.function, function), &args) {
            Ok(outcome) => returned(function, outcome),
            Err(error) => failed(&error),
        };
        let over = outcome.ends_process();
        seen.push(outcome);
        if over {
            break;
        }
    }
    seen
}

fn value(input: &Input) -> Value {
    match input {
        Input::Null => Value::Null,
        Input::Int(number) => Value::Int(*number),
        Input::Float(number) => Value::Float(*number),
        Input::Constant { value, .. } => Value::Int(*value),
        Input::Text(bytes) | Input::Data(bytes) => Value::Bytes(bytes.to_vec()),
        _ => Value::Null,
    }
}

fn returned(function: &Function, outcome: dynamic::Outcome) -> Outcome {
    let element = |ty: &CType| ty.pointee().map(|(element, _)| element.clone());
    let returned =
        outcome.returned.map_or(Seen::Null, |it| seen(&it, element(&function.result_type).as_ref()));
    let outs = outcome.outs.into_iter().map(|(name, value)| {
        let param = function.params.iter().find(|param| param.name == name);
        let element = param.and_then(|param| element(&param.ty));
        let seen = seen(&value, element.as_ref());
        (name, seen)
    });
    Outcome::Returned { returned, outs: outs.collect() }
}

fn seen(value: &Value, element: Option<&CType>) -> Seen {
    match value {
        Value::Null => Seen::Null,
        Value::Bool(truth) => Seen::Int(i128::from(*truth)),
        Value::Int(number) => Seen::Int(*number),
        Value::Float(number) => Seen::float(*number),
        Value::Text(text) => Seen::data(text.as_bytes()),
        Value::Bytes(bytes) => Seen::data(bytes),
        Value::List(values) => {
            Seen::data(&values.iter().flat_map(|it| bytes(it, element)).collect::<Vec<u8>>())
        }
    }
}

/// An element as it lies in C's memory.
fn bytes(value: &Value, element: Option<&CType>) -> Vec<u8> {
    let size = element.and_then(CType::element_size).unwrap_or(8) as usize;
    match (value, element.map(|element| &element.kind)) {
        (Value::Float(number), Some(Type::Float { bits: 32 })) => (*number as f32).to_le_bytes().to_vec(),
        (Value::Float(number), _) => number.to_le_bytes().to_vec(),
        (Value::Int(number), _) => number.to_le_bytes()[..size].to_vec(),
        _ => Vec::new(),
    }
}

fn failed(error: &Error) -> Outcome {
    match (error.kind(), error.cause()) {
        (ErrorKind::LibraryError, Cause::Library { code, message, errno, .. }) => {
            Outcome::Failed { code: *code, symbol: None, message: message.clone(), errno: i64::from(*errno) }
        }
        (ErrorKind::Crashed, Cause::Signal { number, .. }) => Outcome::Signal(*number),
        (ErrorKind::Exited, Cause::Exit { status }) => Outcome::Exited(*status),
        (ErrorKind::Hung, _) => Outcome::Hung,
        (ErrorKind::InvalidArgument, _) => Outcome::Refused,
        (ErrorKind::BadEncoding, _) => Outcome::BadEncoding,
        (ErrorKind::InvalidReply, _) => Outcome::Lied,
        _ => Outcome::Other(error.to_string()),
    }
}
