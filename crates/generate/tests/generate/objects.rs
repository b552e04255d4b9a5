//! A library of objects, texts and memory that it hands out, called through its shim.

use std::collections::BTreeMap;

use hotcell_model::evidence::Evidence;
use hotcell_model::expr::{Expr, Op};
use hotcell_model::interface::{
    Encoding, Fails, Function, Handle, Interface, Ownership, Param, ResultRole, Role, Unit,
};

use crate::support::{With, buffer, call, f, interface, length_of, p, param, refresh, text, value};
use crate::tools::{drive, sanitized_library};

/// A handle that goes in.
pub(crate) fn handle(of: &str) -> Role {
    Role::Handle {
        handle: of.into(),
        consumed: false,
        on_success: false,
        nullable: false,
        invalidates: false,
    }
}

/// A handle that the call takes over.
pub(crate) fn consumed(of: &str) -> Role {
    Role::Handle { handle: of.into(), consumed: true, on_success: false, nullable: false, invalidates: false }
}

/// An object that comes out; released by this function, when the caller owns it.
pub(crate) fn handle_out(of: &str, release: Option<&str>, parent: Option<usize>) -> Role {
    Role::HandleOut {
        handle: of.into(),
        ownership: owned_by(release),
        parent,
        nullable: true,
        valid_on_error: false,
    }
}

/// An object that is returned.
pub(crate) fn handle_result(of: &str, release: Option<&str>, parent: Option<usize>) -> ResultRole {
    ResultRole::Handle { handle: of.into(), ownership: owned_by(release), parent, nullable: true }
}

pub(crate) fn owned_by(release: Option<&str>) -> Ownership {
    match release {
        Some(release) => Ownership::Owned { release: release.into() },
        None => Ownership::Library,
    }
}

/// The handle types of an interface, each with its release.
pub(crate) fn handles(types: &[(&str, &str, Option<&str>)]) -> BTreeMap<String, Handle> {
    let handle = |(name, c_type, release): &(&str, &str, Option<&str>)| {
        let release = release.map(str::to_owned);
        let handle = Handle { release, ..Handle::new((*c_type).into(), None, Evidence::Proven) };
        ((*name).into(), handle)
    };
    types.iter().map(handle).collect()
}

fn valid_on_error(mut role: Role) -> Role {
    if let Role::HandleOut { valid_on_error, .. } | Role::TextOut { valid_on_error, .. } = &mut role {
        *valid_on_error = true;
    }
    role
}

fn text_out(release: Option<&str>) -> Role {
    Role::TextOut { encoding: Encoding::Utf8, ownership: owned_by(release), valid_on_error: false }
}

fn data_out(length: Expr, release: Option<&str>) -> Role {
    Role::DataOut { length, ownership: owned_by(release), valid_on_error: false }
}

fn offset_of(param: usize) -> Role {
    Role::OffsetOut { param, valid_on_error: false }
}

fn store(name: &str, role: Role) -> Param {
    p(name, "struct ob_store *", role)
}

fn stored(name: &str, role: Role) -> Param {
    p(name, "struct ob_store **", role)
}

const CLOSE: Option<&str> = Some("ob_close");

