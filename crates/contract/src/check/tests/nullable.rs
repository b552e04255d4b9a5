//! What may be NULL, said of many functions at once.

use serde_json::{Value, json};

use super::support::{api, bound, contract, refused, roles, run};
use crate::check::Selection;

const DECLARATIONS: [&str; 5] = [
    "int find(db *d, const char *zName, const void *data, size_t data_len)",
    "const char *name_of(db *d, int n)",
    "int rename(db *d, const char *zName, int *count)",
    "stmt *first(db *d)",
    "int each(db *d, callback cb)",
];

const LINES: &str = "nullable = [\"*.z*\", \"find.{d,data}\", \"{name_of,first}.result\"]\n\
    [handle]\ndb = {}\nstmt = {}\n[function.first]\nresult = { out = \"borrowed\" }\n\
    [function.rename]\nparams.count = { out = \"value\" }\n[function.name_of]\nresult = { string = \"bytes\" }\n";

/// Which parameters, and whether the result, may be NULL.
fn null(lines: &str, name: &str) -> (Vec<Value>, Value) {
    let (params, result) = roles(&bound(&api(&DECLARATIONS), lines, name));
    (params.iter().map(|role| role["nullable"].clone()).collect(), result["nullable"].clone())
}

#[test]
fn what_inference_and_lines_say_may_be_null() {
    for (name, params, result) in [
        ("find", json!([true, true, true, null]), json!(null)),
        ("name_of", json!([false, null]), json!(true)),
        ("rename", json!([false, true, null]), json!(null)),
        ("first", json!([false]), json!(true)),
    ] {
        assert_eq!(null(LINES, name), (params.as_array().unwrap().clone(), result), "{name}");
    }
    let (params, _) = null(&LINES[LINES.find('\n').unwrap()..], "find");
    assert_eq!(params, [json!(false), json!(false), json!(false), json!(null)]);
}

#[test]
fn misuse_is_said() {
    for (entry, expect) in [
        ("find", "`find` does not say what of it may be NULL"),
        ("find.nme", "`nme` matches no parameter of `find`"),
        ("rename.count", "`count` of `rename` is never NULL"),
        ("find.result", "`result` of `find` is never NULL"),
        ("find.{d", "`{d` is no pattern: nothing closes this brace"),
    ] {
        let lines = LINES.replace("\"*.z*\"", &format!("\"{entry}\""));
        let found = refused(&api(&DECLARATIONS), &lines);
        assert!(found.contains(expect), "{entry}\n{found}");
    }
}

#[test]
fn what_a_callback_is_given_may_be_null() {
    let declarations = ["int each(db *d, row cb, void *user)", "int watch(db *d, busy cb, void *user)"];
    let lines = |entry: &str| {
        format!(
            "nullable = [\"{entry}\"]\n[handle]\ndb = {{}}\n[function.\"{{each,watch}}\"]\nparams.cb = {{ callback = \"call\", \
             on_failure = 1, params.\"(const char *)\" = {{ string = \"utf-8\" }}, params.\"(char **)\" = {{ in = \"texts\", length = \"n\" }} }}\n"
        )
    };
    let null = |entry: &str| -> Vec<Value> {
        let (params, _) = roles(&bound(&api(&declarations), &lines(entry), "each"));
        let params = params[1]["callback"]["params"].as_array().unwrap();
        params.iter().map(|param| param["role"]["nullable"].clone()).collect()
    };
    assert_eq!(null("*.cb.*"), [json!(null), json!(null), json!(true), json!(true)]);
    assert_eq!(null("each.cb.name"), [json!(null), json!(null), json!(false), json!(true)]);
    for (entry, expect) in [
        ("watch.cb.*", "no `*` of the callback `cb` of `watch` may be NULL"),
        ("each.cb.nme", "no `nme` of the callback `cb` of `each` may be NULL"),
        ("each.cb.{a", "nothing closes this brace"),
        ("each.d.name", "`d` of `each` is no callback"),
        ("each.bc.name", "`bc` matches no parameter of `each`"),
    ] {
        let found = refused(&api(&declarations), &lines(entry));
        assert!(found.contains(expect), "{entry}\n{found}");
    }
}

#[test]
fn what_keeps_a_callback_is_there() {
    let lines = "nullable = [\"watch.d\"]\n[handle]\ndb = {}\n[function.watch]\n\
                 params.cb = { callback = \"kept\", on_failure = 0 }\n";
    let found = refused(&api(&["int watch(db *d, busy cb, void *user)"]), lines);
    assert!(found.contains("`d` may be NULL, and then nothing ends `cb`"), "{found}");
}

#[test]
fn an_entry_that_chooses_nothing_is_a_warning() {
    let text = contract(&LINES.replace("\"*.z*\"", "\"*.y*\", \"f*.{data,dta}\", \"fnd.zName\""));
    let checked = run(&api(&DECLARATIONS), &text, Selection::Contract).unwrap();
    let found: Vec<&str> = checked.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(
        found[..3],
        [
            "`y*` matches no parameter of the functions that `*` matches",
            "`dta` matches no parameter of the functions that `f*` matches",
            "`fnd` matches no function that is selected",
        ]
    );
}
