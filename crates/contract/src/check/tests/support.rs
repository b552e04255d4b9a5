//! Headers by hand: declarations as text, and the API they make.

use std::collections::{BTreeMap, BTreeSet};

use hotcell_model::api::{
    Api, Constant, ConstantValue, Enum, Field, Function, Location, Param, Record, RecordLayout,
};
use hotcell_model::types::{CType, Signature, Target, Type};
use serde_json::Value;

use crate::check::{self, Checked, Link, Selection};
use crate::contract::Contract;
use crate::diagnostic::{Diagnostic, render};

/// A header's declarations.
pub(crate) const ZLIB: &[&str] = &[
    "const char *zlibVersion(void)",
    "unsigned long compressBound(unsigned long sourceLen)",
    "int compress2(unsigned char *dest, unsigned long *destLen, const unsigned char *source, unsigned long sourceLen, int level)",
    "int uncompress(unsigned char *dest, unsigned long *destLen, const unsigned char *source, unsigned long sourceLen)",
    "const char *zError(int code)",
];

fn place(primary: bool) -> Location {
    Location { file: "test.h".into(), line: 1, primary }
}

pub(crate) fn ctype(text: &str) -> CType {
    let text = text.trim();
    let int = |bits, signed| Type::Int { bits, signed };
    let kind = if let Some(pointee) = text.strip_suffix('*') {
        let pointer = pointee.trim_end();
        let constant = match pointer.strip_suffix("*const") {
            Some(_) => true,
            None => !pointer.ends_with('*') && pointer.trim_start().starts_with("const "),
        };
        let pointee =
            pointer.strip_suffix("const").filter(|_| pointer.ends_with("*const")).unwrap_or(pointee);
        Type::Pointer { pointee: Box::new(ctype(pointee)), constant }
    } else {
        match text.trim_start_matches("const ").trim() {
            "void" => Type::Void,
            "_Bool" => Type::Bool,
            "char" => Type::Char,
            "unsigned char" => int(8, false),
            "short" => int(16, true),
            "unsigned short" => int(16, false),
            "UChar" => return ctype_as("UChar", "unsigned short"),
            "wide" => function_pointer(
                "int",
                &["void *user", "const UChar *text", "const void *maybe", "int n", "UChar **list"],
            ),
            "int" => int(32, true),
            "unsigned" | "unsigned int" => int(32, false),
            "long" => int(64, true),
            "unsigned long" | "size_t" => int(64, false),
            "float" => Type::Float { bits: 32 },
            "double" => Type::Float { bits: 64 },
            "enum level" => Type::Enum { name: "level".into(), bits: 32, signed: false },
            "HANDLE" => return ctype_as("HANDLE", "void *"),
            "path" => return ctype_as("path", "const char *"),
            "counters" => return ctype_as("counters", "unsigned *"),
            "cstring" => return ctype_as("cstring", "const char *"),
            "file" => return ctype_as("file", "struct file_s *"),
            "FILE" => Type::Record { name: "_IO_FILE".into() },
            "db" | "stmt" | "inbuf" | "outbuf" | "stream" => {
                Type::Record { name: text.trim_start_matches("const ").trim().into() }
            }
            "long double" => Type::Unsupported { reason: "it is a `long double`".into() },
            "callback" => function_pointer("int", &[]),
            "row" => function_pointer("int", &["void *user", "int n", "char **", "const char *name"]),
            "each" => {
                function_pointer("void", &["const short *data", "size_t n", "void *user", "void *more"])
            }
            "reads" => function_pointer("int", &["void *user", "unsigned char *into", "int room"]),
            "fills" => function_pointer(
                "void",
                &["void *user", "unsigned char *into", "unsigned char *more", "int room"],
            ),
            "shorts" => function_pointer("int", &["void *user", "const short *data", "size_t n"]),
            "flagged" => {
                function_pointer("int", &["void *user", "const char *data", "size_t n", "int flags"])
            }
            "gathers" => function_pointer(
                "void",
                &["void *user", "const char *data", "size_t n", "const char *more", "size_t m"],
            ),
            "agrees_into" => function_pointer("_Bool", &["void *user", "char *into", "size_t n"]),
            "grades_into" => function_pointer("enum level", &["void *user", "char *into", "size_t n"]),
            "agrees" => function_pointer("_Bool", &["void *user", "const char *data", "size_t n"]),
            "measures" => function_pointer("double", &["void *user", "const char *data", "size_t n"]),
            "grades" => function_pointer("enum level", &["void *user", "const char *data", "size_t n"]),
            "plain" => function_pointer("unsigned char", &["int x"]),
            "real" => function_pointer("double", &["void *"]),
            "none" => function_pointer("void", &["void *"]),
            "busy" => function_pointer("int", &["void *", "int"]),
            "scalar" => function_pointer("void", &["stmt *context", "int argc", "db **argv"]),
            "last" => function_pointer("void", &["stmt *"]),
            "watch" => function_pointer(
                "void",
                &["void *", "const db *", "const void *", "void *", "struct point *"],
            ),
            record => match record.strip_prefix("struct ") {
                Some(name) => Type::Record { name: name.into() },
                None => panic!("the test helper does not know `{record}`"),
            },
        }
    };
    CType { written: text.into(), canonical: text.into(), kind }
}