fn objects() -> Vec<Function> {
    let size = || p("size", "int", value());
    let nullable = Role::Handle {
        handle: "ob_store".into(),
        consumed: false,
        on_success: false,
        nullable: true,
        invalidates: false,
    };
    let clears = Role::Handle {
        handle: "ob_store".into(),
        consumed: false,
        on_success: false,
        nullable: false,
        invalidates: true,
    };
    let also = Role::Handle {
        handle: "ob_store".into(),
        consumed: true,
        on_success: false,
        nullable: true,
        invalidates: false,
    };
    let joined = Role::Handle {
        handle: "ob_store".into(),
        consumed: true,
        on_success: true,
        nullable: false,
        invalidates: false,
    };
    let made = || stored("store", handle_out("ob_store", CLOSE, None));
    let flags = p("flags", "int", Role::Fixed { c: "3 | 4".into() });
    let mut failing = stored("store", valid_on_error(handle_out("ob_store", CLOSE, None)));
    failing.ty.written = "ob_store **".into();
    let begin = vec![
        store("store", handle("ob_store")),
        p("where", "int", value()),
        p("cursor", "struct ob_cursor **", handle_out("ob_cursor", Some("ob_end"), Some(0))),
    ];
    let trio = vec![
        stored("second", handle_out("ob_store", CLOSE, None)),
        p("item", "struct ob_item **", handle_out("ob_item", None, Some(2))),
        store("of", handle("ob_store")),
    ];
    let mut functions = vec![
        f("struct ob_store *", "ob_open", vec![size()])
            .result(handle_result("ob_store", CLOSE, None))
            .fails(Fails::Null),
        f("int", "ob_make", vec![size(), failing])
            .result(ResultRole::Status)
            .fails(Fails::Nonzero)
            .message(call("ob_error", vec![param(1)]))
            .code(call("ob_error_code", vec![param(1)])),
        f("int", "ob_try", vec![size(), made()]).result(ResultRole::Status).fails(Fails::Nonzero),
        f(
            "int",
            "ob_pair",
            vec![
                size(),
                stored("first", handle_out("ob_store", CLOSE, None)),
                stored("second", handle_out("ob_store", CLOSE, None)),
            ],
        )
        .result(ResultRole::Status)
        .fails(Fails::Negative),
        f("struct ob_store *", "ob_trio", trio).result(handle_result("ob_store", CLOSE, None)),
        f("int", "ob_close", vec![store("store", consumed("ob_store")), flags]).result(ResultRole::Status),
        f("int", "ob_size", vec![p("store", "const struct ob_store *", nullable)]),
        f("struct ob_cursor *", "ob_walk", vec![store("store", handle("ob_store"))]).result(handle_result(
            "ob_cursor",
            Some("ob_end"),
            Some(0),
        )),
        f("int", "ob_begin", begin)
            .result(ResultRole::Status)
            .fails(Fails::Nonzero)
            .message(call("ob_error", vec![param(0)]))
            .code(Expr::Result),
        f("void", "ob_end", vec![p("cursor", "struct ob_cursor *", consumed("ob_cursor"))]),
        f(
            "struct ob_item *",
            "ob_item",
            vec![store("store", handle("ob_store")), p("index", "int", value())],
        )
        .result(handle_result("ob_item", None, Some(0))),
        f("int", "ob_item_index", vec![p("item", "const struct ob_item *", handle("ob_item"))]),
        f("int", "ob_clear", vec![store("store", clears)]).result(ResultRole::Status).fails(Fails::Nonzero),
        f(
            "int",
            "ob_merge",
            vec![store("into", handle("ob_store")), store("from", consumed("ob_store")), store("also", also)],
        ),
        f("int", "ob_join", vec![store("into", handle("ob_store")), store("from", joined)])
            .result(ResultRole::Status)
            .fails(Fails::Nonzero)
            .message(call("ob_error", vec![param(1)])),
        f("struct ob_store *", "ob_default", vec![]).result(handle_result("ob_store", None, None)),
        f("void *", "ob_anything", vec![store("store", handle("ob_store"))]).result(handle_result(
            "anything",
            None,
            Some(0),
        )),
        f("int", "ob_anything_size", vec![p("anything", "void *", handle("anything"))]),
    ];
    functions[7].params[0].ty.written = "ob_store *".into();
    functions
}

fn memory() -> Vec<Function> {
    let free = Some("ob_free");
    let what = || p("what", "int", value());
    let counted = |owned| ResultRole::Text {
        encoding: Encoding::Bytes,
        length: Some(param(1)),
        nullable: true,
        ownership: owned_by(owned),
    };
    let length = || p("length", "long *", Role::ValueOut { valid_on_error: false });
    let dump = vec![
        p("size", "int", value()),
        p("data", "void **", data_out(param(2), free)),
        p("length", "unsigned long *", Role::ValueOut { valid_on_error: true }),
    ];
    vec![
        f("int", "ob_describe", vec![what(), p("text", "char **", valid_on_error(text_out(free)))])
            .result(ResultRole::Status)
            .fails(Fails::Negative),
        f("int", "ob_explain", vec![what(), p("complaint", "char **", valid_on_error(text_out(free)))])
            .result(ResultRole::Status)
            .fails(Fails::Negative)
            .message(param(1)),
        f("int", "ob_promise", vec![what(), p("text", "char **", text_out(free))])
            .result(ResultRole::Status)
            .fails(Fails::Negative),
        f("void", "ob_label", vec![p("which", "int", value()), p("label", "const char **", text_out(None))]),
        f("int", "ob_dump", dump).result(ResultRole::Status).fails(Fails::Nonzero),
        f(
            "int",
            "ob_primes",
            vec![p("n", "int", value()), p("primes", "const int **", data_out(Expr::Result, None))],
        ),
        f("const char *", "ob_raw", vec![p("which", "int", value()), length()]).result(counted(None)),
        f("char *", "ob_copy", vec![p("which", "int", value()), length()]).result(counted(free)),
    ]
}

