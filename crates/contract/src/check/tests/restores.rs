//! Which objects are made anew in the next worker, by which calls, and which calls cannot be made again.

use hotcell_model::interface::{Input, Repeated, Restore, Setting};

use super::support::{api, contract, run, said};
use crate::check::{Checked, Selection};
use crate::diagnostic::render;

const DECLARATIONS: [&str; 13] = [
    "void db_close(db *d)",
    "int db_open(const char *name, int flags, db **made)",
    "db *db_parse(const char *text)",
    "db *db_child(db *d, int n)",
    "int db_limit(db *d, int what, long most)",
    "int db_name(db *d, const char *name)",
    "int db_look(db *d, callback look)",
    "int db_both(db *d, const db *other)",
    "int db_fill(db *d, unsigned char *data, size_t length)",
    "stmt *stmt_new(db *d, const char *text)",
    "void stmt_free(stmt *s)",
    "int db_pair(db **one, db **other)",
    "stmt *stmt_and(db *d, db **also)",
];

/// What is said of all of them but of making objects anew.
const ROLES: &str = r#"
[function."*".params]
"(const char *)" = { string = "utf-8" }
"({db,stmt} *)" = { in = "handle" }

[function.db_look.params]
look = { callback = "call", user_data = "none", on_failure = 0 }

[function.db_open]
params.made = { out = "owned" }
error = { fails = "nonzero" }

[function.db_fill.params]
data = { inout = "buffer", length = "length" }

[function.db_pair]
params."(db **)" = { out = "owned" }
error = { fails = "nonzero" }

[function.stmt_and]
params.also = { out = "owned" }

[function."db_{parse,child}"]
result = { out = "owned" }
"#;

fn lines(db: &str, stmt: &str) -> String {
    format!(
        "handle.db = {{ release = \"db_close\", taken_by = [], {db} }}\n\
         handle.stmt = {{ release = \"stmt_free\", taken_by = [], parent = \"db\", made_by = [\"stmt_{{new,and}}\"], {stmt} }}\n{ROLES}"
    )
}

#[track_caller]
fn whole(db: &str, stmt: &str) -> Checked {
    let text = contract(&lines(db, stmt));
    let checked = run(&api(&DECLARATIONS), &text, Selection::Contract);
    checked.unwrap_or_else(|found| panic!("{}", render(&found, &text, false)))
}

#[test]
fn patterns_are_the_functions_that_they_match() {
    let checked = whole(
        "restore = { by = [\"db_{open,parse}\"], configure = [\"db_limit( what )\", \"db_{limit,name}\"], times = 7 }",
        "restore = { by = [\"stmt_new\"] }",
    );
    let setting = |function: &str, key: &[&str]| Setting {
        function: function.into(),
        key: key.iter().map(|key| (*key).to_owned()).collect(),
    };
    let expected = Restore {
        by: vec!["db_open".into(), "db_parse".into()],
        // The first that is about a function says what tells its calls apart.
        configure: vec![setting("db_limit", &["what"]), setting("db_name", &[])],
        times: 7,
    };
    let interface = &checked.interface;
    assert_eq!(interface.handles["db"].restore, Some(expected));
    assert_eq!(interface.handles["stmt"].restore.as_ref().map(|it| it.times), Some(100));
    let index = |name: &str| interface.function(name).unwrap().0;
    let (by, configure) = interface.repeated("db").unwrap();
    let data = Input::Data { offset: 0 };
    let numbers = |offset, bytes| Input::Numbers { offset, bytes };
    assert_eq!(
        by[0],
        Repeated {
            function: index("db_open"),
            object: 0,
            parent: None,
            inputs: vec![data, numbers(16, 4)],
            key: Vec::new()
        }
    );
    assert_eq!((by[1].function, &by[1].inputs), (index("db_parse"), &vec![data]));
    let expected = Repeated {
        function: index("db_limit"),
        object: 0,
        parent: None,
        inputs: vec![numbers(8, 8), numbers(16, 4)],
        key: vec![numbers(16, 4)],
    };
    assert_eq!(configure[0], expected);
    let (by, configure) = interface.repeated("stmt").unwrap();
    let parent = Some((0, interface.handle_number("db").unwrap()));
    let text = vec![Input::Data { offset: 8 }];
    assert_eq!((by[0].parent, &by[0].inputs, configure.len()), (parent, &text, 0));
}

