//! What the names of a library have in common at their front.

use std::collections::BTreeMap;

use super::words;

/// Words in front of a name that say of what library it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prefix(Vec<String>);

impl Prefix {
    /// The prefix of a library's functions: what stands before the first `_` of more than half of them, or
    /// else as many of their first words as the library is called by.
    pub(crate) fn of_functions<'a>(
        library: &str,
        names: impl Iterator<Item = &'a str> + Clone,
    ) -> Option<Prefix> {
        let library = words(library).concat();
        let library = library.strip_prefix("lib").unwrap_or(&library);
        Prefix::before_underscore(names.clone()).or_else(|| {
            let first = |count: usize| {
                let names = names.clone().map(|name| words(name).get(..count).map(<[String]>::to_vec));
                most(names).filter(|first| library.starts_with(&first.concat()))
            };
            // `WebPDecode` has the words `web`, `p` and `decode`.
            (1..=3).rev().find_map(first).map(Prefix)
        })
    }

    /// What stands before the first `_` of more than half of the names.
    pub(crate) fn before_underscore<'a>(names: impl Iterator<Item = &'a str>) -> Option<Prefix> {
        let first = |name: &'a str| {
            let (first, rest) = name.trim_start_matches('_').split_once('_')?;
            (!rest.is_empty()).then(|| words(first))
        };
        most(names.map(first)).map(Prefix)
    }

    /// The words of a name behind the prefix; `None` when it has another, or is the prefix itself.
    pub(crate) fn strip<'w>(&self, words: &'w [String]) -> Option<&'w [String]> {
        words.strip_prefix(self.0.as_slice()).filter(|rest| !rest.is_empty())
    }

    /// As [`Prefix::strip`], for a name in which case counts and words are parted by `_`.
    pub(crate) fn strip_raw<'n>(&self, name: &'n str) -> Option<&'n str> {
        let (first, rest) = name.trim_start_matches('_').split_once('_')?;
        (words(first) == self.0 && !rest.is_empty()).then_some(rest)
    }
}

/// The words of a type's name, without the `_t` or `_s` that many have.
pub(crate) fn type_words(name: &str) -> Vec<String> {
    let rest = ["_t", "_s", "_st"].iter().find_map(|end| name.strip_suffix(end));
    words(rest.filter(|rest| !rest.is_empty()).unwrap_or(name))
}

/// What all names start with, in whole words parted by `_`; bytes of the first name, the last `_` included.
pub(crate) fn shared(names: &[&str]) -> usize {
    let [first, others @ ..] = names else { return 0 };
    if others.is_empty() {
        return 0;
    }
    let ends = first.match_indices('_').map(|(position, _)| position + 1);
    let all = |end: usize| others.iter().all(|other| other.len() > end && other.starts_with(&first[..end]));
    ends.rev().find(|&end| end < first.len() && all(end)).unwrap_or(0)
}

/// What more than half of at least two have.
fn most(found: impl Iterator<Item = Option<Vec<String>>>) -> Option<Vec<String>> {
    let (mut counts, mut total) = (BTreeMap::<Vec<String>, usize>::new(), 0_usize);
    for words in found {
        total += 1;
        if let Some(words) = words.filter(|words| !words.is_empty()) {
            *counts.entry(words).or_default() += 1;
        }
    }
    let enough = |&(_, count): &(Vec<String>, usize)| count >= 2 && count * 2 > total;
    counts.into_iter().find(enough).map(|(words, _)| words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_share_what_most_of_them_start_with() {
        let check = |library: &str, names: &[&str], expect: Option<&[&str]>| {
            let found = Prefix::of_functions(library, names.iter().copied());
            let expect = expect.map(|words| Prefix(words.iter().map(|&word| word.to_owned()).collect()));
            assert_eq!(found, expect, "{names:?}");
        };
        check("sqlite3", &["sqlite3_open", "sqlite3_column_int"], Some(&["sqlite3"]));
        check("cjson", &["cJSON_Parse", "cJSON_Delete"], Some(&["c", "json"]));
        check("zstd", &["ZSTD_compress", "ZSTD_compressBound", "ZDICT_isError"], Some(&["zstd"]));
        check("gmp", &["__gmpz_add", "__gmpz_sub"], Some(&["gmpz"]));
        // Without `_`, only with the library's word for it.
        check("libxml2", &["xmlNewDoc", "xmlFreeDoc", "htmlNewDoc"], Some(&["xml"]));
        check("webp", &["WebPDecode", "WebPEncode", "VP8Thing"], Some(&["web", "p"]));
        check("things", &["getWidth", "getHeight"], None);
        check("zlib", &["crc32", "deflate", "deflateInit_", "inflate", "compressBound"], None);
        // One name has nothing in common with itself; half is not most.
        check("sqlite3", &["sqlite3_open"], None);
        check("mixed", &["a_x", "a_y", "b_x", "b_y"], None);
        check("ends", &["foo_", "bar_"], None);
        check("none", &[], None);
    }

    #[test]
    fn a_prefix_is_taken_off_whole_words_only() {
        let prefix = Prefix::before_underscore(["Z_OK", "Z_ERRNO"].into_iter()).unwrap();
        assert_eq!(prefix.strip_raw("Z_STREAM_END"), Some("STREAM_END"));
        assert_eq!(prefix.strip_raw("ZLIB_VERSION"), None);
        assert_eq!(prefix.strip_raw("Z"), None);
        assert_eq!(prefix.strip_raw("Z_"), None);
        assert_eq!(prefix.strip(&words("z_stream")), Some(&["stream".to_owned()][..]));
        assert_eq!(prefix.strip(&words("z")), None);
    }

    #[test]
    fn enumerators_share_whole_words() {
        let check = |names: &[&str], expect: &str| assert_eq!(&names[0][..shared(names)], expect);
        check(&["GIT_OBJECT_ANY", "GIT_OBJECT_COMMIT"], "GIT_OBJECT_");
        check(&["ZSTD_c_level", "ZSTD_c_windowLog"], "ZSTD_c_");
        check(&["FX_RED", "FX_GREEN"], "FX_");
        check(&["FX", "FX_GREEN"], "");
        check(&["FX_A", "FX_A_B"], "FX_");
        check(&["RED", "GREEN"], "");
        check(&["FX_RED"], "");
    }
}
