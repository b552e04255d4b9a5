//! Calls in the life of a worker, codes of errors and their names.

use serde_json::{Value, json};

use super::support::{api, bound, contract, line, run, said};
use crate::check::Selection;
use crate::diagnostic::render;

const DECLARATIONS: [&str; 4] =
    ["int start(long flags)", "void stop(void)", "struct point where(void)", "int check(int a, int b)"];

#[track_caller]
fn calls(key: &str, text: &str, more: &str) -> Value {
    let text = contract(&format!("{key} = [\"{text}\"]\n{more}"));
    let checked = run(&api(&DECLARATIONS), &text, Selection::Contract);
    let interface = checked.unwrap_or_else(|found| panic!("{}", render(&found, &text, false))).interface;
    let calls = match key {
        "init" => interface.init,
        "health" => interface.health,
        "abi" => interface.abi,
        _ => interface.shutdown,
    };
    serde_json::to_value(calls).unwrap()
}

#[test]
fn a_truth_value_that_says_failure_is_a_status() {
    let of = |declaration: &str| {
        bound(&api(&[declaration]), "[function.f]\nerror = { fails = \"zero\" }\n", "f")["result"]["value"]["role"].clone()
    };
    assert_eq!(of("_Bool f(int n)"), "status");
    // What is not 0 may count something.
    assert_eq!(of("int f(int n)"), "value");
}

#[test]
fn a_worker_calls_before_it_serves_and_before_it_ends() {
    let start = |arg: Value| json!({"expr": "call", "function": "start", "args": [arg]});
    let three = || json!({"expr": "int", "value": 3});
    let when = |op: &str, value: i64| {
        json!({"fails": "when", "condition": {"expr": "binary", "op": op, "left": {"expr": "result"},
               "right": {"expr": "int", "value": value}}})
    };
    for (text, call, fails) in [
        ("start(3)", start(three()), Value::Null),
        ("start(LIMIT) == 0", start(json!({"expr": "constant", "name": "LIMIT"})), when("ne", 0)),
        ("start(3) >= 2", start(three()), when("lt", 2)),
        ("start(3) != -1", start(three()), when("eq", -1)),
        ("start(3) < 2", start(three()), when("ge", 2)),
        ("start(3) <= 2", start(three()), when("gt", 2)),
        ("start(3) > 2", start(three()), when("le", 2)),
        ("9 > start(3)", start(three()), when("ge", 9)),
        ("9 <= start(3)", start(three()), when("lt", 9)),
        ("0 < start(3)", start(three()), when("le", 0)),
        ("7 >= start(sizeof(int))", start(json!({"expr": "size-of", "ctype": "int"})), when("gt", 7)),
        ("stop()", json!({"expr": "call", "function": "stop", "args": []}), Value::Null),
    ] {
        let expect = json!([{"call": call, "fails": fails, "text": text}]);
        assert_eq!((calls("init", text, ""), calls("health", text, "")), (expect.clone(), expect), "{text}");
    }
    assert_eq!(calls("abi", "start(3) >= 2", ""), calls("init", "start(3) >= 2", ""));
    assert_eq!(calls("shutdown", "stop()", "")[0]["text"], "stop()");
    // A plain call fails as the function itself does, for these arguments.
    let rule = "[function.start]\nerror = { fails = \"negative\" }\n";
    assert_eq!(calls("init", "start(3)", rule)[0]["fails"], json!({"fails": "negative"}));
    let rule = "[function.check]\nerror = { fails = \"result != b\" }\n";
    let fails = calls("init", "check(1, 2)", rule)[0]["fails"].clone();
    assert_eq!(fails["condition"]["right"], json!({"expr": "int", "value": 2}));
    let rule = "[function.check]\nparams.b = { out = \"value\" }\nerror = { fails = \"b == 0\" }\n";
    let text = contract(&format!("init = [\"check(1, NULL)\"]\n{rule}"));
    let found = run(&api(&["int check(int a, int *b)"]), &text, Selection::Contract).unwrap_err();
    let expect = "4:10: `check` fails by what it writes to `b`, which nobody passes here = compare what it returns, as in \
                  \"f(3) == 0\"";
    assert_eq!(said(&found, &text), [expect]);
}

#[test]
fn what_tells_libraries_apart_is_a_comparison() {
    let text = contract("abi = [\"start(1) == 1\", \"start(3)\"]\n");
    let found = run(&api(&DECLARATIONS), &text, Selection::Contract).expect_err("must be refused");
    let expect = "4:26: `start(3)` compares nothing = write what it must give, as in \"moon_size() == sizeof(struct moon)\"";
    assert_eq!(said(&found, &text), [expect]);
}

