//! What `[handle]` says about all functions at once.

use serde_json::{Value, json};

use super::structures::STREAM;
use super::support::{api, contract, roles, run, said};
use crate::check::{Checked, Selection};
use crate::diagnostic::render;

const DECLARATIONS: [&str; 9] = [
    "void db_close(db *d)",
    "db *db_parse(const char *text)",
    "db *db_copy(const db *d)",
    "db *db_child(db *d, int n)",
    "int db_find(db *d, const char *name, db **made)",
    "int db_add(db *d, db *item)",
    "void db_swallow(db *d, db *item)",
    "void db_clear(db *d)",
    "int db_count(const db *d)",
];

#[track_caller]
fn whole(declarations: &[&str], lines: &str) -> Checked {
    let text = contract(lines);
    let checked = run(&api(declarations), &text, Selection::Contract);
    checked.unwrap_or_else(|found| panic!("{}", render(&found, &text, false)))
}

#[track_caller]
fn of(checked: &Checked, name: &str) -> (Vec<Value>, Value) {
    let left: Vec<_> = checked.interface.left_out.iter().map(|out| (&out.name, &out.reason)).collect();
    let (_, function) = checked.interface.function(name).unwrap_or_else(|| panic!("{name}: {left:?}"));
    roles(&serde_json::to_value(function).unwrap())
}

fn object(consumed: bool, on_success: bool, invalidates: bool) -> Value {
    json!({"role": "handle", "handle": "db", "consumed": consumed, "on_success": on_success, "nullable": false,
           "invalidates": invalidates})
}

fn returned(owned: bool, parent: Option<usize>, nullable: bool) -> Value {
    let ownership = if owned {
        json!({"ownership": "owned", "release": "db_close"})
    } else {
        json!({"ownership": "library"})
    };
    json!({"role": "handle", "handle": "db", "ownership": ownership, "parent": parent, "nullable": nullable})
}

fn left_out(checked: &Checked) -> Vec<&str> {
    checked.interface.left_out.iter().map(|out| out.name.as_str()).collect()
}

#[test]
fn takers_makers_and_lenders_are_said_once() {
    let lines = r#"
[handle.db]
release = "db_close"
taken_by = ["db_{add,swallow}.item"]
on_success = true
made_by = ["db_{parse,copy}"]
lends_until = ["db_clear", "db_add.d"]
[function."*".params]
name = { string = "utf-8" }
text = { string = "utf-8" }
[function."db_{parse,child}"]
error = { fails = "null" }
[function."db_{add,find}"]
error = { fails = "nonzero" }
"#;
    let checked = whole(&DECLARATIONS, lines);
    assert_eq!(checked.warnings, []);
    let used = object(false, false, false);
    for (name, params, result) in [
        ("db_close", vec![object(true, false, false)], None),
        ("db_parse", vec![], Some(returned(true, None, false))),
        ("db_copy", vec![used.clone()], Some(returned(true, None, true))),
        ("db_child", vec![used.clone(), json!({"role": "value"})], Some(returned(false, Some(0), false))),
        ("db_add", vec![object(false, false, true), object(true, true, false)], None),
        // Nothing can fail, so that it always is taken over.
        ("db_swallow", vec![used.clone(), object(true, false, false)], None),
        ("db_clear", vec![object(false, false, true)], None),
        ("db_count", vec![used.clone()], None),
    ] {
        let (mut have, given) = of(&checked, name);
        have.retain(|role| role["role"] != "text");
        assert_eq!(have, params, "{name}");
        assert!(result.is_none_or(|result| result == given), "{name}: {given}");
    }
    // Nothing says whether an array is meant, or what the function empties.
    assert_eq!(left_out(&checked), ["db_find"]);
    // The fact points to the list that says it.
    let (_, add) = checked.interface.function("db_add").unwrap();
    let lines: Vec<Value> =
        add.params.iter().map(|param| json!(param.role.evidence)["line"].clone()).collect();
    assert_eq!(lines, [10, 7]);
}

#[test]
fn lines_of_a_function_stand_before_a_list() {
    let lines = r#"
handle.db = { release = "db_close", taken_by = [], made_by = ["db_find"] }
[function.db_find]
params.name = { string = "utf-8" }
params.made = { out = "borrowed", nullable = true }
[function.db_parse]
params.text = { string = "utf-8" }
result = { out = "owned", nullable = true }
[function.db_swallow]
params.item = { in = "consumed" }
"#;
    let checked = whole(&DECLARATIONS, lines);
    assert_eq!(of(&checked, "db_find").0[2]["ownership"]["ownership"], "library");
    assert_eq!(of(&checked, "db_parse").1, returned(true, None, true));
    assert_eq!(of(&checked, "db_swallow").0[1], object(true, false, false));
    assert_eq!(of(&checked, "db_count").0[0], object(false, false, false));
}

