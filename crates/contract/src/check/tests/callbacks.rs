//! Functions of the application: their parameters, their user data, and what stands for their failure.

use serde_json::{Value, json};

use super::support::{api, bound, check, line, roles};

#[test]
fn callbacks_have_their_roles() {
    let row = r#"params.cb = { callback = "call", user_data = "user", on_failure = -1, nullable = true, params = { arg3 = { in = "texts", length = "n", nullable = true }, name = { string = "bytes", nullable = true } } }"#;
    let function = check(
        &["int f(row cb, void *user)"],
        &format!("[function.f]\n{row}\n"),
        "f",
        json!([
            {"role": "callback", "nullable": true, "callback": {
                "params": [
                    {"name": "user", "ty": pointer("void *", "void"), "role": {"role": "user-data"}},
                    {"name": "n", "ty": number("int", 32, true), "role": {"role": "length-of", "param": 2}},
                    {"name": "arg3", "ty": texts(), "role": {"role": "texts", "length": 1, "encoding": "utf8", "nullable": true}},
                    {"name": "name", "ty": text(), "role": {"role": "text", "encoding": "bytes", "nullable": true}},
                ],
                "args": {"size": 32, "fields": [
                    {"carries": {"carries": "param", "index": 2}, "kind": "reference", "offset": 0},
                    {"carries": {"carries": "param", "index": 3}, "kind": "reference", "offset": 16},
                ]},
                "result": number("int", 32, true),
                "scope": {"scope": "call"},
                "on_failure": -1,
                "failure_call": null,
                "user_data": 1,
                "user_data_from": null,
            }},
            {"role": "user-data", "callback": 0},
        ]),
        json!({"role": "value"}),
    );
    assert_eq!(function["layout"]["args"]["size"], 8);

    let each = r#"params.cb = { callback = "call", user_data = "user", params = { more = { in = "buffer", length = "n" }, data = { in = "buffer", length = "n", unit = "bytes" } } }"#;
    let function = bound(&api(&["void f(each cb, void *user)"]), &format!("[function.f]\n{each}\n"), "f");
    let callback = &function["params"][0]["role"]["value"]["callback"];
    let params = callback["params"].as_array().unwrap().iter().map(|param| param["role"].clone());
    assert_eq!(
        serde_json::Value::from(params.collect::<Vec<_>>()),
        json!([{"role": "buffer", "length": 1, "unit": "bytes"}, {"role": "length-of", "param": 0}, {"role": "user-data"},
               {"role": "buffer", "length": 1, "unit": "bytes"}])
    );
    assert_eq!(callback["on_failure"], serde_json::Value::Null);

    let row = r#"params.cb = { callback = "call", user_data = "user", on_failure = -1, params = { arg3 = { in = "texts" }, name = { string = "utf-8" } } }"#;
    let function = bound(&api(&["int f(row cb, void *user)"]), &format!("[function.f]\n{row}\n"), "f");
    let params = &function["params"][0]["role"]["value"]["callback"]["params"];
    let ended = json!({"role": "texts", "length": null, "encoding": "utf8", "nullable": false});
    assert_eq!((&params[1]["role"], &params[2]["role"]), (&json!({"role": "value"}), &ended));

    let each = r#"params.cb = { callback = "call", user_data = "user", params = { data = { in = "buffer", length = "n" }, user = { user_data = true }, more = { user_data = true } } }"#;
    line(
        &["void f(each cb, void *user)"],
        each,
        "5:15: `cb` has one user data = leave `user_data = true` on the parameter that is what the registering call passed",
    );
}

fn pointer(written: &str, pointee: &str) -> serde_json::Value {
    json!({"written": written, "canonical": written,
           "kind": {"kind": "pointer", "constant": false,
                    "pointee": {"written": pointee, "canonical": pointee, "kind": {"kind": pointee}}}})
}

fn number(written: &str, bits: u16, signed: bool) -> serde_json::Value {
    json!({"written": written, "canonical": written, "kind": {"kind": "int", "bits": bits, "signed": signed}})
}

fn texts() -> serde_json::Value {
    json!({"written": "char **", "canonical": "char **",
           "kind": {"kind": "pointer", "constant": false, "pointee": pointer("char *", "char")}})
}

fn text() -> serde_json::Value {
    json!({"written": "const char *", "canonical": "const char *",
           "kind": {"kind": "pointer", "constant": true,
                    "pointee": {"written": "const char", "canonical": "const char", "kind": {"kind": "char"}}}})
}

