//! Callbacks that the library keeps, and objects that callbacks get.

use serde_json::{Value, json};

use super::support::{api, bound, contract, line, roles, run, said};
use crate::check::Selection;
use crate::diagnostic::render;

const HANDLES: &str = "handle.db = {}\nhandle.stmt = {}\n";
const USER: &str = "void *user_of(const stmt *)";

/// The role of the parameter at a position, with the callback's own parameters by their roles.
fn callback(function: &Value, position: usize) -> Value {
    let mut role = roles(function).0[position].take();
    let params = role["callback"]["params"].as_array().unwrap().clone();
    role["callback"]["params"] = params.into_iter().map(|mut param| param["role"].take()).collect();
    role["callback"].as_object_mut().unwrap().retain(|key, _| key != "args" && key != "result");
    role
}

fn kept(params: Value, keeper: usize, user_data: usize, on_failure: Option<i64>, from: Value) -> Value {
    json!({"params": params, "scope": {"scope": "handle", "param": keeper}, "on_failure": on_failure,
           "failure_call": null, "user_data": user_data, "user_data_from": from})
}

#[test]
fn what_the_library_keeps_ends_with_an_object() {
    let lines = format!(
        "{HANDLES}[function.f]\nparams.cb = {{ callback = \"kept\", user_data = \"user\", on_failure = 0, nullable = true }}\n"
    );
    let function = bound(&api(&["int f(db *base, busy cb, void *user)"]), &lines, "f");
    let busy = kept(json!([{"role": "user-data"}, {"role": "value"}]), 0, 2, Some(0), Value::Null);
    assert_eq!(callback(&function, 1), json!({"role": "callback", "nullable": true, "callback": busy}));
    assert_eq!(roles(&function).0[2], json!({"role": "user-data", "callback": 1}));

    let item = "params.cb = { callback = \"kept\", user_data = \"user\", until = \"b\", on_failure = -1 }";
    for (ty, of) in [("db", ""), ("void", ", handle = \"db\"")] {
        let lines = format!(
            "{HANDLES}[function.f]\n{item}\nparams.a = {{ in = \"handle\" }}\nparams.b = {{ in = \"handle\"{of} }}\n"
        );
        let function = bound(&api(&[&format!("int f(stmt *a, {ty} *b, busy cb, void *user)")]), &lines, "f");
        let busy = kept(json!([{"role": "user-data"}, {"role": "value"}]), 1, 3, Some(-1), Value::Null);
        assert_eq!(callback(&function, 2)["callback"], busy);
    }
}

#[test]
fn a_callback_may_come_from_any_thread() {
    let lines = |threads: &str| {
        format!(
            "{HANDLES}[function.f]\nparams.cb = {{ callback = \"kept\", user_data = \"user\", on_failure = 0{threads} }}\n"
        )
    };
    let api = api(&["int f(db *base, busy cb, void *user)"]);
    let function = |threads| bound(&api, &lines(threads), "f");
    let any = function(", threads = \"any\"");
    assert_eq!(callback(&any, 1)["callback"]["threads"], "any");
    let (calls, unsaid) = (function(", threads = \"calls\""), function(""));
    assert_eq!(callback(&calls, 1), callback(&unsaid, 1));
    assert_eq!(calls["fingerprint"], unsaid["fingerprint"], "it is the same to say it");
    assert_ne!(any["fingerprint"], unsaid["fingerprint"]);
}

