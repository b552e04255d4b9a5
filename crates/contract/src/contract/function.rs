//! `[function.NAME]`.

use std::time::Duration;

use crate::contract::families::Families;
use crate::contract::item::What;
use crate::contract::keys::{self, Keys};
use crate::contract::{ErrorLine, FailsLine, FunctionLines, ParamLine, TypeErrorLine, form, item, top};
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Reader, Text};
use crate::pattern;
use crate::typed;

/// Reads every `[function.NAME]`.
pub(crate) fn functions<'a>(
    reader: &mut Reader<'a>,
    entry: &Entry<'a>,
    families: &'a Families<'a>,
) -> Vec<FunctionLines> {
    families.read(reader, entry, |reader, table, family| FunctionLines {
        family: family.map(str::to_owned),
        ..function(reader, table)
    })
}

fn function<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> FunctionLines {
    let mut lines = FunctionLines {
        name: entry.key.to_owned(),
        span: entry.key_span.clone(),
        ..FunctionLines::default()
    };
    let name = Text { value: lines.name.clone(), span: lines.span.clone() };
    if let Some(diagnostic) = pattern::wrong(reader.text, &name, "function") {
        reader.push(diagnostic);
    }
    for entry in reader.table(entry).unwrap_or_default() {
        match entry.key {
            "params" => lines.params = params(reader, &entry, &keys::PARAM),
            "result" => {
                if let Some(entries) = reader.table(&entry) {
                    lines.result = item::read(reader, &entries, entry.span.clone(), &keys::RESULT);
                }
            }
            "results" => lines.results = results(reader, &entry, &lines.name),
            "error" => lines.error = error(reader, &entry),
            "requires" => {
                let text = reader.text(&entry);
                lines.requires = text.and_then(|text| reader.expression(&text));
            }
            "cancel" => {
                let text = reader.text(&entry);
                lines.cancel = text.and_then(|text| reader.expression(&text));
            }
            "deadline" => lines.deadline = duration(reader, &entry),
            "idempotent" => lines.idempotent = reader.boolean(&entry),
            "stands_for" => lines.stands_for = top::patterns(reader, &entry, "function"),
            "of" | "further" | "as" | "with" | "each" | "declare" | "returns" => {
                form::key(reader, &entry, &mut lines.form)
            }
            _ => reader.unknown(&entry, &keys::FUNCTION),
        }
    }
    form::finish(reader, &mut lines);
    lines
}

/// Reads a table of names with an item each.
pub(crate) fn params<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>, of: &'static Keys) -> Vec<ParamLine> {
    let mut lines = Vec::new();
    for param in reader.table(entry).unwrap_or_default() {
        let Some(entries) = reader.table(&param) else {
            continue;
        };
        if let Some(diagnostic) = misnamed(reader, &param, of) {
            reader.push(diagnostic);
        }
        if let Some(item) = item::read(reader, &entries, param.span.clone(), of) {
            lines.push(ParamLine { name: param.key.to_owned(), span: param.key_span.clone(), item });
        }
    }
    lines
}

/// Reads a table of types that the functions of a pattern return, with an item each.
fn results<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>, function: &str) -> Vec<ParamLine> {
    let lines = params(reader, entry, &keys::RESULT);
    if !pattern::is_pattern(function) {
        let help = format!("write `result = {{ … }}`: `{function}` returns one value");
        let message = "`results` are said of the functions of a pattern";
        reader.push(Diagnostic::error(message).at(entry.key_span.clone()).help(help));
    }
    let released =
        |line: &&ParamLine| matches!(line.item.what, What::Struct(_)) && line.item.release.is_some();
    for line in lines.iter().filter(released) {
        let help =
            "say it of the functions that make one: `result = { out = \"struct\", release = … }`".to_owned();
        let message = "not every function that returns a structure makes it for its caller";
        reader.push(Diagnostic::error(message).at(line.item.span.clone()).label("released").help(help));
    }
    for line in lines.iter().filter(|line| line.item.what == What::Owned) {
        let help = "write `made_by` in `[handle]`: it names the functions that make one".to_owned();
        let message = "not every function that returns an object makes it for its caller";
        reader.push(Diagnostic::error(message).at(line.item.span.clone()).label("owned").help(help));
    }
    lines
}

