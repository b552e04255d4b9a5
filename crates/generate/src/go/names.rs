//! Go names: the only place for case, keywords and collisions.

use crate::shape::naming::choice::Rules;
use crate::shape::naming::words;

mod module;
mod package;

pub(crate) use crate::shape::naming::{Scope, is_made_up};
pub(crate) use module::package_name;
pub use module::{check_module, module_name};
pub(crate) use package::Names;

/// Reserved words.
const KEYWORDS: &[&str] = &[
    "break",
    "case",
    "chan",
    "const",
    "continue",
    "default",
    "defer",
    "else",
    "fallthrough",
    "for",
    "func",
    "go",
    "goto",
    "if",
    "import",
    "interface",
    "map",
    "package",
    "range",
    "return",
    "select",
    "struct",
    "switch",
    "type",
    "var",
];

/// What is there in every package, and what files import. A parameter of such a name would hide it.
const PREDECLARED: &[&str] = &[
    "any",
    "append",
    "bool",
    "byte",
    "cap",
    "clear",
    "close",
    "comparable",
    "complex",
    "complex128",
    "complex64",
    "context",
    "copy",
    "delete",
    "embed",
    "error",
    "false",
    "float32",
    "float64",
    "fmt",
    "io",
    "hotcell",
    "imag",
    "int",
    "int16",
    "int32",
    "int64",
    "int8",
    "iota",
    "len",
    "make",
    "math",
    "max",
    "min",
    "new",
    "nil",
    "panic",
    "print",
    "println",
    "real",
    "recover",
    "rt",
    "rune",
    "strconv",
    "string",
    "sync",
    "time",
    "true",
    "uint",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "uintptr",
];

/// Names in the body of every method.
const LOCALS: &[&str] = &["call", "ctx", "err", "handle", "in", "lib", "reply", "result"];

/// Names in other functions of a type, and what of the package these use, none of which its object goes by.
const OTHERS: &[&str] = &[
    "at",
    "description",
    "function",
    "image",
    "index",
    "item",
    "library",
    "name",
    "objects",
    "offset",
    "part",
];

/// What every package has: its functions, and types that are not the library's.
pub(crate) const PACKAGE: &[&str] = &["Batch", "Library", "Open", "Options", "Pipeline"];

/// Methods that a package's library has.
pub(crate) const METHODS: &[&str] = &["Batch", "Close", "Pipeline", "Session"];

/// Methods of every object.
pub(crate) const OBJECT_METHODS: &[&str] = &["Close"];

/// Methods of an object that is made anew when its worker has ended.
pub(crate) const RESTORED_METHODS: &[&str] = &["Restore", "Restored"];

/// Methods of every batch, and of every pipeline.
pub(crate) const BATCH_METHODS: &[&str] = &["InFlight", "Len", "Reset", "Run", "Settle"];

/// Methods that `go vet` takes for those of well-known interfaces, which have other parameters.
pub(crate) const KNOWN_METHODS: &[&str] = &[
    "As",
    "Error",
    "Format",
    "GobDecode",
    "GobEncode",
    "Is",
    "MarshalJSON",
    "MarshalXML",
    "Peek",
    "ReadByte",
    "ReadFrom",
    "ReadRune",
    "Scan",
    "Seek",
    "String",
    "UnmarshalJSON",
    "UnmarshalXML",
    "UnreadByte",
    "UnreadRune",
    "Unwrap",
    "WriteByte",
    "WriteTo",
];

/// Files every package may have.
const FILES: &[&str] = &["batch", "constants", "enums", "errors", "functions", "library", "structs", "table"];

/// Words that are written in capitals.
const INITIALISMS: &[&str] = &[
    "acl", "api", "ascii", "cpu", "css", "dns", "eof", "guid", "html", "http", "https", "id", "io", "ip",
    "json", "ok", "ram", "rpc", "sql", "ssh", "tcp", "tls", "ttl", "udp", "uid", "uri", "url", "utf16",
    "utf32", "utf8", "uuid", "vm", "xml",
];

/// How types, methods and constants get their names.
pub(crate) const RULES: Rules = Rules { is_sound, sound, take: Scope::take_type };

/// Whether Go takes it as the name of something that is exported.
fn is_sound(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}

/// A name that it takes: `X` in front of what has no capital.
fn sound(name: String) -> String {
    if is_sound(&name) { name } else { format!("X{name}") }
}

/// `fx_color` → `FxColor`, `http_url` → `HTTPURL`; what may be no name yet.
pub(crate) fn camel_of(words: &[String]) -> String {
    words.iter().map(|word| capital(word)).collect()
}

/// As [`camel_of`], of a name in C.
pub(crate) fn camel(name: &str) -> String {
    sound(camel_of(&words(name)))
}

fn capital(word: &str) -> String {
    if INITIALISMS.contains(&word) {
        return word.to_uppercase();
    }
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// `nByte` → `nByte`, `ID` → `id`: the name of a parameter or variable, which may be taken or reserved.
pub(crate) fn lower(name: &str) -> String {
    let words = words(name);
    let Some((first, rest)) = words.split_first() else { return "x".into() };
    let name = format!("{first}{}", camel_of(rest));
    if name.starts_with(char::is_alphabetic) { name } else { format!("x{name}") }
}

/// The name of a file for a type. There is no `_` in it, behind which Go looks for the name of a system.
pub(crate) fn file(name: &str) -> String {
    words(name).concat()
}

/// The names that a function's parameters and variables have: none of a keyword, of what is there anyway, and of the
/// object that the function belongs to.
pub(crate) fn locals(receiver: &str) -> Scope {
    Scope::with(&[KEYWORDS, PREDECLARED, LOCALS, &[receiver]].concat())
}

/// What an object of this type goes by in its methods.
pub(crate) fn receiver(ty: &str) -> String {
    Scope::with(&[KEYWORDS, PREDECLARED, LOCALS, OTHERS].concat()).take(lower(ty))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exported_names() {
        let check = |name, expect: &str| assert_eq!(camel(name), expect, "{name}");
        check("crc32", "Crc32");
        check("compressBound", "CompressBound");
        check("sqlite3_db_handle", "Sqlite3DbHandle");
        check("XMLParseFile", "XMLParseFile");
        check("get_id", "GetID");
        check("http_url", "HTTPURL");
        check("utf8_check", "UTF8Check");
        check("Z_OK", "ZOK");
        check("3d", "X3d");
        check("_", "X");
        check("__", "X");
        check("été", "Été");
        check("型", "X型");
    }

    #[test]
    fn names_of_parameters() {
        let check = |name, expect: &str| assert_eq!(lower(name), expect, "{name}");
        check("nByte", "nByte");
        check("ppDb", "ppDb");
        check("ID", "id");
        check("user_id", "userID");
        check("_reserved", "reserved");
        check("_", "x");
        check("3d", "x3d");
        check("型", "型");
    }

    #[test]
    fn parameters_hide_nothing() {
        let mut scope = locals("db");
        let mut check = |name, expect: &str| assert_eq!(scope.take(lower(name)), expect, "{name}");
        check("type", "type_");
        check("string", "string_");
        check("len", "len_");
        check("db", "db_");
        check("call", "call_");
        check("nByte", "nByte");
        check("n_byte", "nByte_");
        check("N_Byte", "nByte_2");
        check("x", "x");
        assert_eq!(receiver("Stmt"), "stmt");
        assert_eq!(receiver("Image"), "image_");
        assert_eq!(receiver("Type"), "type_");
        assert_eq!(receiver("Item"), "item_");
        assert_eq!(receiver("Function"), "function_");
    }
}
