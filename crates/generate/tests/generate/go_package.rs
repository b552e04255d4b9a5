//! Go packages: formatted, and checked against the runtime.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hotcell_generate::go::{self, GoOptions, Runtime};
use hotcell_generate::write;
use hotcell_model::Interface;
use hotcell_model::api::{Constant, ConstantValue, Location};
use hotcell_model::evidence::Fact;
use hotcell_model::interface::{
    Callback, CallbackParam, CallbackRole, CallbackScope, CallbackThreads, Direction, Encoding, FieldRole,
    Restore, Role, Struct, StructField, Told,
};
use hotcell_model::layout::Block;

use crate::calls;
use crate::fixture::fixture;
use crate::objects::{self, handle, handles};
use crate::records;
use crate::rust_package::kit::kit;
use crate::support::{With, c, f, interface, p, refresh, value};
use crate::tools::run;
use crate::zlib::zlib;

mod restores;

/// The folder of the runtime's module.
fn runtime() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clients/go").canonicalize().unwrap()
}

pub(crate) fn package(name: &str, interface: &Interface) -> Vec<(PathBuf, String)> {
    rendered(name, interface, Runtime::Version("v0.1.0".into()))
}

fn rendered(name: &str, interface: &Interface, runtime: Runtime) -> Vec<(PathBuf, String)> {
    let options = GoOptions { module: format!("{name}-hotcell"), runtime, libraries: Vec::new() };
    go::render(interface, &options).unwrap().files
}

/// The Go files of a package, one behind the other.
fn sources(interface: &Interface) -> String {
    let files =
        package("p", interface).into_iter().filter(|(path, _)| path.extension().is_some_and(|it| it == "go"));
    files.map(|(path, text)| format!("// {}\n{text}\n", path.display())).collect()
}

/// Checks that a package is formatted, and that Go takes it.
fn check(interface: &Interface) -> String {
    let dir = tempfile::tempdir().unwrap();
    let package_dir = dir.path().join("package");
    let found = Runtime::Folder(runtime().display().to_string());
    write(&package_dir, &rendered("p", interface, found), false).unwrap();
    let unformatted = run(Command::new("gofmt").args(["-l", "-d", "."]).current_dir(&package_dir));
    assert_eq!(unformatted, "", "gofmt would have it otherwise");
    let work = format!("go 1.24.0\n\nuse (\n\t./package\n\t{}\n)\n", runtime().display());
    fs::write(dir.path().join("go.work"), work).unwrap();
    let mut vet = Command::new("go");
    vet.args(["vet", "."]).current_dir(&package_dir).env("GOFLAGS", "-mod=readonly").env("GOPROXY", "off");
    run(&mut vet);
    sources(interface)
}

#[test]
fn the_package_of_zlib_is_taken_by_go() {
    check(&zlib());
}

#[test]
fn the_package_of_the_fixture_is_taken_by_go() {
    check(&fixture());
}

#[test]
fn the_packages_of_objects_structures_and_callbacks_are_taken_by_go() {
    let mut structures = records::library();
    structures.functions.retain(|function| function.name != "rc_place");
    refresh(&mut structures);
    for interface in [objects::library(), structures, calls::of_calls()] {
        check(&interface);
    }
}

#[test]
fn the_package_of_a_library_with_every_role_is_taken_by_go() {
    check(&kit());
}

/// Names and documentation that are hard on a generator of Go.
fn awkward() -> Interface {
    let bytes = |nullable| Role::Text { encoding: Encoding::Bytes, nullable };
    let visit = || callback(&["int string", "int len"], "_Bool");
    let functions = vec![
        f("int", "open", vec![p("ctx", "int", value()), p("call", "int", value()), p("err", "int", value())]),
        f("void", "range", vec![p("type", "const char *", bytes(true)), p("Type", "const char *", bytes(false))]),
        f("int", "len", vec![p("string", "int", value()), p("byte", "int", value()), p("_", "int", value())]),
        f("int", "ReadByte", vec![p("time", "struct time *", handle("time")), p("rt", "int", value())]),
        f("int", "Batch", vec![p("called", "void *", visit())]),
        f("int", "J0", vec![]),
        f("int", "j0", vec![]),
        f("int", "été", vec![p("型", "int", value())]).doc(
            "Values\n\nof [all] kinds\n\n# not a heading\n\n- one\n- two\n  more\n\n1. first\n2. second\n\n[x]: y\n\n\
             So:\n\n- three\n  lines\n\nQuotes ``these'' here\n\n====\n\n+build ignore\n\u{feff}x\n",
        ),
        f("void", "_2d", vec![]),
        f("int", "clone", vec![p("new_time", "struct time *", handle("time")), p("kind_time", "int", value())]),
        f("int", "len_rows", ["rows", "row", "all", "columns", "stamp", "a"].map(|it| p(it, "int", value())).to_vec()),
        f("void", "Library", vec![p("image", "struct image *", handle("image")), p("image2", "int", value())]),
    ];
    let mut interface = interface("string", "string.h", "libc.so.6", functions);
    interface.handles = handles(&[
        ("time", "struct time *", None),
        ("image", "struct image *", None),
        ("batch", "struct batch *", None),
    ]);
    let location = || Location { file: "string.h".into(), line: 1, primary: true };
    let constants = [
        ("SMALL", ConstantValue::Int(-1)),
        ("HUGE", ConstantValue::Uint(u64::MAX)),
        ("INFINITE", ConstantValue::Float(f64::NEG_INFINITY)),
        ("lower", ConstantValue::Text("say \"x\" in rt.h\n".into())),
        ("Image", ConstantValue::Int(3)),
        ("_", ConstantValue::Int(4)),
        ("9", ConstantValue::Int(5)),
    ];
    let constants = constants.map(|(name, value)| (name.into(), Constant { value, location: location() }));
    interface.constants = constants.into();
    refresh(&mut interface);
    interface
}

