//! The rule `const-char-text`: a `const char *` that nothing counts is a NUL-terminated text.
//!
//! Nothing counts it when no integer of the function may be its length, no other pointer its end, and its
//! name is not one of raw data. Right behind it only integers are allowed that are known to be no lengths.

use hotcell_model::Fact;
use hotcell_model::api::Attribute;
use hotcell_model::interface::{Encoding, Role};
use hotcell_model::types::{CType, Type};

use crate::infer::names::{Side, function_words, side};
use crate::infer::view::{View, is_letter, plain_text};
use crate::infer::words::functions::{ADDS, CIPHERS, FREES, KEEPERS, LOADS, LOOKS_UP, TELLS};
use crate::infer::words::{BEGINNINGS, BINARY, ENDS, NAMES, PAIRS, PLACES};
use crate::infer::{Draft, Notes, code, comments, keeping};

/// Finds texts.
pub(super) fn apply(view: &View<'_>, draft: &mut Draft, notes: &mut Notes) {
    for (index, param) in view.function.params.iter().enumerate() {
        let candidate = param.ty.pointee().is_some_and(|(ty, constant)| constant && is_letter(ty));
        if !candidate || param.array_length.is_some() || !view.open_buffer(draft, index) {
            continue;
        }
        match against(view, draft, index) {
            Some(reason) => notes.add(index, reason),
            None => {
                let text = Role::Text { encoding: Encoding::Utf8, nullable: false };
                draft.params[index] = Some(Fact::inferred(text, "const-char-text"));
            }
        }
    }
}

/// Why a pointer to characters is not concluded to be a text that is done with when the call returns.
pub(super) fn against(view: &View<'_>, draft: &Draft, index: usize) -> Option<String> {
    let ty = &view.param(index)?.ty;
    let doubt = doubt(view, draft, ty, index).or_else(|| kept(view, index));
    doubt.or_else(|| keeping::of_text(view, draft, index))
}

/// Why a pointer may be something else than a text that a NUL ends.
pub(super) fn doubt(view: &View<'_>, draft: &Draft, ty: &CType, index: usize) -> Option<String> {
    // Only of characters does the header say what else they may be.
    let characters = ty.pointee().is_some_and(|(pointee, _)| is_letter(pointee));
    let objection = characters.then(|| objection(view, ty, index)).flatten();
    objection.or_else(|| counted(view, draft, index).filter(|_| !code::is_text(view, index)))
}

/// Why a text may be needed after a call whatever objects there are.
pub(super) fn kept(view: &View<'_>, index: usize) -> Option<String> {
    let kept = keeper(view, index) && !code::is_over(view, index);
    kept.then(|| format!("the library may keep `{}` after the call", view.name(index)))
}

/// What else a pointer may be.
fn objection(view: &View<'_>, ty: &CType, index: usize) -> Option<String> {
    let name = view.name(index);
    if view.function.attributes.contains(&Attribute::Format) {
        return Some("the function takes a format, which reads arguments it is not given".into());
    }
    if view.function_has_word(FREES) && alone(view) && !view.called(index, NAMES) {
        return Some(format!("the function may take back `{name}`, which the library made"));
    }
    if comments::unended(view.function) {
        return Some("the documentation speaks of texts without a NUL at their end".into());
    }
    // A NUL that the code looks for is there.
    if code::is_text(view, index) {
        return None;
    }
    if !plain_text(ty) {
        return Some(format!("`{}` may be raw data or a handle", ty.written));
    }
    let key = view.words(index).iter().any(|word| word.contains("key")) && view.function_contains(CIPHERS);
    if view.called(index, BINARY) && !puts(view) || key {
        return Some(format!("`{name}` is called like raw data, which need not end with a NUL"));
    }
    // `LZ4_uncompress(source, dest, outputSize)`.
    if let Some(other) = turned_into(view, index) {
        return Some(format!(
            "what is turned into `{}` may be data, which need not end with a NUL",
            view.name(other)
        ));
    }
    // `decode_fixed32(ptr)`, `read_be16(p)`.
    let loads = view.function_has_word(LOADS)
        || view.function_contains(&["decode", "getbe", "getle", "readbe", "readle"]);
    // `base64_decode(text)` is about no number.
    let based = view.function_contains(&["base16", "base32", "base64", "b64"]);
    if view.function_contains(&["varint"])
        || loads && !based && view.function_contains(&["16", "24", "32", "64", "128"])
    {
        return Some(format!("`{name}` may point to a number as bytes"));
    }
    if let Some(other) = range(view, index) {
        return Some(match other {
            Some(other) => format!("`{name}` and `{}` may be the ends of a range", view.name(other)),
            None => format!("`{name}` may be the end of something"),
        });
    }
    None
}