#[test]
fn a_name_that_says_more_than_a_silent_list_leaves_it_open() {
    let declarations = [
        "void db_close(db *d)",
        "void db_destroy(db *d)",
        "void db_set_next(db *d, db *next)",
        "void stmt_add(stmt *p, db *d)",
        "int db_compare_to(db *d, db *other)",
        "db *db_copy(const db *d)",
        "db *db_new_child(db *d)",
        "void db_free_child(db *d, db *child)",
        "db *db_child(db *d)",
    ];
    let lists = |taken: &str, made: &str| {
        format!(
            "handle.db = {{ release = \"db_close\", taken_by = {taken}, made_by = {made} }}\nhandle.stmt = {{}}\n"
        )
    };
    let checked = whole(&declarations, &lists("[]", "[]"));
    assert_eq!(
        left_out(&checked),
        ["db_destroy", "db_set_next", "stmt_add", "db_copy", "db_new_child", "db_free_child"]
    );
    let help: Vec<_> = checked.interface.left_out.iter().map(|out| out.help.as_deref().unwrap()).collect();
    assert!(
        help[0].contains(r#"params.d = { in = "consumed" } # or { in = "handle" } when it lives on"#),
        "{help:?}"
    );
    assert!(help[1].contains("params.next = ") && !help[1].contains("params.d "), "{help:?}");
    assert!(help[3].contains("# or name the function in `made_by`"), "{help:?}");
    // What the lists name is clear in all its places.
    let named = lists(
        "[\"db_{destroy,set_next}*\", \"db_set_next.next\", \"stmt_add\", \"db_free_child.child\"]",
        "[\"db_{copy,new_child}\"]",
    );
    let checked = whole(&declarations, &named);
    assert_eq!(left_out(&checked), Vec::<&str>::new());
    assert_eq!(of(&checked, "db_set_next").0, [object(false, false, false), object(true, false, false)]);
    assert_eq!(of(&checked, "db_free_child").0, [object(false, false, false), object(true, false, false)]);
    // So is what its line says.
    let line = "function.db_destroy.params.d = { in = \"handle\" }\n";
    let checked = whole(&declarations, &format!("{}{line}", lists("[]", "[]")));
    assert_eq!(of(&checked, "db_destroy").0, [object(false, false, false)]);
}

#[test]
fn an_entry_stands_before_the_plain_line_of_a_pattern() {
    let lists = "handle.db = { release = \"db_close\", taken_by = [\"db_{add,swallow}.item\"], lends_until = [\"db_clear\"] }\n";
    let pattern = "function.\"db_*\".params.\"{d,item}\" = { in = \"handle\", nullable = true }\n";
    let own = "function.db_swallow.params.item = { in = \"handle\" }\n";
    let checked = whole(&DECLARATIONS, &format!("{lists}{pattern}{own}"));
    let null = |mut role: Value| {
        role["nullable"] = json!(true);
        role
    };
    assert_eq!(
        of(&checked, "db_add").0,
        [null(object(false, false, false)), null(object(true, false, false))]
    );
    assert_eq!(of(&checked, "db_clear").0, [null(object(false, false, true))]);
    assert_eq!(of(&checked, "db_count").0, [null(object(false, false, false))]);
    assert_eq!(of(&checked, "db_swallow").0[1], object(false, false, false));
    // An entry that does not say which one is no more silent than without the pattern.
    let lists = lists.replace(".item", "");
    let text = contract(&format!("{lists}{pattern}"));
    let found = run(&api(&DECLARATIONS), &text, Selection::Contract).expect_err("must be refused");
    assert!(found.iter().any(|found| found.message.contains("`d` or `item` may be meant")), "{found:?}");
}

#[test]
fn what_is_lent_may_live_in_more_than_the_types_show() {
    let declarations = ["void db_close(db *d)", "db *db_in(db *d, void *place)", "db *db_child(db *d)"];
    let lists = "handle.db = { release = \"db_close\", made_by = [], taken_by = [] }\n";
    let place = "handle.stmt = {}\nfunction.db_in.params.place = ";
    let said = format!("{lists}{place}{{ in = \"handle\", handle = \"stmt\" }}\n");
    let declared = [&declarations[..], &["void stmt_step(stmt *p)"]].concat();
    assert!(left_out(&whole(&declared, &said)).contains(&"db_in"));
    let resident = ["void db_close(db *d)", "db *db_in(db *d, stream *s)", "void end(stream *s)"];
    assert_eq!(left_out(&whole(&resident, &format!("{lists}{STREAM}"))), ["db_in"]);
    let none = format!("{lists}{place}{{ fixed = \"NULL\" }}\n");
    let checked = whole(&declared, &none);
    assert_eq!(of(&checked, "db_in").1, returned(false, Some(0), true));
}

#[test]
fn beside_others_of_its_type_an_object_is_lent_by_its_parent() {
    let declarations = [
        "void db_close(db *d)",
        "void stmt_end(stmt *s)",
        "stmt *next(db *d, stmt *after)",
        "stmt *current(db *d, stream *s)",
        "stmt *found(const char *name)",
        "db *find(const char *name)",
    ];
    let lines = |parent: &str| {
        format!(
            "handle.stmt = {{ release = \"stmt_end\", taken_by = [], made_by = [\"no\"]{parent} }}\n\
             handle.stream = {{ taken_by = [], made_by = [] }}\nhandle.db = {{ release = \"db_close\", taken_by = [], made_by = [] }}\n"
        )
    };
    let checked = whole(&declarations, &lines(", parent = \"db\""));
    assert_eq!(of(&checked, "next").1["parent"], json!(0));
    // An object of a third type may have it. What has a release is made by somebody.
    assert_eq!(left_out(&checked), ["current", "found", "find"]);
    assert_eq!(left_out(&whole(&declarations, &lines(""))), ["next", "current", "found", "find"]);
    let nobodys = ["db *find(const char *name)", "db *db_load(const char *name)"];
    let checked = whole(&nobodys, "handle.db = { made_by = [] }\n");
    assert_eq!(of(&checked, "find").1, returned(false, None, true));
    assert_eq!(left_out(&checked), ["db_load"]);
}

#[test]
fn what_is_not_clear_stays_open() {
    let declarations = [
        "void db_close(db *d)",
        "db *db_new(void)",
        "db *db_either(db *a, db *b)",
        "void db_fill(db *d, db **all, int count)",
        "void db_free_all(db *d, db **p)",
    ];
    let checked =
        whole(&declarations, "handle.db = { release = \"db_close\", taken_by = [], made_by = [] }\n");
    let left: Vec<_> = checked.interface.left_out.iter().map(|out| out.name.as_str()).collect();
    assert_eq!(
        left,
        declarations[1..]
            .iter()
            .map(|text| text.split(['*', ' ', '(']).find(|word| word.starts_with("db_")).unwrap())
            .collect::<Vec<_>>()
    );
    let new = &checked.interface.left_out[0];
    assert!(new.reason.contains("`made_by` of `db`"), "{}", new.reason);
    assert_eq!(
        new.help.as_deref(),
        Some(
            "[function.db_new]\nresult = { out = \"borrowed\", parent = \"none\" } # or name the function in `made_by`"
        )
    );
    // Without the list a rule says who owns it.
    let checked = whole(&declarations, "handle.db = { release = \"db_close\" }\n");
    assert!(checked.interface.function("db_new").is_some());
}

#[test]
fn lists_that_cannot_be_true_are_refused() {
    let handle = |keys: &str| format!("handle.db = {{ release = \"db_close\", {keys} }}\n");
    for (lines, expect) in [
        (
            handle("taken_by = [\"db_add.itm\"]"),
            "4:57: `itm` matches no parameter of `db_add` = did you mean `item`?",
        ),
        (
            handle("taken_by = [\"db_*\"]"),
            "4:49: `db_add`: `d` or `item` may be meant (and one more function) [which one?] = say which one, as in `db_*.item`",
        ),
        (
            handle("taken_by = [\"db_add.item\"], on_success = true"),
            "4:50: `db_add`: nothing says when a call that takes a `db` over did not fail = add `function.db_add.error = { \
             fails = … }`",
        ),
        (
            "handle.db = { made_by = [\"db_parse\"] }\n".to_owned(),
            "4:26: nothing releases a `db`, so nobody can own one [owned] = add its `release`, or write `made_by = []`: nobody owns one",
        ),
        (
            handle("on_success = true"),
            "4:37: `on_success` goes with `taken_by` = add `taken_by = [\"…\"]`, the functions that take it over",
        ),
        (
            handle("taken_by = [\"db_add.it{em\"]"),
            "4:59: `it{em` is no pattern: nothing closes this brace = write `{a,b}` for one of several, as in `\"open_{read,write}*\"`",
        ),
    ] {
        let text = contract(&lines);
        let found = run(&api(&DECLARATIONS), &text, Selection::Contract).expect_err("must be refused");
        assert_eq!(said(&found, &text), [expect], "{lines}");
    }
}

#[test]
fn lists_that_choose_nothing_are_warned_about() {
    let lines = "handle.db = { release = \"db_close\", taken_by = [\"db_ad.item\", \"db_a*.itm\", \"db_{add,parse}.item\"], \
                 made_by = [\"db_prase\", \"db_find\"], lends_until = [\"db_find.made\"] }\n";
    let text = contract(lines);
    let checked = run(&api(&DECLARATIONS), &text, Selection::Contract).unwrap();
    let found: Vec<_> = checked.warnings.iter().filter(|w| w.line(&text) == Some(4)).collect();
    let found: Vec<String> = found
        .iter()
        .map(|w| format!("{}: {} = {}", w.column(&text).unwrap(), w.message, w.help.as_deref().unwrap_or("")))
        .collect();
    assert_eq!(
        found,
        [
            "50: `db_ad` matches no function that is selected and takes a `db` = did you mean `db_add`?",
            "70: `itm` matches no `db` of `db_a*` = did you mean `item`?",
            "85: `db_parse` matches no function that is selected and takes a `db` = ",
            "111: `db_prase` matches no function that is selected and gives a `db` = did you mean `db_parse`?",
            "159: `made` matches no `db` of `db_find` = ",
        ]
    );
}
