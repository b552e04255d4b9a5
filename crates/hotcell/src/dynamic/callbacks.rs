//! Callbacks: arguments of the library into values, and the answer back.

use hotcell_model::interface::{CallbackParam, CallbackRole, Param, Role};
use hotcell_model::layout::{Carries, WireField, WireKind};
use hotcell_model::types::{CType, Type};

use super::{Callback, Value, numbers, results};
use crate::error::Result;
use crate::rt::Invocation;
use crate::rt::reading::Reads;

/// Runs the callback that was passed as this parameter.
pub(super) fn run(invocation: &mut Invocation<'_>, param: &Param, run: &mut Callback<'_>) -> Result<u64> {
    let Role::Callback { callback, .. } = &param.role.value else { return Ok(0) };
    let mut args = Vec::new();
    for (index, param) in callback.params.iter().enumerate() {
        if let Some(field) = callback.args.field(Carries::Param { index }) {
            args.push((param.name.clone(), argument(invocation, param, *field)?));
        }
    }
    let answer = run(&param.name, &args).map_err(|text| invocation.failed(text))?;
    answer_bits(&callback.result, &answer)
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
            let texts = texts.into_iter().map(|text| match text {
                None if *nullable => Ok(Value::Null),
                None => invocation.promised(None),
                Some(bytes) => results::decoded(invocation, *encoding, bytes),
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
fn answer_bits(ty: &CType, answer: &Value) -> std::result::Result<u64, String> {
    let kind = match ty.kind {
        Type::Void => return Ok(0),
        // A plain `char` is signed or not, and as wide.
        Type::Char => WireKind::I8,
        _ => numbers::element(ty).ok_or("has a type that is no number")?,
    };
    let bytes = numbers::encode(ty, kind, answer)?;
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(&bytes);
    Ok(u64::from_le_bytes(wide))
}
