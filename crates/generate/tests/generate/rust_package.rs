//! Rust packages: formatted, documented, built by their own build.rs, and checked against the runtime's types.

use std::fs;
use std::path::Path;
use std::process::Command;

use hotcell_generate::rust::{self, RustOptions};
use hotcell_generate::write;
use hotcell_model::Interface;
use hotcell_model::api::{Constant, ConstantValue, Location};
use hotcell_model::interface::{Encoding, GuardWord, ResultRole, Role, Threads};

use crate::calls;
use crate::fixture::fixture;
use crate::objects;
use crate::records;
use crate::support::{With, f, interface, length_of, p, refresh, text_result, value};
use crate::tools::{fixture_library, fixtures, run};
use crate::zlib::zlib;

pub(crate) mod kit;
mod restores;
mod roles;

fn options() -> RustOptions {
    RustOptions { crate_name: "package".into(), runtime: "\"0.1\"".into(), libraries: Vec::new() }
}

/// The Rust files of a package, one behind the other.
fn sources(interface: &Interface) -> String {
    let files = rust::render(interface, &options()).unwrap();
    let files = files.into_iter().filter(|(path, _)| path.starts_with("src"));
    files.map(|(path, text)| format!("// {}\n{text}\n", path.display())).collect()
}

/// Checks that the Rust files of a package in `dir` are formatted.
fn format(dir: &Path) {
    run(Command::new("rustfmt").args(["--check", "--edition", "2024"]).arg(dir.join("src/lib.rs")));
}

/// Formats, documents and type-checks the Rust files of a package in `dir`, without `rustc` having a word to say.
fn check_sources(dir: &Path) {
    format(dir);
    let tool = |program: &str, args: &[&str]| {
        let mut tool = Command::new(program);
        tool.args(["--edition", "2024", "-D", "warnings"]).args(args);
        tool.current_dir(dir).env("OUT_DIR", dir);
        tool
    };
    let runtime = fixtures().join("runtime.rs");
    run(tool("rustc", &["--crate-type", "rlib", "--crate-name", "hotcell"]).arg(runtime));
    let found = format!("hotcell={}", dir.join("libhotcell.rlib").display());
    let found = ["--extern", &found];
    let library = ["--crate-type", "rlib", "--crate-name", "package", "src/lib.rs"];
    run(tool("clippy-driver", &library).args(found).args(["-D", "missing_docs", "-D", "clippy::all"]));
    let documented = ["--crate-name", "package", "src/lib.rs", "-o", "doc"];
    run(tool("rustdoc", &documented).args(found));
    let package = format!("package={}", dir.join("libpackage.rlib").display());
    let examples = ["--test", "--crate-name", "package", "src/lib.rs", "--extern", &package];
    let told = run(tool("rustdoc", &examples).args(found));
    assert!(told.contains("1 passed"), "{told}");
}

/// Checks the Rust files of a package whose shim is another test's matter.
fn check_rust(interface: &Interface) -> String {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &rust::render(interface, &options()).unwrap(), false).unwrap();
    fs::write(dir.path().join("shim.so"), "").unwrap();
    check_sources(dir.path());
    sources(interface)
}

/// Checks and builds a package. `search` holds the library and its header.
fn check(interface: &Interface, search: Option<(&Path, &Path)>) {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, &rust::render(interface, &options()).unwrap(), false).unwrap();
    run(Command::new("rustfmt").args(["--check", "--edition", "2024"]).arg(dir.join("build.rs")));
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition", "2024", "-D", "warnings", "--out-dir"]).arg(dir).arg(dir.join("build.rs"));
    run(&mut rustc);
    let mut build = Command::new(dir.join("build"));
    build.current_dir(dir).env("OUT_DIR", dir).env_remove("CC");
    if let Some((include, lib)) = search {
        let name = interface.library.to_uppercase();
        build.env(format!("HOTCELL_{name}_INCLUDE"), include).env(format!("HOTCELL_{name}_LIB"), lib);
    }
    let told = run(&mut build);
    assert!(told.contains("cargo:rerun-if-changed=shim"), "{told}");
    assert!(dir.join("shim.so").is_file());
    check_sources(dir);
}

#[test]
fn the_package_of_zlib_builds() {
    check(&zlib(), None);
}

#[test]
fn the_package_of_the_fixture_builds() {
    let dir = tempfile::tempdir().unwrap();
    fixture_library(dir.path());
    check(&fixture(), Some((&fixtures(), dir.path())));
}

#[test]
fn the_packages_of_objects_structures_and_callbacks_build() {
    let dir = tempfile::tempdir().unwrap();
    fixture_library(dir.path());
    let mut structures = records::library();
    // A structure that only comes out of a failed call has no place in a package.
    let error = rust::render(&structures, &options()).unwrap_err().to_string();
    assert!(error.contains("rc_place") && error.contains("comes out of a failed call"), "{error}");
    structures.functions.retain(|function| function.name != "rc_place");
    refresh(&mut structures);
    for interface in [objects::library(), structures, calls::of_calls()] {
        check(&interface, Some((&fixtures(), dir.path())));
    }
}