#[test]
fn the_only_void_pointer_is_the_user_data() {
    let lines = "[function.f]\nparams.cb = { callback = \"call\", on_failure = -1 }\n";
    let function = bound(&api(&["int f(const char *name, busy cb, void *)"]), lines, "f");
    assert_eq!(roles(&function).0[1]["callback"]["user_data"], 2);
    assert_eq!(roles(&function).0[2], json!({"role": "user-data", "callback": 1}));
    for (declaration, expect) in [
        (
            "int f(busy cb, int n)",
            "5:15: `f` takes no user data [its user data?] = where it is called before the call returns, add \
             `user_data = \"none\"`; without a callback write `{ fixed = \"NULL\" }`",
        ),
        (
            "int f(busy cb, const void *user)",
            "5:15: `f` takes no user data [its user data?] = where it is called before the call returns, add \
             `user_data = \"none\"`; without a callback write `{ fixed = \"NULL\" }`",
        ),
        (
            "int f(busy cb, void *a, void *b)",
            "5:15: nothing says which `void *` of `f` the library hands back [its user data?] = add `user_data = \"a\"`, if \
             it is that one",
        ),
        // What is sorted, not what is handed back.
        (
            "int f(void *base, size_t n, busy cb)",
            "5:15: nothing says which `void *` of `f` the library hands back [its user data?] = add `user_data = \
             \"base\"`, if it is that one",
        ),
    ] {
        line(&[declaration], "params.cb = { callback = \"call\", on_failure = -1 }", expect);
    }
}

#[test]
fn a_value_for_a_failure_is_of_callbacks_that_return_something() {
    let lines = "[function.\"*\"]\nparams.cb = { callback = \"call\", on_failure = 1 }\n";
    let declarations = ["int f(busy cb, void *user)", "int g(none cb, void *user)"];
    let on_failure =
        |name: &str| roles(&bound(&api(&declarations), lines, name)).0[0]["callback"]["on_failure"].clone();
    assert_eq!((on_failure("f"), on_failure("g")), (json!(1), Value::Null));
}

#[test]
fn misuse_is_said() {
    let item = |more: &str| format!("params.cb = {{ callback = \"call\", user_data = \"user\"{more} }}");
    let row = "int f(row cb, void *user, int n)";
    let params = "params = { arg3 = { in = \"texts\", length = \"n\" }, name = { string = \"utf-8\" } }";
    for (declaration, lines, expect) in [
        (
            "int f(int cb, void *user)",
            item(""),
            "5:15: `cb` cannot be `callback = \"call\"`: it is `int` [not a pointer to a function] = write `{ in = \
             \"value\" }`, or no line at all",
        ),
        (
            row,
            item(&format!(", {params}")),
            "5:15: nothing says what the library gets when `cb` fails = add `on_failure = …`, what makes the library stop",
        ),
        (
            "int f(plain cb, void *user)",
            item(", on_failure = 1"),
            "5:15: `cb` is called without user data = add `user_data_from = \"…\"`, a call over its parameters that gives it; \
             without one write `{ fixed = \"NULL\" }`",
        ),
        (
            row,
            item(&format!(", on_failure = 2147483648, {params}")),
            "5:67: `int` never is 2147483648 = it is between -2147483648 and 2147483647",
        ),
        (
            "int f(each cb, void *user)",
            item(
                ", on_failure = 1, params = { data = { in = \"buffer\", length = \"n\" }, user = { user_data = true }, more = { in = \"buffer\", length = \"n\" } }",
            ),
            "5:67: `cb` returns nothing, so that no value stands for a failure = leave `on_failure` out, or write a call that \
             tells the library, as in `failed(context, CODE)`",
        ),
        (
            "int f(real cb, void *user)",
            item(", on_failure = 1"),
            "5:15: `cb` returns `double` = this version has callbacks that return nothing or an integer: write `{ fixed = \
             \"NULL\" }`",
        ),
        (
            "int f(row cb, void *usr, int n)",
            item(&format!(", on_failure = 1, {params}")),
            "5:46: `f` has no parameter `user` [unknown parameter] = did you mean `usr`?",
        ),
        (
            "int f(row cb, char *user, int n)",
            item(&format!(", on_failure = 1, {params}")),
            "5:46: `user` is no user data: it is `char *` = user data is the `void *` that the library hands back to the \
             callback",
        ),
        (
            row,
            format!("params.user = {{ fixed = \"NULL\" }}\n{}", item(&format!(", on_failure = 1, {params}"))),
            "6:46: `user` already is something else = user data has no line of its own",
        ),
        (
            row,
            item(", on_failure = 1, params = { arg3 = { in = \"texts\", length = \"n\" } }"),
            "5:15: nothing says what `name` (`const char *`) of `cb` is = add `params.name = { string = \"utf-8\" }` inside \
             of the item",
        ),
        (
            row,
            item(", on_failure = 1, params = { name = { string = \"utf-8\" } }"),
            "5:15: nothing says what `arg3` (`char **`) of `cb` is = add `params.arg3 = { in = \"texts\", length = \"…\" }` \
             inside of the item",
        ),
        (
            row,
            item(
                ", on_failure = 1, params = { nam = { string = \"utf-8\" }, arg3 = { in = \"texts\", length = \"n\" } }",
            ),
            "5:81: `cb` has no parameter `nam` [unknown parameter] = did you mean `name`?",
        ),
        (
            row,
            item(
                ", on_failure = 1, params = { name = { string = \"utf-8\" }, arg3 = { string = \"utf-8\" } }",
            ),
            "5:119: `arg3` cannot be `string`: it is `char **` [a text is a pointer to bytes]",
        ),
        (
            row,
            item(
                ", on_failure = 1, params = { name = { string = \"utf-8\" }, arg3 = { in = \"texts\", length = \"m\" } }",
            ),
            "5:143: `m` is no integer parameter of `cb`",
        ),
        (
            row,
            item(
                ", on_failure = 1, params = { name = { string = \"utf-8\" }, arg3 = { in = \"texts\", nullable = true } }",
            ),
            "5:119: `arg3` ends at its first NULL: none of its texts is one = leave `nullable` out, or add `length` where a \
             number says how many there are",
        ),
        (
            "int f(each cb, void *user)",
            item(", params = { data = { in = \"buffer\", length = \"n\" } }"),
            "5:15: `cb` has several `void *`, and one of them is the user data = add `params.user = { user_data = true }` \
             inside of the item",
        ),
        (
            "int f(each cb, void *user)",
            item(", params = { data = { user_data = true } }"),
            "5:74: `data` cannot be `user_data`: it is `const short *` [user data is a `void *`]",
        ),
        (
            "int f(row cb, void *user)",
            format!(
                "{}\nerror = {{ fails = \"user == NULL\" }}",
                item(&format!(", on_failure = 1, {params}"))
            ),
            "6:20: `user` belongs to a function of the application = expressions have numbers, texts, and pointers of the \
             library",
        ),
    ] {
        line(&[declaration], &lines, expect);
    }
}

