//! How much memory answers of the process that reads headers take of who asked: as much as the system lets it have.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::process::Command;

use hotcell_header::apart::{Refused, reply};

const MIB: usize = 1 << 20;

/// Bytes of an answer, nearly as many as are read of one.
const LONG: usize = 90 * MIB;

/// An answer as long as one may be, or half of that where its parts differ, that is this text again and again, within what stands before and behind it. `#` in it is another number each time.
fn long(before: &str, again: &str, behind: &str) -> Vec<u8> {
    let all = match again.split_once('#') {
        None => again.repeat(LONG / again.len()),
        Some((one, other)) => {
            let count = LONG / 2 / (again.len() + 5);
            (0..count).map(|number| format!("{one}{number:x}{other}")).collect()
        }
    };
    [before, all.trim_end_matches(','), behind].concat().into_bytes()
}

/// What stands before and behind what is repeated in an API, of which one part is filled.
fn api(part: &str, open: &str, close: &str) -> (String, String) {
    let parts = [
        ("functions", "[]"),
        ("records", "{}"),
        ("enums", "{}"),
        ("constants", "{}"),
        ("function_macros", "{}"),
    ];
    let others = parts.iter().filter(|(name, _)| *name != part);
    let others: String = others.map(|(name, empty)| format!("\"{name}\":{empty},")).collect();
    let target = r#""target":{"triple":"t","pointer_bits":64,"char_signed":true}"#;
    let before = format!("{{\"number\":1,\"reply\":{{\"api\":{{{target},{others}\"{part}\":{open}");
    (before, format!("{close}}}}}}}"))
}

/// Names the file with the answer, for a process that reads one and nothing else.
const ANSWER: &str = "HOTCELL_TEST_ANSWER";

/// What reading an answer comes to in a process that may have no more memory for data than this, beside the answer.
fn read_within(answer: &[u8], most: usize) -> String {
    let file = std::env::temp_dir().join(format!("hotcell-answer-{}", std::process::id()));
    fs::write(&file, answer).unwrap();
    let limit = (answer.len() + most) >> 10;
    let own = std::env::current_exe().unwrap();
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("ulimit -d {limit} && exec \"$0\" --exact {TEST} --nocapture")).arg(own);
    let output = command.env(ANSWER, &file).env("RUST_BACKTRACE", "0").output().unwrap();
    fs::remove_file(&file).unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

const PLACE: &str = r#""location":{"file":"/a.h","line":1,"primary":true}"#;

/// A function with these attributes and parameters.
fn function(params: &str, attributes: &str) -> String {
    let ty = r#"{"written":"int","canonical":"int","kind":{"kind":"void"}}"#;
    format!(
        "{{\"name\":\"a\",\"params\":{params},\"result\":{ty},\"variadic\":false,\"prototyped\":true,\"inline\":false,\
         \"attributes\":{attributes},\"doc\":null,{PLACE}}}"
    )
}

const TEST: &str = "an_answer_takes_no_more_memory_than_it_may";

#[test]
fn an_answer_takes_no_more_memory_than_it_may() {
    if let Some(file) = std::env::var_os(ANSWER) {
        let answer = fs::read(file).unwrap();
        match reply(&answer, 1) {
            Ok(_) => println!("it is read"),
            Err(Refused::Large) => println!("it is too large"),
            Err(_) => println!("it is no answer"),
        }
        return;
    }
    let functions = |open: &str, close: &str| api("functions", &format!("[{open}"), &format!("{close}]"));
    let macros =
        |open: &str, close: &str| api("function_macros", &format!("{{{open}"), &format!("{close}}}"));
    let enumerators = format!("{{\"a\":{{\"c_name\":\"a\",\"doc\":null,{PLACE},\"enumerators\":[");
    let within = |text: &str, at: &str| {
        let (one, other) = text.split_once(at).unwrap();
        (format!("{one}{at}"), other.to_owned())
    };
    let (in_type, behind_type) = within(&function("[]", "[]"), "\"kind\":{");
    let (in_attribute, behind_attribute) = within(&function("[]", "[{}]"), "\"attributes\":[{");
    let nobody = ("{\"number\":1,\"nobody\":[", "]}");
    // Whether it is refused for its size, and not because no header says it.
    for (what, (before, behind), again, is_large) in [
        ("a field that nobody knows", (nobody.0.into(), nobody.1.into()), "0,", false),
        (
            "a field of a type that nobody knows",
            functions(&format!("{in_type}\"nobody\":["), &format!("],{behind_type}")),
            "0,",
            false,
        ),
        (
            "a field of an attribute that nobody knows",
            functions(&format!("{in_attribute}\"nobody\":["), &format!("]{behind_attribute}")),
            "0,",
            true,
        ),
        (
            "attributes",
            functions(
                &within(&function("[]", "[]"), "\"attributes\":[").0,
                &within(&function("[]", "[]"), "\"attributes\":[").1,
            ),
            "{\"attribute\":\"malloc\"},",
            true,
        ),
        ("names of parameters", macros("\"a\":[", "]"), "\"a\",", true),
        ("macros", macros("", ""), "\"#\":[],", true),
        ("enumerators", api("enums", &enumerators, "]}}"), "[\"a\",0],", true),
        (
            "the value of a constant",
            api("constants", &format!("{{\"a\":{{{PLACE},\"value\":{{\"value\":["), "]}}}"),
            "0,",
            true,
        ),
    ] {
        let answer = long(&before, again, &behind);
        let said = read_within(&answer, 450 * MIB);
        assert!(said.contains("1 passed"), "{what}: {said}");
        assert_eq!(said.contains("it is too large"), is_large, "{what}: {said}");
    }
}

/// What lies within itself so often takes no stack of the caller's that a thread does not have.
#[test]
fn an_answer_without_a_bottom_is_refused() {
    let deep = |open: &str, close: &str| {
        let answer = format!(
            "{{\"number\":1,\"reply\":{{\"api\":{{\"x\":{}{}}}}}}}",
            open.repeat(100_000),
            close.repeat(100_000)
        );
        assert!(matches!(reply(answer.as_bytes(), 1), Err(Refused::Strange(_))));
    };
    deep("[", "]");
    deep("{\"a\":", "}");
    let pointer = r#"{"written":"a","canonical":"a","kind":{"kind":"pointer","constant":true,"pointee":"#;
    let (before, behind) = api("functions", "[", "]");
    let (one, other) = function("[]", "[]")
        .split_once("\"result\":")
        .map(|(one, other)| (format!("{one}\"result\":"), other.to_owned()))
        .unwrap();
    let answer = format!("{before}{one}{}{}{other}{behind}", pointer.repeat(100_000), "}}".repeat(100_000));
    assert!(matches!(reply(answer.as_bytes(), 1), Err(Refused::Strange(_))));
}
