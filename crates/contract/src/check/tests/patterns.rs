//! Tables about every function that a pattern matches.

use serde_json::{Value, json};

use super::support::{api, contract, roles, run, said};
use crate::check::{Checked, Selection};
use crate::diagnostic::render;

const DECLARATIONS: [&str; 4] = [
    "int put_text(int *t, const char *s, int n)",
    "int put_data(int *t, const void *s, int n)",
    "int put_number(int *t, int n)",
    "int other(int *t)",
];

#[track_caller]
fn whole(lines: &str) -> Checked {
    let text = contract(lines);
    let checked = run(&api(&DECLARATIONS), &text, Selection::Contract);
    checked.unwrap_or_else(|found| panic!("{}", render(&found, &text, false)))
}

#[track_caller]
fn of(checked: &Checked, name: &str) -> Value {
    let left: Vec<_> = checked.interface.left_out.iter().map(|out| (&out.name, &out.reason)).collect();
    let (_, function) = checked.interface.function(name).unwrap_or_else(|| panic!("{left:?}"));
    serde_json::to_value(function).unwrap()
}

#[test]
fn lines_apply_where_they_fit_and_exact_ones_win() {
    let lines = r#"
[function."*"]
params.t = { out = "value" }
deadline = "5s"
idempotent = true
[function."put_*"]
params.s = { in = "buffer", length = "n" }
error = { fails = "nonzero" }
[function.put_text]
params.s = { string = "utf-8", length = "n" }
deadline = "1s"
[function.put_number]
params.n = { in = "value" }
error = { fails = "never" }
idempotent = false
[function."put_n*"]
deadline = "2s"
"#;
    let checked = whole(lines);
    assert_eq!(checked.warnings, []);
    let out = json!({"role": "value-out", "valid_on_error": false});
    let buffer = json!({"role": "buffer-in", "nullable": false, "length": null});
    let text = json!({"role": "text", "encoding": "utf8", "nullable": false});
    let length = json!({"role": "length-of", "param": 1, "unit": "bytes"});
    for (name, params, result, deadline, idempotent) in [
        ("put_text", json!([out, text, length]), "status", 1000, true),
        ("put_data", json!([out, buffer, length]), "status", 5000, true),
        ("put_number", json!([out, {"role": "value"}]), "value", 2000, false),
        ("other", json!([out]), "value", 5000, true),
    ] {
        let function = of(&checked, name);
        let (have, returned) = roles(&function);
        assert_eq!((Value::from(have), returned["role"].as_str().unwrap()), (params, result), "{name}");
        assert_eq!(
            (&function["deadline_ms"], &function["idempotent"]),
            (&json!(deadline), &json!(idempotent)),
            "{name}"
        );
    }
    assert_eq!(of(&checked, "put_data")["params"][1]["role"]["line"], 10);
}

#[test]
fn a_pattern_selects_nothing() {
    let text = contract("include = [\"other\"]\n[function.\"*\"]\nparams.t = { out = \"value\" }\n");
    let interface = run(&api(&DECLARATIONS), &text, Selection::Contract).unwrap().interface;
    assert_eq!((interface.functions.len(), interface.left_out.len()), (1, 0));
}

#[test]
fn what_a_pattern_says_wrongly_names_the_function() {
    for (lines, expect) in [
        (
            "[function.\"put_*\"]\nparams.t = { string = \"utf-8\" }",
            "5:14: `put_text`: `t` cannot be `string`: it is `int *` [a text is a pointer to bytes] (and 2 more functions)",
        ),
        (
            "[function.\"*t*\"]\nparams.t = { out = \"value\" }\nerror = { fails = \"n == 0\" }",
            "6:20: `other`: `n` is neither a parameter of `other` nor a constant [unknown name]",
        ),
        (
            "[function.\"put_*\"]\nparams.n = { string = \"utf-8\" }\n[function.put_text]\nparams.n = { in = \"value\" }\n\
             [function.put_data]\nparams.n = { in = \"value\" }",
            "5:14: `put_number`: `n` cannot be `string`: it is `int` [not a pointer] = write `{ in = \"value\" }`, or no \
             line at all",
        ),
    ] {
        let text = contract(&format!("{lines}\n"));
        let found = run(&api(&DECLARATIONS), &text, Selection::Contract).expect_err("must be refused");
        let expect = match expect.split_once(" [a text is a pointer to bytes] (and") {
            Some((before, after)) => format!("{before} (and{after} [a text is a pointer to bytes]"),
            None => expect.to_owned(),
        };
        assert_eq!(said(&found, &text), [expect], "{lines}");
    }
}

#[test]
fn braces_stand_for_one_of_several() {
    let lines = "include = [\"put_{text,data}\"]\n[function.\"{put_text,put_data,other}\"]\nparams.t = { out = \"value\" }\n\
                 [function.put_text]\nparams.s = { string = \"bytes\", length = \"n\" }\n";
    let checked = whole(lines);
    assert_eq!(checked.interface.functions.len() + checked.interface.left_out.len(), 2);
    assert_eq!(roles(&of(&checked, "put_text")).0[0]["role"], "value-out");
    // What stands in braces is looked at alone.
    let expect = "warning: `other` matches no function that is selected\n --> bind.toml:5:31\n";
    let rendered = render(&checked.warnings, &contract(lines), false);
    assert!(rendered.contains(expect), "{rendered}");
    let text =
        contract("exclude = [\"put_{number,txt}\"]\n[function.\"put_*\"]\nparams.t = { out = \"value\" }\n");
    let rendered =
        render(&run(&api(&DECLARATIONS), &text, Selection::Contract).unwrap().warnings, &text, false);
    let expect = "warning: `put_txt` matches no function of the headers\n --> bind.toml:4:25\n";
    assert!(rendered.contains(expect) && rendered.contains("did you mean `put_text`?"), "{rendered}");
}

