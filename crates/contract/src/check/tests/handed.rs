//! Texts in arrays, and what functions hand out through pointers to pointers.

use serde_json::{Value, json};

use super::support::{check, line};

fn text() -> Value {
    json!({"role": "text", "encoding": "utf8", "nullable": false})
}

#[test]
fn every_item_has_its_role() {
    let library = json!({"ownership": "library"});
    let owned = json!({"ownership": "owned", "release": "free"});
    let value_out = json!({"role": "value-out", "valid_on_error": false});
    let param = |index: usize| json!({"expr": "param", "index": index});
    let half = |index: usize| json!({"expr": "binary", "op": "div", "left": param(index), "right": {"expr": "int", "value": 2}});
    let product = json!({"expr": "binary", "op": "mul", "left": param(1), "right": param(2)});
    let void = json!({"role": "void"});
    for (declaration, lines, params, result) in [
        (
            "void f(const char *const *argv, int argc)",
            "params.argv = { in = \"texts\", length = \"argc\" }",
            json!([{"role": "texts", "encoding": "utf8", "nullable": false},
                   {"role": "length-of", "param": 0, "unit": "elements"}]),
            void.clone(),
        ),
        (
            "void f(char **names)",
            "params.names = { in = \"texts\", encoding = \"bytes\", nullable = true }",
            json!([{"role": "texts", "encoding": "bytes", "nullable": true}]),
            void.clone(),
        ),
        (
            "void f(char **message, const char **word)",
            "params.message = { out = \"text\", release = \"free\", valid_on_error = true }\n\
             params.word = { out = \"text\", encoding = \"bytes\" }",
            json!([{"role": "text-out", "encoding": "utf8", "ownership": owned, "valid_on_error": true},
                   {"role": "text-out", "encoding": "bytes", "ownership": library, "valid_on_error": false}]),
            void.clone(),
        ),
        (
            "int f(char ***table, int *rows, int *columns)",
            "params.rows = { out = \"value\" }\nparams.columns = { out = \"value\" }\n\
             params.table = { out = \"texts\", length = \"rows * columns\", release = \"free\", valid_on_error = true }",
            json!([{"role": "texts-out", "length": product, "encoding": "utf8", "ownership": owned, "valid_on_error": true},
                   value_out, value_out]),
            json!({"role": "value"}),
        ),
        (
            "void f(const UChar ***list, size_t *n)",
            "params.list = { out = \"texts\", encoding = \"utf-16\", length = \"n\" }",
            json!([{"role": "texts-out", "length": param(1), "encoding": "utf16", "ownership": library,
                    "valid_on_error": false}, value_out]),
            void.clone(),
        ),
        (
            "char **f(int *n)",
            "result = { out = \"texts\", length = \"n\", encoding = \"bytes\", release = \"free\" }",
            json!([value_out]),
            json!({"role": "texts", "length": param(0), "encoding": "bytes", "nullable": false, "ownership": owned}),
        ),
        (
            "const char *const *f(void)",
            "result = { out = \"texts\", nullable = true }",
            json!([]),
            json!({"role": "texts", "length": null, "encoding": "utf8", "nullable": true, "ownership": library}),
        ),
        // A pointer to an integer that nothing else is said about becomes an out value.
        (
            "int f(void **data, size_t *n)",
            "params.data = { out = \"data\", length = \"n\", release = \"free\" }",
            json!([{"role": "data-out", "length": param(1), "ownership": owned, "valid_on_error": false}, value_out]),
            json!({"role": "value"}),
        ),
        (
            "int f(short **data, int n)",
            "params.data = { out = \"data\", length = \"n\", unit = \"bytes\", valid_on_error = true }\nparams.n = { in = \"value\" }",
            json!([{"role": "data-out", "length": half(1), "ownership": library, "valid_on_error": true},
                   {"role": "value"}]),
            json!({"role": "value"}),
        ),
        (
            "double f(const char *text, char **end)",
            "params.text = { string = \"bytes\" }\nparams.end = { out = \"offset\", of = \"text\", valid_on_error = true }",
            json!([{"role": "text", "encoding": "bytes", "nullable": false},
                   {"role": "offset-out", "param": 0, "valid_on_error": true}]),
            json!({"role": "value"}),
        ),
        // Inference may find the text.
        (
            "double f(const char *name, const char **end)",
            "params.end = { out = \"offset\", of = \"name\" }",
            json!([text(), {"role": "offset-out", "param": 0, "valid_on_error": false}]),
            json!({"role": "value"}),
        ),
        (
            "void f(const short *data, int n, const short **end)",
            "params.data = { in = \"buffer\", length = \"n\" }\nparams.end = { out = \"offset\", of = \"data\" }",
            json!([{"role": "buffer-in", "nullable": false, "length": null},
                   {"role": "length-of", "param": 0, "unit": "elements"},
                   {"role": "offset-out", "param": 0, "valid_on_error": false}]),
            void.clone(),
        ),
        (
            "const unsigned char *f(int *n)",
            "result = { string = \"utf-8\", length = \"n\", nullable = true }",
            json!([value_out]),
            json!({"role": "text", "encoding": "utf8", "length": param(0), "nullable": true, "ownership": library}),
        ),
        (
            "short *f(int *n)",
            "result = { out = \"buffer\", length = \"n\", unit = \"bytes\" }",
            json!([value_out]),
            json!({"role": "buffer", "length": half(0), "nullable": false, "ownership": library}),
        ),
    ] {
        check(&[declaration], &format!("[function.f]\n{lines}\n"), "f", params, result);
    }
}

