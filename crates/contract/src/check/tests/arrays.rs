//! Bit-fields, arrays of structures and objects, and what a structure points to.

use hotcell_model::types::{CType, Type};
use serde_json::{Value, json};

use super::structures::{bound, given};
use super::support::{api, contract, ctype, roles, run, said};
use crate::check::Selection;
use crate::diagnostic::render;

#[test]
fn bit_fields_and_arrays_need_no_line() {
    let flags = json!(["struct flags", false, 8, {
        "a": {"role": "bits", "width": 1, "offset": 0}, "b": {"role": "value", "offset": 4},
    }]);
    let matrix = json!(["struct matrix", false, 48, {
        "rows": {"role": "structs", "record": "point", "length": 3, "offset": 0},
    }]);
    for (record, described) in [("flags", flags), ("matrix", matrix)] {
        let (params, _, found) = bound(&format!("void f(struct {record} p)"), "", record);
        assert_eq!((params, found), (vec![given(record, "in")], described));
    }
}

#[test]
fn arrays_of_numbers_behind_a_pointer_are_numbers() {
    let mut api = api(&["void sort(double *in, double *out, int n)"]);
    // typedef double pair[2]; void sort(pair *in, pair *out, int n);
    for param in &mut api.functions[0].params[..2] {
        let array = Type::Array { element: Box::new(ctype("double")), length: Some(2) };
        let pair = CType { written: "pair".into(), canonical: "double[2]".into(), kind: array };
        let kind = Type::Pointer { pointee: Box::new(pair), constant: false };
        param.ty = CType { written: "pair *".into(), canonical: "double (*)[2]".into(), kind };
    }
    let lines = "[function.sort]\nparams.in = { in = \"buffer\", length = \"2 * n\" }\nparams.out = { out = \"buffer\", capacity = \"2 * n\" }\n";
    let checked = run(&api, &contract(lines), Selection::Contract).unwrap();
    for param in &checked.interface.functions[0].params[..2] {
        assert_eq!(param.ty.written, "pair *");
        assert_eq!(param.ty.pointee().unwrap().0, &ctype("double"));
    }
    let without = run(&api, &contract("[function.sort]\n"), Selection::Contract).unwrap();
    let function = &without.interface.functions[0];
    assert!(function.ends_at_wall(0) && function.ends_at_wall(1), "callers say how many there are");
    assert_eq!(function.params[0].ty.pointee().unwrap().0, &ctype("double"));
    let value = contract(
        "[function.sort]\nparams.in = { in = \"buffer\", length = \"2 * n\" }\nparams.out = { out = \"value\" }\n",
    );
    let wrong = run(&api, &value, Selection::Contract).unwrap_err();
    assert!(render(&wrong, &value, false).contains("it does not point to a number"));
}

#[test]
fn arrays_of_structures_are_buffers() {
    let buffer = |role: &str, rest: Value| {
        let mut all = json!({"role": role});
        all.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        all
    };
    let length_of = json!({"role": "length-of", "param": 0, "unit": "elements"});
    for (declaration, lines, role, second) in [
        (
            "void f(const struct point *p, size_t n)",
            "params.p = { in = \"structs\", length = \"n\", nullable = true }",
            buffer("buffer-in", json!({"nullable": true, "length": null})),
            length_of.clone(),
        ),
        (
            "void f(struct point *p, int n)",
            "params.p = { inout = \"structs\", length = \"n\" }",
            buffer(
                "buffer-in-out",
                json!({"nullable": false, "length": null, "result": {"result": "full"}, "valid_on_error": false}),
            ),
            length_of,
        ),
        (
            "void f(struct point *p, size_t *n)",
            "params.p = { out = \"structs\", length = \"n\" }",
            buffer(
                "buffer-out",
                json!({"capacity": {"capacity": "caller"}, "result": {"result": "pointer", "param": 1}, "valid_on_error": false}),
            ),
            json!({"role": "length-pointer-of", "param": 0, "unit": "elements"}),
        ),
    ] {
        let (params, _, _) = bound(declaration, &format!("[function.f]\n{lines}\n"), "point");
        assert_eq!(params, [role, second], "{declaration}");
    }
    let lines = "[function.f]\nresult = { out = \"structs\", length = \"n\" }\n";
    let (params, result, _) = bound("const struct point *f(int *n)", lines, "point");
    let length = json!({"expr": "param", "index": 0});
    let lent = json!({"ownership": "library"});
    assert_eq!(params, [json!({"role": "value-out", "valid_on_error": false})]);
    assert_eq!(result, json!({"role": "buffer", "length": length, "nullable": false, "ownership": lent}));
}

