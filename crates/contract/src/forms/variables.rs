//! Functions that read and write variables of the library.

use hotcell_model::api::{Api, Variable};
use hotcell_model::types::{CType, Type};

use crate::contract::Contract;
use crate::diagnostic::Diagnostic;
use crate::forms::c::{self, Param};
use crate::forms::fields::{Access, How, VALUE};
use crate::forms::{Exports, Form};
use crate::pattern;

/// Adds them for every variable that the contract names.
pub(super) fn add(
    contract: &Contract,
    api: &Api,
    exports: Exports<'_>,
    forms: &mut Vec<Form>,
    findings: &mut Vec<Diagnostic>,
) {
    let mut done: Vec<&str> = Vec::new();
    for text in &contract.globals {
        let names = api.variables.iter().map(|variable| variable.name.as_str());
        findings.extend(pattern::useless(&contract.text, text, names, "variable of the headers"));
        for variable in api.variables.iter().filter(|it| pattern::matches(&text.value, &it.name)) {
            if done.contains(&variable.name.as_str()) {
                continue;
            }
            done.push(&variable.name);
            match of_variable(variable, exports) {
                Ok(made) => {
                    forms.extend(made.into_iter().map(|(name, c, access)| Form {
                        c_name: name.clone(),
                        name,
                        of: None,
                        span: text.span.clone(),
                        c,
                        access: Some(access),
                        measured: Vec::new(),
                    }));
                }
                Err(why) => {
                    let message = format!("`{}` is not read or written: {why}", variable.name);
                    let diagnostic = match pattern::is_pattern(&text.value) {
                        true => Diagnostic::warning(message),
                        false => Diagnostic::error(message),
                    };
                    findings.push(diagnostic.at(text.span.clone()));
                }
            }
        }
    }
}

/// The functions that read and write a variable.
fn of_variable(variable: &Variable, exports: Exports<'_>) -> Result<Vec<(String, String, Access)>, String> {
    let Variable { name, ty, constant, doc, .. } = variable;
    if exports.variables.is_some_and(|all| !all.contains(name)) {
        return Err("the library does not export it".to_owned());
    }
    let own = doc.as_deref().map(|doc| format!("\n\n{doc}")).unwrap_or_default();
    let (get, set) = (format!("{name}_get"), format!("{name}_set"));
    let reads = c::comment(&format!("The value of the variable `{name}`.{own}"));
    let writes = c::comment(&format!("Changes the variable `{name}`.{own}"));
    let access = |how: How| Access { how, object: false, bits: None };
    let mut made = Vec::new();
    match &ty.kind {
        Type::FunctionPointer { .. } => return Err("it is a pointer to a function".to_owned()),
        Type::Unsupported { reason } => return Err(reason.clone()),
        Type::Array { element, .. } if element.kind == Type::Char => {
            made.push((
                get.clone(),
                format!("{reads} static inline const char *({get})(void) {{ return {name}; }}"),
                access(How::Get),
            ));
        }
        Type::Array { element, length } => {
            let (element, length) = elements(element, *length)?;
            let copy = |to: &str, from: &str| format!("__builtin_memcpy({to}, {from}, sizeof {name});");
            made.push((
                get.clone(),
                format!(
                    "{reads} static inline void ({get})({element} values[{length}]) {{ {} }}",
                    copy("values", name)
                ),
                access(How::Get),
            ));
            if !constant {
                let body = copy(name, "values");
                made.push((
                    set.clone(),
                    format!(
                        "{writes} static inline void ({set})(const {element} values[{length}]) {{ {body} }}"
                    ),
                    access(How::Set),
                ));
            }
        }
        _ => {
            let result = c::pointed(&ty.written, &format!("({get})(void)"));
            let c = format!("{reads} static inline {result} {{ return {name}; }}");
            made.push((get.clone(), c, access(How::Get)));
            if !constant {
                let value = Param::of(&ty.written, VALUE).text;
                let c = format!("{writes} static inline void ({set})({value}) {{ {name} = {VALUE}; }}");
                made.push((set.clone(), c, access(How::Set)));
            }
        }
    }
    Ok(made)
}

/// How the elements of an array are written, and how many there are.
fn elements(element: &CType, length: Option<u64>) -> Result<(&str, u64), String> {
    match (&element.kind, length) {
        (_, None | Some(0)) => Err("the headers do not say how long it is".to_owned()),
        (Type::Int { .. } | Type::Float { .. } | Type::Bool, Some(length)) => {
            Ok((element.written.trim_start_matches("const "), length))
        }
        _ => Err(format!(
            "it is an array of `{}`, and arrays of numbers are what is supported",
            element.written
        )),
    }
}
