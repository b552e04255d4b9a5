//! Structures in arrays, with bit-fields, and with what they point to: what is refused, and what their package is like.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use hotcell::dynamic::{self, Outcome, Value};
use hotcell::{Error, ErrorKind, Options, Session};
use hotcell_bind::Bound;
use hotcell_e2e::bound;
use hotcell_e2e::cli::{self, Folder, committed};
use hotcell_e2e::packages::{run_app, write_app};

const HEADER: &str = include_str!("../../../lab/differential/tests/records/records.h");
const SOURCE: &str = include_str!("../../../lab/differential/tests/records/records.c");
const CONTRACT: &str = include_str!("../../../lab/differential/tests/records/bind.toml");

/// The library of the comparison, behind a session.
struct Records {
    session: Session,
    bound: Bound,
    _folder: Folder,
}

impl Records {
    fn open() -> Records {
        let (folder, bound) = bound::bind("records", HEADER, SOURCE, CONTRACT);
        Records { session: bound.open(Options::default()).unwrap(), bound, _folder: folder }
    }

    fn call(&self, name: &str, args: &[Value]) -> Result<Outcome, Error> {
        let function = self.bound.interface.function(name).unwrap_or_else(|| panic!("{name} is not bound"));
        dynamic::call(&self.session, &self.bound.interface, function, args)
    }

    #[track_caller]
    fn refused(&self, name: &str, args: &[Value], message: &str) {
        let error = self.call(name, args).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }

    fn node(&self, value: i32) -> Value {
        self.call("node_new", &[Value::Int(value.into())]).unwrap().returned.unwrap()
    }
}

fn fields(list: &[(&str, Value)]) -> Value {
    Value::Struct(list.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

#[test]
fn structures_that_do_not_fit_are_refused() {
    let records = Records::open();
    let flags = |name: &str, value: i128| [fields(&[(name, Value::Int(value))])];
    records.refused("flags_sum", &flags("kind", 8), "`flags.kind` is 8; 3 bits hold 0 to 7");
    records.refused("flags_sum", &flags("level", -17), "5 bits hold -16 to 15");
    records.refused("flags_sum", &flags("color", 4), "2 bits hold 0 to 3");
    assert!(records.call("flags_sum", &flags("level", -16)).is_ok());
    let name = |text: &str| [fields(&[("name", Value::Text(text.into()))])];
    records.refused("card_length", &name("twelve chars"), "has 12 bytes; the array holds 11");
    records.refused("card_length", &name("a\0b"), "has a NUL");
    assert_eq!(records.call("card_length", &name("eleven char")).unwrap().returned, Some(Value::Int(110)));
    let label = |name: &str, kind: &str| {
        [fields(&[("name", Value::Text(name.into())), ("kind", Value::Text(kind.into()))])]
    };
    records.refused("label_sum", &label("sevenxx", ""), "has 7 bytes; the array holds 6");
    records.refused("label_sum", &label("a\0b", ""), "has a NUL");
    let sum =
        |bytes: &[u8; 13]| bytes.iter().fold(0, |sum, &byte| (sum * 31 + i128::from(byte)) % 1_000_000_007);
    let summed = |name, kind| records.call("label_sum", &label(name, kind)).unwrap().returned.unwrap();
    assert_eq!(summed("sixsix", "ab"), Value::Int(sum(b"sixsixab     ")));
    assert_eq!(summed("six", ""), Value::Int(sum(b"six\0\0\0       ")));
    let made = records.call("label_make", &[Value::Int(1)]).unwrap().returned.unwrap();
    let text = |text: &str| Value::Text(text.into());
    assert_eq!(
        made,
        fields(&[("name", text("sixsix")), ("kind", text("")), ("raw", Value::Bytes(Vec::new()))])
    );
    let corners = Value::List(vec![fields(&[]); 5]);
    records.refused("matrix_sum", &[fields(&[("corners", corners)])], "has 5 structures; the array holds 4");
    records.refused("points_sum", &[Value::Int(3)], "takes a list of structures");
    let odd = Value::List(vec![fields(&[("z", Value::Int(1))])]);
    records.refused("points_sum", &[odd], "has no field `z`");
}

#[test]
fn objects_in_arrays_are_checked_one_by_one() {
    let records = Records::open();
    let (one, two) = (records.node(1), records.node(20));
    let sum = |list: &[&Value]| {
        let list = Value::List(list.iter().map(|it| (*it).clone()).collect());
        records.call("nodes_sum", &[list]).map(|outcome| outcome.returned.unwrap())
    };
    assert_eq!(sum(&[&one, &two, &one]).unwrap(), Value::Int(((3 * 3 + 1) * 3 + 20) * 3 + 1));
    let list = Value::List(vec![two.clone(), Value::Null]);
    records.refused("nodes_sum", &[list], "takes a list of objects");
    // What the call takes over is not among the others.
    let error = records.call("nodes_join", &[one.clone(), Value::List(vec![one.clone()])]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    records.call("nodes_join", &[one.clone(), Value::List(vec![two.clone()])]).unwrap();
    assert_eq!(sum(&[&two]).unwrap(), Value::Int(3 + 21));
    assert_eq!(sum(&[&two, &one]).unwrap_err().kind(), ErrorKind::StaleHandle);
    let other = Records::open();
    let error = other.call("nodes_sum", &[Value::List(vec![two])]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::UnknownHandle | ErrorKind::StaleHandle), "{error}");
}

#[test]
fn a_length_that_cannot_be_is_a_lie() {
    let records = Records::open();
    let error = records.call("points_lie", &[Value::Int(4)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidReply, "{error}");
    let error = records.call("outline_lie", &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidReply, "{error}");
}

/// What is asserted is in the application.
#[test]
fn a_package_has_structures_of_every_kind() {
    let folder = Folder::new();
    folder.write("records.h", HEADER);
    folder.write("records.c", SOURCE);
    folder.write("bind.toml", CONTRACT);
    folder.compile_with("records", &["-Wextra", "-Werror", "-Wl,-soname,librecords.so"]);
    let runtime = format!("{{ path = {:?} }}", committed("crates/hotcell"));
    folder
        .hotcell(["gen", "bind.toml", "-I", ".", "-L", ".", "--out", "package", "--runtime", &runtime])
        .succeeds();
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--check", "--edition", "2024"]).arg(folder.path().join("package/src/lib.rs"));
    let formatted = cli::finish(&mut rustfmt, &[]);
    assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stdout));

    let dependencies = format!("records-hotcell = {{ path = \"../package\" }}\nhotcell = {runtime}");
    write_app(&folder, &dependencies, include_str!("../src/records/app.rs"));
    let here = folder.path().display().to_string();
    let variables = [("HOTCELL_RECORDS_INCLUDE", &*here), ("HOTCELL_RECORDS_LIB", &here)];
    assert_eq!(run_app(&folder, "records-hotcell", &variables), "all is well\n");
}
