//! The shortest names under which nothing is mistaken for something else.

use std::collections::BTreeMap;

use super::Scope;

/// What a language has to say of names.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    /// Whether it takes one as it is.
    pub(crate) is_sound: fn(&str) -> bool,
    /// One that it takes, of one that it may not.
    pub(crate) sound: fn(String) -> String,
    /// One that is free, of one that may not be.
    pub(crate) take: fn(&mut Scope, String) -> String,
}

/// Gives each thing one of its candidates, which stand in order of preference: the first that the language takes, that
/// is not in `reserved`, and that nothing else goes by, whatever its case. Things that would share a name all
/// go on to their next; what is left in the end is told apart by numbers.
pub(crate) fn choose(candidates: &[Vec<String>], reserved: &[&str], rules: Rules) -> Vec<String> {
    let mut at = vec![0; candidates.len()];
    loop {
        let mut counts = BTreeMap::<String, usize>::new();
        for (names, &at) in candidates.iter().zip(&at) {
            *counts.entry(names[at].to_lowercase()).or_default() += 1;
        }
        let mut moved = false;
        for (names, at) in candidates.iter().zip(&mut at) {
            let name = &names[*at];
            let free = counts[&name.to_lowercase()] == 1 && !reserved.contains(&name.as_str());
            if !(free && (rules.is_sound)(name)) && *at + 1 < names.len() {
                *at += 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    let mut scope = Scope::with(reserved);
    let chosen = candidates.iter().zip(at).map(|(names, at)| (rules.sound)(names[at].clone()));
    chosen.map(|name| (rules.take)(&mut scope, name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a language with one reserved word, which has a `_` behind it or in front of a digit where it must.
    const RULES: Rules = Rules {
        is_sound: |name| name != "match" && name.starts_with(|first: char| first.is_alphabetic()),
        sound: |name| match name.as_str() {
            "match" => "match_".into(),
            name if name.starts_with(|first: char| first.is_ascii_digit()) => format!("_{name}"),
            _ => name,
        },
        take: Scope::take,
    };

    fn check(candidates: &[&[&str]], expect: &[&str]) {
        let candidates: Vec<Vec<String>> =
            candidates.iter().map(|names| names.iter().map(|&name| name.to_owned()).collect()).collect();
        assert_eq!(choose(&candidates, &["open", "clone"], RULES), expect);
    }

    #[test]
    fn the_first_name_that_is_free_and_sound() {
        check(&[&["append", "list_append"], &["length", "list_length"]], &["append", "length"]);
        check(&[&["open", "foo_open"], &["match", "foo_match"]], &["foo_open", "foo_match"]);
        check(&[&["2x", "foo_2x"]], &["foo_2x"]);
    }

    #[test]
    fn nobody_keeps_a_name_that_two_would_have() {
        check(&[&["get", "foo_get"], &["get", "bar_get"], &["set"]], &["foo_get", "bar_get", "set"]);
        check(&[&["A", "FOO_A"], &["a", "FOO_a"]], &["FOO_A", "FOO_a"]);
        // The longer name of one is another's short one.
        check(&[&["x", "b_x"], &["x", "a_x"], &["b_x", "c_b_x"]], &["b_x", "a_x", "c_b_x"]);
    }

    #[test]
    fn without_another_name_numbers_tell_apart() {
        check(&[&["get"], &["get"], &["get"]], &["get", "get_", "get_2"]);
        check(&[&["open"], &["match"], &["3d"]], &["open_", "match_", "_3d"]);
    }
}
