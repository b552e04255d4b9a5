//! Values into an argument block.

use hotcell_model::interface::{
    CallbackScope, CallbackThreads, Capacity, Encoding, Function, Interface, Param, Role,
};
use hotcell_model::layout::Carries;
use hotcell_model::types::{CType, Type};

use super::numbers::{self, described};
use super::written::Written;
use super::{Value, callbacks, structs};
use crate::error::{Error, Result};
use crate::rt::{Invocation, Latin1, Utf32};

/// What went into a call.
pub(super) struct Passed<'a> {
    /// By the parameter's position.
    pub(super) values: Vec<Option<&'a Value>>,
    /// The callbacks, by their number in the call.
    pub(super) callbacks: Vec<callbacks::Passed>,
}

impl<'a> Passed<'a> {
    /// The arguments by their parameters.
    pub(super) fn of(function: &Function, args: &'a [Value]) -> Passed<'a> {
        let mut values = vec![None; function.params.len()];
        let wanted = function.params.iter().enumerate().filter(|(_, param)| param.role.value.is_argument());
        for ((index, _), value) in wanted.zip(args) {
            values[index] = Some(value);
        }
        Passed { values, callbacks: Vec::new() }
    }
}

pub(super) fn put<'a>(
    call: &mut impl Written,
    interface: &Interface,
    function: &Function,
    args: &'a [Value],
) -> Result<Passed<'a>> {
    let wanted = function.params.iter().enumerate().filter(|(_, param)| param.role.value.is_argument());
    let wanted: Vec<(usize, &Param)> = wanted.collect();
    if wanted.len() != args.len() {
        let names: Vec<&str> = wanted.iter().map(|(_, param)| param.name.as_str()).collect();
        let message =
            format!("{} arguments expected ({}), {} given", names.len(), names.join(", "), args.len());
        return Err(call.invalid_argument("", message));
    }
    let mut passed = Passed::of(function, args);
    for ((index, param), value) in wanted.into_iter().zip(args) {
        argument(call, interface, function, (index, param), value, &mut passed)?;
    }
    Ok(passed)
}

fn argument(
    call: &mut impl Written,
    interface: &Interface,
    function: &Function,
    (index, param): (usize, &Param),
    value: &Value,
    passed: &mut Passed<'_>,
) -> Result<()> {
    let name = param.name.as_str();
    let field = |carries| function.layout.args.field(carries).copied();
    let Some(field) = field(Carries::Param { index }).or_else(|| field(Carries::Capacity { index })) else {
        return Err(call.invalid_argument(name, format!("`{name}` has no place on the wire")));
    };
    let offset = field.offset as usize;
    if *value == Value::Null {
        return null(call, offset, name, &param.role.value);
    }
    match &param.role.value {
        Role::BufferIn { .. } | Role::BufferInOut { .. } if param.structures().is_some() => {
            let images =
                structs::encode_list(call, interface, param.structures().unwrap_or(""), name, value)?;
            call.put_image(offset, name, &images)
        }
        Role::BufferOut { capacity: Capacity::Caller, .. } => {
            let capacity = match value {
                Value::Int(number) => u64::try_from(*number).ok(),
                other => return Err(mismatch(call, name, "a capacity", other)),
            };
            let capacity = capacity.ok_or_else(|| refused(call, name, "is no number of elements"))?;
            let image = param.structures().and_then(|record| interface.structs.get(record));
            let element = match image {
                Some(item) => item.size,
                None => param.ty.pointee().and_then(|(element, _)| element.element_size()).unwrap_or(1),
            };
            call.put_capacity(offset, name, capacity, element)
        }
        Role::Value | Role::ValueInOut { .. } => {
            let ty = param.ty.pointee().map_or(&param.ty, |(pointee, _)| pointee);
            let bytes = numbers::encode(ty, field.kind, value).map_err(|text| refused(call, name, &text))?;
            for (position, byte) in bytes.into_iter().enumerate() {
                call.put_byte(offset + position, byte);
            }
            Ok(())
        }
        Role::Text { encoding: Encoding::Utf16, .. } => {
            let text = string(call, name, value)?;
            call.put_text_utf16(offset, name, text)
        }
        Role::Text { encoding: Encoding::Utf32, .. } => {
            let text = string(call, name, value)?;
            call.put_converted::<Utf32>(offset, name, text)
        }
        Role::Text { encoding: Encoding::Latin1, .. } => {
            let text = string(call, name, value)?;
            call.put_converted::<Latin1>(offset, name, text)
        }
        Role::Text { encoding, .. } => {
            let bytes = text(call, name, *encoding, value)?;
            call.put_text_bytes(offset, name, bytes)
        }
        Role::BufferIn { .. } | Role::BufferInOut { .. } => {
            let element = param.ty.pointee().map(|(element, _)| element);
            let bytes = data(call, name, element, value)?;
            call.put_data(offset, name, &bytes)
        }
        Role::Texts { encoding, .. } => {
            let Value::List(list) = value else { return Err(mismatch(call, name, "texts", value)) };
            if encoding.is_converted() {
                let texts: Result<Vec<&str>> = list.iter().map(|it| string(call, name, it)).collect();
                let texts = texts?;
                return match encoding {
                    Encoding::Utf32 => call.put_converted_texts::<Utf32>(offset, name, &texts),
                    Encoding::Latin1 => call.put_converted_texts::<Latin1>(offset, name, &texts),
                    _ => call.put_texts_utf16(offset, name, &texts),
                };
            }
            let texts: Result<Vec<&[u8]>> = list.iter().map(|it| text(call, name, *encoding, it)).collect();
            let texts = texts?;
            call.put_texts(offset, name, &texts)
        }
        Role::Handle { handle, consumed, on_success, .. } => {
            let Value::Handle(object) = value else { return Err(mismatch(call, name, "an object", value)) };
            let kind = interface.handle_number(handle).unwrap_or(0);
            match consumed {
                true => call.put_taken(offset, name, object, kind, *on_success),
                false => call.put_opt_handle(offset, name, Some(object), kind),
            }
        }
        Role::Handles { handle, .. } => {
            let Value::List(list) = value else {
                return Err(mismatch(call, name, "a list of objects", value));
            };
            let mut objects = Vec::new();
            for value in list {
                let Value::Handle(object) = value else {
                    return Err(mismatch(call, name, "a list of objects", value));
                };
                objects.push(object);
            }
            call.put_handles(offset, name, &objects, interface.handle_number(handle).unwrap_or(0))
        }
        Role::Struct { record, .. } => {
            let image = structs::encode(call, interface, record, (false, false), name, value)?;
            call.put_image(offset, name, &image)
        }
        Role::Resident { record, consumed, starts } => {
            let life = (*consumed, starts.is_some());
            let image = structs::encode(call, interface, record, life, name, value)?;
            call.put_image(offset, name, &image)
        }
        Role::Callback { callback, .. } => {
            let size = callback.args.size as u16;
            let shape = callbacks::Passed::new(interface, name, callback);
            match (callback.scope.clone(), value) {
                (CallbackScope::Call, Value::Callback) => {
                    passed.callbacks.push(shape);
                    call.put_callback(offset, name, passed.callbacks.len() as u16, size)
                }
                (CallbackScope::Handle { param: until }, Value::Kept(run)) => {
                    let Some(Value::Handle(until)) = passed.values[until] else {
                        return Err(refused(call, name, "goes with an object that is not there"));
                    };
                    let run = run.clone();
                    let run = move |invocation: &mut Invocation<'_>| shape.run_kept(invocation, &run);
                    let by_threads = callback.threads == CallbackThreads::Any;
                    call.put_kept(offset, name, size, Box::new(run), until, by_threads)
                }
                (CallbackScope::Call, _) => Err(mismatch(call, name, "a callback", value)),
                (CallbackScope::Handle { .. }, _) => Err(mismatch(call, name, "a function to keep", value)),
            }
        }
        _ => Err(mismatch(call, name, "something this version cannot pass", value)),
    }
}

