//! What makes a `[function.NAME]` a function of its own: a form of one of the library, or a macro by its prototype.

use std::ops::Range;

use hotcell_model::interface::{Direction, Unit};

use crate::contract::item::What;
use crate::contract::{FunctionLines, Item, ParamLine};
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Reader, Text};
use crate::expression::{Kind, Node};
use crate::pattern;
use crate::typed;

/// The keys that make it one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FormLine {
    /// The function that is called.
    pub(crate) of: Option<Text>,
    /// C declarations of arguments behind those of the prototype.
    pub(crate) further: Option<Text>,
    /// A parameter and the constants that it is: a function for each.
    pub(crate) each: Option<Each>,
    /// The prototype of a macro.
    pub(crate) declare: Option<Text>,
    /// Parameters of the prototype that have another type there.
    pub(crate) typed: Option<Text>,
    /// The parameter by which it hands out what it returns in this form.
    pub(crate) returns: Option<Text>,
    /// Fields that are set for the call.
    pub(crate) with: Vec<WithLine>,
    /// Parameters that are streams, descriptors, cursors and the like to the library, and data to callers.
    pub(crate) streams: Vec<StreamLine>,
    /// Memory that is given back by more than its pointer.
    pub(crate) gives: Vec<GiveLine>,
    /// Parameters that are functions which are told what failed.
    pub(crate) tells: Vec<TellLine>,
}

/// A `release` that is a call, with other arguments besides the pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GiveLine {
    /// The parameter that hands the memory out; none is the result.
    pub(crate) param: Option<String>,
    pub(crate) call: Node,
    /// The function in C that makes the call, of the pointer alone.
    pub(crate) c: String,
}

/// `with.PARAM = "DECLARATIONS"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WithLine {
    pub(crate) param: Text,
    /// Fields of what it points to, in C.
    pub(crate) fields: Text,
}

/// A parameter that is `callback = "told"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TellLine {
    pub(crate) param: Text,
    /// The callback's parameter with the text.
    pub(crate) text: Text,
    /// The function in C that stands there.
    pub(crate) c: String,
}

/// `each.PARAM = [CONSTANTS]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Each {
    pub(crate) param: Text,
    pub(crate) constants: Vec<Text>,
}

/// A parameter that travels otherwise than the library takes it: `in` or `out = "file"`, `"descriptor"` or `"cursor"`,
/// `in = "address"`, `"fields"`, `"part"` or `"range"`, `out = "measured"`, `inout = "text"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamLine {
    pub(crate) param: Text,
    pub(crate) stream: Stream,
    pub(crate) direction: Direction,
    /// The parameter that belongs to it: a cursor's length, the end of a range.
    pub(crate) other: Option<Text>,
    /// Whether the library goes on with a descriptor when the call has returned.
    pub(crate) kept: bool,
    /// Whether lengths count bytes, whatever the memory consists of.
    pub(crate) in_bytes: bool,
}

/// What the library gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// A `FILE *`.
    File,
    /// A file descriptor.
    Descriptor,
    /// The address of a variable with a pointer.
    Address,
    /// The address of a structure that is part of another one.
    Part,
    /// A structure that is made of its fields.
    Fields,
    /// The address of a pointer that it moves on, and how much there is.
    Cursor,
    /// Two pointers: the beginning of data, and its end.
    Range,
    /// A text that it changes where it is.
    Text,
    /// Memory of which it says how much there is when it is called without.
    Measured,
}

impl FormLine {
    /// Whether it makes a function of another name.
    pub(crate) fn is_one(&self) -> bool {
        self.of.is_some() || self.declare.is_some()
    }

    /// The parameters whose memory is measured by a call without any.
    pub(crate) fn measured(&self) -> Vec<Text> {
        let measured = self.streams.iter().filter(|line| line.stream == Stream::Measured);
        measured.map(|line| line.param.clone()).collect()
    }

    /// Whether the functions that its table is about are called in this form, under their own names.
    pub(crate) fn is_own(&self) -> bool {
        let changed = self.further.is_some()
            || self.typed.is_some()
            || self.returns.is_some()
            || !self.with.is_empty()
            || !self.streams.is_empty()
            || !self.gives.is_empty();
        !self.is_one() && self.each.is_none() && changed
    }
}

/// Reads a key of a form.
pub(crate) fn key<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>, form: &mut FormLine) {
    match entry.key {
        "of" => form.of = reader.text(entry),
        "further" => form.further = reader.text(entry),
        "as" => form.typed = reader.text(entry),
        "declare" => form.declare = reader.text(entry),
        "returns" => form.returns = reader.text(entry),
        "with" => form.with = with(reader, entry),
        _ => form.each = each(reader, entry),
    }
}

fn with<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Vec<WithLine> {
    let lines = reader.table(entry).unwrap_or_default();
    let line = |line: &Entry<'a>| {
        let param = Text { value: line.key.to_owned(), span: line.key_span.clone() };
        Some(WithLine { param, fields: reader.text(line)? })
    };
    lines.iter().filter_map(line).collect()
}

