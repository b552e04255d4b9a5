//! Rust names: the only place for case, keywords, prefixes and collisions.

use crate::shape::naming::choice::Rules;
use crate::shape::naming::words;

mod manifest;
mod package;

pub(crate) use crate::shape::naming::{Scope, is_made_up};
pub use manifest::{check_crate_name, crate_name};
pub(crate) use package::Names;

/// Reserved words of the 2024 edition, those for later use included.
const KEYWORDS: &[&str] = &[
    "Self", "_", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self",
    "static", "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// Types a package's own must not hide, and those of batches and pipelines.
pub(crate) const PRELUDE: &[&str] = &[
    "Aio", "Batch", "Box", "Err", "None", "Ok", "Option", "Pipeline", "Result", "Some", "String", "ToString",
    "Vec",
];

/// The type of a batch in every package.
pub(crate) const BATCH: &str = "Batch";

/// What its methods are implemented for: a batch, and a pipeline, which is the same over another type of the runtime.
pub(crate) const BATCHES: &str = "<C: hotcell::rt::Collects> Batch<C>";

/// The type of a pipeline in every package.
pub(crate) const PIPELINE: &str = "Pipeline";

/// The view on which calls are awaited.
pub(crate) const AIO: &str = "Aio";

/// Where calls of the library's own are.
pub(crate) const LIBRARY_CALLS: &str = "functions";

/// Methods every batch has, or every pipeline.
pub(crate) const BATCH_METHODS: &[&str] =
    &["fmt", "in_flight", "is_empty", "len", "new", "run", "run_awaited", "settle", "take"];

/// Methods every package has.
pub(crate) const METHODS: &[&str] = &[
    "aio",
    "batch",
    "cancelled_by",
    "clone",
    "fmt",
    "open",
    "open_with",
    "pipeline",
    "pool",
    "session",
    "within",
];

/// Methods every object has.
pub(crate) const OBJECT_METHODS: &[&str] = &[
    "aio",
    "begin_image",
    "begun",
    "cancelled_by",
    "clone",
    "end_image",
    "eq",
    "fill_image",
    "fmt",
    "hash",
    "into_aio",
    "new",
    "put_image",
    "read_image",
    "update_from",
    "within",
];

/// Methods of an object that is made anew when its worker has ended.
pub(crate) const RESTORED_METHODS: &[&str] = &["restore", "restored"];

/// Names in the body of every method.
pub(crate) const LOCALS: &[&str] =
    &["call", "callbacks", "invocation", "own", "parent", "reply", "sent", "session"];

/// Modules every package may have, and types that a module would hide.
pub(crate) const MODULES: &[&str] = &[
    "aio",
    "batch",
    "bool",
    "char",
    "constants",
    "core",
    "enums",
    "functions",
    "hotcell",
    "lib",
    "main",
    "rt",
    "std",
    "str",
    "structs",
    "table",
];

/// `compressBound` → `compress_bound`; reserved words get a `_` behind.
pub(crate) fn snake(name: &str) -> String {
    let mut out = words(name).join("_");
    if name.ends_with('_') {
        out.push('_'); // `deflateInit2_` is not `deflateInit2`
    }
    sound(out)
}

/// The name as it is where Rust takes it; `_` in front of a digit, and behind a reserved word.
fn sound(mut out: String) -> String {
    if out.starts_with(|first: char| first.is_ascii_digit()) || out.is_empty() {
        out.insert(0, '_');
    }
    if KEYWORDS.contains(&out.as_str()) {
        out.push('_');
    }
    out
}

/// How functions, constants and the like get their names.
pub(crate) const RULES: Rules = Rules { is_sound, sound, take: Scope::take };

/// As [`RULES`], of types.
const TYPES: Rules = Rules { take: Scope::take_type, ..RULES };

/// Whether Rust takes it as the name of a function, a constant or a type.
fn is_sound(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic()) && !KEYWORDS.contains(&name)
}

/// `compressBound` → `COMPRESS_BOUND`.
pub(crate) fn screaming(name: &str) -> String {
    let tail = if name.ends_with('_') { "_" } else { "" };
    sound(words(name).join("_").to_uppercase() + tail)
}

/// `fx_color` → `FxColor`.
pub(crate) fn camel(name: &str) -> String {
    type_of(camel_of(&words(name)))
}

/// The name of a type.
fn type_of(name: String) -> String {
    if name.starts_with(|first: char| first.is_alphabetic()) { name } else { format!("Lib{name}") }
}

fn camel_of(words: &[String]) -> String {
    let capital = |word: &String| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    };
    words.iter().map(capital).collect()
}

/// Capitals stay as they are: `E2BIG` has one word too few for [`screaming`].
fn constant(name: &str) -> String {
    if name.contains(|letter: char| letter.is_lowercase()) { screaming(name) } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snake_case() {
        let check = |name, expect: &str| assert_eq!(snake(name), expect, "{name}");
        check("crc32", "crc32");
        check("compressBound", "compress_bound");
        check("zlibVersion", "zlib_version");
        check("BZ2_bzBuffToBuffCompress", "bz2_bz_buff_to_buff_compress");
        check("sqlite3_open_v2", "sqlite3_open_v2");
        check("XMLParseFile", "xml_parse_file");
        check("SHA256Init", "sha256_init");
        check("deflateInit2_", "deflate_init2_");
        check("deflateInit2", "deflate_init2");
        check("__gmpz_add", "gmpz_add");
        check("ppDb", "pp_db");
        check("nByte", "n_byte");
        check("HTTP", "http");
        check("type", "type_");
        check("gen", "gen_");
        check("Self", "self_");
        check("_", "__");
        check("3d", "_3d");
    }

    #[test]
    fn camel_case() {
        let check = |name, expect: &str| assert_eq!(camel(name), expect, "{name}");
        check("zlib", "Zlib");
        check("sqlite3", "Sqlite3");
        check("fx_color", "FxColor");
        check("BZ2_bzCompress", "Bz2BzCompress");
        check("libpng-1.6", "Libpng16");
        check("7zip", "Lib7zip");
    }

    #[test]
    fn other_cases() {
        assert_eq!(screaming("compressBound"), "COMPRESS_BOUND");
        assert_eq!(screaming("deflateInit2_"), "DEFLATE_INIT2_");
        assert_eq!(screaming("type"), "TYPE");
        assert_eq!(constant("Z_OK"), "Z_OK");
        assert_eq!(constant("E2BIG"), "E2BIG");
        assert_eq!(constant("c_compressionLevel"), "C_COMPRESSION_LEVEL");
    }

    #[test]
    fn collisions_resolve_in_order() {
        let mut scope = Scope::with(METHODS);
        let mut check = |name, expect: &str| assert_eq!(scope.take(snake(name)), expect, "{name}");
        check("open", "open_");
        check("readAll", "read_all");
        check("read_all", "read_all_");
        check("ReadAll", "read_all_2");
        let mut types = Scope::with(PRELUDE);
        assert_eq!(types.take_type(camel("string")), "String2");
        assert_eq!(types.take_type(camel("zlib")), "Zlib");
    }
}
