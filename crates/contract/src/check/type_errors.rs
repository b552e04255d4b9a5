//! `[error]`: what means failure, by the type that functions return.

use hotcell_model::api::Function;

use crate::contract::Contract;
use crate::diagnostic::Diagnostic;
use crate::suggest::did_you_mean;
use crate::type_names::unqualified;

/// Words of C's own types.
const PLAIN: &[&str] = &[
    "_Bool", "bool", "char", "double", "enum", "float", "int", "long", "short", "signed", "struct", "union",
    "unsigned", "void",
];

/// Types of the C library, and those that many libraries mean the same by: they say what a number is, not what
/// means failure. Those of a fixed size (`uint32_t`) are known by their form.
const COMMON: &[&str] = &[
    "blksize_t",
    "clock_t",
    "dev_t",
    "gid_t",
    "id_t",
    "ino_t",
    "intmax_t",
    "intptr_t",
    "mode_t",
    "off64_t",
    "off_t",
    "pid_t",
    "ptrdiff_t",
    "size_t",
    "socklen_t",
    "ssize_t",
    "time_t",
    "uid_t",
    "uintmax_t",
    "uintptr_t",
    "wchar_t",
    "wint_t",
];

/// Whether a function's result is spelled with this typedef, or is this enumeration.
pub(crate) fn returns(function: &Function, name: &str) -> bool {
    spelled(function) == name
}

fn spelled(function: &Function) -> &str {
    let written = unqualified(&function.result.written);
    written.strip_prefix("enum ").unwrap_or(written)
}

/// Refuses types that functions return for many reasons.
pub(crate) fn check(contract: &Contract, findings: &mut Vec<Diagnostic>) {
    for line in &contract.errors {
        let name = line.name.as_str();
        let plain = name.split_whitespace().any(|word| PLAIN.contains(&word));
        let sized = || {
            let bits =
                name.trim_start_matches("u").strip_prefix("int").and_then(|rest| rest.strip_suffix("_t"));
            bits.is_some_and(|bits| bits.ends_with(|letter: char| letter.is_ascii_digit()))
        };
        let diagnostic = if plain || COMMON.contains(&name) || sized() {
            let message = format!("functions return `{name}` for more than one reason");
            let help =
                "say it of the functions that mean it, in the table of a pattern: `function.\"…*\".error`";
            Diagnostic::error(message).label("a plain type").help(help.to_owned())
        } else if name.is_empty() || name.contains(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
            let help = "write a typedef or an enumeration, as functions of the headers return it";
            Diagnostic::error(format!("`{name}` is no name of a type")).help(help.to_owned())
        } else {
            continue;
        };
        findings.push(diagnostic.at(line.span.clone()));
    }
}

/// Warns about types that no function returns.
pub(crate) fn useless(contract: &Contract, selected: &[&Function], findings: &mut Vec<Diagnostic>) {
    for line in &contract.errors {
        if !selected.iter().any(|function| returns(function, &line.name)) {
            let message = format!("no function that is selected returns `{}`", line.name);
            let help = did_you_mean(&line.name, selected.iter().map(|function| spelled(function)));
            findings.push(Diagnostic::warning(message).at(line.span.clone()).help(help));
        }
    }
}
