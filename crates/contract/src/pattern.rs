//! Patterns of names: `*` for any letters, `{a,b}` for one of several.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::diagnostic::Diagnostic;
use crate::document::Text;
use crate::suggest::did_you_mean;

/// Whether a text is a pattern, or a type in parentheses, and not a name.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '{', '}', ',', '('])
}

/// Whether a name matches a pattern of a contract: `*` stands for any letters, `{a,b}` for one of several.
pub fn matches(pattern: &str, name: &str) -> bool {
    let Some(at) = pattern.find(['*', '{']) else {
        return pattern == name;
    };
    let (before, rest) = pattern.split_at(at);
    let Some(name) = name.strip_prefix(before) else {
        return false;
    };
    if let Some(rest) = rest.strip_prefix('*') {
        let mut ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
        return rest.is_empty() || ends.any(|end| matches(rest, &name[end..]));
    }
    group(rest).is_some_and(|(inside, after)| {
        inside.split(',').any(|choice| matches(&format!("{choice}{after}"), name))
    })
}

/// What stands between the braces that a text begins with, and behind them.
fn group(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('{')?.split_once('}')
}

/// The braces of a pattern: the place of each, and the choices that it leaves. None where they are not in order.
pub(crate) fn groups(pattern: &str) -> Vec<(Range<usize>, Vec<&str>)> {
    if braces(pattern).is_some() {
        return Vec::new();
    }
    let starts = pattern.match_indices('{').map(|(at, _)| at);
    let group = |start: usize| {
        let (inside, _) = group(&pattern[start..])?;
        Some((start..start + inside.len() + 2, inside.split(',').collect()))
    };
    starts.filter_map(group).collect()
}

/// A pattern with these of its braces, counted from 1, replaced by a choice.
pub(crate) fn choose(
    pattern: &str,
    groups: &[(Range<usize>, Vec<&str>)],
    choice: &BTreeMap<usize, &str>,
) -> String {
    let (mut found, mut behind) = (String::new(), 0);
    for (number, (place, _)) in (1..).zip(groups) {
        let Some(choice) = choice.get(&number) else { continue };
        found.push_str(&pattern[behind..place.start]);
        found.push_str(choice);
        behind = place.end;
    }
    found.push_str(&pattern[behind..]);
    found
}

/// The patterns that the choices of the first braces leave.
pub(crate) fn first_chosen(pattern: &str) -> Vec<String> {
    let groups = groups(pattern);
    let Some((_, choices)) = groups.first() else { return vec![pattern.to_owned()] };
    choices.iter().map(|choice| choose(pattern, &groups, &BTreeMap::from([(1, *choice)]))).collect()
}

/// Says what is wrong with a pattern of names of functions, or of other things; `of` is what the names are of.
/// A name is a pattern too.
pub(crate) fn wrong(document: &str, text: &Text, of: &str) -> Option<Diagnostic> {
    let value = text.value.as_str();
    if let Some((place, why)) = braces(value) {
        let message = format!("`{value}` is no pattern: {why}");
        let help = "write `{a,b}` for one of several, as in `\"open_{read,write}*\"`".to_owned();
        return Some(Diagnostic::error(message).at(text.place(document, place)).help(help));
    }
    let foreign = |c: char| !(c.is_ascii_alphanumeric() || "_*{},".contains(c));
    if value.is_empty() || value.contains(foreign) {
        let help =
            format!("write the name of a {of}, with `*` for any letters and `{{a,b}}` for one of several");
        let message = format!("`{value}` is no {of} and no pattern");
        return Some(Diagnostic::error(message).at(text.span.clone()).help(help));
    }
    None
}

/// What is wrong with the braces of a pattern, and where.
fn braces(pattern: &str) -> Option<(Range<usize>, &'static str)> {
    let mut open: Option<usize> = None;
    for (at, letter) in pattern.char_indices() {
        let place = at..at + letter.len_utf8();
        match (letter, open) {
            ('{', None) => open = Some(at),
            ('{', Some(_)) => return Some((place, "braces do not stand in braces")),
            ('}', None) => return Some((place, "nothing opens this brace")),
            ('}', Some(start)) if !pattern[start..at].contains(',') => {
                return Some((start..at + 1, "these braces leave no choice"));
            }
            ('}', Some(_)) => open = None,
            (',', None) => return Some((place, "a comma stands in braces only")),
            _ => {}
        }
    }
    open.map(|at| (at..at + 1, "nothing closes this brace"))
}