#[test]
fn lines_about_arrays_of_structures_are_checked() {
    let tables = "[struct.inbuf]\nfields.src = { in = \"buffer\", length = \"size\" }\n[struct.outbuf]\n\
                  fields.dst = { out = \"buffer\", capacity = \"size\", length = \"pos\" }\n[handle]\ndb = {}\n";
    for (declaration, lines, expect) in [
        (
            "void f(int *p, int n)",
            "params.p = { in = \"structs\", length = \"n\" }",
            "`p` cannot be `in = \"structs\"`: it is `int *` [it does not point to structures]",
        ),
        (
            "void f(const struct point *p, int n)",
            "params.p = { inout = \"structs\", length = \"n\" }",
            "`p` cannot be `inout = \"structs\"`: it is `const struct point *` [the function only reads through it] = \
             write `{ in = \"structs\", length = … }`",
        ),
        (
            "void f(db *p, int n)",
            "params.p = { in = \"structs\", length = \"n\" }",
            "`p` cannot be `in = \"structs\"`: it is `db *` [it points to a handle type]",
        ),
        (
            "void f(inbuf *p, int n)",
            "params.p = { out = \"structs\", size = \"n\" }",
            "`p` cannot be `out = \"structs\"`: `src` of `inbuf` goes in only",
        ),
        (
            "void f(outbuf *p, int n)",
            "params.p = { in = \"structs\", length = \"n\" }",
            "`p` cannot be `in = \"structs\"`: `dst` of `outbuf` is memory that is given and filled: the structure goes in \
             and out",
        ),
        (
            "void f(struct point *p)",
            "params.p = { out = \"structs\", length = \"text\" }",
            "a text consists of bytes = give the length in another way",
        ),
        (
            "int f(void)",
            "result = { out = \"structs\", length = \"1\" }",
            "the result cannot be `out = \"structs\"`: it is `int` [not a pointer]",
        ),
        ("struct point *f(void)", "result = { out = \"structs\" }", "`out = \"structs\"` needs `length`"),
    ] {
        let text = contract(&format!("{tables}[function.f]\n{lines}\n"));
        let found = run(&api(&[declaration]), &text, Selection::Contract).expect_err("must be refused");
        let said = said(&found, &text);
        assert!(said.len() == 1 && said[0].contains(expect), "{lines}: {said:?}");
    }
}

#[test]
fn fields_that_point_to_what_comes_out_have_their_roles() {
    let lines = "[struct.outline]\nfields.points = { out = \"structs\", length = \"n\" }\n\
                 fields.name = { string = \"bytes\" }\nfields.tags = { out = \"texts\" }\nfields.at = { inout = \"struct\" }\n\
                 fields.data = { out = \"data\", length = \"n\" }\n";
    let (_, _, found) = bound("void f(struct outline p)", lines, "outline");
    let expect = json!(["struct outline", false, 80, {
        "n": {"role": "value", "offset": 64},
        "points": {"role": "data", "length": 0, "unit": "elements", "record": "point", "offset": 0},
        "name": {"role": "text-array", "encoding": "bytes", "length": 8, "offset": 68},
        "tags": {"role": "texts", "encoding": "utf8", "length": null, "offset": 16},
        "at": {"role": "pointer", "record": "point", "direction": "in-out", "offset": 32},
        "data": {"role": "data", "length": 0, "unit": "elements", "offset": 48},
    }]);
    assert_eq!(found, expect);
    for (line, expect) in [
        ("points = { out = \"structs\", length = \"m\" }", "`m` is no field of `outline`"),
        ("name = { string = \"utf-16\" }", "an array of characters has bytes"),
        ("name = { string = \"utf-8\", nullable = true }", "an array is always there"),
        ("tags = { out = \"data\", length = \"n\" }", "no pointer to numbers or bytes"),
        ("data = { in = \"struct\" }", "it does not point to structures"),
        ("data = { out = \"texts\" }", "it does not point to an array of pointers to characters"),
        ("n = { out = \"structs\", length = \"n\" }", "not a pointer"),
        ("points = { out = \"structs\" }", "`out = \"structs\"` needs `length`"),
    ] {
        let text = contract(&format!("[struct.outline]\nfields.{line}\n"));
        let found = run(&api(&["void f(struct outline p)"]), &text, Selection::Contract);
        let said = said(&found.expect_err("must be refused"), &text);
        assert!(said.len() == 1 && said[0].contains(expect), "{line}: {said:?}");
    }
}

#[test]
fn arrays_of_objects_have_a_handle_type() {
    let handles = "[handle]\ndb = {}\n[function.f]\n";
    for (declaration, line, expect) in [
        ("void f(db **d, int n)", "params.d = { in = \"handles\", length = \"n\" }", None),
        ("void f(void **d)", "params.d = { in = \"handles\", handle = \"db\" }", None),
        (
            "void f(db *d)",
            "params.d = { in = \"handles\" }",
            Some("it does not point to pointers to objects"),
        ),
        ("void f(void **d)", "params.d = { in = \"handles\" }", Some("nothing says of which handle type")),
        (
            "void f(db **d, double n)",
            "params.d = { in = \"handles\", length = \"n\" }",
            Some("`n` is no integer parameter = the number of objects is a parameter"),
        ),
    ] {
        let text = contract(&format!("{handles}{line}\n"));
        let found = run(&api(&[declaration]), &text, Selection::Contract);
        match expect {
            None => {
                let interface =
                    found.unwrap_or_else(|found| panic!("{}", render(&found, &text, false))).interface;
                let (params, _) = roles(&serde_json::to_value(&interface.functions[0]).unwrap());
                assert_eq!(params[0], json!({"role": "handles", "handle": "db", "nullable": false}));
            }
            Some(expect) => {
                let said = said(&found.expect_err("must be refused"), &text);
                assert!(said.len() == 1 && said[0].contains(expect), "{line}: {said:?}");
            }
        }
    }
}
