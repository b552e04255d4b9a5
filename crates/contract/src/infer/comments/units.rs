//! What a comment says that a length counts, where that is no byte: `@param len  number of 16-bit samples`, `the size of dest in words`.

use hotcell_model::api::Function;

use super::sentences;
use crate::infer::names;

/// What is counted and may be several bytes, or less than one.
const UNITS: &[&str] = &[
    "bits",
    "blocks",
    "characters",
    "chunks",
    "codepoints",
    "columns",
    "coordinates",
    "dwords",
    "elements",
    "entries",
    "floats",
    "frames",
    "glyphs",
    "halfwords",
    "indices",
    "ints",
    "integers",
    "items",
    "letters",
    "lines",
    "longs",
    "numbers",
    "objects",
    "pages",
    "pairs",
    "pixels",
    "points",
    "quads",
    "qwords",
    "records",
    "registers",
    "rows",
    "samples",
    "sectors",
    "segments",
    "shorts",
    "slots",
    "structures",
    "symbols",
    "triples",
    "tuples",
    "units",
    "values",
    "vertices",
    "words",
];

/// Those of them of which an element of an array is one.
const ONES: &[&str] = &[
    "coordinates",
    "elements",
    "entries",
    "floats",
    "indices",
    "integers",
    "ints",
    "items",
    "longs",
    "numbers",
    "samples",
    "shorts",
    "values",
];

/// What says that it is no count of what is there.
const OTHERWISE: &[&str] = &["exponent", "index", "last", "log2", "logarithm"];

