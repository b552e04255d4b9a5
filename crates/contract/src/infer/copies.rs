//! The rules `kept-text` and `copied-text`: what is right whoever keeps a text that goes in, and whoever owns one that comes out.
//!
//! No header says whether `dictionary_add(dictionary, word)` notes the word's address. A copy that goes with the dictionary is right
//! whether it does or not, as nobody but the library reads it; one that releases what it takes by `const char *` says so in a name.
//! Nor does a header say who owns the text of `char *dictionary_encoding(dictionary)`: it is copied at once and nobody releases it, which
//! is right, or a leak, but never a second release. Where it is known to be the caller's the rule is silent, for the leak would be certain.
//!
//! Both are asked last, of what all other rules have left open, and only where nothing else of the function stays open.

use hotcell_model::api::Function;
use hotcell_model::evidence::{Evidence, Fact};
use hotcell_model::interface::{Encoding, Keeps, Ownership, ResultRole, Role, Until};
use hotcell_model::types::{CType, Type};

use crate::infer::lent::walks;
use crate::infer::names::{function_words, words};
use crate::infer::view::{View, decided, is_letter};
use crate::infer::words::functions::DATA_RESULTS;
use crate::infer::words::objects::CONSTRUCTORS;
use crate::infer::words::{BINARY, RAW};
use crate::infer::{
    Draft, Gap, Known, Notes, comments, documented, elements, keeping, lengths, results, scalars, texts,
};

/// The rule about texts that go in.
pub(super) const KEPT: &str = "kept-text";

/// The rule about texts that come out.
const COPIED: &str = "copied-text";

/// Words of functions that go through a text and are given the next one: a copy of each would be all that they ever read.
const STREAMS: &[&str] = &[
    "append", "cat", "concat", "enqueue", "feed", "lex", "load", "log", "parse", "print", "push", "put",
    "read", "scan", "send", "tokenize", "write",
];

/// Words by which a library says that it takes over what it is given, whatever its type says.
const TAKES_OVER: &[&str] =
    &["adopt", "give", "noalloc", "nocopy", "nodup", "own", "owned", "steal", "take", "transfer"];

/// Words of functions that return a text. Letters may be anything else: `recv(socket)`, `db_fetch(db, key)`, `screen_cells(screen)`.
const TEXTS: &[&str] = &[
    "author",
    "charset",
    "comment",
    "date",
    "desc",
    "description",
    "encoding",
    "err",
    "errmsg",
    "error",
    "filename",
    "format",
    "host",
    "hostname",
    "json",
    "label",
    "lang",
    "language",
    "locale",
    "message",
    "msg",
    "name",
    "names",
    "path",
    "prefix",
    "print",
    "sql",
    "str",
    "string",
    "text",
    "time",
    "title",
    "uri",
    "url",
    "username",
    "version",
    "xml",
    "yaml",
];

/// Words of functions that hand out memory to be filled, or what is no text whatever it consists of: `BIO_get_callback_arg(b)` has a
/// pointer of the caller's.
const MEMORY: &[&str] = &[
    "arg", "closure", "cookie", "grow", "line", "lines", "map", "mmap", "opaque", "page", "pages", "private",
    "reserve", "resize", "room", "row", "rows", "sbrk", "scanline", "slot", "space", "stack", "tile",
];

/// Concludes what is open and a copy settles; what stays open, and what the worker has copies of.
pub(crate) fn apply(
    function: &Function,
    names: &[String],
    known: Known<'_>,
    draft: &mut Draft,
    mut gaps: Vec<Gap>,
) -> (Vec<Gap>, Vec<Keeps>) {
    let mut keeps = Vec::new();
    let view = View::new(function, names, known, draft);
    for index in gaps.iter().filter_map(|gap| gap.param) {
        let Some(until) = until(&view, draft, index).filter(|_| !decided(draft, index)) else { continue };
        let text = Role::Text { encoding: Encoding::Utf8, nullable: false };
        draft.params[index] = Some(Fact::inferred(text, KEPT));
        keeps.push(Keeps { param: index, until, replaced: false });
    }
    keeps.extend(data(function, names, known, draft));
    // What could lie in a text that goes in is a text too.
    results::apply(&view, draft, &mut Notes::default());
    if draft.result.is_none() && is_copied(&view, draft) {
        let text = ResultRole::Text {
            encoding: Encoding::Utf8,
            length: None,
            nullable: true,
            ownership: Ownership::Unknown,
        };
        draft.result = Some(Fact::inferred(text, COPIED));
    }
    documented::nulls(&view, draft);
    gaps.retain(|gap| match gap.param {
        Some(index) => !decided(draft, index),
        None => draft.result.is_none(),
    });
    (gaps, keeps)
}

