//! A library by hand with every role: objects, texts, data, structures, callbacks.

use hotcell_model::api::{Constant, ConstantValue, Enum, Location};
use hotcell_model::interface::{
    Direction, Encoding, Fails, Function, Interface, Ownership, RecycleLines, ResultLength, ResultRole, Role,
    Start, StatePart,
};

use crate::objects::{consumed, handle, handle_out, handle_result, handles, owned_by};
use crate::support::{With, buffer, f, int, interface, length_of, out, p, refresh, sized, text, value};

mod callbacks;
mod records;

const FREE: Option<&str> = Some("kit_free");

fn structure(record: &str, direction: Direction, nullable: bool) -> Role {
    Role::Struct { record: record.into(), direction, nullable, valid_on_error: false }
}

fn resident(consumed: bool) -> Role {
    Role::Resident { record: "kit_stream".into(), consumed, starts: None }
}

fn started() -> Role {
    let starts = Some(Start { release: Some("kit_stream_end".into()) });
    Role::Resident { record: "kit_stream".into(), consumed: false, starts }
}

fn on_success(role: Role) -> Role {
    match role {
        Role::Handle { handle, consumed, nullable, invalidates, .. } => {
            Role::Handle { handle, consumed, on_success: true, nullable, invalidates }
        }
        other => panic!("{other:?} is no handle"),
    }
}

pub(crate) fn nullable(role: Role) -> Role {
    match role {
        Role::Handle { handle, consumed, on_success, invalidates, .. } => {
            Role::Handle { handle, consumed, on_success, nullable: true, invalidates }
        }
        other => panic!("{other:?} is no handle"),
    }
}

fn objects() -> Vec<Function> {
    let db = || p("db", "struct kit *", handle("kit"));
    vec![
        f(
            "int",
            "kit_open",
            vec![
                p("path", "const char *", text(true)),
                p("db", "struct kit **", handle_out("kit", Some("kit_close"), None)),
            ],
        )
        .result(ResultRole::Status)
        .fails(Fails::Nonzero),
        f("int", "kit_close", vec![p("db", "struct kit *", consumed("kit"))])
            .result(ResultRole::Status)
            .fails(Fails::Nonzero),
        f("struct kit_list *", "kit_list_new", vec![db(), p("size", "int", value())]).result(handle_result(
            "kit_list",
            Some("kit_list_free"),
            Some(0),
        )),
        f("void", "kit_list_free", vec![p("list", "struct kit_list *", nullable(consumed("kit_list")))]),
        f(
            "int",
            "kit_list_append",
            vec![
                p("list", "struct kit_list *", handle("kit_list")),
                p("item", "struct kit_item *", consumed("kit_item")),
                p("after", "struct kit_item *", nullable(handle("kit_item"))),
                p("spare", "struct kit_item *", nullable(consumed("kit_item"))),
            ],
        ),
        f(
            "int",
            "kit_list_give",
            vec![
                p("list", "struct kit_list *", handle("kit_list")),
                p("item", "struct kit_item *", on_success(consumed("kit_item"))),
            ],
        )
        .result(ResultRole::Status)
        .fails(Fails::Nonzero),
        f(
            "struct kit_item *",
            "kit_list_get",
            vec![p("list", "struct kit_list *", handle("kit_list")), p("at", "int", value())],
        )
        .result(ResultRole::Handle {
            handle: "kit_item".into(),
            ownership: Ownership::Library,
            parent: Some(0),
            nullable: false,
        }),
        f(
            "int",
            "kit_compare",
            vec![
                p("a", "struct kit_item *", nullable(handle("kit_item"))),
                p("b", "struct kit_item *", nullable(handle("kit_item"))),
            ],
        ),
        f("struct kit_item *", "kit_item_new", vec![p("near", "struct kit *", nullable(handle("kit")))])
            .result(handle_result("kit_item", Some("kit_item_delete"), Some(0))),
        f("void", "kit_item_delete", vec![p("item", "struct kit_item *", consumed("kit_item"))]),
        f(
            "int",
            "kit_list_split",
            vec![
                p(
                    "list",
                    "struct kit_list *",
                    Role::Handle {
                        handle: "kit_list".into(),
                        consumed: false,
                        on_success: false,
                        nullable: false,
                        invalidates: true,
                    },
                ),
                p("first", "struct kit_list **", handle_out("kit_list", Some("kit_list_free"), Some(0))),
                p("second", "struct kit_item **", handle_out("kit_item", None, Some(0))),
                p("count", "int *", Role::ValueOut { valid_on_error: false }),
            ],
        ),
    ]
}

