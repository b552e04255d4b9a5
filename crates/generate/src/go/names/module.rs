//! Names of modules and packages.

use crate::go::names::{KEYWORDS, PREDECLARED, words};

/// The path of a library's module, when nobody gives one.
pub fn module_name(library: &str) -> String {
    format!("{}-hotcell", library_word(library))
}

/// The name of the package in a module of this path: its last part, without what says that it is one of Hotcell, and without a version.
pub(crate) fn package_name(module: &str) -> String {
    let mut parts = module.rsplit('/').filter(|part| !part.is_empty());
    let is_version = |part: &&str| {
        part.strip_prefix('v')
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    let last = parts.next().unwrap_or_default();
    let part = if is_version(&last) { parts.next().unwrap_or(last) } else { last };
    let part = part.strip_suffix("-hotcell").unwrap_or(part);
    let part = part.strip_prefix("go-").unwrap_or(part);
    sound(words(part).concat())
}

/// A library's name as a word.
fn library_word(library: &str) -> String {
    let known = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = library.chars().map(known).collect();
    let name = name.trim_matches('-');
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name.to_owned() } else { format!("lib{name}") }
}

/// A package of this name hides nothing that files import or that is there anyway.
fn sound(name: String) -> String {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic())
        || KEYWORDS.contains(&name.as_str())
        || PREDECLARED.contains(&name.as_str())
        || ["main", "internal", "documentation"].contains(&name.as_str())
    {
        return format!("lib{name}");
    }
    name
}

/// What Go has against a module of this path, in words that fit behind "because".
///
/// # Errors
///
/// The reason.
pub fn check_module(path: &str) -> Result<(), &'static str> {
    let known = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
    if path.is_empty() {
        return Err("it is empty");
    }
    if !path.chars().all(known) {
        return Err("it has something other than letters, digits, `-`, `.`, `_`, `~` and `/`");
    }
    for part in path.split('/') {
        if part.is_empty() {
            return Err("a part of it is empty");
        }
        if part.starts_with(['.', '-']) || part.ends_with('.') {
            return Err("a part of it begins with `-` or `.`, or ends with `.`");
        }
    }
    match path.split('/').next() {
        Some("hotcell") => Err("the runtime has that name"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_named_from_their_module() {
        for (module, expect) in [
            ("zlib-hotcell", "zlib"),
            ("example.org/team/go-zlib", "zlib"),
            ("example.org/zlib/v2", "zlib"),
            ("v2", "v2"),
            ("example.org/lib_png", "libpng"),
            ("example.org/Big", "big"),
            ("7zip", "lib7zip"),
            ("example.org/type", "libtype"),
            ("example.org/string", "libstring"),
            ("main", "libmain"),
        ] {
            assert_eq!(package_name(module), expect, "{module}");
        }
    }

    #[test]
    fn every_library_has_a_module_that_go_takes() {
        for (library, expect) in [
            ("zlib", "zlib-hotcell"),
            ("stdc++", "stdc-hotcell"),
            ("7zip", "lib7zip-hotcell"),
            ("_", "lib-hotcell"),
        ] {
            assert_eq!(module_name(library), expect);
            assert_eq!(check_module(expect), Ok(()), "{expect}");
        }
    }

    #[test]
    fn paths_that_go_refuses_are_refused() {
        for path in ["example.org/zlib", "zlib", "a.b/c-d_e~f/v2"] {
            assert_eq!(check_module(path), Ok(()), "{path}");
        }
        for path in
            ["", "a b", "a//b", "/a", "a/", "a/.b", "-a", "a.", "é", "a\nb", "hotcell", "hotcell/x", "a\"b"]
        {
            assert!(check_module(path).is_err(), "{path}");
        }
    }
}
