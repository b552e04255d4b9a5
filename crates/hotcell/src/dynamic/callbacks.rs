//! Callbacks: arguments of the library into values, and the answer back.

use hotcell_model::interface::{CallbackParam, CallbackRole, Encoding, Param, Role};
use hotcell_model::layout::{Carries, WireField, WireKind};
use hotcell_model::types::{CType, Target, Type};

use super::{Callback, Value, numbers, results};
use crate::error::Result;
use crate::rt::Invocation;
use crate::rt::reading::Reads;

/// Runs the callback that was passed as this parameter.
pub(super) fn run(
    invocation: &mut Invocation<'_>,
    target: &Target,
    param: &Param,
    run: &mut Callback<'_>,
) -> Result<u64> {
    let Role::Callback { callback, .. } = &param.role.value else { return Ok(0) };
    let mut args = Vec::new();
    for (index, param) in callback.params.iter().enumerate() {
        if let Some(field) = callback.args.field(Carries::Param { index }) {
            args.push((param.name.clone(), argument(invocation, param, *field)?));
        }
    }
    let answer = run(&param.name, &args).map_err(|text| invocation.failed(text))?;
    answer_bits(&callback.result, target, &answer)
        .map_err(|text| invocation.failed(format!("what the callback `{}` returned {text}", param.name)))
}

fn argument(invocation: &mut Invocation<'_>, param: &CallbackParam, field: WireField) -> Result<Value> {
    let offset = field.offset as usize;
    match &param.role {
        CallbackRole::Text { encoding, nullable } => {
            results::text(invocation, invocation.reference(offset), *encoding, *nullable)
        }
        CallbackRole::Buffer { .. } => {
            let element = param.ty.pointee().map(|(element, _)| element);
            results::data(invocation, invocation.reference(offset), element)
        }
        CallbackRole::Texts { encoding, nullable, .. } => {
            let texts = invocation.read_texts(invocation.reference(offset))?;
            let texts = texts.into_iter().map(|text| match (text, encoding) {
                (None, _) if *nullable => Ok(Value::Null),
                (None, _) => invocation.promised(None),
                (Some(bytes), Encoding::Utf8) => invocation.utf8(bytes).map(Value::Text),
                (Some(bytes), _) => Ok(Value::Bytes(bytes)),
            });
            texts.collect::<Result<_>>().map(Value::List)
        }
        CallbackRole::Handle { .. } | CallbackRole::Handles { .. } => {
            Err(invocation
                .failed(format!("calls by name cannot pass objects to a callback (`{}`)", param.name)))
        }
        CallbackRole::Value | CallbackRole::LengthOf { .. } | CallbackRole::UserData => {
            Ok(numbers::decode(&param.ty, field.kind, invocation.bytes(offset, field.kind.size() as usize)))
        }
    }
}

/// What C gets of an answer, in the low bits.
fn answer_bits(ty: &CType, target: &Target, answer: &Value) -> std::result::Result<u64, String> {
    if ty.kind == Type::Void {
        return Ok(0);
    }
    let kind = WireKind::of_scalar(ty, target).ok_or("has a type that is no number")?;
    let bytes = numbers::encode(ty, kind, answer)?;
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(&bytes);
    Ok(u64::from_le_bytes(wide))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_char_is_as_its_machine_has_it() {
        let ty = CType { written: "char".into(), canonical: "char".into(), kind: Type::Char };
        for (char_signed, fine, refused) in [(true, -56, 200), (false, 200, -56)] {
            let target = Target { triple: "any".into(), pointer_bits: 64, char_signed };
            assert_eq!(answer_bits(&ty, &target, &Value::Int(fine)), Ok(200));
            assert!(answer_bits(&ty, &target, &Value::Int(refused)).is_err());
        }
    }
}
