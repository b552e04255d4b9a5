//! Values for a parameter: the edges of its type, a few ordinary ones, a few random ones.

use std::sync::Arc;

use hotcell_model::Interface;
use hotcell_model::interface::{Capacity, FieldRole, Filled, Param, Role, Struct, StructField, Told};
use hotcell_model::types::{CType, Type};

use crate::plan::{Answer, Input};
use crate::random::Random;
use crate::recipes::call::Word;

/// The largest buffer; each function gets it once.
pub(crate) const LARGE: usize = 1 << 20;

/// Values for a parameter that callers see, the plainest first. `Err` says why there are none.
pub(crate) fn of_param(
    interface: &Interface,
    param: &Param,
    random: &mut Random,
) -> Result<Vec<Input>, String> {
    let pointee = || param.ty.pointee().map_or(&param.ty, |(pointee, _)| pointee);
    let with_null = |mut values: Vec<Input>, nullable: bool| {
        if nullable {
            values.push(Input::Null);
        }
        values
    };
    match &param.role.value {
        Role::Value => numbers(interface, &param.ty, random),
        Role::ValueInOut { .. } => numbers(interface, pointee(), random),
        Role::Text { nullable, .. } => Ok(with_null(texts(), *nullable)),
        Role::BufferIn { nullable, .. } | Role::BufferInOut { nullable, .. }
            if param.structures().is_some() =>
        {
            let record = param.structures().unwrap_or_default();
            let images: Vec<Input> =
                images(interface, record, random)?.into_iter().map(Input::Struct).collect();
            let list = |count: usize| {
                Input::List((0..count).map(|at| images[(at + count) % images.len()].clone()).collect())
            };
            Ok(with_null([3, 0, 1, 2, 17, 500].map(list).to_vec(), *nullable))
        }
        Role::BufferIn { nullable, .. } | Role::BufferInOut { nullable, .. } => {
            Ok(with_null(buffers(interface, pointee(), random)?, *nullable))
        }
        Role::BufferOut { capacity: Capacity::Caller, .. } => {
            Ok([100, 0, 1, 7, 5_000, 70_000].into_iter().map(Input::Int).collect())
        }
        Role::Texts { nullable, .. } => {
            let texts = texts();
            let lists = [2, 0, 1, texts.len()].map(|count| Input::List(texts[..count].to_vec()));
            Ok(with_null(lists.to_vec(), *nullable))
        }
        Role::Struct { record, nullable, .. } => {
            let images = images(interface, record, random)?;
            Ok(with_null(images.into_iter().map(Input::Struct).collect(), *nullable))
        }
        Role::Callback { callback, nullable } => {
            let answer = |returns| Answer { returns, ..Answer::default() };
            let answers = if callback.on_failure.is_some() { &[0, 1][..] } else { &[0] };
            Ok(with_null(answers.iter().map(|it| Input::Callback(answer(*it))).collect(), *nullable))
        }
        _ => Err(format!("`{}` ({}) needs a value from a recipe", param.name, param.ty.written)),
    }
}

fn numbers(interface: &Interface, ty: &CType, random: &mut Random) -> Result<Vec<Input>, String> {
    match &ty.kind {
        Type::Bool => Ok(vec![Input::Int(1), Input::Int(0)]),
        Type::Char => integers(8, interface.target.char_signed, random),
        Type::Int { bits, signed } => integers(*bits, *signed, random),
        Type::Float { bits } => Ok(floats(*bits, random)),
        Type::Enum { name, .. } => {
            let known = interface.enums.get(name).map(|it| it.enumerators.as_slice()).unwrap_or_default();
            match known.is_empty() {
                true => Err(format!("no enumerator of `{name}` is known")),
                false => Ok(known.iter().map(|(_, value)| Input::Int(i128::from(*value))).collect()),
            }
        }
        _ => Err(format!("`{}` is no number", ty.written)),
    }
}

