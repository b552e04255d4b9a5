//! Python names: the only place for its keywords, and for what its classes have already.

use std::collections::BTreeSet;

use hotcell_model::Interface;

/// Reserved words of Python.
const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// What every library has.
const LIBRARY: &[&str] = &[
    "aio",
    "buffer",
    "call",
    "close",
    "generation",
    "info",
    "open",
    "pipeline",
    "type",
    "within",
    "worker_pid",
];

/// What every object has.
const OBJECT: &[&str] = &["aio", "library", "release", "within"];

/// What those have besides that can be made anew.
const RESTORED: &[&str] = &["restore", "restored"];

/// What every structure has.
const STRUCT: &[&str] = &["library", "release", "self"];

/// What every parameter stands beside.
const PARAMETER: &[&str] = &["self"];

/// What a package has beside its classes and constants.
const MODULE: &[&str] = &["Error", "open"];

/// Names of one scope, each given once.
#[derive(Default)]
pub(super) struct Scope {
    taken: BTreeSet<String>,
}

impl Scope {
    pub(super) fn of_library() -> Scope {
        Scope::with(LIBRARY)
    }

    pub(super) fn of_object(restores: bool) -> Scope {
        let also = if restores { RESTORED } else { &[] };
        Scope::with(&[OBJECT, also].concat())
    }

    pub(super) fn of_struct() -> Scope {
        Scope::with(STRUCT)
    }

    pub(super) fn of_parameters() -> Scope {
        Scope::with(PARAMETER)
    }

    pub(super) fn of_module() -> Scope {
        Scope::with(MODULE)
    }

    fn with(taken: &[&str]) -> Scope {
        Scope { taken: taken.iter().map(|&name| name.to_owned()).collect() }
    }

    /// The name itself, or else the first free one of `name_`, `name_2`, `name_3`…
    pub(super) fn take(&mut self, name: &str) -> String {
        self.first(sound(name), |_| true)
    }

    /// The same of something that goes by its name in C, too: no name that means something else there, for which that is a better one.
    pub(super) fn take_beside(&mut self, name: &str, c_name: &str, in_c: &BTreeSet<&str>) -> String {
        let fits = |name: &str| name == c_name || !in_c.contains(name);
        let short = sound(name);
        if fits(&short) {
            return self.first(short, fits);
        }
        self.first(sound(c_name), fits)
    }

    fn first(&mut self, name: String, fits: impl Fn(&str) -> bool) -> String {
        let others = (2..).map(|number| format!("{name}_{number}"));
        let mut candidates = [name.clone(), format!("{name}_")].into_iter().chain(others);
        let free = |name: &String| !self.taken.contains(name) && fits(name);
        let free = candidates.find(free).expect("numbers do not end");
        self.taken.insert(free.clone());
        free
    }
}

/// What has a name in C by which it is known in Python, too: functions, also those that are left out, constants and enumerators.
pub(super) fn in_c(interface: &Interface) -> BTreeSet<&str> {
    let functions = interface.functions.iter().map(|function| &function.name);
    let left_out = interface.left_out.iter().map(|function| &function.name);
    let enumerators = interface.enums.values().flat_map(|item| item.enumerators.iter().map(|(name, _)| name));
    let all = functions.chain(left_out).chain(interface.constants.keys()).chain(enumerators);
    all.map(String::as_str).collect()
}

/// The name of a method, of which Rust's name is known: a word that is reserved there only is as it was.
pub(super) fn of_rust(name: &str, c_name: &str) -> String {
    match name.strip_suffix('_') {
        Some(plain) if !c_name.ends_with('_') && !plain.ends_with('_') => sound(plain),
        _ => sound(name),
    }
}

/// The name as it is where Python takes it: without what would make it private, and with a `_` behind a reserved word.
fn sound(name: &str) -> String {
    let name = name.trim_start_matches('_');
    let mut name = if name.is_empty() { "value".to_owned() } else { name.to_owned() };
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert(0, 'n');
    }
    if KEYWORDS.contains(&name.as_str()) {
        name.push('_');
    }
    name
}

/// `zlib` → `zlib_hotcell`: the package of a library.
pub fn package_name(library: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    format!("{}_hotcell", sound(&library.chars().map(letter).collect::<String>()))
}

/// Why a text cannot be the name of a package.
///
/// # Errors
///
/// The reason, in words that fit behind "because".
pub fn check_package_name(name: &str) -> Result<(), &'static str> {
    let sound = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match (sound, KEYWORDS.contains(&name)) {
        (false, _) => Err("Python takes letters, digits and `_`, and a letter first"),
        (true, true) => Err("it is a reserved word of Python"),
        (true, false) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_words_get_a_letter_and_those_of_rust_do_not() {
        let check = |rust: &str, c: &str, expect: &str| assert_eq!(of_rust(rust, c), expect, "{c}");
        check("type_", "fx_type", "type");
        check("match_", "fx_match", "match");
        check("pass", "fx_pass", "pass_");
        check("deflate_init2_", "deflateInit2_", "deflate_init2_");
        check("_2d", "fx_2d", "n2d");
        check("lambda", "lambda", "lambda_");
        assert_eq!(Scope::of_parameters().take("self"), "self_");
        assert_eq!(Scope::of_struct().take("self"), "self_");
        assert_eq!(Scope::of_object(true).take("restore"), "restore_");
        assert_eq!(Scope::of_object(false).take("restore"), "restore");
        let mut scope = Scope::of_library();
        let in_c = BTreeSet::from(["fx_x", "fx_fx_x", "open"]);
        // `fx_x` is another function: who writes that means it.
        assert_eq!(scope.take_beside("fx_x", "fx_fx_x", &in_c), "fx_fx_x");
        assert_eq!(scope.take_beside("x", "fx_x", &in_c), "x");
        assert_eq!(scope.take_beside("open", "open", &in_c), "open_");
        // What is taken only is as it would be of any other.
        assert_eq!(scope.take_beside("close", "xy_close", &in_c), "close_");
        let mut scope = Scope::of_library();
        assert_eq!(scope.take("close"), "close_");
        assert_eq!(scope.take("close_"), "close__");
        assert_eq!(scope.take("crc32"), "crc32");
        assert_eq!(scope.take("crc32"), "crc32_");
    }

    #[test]
    fn packages_are_named_as_python_imports_them() {
        assert_eq!(package_name("zlib"), "zlib_hotcell");
        assert_eq!(package_name("libpng-1.6"), "libpng_1_6_hotcell");
        assert_eq!(package_name("7zip"), "n7zip_hotcell");
        for (name, fine) in [("a_b1", true), ("1a", false), ("a-b", false), ("class", false), ("", false)] {
            assert_eq!(check_package_name(name).is_ok(), fine, "{name}");
        }
    }
}
