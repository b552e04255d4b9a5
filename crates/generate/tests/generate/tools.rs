//! Compilers, libraries and drivers: the way from an interface to a running program.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

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

/// Options with which wrong C ends a program instead of going on, where the compiler and the machine have them.
fn sanitizers() -> &'static [&'static str] {
    const OPTIONS: &[&str] = &["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    static FOUND: LazyLock<bool> = LazyLock::new(|| {
        let dir = tempfile::tempdir().unwrap();
        let (source, program) = (dir.path().join("main.c"), dir.path().join("main"));
        std::fs::write(&source, "int main(void) { return 0; }\n").unwrap();
        let mut cc = Command::new("cc");
        let compiled = cc.args(OPTIONS).arg("-o").arg(&program).arg(source).output();
        compiled.is_ok_and(|output| output.status.success())
            && Command::new(program).output().is_ok_and(|output| output.status.success())
    });
    if *FOUND { OPTIONS } else { &[] }
}

/// Renders and compiles a shim, compiles the driver against it, and runs the driver.
pub(crate) fn drive(interface: &Interface, library: &Path, driver: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("shim.so");
    let source = shim::render(interface).unwrap_or_else(|error| panic!("{error}"));
    let options = CompileOptions {
        cc: Some(format!("cc -Werror {}", sanitizers().join(" "))),
        include_dirs: vec![fixtures()],
        libraries: vec![library.to_owned()],
        out: out.clone(),
        work_dir: dir.path().join("work"),
    };
    shim::compile(&source, &options).unwrap_or_else(|error| panic!("{error}"));
    let program = dir.path().join("driver");
    let mut cc = Command::new("cc");
    cc.args(["-std=gnu17", "-Wall", "-Wextra", "-Werror", "-g"]).args(sanitizers());
    cc.arg("-I").arg(dir.path().join("work")).arg("-I").arg(fixtures());
    cc.arg("-o").arg(&program).arg(fixtures().join(driver));
    run(cc.arg(&out).arg(library));
    let text = run(Command::new(&program).env("LD_LIBRARY_PATH", library.parent().unwrap()));
    // A driver that checks nothing must not pass.
    assert!(text.contains("checks passed") && !text.starts_with("0 "), "{text}");
    text
}

/// Compiles the libraries of the tests into a directory: the file to link, beside it the one the loader looks for.
pub(crate) fn fixture_library(dir: &Path) -> PathBuf {
    compile_library(dir, &[])
}

/// The same, for [`drive`].
pub(crate) fn sanitized_library(dir: &Path) -> PathBuf {
    compile_library(dir, sanitizers())
}

fn compile_library(dir: &Path, options: &[&str]) -> PathBuf {
    let library = dir.join("libfixture.so");
    let mut cc = Command::new("cc");
    cc.args(["-std=gnu17", "-Wall", "-Wextra", "-g", "-shared", "-fPIC", "-pthread"]);
    cc.arg("-Wl,-soname,libfixture.so.1");
    cc.args(options).arg("-o").arg(&library);
    run(cc.args(["fixture.c", "objects.c", "records.c", "calls.c"].map(|source| fixtures().join(source))));
    std::fs::copy(&library, dir.join("libfixture.so.1")).unwrap();
    library
}