fn null(call: &mut impl Written, offset: usize, name: &str, role: &Role) -> Result<()> {
    match role {
        Role::Text { nullable: true, .. }
        | Role::Texts { nullable: true, .. }
        | Role::Handles { nullable: true, .. }
        | Role::BufferIn { nullable: true, .. }
        | Role::BufferInOut { nullable: true, .. }
        | Role::Struct { nullable: true, .. } => call.put_null(offset),
        Role::Handle { nullable: true, .. } => call.put_opt_handle(offset, name, None, 0)?,
        Role::Callback { nullable: true, .. } => call.put_callback(offset, name, 0, 0)?,
        _ => return Err(refused(call, name, "must not be null")),
    }
    Ok(())
}

/// The bytes of a text.
pub(super) fn text<'v>(
    call: &impl Written,
    name: &str,
    encoding: Encoding,
    value: &'v Value,
) -> Result<&'v [u8]> {
    match (value, encoding) {
        (Value::Text(text), _) => Ok(text.as_bytes()),
        (Value::Bytes(bytes), Encoding::Utf8) if std::str::from_utf8(bytes).is_err() => {
            Err(call.bad_encoding(name))
        }
        (Value::Bytes(bytes), _) => Ok(bytes),
        (value, _) => Err(mismatch(call, name, "a text", value)),
    }
}

/// A text that is not passed on as it is.
pub(super) fn string<'v>(call: &impl Written, name: &str, value: &'v Value) -> Result<&'v str> {
    match value {
        Value::Text(text) => Ok(text),
        Value::Bytes(bytes) => std::str::from_utf8(bytes).map_err(|_| call.bad_encoding(name)),
        value => Err(mismatch(call, name, "a text", value)),
    }
}

/// The bytes of a buffer.
pub(super) fn data(
    call: &impl Written,
    name: &str,
    element: Option<&CType>,
    value: &Value,
) -> Result<Vec<u8>> {
    let truths = element.is_some_and(|element| element.kind == Type::Bool);
    match (value, element) {
        (Value::Bytes(bytes), _) if truths && bytes.iter().any(|byte| *byte > 1) => {
            Err(refused(call, name, "has a byte that is no truth value: those are 0 and 1"))
        }
        (Value::Text(_), _) if truths => Err(mismatch(call, name, "truth values", value)),
        (Value::Bytes(bytes), _) => Ok(bytes.clone()),
        (Value::Text(text), _) => Ok(text.clone().into_bytes()),
        (Value::List(values), Some(element)) => {
            numbers::encode_all(element, values).map_err(|text| refused(call, name, &text))
        }
        (value, _) => Err(mismatch(call, name, "data", value)),
    }
}

pub(super) fn refused(call: &impl Written, name: &str, text: &str) -> Error {
    call.invalid_argument(name, format!("`{name}` {text}"))
}

pub(super) fn mismatch(call: &impl Written, name: &str, wanted: &str, value: &Value) -> Error {
    refused(call, name, &format!("takes {wanted}, not {}", described(value)))
}