/// Where several threads may be inside but not everywhere, a call waits for its objects before it has a lane.
#[test]
fn calls_are_begun_with_their_objects_where_there_are_rules_for_threads() {
    let mut without = objects::library();
    let list = |nullable| Role::Handles { handle: "ob_item".into(), nullable };
    let both = vec![
        p("one", "struct ob_item *", objects::handle("ob_item")),
        p("others", "struct ob_item **", list(false)),
        p("count", "int", length_of(1)),
    ];
    let none = vec![p("all", "struct ob_item **", list(true)), p("count", "int", length_of(0))];
    without.functions.extend([f("int", "ob_weigh", both), f("int", "ob_weigh_all", none)]);
    refresh(&mut without);
    assert!(!sources(&without).contains("_of("), "nothing of it is in other packages");
    let mut ruled = without.clone();
    ruled.threads = Threads::PerHandle;
    refresh(&mut ruled);
    let source = check_rust(&ruled);
    let some = "bound: &[] };";
    assert!(
        source.contains(&format!("THREADS: rt::ThreadRules = rt::ThreadRules {{ per_handle: true, {some}"))
    );
    assert!(source.contains("reentrant: false,") && source.contains("Some(&table::THREADS),"));
    let takes_objects = ruled.functions.iter().filter(|function| {
        let object =
            |role: &Role| matches!(role, Role::Handle { .. } | Role::Handles { .. } | Role::Resident { .. });
        function.params.iter().any(|param| object(&param.role.value))
    });
    let (sync, tasks) = (source.matches(".call_of(").count(), source.matches(".call_awaited_of(").count());
    assert!(sync >= takes_objects.count() && tasks == sync, "{sync} {tasks}");
    for lists in ["others.iter()", "all.into_iter().flatten()"] {
        let lists = format!("objects.extend({lists}.map(|object| Some(&object.0)));");
        assert_eq!(source.matches(&lists).count(), 3, "{lists}");
    }
    // A batch and a pipeline have the same methods, but for those that wait.
    let waits =
        source.split("impl Batch<hotcell::Pipeline> {").nth(1).unwrap().split("\n}\n").next().unwrap();
    for method in ["pub fn take<T: 'static>(", "pub fn settle(&mut self)", "pub fn in_flight(&self)"] {
        assert!(waits.contains(method), "{method}");
    }
    assert!(source.contains("impl<C: hotcell::rt::Collects> Batch<C> {"));
    assert!(source.matches(".entry_of(").count() > 5, "a pipeline waits for objects, too");
    for handle in ruled.handles.values_mut() {
        handle.thread_affine = true;
    }
    ruled.threads = Threads::Reentrant;
    refresh(&mut ruled);
    let source = check_rust(&ruled);
    assert!(source.contains("per_handle: false, bound: &[1, 2") && source.contains("reentrant: false,"));
    ruled.threads = Threads::Serialized;
    refresh(&mut ruled);
    assert!(!sources(&ruled).contains("_of("), "one thread is inside anyhow");
}

#[test]
fn shapes_follow_the_roles() {
    let source = sources(&fixture());
    for expect in [
        "pub fn not(&self, x: bool) -> hotcell::Result<bool> {",
        "call.put_u8(0, u8::from(x));",
        "Ok(reply.get_u8(0) != 0)",
        "pub fn next(&self, x: u8) -> hotcell::Result<u8> {",
        "call.put_i8(0, x.cast_signed());",
        "Ok(reply.get_i8(0).cast_unsigned())",
        "pub fn mix(&self, x: Color) -> hotcell::Result<Color> {",
        "pub struct Color(pub u32);",
        "pub const MINUS: Self = Self(-1);",
        "pub fn nothing(&self) -> hotcell::Result<()> {",
        "pub fn flags(&self, extra: i32) -> hotcell::Result<i32> {",
        "pub fn leave(&self, status: i32) -> hotcell::Result<()> {",
        "pub fn length(&self, text: &str, suffix: Option<&str>) -> hotcell::Result<u64> {",
        "pub fn name(&self, which: i32) -> hotcell::Result<Option<String>> {",
        "pub fn find(&self, which: i32) -> hotcell::Result<String> {",
        "pub fn dot(&self, a: &[f64], b: &[f64]) -> hotcell::Result<f64> {",
        "pub fn reverse(&self, values: Option<&[i32]>) -> hotcell::Result<Vec<i32>> {",
        "pub fn unique(&self, values: Option<&[u8]>) -> hotcell::Result<Vec<u8>> {",
        "pub fn read(&self, buffer_capacity: usize, amount: i32) -> hotcell::Result<Vec<u8>> {",
        "pub fn words(&self, out_capacity: usize) -> hotcell::Result<WordsOutput> {",
        "pub fn table(&self, n: i32) -> hotcell::Result<Option<Vec<i32>>> {",
        "pub fn truths(&self, truths: Option<&[bool]>) -> hotcell::Result<i32> {",
        "pub fn divide(&self, a: i32, b: i32) -> hotcell::Result<DivideOutput> {",
        "pub struct DivideOutput {\n    /// What `quotient` holds.\n    pub quotient: i32,\n",
        "pub fn double(&self, x: f64, y: u8) -> hotcell::Result<DoubleOutput> {",
    ] {
        assert!(source.contains(expect), "{source}\nlacks: {expect}");
    }
}

