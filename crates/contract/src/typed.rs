//! Lines about parameters of a type: `(const char *)`, or `(const char *)z*` for those of them with such a name.

use hotcell_model::types::{CType, Type};

use crate::pattern;
use crate::type_names::unqualified;

/// What stands in the key of a line about parameters of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Typed<'a> {
    /// Spellings without spaces that could be left out; several where braces leave a choice.
    types: Vec<String>,
    /// The name behind the type, which may be a pattern; `None`: whatever the name.
    pub(crate) name: Option<&'a str>,
}

/// Whether a key begins with a type.
pub(crate) fn is_typed(key: &str) -> bool {
    key.starts_with('(')
}

/// Reads a key that begins with a type.
///
/// # Errors
///
/// What is wrong with it, in a few words.
pub(crate) fn read(key: &str) -> Result<Typed<'_>, &'static str> {
    let mut depth = 0_usize;
    let mut end = None;
    for (at, letter) in key.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1).ok_or("nothing opens a parenthesis")?,
            _ => {}
        }
        if depth == 0 {
            end = Some(at);
            break;
        }
    }
    let end = end.ok_or("nothing closes a parenthesis")?;
    let (inside, name) = (&key[1..end], key[end + 1..].trim());
    let types: Vec<String> = choices(inside)?.iter().map(|choice| plain(choice)).collect();
    if types.iter().any(|choice| !choice.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')) {
        return Err("no type stands in the parentheses");
    }
    let foreign = |c: char| !(c.is_ascii_alphanumeric() || "_*{},".contains(c));
    if name.contains(foreign) {
        return Err("what stands behind the type is no name");
    }
    Ok(Typed { types, name: Some(name).filter(|name| !name.is_empty()) })
}

impl Typed<'_> {
    /// Whether a type is spelled so. `int (*)()` is every pointer to a function that returns `int`.
    pub(crate) fn fits(&self, ty: &CType) -> bool {
        let written = plain(&ty.written);
        let returned = match &ty.kind {
            Type::FunctionPointer { signature } => Some(format!("{}(*)()", plain(&signature.result.written))),
            _ => None,
        };
        self.types.iter().any(|own| *own == written || returned.as_ref() == Some(own))
    }

    /// Whether a parameter has this type and a name that it matches.
    pub(crate) fn matches(&self, ty: &CType, names: &[&str]) -> bool {
        let named = |pattern: &str| names.iter().any(|name| pattern::matches(pattern, name));
        self.fits(ty) && self.name.is_none_or(named)
    }
}

/// A type with every choice that its braces leave: the braces of patterns.
fn choices(text: &str) -> Result<Vec<String>, &'static str> {
    let Some((before, rest)) = text.split_once('{') else {
        return match text.contains('}') {
            true => Err("nothing opens a brace"),
            false => Ok(vec![text.to_owned()]),
        };
    };
    let (inside, after) = rest.split_once('}').ok_or("nothing closes a brace")?;
    let ends = choices(after)?;
    let each =
        |choice: &str| -> Vec<String> { ends.iter().map(|end| format!("{before}{choice}{end}")).collect() };
    Ok(inside.split(',').flat_map(each).collect())
}

/// A type's spelling without its own `const`, and without spaces that could be left out.
fn plain(written: &str) -> String {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut plain = String::new();
    for word in unpointed(written).split_whitespace() {
        if plain.ends_with(letter) && word.starts_with(letter) {
            plain.push(' ');
        }
        plain.push_str(word);
    }
    plain
}

/// A pointer without its own `const`. That in front is of what it points to.
fn unpointed(written: &str) -> &str {
    match written.contains('*') {
        true => written.trim().strip_suffix("const").unwrap_or(written),
        false => unqualified(written),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::ctype;

    #[test]
    fn a_type_is_compared_as_it_is_spelled_but_for_spaces() {
        for (key, declared, expect) in [
            ("(const char *)", "const char *", true),
            ("(const char*)", "const char *", true),
            ("(char *)", "const char *", false),
            ("(int *)", "unsigned *", false),
            ("({int,long} *)", "long *", true),
            ("(unsigned{, long} *)", "unsigned long *", true),
            ("(file)", "file", true),
            ("(struct file_s *)", "file", false),
            ("(callback)", "callback", true),
            ("(int (*)())", "callback", true),
            ("(void (*)())", "callback", false),
            ("({int,void} (*)())", "each", true),
        ] {
            assert_eq!(read(key).unwrap().fits(&ctype(declared)), expect, "{key} {declared}");
        }
    }

    #[test]
    fn the_own_const_of_a_parameter_does_not_count() {
        for (written, expect) in
            [("const char *const", "const char*"), ("int const", "int"), ("const int", "int")]
        {
            assert_eq!(plain(written), expect);
        }
        assert_eq!(plain("const char *const *"), "const char*const*");
        assert_eq!(plain("unsigned  long int"), "unsigned long int");
    }

    #[test]
    fn a_name_may_stand_behind_the_type() {
        let matches = |key, name: &str| read(key).unwrap().matches(&ctype("const char *"), &[name, "other"]);
        assert!(matches("(const char *)z*", "zName"));
        assert!(matches("(const char *) {zName,zFile}", "zFile"));
        assert!(!matches("(const char *)z*", "name"));
        assert!(matches("(const char *)", "name"));
        assert!(!matches("(char *)z*", "zName"));
    }

    #[test]
    fn what_is_no_type_is_said() {
        for (key, expect) in [
            ("(const char *", "nothing closes a parenthesis"),
            ("(void (*)(int)", "nothing closes a parenthesis"),
            ("()", "no type stands in the parentheses"),
            ("(*)", "no type stands in the parentheses"),
            ("({int,long *)", "nothing closes a brace"),
            ("(int} *)", "nothing opens a brace"),
            ("(int *) a b", "what stands behind the type is no name"),
            ("(int *)(x)", "what stands behind the type is no name"),
        ] {
            assert_eq!(read(key), Err(expect), "{key}");
        }
    }
}
