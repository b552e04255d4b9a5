//! One item: what a parameter or a result is for, in the contract's words.

use std::ops::Range;

use hotcell_model::interface::{Encoding, Unit};

use crate::contract::keys;
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Reader, Text, list};
use crate::expression::Node;

/// What a line says about a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) direction: Direction,
    /// Of the word that says so.
    pub(crate) span: Range<usize>,
    pub(crate) length: Option<Node>,
    pub(crate) capacity: Option<Node>,
    pub(crate) size: Option<Text>,
    pub(crate) result: Option<Node>,
    pub(crate) unit: Option<Unit>,
    pub(crate) nullable: bool,
    pub(crate) valid_on_error: bool,
}

/// Which way it goes, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Direction {
    Fixed(String),
    Text(Encoding),
    InValue,
    InBuffer,
    InOutValue,
    InOutBuffer,
    OutValue,
    OutBuffer,
}

/// What a line says about the returned value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReturnedItem {
    pub(crate) kind: ReturnedKind,
    pub(crate) span: Range<usize>,
    pub(crate) length: Option<Node>,
    pub(crate) nullable: bool,
    pub(crate) release: Option<Text>,
}

/// What the returned value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReturnedKind {
    Value,
    Status,
    Text(Encoding),
    Buffer,
}

impl Direction {
    /// As the contract writes it.
    pub(crate) fn written(&self) -> &'static str {
        match self {
            Direction::Fixed(_) => "fixed",
            Direction::Text(_) => "string",
            Direction::InValue => "in = \"value\"",
            Direction::InBuffer => "in = \"buffer\"",
            Direction::InOutValue => "inout = \"value\"",
            Direction::InOutBuffer => "inout = \"buffer\"",
            Direction::OutValue => "out = \"value\"",
            Direction::OutBuffer => "out = \"buffer\"",
        }
    }

    fn keys(&self) -> &'static [&'static str] {
        match self {
            Direction::Fixed(_) | Direction::InValue => &[],
            Direction::Text(_) => &["nullable", "length"],
            Direction::InBuffer => &["length", "unit", "nullable"],
            Direction::InOutBuffer => &["length", "unit", "result", "nullable", "valid_on_error"],
            Direction::OutBuffer => &["capacity", "size", "length", "unit", "valid_on_error"],
            Direction::InOutValue | Direction::OutValue => &["valid_on_error"],
        }
    }
}

/// Reads what `params.NAME` says. `span` is the place of the whole item.
pub(crate) fn param(reader: &mut Reader<'_>, entries: &[Entry<'_>], span: Range<usize>) -> Option<Item> {
    let mut directions = Vec::new();
    let mut item = Item {
        direction: Direction::InValue,
        span: span.clone(),
        length: None,
        capacity: None,
        size: None,
        result: None,
        unit: None,
        nullable: false,
        valid_on_error: false,
    };
    let mut whole = true;
    for entry in entries {
        let read = match entry.key {
            "in" | "inout" | "out" | "string" | "fixed" => direction(reader, entry)
                .map(|found| directions.push((found, entry.key_span.start..entry.span.end))),
            "length" => sized(reader, entry).map(|node| item.length = Some(node)),
            "capacity" => sized(reader, entry).map(|node| item.capacity = Some(node)),
            "result" => sized(reader, entry).map(|node| item.result = Some(node)),
            "size" => reader.text(entry).map(|text| item.size = Some(text)),
            "unit" => reader.word(entry, &["bytes", "elements"], &[]).map(|word| {
                item.unit = Some(if word == "bytes" { Unit::Bytes } else { Unit::Elements });
            }),
            "nullable" => reader.boolean(entry).map(|value| item.nullable = value),
            "valid_on_error" => reader.boolean(entry).map(|value| item.valid_on_error = value),
            _ => {
                reader.unknown(entry, &keys::PARAM);
                None
            }
        };
        whole &= read.is_some();
    }
    if !whole {
        return None;
    }
    (item.direction, item.span) = one(reader, directions, span)?;
    let own = item.direction.keys();
    let stranger = entries
        .iter()
        .find(|e| !own.contains(&e.key) && !["in", "inout", "out", "string", "fixed"].contains(&e.key));
    if let Some(entry) = stranger {
        misplaced(reader, entry, item.direction.written(), own);
        return None;
    }
    Some(item)
}

