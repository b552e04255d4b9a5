//! Rust packages: formatted, documented, built by their own build.rs, and checked against the runtime's types.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hotcell_generate::rust::{self, RustOptions};
use hotcell_generate::write;
use hotcell_model::Interface;
use hotcell_model::api::{Constant, ConstantValue, Location};
use hotcell_model::interface::{Encoding, ResultRole, Role};

use crate::fixture::fixture;
use crate::support::{With, f, interface, p, text_result, value};
use crate::tools::{fixture_library, fixtures, run};
use crate::zlib::zlib;

fn lib_rs(interface: &Interface) -> String {
    let options = RustOptions { crate_name: "package".into(), runtime: "\"0.1\"".into() };
    let files = rust::render(interface, &options).unwrap();
    files.into_iter().find(|(path, _)| path == Path::new("src/lib.rs")).unwrap().1
}

/// Formats, builds, documents and type-checks a package. `search` holds the library and its header.
fn check(interface: &Interface, search: Option<(&Path, &Path)>) {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let options = RustOptions { crate_name: "package".into(), runtime: "\"0.1\"".into() };
    write(dir, &rust::render(interface, &options).unwrap(), false).unwrap();
    for file in ["build.rs", "src/lib.rs"] {
        run(Command::new("rustfmt").args(["--check", "--edition", "2024"]).arg(dir.join(file)));
    }
    let rustc = |args: &[&str]| {
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition", "2024", "-D", "warnings", "--out-dir"]).arg(dir).args(args);
        rustc.current_dir(dir).env("OUT_DIR", dir);
        rustc
    };
    run(&mut rustc(&["build.rs"]));
    let mut build = Command::new(dir.join("build"));
    build.current_dir(dir).env("OUT_DIR", dir).env_remove("CC");
    if let Some((include, lib)) = search {
        build.env("HOTCELL_FIXTURE_INCLUDE", include).env("HOTCELL_FIXTURE_LIB", lib);
    }
    let told = run(&mut build);
    assert!(told.contains("cargo:rerun-if-changed=shim"), "{told}");
    assert!(dir.join("shim.so").is_file());
    let runtime = fixtures().join("runtime.rs");
    run(rustc(&["--crate-type", "rlib", "--crate-name", "hotcell"]).arg(runtime));
    let found = format!("hotcell={}", dir.join("libhotcell.rlib").display());
    let strict = ["-D", "missing_docs", "-D", "unused"];
    let library = ["--crate-type", "rlib", "--crate-name", "package", "src/lib.rs", "--extern", &found];
    run(rustc(&library).args(strict));
    let mut rustdoc = Command::new("rustdoc");
    rustdoc.args(["--edition", "2024", "-D", "warnings", "--crate-name", "package", "src/lib.rs"]);
    rustdoc.args(["--extern", &found, "-o"]).arg(dir.join("doc"));
    run(rustdoc.current_dir(dir).env("OUT_DIR", dir));
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
fn shapes_follow_the_roles() {
    let source = lib_rs(&fixture());
    for expect in [
        "pub fn fx_not(&self, x: bool) -> hotcell::Result<bool> {",
        "call.put_u8(0, u8::from(x));",
        "Ok(reply.get_u8(0) != 0)",
        "pub fn fx_next(&self, x: u8) -> hotcell::Result<u8> {",
        "call.put_i8(0, x.cast_signed());",
        "Ok(reply.get_i8(0).cast_unsigned())",
        "pub fn fx_mix(&self, x: FxColor) -> hotcell::Result<FxColor> {",
        "pub struct FxColor(pub u32);",
        "pub const FX_MINUS: FxSign = FxSign(-1);",
        "pub fn fx_nothing(&self) -> hotcell::Result<()> {",
        "pub fn fx_flags(&self, extra: i32) -> hotcell::Result<i32> {",
        "pub fn fx_leave(&self, status: i32) -> hotcell::Result<()> {",
        "pub fn fx_length(&self, text: &str, suffix: Option<&str>) -> hotcell::Result<u64> {",
        "pub fn fx_name(&self, which: i32) -> hotcell::Result<Option<String>> {",
        "pub fn fx_find(&self, which: i32) -> hotcell::Result<String> {",
        "pub fn fx_dot(&self, a: &[f64], b: &[f64]) -> hotcell::Result<f64> {",
        "pub fn fx_reverse(&self, values: Option<&[i32]>) -> hotcell::Result<Vec<i32>> {",
        "pub fn fx_unique(&self, values: Option<&[u8]>) -> hotcell::Result<Vec<u8>> {",
        "pub fn fx_read(&self, buffer_capacity: usize, amount: i32) -> hotcell::Result<Vec<u8>> {",
        "pub fn fx_words(&self, out_capacity: usize) -> hotcell::Result<FxWordsOutput> {",
        "pub fn fx_table(&self, n: i32) -> hotcell::Result<Vec<i32>> {",
        "pub fn fx_divide(&self, a: i32, b: i32) -> hotcell::Result<FxDivideOutput> {",
        "pub struct FxDivideOutput {\n    /// What `quotient` holds.\n    pub quotient: i32,\n",
        "pub fn fx_double(&self, x: f64, y: u8) -> hotcell::Result<FxDoubleOutput> {",
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
    let dir = tempfile::tempdir().unwrap();
    let source = lib_rs(&awkward());
    fs::write(dir.path().join("lib.rs"), &source).unwrap();
    run(Command::new("rustfmt").args(["--check", "--edition", "2024"]).arg(dir.path().join("lib.rs")));
    fs::write(dir.path().join("shim.so"), "").unwrap();
    let rustc = |input: PathBuf, name: &str| {
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition", "2024", "-D", "warnings", "--crate-type", "rlib", "--crate-name", name]);
        rustc.arg("--out-dir").arg(dir.path()).arg("-L").arg(dir.path()).env("OUT_DIR", dir.path());
        rustc.arg(input);
        rustc
    };
    run(&mut rustc(fixtures().join("runtime.rs"), "hotcell"));
    let found = format!("hotcell={}", dir.path().join("libhotcell.rlib").display());
    run(rustc(dir.path().join("lib.rs"), "package").args(["--extern", &found]));
    for expect in [
        "pub struct String2 {",
        "pub fn open_(&self, self_: i32, call_: i32) -> hotcell::Result<i32> {",
        "pub fn match_(&self, type_: Option<&[u8]>, type__: &[u8]) -> hotcell::Result<()> {",
        "pub fn match__(&self) -> hotcell::Result<Option<String>> {",
        "pub fn bytes(&self) -> hotcell::Result<Option<Vec<u8>>> {",
        "pub const SMALL: i32 = -1;",
        "pub const BIG: i64 = 1099511627776;",
        "pub const HUGE: u64 = 18446744073709551615;",
        "pub const INFINITE: f64 = f64::NEG_INFINITY;",
        r#"pub const lower: &str = "say \"x\"\n";"#,
        "pub const type_: i32 = 1;",
        "/// Breaks \\<b>, \\[links\\] and \\`ticks\\`, see <http://example.org/a_b>.",
    ] {
        assert!(source.contains(expect), "{source}\nlacks: {expect}");
    }
}

#[test]
fn a_single_function_is_formatted_too() {
    let dir = tempfile::tempdir().unwrap();
    let one = interface("one", "one.h", "libone.so", vec![f("int", "one", vec![])]);
    fs::write(dir.path().join("lib.rs"), lib_rs(&one)).unwrap();
    run(Command::new("rustfmt").args(["--check", "--edition", "2024"]).arg(dir.path().join("lib.rs")));
}
