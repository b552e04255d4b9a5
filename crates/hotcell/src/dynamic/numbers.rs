//! Numbers: values into bytes of a C type, and back.

use hotcell_model::layout::WireKind;
use hotcell_model::types::{CType, Target, Type};

use super::Value;

/// The little-endian bytes of a number, after checking that it fits. `Err` says what is wrong, after the name of
/// what it is for.
pub(super) fn encode(ty: &CType, kind: WireKind, value: &Value) -> Result<Vec<u8>, String> {
    match (kind, value) {
        (WireKind::F32, Value::Float(number)) => {
            let narrow = *number as f32;
            if number.is_finite() && !narrow.is_finite() {
                return Err(format!("is {number:?}; {} holds up to {:?}", ty.written, f32::MAX));
            }
            Ok(narrow.to_le_bytes().to_vec())
        }
        (WireKind::F32, Value::Int(number)) => {
            let float = *number as f32;
            whole(ty, *number, float as i128)?;
            Ok(float.to_le_bytes().to_vec())
        }
        (WireKind::F64, Value::Float(number)) => Ok(number.to_le_bytes().to_vec()),
        (WireKind::F64, Value::Int(number)) => {
            let float = *number as f64;
            whole(ty, *number, float as i128)?;
            Ok(float.to_le_bytes().to_vec())
        }
        (WireKind::F32 | WireKind::F64, value) => Err(format!("takes a number, not {}", described(value))),
        (kind, Value::Int(number)) => integer(ty, kind, *number),
        (kind, Value::Bool(truth)) => integer(ty, kind, i128::from(*truth)),
        (_, value) => Err(format!("takes an integer, not {}", described(value))),
    }
}

/// That an integer came through a floating-point type as it was.
fn whole(ty: &CType, number: i128, came: i128) -> Result<(), String> {
    match number == came {
        true => Ok(()),
        false => Err(format!("is {number}, which {} does not have; the nearest is {came}", ty.written)),
    }
}

fn integer(ty: &CType, kind: WireKind, number: i128) -> Result<Vec<u8>, String> {
    let bits = kind.size() * 8;
    let signed = matches!(kind, WireKind::I8 | WireKind::I16 | WireKind::I32 | WireKind::I64);
    let (low, high) = match (ty.kind == Type::Bool, signed) {
        (true, _) => (0, 1),
        (false, true) => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        (false, false) => (0, (1i128 << bits) - 1),
    };
    if !(low..=high).contains(&number) {
        return Err(format!("is {number}; {} holds {low} to {high}", ty.written));
    }
    Ok(number.to_le_bytes()[..kind.size() as usize].to_vec())
}

/// Whether numbers of this type have a sign.
pub(super) fn is_signed(ty: &CType, target: &Target) -> bool {
    let kind = WireKind::of_scalar(ty, target);
    matches!(kind, Some(WireKind::I8 | WireKind::I16 | WireKind::I32 | WireKind::I64))
}

/// The number in the bytes of a field.
pub(super) fn decode(ty: &CType, kind: WireKind, bytes: &[u8]) -> Value {
    let mut wide = [0; 16];
    wide[..bytes.len()].copy_from_slice(bytes);
    let unsigned = i128::from_le_bytes(wide);
    let spare = 128 - 8 * bytes.len();
    match kind {
        WireKind::F32 => Value::Float(f64::from(f32::from_bits(unsigned as u32))),
        WireKind::F64 => Value::Float(f64::from_bits(unsigned as u64)),
        WireKind::Reference => Value::Null,
        _ if ty.kind == Type::Bool => Value::Bool(unsigned != 0),
        WireKind::I8 | WireKind::I16 | WireKind::I32 | WireKind::I64 => {
            Value::Int(unsigned << spare >> spare)
        }
        WireKind::U8 | WireKind::U16 | WireKind::U32 | WireKind::U64 => Value::Int(unsigned),
    }
}