/// Names and documentation that are hard on a generator.
fn awkward() -> Interface {
    let long = "a_parameter_with_a_name_as_long_as_they_get";
    let bytes = |nullable| Role::Text { encoding: Encoding::Bytes, nullable };
    let typed = || Role::BufferIn { nullable: true, length: None };
    let functions = vec![
        f("int", "open", vec![p("self", "int", value()), p("call", "int", value())]),
        f("void", "match", vec![p("type", "const char *", bytes(true)), p("Type", "const char *", bytes(false))]),
        f("char", "a_function_with_a_name_as_long_as_they_get_in_c", vec![p(long, "char", value())]),
        f("int", "wide", vec![p(long, "const double *", typed()), p("other", "const double *", typed())]),
        f("const char *", "bytes", vec![]).result(ResultRole::Text {
            encoding: Encoding::Latin1,
            length: None,
            nullable: true,
            ownership: hotcell_model::interface::Ownership::Library,
        }),
        f("const char *", "Match", vec![]).result(text_result(true, None)).doc(
            "Breaks <b>, [links] and `ticks`, see http://example.org/a_b.\n\n      x = [1];\n\n===\n| a |\n# no\n",
        ),
    ];
    let mut interface = interface("string", "string.h", "libc.so.6", functions);
    let location = || Location { file: "string.h".into(), line: 1, primary: true };
    let constants = [
        ("SMALL", ConstantValue::Int(-1)),
        ("BIG", ConstantValue::Int(1 << 40)),
        ("HUGE", ConstantValue::Uint(u64::MAX)),
        ("RATIO", ConstantValue::Float(1.25)),
        ("INFINITE", ConstantValue::Float(f64::NEG_INFINITY)),
        ("lower", ConstantValue::Text("say \"x\"\n".into())),
        ("type", ConstantValue::Int(1)),
        (
            "A_CONSTANT_WITH_A_NAME_THAT_LEAVES_NO_ROOM_FOR_ITS_VALUE_ON_THE_LINE",
            ConstantValue::Text("thirty characters of some text".into()),
        ),
    ];
    let constants = constants.map(|(name, value)| (name.into(), Constant { value, location: location() }));
    interface.constants = constants.into();
    interface
}

#[test]
fn awkward_names_and_texts_are_still_a_crate() {
    let source = check_rust(&awkward());
    for expect in [
        "pub struct String2 {",
        "pub fn open_(&self, self_: i32, call_: i32) -> hotcell::Result<i32> {",
        "pub fn match_(&self, type_: Option<&[u8]>, type__: &[u8]) -> hotcell::Result<()> {",
        "pub fn Match(&self) -> hotcell::Result<Option<String>> {",
        "pub fn bytes(&self) -> hotcell::Result<Option<String>> {",
        "pub const SMALL: i32 = -1;",
        "pub const BIG: i64 = 1099511627776;",
        "pub const HUGE: u64 = 18446744073709551615;",
        "pub const INFINITE: f64 = f64::NEG_INFINITY;",
        r#"pub const LOWER: &str = "say \"x\"\n";"#,
        "/// C: `type`\npub const TYPE: i32 = 1;",
        "/// Breaks \\<b>, \\[links\\] and \\`ticks\\`, see <http://example.org/a_b>.",
    ] {
        assert!(source.contains(expect), "{source}\nlacks: {expect}");
    }
}

#[test]
fn a_single_function_is_formatted_too() {
    check_rust(&interface("one", "one.h", "libone.so", vec![f("int", "one", vec![])]));
}

#[test]
fn what_a_contract_says_of_guarded_memory_is_in_the_package() {
    let one = interface("one", "one.h", "libone.so", vec![f("int", "one", vec![])]);
    for (guard, expect) in
        [(GuardWord::None, "None"), (GuardWord::Sampled, "Sampled"), (GuardWord::All, "All")]
    {
        let source = sources(&Interface { guard, ..one.clone() });
        assert!(source.contains(&format!("\n    guard: rt::Guard::{expect},\n")), "{source}");
    }
}
