//! Structures: values into images, and back.

use hotcell_model::interface::{Encoding, FieldRole, Interface, Pad, Struct, StructField};
use hotcell_model::layout::WireKind;
use hotcell_model::types::CType;

use super::arguments::{data, mismatch, refused, string, text};
use super::written::Written;
use super::{Value, numbers, results, unions};
use crate::error::Result;
use crate::rt::reading::Reference;
use crate::rt::{Image, Latin1, Reply, Utf32, check_bits};

/// The name under which a structure that stays in the worker has its object.
const OBJECT: &str = "";

/// The image of a structure.
pub(super) fn encode(
    call: &mut impl Written,
    interface: &Interface,
    record: &str,
    life: (bool, bool),
    name: &str,
    value: &Value,
) -> Result<Image> {
    let Some(item) = interface.structs.get(record) else {
        return Err(refused(call, name, "is of a structure that the interface does not have"));
    };
    let mut image = Image::new(item.size as usize);
    if item.resident {
        let kind = interface.handle_number(record).unwrap_or(0);
        match given(Some(value), OBJECT) {
            Some(Value::Handle(handle)) => call.put_resident(&mut image, name, Some(handle), kind, life)?,
            None | Some(Value::Null) => call.put_resident(&mut image, name, None, kind, life)?,
            Some(other) => return Err(mismatch(call, name, "an object under the empty name", other)),
        }
    }
    fields_in(call, interface, item, &mut image, 0, name, Some(value))?;
    Ok(image)
}

/// The images of structures, one behind the other.
pub(super) fn encode_list(
    call: &mut impl Written,
    interface: &Interface,
    record: &str,
    name: &str,
    value: &Value,
) -> Result<Image> {
    let Value::List(list) = value else { return Err(mismatch(call, name, "a list of structures", value)) };
    let Some(item) = interface.structs.get(record) else {
        return Err(refused(call, name, "is of a structure that the interface does not have"));
    };
    let size = item.size as usize;
    let mut image = Image::new(list.len() * size);
    for (index, value) in list.iter().enumerate() {
        let name = format!("{name}[{index}]");
        fields_in(call, interface, item, &mut image, index * size, &name, Some(value))?;
    }
    Ok(image)
}

/// The structures of images, one behind the other, or NULL.
pub(super) fn decode_list(
    reply: &mut Reply<'_>,
    interface: &Interface,
    record: &str,
    from: Reference,
) -> Result<Value> {
    let size = interface.structs.get(record).map_or(1, |item| item.size as usize);
    let Some((images, count)) = reply.images_at(from, size)? else { return Ok(Value::Null) };
    let mut list = Vec::new();
    for index in 0..count {
        list.push(Value::Struct(fields_out(reply, interface, record, &images, index * size, None)?));
    }
    Ok(Value::List(list))
}

/// The fields of a structure that came back; `before` is what went in.
pub(super) fn decode(
    reply: &mut Reply<'_>,
    interface: &Interface,
    record: &str,
    image: &Image,
    before: Option<&Value>,
) -> Result<Value> {
    fields_out(reply, interface, record, image, 0, before).map(Value::Struct)
}

/// Adds the object of a structure that stays.
pub(super) fn decode_object(
    reply: &mut Reply<'_>,
    interface: &Interface,
    record: &str,
    image: &Image,
    before: Option<&Value>,
    fields: Value,
) -> Result<Value> {
    let mut handle = match given(before, OBJECT) {
        Some(Value::Handle(handle)) => Some(handle.clone()),
        _ => None,
    };
    image.resident(reply, interface.handle_number(record).unwrap_or(0), &mut handle, None)?;
    let object = handle.map(|handle| (OBJECT.to_owned(), Value::Handle(handle)));
    Ok(match fields {
        Value::Struct(fields) => Value::Struct(object.into_iter().chain(fields).collect()),
        other => other,
    })
}