/// The choices of a pattern's braces: the place of each, and the pattern that has it alone.
fn choices(pattern: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    for (start, _) in pattern.match_indices('{') {
        let Some((inside, after)) = group(&pattern[start..]) else { continue };
        let mut at = start + 1;
        for choice in inside.split(',') {
            found.push((at..at + choice.len(), format!("{}{choice}{after}", &pattern[..start])));
            at += choice.len() + 1;
        }
    }
    found
}

/// Warns about a pattern that matches none of these names, and about the choices in its braces that match none.
/// `what` says what the names are, as in "function that is selected".
pub(crate) fn useless<'a>(
    document: &str,
    text: &Text,
    names: impl Iterator<Item = &'a str> + Clone,
    what: &str,
) -> Vec<Diagnostic> {
    let idle = idle(&text.value, names.clone()).into_iter();
    idle.map(|(place, part)| {
        let whole = place.len() == text.value.len();
        let place = if whole { text.span.clone() } else { text.place(document, place) };
        let help = did_you_mean(&part, names.clone()).filter(|_| !is_pattern(&part));
        Diagnostic::warning(format!("`{part}` matches no {what}")).at(place).help(help)
    })
    .collect()
}

/// The parts of a pattern that no name matches: all of it, or choices. Each with its place, and as the pattern that
/// it makes alone.
fn idle<'a>(pattern: &str, names: impl Iterator<Item = &'a str> + Clone) -> Vec<(Range<usize>, String)> {
    let idle = |pattern: &str| !names.clone().any(|name| matches(pattern, name));
    if idle(pattern) {
        return vec![(0..pattern.len(), pattern.to_owned())];
    }
    choices(pattern).into_iter().filter(|(_, pattern)| idle(pattern)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_letters_and_braces_for_one_of_several() {
        for (pattern, name, expect) in [
            ("crc32", "crc32", true),
            ("crc32", "crc32_z", false),
            ("crc32*", "crc32_z", true),
            ("*", "anything", true),
            ("*_z", "crc32_z", true),
            ("*_z", "crc32_zz", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXcYb", false),
            ("ab*ba", "aba", false),
            ("a**b", "ab", true),
            ("{a,b}_c", "b_c", true),
            ("{a,b}_c", "c_c", false),
            ("x_{a,b}{1,2}", "x_b1", true),
            ("x_{a,b}{1,2}", "x_1b", false),
            ("compress{,2}", "compress", true),
            ("compress{,2}", "compress3", false),
            ("{*_init,end*}", "a_init", true),
            ("{*_init,end*}", "end_a", true),
            ("{*_init,end*}", "a_end", false),
            ("{a,ab}c", "abc", true),
        ] {
            assert_eq!(matches(pattern, name), expect, "{pattern} {name}");
        }
    }

    #[test]
    fn braces_are_in_pairs_and_leave_a_choice() {
        for (pattern, expect) in [
            ("a{b,c}d{,e}*", None),
            ("a{b,c", Some((1..2, "nothing closes this brace"))),
            ("a}b", Some((1..2, "nothing opens this brace"))),
            ("a{b,{c,d}}", Some((4..5, "braces do not stand in braces"))),
            ("a{b}c", Some((1..4, "these braces leave no choice"))),
            ("a{}", Some((1..3, "these braces leave no choice"))),
            ("a,b", Some((1..2, "a comma stands in braces only"))),
        ] {
            assert_eq!(braces(pattern), expect, "{pattern}");
        }
    }

    #[test]
    fn a_choice_that_matches_nothing_is_found() {
        let names = ["open_read", "open_write"];
        let check = |pattern, expect: &[(Range<usize>, &str)]| {
            let found = idle(pattern, names.into_iter());
            let found: Vec<_> = found.iter().map(|(place, text)| (place.clone(), text.as_str())).collect();
            assert_eq!(found, expect, "{pattern}");
        };
        check("open_{read,write}", &[]);
        check("open_{read,wirte,}*", &[(11..16, "open_wirte*")]);
        check("{close,open}_{a,read}", &[(1..6, "close_{a,read}"), (14..15, "{close,open}_a")]);
        check("shut*", &[(0..5, "shut*")]);
    }
}
