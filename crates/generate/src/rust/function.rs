//! A function's part of a package: its method, its output structure, its row in the table.

use hotcell_model::Interface;
use hotcell_model::interface::{Encoding, Fails, Function, Param, Role};
use hotcell_model::layout::{Block, Carries};
use serde::Serialize;

use crate::Error;
use crate::rust::names::{self, Scope};
use crate::rust::results::{finish, outcomes};
use crate::rust::types::{self, Enums, Number};
use crate::rust::{docs, format};

/// What the `impl` in `lib.rs.j2` prints.
#[derive(Serialize)]
pub(crate) struct Method {
    index: usize,
    constant: String,
    docs: Vec<String>,
    opening: Vec<String>,
    body: Vec<String>,
    output: Option<Output>,
}

/// The structure a method with several results returns.
#[derive(Serialize)]
struct Output {
    name: String,
    method: String,
    fields: Vec<(String, String, String)>,
}

/// What methods share.
pub(crate) struct Context<'a> {
    pub(crate) interface: &'a Interface,
    pub(crate) enums: &'a Enums,
    pub(crate) methods: Scope,
    pub(crate) types: Scope,
}

impl<'a> Context<'a> {
    /// The method of one function.
    pub(crate) fn method(&mut self, index: usize, function: &'a Function) -> Result<Method, Error> {
        let name = self.methods.take(names::snake(&function.name));
        let constant = format!("FN_{}", name.to_uppercase());
        let mut scope = Scope::with(names::LOCALS);
        let mut params = vec!["&self".to_owned()];
        let puts = function.params.iter().any(|param| param.role.value.is_argument());
        let mut body = format::start(8, if puts { "mut call" } else { "call" }, &constant);
        let mut capacities = Vec::new();
        for (index, param) in function.params.iter().enumerate().filter(|(_, p)| p.role.value.is_argument()) {
            let local = match &param.role.value {
                Role::BufferOut { .. } => scope.take(format!("{}_capacity", names::snake(&param.name))),
                _ => scope.take(names::snake(&param.name)),
            };
            if matches!(param.role.value, Role::BufferOut { .. }) {
                capacities.push(format!("`{local}` is the room for `{}`, in elements.", param.name));
            }
            params.push(format!("{local}: {}", self.argument(function, index, param, &local, &mut body)?));
        }
        let outcomes = outcomes(self, function)?;
        let (ty, output) = match outcomes.as_slice() {
            [] => ("()".to_owned(), None),
            [one] => (one.ty.clone(), None),
            many => {
                let ty = self.types.take_type(format!("{}Output", names::camel(&function.name)));
                let fields = many.iter().map(|o| (o.about.clone(), o.name.clone(), o.ty.clone())).collect();
                (ty.clone(), Some(Output { name: ty, method: name.clone(), fields }))
            }
        };
        finish(&mut body, &outcomes, &ty);
        let opening = format!("hotcell::Result<{ty}>");
        Ok(Method {
            index,
            constant,
            docs: documentation(function, &capacities),
            opening: format::signature(4, &format!("pub fn {name}"), &params, &opening),
            body,
            output,
        })
    }

    /// Adds the statements that write an argument; its Rust type.
    fn argument(
        &self,
        function: &'a Function,
        index: usize,
        param: &'a Param,
        local: &str,
        body: &mut Vec<String>,
    ) -> Result<String, Error> {
        let carries = match &param.role.value {
            Role::BufferOut { .. } => Carries::Capacity { index },
            _ => Carries::Param { index },
        };
        let offset = offset(function, &function.layout.args, carries)?;
        let number = |method: &str, value: String| format::call(8, method, &[offset.to_string(), value], ";");
        let (nullable, method, ty) = match &param.role.value {
            Role::Value | Role::ValueInOut { .. } => {
                let ty = self.number(function, param)?;
                body.extend(number(&format!("call.put_{}", types::primitive(ty.kind)), ty.encode(local)));
                return Ok(ty.name);
            }
            Role::BufferOut { .. } => {
                body.extend(number("call.put_u64", format!("{local} as u64")));
                return Ok("usize".into());
            }
            Role::Text { encoding: Encoding::Utf8, nullable } => (*nullable, "put_text", "str"),
            Role::Text { nullable, .. } => (*nullable, "put_text_bytes", "[u8]"),
            Role::BufferIn { nullable, .. } | Role::BufferInOut { nullable, .. } => {
                match element(self, param) {
                    "u8" => (*nullable, "put_buffer", "[u8]"),
                    _ => (*nullable, "put_elements", ""),
                }
            }
            _ => return Err(unsupported(function, param)),
        };
        let ty = if ty.is_empty() { format!("&[{}]", element(self, param)) } else { format!("&{ty}") };
        let args = [offset.to_string(), format!("{:?}", param.name), local.to_owned()];
        if nullable {
            body.extend(format::if_some(8, local));
            body.extend(format::call(12, &format!("call.{method}"), &args, "?;"));
            body.push("        } else {".into());
            body.push(format!("            call.put_null({offset});"));
            body.push("        }".into());
            return Ok(format!("Option<{ty}>"));
        }
        body.extend(format::call(8, &format!("call.{method}"), &args, "?;"));
        Ok(ty)
    }

