//! Rust source without its comments and the contents of its literals, for rules about code alone.

/// The text with every character of a comment or literal replaced by a blank; lines stay lines.
pub(crate) fn without_comments_and_literals(text: &str) -> String {
    let source: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < source.len() {
        let end = match source[at] {
            '/' => comment_end(&source, at),
            '"' => string_end(&source, at),
            'r' => raw_string_end(&source, at),
            '\'' => char_end(&source, at),
            _ => None,
        };
        match end {
            Some(end) => {
                out.extend(source[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
                at = end;
            }
            None => {
                out.push(source[at]);
                at += 1;
            }
        }
    }
    out
}

/// Lines, numbered from 1, where `word` stands by itself and not as a part of a longer name.
pub(crate) fn lines_with_word<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let has = move |line: &str| {
        line.match_indices(word).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + word.len()..].chars().next();
            !before.is_some_and(is_name) && !after.is_some_and(is_name)
        })
    };
    (1..).zip(code.lines()).filter(move |(_, line)| has(line)).map(|(number, _)| number)
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn comment_end(source: &[char], at: usize) -> Option<usize> {
    match source.get(at + 1)? {
        '/' => Some(find(source, at, |it| it[0] == '\n')),
        '*' => {
            let mut depth = 1;
            let mut next = at + 2;
            while depth > 0 && next < source.len() {
                let step = match &source[next..] {
                    ['/', '*', ..] => (1, 2),
                    ['*', '/', ..] => (-1, 2),
                    _ => (0, 1),
                };
                depth += step.0;
                next += step.1;
            }
            Some(next)
        }
        _ => None,
    }
}

fn string_end(source: &[char], at: usize) -> Option<usize> {
    let mut next = at + 1;
    while next < source.len() {
        match source[next] {
            '\\' => next += 2,
            '"' => return Some(next + 1),
            _ => next += 1,
        }
    }
    Some(source.len())
}

fn raw_string_end(source: &[char], at: usize) -> Option<usize> {
    // `br"…"` and `cr"…"` start with a letter; in `bar"…"` the r is the end of a macro's input.
    let before = at.checked_sub(1).map(|it| source[it]);
    if before.is_some_and(|c| is_name(c) && c != 'b' && c != 'c') {
        return None;
    }
    let hashes = source[at + 1..].iter().take_while(|&&c| c == '#').count();
    let quote = at + 1 + hashes;
    if source.get(quote) != Some(&'"') {
        return None;
    }
    let closes = |it: &[char]| it[0] == '"' && it.len() > hashes && it[1..=hashes].iter().all(|&c| c == '#');
    let end = find(source, quote + 1, closes);
    Some((end + 1 + hashes).min(source.len()))
}

/// A character literal; `None` for the apostrophe of a lifetime or label.
fn char_end(source: &[char], at: usize) -> Option<usize> {
    match (source.get(at + 1)?, source.get(at + 2)?) {
        // The escaped character itself may be the apostrophe.
        ('\\', _) => Some((find(source, at + 3, |it| it[0] == '\'') + 1).min(source.len())),
        (_, '\'') => Some(at + 3),
        _ => None,
    }
}

/// The first place from `start` where the rest of the source fits; the source's end when nowhere.
fn find(source: &[char], start: usize, fits: impl Fn(&[char]) -> bool) -> usize {
    (start..source.len()).find(|&at| fits(&source[at..])).unwrap_or(source.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_left() {
        for (text, code) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"a("b \" c") d"#, "a(        ) d"),
            (r###"a(r#"b " c"#) d"###, "a(          ) d"),
            ("a(br\"b\\\") d", "a(b     ) d"),
            ("r#type r", "r#type r"),
            ("a('b', '\\'', '\"') c", "a(   ,     ,    ) c"),
            ("fn a<'b>(c: &'b d)", "fn a<'b>(c: &'b d)"),
            ("'outer: loop { 'x' }", "'outer: loop {     }"),
            ("\"one\ntwo\" three", "    \n     three"),
            ("a / b", "a / b"),
            ("\"open", "     "),
        ] {
            assert_eq!(without_comments_and_literals(text), code, "{text:?}");
        }
    }

    #[test]
    fn words_stand_alone() {
        let code = "unsafe {\nunsafe_code\nnot_unsafe\n(unsafe)\n";
        assert_eq!(lines_with_word(code, "unsafe").collect::<Vec<_>>(), [1, 4]);
    }
}
