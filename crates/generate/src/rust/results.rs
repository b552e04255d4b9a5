//! What a method gives back, and the statements that read it from the reply.

use hotcell_model::interface::{Encoding, Function, ResultRole, Role};
use hotcell_model::layout::Carries;

use crate::Error;
use crate::rust::function::{Context, element, offset, unsupported};
use crate::rust::names::{self, Scope};
use crate::rust::types::{self, Number};

/// Something a method gives back.
pub(crate) struct Outcome {
    /// Its name in the output structure.
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) ty: String,
    pub(crate) value: String,
    /// Whether `value` is a `Result` and reads data.
    pub(crate) fallible: bool,
}

/// What a method gives back: the returned value, then the out-parameters in order.
pub(crate) fn outcomes(context: &Context<'_>, function: &Function) -> Result<Vec<Outcome>, Error> {
    let mut scope = Scope::default();
    let mut outcomes = Vec::new();
    if let Some((ty, value, fallible)) = returned(context, function)? {
        let name = scope.take("returned".into());
        outcomes.push(Outcome { name, about: "What the function returned.".into(), ty, value, fallible });
    }
    for (index, param) in function.params.iter().enumerate().filter(|(_, p)| p.role.value.is_result()) {
        let offset = offset(function, &function.layout.result, Carries::Param { index })?;
        let (ty, value, fallible) = match &param.role.value {
            Role::ValueOut { .. } | Role::ValueInOut { .. } => {
                read(&context.number(function, param)?, offset)
            }
            Role::BufferOut { .. } | Role::BufferInOut { .. } => {
                read_elements(element(context, param), offset)
            }
            _ => return Err(unsupported(function, param)),
        };
        let about = format!("What `{}` holds.", param.name);
        outcomes.push(Outcome { name: scope.take(names::snake(&param.name)), about, ty, value, fallible });
    }
    Ok(outcomes)
}

fn returned(context: &Context<'_>, function: &Function) -> Result<Option<(String, String, bool)>, Error> {
    let ty = &function.result_type;
    Ok(Some(match &function.result.value {
        ResultRole::Void | ResultRole::Status | ResultRole::LengthOf { .. } => return Ok(None),
        ResultRole::Value => {
            let number = types::number(ty, &context.interface.target, context.enums);
            let number = number.ok_or_else(|| Error::Unsupported {
                function: function.name.clone(),
                what: format!("a result of type `{}`", ty.written),
            })?;
            read(&number, offset(function, &function.layout.result, Carries::Returned)?)
        }
        ResultRole::Text { encoding, nullable, .. } => {
            let offset = offset(function, &function.layout.result, Carries::Returned)?;
            let (ty, method) = match (encoding, nullable) {
                (Encoding::Utf8, false) => ("String", "text"),
                (Encoding::Utf8, true) => ("Option<String>", "opt_text"),
                (_, false) => ("Vec<u8>", "text_bytes"),
                (_, true) => ("Option<Vec<u8>>", "opt_text_bytes"),
            };
            (ty.into(), format!("reply.{method}({offset})"), true)
        }
        ResultRole::Buffer { .. } => {
            let element = ty.pointee().map_or("u8", |(ty, _)| types::element(ty, &context.interface.target));
            read_elements(element, offset(function, &function.layout.result, Carries::Returned)?)
        }
        ResultRole::Handle { .. } | ResultRole::Struct { .. } => {
            let what = "a handle or a structure as the result".into();
            return Err(Error::Unsupported { function: function.name.clone(), what });
        }
    }))
}

/// Adds what stands behind the last argument.
pub(crate) fn finish(body: &mut Vec<String>, outcomes: &[Outcome], ty: &str) {
    if outcomes.is_empty() {
        body.extend(["        call.finish()?;".into(), "        Ok(())".into()]);
        return;
    }
    let mutable = if outcomes.iter().any(|outcome| outcome.fallible) { "mut " } else { "" };
    body.push(format!("        let {mutable}reply = call.finish()?;"));
    match outcomes {
        [one] if one.fallible => body.push(format!("        {}", one.value)),
        [one] => body.push(format!("        Ok({})", one.value)),
        many => {
            body.push(format!("        Ok({ty} {{"));
            body.extend(many.iter().map(|outcome| {
                let question = if outcome.fallible { "?" } else { "" };
                format!("            {}: {}{question},", outcome.name, outcome.value)
            }));
            body.push("        })".into());
        }
    }
}

fn read(number: &Number, offset: u32) -> (String, String, bool) {
    let value = format!("reply.get_{}({offset})", types::primitive(number.kind));
    (number.name.clone(), number.decode(&value), false)
}

fn read_elements(element: &str, offset: u32) -> (String, String, bool) {
    let value = match element {
        "u8" => format!("reply.buffer({offset})"),
        _ => format!("reply.elements({offset})"),
    };
    (format!("Vec<{element}>"), value, true)
}