#[test]
fn callbacks_get_objects_and_share_user_data() {
    let from = "user_data = \"app\", user_data_from = \"user_of(stmt)\"";
    let lines = format!(
        "{HANDLES}[function.f]\n\
         params.step = {{ callback = \"kept\", {from}, nullable = true, params = {{ argv = {{ in = \"handles\", length = \"argc\" }} }} }}\n\
         params.end = {{ callback = \"kept\", user_data = \"app\", user_data_from = \"user_of(arg1)\" }}\n\
         params.destroy = {{ fixed = \"NULL\" }}\n"
    );
    let api = api(&[USER, "int f(db *base, void *app, scalar step, last end, plain destroy)"]);
    let function = bound(&api, &lines, "f");
    let context = json!({"role": "handle", "handle": "stmt", "nullable": false});
    let user_of = json!({"expr": "call", "function": "user_of", "args": [{"expr": "param", "index": 0}]});
    let params =
        json!([context, {"role": "length-of", "param": 2}, {"role": "handles", "length": 1, "handle": "db"}]);
    assert_eq!(callback(&function, 2)["callback"], kept(params, 0, 1, None, user_of.clone()));
    assert_eq!(callback(&function, 3)["callback"], kept(json!([context]), 0, 1, None, user_of));
    assert_eq!(roles(&function).0[1], json!({"role": "user-data", "callback": 2}));
    let args = &function["params"][2]["role"]["value"]["callback"]["args"]["fields"];
    assert_eq!(args[0]["kind"], "u64");
    assert_eq!(args[1]["kind"], "reference");

    let checked = run(&api, &contract(&lines), Selection::Contract);
    let checked = checked.unwrap_or_else(|found| panic!("{}", render(&found, &contract(&lines), false)));
    let handles: Vec<&String> = checked.interface.handles.keys().collect();
    assert_eq!(handles, ["db", "stmt"]);
}

#[test]
fn a_callback_that_returns_nothing_tells_of_its_failure() {
    let lines = format!(
        "{HANDLES}[function.f]\nparams.cb = {{ callback = \"kept\", user_data = \"user\", user_data_from = \"user_of(stmt)\", \
         on_failure = \"fail(stmt, E_FULL)\" }}\n"
    );
    let api = api(&[USER, "void fail(stmt *, int code)", "int f(db *base, last cb, void *user)"]);
    let function = bound(&api, &lines, "f");
    let args = json!([{"expr": "param", "index": 0}, {"expr": "constant", "name": "E_FULL"}]);
    let call = json!({"expr": "call", "function": "fail", "args": args});
    assert_eq!(callback(&function, 1)["callback"]["failure_call"], call);
}

#[test]
fn objects_of_callbacks_have_their_lines() {
    let lines = format!(
        "{HANDLES}[function.f]\nparams.cb = {{ callback = \"call\", user_data = \"user\", params = {{ arg2 = {{ in = \"handle\", \
         nullable = true }}, arg3 = {{ string = \"bytes\" }}, arg4 = {{ in = \"handle\", handle = \"stmt\" }}, arg5 = {{ in = \"handle\" }} }} }}\n\
         [handle.point]\n"
    );
    let function = bound(&api(&["int f(watch cb, void *user)"]), &lines, "f");
    assert_eq!(
        callback(&function, 0)["callback"]["params"],
        json!([{"role": "user-data"}, {"role": "handle", "handle": "db", "nullable": true},
               {"role": "text", "encoding": "bytes", "nullable": false},
               {"role": "handle", "handle": "stmt", "nullable": false},
               {"role": "handle", "handle": "point", "nullable": false}])
    );
}

#[test]
fn a_keeper_that_is_not_decided_leaves_the_function_out() {
    let lines = format!(
        "{HANDLES}[function.close_all]\nparams.cb = {{ callback = \"kept\", user_data = \"user\", on_failure = 0 }}\n"
    );
    let api = api(&["int close_all(db *base, busy cb, void *user)"]);
    let checked = run(&api, &contract(&lines), Selection::Contract).unwrap();
    assert!(checked.interface.functions.is_empty());
    assert!(
        checked.interface.left_out[0].reason.contains("`base`"),
        "{}",
        checked.interface.left_out[0].reason
    );
}

