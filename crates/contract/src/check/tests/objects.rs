//! Objects: who owns them, what they live in, and which function releases them.

use hotcell_model::interface::{Status, Threads};
use serde_json::{Value, json};

use super::support::{api, contract, roles, run, said};
use crate::check::{Checked, Selection};
use crate::diagnostic::render;

const HANDLES: &str = "[handle]\ndb = { release = \"db_close\" }\nstmt = { release = \"finish\", parent = \"db\" }\n\
                       file = { release = \"file_close\" }\nHANDLE = {}\n";

const RELEASES: [&str; 4] =
    ["int db_close(db *d)", "void finish(stmt *s)", "int file_close(file f)", "void touch(HANDLE h)"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    RELEASES.iter().chain(more).copied().collect()
}

/// Checks a contract with the handle types above.
#[track_caller]
fn whole(more: &[&str], lines: &str) -> Checked {
    let text = contract(&format!("{HANDLES}{lines}"));
    let checked = run(&api(&with(more)), &text, Selection::Contract);
    checked.unwrap_or_else(|found| panic!("{}", render(&found, &text, false)))
}

/// The errors about lines of `f`; the handle types take six lines of the file.
#[track_caller]
fn wrong(declaration: &str, lines: &str) -> Vec<String> {
    let text = contract(&format!("{HANDLES}[function.f]\n{lines}\n"));
    said(&run(&api(&with(&[declaration])), &text, Selection::Contract).expect_err("must be refused"), &text)
}

#[track_caller]
fn found(checked: &Checked, name: &str) -> Value {
    let left: Vec<_> = checked.interface.left_out.iter().map(|out| (&out.name, &out.reason)).collect();
    let (_, function) = checked.interface.function(name).unwrap_or_else(|| panic!("{left:?}"));
    serde_json::to_value(function).unwrap()
}

fn object(handle: &str) -> Value {
    json!({"role": "handle", "handle": handle, "consumed": false, "on_success": false, "nullable": false,
           "invalidates": false})
}

#[test]
fn objects_have_their_roles() {
    let taken = |on_success: bool| {
        json!({"role": "handle", "handle": "db", "consumed": true, "on_success": on_success, "nullable": false,
               "invalidates": false})
    };
    let made = |handle: &str, ownership: Value, parent: Value, valid: bool| {
        json!({"role": "handle-out", "handle": handle, "ownership": ownership, "parent": parent,
               "nullable": false, "valid_on_error": valid})
    };
    let owned = |release: &str| json!({"ownership": "owned", "release": release});
    let lent = json!({"ownership": "library"});
    for (declaration, lines, params, result) in [
        (
            "void f(const db *d, file f, HANDLE h)",
            "params.d = { in = \"handle\" }\nparams.f = { in = \"handle\" }\nparams.h = { in = \"handle\" }",
            json!([object("db"), object("file"), object("HANDLE")]),
            json!({"role": "void"}),
        ),
        (
            "void f(db *d, void *other)",
            "params.d = { in = \"handle\", nullable = true, invalidates = true }\n\
             params.other = { in = \"handle\", handle = \"stmt\" }",
            json!([{"role": "handle", "handle": "db", "consumed": false, "on_success": false, "nullable": true,
                    "invalidates": true}, object("stmt")]),
            json!({"role": "void"}),
        ),
        ("void f(db *d)", "params.d = { in = \"consumed\" }", json!([taken(false)]), json!({"role": "void"})),
        (
            "int f(db *d)",
            "params.d = { in = \"consumed\", on_success = true }\nerror = { fails = \"nonzero\" }",
            json!([taken(true)]),
            json!({"role": "status"}),
        ),
        (
            "int f(const char *name, db **made)",
            "params.made = { out = \"owned\", valid_on_error = true }",
            json!([{"role": "text", "encoding": "utf8", "nullable": false},
                   made("db", owned("db_close"), Value::Null, true)]),
            json!({"role": "value"}),
        ),
        (
            "int f(db *d, stmt **made)",
            "params.d = { in = \"handle\" }\nparams.made = { out = \"owned\" }",
            json!([object("db"), made("stmt", owned("finish"), json!(0), false)]),
            json!({"role": "value"}),
        ),
        (
            "void f(db *a, db *b, stmt **made)",
            "params.a = { in = \"handle\" }\nparams.b = { in = \"handle\" }\nparams.made = { out = \"owned\", parent = \"b\" }",
            json!([object("db"), object("db"), made("stmt", owned("finish"), json!(1), false)]),
            json!({"role": "void"}),
        ),
        (
            "void f(void **made)",
            "params.made = { out = \"owned\", handle = \"stmt\", parent = \"none\" }",
            json!([made("stmt", owned("finish"), Value::Null, false)]),
            json!({"role": "void"}),
        ),
        (
            "void f(stmt *s, db **lent)",
            "params.s = { in = \"handle\" }\nparams.lent = { out = \"borrowed\", nullable = true }",
            json!([object("stmt"), {"role": "handle-out", "handle": "db", "ownership": lent, "parent": 0,
                   "nullable": true, "valid_on_error": false}]),
            json!({"role": "void"}),
        ),
        (
            "stmt *f(db *d)",
            "params.d = { in = \"handle\" }\nresult = { out = \"owned\", nullable = true }",
            json!([object("db")]),
            json!({"role": "handle", "handle": "stmt", "ownership": owned("finish"), "parent": 0, "nullable": true}),
        ),
        (
            "const void *f(stmt *s)",
            "params.s = { in = \"handle\" }\nresult = { out = \"borrowed\", handle = \"HANDLE\" }",
            json!([object("stmt")]),
            json!({"role": "handle", "handle": "HANDLE", "ownership": lent, "parent": 0, "nullable": false}),
        ),
        (
            "file f(int n)",
            "result = { out = \"owned\" }",
            json!([{"role": "value"}]),
            json!({"role": "handle", "handle": "file", "ownership": owned("file_close"), "parent": null,
                   "nullable": false}),
        ),
    ] {
        let checked = whole(&[declaration], &format!("[function.f]\n{lines}\n"));
        let (have, returned) = roles(&found(&checked, "f"));
        assert_eq!(Value::from(have), params, "{declaration}");
        assert_eq!(returned, result, "{declaration}");
    }
}

