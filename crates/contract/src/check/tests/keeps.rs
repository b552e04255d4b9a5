//! Data, texts and objects that the library keeps.

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
            "7:40: `base` goes with the call, and nothing would end what it keeps = name an object that is there when the call has \
             returned",
        ),
        (
            "void f(db *base, const char *t)",
            format!("{}\nparams.base = {{ in = \"handle\", nullable = true }}", text("base")),
            "7:40: `base` may be NULL, and then nothing ends what it keeps = leave `nullable` out of `base`, or name another object",
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

const KEEPING: &str = "handle.db = { release = \"end\" }\nhandle.stmt = {}\n";

#[test]
fn an_object_is_kept_by_another_that_goes_in_or_comes_out_or_by_nothing() {
    let kept = |until: &str| format!("params.s = {{ in = \"handle\", until = \"{until}\" }}\n");
    let base = "params.base = { in = \"handle\" }\n";
    for (declaration, lines, keeps) in [
        (
            "void f(db *base, stmt *s)",
            kept("base") + base,
            json!([{"param": 1, "until": {"param": {"param": 0}}}]),
        ),
        (
            "void f(db *base, stmt *s)",
            kept("db") + base,
            json!([{"param": 1, "until": {"param": {"param": 0}}}]),
        ),
        (
            "void f(db *base, stmt *s)",
            format!(
                "params.s = {{ in = \"handle\", nullable = true, until = \"base\", replaced = true }}\n{base}"
            ),
            json!([{"param": 1, "until": {"param": {"param": 0}}, "replaced": true}]),
        ),
        (
            "int f(stmt *s, db **made)",
            kept("made") + "params.made = { out = \"owned\" }\nerror = { fails = \"nonzero\" }\n",
            json!([{"param": 0, "until": {"param": {"param": 1}}}]),
        ),
        (
            "db *f(stmt *s)",
            kept("result") + "result = { out = \"owned\" }\n",
            json!([{"param": 0, "until": "result"}]),
        ),
        ("void f(stmt *s)", kept("none"), json!([{"param": 0, "until": "worker"}])),
    ] {
        let api = api(&[declaration, "void end(db *base)"]);
        let text = contract(&format!("{KEEPING}[function.f]\n{lines}"));
        let checked = run(&api, &text, Selection::Contract).unwrap();
        let found = checked.interface.functions.iter().find(|function| function.name == "f");
        let function = serde_json::to_value(found).unwrap();
        assert_eq!(function["keeps"], keeps, "{declaration}");
    }
}

#[test]
fn misuse_of_kept_objects_is_said() {
    let kept = |until: &str| format!("params.s = {{ in = \"handle\", until = \"{until}\" }}");
    for (declaration, lines, expect) in [
        ("void f(db *base, stmt *s)", kept("s"), "7:37: `s` keeps itself = name the object that keeps it"),
        (
            "void f(db *base, stmt *s)",
            "params.s = { in = \"handle\", replaced = true }".to_owned(),
            "7:29: `replaced` goes with `until` = add `until`, the object that keeps it",
        ),
        (
            "void f(stmt *s)",
            "params.s = { in = \"handle\", until = \"none\", replaced = true }".to_owned(),
            "7:37: `replaced` needs an object that is there before the call, which lets go = leave `replaced` out",
        ),
        (
            "void f(db *base, stmt *s)",
            format!("{}\nparams.base = {{ in = \"handle\", nullable = true }}", kept("base")),
            "7:37: `base` may be NULL, and then nothing ends what it keeps = leave `nullable` out of `base`, or name another object",
        ),
        (
            "void f(db *base, const char *t)",
            "params.t = { string = \"utf-8\", until = \"base\", replaced = true }".to_owned(),
            "7:48: `replaced` does not go with `string` = it goes with `nullable`, `length`, `unit` and `until`",
        ),
    ] {
        let text = contract(&format!("{KEEPING}[function.f]\n{lines}\n"));
        let found = run(&api(&[declaration, "void end(db *base)"]), &text, Selection::Contract)
            .expect_err("must be refused");
        assert_eq!(said(&found, &text), [expect], "{lines}");
    }
    let lines = format!("threads = \"per-handle\"\n{KEEPING}[function.f]\n{}\n", kept("base"));
    let text = contract(&lines);
    let found = run(&api(&["void f(db *base, stmt *s)", "void end(db *base)"]), &text, Selection::Contract);
    let found = said(&found.expect_err("must be refused"), &text);
    assert_eq!(
        found,
        [
            "8:37: `s` would be used with what keeps it, and by other calls at the same time = objects that keep others are not for \
          `threads = \"per-handle\"`: write \"serialized\""
        ]
    );
}