#[test]
fn calls_that_cannot_be_made_are_refused() {
    const HELP: &str = "write a call, as in \"f()\", or what it must give, as in \"f(3) == 0\"";
    for (text, expect) in [
        ("start", format!("4:10: `start` is neither a call nor a comparison of one = {HELP}")),
        ("start(1) + 1", format!("4:10: `start(1) + 1` is neither a call nor a comparison of one = {HELP}")),
        (
            "start(1) == 0 && start(2) == 0",
            format!(
                "4:10: `start(1) == 0 && start(2) == 0` is neither a call nor a comparison of one = {HELP}"
            ),
        ),
        ("1 == 2", format!("4:10: `1 == 2` calls nothing = {HELP}")),
        ("begin()", "4:10: the headers declare no function `begin` [unknown function]".into()),
        ("start()", "4:10: `start` takes 1 argument, not 0 = it is declared `int start(long flags)`".into()),
        (
            "start(level)",
            "4:16: `level` is neither a parameter of `init` nor a constant [unknown name]".into(),
        ),
        (
            "start(1 + 2)",
            "4:16: `1 + 2` is computed = pass integers, constants of the headers, `sizeof(…)` or `NULL`"
                .into(),
        ),
        ("start(NULL)", "4:16: `start` takes `long` here, and `NULL` is a pointer".into()),
        ("start(1) == VERSION", "4:22: `==` does not go with a pointer [`VERSION` is a pointer]".into()),
        ("where() == 0", "4:10: `where` returns `struct point` = compare a number".into()),
        ("stop() == 0", "4:10: `stop` returns `void` = compare a number".into()),
        ("start(", "4:16: the expression ends too early".into()),
    ] {
        let text = contract(&format!("init = [\"{text}\"]\n"));
        let found = run(&api(&DECLARATIONS), &text, Selection::Contract).expect_err("must be refused");
        assert_eq!(said(&found, &text), [expect]);
    }
}

#[test]
fn codes_and_their_names() {
    let lines = "[function.f]\nparams.n = { in = \"value\" }\nerror = { fails = \"null\", code = \"code(n)\", symbols = \"E_*\" }\n\
                 result = { string = \"utf-8\" }\n[function.g]\nerror = { fails = \"negative\", symbols = \"E_*\" }\n";
    let text = contract(lines);
    let declarations = ["const char *f(int n)", "int g(void)", "int code(int n)"];
    let interface = run(&api(&declarations), &text, Selection::Contract).unwrap().interface;
    let json = serde_json::to_value(&interface).unwrap();
    // Of two names for one code the first stands.
    assert_eq!(json["symbols"], json!({"E_*": [[-2, "E_FULL"], [-1, "E_LOST"]]}));
    assert_eq!(json["functions"][0]["error"]["value"]["code"]["function"], "code");
    assert_eq!(json["functions"][0]["layout"]["result"]["fields"][1]["carries"]["carries"], "code");
    assert_eq!(json["functions"][1]["error"]["value"]["symbols"], "E_*");
    for (declaration, rule, expect) in [
        (
            "int f(void)",
            "fails = \"negative\", symbols = \"F_*\"",
            "5:41: `F_*` matches no integer constant of the headers [no such constant] = write the constants' names with `*` \
             for any letters, such as \"SQLITE_*\"",
        ),
        (
            "void f(void)",
            "fails = \"errno\", symbols = \"E_*\"",
            "5:38: `symbols` names codes, and the result is `void` = add `code = \"EXPRESSION\"`, the code of the failure",
        ),
        (
            "int f(void)",
            "fails = \"negative\", code = \"VERSION\"",
            "5:39: `VERSION` is a pointer, and must be an integer",
        ),
        (
            "int f(void)",
            "fails = \"negative\", code = \"nope\"",
            "5:39: `nope` is neither a parameter of `f` nor a constant [unknown name]",
        ),
    ] {
        line(&[declaration], &format!("error = {{ {rule} }}"), expect);
    }
}

#[test]
fn never_takes_an_error_rule_away() {
    let lines =
        "[function.\"*\"]\nerror = { fails = \"nonzero\" }\n[function.f]\nerror = { fails = \"never\" }\n";
    let function = bound(&api(&["int f(void)"]), lines, "f");
    assert_eq!((&function["error"], &function["result"]["value"]["role"]), (&Value::Null, &json!("value")));
}
