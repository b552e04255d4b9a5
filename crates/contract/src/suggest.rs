//! The known name nearest to one that is not known.

/// The nearest name, when one is near enough to be what was meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    let allowed = (length / 3).clamp(1, 3);
    // Names of other lengths are further away than that: a name may be millions of letters long.
    let near = known.into_iter().filter(|candidate| candidate.chars().count().abs_diff(length) <= allowed);
    let ranked = near.map(|candidate| {
        // Among equals the one of the same length: a slip rather than a letter that is missing.
        (distance(name, candidate), candidate.len().abs_diff(name.len()), candidate)
    });
    let (distance, _, nearest) = ranked.min()?;
    (distance <= allowed && distance < length).then_some(nearest)
}

/// `did you mean …`, as a help text.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, known).map(|nearest| format!("did you mean `{nearest}`?"))
}

/// Insertions, deletions, replacements and swaps of neighbours between two names, capitals aside.
fn distance(a: &str, b: &str) -> usize {
    let fold =
        |text: &str| text.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect();
    let (a, b): (Vec<char>, Vec<char>) = (fold(a), fold(b));
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                let swapped = if swapped { rows[i - 2][j - 2] + 1 } else { usize::MAX };
                replaced.min(swapped).min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1)
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["compress", "compress2", "uncompress", "crc32", "include", "include_dirs"];
        for (name, expect) in [
            ("compres2", Some("compress")),
            ("Compress", Some("compress")),
            ("compresss2", Some("compress2")),
            ("crc23", Some("crc32")),
            ("includes", Some("include")),
            ("include-dirs", Some("include_dirs")),
            ("deflate", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), expect, "{name}");
        }
        // Compared with each, it would take gigabytes.
        assert_eq!(nearest(&"x".repeat(100_000_000), known), None);
    }

    #[test]
    fn distances() {
        for (a, b, expect) in [("", "ab", 2), ("kitten", "sitting", 3), ("ab", "ba", 1), ("a-b", "A_B", 0)] {
            assert_eq!(distance(a, b), expect, "{a} {b}");
        }
    }
}
