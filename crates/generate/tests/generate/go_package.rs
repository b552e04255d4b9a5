//! Go packages: formatted, and checked against the runtime.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hotcell_generate::go::{self, GoOptions, Runtime};
use hotcell_generate::write;
use hotcell_model::Interface;

use crate::calls;
use crate::fixture::fixture;
use crate::objects;
use crate::records;
use crate::rust_package::kit::kit;
use crate::support::refresh;
use crate::tools::run;
use crate::zlib::zlib;

/// The folder of the runtime's module.
fn runtime() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clients/go").canonicalize().unwrap()
}

pub(crate) fn package(name: &str, interface: &Interface) -> Vec<(PathBuf, String)> {
    rendered(name, interface, Runtime::Version("v0.1.0".into()))
}

fn rendered(name: &str, interface: &Interface, runtime: Runtime) -> Vec<(PathBuf, String)> {
    let options = GoOptions { module: format!("{name}-hotcell"), runtime, libraries: Vec::new() };
    go::render(interface, &options).unwrap().files
}

/// The Go files of a package, one behind the other.
fn sources(interface: &Interface) -> String {
    let files =
        package("p", interface).into_iter().filter(|(path, _)| path.extension().is_some_and(|it| it == "go"));
    files.map(|(path, text)| format!("// {}\n{text}\n", path.display())).collect()
}

/// Checks that a package is formatted, and that Go takes it.
fn check(interface: &Interface) -> String {
    let dir = tempfile::tempdir().unwrap();
    let package_dir = dir.path().join("package");
    let found = Runtime::Folder(runtime().display().to_string());
    write(&package_dir, &rendered("p", interface, found), false).unwrap();
    let unformatted = run(Command::new("gofmt").args(["-l", "-d", "."]).current_dir(&package_dir));
    assert_eq!(unformatted, "", "gofmt would have it otherwise");
    let work = format!("go 1.26.0\n\nuse (\n\t./package\n\t{}\n)\n", runtime().display());
    fs::write(dir.path().join("go.work"), work).unwrap();
    let mut vet = Command::new("go");
    vet.args(["vet", "."]).current_dir(&package_dir).env("GOFLAGS", "-mod=readonly").env("GOPROXY", "off");
    run(&mut vet);
    sources(interface)
}

#[test]
fn the_package_of_zlib_is_taken_by_go() {
    check(&zlib());
}

#[test]
fn the_package_of_the_fixture_is_taken_by_go() {
    check(&fixture());
}

#[test]
fn the_packages_of_objects_structures_and_callbacks_are_taken_by_go() {
    let mut structures = records::library();
    structures.functions.retain(|function| function.name != "rc_place");
    refresh(&mut structures);
    for interface in [objects::library(), structures, calls::of_calls()] {
        check(&interface);
    }
}

#[test]
fn the_package_of_a_library_with_every_role_is_taken_by_go() {
    check(&kit());
}
