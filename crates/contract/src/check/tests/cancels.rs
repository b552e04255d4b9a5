//! What stops a call that is under way.

use serde_json::{Value, json};

use super::support::{api, contract, run, said};
use crate::check::Selection;

const HANDLES: &str = "handle.db = { release = \"end\", taken_by = [] }\n\
    handle.stmt = { release = \"drop\", parent = \"db\", taken_by = [] }\n\
    [function.\"f*\"]\nparams.n = { in = \"value\" }\nparams.t = { string = \"utf-8\" }\n";

const DECLARATIONS: &[&str] = &[
    "int f(db *base, stmt *part, int n, const char *t)",
    "int g(db *a, db *b)",
    "void end(db *base)",
    "void drop(stmt *part)",
    "db *of(stmt *part)",
    "void stop(db *base)",
    "int stop_some(db *base, int how, const char *why)",
    "void stop_five(db *a, db *b, stmt *c, db *d, db *e)",
    "void stop_all(void)",
    "void h(db *a, db *b, stmt *c, db *d, db *e)",
];

fn text(name: &str, cancel: &str) -> String {
    contract(&format!("{HANDLES}[function.{name}]\ncancel = \"{cancel}\"\n"))
}

/// What is bound of it.
fn cancel(name: &str, line: &str) -> (Value, Value) {
    let text = text(name, line);
    let checked = run(&api(DECLARATIONS), &text, Selection::Contract);
    let checked = checked.unwrap_or_else(|found| panic!("{:?}", said(&found, &text)));
    let found = checked.interface.functions.iter().find(|function| function.name == name);
    let function = serde_json::to_value(found).unwrap();
    (function["cancel"].clone(), function["fingerprint"].clone())
}

#[test]
fn what_stops_a_call_is_a_call_over_objects_and_constants() {
    let param = |index: usize| json!({"expr": "param", "index": index});
    let call = |function: &str, args: Value| json!({"expr": "call", "function": function, "args": args});
    let int = |value: i64| json!({"expr": "int", "value": value});
    let nothing = json!({"expr": "constant", "name": "NULL"});
    let (none, plain) = cancel("f", "none");
    assert_eq!(none, Value::Null);
    for (line, expect) in [
        ("stop(base)", call("stop", json!([param(0)]))),
        ("stop(db)", call("stop", json!([param(0)]))),
        ("stop(of(stmt))", call("stop", json!([call("of", json!([param(1)]))]))),
        ("stop_some(base, 7, NULL)", call("stop_some", json!([param(0), int(7), nothing]))),
        ("stop_all()", call("stop_all", json!([]))),
    ] {
        let (found, fingerprint) = cancel("f", line);
        assert_eq!((&found["call"], &found["text"]), (&expect, &json!(line)));
        assert_ne!(fingerprint, plain, "{line}");
    }
}

#[test]
fn anything_else_is_refused_with_what_to_write() {
    const STAYS: &str = "what stops a call is passed objects and constants";
    for (name, line, expect) in [
        ("f", "base", "`base` is no call = write the call that stops one which is under way, as in \"stop(db)\"".to_owned()),
        ("f", "stop(base) == 0", "`stop(base) == 0` is no call = write the call that stops one which is under way, as in \"stop(db)\"".to_owned()),
        ("f", "stop_some(base, n, NULL)", format!("`n` is no object = {STAYS}")),
        ("f", "stop_some(base, 1 + 2, NULL)", format!("`1 + 2` is computed = {STAYS}")),
        ("f", "stop_some(base, 1, t)", format!("`t` is no object = {STAYS}")),
        ("f", "stop(part)", "`stop` takes `db *` here, and `part` is `stmt *`".to_owned()),
        ("f", "stop(7)", "`stop` takes `db *` here, and `7` is an integer".to_owned()),
        ("f", "stop()", "`stop` takes 1 argument, not 0 = it is declared `void stop(db *base)`".to_owned()),
        ("end", "stop(base)", "`base` goes with the call = what stops a call needs an object that stays".to_owned()),
        ("h", "stop_five(a, b, c, d, e)", "`stop_five(a, b, c, d, e)` is passed 5 objects, and at most 4 can be".to_owned()),
        ("f", "end(base)", "`end` releases its object = what stops a call leaves objects to those who have them".to_owned()),
        ("stop", "stop(base)", "`stop` cannot stop itself [the function that is to be stopped]".to_owned()),
        ("f", "stop_some(base, result, NULL)", "`result` is not known before the call [known after the call] = this is needed before the call is made: use parameters and constants".to_owned()),
        ("g", "stop(db)", "`db` may be `a` and `b`: `g` has several [which one?] = write the name of the parameter".to_owned()),
    ] {
        let text = text(name, line);
        let found = run(&api(DECLARATIONS), &text, Selection::Contract).expect_err(line);
        let found = said(&found, &text);
        let words: Vec<&str> = found.iter().map(|found| found.split_once(": ").unwrap().1).collect();
        assert_eq!(words, [expect], "{line}");
    }
}