#[test]
fn misuse_is_said() {
    for (declaration, lines, expect) in [
        (
            "void f(const char *a)",
            "params.a = { in = \"texts\" }",
            "5:14: `a` cannot be `in = \"texts\"`: it is `const char *` [not a pointer to pointers to characters]",
        ),
        (
            "void f(void **a)",
            "params.a = { in = \"texts\" }",
            "5:14: `a` cannot be `in = \"texts\"`: it is `void **` [not a pointer to pointers to characters]",
        ),
        (
            "void f(char **a, int *n)",
            "params.a = { in = \"texts\", length = \"n\" }",
            "5:38: `n` is no integer parameter = the number of texts is a parameter; without `length` a NULL ends them",
        ),
        (
            "void f(char *a)",
            "params.a = { out = \"text\" }",
            "5:14: `a` cannot be `out = \"text\"`: it is `char *` [it does not point to a pointer to characters]",
        ),
        (
            "void f(char *const *a)",
            "params.a = { out = \"text\" }",
            "5:14: `a` cannot be `out = \"text\"`: it is `char *const *` [the function only reads through it]",
        ),
        (
            "void f(char **a)",
            "params.a = { out = \"text\", release = \"fre\" }",
            "5:38: the headers declare no function `fre` [unknown function]",
        ),
        (
            "void f(char ***a)",
            "params.a = { out = \"texts\" }",
            "5:14: `out = \"texts\"` needs `length` = add `length = \"…\"`: how much of it there is",
        ),
        (
            "void f(char **a)",
            "params.a = { out = \"texts\", length = 2 }",
            "5:14: `a` cannot be `out = \"texts\"`: it is `char **` [it does not point to an array of pointers to \
             characters]",
        ),
        (
            "void f(char ***a, const char *b)",
            "params.a = { out = \"texts\", length = \"b\" }\nparams.b = { string = \"utf-8\" }",
            "5:39: `b` is a pointer, and must be an integer",
        ),
        (
            "char *f(void)",
            "result = { out = \"texts\" }",
            "5:12: the result cannot be `out = \"texts\"`: it is `char *` [it does not point to an array of pointers to \
             characters]",
        ),
        (
            "char **f(void)",
            "result = { out = \"texts\", unit = \"bytes\" }",
            "5:27: `unit` does not go with `out = \"texts\"` = it goes with `length`, `encoding`, `nullable` and `release`",
        ),
        (
            "int f(char ***a, int *n)",
            "params.a = { out = \"texts\", length = \"n\", valid_on_error = true }\n\
             error = { fails = \"nonzero\", message = \"a\" }",
            "6:41: `a` is a pointer, and must be a text",
        ),
        (
            "void f(char **a)",
            "params.a = { out = \"data\" }",
            "5:14: `out = \"data\"` needs `length` = add `length = \"…\"`: how much of it there is",
        ),
        (
            "void f(struct point **a)",
            "params.a = { out = \"data\", length = 4 }",
            "5:14: `a` cannot be `out = \"data\"`: it is `struct point **` [it does not point to a pointer to numbers or \
             bytes]",
        ),
        (
            "void f(char **a, const char *b)",
            "params.a = { out = \"data\", length = \"b\" }\nparams.b = { string = \"utf-8\" }",
            "5:38: `b` is a pointer, and must be an integer",
        ),
        (
            "void f(char **a)",
            "params.a = { out = \"offset\" }",
            "5:14: `out = \"offset\"` needs `of` = add `of = \"…\"`: the text or buffer that the offset counts from",
        ),
        (
            "void f(char **a, const char *text)",
            "params.a = { out = \"offset\", of = \"test\" }\nparams.text = { string = \"utf-8\" }",
            "5:35: `f` has no parameter `test` [unknown parameter] = did you mean `text`?",
        ),
        (
            "void f(char **a, const int *b)",
            "params.a = { out = \"offset\", of = \"b\" }",
            "5:35: `b` is `const int *`, where `a` points to no place = `of` names the text or buffer that goes in and that \
             the place lies in",
        ),
        (
            "int f(char **a)",
            "params.a = { out = \"text\" }\nerror = { fails = \"nonzero\", message = \"a\" }",
            "6:41: `a` means nothing when the call failed [asked for after a failure] = add `valid_on_error = true` to `a` \
             if it does",
        ),
        (
            "void f(char *a, char **b)",
            "params.a = { out = \"buffer\", capacity = \"b == NULL\" }\nparams.b = { out = \"text\" }",
            "5:42: `b` is not known before the call [written by the call] = this is needed before the call is made: use \
             parameters that go in, and constants",
        ),
    ] {
        line(&[declaration], lines, expect);
    }
}

#[test]
fn a_text_that_is_handed_out_can_be_the_message() {
    let lines = "[function.f]\nparams.a = { out = \"text\", valid_on_error = true }\n\
                 error = { fails = \"nonzero\", message = \"a\" }\n";
    let params = json!([{"role": "text-out", "encoding": "utf8", "ownership": {"ownership": "library"},
                         "valid_on_error": true}]);
    let function = check(&["int f(char **a)"], lines, "f", params, json!({"role": "status"}));
    assert_eq!(function["error"]["value"]["message"], json!({"expr": "param", "index": 0}));
}
