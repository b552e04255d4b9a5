//! One item: what a parameter, a result, a field or a parameter of a callback is for, in the contract's words.

use std::ops::Range;

use hotcell_model::interface::{CallbackStream, Direction, Encoding, Pad, Unit};

use crate::check::fixed;
use crate::contract::keys::{self, Keys};
use crate::contract::{ParamLine, Stream, function};
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Reader, Text, list};
use crate::expression::Node;

/// What something is, before it is compared with a C type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Value(Direction),
    Status,
    Buffer(Direction),
    Text,
    Fixed,
    Handle,
    Consumed,
    Struct(Direction),
    Structs(Direction),
    Texts,
    Owned,
    Borrowed,
    TextOut,
    TextsOut,
    Data,
    Offset,
    /// Only until its table has been read: then it is data.
    Stream(Stream, Direction),
    /// Only until its table has been read: then it is fixed.
    Told,
    Callback,
    Kept,
    Handles,
    Ignored,
    Own,
    Zero,
    UserData,
    /// A union that is told by a field.
    Union,
    /// A union of one member.
    Member,
}

/// A way to write an item: a key, the word behind it, and the keys that go with it.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) what: What,
    pub(crate) key: &'static str,
    /// `None`: an encoding, C text or `true` stands there.
    pub(crate) word: Option<&'static str>,
    pub(crate) with: &'static [&'static str],
    /// Those of them that must be there.
    pub(crate) needs: &'static [&'static str],
    /// What it is, in a few words.
    pub(crate) says: &'static str,
}

impl Kind {
    /// As the contract writes it.
    pub(crate) fn written(&self) -> String {
        match self.word {
            Some(word) => format!("{} = \"{word}\"", self.key),
            None => self.key.to_owned(),
        }
    }
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) what: What,
    /// As the contract writes `what`.
    pub(crate) written: String,
    /// Of the word that says so.
    pub(crate) span: Range<usize>,
    /// C text behind `fixed`, the field behind `union`, the member behind `member`.
    pub(crate) c: String,
    /// Members of a union, each with what tells that it is there.
    pub(crate) members: Vec<(Text, Vec<Text>)>,
    pub(crate) encoding: Encoding,
    pub(crate) pad: Option<Pad>,
    pub(crate) length: Option<Node>,
    pub(crate) capacity: Option<Node>,
    pub(crate) left: Option<Node>,
    pub(crate) size: Option<Text>,
    pub(crate) result: Option<Node>,
    pub(crate) unit: Option<Unit>,
    pub(crate) nullable: bool,
    pub(crate) valid_on_error: bool,
    pub(crate) invalidates: bool,
    pub(crate) on_success: bool,
    pub(crate) starts: Option<Starts>,
    pub(crate) handle: Option<Text>,
    pub(crate) parent: Option<Text>,
    pub(crate) release: Option<Text>,
    pub(crate) of: Option<Text>,
    /// The parameter that points to the end of a range.
    pub(crate) end: Option<Text>,
    /// The parameter of a callback that has a text.
    pub(crate) text: Option<Text>,
    pub(crate) user_data: Option<Text>,
    pub(crate) user_data_from: Option<Node>,
    pub(crate) until: Option<Text>,
    /// Where it says that a later call takes the place of this one.
    pub(crate) replaced: Option<Range<usize>>,
    /// Where it says that a callback comes from any thread.
    pub(crate) any_thread: Option<Range<usize>>,
    /// Whether a callback moves bytes of a stream, and where it says so.
    pub(crate) stream: Option<(CallbackStream, Range<usize>)>,
    pub(crate) on_failure: Option<OnFailure>,
    pub(crate) params: Vec<ParamLine>,
}

/// `on_failure = …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// What the callback returns, with its place.
    Value(i64, Range<usize>),
    /// What is called before it returns.
    Call(Node),
}

/// `starts = …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Starts {
    /// The function that ends the object.
    pub(crate) release: Option<String>,
    pub(crate) span: Range<usize>,
}

impl Item {
    pub(crate) fn new(what: What, written: String, span: Range<usize>) -> Item {
        Item {
            what,
            written,
            span,
            c: String::new(),
            members: Vec::new(),
            encoding: Encoding::Utf8,
            pad: None,
            length: None,
            capacity: None,
            left: None,
            size: None,
            result: None,
            unit: None,
            nullable: false,
            valid_on_error: false,
            invalidates: false,
            on_success: false,
            starts: None,
            handle: None,
            parent: None,
            release: None,
            of: None,
            end: None,
            text: None,
            user_data: None,
            user_data_from: None,
            until: None,
            replaced: None,
            any_thread: None,
            stream: None,
            on_failure: None,
            params: Vec::new(),
        }
    }
}