/// Whether the comment says of a length that it counts something else than bytes, or than the elements of an array. `about` is what it says of the
/// parameter, whose name is `name`.
pub(in crate::infer) fn counts_other(
    function: &Function,
    name: &str,
    about: Option<&str>,
    bytes: bool,
) -> bool {
    let unit = |word: &&str| UNITS.contains(word) && (bytes || !ONES.contains(word));
    let name = name.to_lowercase();
    let words = |text: &str| -> Vec<String> {
        let parts = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        parts.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let of_param = about.is_some_and(|text| {
        let text = words(&text.to_lowercase());
        text.iter().map(String::as_str).any(|word| unit(&word) || OTHERWISE.contains(&word))
    });
    let said = |sentence: &String| {
        let all = words(sentence);
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let is_name = |word: &str| word == name || ["len", "length"].contains(&word) && name.ends_with(word);
        // `room for len+1 bytes`, `len * 2 bytes`.
        let more = sentence.match_indices(name.as_str()).any(|(at, _)| {
            let begins = !sentence[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
            let behind = sentence[at + name.len()..].trim_start();
            begins
                && behind.starts_with(['+', '*', '/'])
                && behind[1..].trim_start().starts_with(|c: char| c.is_ascii_digit())
        });
        let near = |at: usize| all[at + 1..].iter().take(5).any(unit);
        let counted = |at: usize| match all[at] {
            "in" => {
                all.get(at + 1).is_some_and(unit)
                    || all.get(at + 2).is_some_and(unit) && all[at + 1].parse::<u32>().is_ok()
                    || all.get(at + 2) == Some(&"bit") && all.get(at + 3).is_some_and(unit)
            }
            word if is_name(word) => near(at),
            "number" | "count" => {
                all.iter().any(|word| is_name(word))
                    && all.get(at + 1) == Some(&"of")
                    && all[at + 2..].iter().take(3).any(unit)
            }
            _ => false,
        };
        // `data must hold 4*len bytes`, `twice len bytes`, `len cachelines long`.
        let times = sentence.match_indices(name.as_str()).any(|(at, _)| {
            let before = sentence[..at].trim_end();
            let behind = &sentence[at + name.len()..];
            let whole = !behind.chars().next().is_some_and(|c| c.is_alphanumeric() || c == '_');
            whole
                && name.len() > 2
                && (before.ends_with('*') || before.ends_with(" twice") || before.ends_with(" half"))
        });
        let long = (0..all.len()).any(|at| {
            all[at] == name
                && name.len() > 2
                && all.get(at + 2) == Some(&"long")
                && !BYTES.contains(&all[at + 1])
        });
        let multiple = all.iter().any(|word| is_name(word) || ["length", "size"].contains(word))
            && all.windows(2).any(|pair| pair == ["multiples", "of"]);
        let wide = all.windows(2).any(|pair| {
            pair[0] == name
                && ["cachelines", "dwords", "doublewords", "nibbles", "pages", "paragraphs"]
                    .contains(&pair[1])
        });
        let followed = all.iter().any(|word| is_name(word)) && sentence.contains("followed by");
        let sized = bytes && (0..all.len()).any(|at| all[at] == name && is_of_others(&all[at + 1..]))
            || is_computed(sentence, &name, name.len() > 1)
            || ROOM.iter().any(|phrase| sentence.contains(phrase))
            || all.iter().any(|word| SEVERAL.contains(word));
        sized || more || times || long || multiple || wide || followed || (0..all.len()).any(counted)
    };
    let own: Vec<String> =
        function.params.iter().filter_map(|param| param.name.as_deref()).map(str::to_lowercase).collect();
    let strange = about.is_some_and(|text| is_strange(&text.to_lowercase(), &own, bytes));
    // `crc32_words(data, length)`.
    let last = names::words(&function.name).pop().unwrap_or_default();
    of_param
        || strange
        || bytes && names::words(&name).len() == 1 && UNITS.contains(&last.as_str())
        || sentences(function).iter().any(said)
}

/// Whether a length is followed by what it counts, which is no byte: `len packets of 188 bytes`, `len uint32_t`, `len 4-byte keys`.
fn is_of_others(behind: &[&str]) -> bool {
    let phrase: Vec<&str> = behind.iter().take(3).take_while(|word| !VERBS.contains(word)).copied().collect();
    let byte = phrase.iter().any(|word| BYTES.contains(word));
    let several = |word: &&str| {
        let one = word.len() > 3 && word.ends_with('s') && !word.ends_with("ss");
        let typed = word.ends_with("_t")
            || ["double", "float", "int", "uint", "u16", "u32", "u64"].iter().any(|ty| word.starts_with(ty));
        one || typed && word.len() > 2
    };
    !byte && phrase.first().is_some_and(|first| !STOPS.contains(first)) && phrase.iter().any(several)
}

/// Words behind a length with which nothing is counted.
const VERBS: &[&str] = &[
    "a",
    "an",
    "are",
    "as",
    "can",
    "contains",
    "counts",
    "defines",
    "describes",
    "does",
    "equals",
    "gets",
    "gives",
    "has",
    "holds",
    "indicates",
    "is",
    "includes",
    "isn't",
    "may",
    "means",
    "must",
    "params",
    "parameters",
    "returns",
    "says",
    "should",
    "specifies",
    "tells",
    "the",
    "this",
    "was",
    "will",
];

/// Whether a length is a part of what is computed: `len x 4`, `1 << len`, `2^len`, `len by len`, `len * sizeof(x)`.
fn is_computed(sentence: &str, name: &str, long: bool) -> bool {
    long && sentence.match_indices(name).any(|(at, _)| {
        let letter = |c: char| c.is_alphanumeric() || c == '_';
        let (before, behind) = (&sentence[..at], &sentence[at + name.len()..]);
        let whole =
            !before.chars().next_back().is_some_and(letter) && !behind.chars().next().is_some_and(letter);
        let (before, behind) = (before.trim_end(), behind.trim_start());
        let times = behind
            .strip_prefix('*')
            .is_some_and(|rest| !rest.starts_with(['/', '*']) && !rest.trim_start().is_empty());
        whole
            && (times
                || behind.starts_with("x ") && behind[2..].starts_with(|c: char| c.is_ascii_digit())
                || behind.starts_with("<<")
                || behind.starts_with(&format!("by {name}"))
                || before.ends_with(" x")
                || before.ends_with("<<")
                || before.ends_with('^')
                || before.ends_with("2**"))
    })
}

/// Words of a comment by which an element is one of several that belong together.
const SEVERAL: &[&str] = &[
    "complex",
    "interleaved",
    "quaternions",
    "rgba",
    "stereo",
    "triplets",
    "halves",
    "mtus",
    "beats",
    "crlf",
];

/// Phrases of a comment by which there has to be room for more, or a length is another one than that of what is there.
const ROOM: &[&str] = &[
    "adds a nul",
    "and a nul",
    "and appends a nul",
    "and the iv",
    "appends a nul",
    "behind it are read",
    "byte to spare",
    "bytes to spare",
    "counted from zero",
    "enough for padding",
    "for padding",
    "have room for",
    "in turn",
    "in units of",
    "is appended to",
    "larger than the",
    "length minus",
    "logarithm",
    "minus one",
    "must be padded",
    "per channel",
    "per point",
    "per sample",
    "plus a nul",
    "plus a terminat",
    "plus one",
    "plus terminat",
    "power of two in size",
    "rounded up",
    "sector count",
    "block count",
    "size minus",
    "than the input by",
    "then a nul",
    "there must be room",
    "to hex",
    "twice as",
    "twice the room",
    "two per",
    "number of bits",
    "of them",
    "to utf 8 in place",
    "end of data",
    "end of the data",
    "from 8 to 16",
    "in u16",
    "in u32",
    "each is a pair",
    "re/im",
    "a trailer",
    "n by n",
    "matrix of",
    "values per",
    "bits wide",
    "wide registers",
    "bit registers",
    "digits",
];

/// What bytes are called, or the elements of an array: a length that says of what it is the number, or in what it is given, says one of these.
const BYTES: &[&str] = &["byte", "bytes", "char", "chars", "data", "octet", "octets"];

/// Words that say that a length is a part or a multiple of what is there.
const PARTS: &[&str] = &[
    "cells",
    "dimension",
    "dimensions",
    "each",
    "gb",
    "half",
    "height",
    "kb",
    "kib",
    "less",
    "mb",
    "mib",
    "more",
    "multiple",
    "multiples",
    "offset",
    "per",
    "quarter",
    "rank",
    "stride",
    "times",
    "twice",
    "width",
];

/// Words behind which nothing is said of what is counted.
const STOPS: &[&str] = &[
    "and",
    "at",
    "available",
    "for",
    "from",
    "if",
    "in",
    "of",
    "on",
    "or",
    "pointed",
    "supplied",
    "that",
    "to",
    "which",
    "with",
];

/// Words that may stand before *count*.
const BEFORE_COUNT: &[&str] = &["a", "byte", "element", "item", "its", "octet", "the", "this", "total"];

/// Whether what is said of a length itself makes it something else than a number of bytes or elements: `number of u32s`, `length in nibbles`, `word count`,
/// `data length / 4`, `one less than the size`, `cells`.
fn is_strange(about: &str, own: &[String], bytes: bool) -> bool {
    let all: Vec<&str> = about
        .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '/')
        .filter(|word| !word.is_empty())
        .collect();
    let good = |word: &str| {
        let one = word.strip_suffix('s').unwrap_or(word);
        BYTES.contains(&word)
            || !bytes && ONES.iter().any(|known| *known == word || known.strip_suffix('s') == Some(one))
            || own.iter().any(|own| own == word)
    };
    let behind = |at: usize| {
        all[at..].iter().take(4).take_while(|word| !STOPS.contains(word)).copied().collect::<Vec<_>>()
    };
    let article = |word: &str| ["a", "an", "the", "this", "its", "all", "it"].contains(&word);
    let number = (0..all.len()).any(|at| {
        let counted = all[at] == "number" && all.get(at + 1) == Some(&"of");
        let of = if counted { behind(at + 2) } else { Vec::new() };
        let several = of.iter().any(|word| ["complex", "interleaved", "vector", "vectors"].contains(word));
        counted && !of.is_empty() && (several || !of.iter().any(|word| good(word)))
    });
    let given = all
        .windows(2)
        .any(|pair| pair[0] == "in" && !good(pair[1]) && !article(pair[1]) && !IN.contains(&pair[1]));
    let count =
        all.windows(2).any(|pair| pair[1] == "count" && !BEFORE_COUNT.contains(&pair[0]) && !good(pair[0]));
    let part = all.iter().any(|word| PARTS.contains(word) || word.contains('/') && word.len() < 3);
    // `length (32-bit)`.
    let wide = all.windows(2).any(|pair| {
        ["bit", "bits"].contains(&pair[1]) && pair[0] != "8" && pair[0].chars().all(|c| c.is_ascii_digit())
    });
    let at_a_time = about.contains("at a time");
    number || given || count || part || wide || at_a_time
}

/// What may stand behind *in* where it is no unit.
const IN: &[&str] =
    &["array", "buffer", "case", "input", "memory", "order", "out", "question", "text", "total", "which"];
