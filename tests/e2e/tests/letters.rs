//! Texts in UTF-32 and in Latin-1, and memory that is measured, in a package.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use hotcell_e2e::cli::{self, Folder, committed};
use hotcell_e2e::packages::{run_app, write_app};

/// What is asserted is in the application.
#[test]
fn a_package_has_texts_whatever_their_encoding() {
    let folder = Folder::new();
    folder.write("letters.h", include_str!("../src/letters/letters.h"));
    folder.write("letters.c", include_str!("../src/letters/letters.c"));
    folder.write("bind.toml", include_str!("../src/letters/bind.toml"));
    folder.compile_with("letters", &["-Wextra", "-Werror", "-Wl,-soname,libletters.so"]);
    let runtime = format!("{{ path = {:?} }}", committed("crates/hotcell"));
    folder
        .hotcell(["gen", "bind.toml", "-I", ".", "-L", ".", "--out", "package", "--runtime", &runtime])
        .succeeds();
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--check", "--edition", "2024"]).arg(folder.path().join("package/src/lib.rs"));
    let formatted = cli::finish(&mut rustfmt, &[]);
    assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stdout));

    let dependencies = format!("letters-hotcell = {{ path = \"../package\" }}\nhotcell = {runtime}");
    write_app(&folder, &dependencies, include_str!("../src/letters/app.rs"));
    let here = folder.path().display().to_string();
    let variables = [("HOTCELL_LETTERS_INCLUDE", &*here), ("HOTCELL_LETTERS_LIB", &here)];
    assert_eq!(run_app(&folder, "letters-hotcell", &variables), "all is well\n");
}
