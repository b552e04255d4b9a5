//! Words of the command line into values.

use std::fs;
use std::io::Read;

use hotcell::dynamic::Value;
use hotcell_model::Interface;
use hotcell_model::api::ConstantValue;
use hotcell_model::interface::{Capacity, Function, Param, Role};
use hotcell_model::types::{CType, Type};
use serde_json::Value as Json;

use crate::args::Named;
use crate::fail::Failure;

/// Bytes an out buffer may hold at least, when nobody says.
const CAPACITY: usize = 1 << 20;

/// Turns the words into the values that [`hotcell::dynamic::call`] takes.
pub(super) fn parse(
    interface: &Interface,
    function: &Function,
    words: &[String],
    capacities: &[Named],
) -> Result<Vec<Value>, Failure> {
    let own = |param: &Param| matches!(param.role.value, Role::BufferOut { capacity: Capacity::Caller, .. });
    let arguments: Vec<&Param> = function.params.iter().filter(|p| p.role.value.is_argument()).collect();
    let given: Vec<&&Param> = arguments.iter().filter(|param| !own(param)).collect();
    if given.len() != words.len() {
        return Err(wrong_count(function, &given, words.len()));
    }
    for capacity in capacities {
        if !arguments.iter().any(|param| param.name == capacity.name && own(param)) {
            let message = format!("`{}` is no out buffer whose capacity the caller gives", capacity.name);
            return Err(Failure::Usage(message));
        }
    }
    let mut values = Vec::new();
    for (param, word) in given.iter().zip(words) {
        values
            .push(value(interface, param, word).map_err(|text| {
                Failure::Usage(format!("`{}` ({}): {text}", param.name, param.ty.written))
            })?);
    }
    let bytes: usize = values.iter().map(size).sum();
    let mut values = values.into_iter();
    arguments
        .iter()
        .map(|param| match own(param) {
            true => capacity(interface, param, capacities, bytes),
            false => Ok(values.next().unwrap_or(Value::Null)),
        })
        .collect()
}

fn capacity(
    interface: &Interface,
    param: &Param,
    capacities: &[Named],
    bytes: usize,
) -> Result<Value, Failure> {
    let image = param.structures().and_then(|record| interface.structs.get(record));
    let element = match image {
        Some(item) => item.size.max(1),
        None => param.ty.pointee().and_then(|(element, _)| element.element_size()).unwrap_or(1),
    } as usize;
    let Some(given) = capacities.iter().find(|named| named.name == param.name) else {
        let bytes = bytes.saturating_mul(16).max(CAPACITY);
        return Ok(Value::Int((bytes / element) as i128));
    };
    match integer(&given.value) {
        Some(number) if number >= 0 => Ok(Value::Int(number)),
        _ => {
            let why = if is_integer(&given.value) { "cannot be this much" } else { "is no number" };
            Err(Failure::Usage(format!("the capacity of `{}` {why}: {}", param.name, given.value)))
        }
    }
}

fn value(interface: &Interface, param: &Param, word: &str) -> Result<Value, String> {
    match &param.role.value {
        // A text in UTF-16 is written as any other.
        Role::Text { .. } => data(interface, None, word),
        Role::BufferIn { .. } | Role::BufferInOut { .. } if param.structures().is_some() => json(word),
        Role::BufferIn { .. } | Role::BufferInOut { .. } => {
            let element = param.ty.pointee().map(|(element, _)| element);
            data(interface, element.filter(|element| !element.is_byte()), word)
        }
        Role::ValueInOut { .. } => {
            let ty = param.ty.pointee().map_or(&param.ty, |(pointee, _)| pointee);
            number(interface, ty, word)
        }
        Role::Handle { .. } | Role::Handles { .. } | Role::Callback { .. } | Role::Texts { .. }
            if word == "null" =>
        {
            Ok(Value::Null)
        }
        Role::Handles { .. } if word == "[]" => Ok(Value::List(Vec::new())),
        Role::Handle { .. } | Role::Handles { .. } => {
            Err("an object of the library cannot be written down; `null` stands for none".into())
        }
        Role::Callback { .. } => Err("a callback cannot be written down; `null` stands for none".into()),
        Role::Texts { .. } if !word.starts_with('[') => {
            let texts = word.split(',').filter(|text| !text.is_empty());
            Ok(Value::List(texts.map(|text| Value::Text(text.to_owned())).collect()))
        }
        Role::Texts { .. } | Role::Struct { .. } | Role::Resident { .. } => json(word),
        _ => number(interface, &param.ty, word),
    }
}

fn json(word: &str) -> Result<Value, String> {
    serde_json::from_str(word).map(from_json).map_err(|error| format!("write it as JSON: {error}"))
}

fn from_json(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(truth),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::Int(i128::from(number)),
            (None, Some(number)) => Value::Int(i128::from(number)),
            (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::Text(text),
        Json::Array(items) => Value::List(items.into_iter().map(from_json).collect()),
        Json::Object(fields) => {
            Value::Struct(fields.into_iter().map(|(name, value)| (name, from_json(value))).collect())
        }
    }
}

fn data(interface: &Interface, element: Option<&CType>, word: &str) -> Result<Value, String> {
    if word == "null" {
        return Ok(Value::Null);
    }
    if let Some(path) = word.strip_prefix('@') {
        return file(path).map(Value::Bytes);
    }
    if let Some(digits) = word.strip_prefix("hex:") {
        return hex(digits)
            .map(Value::Bytes)
            .ok_or_else(|| "`hex:` needs pairs of hexadecimal digits".into());
    }
    if let Some(element) = element {
        let items = word.split(',').map(str::trim).filter(|item| !item.is_empty());
        return items.map(|item| number(interface, element, item)).collect::<Result<_, _>>().map(Value::List);
    }
    Ok(Value::Text(word.strip_prefix('=').unwrap_or(word).to_owned()))
}