/// Data that is open only because the object that comes out may keep it, as the rules about lengths find it: what has copies of it.
fn data(function: &Function, names: &[String], known: Known<'_>, draft: &mut Draft) -> Vec<Keeps> {
    let role = |at: usize| draft.params.get(at).and_then(|fact| fact.as_ref()).map(|fact| &fact.value);
    let made = (0..function.params.len()).find(|&at| matches!(role(at), Some(Role::HandleOut { .. })));
    let returned = matches!(draft.result.as_ref().map(|fact| &fact.value), Some(ResultRole::Handle { .. }));
    let changed = function.params.iter().any(|param| {
        let object = known.handles.of_pointer(&param.ty).is_some()
            || param.ty.pointee().is_some_and(|(pointee, _)| pointee.record().is_some());
        object && param.ty.pointee().is_none_or(|(_, constant)| !constant)
    });
    if changed || comments::takes_memory(function) {
        // That may keep it as well: `engine_add_patch(engine, data, size)`.
        return Vec::new();
    }
    let until = match made {
        Some(param) => Until::Param { param },
        None if returned => Until::Result,
        None => return Vec::new(),
    };
    let mut found = uncounted(draft);
    let view = View::new(function, names, known, &found).with_copies();
    lengths::apply(&view, &mut found, &mut Notes::default());
    elements::apply(&view, &mut found, &mut Notes::default());
    scalars::apply(&view, &mut found, &mut Notes::default());
    let new = |&at: &usize| !decided(draft, at) && decided(&found, at);
    let kept: Vec<usize> = (0..function.params.len()).filter(new).collect();
    let data = |&at: &usize| {
        let constant = function.params[at].ty.pointee().is_some_and(|(_, constant)| constant);
        constant && matches!(&found.params[at], Some(fact) if matches!(fact.value, Role::BufferIn { .. }))
    };
    if kept.is_empty() || !kept.iter().all(data) {
        return Vec::new();
    }
    *draft = found;
    kept.into_iter().map(|param| Keeps { param, until, replaced: false }).collect()
}

/// The same without what says of numbers that they are passed by value: that says nothing of what they count, unless a line says it.
fn uncounted(draft: &Draft) -> Draft {
    let mut numbers = draft.clone();
    for fact in &mut numbers.params {
        let said = |fact: &Fact<Role>| matches!(fact.evidence, Evidence::Decided { .. });
        *fact = fact.take().filter(|fact| fact.value != Role::Value || said(fact));
    }
    numbers
}

/// What ends the copy of a text that is open only because it may be kept.
fn until(view: &View<'_>, draft: &Draft, index: usize) -> Option<Until> {
    let param = view.param(index)?;
    let letters = param.ty.pointee().is_some_and(|(ty, constant)| constant && is_letter(ty));
    if !letters || param.array_length.is_some() {
        return None;
    }
    if texts::doubt(view, &uncounted(draft), &param.ty, index).is_some() {
        return None;
    }
    let object = |ty: &CType| ty.pointee().is_some_and(|(pointee, _)| pointee.record().is_some());
    let role = |at: usize| draft.params.get(at).and_then(|fact| fact.as_ref()).map(|fact| &fact.value);
    let made = (0..view.function.params.len()).find(|&at| matches!(role(at), Some(Role::HandleOut { .. })));
    let returned = matches!(draft.result.as_ref().map(|fact| &fact.value), Some(ResultRole::Handle { .. }));
    let changed: Vec<usize> = (0..view.function.params.len())
        .filter(|&at| {
            let ty = &view.function.params[at].ty;
            let constant = ty.pointee().is_none_or(|(_, constant)| constant);
            !constant && (view.handle(at).is_some() || object(ty))
        })
        .collect();
    let taken = |name: &str| words(name).iter().any(|word| TAKES_OVER.contains(&word.as_str()));
    if comments::takes_memory(view.function) && !keeping::copied(view, index) {
        return None;
    }
    if taken(&view.function.name) || param.name.as_deref().is_some_and(taken) {
        return None;
    }
    if view.function_has_word(STREAMS) && made.is_none() && !returned {
        return None;
    }
    if walks::counts_any(view) {
        return None;
    }
    match changed[..] {
        [] => match made {
            Some(param) => Some(Until::Param { param }),
            None if returned => Some(Until::Result),
            // `setprogname(name)`: until the worker ends, unless nothing but the lack of an object says that it is kept.
            None => texts::stores(view, index).then_some(Until::Worker),
        },
        [keeper] => {
            let there = matches!(
                role(keeper),
                Some(
                    Role::Handle { consumed: false, nullable: false, .. }
                        | Role::Resident { consumed: false, .. }
                )
            );
            there.then_some(Until::Param { param: keeper })
        }
        // Each of them may keep it, and be taken over by another.
        _ => Some(Until::Worker),
    }
}

/// Whether a returned `char *` is a text with a NUL at its end, as far as `const-char-result` would say so, and not certainly the caller's.
fn is_copied(view: &View<'_>, draft: &Draft) -> bool {
    let function = view.function;
    let Some((letter, false)) = function.result.pointee() else { return false };
    // A pointer that hides in a name may be to anything: `sds`.
    let hidden = !function.result.written.contains('*');
    let textual = letter.kind == Type::Char || letter.written.to_ascii_lowercase().contains("char");
    let raw = function_words(&function.name).iter().any(|word| {
        let listed = [BINARY, CONSTRUCTORS, MEMORY, RAW];
        let data = DATA_RESULTS.contains(&word.as_str()) && !word.starts_with("content");
        // `Xpermalloc(size)`.
        data || word.ends_with("alloc") || listed.iter().any(|list| list.contains(&word.as_str()))
    });
    let says = function_words(&function.name).iter().any(|word| TEXTS.contains(&word.as_str()));
    // Letters under a name of their own are text: `xmlChar *`.
    is_letter(letter)
        && textual
        && (says || letter.written.trim_start_matches("const ") != "char")
        && !hidden
        && !raw
        && view.known.handles.of_pointer(&function.result).is_none()
        && results::uncertain(view, draft).is_none()
}
