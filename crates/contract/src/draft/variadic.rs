//! What a draft says about functions with `...`: a form of each, to be completed.

use hotcell_model::api::{Attribute, Function};
use hotcell_model::types::Type;

use crate::check::names::names;

/// The lines of a form that passes one text to a format, or one number to a choice. What is read instead of `...` only the
/// library's documentation says.
pub(super) fn form(function: &Function) -> String {
    let names = names(function);
    let last = function.params.last().zip(names.last());
    let format = last.filter(|(param, name)| {
        let text = param.ty.pointee().is_some_and(|(ty, constant)| constant && ty.kind == Type::Char);
        let called = ["format", "fmt"].iter().any(|part| name.to_ascii_lowercase().contains(part));
        text && (called || function.attributes.contains(&Attribute::Format))
    });
    let choice =
        last.filter(|(param, _)| param.ty.is_integer() || matches!(param.ty.kind, Type::Enum { .. }));
    let name = &function.name;
    let (form, further, lines) = match (format, choice) {
        (Some((_, format)), _) => (
            format!("{name}_text"),
            "const char *text",
            vec![
                format!(r#"params.{format} = {{ fixed = "\"%s\"" }}"#),
                r#"params.text = { string = "utf-8" }"#.to_owned(),
            ],
        ),
        (None, Some((_, choice))) => (
            format!("{name}_number"),
            "long number",
            vec![format!(r#"params.{choice} = {{ fixed = "0" }} # the constant that says what is read"#)],
        ),
        (None, None) => (format!("{name}_number"), "long number", Vec::new()),
    };
    let head = [
        format!("[function.{form}]"),
        format!("of = \"{name}\""),
        format!("further = \"{further}\" # what stands for `...`, as C declares it"),
    ];
    head.into_iter().chain(lines).map(|line| format!("#   {line}\n")).collect()
}
