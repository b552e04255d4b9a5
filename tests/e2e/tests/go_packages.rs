//! Packages in Go, built without cgo and used as an application would use them.

use std::process::Command;

use hotcell_e2e::cli::{Folder, committed, finish, program};
use hotcell_e2e::go::{build, run};
use hotcell_e2e::vault::worse;

/// The header, the code and the contract of a library of these tests.
macro_rules! sources {
    ($name:literal) => {
        [
            include_str!(concat!("../src/", $name, "/", $name, ".h")),
            include_str!(concat!("../src/", $name, "/", $name, ".c")),
            include_str!(concat!("../src/", $name, "/bind.toml")),
        ]
    };
}

/// What is asserted is in the application: objects and what becomes of them, also when they are garbage, errors and their names,
/// callbacks that fail and panic, that are nested and kept, structures, texts and places in them, what a failed call gave, structures
/// that stay, batches, contexts, and a worker that is lost.
#[test]
fn a_package_is_used_like_a_library_of_go() {
    used("shelf", sources!("shelf"), include_str!("../src/shelf/app.go"));
}

/// By the calls that made and configured them, also behind a reload and in callbacks; and what is stale all the same, with the reason.
#[test]
fn objects_are_made_anew_in_the_next_worker() {
    made_anew(sources!("vault"), &[]);
}

/// Where several calls are inside the library, some of them in a worker that another has replaced.
#[test]
fn what_stands_for_an_object_follows_the_workers() {
    let [header, code, contract] = sources!("vault");
    let contract = contract.replacen("[handle]", "threads = \"reentrant\"\n\n[handle]", 1);
    made_anew([header, code, &contract], &[("SEVERAL", "1")]);
}

/// Has an application use vaults, and an edition of the library that does not open some any more.
fn made_anew([header, code, contract]: [&str; 3], variables: &[(&str, &str)]) {
    let folder = Folder::new();
    folder.write("vault.h", header);
    folder.write("vault.c", code);
    folder.write("bind.toml", contract);
    let flags = ["-Wextra", "-Werror", "-pthread", "-Wl,-soname,libvault.so"];
    folder.compile_with("vault", &flags);
    build(&folder);
    let (_worse, file) = worse();
    let (library, file) =
        (folder.path().join("libvault.so").display().to_string(), file.display().to_string());
    let all = [("VAULT", library.as_str()), ("WORSE", &file), ("HOTCELL_WATCH", "reload")];
    let printed = run(&folder, include_str!("../src/vault/app.go"), &[&all, variables].concat());
    assert_eq!(printed, "all is well\n");
}

/// Builds the package of a library, and has an application use it, which asserts what there is to assert.
fn used(name: &str, sources: [&str; 3], app: &str) {
    let folder = Folder::new();
    let [header, code, contract] = sources;
    folder.write(&format!("{name}.h"), header);
    folder.write(&format!("{name}.c"), code);
    folder.write("bind.toml", contract);
    let soname = format!("-Wl,-soname,lib{name}.so");
    folder.compile_with(name, &["-Wextra", "-Werror", "-pthread", &soname]);
    build(&folder);
    let library = folder.path().join(format!("lib{name}.so")).display().to_string();
    let printed = run(&folder, app, &[(name.to_uppercase().as_str(), &library)]);
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

#[test]
fn threads_of_the_library_call_back_on_a_goroutine() {
    used("ticker", sources!("ticker"), include_str!("../src/ticker/app.go"));
}

#[test]
fn streams_are_readers_and_writers() {
    used("sluice", sources!("sluice"), include_str!("../src/sluice/app.go"));
}

/// Several calls are inside the library, but one in each family.
#[test]
fn objects_are_used_by_one_call_at_a_time_with_what_belongs_to_them() {
    let [header, code] = [include_str!("../src/clan/clan.h"), include_str!("../src/clan/clan.c")];
    used(
        "clan",
        [header, code, include_str!("../src/clan/families.toml")],
        include_str!("../src/clan/app.go"),
    );
}

/// A library that has no name is loaded from where its file is named, and where it is not, it is said where to name it.
#[test]
fn a_library_without_a_soname_is_loaded_by_its_file() {
    let folder = Folder::with_moon();
    folder.compile_with("moon", &[]);
    build(&folder);
    std::fs::create_dir(folder.path().join("elsewhere")).expect("a folder is made");
    let library = folder.path().join("elsewhere/libmoon.so");
    std::fs::rename(folder.path().join("libmoon.so"), &library).expect("a file is moved");
    let app = include_str!("../src/moon/app.go");
    assert_eq!(run(&folder, app, &[("MOON", &library.display().to_string())]), "all is well\n");
}

/// At their deadline and when their context is cancelled: what the library does then, and what becomes of the worker.
#[test]
fn calls_are_stopped_by_the_library() {
    used("halt", sources!("halt"), include_str!("../src/halt/app.go"));
}

/// Of several that are, only that one is told of the end whose function has ended the worker.
#[test]
fn of_calls_that_are_stopped_one_is_told_of_the_end() {
    let [header, code, contract] = sources!("halt");
    let contract = contract.replacen("[handle]", "threads = \"reentrant\"\n\n[handle]", 1);
    used("halt", [header, code, &contract], include_str!("../src/halt/several.go"));
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

/// Who has written one knows what is to be done before it can be used.
#[test]
fn what_is_written_says_how_it_is_used() {
    let folder = Folder::with_moon();
    folder.compile_with("moon", &["-Wl,-soname,libmoon.so"]);
    let run = |words: &[&str]| folder.hotcell(words.iter().copied()).and(["bind.toml", "-I", ".", "-L", "."]);
    let shim = "its shim is compiled by `go generate` in that folder, and before that it cannot be opened: that needs a C compiler, the library and its header; `hotcell build` makes a package that has it\n";
    let module = "a module here takes it by `go mod edit -replace=moon-hotcell=./a/go -replace=hotcell=./a/go/hotcell`\n";
    let go = ["gen", "--lang", "go", "--out", "a/go"];
    run(&go).succeeds().mentions(shim).mentions(module);
    let checked = run(&go).and(["--check"]).succeeds();
    assert!(!checked.stdout().contains("shim"), "{checked}");
    let elsewhere =
        ["gen", "--lang", "go", "--out", "./b", "--name", "example.org/moon", "--runtime", "../runtime"];
    run(&elsewhere).succeeds().mentions("takes it by `go mod edit -replace=example.org/moon=./b`\n");
    let built = run(&["build", "--lang", "go", "--out", "c"]).succeeds();
    assert!(
        built.stdout().contains("-replace=moon-hotcell=./c ") && !built.stdout().contains("go generate"),
        "{built}"
    );
    run(&["gen", "--out", "rust"]).succeeds().mentions("its shim is compiled when it is built: ");
    run(&["gen", "--lang", "python", "--out", "python"])
        .succeeds()
        .mentions("its shim is compiled when it is opened first: ");
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