fn each<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Option<Each> {
    let lines = reader.table(entry)?;
    let [line] = &lines[..] else {
        let help = "write `each.PARAM = [\"CONSTANTS_*\"]`, with one parameter".to_owned();
        reader.push(Diagnostic::error("`each` is about one parameter").at(entry.key_span.clone()).help(help));
        return None;
    };
    let constants = reader.texts(line)?;
    let wrong: Vec<_> =
        constants.iter().filter_map(|text| pattern::wrong(reader.text, text, "constant")).collect();
    reader.diagnostics.extend(wrong);
    let param = Text { value: line.key.to_owned(), span: line.key_span.clone() };
    Some(Each { param, constants })
}

/// Takes streams out of the lines of a table that has been read, and says what of its form makes no sense.
pub(crate) fn finish(reader: &mut Reader<'_>, lines: &mut FunctionLines) {
    let (mut streams, mut tells, mut more) = (Vec::new(), Vec::new(), Vec::new());
    for line in &mut lines.params {
        if let (What::Told, Some(text)) = (line.item.what, line.item.text.take()) {
            let param = Text { value: line.name.clone(), span: line.span.clone() };
            // One function for each line: its place tells it from others.
            line.item.c = format!("hotcell_tell_{}", line.span.start);
            line.item.what = What::Fixed;
            tells.push(TellLine { param, text, c: line.item.c.clone() });
        }
        let What::Stream(stream, direction) = line.item.what else { continue };
        let param = Text { value: line.name.clone(), span: line.span.clone() };
        if pattern::is_pattern(&line.name) {
            let help = "name the parameter".to_owned();
            let message = format!("`{}` is about one parameter", line.item.written);
            reader.push(Diagnostic::error(message).at(line.span.clone()).help(help));
            continue;
        }
        let other = match stream {
            Stream::Cursor | Stream::Measured => line
                .item
                .length
                .as_ref()
                .map(|node| Text { value: node.to_string(), span: node.span.clone() }),
            Stream::Part => line.item.of.take(),
            _ => line.item.end.take(),
        };
        let kept = kept(reader, &mut line.item);
        let in_bytes = line.item.unit == Some(Unit::Bytes);
        match stream {
            Stream::Address | Stream::Fields | Stream::Part => {}
            Stream::Text => more.push(as_text(&mut line.item, &param)),
            _ => more.extend(as_data(reader, &mut line.item, &param, (stream, direction))),
        }
        streams.push(StreamLine { param, stream, direction, other, kept, in_bytes });
    }
    lines.params.extend(more);
    let mut gives = Vec::new();
    for line in &mut lines.params {
        let param = Text { value: line.name.clone(), span: line.span.clone() };
        gives.extend(gives_back(reader, &mut line.item, Some(&param)));
    }
    if let Some(item) = &mut lines.result {
        gives.extend(gives_back(reader, item, None));
    }
    for line in &mut lines.results {
        let param = Text { value: line.name.clone(), span: line.span.clone() };
        gives.extend(gives_back(reader, &mut line.item, Some(&param)));
    }
    lines.form.gives = gives;
    // An object is what the rest of the contract says of it.
    let object = [Stream::Address, Stream::Fields, Stream::Part];
    let is_one = |what: What| matches!(what, What::Stream(stream, _) if object.contains(&stream));
    lines.params.retain(|line| !is_one(line.item.what));
    lines.form.streams = streams;
    lines.form.tells = tells;
    let form = &lines.form;
    let several = pattern::is_pattern(&lines.name);
    let wrong = |message: String, at: &Range<usize>, help: &str| {
        Some(Diagnostic::error(message).at(at.clone()).help(help.to_owned()))
    };
    let found = match (&form.of, &form.declare, &form.each) {
        (Some(of), Some(_), _) => wrong(
            "`of` and `declare` do not go together".to_owned(),
            &of.span,
            "a macro has `declare`, a function of the headers `of`",
        ),
        (None, Some(declare), Some(_)) => {
            wrong("`each` goes with `of`".to_owned(), &declare.span, "declare each macro by itself")
        }
        (_, _, Some(_)) if lines.name.matches('*').count() != 1 || lines.name.contains(['{', '(']) => wrong(
            format!("`{}` does not say how the functions of `each` are called", lines.name),
            &lines.span,
            "write one `*` in the name: it stands for what is different in the constants, in small letters",
        ),
        (_, _, None) if several && form.is_one() => wrong(
            format!("`{}` is a pattern, and this is one function", lines.name),
            &lines.span,
            "give it a name; `each.PARAM` makes several",
        ),
        (None, None, _) => form.each.as_ref().and_then(|each| {
            let help = "give this table a name of its own, and add `of = \"…\"`: the function that is called";
            wrong("`each` makes other functions, which need `of`".to_owned(), &each.param.span, help)
        }),
        (None, Some(_), None) => {
            let with = form.with.first().map(|line| &line.fields);
            let of = form.further.as_ref().or(form.typed.as_ref()).or(form.returns.as_ref()).or(with);
            let of = of.map(|text| &text.span);
            of.or(form.streams.first().map(|line| &line.param.span)).and_then(|at| {
                wrong("this goes with `of`, not with `declare`".to_owned(), at, "say it of a function")
            })
        }
        _ => None,
    };
    if let Some(diagnostic) = found {
        reader.push(diagnostic);
    }
}

