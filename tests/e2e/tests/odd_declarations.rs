//! Declarations that say something else than they seem to: what is bound of them is called as C calls it, and the rest says why not.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell_e2e::cli::Folder;
use serde_json::Value;

fn folder(header: &str, code: &str) -> Folder {
    let folder = Folder::new();
    folder.write("odd.h", header);
    folder.write("odd.c", code);
    folder.compile("odd");
    folder.write(
        "bind.toml",
        "hotcell = 1\nlibrary = \"odd\"\nheaders = [\"odd.h\"]\nlink = [\"./libodd.so\"]\n",
    );
    folder
}

/// What is told of each function: its status, and the reason where it is left out.
fn told(folder: &Folder) -> Vec<(String, String, String)> {
    let report = folder.hotcell(["check", "bind.toml"]).json();
    let functions = report["functions"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    functions.iter().map(|it| (text(&it["name"]), text(&it["status"]), text(&it["reason"]))).collect()
}

#[test]
fn a_function_is_called_by_the_symbol_that_its_header_says() {
    let folder = folder(
        "int both(int x) __asm__(\"other\");\nint there(int x) __asm__(\"hidden_name\");\n\
         int gone(int x) __asm__(\"missing\");\n",
        "int both(int x) { return x + 1000; }\nint other(int x) { return x + 1; }\n\
         int hidden_name(int x) { return x + 2; }\nint gone(int x) { return x; }\n",
    );
    let expect = [
        ("both", "bound", ""),
        ("there", "bound", ""),
        ("gone", "not_exported", "libodd.so does not export `missing`, by which the header calls it"),
    ];
    let told = told(&folder);
    let told: Vec<_> = told.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str())).collect();
    assert_eq!(told, expect);
    folder.hotcell(["call", "bind.toml", "both", "1"]).succeeds().prints("return  2");
    folder.hotcell(["call", "bind.toml", "there", "1"]).succeeds().prints("return  3");
    folder.hotcell(["call", "bind.toml", "gone", "1"]).fails(116).says("does not export `missing`");
}

/// What they take is what their types are promoted to: no prototype says it.
#[test]
fn definitions_with_names_in_their_parentheses_are_refused() {
    let folder = folder(
        "static int narrow(a) char a; { return a; }\nint wide(a) int a; { return a; }\n\
         int declared(int a);\nint declared(a) int a; { return a + 1; }\n",
        "int unused(void) { return 0; }\n",
    );
    let told = told(&folder);
    for (name, status, reason) in &told[..2] {
        assert_eq!(status, "unsupported", "{name}");
        assert!(reason.starts_with("it is declared without a prototype"), "{name}: {reason}");
    }
    assert_eq!(told[2].1, "bound", "{told:?}");
    folder.hotcell(["call", "bind.toml", "declared", "1"]).succeeds().prints("return  2");
}

#[test]
fn a_fixed_argument_knows_no_parameter() {
    let folder = folder("int next(int x, int y);\n", "int next(int x, int y) { return x + y; }\n");
    let with = |c: &str| {
        let head = "hotcell = 1\nlibrary = \"odd\"\nheaders = [\"odd.h\"]\nlink = [\"./libodd.so\"]\n";
        folder.write("bind.toml", format!("{head}[function.next]\nparams.y = {{ fixed = \"{c}\" }}\n"));
        folder.hotcell(["check", "bind.toml"])
    };
    with("x + 1").fails(113).says("--> bind.toml:6:14\n").says("`x` is a parameter of `next`");
    for c in ["2) + (3", "(2", "2 // y", "2 /* y", "'"] {
        with(c).fails(113).says("`fixed` is one C expression");
    }
    with("2 /* x + y */ + 3").succeeds();
    folder.hotcell(["call", "bind.toml", "next", "1"]).succeeds().prints("return  6");
}