/// A typedef.
fn ctype_as(name: &str, text: &str) -> CType {
    CType { written: name.into(), canonical: text.into(), kind: ctype(text).kind }
}

fn function_pointer(result: &str, params: &[&str]) -> Type {
    let param = |text: &&str| {
        let (ty, name) = declarator(text);
        (name.map(str::to_owned), ctype(ty))
    };
    let params = params.iter().map(param).collect();
    let signature = Signature { params, result: ctype(result), variadic: false };
    Type::FunctionPointer { signature: Box::new(signature) }
}

/// A structure from its fields, such as `char name[16]` and `int flag : 1`; none: it is opaque.
pub(crate) fn record(c_name: &str, fields: Option<&[&str]>) -> Record {
    let field = |text: &&str| {
        let (text, bits) = match text.split_once(" : ") {
            Some((text, bits)) => (text, bits.parse().ok()),
            None => (*text, None),
        };
        let (text, length) = match text.split_once('[') {
            Some((text, length)) => (text, Some(length.trim_end_matches(']'))),
            None => (text, None),
        };
        let (ty, name) = declarator(text);
        let mut ty = ctype(ty);
        if let Some(length) = length {
            let kind = Type::Array { element: Box::new(ty.clone()), length: length.parse().ok() };
            ty = CType { written: format!("{}[{length}]", ty.written), canonical: String::new(), kind };
        }
        Field { name: name.map(str::to_owned), ty, offset_bits: 0, bit_width: bits }
    };
    let layout =
        |fields: &[&str]| RecordLayout { size: 0, align: 1, fields: fields.iter().map(field).collect() };
    Record {
        c_name: c_name.into(),
        union: c_name.starts_with("union "),
        layout: fields.map(layout),
        doc: None,
        location: place(true),
    }
}

/// Splits `int name` and `char *name`; the name may be missing.
fn declarator(text: &str) -> (&str, Option<&str>) {
    let text = text.trim();
    let start = text.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).map_or(0, |at| at + 1);
    let words = [
        "void", "char", "int", "long", "short", "unsigned", "size_t", "float", "double", "db", "stmt",
        "HANDLE", "path", "counters", "cstring", "file", "inbuf", "outbuf", "stream",
    ];
    match &text[start..] {
        "" => (text, None),
        name if words.contains(&name) => (text, None),
        _ if ["enum", "struct"].iter().any(|word| text[..start].trim_end().ends_with(word)) => (text, None),
        name => (text[..start].trim(), Some(name)),
    }
}