#[test]
fn what_cannot_be_made_again_is_refused() {
    let by = |rest: &str| format!("restore = {{ by = [\"db_open\"], {rest} }}");
    let of = |function: &str| by(&format!("configure = [\"{function}\"]"));
    let help = "what goes in is kept for that: numbers, texts and data; leave the function out here";
    for (db, stmt, expect) in [
        (of("db_look"), "", format!("a call of `db_look` cannot be made again: `look` of `db_look` is a function of the application [not kept] = {help}")),
        (of("db_both"), "", format!("a call of `db_both` cannot be made again: `other` of `db_both` is another object [not kept] = {help}")),
        (of("db_fill"), "", format!("a call of `db_fill` cannot be made again: `data` of `db_fill` is changed in place [not kept] = {help}")),
        (of("stmt_new"), "", format!("a call of `stmt_new` cannot be made again: `stmt_new` makes a `stmt`: it configures nothing alone [not kept] = {help}")),
        (of("db_parse"), "", format!("a call of `db_parse` cannot be made again: `db_parse` takes no `db` that stays its caller's [not kept] = {help}")),
        (of("db_limit(who)"), "", format!("a call of `db_limit` cannot be made again: `db_limit` has no parameter `who` that goes in as a number or as data [not kept] = {help}")),
        (of("db_limt"), "", "`db_limt` names no function that can be called = did you mean `db_limit`?".into()),
        (of("db_limit(what"), "", "`db_limit(what` has no `)` at its end = write FUNCTION, or FUNCTION(PARAM, …) with the parameters that say what it sets".into()),
        ("restore = { by = [\"db_name\"] }".into(), "", format!("a call of `db_name` cannot be made again: `db_name` makes no `db` that its caller owns [not kept] = {help}")),
        ("restore = { by = [\"db_pair\"] }".into(), "", format!("a call of `db_pair` cannot be made again: `db_pair` makes another object, too, which would not be that of the first call [not kept] = {help}")),
        (by(""), "restore = { by = [\"stmt_and\"] }", format!("a call of `stmt_and` cannot be made again: `stmt_and` makes another object, too, which would not be that of the first call [not kept] = {help}")),
        ("restore = { by = [] }".into(), "", "`restore` does not say which functions make an object = add `by = [\"…\"]`: the calls of these functions are made again".into()),
        (by("times = 0"), "", "an object cannot be made anew `0` times = write 1 to 1000000".into()),
        (by("after = 1"), "", "a recipe has no key `after` [unknown key] = a recipe has the keys `by`, `configure` and `times`".into()),
        (String::new(), "restore = { by = [\"stmt_new\"] }", format!("a call of `stmt_new` cannot be made again: `d` is a `db`, which has no `restore` itself [not kept] = {help}")),
        (by("") + ", affine = true", "", "a `db` cannot be made anew: a `db` belongs to the thread that made it [not of this type]".into()),
    ] {
        let text = contract(&lines(&db, stmt));
        let found = run(&api(&DECLARATIONS), &text, Selection::Contract).expect_err(&expect);
        let found = said(&found, &text);
        assert_eq!(found.len(), 1, "{found:?}");
        let (_, rest) = found[0].split_once(": ").unwrap();
        assert_eq!(rest, expect, "{db} {stmt}");
    }
    for (threads, stmt, why) in [
        ("per-handle", "", "with `threads = \"per-handle\"` calls wait for the objects that there are"),
        (
            "reentrant",
            "affine = true",
            "in a contract with objects that belong to threads a call that takes one over would make it anew first",
        ),
    ] {
        let threads = format!("threads = \"{threads}\"\nhandle.db");
        let text = contract(&lines(&by(""), stmt).replace("handle.db", &threads));
        let found = run(&api(&DECLARATIONS), &text, Selection::Contract).unwrap_err();
        let expect = format!("a `db` cannot be made anew: {why}");
        assert!(said(&found, &text)[0].contains(&expect), "{:?}", said(&found, &text));
    }
}

#[test]
fn what_is_left_out_makes_nothing_anew() {
    let text = contract(&lines("restore = { by = [\"db_open\"], configure = [\"db_name\"] }", "")).replacen(
        "handle.db",
        "exclude = [\"db_name\"]\nhandle.db",
        1,
    );
    let found = run(&api(&DECLARATIONS), &text, Selection::Contract).unwrap_err();
    assert!(said(&found, &text)[0].contains("`db_name` names no function that can be called"));
}
