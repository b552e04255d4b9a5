//! What the names of parameters say: words, and whether a name means a length, and of what.

/// Prefixes of the Hungarian kind; they count only before a capital, as in `cbData`.
const HUNGARIAN: &[&str] =
    &["b", "c", "cb", "cch", "dw", "i", "l", "lp", "lpsz", "n", "p", "pb", "pp", "psz", "sz", "u", "ul", "z"];

/// Words that say nothing about which memory is meant.
const FILLERS: &[&str] = &["in", "no", "of", "the", "total"];

/// What a length counts, as far as its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// `nbytes`, `byte_count`: bytes and nothing else.
    Bytes,
    /// `len`, `length`.
    Length,
    /// `size`: of memory, of a font, of a square board.
    Size,
    /// `count`, `num_items`: elements.
    Count,
    /// `n`: anything.
    Number,
}

/// A name that means a length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LengthName {
    pub(super) measure: Measure,
    /// The words that say of what; empty for `len`.
    pub(super) of: Vec<String>,
}

/// The words of a name in lower case: `__srcSize` is `src`, `size`; `cbData` is `data`.
pub(super) fn words(name: &str) -> Vec<String> {
    let name = name.trim_matches('_');
    let mut words: Vec<String> = Vec::new();
    for part in name.split('_').filter(|part| !part.is_empty()) {
        let mut word = String::new();
        let mut previous_lower = false;
        for c in part.chars() {
            if c.is_ascii_uppercase() && previous_lower && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            previous_lower = !c.is_ascii_uppercase();
            word.push(c.to_ascii_lowercase());
        }
        words.push(word);
    }
    let camel = words.len() > 1 && name.get(words[0].len()..).is_some_and(|rest| !rest.starts_with('_'));
    if camel && HUNGARIAN.contains(&words[0].as_str()) && name.starts_with(|c: char| c.is_ascii_lowercase()) {
        let prefix = words.remove(0);
        // `nBytes` and `cbSize` stay what they say; `nData` counts data, `cbData` its bytes.
        let measured = words.iter().any(|word| measure(word).is_some());
        match prefix.as_str() {
            "n" if !measured => words.insert(0, "n".into()),
            "c" if !measured => words.insert(0, "count".into()),
            "cb" if !measured => words.push("bytes".into()),
            "cch" => words.push("chars".into()),
            _ => {}
        }
    }
    words
}

/// A word without the digits that it ends with: `read` of `read2`.
pub(super) fn unnumbered(word: &str) -> &str {
    word.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// The words of a function's name, and those behind an acronym: `TIFFSetFileName` is `tiffset`, `file`, `name` and
/// `tiff`, `set` besides.
pub(super) fn function_words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut split = String::new();
    for (index, &letter) in letters.iter().enumerate() {
        let upper =
            |at: Option<usize>| at.and_then(|at| letters.get(at)).is_some_and(char::is_ascii_uppercase);
        let lower = |at: usize| letters.get(at).is_some_and(char::is_ascii_lowercase);
        if upper(Some(index)) && upper(index.checked_sub(1)) && lower(index + 1) {
            split.push('_');
        }
        split.push(letter);
    }
    let mut all = words(name);
    let more: Vec<String> = words(&split).into_iter().filter(|word| !all.contains(word)).collect();
    all.extend(more);
    all
}

/// What a name measures; `None` when it does not mean a length.
pub(super) fn length_name(name: &str) -> Option<LengthName> {
    let mut words = words(name);
    split_compound(&mut words);
    if words.iter().any(|word| word.contains("bit") || word == "chars") {
        return None;
    }
    let is_bytes = |word: &String| matches!(word.as_str(), "byte" | "bytes" | "octets" | "nb" | "cb");
    let measure = if words.iter().any(is_bytes) {
        words.retain(|word| !is_bytes(word) && measure(word).is_none());
        Measure::Bytes
    } else if let Some(last) = words.last().and_then(|word| measure(word)) {
        words.pop();
        // `num_len` and the like mean nothing that could be relied on.
        if words.iter().any(|word| measure_of_first(word).is_some()) {
            return None;
        }
        last
    } else {
        let first = words.first().and_then(|word| measure_of_first(word))?;
        words.remove(0);
        first
    };
    words.retain(|word| !FILLERS.contains(&word.as_str()) || word == "in" && measure != Measure::Bytes);
    Some(LengthName { measure, of: words })
}

/// What a name says is the room in a buffer: `dstCapacity` is of `dst`, and so is `maxDstSize`.
pub(super) fn capacity_name(name: &str) -> Option<Vec<String>> {
    let mut words = words(name);
    let room = ["avail", "available", "cap", "capacity", "max", "room"];
    if let [first, of @ .., last] = &words[..]
        && first == "max"
        && ["len", "length", "size"].contains(&last.as_str())
    {
        return Some(of.to_vec());
    }
    let last = words.pop()?;
    if room.contains(&last.as_str()) {
        return Some(words);
    }
    let rest = last
        .strip_suffix("capacity")
        .or_else(|| last.strip_suffix("cap"))
        .or_else(|| last.strip_suffix("max"))?;
    words.push(rest.to_owned());
    Some(words)
}