fn integers(bits: u16, signed: bool, random: &mut Random) -> Result<Vec<Input>, String> {
    let (low, high) = match signed {
        true => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        false => (0, (1i128 << bits) - 1),
    };
    let mut values =
        vec![1, 0, 2, 3, 7, 9, 31, 65, 97, 100, 127, 128, 255, 1000, 4096, 65_535, -1, -2, -1000, low, high];
    for _ in 0..4 {
        let width = 1 + random.below(usize::from(bits));
        let value = i128::from(random.next() >> (64 - width));
        values.push(value);
        values.push(-value);
    }
    values.retain(|value| (low..=high).contains(value));
    let mut seen = std::collections::BTreeSet::new();
    values.retain(|value| seen.insert(*value));
    Ok(values.into_iter().map(Input::Int).collect())
}

fn floats(bits: u16, random: &mut Random) -> Vec<Input> {
    let mut values = vec![1.0, 0.0, -0.0, 0.5, -1.0, 2.0, 3.25, 10.0, -7.75, 1e-3, 1e6, 1e15, -1e30];
    values.extend([f64::from(f32::MIN_POSITIVE), f64::INFINITY, f64::NEG_INFINITY, f64::NAN]);
    if bits == 64 {
        values.extend([1e300, 5e-324, f64::MAX]);
    }
    for _ in 0..6 {
        let scale = 2f64.powi(random.below(40) as i32 - 20);
        values.push((random.next() as i64 as f64) / (i64::MAX as f64) * scale);
    }
    let fit = |value: f64| if bits == 32 { f64::from(value as f32) } else { value };
    values.into_iter().map(|value| Input::Float(fit(value))).collect()
}

fn texts() -> Vec<Input> {
    let long = "long text, 50 characters of it, and again from top".repeat(200);
    let utf8 = "Grüße, κόσμε, 世界 🦀 ".repeat(9);
    ["hello", "", "a", "42", "-3.5e2", "Hello, World! 123", "  spaces\tand\nlines ", "key=value;k2=v2"]
        .into_iter()
        .chain(["Grüße 世界", "aAbBzZ09_~", &utf8, &long])
        .map(Input::text)
        .collect()
}

/// Whole elements of plausible contents.
fn buffers(interface: &Interface, element: &CType, random: &mut Random) -> Result<Vec<Input>, String> {
    let size = element.element_size().ok_or_else(|| format!("`{}` is no element", element.written))? as usize;
    if !matches!(element.kind, Type::Void | Type::Char | Type::Int { .. }) {
        return lists(interface, element, size, random);
    }
    let line =
        |number: usize| format!("{number:06} the quick brown fox jumps over the lazy dog\n").into_bytes();
    let lines: Vec<u8> = (0..).flat_map(line).take(LARGE).collect();
    let data = |bytes: &[u8]| Input::Data(Arc::from(&bytes[..bytes.len() / size * size]));
    Ok(vec![
        data(&lines[..24 * size]),
        data(&[]),
        data(&random.bytes(size)),
        data(&random.bytes(7 * size)),
        data(&vec![0; 33 * size]),
        data(&lines[..1000 / size * size]),
        data(&lines[..4096]),
        data(&random.bytes(4096)),
        data(&lines),
    ])
}

/// Elements that not every pattern of bits may be.
fn lists(
    interface: &Interface,
    element: &CType,
    size: usize,
    random: &mut Random,
) -> Result<Vec<Input>, String> {
    let values = numbers(interface, element, random)?;
    let bytes = |input: &Input| match (input, size) {
        (Input::Float(number), 4) => (*number as f32).to_le_bytes().to_vec(),
        (Input::Float(number), _) => number.to_le_bytes().to_vec(),
        (Input::Int(number), _) => number.to_le_bytes()[..size].to_vec(),
        _ => vec![0; size],
    };
    let mut list = |length: usize| {
        let picked = (0..length).map(|_| bytes(&values[random.below(values.len())]));
        Input::Data(picked.flatten().collect::<Vec<u8>>().into())
    };
    Ok([5, 0, 1, 2, 17, 1000].into_iter().map(&mut list).collect())
}

