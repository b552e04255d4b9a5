//! Tables of families, as they are about functions, and functions of the prelude that stand for others.

use super::support::{api, contract, function, run};
use crate::check::Selection;
use crate::diagnostic::render;

const DECLARATIONS: [&str; 4] = [
    "int put_text(int *t, const char *text, int text_n)",
    "int put_data(int *t, const void *data, int data_n)",
    "int put_number(int *t, int n)",
    "int other(int *t)",
];

#[test]
fn a_family_is_about_the_functions_that_its_name_matches() {
    let text = contract(
        "[function]\n\"*\".params.t = { out = \"value\" }\n\"put_{text,data}\".params.$1 = { in = \"buffer\", length = \"$1_n\" }\nput_data.params.data = { in = \"buffer\", length = 3 }",
    );
    let text = text.replace(".params.$1", ".params.\"$1\"");
    let checked = run(&api(&DECLARATIONS), &text, Selection::Contract).unwrap();
    assert_eq!(checked.warnings, []);
    let role = |name: &str| {
        let (_, function) = checked.interface.function(name).unwrap();
        serde_json::to_value(&function.params[1].role.value).unwrap()
    };
    assert_eq!(role("put_text")["length"], serde_json::Value::Null);
    assert_eq!(role("put_data")["length"], serde_json::json!({"expr": "int", "value": 3}));
}

#[test]
fn a_line_of_a_family_is_idle_where_it_is_about_nothing_in_each_of_its_tables() {
    let head = "[function]\n\"*\".params.\"{t,n}\" = { out = \"value\" }\nput_number.params.n = { in = \"value\" }\n";
    let warnings = |line: &str| {
        let text = contract(&format!("{head}{line}"));
        let checked = run(&api(&DECLARATIONS), &text, Selection::Contract);
        let checked = checked.unwrap_or_else(|found| panic!("{}", render(&found, &text, false)));
        checked.warnings.into_iter().map(|found| found.message).collect::<Vec<_>>()
    };
    let line = "\"put_{text,data}\".params = { text = { in = \"buffer\", length = \"$1_n\" }, data = { in = \"buffer\", length = \"$1_n\" } }";
    assert_eq!(warnings(line), [""; 0]);
    let found = warnings(&line.replace("text,data", "text,data,date"));
    let [warning] = &found[..] else { panic!("{found:?}") };
    assert!(warning.contains("`put_date` matches no function that is selected"), "{warning}");
    let found = warnings(&line.replace("data = {", "more = {"));
    let [warning] = &found[..] else { panic!("{found:?}") };
    assert!(warning.contains("`more` matches no parameter of the functions"), "{warning}");
}

#[test]
fn what_a_function_of_the_prelude_stands_for_is_neither_bound_nor_left_out() {
    let mut api = api(&["void begin(int *state)", "void end(int *state)", "int out(int n)"]);
    let mut whole = function("int whole(int n)");
    whole.inline = true;
    api.functions.push(whole);
    let lines = |of: &str, names: &str| {
        contract(&format!(
            "prelude = \"/* out(n) */ static int side(int n) {{ return out(n); }} static inline int whole(int n) {{ begin(&n); end (&n); return n; }}\"\n[function.{of}]\nstands_for = [\"{names}\"]"
        ))
    };
    let text = lines("whole", "{begin,end,w*}");
    let checked = run(&api, &text, Selection::Contract).unwrap();
    assert_eq!(checked.warnings, []);
    let names: Vec<&str> = checked.interface.functions.iter().map(|it| it.name.as_str()).collect();
    assert_eq!((names, checked.interface.left_out.len()), (vec!["out", "whole"], 0));
    for (of, names, expect) in [
        ("whole", "beginn", "`beginn` matches no function of the headers"),
        ("whole", "{begin,ende}", "`ende` matches no function of the headers"),
        ("whole", "out", "`whole` does not call `out` in the `prelude`"),
        ("out", "begin", "`out` is the library's, and calls what its library calls"),
    ] {
        let text = lines(of, names);
        let found = render(&run(&api, &text, Selection::Contract).unwrap_err(), &text, false);
        assert!(found.contains(expect), "{of} {names}: {found}");
    }
}
