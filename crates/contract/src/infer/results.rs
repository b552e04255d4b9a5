//! The returned value: numbers are proven, and `const-char-result` finds texts.
//!
//! `const-char-result`: a `const char *` is a NUL-terminated text that the library keeps; it is copied right
//! after the call and nothing is freed. Not concluded when the text may lie in a buffer of the caller or be
//! counted by one of the parameters (then no NUL need follow), when the name says that it is data, or when
//! an attribute says that it is fresh memory.
//!
//! `array-result`: a pointer to a `const` array of bytes is as many of them that the library keeps, or NULL.

use hotcell_model::Fact;
use hotcell_model::api::{Attribute, Function, Param};
use hotcell_model::expr::Expr;
use hotcell_model::interface::{Encoding, Ownership, ResultRole, Role};
use hotcell_model::types::{CType, Type};

use crate::infer::functions::{Name, Named};
use crate::infer::names::{Measure, function_words, length_name};
use crate::infer::view::{View, is_letter, plain_text};
use crate::infer::words::functions::{DATA_RESULTS, FREES};
use crate::infer::words::objects::{CONSTRUCTORS, COPIES};
use crate::infer::{Draft, Notes, comments, may_make};

/// Finds what the returned value is.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft, notes: &mut Notes) {
    let result = &view.function.result;
    if draft.result.is_some() {
        return;
    }
    if result.kind == Type::Void {
        draft.result = Some(Fact::proven(ResultRole::Void));
    } else if result.is_scalar() {
        draft.result = Some(Fact::proven(ResultRole::Value));
    } else if let Some(length) = array(view) {
        match whose(view) {
            Some(reason) => notes.add_result(reason),
            None => {
                let length = Expr::Int { value: length };
                let array = ResultRole::Buffer { length, nullable: true, ownership: Ownership::Library };
                draft.result = Some(Fact::inferred(array, "array-result"));
            }
        }
    } else if view.known.handles.of_pointer(result).is_some() {
        // An object, of which only `made` knows more.
    } else if result.pointee().is_some_and(|(ty, constant)| constant && is_letter(ty)) {
        match objection(view, draft) {
            Some(reason) => notes.add_result(reason),
            None => {
                let text = ResultRole::Text {
                    encoding: Encoding::Utf8,
                    length: None,
                    nullable: true,
                    ownership: Ownership::Library,
                };
                draft.result = Some(Fact::inferred(text, "const-char-result"));
            }
        }
    }
}

/// How many bytes there are behind a returned pointer to a `const` array, where it does not lead into what the function is given:
/// `const uuid_t *uuid_get_template(const char *alias)`.
fn array(view: &View<'_>) -> Option<i128> {
    let (CType { kind: Type::Array { element, length: Some(length) }, .. }, true) =
        view.function.result.pointee()?
    else {
        return None;
    };
    let same = |param: &Param| param.ty.pointee().is_some_and(|(ty, _)| ty.kind == element.kind);
    let given = view.function.params.iter().any(same);
    // `const vec3 *mesh_vertices(mesh)` returns many, and so may what is called like a plural.
    let last = view.function_name().all_words.last().cloned().unwrap_or_default();
    let plural = last.ends_with('s') && !last.ends_with("ss");
    let bytes = matches!(element.kind, Type::Int { bits: 8, .. });
    (bytes && *length > 1 && !given && !plural).then(|| i128::from(*length))
}

pub(super) fn objection(view: &View<'_>, draft: &Draft) -> Option<String> {
    let function = view.function;
    if !plain_text(&function.result) {
        return Some(format!("`{}` may be raw data or a handle", function.result.written));
    }
    uncertain(view, draft)
}

/// Why returned letters may be the caller's, or without a NUL behind them.
pub(super) fn uncertain(view: &View<'_>, draft: &Draft) -> Option<String> {
    if let Some(reason) = whose(view) {
        return Some(reason);
    }
    let inside = |index: &usize| {
        let memory = view.buffer(*index).is_some_and(|(ty, _)| ty.is_byte());
        memory && !is_text(draft, *index)
    };
    let into = (0..view.function.params.len()).find(inside);
    let into =
        into.map(|index| format!("it may point into `{}`, where no NUL need follow", view.name(index)));
    unended(view, draft).or(into)
}