/// What a word counts that is an `n` and a plural: `nrows`, `nblocks`.
pub(super) fn glued_count(word: &str) -> Option<&str> {
    let rest = word.strip_prefix('n')?;
    (rest.len() > 2 && rest.ends_with('s') && !rest.ends_with("ss")).then_some(rest)
}

/// A pointer's name without what only says that it is one: `srcPtr` is `src`, `in_buf` is `in`.
pub(super) fn stem(mut words: Vec<String>) -> Vec<String> {
    while words.len() > 1
        && words
            .last()
            .is_some_and(|word| matches!(word.as_str(), "ptr" | "p" | "buf" | "buffer" | "data" | "bytes"))
    {
        words.pop();
    }
    if words.len() > 1 && matches!(words[0].as_str(), "p" | "ptr") {
        words.remove(0);
    }
    words
}

/// Which way memory goes that is called so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The function reads it.
    In,
    /// It fills it.
    Out,
}

/// What a name of one word says of the way: `inputSize` is of `source` where nothing else goes in under such a name.
pub(super) fn side(words: &[String]) -> Option<Side> {
    match &stem(words.to_vec())[..] {
        [word] => match word.as_str() {
            "in" | "input" | "source" | "src" => Some(Side::In),
            "dest" | "dst" | "out" | "output" => Some(Side::Out),
            _ => None,
        },
        _ => None,
    }
}

/// `srclen` is `src`, `len`.
fn split_compound(words: &mut Vec<String>) {
    const SUFFIXES: &[&str] = &["length", "bytes", "count", "size", "siz", "len", "cnt"];
    let Some(last) = words.last().cloned() else { return };
    if measure(&last).is_some() {
        return;
    }
    let split = SUFFIXES.iter().find_map(|suffix| {
        let rest = last.strip_suffix(suffix)?;
        Some((rest.to_owned(), (*suffix).to_owned())).filter(|(rest, _)| !rest.is_empty())
    });
    if let Some((rest, suffix)) = split {
        words.pop();
        words.extend([rest, suffix]);
    }
}

fn measure(word: &str) -> Option<Measure> {
    Some(match word {
        "bytes" | "nbytes" | "numbytes" | "octets" | "nb" | "cb" | "byte" => Measure::Bytes,
        "len" | "length" => Measure::Length,
        "size" | "sz" | "siz" => Measure::Size,
        "count" | "cnt" | "num" | "nmemb" | "nelem" | "nelems" | "nitems" | "nelements" | "nel" => {
            Measure::Count
        }
        "n" => Measure::Number,
        _ => return None,
    })
}

/// `n_values`, `num_items`, `size_data`: the measure before what it measures.
fn measure_of_first(word: &str) -> Option<Measure> {
    match measure(word)? {
        Measure::Number => Some(Measure::Count),
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::{Measure, function_words, length_name, words};

    #[test]
    fn names_split_into_words() {
        for (name, expect) in [
            ("__srcSize", vec!["src", "size"]),
            ("cbData", vec!["data", "bytes"]),
            ("nByte", vec!["byte"]),
            ("zSql", vec!["sql"]),
            ("pData", vec!["data"]),
            ("max_width", vec!["max", "width"]),
            ("LEN", vec!["len"]),
            ("n_values", vec!["n", "values"]),
        ] {
            assert_eq!(words(name), expect, "{name}");
        }
    }

    #[test]
    fn acronyms_end_where_a_word_begins() {
        for (name, expect) in [
            ("TIFFSetFileName", vec!["tiffset", "file", "name", "tiff", "set"]),
            ("cJSON_Parse", vec!["count", "json", "parse"]),
            ("gzwrite", vec!["gzwrite"]),
            ("DVDClose", vec!["dvdclose", "dvd", "close"]),
        ] {
            assert_eq!(function_words(name), expect, "{name}");
        }
    }

    #[test]
    fn lengths_are_told_from_other_numbers() {
        use Measure::{Bytes, Count, Length, Number, Size};
        for (name, expect) in [
            ("len", Some((Length, ""))),
            ("__n", Some((Number, ""))),
            ("srcSize", Some((Size, "src"))),
            ("haystacklen", Some((Length, "haystack"))),
            ("nbytes", Some((Bytes, ""))),
            ("size_in_bytes", Some((Bytes, ""))),
            ("inputByteLen", Some((Bytes, "input"))),
            ("cbData", Some((Bytes, "data"))),
            ("in_len", Some((Length, "in"))),
            ("num_values", Some((Count, "values"))),
            ("nmemb", Some((Count, ""))),
            ("fontSize", Some((Size, "font"))),
            ("databitlen", None),
            ("key_bits", None),
            ("cchText", None),
            ("seed", None),
            ("max_width", None),
        ] {
            let found = length_name(name).map(|found| (found.measure, found.of.join(" ")));
            assert_eq!(found, expect.map(|(measure, of)| (measure, of.to_owned())), "{name}");
        }
    }
}
