//! Unions by value, by pointer and in arrays: what is refused, and what their package is like.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use hotcell::dynamic::{self, Outcome, Value};
use hotcell::{Error, ErrorKind, Options, Session};
use hotcell_bind::Bound;
use hotcell_e2e::bound;
use hotcell_e2e::cli::{self, Folder, committed};
use hotcell_e2e::packages::{run_app, write_app};

const HEADER: &str = include_str!("../../../lab/differential/tests/unions/unions.h");
const SOURCE: &str = include_str!("../../../lab/differential/tests/unions/unions.c");
const CONTRACT: &str = include_str!("../../../lab/differential/tests/unions/bind.toml");

struct Unions {
    session: Session,
    bound: Bound,
    _folder: Folder,
}

impl Unions {
    fn open() -> Unions {
        let (folder, bound) = bound::bind("unions", HEADER, SOURCE, CONTRACT);
        Unions { session: bound.open(Options::default()).unwrap(), bound, _folder: folder }
    }

    fn call(&self, name: &str, args: &[Value]) -> Result<Outcome, Error> {
        let function = self.bound.interface.function(name).unwrap_or_else(|| panic!("{name} is not bound"));
        dynamic::call(&self.session, &self.bound.interface, function, args)
    }
}

fn fields(list: &[(&str, Value)]) -> Value {
    Value::Struct(list.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

#[test]
fn the_member_that_is_there_goes_in_and_comes_out() {
    let unions = Unions::open();
    let value = |kind: i128, is: Value| fields(&[("kind", Value::Int(kind)), ("is", is)]);
    let hash = |value: Value| unions.call("value_hash", &[value]).map(|outcome| outcome.returned.unwrap());
    assert_eq!(hash(value(1, fields(&[("number", Value::Int(-5))]))).unwrap(), Value::Int(999_995));
    assert_eq!(hash(value(8, fields(&[]))).unwrap(), Value::Int(8_000_000));
    let word = fields(&[("word", Value::Null)]);
    assert_eq!(hash(value(6, word)).unwrap(), Value::Int(5_999_999));
    let name = |text: &str| value(5, fields(&[("name", Value::Text(text.into()))]));
    assert_eq!(hash(name("eleven char")).unwrap(), Value::Int(5_000_110));
    for (wrong, message) in [
        (value(2, fields(&[("number", Value::Int(1))])), "value.is has the member that kind says"),
        (value(1, fields(&[])), "value.is has the member that kind says"),
        (value(0, fields(&[("number", Value::Int(1))])), "value.is has the member that kind says"),
        (value(1, fields(&[("secret", Value::Int(1))])), "has no field `secret`"),
        (
            value(1, fields(&[("number", Value::Int(1)), ("real", Value::Float(1.0))])),
            "is a union, and has one of number, real",
        ),
        (value(1, Value::Int(1)), "takes a structure with one member"),
        (name("twelve chars"), "has 12 bytes; the array holds 11"),
    ] {
        let error = hash(wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
    let made = unions.call("values_fill", &[Value::Int(3)]).unwrap().outs.remove(0).1;
    let made_of =
        |kind: i128, is: Value| fields(&[("kind", Value::Int(kind)), ("is", is), ("after", Value::Int(-7))]);
    let expect = [
        made_of(0, fields(&[])),
        made_of(1, fields(&[("number", Value::Int(42))])),
        made_of(2, fields(&[("real", Value::Float(0.125))])),
    ];
    assert_eq!(made, Value::List(expect.to_vec()));
    // What always is the same is zero where it is not given.
    let events = Value::List(vec![fields(&[("events", Value::Int(7))])]);
    assert_eq!(unions.call("events_sum", &[events]).unwrap().returned, Some(Value::Int(7)));
}

/// What is asserted is in the application.
#[test]
fn a_package_has_unions_as_enumerations() {
    let folder = Folder::new();
    folder.write("unions.h", HEADER);
    folder.write("unions.c", SOURCE);
    folder.write("bind.toml", CONTRACT);
    folder.compile_with("unions", &["-Wextra", "-Werror", "-Wl,-soname,libunions.so"]);
    let runtime = format!("{{ path = {:?} }}", committed("crates/hotcell"));
    folder
        .hotcell(["gen", "bind.toml", "-I", ".", "-L", ".", "--out", "package", "--runtime", &runtime])
        .succeeds();
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--check", "--edition", "2024"]).arg(folder.path().join("package/src/lib.rs"));
    let formatted = cli::finish(&mut rustfmt, &[]);
    assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stdout));

    let dependencies = format!("unions-hotcell = {{ path = \"../package\" }}\nhotcell = {runtime}");
    write_app(&folder, &dependencies, include_str!("../src/unions/app.rs"));
    let here = folder.path().display().to_string();
    let variables = [("HOTCELL_UNIONS_INCLUDE", &*here), ("HOTCELL_UNIONS_LIB", &here)];
    assert_eq!(run_app(&folder, "unions-hotcell", &variables), "all is well\n");
}
