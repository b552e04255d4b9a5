//! A result block into values.

use hotcell_model::interface::{Encoding, Function, Interface, Ownership, ResultRole, Role};
use hotcell_model::layout::Carries;
use hotcell_model::types::CType;

use super::arguments::Passed;
use super::{Outcome, Value, numbers, structs};
use crate::error::{Output, Result};
use crate::rt::reading::{Bad, Reads, Reference};
use crate::rt::{Handle, Latin1, Reply, Utf8, Utf16, Utf32};

pub(super) fn take(
    mut reply: Reply<'_>,
    interface: &Interface,
    function: &Function,
    passed: &Passed<'_>,
) -> Result<Outcome> {
    let reply = &mut reply;
    if reply.has_failed() {
        let outputs = structures(reply, interface, function, passed)?;
        let position = |name: &str| function.params.iter().position(|param| param.name == name);
        reply.add_outputs(outputs, |name| position(name).unwrap_or(usize::MAX));
    }
    reply.succeeded()?;
    read(reply, interface, function, passed)
}

/// The results of a call that did not fail.
pub(super) fn read(
    reply: &mut Reply<'_>,
    interface: &Interface,
    function: &Function,
    passed: &Passed<'_>,
) -> Result<Outcome> {
    let returned = returned(reply, interface, function, passed)?;
    let mut outs = Vec::new();
    for (index, param) in function.params.iter().enumerate() {
        let Some(field) = function.layout.result.field(Carries::Param { index }).copied() else { continue };
        let offset = field.offset as usize;
        let element = param.ty.pointee().map(|(element, _)| element);
        let before = passed.values[index];
        let value = match &param.role.value {
            Role::ValueOut { .. } | Role::ValueInOut { .. } => {
                let bytes = reply.bytes(offset, field.kind.size() as usize);
                element.map_or(Value::Null, |ty| numbers::decode(ty, field.kind, bytes))
            }
            Role::BufferOut { .. } | Role::BufferInOut { .. } if param.structures().is_some() => {
                let from = reply.reference(offset);
                structs::decode_list(reply, interface, param.structures().unwrap_or(""), from)?
            }
            Role::BufferOut { .. } | Role::BufferInOut { .. } => {
                data(reply, reply.reference(offset), element)?
            }
            Role::DataOut { .. } => {
                let element = element.and_then(CType::pointee).map(|(element, _)| element);
                data(reply, reply.reference(offset), element)?
            }
            Role::TextsOut { encoding, .. } => texts(reply, reply.reference(offset), *encoding)?,
            Role::TextOut { encoding, .. } => text(reply, reply.reference(offset), *encoding, true)?,
            Role::OffsetOut { param: of, .. } => {
                let (given, role) = (passed.values[*of], &function.params[*of].role.value);
                let distance = match (role, given) {
                    (Role::Text { encoding: Encoding::Utf16, .. }, Some(Value::Text(text))) => {
                        reply.offset_utf16(offset, text.as_str())?
                    }
                    (Role::Text { encoding: Encoding::Utf16, .. }, Some(Value::Bytes(bytes))) => {
                        reply.offset_utf16(offset, &*String::from_utf8_lossy(bytes))?
                    }
                    (
                        Role::Text { encoding: Encoding::Utf32 | Encoding::Latin1, .. },
                        Some(Value::Text(text)),
                    ) => reply.offset_converted(offset, text.as_str())?,
                    (
                        Role::Text { encoding: Encoding::Utf32 | Encoding::Latin1, .. },
                        Some(Value::Bytes(bytes)),
                    ) => reply.offset_converted(offset, &*String::from_utf8_lossy(bytes))?,
                    _ => reply.offset(offset, given.map_or(0, elements))?,
                };
                distance.map_or(Value::Null, |distance| Value::Int(distance as i128))
            }
            Role::HandleOut { handle, ownership, parent, .. } => {
                object(reply, offset, interface, (handle, ownership, *parent), passed)?
            }
            Role::Struct { record, nullable, .. } => {
                image(reply, offset, interface, record, *nullable, before)?
            }
            Role::Resident { record, consumed, .. } => {
                resident(reply, offset, interface, record, *consumed, before)?
            }
            _ => continue,
        };
        outs.push((param.name.clone(), value));
    }
    Ok(Outcome { returned, outs })
}

