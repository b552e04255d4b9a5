//! `restore` in a line of `[handle]`: how an object is made anew in the next worker.

use std::ops::Range;

use crate::contract::{Configure, RestoreLine, keys};
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Reader, Text};
use crate::pattern;

/// As often as an object may be made anew.
const MOST_TIMES: u32 = 1_000_000;

/// Reads the table.
pub(crate) fn restore<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Option<RestoreLine> {
    let span = entry.key_span.clone();
    let mut line = RestoreLine { span: span.clone(), by: Vec::new(), configure: Vec::new(), times: None };
    let entries = reader.table(entry)?;
    for entry in &entries {
        match entry.key {
            "by" => {
                line.by = reader.texts(entry).unwrap_or_default();
                let wrong = line.by.iter().filter_map(|text| pattern::wrong(reader.text, text, "function"));
                reader.diagnostics.extend(wrong.collect::<Vec<_>>());
            }
            "configure" => {
                let texts = reader.texts(entry).unwrap_or_default();
                line.configure = texts.iter().filter_map(|text| configure(reader, text)).collect();
            }
            "times" => line.times = times(reader, entry),
            _ => reader.unknown(entry, &keys::RESTORE),
        }
    }
    if line.by.is_empty() {
        let help = "add `by = [\"…\"]`: the calls of these functions are made again".to_owned();
        let diagnostic = Diagnostic::error("`restore` does not say which functions make an object").at(span);
        reader.push(diagnostic.help(help));
    }
    Some(line)
}

fn times(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<u32> {
    let number = reader.integer(entry)?;
    let times = u32::try_from(number).ok().filter(|times| (1..=MOST_TIMES).contains(times));
    if times.is_none() {
        let message = format!("an object cannot be made anew `{number}` times");
        let diagnostic = Diagnostic::error(message).at(entry.span.clone());
        reader.push(diagnostic.help(format!("write 1 to {MOST_TIMES}")));
    }
    times
}

/// Reads `FUNCTION` or `FUNCTION(PARAM, …)`.
fn configure(reader: &mut Reader<'_>, text: &Text) -> Option<Configure> {
    let part = |reader: &Reader<'_>, range: Range<usize>| {
        let value = text.value[range.clone()].trim().to_owned();
        let begins = range.start + (text.value[range.clone()].len() - text.value[range].trim_start().len());
        Text { span: text.place(reader.text, begins..begins + value.len()), value }
    };
    let read = match text.value.split_once('(') {
        None => Configure { function: text.clone(), key: Vec::new() },
        Some((function, behind)) => {
            let Some(inside) = behind.strip_suffix(')') else {
                let help = "write FUNCTION, or FUNCTION(PARAM, …) with the parameters that say what it sets";
                let message = format!("`{}` has no `)` at its end", text.value);
                reader.push(Diagnostic::error(message).at(text.span.clone()).help(help.to_owned()));
                return None;
            };
            let mut at = function.len() + 1;
            let names = inside.split(',').map(|name| {
                let range = at..at + name.len();
                at = range.end + 1;
                part(reader, range)
            });
            let key = names.collect();
            Configure { function: part(reader, 0..function.len()), key }
        }
    };
    let wrong = pattern::wrong(reader.text, &read.function, "function");
    let right = wrong.is_none();
    reader.diagnostics.extend(wrong);
    right.then_some(read)
}
