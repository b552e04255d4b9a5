//! The fixture library: a function for every role, called through its shim.

use hotcell_model::api::{Enum, Field, Location, Record, RecordLayout};
use hotcell_model::expr::{Expr, Op};
use hotcell_model::interface::{Fails, Function, Interface, ResultLength, ResultRole, Role};
use hotcell_model::types::Type;

use crate::support::{
    With, binary, c, call, f, int, interface, length_of, p, param, refresh, sized, text, text_result, value,
};
use crate::tools::{drive, sanitized_library};

mod buffers;

fn constant(name: &str) -> Expr {
    Expr::Constant { name: name.into() }
}

fn fixed(text: &str) -> Role {
    Role::Fixed { c: text.into() }
}

fn scalars() -> Vec<Function> {
    let types = [
        ("b", "_Bool"),
        ("c", "char"),
        ("sc", "signed char"),
        ("uc", "unsigned char"),
        ("s", "short"),
        ("us", "unsigned short"),
        ("i", "int"),
        ("u", "unsigned int"),
        ("l", "long"),
        ("ul", "unsigned long"),
        ("ll", "long long"),
        ("ull", "unsigned long long"),
        ("f", "float"),
        ("d", "double"),
    ];
    let one = |ty: &str, name: &str| f(ty, name, vec![p("x", ty, value())]);
    let flags = vec![
        p("flags", "int", fixed("FX_FLAG_A | FX_FLAG_B")),
        p("name", "const char *", fixed("NULL")),
        p("size", "unsigned long", fixed("sizeof(struct fx_record)")),
        p("extra", "int", value()),
    ];
    let mut leave = f("void", "fx_leave", vec![p("status", "int", value())]);
    leave.noreturn = true;
    let mut mode = one("fx_mode", "fx_mode_of");
    mode.result_type.canonical = "enum (unnamed at fixture.h:17:9)".into();
    mode.params[0].ty = mode.result_type.clone();
    vec![
        f("double", "fx_sum", types.iter().map(|(name, ty)| p(name, ty, value())).collect()),
        one("_Bool", "fx_not"),
        one("char", "fx_next"),
        one("short", "fx_negate"),
        one("float", "fx_half"),
        one("enum fx_color", "fx_mix"),
        one("enum fx_sign", "fx_flip"),
        mode,
        f("void", "fx_nothing", vec![]),
        f("int", "fx_flags", flags),
        one("int", "fx_inline"),
        one("int", "fx_masked"),
        leave,
        one("int", "fx_old"),
        one("int", "fx_pure"),
    ]
}

fn texts() -> Vec<Function> {
    let pair = vec![p("text", "const char *", text(false)), p("suffix", "const char *", text(true))];
    let counted = vec![p("text", "const char *", text(false)), p("length", "unsigned long", length_of(0))];
    let repeat = vec![p("text", "const char *", text(false)), p("times", "int", value())];
    let owned = || text_result(true, Some("fx_free"));
    vec![
        f("unsigned long", "fx_length", pair),
        f("int", "fx_capitalize", vec![p("text", "char *", text(false))]),
        f("unsigned long", "fx_counted", counted),
        f("const char *", "fx_name", vec![p("which", "int", value())]).result(text_result(true, None)),
        f("char *", "fx_repeat", repeat).result(owned()),
        f("char *", "fx_complain", vec![p("about", "int", value())])
            .result(owned())
            .fails(Fails::Nonzero)
            .message(Expr::Result),
        f("int", "fx_live", vec![]),
    ]
}