/// Reads what `result` says.
pub(crate) fn returned(
    reader: &mut Reader<'_>,
    entries: &[Entry<'_>],
    span: Range<usize>,
) -> Option<ReturnedItem> {
    let mut kinds = Vec::new();
    let mut item = ReturnedItem {
        kind: ReturnedKind::Value,
        span: span.clone(),
        length: None,
        nullable: false,
        release: None,
    };
    let mut whole = true;
    for entry in entries {
        let place = entry.key_span.start..entry.span.end;
        let read = match entry.key {
            "out" => reader.word(entry, &["value", "status", "buffer"], keys::LATER_KINDS).map(|word| {
                let kind = match word {
                    "value" => ReturnedKind::Value,
                    "status" => ReturnedKind::Status,
                    _ => ReturnedKind::Buffer,
                };
                kinds.push((kind, place));
            }),
            "string" => encoding(reader, entry).map(|found| kinds.push((ReturnedKind::Text(found), place))),
            "length" => sized(reader, entry).map(|node| item.length = Some(node)),
            "nullable" => reader.boolean(entry).map(|value| item.nullable = value),
            "release" => reader.text(entry).map(|text| item.release = Some(text)),
            _ => {
                reader.unknown(entry, &keys::RESULT);
                None
            }
        };
        whole &= read.is_some();
    }
    if !whole {
        return None;
    }
    (item.kind, item.span) = one(reader, kinds, span)?;
    let (written, own): (_, &[&str]) = match item.kind {
        ReturnedKind::Value => ("out = \"value\"", &[]),
        ReturnedKind::Status => ("out = \"status\"", &[]),
        ReturnedKind::Text(_) => ("string", &["nullable", "release"]),
        ReturnedKind::Buffer => ("out = \"buffer\"", &["length", "release"]),
    };
    if let Some(entry) = entries.iter().find(|e| !own.contains(&e.key) && !["out", "string"].contains(&e.key))
    {
        misplaced(reader, entry, written, own);
        return None;
    }
    if item.kind == ReturnedKind::Buffer && item.length.is_none() {
        let diagnostic = Diagnostic::error("a returned buffer needs its length").at(item.span.clone());
        reader.push(diagnostic.help("add `length = \"EXPRESSION\"`".to_owned()));
        return None;
    }
    Some(item)
}

fn direction(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Direction> {
    match entry.key {
        "string" => encoding(reader, entry).map(Direction::Text),
        "fixed" => {
            let text = reader.text(entry)?;
            if text.value.trim().is_empty() || text.value.contains([';', '\n', '#']) {
                let diagnostic = Diagnostic::error("`fixed` is one C expression").at(text.span);
                reader.push(diagnostic.help("write a macro, a number, `sizeof(…)` or `NULL`".to_owned()));
                return None;
            }
            Some(Direction::Fixed(text.value.trim().to_owned()))
        }
        key => {
            let buffer = reader.word(entry, keys::KINDS, keys::LATER_KINDS)? == "buffer";
            Some(match (key, buffer) {
                ("in", false) => Direction::InValue,
                ("in", true) => Direction::InBuffer,
                ("inout", false) => Direction::InOutValue,
                ("inout", true) => Direction::InOutBuffer,
                (_, false) => Direction::OutValue,
                (_, true) => Direction::OutBuffer,
            })
        }
    }
}

fn encoding(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Encoding> {
    let word = reader.word(entry, keys::ENCODINGS.0, keys::ENCODINGS.1)?;
    Some(if word == "utf-8" { Encoding::Utf8 } else { Encoding::Bytes })
}

/// A size: an expression, or an integer as it is.
fn sized(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Node> {
    if let toml::de::DeValue::Integer(_) = entry.value {
        let value = reader.integer(entry)?;
        return Some(Node { kind: crate::expression::Kind::Int(value), span: entry.span.clone() });
    }
    let text = reader.text(entry)?;
    reader.expression(&text)
}

/// The only one, or an error.
fn one<T>(
    reader: &mut Reader<'_>,
    mut found: Vec<(T, Range<usize>)>,
    whole: Range<usize>,
) -> Option<(T, Range<usize>)> {
    if found.len() > 1 {
        let message = "an item says one thing: `in`, `out`, `inout`, `string` or `fixed`";
        reader.push(Diagnostic::error(message).at(found[1].1.clone()).label("a second direction"));
        return None;
    }
    if found.is_empty() {
        let message = "this item does not say what the value is for";
        let help = "add one of `in`, `out`, `inout`, `string` and `fixed`".to_owned();
        reader.push(Diagnostic::error(message).at(whole).help(help));
    }
    found.pop()
}

fn misplaced(reader: &mut Reader<'_>, entry: &Entry<'_>, written: &str, own: &[&str]) {
    let help = match own {
        [] => "it stands alone".to_owned(),
        _ => format!("it goes with {}", list(own)),
    };
    let message = format!("`{}` does not go with `{written}`", entry.key);
    reader.push(Diagnostic::error(message).at(entry.key_span.clone()).help(help));
}
