//! Headers by hand: declarations as text, and the API they make.

use std::collections::{BTreeMap, BTreeSet};

use hotcell_model::api::{
    Api, Constant, ConstantValue, Enum, Function, Location, Param, Record, RecordLayout,
};
use hotcell_model::types::{CType, Signature, Target, Type};
use serde_json::Value;

use crate::check::{Checked, Link, Selection, check};
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

fn ctype(text: &str) -> CType {
    let text = text.trim();
    let int = |bits, signed| Type::Int { bits, signed };
    let kind = if let Some(pointee) = text.strip_suffix('*') {
        let constant = pointee.trim_start().starts_with("const ");
        Type::Pointer { pointee: Box::new(ctype(pointee)), constant }
    } else {
        match text.trim_start_matches("const ").trim() {
            "void" => Type::Void,
            "_Bool" => Type::Bool,
            "char" => Type::Char,
            "unsigned char" => int(8, false),
            "short" => int(16, true),
            "int" => int(32, true),
            "unsigned" | "unsigned int" => int(32, false),
            "long" => int(64, true),
            "unsigned long" | "size_t" => int(64, false),
            "float" => Type::Float { bits: 32 },
            "double" => Type::Float { bits: 64 },
            "enum level" => Type::Enum { name: "level".into(), bits: 32, signed: false },
            "struct point" => Type::Record { name: "point".into() },
            "callback" => {
                let signature = Signature { params: Vec::new(), result: ctype("int"), variadic: false };
                Type::FunctionPointer { signature: Box::new(signature) }
            }
            other => panic!("the test helper does not know `{other}`"),
        }
    };
    CType { written: text.into(), canonical: text.into(), kind }
}

/// Splits `int name` and `char *name`; the name may be missing.
fn declarator(text: &str) -> (&str, Option<&str>) {
    let text = text.trim();
    let start = text.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).map_or(0, |at| at + 1);
    let words = ["void", "char", "int", "long", "short", "unsigned", "size_t", "float", "double"];
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
        Param { name: name.map(str::to_owned), ty, array_length }
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

/// What the declarations make, with a few constants, `enum level` and `struct point`.
pub(crate) fn api(declarations: &[&str]) -> Api {
    let constant = |value, primary| Constant { value, location: place(primary) };
    let constants = [
        ("LIMIT", constant(ConstantValue::Int(16), true)),
        ("RATIO", constant(ConstantValue::Float(0.5), true)),
        ("VERSION", constant(ConstantValue::Text("1.0".into()), true)),
        ("EAGAIN", constant(ConstantValue::Int(11), false)),
    ];
    let level = Enum {
        c_name: "enum level".into(),
        enumerators: vec![("LOW".into(), 0), ("HIGH".into(), 9)],
        doc: None,
        location: place(true),
    };
    let point = Record {
        c_name: "struct point".into(),
        union: false,
        layout: Some(RecordLayout { size: 0, align: 1, fields: Vec::new() }),
        doc: None,
        location: place(true),
    };
    Api {
        target: Target { triple: "x86_64-pc-linux-gnu".into(), pointer_bits: 64, char_signed: true },
        functions: declarations.iter().map(|declaration| function(declaration)).collect(),
        records: BTreeMap::from([("point".into(), point)]),
        enums: BTreeMap::from([("level".into(), level)]),
        constants: constants.map(|(name, constant)| (name.to_owned(), constant)).into(),
        function_macros: BTreeMap::from([("deflateInit".into(), vec!["strm".into(), "level".into()])]),
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
    check(&contract, api, Link { sonames: &sonames, exports: Some(&exports), shadowed: None }, selection)
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