/// How an element of a buffer lies in memory; `None` for what is no number.
pub(super) fn element(ty: &CType) -> Option<WireKind> {
    let signed = match ty.kind {
        Type::Float { bits: 32 } => return Some(WireKind::F32),
        Type::Float { bits: 64 } => return Some(WireKind::F64),
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

/// The bytes of the elements of a buffer or array.
pub(super) fn encode_all(element_type: &CType, values: &[Value]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for value in values {
        let kind = element(element_type);
        let kind = kind.ok_or_else(|| format!("takes raw data, not {}", described(value)))?;
        bytes.extend(encode(element_type, kind, value)?);
    }
    Ok(bytes)
}

/// The elements of a buffer or array: bytes as they are, others as a list. `None` where this process has no memory for it: a
/// value is many times as big here as in the worker's memory.
pub(super) fn decode_all(element_type: Option<&CType>, bytes: Vec<u8>) -> Option<Value> {
    let wide = element_type.filter(|ty| !ty.is_byte()).and_then(|ty| Some((ty, element(ty)?)));
    let Some((ty, kind)) = wide else { return Some(Value::Bytes(bytes)) };
    let elements = bytes.chunks_exact(kind.size() as usize);
    let mut list = Vec::new();
    list.try_reserve_exact(elements.len()).ok()?;
    list.extend(elements.map(|bytes| decode(ty, kind, bytes)));
    Some(Value::List(list))
}

/// What a value is, for messages.
pub(super) fn described(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Int(_) => "an integer",
        Value::Float(_) => "a floating-point number",
        Value::Text(_) => "a text",
        Value::Bytes(_) => "data",
        Value::List(_) => "a list",
        Value::Handle(_) => "an object",
        Value::Struct(_) => "a structure",
        Value::Callback => "a callback",
        Value::Kept(_) => "a function to keep",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(kind: Type) -> CType {
        CType { written: "T".into(), canonical: "T".into(), kind }
    }

    #[test]
    fn numbers_come_back_as_they_went() {
        let check = |kind: Type, wire: WireKind, value: Value| {
            let ty = ty(kind);
            let bytes = encode(&ty, wire, &value).unwrap();
            assert_eq!(bytes.len(), wire.size() as usize);
            assert_eq!(decode(&ty, wire, &bytes), value);
        };
        let int = |bits, signed| Type::Int { bits, signed };
        check(int(8, true), WireKind::I8, Value::Int(-128));
        check(int(64, true), WireKind::I64, Value::Int(i128::from(i64::MIN)));
        check(int(64, false), WireKind::U64, Value::Int(i128::from(u64::MAX)));
        check(int(16, false), WireKind::U16, Value::Int(65_535));
        check(Type::Bool, WireKind::U8, Value::Bool(true));
        check(Type::Float { bits: 32 }, WireKind::F32, Value::Float(-0.5));
        check(Type::Float { bits: 64 }, WireKind::F64, Value::Float(1e300));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let check = |kind: Type, wire: WireKind, value: Value, expect: &str| {
            let text = encode(&ty(kind), wire, &value).unwrap_err();
            assert!(text.contains(expect), "{text}");
        };
        let int = |bits, signed| Type::Int { bits, signed };
        check(int(8, true), WireKind::I8, Value::Int(128), "-128 to 127");
        check(int(32, false), WireKind::U32, Value::Int(-1), "0 to 4294967295");
        check(Type::Bool, WireKind::U8, Value::Int(2), "0 to 1");
        check(int(32, false), WireKind::U32, Value::Float(1.0), "takes an integer");
        let float = |bits| Type::Float { bits };
        check(float(64), WireKind::F64, Value::Null, "takes a number, not null");
        check(float(32), WireKind::F32, Value::Float(1e300), "is 1e300; T holds up to 3.4028235e38");
        check(float(64), WireKind::F64, Value::Int((1 << 53) + 1), "the nearest is 9007199254740992");
        check(float(32), WireKind::F32, Value::Int((1 << 24) + 1), "the nearest is 16777216");
        for fine in [Value::Float(f64::INFINITY), Value::Float(0.1), Value::Int(1 << 24)] {
            assert!(encode(&ty(float(32)), WireKind::F32, &fine).is_ok(), "{fine:?}");
        }
    }
}
