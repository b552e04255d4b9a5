//! Packages in Go: built by the command line, and run by programs that use them.

use std::process::Command;

use crate::cli::{Folder, committed, finish, program};

/// Builds the package of a folder's `bind.toml` in its folder `package`.
pub fn build(folder: &Folder) {
    let runtime = committed("clients/go");
    let words = ["build", "bind.toml", "-I", ".", "-L", ".", "--lang", "go", "--out", "package"];
    folder.hotcell(words).and(["--runtime", &runtime]).succeeds().mentions("package is written: ");
}

/// Runs a program with the package in `package` of a folder, and gives what it prints.
pub fn run(folder: &Folder, main: &str, variables: &[(&str, &str)]) -> String {
    folder.write("app/main.go", main);
    folder.write("app/go.mod", "module app\n\ngo 1.26.0\n");
    let work = format!("go 1.26.0\n\nuse (\n\t./package\n\t./app\n\t{}\n)\n", committed("clients/go"));
    folder.write("go.work", work);
    let mut go = Command::new("go");
    go.args(["run", "."]).current_dir(folder.path().join("app"));
    // Nothing is looked for elsewhere, and no C is compiled into it.
    go.env("GOPROXY", "off").env("GOFLAGS", "-mod=readonly").env("CGO_ENABLED", "0");
    go.env("HOTCELL", program("hotcell")).envs(variables.iter().copied());
    let output = finish(&mut go, b"");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).expect("Go prints text")
}
