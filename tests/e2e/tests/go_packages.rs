//! Packages in Go, built without cgo and used as an application would use them.

use std::process::Command;

use hotcell_e2e::cli::{Folder, committed, finish, program};

/// Runs a program with the package in `package` of a folder, and gives what it prints.
fn run_go(folder: &Folder, main: &str, variables: &[(&str, &str)]) -> String {
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

fn build(folder: &Folder) {
    let runtime = committed("clients/go");
    let words = ["build", "bind.toml", "-I", ".", "-L", ".", "--lang", "go", "--out", "package"];
    folder.hotcell(words).and(["--runtime", &runtime]).succeeds().mentions("package is written: ");
}

/// What is asserted is in the application: objects and what becomes of them, also when they are garbage, errors and their names,
/// callbacks that fail and panic, that are nested and kept, structures, texts and places in them, what a failed call gave, structures
/// that stay, batches, contexts, and a worker that is lost.
#[test]
fn a_package_is_used_like_a_library_of_go() {
    let folder = Folder::new();
    folder.write("shelf.h", include_str!("../src/shelf/shelf.h"));
    folder.write("shelf.c", include_str!("../src/shelf/shelf.c"));
    folder.write("bind.toml", include_str!("../src/shelf/bind.toml"));
    folder.compile_with("shelf", &["-Wextra", "-Werror", "-Wl,-soname,libshelf.so"]);
    build(&folder);
    let library = folder.path().join("libshelf.so").display().to_string();
    let printed = run_go(&folder, include_str!("../src/shelf/app.go"), &[("SHELF", &library)]);
    assert_eq!(printed, "all is well\n");
}

/// Nothing else is there than the two programs and Go: the runtime comes with the package.
#[test]
fn a_package_is_built_in_an_empty_folder() {
    let folder = Folder::with_moon();
    folder.compile_with("moon", &["-Wl,-soname,libmoon.so"]);
    let words = ["build", "bind.toml", "-I", ".", "-L", ".", "--lang", "go", "--out", "moon-hotcell"];
    folder.hotcell(words).succeeds();
    folder.hotcell(words).succeeds();
    let main = "package main\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\n\t\"hotcell\"\n\t\"moon-hotcell\"\n)\n\nfunc main() {\n\
        \tlib, err := moon.Open(context.Background(), hotcell.Options{})\n\tfmt.Println(lib != nil, err)\n}\n";
    folder.write("app/main.go", main);
    folder.write("app/go.mod", "module app\n\ngo 1.24.0\n");
    let go = |words: &[&str], machine: &str| {
        let mut go = Command::new("go");
        go.args(words).current_dir(folder.path().join("app")).env("CGO_ENABLED", "0").env("GOARCH", machine);
        go.env("GOPROXY", "off").env("GOFLAGS", "-mod=mod").env("GOMODCACHE", folder.path().join("modules"));
        go.env("HOTCELL", program("hotcell")).env("HOTCELL_MOON_LIB", folder.path());
        let output = finish(&mut go, b"");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("Go prints text")
    };
    let own = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let runtime = "-replace=hotcell=../moon-hotcell/hotcell";
    go(&["mod", "edit", "-replace=moon-hotcell=../moon-hotcell", runtime], own);
    go(&["mod", "tidy"], own);
    go(&["vet", "./..."], own);
    assert_eq!(go(&["run", "."], own), "true <nil>\n");
    for machine in ["amd64", "arm64"] {
        go(&["build", "-o", machine, "."], machine);
    }
    assert!(!folder.path().join("app/go.sum").exists());
}

/// A function that the language has no word for yet is told by its name, and the others are there.
#[test]
fn what_cannot_be_generated_is_left_out_and_told() {
    let folder = Folder::new();
    folder.write("ticker.h", include_str!("../src/ticker/ticker.h"));
    folder.write("ticker.c", include_str!("../src/ticker/ticker.c"));
    folder.write("bind.toml", include_str!("../src/ticker/bind.toml"));
    folder.compile_with("ticker", &["-Wextra", "-Werror", "-pthread", "-Wl,-soname,libticker.so"]);
    let words = ["gen", "bind.toml", "-I", ".", "-L", ".", "--lang", "go", "--out", "package"];
    let said = folder.hotcell(words).succeeds().says("left out: cannot generate `ticker_");
    said.says("on threads of the library is not supported");
}

/// Without a compiled shim a package is there, and `go generate` compiles it.
#[test]
fn a_generated_package_compiles_its_shim_on_demand() {
    let folder = Folder::with_moon();
    let runtime = committed("clients/go");
    let generate = |words: &[&str]| {
        let all = [
            "gen",
            "bind.toml",
            "-I",
            ".",
            "-L",
            ".",
            "--lang",
            "go",
            "--out",
            "package",
            "--runtime",
            &runtime,
        ];
        folder.hotcell(all).and(words.iter().copied())
    };
    generate(&[]).succeeds();
    generate(&["--check"]).succeeds().mentions("is up to date");
    assert!(!folder.path().join("package/compiled/shim.so").exists());
    let here = folder.path().display().to_string();
    let mut go = Command::new("go");
    go.args(["generate", "."]).current_dir(folder.path().join("package")).env("GOWORK", "off");
    go.env("CPATH", &here).env("LIBRARY_PATH", &here);
    let output = finish(&mut go, b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(folder.path().join("package/compiled/shim.so").is_file());
    // What was compiled there is no part of what is generated.
    generate(&["--check"]).succeeds().mentions("is up to date");
}

#[test]
fn names_and_runtimes_that_go_would_refuse_are_refused() {
    let folder = Folder::with_moon();
    let before = folder.files();
    let generate = |words: &[&str]| {
        let all = ["gen", "bind.toml", "-I", ".", "-L", ".", "--lang", "go", "--out", "package"];
        folder.hotcell(all).and(words.iter().copied())
    };
    generate(&["--name", "a b"])
        .fails(113)
        .says("`a b` cannot be the name of a package, because it has something other");
    generate(&["--name", "hotcell/x"]).fails(113).says("because the runtime has that name");
    generate(&["--runtime", "0.1"]).fails(113).says("`--runtime 0.1` is neither a version nor a folder");
    assert_eq!(folder.files(), before);
}
