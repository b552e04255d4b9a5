//! How much a contract decides: its lines below the head.

use toml::de::DeTable;

use crate::diagnostic::line_of;
use crate::document::entries;

/// Keys that say which library is meant, not what its functions are.
const HEAD: [&str; 9] =
    ["hotcell", "library", "headers", "link", "include_dirs", "defines", "prelude", "include", "exclude"];

/// Lines of a contract that decide something: all but the head, comments and blank lines. The name of a
/// function (`[function.NAME]`) is a line like any other. 0 for what is no TOML.
pub fn decided_lines(text: &str) -> usize {
    let Ok(document) = DeTable::parse(text) else { return 0 };
    let head: Vec<_> = entries(document.get_ref())
        .iter()
        .filter(|entry| HEAD.contains(&entry.key))
        .map(|entry| line_of(text, entry.key_span.start)..=line_of(text, entry.span.end.saturating_sub(1)))
        .collect();
    let decides = |&(number, line): &(u32, &str)| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#') && !head.iter().any(|lines| lines.contains(&number))
    };
    (1..).zip(text.lines()).filter(decides).count()
}

/// What those lines say, value by value: a line may say much. A list is one value. 0 for what is no TOML.
pub fn decided_values(text: &str) -> usize {
    let Ok(document) = text.parse::<toml::Table>() else { return 0 };
    let decides = document.iter().filter(|(key, _)| !HEAD.contains(&key.as_str()));
    decides.map(|(_, value)| values(value)).sum()
}

fn values(value: &toml::Value) -> usize {
    match value {
        toml::Value::Table(table) => table.values().map(values).sum(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_say_much() {
        let head = "hotcell = 1\nlibrary = \"z\"\nexclude = [\"x\", \"y\"]\n";
        let line = "f.params = { a = { out = \"buffer\", size = \"n\" }, b = { out = \"value\" } }\n";
        assert_eq!(
            (decided_lines(&format!("{head}{line}")), decided_values(&format!("{head}{line}"))),
            (1, 3)
        );
        assert_eq!(decided_values(head), 0);
        assert_eq!(decided_values("init = [\"a()\", \"b()\"]"), 1);
        assert_eq!(decided_values("hotcell = "), 0);
    }

    #[test]
    fn the_head_comments_and_blank_lines_decide_nothing() {
        let head = "# z\nhotcell = 1\nlibrary = \"z\"\nheaders = [\n  \"a.h\",\n  \"b.h\",\n]\nlink = [\"z\"]\n\
                    include_dirs = [\"i\"]\ndefines = [\"A\"]\nprelude = \"\"\"\nint a;\n\"\"\"\n\
                    include = [\"*\"]\nexclude = [\"x\"]\n";
        let check =
            |text: &str, expect| assert_eq!(decided_lines(&format!("{head}{text}")), expect, "{text}");
        check("", 0);
        check("deadline = \"2s\"\n", 1);
        check("\n# [function.f]\n  # params.a = { out = \"value\" }\n", 0);
        check("[function.f]\nparams.a = { out = \"value\" } # why\n\n[function.g]\nidempotent = true", 4);
        assert_eq!(decided_lines("hotcell = "), 0);
    }
}
