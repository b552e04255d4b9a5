//! Functions in C that the library tells what failed: they keep the text for the error of the call.

use hotcell_model::api::{Api, Function, Param};
use hotcell_model::types::{CType, Signature, Type};

use crate::check::names;
use crate::contract::{Contract, FunctionLines, TellLine};
use crate::diagnostic::Diagnostic;
use crate::forms::c::pointed;
use crate::pattern;
use crate::suggest::did_you_mean;

/// Where the text is, and what asks for it and forgets it.
const NEEDS: &[&str] = &[
    "#include <stdarg.h>",
    "#include <stddef.h>",
    "#include <stdio.h>",
    "static __thread char hotcell_said[1024];",
    "static __attribute__((unused)) const char *hotcell_told(void) { return hotcell_said[0] == 0 ? NULL : hotcell_said; }",
    "static __attribute__((unused)) void hotcell_forget(void) { hotcell_said[0] = 0; }",
];

/// The functions of all lines, with what they need.
pub(super) fn functions(contract: &Contract, api: &Api, findings: &mut Vec<Diagnostic>) -> Vec<String> {
    let mut found = Vec::new();
    for lines in &contract.functions {
        for line in &lines.form.tells {
            match of_line(api, lines, line) {
                Ok(function) => found.push(function),
                Err(diagnostic) => findings.push(*diagnostic),
            }
        }
    }
    match found.is_empty() {
        true => found,
        false => NEEDS.iter().map(|line| (*line).to_owned()).chain(found).collect(),
    }
}

fn of_line(api: &Api, lines: &FunctionLines, line: &TellLine) -> Result<String, Box<Diagnostic>> {
    let wrong = |message: String, help: Option<String>| {
        Err(Box::new(Diagnostic::error(message).at(line.param.span.clone()).help(help)))
    };
    let meant = |function: &&Function| match &lines.form.of {
        Some(of) => function.name == of.value,
        None => pattern::matches(&lines.name, &function.name),
    };
    let params = api.functions.iter().filter(meant).filter_map(|function| {
        let position = names::position(function, &names::names(function), &line.param.value)?;
        function.params.get(position)
    });
    let Some(param) = { params }.next() else {
        return wrong(format!("`{}` has no parameter `{}`", lines.name, line.param.value), None);
    };
    let Type::FunctionPointer { signature } = &param.ty.kind else {
        let message =
            format!("`{}` is `{}`, not a pointer to a function", line.param.value, param.ty.written);
        return wrong(message, None);
    };
    let own = names_of(signature);
    let Some(text) = own.iter().position(|name| *name == line.text.value) else {
        let message = format!("`{}` has no parameter `{}`", line.param.value, line.text.value);
        return wrong(message, did_you_mean(&line.text.value, own.iter().map(String::as_str)));
    };
    let is_text = |ty: &CType| ty.pointee().is_some_and(|(pointee, _)| pointee.kind == Type::Char);
    if !is_text(&signature.params[text].1) {
        let message = format!("`{}` is `{}`, and no text", line.text.value, signature.params[text].1.written);
        return wrong(message, None);
    }
    if signature.result.kind != Type::Void && !signature.result.is_scalar() {
        return wrong(format!("`{}` returns `{}`", line.param.value, signature.result.written), None);
    }
    Ok(function(&line.c, signature, text))
}

/// The names of the callback's parameters, as contracts write them.
fn names_of(signature: &Signature) -> Vec<String> {
    let param = |(name, ty): &(Option<String>, CType)| Param {
        name: name.clone(),
        ty: ty.clone(),
        array_length: None,
        open_array: false,
    };
    let params = signature.params.iter().map(param).collect();
    names::names(&Function { params, ..crate::check::nowhere(signature.result.clone()) })
}

/// A function that keeps its text; one with a format and arguments puts them together.
fn function(name: &str, signature: &Signature, text: usize) -> String {
    let params = signature.params.iter().enumerate();
    let mut params: Vec<String> =
        params.map(|(at, (_, ty))| pointed(&ty.written, &format!("a{at}"))).collect();
    let formatted = signature.params.get(text + 1).is_some_and(|(_, ty)| is_list(ty));
    let last = text + 1 == signature.params.len();
    let print = |from: &str| format!("vsnprintf(hotcell_said, sizeof hotcell_said, a{text}, {from});");
    let body = match (signature.variadic && last, formatted) {
        (true, _) => {
            format!("va_list list; va_start(list, a{text}); {} va_end(list);", print("list"))
        }
        (_, true) => print(&format!("a{}", text + 1)),
        _ => format!(
            "if (a{text} != NULL) snprintf(hotcell_said, sizeof hotcell_said, \"%s\", (const char *)a{text});"
        ),
    };
    let unused: String = (0..params.len()).map(|at| format!("(void)a{at}; ")).collect();
    if signature.variadic {
        params.push("...".to_owned());
    }
    let returns = if signature.result.kind == Type::Void { "" } else { " return 0;" };
    let head = pointed(&signature.result.written, &format!("{name}({})", params.join(", ")));
    format!("static __attribute__((unused)) {head} {{ {unused}{body}{returns} }}")
}

fn is_list(ty: &CType) -> bool {
    ty.written.contains("va_list") || ty.canonical.contains("va_list")
}