/// Why letters that a function returns may be without a NUL behind them, whoever they belong to.
pub(super) fn unended(view: &View<'_>, draft: &Draft) -> Option<String> {
    if view.function_has_last_word(DATA_RESULTS) && !content_of_letters(view) {
        return Some(
            "the function is called like one that returns data, which need not end with a NUL".into(),
        );
    }
    if let Some(reason) = unended_elsewhere(view) {
        return Some(reason);
    }
    for (index, fact) in draft.params.iter().enumerate() {
        let number = view.buffer(index).is_some_and(|(ty, _)| !ty.is_byte());
        let length = view.length_name(index).is_some();
        // `gzerror(file, errnum)`.
        let one = matches!(fact.as_ref().map(|fact| &fact.value), Some(Role::ValueInOut { .. }))
            && !length
            && !view.words(index).is_empty();
        if length && !chooses(view, index) && view.param(index).is_some_and(|param| param.ty.is_integer())
            || number && !is_text(draft, index) && !one
        {
            return Some(format!("`{}` may be its length, so that no NUL need follow", view.name(index)));
        }
    }
    None
}

/// Why a comment or another function says that no NUL need follow.
fn unended_elsewhere(view: &View<'_>) -> Option<String> {
    if comments::unended(view.function) {
        return Some("the documentation says that no NUL need follow".into());
    }
    counted_beside(view).map(|counts| format!("`{counts}` may count it, and then it may hold NULs"))
}

/// Whether a parameter is known to be a text, or always the same.
fn is_text(draft: &Draft, index: usize) -> bool {
    let role = draft.params.get(index).and_then(|fact| fact.as_ref()).map(|fact| &fact.value);
    matches!(role, Some(Role::Text { .. } | Role::Fixed { .. }))
}

/// Whether what a function returns is the content of something, in letters of a type that has the name of letters: `xmlNodeGetContent(node)`.
fn content_of_letters(view: &View<'_>) -> bool {
    let letters =
        view.function.result.pointee().is_some_and(|(ty, _)| is_letter(ty) && ty.kind != Type::Char);
    letters && view.function_has_last_word(&["content", "contents"])
}

/// Why returned memory may be the caller's, or without a NUL at its end, whatever letters are in it.
pub(super) fn whose(view: &View<'_>) -> Option<String> {
    let function = view.function;
    if function.attributes.contains(&Attribute::Malloc) {
        return Some("it is fresh memory, and nothing says what frees it".into());
    }
    if view.function_has_word(COPIES) || view.function_has_word(&["strdup", "strndup"]) {
        return Some(
            "the function is called like one that makes a copy, and nothing says what frees it".into(),
        );
    }
    if comments::owned(function) || comments::may_be_owned(function) {
        return Some("the documentation says that the caller frees it".into());
    }
    if view.function_has_word(CONSTRUCTORS) {
        return Some("the function is called like one that makes it, and nothing says what frees it".into());
    }
    if let Some(reason) = unended_elsewhere(view) {
        return Some(reason);
    }
    if let Some(taker) = taker(view) {
        return Some(format!("`{taker}` takes texts back, perhaps this one"));
    }
    if let Some(end) = place(view) {
        return Some(format!("it may be a place in a text, of which `{end}` returns the end"));
    }
    None
}

/// Whether a number says which text is wanted: of what names something no part is asked for. `sqlite3_column_name(stmt, N)`.
fn chooses(view: &View<'_>, index: usize) -> bool {
    let measure = view.length_name(index).filter(|length| length.of.is_empty()).map(|length| length.measure);
    let number = view.param(index).is_some_and(|param| param.ty.is_integer());
    // `OBJ_nid2sn(n)`.
    if number && view.function.params.len() == 1 && converts(&view.function.name) {
        return true;
    }
    number
        && measure == Some(Measure::Number)
        && view.function_has_last_word(&["filename", "label", "name", "title"])
}

/// Whether a function turns one thing into another by its name: `nid2sn`.
fn converts(name: &str) -> bool {
    let last = name.rsplit('_').next().unwrap_or_default();
    let sides = last.split_once('2');
    let letters = |text: &str| text.len() > 1 && text.chars().all(|c| c.is_ascii_lowercase());
    sides.is_some_and(|(from, to)| letters(from) && letters(to))
}

/// A function of the same name but for a length behind it, which takes the same: `json_object_get_string_len(object)`.
fn counted_beside<'a>(view: &View<'a>) -> Option<&'a str> {
    let (function, of, functions) = (view.function, view.function_name(), view.known.functions);
    let counts = |Named { function: other, name }: &&Named<'_>| {
        let behind = other.name.strip_prefix(function.name.as_str()).map(|rest| rest.trim_start_matches('_'));
        let length = behind.is_some_and(|rest| {
            ["bytes", "len", "length", "size"].iter().any(|word| rest.eq_ignore_ascii_case(word))
        });
        (length || measures(name, of)) && other.result.is_integer() && takes_same(other, function)
    };
    // Called the same but for what stands behind it, or but for the last word.
    let longer = functions.beginning(&function.name);
    let alike = of.words.split_last().filter(|(_, rest)| !rest.is_empty());
    let alike = alike.into_iter().flat_map(|(_, rest)| functions.with_all(rest));
    let found = longer.chain(alike).filter(counts).map(|named| named.function.name.as_str());
    found.min_by_key(|name| functions.position(name))
}