/// Objects go by the names of their types, which are those of all that stands in their methods, and may be made anew.
#[test]
fn types_are_called_as_what_stands_in_methods() {
    let names = [
        "begun",
        "call",
        "calls",
        "compiled",
        "context",
        "ctx",
        "description",
        "err",
        "function",
        "functions",
        "handle",
        "handles",
        "hotcell",
        "image",
        "in",
        "index",
        "item",
        "lib",
        "library",
        "name",
        "objects",
        "offset",
        "own",
        "part",
        "reply",
        "result",
        "rt",
        "session",
    ];
    let mut functions = Vec::new();
    for name in names {
        let (it, own) = (format!("struct {name} *"), || p("it", &format!("struct {name} *"), handle(name)));
        let close = Role::Handle {
            handle: name.into(),
            consumed: true,
            on_success: false,
            nullable: false,
            invalidates: false,
        };
        let made = objects::handle_result(name, Some(&format!("{name}_close")), None);
        functions.extend([
            f(&it, &format!("{name}_make"), vec![p("number", "int", value())]).result(made),
            f("void", &format!("{name}_close"), vec![p("it", &it, close)]),
            f(
                "int",
                &format!("{name}_run"),
                vec![own(), p("function", "int", value()), p("other", "struct item *", handle("item"))],
            ),
        ]);
    }
    let mut interface = interface("names", "names.h", "libnames.so", functions);
    let types: Vec<_> =
        names.iter().map(|name| (format!("struct {name} *"), format!("{name}_close"))).collect();
    let types =
        names.iter().zip(&types).map(|(name, (ty, close))| (*name, ty.as_str(), Some(close.as_str())));
    interface.handles = handles(&types.collect::<Vec<_>>());
    for (name, of) in &mut interface.handles {
        of.restore = Some(Restore { by: vec![format!("{name}_make")], configure: Vec::new(), times: 1 });
    }
    refresh(&mut interface);
    let source = check(&interface);
    for expect in [
        "func (function_ *Function) callWith(ctx context.Context, function int, objects ...*rt.Handle) *rt.Call {",
        "func (description_ *Description) Run(ctx context.Context, function int32, other *Item) (int32, error) {",
        "the Objects is nil: Library.ObjectsMake gives one",
    ] {
        assert!(source.contains(expect), "{source}\nlacks: {expect}");
    }
}

fn callback(params: &[&str], result: &str) -> Role {
    let params = params.iter().map(|text| {
        let (ty, name) = text.rsplit_once(' ').unwrap();
        CallbackParam { name: name.into(), ty: c(ty), role: CallbackRole::Value }
    });
    let params: Vec<CallbackParam> = params.collect();
    let target = interface("x", "x.h", "libx.so", vec![]).target;
    let callback = Callback {
        args: Block::of_callback(&params, &target).unwrap(),
        params,
        result: c(result),
        scope: CallbackScope::Call,
        threads: CallbackThreads::Calls,
        stream: None,
        on_failure: Some(0),
        failure_call: None,
        user_data: None,
        user_data_from: None,
    };
    Role::Callback { callback: Box::new(callback), nullable: false }
}

