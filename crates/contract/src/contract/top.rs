//! The keys of the file itself.

use std::ops::Range;

use hotcell_model::interface::{GuardWord, Threads};
use toml::de::DeTable;

use crate::contract::families::Families;
use crate::contract::index::Index;
use crate::contract::{
    Contract, LifeLine, Nullable, Selector, families, function, handle, keys, recycle, sandbox, state,
    structure,
};
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Reader, Text, entries};
use crate::pattern;

/// Versions of the vocabulary that this program reads.
const VERSION: i64 = 1;

/// Reads a file.
pub(crate) fn read(text: &str) -> Result<Contract, Vec<Diagnostic>> {
    let document = DeTable::parse(text).map_err(|error| {
        let diagnostic = Diagnostic::error(error.message().trim_end_matches('\n').replace('\n', "; "));
        // It has a place for all but one: names with more dots between them than it follows.
        let deep = error.span().is_none();
        let help = deep.then(|| "a key or a table has too many names with dots between them".to_owned());
        vec![Diagnostic { span: error.span(), ..diagnostic }.help(help)]
    })?;
    let mut wrong = Vec::new();
    let document = families::named(document.get_ref(), &mut wrong);
    let families = Families::of(&document, &mut wrong);
    let entries = entries(&document);
    let mut reader = Reader::new(text);
    reader.diagnostics.append(&mut wrong);
    if !version(&mut reader, entries.iter().find(|entry| entry.key == "hotcell")) {
        return Err(reader.diagnostics);
    }
    let mut contract = Contract { text: text.to_owned(), ..Contract::default() };
    for entry in &entries {
        key(&mut reader, entry, &families, &mut contract);
    }
    for (key, example) in [("library", "library = \"z\""), ("headers", "headers = [\"zlib.h\"]")] {
        if !entries.iter().any(|entry| entry.key == key) {
            let diagnostic = Diagnostic::error(format!("the contract does not say its `{key}`"));
            reader.push(diagnostic.at(0..0).help(format!("add `{example}`")));
        }
    }
    if contract.link.is_empty() {
        contract.link = vec![contract.library.clone()];
    }
    contract.index = Index::of(&contract);
    if reader.diagnostics.is_empty() { Ok(contract) } else { Err(reader.diagnostics) }
}

/// Whether the file's vocabulary is one this program reads; nothing else is worth reading otherwise.
fn version(reader: &mut Reader<'_>, entry: Option<&Entry<'_>>) -> bool {
    let Some(entry) = entry else {
        let message = "the contract does not say its version";
        let help = format!("begin the file with `hotcell = {VERSION}`");
        reader.push(Diagnostic::error(message).at(0..0).help(help));
        return false;
    };
    match reader.integer(entry) {
        Some(VERSION) => true,
        Some(other) => {
            let message = format!("this program reads contracts of version {VERSION}, not {other}");
            let help = match other > VERSION {
                true => {
                    "use the version of hotcell that the contract was written for, or a later one".to_owned()
                }
                false => format!("write `hotcell = {VERSION}`"),
            };
            let diagnostic = Diagnostic::error(message).at(entry.span.clone()).label("another version");
            reader.push(diagnostic.help(help));
            false
        }
        None => false,
    }
}

fn key<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>, families: &'a Families<'a>, contract: &mut Contract) {
    match entry.key {
        "hotcell" => {}
        "library" => {
            if let Some(text) = reader.text(entry) {
                contract.library = library(reader, text);
            }
        }
        "headers" => contract.headers = at_least_one(reader, entry),
        "link" => contract.link = at_least_one(reader, entry),
        "include" => contract.include = patterns(reader, entry, "function"),
        "exclude" => contract.exclude = patterns(reader, entry, "function"),
        "include_dirs" => contract.include_dirs = values(reader, entry),
        "defines" => contract.defines = defines(reader, entry),
        "prelude" => contract.prelude = reader.text(entry).map(|text| text.value),
        "isolation" => {
            reader.word_of(entry, keys::TOP.shape(entry.key));
        }
        "threads" => {
            contract.threads = match reader.word_of(entry, keys::TOP.shape(entry.key)) {
                Some("reentrant") => Threads::Reentrant,
                Some("per-handle") => Threads::PerHandle,
                _ => Threads::Serialized,
            };
            contract.threads_at = Some(entry.key_span.clone());
        }
        "deadline" => contract.deadline = function::duration(reader, entry),
        "init" => contract.init = calls(reader, entry),
        "shutdown" => contract.shutdown = calls(reader, entry),
        "health" => contract.health = calls(reader, entry),
        "abi" => contract.abi = calls(reader, entry),
        "layouts" => contract.any_layout = reader.boolean(entry) == Some(false),
        "globals" => contract.globals = patterns(reader, entry, "variable"),
        "nullable" => contract.nullable = nullable(reader, entry),
        "guard" => {
            contract.guard = match reader.word_of(entry, keys::TOP.shape(entry.key)) {
                Some("sampled") => GuardWord::Sampled,
                Some("all") => GuardWord::All,
                _ => GuardWord::None,
            }
        }
        "recycle" => contract.recycle = recycle::recycle(reader, entry),
        "tries" => contract.tries = recycle::tries(reader, entry),
        "leaves" => contract.leaves = state::leaves(reader, entry),
        "sandbox" => contract.sandbox = sandbox::sandbox(reader, entry),
        "struct" => contract.structs = structure::structs(reader, entry, families),
        "handle" => contract.handles = handle::handles(reader, entry, families),
        "error" => contract.errors = function::type_errors(reader, entry),
        "function" => contract.functions = function::functions(reader, entry, families),
        _ => reader.unknown(entry, &keys::TOP),
    }
}