fn fields_in(
    call: &mut impl Written,
    interface: &Interface,
    item: &Struct,
    image: &mut Image,
    base: usize,
    name: &str,
    value: Option<&Value>,
) -> Result<()> {
    check_names(call, item, name, value)?;
    for field in &item.fields {
        let Some(offset) = field.offset else { continue };
        let at = base + offset as usize;
        let value = given(value, &field.name);
        let name = format!("{name}.{}", field.name);
        // Members of a union lie in one place.
        if item.union && value.is_none() {
            continue;
        }
        match &field.role.value {
            FieldRole::Value => {
                let Some(value) = value else { continue };
                let kind = WireKind::of_scalar(&field.ty, &interface.target);
                let bytes = kind.ok_or_else(|| "is no number".to_owned());
                let bytes = bytes.and_then(|kind| numbers::encode(&field.ty, kind, value));
                image.put_array(at, &bytes.map_err(|text| refused(call, &name, &text))?);
            }
            FieldRole::Bits { width } => {
                let Some(value) = value else { continue };
                let kind = WireKind::of_scalar(&field.ty, &interface.target);
                let bytes = kind.ok_or_else(|| "is no number".to_owned());
                let bytes = bytes.and_then(|kind| numbers::encode(&field.ty, kind, value));
                if let Value::Int(number) = value {
                    let signed = numbers::is_signed(&field.ty, &interface.target);
                    check_bits(call, &name, *number, *width, signed)?;
                }
                image.put_array(at, &bytes.map_err(|text| refused(call, &name, &text))?);
            }
            FieldRole::Structs { record, length } => {
                let (Some(value), Some(inner)) = (value, interface.structs.get(record)) else { continue };
                let Value::List(list) = value else {
                    return Err(mismatch(call, &name, "a list of structures", value));
                };
                if list.len() as u64 > *length {
                    let text = format!("has {} structures; the array holds {length}", list.len());
                    return Err(refused(call, &name, &text));
                }
                for (index, value) in list.iter().enumerate() {
                    let at = at + index * inner.size as usize;
                    fields_in(call, interface, inner, image, at, &format!("{name}[{index}]"), Some(value))?;
                }
            }
            FieldRole::Array { length } => {
                let (Some(value), Some(element)) = (value, element(field)) else { continue };
                let bytes = data(call, &name, Some(element), value)?;
                let room = (*length as usize).saturating_mul(element.scalar_size().unwrap_or(1) as usize);
                if bytes.len() > room {
                    let text = format!("has {} bytes; the array holds {room}", bytes.len());
                    return Err(refused(call, &name, &text));
                }
                image.put_array(at, &bytes);
            }
            FieldRole::Struct { record } => {
                if let Some(inner) = interface.structs.get(record) {
                    fields_in(call, interface, inner, image, at, &name, value)?;
                }
            }
            FieldRole::Union { record, told, .. } => {
                if let Some(inner) = interface.structs.get(record) {
                    let which = unions::which(call, inner, told, &name, value)?;
                    image.put_u64(at, which);
                    fields_in(call, interface, inner, image, at, &name, value)?;
                }
            }
            FieldRole::TextArray { encoding, length, pad } => {
                let text = match value {
                    Some(value) => text(call, &name, *encoding, value)?,
                    None => &[],
                };
                match pad {
                    Some(pad) => {
                        let room = (*length as usize, pad.byte());
                        image.put_padded_text(call, at, &name, text, room)?;
                    }
                    None => image.put_text_array(call, at, &name, text, *length as usize)?,
                }
            }
            FieldRole::Data { .. } | FieldRole::Texts { .. } => image.put_null(at),
            FieldRole::Pointer { direction, .. } if !direction.goes_in() => image.put_null(at),
            FieldRole::Pointer { record, .. } => match value {
                None | Some(Value::Null) => image.put_null(at),
                Some(value) => {
                    let part = encode(call, interface, record, (false, false), &name, value)?;
                    image.put_image(call, at, &name, &part)?;
                }
            },
            FieldRole::Text { encoding, nullable } => match value {
                None | Some(Value::Null) if *nullable => image.put_null(at),
                None if !encoding.is_converted() => image.put_text(call, at, &name, "")?,
                value if encoding.is_converted() => {
                    let text = value.map_or(Ok(""), |value| string(call, &name, value))?;
                    match encoding {
                        Encoding::Utf32 => image.put_converted::<Utf32>(call, at, &name, text)?,
                        Encoding::Latin1 => image.put_converted::<Latin1>(call, at, &name, text)?,
                        _ => image.put_text_utf16(call, at, &name, text)?,
                    }
                }
                None => {}
                Some(value) => {
                    let text = text(call, &name, *encoding, value)?;
                    image.put_text_bytes(call, at, &name, text)?;
                }
            },
            FieldRole::BufferIn { nullable } => match value {
                None | Some(Value::Null) if *nullable => image.put_null(at),
                None => image.put_buffer(call, at, &name, &[])?,
                Some(value) => {
                    let bytes = data(call, &name, element(field), value)?;
                    image.put_buffer(call, at, &name, &bytes)?;
                }
            },
            FieldRole::BufferOut { .. } => image.put_null(at),
            FieldRole::LengthOf { .. } | FieldRole::Zero | FieldRole::Own => {}
        }
    }
    Ok(())
}

/// Every name that is given must be a field's.
fn check_names(call: &impl Written, item: &Struct, name: &str, value: Option<&Value>) -> Result<()> {
    let fields = match value {
        Some(Value::Struct(fields)) => fields,
        None => return Ok(()),
        Some(other) => return Err(mismatch(call, name, "a structure", other)),
    };
    let known = |key: &str| {
        item.resident && key == OBJECT
            || item.fields.iter().any(|field| field.offset.is_some() && field.name == key)
    };
    match fields.iter().find(|(key, _)| !known(key)) {
        None => Ok(()),
        Some((key, _)) => {
            let visible = item.fields.iter().filter(|field| field.offset.is_some());
            let names: Vec<&str> = visible.map(|field| field.name.as_str()).collect();
            let text = format!("has no field `{key}`; its fields are {}", names.join(", "));
            Err(refused(call, name, &text))
        }
    }
}

