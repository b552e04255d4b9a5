//! Structures: their fields, the ways they go, and those the library keeps.

use hotcell_model::interface::Status;
use hotcell_model::types::Type;
use serde_json::{Value, json};

use super::support::{api, contract, record, roles, run, said};
use crate::check::{Checked, Selection};
use crate::diagnostic::render;

#[track_caller]
fn whole(declarations: &[&str], lines: &str) -> Checked {
    let text = contract(lines);
    let checked = run(&api(declarations), &text, Selection::Contract);
    checked.unwrap_or_else(|found| panic!("{}", render(&found, &text, false)))
}

/// The roles of `f` and, of a structure it uses, C name, resident, size, and each field with its role and offset.
#[track_caller]
pub(super) fn bound(declaration: &str, lines: &str, record: &str) -> (Vec<Value>, Value, Value) {
    let checked = whole(&[declaration, "void end(stream *s)"], lines);
    let left: Vec<_> = checked.interface.left_out.iter().map(|out| &out.reason).collect();
    let (_, function) = checked.interface.function("f").unwrap_or_else(|| panic!("{left:?}"));
    let (params, result) = roles(&serde_json::to_value(function).unwrap());
    let item = &checked.interface.structs[record];
    let fields = item.fields.iter().map(|field| {
        let mut role = serde_json::to_value(&field.role.value).unwrap();
        role["offset"] = json!(field.offset);
        (field.name.clone(), role)
    });
    let described = json!([item.c_name, item.resident, item.size, fields.collect::<serde_json::Map<_, _>>()]);
    (params, result, described)
}

pub(super) fn given(record: &str, direction: &str) -> Value {
    json!({"role": "struct", "record": record, "direction": direction, "nullable": false, "valid_on_error": false})
}

/// A structure that stays in the worker.
pub(super) const STREAM: &str = r#"
[struct.stream]
resident = true
fields.next_in = { in = "buffer", length = "avail_in" }
fields.next_out = { out = "buffer", capacity = "avail_out", left = "avail_out" }
fields.msg = { string = "bytes", nullable = true }
fields."{state,alloc}" = { own = true }
"#;

#[test]
fn structures_have_their_roles() {
    let point = json!(["struct point", false, 16, {
        "x": {"role": "value", "offset": 8}, "y": {"role": "value", "offset": 0},
    }]);
    let lent = json!({"ownership": "library"});
    let returned = |record: &str, nullable: bool, ownership: &Value| json!({"role": "struct", "record": record, "nullable": nullable, "ownership": ownership});
    for (declaration, lines, params, result, record, described) in [
        // By value a type says it all.
        (
            "struct point f(struct point p)",
            "",
            json!([given("point", "in")]),
            returned("point", false, &lent),
            "point",
            point.clone(),
        ),
        (
            "void f(const struct point *p, struct point *q, struct point *r)",
            "[function.f]\nparams.p = { in = \"struct\", nullable = true }\nparams.q = { out = \"struct\" }\n\
             params.r = { inout = \"struct\", valid_on_error = true }\n",
            json!([
                {"role": "struct", "record": "point", "direction": "in", "nullable": true, "valid_on_error": false},
                {"role": "struct", "record": "point", "direction": "out", "nullable": false, "valid_on_error": false},
                {"role": "struct", "record": "point", "direction": "in-out", "nullable": false, "valid_on_error": true},
            ]),
            json!({"role": "void"}),
            "point",
            point,
        ),
        (
            "struct line *f(void)",
            "[function.f]\nresult = { out = \"struct\", nullable = true, release = \"free\" }\n",
            json!([]),
            returned("line", true, &json!({"ownership": "owned", "release": "free"})),
            "line",
            json!(["struct line", false, 40, {
                "from": {"role": "struct", "record": "point", "offset": 0},
                "to": {"role": "struct", "record": "point", "offset": 16},
                "level": {"role": "value", "offset": 32},
            }]),
        ),
        (
            "void f(struct person p)",
            "[struct.person]\nfields.name = { string = \"utf-8\", nullable = true }\n",
            json!([given("person", "in")]),
            json!({"role": "void"}),
            "person",
            json!(["struct person", false, 40, {
                "name": {"role": "text", "encoding": "utf8", "nullable": true, "offset": 0},
                "id": {"role": "array", "length": 16, "offset": 20},
                "member": {"role": "value", "offset": 36},
                "size": {"role": "value", "offset": 16},
            }]),
        ),
        (
            "void f(struct person *p)",
            "[struct.person]\nfields.name = { zero = true }\n[function.f]\nparams.p = { out = \"struct\" }\n",
            json!([given("person", "out")]),
            json!({"role": "void"}),
            "person",
            json!(["struct person", false, 24, {
                "name": {"role": "zero", "offset": null},
                "id": {"role": "array", "length": 16, "offset": 4},
                "member": {"role": "value", "offset": 20},
                "size": {"role": "value", "offset": 0},
            }]),
        ),
        (
            "size_t f(inbuf *in)",
            "[struct.inbuf]\nfields.src = { in = \"buffer\", length = \"size\" }\n[function.f]\nparams.in = { inout = \"struct\" }\n",
            json!([given("inbuf", "in-out")]),
            json!({"role": "value"}),
            "inbuf",
            json!(["inbuf", false, 24, {
                "src": {"role": "buffer-in", "nullable": false, "offset": 0},
                "size": {"role": "length-of", "field": 0, "unit": "bytes", "offset": null},
                "pos": {"role": "value", "offset": 16},
            }]),
        ),
        (
            "size_t f(outbuf *out)",
            "[struct.outbuf]\nfields.dst = { out = \"buffer\", capacity = \"size\", length = \"pos\" }\n[function.f]\nparams.out = { inout = \"struct\" }\n",
            json!([given("outbuf", "in-out")]),
            json!({"role": "value"}),
            "outbuf",
            json!(["outbuf", false, 32, {
                "dst": {"role": "buffer-out", "capacity": 1, "unit": "bytes", "filled": {"filled": "field", "field": 2}, "offset": 0},
                "size": {"role": "value", "offset": 16},
                "pos": {"role": "value", "offset": 24},
            }]),
        ),
    ] {
        let found = bound(declaration, lines, record);
        assert_eq!(found, (params.as_array().unwrap().clone(), result, described), "{declaration}");
    }
}

