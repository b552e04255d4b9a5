//! Names of parameters, as contracts and packages write them.

use hotcell_model::api::Function;

use crate::pattern;
use crate::typed;

/// One name per parameter: the header's, without the leading underscores of system headers where that is
/// unambiguous; `argN`, counted from 1, where it gives none; each different from the others.
pub(crate) fn names(function: &Function) -> Vec<String> {
    let raw: Vec<&str> = function.params.iter().map(|param| param.name.as_deref().unwrap_or("")).collect();
    let mut names: Vec<String> = Vec::new();
    for (position, own) in raw.iter().enumerate() {
        let bare = own.trim_start_matches('_');
        let clear = bare.starts_with(|c: char| c.is_ascii_alphabetic())
            && !["result", "errno", "sizeof"].contains(&bare)
            && !raw
                .iter()
                .enumerate()
                .any(|(other, name)| other != position && name.trim_start_matches('_') == bare);
        let wanted = match (own.is_empty(), clear) {
            (true, _) => format!("arg{}", position + 1),
            (false, true) => bare.to_owned(),
            (false, false) => (*own).to_owned(),
        };
        let taken = |name: &String, names: &[String]| {
            names.contains(name) || raw.iter().skip(position + 1).any(|other| other == name)
        };
        let mut name = wanted.clone();
        // A header's own name stays; an invented one gives way.
        let invented = own.is_empty() || names.contains(&name);
        let mut suffix = 2;
        while invented && taken(&name, &names) {
            name = format!("{wanted}_{suffix}");
            suffix += 1;
        }
        names.push(name);
    }
    names
}

/// The position of the parameter that a contract calls `name`: by its name here, or as the header has it.
pub(crate) fn position(function: &Function, names: &[String], name: &str) -> Option<usize> {
    let here = names.iter().position(|own| own == name);
    here.or_else(|| function.params.iter().position(|param| param.name.as_deref() == Some(name)))
}

/// The positions of the parameters that a contract calls by this name, pattern or type.
pub(crate) fn positions(function: &Function, names: &[String], name: &str) -> Vec<usize> {
    if let Some(typed) = typed::is_typed(name).then(|| typed::read(name)) {
        let Ok(typed) = typed else { return Vec::new() };
        let params = function.params.iter().enumerate();
        let called = |index: usize| -> Vec<&str> {
            let raw = function.params[index].name.as_deref();
            raw.into_iter().chain([names[index].as_str()]).collect()
        };
        return params
            .filter(|(index, param)| typed.matches(&param.ty, &called(*index)))
            .map(|(index, _)| index)
            .collect();
    }
    if !pattern::is_pattern(name) {
        return position(function, names, name).into_iter().collect();
    }
    let called = |&index: &usize| {
        let raw = function.params.get(index).and_then(|param| param.name.as_deref());
        pattern::matches(name, &names[index]) || raw.is_some_and(|raw| pattern::matches(name, raw))
    };
    (0..names.len()).filter(called).collect()
}

#[cfg(test)]
mod tests {
    use crate::check::tests::function;

    #[test]
    fn names_are_the_headers_unless_they_cannot_be() {
        for (declaration, expect) in [
            ("int f(int a, int b)", vec!["a", "b"]),
            ("int f(int, int)", vec!["arg1", "arg2"]),
            ("int f(const char *__s, int __n)", vec!["s", "n"]),
            ("int f(int __n, int n)", vec!["__n", "n"]),
            ("int f(int __n, int _n)", vec!["__n", "_n"]),
            ("int f(int, int arg1)", vec!["arg1_2", "arg1"]),
            ("int f(int *__result, int __1)", vec!["__result", "__1"]),
            ("int f(void)", vec![]),
        ] {
            assert_eq!(super::names(&function(declaration)), expect, "{declaration}");
        }
    }
}
