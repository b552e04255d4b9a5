//! What means failure, by the type that functions return.

use serde_json::{Value, json};

use super::support::{api, contract, run, said};
use crate::check::{Checked, Selection};
use crate::diagnostic::render;

const DECLARATIONS: [&str; 5] = [
    "enum level open_it(int n)",
    "enum level close_it(int n)",
    "enum level level_of(int n)",
    "int count_it(int n)",
    "const char *why(enum level l)",
];

#[track_caller]
fn whole(lines: &str) -> Checked {
    let text = contract(lines);
    let checked = run(&api(&DECLARATIONS), &text, Selection::Contract);
    checked.unwrap_or_else(|found| panic!("{}", render(&found, &text, false)))
}

fn rule(checked: &Checked, name: &str) -> Value {
    let (_, function) = checked.interface.function(name).unwrap();
    serde_json::to_value(&function.error).unwrap()
}

#[test]
fn a_rule_holds_for_all_that_return_the_type_and_yields_to_others() {
    let lines = r#"
[error]
level = { fails = "nonzero", message = "why(result)", symbols = "E_*" }
[function."close_*"]
error = { fails = "result == LIMIT" }
[function.level_of]
error = { fails = "never" }
"#;
    let checked = whole(lines);
    assert_eq!(checked.warnings, []);
    let open = rule(&checked, "open_it");
    assert_eq!(
        (&open["value"]["fails"]["fails"], &open["value"]["message"]["function"]),
        (&json!("nonzero"), &json!("why"))
    );
    assert_eq!((&open["value"]["symbols"], &open["line"]), (&json!("E_*"), &json!(6)));
    let (_, function) = checked.interface.function("open_it").unwrap();
    assert_eq!(serde_json::to_value(&function.result).unwrap()["value"]["role"], "status");
    assert_eq!(rule(&checked, "close_it")["value"]["fails"]["fails"], "when");
    for name in ["level_of", "count_it", "why"] {
        assert_eq!(rule(&checked, name), Value::Null, "{name}");
    }
}

#[test]
fn types_that_mean_nothing_by_themselves_are_refused() {
    for (name, label) in [
        ("int", true),
        ("size_t", true),
        ("uint32_t", true),
        ("\"unsigned long\"", true),
        ("\"level *\"", false),
    ] {
        let text = contract(&format!("error.{name} = {{ fails = \"nonzero\" }}\n"));
        let found = run(&api(&DECLARATIONS), &text, Selection::Contract).expect_err("must be refused");
        let name = name.trim_matches('"');
        let expect = if label {
            format!(
                "4:7: functions return `{name}` for more than one reason [a plain type] = say it of the functions that mean \
                     it, in the table of a pattern: `function.\"…*\".error`"
            )
        } else {
            format!(
                "4:7: `{name}` is no name of a type = write a typedef or an enumeration, as functions of the headers return it"
            )
        };
        assert_eq!(said(&found, &text), [expect]);
    }
    // What does not fit names the function.
    let text = contract("error.level = { fails = \"nonzero\", message = \"why(m)\" }\n");
    let found = run(&api(&DECLARATIONS), &text, Selection::Contract).expect_err("must be refused");
    let expect = "4:51: `open_it`: `m` is neither a parameter of `open_it` nor a constant (and 2 more functions) [unknown \
                  name]";
    assert_eq!(said(&found, &text), [expect]);
}

#[test]
fn a_type_that_nothing_returns_is_warned_about() {
    let text = contract("error.levle = { fails = \"nonzero\" }\n");
    let checked = run(&api(&DECLARATIONS), &text, Selection::Contract).unwrap();
    let rendered = render(&checked.warnings, &text, false);
    assert!(
        rendered.contains("no function that is selected returns `levle`")
            && rendered.contains("did you mean `level`?"),
        "{rendered}"
    );
}