/// Fields of a resident structure that change with a call.
pub(crate) fn of_fields(
    interface: &Interface,
    record: &str,
    random: &mut Random,
) -> Result<Vec<Vec<(String, Word)>>, String> {
    let structure = interface.structs.get(record).ok_or_else(|| format!("`{record}` is no structure"))?;
    let mut sets = vec![Vec::new()];
    let buffers: Vec<&StructField> = structure
        .fields
        .iter()
        .filter(|it| matches!(it.role.value, FieldRole::BufferIn { .. } | FieldRole::BufferOut { .. }))
        .collect();
    for room in [5_000, 0, 20] {
        let mut set = Vec::new();
        for field in &buffers {
            match &field.role.value {
                FieldRole::BufferOut { capacity, .. } => {
                    set.push((structure.fields[*capacity].name.clone(), Word::Int(room)));
                }
                _ => {
                    let text = b"the quick brown fox jumps over the lazy dog, and again: ";
                    let data = if room == 0 { random.bytes(40) } else { text.repeat(20) };
                    set.push((field.name.clone(), Word::Bytes(data)));
                }
            }
        }
        sets.push(set);
    }
    if buffers.is_empty() {
        sets.truncate(1);
    }
    Ok(sets)
}

/// Structures with plausible fields.
fn images(
    interface: &Interface,
    record: &str,
    random: &mut Random,
) -> Result<Vec<Vec<(String, Input)>>, String> {
    /// Structures that are made up.
    const IMAGES: usize = 8;
    let structure = interface.structs.get(record).ok_or_else(|| format!("`{record}` is no structure"))?;
    let mut lists = Vec::new();
    for field in structure.fields.iter().filter(|it| it.offset.is_some()) {
        let list = of_field(interface, structure, field, random)?;
        if !list.is_empty() {
            lists.push((field.name.clone(), list));
        }
    }
    let image = |at: usize| {
        let fields = lists.iter().enumerate();
        let fields =
            fields.map(|(shift, (name, list))| (name.clone(), list[(at + at * shift) % list.len()].clone()));
        let mut fields: Vec<(String, Input)> = fields.collect();
        tell(interface, structure, at, &mut fields);
        fields
    };
    Ok((0..IMAGES).map(image).collect())
}

/// Has the fields that say which member of a union is there say it.
fn tell(interface: &Interface, structure: &Struct, at: usize, fields: &mut [(String, Input)]) {
    for field in &structure.fields {
        let FieldRole::Union { record, told: Told::By { field: tag, values }, .. } = &field.role.value else {
            continue;
        };
        let given = fields.iter().find(|(name, _)| *name == field.name).map(|(_, input)| input);
        let (Some(Input::Struct(given)), Some(union)) = (given, interface.structs.get(record)) else {
            continue;
        };
        let member = given.first().and_then(|(name, _)| union.fields.iter().position(|it| it.name == *name));
        let Some(values) = member.map(|member| &values[member]).filter(|values| !values.is_empty()) else {
            continue;
        };
        let value = Input::Int(values[at % values.len()].into());
        if let Some(tag) = fields.iter_mut().find(|(name, _)| *name == structure.fields[*tag].name) {
            tag.1 = value;
        }
    }
}

