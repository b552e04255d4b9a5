//! What attributes say about a call.
//!
//! libclang names few attributes and hides those that come out of macros. Its printer spells every one in
//! the same way, wherever it came from: `void f(void) __attribute__((nonnull(1, 2)))`.

use clang::{Availability, Entity, EntityKind, TypeKind};
use hotcell_model::api::Attribute;

/// The attributes of one declaration of a function, redeclarations not included.
pub(crate) fn attributes(function: &Entity<'_>) -> Vec<Attribute> {
    let mut found = Vec::new();
    // `noreturn` is part of the type when it is written the GNU way.
    let ty = function.get_type().map(|ty| ty.get_display_name()).unwrap_or_default();
    if ty.rsplit_once(')').is_some_and(|_| ty.ends_with("__attribute__((noreturn))")) {
        found.push(Attribute::Noreturn);
    }
    if function.has_attributes() {
        let annotations = annotations(function);
        let mut printed = function.get_pretty_printer().print();
        for text in &annotations {
            // Printed without escapes, so its quotes and parentheses would confuse the scan.
            printed = printed.replace(&format!("annotate(\"{text}\""), "annotate(\"\"");
        }
        found.extend(scan(&printed));
        found.extend(annotations.into_iter().map(|text| Attribute::Annotate { text }));
    }
    found.extend(nonnull_params(function));
    if function.get_availability() == Availability::Deprecated {
        found.push(Attribute::Deprecated);
    }
    merge(found)
}

/// Attributes without repetitions; the parameters of all `nonnull`s in one.
pub(crate) fn merge(attributes: Vec<Attribute>) -> Vec<Attribute> {
    let mut merged: Vec<Attribute> = Vec::new();
    for attribute in attributes {
        let Attribute::Nonnull { params: more } = &attribute else {
            if !merged.contains(&attribute) {
                merged.push(attribute);
            }
            continue;
        };
        let seen = merged.iter_mut().find_map(|seen| match seen {
            Attribute::Nonnull { params } => Some(params),
            _ => None,
        });
        match seen {
            None => merged.push(attribute),
            // Without parameters it means all pointers.
            Some(params) if more.is_empty() || params.is_empty() => params.clear(),
            Some(params) => {
                params.extend(more);
                params.sort_unstable();
                params.dedup();
            }
        }
    }
    merged
}

fn annotations(function: &Entity<'_>) -> Vec<String> {
    let children = function.get_children().into_iter();
    children.filter(|c| c.get_kind() == EntityKind::AnnotateAttr).filter_map(|c| c.get_name()).collect()
}

/// Parameters that are said not to be null one by one: `int f(char *_Nonnull s, char buffer[static 8])`.
fn nonnull_params(function: &Entity<'_>) -> Option<Attribute> {
    let params = function.get_arguments()?;
    let says = |param: &Entity<'_>| {
        let printed = param.get_pretty_printer().print();
        let name = param.get_name().unwrap_or_default();
        let declared = printed.split("__attribute__").next().unwrap_or_default().trim_end();
        let outermost = declared.strip_suffix(&name).unwrap_or(declared).trim_end();
        outermost.ends_with("_Nonnull") || is_static(param) || printed.contains("__attribute__((nonnull))")
    };
    let params: Vec<u32> = (0..).zip(&params).filter(|(_, param)| says(param)).map(|(i, _)| i).collect();
    (!params.is_empty()).then_some(Attribute::Nonnull { params })
}

/// Whether a parameter is an array that has to be there: `int values[static 3]`.
fn is_static(param: &Entity<'_>) -> bool {
    let kind = param.get_type().map(|ty| ty.get_canonical_type().get_kind());
    if !matches!(kind, Some(TypeKind::ConstantArray | TypeKind::VariableArray)) {
        return false;
    }
    // The outermost brackets are the first behind its name: those of types within are behind them, or in parentheses before it.
    let printed = param.get_pretty_printer().print();
    let name = param.get_name().unwrap_or_default();
    let behind = match printed.split_once(&format!("{name}[")) {
        Some((_, behind)) if !name.is_empty() => behind,
        _ => printed.split_once('[').map_or("", |(_, behind)| behind),
    };
    let brackets = behind.split(']').next().unwrap_or_default();
    brackets.split_whitespace().any(|word| word == "static")
}