fn values_and_errors() -> Vec<Function> {
    let valid = Role::ValueOut { valid_on_error: true };
    let never = Role::ValueOut { valid_on_error: false };
    let inout = || Role::ValueInOut { valid_on_error: false };
    let several = binary(
        binary(
            binary(Expr::Result, Op::Lt, binary(param(0), Op::Sub, int(1))),
            Op::Or,
            binary(Expr::Result, Op::Gt, int(3)),
        ),
        Op::And,
        binary(Expr::Errno, Op::Ne, constant("EAGAIN")),
    );
    let when = |op, right| Fails::When { condition: binary(Expr::Result, op, right) };
    let complaint =
        Role::BufferOut { capacity: sized(int(64)), result: ResultLength::Text, valid_on_error: true };
    vec![
        f(
            "int",
            "fx_divide",
            vec![
                p("a", "int", value()),
                p("b", "int", value()),
                p("quotient", "int *", valid),
                p("remainder", "int *", never),
            ],
        )
        .result(ResultRole::Status)
        .fails(Fails::Nonzero)
        .message(call("fx_message", vec![Expr::Result])),
        f("void", "fx_double", vec![p("x", "double *", inout()), p("y", "unsigned char *", inout())]),
        f("int", "fx_ok", vec![p("ok", "int", value())])
            .fails(Fails::Zero)
            .message(call("fx_reason", vec![binary(Expr::Result, Op::Add, int(1))])),
        f("const char *", "fx_find", vec![p("which", "int", value())])
            .result(text_result(false, None))
            .fails(Fails::Null)
            .message(call("strerror", vec![Expr::Errno])),
        f("int", "fx_when", vec![p("result", "int", value()), p("error", "int", value())])
            .fails(Fails::When { condition: several }),
        f("unsigned long", "fx_convert", vec![p("x", "int", value())]).fails(when(Op::Eq, int(-1))),
        f("unsigned int", "fx_seek", vec![p("x", "int", value())]).fails(when(Op::Eq, constant("FX_LOST"))),
        f("unsigned short", "fx_narrow", vec![p("x", "int", value())]).fails(when(Op::Eq, int(65_535))),
        f("unsigned long", "fx_limit", vec![p("x", "int", value())])
            .fails(when(Op::Ge, int(i128::from(u64::MAX) - 9))),
        f("double", "fx_root", vec![p("x", "double", value())])
            .fails(Fails::When { condition: binary(Expr::Result, Op::Lt, int(0)) }),
        f(
            "int",
            "fx_parse",
            vec![p("text", "const char *", text(false)), p("complaint", "char *", complaint)],
        )
        .result(ResultRole::Status)
        .fails(Fails::Negative)
        .message(param(1)),
        f("const char *", "fx_reason", vec![p("code", "int", value())]).result(text_result(true, None)),
    ]
}

/// The fixture library as a contract would bind it.
pub(crate) fn fixture() -> Interface {
    let groups = [scalars(), texts(), buffers::inward(), buffers::outward(), values_and_errors()];
    let mut interface = interface("fixture", "fixture.h", "libfixture.so.1", groups.concat());
    let location = || Location { file: "fixture.h".into(), line: 1, primary: true };
    let enumeration = |name: &str, enumerators: &[(&str, i64)]| Enum {
        c_name: name.into(),
        enumerators: enumerators.iter().map(|(name, value)| ((*name).into(), *value)).collect(),
        doc: None,
        location: location(),
    };
    let enums = [
        ("fx_color", enumeration("enum fx_color", &[("FX_RED", 0), ("FX_GREEN", 5), ("FX_BLUE", 6)])),
        ("fx_sign", enumeration("enum fx_sign", &[("FX_MINUS", -1), ("FX_NONE", 0), ("FX_PLUS", 1)])),
        ("fx_mode", enumeration("fx_mode", &[("FX_SLOW", 1), ("FX_FAST", 2)])),
    ];
    interface.enums = enums.map(|(name, item)| (name.into(), item)).into();
    let field = |name: &str, ty, offset_bits, bit_width| Field {
        name: Some(name.into()),
        ty,
        offset_bits,
        bit_width,
    };
    let mut tail = c("char");
    tail.kind = Type::Array { element: Box::new(c("char")), length: Some(5) };
    let fields = vec![
        field("a", c("int"), 0, None),
        field("b", c("double"), 64, None),
        field("bits", c("unsigned int"), 128, Some(3)),
        field("tail", tail, 136, None),
    ];
    let layout = Some(RecordLayout { size: 24, align: 8, fields });
    let record =
        Record { c_name: "struct fx_record".into(), union: false, layout, doc: None, location: location() };
    interface.records.insert("fx_record".into(), record);
    refresh(&mut interface);
    interface
}

#[test]
fn every_role_through_a_compiled_shim() {
    let dir = tempfile::tempdir().unwrap();
    drive(&fixture(), &sanitized_library(dir.path()), "drive_fixture.c");
}