#[test]
fn an_interface_holds_the_handle_types_in_use() {
    let lines = "[function.f]\nparams.d = { in = \"handle\" }\nresult = { out = \"owned\" }\n";
    let interface = whole(&["stmt *f(db *d)"], lines).interface;
    let handles = serde_json::to_value(&interface.handles).unwrap();
    assert_eq!(
        handles["stmt"],
        json!({"c_type": "stmt *", "doc": null, "release": "finish", "parent": "db", "thread_affine": false,
               "evidence": {"evidence": "decided", "line": 6}})
    );
    assert_eq!(handles["file"]["c_type"], "file");
    let names: Vec<&str> = interface.handles.keys().map(String::as_str).collect();
    assert_eq!(names, ["HANDLE", "db", "file", "stmt"]);
    assert_eq!(interface.handle_number("stmt"), Some(4));
    assert!(interface.records.is_empty(), "{:?}", interface.records);
}

#[test]
fn a_release_is_bound_by_itself() {
    let lines = "[function.f]\nresult = { out = \"owned\" }\n";
    let text = contract(&format!("include = [\"f\"]\n{HANDLES}{lines}"));
    let interface = run(&api(&with(&["db *f(void)"])), &text, Selection::Contract).unwrap().interface;
    let names: Vec<&str> = interface.functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(names, ["db_close", "f"]);
    let release = serde_json::to_value(&interface.functions[0]).unwrap();
    assert_eq!(release["params"][0]["role"]["value"]["consumed"], true);
    assert_eq!(
        (&release["params"][0]["role"]["evidence"], &release["params"][0]["role"]["line"]),
        (&json!("decided"), &json!(6))
    );
    // Also where one function alone is asked for.
    let only = run(&api(&with(&["db *f(void)"])), &text, Selection::Only("f")).unwrap().interface;
    assert_eq!(only.functions.len(), 2);
    // Whatever a pattern says about its parameter.
    let pattern = "[function.\"*\"]\nparams.d = { in = \"handle\" }\n";
    let checked = whole(&["int f(db *d)"], pattern);
    assert_eq!(found(&checked, "db_close")["params"][0]["role"]["value"]["consumed"], true);
    assert_eq!(found(&checked, "f")["params"][0]["role"]["value"], object("db"));
    // A type that nobody owns needs none.
    let text =
        contract(&format!("include = [\"g\"]\n{HANDLES}[function.g]\nparams.d = {{ in = \"handle\" }}\n"));
    let interface = run(&api(&with(&["int g(db *d)"])), &text, Selection::Contract).unwrap().interface;
    assert_eq!((interface.functions.len(), interface.handles["db"].release.as_deref()), (1, None));
}

