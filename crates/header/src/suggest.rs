//! Names near to one that was not found.

use std::collections::BTreeSet;

/// At most three known names near to `name`, nearest first.
pub(crate) fn near(name: &str, known: &BTreeSet<String>) -> Vec<String> {
    let bare = name.split(".so").next().unwrap_or(name);
    let forms = [
        Some(bare),
        bare.strip_prefix("lib"),
        bare.strip_suffix("lib"),
        bare.strip_prefix("lib").and_then(|inner| inner.strip_suffix("lib")),
    ];
    let forms: Vec<&str> = forms.into_iter().flatten().filter(|form| !form.is_empty()).collect();
    let mut near: Vec<(usize, &String)> = known
        .iter()
        .filter_map(|candidate| {
            let distance = forms.iter().map(|form| distance(form, candidate)).min()?;
            // One slip in a short name already makes it another one.
            let allowed = if bare.len() < 4 { 0 } else { bare.len() / 4 };
            (distance <= allowed.min(2)).then_some((distance, candidate))
        })
        .collect();
    near.sort();
    // What matches but for `lib` needs no company.
    let exact = near.iter().any(|(distance, _)| *distance == 0);
    let near = near.into_iter().filter(|(distance, _)| !exact || *distance == 0);
    near.take(3).map(|(_, name)| name.clone()).collect()
}

/// Insertions, deletions and replacements between two names, capitals aside.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &d) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(c != d);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        let known = ["z", "m", "c", "sqlite3", "png16", "png", "curl", "ssl", "archive", "xml2"];
        let known: BTreeSet<String> = known.map(str::to_owned).into();
        for (name, expect) in [
            ("zlib", vec!["z"]),
            ("libz", vec!["z"]),
            ("libcurl", vec!["curl"]),
            ("sqlite", vec!["sqlite3"]),
            ("Curl", vec!["curl"]),
            ("libxml2.so", vec!["xml2"]),
            ("archvie", vec![]),
            ("q", vec![]),
        ] {
            assert_eq!(near(name, &known), expect, "{name}");
        }
    }

    #[test]
    fn distances() {
        for (a, b, expect) in [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("ab", "ba", 2)] {
            assert_eq!(distance(a, b), expect);
        }
    }
}
