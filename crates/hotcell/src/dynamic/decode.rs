//! A result block into values.

use hotcell_model::interface::{Encoding, Function, ResultRole, Role};
use hotcell_model::layout::{Carries, WireField, WireKind};
use hotcell_model::types::{CType, Type};

use super::{Outcome, Value};
use crate::error::Result;
use crate::rt::Reply;

pub(super) fn outcome(mut reply: Reply<'_>, function: &Function) -> Result<Outcome> {
    let returned = match (&function.result.value, function.layout.result.field(Carries::Returned)) {
        (ResultRole::Value, Some(field)) => Some(number(&reply, *field, &function.result_type)),
        (ResultRole::Text { encoding, nullable, .. }, Some(field)) => {
            Some(text(&mut reply, field.offset as usize, *encoding, *nullable)?)
        }
        (ResultRole::Buffer { .. }, Some(field)) => {
            let element = function.result_type.pointee().map(|(element, _)| element);
            Some(data(&mut reply, field.offset as usize, element)?)
        }
        _ => None,
    };
    let mut outs = Vec::new();
    for (index, param) in function.params.iter().enumerate() {
        let Some(field) = function.layout.result.field(Carries::Param { index }).copied() else { continue };
        let element = param.ty.pointee().map(|(element, _)| element);
        let value = match (&param.role.value, element) {
            (Role::ValueOut { .. } | Role::ValueInOut { .. }, Some(ty)) => number(&reply, field, ty),
            (Role::BufferOut { .. } | Role::BufferInOut { .. }, element) => {
                data(&mut reply, field.offset as usize, element)?
            }
            _ => continue,
        };
        outs.push((param.name.clone(), value));
    }
    Ok(Outcome { returned, outs })
}

fn number(reply: &Reply<'_>, field: WireField, ty: &CType) -> Value {
    let offset = field.offset as usize;
    let integer = match field.kind {
        WireKind::U8 => i128::from(reply.get_u8(offset)),
        WireKind::U16 => i128::from(reply.get_u16(offset)),
        WireKind::U32 => i128::from(reply.get_u32(offset)),
        WireKind::U64 => i128::from(reply.get_u64(offset)),
        WireKind::I8 => i128::from(reply.get_i8(offset)),
        WireKind::I16 => i128::from(reply.get_i16(offset)),
        WireKind::I32 => i128::from(reply.get_i32(offset)),
        WireKind::I64 => i128::from(reply.get_i64(offset)),
        WireKind::F32 => return Value::Float(f64::from(reply.get_f32(offset))),
        WireKind::F64 => return Value::Float(reply.get_f64(offset)),
        WireKind::Reference => return Value::Null,
    };
    if ty.kind == Type::Bool { Value::Bool(integer != 0) } else { Value::Int(integer) }
}

fn text(reply: &mut Reply<'_>, offset: usize, encoding: Encoding, nullable: bool) -> Result<Value> {
    let some = |text: Option<String>| text.map_or(Value::Null, Value::Text);
    match (encoding, nullable) {
        (Encoding::Utf8, true) => reply.opt_text(offset).map(some),
        (Encoding::Utf8, false) => reply.text(offset).map(Value::Text),
        (_, true) => Ok(reply.opt_text_bytes(offset)?.map_or(Value::Null, Value::Bytes)),
        (_, false) => reply.text_bytes(offset).map(Value::Bytes),
    }
}

/// Bytes as they are; wider elements as a list of numbers.
fn data(reply: &mut Reply<'_>, offset: usize, element: Option<&CType>) -> Result<Value> {
    let signed =
        |ty: &CType| matches!(ty.kind, Type::Int { signed: true, .. } | Type::Enum { signed: true, .. });
    let integers = |list: Vec<i128>| Value::List(list.into_iter().map(Value::Int).collect());
    let Some(element) = element.filter(|element| !element.is_byte()) else {
        return Ok(reply.opt_buffer(offset)?.map_or(Value::Null, Value::Bytes));
    };
    Ok(match (&element.kind, element.scalar_size(), signed(element)) {
        (Type::Float { bits: 32 }, ..) => Value::List(
            reply.elements::<f32>(offset)?.into_iter().map(|n| Value::Float(f64::from(n))).collect(),
        ),
        (Type::Float { .. }, ..) => {
            Value::List(reply.elements::<f64>(offset)?.into_iter().map(Value::Float).collect())
        }
        (_, Some(2), false) => integers(reply.elements::<u16>(offset)?.into_iter().map(i128::from).collect()),
        (_, Some(4), false) => integers(reply.elements::<u32>(offset)?.into_iter().map(i128::from).collect()),
        (_, Some(8), false) => integers(reply.elements::<u64>(offset)?.into_iter().map(i128::from).collect()),
        (_, Some(2), true) => integers(reply.elements::<i16>(offset)?.into_iter().map(i128::from).collect()),
        (_, Some(4), true) => integers(reply.elements::<i32>(offset)?.into_iter().map(i128::from).collect()),
        (_, Some(8), true) => integers(reply.elements::<i64>(offset)?.into_iter().map(i128::from).collect()),
        _ => reply.opt_buffer(offset)?.map_or(Value::Null, Value::Bytes),
    })
}