#[test]
fn patterns_of_parameters() {
    let lines = r#"
[function."put_*".params]
"{t,s}" = { fixed = "NULL" }
t = { out = "value" }
[function.put_text.params]
"[sn]" = { fixed = "0" }
s = { string = "bytes" }
"#
    .replace("[sn]", "{s,n}");
    let checked = whole(&lines);
    assert_eq!(checked.warnings, []);
    let out = json!({"role": "value-out", "valid_on_error": false});
    let (null, zero) = (json!({"role": "fixed", "c": "NULL"}), json!({"role": "fixed", "c": "0"}));
    let text = json!({"role": "text", "encoding": "bytes", "nullable": false});
    assert_eq!(roles(&of(&checked, "put_text")).0, [out.clone(), text, zero]);
    assert_eq!(roles(&of(&checked, "put_data")).0[..2], [out, null]);
    // Of a function of its own every choice is one.
    let text = contract("[function.put_text.params]\n\"{t,nn}\" = { fixed = \"0\" }\n");
    let found = run(&api(&DECLARATIONS), &text, Selection::Contract).unwrap_err();
    assert_eq!(said(&found, &text), ["5:5: `nn` matches no parameter of `put_text` = did you mean `n`?"]);
}

#[test]
fn a_result_that_a_pattern_drops_is_warned_about() {
    let declarations = [
        "int buf_it(int n)",
        "enum level buf_on(int n)",
        "unsigned long buf_room(unsigned long n)",
        "int buf_count(int n)",
    ];
    let warned = |lines: &str| {
        let text = contract(lines);
        let found = run(&api(&declarations), &text, Selection::Contract).unwrap().warnings;
        found.into_iter().map(|warning| (warning.line(&text), warning.message)).collect::<Vec<_>>()
    };
    let dropped = "and this rule makes what it returns a status, which is dropped";
    let rule = "[function.\"buf_*\"]\nerror = { fails = \"nonzero\" }\n";
    // One place, one warning.
    let room = format!(
        "`buf_room` returns `unsigned long`, unlike the other functions that `buf_*` matches, {dropped} (and one more function)"
    );
    assert_eq!(warned(rule), [(Some(5), room)]);
    let count =
        format!("`buf_count` is called like one that counts something or answers a question, {dropped}");
    assert_eq!(
        warned(&format!("{rule}[function.buf_room]\nerror = {{ fails = \"never\" }}\n")),
        [(Some(5), count)]
    );
    let said = format!("{rule}[function.\"buf_{{room,count}}\"]\nresult = {{ out = \"status\" }}\n");
    assert_eq!(warned(&said), []);
    // A rule that keeps the result drops nothing, and neither does a function's own.
    assert_eq!(warned("[function.\"buf_*\"]\nerror = { fails = \"result == 7\" }\n"), []);
    assert_eq!(warned("[function.buf_count]\nerror = { fails = \"nonzero\" }\n"), []);
}

#[test]
fn what_applies_nowhere_is_warned_about() {
    let lines = "[function.\"puts_*\"]\nparams.t = { out = \"value\" }\n[function.\"put_*\"]\nparams.tt = { out = \"value\" }\n";
    let text = contract(lines);
    let checked = run(&api(&DECLARATIONS), &text, Selection::Contract).unwrap();
    let rendered = render(&checked.warnings, &text, false);
    for expect in [
        "warning: `puts_*` matches no function that is selected\n --> bind.toml:4:11\n",
        "warning: `tt` matches no parameter of the functions that `put_*` matches\n --> bind.toml:7:8\n",
    ] {
        assert!(rendered.contains(expect), "{rendered}");
    }
    // One function alone says nothing about the others.
    let one = run(&api(&DECLARATIONS), &text, Selection::Only("other")).unwrap();
    assert!(!render(&one.warnings, &text, false).contains("matches"));
}

#[test]
fn a_message_of_a_pattern_is_not_asked_of_what_is_gone() {
    let declarations =
        ["int end(db *d)", "int use(db *d)", "const char *why(const db *d)", "int code(const db *d)"];
    let lines = "[handle]\ndb = { release = \"end\" }\n[function.\"*\"]\nparams.d = { in = \"handle\" }\n[function.\"?\"]\n"
        .replace("[function.\"?\"]\n", "[function.\"*e*\"]\nerror = { fails = \"nonzero\", message = \"why(d)\", code = \"code(d)\", symbols = \"E_*\" }\n")
        + "[function.code]\nerror = { fails = \"never\" }\n";
    let text = contract(&lines);
    let checked = run(&api(&declarations), &text, Selection::Contract)
        .unwrap_or_else(|found| panic!("{}", render(&found, &text, false)));
    let rule = |name: &str| of(&checked, name)["error"]["value"].clone();
    assert_eq!((&rule("end")["message"], &rule("end")["code"]), (&Value::Null, &Value::Null));
    assert_eq!((&rule("end")["fails"]["fails"], &rule("end")["symbols"]), (&json!("nonzero"), &json!("E_*")));
    assert_eq!(rule("use")["message"]["function"], "why");
    // A table of its own that asks for it is wrong.
    let lines = "[handle]\ndb = { release = \"end\" }\n[function.end]\nerror = { fails = \"nonzero\", message = \"why(d)\" }\n\
                 [function.why]\nparams.d = { in = \"handle\" }\n";
    let text = contract(lines);
    let found = run(&api(&declarations), &text, Selection::Contract).unwrap_err();
    let expect = "7:45: `d` is gone after the call [consumed by the call] = what is asked for after the call cannot use \
                  what the call took";
    assert_eq!(said(&found, &text), [expect]);
}
