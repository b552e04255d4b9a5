//! Constants and function-like macros.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;

use hotcell_header::Job;
use hotcell_model::api::{Api, ConstantValue};

fn parse(fixture: &str) -> Api {
    let header = format!("{}/tests/fixtures/{fixture}", env!("CARGO_MANIFEST_DIR"));
    hotcell_header::parse(&Job::new([header])).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn constants_are_evaluated() {
    let api = parse("constants.h");
    let primary = api.constants.iter().filter(|(_, constant)| constant.location.primary);
    let values: BTreeMap<&str, ConstantValue> =
        primary.map(|(name, constant)| (name.as_str(), constant.value.clone())).collect();
    let int = ConstantValue::Int;
    let text = |text: &str| ConstantValue::Text(text.into());
    let expect = BTreeMap::from([
        ("INT", int(42)),
        ("NEGATIVE", int(-7)),
        ("HEX", int(255)),
        ("BIG", ConstantValue::Uint(1 << 63)),
        ("MAX_SIGNED", int(i64::MAX)),
        ("SHIFT", int(8)),
        ("CHARACTER", int(97)),
        ("SIZE", int(12)),
        ("BOOLEAN", int(1)),
        ("BYTE", int(200)),
        ("FLOAT", ConstantValue::Float(1.5)),
        ("DOUBLE", ConstantValue::Float(-2.5e10)),
        ("TEXT", text("text with \"quotes\", a ; and a {")),
        ("JOINED", text("one two")),
        ("UTF8", text("grüß")),
        ("FROM_ENUM", int(5)),
        ("ALIAS", int(42)),
        ("COMMENTED", int(5)),
        ("CONTINUED", int(3)),
        ("AGAIN", int(2)),
        ("FIRST", int(0)),
        ("SECOND", int(1)),
        ("LARGE", int(0xffff_ffff)),
        ("INSIDE", int(-3)),
        ("INT_OF_MORE", int(3)),
        ("TEXT_OF_MORE", text("two")),
    ]);
    assert_eq!(values, expect);
    assert_eq!(api.constants["AGAIN"].location.line, 50, "the last definition");
}

#[test]
fn macros_with_parameters_are_listed() {
    let api = parse("constants.h");
    let expect = [("LOG", vec!["format", "..."]), ("NO_PARAMETERS", vec![]), ("SQUARE", vec!["x"])];
    let seen: Vec<_> = api
        .function_macros
        .iter()
        .map(|(name, p)| (name.as_str(), p.iter().map(String::as_str).collect::<Vec<_>>()))
        .collect();
    assert_eq!(seen, expect);
}

#[test]
fn the_compilers_own_macros_are_left_out() {
    let api = parse("constants.h");
    for name in ["__clang__", "__x86_64__", "__SIZEOF_INT__", "__STDC_VERSION__"] {
        assert!(!api.constants.contains_key(name), "{name}");
    }
}

#[test]
fn text_that_is_not_utf8_does_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let header = dir.path().join("latin1.h");
    let text = b"/* Stra\xdfe, in Latin-1. */\nint latin1(void);\n\
                 #define LATIN1 \"\xdf\"\n#define PLAIN 1 /* \xdf */\n";
    std::fs::write(&header, text).unwrap();
    let api = hotcell_header::parse(&Job::new([header.to_str().unwrap()])).unwrap();
    assert_eq!(api.functions[0].doc.as_deref(), Some("Stra\u{fffd}e, in Latin-1."));
    assert_eq!(api.constants["PLAIN"].value, ConstantValue::Int(1));
    assert!(!api.constants.contains_key("LATIN1"));
}
