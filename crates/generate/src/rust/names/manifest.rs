//! Names of packages, as cargo takes them.

use crate::rust::names::KEYWORDS;

/// Names that the standard library, cargo or the runtime have.
const TAKEN: &[&str] =
    &["alloc", "build", "core", "deps", "examples", "hotcell", "proc_macro", "std", "test"];

/// The name a package of this library has, when nobody gives one.
pub fn crate_name(library: &str) -> String {
    let known = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let mut name: String = library.chars().map(known).collect();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name.insert_str(0, "lib");
    }
    format!("{name}-hotcell")
}

/// What cargo or Rust have against a package of this name, in words that fit behind "because".
///
/// # Errors
///
/// The reason.
pub fn check_crate_name(name: &str) -> Result<(), &'static str> {
    let known = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err("it does not begin with a letter");
    }
    if !name.chars().all(known) {
        return Err("it has something other than letters, digits, `-` and `_`");
    }
    // As Rust writes it.
    let path = name.replace('-', "_");
    if KEYWORDS.contains(&path.as_str()) {
        return Err("it is a reserved word of Rust");
    }
    if TAKEN.contains(&path.as_str()) {
        return Err("another package or folder has that name");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_packages_are_those_that_cargo_takes() {
        for name in ["zlib-hotcell", "a", "A_b-9"] {
            assert_eq!(check_crate_name(name), Ok(()), "{name}");
        }
        for name in
            ["", "bad name!", "9lives", "-a", "_a", "a\"", "a\nb", "zlib.", "é", "fn", "hotcell", "test"]
        {
            assert!(check_crate_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn every_library_has_a_package_that_cargo_takes() {
        for (library, expect) in
            [("zlib", "zlib-hotcell"), ("stdc++", "stdc---hotcell"), ("7zip", "lib7zip-hotcell")]
        {
            assert_eq!(crate_name(library), expect);
            assert_eq!(check_crate_name(expect), Ok(()), "{expect}");
        }
    }
}