    /// The number a parameter is, or points to.
    pub(crate) fn number(&self, function: &Function, param: &Param) -> Result<Number, Error> {
        let ty = match &param.role.value {
            Role::Value => &param.ty,
            _ => param.ty.pointee().ok_or_else(|| unsupported(function, param))?.0,
        };
        types::number(ty, &self.interface.target, self.enums).ok_or_else(|| unsupported(function, param))
    }
}

pub(crate) fn element(context: &Context<'_>, param: &Param) -> &'static str {
    param.ty.pointee().map_or("u8", |(ty, _)| types::element(ty, &context.interface.target))
}

pub(crate) fn offset(function: &Function, block: &Block, carries: Carries) -> Result<u32, Error> {
    block.field(carries).map(|field| field.offset).ok_or_else(|| missing(function))
}

fn missing(function: &Function) -> Error {
    let what = "its layout is not the one its roles demand".into();
    Error::Inconsistent { function: function.name.clone(), what }
}

pub(crate) fn unsupported(function: &Function, param: &Param) -> Error {
    let what = format!("parameter `{}` ({})", param.name, param.ty.written);
    Error::Unsupported { function: function.name.clone(), what }
}

/// The fields of a function's row in the table.
pub(crate) fn row(function: &Function) -> Vec<String> {
    let (args, result) = (&function.layout.args, &function.layout.result);
    let mut lines = vec![
        format!("name: {:?},", function.name),
        format!("args_size: {},", args.size),
        format!("result_size: {},", result.size),
        format!("deadline_ms: {},", function.deadline_ms.unwrap_or(0)),
        format!("idempotent: {},", function.idempotent),
    ];
    match result.field(Carries::Returned) {
        Some(field) => lines.extend([
            "returned: Some(rt::Field {".into(),
            format!("    offset: {},", field.offset),
            format!("    kind: rt::Kind::{},", types::runtime(field.kind)),
            "}),".into(),
        ]),
        None => lines.push("returned: None,".into()),
    }
    lines.push(match result.field(Carries::Message) {
        Some(field) => format!("message: Some({}),", field.offset),
        None => "message: None,".into(),
    });
    lines
}

fn documentation(function: &Function, capacities: &[String]) -> Vec<String> {
    let mut lines = function.doc.as_deref().map(docs::from_header).unwrap_or_default();
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(format!("C: `{}`", function.signature.split_whitespace().collect::<Vec<_>>().join(" ")));
    for text in capacities {
        lines.extend([String::new(), text.clone()]);
    }
    lines.extend([String::new(), "# Errors".into(), String::new()]);
    let fails = match function.error.as_ref().map(|rule| &rule.value.fails) {
        None => None,
        Some(Fails::Nonzero) => Some("the result is not 0"),
        Some(Fails::Zero) => Some("the result is 0"),
        Some(Fails::Negative) => Some("the result is negative"),
        Some(Fails::Null) => Some("the result is NULL"),
        Some(Fails::When { .. }) => Some("the contract says that the call failed"),
    };
    lines.push(match fails {
        Some(when) => format!("The library's own when {when}; else faults of the worker."),
        None => "Faults of the worker; the library reports none here.".into(),
    });
    lines
}