fn places_and_texts() -> Vec<Function> {
    let texts = |nullable| Role::Texts { encoding: Encoding::Utf8, nullable, length: None };
    let find = vec![
        p("values", "const int *", buffer(true)),
        p("n", "unsigned long", length_of(0)),
        p("value", "int", value()),
        p("at", "const int **", offset_of(0)),
    ];
    let stray = vec![
        p("text", "const char *", text(true)),
        p("where", "int", value()),
        p("at", "const char **", offset_of(0)),
    ];
    let wide = |nullable| Role::Text { encoding: Encoding::Utf16, nullable };
    let said = Role::TextOut { encoding: Encoding::Utf16, ownership: owned_by(None), valid_on_error: false };
    let units = Role::LengthOf { param: 0, unit: Unit::Elements };
    let widened = ResultRole::Text {
        encoding: Encoding::Utf16,
        length: None,
        nullable: true,
        ownership: owned_by(Some("ob_free")),
    };
    let wides = Role::Texts { encoding: Encoding::Utf16, nullable: false, length: None };
    let list_out = |length, release| Role::TextsOut {
        length,
        encoding: Encoding::Utf8,
        ownership: owned_by(release),
        valid_on_error: false,
    };
    let split = ResultRole::Texts {
        length: None,
        encoding: Encoding::Bytes,
        nullable: true,
        ownership: owned_by(Some("ob_free")),
    };
    let grid = Expr::Binary { op: Op::Mul, left: Box::new(param(0)), right: Box::new(param(2)) };
    let grid = vec![
        p("rows", "int", value()),
        p("cells", "char ***", list_out(grid, Some("ob_free"))),
        p("columns", "int *", Role::ValueOut { valid_on_error: false }),
    ];
    vec![
        f(
            "int",
            "ob_list",
            vec![p("count", "int", value()), p("words", "const char ***", list_out(Expr::Result, None))],
        ),
        f("char **", "ob_split", vec![p("what", "int", value())]).result(split),
        f("int", "ob_grid", grid).result(ResultRole::Status).fails(Fails::Nonzero),
        f(
            "int",
            "ob_wide",
            vec![
                p("text", "const unsigned short *", wide(false)),
                p("units", "int", units),
                p("at", "const unsigned short **", offset_of(0)),
                p("said", "const void **", said),
            ],
        ),
        f("unsigned short *", "ob_widen", vec![p("text", "unsigned short *", wide(true))]).result(widened),
        f("int", "ob_wide_count", vec![p("words", "const void *const *", wides)]),
        f(
            "long",
            "ob_number",
            vec![p("text", "const char *", text(false)), p("end", "const char **", offset_of(0))],
        ),
        f("int", "ob_find", find).result(ResultRole::Status).fails(Fails::Nonzero),
        f("int", "ob_stray", stray),
        f(
            "int",
            "ob_count",
            vec![p("count", "int", length_of(1)), p("words", "const char *const *", texts(true))],
        ),
        f("int", "ob_shout", vec![p("words", "char **", texts(false))]),
    ]
}

/// The library as a contract would bind it.
pub(crate) fn library() -> Interface {
    let mut functions = [objects(), memory(), places_and_texts()].concat();
    functions.push(f("int", "ob_live", vec![]));
    let mut interface = interface("objects", "objects.h", "libfixture.so.1", functions);
    interface.handles = handles(&[
        ("anything", "void *", None),
        ("ob_cursor", "ob_cursor", Some("ob_end")),
        ("ob_item", "struct ob_item *", None),
        ("ob_store", "ob_store *", CLOSE),
    ]);
    refresh(&mut interface);
    interface
}

#[test]
fn objects_texts_and_memory_through_a_compiled_shim() {
    let dir = tempfile::tempdir().unwrap();
    drive(&library(), &sanitized_library(dir.path()), "drive_objects.c");
}
