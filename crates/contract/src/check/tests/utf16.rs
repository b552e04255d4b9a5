//! Texts in UTF-16, wherever a text may stand.

use serde_json::{Value, json};

use super::support::{api, bound, check, line};

#[test]
fn texts_in_utf_16_have_their_roles() {
    let text = |nullable| json!({"role": "text", "encoding": "utf16", "nullable": nullable});
    let length = |unit| json!({"role": "length-of", "param": 0, "unit": unit});
    let library = json!({"ownership": "library"});
    let returned = |length, nullable| json!({"role": "text", "encoding": "utf16", "length": length, "nullable": nullable, "ownership": library});
    let param = |index: usize| json!({"expr": "param", "index": index});
    let twice = |index: usize| json!({"expr": "binary", "op": "mul", "left": param(index), "right": {"expr": "int", "value": 2}});
    let (void, value_out) = (json!({"role": "void"}), json!({"role": "value-out", "valid_on_error": false}));
    for (declaration, lines, params, result) in [
        (
            "void f(const void *sql, int n)",
            "params.sql = { string = \"utf-16\", length = \"n\" }",
            json!([text(false), length("bytes")]),
            void.clone(),
        ),
        (
            "void f(const UChar *text, int n)",
            "params.text = { string = \"utf-16\", length = \"n\" }",
            json!([text(false), length("elements")]),
            void.clone(),
        ),
        (
            "void f(const UChar *text, int n)",
            "params.text = { string = \"utf-16\", length = \"n\", unit = \"bytes\" }",
            json!([text(false), length("bytes")]),
            void.clone(),
        ),
        (
            "void f(const void *text, int n)",
            "params.text = { string = \"utf-16\", length = \"n\", unit = \"elements\", nullable = true }",
            json!([text(true), length("elements")]),
            void.clone(),
        ),
        (
            "void f(unsigned short *text, const void *const *list, void **out, const UChar **end)",
            "params.text = { string = \"utf-16\" }\nparams.list = { in = \"texts\", encoding = \"utf-16\" }\n\
             params.out = { out = \"text\", encoding = \"utf-16\" }\nparams.end = { out = \"offset\", of = \"text\" }",
            json!([text(false), {"role": "texts", "encoding": "utf16", "nullable": false},
                   {"role": "text-out", "encoding": "utf16", "ownership": library, "valid_on_error": false},
                   {"role": "offset-out", "param": 0, "valid_on_error": false}]),
            void.clone(),
        ),
        (
            "const void *f(int *bytes)",
            "result = { string = \"utf-16\", length = \"bytes\", nullable = true }",
            json!([value_out]),
            returned(param(0), true),
        ),
        (
            "const void *f(int *units)",
            "result = { string = \"utf-16\", length = \"units\", unit = \"elements\" }",
            json!([value_out]),
            returned(twice(0), false),
        ),
        (
            "const UChar *f(int *units)",
            "result = { string = \"utf-16\", length = \"units\" }",
            json!([value_out]),
            returned(twice(0), false),
        ),
        (
            "const UChar *f(int *bytes)",
            "result = { string = \"utf-16\", length = \"bytes\", unit = \"bytes\" }",
            json!([value_out]),
            returned(param(0), false),
        ),
        (
            "unsigned short *f(int *units)",
            "result = { string = \"utf-16\", length = \"units\", unit = \"elements\" }",
            json!([value_out]),
            returned(twice(0), false),
        ),
        ("UChar *f(void)", "result = { string = \"utf-16\" }", json!([]), returned(json!(null), false)),
    ] {
        check(&[declaration], &format!("[function.f]\n{lines}\n"), "f", params, result);
    }
    let lines = "[function.f]\nparams.cb = { callback = \"call\", user_data = \"user\", on_failure = 0, params = { \
                 text = { string = \"utf-16\" }, maybe = { string = \"utf-16\", nullable = true }, \
                 list = { in = \"texts\", encoding = \"utf-16\", length = \"n\" } } }\n";
    let function = bound(&api(&["int f(wide cb, void *user)"]), lines, "f");
    let callback = &function["params"][0]["role"]["value"]["callback"];
    let params = callback["params"].as_array().unwrap().iter().map(|param| param["role"].clone());
    assert_eq!(
        Value::from(params.collect::<Vec<_>>()),
        json!([{"role": "user-data"}, text(false), text(true), {"role": "length-of", "param": 4},
               {"role": "texts", "length": 3, "encoding": "utf16", "nullable": false}])
    );
}

#[test]
fn misuse_of_texts_in_utf_16_is_said() {
    for (declaration, lines, expect) in [
        (
            "void f(const char *a)",
            "params.a = { string = \"utf-16\" }",
            "5:14: `a` cannot be `string`: it is `const char *` [a text in UTF-16 is a pointer to 16-bit units] = bytes \
             are `\"utf-8\"`",
        ),
        (
            "void f(const UChar *a)",
            "params.a = { string = \"utf-8\" }",
            "5:14: `a` cannot be `string`: it is `const UChar *` [a text is a pointer to bytes] = 16-bit units are \
             `\"utf-16\"`",
        ),
        (
            "const int *f(void)",
            "result = { string = \"utf-16\" }",
            "5:12: the result cannot be `string`: it is `const int *` [a text in UTF-16 is a pointer to 16-bit units]",
        ),
        (
            "void f(char **a)",
            "params.a = { in = \"texts\", encoding = \"utf-16\" }",
            "5:14: `a` cannot be `in = \"texts\"`: it is `char **` [a text in UTF-16 is a pointer to 16-bit units] = \
             bytes are `\"utf-8\"`",
        ),
        (
            "void f(char **a)",
            "params.a = { out = \"text\", encoding = \"utf-16\" }",
            "5:14: `a` cannot be `out = \"text\"`: it is `char **` [it does not point to a pointer to 16-bit units]",
        ),
        (
            "void f(const void *a, const UChar **b)",
            "params.a = { string = \"utf-16\" }\nparams.b = { out = \"offset\", of = \"a\" }",
            "6:35: `a` is `const void *`, where `b` points to no place = `of` names the text or buffer that goes in and \
             that the place lies in",
        ),
        (
            "int f(void **a)",
            "params.a = { out = \"text\", encoding = \"utf-16\", valid_on_error = true }\n\
             error = { fails = \"nonzero\", message = \"a\" }",
            "6:41: `a` is not in UTF-8, and a message is = ask for the library's message in UTF-8",
        ),
        (
            "int f(int a)",
            "error = { fails = \"nonzero\", message = \"wide_error(a)\" }",
            "5:41: `wide_error(a)` is not in UTF-8, and a message is = ask for the library's message in \
             UTF-8",
        ),
    ] {
        line(&[declaration, "const UChar *wide_error(int code)"], lines, expect);
    }
}