/// Attributes of the function in a printed declaration, not those of its parameters.
fn scan(printed: &str) -> Vec<Attribute> {
    const OPEN: &str = "__attribute__((";
    let mut found = Vec::new();
    let (mut depth, mut at) = (0_u32, 0);
    while let Some(c) = printed[at..].chars().next() {
        let rest = &printed[at..];
        if depth == 0
            && let Some(inner) = rest.strip_prefix(OPEN)
        {
            // An argument that is text is printed without escapes: its end is what closes the attribute.
            let text = inner.split_once('(').is_some_and(|(name, more)| {
                name.chars().all(|c| c.is_alphanumeric() || c == '_') && more.starts_with('"')
            });
            let Some(end) = inner.find(if text { ")))" } else { "))" }) else {
                break;
            };
            let end = end + inner[end..].chars().take_while(|&c| c == ')').count();
            found.extend(one(&inner[..end]));
            at += OPEN.len() + end;
            continue;
        }
        if depth == 0 && (rest.starts_with("_Noreturn ") || rest.starts_with("[[noreturn]]")) {
            found.push(Attribute::Noreturn);
        }
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += c.len_utf8();
    }
    found
}

/// One attribute: `nonnull(1, 2)))`.
fn one(text: &str) -> Option<Attribute> {
    let name = text.split(['(', ')']).next().unwrap_or_default().trim();
    match name.trim_matches('_') {
        "noreturn" => Some(Attribute::Noreturn),
        "malloc" => Some(Attribute::Malloc),
        "format" => Some(Attribute::Format),
        "nonnull" => {
            let arguments = text.split_once('(').map_or("", |(_, rest)| rest);
            let numbers =
                arguments.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse::<u32>().ok());
            Some(Attribute::Nonnull { params: numbers.filter_map(|n| n.checked_sub(1)).collect() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_the_function_are_read() {
        let nonnull = |params: &[u32]| Attribute::Nonnull { params: params.to_vec() };
        for (printed, expect) in [
            (
                "extern size_t strlen(const char *s) __attribute__((pure)) __attribute__((nonnull(1)))",
                vec![nonnull(&[0])],
            ),
            (
                "__attribute__((nonnull(1, 3))) __attribute__((format(printf, 1, 3))) void h(void)",
                vec![nonnull(&[0, 2]), Attribute::Format],
            ),
            ("__attribute__((nonnull)) void h(void)", vec![nonnull(&[])]),
            ("_Noreturn void g(void)", vec![Attribute::Noreturn]),
            ("__attribute__((malloc)) void *m(void)", vec![Attribute::Malloc]),
            (
                "__attribute__((deprecated(\"don't :( )\"))) __attribute__((malloc)) void *m(void)",
                vec![Attribute::Malloc],
            ),
            ("void f(char *p __attribute__((nonnull)), void (*g)(void) __attribute__((noreturn)))", vec![]),
        ] {
            assert_eq!(scan(printed), expect, "{printed}");
        }
    }

    #[test]
    fn nonnull_of_several_declarations_is_one() {
        let nonnull = |params: &[u32]| Attribute::Nonnull { params: params.to_vec() };
        assert_eq!(
            merge(vec![nonnull(&[2]), Attribute::Malloc, nonnull(&[0])]),
            [nonnull(&[0, 2]), Attribute::Malloc]
        );
        assert_eq!(merge(vec![nonnull(&[2]), nonnull(&[])]), [nonnull(&[])]);
    }
}