#[test]
fn misuse_is_said() {
    let item = |more: &str| {
        format!(
            "{HANDLES}[function.f]\nparams.cb = {{ callback = \"kept\", user_data = \"user\", on_failure = 0{more} }}"
        )
    };
    let last = |more: &str| {
        format!("{HANDLES}[function.f]\nparams.cb = {{ callback = \"kept\", user_data = \"user\"{more} }}")
    };
    for (declaration, lines, expect) in [
        (
            "int f(int n, busy cb, void *user)",
            item(""),
            "7:15: `f` takes no object that could keep `cb` [until when?] = this version has callbacks that an object keeps, \
             or that end with the call: write `{ callback = \"call\" }` or `{ fixed = \"NULL\" }`",
        ),
        (
            "int f(db *a, stmt *b, busy cb, void *user)",
            item(""),
            "7:15: `a` or `b` may keep `cb` [until when?] = add `until = \"a\"`, the object that ends it when it goes",
        ),
        (
            "int f(db *base, busy cb, void *user)",
            item(", until = \"bse\""),
            "7:78: `f` has no parameter `bse` [unknown parameter] = did you mean `base`?",
        ),
        (
            "int f(db *base, busy cb, void *user)",
            item(", until = \"user\""),
            "7:78: `user` is no handle that goes in: it is `void *` = `until` names the object that ends the callback when it goes",
        ),
        (
            "int f(db **made, busy cb, void *user)",
            item(", until = \"made\""),
            "7:78: `made` is no handle that goes in: it is `db **` = `until` names the object that ends the callback when it goes",
        ),
        (
            "int f(db *base, busy cb, void *user)",
            format!("{}\nparams.base = {{ in = \"consumed\" }}", item("")),
            "7:8: `base` goes with the call, and cannot keep `cb` = name another object with `until`, or write `callback = \
             \"call\"`",
        ),
        (
            "int f(db *base, busy cb, void *user)",
            format!("{}\nparams.base = {{ in = \"handle\", nullable = true }}", item("")),
            "7:8: `base` may be NULL, and then nothing ends `cb` = leave `nullable` out of `base`, or name another object \
             with `until`",
        ),
        (
            "int f(db *base, busy cb, void *user)",
            item(", user_data_from = \"user_of(arg1)\", params = { arg1 = { user_data = true } }"),
            "7:15: `cb` has its user data twice = leave `user_data_from` out: it is for callbacks none of whose parameters is \
             the user data",
        ),
        (
            "int f(db *base, last cb, void *user)",
            last(", user_data_from = \"arg1\""),
            "7:72: `arg1` does not ask the library for the user data = write a call over the parameters of the callback, as in \
             `user_of(context)`",
        ),
        (
            "int f(db *base, last cb, void *user)",
            last(", user_data_from = \"user_of(base)\""),
            "7:80: `base` is neither a parameter of `cb` nor a constant [unknown name]",
        ),
        (
            "int f(db *base, last cb, void *user)",
            last(", user_data_from = \"user_of(1)\""),
            "7:80: `user_of` takes `const stmt *` here, and `1` is an integer",
        ),
        (
            "int f(db *base, last cb, void *user)",
            last(", user_data_from = \"user_of(result)\""),
            "7:80: `result` is not known in a callback [known after the call]",
        ),
        (
            "int f(db *base, scalar cb, void *user)",
            last(
                ", user_data_from = \"number_of(argc + 1)\", params = { argv = { in = \"handles\", length = \"argc\" } }",
            ),
            "7:82: nothing is computed to find the user data = pass parameters of the callback, integers and constants as they \
             are",
        ),
        (
            "int f(db *base, scalar cb, void *user)",
            last(
                ", user_data_from = \"number_of(argc)\", params = { argv = { in = \"handles\", length = \"argc\" } }",
            ),
            "7:72: `number_of(argc)` is an integer, and must be a pointer",
        ),
        (
            "int f(db *base, last cb, void *user)",
            last(", user_data_from = \"text_of(arg1)\""),
            "7:72: `text_of` returns `char *`, and user data is a `void *`",
        ),
        (
            "int f(db *base, last cb, void *user)",
            last(", user_data_from = \"user_of(arg1)\", on_failure = \"arg1\""),
            "7:102: `arg1` tells the library nothing = write a call over the parameters of the callback, as in `failed(context, \
             CODE)`",
        ),
        (
            "int f(db *base, last cb, void *user)",
            last(", user_data_from = \"user_of(arg1)\", on_failure = \"number_of(1 + 1)\""),
            "7:112: nothing is computed to tell the library of a failure = pass parameters of the callback, integers and \
             constants as they are",
        ),
        (
            "int f(db *base, last cb, void *user)",
            last(", user_data_from = \"user_of(arg1)\", on_failure = \"missing(1)\""),
            "7:102: the headers declare no function `missing` [unknown function]",
        ),
        (
            "int f(db *base, last cb, void *user)",
            last(", user_data_from = \"user_of(arg1)\", threads = \"any\""),
            "7:88: `cb` gets objects (`arg1`), and objects are lent inside of calls only = leave `threads` out if the library \
             makes no thread that calls it, or write `{ fixed = \"NULL\" }`",
        ),
        (
            "int f(db *base, scalar cb, void *user)",
            last(
                ", threads = \"any\", user_data_from = \"user_of(context)\", params = { argv = { in = \"handles\", length = \"argc\" } }",
            ),
            "7:54: `cb` gets objects (`context`), and objects are lent inside of calls only = leave `threads` out if the \
             library makes no thread that calls it, or write `{ fixed = \"NULL\" }`",
        ),
        (
            "int f(db *base, busy cb, void *user)",
            last(", on_failure = \"number_of(arg2)\""),
            "7:68: `cb` returns `int`, and must return something when it failed = write an integer, what makes the library stop",
        ),
        (
            "int f(db *base, scalar cb, void *user)",
            last(", user_data_from = \"user_of(context)\""),
            "7:15: nothing says what `argv` (`db **`) of `cb` is = add `params.argv = { in = \"handles\", length = \"…\" }` \
             inside of the item",
        ),
        (
            "int f(db *base, scalar cb, void *user)",
            last(", user_data_from = \"user_of(context)\", params = { argv = { in = \"handle\" } }"),
            "7:111: `argv` cannot be `in = \"handle\"`: it is `db **` [it does not point to an object]",
        ),
        (
            "int f(db *base, scalar cb, void *user)",
            last(
                ", user_data_from = \"user_of(context)\", params = { context = { in = \"handles\", length = \"argc\" } }",
            ),
            "7:114: `context` cannot be `in = \"handles\"`: it is `stmt *` [not a pointer to pointers to objects]",
        ),
        (
            "int f(db *base, scalar cb, void *user)",
            last(
                ", user_data_from = \"user_of(context)\", params = { argv = { in = \"handles\", length = \"context\" } }",
            ),
            "7:137: `context` is no integer parameter of `cb`",
        ),
        (
            "int f(db *base, watch cb, void *user)",
            last(", params = { arg1 = { user_data = true }, arg4 = { in = \"handle\", handle = \"bd\" } }"),
            "7:127: `bd` is no handle type = did you mean `db`?",
        ),
        (
            "int f(db *base, watch cb, void *user)",
            last(", params = { arg1 = { user_data = true }, arg4 = { in = \"handle\" } }"),
            "7:103: `arg4` cannot be `in = \"handle\"`: it is `void *` [nothing says of which handle type] = add `handle = \
             \"…\"`, its handle type",
        ),
        (
            "int f(db *base, busy first, busy cb, void *user)",
            format!(
                "{}\nparams.first = {{ callback = \"call\", user_data = \"user\", on_failure = 0 }}",
                item("")
            ),
            "7:46: `user` is the user data of `first`, which lives otherwise = callbacks that share it are all `kept`, or all \
             `call`",
        ),
    ] {
        let declarations = [declaration, USER, "int number_of(int n)", "char *text_of(stmt *)"];
        let text = contract(&format!("{lines}\n"));
        let found = run(&api(&declarations), &text, Selection::Only("f")).expect_err(&lines);
        assert_eq!(said(&found, &text), [expect], "{lines}");
    }
    line(
        &["void f(int n)"],
        "result = { out = \"ignored\" }",
        "5:12: the result cannot be `out = \"ignored\"`: it is `void` [nothing is returned]",
    );
}

#[test]
fn a_result_can_be_ignored() {
    let lines = "[function.f]\nresult = { out = \"ignored\" }\nerror = { fails = \"null\" }\n";
    let function = bound(&api(&["void *f(int n)"]), lines, "f");
    assert_eq!(roles(&function).1, json!({"role": "void"}));
    assert_eq!(function["error"]["value"]["fails"], json!({"fails": "null"}));
    assert_eq!(function["layout"]["result"]["size"], 0);
}