#[test]
fn a_structure_that_the_library_keeps_is_an_object() {
    let resident = |consumed: bool, starts: Value| json!({"role": "resident", "record": "stream", "consumed": consumed, "starts": starts});
    let described = json!(["stream", true, 64, {
        "next_in": {"role": "buffer-in", "nullable": false, "offset": 8},
        "avail_in": {"role": "length-of", "field": 0, "unit": "bytes", "offset": null},
        "next_out": {"role": "buffer-out", "capacity": 3, "unit": "bytes",
                     "filled": {"filled": "left", "field": 3}, "offset": 24},
        "avail_out": {"role": "value", "offset": 56},
        "msg": {"role": "text", "encoding": "bytes", "nullable": true, "offset": 40},
        "state": {"role": "own", "offset": null},
        "alloc": {"role": "own", "offset": null},
    }]);
    for (lines, role) in [
        ("", resident(false, Value::Null)),
        ("params.s = { inout = \"struct\" }", resident(false, Value::Null)),
        ("params.s = { in = \"struct\" }", resident(false, Value::Null)),
        ("params.s = { in = \"consumed\" }", resident(true, Value::Null)),
        ("params.s = { inout = \"struct\", starts = true }", resident(false, json!({"release": null}))),
        ("params.s = { inout = \"struct\", starts = \"end\" }", resident(false, json!({"release": "end"}))),
    ] {
        let (params, _, item) =
            bound("int f(stream *s)", &format!("{STREAM}[function.f]\n{lines}\n"), "stream");
        assert_eq!((params, &item), (vec![role], &described), "{lines}");
    }
    let lines = format!(
        "include = [\"f\"]\n{STREAM}[function.f]\nparams.s = {{ inout = \"struct\", starts = \"end\" }}\n"
    );
    let interface = whole(&["int f(stream *s)", "int g(stream *s)", "void end(stream *s)"], &lines).interface;
    let names: Vec<&str> = interface.functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(names, ["f", "end"], "what ends it is bound by itself");
    let (ended, _) = roles(&serde_json::to_value(&interface.functions[1]).unwrap());
    assert_eq!(ended, [resident(true, Value::Null)]);
    assert_eq!(interface.handles["stream"].c_type, "stream *");
    assert_eq!(interface.handles["stream"].release, None);
}