/// Whether a function writes a text as `puts` does, perhaps with the beginning of an object's name before it: `gzputs`, but not `inputs`.
fn puts(view: &View<'_>) -> bool {
    let last = function_words(&view.function.name).pop().unwrap_or_default();
    last.strip_suffix("puts").is_some_and(|prefix| prefix.len() < 4 && !["in", "out"].contains(&prefix))
}

/// Whether this may be a text that the library keeps, as `setprogname(name)` and `OBJ_NAME_add(name, type, data)` do: no
/// object is there for which it could be, and the function sets, adds or registers. One that takes a text alone, and returns
/// nothing or the text before it, does something with it of which only its name may say that it is over with the call.
fn keeper(view: &View<'_>, index: usize) -> bool {
    // `openlog(ident, …)`, `register_concrete(symbol, concrete)`.
    if view.called(index, &["ident"]) || view.function_has_word(&["register"]) {
        return true;
    }
    if has_object(view) {
        return false;
    }
    let only = view.function.params.len() == 1;
    if only && view.function.result.pointee().is_none() && comments::settles(view.function) {
        return true;
    }
    let swaps = plain_text(&view.function.result) && !view.function_has_word(LOOKS_UP);
    let silent = view.function.result.kind == Type::Void && !view.function_has_word(TELLS);
    // `lib_charset(const char *charset)`.
    let last = function_words(&view.function.name).pop();
    let called = last.is_some()
        && last == view.words(index).pop()
        && !view.function_has_word(&["by", "from", "in", "to"])
        && !view.function_has_word(TELLS)
        && view.function.result.pointee().is_none();
    stores(view, index) || only && (swaps || silent || called)
}

/// Whether a function without objects is called like one that keeps this text, and not only like none that is done with it.
pub(super) fn stores(view: &View<'_>, index: usize) -> bool {
    let adds = view.function_has_word(ADDS);
    let last = alone(view) && index + 1 == view.function.params.len();
    let sets = last && (view.function_has_word(KEEPERS) || view.function.name.starts_with("set"));
    let said = view.called(index, &["ident"]) || view.function_has_word(&["register"]);
    said || adds || sets
}

/// Whether any object goes in or comes out.
fn has_object(view: &View<'_>) -> bool {
    let object = |ty: &CType| {
        let record = ty.pointee().is_some_and(|(ty, _)| matches!(ty.kind, Type::Record { .. }));
        record || view.known.handles.of_pointer(ty).is_some()
    };
    let of_object = |ty: &CType| object(ty) || ty.pointee().is_some_and(|(behind, _)| object(behind));
    let types = view.function.params.iter().map(|param| &param.ty).chain([&view.function.result]);
    types.into_iter().any(of_object)
}

/// Whether a function has one pointer only.
fn alone(view: &View<'_>) -> bool {
    view.function.params.iter().filter(|param| param.ty.pointee().is_some()).count() == 1
}

/// The other end of a range this pointer may be an end of; `Some(None)` when it is not known.
pub(super) fn range(view: &View<'_>, index: usize) -> Option<Option<usize>> {
    let others = (0..view.function.params.len()).filter(|&other| other != index);
    let other = others.into_iter().filter(|&other| view.buffer(other).is_some()).find(|&other| {
        // Both ends of a range are pointers to the same: not a path and a place for an error.
        let same = view
            .buffer(index)
            .zip(view.buffer(other))
            .is_some_and(|((one, fixed), (other, constant))| one.kind == other.kind && fixed == constant);
        let unnamed =
            same && view.words(index).is_empty() && view.words(other).is_empty() && !two_texts(view);
        let pair = PAIRS
            .iter()
            .any(|pair| pair.iter().all(|name| view.called(index, &[name]) || view.called(other, &[name])));
        let place = [(index, other), (other, index)].into_iter().any(|(at, text)| place(view, at, text));
        unnamed
            || pair
            || place
            || ends(view, index, other)
            || ends(view, other, index)
            || view.called(index, BEGINNINGS)
    });
    match other {
        Some(other) => Some(Some(other)),
        None => view.called(index, ENDS).then_some(None),
    }
}