fn texts() -> Vec<Function> {
    let texts = |encoding, nullable| Role::Texts { encoding, nullable, length: None };
    let words = |encoding, nullable| {
        let ty = if encoding == Encoding::Utf16 { "const void *const *" } else { "const char *const *" };
        vec![p("n", "int", length_of(1)), p("words", ty, texts(encoding, nullable))]
    };
    let owned = || owned_by(FREE);
    let text_out = |encoding| Role::TextOut { encoding, ownership: owned(), valid_on_error: false };
    let data_out = || Role::DataOut { length: int(4), ownership: owned(), valid_on_error: false };
    let offset_out = |param| Role::OffsetOut { param, valid_on_error: false };
    let list =
        |encoding| Role::TextsOut { length: int(4), encoding, ownership: owned(), valid_on_error: false };
    let lists = vec![
        p("names", "char ***", list(Encoding::Utf8)),
        p("wides", "void ***", list(Encoding::Utf16)),
        p("raw", "char ***", list(Encoding::Bytes)),
    ];
    let days = |length, nullable| ResultRole::Texts {
        length,
        encoding: Encoding::Utf8,
        nullable,
        ownership: Ownership::Library,
    };
    let wide = |nullable| Role::Text { encoding: Encoding::Utf16, nullable };
    let wide_result = |nullable| ResultRole::Text {
        encoding: Encoding::Utf16,
        length: None,
        nullable,
        ownership: Ownership::Library,
    };
    vec![
        f("int", "kit_words", words(Encoding::Utf8, false)),
        f("int", "kit_maybe_words", words(Encoding::Utf8, true)),
        f("int", "kit_raw_words", words(Encoding::Bytes, false)),
        f("int", "kit_maybe_raw_words", words(Encoding::Bytes, true)),
        f("int", "kit_wide_words", words(Encoding::Utf16, false)),
        f("int", "kit_maybe_wide_words", words(Encoding::Utf16, true)),
        f(
            "unsigned short *",
            "kit_wide",
            vec![
                p("text", "const unsigned short *", wide(false)),
                p("end", "const unsigned short **", offset_out(0)),
            ],
        )
        .result(wide_result(false)),
        f(
            "unsigned short *",
            "kit_maybe_wide",
            vec![
                p("text", "const unsigned short *", wide(true)),
                p("end", "const unsigned short **", offset_out(0)),
            ],
        )
        .result(wide_result(true)),
        f("int", "kit_lists", lists),
        f("char **", "kit_days", vec![]).result(days(None, false)),
        f("char **", "kit_maybe_days", vec![]).result(days(None, true)),
        f("char **", "kit_holes", vec![]).result(days(Some(int(4)), false)),
        f("void", "kit_say_wide", vec![p("out", "void **", text_out(Encoding::Utf16))]),
        f("void", "kit_say", vec![p("out", "char **", text_out(Encoding::Utf8))]),
        f(
            "int",
            "kit_dump",
            vec![
                p("raw", "char **", text_out(Encoding::Bytes)),
                p("data", "void **", data_out()),
                p("numbers", "double **", data_out()),
            ],
        ),
        f(
            "long",
            "kit_number",
            vec![p("text", "const char *", text(false)), p("end", "const char **", offset_out(0))],
        ),
        f(
            "void",
            "kit_scan",
            vec![
                p("data", "const unsigned char *", buffer(true)),
                p("end", "const unsigned char **", offset_out(0)),
            ],
        ),
        f("void", "kit_digest", vec![p("out", "unsigned char *", out(sized(int(32)), ResultLength::Full))]),
    ]
}

