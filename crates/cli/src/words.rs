//! Words that begin like a negative number are arguments, not options: `-inf`, `-0x10`, `-1,2`.

use std::ffi::OsString;

/// Puts the sign that means "as it is" before such words. Words behind `--` are arguments anyway.
pub(crate) fn protect(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut options = true;
    let protect = |word: OsString| {
        options &= word != "--";
        match word.to_str() {
            Some(text) if options && negative(text) => format!("={text}").into(),
            _ => word,
        }
    };
    words.map(protect).collect()
}

/// Whether a word begins with a negative number that clap does not know as one.
fn negative(word: &str) -> bool {
    let Some(rest) = word.strip_prefix('-') else { return false };
    let first = rest.split(',').next().unwrap_or(rest);
    let named = ["inf", "infinity", "nan"].iter().any(|name| first.eq_ignore_ascii_case(name));
    let digit = rest.trim_start_matches('.').starts_with(|c: char| c.is_ascii_digit());
    named || digit && rest.parse::<f64>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_options() {
        let check = |words: &[&str], expect: &[&str]| {
            let found = protect(words.iter().map(OsString::from));
            assert_eq!(found, expect, "{words:?}");
        };
        check(
            &["-inf", "-NaN", "-0x10", "-1,2", "-inf,1"],
            &["=-inf", "=-NaN", "=-0x10", "=-1,2", "=-inf,1"],
        );
        check(&["-1", "-1.5", "-.5", "-1e9"], &["-1", "-1.5", "-.5", "-1e9"]);
        check(
            &["-I", "-Dx=1", "-o", "a=b", "-", "--", "-inf"],
            &["-I", "-Dx=1", "-o", "a=b", "-", "--", "-inf"],
        );
        check(&["-Infra", "-nano", "-", ""], &["-Infra", "-nano", "-", ""]);
    }
}