fn fields_out(
    reply: &mut Reply<'_>,
    interface: &Interface,
    record: &str,
    image: &Image,
    base: usize,
    before: Option<&Value>,
) -> Result<Vec<(String, Value)>> {
    let mut fields = Vec::new();
    let Some(item) = interface.structs.get(record) else { return Ok(fields) };
    for (position, field) in item.fields.iter().enumerate() {
        let Some(offset) = field.offset else { continue };
        if item.union && image.get_u64(base) != position as u64 + 1 {
            continue;
        }
        let at = base + offset as usize;
        let before = given(before, &field.name);
        let value = match &field.role.value {
            FieldRole::Value | FieldRole::Bits { .. } => {
                match WireKind::of_scalar(&field.ty, &interface.target) {
                    Some(kind) => numbers::decode(&field.ty, kind, image.bytes(at, kind.size() as usize)),
                    None => continue,
                }
            }
            FieldRole::Array { length } => {
                let size = element(field).and_then(CType::scalar_size).unwrap_or(1) as usize;
                let bytes = image.bytes(at, *length as usize * size).to_vec();
                results::data_of(reply, bytes, element(field))?
            }
            FieldRole::Struct { record } | FieldRole::Union { record, .. } => {
                Value::Struct(fields_out(reply, interface, record, image, at, before)?)
            }
            FieldRole::Structs { record, length } => {
                let size = interface.structs.get(record).map_or(0, |item| item.size as usize);
                let mut list = Vec::new();
                for index in 0..*length as usize {
                    let before = match before {
                        Some(Value::List(list)) => list.get(index),
                        _ => None,
                    };
                    let fields = fields_out(reply, interface, record, image, at + index * size, before)?;
                    list.push(Value::Struct(fields));
                }
                Value::List(list)
            }
            FieldRole::TextArray { encoding, length, pad: Some(Pad::Space) } => {
                results::decoded(reply, *encoding, image.spaced(at, *length as usize))?
            }
            FieldRole::TextArray { encoding, length, .. } => {
                results::decoded(reply, *encoding, image.array_text(at, *length as usize))?
            }
            FieldRole::Data { record: Some(record), .. } => {
                decode_list(reply, interface, record, image.reference(at))?
            }
            FieldRole::Data { .. } => results::data(reply, image.reference(at), element(field))?,
            FieldRole::Texts { encoding, .. } => results::texts(reply, image.reference(at), *encoding)?,
            FieldRole::Pointer { direction, .. } if !direction.goes_out() => {
                before.cloned().unwrap_or(Value::Null)
            }
            FieldRole::Pointer { record, .. } => {
                let size = interface.structs.get(record).map_or(1, |item| item.size as usize);
                match reply.image_at(image.reference(at), size)? {
                    Some(part) => Value::Struct(fields_out(reply, interface, record, &part, 0, before)?),
                    None => Value::Null,
                }
            }
            FieldRole::Text { encoding, nullable } => {
                results::text(reply, image.reference(at), *encoding, *nullable)?
            }
            FieldRole::BufferIn { .. } => rest(reply, image, at, element(field), before)?,
            FieldRole::BufferOut { .. } => results::data(reply, image.reference(at), element(field))?,
            FieldRole::LengthOf { .. } | FieldRole::Zero | FieldRole::Own => continue,
        };
        fields.push((field.name.clone(), value));
    }
    Ok(fields)
}

/// What is left of data that went in, behind what the library has taken.
fn rest(
    reply: &mut Reply<'_>,
    image: &Image,
    at: usize,
    element: Option<&CType>,
    before: Option<&Value>,
) -> Result<Value> {
    Ok(match before {
        Some(Value::Bytes(bytes)) => Value::Bytes(bytes[image.advanced(reply, at, bytes.len())?..].to_vec()),
        Some(Value::Text(text)) => {
            Value::Bytes(text.as_bytes()[image.advanced(reply, at, text.len())?..].to_vec())
        }
        Some(Value::List(values)) => {
            let size = element.and_then(numbers::element).map_or(1, |kind| kind.size() as usize);
            let taken = image.advanced(reply, at, values.len() * size)? / size;
            Value::List(values[taken..].to_vec())
        }
        _ => Value::Null,
    })
}

/// The type of what a field points to or is an array of.
fn element(field: &StructField) -> Option<&CType> {
    let array = field.ty.array().map(|(element, _)| element);
    array.or_else(|| field.ty.pointee().map(|(element, _)| element))
}

/// What a structure's value has under a name.
fn given<'v>(value: Option<&'v Value>, name: &str) -> Option<&'v Value> {
    match value {
        Some(Value::Struct(fields)) => fields.iter().find(|(key, _)| key == name).map(|(_, value)| value),
        _ => None,
    }
}
