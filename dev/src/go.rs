//! The Go runtime (clients/go): its tests and the conformance grid, as part of `cargo dev test`, and what `cargo dev check` asks of it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};

use crate::install::{Environment, User};
use crate::process::{output, show};
use crate::python;

/// The modules, from the repository's root.
const MODULE: &str = "clients/go";

/// Programs of `hotcell bench`, which are modules only where they are built.
const PROGRAMS: &str = "crates/bench/programs/go";

/// The Go toolchain, in the module's folder.
fn go<A: AsRef<OsStr>>(root: &Path, arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new("go");
    command.args(arguments).current_dir(root.join(MODULE)).env("CGO_ENABLED", "0");
    command
}

/// Whether the toolchain fetches the version that a module asks for, as it does since 1.21.
pub(crate) fn fetches_versions() -> Result<()> {
    let version = output(Command::new("go").args(["env", "GOVERSION"]))?;
    ensure!(
        is_of_use(version.trim()),
        "`go` is {}, and 1.21 is the first that fetches newer ones",
        version.trim()
    );
    Ok(())
}

fn is_of_use(version: &str) -> bool {
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
    let mut numbers = version.strip_prefix("go").into_iter().flat_map(|rest| rest.split('.'));
    let mut number = || digits(numbers.next()?).parse::<u32>().ok();
    number().is_some_and(|major| major > 1) || number().is_some_and(|minor| minor >= 21)
}

/// Its tests, with the programs that were built for those in Rust.
pub(crate) fn test(root: &Path) -> Result<()> {
    let programs = std::env::current_exe().context("where this program is")?;
    let folder = programs.parent().context("a program lies in a folder")?;
    let faulty = newest(&folder.join("build"), "hotcell-faulty-", "out/shim.so")?;
    let library = faulty.parent().context("a shim lies in a folder")?;
    let mut command = go(root, ["test", "./..."]);
    command.env("HOTCELL", folder.join("hotcell")).env("HOTCELL_GO_FAULTY", library);
    show(&mut command)
}

/// Runs the conformance grid by a package that is generated for it, and has the cases that passed written into a file.
pub(crate) fn conformance(root: &Path, file: &Path) -> Result<()> {
    python::programs(root)?;
    let programs = std::env::current_exe().context("where this program is")?;
    let hotcell = programs.with_file_name("hotcell");
    let folder = file.with_file_name("go");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let library = grid(root, &folder, &hotcell)?;
    let mut command = Command::new("go");
    command
        .args(["test", "-count=1", "-vet=all", "-timeout=60s", "."])
        .current_dir(root.join(MODULE).join("conformance"));
    command.env("GOWORK", folder.join("go.work")).env("GOFLAGS", "-mod=readonly").env("CGO_ENABLED", "0");
    command.env("HOTCELL", &hotcell).env("HOTCELL_GRID", library);
    show(command.env(crate::conformance::VARIABLE, file))
}

/// What a new user of the client has: both programs, and Go, which fetches nothing.
pub(crate) fn given(root: &Path, user: &User) -> Result<Environment> {
    python::copy_programs(root, &user.programs)?;
    let asked = output(Command::new("go").args(["env", "GOROOT", "GOCACHE"]))?;
    let (tools, cache) = asked.trim().split_once('\n').context("go env answers in two lines")?;
    let path = format!("{}:{tools}/bin:/usr/bin:/bin", user.programs.display());
    // What was compiled before may be there; modules may not.
    let modules = user.programs.with_file_name("modules").into_os_string();
    let names = ["PATH", "GOCACHE", "GOPROXY", "GOTOOLCHAIN"];
    let values = [path.as_str(), cache, "off", "local"];
    let mut given: Vec<_> = names.into_iter().zip(values.map(OsString::from)).collect();
    given.push(("GOMODCACHE", modules));
    Ok(given)
}

/// The grid's library, with its package and a workspace of what the runner needs beside it.
fn grid(root: &Path, folder: &Path, hotcell: &Path) -> Result<PathBuf> {
    let source = root.join("clients/conformance/grid");
    let library = folder.join("libgrid.so");
    let mut cc = Command::new("cc");
    cc.args(["-O1", "-shared", "-fPIC", "-Wl,-soname,libgrid.so", "-o"]).arg(&library);
    output(cc.arg(source.join("grid.c")).arg("-lm"))?;
    let runtime = root.join(MODULE);
    let mut build = Command::new(hotcell);
    build.arg("build").arg(source.join("bind.toml")).arg("-I").arg(&source).arg("-L").arg(folder);
    build.args(["--lang", "go", "--name", "grid", "--out"]).arg(folder.join("package"));
    output(build.arg("--runtime").arg(&runtime))?;
    let (module, work) = (runtime.display(), folder.join("go.work"));
    let text = format!("go 1.24.0\n\nuse (\n\t./package\n\t{module}\n\t{module}/conformance\n)\n");
    fs::write(&work, text).with_context(|| format!("writing {}", work.display()))?;
    Ok(library)
}

/// The newest file of this name in the folders that begin so.
fn newest(folder: &Path, begins: &str, file: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let named = entries.flatten().filter(|it| it.file_name().to_string_lossy().starts_with(begins));
    let changed =
        |path: &PathBuf| fs::metadata(path).and_then(|it| it.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let found = named.map(|it| it.path().join(file)).filter(|it| it.exists()).max_by_key(changed);
    found.with_context(|| format!("no {begins}* in {} has {file}", folder.display()))
}

/// Format, vet and staticcheck.
pub(crate) fn check(root: &Path) -> Result<()> {
    let mut gofmt = Command::new("gofmt");
    let unformatted = output(gofmt.args(["-l", MODULE, PROGRAMS]).current_dir(root))?;
    ensure!(unformatted.is_empty(), "not as gofmt writes it:\n{unformatted}");
    output(&mut go(root, ["vet", "./..."]))?;
    output(&mut go(root, ["tool", "-modfile=tools/go.mod", "staticcheck", "./..."])).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn toolchains_fetch_others_from_a_version_on() {
        for (version, expect) in [
            ("go1.26.8", true),
            ("go1.21", true),
            ("go1.22rc1", true),
            ("go2.0", true),
            ("go1.19.8", false),
            ("go1", false),
            ("", false),
        ] {
            assert_eq!(is_of_use(version), expect, "{version}");
        }
    }

    #[test]
    fn the_newest_file_is_found() {
        let scratch = Scratch::new();
        let root = scratch.path();
        assert!(newest(root, "lib-", "out/shim.so").is_err());
        scratch.write("lib-1/out/shim.so", "old");
        scratch.write("lib-2/out/other", "none");
        scratch.write("lib-3/out/shim.so", "new");
        let later = SystemTime::now() + std::time::Duration::from_secs(60);
        fs::File::open(root.join("lib-3/out/shim.so")).unwrap().set_modified(later).unwrap();
        assert_eq!(newest(root, "lib-", "out/shim.so").unwrap(), root.join("lib-3/out/shim.so"));
    }
}