fn number(interface: &Interface, ty: &CType, word: &str) -> Result<Value, String> {
    let word = word.strip_prefix('=').unwrap_or(word);
    match (&ty.kind, word) {
        (Type::Bool, "true") => return Ok(Value::Bool(true)),
        (Type::Bool, "false") => return Ok(Value::Bool(false)),
        _ => {}
    }
    if let Some(number) = integer(word) {
        return Ok(Value::Int(number));
    }
    if let Type::Float { .. } = ty.kind
        && let Ok(number) = word.parse::<f64>()
    {
        return float(ty, word, number);
    }
    // The constants first: they have the enumerators too, and know those above the largest signed number.
    match interface.constants.get(word).map(|constant| &constant.value) {
        Some(ConstantValue::Int(number)) => return Ok(Value::Int(i128::from(*number))),
        Some(ConstantValue::Uint(number)) => return Ok(Value::Int(i128::from(*number))),
        Some(ConstantValue::Float(number)) if matches!(ty.kind, Type::Float { .. }) => {
            return float(ty, word, *number);
        }
        _ => {}
    }
    let mut enumerators = interface.enums.values().flat_map(|it| &it.enumerators);
    match enumerators.find(|(name, _)| name == word) {
        Some((_, number)) => Ok(Value::Int(i128::from(*number))),
        None if is_integer(word) => Err(format!("`{word}` is larger than any type of C holds")),
        None => Err(format!("`{word}` is no number, and no constant of the header has that name")),
    }
}

/// A number that the type would make infinite is refused, unless it is written so.
fn float(ty: &CType, word: &str, number: f64) -> Result<Value, String> {
    let single = ty.scalar_size() == Some(4);
    let infinite = number.is_infinite() || single && (number as f32).is_infinite();
    let meant = number.is_infinite() && !word.contains(|c: char| c.is_ascii_digit());
    match infinite && !meant {
        true => Err(format!("`{word}` is too large for the type")),
        false => Ok(Value::Float(number)),
    }
}

/// Decimal, or hexadecimal with `0x`, with a sign. It may be one that no type of C holds: who passes it on says what the type does.
fn integer(word: &str) -> Option<i128> {
    let (negative, digits, radix) = digits(word)?;
    let magnitude = i128::from_str_radix(digits, radix).ok()?;
    Some(if negative { -magnitude } else { magnitude })
}

/// Whether a word is an integer, however many digits it has.
fn is_integer(word: &str) -> bool {
    digits(word).is_some_and(|(_, digits, radix)| digits.chars().all(|digit| digit.is_digit(radix)))
}

/// What stands behind the sign of an integer and its `0x`, whether the sign is a minus, and what the digits are to.
fn digits(word: &str) -> Option<(bool, &str, u32)> {
    let (negative, rest) = match word.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, word.strip_prefix('+').unwrap_or(word)),
    };
    let (digits, radix) = match rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (rest, 10),
    };
    digits.starts_with(|first: char| first.is_digit(radix)).then_some((negative, digits, radix))
}

fn file(path: &str) -> Result<Vec<u8>, String> {
    if path == "-" {
        let mut bytes = Vec::new();
        return match std::io::stdin().read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(format!("cannot read standard input: {error}")),
        };
    }
    fs::read(path).map_err(|error| format!("cannot read {path}: {error}"))
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
}

fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len() * 8,
        _ => 0,
    }
}

fn wrong_count(function: &Function, given: &[&&Param], count: usize) -> Failure {
    let names: Vec<String> = given.iter().map(|p| format!("{} ({})", p.name, p.ty.written)).collect();
    let wanted = match names.len() {
        0 => "no argument".to_owned(),
        1 => format!("one argument: {}", names[0]),
        n => format!("{n} arguments: {}", names.join(", ")),
    };
    Failure::Usage(format!("`{}` takes {wanted}; {count} given\n  {}", function.name, function.signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        let check = |word, expect| assert_eq!(integer(word), expect, "{word}");
        check("42", Some(42));
        check("-1", Some(-1));
        check("+7", Some(7));
        check("0x1F", Some(31));
        check("-0x10", Some(-16));
        check("18446744073709551615", Some(i128::from(u64::MAX)));
        check("18446744073709551616", Some(1 << 64));
        check("-0x10000000000000000", Some(-(1 << 64)));
        check("999999999999999999999999999999999999999999", None);
        check("1.5", None);
        check("", None);
        check("0x", None);
        check("Z_OK", None);
    }

    #[test]
    fn an_integer_that_is_too_large_is_one() {
        for word in
            ["7", "-999999999999999999999999999999999999999999", "0xffffffffffffffffffffffffffffffffff"]
        {
            assert!(is_integer(word), "{word}");
        }
        for word in ["", "-", "0x", "1.5", "1e400", "Z_OK", "12a"] {
            assert!(!is_integer(word), "{word}");
        }
    }

    #[test]
    fn hexadecimal_bytes() {
        assert_eq!(hex("00ff7F"), Some(vec![0, 255, 127]));
        assert_eq!(hex(""), Some(vec![]));
        assert_eq!(hex("0"), None);
        assert_eq!(hex("zz"), None);
        assert_eq!(hex("é"), None);
    }
}
