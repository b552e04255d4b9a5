//! Lines about all parameters of a type.

use serde_json::{Value, json};

use super::support::{api, contract, refused, roles, run};
use crate::check::{Checked, Selection};
use crate::diagnostic::render;

const DECLARATIONS: [&str; 10] = [
    "int name(const char *name)",
    "int show(db *d, const char *name, const char *value)",
    "int append(db *d, const char *zIn, int n, int flags)",
    "int state(int op, int *current, int *highest)",
    "int totals(int *totals)",
    "int fill(int *p, int len)",
    "int each(db *d, row cb, void *user)",
    "int every(each cb, void *user)",
    "int sum(long *to, const long *a, const long *b, int n)",
    "int mixed(const long *a, const char *b, int n)",
];

#[track_caller]
fn whole(lines: &str) -> Checked {
    let text = contract(lines);
    let checked = run(&api(&DECLARATIONS), &text, Selection::Contract);
    checked.unwrap_or_else(|found| panic!("{}", render(&found, &text, false)))
}

/// The roles of a function's parameters, or why it is left out.
fn of(checked: &Checked, name: &str) -> Value {
    match checked.interface.function(name) {
        Some((_, function)) => roles(&serde_json::to_value(function).unwrap()).0.into(),
        None => {
            let left = checked.interface.left_out.iter().find(|out| out.name == name).unwrap();
            left.reason.clone().into()
        }
    }
}

fn text() -> Value {
    json!({"role": "text", "encoding": "utf8", "nullable": false})
}

#[test]
fn a_line_about_a_type_is_about_all_its_parameters() {
    let checked = whole(
        "[function.\"*\"]\nparams.\"(const char*)\" = { string = \"utf-8\" }\nparams.\"(int *)\" = { out = \"value\" }\n",
    );
    let db = json!({"role": "handle", "handle": "db", "consumed": false, "on_success": false, "nullable": false,
                    "invalidates": false});
    let out = json!({"role": "value-out", "valid_on_error": false});
    for (name, expect) in [
        ("show", json!([db, text(), text()])),
        ("state", json!([{"role": "value"}, out, out])),
        ("name", json!([text()])),
    ] {
        assert_eq!(of(&checked, name), expect, "{name}");
    }
    let show = &checked.interface.function("show").unwrap().1;
    assert_eq!(serde_json::to_value(&show.params[1].role).unwrap()["line"], 5);
}

#[test]
fn it_gives_way_where_something_else_may_be_meant() {
    let checked = whole(
        "[function.\"*\"]\nparams.\"(const char *)\" = { string = \"utf-8\" }\nparams.\"(int *)\" = { out = \"value\" }\n",
    );
    for (name, expect) in [
        ("append", "`n` may count something else than the bytes of `zIn`"),
        ("totals", "nothing says whether `totals` is read or written, and how many numbers it points to"),
        ("fill", "nothing says whether `p` is read or written, and how many numbers it points to"),
    ] {
        assert_eq!(of(&checked, name), expect, "{name}");
    }
    // A name says that they are meant.
    let checked = whole(
        "[function.\"*\"]\nparams.\"(const char *)z*\" = { string = \"utf-8\" }\nparams.\"(int *)p\" = { out = \"value\" }\n",
    );
    assert_eq!(of(&checked, "append")[1], text());
    assert_eq!(of(&checked, "fill")[0]["role"], "value-out");
}

#[test]
fn a_closer_line_of_the_table_stands_before_it_and_a_later_table_too() {
    let lines = r#"
[function."*"]
params.value = { fixed = "NULL" }
params."(const char *)v*" = { string = "bytes" }
params."(const char *)" = { string = "utf-8" }
[function."sh*"]
params."(const char *)n*" = { string = "bytes" }
[function.append]
params."(const char *)" = { string = "utf-8", length = "next" }
"#;
    let checked = whole(lines);
    let show = of(&checked, "show");
    let bytes = json!({"role": "text", "encoding": "bytes", "nullable": false});
    assert_eq!((&show[1], &show[2]), (&bytes, &json!({"role": "fixed", "c": "NULL"})));
    let append = of(&checked, "append");
    assert_eq!(append[2], json!({"role": "length-of", "param": 1, "unit": "bytes"}));
    assert_eq!(append[3]["role"], "value");
}

