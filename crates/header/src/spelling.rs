//! How types are spelled: without what does not change a call, and without places of this machine.

use std::collections::BTreeMap;

use clang::{Type, TypeKind};
use hotcell_model::spelling::{declarator, is_name, is_type};

/// Words that promise something about a pointer but do not change its type in a call.
const DROPPED: &[&str] = &[
    "restrict",
    "__restrict",
    "__restrict__",
    "_Nonnull",
    "_Nullable",
    "_Nullable_result",
    "_Null_unspecified",
];

/// C names of records and enumerations without a name, by the ` at FILE:LINE:COLUMN)` that libclang
/// spells them with.
pub(crate) type Unnamed = BTreeMap<String, String>;

/// The spelling of a type without its own qualifiers: a call copies the value.
pub(crate) fn spell(ty: Type<'_>, unnamed: &Unnamed) -> String {
    let mut text = drop_words(&ty.get_display_name());
    if ty.is_const_qualified() || ty.is_volatile_qualified() {
        text = drop_qualifiers(&text, is_pointer(ty));
    }
    let text = name_unnamed(name_va_list(text), unnamed);
    let canonical = ty.get_canonical_type();
    match is_type(&text) {
        true => text,
        // A type of an expression with a text, for example.
        false if canonical != ty => spell(canonical, unnamed),
        false => "(unnamed)".into(),
    }
}

/// The record behind x86-64's `va_list` has no name that every compiler knows.
fn name_va_list(text: String) -> String {
    if !text.contains("__va_list_tag") {
        return text;
    }
    text.replace("struct __va_list_tag (*)[1]", "__builtin_va_list *")
        .replace("struct __va_list_tag[1]", "__builtin_va_list")
        .replace("struct __va_list_tag *", "__builtin_va_list")
}

/// How an array of elements, spelled `element`, is written as the pointer it decays to.
pub(crate) fn pointer_to(element: &str) -> String {
    let Some(at) = declarator(element) else {
        return format!("{element}{}*", if element.ends_with('*') { "" } else { " " });
    };
    let (before, after) = element.split_at(at);
    match after.strip_prefix("(*") {
        Some(inner) => format!("{before}(**{inner}"),
        None => format!("{} (*){after}", before.trim_end()),
    }
}

/// The ` at FILE:LINE:COLUMN)` in the spelling of a type without a name.
pub(crate) fn unnamed_place(spelling: &str) -> Option<&str> {
    let marker = ["(unnamed", "(anonymous"].iter().find_map(|marker| spelling.find(marker))?;
    let at = marker + spelling[marker..].find(" at ")?;
    Some(&spelling[at..])
}

/// The tag in `struct foo`, `union foo`, `enum foo`.
pub(crate) fn tag(spelling: &str) -> Option<&str> {
    let (keyword, tag) = spelling.split_once(' ')?;
    (matches!(keyword, "struct" | "union" | "enum") && is_identifier(tag)).then_some(tag)
}

pub(crate) fn is_identifier(text: &str) -> bool {
    is_name(text)
}

fn is_pointer(ty: Type<'_>) -> bool {
    ty.get_kind() == TypeKind::Pointer
}

fn drop_words(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '_') {
        let (before, word) = rest.split_at(start);
        let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
        out.push_str(before);
        let (word, after) = word.split_at(end);
        rest = after;
        if DROPPED.contains(&word) {
            // `* restrict *` and `(* restrict)`: the spaces around the word were for the word.
            out.truncate(out.trim_end().len());
            if rest.starts_with(" *") || rest.starts_with(" )") {
                rest = rest.trim_start();
            }
        } else {
            out.push_str(word);
        }
    }
    out.push_str(rest);
    out.trim().to_owned()
}

/// Drops a type's own `const` and `volatile`, not those of what it points to.
fn drop_qualifiers(text: &str, pointer: bool) -> String {
    let words = ["const", "volatile"];
    let mut text = text.to_owned();
    if !pointer {
        while let Some(rest) = words.iter().find_map(|w| text.strip_prefix(w)?.strip_prefix(' ')) {
            text = rest.to_owned();
        }
        return text;
    }
    while let Some(rest) = words.iter().find_map(|w| text.strip_suffix(w)) {
        text = rest.trim_end().to_owned();
    }
    for own in ["(*const volatile)", "(*const)", "(*volatile)"] {
        text = text.replacen(own, "(*)", 1);
    }
    text
}