fn structures() -> Vec<Function> {
    let point = "struct kit_point";
    vec![
        f("double", "kit_norm", vec![p("point", point, structure("kit_point", Direction::In, false))]),
        f(
            "double",
            "kit_maybe_norm",
            vec![p("point", "const struct kit_point *", structure("kit_point", Direction::In, true))],
        ),
        f(
            "int",
            "kit_middle",
            vec![p("point", "struct kit_point *", structure("kit_point", Direction::Out, false))],
        ),
        f(
            "int",
            "kit_move",
            vec![p("point", "struct kit_point *", structure("kit_point", Direction::InOut, false))],
        ),
        f(
            "int",
            "kit_maybe_move",
            vec![p("point", "struct kit_point *", structure("kit_point", Direction::InOut, true))],
        ),
        f(point, "kit_origin", vec![]).result(ResultRole::Struct {
            record: "kit_point".into(),
            nullable: false,
            ownership: Ownership::Library,
        }),
        f("const struct kit_options *", "kit_defaults", vec![]).result(ResultRole::Struct {
            record: "kit_options".into(),
            nullable: true,
            ownership: owned_by(FREE),
        }),
        f(
            "int",
            "kit_configure",
            vec![
                p("options", "const struct kit_options *", structure("kit_options", Direction::In, false)),
                p("into", "struct kit_chunk *", structure("kit_chunk", Direction::InOut, false)),
            ],
        ),
        f(
            "int",
            "kit_stream_init",
            vec![p("stream", "struct kit_stream *", started()), p("level", "int", value())],
        )
        .result(ResultRole::Status)
        .fails(Fails::Nonzero),
        f(
            "int",
            "kit_stream_copy",
            vec![
                p("to", "struct kit_stream *", started()),
                p("from", "struct kit_stream *", resident(false)),
            ],
        ),
        f(
            "int",
            "kit_stream_feed",
            vec![
                p("stream", "struct kit_stream *", resident(false)),
                p("left", "int *", Role::ValueOut { valid_on_error: false }),
            ],
        ),
        f("int", "kit_stream_end", vec![p("stream", "struct kit_stream *", resident(true))])
            .result(ResultRole::Status),
    ]
}

/// The library as a contract would bind it.
pub(crate) fn kit() -> Interface {
    let functions = [objects(), texts(), structures(), callbacks::functions()].concat();
    let mut interface = interface("kit", "kit.h", "libkit.so.1", functions);
    interface.handles = handles(&[
        ("kit", "struct kit *", Some("kit_close")),
        ("kit_item", "struct kit_item *", Some("kit_item_delete")),
        ("kit_list", "struct kit_list *", Some("kit_list_free")),
        ("kit_stream", "struct kit_stream *", None),
    ]);
    interface.structs = records::records(&interface.target);
    let location = || Location { file: "kit.h".into(), line: 1, primary: true };
    let color = Enum {
        c_name: "enum fx_color".into(),
        enumerators: vec![
            ("KIT_COLOR_RED".into(), 0),
            ("KIT_COLOR_ROT".into(), 0),
            ("KIT_COLOR_BLUE".into(), 6),
        ],
        doc: None,
        location: location(),
    };
    interface.enums.insert("fx_color".into(), color);
    let constants = ["KIT_OK", "KIT_BUSY", "KIT_COLOR_RED", "OTHER"];
    let constant =
        |name: &str| (name.to_owned(), Constant { value: ConstantValue::Int(1), location: location() });
    interface.constants = constants.map(constant).into();
    interface.symbols.insert("KIT_*".into(), vec![(0, "KIT_OK".into()), (1, "KIT_BUSY".into())]);
    let open = interface.function("kit_open").unwrap().0;
    interface.functions[usize::from(open)].error.as_mut().unwrap().value.symbols = Some("KIT_*".into());
    interface.leaves = vec![StatePart::Locale, StatePart::Handlers];
    // Calls of two of them are made again: the others change what they are given, and use objects.
    for name in ["kit_words", "kit_norm", "kit_move", "kit_compare"] {
        let index = interface.function(name).unwrap().0;
        interface.functions[usize::from(index)].idempotent = true;
    }
    interface.tries = Some(3);
    interface.recycle = RecycleLines { calls: Some(1000), memory: Some(1 << 28), ..Default::default() };
    refresh(&mut interface);
    interface
}