#[test]
fn awkward_names_and_texts_are_still_a_package() {
    let source = check(&awkward());
    for expect in [
        "func (lib *Library) Open(ctx context.Context, ctx_, call_, err_ int32) (int32, error) {",
        "func (lib *Library) Range(ctx context.Context, type_, type_2 []byte) error {",
        "func (lib *Library) Len(ctx context.Context, string_, byte_, x int32) (int32, error) {",
        "func (time_ *Time) ReadByte2(ctx context.Context, rt_ int32) (int32, error) {",
        "called func(ctx context.Context, string_ int32, len_ int32) (bool, error)",
        "func (lib *Library) Batch2(ctx context.Context,",
        "func (lib *Library) LenRows(ctx context.Context, rows, row, all, columns, stamp, a int32) (int32, error) {",
        "func (lib *Library) LenRows2(ctx context.Context, string_, byte_, x []int32) ([]int32, error) {",
        "func (lib *Library) LenRowsRows(ctx context.Context, rows_, row_, all_, columns_, stamp, a []int32) ([]int32, error) {",
        "func (batch *calls) LenRows(rows, row, all, columns, stamp_, a int32) rt.Ticket[int32] {",
        "func (lib *Library) J0(ctx context.Context) (int32, error) {",
        "func (lib *Library) J02(ctx context.Context) (int32, error) {",
        "func (lib *Library) Été(ctx context.Context, 型 int32) (int32, error) {",
        "func (time_ *Time) Clone(ctx context.Context, kindTime int32) (int32, error) {",
        "func (lib *Library) X2d(ctx context.Context) error {",
        "\tHuge = 18446744073709551615\n",
        "\tInfinite = math.Inf(-1)\n",
        "\tLower = \"say \\\"x\\\" in rt.h\\n\"\n",
        "\tC_Image = 3\n",
        "// Values.\n//\n// of [all] kinds.\n//\n//\t# not a heading\n//\n//\t-\u{a0}one\n",
        "//\t1.\u{a0}first\n//\t2. second\n//\n//\t[x]: y\n//\n// So:\n//\n//   - three\n//     lines\n//\n// Quotes",
        "// Quotes \"these\" here.\n",
    ] {
        assert!(source.contains(expect), "{source}\nlacks: {expect}");
    }
}

#[test]
fn a_single_function_is_a_package_too() {
    let source = check(&interface("one", "one.h", "libone.so", vec![f("int", "one", vec![])]));
    assert!(!source.contains("kind"), "{source}");
}

/// A union of a number, a text and a structure, in a structure that goes both ways.
fn unions() -> Interface {
    let field = |name: &str, ty: &str, role| StructField {
        name: name.into(),
        ty: c(ty),
        role: Fact::proven(role),
        offset: None,
    };
    let of = |c_name: &str, union, fields| Struct {
        c_name: c_name.into(),
        doc: None,
        resident: false,
        union,
        fields,
        size: 0,
    };
    let text = FieldRole::Text { encoding: Encoding::Utf8, nullable: true };
    let inside = FieldRole::Union {
        record: "key".into(),
        anonymous: false,
        told: Told::By { field: 0, values: vec![vec![1], vec![2], vec![3]] },
    };
    let all = [
        ("point", of("struct point", false, vec![field("x", "double", FieldRole::Value)])),
        (
            "key",
            of(
                "union key",
                true,
                vec![
                    field("number", "int", FieldRole::Value),
                    field("text", "const char *", text),
                    field("point", "struct point", FieldRole::Struct { record: "point".into() }),
                ],
            ),
        ),
        (
            "event",
            of(
                "struct event",
                false,
                vec![field("kind", "int", FieldRole::Value), field("key", "struct key", inside)],
            ),
        ),
    ];
    let role = Role::Struct {
        record: "event".into(),
        direction: Direction::InOut,
        nullable: false,
        valid_on_error: false,
    };
    let mut interface = interface(
        "events",
        "events.h",
        "libevents.so",
        vec![f("int", "pass", vec![p("event", "struct event *", role)])],
    );
    for (name, mut record) in all {
        record.lay_out(&interface.structs, &interface.target).unwrap();
        interface.structs.insert(name.to_owned(), record);
    }
    refresh(&mut interface);
    interface
}

#[test]
fn a_union_is_an_interface_with_a_type_for_each_member() {
    let source = check(&unions());
    for expect in [
        "type Key interface {\n\tisKey()\n}",
        "type KeyNumber struct {\n\tValue int32\n}",
        "type KeyText struct {\n\tValue *string\n}",
        "type KeyPoint struct {\n\tValue Point\n}",
        "\tfill_Key(call, image, at, event.Key)\n",
        "\tevent.Key = read_Key(reply, image, at)\n",
        "\tcase KeyPoint:\n\t\timage.PutUint64(at, 3)\n\t\tmember.Value.fill(call, image, at+8)\n",
        "\tcase 1:\n\t\tvar member KeyNumber\n\t\tmember.Value = image.Int32(at + 8)\n\t\treturn member\n",
    ] {
        assert!(source.contains(expect), "{source}\nlacks: {expect}");
    }
}

/// A callback that is kept until what may be no object goes has no generator in Go.
#[test]
fn what_has_no_generator_is_left_out_and_the_rest_is_there() {
    let mut kit = kit();
    let watch = kit.functions.iter_mut().find(|function| function.name == "kit_watch").unwrap();
    let Role::Handle { nullable, .. } = &mut watch.params[0].role.value else { panic!("the kit") };
    *nullable = true;
    refresh(&mut kit);
    let runtime = Runtime::Version("v0.1.0".into());
    let options = GoOptions { module: "kit".into(), runtime, libraries: Vec::new() };
    let package = go::render(&kit, &options).unwrap();
    let told: Vec<String> = package.left_out.iter().map(ToString::to_string).collect();
    let expect = "cannot generate `kit_watch`, because a callback (`seen`) that is kept until what may be no object goes is not \
                  supported";
    assert_eq!(told, [expect]);
    let source = sources(&kit);
    assert!(source.contains(") Exec(ctx context.Context, ") && !source.contains(") Watch("), "{source}");
}