/// What is wrong with the name, pattern or type that a line is about.
fn misnamed(reader: &Reader<'_>, param: &Entry<'_>, of: &'static Keys) -> Option<Diagnostic> {
    let name = Text { value: param.key.to_owned(), span: param.key_span.clone() };
    if !typed::is_typed(param.key) && std::ptr::eq(of, &keys::RESULT) {
        let message = format!("`{}` is no type in parentheses", name.value);
        let help = "`results` go by type, as in `\"(char *)\"`".to_owned();
        return Some(Diagnostic::error(message).at(name.span).help(help));
    }
    if !typed::is_typed(param.key) {
        return pattern::wrong(reader.text, &name, "parameter").filter(|_| pattern::is_pattern(param.key));
    }
    let diagnostic = |message: String| Diagnostic::error(message).at(name.span.clone());
    if std::ptr::eq(of, &keys::FIELD) {
        let help = "write the name of a field, or a pattern of names".to_owned();
        return Some(diagnostic("fields are not chosen by their type".to_owned()).help(help));
    }
    let result = std::ptr::eq(of, &keys::RESULT);
    let why = match typed::read(param.key) {
        Ok(typed) if result && typed.name.is_some() => "what is returned has no name",
        Ok(_) => return None,
        Err(why) => why,
    };
    let message =
        format!("`{}` is no type of {}: {why}", name.value, if result { "results" } else { "parameters" });
    let behind = match result {
        true => "",
        false => ", and a name or a pattern of names behind it, if they are to have one",
    };
    let help =
        format!("write the type as the header does, in parentheses, as in `\"(const char *)\"`{behind}");
    Some(diagnostic(message).help(help))
}

/// Reads every line of `[error]`.
pub(crate) fn type_errors<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Vec<TypeErrorLine> {
    let lines = reader.table(entry).unwrap_or_default();
    let line = |line: &Entry<'a>| {
        let rule = error(reader, line)?;
        Some(TypeErrorLine { name: line.key.to_owned(), span: line.key_span.clone(), rule })
    };
    lines.iter().filter_map(line).collect()
}

fn error<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Option<ErrorLine> {
    let (mut fails, mut message, mut code, mut symbols) = (None, None, None, None);
    let mut said = false;
    for entry in reader.table(entry)? {
        match entry.key {
            "fails" => {
                said = true;
                let text = reader.text(&entry)?;
                fails = match keys::FAILS.iter().find(|word| **word == text.value) {
                    Some(word) => Some(FailsLine::Word(word, text.span)),
                    None => reader.expression(&text).map(FailsLine::When),
                };
            }
            "message" => {
                let text = reader.text(&entry)?;
                message = reader.expression(&text);
            }
            "code" => {
                let text = reader.text(&entry)?;
                code = reader.expression(&text);
            }
            "symbols" => symbols = reader.text(&entry),
            _ => reader.unknown(&entry, &keys::ERROR),
        }
    }
    if !said {
        let diagnostic =
            Diagnostic::error("this error rule does not say when a call failed").at(entry.span.clone());
        let help = "add `fails = \"nonzero\"`, `\"zero\"`, `\"negative\"`, `\"null\"` or an expression";
        reader.push(diagnostic.help(help.to_owned()));
    }
    Some(ErrorLine { span: entry.key_span.clone(), fails: fails?, message, code, symbols })
}

/// A duration such as `500ms`, `2s` or `1m`; `None` when it is written otherwise, or is zero.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (number, factor) = [("ms", 1), ("s", 1_000), ("m", 60_000)]
        .into_iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))?;
    let milliseconds = number.parse::<u64>().ok()?.checked_mul(factor)?;
    (milliseconds > 0).then(|| Duration::from_millis(milliseconds))
}

pub(crate) fn duration(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Duration> {
    let text = reader.text(entry)?;
    let parsed = parse_duration(&text.value);
    if parsed.is_none() {
        let diagnostic = Diagnostic::error(format!("`{}` is no duration", text.value)).at(text.span);
        reader.push(
            diagnostic
                .help("write a whole number above 0 and its unit: \"500ms\", \"2s\", \"1m\"".to_owned()),
        );
    }
    parsed
}