fn of_field(
    interface: &Interface,
    structure: &Struct,
    field: &StructField,
    random: &mut Random,
) -> Result<Vec<Input>, String> {
    let position = structure.fields.iter().position(|it| it.name == field.name);
    let is_capacity = |it: &StructField| matches!(&it.role.value, FieldRole::BufferOut { capacity, .. } if Some(*capacity) == position);
    let is_told = |it: &StructField| match &it.role.value {
        FieldRole::Data { length, .. } | FieldRole::Texts { length: Some(length), .. } => {
            Some(*length) == position
        }
        _ => false,
    };
    let is_filled = |it: &StructField| matches!(&it.role.value, FieldRole::BufferOut { filled: Filled::Field { field }, .. } if Some(*field) == position);
    let element = || field.ty.pointee().map_or(&field.ty, |(element, _)| element);
    let with_null = |mut values: Vec<Input>, nullable: bool| {
        if nullable {
            values.push(Input::Null);
        }
        values
    };
    match &field.role.value {
        FieldRole::Value if structure.fields.iter().any(is_capacity) => {
            Ok([1_000, 0, 1, 10, 70_000].map(Input::Int).to_vec())
        }
        // What is there already must be there, and how much comes out is for the library to say.
        FieldRole::Value if structure.fields.iter().any(is_told) => Ok(vec![Input::Int(0)]),
        FieldRole::Value if structure.fields.iter().any(is_filled) => Ok(vec![Input::Int(0)]),
        FieldRole::Value => numbers(interface, &field.ty, random),
        FieldRole::Bits { width } if matches!(field.ty.kind, Type::Int { .. } | Type::Char) => {
            let signed = match field.ty.kind {
                Type::Int { signed, .. } => signed,
                _ => interface.target.char_signed,
            };
            integers(*width as u16, signed, random)
        }
        FieldRole::Bits { .. } => numbers(interface, &field.ty, random),
        FieldRole::Structs { record, length } => {
            let images: Vec<Input> =
                images(interface, record, random)?.into_iter().map(Input::Struct).collect();
            let list = |shift: usize, count: usize| {
                Input::List((0..count).map(|at| images[(at + shift) % images.len()].clone()).collect())
            };
            let all = *length as usize;
            Ok(vec![list(0, all), list(1, 0), list(2, all), list(3, 1)])
        }
        FieldRole::Array { length } => {
            let Some((element, _)) = field.ty.array() else { return Ok(Vec::new()) };
            let size = element.element_size().unwrap_or(1) as usize * *length as usize;
            let mut bytes = random.bytes(size);
            if element.kind == Type::Bool {
                bytes.iter_mut().for_each(|byte| *byte &= 1);
            }
            Ok(vec![Input::Data(vec![0; size].into()), Input::Data(bytes.into())])
        }
        FieldRole::Struct { record } => {
            Ok(images(interface, record, random)?.into_iter().map(Input::Struct).collect())
        }
        FieldRole::Union { record, .. } => {
            let union = interface.structs.get(record).ok_or_else(|| format!("`{record}` is no structure"))?;
            let mut all = Vec::new();
            for member in &union.fields {
                let inputs = of_field(interface, union, member, random)?.into_iter().take(4);
                all.extend(inputs.map(|input| Input::Struct(vec![(member.name.clone(), input)])));
            }
            Ok(all)
        }
        FieldRole::TextArray { length, .. } => {
            let short =
                texts().into_iter().filter(|it| it.bytes().is_some_and(|it| it.len() < *length as usize));
            Ok(short.collect())
        }
        FieldRole::Data { .. } | FieldRole::Texts { .. } => Ok(Vec::new()),
        FieldRole::Pointer { direction, .. } if !direction.goes_in() => Ok(Vec::new()),
        FieldRole::Pointer { record, .. } => {
            let inner = images(interface, record, random)?.into_iter().map(Input::Struct);
            Ok(inner.chain([Input::Null]).collect())
        }
        FieldRole::Text { nullable, .. } => Ok(with_null(texts(), *nullable)),
        FieldRole::BufferIn { nullable } => Ok(with_null(buffers(interface, element(), random)?, *nullable)),
        FieldRole::BufferOut { .. } | FieldRole::LengthOf { .. } | FieldRole::Zero | FieldRole::Own => {
            Ok(Vec::new())
        }
    }
}