#[test]
fn where_an_object_begins_is_said_once() {
    let declarations = [
        "int f(stream *s)",
        "int g(stream *s)",
        "void end(stream *s)",
        "int both(stream *a, stream *b)",
        "int h(stream *s)",
    ];
    let resident = |consumed: bool, starts: Value| json!({"role": "resident", "record": "stream", "consumed": consumed, "starts": starts});
    let lines = format!(
        "{STREAM}started_by = {{ \"{{f,g}}\" = \"end\", \"both.b\" = true }}\n[function.g]\nparams.s = {{ inout = \"struct\" }}\n"
    );
    let checked = whole(&declarations, &lines);
    assert_eq!(checked.warnings, []);
    let used = || resident(false, Value::Null);
    for (name, expect) in [
        ("f", vec![resident(false, json!({"release": "end"}))]),
        ("g", vec![used()]),
        ("end", vec![resident(true, Value::Null)]),
        ("both", vec![used(), resident(false, json!({"release": null}))]),
        ("h", vec![used()]),
    ] {
        let (_, function) = checked.interface.function(name).unwrap();
        assert_eq!(roles(&serde_json::to_value(function).unwrap()).0, expect, "{name}");
    }
    for (more, expect) in [
        (
            "started_by = { both = \"end\" }",
            "11:16: `both`: `a` or `b` may be meant [which one?] = say which one, as in `both.b`",
        ),
        (
            "started_by = { f = \"ende\" }",
            "11:20: `f`: the headers declare no function `ende` [unknown function] = did you mean `end`?",
        ),
        (
            "started_by = { f = 1 }",
            "11:20: `f` is the name of a function, or `true` = name the function that ends the object",
        ),
    ] {
        let text = contract(&format!("{STREAM}{more}\n"));
        let found = run(&api(&declarations), &text, Selection::Contract).expect_err("must be refused");
        let found: Vec<String> = said(&found, &text);
        assert!(found[0].starts_with(expect), "{found:?}");
    }
    let text = contract("[struct.point]\nstarted_by = { f = true }\n");
    let found = run(&api(&declarations), &text, Selection::Contract).unwrap_err();
    assert_eq!(
        said(&found, &text),
        [
            "5:1: `started_by` is of a structure that the library keeps = add `resident = true`, or leave `started_by` out"
        ]
    );
    let text = contract(&format!("{STREAM}started_by = {{ ff = true }}\n"));
    let checked = run(&api(&declarations), &text, Selection::Contract).unwrap();
    let expect = "`ff` matches no function that is selected and takes a `stream`";
    assert!(checked.warnings.iter().any(|warning| warning.message == expect), "{:?}", checked.warnings);
}

