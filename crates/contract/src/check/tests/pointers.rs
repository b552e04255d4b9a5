//! Handle types that are typedefs of pointers to what is no structure.

use serde_json::{Value, json};

use super::support::{api, contract, roles, run, said};
use crate::check::{Checked, Selection};
use crate::diagnostic::render;

/// A plain pointer beside each typedef: it stays what it is.
const DECLARATIONS: [&str; 4] = [
    "void path_free(path p)",
    "int counters_end(counters c)",
    "int plain(const char *name, unsigned *out)",
    "int length_of(cstring s)",
];

const HANDLES: &str =
    "[handle]\npath = { release = \"path_free\" }\ncounters = { release = \"counters_end\" }\ncstring = {}\n";

fn with(more: &str) -> Vec<&str> {
    DECLARATIONS.into_iter().chain([more]).collect()
}

#[track_caller]
fn whole(more: &str, lines: &str) -> Checked {
    let text = contract(&format!("{HANDLES}{lines}"));
    let checked = run(&api(&with(more)), &text, Selection::Contract);
    checked.unwrap_or_else(|found| panic!("{}", render(&found, &text, false)))
}

fn object(handle: &str) -> Value {
    json!({"role": "handle", "handle": handle, "consumed": false, "on_success": false, "nullable": false,
           "invalidates": false})
}

fn found(checked: &Checked, name: &str) -> (Value, Value) {
    let left: Vec<_> = checked.interface.left_out.iter().map(|out| (&out.name, &out.reason)).collect();
    let (_, function) = checked.interface.function(name).unwrap_or_else(|| panic!("{left:?}"));
    let (params, result) = roles(&serde_json::to_value(function).unwrap());
    (Value::from(params), result)
}

#[test]
fn pointers_with_a_name_are_objects_where_the_contract_says_so() {
    let text = json!({"role": "text", "encoding": "utf8", "nullable": false});
    let owned = |release: &str| json!({"ownership": "owned", "release": release});
    let returned = |handle: &str, release: &str| json!({"role": "handle", "handle": handle, "ownership": owned(release), "parent": null, "nullable": false});
    for (declaration, lines, params, result) in [
        (
            "path f(const char *text, path p, const path *q)",
            "params.p = { in = \"handle\" }\nparams.q = { fixed = \"NULL\" }\nresult = { out = \"owned\" }",
            json!([text, object("path"), {"role": "fixed", "c": "NULL"}]),
            returned("path", "path_free"),
        ),
        (
            "counters f(int n, counters *more)",
            "params.more = { out = \"owned\" }\nresult = { out = \"owned\" }",
            json!([{"role": "value"}, {"role": "handle-out", "handle": "counters", "ownership": owned("counters_end"),
                                     "parent": null, "nullable": false, "valid_on_error": false}]),
            returned("counters", "counters_end"),
        ),
        // A line about one parameter stands before what is said about its type.
        (
            "path f(path p, counters c, int n)",
            "params.p = { string = \"utf-8\" }\nparams.c = { in = \"buffer\", length = \"n\" }\n\
             result = { string = \"utf-8\" }",
            json!([text, {"role": "buffer-in", "nullable": false, "length": null},
                   {"role": "length-of", "param": 1, "unit": "elements"}]),
            json!({"role": "text", "encoding": "utf8", "length": null, "nullable": false,
                   "ownership": {"ownership": "library"}}),
        ),
        // What a function plainly uses needs no line.
        (
            "int f(counters c, const char *text)",
            "",
            json!([object("counters"), text]),
            json!({"role": "value"}),
        ),
    ] {
        let checked = whole(declaration, &format!("[function.f]\n{lines}\n"));
        assert_eq!(found(&checked, "f"), (params, result), "{declaration}");
        assert_eq!(checked.interface.handles.get("path").map_or("path", |handle| &handle.c_type), "path");
    }
    let checked = whole("int f(counters c)", "[function.plain]\nparams.out = { out = \"value\" }\n");
    let value = json!({"role": "value-out", "valid_on_error": false});
    assert_eq!(found(&checked, "plain").0, json!([text, value]), "what is not spelled so is no object");
    let consumed = &found(&checked, "path_free").0[0];
    assert_eq!((&consumed["handle"], &consumed["consumed"]), (&json!("path"), &json!(true)));
}

#[test]
fn nothing_is_concluded_from_a_const_within_a_name() {
    for (declaration, reason) in [
        ("int f(int n, path p)", "the function may take over `p`"),
        // Nor is an object taken for a text because of its name.
        ("cstring f(int n)", "it returns a `const` object of type `cstring`, which somebody else may own"),
        ("int f(int n, cstring s)", "the function may take over `s`"),
    ] {
        let checked = whole(declaration, "");
        let left = checked.interface.left_out.iter().find(|out| out.name == "f");
        let left = left.unwrap_or_else(|| panic!("{declaration} is bound"));
        assert_eq!(left.reason, reason, "{declaration}");
    }
}

#[test]
fn misuse_is_said() {
    for (declaration, lines, expect) in [
        (
            "int f(const char *p)",
            "params.p = { in = \"handle\" }",
            "9:14: `p` cannot be `in = \"handle\"`: it is `const char *` [it does not point to an object]",
        ),
        (
            "int f(path p, counters c)",
            "params.p = { in = \"handle\", handle = \"counters\" }\nparams.c = { in = \"handle\" }",
            "9:38: `path` already is a `path`",
        ),
    ] {
        let text = contract(&format!("{HANDLES}[function.f]\n{lines}\n"));
        let found = run(&api(&with(declaration)), &text, Selection::Contract).expect_err("must be refused");
        let said = said(&found, &text);
        assert!(said.len() == 1 && said[0].starts_with(expect), "{said:?}");
    }
    let text = contract("[function.f]\nparams.p = { in = \"handle\" }\n");
    let found = run(&api(&["int f(path p)"]), &text, Selection::Contract).expect_err("must be refused");
    let expect = "5:14: `p` cannot be `in = \"handle\"`: it is `path` [it does not point to an object] = add `path = {}` to \
                  `[handle]`";
    assert_eq!(said(&found, &text), [expect]);
}
