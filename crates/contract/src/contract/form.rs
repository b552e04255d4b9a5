//! What makes a `[function.NAME]` a function of its own: a form of one of the library, or a macro by its prototype.

use std::ops::Range;

use hotcell_model::interface::Direction;

use crate::contract::item::What;
use crate::contract::{FunctionLines, Item};
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Reader, Text};
use crate::pattern;

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
    /// Parameters that are streams and descriptors to the library, and data to callers.
    pub(crate) streams: Vec<StreamLine>,
    /// Parameters that are functions which are told what failed.
    pub(crate) tells: Vec<TellLine>,
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

/// A parameter that is `in` or `out = "file"` or `"descriptor"`, or `in = "address"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamLine {
    pub(crate) param: Text,
    pub(crate) stream: Stream,
    pub(crate) direction: Direction,
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
}

impl FormLine {
    fn is_one(&self) -> bool {
        self.of.is_some() || self.declare.is_some()
    }
}

/// Reads a key of a form.
pub(crate) fn key<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>, form: &mut FormLine) {
    match entry.key {
        "of" => form.of = reader.text(entry),
        "further" => form.further = reader.text(entry),
        "declare" => form.declare = reader.text(entry),
        _ => form.each = each(reader, entry),
    }
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
    let (mut streams, mut tells) = (Vec::new(), Vec::new());
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
        if stream != Stream::Address {
            as_data(reader, &mut line.item, &param, direction);
        }
        streams.push(StreamLine { param, stream, direction });
    }
    // An object is what the rest of the contract says of it.
    lines.params.retain(|line| !matches!(line.item.what, What::Stream(Stream::Address, _)));
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
        (None, None, _) => {
            let text = form.further.as_ref().map(|text| ("`further`", &text.span));
            let each = form.each.as_ref().map(|each| ("`each`", &each.param.span));
            let stream = form.streams.first().map(|line| ("a stream", &line.param.span));
            text.or(each).or(stream).and_then(|(what, at)| {
                let help =
                    "give this table a name of its own, and add `of = \"…\"`: the function that is called";
                wrong(format!("{what} makes another function, which needs `of`"), at, help)
            })
        }
        (None, Some(_), None) => {
            let of = form.further.as_ref().map(|text| &text.span);
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

/// What a stream is to callers: data with its length, as the added function takes it.
fn as_data(reader: &mut Reader<'_>, item: &mut Item, param: &Text, direction: Direction) {
    let length = Text { value: size_of(&param.value), span: item.span.clone() };
    item.length = reader.expression(&length);
    match direction {
        Direction::In => item.what = What::Buffer(Direction::In),
        _ => {
            item.what = What::Data;
            // It is there whatever became of the call.
            item.valid_on_error = true;
            item.release = Some(Text { value: "free".to_owned(), span: item.span.clone() });
        }
    }
}

/// The parameter of an added function that has the length of a stream's data.
pub(crate) fn size_of(param: &str) -> String {
    format!("{param}_size")
}
