//! A library of structures, called through its shim.

use hotcell_model::evidence::Fact;
use hotcell_model::expr::{Expr, Op};
use hotcell_model::interface::{
    Direction, Encoding, Fails, FieldRole, Filled, Function, Interface, ResultRole, Role, Start, Struct,
    StructField, Unit,
};
use hotcell_model::types::{Signature, Type};

use crate::objects::{handle, handle_result, handles, owned_by};
use crate::support::{With, binary, c, f, int, interface, p, refresh, value};
use crate::tools::{drive, sanitized_library};

fn field(name: &str, ty: &str, role: FieldRole) -> StructField {
    StructField { name: name.into(), ty: c(ty), role: Fact::proven(role), offset: None }
}

fn array(name: &str, element: &str, length: u64) -> StructField {
    let mut field = field(name, element, FieldRole::Array { length });
    let text = format!("{element}[{length}]");
    field.ty.kind = Type::Array { element: Box::new(c(element)), length: Some(length) };
    (field.ty.written, field.ty.canonical) = (text.clone(), text);
    field
}

/// A field that is a pointer to `int (int)`.
fn hook(name: &str, role: FieldRole) -> StructField {
    let mut field = field(name, "int", role);
    let signature = Signature { params: vec![(None, c("int"))], result: c("int"), variadic: false };
    field.ty.kind = Type::FunctionPointer { signature: Box::new(signature) };
    (field.ty.written, field.ty.canonical) = ("int (*)(int)".into(), "int (*)(int)".into());
    field
}

fn inner(name: &str, record: &str) -> StructField {
    field(name, &format!("struct {record}"), FieldRole::Struct { record: record.into() })
}

fn number(name: &str, ty: &str) -> StructField {
    field(name, ty, FieldRole::Value)
}

fn text(nullable: bool) -> FieldRole {
    FieldRole::Text { encoding: Encoding::Utf8, nullable }
}

fn data_in() -> FieldRole {
    FieldRole::BufferIn { nullable: false }
}

fn length_of(field: usize, unit: Unit) -> FieldRole {
    FieldRole::LengthOf { field, unit }
}

fn structs() -> Vec<(&'static str, Struct)> {
    let of = |c_name: &str, fields| Struct {
        c_name: c_name.into(),
        doc: None,
        resident: false,
        union: false,
        fields,
        size: 0,
    };
    let out = |capacity, filled| FieldRole::BufferOut { capacity, unit: Unit::Elements, filled };
    let label = of(
        "rc_label",
        vec![
            field("name", "const char *", text(false)),
            field("note", "char *", text(true)),
            number("size", "int"),
        ],
    );
    let stream = vec![
        field("next_in", "const unsigned char *", data_in()),
        field("avail_in", "unsigned int", length_of(0, Unit::Elements)),
        number("total_in", "unsigned long"),
        field("next_out", "unsigned char *", out(4, Filled::Left { field: 4 })),
        number("avail_out", "unsigned int"),
        number("total_out", "unsigned long"),
        field("msg", "char *", text(true)),
        field("state", "struct rc_state *", FieldRole::Own),
        hook("filter", FieldRole::Own),
        inner("mark", "rc_point"),
        number("level", "int"),
    ];
    vec![
        (
            "rc_point",
            of(
                "struct rc_point",
                vec![number("x", "int"), number("y", "double"), number("tag", "unsigned char")],
            ),
        ),
        (
            "rc_line",
            of(
                "struct rc_line",
                vec![
                    inner("from", "rc_point"),
                    inner("to", "rc_point"),
                    array("ends", "_Bool", 3),
                    number("style", "enum rc_style"),
                    array("dashes", "short", 2),
                ],
            ),
        ),
        ("rc_label", label),
        (
            "rc_span",
            of(
                "struct rc_span",
                vec![
                    field("src", "const void *", data_in()),
                    field("size", "unsigned long", length_of(0, Unit::Elements)),
                    number("pos", "unsigned long"),
                ],
            ),
        ),
        (
            "rc_room",
            of(
                "struct rc_room",
                vec![
                    field("dst", "void *", out(1, Filled::Field { field: 2 })),
                    number("size", "unsigned long"),
                    number("pos", "unsigned long"),
                ],
            ),
        ),
        (
            "rc_words",
            of(
                "struct rc_words",
                vec![
                    field("data", "const unsigned short *", data_in()),
                    field("bytes", "unsigned int", length_of(0, Unit::Bytes)),
                    hook("hook", FieldRole::Zero),
                    field("scratch", "char *", FieldRole::BufferIn { nullable: true }),
                    field("scratch_size", "unsigned char", length_of(3, Unit::Elements)),
                ],
            ),
        ),
        ("rc_packet", of("struct rc_packet", vec![number("id", "int"), inner("body", "rc_span")])),
        ("rc_stream", Struct { resident: true, ..of("rc_stream", stream) }),
    ]
}

fn by_pointer(record: &str, direction: Direction, nullable: bool) -> Role {
    Role::Struct { record: record.into(), direction, nullable, valid_on_error: false }
}