#[test]
fn functions_with_a_structure_that_cannot_travel_are_left_out() {
    for (declaration, lines, status, reason, help) in [
        (
            "void f(struct ropes p)",
            "",
            Status::Undecided,
            "parameter `p`: `names` of `ropes` is an array of something else than numbers and structures",
            Some("[struct.ropes]\nfields.names = { zero = true }"),
        ),
        (
            "void f(const stream *p, int n)",
            "[function.f]\nparams.p = { in = \"structs\", length = \"n\" }\n[struct.stream]\nfields.next_in = { zero = true }\n\
             fields.next_out = { zero = true }\nfields.msg = { zero = true }\nfields.state = { zero = true }\n",
            Status::Undecided,
            "parameter `p`: `alloc` of `stream` is a pointer to a function",
            Some("[struct.stream]\nfields.alloc = { zero = true }"),
        ),
        (
            "void f(struct tail p)",
            "",
            Status::Unsupported,
            "parameter `p`: `data` of `tail` is an array without a length",
            None,
        ),
        (
            "void f(struct wide p)",
            "",
            Status::Undecided,
            "parameter `p`: `x` of `wide`: it is a `long double`",
            Some("[struct.wide]\nfields.x = { zero = true }"),
        ),
        (
            "void f(struct hidden p)",
            "",
            Status::Undecided,
            "parameter `p`: `union` of `hidden` is a union without a name, and nothing says which of its members is there",
            Some("[struct.hidden]\nfields.union = { zero = true }"),
        ),
        (
            "void f(struct loop p)",
            "",
            Status::Unsupported,
            "parameter `p`: `again` of `loop`: `loop` contains itself",
            None,
        ),
        (
            "void f(struct mixed p)",
            "",
            Status::Unsupported,
            "parameter `p`: `union mixed` is a union, and nothing in it says which member is there",
            None,
        ),
        (
            "struct mixed f(void)",
            "",
            Status::Unsupported,
            "the result: `union mixed` is a union, and nothing in it says which member is there",
            None,
        ),
        (
            "void f(struct db p)",
            "",
            Status::Undecided,
            "parameter `p`: the headers do not define `struct db`",
            Some("[handle]\ndb = {}"),
        ),
        (
            "void f(struct person p)",
            "",
            Status::Undecided,
            "parameter `p`: nothing says what `name` of `person` (`const char *`) is for",
            Some("[struct.person]\nfields.name = { string = \"utf-8\", nullable = true }"),
        ),
        (
            "void f(inbuf *p)",
            "[function.f]\nparams.p = { inout = \"struct\" }\n",
            Status::Undecided,
            "parameter `p`: nothing says what `src` of `inbuf` (`const void *`) is for",
            Some("[struct.inbuf]\nfields.src = { in = \"buffer\", length = \"size\" }"),
        ),
        (
            "void f(stream *p)",
            "[function.f]\nparams.p = { inout = \"struct\" }\n[struct.stream]\nfields.next_in = { zero = true }\n\
             fields.next_out = { zero = true }\nfields.msg = { zero = true }\nfields.state = { zero = true }\n",
            Status::Undecided,
            "parameter `p`: `alloc` of `stream` is a pointer to a function",
            Some("[struct.stream]\nfields.alloc = { zero = true }"),
        ),
        (
            "inbuf f(void)",
            "[struct.inbuf]\nfields.src = { in = \"buffer\", length = \"size\" }\n",
            Status::Unsupported,
            "the result: `src` of `inbuf` goes in only",
            None,
        ),
        (
            "void f(outbuf p)",
            "[struct.outbuf]\nfields.dst = { out = \"buffer\", capacity = \"size\", length = \"pos\" }\n",
            Status::Unsupported,
            "parameter `p`: `dst` of `outbuf` is memory that is given and filled: the structure goes in and out",
            None,
        ),
        (
            "void f(stream p)",
            STREAM,
            Status::Unsupported,
            "parameter `p`: a structure that the library keeps has one place",
            None,
        ),
    ] {
        let out = whole(&[declaration], lines).interface.left_out.remove(0);
        assert_eq!(
            (out.status, out.reason.as_str(), out.help.as_deref()),
            (status, reason, help),
            "{declaration}"
        );
        // What can be pasted decides it.
        if let Some(help) = help.filter(|_| !declaration.contains("db")) {
            let pasted = if lines.contains("[struct") {
                format!("{lines}{}", help.split_once('\n').unwrap().1)
            } else {
                format!("{lines}{help}\n")
            };
            let interface = whole(&[declaration], &pasted).interface;
            assert_eq!(interface.functions.len(), 1, "{declaration}: {:?}", interface.left_out);
        }
    }
    // A pointer to a structure is not taken for one without a line.
    let bound = whole(&["void sort(struct point *p)"], "").interface.functions;
    assert!(bound[0].ends_at_wall(0), "it may be several");
    let out = whole(&["void set_point(struct point *p)"], "").interface.left_out;
    assert_eq!(out[0].status, Status::Undecided);
}

#[test]
fn a_table_about_a_structure_that_still_cannot_travel_is_warned_about() {
    let text = contract("[struct.person]\nfields.size = { zero = true }\n");
    let checked = run(&api(&["int g(void)"]), &text, Selection::Contract).unwrap();
    let expect = "warning: `person` cannot be passed: nothing says what `name` of `person` (`const char *`) is for\n --> bind.toml:4:9\n";
    let rendered = render(&checked.warnings, &text, false);
    assert!(rendered.contains(expect), "{rendered}");
}