/// The memory of a known size that a function fills with what it makes of this: `source` and `dest`, where only the second has a length.
fn turned_into(view: &View<'_>, index: usize) -> Option<usize> {
    let source = side(&view.words(index)) == Some(Side::In);
    let filled = |other: &usize| {
        let bytes = view.buffer(*other).is_some_and(|(element, constant)| !constant && element.is_byte());
        bytes && side(&view.words(*other)) == Some(Side::Out)
    };
    let counted =
        |other: &usize| (0..view.function.params.len()).any(|size| view.sizes_by_name(size, *other));
    (0..view.function.params.len()).filter(|_| source).find(|other| filled(other) && counted(other))
}

/// Whether a function without names for its parameters takes two texts whatever they are called: it opens something by a path
/// and in a mode, or compares them. `gzopen(const char *, const char *)`, `sqlite3_stricmp(const char *, const char *)`.
fn two_texts(view: &View<'_>) -> bool {
    let texts = view.function.params.iter().filter(|param| plain_text(&param.ty)).count();
    let pointers = view.function.params.iter().filter(|param| param.ty.pointee().is_some()).count();
    let last = function_words(&view.function.name).pop().unwrap_or_default();
    let says = ["casecmp", "open", "strcmp", "stricmp"].iter().any(|end| last.ends_with(end));
    says && texts == 2 && pointers == 2
}

/// Whether a pointer is named as a place in this other text.
fn place(view: &View<'_>, at: usize, text: usize) -> bool {
    let chars = |index: usize| {
        view.param(index).is_some_and(|param| {
            param.ty.pointee().is_some_and(|(ty, constant)| constant && ty.kind == Type::Char)
        })
    };
    chars(at) && chars(text) && view.called(at, PLACES)
}

/// Whether a pointer is named as an end, perhaps of this other one: `end`, `strend` of `str`, `pe` of `p`.
pub(super) fn ends(view: &View<'_>, end: usize, of: usize) -> bool {
    let (name, of) = (view.words(end).concat(), view.words(of).concat());
    let rest = (!of.is_empty()).then(|| name.strip_prefix(of.as_str())).flatten();
    view.called(end, ENDS) || rest.is_some_and(|rest| ENDS.contains(&rest))
}

/// Whether a function without names for its parameters opens what a text names, and how is said by an `int`: as `open(const char *, int, …)` does.
fn opened_in(view: &View<'_>, text: usize, number: usize) -> bool {
    let int = view.param(number).is_some_and(|param| param.ty.written == "int");
    let unnamed = view.words(text).is_empty() && view.words(number).is_empty();
    // `rom_mem_open(const char *, int)` opens what is there.
    let memory = view.function_has_word(&["blob", "buf", "buffer", "data", "mem", "memory", "string"]);
    text == 0
        && !memory
        && int
        && unnamed
        && function_words(&view.function.name).last().is_some_and(|last| last == "open")
}

/// An integer that may count this text, or a text that is counted beside it.
fn counted(view: &View<'_>, draft: &Draft, index: usize) -> Option<String> {
    let name = view.name(index);
    let names = view.called(index, NAMES);
    if let Some(pointer) = view.length_pointer(index) {
        return Some(format!("`{}` points to the length of `{name}`", view.name(pointer)));
    }
    let value = |other: usize| {
        let role = draft.params.get(other).and_then(|fact| fact.as_ref()).map(|fact| &fact.value);
        matches!(role, Some(Role::Value | Role::Fixed { .. }))
    };
    let params =
        view.function.params.iter().enumerate().filter(|(other, param)| {
            param.ty.is_integer() && !value(*other) && !opened_in(view, index, *other)
        });
    for (integer, _) in params {
        let other = view.name(integer);
        let open = view.open_integer(draft, integer);
        if view.sizes_by_name(integer, index) || open && integer == index + 1 && !view.harmless(integer) {
            return Some(format!("`{other}` may be the length of `{name}`"));
        }
        if !view.may_be_length(integer) {
            continue;
        }
        let mut pointers = (0..view.function.params.len()).filter(|&pointer| pointer != index);
        let owner = pointers.find(|&pointer| view.sizes_by_name(integer, pointer));
        match owner {
            // `equal(expected, actual, actual_len)`.
            Some(owner)
                if !names
                    && !view.called(index, &["key"])
                    && view.param(owner).is_some_and(|p| plain_text(&p.ty)) =>
            {
                return Some(format!("`{name}` may be as long as `{}`, which is counted", view.name(owner)));
            }
            Some(_) => {}
            // `strncmp(s1, s2, n)`, `strncpy(dest, src, n)`; `save(name, data, len)` is none of these.
            None if !(names && !(open && integer + 1 == index) && view.owned_by_other(integer, index)) => {
                return Some(format!("`{other}` may be the length of `{name}`"));
            }
            None => {}
        }
    }
    None
}
