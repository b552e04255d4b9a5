//! Data and texts that the library keeps.

use serde_json::{Value, json};

use super::support::{api, contract, run, said};
use crate::check::Selection;

const HANDLES: &str = "handle.db = {}\nhandle.stmt = {}\n";

#[test]
fn what_ends_a_copy_is_an_object_that_goes_in_or_comes_out_or_nothing() {
    let handle = "params.base = { in = \"handle\" }\n";
    for (declaration, lines, until) in [
        ("void f(db *base, const char *t)", format!("{handle}params.t = {{ string = \"utf-8\", until = \"base\" }}"), json!({"param": {"param": 0}})),
        (
            "void f(const unsigned char *data, int n, db **made)",
            "params.data = { in = \"buffer\", length = \"n\", until = \"made\" }\nparams.made = { out = \"owned\" }".into(),
            json!({"param": {"param": 2}}),
        ),
        (
            "db *f(const unsigned char *data, int n)",
            "params.data = { in = \"buffer\", length = \"n\", until = \"result\" }\nresult = { out = \"owned\" }".into(),
            json!("result"),
        ),
        (
            "void f(db *base, const char *t)",
            format!("{handle}params.t = {{ string = \"utf-8\", until = \"db\" }}"),
            json!({"param": {"param": 0}}),
        ),
        ("void f(const char *t)", "params.t = { string = \"bytes\", until = \"none\" }".into(), json!("worker")),
    ] {
        let release = "handle.db.release = \"end\"\n";
        let lines = format!("{release}[function.f]\n{lines}\n");
        let api = api(&[declaration, "void end(db *base)"]);
        let bound = |lines: &str| {
            let checked = run(&api, &contract(lines), Selection::Contract).unwrap();
            let found = checked.interface.functions.iter().find(|function| function.name == "f");
            serde_json::to_value(found).unwrap()
        };
        let function = bound(&lines);
        let param = if declaration.contains("*base, const char") { 1 } else { 0 };
        assert_eq!(function["keeps"], json!([{"param": param, "until": until}]), "{declaration}");
        let (before, after) = lines.split_once(", until = \"").unwrap();
        let plain = bound(&format!("{before}{}", &after[after.find('"').unwrap() + 1..]));
        assert_eq!(plain["keeps"], Value::Null);
        assert_ne!(plain["fingerprint"], function["fingerprint"]);
    }
}

#[test]
fn misuse_is_said() {
    let text = |until: &str| format!("params.t = {{ string = \"utf-8\", until = \"{until}\" }}");
    for (declaration, lines, expect) in [
        (
            "void f(db *base, const char *t)",
            text("bas"),
            "7:40: `f` has no parameter `bas` = did you mean `base`?",
        ),
        (
            "void f(int n, const char *t)",
            text("n"),
            "7:40: `n` is no object = `until` names an object: a parameter, `result`, or `none`, which keeps it as long as the \
             worker lives",
        ),
        (
            "void f(db *base, const char *t)",
            format!("{}\nparams.base = {{ in = \"consumed\" }}", text("base")),
            "7:40: `base` goes with the call, and nothing would end the copy = name an object that is there when the call has \
             returned",
        ),
        (
            "void f(db *base, const char *t)",
            format!("{}\nparams.base = {{ in = \"handle\", nullable = true }}", text("base")),
            "7:40: `base` may be NULL, and then nothing ends the copy = leave `nullable` out of `base`, or name another object",
        ),
        (
            "void f(db *one, db *other, const char *t)",
            format!("{}\nparams.other = {{ in = \"handle\" }}", text("db")),
            "7:40: `db` does not say which of the parameters of `f` = name the parameter that is the object",
        ),
        ("int f(const char *t)", text("result"), "7:40: `f` returns no object"),
    ] {
        let text = contract(&format!("{HANDLES}[function.f]\n{lines}\n"));
        let found = run(&api(&[declaration]), &text, Selection::Contract).expect_err("must be refused");
        assert_eq!(said(&found, &text), [expect], "{lines}");
    }
}
