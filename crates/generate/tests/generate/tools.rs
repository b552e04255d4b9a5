//! Compilers, libraries and drivers: the way from an interface to a running program.

use std::path::{Path, PathBuf};
use std::process::Command;

use hotcell_generate::shim::{self, CompileOptions};
use hotcell_model::Interface;

/// Where the tests' C files lie.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Runs a program and fails with its text when it fails.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{stdout}\n{stderr}", output.status);
    stdout
}

/// The file of a system library, as the compiler's linker would take it.
pub(crate) fn system_library(name: &str) -> PathBuf {
    let path = run(Command::new("cc").arg(format!("-print-file-name={name}")));
    let path = PathBuf::from(path.trim());
    assert!(path.is_absolute(), "cc does not find {name}");
    path
}

/// Renders and compiles a shim, compiles the driver against it, and runs the driver.
pub(crate) fn drive(interface: &Interface, library: &Path, driver: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("shim.so");
    let source = shim::render(interface).unwrap_or_else(|error| panic!("{error}"));
    let options = CompileOptions {
        cc: Some("cc -Werror".into()),
        include_dirs: vec![fixtures()],
        libraries: vec![library.to_owned()],
        out: out.clone(),
        work_dir: dir.path().join("work"),
    };
    shim::compile(&source, &options).unwrap_or_else(|error| panic!("{error}"));
    let program = dir.path().join("driver");
    let mut cc = Command::new("cc");
    cc.args(["-std=gnu17", "-Wall", "-Wextra", "-Werror", "-g", "-I"]).arg(dir.path().join("work"));
    cc.arg("-I").arg(fixtures()).arg("-o").arg(&program).arg(fixtures().join(driver));
    run(cc.arg(&out).arg(library));
    let text = run(Command::new(&program).env("LD_LIBRARY_PATH", library.parent().unwrap()));
    // A driver that checks nothing must not pass.
    assert!(text.contains("checks passed") && !text.starts_with("0 "), "{text}");
    text
}

/// Compiles the fixture library into a directory: the file to link, beside it the one the loader looks for.
pub(crate) fn fixture_library(dir: &Path) -> PathBuf {
    let library = dir.join("libfixture.so");
    let mut cc = Command::new("cc");
    cc.args(["-std=gnu17", "-Wall", "-Wextra", "-shared", "-fPIC", "-Wl,-soname,libfixture.so.1", "-o"]);
    run(cc.arg(&library).arg(fixtures().join("fixture.c")));
    std::fs::copy(&library, dir.join("libfixture.so.1")).unwrap();
    library
}
