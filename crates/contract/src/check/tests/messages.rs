//! The message that an error rule has of the type of a function's object.

use serde_json::{Value, json};

use super::support::{api, contract, refused, run};
use crate::check::Selection;

const DECLARATIONS: [&str; 9] = [
    "int run(db *d, int n)",
    "int step(stmt *s)",
    "int start(const char *name, db **out)",
    "int both(db *d, stmt *s)",
    "int two(db *a, db *b)",
    "int end(db *d)",
    "int count(int n)",
    "const char *text(db *d)",
    "db *of(stmt *s)",
];

const LINES: &str = "[handle]\ndb = { release = \"end\", message = \"text(db)\" }\n\
    stmt = { message = \"text(of(stmt))\" }\n\
    [function.\"*\"]\nparams.\"({db,stmt} *)\" = { in = \"handle\" }\n\
    [function.\"{run,step,start,both,two,end,count}\"]\nerror = { fails = \"nonzero\" }\n\
    [function.start]\nparams.out = { out = \"owned\", valid_on_error = true }\n";

fn message(lines: &str, name: &str) -> Value {
    let checked = run(&api(&DECLARATIONS), &contract(lines), Selection::Contract).unwrap();
    let (_, function) = checked.interface.function(name).unwrap();
    serde_json::to_value(&function.error).unwrap()["value"]["message"].clone()
}

fn call(function: &str, arg: Value) -> Value {
    json!({"expr": "call", "function": function, "args": [arg]})
}

fn param(index: usize) -> Value {
    json!({"expr": "param", "index": index})
}

#[test]
fn a_rule_has_the_message_of_its_functions_object() {
    assert_eq!(message(LINES, "run"), call("text", param(0)));
    assert_eq!(message(LINES, "step"), call("text", call("of", param(0))));
    assert_eq!(message(LINES, "start"), call("text", param(1)));
}

#[test]
fn it_has_none_where_no_object_or_several_could_be_meant() {
    for name in ["both", "two", "count"] {
        assert_eq!(message(LINES, name), Value::Null, "{name}");
    }
    // What is released is gone, and what is not there after a failure cannot be asked.
    assert_eq!(message(LINES, "end"), Value::Null);
    assert_eq!(message(&LINES.replace(", valid_on_error = true", ""), "start"), Value::Null);
}

#[test]
fn what_a_rule_says_itself_stands_before_it() {
    let own = |said: &str| {
        format!("{LINES}[function.run]\nerror = {{ fails = \"nonzero\", message = \"{said}\" }}\n")
    };
    assert_eq!(message(&own("none"), "run"), Value::Null);
    assert_eq!(message(&own("text(d)"), "run"), call("text", param(0)));
}

#[test]
fn what_a_call_hands_out_about_its_own_failure_stands_before_the_objects() {
    let declarations = [
        "int run(db *d, char **pzErrMsg)",
        "int two(db *d, char **out)",
        "int load(db *d, char **error_file)",
        "const char *text(db *d)",
    ];
    let lines = "handle.db = { message = \"text(db)\" }\n\
                 [function.\"{run,two,load}\"]\nparams.\"(char **)\" = { out = \"text\", valid_on_error = true }\n\
                 error = { fails = \"nonzero\" }\n";
    let rule = |lines: &str, name: &str| {
        let checked = run(&api(&declarations), &contract(lines), Selection::Contract).unwrap();
        let (_, function) = checked.interface.function(name).unwrap();
        let rule = serde_json::to_value(&function.error).unwrap()["value"].clone();
        (rule["told_by"].clone(), rule["message"].clone())
    };
    let of_object = call("text", param(0));
    assert_eq!(rule(lines, "run"), (json!(1), of_object.clone()));
    assert_eq!(rule(lines, "two"), (Value::Null, of_object.clone()));
    assert_eq!(rule(lines, "load"), (Value::Null, of_object.clone()));
    // What is there only when all went well says nothing of a failure.
    assert_eq!(rule(&lines.replace(", valid_on_error = true", ""), "run"), (Value::Null, of_object));
    let own = "error = { fails = \"nonzero\", message = \"none\" }";
    assert_eq!(
        rule(&lines.replace("error = { fails = \"nonzero\" }", own), "run"),
        (Value::Null, Value::Null)
    );
}

#[test]
fn what_may_be_null_is_not_asked_for_a_message() {
    let null = format!("nullable = [\"run.d\"]\n{LINES}");
    assert_eq!(message(&null, "run"), Value::Null);
}

#[test]
fn misuse_is_said() {
    for (from, to, expect) in [
        ("text(db)", "text(", "the expression ends too early"),
        ("text(db)", "txt(db)", "the headers declare no function `txt`"),
        ("text(db)", "count(1)", "`count(1)` is an integer, and must be a text"),
    ] {
        let found = refused(&api(&DECLARATIONS), &LINES.replace(from, to));
        assert!(found.contains(expect), "{to}\n{found}");
    }
}
