//! The returned value: numbers are proven, and `const-char-result` finds texts.
//!
//! `const-char-result`: a `const char *` is a NUL-terminated text that the library keeps; it is copied right
//! after the call and nothing is freed. Not concluded when the text may lie in a buffer of the caller or be
//! counted by one of the parameters (then no NUL need follow), when the name says that it is data, or when
//! an attribute says that it is fresh memory.

use hotcell_model::Fact;
use hotcell_model::api::{Attribute, Function};
use hotcell_model::interface::{Encoding, Ownership, ResultRole, Role};
use hotcell_model::types::{CType, Type};

use crate::infer::names::function_words;
use crate::infer::view::{View, plain_text};
use crate::infer::words::functions::{DATA_RESULTS, FREES};
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
    } else if view.known.handles.of_pointer(result).is_some() {
        // An object, of which only `made` knows more.
    } else if result.pointee().is_some_and(|(ty, constant)| constant && ty.kind == Type::Char) {
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

fn objection(view: &View<'_>, draft: &Draft) -> Option<String> {
    let function = view.function;
    if !plain_text(&function.result) {
        return Some(format!("`{}` may be raw data or a handle", function.result.written));
    }
    if function.attributes.contains(&Attribute::Malloc) {
        return Some("it is fresh memory, and nothing says what frees it".into());
    }
    if comments::owned(function) {
        return Some("the documentation says that the caller frees it".into());
    }
    if comments::unended(function) {
        return Some("the documentation says that no NUL need follow".into());
    }
    if let Some(taker) = taker(view) {
        return Some(format!("`{taker}` takes texts back, perhaps this one"));
    }
    if view.function_has_last_word(DATA_RESULTS) {
        return Some(
            "the function is called like one that returns data, which need not end with a NUL".into(),
        );
    }
    for (index, fact) in draft.params.iter().enumerate() {
        let name = view.name(index);
        let text =
            matches!(fact.as_ref().map(|fact| &fact.value), Some(Role::Text { .. } | Role::Fixed { .. }));
        let number = view.buffer(index).is_some_and(|(ty, _)| !ty.is_byte());
        let length = view.length_name(index).is_some();
        if view.buffer(index).is_some() && !text && !number {
            return Some(format!("it may point into `{name}`, where no NUL need follow"));
        }
        if length && view.param(index).is_some_and(|param| param.ty.is_integer()) || number && !text {
            return Some(format!("`{name}` may be its length, so that no NUL need follow"));
        }
    }
    None
}

/// See [`crate::infer::may_return_otherwise`].
pub(super) fn otherwise(function: &Function, released: bool, counted: bool) -> bool {
    let pointees = || function.params.iter().filter_map(|param| param.ty.pointee());
    let own = function.result.pointee();
    let memory = |ty: &CType| ty.element_size().is_some();
    let lies_in = || {
        let same = |ty: &CType| own.is_some_and(|(own, _)| own.element_size() == ty.element_size());
        pointees().any(|(ty, _)| memory(ty) && same(ty)) && !may_make(function)
    };
    let data = || {
        let number = |(ty, constant): (&CType, bool)| ty.is_integer() && !ty.is_byte() && !constant;
        let words = function_words(&function.name);
        words.last().is_some_and(|word| DATA_RESULTS.contains(&word.as_str()))
            || pointees().any(number)
            || comments::unended(function)
    };
    let owned = || function.attributes.contains(&Attribute::Malloc) || comments::owned(function);
    if released { lies_in() } else { owned() || !counted && data() }
}

/// A function that takes back texts which headers call `const`: `openmpt_free_string(str)`.
fn taker<'a>(view: &View<'a>) -> Option<&'a str> {
    let functions = view.known.api.functions.iter().filter(|function| function.location.primary);
    let takes_text = |function: &&Function| match &function.params[..] {
        [only] => plain_text(&only.ty),
        _ => false,
    };
    let frees = |function: &&Function| {
        function.result.kind == Type::Void
            && function_words(&function.name).iter().any(|word| FREES.contains(&word.as_str()))
    };
    functions.filter(takes_text).find(frees).map(|function| function.name.as_str())
}