#[test]
fn lines_about_structures_are_checked() {
    for (lines, expect) in [
        (
            "[struct.persn]",
            "4:9: the headers use no structure `persn` [unknown type] = did you mean `person`?",
        ),
        ("[struct.HANDLE]", "4:9: `HANDLE` is no structure"),
        (
            "[struct.mixed]",
            "4:9: `mixed` is a union, and nothing in it says which member is there = say it of the structure that has one: \
             `fields.NAME = { union = \"FIELD\", members = … }`",
        ),
        (
            "[struct.stmt]",
            "4:9: the headers declare `stmt` and never define it [no fields] = objects are held by a handle: add `stmt = \
             {}` to `[handle]`",
        ),
        (
            "[handle]\npoint = {}\n[struct.point]",
            "6:9: `point` is the handle type `point`, and cannot be a structure too = leave one of the two out: callers \
             hold an object by a handle, or see its fields",
        ),
        (
            "[struct.person]\nfields.nam = { string = \"utf-8\" }",
            "5:8: `person` has no field `nam` [unknown field] = did you mean `name`?",
        ),
        (
            "[struct.person]\nfields.size = { string = \"utf-8\" }",
            "5:17: `size` cannot be `string`: it is `float` [not a pointer] = leave the line out: numbers and arrays need none",
        ),
        (
            "[struct.inbuf]\nfields.src = { string = \"utf-8\" }",
            "5:16: `src` cannot be `string`: it is `const void *` [a text is a pointer to bytes]",
        ),
        (
            "[struct.person]\nfields.name = { own = true }",
            "5:17: `name` cannot be `own`: it is `const char *` [only a structure that the library keeps has fields of its \
             own] = write `{ zero = true }`, or add `resident = true` to the structure",
        ),
        (
            "[struct.inbuf]\nfields.src = { out = \"buffer\", capacity = \"size\", length = \"pos\" }",
            "5:16: `src` cannot be `out = \"buffer\"`: it is `const void *` [it is only read through] = write `{ in = \
             \"buffer\", length = … }`",
        ),
        (
            "[struct.inbuf]\nfields.src = { in = \"buffer\", length = \"sise\" }",
            "5:41: `sise` is no field of `inbuf` = did you mean `size`?",
        ),
        (
            "[struct.inbuf]\nfields.src = { in = \"buffer\", length = \"2 * size\" }",
            "5:41: `2 * size` is no field of `inbuf` = `length` names the integer field that says it",
        ),
        (
            "[struct.person]\nfields.name = { in = \"buffer\", length = \"size\" }",
            "5:42: `size` is no integer: it is `float` = `length` names the integer field that says it",
        ),
        (
            "[struct.inbuf]\nfields.size = { zero = true }\nfields.src = { in = \"buffer\", length = \"size\" }",
            "6:41: `size` already is something else = a field is the length of one buffer, and callers see a capacity",
        ),
        (
            "[struct.outbuf]\nfields.dst = { out = \"buffer\", capacity = \"size\" }",
            "5:16: memory that is filled needs one of `length` and `left` = add `length = \"…\"`, the field that says how \
             much is filled, or `left = \"…\"`, the field that says how much is not",
        ),
        ("[struct.point]\n[struct.\"point\"]", "5:9: duplicate key"),
    ] {
        let text = contract(&format!("{lines}\n"));
        let found =
            run(&api(&["void f(db *d, HANDLE h)"]), &text, Selection::Contract).expect_err("must be refused");
        let said = said(&found, &text);
        assert!(said.len() == 1 && said[0].starts_with(expect), "{lines}: {said:?}");
    }
}