#[test]
fn nobody_owns_what_cannot_be_released() {
    let lines = "[function.f]\nresult = { out = \"owned\" }\n";
    for (release, more, reason) in [
        (
            "int db_close(db *d, const void *why)",
            "",
            "`db_close` releases what it makes, and it is left out: nothing says how much data is behind `why`",
        ),
        (
            "int db_close(db *d, int how)",
            "",
            "`db_close` releases what it makes, and it takes `how` besides the object",
        ),
    ] {
        let text = contract(&format!("[handle]\ndb = {{ release = \"db_close\" }}\n{more}{lines}"));
        let checked = run(&api(&["db *f(void)", release]), &text, Selection::Contract).unwrap();
        let out = checked.interface.left_out.iter().find(|out| out.name == "f").unwrap();
        assert_eq!((out.reason.as_str(), out.status), (reason, Status::Undecided));
        let warnings = render(&checked.warnings, &text, false);
        assert!(warnings.contains("warning: `db_close` cannot release a `db`: "), "{warnings}");
    }
    let fixed = "[function.db_close]\nparams.how = { fixed = \"0\" }\n";
    let text = contract(&format!("[handle]\ndb = {{ release = \"db_close\" }}\n{fixed}{lines}"));
    let checked =
        run(&api(&["db *f(void)", "int db_close(db *d, int how)"]), &text, Selection::Contract).unwrap();
    assert_eq!((checked.interface.functions.len(), checked.warnings.len()), (2, 0));
}

#[test]
fn lines_about_types_are_checked() {
    for (handles, expect) in [
        ("dbb = {}", "5:1: the headers use no type `dbb` [unknown type] = did you mean `db`?"),
        ("db = {}\nstmt = { parent = \"bd\" }", "6:19: `bd` is no handle type = did you mean `db`?"),
        ("stmt = { parent = \"other\" }", "5:19: `other` is no handle type = add `other = {}` to `[handle]`"),
        (
            "db = { parent = \"db\" }",
            "5:17: a `db` cannot be the parent of its own type = say it where one is made, as `parent = \"…\"`: the \
             name of a parameter",
        ),
        ("file = {}\nfile_s = {}", "6:1: `file_s` and `file` are the same type [the second]"),
        (
            "db = { release = \"db_clos\" }",
            "5:18: the headers declare no function `db_clos` [unknown function] = did you mean `db_close`?",
        ),
        (
            "db = { release = \"finish\" }",
            "5:18: `finish` does not take one `db` = it is declared `void finish(stmt *s)`",
        ),
        (
            "db = { release = \"give\" }\nstmt = { release = \"give\" }",
            "6:20: `give` already releases a `db` = a function releases objects of one type",
        ),
    ] {
        let text = contract(&format!("[handle]\n{handles}\n"));
        let api = api(&with(&["void give(void *p)"]));
        let found = run(&api, &text, Selection::Contract).expect_err("must be refused");
        assert_eq!(said(&found, &text), [expect], "{handles}");
    }
}