/// A function from its declaration.
pub(crate) fn function(declaration: &str) -> Function {
    let (head, params) = declaration.split_once('(').unwrap();
    let (result, name) = declarator(head);
    let params: Vec<&str> = params.trim_end_matches(')').split(',').map(str::trim).collect();
    let variadic = params.last() == Some(&"...");
    let params = params.into_iter().filter(|text| !["void", "...", ""].contains(text));
    let param = |text: &str| {
        let (text, array_length) = match text.split_once('[') {
            Some((text, length)) => (text, length.trim_end_matches(']').parse().ok()),
            None => (text, None),
        };
        let (ty, name) = declarator(text);
        let ty = if array_length.is_some() { ctype(&format!("{ty} *")) } else { ctype(ty) };
        Param { name: name.map(str::to_owned), ty, array_length, open_array: false }
    };
    Function {
        name: name.unwrap().into(),
        params: params.map(param).collect(),
        result: ctype(result),
        variadic,
        prototyped: !declaration.ends_with("()"),
        inline: false,
        attributes: Vec::new(),
        doc: None,
        location: place(true),
    }
}

/// What the declarations make, with a few constants, an enumeration and some structures.
pub(crate) fn api(declarations: &[&str]) -> Api {
    let constant = |value, primary| Constant { value, location: place(primary) };
    let constants = [
        ("LIMIT", constant(ConstantValue::Int(16), true)),
        ("RATIO", constant(ConstantValue::Float(0.5), true)),
        ("VERSION", constant(ConstantValue::Text("1.0".into()), true)),
        ("E_FULL", constant(ConstantValue::Int(-2), true)),
        ("E_LOST", constant(ConstantValue::Int(-1), true)),
        ("E_OTHER", constant(ConstantValue::Int(-1), true)),
        ("EAGAIN", constant(ConstantValue::Int(11), false)),
    ];
    let level = Enum {
        c_name: "enum level".into(),
        enumerators: vec![("LOW".into(), 0), ("HIGH".into(), 9)],
        doc: None,
        location: place(true),
    };
    let records = [
        ("db", "struct db", None),
        ("stmt", "struct stmt", None),
        ("file_s", "struct file_s", None),
        ("_IO_FILE", "struct _IO_FILE", Some(&["char *next"][..])),
        ("point", "struct point", Some(&["int x", "double y"][..])),
        ("line", "struct line", Some(&["struct point from", "struct point to", "enum level level"])),
        ("person", "struct person", Some(&["const char *name", "char id[16]", "_Bool member", "float size"])),
        ("inbuf", "inbuf", Some(&["const void *src", "size_t size", "size_t pos"])),
        ("outbuf", "outbuf", Some(&["void *dst", "size_t size", "size_t pos"])),
        (
            "stream",
            "stream",
            Some(&[
                "const unsigned char *next_in",
                "unsigned avail_in",
                "unsigned char *next_out",
                "unsigned avail_out",
                "const char *msg",
                "void *state",
                "callback alloc",
            ]),
        ),
        ("flags", "struct flags", Some(&["int a : 1", "int b"])),
        ("matrix", "struct matrix", Some(&["struct point rows[3]"])),
        ("ropes", "struct ropes", Some(&["const char *names[3]"])),
        (
            "outline",
            "struct outline",
            Some(&[
                "int n",
                "struct point *points",
                "char name[8]",
                "char **tags",
                "struct point *at",
                "const double *data",
            ]),
        ),
        ("tail", "struct tail", Some(&["int n", "char data[]"])),
        ("wide", "struct wide", Some(&["long double x"])),
        ("hidden", "struct hidden", Some(&["struct mixed"])),
        ("loop", "struct loop", Some(&["struct loop again"])),
        ("mixed", "union mixed", Some(&["int a", "float b"])),
    ];
    let records = records.map(|(key, c_name, fields)| (key.to_owned(), record(c_name, fields)));
    Api {
        target: Target { triple: "x86_64-pc-linux-gnu".into(), pointer_bits: 64, char_signed: true },
        functions: declarations.iter().map(|declaration| function(declaration)).collect(),
        records: BTreeMap::from(records),
        enums: BTreeMap::from([("level".into(), level)]),
        constants: constants.map(|(name, constant)| (name.to_owned(), constant)).into(),
        function_macros: BTreeMap::from([("deflateInit".into(), vec!["strm".into(), "level".into()])]),
        initializers: BTreeMap::new(),
        variables: Vec::new(),
        left_out: Vec::new(),
    }
}