/// Replaces what libclang writes for types without a name, which has a place in it, by their C names.
fn name_unnamed(mut text: String, unnamed: &Unnamed) -> String {
    let mut from = 0;
    loop {
        let marker =
            ["(unnamed", "(anonymous"].iter().filter_map(|m| Some(from + text[from..].find(m)?)).min();
        let Some(marker) = marker else { return text };
        let known = unnamed.iter().find_map(|(place, c_name)| {
            let at = marker + text[marker..].find(" at ")?;
            text[at..].starts_with(place).then(|| (at + place.len(), c_name.clone()))
        });
        let keyword = text[..marker].rfind(['(', ',', '*']).map_or(0, |at| at + 1);
        let keyword = ["struct ", "union ", "enum "]
            .iter()
            .filter_map(|word| text[keyword..marker].rfind(word).map(|at| keyword + at))
            .max()
            .unwrap_or(marker);
        let word = text[keyword..marker].split(' ').next().unwrap_or_default().to_owned();
        let (end, name) = match known {
            Some((end, name)) if !name.is_empty() => (end, name),
            Some((end, _)) => (end, format!("{word} (unnamed)")),
            None => {
                let end = text[marker..].find(')').map_or(text.len(), |at| marker + at + 1);
                (end, format!("{word} (unnamed)"))
            }
        };
        text.replace_range(keyword..end, &name);
        from = keyword + name.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_do_not_change_a_call_are_dropped() {
        for (input, expect) in [
            ("const char *restrict", "const char *"),
            ("char *restrict *", "char **"),
            ("int * _Nonnull", "int *"),
            ("int * _Nonnull * _Nullable", "int **"),
            ("void (* _Nullable)(int *restrict, restricted)", "void (*)(int *, restricted)"),
            ("unsigned long", "unsigned long"),
        ] {
            assert_eq!(drop_words(input), expect);
        }
    }

    #[test]
    fn only_own_qualifiers_are_dropped() {
        for (input, pointer, expect) in [
            ("const int", false, "int"),
            ("const volatile int", false, "int"),
            ("const ptr_t", false, "ptr_t"),
            ("constant", false, "constant"),
            ("const char *const", true, "const char *"),
            ("const char *const volatile", true, "const char *"),
            ("int (*const)(const int *const)", true, "int (*)(const int *const)"),
        ] {
            assert_eq!(drop_qualifiers(input, pointer), expect);
        }
    }

    #[test]
    fn arrays_are_written_as_the_pointers_they_decay_to() {
        for (element, expect) in [
            ("char", "char *"),
            ("char *", "char **"),
            ("int[4]", "int (*)[4]"),
            ("void (*)(int)", "void (**)(int)"),
            ("int (int)", "int (*)(int)"),
            ("__typeof__((*(struct s *)0).in)", "__typeof__((*(struct s *)0).in) *"),
            ("__typeof__((*(grid *)0)[0])[2]", "__typeof__((*(grid *)0)[0]) (*)[2]"),
        ] {
            assert_eq!(pointer_to(element), expect);
        }
    }

    #[test]
    fn places_do_not_reach_spellings() {
        let unnamed = Unnamed::from([
            (" at /a (b)/x.h:2:5)".to_owned(), "__typeof__(((struct s *)0)->in)".to_owned()),
            (" at x.h:9:1)".to_owned(), String::new()),
        ]);
        for (input, expect) in [
            ("struct s::(unnamed at /a (b)/x.h:2:5) *", "__typeof__(((struct s *)0)->in) *"),
            ("struct (unnamed struct at /a (b)/x.h:2:5)", "__typeof__(((struct s *)0)->in)"),
            ("int (*)(union (anonymous union at x.h:9:1) *, int)", "int (*)(union (unnamed) *, int)"),
            ("enum (unnamed at other.h:1:1)", "enum (unnamed)"),
            ("struct s", "struct s"),
        ] {
            assert_eq!(name_unnamed(input.to_owned(), &unnamed), expect);
        }
    }
}
