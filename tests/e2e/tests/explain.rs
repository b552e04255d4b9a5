//! `hotcell explain` from the outside: every fact with its ground, and what is missing.

use hotcell_e2e::cli::{Folder, committed};
use serde_json::json;

#[test]
fn a_bound_function_with_the_ground_of_every_fact() {
    let folder = Folder::with_moon();
    folder.hotcell(["explain", "bind.toml", "moon_lock"]).succeeds().mentions(
        "\
bound: decided
  where   unsigned int *  a number the function reads and changes
                            decided: bind.toml:10: params.where = { inout = \"value\" }
  result  int             a number that only says whether the call failed
                            decided: bind.toml:11: error = { fails = \"nonzero\" }
  error                   the call failed when the result is not 0
                            decided: bind.toml:11: error = { fails = \"nonzero\" }
",
    );
    let sum = folder.hotcell(["explain", "bind.toml", "moon_sum"]).succeeds();
    sum.mentions("unsigned int moon_sum(const unsigned char *data, size_t data_len)\n")
        .mentions("moon.h:8\n")
        .mentions("hidden: the length of `data` in bytes\n")
        .mentions("inferred: bytes-then-length: a `const` pointer to bytes, and right behind it")
        .mentions("proven: its C type\n")
        .mentions("no rule: nothing the function returns is taken for a failure\n");
}

#[test]
fn a_function_that_is_left_out_with_the_lines_to_add() {
    let folder = Folder::with_moon();
    folder.hotcell(["explain", "bind.toml", "moon_split"]).succeeds().prints(&format!(
        "\
double moon_split(double x, int *whole)
{}:5
  The whole part, and the rest.

undecided:
  nothing says whether `whole` is read or written, and how many numbers it points to

write into the contract:
[function.moon_split]
params.whole = {{ out = \"value\" }} # or {{ inout = \"value\" }}",
        folder.path().join("moon.h").display()
    ));
    let explain = |function: &str| folder.hotcell(["explain", "bind.toml", function]).succeeds();
    explain("moon_gone").mentions("not exported:\n  libmoon.so does not export it\n");
    explain("moon_print").mentions("unsupported:\n  it takes a variable number of arguments");
}

#[test]
fn the_same_for_programs() {
    let folder = Folder::with_moon();
    let next = folder.hotcell(["explain", "bind.toml", "moon_lock"]).json();
    assert_eq!(next["status"], "bound");
    assert_eq!(next["declared"]["line"], 9);
    assert_eq!(
        next["params"],
        json!([{
            "name": "where", "type": "unsigned int *", "what": "a number the function reads and changes",
            "fact": { "role": "value-in-out", "valid_on_error": false }, "evidence": "decided",
            "rule": null, "meaning": null, "line": 10, "text": "params.where = { inout = \"value\" }",
        }])
    );
    assert_eq!((&next["result"]["evidence"], &next["error"]["line"]), (&json!("decided"), &json!(11)));
    let sum = folder.hotcell(["explain", "bind.toml", "moon_sum"]).json();
    assert_eq!(sum["params"][1]["rule"], "bytes-then-length");
    assert!(sum["params"][1]["meaning"].is_string() && sum["error"]["evidence"].is_null(), "{sum}");
    let split = folder.hotcell(["explain", "bind.toml", "moon_split"]).json();
    assert_eq!(
        (&split["status"], &split["doc"]),
        (&json!("undecided"), &json!("The whole part, and the rest."))
    );
    assert_eq!(split["reasons"].as_array().map(Vec::len), Some(1));
    assert!(
        split["help"].as_str().is_some_and(|help| help.starts_with("[function.moon_split]\n")),
        "{split}"
    );
}

#[test]
fn functions_that_are_not_selected_or_not_there() {
    let folder = Folder::with_moon();
    let zlib = committed("examples/zlib/bind.toml");
    folder
        .hotcell(["explain", &zlib, "inflateBackEnd"])
        .succeeds()
        .mentions("The contract does not select it: see its `include` and `exclude`.");
    assert_eq!(folder.hotcell(["explain", &zlib, "inflateBackEnd"]).json()["selected"], false);
    folder.hotcell(["explain", &zlib, "crc33"]).fails(113).says("did you mean `crc32`?");
    let error = folder.hotcell(["explain", "moon.h", "--lib", "./libmoon.so", "moon_ad"]);
    error.fails(113).prints_nothing().says("no function `moon_ad`").says("did you mean `moon_add`?");
    // Declared by what the header includes.
    let explain = folder.hotcell(["explain", "math.h", "--lib", "m", "cbrt"]).succeeds();
    explain.mentions("bound: proven").mentions("a number the caller passes");
}

/// A header is no word about NULL: it says what packages do, and what is loaded in Python. On a command line it is meant.
#[test]
fn a_header_alone_lets_nobody_pass_null_but_the_command_line() {
    let folder = Folder::new();
    let lines = "static inline int letter(const char *text) { return text ? text[0] : -1; }\n\
                 /** @param text a text, or NULL */\n\
                 static inline int letter_or(const char *text) { return text ? 1 : -1; }\n";
    folder.write("nulls.h", lines);
    for (name, said) in [("letter", false), ("letter_or", true)] {
        let ended = folder.hotcell(["explain", "nulls.h", name, "--lib", "c"]).succeeds();
        assert_eq!(ended.to_string().contains("NULL may be passed"), said, "{ended}");
    }
    folder.hotcell(["call", "nulls.h", "letter", "null", "--lib", "c"]).succeeds().prints("return  -1");
}
