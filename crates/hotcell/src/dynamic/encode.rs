//! Values into an argument block.

use hotcell_model::interface::{Capacity, Encoding, Function, Param, Role};
use hotcell_model::layout::{Carries, WireField, WireKind};
use hotcell_model::types::{CType, Type};

use super::Value;
use crate::error::Result;
use crate::rt::Call;

pub(super) fn arguments(call: &mut Call<'_>, function: &Function, args: &[Value]) -> Result<()> {
    let wanted: Vec<(usize, &Param)> =
        function.params.iter().enumerate().filter(|(_, param)| param.role.value.is_argument()).collect();
    if wanted.len() != args.len() {
        let names: Vec<&str> = wanted.iter().map(|(_, param)| param.name.as_str()).collect();
        let message =
            format!("{} arguments expected ({}), {} given", names.len(), names.join(", "), args.len());
        return Err(call.invalid_argument("", message));
    }
    for ((index, param), value) in wanted.into_iter().zip(args) {
        argument(call, function, index, param, value)?;
    }
    Ok(())
}

fn argument(
    call: &mut Call<'_>,
    function: &Function,
    index: usize,
    param: &Param,
    value: &Value,
) -> Result<()> {
    let name = &param.name;
    let field = |carries| function.layout.args.field(carries).copied();
    let Some(field) = field(Carries::Param { index }).or_else(|| field(Carries::Capacity { index })) else {
        return Err(call.invalid_argument(name, format!("`{name}` has no place on the wire")));
    };
    let offset = field.offset as usize;
    match (&param.role.value, value) {
        (Role::Text { nullable: true, .. } | Role::BufferIn { nullable: true, .. }, Value::Null)
        | (Role::BufferInOut { nullable: true, .. }, Value::Null) => {
            call.put_null(offset);
            Ok(())
        }
        (_, Value::Null) => Err(call.invalid_argument(name, format!("`{name}` must not be null"))),
        (Role::Value | Role::ValueInOut { .. }, value) => number(call, param, field, value),
        (Role::BufferOut { capacity: Capacity::Caller, .. }, value) => number(call, param, field, value),
        (Role::Text { encoding, .. }, value) => match (value, encoding) {
            (Value::Text(text), _) => call.put_text(offset, name, text),
            (Value::Bytes(bytes), Encoding::Utf8) if std::str::from_utf8(bytes).is_err() => {
                Err(call.bad_encoding(name))
            }
            (Value::Bytes(bytes), _) => call.put_text_bytes(offset, name, bytes),
            (value, _) => Err(mismatch(call, name, "a text", value)),
        },
        (Role::BufferIn { .. } | Role::BufferInOut { .. }, value) => match value {
            Value::Bytes(bytes) => call.put_buffer(offset, name, bytes),
            Value::Text(text) => call.put_buffer(offset, name, text.as_bytes()),
            Value::List(values) => {
                let bytes = elements(call, param, values)?;
                call.put_buffer(offset, name, &bytes)
            }
            value => Err(mismatch(call, name, "data", value)),
        },
        (_, value) => Err(mismatch(call, name, "something this version cannot pass", value)),
    }
}

fn number(call: &mut Call<'_>, param: &Param, field: WireField, value: &Value) -> Result<()> {
    let name = &param.name;
    let offset = field.offset as usize;
    match field.kind {
        WireKind::F32 | WireKind::F64 => {
            let number = match value {
                Value::Float(number) => *number,
                Value::Int(number) => *number as f64,
                value => return Err(mismatch(call, name, "a number", value)),
            };
            match field.kind {
                WireKind::F32 => call.put_f32(offset, number as f32),
                _ => call.put_f64(offset, number),
            }
            Ok(())
        }
        kind => {
            let ty = param.ty.pointee().map_or(&param.ty, |(pointee, _)| pointee);
            let bytes = integer(call, name, ty, kind, value)?;
            for (position, byte) in bytes.into_iter().enumerate() {
                call.put_u8(offset + position, byte);
            }
            Ok(())
        }
    }
}

/// The little-endian bytes of an integer, after checking that it fits.
fn integer(call: &Call<'_>, name: &str, ty: &CType, kind: WireKind, value: &Value) -> Result<Vec<u8>> {
    let number = match value {
        Value::Int(number) => *number,
        Value::Bool(truth) => i128::from(*truth),
        value => return Err(mismatch(call, name, "an integer", value)),
    };
    let bits = kind.size() * 8;
    let signed = matches!(kind, WireKind::I8 | WireKind::I16 | WireKind::I32 | WireKind::I64);
    let (low, high) = match (ty.kind == Type::Bool, signed) {
        (true, _) => (0, 1),
        (false, true) => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        (false, false) => (0, (1i128 << bits) - 1),
    };
    if !(low..=high).contains(&number) {
        let message = format!("`{name}` is {number}; {} holds {low} to {high}", ty.written);
        return Err(call.invalid_argument(name, message));
    }
    Ok(number.to_le_bytes()[..kind.size() as usize].to_vec())
}

fn elements(call: &Call<'_>, param: &Param, values: &[Value]) -> Result<Vec<u8>> {
    let name = &param.name;
    let Some((element, _)) = param.ty.pointee() else {
        return Err(call.invalid_argument(name, format!("`{name}` is no buffer")));
    };
    let mut bytes = Vec::new();
    for value in values {
        match (&element.kind, value) {
            (Type::Float { bits }, Value::Float(_) | Value::Int(_)) => {
                let number = match value {
                    Value::Int(number) => *number as f64,
                    Value::Float(number) => *number,
                    _ => 0.0,
                };
                match bits {
                    32 => bytes.extend((number as f32).to_le_bytes()),
                    _ => bytes.extend(number.to_le_bytes()),
                }
            }
            (_, value) => {
                let Some(kind) = integer_kind(element) else {
                    return Err(mismatch(call, name, "raw data", value));
                };
                bytes.extend(integer(call, name, element, kind, value)?);
            }
        }
    }
    Ok(bytes)
}

fn integer_kind(ty: &CType) -> Option<WireKind> {
    let signed = match ty.kind {
        Type::Int { signed, .. } | Type::Enum { signed, .. } => signed,
        Type::Bool | Type::Char => false,
        _ => return None,
    };
    Some(match (ty.scalar_size()?, signed) {
        (1, false) => WireKind::U8,
        (2, false) => WireKind::U16,
        (4, false) => WireKind::U32,
        (8, false) => WireKind::U64,
        (1, true) => WireKind::I8,
        (2, true) => WireKind::I16,
        (4, true) => WireKind::I32,
        (8, true) => WireKind::I64,
        _ => return None,
    })
}

fn mismatch(call: &Call<'_>, name: &str, wanted: &str, value: &Value) -> crate::Error {
    let given = match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Int(_) => "an integer",
        Value::Float(_) => "a floating-point number",
        Value::Text(_) => "a text",
        Value::Bytes(_) => "data",
        Value::List(_) => "a list",
    };
    call.invalid_argument(name, format!("`{name}` takes {wanted}, not {given}"))
}