#[test]
fn lines_about_objects_are_checked() {
    for (declaration, lines, expect) in [
        (
            "void f(int n)",
            "params.n = { in = \"handle\" }",
            "10:14: `n` cannot be `in = \"handle\"`: it is `int` [not a pointer] = write `{ in = \"value\" }`, or no line at all",
        ),
        (
            "void f(int *n)",
            "params.n = { in = \"handle\" }",
            "10:14: `n` cannot be `in = \"handle\"`: it is `int *` [it does not point to an object]",
        ),
        (
            "void f(struct point *p)",
            "params.p = { in = \"consumed\" }",
            "10:14: `p` cannot be `in = \"consumed\"`: it is `struct point *` [it points to no handle type] = add \
             `point = {}` to `[handle]`",
        ),
        (
            "void f(void *p)",
            "params.p = { in = \"handle\" }",
            "10:14: `p` cannot be `in = \"handle\"`: it is `void *` [nothing says of which handle type] = add \
             `handle = \"…\"`, its handle type",
        ),
        (
            "void f(void *p)",
            "params.p = { in = \"handle\", handle = \"bd\" }",
            "10:38: `bd` is no handle type = did you mean `db`?",
        ),
        (
            "void f(db *d)",
            "params.d = { in = \"handle\", handle = \"stmt\" }",
            "10:38: `db *` already is a `db` = leave `handle` out: it says what a `void *` points to",
        ),
        (
            "void f(db *d)",
            "params.d = { in = \"consumed\", on_success = true }",
            "10:14: nothing says when the call did not fail = add `error = { fails = … }`, or leave `on_success` out",
        ),
        (
            "void f(db *d)",
            "params.d = { out = \"owned\" }",
            "10:14: `d` cannot be `out = \"owned\"`: it is `db *` [it does not point to a pointer]",
        ),
        (
            "void f(db *const *d)",
            "params.d = { out = \"owned\" }",
            "10:14: `d` cannot be `out = \"owned\"`: it is `db *const *` [the function only reads through it]",
        ),
        (
            "void f(HANDLE *h)",
            "params.h = { out = \"owned\" }",
            "10:14: nothing releases a `HANDLE`, so nobody can own one [owned] = add its release to `[handle]`: `HANDLE = \
             { release = \"…\" }`",
        ),
        (
            "stmt *f(void)",
            "result = { out = \"owned\" }",
            "10:12: no parameter is known to be the parent of this `stmt` [its parent?] = add `parent = \"…\"`, the \
             parameter that must outlive it, or `parent = \"none\"`",
        ),
        (
            "stmt *f(db *a, db *b)",
            "params.a = { in = \"handle\" }\nparams.b = { in = \"handle\" }\nresult = { out = \"owned\" }",
            "12:12: `a` or `b` may be the parent of this `stmt` [its parent?] = add `parent = \"a\"`, the one that must \
             outlive it, or `parent = \"none\"`",
        ),
        (
            "db *f(stmt *a, file b)",
            "params.a = { in = \"handle\" }\nparams.b = { in = \"handle\" }\nresult = { out = \"borrowed\" }",
            "12:12: `a` or `b` may be the parent of this `db` [its parent?] = add `parent = \"a\"`, the one that must \
             outlive it, or `parent = \"none\"`",
        ),
        (
            "db *f(int n)",
            "result = { out = \"borrowed\" }",
            "10:12: no parameter is known to be the parent of this `db` [its parent?] = add `parent = \"…\"`, the \
             parameter that must outlive it, or `parent = \"none\"`",
        ),
        (
            "db *f(stmt *sink)",
            "params.sink = { in = \"handle\" }\nresult = { out = \"borrowed\", parent = \"sinc\" }",
            "11:39: `f` has no parameter `sinc` [its parent?] = did you mean `sink`?",
        ),
        (
            "db *f(int n)",
            "result = { out = \"borrowed\", parent = \"n\" }",
            "10:39: `n` is no handle: it is `int`",
        ),
        (
            "int f(void)",
            "result = { out = \"owned\" }",
            "10:12: the result cannot be `out = \"owned\"`: it is `int` [not a pointer]",
        ),
        (
            "struct point *f(void)",
            "result = { out = \"borrowed\" }",
            "10:12: the result cannot be `out = \"borrowed\"`: it is `struct point *` [it points to no handle type] = add \
             `point = {}` to `[handle]`",
        ),
    ] {
        assert_eq!(wrong(declaration, lines), [expect], "{declaration}\n{lines}");
    }
    let text = contract(&format!("{HANDLES}[function.db_close]\nparams.d = {{ in = \"handle\" }}\n"));
    let found = run(&api(&RELEASES), &text, Selection::Contract).unwrap_err();
    let expect = "10:14: `db_close` releases a `db`, so that `d` is consumed = write `{ in = \"consumed\" }`, or no line \
                  at all";
    assert_eq!(said(&found, &text), [expect]);
}

#[test]
fn a_parent_must_be_there_after_the_call() {
    let lines = "[function.f]\nparams.s = { in = \"consumed\" }\nresult = { out = \"borrowed\" }\n";
    let reason =
        |checked: Checked| checked.interface.left_out.into_iter().find(|out| out.name == "f").unwrap().reason;
    let out = reason(whole(&["db *f(stmt *s)"], lines));
    assert_eq!(out, "`s`, which must outlive the result, is not decided to be a handle");
    let lines = "[function.f]\nparams.s = { fixed = \"NULL\" }\nparams.d = { out = \"borrowed\" }\n";
    let out = reason(whole(&["void f(stmt *s, db **d)"], lines));
    assert_eq!(out, "`s`, which must outlive `d`, is not decided to be a handle");
}

