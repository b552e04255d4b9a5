//! Callbacks: arguments of the library into values, and the answer back.

use std::fmt;
use std::sync::Arc;

use hotcell_model::interface::{self, CallbackParam, CallbackRole, Interface};
use hotcell_model::layout::{Carries, WireField, WireKind};
use hotcell_model::types::{CType, Target, Type};

use hotcell_shm::lock::Mutex;

use super::{Callback, Value, numbers, results};
use crate::error::Result;
use crate::rt::Invocation;
use crate::rt::reading::Reads;

/// A function of the application, with its arguments by name.
type Function = dyn FnMut(&[(String, Value)]) -> std::result::Result<Value, String> + Send;

/// A function of the application for the library to keep. Clones stand for the same one, and two are equal when they are.
#[derive(Clone)]
pub struct KeptFunction(Arc<Mutex<Function>>);

impl KeptFunction {
    /// A function that gets its arguments by name. A failure ends the call that ran it, when the library has returned.
    pub fn new(
        function: impl FnMut(&[(String, Value)]) -> std::result::Result<Value, String> + Send + 'static,
    ) -> KeptFunction {
        KeptFunction(Arc::new(Mutex::new(function)))
    }

    fn run(&self, args: &[(String, Value)]) -> std::result::Result<Value, String> {
        // One that was passed twice may come inside of itself.
        let function = self.0.try_lock();
        let mut function = function.ok_or("a kept callback cannot be run inside of itself")?;
        (*function)(args)
    }
}

impl PartialEq for KeptFunction {
    fn eq(&self, other: &KeptFunction) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for KeptFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptFunction").finish_non_exhaustive()
    }
}

/// What a callback that was passed is: the name of its parameter, and what it gets.
#[derive(Debug, Clone)]
pub(super) struct Passed {
    name: String,
    callback: interface::Callback,
    /// The types of objects by the position of the callback's parameter.
    types: Vec<u16>,
    target: Target,
}

impl Passed {
    pub(super) fn new(interface: &Interface, name: &str, callback: &interface::Callback) -> Passed {
        let ty = |param: &CallbackParam| match &param.role {
            CallbackRole::Handle { handle, .. } | CallbackRole::Handles { handle, .. } => {
                interface.handle_number(handle).unwrap_or(0)
            }
            _ => 0,
        };
        let types = callback.params.iter().map(ty).collect();
        Passed { name: name.to_owned(), callback: callback.clone(), types, target: interface.target.clone() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Runs it, as a callback of the call in progress.
    pub(super) fn run(&self, invocation: &mut Invocation<'_>, run: &mut Callback<'_>) -> Result<u64> {
        let args = self.args(invocation)?;
        self.answer(invocation, run(&self.name, &args))
    }

    /// Runs it, as one that the library has kept.
    pub(super) fn run_kept(&self, invocation: &mut Invocation<'_>, run: &KeptFunction) -> Result<u64> {
        let args = self.args(invocation)?;
        self.answer(invocation, run.run(&args))
    }

    fn args(&self, invocation: &mut Invocation<'_>) -> Result<Vec<(String, Value)>> {
        let mut args = Vec::new();
        for (index, (param, ty)) in self.callback.params.iter().zip(&self.types).enumerate() {
            if let Some(field) = self.callback.args.field(Carries::Param { index }) {
                args.push((param.name.clone(), argument(invocation, param, *ty, *field)?));
            }
        }
        Ok(args)
    }

    fn answer(
        &self,
        invocation: &mut Invocation<'_>,
        answer: std::result::Result<Value, String>,
    ) -> Result<u64> {
        let answer = answer.map_err(|text| invocation.failed(text))?;
        let wrong = |invocation: &Invocation<'_>, text: String| {
            invocation.failed(format!("what the callback `{}` returned {text}", self.name))
        };
        let answer = match self.room(invocation) {
            Some((element, returned, room)) => {
                let (data, count) =
                    filled(element, &answer, (returned, room)).map_err(|text| wrong(invocation, text))?;
                invocation.fill(&data);
                count.map_or(answer, |count| Value::Int(count as i128))
            }
            None => answer,
        };
        answer_bits(&self.callback.result, &self.target, &answer).map_err(|text| wrong(invocation, text))
    }

    /// The memory that it is to fill: of what, whether it returns how much is filled, and the elements there are.
    fn room(&self, invocation: &Invocation<'_>) -> Option<(&CType, bool, u64)> {
        self.callback.params.iter().enumerate().find_map(|(index, param)| {
            let CallbackRole::Room { returned, .. } = param.role else { return None };
            let field = self.callback.args.field(Carries::Param { index })?;
            let (element, _) = param.ty.pointee()?;
            Some((element, returned, elements(invocation, param, *field)))
        })
    }
}

/// How many elements there is room for.
fn elements(invocation: &Invocation<'_>, param: &CallbackParam, field: WireField) -> u64 {
    let size = param.ty.pointee().and_then(|(element, _)| element.element_size()).unwrap_or(1);
    invocation.get_u64(field.offset as usize) / u64::from(size)
}

/// What an answer fills in, in bytes, and how many elements that are, where the library is told. A number instead says something
/// else, and fills nothing.
fn filled(
    element: &CType,
    answer: &Value,
    (returned, room): (bool, u64),
) -> std::result::Result<(Vec<u8>, Option<usize>), String> {
    let (data, count) = match answer {
        Value::Int(_) if returned => return Ok((Vec::new(), None)),
        Value::Bytes(bytes) if element.is_byte() => (bytes.clone(), bytes.len()),
        Value::Text(text) if element.is_byte() => (text.clone().into_bytes(), text.len()),
        Value::List(list) => (numbers::encode_all(element, list)?, list.len()),
        other => return Err(format!("is {}, and no data", numbers::described(other))),
    };
    match returned {
        true if count as u64 > room => Err(format!("has {count} elements; there is room for {room}")),
        false if count as u64 != room => Err(format!("has {count} elements; {room} are to be filled")),
        true => Ok((data, Some(count))),
        false => Ok((data, None)),
    }
}

fn argument(
    invocation: &mut Invocation<'_>,
    param: &CallbackParam,
    ty: u16,
    field: WireField,
) -> Result<Value> {
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
        CallbackRole::Room { .. } => Ok(Value::Int(elements(invocation, param, field).into())),
        CallbackRole::Handle { nullable: false, .. } => invocation.handle(offset, ty).map(Value::Handle),
        CallbackRole::Handle { .. } => {
            Ok(invocation.opt_handle(offset, ty)?.map_or(Value::Null, Value::Handle))
        }
        CallbackRole::Handles { .. } => {
            let handles = invocation.handles(offset, ty)?;
            Ok(Value::List(handles.into_iter().map(Value::Handle).collect()))
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
    if matches!(answer, Value::Null) {
        // In many languages that is a function which forgets to return.
        return Err("is nothing, and is to be a number".to_owned());
    }
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

    #[test]
    fn nothing_is_no_number() {
        let ty = CType { written: "char".into(), canonical: "char".into(), kind: Type::Char };
        let target = Target { triple: "any".into(), pointer_bits: 64, char_signed: true };
        let nothing = answer_bits(&ty, &target, &Value::Null);
        assert_eq!(nothing, Err("is nothing, and is to be a number".to_owned()));
    }
}