/// The structures that are there after a failure.
fn structures(
    reply: &mut Reply<'_>,
    interface: &Interface,
    function: &Function,
    passed: &Passed<'_>,
) -> Result<Vec<(String, Output)>> {
    let mut outputs = Vec::new();
    for (index, param) in function.params.iter().enumerate() {
        let Some(field) = function.layout.result.field(Carries::Param { index }) else { continue };
        let (offset, before) = (field.offset as usize, passed.values[index]);
        let value = match &param.role.value {
            role if !role.stays_after_failure() => continue,
            Role::Struct { record, nullable, .. } => {
                image(reply, offset, interface, record, *nullable, before)?
            }
            Role::Resident { record, consumed, .. } => {
                resident(reply, offset, interface, record, *consumed, before)?
            }
            _ => continue,
        };
        outputs.push((param.name.clone(), value.into()));
    }
    Ok(outputs)
}

fn returned(
    reply: &mut Reply<'_>,
    interface: &Interface,
    function: &Function,
    passed: &Passed<'_>,
) -> Result<Option<Value>> {
    let Some(field) = function.layout.result.field(Carries::Returned) else { return Ok(None) };
    let offset = field.offset as usize;
    let value = match &function.result.value {
        ResultRole::Value => numbers::decode(
            &function.result_type,
            field.kind,
            reply.bytes(offset, field.kind.size() as usize),
        ),
        ResultRole::Text { encoding, nullable, .. } => {
            text(reply, reply.reference(offset), *encoding, *nullable)?
        }
        ResultRole::Texts { encoding, nullable, .. } => {
            match texts(reply, reply.reference(offset), *encoding)? {
                Value::Null if !nullable => {
                    let lie = "the library returned NULL where its contract promises texts";
                    return Err(reply.bad(Bad::Lie(lie)));
                }
                list => list,
            }
        }
        ResultRole::Buffer { nullable, .. } => {
            let element = function.result_type.pointed_elements().map(|(element, _)| element);
            let from = reply.reference(offset);
            let value = match function.returned_structures() {
                Some(record) => structs::decode_list(reply, interface, record, from)?,
                None => data(reply, from, element)?,
            };
            match value {
                Value::Null if !nullable => reply.promised_data(None)?,
                value => value,
            }
        }
        ResultRole::Struct { record, nullable, .. } => {
            image(reply, offset, interface, record, *nullable, None)?
        }
        ResultRole::Handle { handle, ownership, parent, nullable } => {
            match object(reply, offset, interface, (handle, ownership, *parent), passed)? {
                Value::Null if !nullable => {
                    let lie = "the library returned NULL where its contract promises an object";
                    return Err(reply.bad(Bad::Lie(lie)));
                }
                object => object,
            }
        }
        ResultRole::Void | ResultRole::Status | ResultRole::LengthOf { .. } => return Ok(None),
    };
    Ok(Some(value))
}

/// A text, or NULL.
pub(super) fn text(
    from: &mut impl Reads,
    reference: Reference,
    encoding: Encoding,
    nullable: bool,
) -> Result<Value> {
    let text = from.fetch(reference)?.map(|bytes| decoded(from, encoding, bytes)).transpose()?;
    if nullable { Ok(text.unwrap_or(Value::Null)) } else { from.promised(text) }
}