#[test]
fn expressions_name_objects_by_their_type() {
    let more =
        ["int f(stmt *s, int n)", "const char *text(db *d)", "db *of(stmt *s)", "int g(int n, db **made)"];
    let rest = "[function.text]\nparams.d = { in = \"handle\" }\n[function.of]\nparams.s = { in = \"handle\" }\n\
                result = { out = \"borrowed\" }\n";
    let lines = "[function.f]\nparams.s = { in = \"handle\" }\n\
                 error = { fails = \"nonzero\", message = \"text(of(stmt))\" }\n[function.g]\n\
                 params.made = { out = \"owned\", valid_on_error = true }\n\
                 error = { fails = \"nonzero\", message = \"text(db)\" }\n";
    let checked = whole(&more, &format!("{lines}{rest}"));
    let param = |index: usize| json!({"expr": "param", "index": index});
    let message = |name: &str| found(&checked, name)["error"]["value"]["message"].clone();
    assert_eq!(message("f")["args"][0]["args"][0], param(0));
    assert_eq!(message("g")["args"][0], param(1));
    for (declaration, lines, expect) in [
        (
            "int f(stmt *a, stmt *b)",
            "params.a = { in = \"handle\" }\nparams.b = { in = \"handle\" }\nerror = { fails = \"stmt == NULL\" }",
            "12:20: `stmt` may be `a` and `b`: `f` has several [which one?] = write the name of the parameter",
        ),
        (
            "int f(int n)",
            "error = { fails = \"stmt == NULL\" }",
            "10:20: `f` has no parameter of the handle type `stmt` [no such object]",
        ),
        (
            "int f(db *d)",
            "params.d = { in = \"handle\" }\nerror = { fails = \"finish(d) == NULL\" }",
            "11:27: `finish` takes `stmt *` here, and `d` is `db *`",
        ),
        (
            "int f(db *d)",
            "params.d = { in = \"consumed\" }\nerror = { fails = \"d == NULL\" }",
            "11:20: `d` is gone after the call [consumed by the call] = what is asked for after the call cannot use what \
             the call took",
        ),
        (
            "int f(db **d)",
            "params.d = { out = \"owned\" }\nerror = { fails = \"nonzero\", code = \"db_close(d)\" }",
            "11:47: `d` means nothing when the call failed [asked for after a failure] = add `valid_on_error = true` to `d` \
             if it does",
        ),
    ] {
        assert_eq!(wrong(declaration, lines), [expect], "{declaration}\n{lines}");
    }
}

#[test]
fn a_line_stands_before_what_a_rule_finds() {
    let api = api(&["void f(db *d)", "void g(file f)"]);
    let bare = run(&api, &contract(""), Selection::Contract).unwrap().interface;
    let evidence = serde_json::to_value(&bare.handles["db"].evidence).unwrap();
    assert_eq!(evidence["evidence"], "inferred");
    let decided = run(&api, &contract("[handle]\ndb = {}\n"), Selection::Contract).unwrap().interface;
    let evidence = serde_json::to_value(&decided.handles["db"].evidence).unwrap();
    assert_eq!(evidence, json!({"evidence": "decided", "line": 5}));
    // Under another name of the same type too.
    let other = run(&api, &contract("[handle]\nfile_s = {}\n"), Selection::Contract).unwrap().interface;
    assert!(
        other.handles.contains_key("file_s") && !other.handles.contains_key("file"),
        "{:?}",
        other.handles
    );
}

/// A rule for threads is said of types that callers hold, and of a library that has some.
#[test]
fn objects_are_bound_to_threads_and_used_one_call_at_a_time() {
    let rule = "threads = \"per-handle\"\n";
    let text = contract(&format!("{rule}[handle]\nHANDLE = {{ affine = true }}\ndb = {{}}\n"));
    let declarations = ["void touch(HANDLE h)", "void look(db *d)"];
    let checked = run(&api(&declarations), &text, Selection::Contract).unwrap();
    assert!(checked.warnings.is_empty(), "{:?}", checked.warnings);
    let interface = &checked.interface;
    assert_eq!(interface.threads, Threads::PerHandle);
    assert!(interface.handles["HANDLE"].thread_affine && !interface.handles["db"].thread_affine);
    assert!(interface.has_thread_rules());
    assert_eq!(interface.affine_handles(), [interface.handle_number("HANDLE").unwrap()]);
    let unknown = contract("[handle]\nnope = { affine = true }\n");
    let found = run(&api(&declarations), &unknown, Selection::Contract).unwrap_err();
    assert!(said(&found, &unknown)[0].contains("the headers use no type `nope`"), "{found:?}");
    let text = contract(rule);
    let checked = run(&api(&["int add(int a, int b)"]), &text, Selection::Contract).unwrap();
    let [warning] = &checked.warnings[..] else { panic!("{:?}", checked.warnings) };
    assert!(warning.message.contains("calls of this library use no objects"), "{}", warning.message);
    assert_eq!(&text[warning.span.clone().unwrap()], "threads");
}
