//! `hotcell gen` from the outside: packages that are stable, checked, whole, and that work.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use hotcell_direct::zlib as direct;
use serde_json::Value;

use hotcell_e2e::cli::{Folder, Hotcell, committed, files};
use hotcell_e2e::packages::{run_app, write_app};

/// The contract of the example into a folder.
fn generate(folder: &Folder, out: &str) -> Hotcell {
    folder.hotcell(["gen", &committed("examples/zlib/bind.toml"), "--out", out])
}

/// Byte for byte where zlib is the version the package was generated from; elsewhere, function by function.
#[test]
fn the_committed_package_is_current() {
    let folder = Folder::new();
    let package = committed("examples/zlib/rust");
    let fresh = folder.path().join("fresh").display().to_string();
    let runtime = r#"{ path = "../../../crates/hotcell", version = "0.1.0" }"#;
    generate(&folder, &fresh).and(["--runtime", runtime]).succeeds();
    let (old, new) = (interface(&package), interface(&fresh));
    let advice = "examples/zlib/rust is not what is generated now; run `cargo dev golden --update`";
    assert_eq!(functions(&old), functions(&new), "{advice}");
    if old["constants"]["ZLIB_VERSION"]["value"] == new["constants"]["ZLIB_VERSION"]["value"] {
        let output = generate(&folder, &package).and(["--check", "--runtime", runtime]).output();
        assert!(output.status.success(), "{advice}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn interface(package: &str) -> Value {
    let text = std::fs::read_to_string(Path::new(package).join("interface.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Names and fingerprints.
fn functions(interface: &Value) -> Vec<(Value, Value)> {
    let functions = interface["functions"].as_array().unwrap();
    assert!(functions.len() >= 70, "{functions:?}");
    functions.iter().map(|function| (function["name"].clone(), function["fingerprint"].clone())).collect()
}

#[test]
fn the_same_bytes_every_time() {
    let folder = Folder::new();
    generate(&folder, "first").succeeds().mentions("first is written");
    generate(&folder, "deep/second").succeeds();
    let first = files(&folder.path().join("first"));
    assert_eq!(first, files(&folder.path().join("deep/second")));
    for file in ["Cargo.toml", "build.rs", "interface.json", "shim/shim.c", "src/lib.rs"] {
        assert!(first.get(Path::new(file)).is_some_and(|text| !text.is_empty()), "{file}");
    }
}

#[test]
fn current_files_are_not_touched_and_others_are_replaced() {
    let folder = Folder::new();
    generate(&folder, "out").succeeds();
    let before = folder.files();
    let inode = |file: &str| fs::metadata(folder.path().join(file)).expect(file).ino();
    let untouched = inode("out/src/lib.rs");
    folder.write("out/build.rs", "edited");
    folder.write("out/notes.txt", "the user's own");
    generate(&folder, "out").succeeds();
    assert_eq!(inode("out/src/lib.rs"), untouched, "written again although it was current");
    assert_eq!(folder.read("out/build.rs"), before[Path::new("out/build.rs")]);
    assert_eq!(folder.read("out/notes.txt"), b"the user's own");
}

#[test]
fn check_names_what_differs_and_writes_nothing() {
    let folder = Folder::new();
    generate(&folder, "out").succeeds();
    generate(&folder, "out").and(["--check"]).succeeds().mentions("up to date");
    folder.write("out/src/lib.rs", "edited");
    fs::remove_file(folder.path().join("out/build.rs")).expect("it was generated");
    let before = folder.files();
    let check = generate(&folder, "out").and(["--check"]).fails(113).prints_nothing();
    check.says("src/lib.rs").says("build.rs").does_not_say("Cargo.toml");
    generate(&folder, "new").and(["--check"]).fails(113).says("src/lib.rs");
    assert_eq!(folder.files(), before);
    assert!(!folder.path().join("new").exists(), "--check made a folder");
}

#[test]
fn what_cannot_be_written_is_not_half_written() {
    let folder = Folder::new();
    folder.write("file", "mine");
    folder.write("partly/shim", "a file where a folder must be");
    let before = folder.files();
    for out in ["file", "file/below", "partly"] {
        generate(&folder, out).fails(113).prints_nothing().says("cannot ").says(out);
    }
    assert_eq!(folder.files(), before);
}

#[test]
fn mistakes_in_contracts_are_shown_and_nothing_is_written() {
    let folder = Folder::new();
    let head = "hotcell = 1\nlibrary = \"z\"\nheaders = [\"zlib.h\"]\n";
    let run = |text: &str| {
        folder.write("bind.toml", format!("{head}{text}"));
        folder.hotcell(["gen", "bind.toml", "--out", "out"])
    };
    run("[function.crc33]\n").fails(113).says("--> bind.toml:4:11\n").says("did you mean `crc32`?");
    run("includes = []\n").fails(113).says("--> bind.toml:4:1\n").says("did you mean `include`?");
    assert!(!folder.path().join("out").exists());
    // Remarks do not stop it.
    run("include = [\"crc32\", \"crc33*\"]\n").succeeds().says("warning: `crc33*`").mentions(": 1 functions");
}

#[test]
fn what_is_left_out_is_said() {
    let folder = Folder::new();
    folder.write(
        "bind.toml",
        "hotcell = 1\nlibrary = \"m\"\nheaders = [\"math.h\"]\ninclude = [\"sqrt\", \"frexp\"]\n",
    );
    folder
        .hotcell(["gen", "bind.toml", "--out", "out"])
        .succeeds()
        .says("left out: `frexp` is undecided")
        .says("params.exponent = { out = \"value\" }");
    let code = String::from_utf8(folder.read("out/src/functions.rs")).expect("code is text");
    assert!(code.contains("pub fn sqrt") && !code.contains("pub fn frexp"), "{code}");
}

/// As a user would: generate, name the package in Cargo.toml, call.
#[test]
fn a_generated_package_builds_and_its_functions_work() {
    let folder = Folder::new();
    let runtime = format!("{{ path = {:?} }}", committed("crates/hotcell"));
    generate(&folder, "zlib").and(["--name", "my-zlib", "--runtime", &runtime]).succeeds();
    let main = r#"fn main() {
            let zlib = my_zlib::Zlib::open().unwrap();
            println!("{}", zlib.crc32(0, b"hello").unwrap());
            let packed = zlib.compress2(b"hello", 9).unwrap();
            println!("{}", String::from_utf8(zlib.uncompress(5, &packed).unwrap()).unwrap());
            println!("{}", zlib.uncompress(5, b"garbage").unwrap_err());
        }"#;
    write_app(&folder, "my-zlib = { path = \"../zlib\" }", main);
    let run = run_app(&folder, "my-zlib", &[]);
    let checksum = direct::checksum(0, b"hello");
    let error = "zlib: uncompress: LibraryError: data error (code -3)";
    assert_eq!(run, format!("{checksum}\nhello\n{error}\n"));
}
