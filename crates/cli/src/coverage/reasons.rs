//! Why a contract excludes what it excludes: the comments in its list.

/// The entries of `exclude`, each with the comment above it, which may be empty.
pub(super) fn of_exclude(text: &str) -> Vec<(String, String)> {
    let list = text.lines().skip_while(|line| !line.starts_with("exclude"));
    let (mut found, mut reason, mut ended) = (Vec::new(), String::new(), false);
    for line in list {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix('#') {
            if std::mem::take(&mut ended) {
                reason.clear();
            }
            let gap = if reason.is_empty() { "" } else { " " };
            reason.push_str(&format!("{gap}{}", comment.trim()));
            continue;
        }
        // Patterns have no quotes in them: what stands between is every second part.
        let patterns = line.split('"').skip(1).step_by(2);
        let before = found.len();
        found.extend(patterns.map(|pattern| (pattern.to_owned(), reason.clone())));
        ended |= found.len() > before;
        if line.ends_with(']') {
            break;
        }
    }
    found
}

#[test]
fn an_entry_has_the_comment_above_it() {
    let text = "link = [\"z\"]\nexclude = [\n    # One reason,\n    # on two lines.\n    \"a*\", \"b\",\n    \"c\",\n    # Another.\n    \"d\",\n]\ninit = [\"e\"]\n";
    let first = "One reason, on two lines.";
    let expect = [("a*", first), ("b", first), ("c", first), ("d", "Another.")];
    assert_eq!(of_exclude(text), expect.map(|(pattern, reason)| (pattern.to_owned(), reason.to_owned())));
    assert_eq!(of_exclude("exclude = [\"a\"]\ninit = [\"b\"]\n"), [("a".to_owned(), String::new())]);
    assert_eq!(of_exclude("hotcell = 1\n"), []);
}
