//! A library by hand with every role, as a package that compiles.

use std::collections::BTreeMap;

use hotcell_generate::rust;
use hotcell_generate::write;
use hotcell_model::api::{Constant, ConstantValue, Enum, Location};
use hotcell_model::evidence::Fact;
use hotcell_model::expr::Expr;
use hotcell_model::interface::{
    Callback, CallbackParam, CallbackRole, CallbackScope, Direction, Encoding, Fails, FieldRole, Filled,
    Function, Interface, Ownership, ResultRole, Role, Start, Struct, StructField, Unit,
};
use hotcell_model::layout::Block;
use hotcell_model::types::{CType, Type};

use super::{check_rust, format, options};
use crate::objects::{consumed, handle, handle_out, handle_result, handles, owned_by};
use crate::support::{With, buffer, c, f, int, interface, length_of, out, p, refresh, sized, text, value};

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

fn nullable(role: Role) -> Role {
    match role {
        Role::Handle { handle, consumed, on_success, invalidates, .. } => {
            Role::Handle { handle, consumed, on_success, nullable: true, invalidates }
        }
        other => panic!("{other:?} is no handle"),
    }
}

fn callback(params: Vec<(&str, &str, CallbackRole)>, result: &str, nullable: bool) -> Role {
    let param =
        |(name, ty, role): (&str, &str, CallbackRole)| CallbackParam { name: name.into(), ty: c(ty), role };
    let params: Vec<_> = params.into_iter().map(param).collect();
    let target = interface("kit", "kit.h", "libkit.so.1", vec![]).target;
    let args = Block::of_callback(&params, &target).unwrap();
    let (result, scope) = (c(result), CallbackScope::Call);
    let callback = Callback {
        params,
        args,
        result,
        scope,
        on_failure: Some(1),
        user_data: Some(1),
        user_data_from: None,
    };
    Role::Callback { callback: Box::new(callback), nullable }
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
    let texts = |encoding, nullable| Role::Texts { encoding, nullable };
    let words = |encoding, nullable| {
        vec![p("n", "int", length_of(1)), p("words", "const char *const *", texts(encoding, nullable))]
    };
    let owned = || owned_by(FREE);
    let text_out = |encoding| Role::TextOut { encoding, ownership: owned(), valid_on_error: false };
    let data_out = || Role::DataOut { length: int(4), ownership: owned(), valid_on_error: false };
    let offset_out = |param| Role::OffsetOut { param, valid_on_error: false };
    vec![
        f("int", "kit_words", words(Encoding::Utf8, false)),
        f("int", "kit_maybe_words", words(Encoding::Utf8, true)),
        f("int", "kit_raw_words", words(Encoding::Bytes, false)),
        f("int", "kit_maybe_raw_words", words(Encoding::Bytes, true)),
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
        f(
            "void",
            "kit_digest",
            vec![p(
                "out",
                "unsigned char *",
                out(sized(int(32)), hotcell_model::interface::ResultLength::Full),
            )],
        ),
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

fn callbacks() -> Vec<Function> {
    let user = |callback| p("user", "void *", Role::UserData { callback });
    let texts = |nullable| CallbackRole::Texts { length: 1, encoding: Encoding::Utf8, nullable };
    let row = callback(
        vec![
            ("user", "void *", CallbackRole::UserData),
            ("columns", "int", CallbackRole::LengthOf { param: 2 }),
            ("values", "char **", texts(true)),
            ("names", "char **", texts(false)),
        ],
        "int",
        true,
    );
    let mixed = callback(
        vec![
            ("text", "const char *", CallbackRole::Text { encoding: Encoding::Utf8, nullable: false }),
            ("maybe", "const char *", CallbackRole::Text { encoding: Encoding::Bytes, nullable: true }),
            ("data", "const double *", CallbackRole::Buffer { length: 3, unit: Unit::Elements }),
            ("n", "int", CallbackRole::LengthOf { param: 2 }),
            ("color", "enum fx_color", CallbackRole::Value),
            ("user", "void *", CallbackRole::UserData),
        ],
        "double",
        false,
    );
    let plain =
        |result, nullable| callback(vec![("user", "void *", CallbackRole::UserData)], result, nullable);
    let raw = callback(
        vec![
            ("data", "const void *", CallbackRole::Buffer { length: 1, unit: Unit::Bytes }),
            ("n", "int", CallbackRole::LengthOf { param: 0 }),
            ("type", "int", CallbackRole::Value),
        ],
        "_Bool",
        false,
    );
    vec![
        f(
            "int",
            "kit_exec",
            vec![
                p("db", "struct kit *", handle("kit")),
                p("sql", "const char *", text(false)),
                p("row", "void *", row),
                user(2),
                p(
                    "complaint",
                    "char **",
                    Role::TextOut {
                        encoding: Encoding::Utf8,
                        ownership: owned_by(FREE),
                        valid_on_error: true,
                    },
                ),
            ],
        )
        .result(ResultRole::Status)
        .fails(Fails::Nonzero)
        .message(Expr::Param { index: 4 }),
        f("double", "kit_walk", vec![p("visit", "void *", mixed), user(0)]),
        f(
            "int",
            "kit_two",
            vec![
                p("done", "void *", plain("void", false)),
                p("next", "void *", plain("long", true)),
                user(0),
                user(1),
            ],
        ),
        f("void", "kit_each", vec![p("each", "void *", raw), user(0)]),
    ]
}

fn array(element: &str, length: u64) -> CType {
    let written = format!("{element} [{length}]");
    let kind = Type::Array { element: Box::new(c(element)), length: Some(length) };
    CType { canonical: written.clone(), written, kind }
}

fn record(c_name: &str, resident: bool, fields: Vec<(&str, CType, FieldRole)>) -> Struct {
    let field = |(name, ty, role): (&str, CType, FieldRole)| StructField {
        name: name.into(),
        ty,
        role: Fact::proven(role),
        offset: None,
    };
    let fields = fields.into_iter().map(field).collect();
    Struct { c_name: c_name.into(), doc: None, resident, fields, size: 0 }
}

fn records() -> BTreeMap<String, Struct> {
    let text = |nullable| FieldRole::Text { encoding: Encoding::Utf8, nullable };
    let raw = |nullable| FieldRole::Text { encoding: Encoding::Bytes, nullable };
    let length_of = |field| FieldRole::LengthOf { field, unit: Unit::Elements };
    let number = |name, ty| (name, c(ty), FieldRole::Value);
    let point = record("struct kit_point", false, vec![number("x", "double"), number("y", "double")]);
    let mut options = record(
        "struct kit_options",
        false,
        vec![
            number("verbose", "_Bool"),
            number("level", "char"),
            number("color", "enum fx_color"),
            ("name", c("const char *"), text(false)),
            ("type", c("const char *"), text(true)),
            ("raw", c("const char *"), raw(false)),
            ("maybe_raw", c("const char *"), raw(true)),
            ("origin", c("struct kit_point"), FieldRole::Struct { record: "kit_point".into() }),
            ("weights", array("float", 3), FieldRole::Array { length: 3 }),
            ("id", array("char", 65), FieldRole::Array { length: 65 }),
            ("reserved", c("void *"), FieldRole::Zero),
        ],
    );
    options.doc = Some("How to start.".into());
    let chunk = record(
        "struct kit_chunk",
        false,
        vec![
            ("samples", c("const short *"), FieldRole::BufferIn { nullable: true }),
            ("n", c("int"), length_of(0)),
            (
                "room",
                c("double *"),
                FieldRole::BufferOut {
                    capacity: 3,
                    unit: Unit::Elements,
                    filled: Filled::Field { field: 4 },
                },
            ),
            number("capacity", "int"),
            number("used", "int"),
        ],
    );
    let stream = record(
        "struct kit_stream",
        true,
        vec![
            ("next_in", c("const unsigned char *"), FieldRole::BufferIn { nullable: false }),
            ("avail_in", c("int"), length_of(0)),
            (
                "next_out",
                c("unsigned char *"),
                FieldRole::BufferOut { capacity: 3, unit: Unit::Bytes, filled: Filled::Left { field: 3 } },
            ),
            number("avail_out", "unsigned int"),
            ("msg", c("const char *"), text(true)),
            number("object", "int"),
            ("state", c("void *"), FieldRole::Own),
        ],
    );
    // Only ever within another.
    let inner = record("struct kit_inner", false, vec![number("a", "int")]);
    let hollow = record("struct kit_hollow", false, vec![("pad", c("void *"), FieldRole::Zero)]);
    [
        ("kit_point", point),
        ("kit_options", options),
        ("kit_chunk", chunk),
        ("kit_stream", stream),
        ("kit_inner", inner),
        ("kit_hollow", hollow),
    ]
    .map(|(name, record)| (name.to_owned(), record))
    .into()
}

/// The library as a contract would bind it.
pub(crate) fn kit() -> Interface {
    let functions = [objects(), texts(), structures(), callbacks()].concat();
    let mut interface = interface("kit", "kit.h", "libkit.so.1", functions);
    interface.handles = handles(&[
        ("kit", "struct kit *", Some("kit_close")),
        ("kit_item", "struct kit_item *", Some("kit_item_delete")),
        ("kit_list", "struct kit_list *", Some("kit_list_free")),
        ("kit_stream", "struct kit_stream *", None),
    ]);
    let mut structs = records();
    structs.get_mut("kit_options").unwrap().fields.push(StructField {
        name: "inner".into(),
        ty: c("struct kit_inner"),
        role: Fact::proven(FieldRole::Struct { record: "kit_inner".into() }),
        offset: None,
    });
    structs.get_mut("kit_options").unwrap().fields.push(StructField {
        name: "hollow".into(),
        ty: c("struct kit_hollow"),
        role: Fact::proven(FieldRole::Struct { record: "kit_hollow".into() }),
        offset: None,
    });
    for key in ["kit_point", "kit_inner", "kit_hollow", "kit_options", "kit_chunk", "kit_stream"] {
        let mut record = structs[key].clone();
        record.lay_out(&structs, &interface.target).unwrap();
        structs.insert(key.into(), record);
    }
    interface.structs = structs;
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
    refresh(&mut interface);
    interface
}

#[test]
fn every_role_is_a_crate_without_a_warning() {
    let source = check_rust(&kit());
    for expect in [
        // Objects: a type each, methods on the first that must be there, children that keep their parent.
        "pub struct Library {",
        "pub struct Kit(pub(crate) rt::Handle);",
        "pub fn kit_open(&self, path: Option<&str>) -> hotcell::Result<Option<Kit>> {",
        "pub fn close(self) -> hotcell::Result<()> {",
        "call.put_consumed(0, \"db\", &self.0, Self::TYPE)?;",
        "pub fn list_new(&self, size: i32) -> hotcell::Result<Option<List>> {",
        "reply.opt_handle(0, List::TYPE, true, Some(&self.0))?;",
        "pub fn append(\n        &self,\n        item: Item,\n        after: Option<&Item>,\n        spare: Option<Item>,\n    )",
        "call.put_opt_handle(16, \"after\", after.map(|object| &object.0), Item::TYPE)?;",
        "if let Some(spare) = &spare {\n            call.put_consumed(24, \"spare\", &spare.0, Item::TYPE)?;",
        "pub fn get(&self, at: i32) -> hotcell::Result<Item> {",
        "reply.handle(0, Item::TYPE, false, Some(&self.0))?;",
        "pub fn compare(&self, a: Option<&Item>, b: Option<&Item>) -> hotcell::Result<i32> {",
        "let parent = near.map(|parent| &parent.0);",
        "pub fn split(&self) -> hotcell::Result<SplitOutput> {",
        "/// What was borrowed from `self` is stale afterwards.",
        "    pub first: Option<List>,\n",
        // What the runtime must know of them.
        "owned: &[rt::OwnedField { offset: 0, kind: 1, image: 0, release: None }], ..function(\"kit_open\", 16, 16)",
        "rt::HandleType { name: \"kit\", release: Some(rt::Release { function: KIT_CLOSE, offset: 0, image: 0 }) },",
        "image: 64, release: Some(rt::Release { function: KIT_STREAM_END, offset: 0, image: 64 }) }",
        "rt::HandleType { name: \"kit_stream\", release: None },",
        "symbols: &KIT_SYMBOLS,",
        "static KIT_SYMBOLS: [(i64, &str); 2] = [\n    (0, \"KIT_OK\"),\n    (1, \"KIT_BUSY\"),\n];",
        // Texts, data and places.
        "pub fn words(&self, words: &[impl AsRef<str>]) -> hotcell::Result<i32> {",
        "pub fn maybe_words(&self, words: Option<&[&str]>) -> hotcell::Result<i32> {",
        "pub fn raw_words(&self, words: &[impl AsRef<[u8]>]) -> hotcell::Result<i32> {",
        "pub fn say(&self) -> hotcell::Result<Option<String>> {",
        "    pub numbers: Option<Vec<f64>>,\n",
        "end: reply.offset(8, text.len())?,",
        "pub fn scan(&self, data: Option<&[u8]>) -> hotcell::Result<Option<usize>> {",
        // Structures.
        "pub fn norm(&self, point: &Point) -> hotcell::Result<f64> {",
        "pub fn maybe_norm(&self, point: Option<&Point>) -> hotcell::Result<f64> {",
        "    pub point: Point,\n",
        "pub fn kit_move(&self, point: &mut Point) -> hotcell::Result<i32> {",
        "pub fn maybe_move(&self, point: Option<&mut Point>) -> hotcell::Result<i32> {",
        "pub fn origin(&self) -> hotcell::Result<Point> {",
        "pub fn defaults(&self) -> hotcell::Result<Option<Options>> {",
        "/// How to start.\n///\n/// C: `struct kit_options`\n#[derive(Debug, Clone, PartialEq)]\npub struct Options {",
        "    /// C: `char id[65]`\n    pub id: [u8; 65],\n",
        "impl Default for Options {",
        "#[derive(Debug, Clone, Default, PartialEq)]\npub struct Point {",
        "let taken = image.advanced(reply, at, data.len() * 2)?;\n            data.drain(..taken / 2);",
        "        if !filled.is_empty() {\n            let start = usize::try_from(self.used).unwrap_or(0);\n            self.room.resize(start, Default::default());\n            self.room.extend(filled);\n        }\n        self.capacity = ",
        "self.next_out = image.buffer(reply, at + 24)?;",
        "/// C: `double *room`. What calls filled; there is room for `capacity` elements.",
        // A structure that lives in the worker.
        "pub fn new(library: &Library) -> Self {",
        "pub fn init(&mut self, level: i32) -> hotcell::Result<()> {",
        "pub fn copy(&mut self, from: &mut Stream) -> hotcell::Result<i32> {",
        "pub fn end(self) -> hotcell::Result<()> {",
        "    pub object_: i32,\n",
        // Callbacks.
        "mut row: Option<&mut dyn FnMut(&[Option<String>], &[String]) -> i32>,",
        "mut visit: impl FnMut(&str, Option<&[u8]>, &[f64], FxColor) -> f64,",
        "mut done: impl FnMut(),\n        mut next: Option<&mut dyn FnMut() -> i64>,",
        "pub fn each(&self, mut each: impl FnMut(&[u8], i32) -> bool) -> hotcell::Result<()> {",
        "call.finish_with(&mut [&mut run, &mut run_])?;",
        "/// `row` is called with `values`, `names`.",
        // Enumerations and constants.
        "    /// C: `KIT_COLOR_BLUE`\n    pub const BLUE: Self = Self(6);",
        "            0 => f.write_str(\"RED\"),\n            6 => f.write_str(\"BLUE\"),",
        "/// C: `KIT_BUSY`\npub const BUSY: i32 = 1;\n",
    ] {
        assert!(source.contains(expect), "{source}\nlacks: {expect}");
    }
    // Enumerators are constants of their type alone.
    assert!(!source.contains("COLOR_RED: i32"), "{source}");
}

/// Lines break where rustfmt breaks them, as long as names are of lengths that occur.
#[test]
fn names_of_all_lengths_are_formatted() {
    let text = kit().to_json();
    for length in 1..30 {
        let more = "x".repeat(length);
        let mut interface = Interface::from_json(&text.replace("\"kit_", &format!("\"kit_{more}"))).unwrap();
        for function in &mut interface.functions {
            for param in &mut function.params {
                param.name.push_str(&more);
                if let Role::Callback { callback, .. } = &mut param.role.value {
                    callback.params.iter_mut().for_each(|param| param.name.push_str(&more));
                }
            }
        }
        let fields = interface.structs.values_mut().flat_map(|record| &mut record.fields);
        fields.for_each(|field| field.name.push_str(&more));
        refresh(&mut interface);
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &rust::without_shim(&interface, &options()).unwrap(), false).unwrap();
        format(dir.path());
    }
}

/// Where a type has many methods, those of one kind have a file.
#[test]
fn many_methods_are_spread_over_files() {
    let mut interface = kit();
    let list = || p("list", "struct kit_list *", handle("kit_list"));
    for number in 10..25 {
        let count = p("count", "int *", Role::ValueOut { valid_on_error: false });
        interface.functions.push(f("int", &format!("kit_list_bind_x{number}"), vec![list(), count]));
        interface.functions.push(f("int", &format!("kit_list_column_{number}"), vec![list()]));
        interface.functions.push(f("int", &format!("kit_table_{number}"), vec![]));
    }
    refresh(&mut interface);
    let source = check_rust(&interface);
    for expect in [
        "// src/list/bind.rs\n//! Methods of `List` whose names start with `bind`.",
        "// src/list/column.rs\n",
        "// src/functions/table_.rs\n",
        "mod bind;\nmod column;\n\npub use bind::{\n    BindX10Output,",
        "pub fn append(\n",
    ] {
        assert!(source.contains(expect), "{source}\nlacks: {expect}");
    }
}
