//! The only place that knows how a name of a table is spelled in another case.

use anyhow::{Result, ensure};

/// `Park`, `ReplyState`.
pub(crate) fn is_camel(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}

/// `park`, `reply_head`.
pub(crate) fn is_snake(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// `MAX_LANES`.
pub(crate) fn is_upper(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// `reply_head` → `ReplyHead`.
pub(crate) fn snake_to_camel(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_ascii_uppercase() + rest
        })
        .collect()
}

/// `MAX_LANES` → `MaxLanes`.
pub(crate) fn upper_to_camel(name: &str) -> String {
    snake_to_camel(&name.to_ascii_lowercase())
}

/// `ReplyState` → `reply_state`.
pub(crate) fn camel_to_snake(name: &str) -> String {
    let mut snake = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// `ReplyState` → `REPLY_STATE`.
pub(crate) fn camel_to_upper(name: &str) -> String {
    camel_to_snake(name).to_ascii_uppercase()
}

/// A clause as a sentence without its full stop: its first letter is a capital.
pub(crate) fn sentence(clause: &str) -> String {
    let (first, rest) = clause.split_at(clause.chars().next().map_or(0, char::len_utf8));
    first.to_uppercase() + rest
}

/// A text as it stands in a cell of a Markdown table, where a bar would end the cell.
pub(crate) fn table_cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Fails when two of `names` are equal, telling which and of what kind they are.
pub(crate) fn all_different<'a>(kind: &str, names: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut seen = Vec::new();
    for name in names {
        ensure!(!seen.contains(&name), "{kind} `{name}` is there twice");
        seen.push(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_convert() {
        assert_eq!(snake_to_camel("segment_add"), "SegmentAdd");
        assert_eq!(snake_to_camel("fds"), "Fds");
        assert_eq!(upper_to_camel("MAX_LANES"), "MaxLanes");
        assert_eq!(camel_to_snake("ReplyState"), "reply_state");
        assert_eq!(camel_to_upper("BadReference"), "BAD_REFERENCE");
    }

    #[test]
    fn cases_are_told_apart() {
        assert!(is_camel("ReplyState") && !is_camel("reply_state") && !is_camel("Reply_State"));
        assert!(is_snake("reply_state") && !is_snake("Reply") && !is_snake("_reply"));
        assert!(is_upper("MAX_LANES") && !is_upper("MaxLanes") && !is_upper(""));
    }

    #[test]
    fn doubles_are_named() {
        let error = all_different("field", ["a", "b", "a"]).unwrap_err();
        assert_eq!(error.to_string(), "field `a` is there twice");
    }
}
