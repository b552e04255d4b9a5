//! What a comment says that a length counts, where that is no byte: `@param len  number of 16-bit samples`, `the size of dest in words`.

use hotcell_model::api::Function;

use super::sentences;

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
            }
            word if is_name(word) => near(at),
            "number" | "count" => {
                all.iter().any(|word| is_name(word))
                    && all.get(at + 1) == Some(&"of")
                    && all[at + 2..].iter().take(3).any(unit)
            }
            _ => false,
        };
        let followed = all.iter().any(|word| is_name(word)) && sentence.contains("followed by");
        more || followed || (0..all.len()).any(counted)
    };
    of_param || sentences(function).iter().any(said)
}