/// Reads an item of a place. `span` is the place of the whole item.
pub(crate) fn read<'a>(
    reader: &mut Reader<'a>,
    entries: &[Entry<'a>],
    span: Range<usize>,
    of: &'static Keys,
) -> Option<Item> {
    let before = reader.diagnostics.len();
    let mut found = Vec::new();
    // What an item is decides what its other keys mean, so it is read first.
    for entry in entries.iter().filter(|entry| of.kinds.iter().any(|kind| kind.key == entry.key)) {
        let place = entry.key_span.start..entry.span.end;
        if let Some((kind, text)) = kind(reader, entry, of) {
            found.push((kind, text, place));
        }
    }
    // `user_data` is an item of its own in one place, and goes with a callback in another.
    let said = |entry: &&Entry<'_>| !of.kinds.iter().any(|kind| kind.key == entry.key);
    let rest: Vec<&Entry<'a>> = entries.iter().filter(said).collect();
    let mut item = Item::new(What::Status, String::new(), span.clone());
    for entry in &rest {
        value(reader, entry, of, &mut item);
    }
    if reader.diagnostics.len() > before {
        return None;
    }
    let (kind, text, place) = one(reader, found, span, of)?;
    let mut item = Item { what: kind.what, written: kind.written(), span: place, ..item };
    match kind.what {
        What::Fixed | What::Union | What::Member => item.c = text.unwrap_or_default(),
        What::Text => item.encoding = encoding_of(text.as_deref()),
        _ => {}
    }
    if let Some(entry) = rest.iter().find(|entry| !kind.with.contains(&entry.key)) {
        misplaced(reader, entry, &item.written, kind.with);
        return None;
    }
    let missing = kind.needs.iter().find(|need| !rest.iter().any(|entry| entry.key == **need));
    if let Some(need) = missing {
        let message = format!("`{}` needs `{need}`", item.written);
        let says = of.describe(need);
        let says = says.char_indices().map(|(at, c)| if at == 0 { c.to_ascii_lowercase() } else { c });
        let help = format!("add `{need} = \"…\"`: {}", says.collect::<String>());
        reader.push(Diagnostic::error(message).at(item.span.clone()).help(help));
        return None;
    }
    Some(item)
}

/// The kind that an entry says, with the text behind it where that is not a word of the vocabulary.
fn kind<'a>(
    reader: &mut Reader<'a>,
    entry: &Entry<'a>,
    of: &'static Keys,
) -> Option<(&'static Kind, Option<String>)> {
    let kinds = || of.kinds.iter().filter(|kind| kind.key == entry.key);
    match entry.key {
        "string" => {
            let word = reader.word_of(entry, keys::ENCODINGS)?;
            Some((kinds().next()?, Some(word.to_owned())))
        }
        "fixed" => {
            let text = reader.text(entry)?;
            let c = &text.value;
            if c.trim().is_empty() || c.contains([';', '\n', '#']) || !fixed::is_whole(c) {
                let diagnostic = Diagnostic::error("`fixed` is one C expression").at(text.span);
                reader.push(diagnostic.help("write a macro, a number, `sizeof(…)` or `NULL`".to_owned()));
                return None;
            }
            Some((kinds().next()?, Some(text.value.trim().to_owned())))
        }
        "union" | "member" => {
            let text = reader.text(entry)?;
            Some((kinds().next()?, Some(text.value)))
        }
        "own" | "zero" | "user_data" => {
            if reader.boolean(entry)? {
                return Some((kinds().next()?, None));
            }
            let diagnostic = Diagnostic::error(format!("`{}` is `true`, or is not there", entry.key));
            reader.push(diagnostic.at(entry.span.clone()));
            None
        }
        key => {
            let word = reader.word(entry, &of.words(key), of.later_kinds)?;
            kinds().find(|kind| kind.word == Some(word)).map(|kind| (kind, None))
        }
    }
}