#[test]
fn lines_about_parameters_that_are_structures_are_checked() {
    let tables = "[struct.inbuf]\nfields.src = { in = \"buffer\", length = \"size\" }\n[struct.outbuf]\n\
                  fields.dst = { out = \"buffer\", capacity = \"size\", length = \"pos\" }\n[handle]\ndb = {}\n";
    for (declaration, lines, expect) in [
        (
            "void f(int p)",
            "params.p = { in = \"struct\" }",
            "`p` cannot be `in = \"struct\"`: it is `int` [not a structure] = write `{ in = \"value\" }`, or no line at all",
        ),
        (
            "void f(int *p)",
            "params.p = { in = \"struct\" }",
            "`p` cannot be `in = \"struct\"`: it is `int *` [it does not point to a structure]",
        ),
        (
            "void f(db *p)",
            "params.p = { in = \"struct\" }",
            "`p` cannot be `in = \"struct\"`: it is `db *` [it points to a handle type] = write `{ in = \"handle\" }`",
        ),
        (
            "void f(const struct point *p)",
            "params.p = { out = \"struct\" }",
            "`p` cannot be `out = \"struct\"`: it is `const struct point *` [the function only reads through it] = write `{ in = \"struct\" }`",
        ),
        (
            "void f(struct point p)",
            "params.p = { out = \"struct\" }",
            "`p` cannot be `out = \"struct\"`: it is `struct point` [a structure by value goes in] = write `{ in = \"struct\" }`, or no line at all",
        ),
        (
            "void f(struct point p)",
            "params.p = { in = \"struct\", nullable = true }",
            "`p` cannot be `in = \"struct\"`: it is `struct point` [a structure by value is always there] = leave `nullable` out",
        ),
        (
            "void f(stream p)",
            "params.p = { in = \"struct\" }",
            "`p` cannot be `in = \"struct\"`: it is `stream` [a structure that the library keeps has one place]",
        ),
        (
            "void f(stream *p)",
            "params.p = { out = \"struct\" }",
            "`p` cannot be `out = \"struct\"`: it is `stream *` [a structure that the library keeps goes in and out] = write `{ inout = \"struct\" }`",
        ),
        (
            "void f(stream *p)",
            "params.p = { inout = \"struct\", nullable = true }",
            "`p` cannot be `inout = \"struct\"`: it is `stream *` [a structure that the library keeps is always there] = leave `nullable` out",
        ),
        (
            "void f(stream *p)",
            "params.p = { in = \"handle\" }",
            "`p` cannot be `in = \"handle\"`: it is `stream *` [a structure that the library keeps] = write `{ inout = \"struct\" }`, or no line at all",
        ),
        (
            "void f(stream *p)",
            "params.p = { in = \"consumed\", nullable = true }",
            "a structure that the library keeps is always there = leave `nullable` out",
        ),
        (
            "void f(stream *p)",
            "params.p = { in = \"consumed\", on_success = true }",
            "a structure that the library keeps ends with the call = leave `on_success` out",
        ),
        (
            "void f(stream *p)",
            "params.p = { inout = \"struct\", starts = \"ent\" }",
            "the headers declare no function `ent` [unknown function] = did you mean `end`?",
        ),
        (
            "void f(stream *p)",
            "params.p = { inout = \"struct\", starts = \"g\" }",
            "`g` does not take one such structure = it is declared `int g(void)`",
        ),
        (
            "void f(struct point *p)",
            "params.p = { inout = \"struct\", starts = \"end\" }",
            "`starts` is of a structure that the library keeps = add `resident = true` to the structure, or leave `starts` out",
        ),
        (
            "void f(inbuf *p)",
            "params.p = { out = \"struct\" }",
            "`p` cannot be `out = \"struct\"`: `src` of `inbuf` goes in only = write `{ inout = \"struct\" }` or `{ in = \"struct\" }`",
        ),
        (
            "void f(outbuf *p)",
            "params.p = { in = \"struct\" }",
            "`p` cannot be `in = \"struct\"`: `dst` of `outbuf` is memory that is given and filled: the structure goes in and out = write `{ inout = \"struct\" }`",
        ),
        (
            "int f(void)",
            "result = { out = \"struct\" }",
            "the result cannot be `out = \"struct\"`: it is `int` [not a structure]",
        ),
        (
            "db *f(void)",
            "result = { out = \"struct\" }",
            "the result cannot be `out = \"struct\"`: it is `db *` [it points to a handle type] = write `{ out = \"borrowed\" }` or `{ out = \"owned\" }`",
        ),
        (
            "stream *f(void)",
            "result = { out = \"struct\" }",
            "the result cannot be `out = \"struct\"`: it is `stream *` [the library keeps it, and callers make it]",
        ),
        (
            "struct point f(void)",
            "result = { out = \"struct\", nullable = true }",
            "the result cannot be `out = \"struct\"`: it is `struct point` [a structure by value is always there, and nobody releases it] = leave `nullable` and `release` out",
        ),
        (
            "inbuf *f(void)",
            "result = { out = \"struct\" }",
            "the result cannot be `out = \"struct\"`: `src` of `inbuf` goes in only",
        ),
        (
            "int f(struct point p)",
            "error = { fails = \"p == 0\" }",
            "`==` does not go with a structure [`p` is a structure]",
        ),
        (
            "int f(struct point p)",
            "error = { fails = \"take(p)\" }",
            "`take` takes `struct point` here, and `p` is a structure",
        ),
    ] {
        let text = contract(&format!("{tables}{STREAM}[function.f]\n{lines}\n"));
        let api = api(&[declaration, "void end(stream *s)", "int g(void)", "int take(struct point p)"]);
        let found = run(&api, &text, Selection::Contract).expect_err("must be refused");
        let said = said(&found, &text);
        let bare: Vec<_> = said.iter().map(|said| said.splitn(3, ':').nth(2).unwrap().trim_start()).collect();
        assert_eq!(bare, [expect], "{declaration}\n{lines}");
    }
    // What another function starts is consumed by the function that ends it.
    let text = contract(&format!(
        "{STREAM}[function.f]\nparams.s = {{ inout = \"struct\", starts = \"end\" }}\n[function.end]\nparams.s = {{ inout = \"struct\" }}\n"
    ));
    let found =
        run(&api(&["void f(stream *s)", "void end(stream *s)"]), &text, Selection::Contract).unwrap_err();
    let said = said(&found, &text);
    assert!(said[0].contains("`end` ends what another function starts, so that it is consumed"), "{said:?}");
}