/// A text in its encoding.
pub(super) fn decoded(from: &mut impl Reads, encoding: Encoding, bytes: Vec<u8>) -> Result<Value> {
    match encoding {
        Encoding::Utf8 => from.decoded::<Utf8>(bytes).map(Value::Text),
        Encoding::Utf16 => from.decoded::<Utf16>(bytes).map(Value::Text),
        Encoding::Utf32 => from.decoded::<Utf32>(bytes).map(Value::Text),
        Encoding::Latin1 => from.decoded::<Latin1>(bytes).map(Value::Text),
        Encoding::Bytes => Ok(Value::Bytes(bytes)),
    }
}

/// Texts of an array, which may be NULL, or NULL.
pub(super) fn texts(from: &mut impl Reads, reference: Reference, encoding: Encoding) -> Result<Value> {
    let Some(list) = from.read_opt_texts(reference)? else { return Ok(Value::Null) };
    let mut texts = Vec::new();
    if texts.try_reserve_exact(list.len()).is_err() {
        return Err(from.bad(Bad::TooMuch));
    }
    for text in list {
        texts.push(text.map_or(Ok(Value::Null), |bytes| decoded(from, encoding, bytes))?);
    }
    Ok(Value::List(texts))
}

/// Bytes as they are; wider elements as a list of numbers.
pub(super) fn data(from: &mut impl Reads, reference: Reference, element: Option<&CType>) -> Result<Value> {
    let Some(bytes) = from.fetch(reference)? else { return Ok(Value::Null) };
    let size = element.and_then(numbers::element).map_or(1, |kind| kind.size() as usize);
    if !bytes.len().is_multiple_of(size) {
        return Err(from.bad(Bad::Violation("a result has no whole number of elements")));
    }
    data_of(from, bytes, element)
}

/// As [`data`], of bytes that are here already.
pub(super) fn data_of(from: &mut impl Reads, bytes: Vec<u8>, element: Option<&CType>) -> Result<Value> {
    numbers::decode_all(element, bytes).ok_or_else(|| from.bad(Bad::TooMuch))
}

fn object(
    reply: &mut Reply<'_>,
    offset: usize,
    interface: &Interface,
    (handle, ownership, parent): (&str, &Ownership, Option<usize>),
    passed: &Passed<'_>,
) -> Result<Value> {
    let kind = interface.handle_number(handle).unwrap_or(0);
    let owned = matches!(ownership, Ownership::Owned { .. });
    let parent = parent.and_then(|index| passed.values.get(index).copied().flatten()).and_then(handle_of);
    Ok(reply.opt_handle(offset, kind, owned, parent)?.map_or(Value::Null, Value::Handle))
}

fn image(
    reply: &mut Reply<'_>,
    offset: usize,
    interface: &Interface,
    record: &str,
    nullable: bool,
    before: Option<&Value>,
) -> Result<Value> {
    let size = interface.structs.get(record).map_or(0, |item| item.size as usize);
    let image = match nullable {
        true => reply.opt_image(offset, size)?,
        false => Some(reply.image(offset, size)?),
    };
    image.map_or(Ok(Value::Null), |image| structs::decode(reply, interface, record, &image, before))
}

fn resident(
    reply: &mut Reply<'_>,
    offset: usize,
    interface: &Interface,
    record: &str,
    consumed: bool,
    before: Option<&Value>,
) -> Result<Value> {
    let size = interface.structs.get(record).map_or(0, |item| item.size as usize);
    let image = reply.image(offset, size)?;
    let fields = structs::decode(reply, interface, record, &image, before)?;
    match consumed {
        true => Ok(fields),
        false => structs::decode_object(reply, interface, record, &image, before, fields),
    }
}

/// The object an argument is, or a structure has.
fn handle_of(value: &Value) -> Option<&Handle> {
    match value {
        Value::Handle(handle) => Some(handle),
        Value::Struct(fields) => {
            fields.iter().find(|(name, _)| name.is_empty()).and_then(|it| handle_of(&it.1))
        }
        _ => None,
    }
}

/// Elements of an argument.
fn elements(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        _ => 0,
    }
}