/// The library's name goes into names of packages and symbols.
fn library(reader: &mut Reader<'_>, text: Text) -> String {
    let letters = text.value.chars().all(|c| c.is_ascii_alphanumeric() || "_-+.".contains(c));
    if !letters || !text.value.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        let diagnostic = Diagnostic::error(format!("`{}` is no name of a library", text.value)).at(text.span);
        let help = "write a name such as \"z\" or \"sqlite3\"; paths belong into `link`";
        reader.push(diagnostic.help(help.to_owned()));
    }
    text.value
}

fn values<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Vec<String> {
    reader.texts(entry).unwrap_or_default().into_iter().map(|text| text.value).collect()
}

fn at_least_one<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Vec<String> {
    let Some(texts) = reader.texts(entry) else {
        return Vec::new();
    };
    if texts.is_empty() {
        let diagnostic = Diagnostic::error(format!("`{}` is empty", entry.key));
        reader.push(diagnostic.at(entry.span.clone()).label("name at least one"));
    }
    texts.into_iter().map(|text| text.value).collect()
}

/// Calls, or comparisons of a call.
fn calls<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Vec<LifeLine> {
    let texts = reader.texts(entry).unwrap_or_default();
    let call = |text: Text| {
        let node = reader.expression(&text)?;
        Some(LifeLine { text: text.value, node })
    };
    texts.into_iter().filter_map(call).collect()
}

/// Patterns of names of functions, or of what else is `of`.
pub(super) fn patterns<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>, of: &str) -> Vec<Text> {
    let texts = reader.texts(entry).unwrap_or_default();
    for text in &texts {
        if let Some(diagnostic) = pattern::wrong(reader.text, text, of) {
            reader.push(diagnostic);
        }
    }
    texts
}

/// Parameters and results that may be NULL, each with its function.
fn nullable<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Vec<Nullable> {
    let texts = reader.texts(entry).unwrap_or_default();
    texts.iter().filter_map(|text| may_be_null(reader, text)).collect()
}

/// Reads `FUNCTION.PARAM` or `FUNCTION.CALLBACK.PARAM`.
fn may_be_null(reader: &mut Reader<'_>, text: &Text) -> Option<Nullable> {
    let dots: Vec<usize> = text.value.match_indices('.').map(|(at, _)| at).collect();
    let part = |reader: &Reader<'_>, range: Range<usize>| Text {
        value: text.value[range.clone()].to_owned(),
        span: text.place(reader.text, range),
    };
    let inside = dots.get(1).map(|&dot| part(reader, dot + 1..text.value.len()));
    let before = dots.get(1).map_or_else(|| text.clone(), |&dot| part(reader, 0..dot));
    let wrong = inside.as_ref().and_then(|inside| pattern::wrong(reader.text, inside, "parameter"));
    reader.diagnostics.extend(wrong);
    let Selector { function, param } = handle::selector(reader, &before);
    if param.is_none() {
        let Text { value, span } = &function;
        let message = format!("`{value}` does not say what of it may be NULL");
        let help = format!("write `{value}.PARAM`, with the name of a parameter, or `{value}.result`");
        reader.push(Diagnostic::error(message).at(span.clone()).help(help));
    }
    Some(Nullable { function, param: param?, inside })
}

fn defines<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Vec<String> {
    let texts = reader.texts(entry).unwrap_or_default();
    for text in &texts {
        if !text.value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') || text.value.contains('\n')
        {
            let diagnostic =
                Diagnostic::error(format!("`{}` defines nothing", text.value)).at(text.span.clone());
            reader.push(diagnostic.help("write \"NAME\" or \"NAME=VALUE\", without `-D`".to_owned()));
        }
    }
    texts.into_iter().map(|text| text.value).collect()
}