#[test]
fn memory_that_a_callback_fills_has_a_size_and_one_place() {
    let said = |ty: &str, params: &str, expect: &str| {
        let text = format!(
            "params.cb = {{ callback = \"call\", user_data = \"user\", on_failure = -1, params = {{ {params} }} }}"
        );
        let text = if ty != "reads" { text.replace(", on_failure = -1", "") } else { text };
        line(&[&format!("void f({ty} cb, void *user)")], &text, expect);
    };
    let into = "into = { out = \"buffer\", capacity = \"room\"";
    said(
        "reads",
        &format!("{into} }}"),
        "5:91: nothing says how much is filled = add `length = \"result\"`, if the callback returns it",
    );
    said(
        "reads",
        &format!("{into}, length = \"room\" }}"),
        "5:91: `room` does not say how much is filled = write `length = \"result\"`, or leave `length` out where all of it is filled",
    );
    said(
        "fills",
        &format!("{into}, length = \"result\" }}"),
        "5:74: the callback returns `void`, which is no number of elements",
    );
    said(
        "fills",
        &format!("{into} }}, more = {{ out = \"buffer\", capacity = \"room\" }}"),
        "5:120: a callback fills one piece of memory",
    );
    said(
        "reads",
        "into = { out = \"buffer\" }",
        "5:91: `out = \"buffer\"` needs `capacity` = add `capacity = \"…\"`: the parameter with how much memory there is to fill",
    );
    said(
        "each",
        "data = { out = \"buffer\", capacity = \"n\" }",
        "5:74: `data` cannot be `out = \"buffer\"`: it is `const short *` [nobody fills what is `const`]",
    );
    let filled = r#"params.cb = { callback = "call", user_data = "user", on_failure = 0, params = { into = { out = "buffer", capacity = "room", length = "result" } } }"#;
    let function = bound(&api(&["void f(reads cb, void *user)"]), &format!("[function.f]\n{filled}\n"), "f");
    let callback = &function["params"][0]["role"]["value"]["callback"];
    assert_eq!(
        callback["params"][1]["role"],
        json!({"role": "room", "capacity": 2, "unit": "bytes", "returned": true})
    );
    assert_eq!(callback["args"]["size"], 8);
}
