//! Whether a function is called like one whose number says something, as opposed to a code of success or failure.

use hotcell_model::api::Function;

use crate::infer::names::words;
use crate::infer::words::objects::COMPARES;

/// Last words of functions that return a number of something.
const NUMBERS: &[&str] = &["bound", "count", "index", "len", "length", "size", "total", "version"];

/// Words of functions that answer a question.
const QUESTIONS: &[&str] = &["can", "has", "is"];

/// Words of functions that do something with what stands behind: `set_size`, `check_version`.
pub(super) const DOES: &[&str] = &[
    "add", "append", "attach", "change", "check", "config", "define", "init", "insert", "install", "intern",
    "parse", "push", "put", "read", "register", "reserve", "reset", "resize", "set", "skip", "test",
    "update", "use", "verify", "write",
];

/// Whether what a function returns is the number or the answer it is asked for. What comes out elsewhere leaves a code.
pub(crate) fn answers(function: &Function) -> bool {
    let words = words(&function.name);
    let any = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let last = |list: &[&str]| words.last().is_some_and(|word| list.contains(&word.as_str()));
    let writes = function.params.iter().any(|param| {
        param
            .ty
            .pointee()
            .is_some_and(|(ty, constant)| !constant && (ty.is_scalar() || ty.pointee().is_some()))
    });
    !writes && !any(DOES) && (last(NUMBERS) || last(COMPARES) || any(QUESTIONS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::tests::prototype::parse;

    #[test]
    fn numbers_and_answers_are_told_from_codes() {
        for (declaration, expect) in [
            ("unsigned long compressBound(unsigned long n)", true),
            ("int sqlite3_bind_parameter_count(struct stmt *s)", true),
            ("int json_is_array(const struct db *d)", true),
            ("int key_compare(const struct db *a, const struct db *b)", true),
            ("int stream_set_size(struct stream *s, int n)", false),
            ("int list_count(const struct db *d, int *count)", false),
            ("int bind_value(struct stmt *s, const struct db *d)", false),
            ("int compress(int level)", false),
        ] {
            assert_eq!(answers(&parse(declaration)), expect, "{declaration}");
        }
    }
}
