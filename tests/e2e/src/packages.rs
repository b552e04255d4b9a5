//! Generated packages under test, built outside of this workspace.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

use crate::cli::{self, Folder};

/// Writes a program that depends on a package of this folder: `app/`.
pub fn write_app(folder: &Folder, dependency: &str, main: &str) {
    folder.write(
        "app/Cargo.toml",
        format!(
            "[package]\nname = \"hotcell-e2e-app\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\n{dependency}\n\n# Whatever lies in the folders above.\n[workspace]\n"
        ),
    );
    folder.write("app/src/main.rs", main);
    // The versions that are here already.
    folder.write("app/Cargo.lock", fs::read(cli::committed("Cargo.lock")).expect("it is committed"));
}

/// Runs the program of [`write_app`] with these variables; what it prints. What was built of it and of the package is
/// removed: every run has a path of its own, so that it is of no use to the next. Programs of one name are built in one
/// place, so they are run one after the other.
pub fn run_app(folder: &Folder, package: &str, variables: &[(&str, &str)]) -> String {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    // One that failed has not spoiled the place for the next.
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let app = folder.path().join("app");
    let run = text(&mut cargo(&app, &["run", "--quiet", "--offline"], variables));
    text(&mut cargo(&app, &["clean", "--quiet", "--offline", "-p", "hotcell-e2e-app", "-p", package], &[]));
    run
}

/// Compiles a package's build script and runs it as cargo would; its result is in `shim.so` of the package.
pub fn run_build_script(package: &Path) -> Output {
    let script = package.join("build-script");
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--edition", "2024", "build.rs", "-o"]).arg(&script).current_dir(package);
    text(&mut rustc);
    let mut run = Command::new(&script);
    run.current_dir(package).env("OUT_DIR", package).env("CARGO_CFG_TARGET_ARCH", std::env::consts::ARCH);
    cli::finish(run.env("CC", "no-such-compiler"), &[])
}

fn cargo(package: &Path, words: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(words).current_dir(package);
    // Shared by all runs, so that the runtime is built once.
    let target = cli::programs().parent().expect("a profile's folder is in the target folder").to_owned();
    command.env("CARGO_TARGET_DIR", target.join("e2e-package")).env("CARGO_PROFILE_DEV_DEBUG", "0");
    command.env("HOTCELL_WORKER", cli::program("hotcell-worker")).envs(variables.iter().copied());
    command
}

/// What a command that must succeed prints.
fn text(command: &mut Command) -> String {
    let output = cli::finish(command, &[]);
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it prints text")
}