/// A whole contract from lines about functions.
pub(crate) fn contract(lines: &str) -> String {
    format!("hotcell = 1\nlibrary = \"z\"\nheaders = [\"test.h\"]\n{lines}")
}

/// Checks a contract; everything is exported.
pub(crate) fn run(api: &Api, text: &str, selection: Selection<'_>) -> Result<Checked, Vec<Diagnostic>> {
    let contract = Contract::parse(text, "bind.toml")?;
    let exports: BTreeSet<String> = api.functions.iter().map(|function| function.name.clone()).collect();
    let sonames = ["libz.so.1".to_owned()];
    check::check(
        &contract,
        api,
        Link { sonames: &sonames, exports: Some(&exports), shadowed: None, code: &[] },
        selection,
    )
}

/// Checks one function; the interface holds it alone, as JSON.
pub(crate) fn bound(api: &Api, lines: &str, name: &str) -> Value {
    let text = contract(lines);
    let checked = run(api, &text, Selection::Only(name));
    let checked = checked.unwrap_or_else(|found| panic!("{}", render(&found, &text, false)));
    let out: Vec<_> = checked.interface.left_out.iter().map(|out| (&out.reason, &out.help)).collect();
    assert_eq!(checked.interface.functions.len(), 1, "{out:?}");
    serde_json::to_value(&checked.interface.functions[0]).unwrap()
}

/// What is said about a contract that is refused.
pub(crate) fn refused(api: &Api, lines: &str) -> String {
    let text = contract(lines);
    let found = run(api, &text, Selection::Contract).expect_err("must be refused");
    render(&found, &text, false)
}

/// The roles of the parameters and the result, without their evidence.
pub(crate) fn roles(function: &Value) -> (Vec<Value>, Value) {
    let value = |fact: &Value| fact["value"].clone();
    let params = function["params"].as_array().unwrap().iter().map(|param| value(&param["role"])).collect();
    (params, value(&function["result"]))
}

/// Checks the only function of its interface against the roles of its parameters and its result.
#[track_caller]
pub(crate) fn check(declarations: &[&str], lines: &str, name: &str, params: Value, result: Value) -> Value {
    let function = bound(&api(declarations), lines, name);
    let (have, returned) = roles(&function);
    assert_eq!(Value::from(have), params);
    assert_eq!(returned, result);
    function
}

/// The errors: line, column, message, and the label and help where there are any.
pub(crate) fn said(found: &[Diagnostic], text: &str) -> Vec<String> {
    let one = |d: &Diagnostic| {
        let place = d.line(text).zip(d.column(text)).map(|(line, column)| format!("{line}:{column}: "));
        let label = if d.label.is_empty() { String::new() } else { format!(" [{}]", d.label) };
        let help = d.help.as_ref().map(|help| format!(" = {help}")).unwrap_or_default();
        format!("{}{}{label}{help}", place.unwrap_or_default(), d.message)
    };
    found.iter().filter(|d| d.severity == crate::Severity::Error).map(one).collect()
}

/// One declaration, one line about it (the fifth of the file), what is said.
#[track_caller]
pub(crate) fn line(declarations: &[&str], line: &str, expect: &str) {
    let text = contract(&format!("[function.f]\n{line}\n"));
    let found = run(&api(declarations), &text, Selection::Contract).expect_err("must be refused");
    assert_eq!(said(&found, &text), [expect], "{line}");
}