#[test]
fn functions_wait_for_one_line_about_a_structure() {
    let declarations = [
        "stream *stream_new(void)",
        "int stream_mark(stream *s)",
        "void stream_free(stream *s)",
        "int by(stream s)",
    ];
    let checked = whole(&declarations, "");
    assert_eq!(checked.interface.functions.len(), 0);
    let types = &checked.open_types;
    assert_eq!(types.len(), 1, "{types:?}");
    assert_eq!((types[0].name.as_str(), types[0].functions.len()), ("stream", 3));
    let handle = types[0].handle.as_deref().unwrap();
    assert_eq!(handle, r#"handle.stream = { release = "stream_free" }"#);
    let structure = types[0].structure.as_deref().unwrap();
    let expect = r#"[struct.stream]
fields.next_in = { in = "buffer", length = "avail_in" }
fields.next_out = { zero = true }
fields.msg = { string = "utf-8", nullable = true }
fields.state = { zero = true }
fields.alloc = { zero = true }"#;
    assert_eq!(structure, expect);
    // Either way decides; what is left is asked of each function.
    let held = whole(&declarations, handle);
    assert_eq!((held.open_types.len(), held.interface.functions.len()), (0, 3));
    let travels = whole(&declarations, structure);
    assert_eq!((travels.open_types.len(), travels.interface.functions.len()), (0, 1));
}

#[test]
fn what_only_callers_make_is_no_object_of_the_librarys() {
    // What begins one and what ends one show that it stays.
    let declarations = [
        "int stream_open(const char *name, stream *s)",
        "int stream_mark(stream *s)",
        "void stream_close(stream *s)",
    ];
    let first = |declarations: &[&str]| {
        let checked = whole(declarations, "");
        let answers = checked.open_types[0].answers();
        answers.iter().map(|answer| (answer.what, answer.lines.to_owned())).collect::<Vec<_>>()
    };
    let stays = "a structure that callers make, and that stays with the library between calls";
    let expect = r#"[struct.stream]
resident = true
started_by = { "stream_open" = "stream_close" }
fields."{next_in,next_out,msg,state,alloc}" = { own = true }"#;
    let found = first(&declarations);
    assert_eq!(found[0], (stays, expect.to_owned()));
    assert!(!found.iter().any(|(_, lines)| lines.starts_with("handle.")), "{found:?}");
    assert_eq!(whole(&declarations, expect).interface.functions.len(), 3);
    // What begins the end of something is no end.
    let event = [&declarations[..], &["int stream_end_initialize(stream *s)"]].concat();
    assert_eq!(first(&event)[0].0, stays);
    // Two that end, or nothing that begins one, show nothing: its fields may travel. What makes a part, or copies, begins none.
    let fields = "a structure, whose fields go with every call";
    for others in [
        &[declarations[0], declarations[1], declarations[2], "void stream_end(stream *s)"][..],
        &declarations[1..],
        &["int stream_create_child(stream *s)", declarations[2]],
        &["int stream_copy_open(stream *s, int n)", declarations[2]],
        &["int mark_stream(const stream *s)"],
    ] {
        assert_eq!(first(others)[0].0, fields, "{others:?}");
    }
    // What is initialized is not begun again by what opens it, makes something of it, or says that it fills it.
    let both =
        [&declarations[..], &["int stream_all_init(stream *s)", "int stream_load_new(stream *s)"]].concat();
    let lines = &first(&both)[0].1;
    assert!(lines.contains("started_by = { \"stream_all_init\" = \"stream_close\" }\n"), "{lines}");
    // What another structure leads to callers may get from there.
    let mut api = api(&["int mark_stream(const stream *s)"]);
    api.records.insert("holder".into(), record("struct holder", Some(&["stream *s"])));
    let checked = run(&api, &contract(""), Selection::Contract).unwrap();
    let open = checked.open_types.iter().find(|ty| ty.name == "stream").unwrap();
    let answers = open.answers();
    assert_eq!(answers[0].what, fields);
    assert_eq!(answers[1].lines, "handle.stream = {}");
}

#[test]
fn fields_are_sized_by_what_is_called_after_them() {
    for (fields, expect) in [
        // `MDB_val`, `WebPMemoryWriter`.
        (
            &["size_t mv_size", "void *mv_data"][..],
            "fields.mv_data = { in = \"buffer\", length = \"mv_size\" } # or { out = \"data\", length = \"mv_size\" } when the library fills it in",
        ),
        (
            &["const unsigned char *preset", "int mode", "unsigned preset_size"],
            "fields.preset = { in = \"buffer\", length = \"preset_size\" }",
        ),
        // `XML_Feature`, `curl_version_info_data`.
        (&["const char *name", "int value"], "fields.name = { string = \"utf-8\", nullable = true }"),
        (&["const char *host", "int features"], "fields.host = { string = \"utf-8\", nullable = true }"),
        (&["char *next", "int mode"], "fields.next = { string = \"utf-8\", nullable = true }"),
        (&["const double *points", "int kind"], "fields.points = { zero = true }"),
        (
            &["const double *points", "int n_points"],
            "fields.points = { in = \"buffer\", length = \"n_points\" }",
        ),
        (&["const double *points", "size_t points_bytes"], "fields.points = { zero = true }"),
        (&["const double *points", "size_t size"], "fields.points = { zero = true }"),
        (&["const double *points", "int stride"], "fields.points = { zero = true }"),
        (&["const void *context", "int length"], "fields.context = { zero = true }"),
        (&["const double *points", "int type"], "fields.points = { zero = true }"),
        (&["const double *points", "int n_threads"], "fields.points = { zero = true }"),
        (&["const double *points", "int wavelength"], "fields.points = { zero = true }"),
        (&["const double *points", "int line_length"], "fields.points = { zero = true }"),
        (&["const double *points", "int length_unit"], "fields.points = { zero = true }"),
        (&["const double *points", "int max_length"], "fields.points = { zero = true }"),
        (&["const double *points", "int min_count"], "fields.points = { zero = true }"),
        (&["const double *points", "int n_lines"], "fields.points = { zero = true }"),
        (&["const double *points", "int count_down"], "fields.points = { zero = true }"),
        (&["const double *points", "int num_points_max"], "fields.points = { zero = true }"),
        (&["const double *points", "int number"], "fields.points = { zero = true }"),
        (&["const double *points", "int avail_out"], "fields.points = { zero = true }"),
        (&["const double *points", "int total"], "fields.points = { zero = true }"),
        (&["const double *points", "int points"], "fields.points = { zero = true }"),
        (
            &["const unsigned char *key", "int block_length"],
            "fields.key = { string = \"utf-8\", nullable = true }",
        ),
        (&["const double *points", "int length"], "fields.points = { in = \"buffer\", length = \"length\" }"),
        (
            &["const double *points", "int points_count"],
            "fields.points = { in = \"buffer\", length = \"points_count\" }",
        ),
        // One number is of one pointer.
        (
            &["const unsigned char *base", "const unsigned char *end", "int length"],
            "fields.base = { in = \"buffer\", length = \"length\" }\nfields.end = { string = \"utf-8\", nullable = true }",
        ),
    ] {
        let mut api = api(&["int take(const stream *s)"]);
        api.records.insert("stream".into(), record("stream", Some(fields)));
        let text = contract("");
        let checked = run(&api, &text, Selection::Contract).unwrap();
        let lines = checked.open_types[0].structure.clone().unwrap();
        assert_eq!(lines, format!("[struct.stream]\n{expect}"), "{fields:?}");
        let decided = contract(&lines);
        if let Err(found) = run(&api, &decided, Selection::Contract) {
            panic!("{}", render(&found, &decided, false));
        }
    }
}

#[test]
fn what_has_no_name_in_c_is_told_without_its_expression() {
    let reason = |union: bool, field: &str| {
        let mut api = api(&["void f(struct point p)"]);
        let mut inner = api.records["inbuf"].clone();
        inner.c_name = format!("__typeof__((*(struct point *)0).{field})");
        inner.union = union;
        let written = inner.c_name.clone();
        api.records.insert("point.in".into(), inner);
        let fields = &mut api.records.get_mut("point").unwrap().layout.as_mut().unwrap().fields;
        fields[0].ty.kind = Type::Record { name: "point.in".into() };
        fields[0].ty.written = written;
        let checked = run(&api, &contract(""), Selection::Contract).unwrap();
        let out = &checked.interface.left_out[0];
        (out.reason.clone(), out.help.clone())
    };
    let (union, _) = reason(true, "x");
    assert_eq!(
        union,
        "parameter `p`: `x` of `point` is a union, and nothing says which of its members is there"
    );
    let (pointer, help) = reason(false, "x");
    assert_eq!(
        pointer,
        "parameter `p`: `x` of `point`: nothing says what `src` of `point.in` (`const void *`) is for"
    );
    assert_eq!(help, None, "no line can name it");
}