/// Takes a `release` that is a call out of an item, which has the function that makes the call instead.
fn gives_back(reader: &mut Reader<'_>, item: &mut Item, param: Option<&Text>) -> Option<GiveLine> {
    let release = item.release.as_mut().filter(|release| release.value.contains('('))?;
    if let Some(param) =
        param.filter(|param| pattern::is_pattern(&param.value) || typed::is_typed(&param.value))
    {
        let help = "name the parameter, or say it of the result of each function".to_owned();
        let message = "a `release` that is a call is about one parameter";
        reader.push(Diagnostic::error(message).at(param.span.clone()).help(help));
        return None;
    }
    let call = reader.expression(release)?;
    if !matches!(call.kind, Kind::Call(..)) {
        let help = "write `release = \"FUNCTION\"`, or `\"FUNCTION(ARGUMENTS)\"`".to_owned();
        let message = format!("`{call}` calls no function");
        reader.push(Diagnostic::error(message).at(release.span.clone()).help(help));
        return None;
    }
    // One function for each line: its place tells it from others.
    let c = format!("hotcell_give_back_{}", release.span.start);
    release.value.clone_from(&c);
    Some(GiveLine { param: param.map(|param| param.value.clone()), call, c })
}

/// Whether the library keeps a descriptor: the only thing that goes on behind the call is what it returns.
fn kept(reader: &mut Reader<'_>, item: &mut Item) -> bool {
    let Some(until) = item.until.take() else { return false };
    if until.value != "result" {
        let help =
            "write `until = \"result\"`, or leave it out: then the descriptor is there during the call"
                .to_owned();
        let message = format!("a descriptor is not kept until `{}` goes", until.value);
        reader.push(Diagnostic::error(message).at(until.span).help(help));
    }
    true
}

/// What a text that the library changes is to callers: one that goes in, and one that comes out, whatever became of the call.
fn as_text(item: &mut Item, param: &Text) -> ParamLine {
    item.what = What::Text;
    let mut after = Item::new(What::TextOut, item.written.clone(), item.span.clone());
    after.encoding = item.encoding;
    after.valid_on_error = true;
    after.release = Some(Text { value: "free".to_owned(), span: item.span.clone() });
    ParamLine { name: after_of(&param.value), span: param.span.clone(), item: after }
}

/// What a stream, a cursor or a range is to callers: data with its length, as the added function takes it. Of a cursor that is read
/// comes out how much was.
fn as_data(
    reader: &mut Reader<'_>,
    item: &mut Item,
    param: &Text,
    (stream, direction): (Stream, Direction),
) -> Option<ParamLine> {
    let length = Text { value: size_of(&param.value), span: item.span.clone() };
    item.length = reader.expression(&length);
    match direction {
        Direction::In => item.what = What::Buffer(Direction::In),
        _ if stream == Stream::Cursor => item.what = What::Buffer(Direction::Out),
        _ => {
            item.what = What::Data;
            // It is there whatever became of the call.
            item.valid_on_error = true;
            item.release = Some(Text { value: "free".to_owned(), span: item.span.clone() });
        }
    }
    (stream == Stream::Cursor && direction == Direction::In).then(|| {
        let mut read = Item::new(What::Value(Direction::Out), item.written.clone(), item.span.clone());
        read.valid_on_error = true;
        ParamLine { name: read_of(&param.value), span: param.span.clone(), item: read }
    })
}

/// The parameter of an added function that has what the function returns, where that returns something else.
pub(crate) const RETURNED: &str = "returned";

/// The line about that parameter.
pub(crate) fn returned(returns: &Text) -> ParamLine {
    let item = Item::new(What::Value(Direction::Out), "out = \"value\"".to_owned(), returns.span.clone());
    ParamLine {
        name: RETURNED.to_owned(),
        span: returns.span.clone(),
        item: Item { valid_on_error: true, ..item },
    }
}

/// The parameter of an added function that has how much of a cursor's data was read.
pub(crate) fn read_of(param: &str) -> String {
    format!("{param}_read")
}

/// The parameter of an added function that has what became of a text.
pub(crate) fn after_of(param: &str) -> String {
    format!("{param}_after")
}

/// The parameter of an added function that has the length of a stream's data.
pub(crate) fn size_of(param: &str) -> String {
    format!("{param}_size")
}