#[test]
fn the_next_integer_counts_all_pointers_to_the_same_numbers_before_it() {
    let lines = r#"
[function.sum]
params."(const long *)" = { in = "buffer", length = "next" }
params."(long *)" = { out = "buffer", length = "next" }
"#;
    let checked = whole(lines);
    let data = |length: Value| json!({"role": "buffer-in", "length": length, "nullable": false});
    let n = json!({"expr": "param", "index": 3});
    let sum = of(&checked, "sum");
    assert_eq!((&sum[1], &sum[2]), (&data(Value::Null), &data(n.clone())));
    assert_eq!((&sum[0]["role"], &sum[0]["capacity"]["size"]), (&json!("buffer-out"), &n));
    assert_eq!(sum[3], json!({"role": "length-of", "param": 1, "unit": "elements"}));
    // A pointer to something else in between: nothing says what is counted.
    let found =
        refused(&api(&DECLARATIONS), "function.mixed.params.a = { in = \"buffer\", length = \"next\" }");
    assert!(found.contains("`next` is neither a parameter"), "{found}");
}

#[test]
fn callbacks_and_their_parameters_have_types_too() {
    let lines = r#"
[function."e*"]
params."({int,void} (*)())" = { callback = "call", on_failure = 1, params."(char **)" = { in = "texts", length = "n" }, params."(const char *)" = { string = "utf-8" }, params."(const short *)" = { in = "buffer", length = "next" } }
[function."ev*"]
params."(void (*)())" = { callback = "call", params = { "(const short *)" = { in = "buffer", length = "next" }, "(void *)more" = { user_data = true }, user = { in = "buffer", length = "n" } } }
"#;
    let checked = whole(lines);
    let row = &of(&checked, "each")[1]["callback"];
    let params = row["params"].as_array().unwrap().iter().map(|param| param["role"]["role"].clone());
    assert_eq!(Value::from_iter(params), json!(["user-data", "length-of", "texts", "text"]));
    assert_eq!((&row["on_failure"], &row["user_data"]), (&json!(1), &json!(2)));
    let every = &of(&checked, "every")[0]["callback"];
    let params = every["params"].as_array().unwrap().iter().map(|param| param["role"]["role"].clone());
    assert_eq!(Value::from_iter(params), json!(["buffer", "length-of", "buffer", "user-data"]));
}

#[test]
fn misuse_is_said() {
    for (lines, expect) in [
        (
            "[function.show]\nparams.\"(const char\" = { string = \"utf-8\" }",
            "`(const char` is no type of parameters: nothing closes a parenthesis",
        ),
        (
            "[function.show]\nparams.\"(const chr *)\" = { string = \"utf-8\" }",
            "`show` has no parameter that is `(const chr *)`",
        ),
        (
            "[function.show]\nparams.\"(db *)\" = { string = \"utf-8\" }",
            "`d` cannot be `string`: it is `db *`",
        ),
        ("[struct.point]\nfields.\"(int)\" = { zero = true }", "fields are not chosen by their type"),
        (
            "[function.each]\nparams.cb = { callback = \"call\", on_failure = 1, params.\"(short *)\" = { string = \"utf-8\" } }",
            "`cb` has no parameter `(short *)`",
        ),
        (
            "[function.show]\nparams.\"(const char *)\" = { string = \"utf-8\", length = \"next\" }",
            "`next` is no integer parameter",
        ),
    ] {
        let found = refused(&api(&DECLARATIONS), lines);
        assert!(found.contains(expect), "{lines}\n{found}");
    }
    assert!(
        refused(&api(&DECLARATIONS), "[function.show]\nparams.\"(const chr *)\" = { string = \"utf-8\" }")
            .contains("did you mean `(const char *)`?")
    );
}

#[test]
fn a_type_that_no_function_has_is_a_warning() {
    let text = contract("[function.\"sh*\"]\nparams.\"(const chr *)\" = { string = \"utf-8\" }\n");
    let checked = run(&api(&DECLARATIONS), &text, Selection::Contract).unwrap();
    let [warning] = &checked.warnings[..] else { panic!("{:?}", checked.warnings) };
    let expect = "`(const chr *)` matches no parameter of the functions that `sh*` matches";
    assert_eq!((warning.message.as_str(), warning.line(&text)), (expect, Some(5)));
    assert_eq!(warning.help.as_deref(), Some("did you mean `(const char *)`?"));
}