fn resident(consumed: bool) -> Role {
    Role::Resident { record: "rc_stream".into(), consumed, starts: None }
}

/// Where an object may begin; released by this function then.
fn starting(release: Option<&str>) -> Role {
    let starts = Some(Start { release: release.map(str::to_owned) });
    Role::Resident { record: "rc_stream".into(), consumed: false, starts }
}

fn returned(record: &str, release: Option<&str>) -> ResultRole {
    ResultRole::Struct { record: record.into(), nullable: true, ownership: owned_by(release) }
}

fn passed() -> Vec<Function> {
    let point = |direction| p("point", "struct rc_point *", by_pointer("rc_point", direction, false));
    let fail = || p("fail", "int", value());
    let mut always = point(Direction::Out);
    if let Role::Struct { valid_on_error, .. } = &mut always.role.value {
        *valid_on_error = true;
    }
    let line = |ty: &str, direction| p("line", ty, by_pointer("rc_line", direction, true));
    let mirror = vec![p("point", "struct rc_point", by_pointer("rc_point", Direction::In, false))];
    let packet = vec![p("packet", "struct rc_packet", by_pointer("rc_packet", Direction::In, false))];
    let failed = binary(Expr::Errno, Op::Ne, int(0));
    vec![
        f("struct rc_point", "rc_mirror", mirror).result(returned("rc_point", None)),
        f("struct rc_point", "rc_try", vec![p("ok", "int", value())])
            .result(returned("rc_point", None))
            .fails(Fails::When { condition: failed }),
        f("double", "rc_length", vec![line("const struct rc_line *", Direction::In)]),
        f("int", "rc_origin", vec![fail(), point(Direction::Out)])
            .result(ResultRole::Status)
            .fails(Fails::Nonzero),
        f("int", "rc_place", vec![fail(), always]).result(ResultRole::Status).fails(Fails::Nonzero),
        f("int", "rc_shift", vec![line("struct rc_line *", Direction::InOut), p("by", "int", value())]),
        f("const struct rc_point *", "rc_find", vec![p("which", "int", value())])
            .result(returned("rc_point", None)),
        f("int", "rc_weigh", packet),
    ]
}

fn with_memory() -> Vec<Function> {
    let mut greet = p("label", "struct rc_label *", by_pointer("rc_label", Direction::InOut, false));
    let mut print = f("struct rc_label *", "rc_print", vec![p("size", "int", value())]);
    for ty in [&mut greet.ty, &mut print.result_type] {
        ty.written = "rc_label *".into();
        ty.canonical = "struct (unnamed at records.h:24:9) *".into();
    }
    let pump = vec![
        p("room", "struct rc_room *", by_pointer("rc_room", Direction::InOut, false)),
        p("span", "struct rc_span *", by_pointer("rc_span", Direction::InOut, false)),
    ];
    vec![
        f("int", "rc_greet", vec![greet]),
        print.result(returned("rc_label", Some("rc_free"))),
        f("int", "rc_pump", pump),
        f(
            "long",
            "rc_sum",
            vec![p("words", "const struct rc_words *", by_pointer("rc_words", Direction::In, false))],
        ),
        f("int", "rc_live", vec![]),
    ]
}

fn kept() -> Vec<Function> {
    let stream = |name: &str, consumed| p(name, "struct rc_stream *", resident(consumed));
    let new = |name: &str, release| p(name, "struct rc_stream *", starting(release));
    let stop = Some("rc_stop");
    let status = |function: Function| function.result(ResultRole::Status).fails(Fails::Negative);
    let mut state = f("const struct rc_state *", "rc_state", vec![stream("stream", false)]);
    state = state.result(handle_result("rc_state", None, Some(0)));
    vec![
        status(f("int", "rc_start", vec![new("stream", stop), p("key", "int", value())])),
        status(f("int", "rc_run", vec![stream("stream", false)])),
        f("int", "rc_meet", vec![stream("one", false), stream("other", false)]),
        status(f("int", "rc_blank", vec![new("stream", None)])),
        f("int", "rc_clone", vec![new("into", stop), stream("from", false)])
            .result(ResultRole::Status)
            .fails(Fails::Nonzero),
        state,
        f("int", "rc_state_key", vec![p("state", "const struct rc_state *", handle("rc_state"))]),
        status(f("int", "rc_stop", vec![stream("stream", true)])),
    ]
}

/// The library as a contract would bind it.
pub(crate) fn library() -> Interface {
    let functions = [passed(), with_memory(), kept()].concat();
    let mut interface = interface("records", "records.h", "libfixture.so.1", functions);
    interface.handles =
        handles(&[("rc_state", "struct rc_state *", None), ("rc_stream", "rc_stream *", Some("rc_stop"))]);
    for (key, mut item) in structs() {
        item.lay_out(&interface.structs, &interface.target).unwrap();
        interface.structs.insert(key.into(), item);
    }
    refresh(&mut interface);
    interface
}

#[test]
fn structures_through_a_compiled_shim() {
    let dir = tempfile::tempdir().unwrap();
    drive(&library(), &sanitized_library(dir.path()), "drive_records.c");
}