/// Reads a key that goes with what the item is.
fn value<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>, of: &'static Keys, item: &mut Item) {
    match entry.key {
        key if !of.names().contains(&key) => reader.unknown(entry, of),
        "length" => item.length = sized(reader, entry),
        "capacity" => item.capacity = sized(reader, entry),
        "left" => item.left = sized(reader, entry),
        "result" => item.result = sized(reader, entry),
        "size" => item.size = reader.text(entry),
        "unit" => {
            let word = reader.word_of(entry, keys::UNITS);
            item.unit = word.map(|word| if word == "bytes" { Unit::Bytes } else { Unit::Elements });
        }
        "nullable" => item.nullable = reader.boolean(entry).unwrap_or(false),
        "valid_on_error" => item.valid_on_error = reader.boolean(entry).unwrap_or(false),
        "invalidates" => item.invalidates = reader.boolean(entry).unwrap_or(false),
        "pad" => {
            let word = reader.word_of(entry, keys::PADS);
            item.pad = word.map(|word| if word == "nul" { Pad::Nul } else { Pad::Space });
        }
        "members" => item.members = members(reader, entry),
        "encoding" => item.encoding = encoding_of(reader.word_of(entry, keys::ENCODINGS)),
        "on_success" => item.on_success = reader.boolean(entry).unwrap_or(false),
        "starts" => item.starts = starts(reader, entry),
        "handle" => item.handle = reader.text(entry),
        "parent" => item.parent = reader.text(entry),
        "release" => item.release = reader.text(entry),
        "of" => item.of = reader.text(entry),
        "end" => item.end = reader.text(entry),
        "text" => item.text = reader.text(entry),
        "user_data" => item.user_data = reader.text(entry),
        "user_data_from" => {
            item.user_data_from = reader.text(entry).and_then(|text| reader.expression(&text));
        }
        "until" => item.until = reader.text(entry),
        "replaced" => {
            let replaced = reader.boolean(entry) == Some(true);
            item.replaced = replaced.then_some(entry.key_span.start..entry.span.end);
        }
        "threads" => {
            let any = reader.word_of(entry, keys::CALLBACK_THREADS) == Some("any");
            item.any_thread = any.then_some(entry.key_span.start..entry.span.end);
        }
        "stream" => {
            let stream = match reader.word_of(entry, keys::CALLBACK_STREAM) {
                Some("write") => Some(CallbackStream::Write),
                word => word.map(|_| CallbackStream::Read),
            };
            item.stream = stream.map(|stream| (stream, entry.key_span.start..entry.span.end));
        }
        "on_failure" => item.on_failure = on_failure(reader, entry),
        "params" => item.params = function::params(reader, entry, &keys::CALLBACK_PARAM),
        _ => reader.unknown(entry, of),
    }
}

/// An integer, or an expression.
fn on_failure(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<OnFailure> {
    match entry.value {
        toml::de::DeValue::String(_) => {
            let text = reader.text(entry)?;
            reader.expression(&text).map(OnFailure::Call)
        }
        _ => reader.integer(entry).map(|value| OnFailure::Value(value, entry.span.clone())),
    }
}

/// The name of a function, or `true`.
pub(crate) fn starts(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Starts> {
    let span = entry.span.clone();
    match entry.value {
        toml::de::DeValue::Boolean(true) => Some(Starts { release: None, span }),
        toml::de::DeValue::String(value) => Some(Starts { release: Some(value.to_string()), span }),
        _ => {
            let diagnostic =
                Diagnostic::error(format!("`{}` is the name of a function, or `true`", entry.key)).at(span);
            reader.push(diagnostic.help("name the function that ends the object".to_owned()));
            None
        }
    }
}

/// Members of a union, each with a list of constants.
fn members<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Vec<(Text, Vec<Text>)> {
    let lines = reader.table(entry).unwrap_or_default();
    let line = |line: &Entry<'a>| {
        let member = Text { value: line.key.to_owned(), span: line.key_span.clone() };
        Some((member, reader.texts(line)?))
    };
    lines.iter().filter_map(line).collect()
}

fn encoding_of(word: Option<&str>) -> Encoding {
    match word {
        Some("bytes") => Encoding::Bytes,
        Some("utf-16") => Encoding::Utf16,
        Some("utf-32") => Encoding::Utf32,
        Some("latin-1") => Encoding::Latin1,
        _ => Encoding::Utf8,
    }
}

/// A size: an expression, or an integer as it is.
fn sized(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Node> {
    if let toml::de::DeValue::Integer(_) = entry.value {
        let value = reader.integer(entry)?;
        return Some(Node { kind: crate::expression::Kind::Int(value.into()), span: entry.span.clone() });
    }
    let text = reader.text(entry)?;
    reader.expression(&text)
}

type Found = (&'static Kind, Option<String>, Range<usize>);

/// The only one, or an error.
fn one(
    reader: &mut Reader<'_>,
    mut found: Vec<Found>,
    whole: Range<usize>,
    of: &'static Keys,
) -> Option<Found> {
    let mut words: Vec<&str> = Vec::new();
    for kind in of.kinds {
        if !words.contains(&kind.key) {
            words.push(kind.key);
        }
    }
    if found.len() > 1 {
        let message = format!("an item says one thing: {}", list(&words).replace(" and ", " or "));
        reader.push(Diagnostic::error(message).at(found[1].2.clone()).label("a second direction"));
        return None;
    }
    if found.is_empty() {
        let message = "this item does not say what the value is for";
        let help = format!("add one of {}", list(&words));
        reader.push(Diagnostic::error(message).at(whole).help(help));
    }
    found.pop()
}

fn misplaced(reader: &mut Reader<'_>, entry: &Entry<'_>, written: &str, own: &[&str]) {
    let help = match own {
        _ if entry.key == "valid_on_error" && written == "out = \"struct\"" => {
            "write `inout = \"struct\"`: what a failed call leaves in it is then in the caller's own structure".to_owned()
        }
        [] => "it stands alone".to_owned(),
        _ => format!("it goes with {}", list(own)),
    };
    let message = format!("`{}` does not go with `{written}`", entry.key);
    reader.push(Diagnostic::error(message).at(entry.key_span.clone()).help(help));
}
