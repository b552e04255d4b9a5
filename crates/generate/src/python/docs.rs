//! Header comments as docstrings.

use hotcell_model::interface::{CallbackRole, Function, Handle, Role};
use hotcell_model::types::Type;

use super::types;
use crate::shape::doxygen::{self, Piece};

/// The lines of a comment as its author typed them, without the margin that all but the first have, and without the commands of Doxygen.
pub(super) fn from_header(text: &str) -> String {
    let pieces = doxygen::pieces(&text.replace('\t', "    "));
    let of_piece = |piece| match piece {
        Piece::Words(text) => without_margin(&text),
        Piece::Code(lines) => {
            let line = |line: &String| if line.is_empty() { String::new() } else { format!("    {line}") };
            lines.iter().map(line).collect::<Vec<_>>().join("\n")
        }
    };
    pieces.into_iter().map(of_piece).collect::<Vec<_>>().join("\n\n")
}

fn without_margin(text: &str) -> String {
    let lines: Vec<&str> = text.trim_matches('\n').trim_end().lines().map(str::trim_end).collect();
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let rest = lines.iter().skip(1).filter(|line| !line.is_empty());
    let margin = rest.map(indent).min().unwrap_or(0);
    let shown = lines.iter().enumerate().map(|(position, line)| match position {
        0 => line.trim_start(),
        // A space may be several bytes, of which the margin is some.
        _ => line.get(margin..).unwrap_or(line.trim_start()),
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// What the header says of a function, what it calls, and its declaration. `names` are those of the parameters that callers pass.
pub(super) fn of_function(function: &Function, names: &[String]) -> String {
    let said = from_header(function.doc.as_deref().unwrap_or_default());
    let calls = calls(function, names).join("\n");
    let declared = format!("C: {};", function.signature);
    let parts: Vec<String> = [said, calls, declared].into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n")
}

/// How the functions are called that a function is passed: what of their parameters in C comes in Python, and what they give.
fn calls(function: &Function, names: &[String]) -> Vec<String> {
    let passed = function.params.iter().filter(|param| param.role.value.is_argument()).zip(names);
    let calls = passed.filter_map(|(param, name)| {
        let Role::Callback { callback, .. } = &param.role.value else { return None };
        let shown: Vec<&str> = callback
            .params
            .iter()
            .filter(|param| types::is_shown(param))
            .map(|param| param.name.as_str())
            .collect();
        let fills = callback.params.iter().any(|param| matches!(param.role, CallbackRole::Room { .. }));
        let gives = match callback.result.kind {
            _ if fills => ", which gives data",
            Type::Void => "",
            _ => ", which gives a number",
        };
        Some(format!("The library calls {name}({}){gives}.", shown.join(", ")))
    });
    calls.collect()
}

/// What the class of an object says.
pub(super) fn of_object(handle: &Handle) -> String {
    let mut said = format!("An object of the library: `{}`.", handle.c_type);
    if let Some(restore) = &handle.restore {
        let also =
            if restore.configure.is_empty() { "" } else { ", and behind it those that have configured it" };
        let calls = restore.by.join(", ");
        said += &format!(
            "\n\nWhen its worker has ended, the next call that waits makes it anew: the call that made it\n({calls}) is made again{also}.\nEverything else that the library knew of it is lost; `restored` counts that."
        );
    }
    said
}

/// A text as it stands between three quotes, indented.
pub(super) fn quoted(text: &str, indent: usize) -> Vec<String> {
    let margin = " ".repeat(indent);
    let text = text.replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"");
    let lines: Vec<&str> = text.lines().collect();
    // A quote at the end would be one of those that end it.
    let end = if text.ends_with('"') { " " } else { "" };
    match lines.as_slice() {
        [] => Vec::new(),
        [one] => vec![format!("{margin}\"\"\"{one}{end}\"\"\"")],
        [first, rest @ ..] => {
            let mut out = vec![format!("{margin}\"\"\"{first}")];
            let line = |line: &&str| if line.is_empty() { String::new() } else { format!("{margin}{line}") };
            out.extend(rest.iter().map(line));
            out.push(format!("{margin}\"\"\""));
            out
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_lose_their_margin_only() {
        assert_eq!(from_header("One\n   two\n     three\n"), "One\ntwo\n  three");
        assert_eq!(from_header(""), "");
        assert_eq!(from_header("One\n  two\n \u{a0}three"), "One\ntwo\nthree");
        assert_eq!(
            from_header("@brief Adds.\n@param a one\n@code\nadd(1);\n\nadd(2);\n@endcode\nSo."),
            "Adds.\n\n- a: one\n\n    add(1);\n\n    add(2);\n\nSo."
        );
    }

    #[test]
    fn docstrings_end_where_they_should() {
        assert_eq!(quoted("a", 4), ["    \"\"\"a\"\"\""]);
        assert_eq!(quoted("say \"a\"", 0), ["\"\"\"say \"a\" \"\"\""]);
        assert_eq!(quoted("a \\n \"\"\" b", 0), ["\"\"\"a \\\\n \\\"\\\"\\\" b\"\"\""]);
        assert_eq!(quoted("a\n\nb", 2), ["  \"\"\"a", "", "  b", "  \"\"\""]);
        assert!(quoted("", 2).is_empty());
    }
}
