//! Texts in UTF-32 and in Latin-1: what they become, and what is wrong with lines about them.

use serde_json::json;

use super::support::{bound, line, roles};
use crate::check::tests::api;

#[test]
fn texts_in_utf_32_and_latin_1_have_their_roles() {
    let text = |encoding: &str| json!({"role": "text", "encoding": encoding, "nullable": false});
    for (declaration, lines, params) in [
        ("int f(const int *text)", "params.text = { string = \"utf-32\" }", json!([text("utf32")])),
        ("int f(const void *text)", "params.text = { string = \"utf-32\" }", json!([text("utf32")])),
        (
            "int f(const unsigned *text, int n)",
            "params.text = { string = \"utf-32\", length = \"n\" }",
            json!([text("utf32"), {"role": "length-of", "param": 0, "unit": "elements"}]),
        ),
        (
            "int f(const char *text, int n)",
            "params.text = { string = \"latin-1\", length = \"n\" }",
            json!([text("latin1"), {"role": "length-of", "param": 0, "unit": "bytes"}]),
        ),
        (
            "int f(const char **list)",
            "params.list = { in = \"texts\", encoding = \"latin-1\" }",
            json!([{"role": "texts", "encoding": "latin1", "nullable": false}]),
        ),
    ] {
        let function = bound(&api(&[declaration]), &format!("[function.f]\n{lines}\n"), "f");
        assert_eq!(serde_json::Value::from(roles(&function).0), params, "{declaration}");
    }
}

#[test]
fn misuse_of_texts_in_utf_32_and_latin_1_is_said() {
    for (declaration, lines, expect) in [
        (
            "void f(const char *a)",
            "params.a = { string = \"utf-32\" }",
            "5:14: `a` cannot be `string`: it is `const char *` [a text in UTF-32 is a pointer to 32-bit units, such as \
             `wchar_t`]",
        ),
        (
            "void f(const int *a)",
            "params.a = { string = \"latin-1\" }",
            "5:14: `a` cannot be `string`: it is `const int *` [a text is a pointer to bytes]",
        ),
        (
            "void f(char **a)",
            "params.a = { out = \"text\", encoding = \"utf-32\" }",
            "5:14: `a` cannot be `out = \"text\"`: it is `char **` [it does not point to a pointer to 32-bit units]",
        ),
        (
            "int f(char **a)",
            "params.a = { out = \"text\", encoding = \"latin-1\", valid_on_error = true }\n\
             error = { fails = \"nonzero\", message = \"a\" }",
            "6:41: `a` is not in UTF-8, and a message is = ask for the library's message in UTF-8",
        ),
    ] {
        line(&[declaration], lines, expect);
    }
}