/// Whether a function is called as another one is, but for `length` where that says what it returns: `json_string_length` beside
/// `json_string_value`.
fn measures(name: &Name, of: &Name) -> bool {
    let (own, other) = (&name.words, &of.words);
    own.len() == other.len()
        && own.len() > 1
        && own[..own.len() - 1] == other[..other.len() - 1]
        && name.ends_with(&["bytes", "len", "length", "size"])
        && of.ends_with(&["chars", "content", "contents", "data", "str", "string", "text", "value"])
}

/// Whether two functions take the same, be it `const` for one of them: what only counts need not change its object.
fn takes_same(left: &Function, right: &Function) -> bool {
    let plain = |param: &Param| param.ty.canonical.replace("const ", "");
    left.params.len() == right.params.len()
        && left.params.iter().map(plain).eq(right.params.iter().map(plain))
}

/// Words of functions that return a place in a text whose end another one returns.
const PLACES: &[&str] = &["begin", "current", "cursor", "end", "limit", "pos", "position", "range", "start"];

/// The function that returns the end of a text, where this one may return its beginning or another place in it: it takes and returns
/// the same, and is called the same but for `end`, or this one is called like a place. `onig_get_string_end_by_callout_args(args)`.
pub(super) fn place<'a>(view: &View<'a>) -> Option<&'a str> {
    let function = view.function;
    let own = &view.function_name().words;
    let places = view.function_name().has(PLACES);
    let ends = |Named { function: other, name }: &&Named<'_>| {
        let name = &name.words;
        let without: Vec<&String> = name.iter().filter(|word| *word != "end").collect();
        let mirror = without.iter().copied().eq(own.iter())
            || without.iter().copied().eq(own.iter().filter(|word| *word != "start" && *word != "begin"));
        let same = other.result.canonical == function.result.canonical && takes_same(other, function);
        without.len() < name.len() && same && (places || mirror)
    };
    view.known.functions.with_word("end").find(ends).map(|other| other.function.name.as_str())
}

/// See [`crate::infer::may_return_otherwise`].
pub(super) fn otherwise(function: &Function, released: bool, counted: bool) -> bool {
    let copies = may_make(function);
    let lies_in = || function.params.iter().any(|param| may_lie_in(&function.result, &param.ty, copies));
    let data = || {
        let words = function_words(&function.name);
        words.last().is_some_and(|word| DATA_RESULTS.contains(&word.as_str()))
            || comments::unended(function)
            || function.params.iter().any(may_count)
    };
    let owned = || copies || function.attributes.contains(&Attribute::Malloc) || comments::owned(function);
    let whose = if released { lies_in() || comments::lent(function) } else { owned() };
    whose || !counted && data()
}

/// Whether what a function returns may be a place in what it is given. A copy of what it may not change is none.
fn may_lie_in(result: &CType, given: &CType, copies: bool) -> bool {
    let (Some((result, _)), Some((given, constant))) = (result.pointee(), given.pointee()) else {
        return false;
    };
    let same = given.element_size().is_some() && given.element_size() == result.element_size();
    same && !(copies && constant)
}

/// Whether a parameter may say how much a function returns: a number that comes out, or a length.
fn may_count(param: &Param) -> bool {
    let out = param.ty.pointee().is_some_and(|(ty, constant)| !constant && ty.is_scalar());
    let measure = param.name.as_deref().and_then(length_name).map(|length| length.measure);
    out || param.ty.is_integer() && matches!(measure, Some(Measure::Bytes | Measure::Length | Measure::Size))
}

/// A function that takes back texts which headers call `const`: `openmpt_free_string(str)`.
fn taker<'a>(view: &View<'a>) -> Option<&'a str> {
    let functions = view.known.api.functions.iter().filter(|function| function.location.primary);
    // Texts in UTF-16 are `const void *`.
    let hidden = |ty: &CType| matches!(ty.pointee(), Some((CType { kind: Type::Void, .. }, true)));
    let own = hidden(&view.function.result);
    let takes_text = |function: &&Function| match &function.params[..] {
        [only] => plain_text(&only.ty) || own && hidden(&only.ty),
        _ => false,
    };
    let frees = |function: &&Function| {
        function.result.kind == Type::Void
            && function_words(&function.name).iter().any(|word| FREES.contains(&word.as_str()))
    };
    functions.filter(takes_text).find(frees).map(|function| function.name.as_str())
}
