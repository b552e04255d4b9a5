//! Which way a comment says that a parameter goes, and what else it says of it.
//!
//! Three ways of writing are read: `@param[out] name text` of Doxygen, `@output:` with `name :: text` below it, as FreeType has it, and
//! `@name: (out): text` of GObject.

/// Which way a parameter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
    InOut,
}

/// What the comment of a function says of a parameter whose way it says.
pub(super) fn of(doc: &str, name: &str) -> Option<(Way, String)> {
    let plain = plain(doc);
    let with_way = |(said, text): (Option<Way>, String)| said.map(|way| (way, text));
    let found = doxygen(&plain, name).and_then(with_way);
    let (way, text) = found.or_else(|| section(doc, name)).or_else(|| annotated(doc, name)?.with_way())?;
    Some((way, text.to_lowercase()))
}

/// What the comment of a function says of a parameter, whether it says its way or not.
pub(super) fn text(doc: &str, name: &str) -> Option<String> {
    let of_section = || section(doc, name).map(|(_, text)| text);
    let found = doxygen(&plain(doc), name).map(|(_, text)| text);
    let text = found.or_else(of_section).or_else(|| annotated(doc, name).map(|it| it.text))?;
    Some(text.to_lowercase())
}

/// A comment without commands that only say how a word looks: `@c NULL` is `NULL`.
fn plain(doc: &str) -> String {
    const LOOKS: &[&str] = &["a", "b", "c", "e", "em", "p", "ref"];
    let mut text = String::new();
    for part in doc.split_inclusive(char::is_whitespace) {
        let word = part.trim_start_matches('(').trim_end();
        let command = word.strip_prefix(['@', '\\']).is_some_and(|word| LOOKS.contains(&word));
        if !command {
            text.push_str(part);
        }
    }
    text
}

/// `@param[out] name text`, or `@param name text`.
fn doxygen(doc: &str, name: &str) -> Option<(Option<Way>, String)> {
    let mut rest = doc;
    while let Some(at) = rest.find("param") {
        let marked = rest[..at].ends_with(['@', '\\']);
        rest = &rest[at + "param".len()..];
        let bracketed = rest.trim_start().strip_prefix('[').and_then(|text| text.split_once(']'));
        let (direction, said) = bracketed.unwrap_or(("", rest));
        let (said, ends) = (said.trim_start().trim_start_matches('*'), |c: char| c.is_whitespace());
        let (word, text) = said.split_once(ends).unwrap_or((said, ""));
        if marked && same(word, name) {
            let text = text.split(['@', '\\']).next().unwrap_or_default();
            let text = text.split("\n\n").next().unwrap_or_default();
            return Some((way(direction), text.to_owned()));
        }
    }
    None
}

/// `@output:`, and below it `name ::` with the text below that.
fn section(doc: &str, name: &str) -> Option<(Way, String)> {
    let (mut way, mut found) = (None, None);
    for line in doc.lines().map(str::trim) {
        if let Some(title) = line.strip_prefix('@').and_then(|line| line.strip_suffix(':')) {
            if found.is_some() {
                break;
            }
            way = section_way(&title.to_lowercase());
            continue;
        }
        let begins = line.strip_suffix("::").map(str::trim);
        match (begins, &mut found) {
            (Some(_), Some(_)) => break,
            (Some(word), None) if same(word, name) => found = way.map(|way| (way, String::new())),
            (None, Some((_, text))) => {
                text.push_str(line);
                text.push(' ');
            }
            _ => {}
        }
    }
    found
}

fn section_way(title: &str) -> Option<Way> {
    match title {
        "input" => Some(Way::In),
        "output" => Some(Way::Out),
        "inout" => Some(Way::InOut),
        _ => None,
    }
}

/// What `@name:` says, and which way that is.
struct Annotated {
    way: Option<Way>,
    text: String,
}

impl Annotated {
    fn with_way(self) -> Option<(Way, String)> {
        self.way.map(|way| (way, self.text))
    }
}

/// `@name: (out) (transfer none): text`. What stands in parentheses is part of what is said: `(array length=n)`.
fn annotated(doc: &str, name: &str) -> Option<Annotated> {
    let text = doc.lines().map(str::trim).find_map(|line| {
        let (word, rest) = line.strip_prefix('@')?.split_once(':')?;
        same(word.trim(), name).then(|| rest.trim())
    })?;
    let words = |part: &str| part.split(['(', ')', ' ', ',']).map(str::to_owned).collect::<Vec<_>>();
    let way = words(text).iter().find_map(|word| way(word)).filter(|_| text.starts_with('('));
    Some(Annotated { way, text: text.to_owned() })
}

fn way(direction: &str) -> Option<Way> {
    let words: String = direction.chars().filter(|c| c.is_ascii_alphabetic()).collect();
    match words.as_str() {
        "in" => Some(Way::In),
        "out" => Some(Way::Out),
        "inout" | "outin" => Some(Way::InOut),
        _ => None,
    }
}

fn same(word: &str, name: &str) -> bool {
    word.trim_matches('_') == name.trim_matches('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(doc: &str, expect: Option<(Way, &str)>) {
        let expect = expect.map(|(way, text)| (way, text.to_owned()));
        let found = of(doc, "count").map(|(way, text)| (way, text.trim().to_owned()));
        assert_eq!(found, expect, "{doc}");
    }

    #[test]
    fn three_ways_of_writing_are_read() {
        check("Gets it.\n@param[out] count How many.", Some((Way::Out, "how many.")));
        check("@param[in,out] count How many.\n\nThey are many.", Some((Way::InOut, "how many.")));
        check("@param[in] __count How many. @param[out] other", Some((Way::In, "how many.")));
        check("@input:\n  a ::\n    An a.\n\n@output:\n  count ::\n    How\n    many.\n@note:\n  No.", {
            Some((Way::Out, "how many."))
        });
        check("@inout:\n count ::\n  How many.\n other ::\n  Not this.", Some((Way::InOut, "how many.")));
        check(
            "@count: (out) (array length=n): How many.",
            Some((Way::Out, "(out) (array length=n): how many.")),
        );
        check("@count: (inout): How many.", Some((Way::InOut, "(inout): how many.")));
    }

    #[test]
    fn what_says_no_way_is_passed_over() {
        for doc in [
            "@param count How many.",
            "@param[out] counts How many.",
            "@count: how many (out of ten)",
            "@count: (transfer none): how many",
            "@note:\n count ::\n  How many.",
            "param[out] count",
        ] {
            check(doc, None);
        }
    }
}
