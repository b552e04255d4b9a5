//! `cargo dev examples [NAME…]`: the program of each example, built with a package that is generated now, and what it prints.
//!
//! Packages are generated into `target/examples/NAME`; of the examples that have a committed one in `rust/`, that one is used.
//! A workspace of its own joins them with the programs, so that one build makes all. Behind them the same programs in Go and Python are
//! run, of those that have one, and what the same programs are without Hotcell.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::process::{cargo, show, step};

mod direct;
mod go;
mod python;

/// Where a generated package finds the runtime.
const RUNTIME: &str = r#"{ path = "../../../crates/hotcell", version = "0.1.0" }"#;

pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let examples = wanted(Example::all(root)?, arguments)?;
    let workspace = root.join("target/examples");
    let built = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |it| root.join(it));
    step("build hotcell and its worker", || {
        show(&mut cargo(root, ["build", "--bin", "hotcell", "--bin", "hotcell-worker"]))
    })?;
    step("generate", || {
        for example in examples.iter().filter(|it| !it.is_committed()) {
            let mut generate = Command::new(built.join("debug/hotcell"));
            generate.arg("gen").arg(example.folder.join("bind.toml")).arg("--out");
            // Nothing of it is kept, so nothing can be lost.
            generate.arg(workspace.join(&example.name)).args(["--runtime", RUNTIME, "--force"]);
            show(&mut generate)?;
        }
        write_workspace(root, &workspace, &examples)
    })?;
    step("build the programs", || {
        let mut build = cargo(&workspace, ["build", "--offline", "--quiet"]);
        for example in &examples {
            let (variable, folders) = example.headers()?;
            if !folders.is_empty() {
                build.env(variable, folders);
            }
        }
        show(build.env("CARGO_TARGET_DIR", &built))
    })?;
    step("run", || all_print(&examples, |it| it.check(&built)))?;
    go::run(root, &built, &examples)?;
    python::run(root, &built, &examples)?;
    direct::run(root, &examples)
}

/// A folder of `examples/` with a contract.
struct Example {
    name: String,
    folder: PathBuf,
}

impl Example {
    /// All of them, in the order of their names.
    fn all(root: &Path) -> Result<Vec<Example>> {
        let folder = root.join("examples");
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
            let folder = entry?.path();
            if folder.join("bind.toml").is_file() {
                let name = folder.file_name().expect("an entry has a name").to_string_lossy().into_owned();
                found.push(Example { name, folder });
            }
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        ensure!(!found.is_empty(), "{} has no example", folder.display());
        Ok(found)
    }

    /// Whether its package is part of the repository.
    fn is_committed(&self) -> bool {
        self.folder.join("rust/Cargo.toml").is_file()
    }

    /// Where its package lies.
    fn package(&self, workspace: &Path) -> PathBuf {
        if self.is_committed() { self.folder.join("rust") } else { workspace.join(&self.name) }
    }

    /// The variable that tells its package where headers are, and where its contract looks for them.
    fn headers(&self) -> Result<(String, OsString)> {
        #[derive(serde::Deserialize)]
        struct Contract {
            library: String,
            #[serde(default)]
            include_dirs: Vec<PathBuf>,
        }
        let file = self.folder.join("bind.toml");
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let contract: Contract =
            toml::from_str(&text).with_context(|| format!("reading {}", file.display()))?;
        let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        let library: String = contract.library.chars().map(letter).collect();
        let folders = std::env::join_paths(contract.include_dirs.iter().map(|dir| self.folder.join(dir)))?;
        Ok((format!("HOTCELL_{library}_INCLUDE"), folders))
    }

    fn program(&self) -> String {
        format!("{}-example", self.name)
    }

    /// Its program in another language, or by other means; not all have it.
    fn other(&self, file: &str) -> Option<PathBuf> {
        Some(self.folder.join(file)).filter(|it| it.is_file())
    }

    /// Runs its program.
    fn check(&self, built: &Path) -> Result<()> {
        self.compare(&mut Command::new(built.join("debug").join(self.program())), &self.program())
    }

    /// Runs a program of it, and holds what it prints against what is expected.
    fn compare(&self, command: &mut Command, program: &str) -> Result<()> {
        let file = self.folder.join("expected.txt");
        let expected = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let run = command.output().with_context(|| format!("starting {program}"))?;
        let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        ensure!(run.status.success() && err.is_empty(), "{program}: {}\n{err}", run.status);
        match difference(&expected, &out) {
            None => Ok(()),
            Some(difference) => bail!("{program} prints something else: {difference}"),
        }
    }
}

/// Runs a program of each of these, and tells all that print something else.
fn all_print<E>(examples: &[E], check: impl Fn(&E) -> Result<()>) -> Result<()> {
    let differ: Vec<String> =
        examples.iter().filter_map(|it| check(it).err()).map(|it| format!("{it:#}")).collect();
    ensure!(differ.is_empty(), "{}", differ.join("\n"));
    println!("   {} programs print what is expected", examples.len());
    Ok(())
}

/// Those of the examples that are named, or all.
fn wanted(mut examples: Vec<Example>, names: &[String]) -> Result<Vec<Example>> {
    for name in names {
        let known = || examples.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ");
        ensure!(examples.iter().any(|it| it.name == *name), "there is no example `{name}`: {}", known());
    }
    examples.retain(|it| names.is_empty() || names.contains(&it.name));
    Ok(examples)
}

/// Writes the workspace of these examples. Its dependencies have the versions that the repository's own have.
fn write_workspace(root: &Path, workspace: &Path, examples: &[Example]) -> Result<()> {
    let programs = workspace.join("programs");
    fs::create_dir_all(&programs).with_context(|| format!("making {}", programs.display()))?;
    fs::copy(root.join("Cargo.lock"), workspace.join("Cargo.lock")).context("copying Cargo.lock")?;
    write(&workspace.join("Cargo.toml"), "[workspace]\nresolver = \"3\"\nmembers = [\"programs\"]\n")?;
    // Cargo makes a program of what it finds there, unless it is told not to.
    let mut manifest = String::from(
        "[package]\nname = \"programs\"\nversion = \"0.0.0\"\nedition = \"2024\"\nautobins = false\n\n[dependencies]\n",
    );
    manifest.push_str(&format!("hotcell.path = {}\n", quoted(&root.join("crates/hotcell"))));
    for example in examples {
        let package = example.package(workspace);
        manifest.push_str(&format!("{}.path = {}\n", package_name(&package)?, quoted(&package)));
    }
    for example in examples {
        let path = quoted(&example.folder.join("program.rs"));
        manifest.push_str(&format!("\n[[bin]]\nname = \"{}\"\npath = {path}\n", example.program()));
    }
    write(&programs.join("Cargo.toml"), &manifest)
}

/// The name that a package has.
fn package_name(package: &Path) -> Result<String> {
    #[derive(serde::Deserialize)]
    struct Manifest {
        package: Package,
    }
    #[derive(serde::Deserialize)]
    struct Package {
        name: String,
    }
    let file = package.join("Cargo.toml");
    let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let manifest: Manifest = toml::from_str(&text).with_context(|| format!("reading {}", file.display()))?;
    Ok(manifest.package.name)
}

/// Writes a file, unless it is like that already: what is newer is built again.
fn write(file: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(file).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::write(file, text).with_context(|| format!("writing {}", file.display()))
}

fn quoted(path: &Path) -> String {
    toml::Value::String(path.display().to_string()).to_string()
}

/// The first line in which two texts differ.
fn difference(expected: &str, printed: &str) -> Option<String> {
    if expected == printed {
        return None;
    }
    let (mut expected, mut printed) = (expected.split('\n'), printed.split('\n'));
    (1..).find_map(|number| {
        let (wanted, got) = (expected.next(), printed.next());
        let words = |line: Option<&str>| line.map_or("the end".to_owned(), |it| format!("`{it}`"));
        (wanted != got).then(|| format!("line {number} is {}, not {}", words(got), words(wanted)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn the_first_line_that_differs_is_told() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        for (expected, printed, words) in [
            ("a\nb\n", "a\nc\n", "line 2 is `c`, not `b`"),
            ("a\n", "a\nb\n", "line 2 is `b`, not ``"),
            ("a\n", "a", "line 2 is the end, not ``"),
        ] {
            assert_eq!(difference(expected, printed).as_deref(), Some(words));
        }
    }

    #[test]
    fn examples_are_folders_with_a_contract_and_are_chosen_by_name() {
        let scratch = Scratch::new();
        scratch.write("examples/b/bind.toml", "");
        scratch.write("examples/a/bind.toml", "");
        scratch.write("examples/tests/expected.rs", "");
        let names = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
            let examples = wanted(Example::all(scratch.path()).unwrap(), &names);
            examples.map(|all| all.into_iter().map(|it| it.name).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(names(&[]).unwrap(), "a b");
        assert_eq!(names(&["b"]).unwrap(), "b");
        assert_eq!(names(&["c"]).unwrap_err().to_string(), "there is no example `c`: a, b");
    }

    #[test]
    fn a_package_is_told_where_its_contract_finds_headers() {
        let scratch = Scratch::new();
        scratch.write("a/bind.toml", "library = \"my-lib\"\ninclude_dirs = [\"/usr/include/my\", \"own\"]\n");
        scratch.write("b/bind.toml", "library = \"b\"\n");
        let headers = |name: &str| {
            let example = Example { name: name.into(), folder: scratch.path().join(name) };
            let (variable, folders) = example.headers().unwrap();
            (variable, folders.into_string().unwrap())
        };
        let folders = format!("/usr/include/my:{}", scratch.path().join("a/own").display());
        assert_eq!(headers("a"), ("HOTCELL_MY_LIB_INCLUDE".into(), folders));
        assert_eq!(headers("b"), ("HOTCELL_B_INCLUDE".into(), String::new()));
    }

    #[test]
    fn a_workspace_has_a_program_and_a_package_for_each_example() {
        let scratch = Scratch::new();
        for (file, text) in [
            ("Cargo.lock", "version = 4\n"),
            ("examples/a/bind.toml", ""),
            ("examples/a/rust/Cargo.toml", "[package]\nname = \"a-hotcell\"\n"),
            ("examples/b/bind.toml", ""),
            ("target/examples/b/Cargo.toml", "[package]\nname = \"b-hotcell\"\n"),
        ] {
            scratch.write(file, text);
        }
        let workspace = scratch.path().join("target/examples");
        write_workspace(scratch.path(), &workspace, &Example::all(scratch.path()).unwrap()).unwrap();
        assert_eq!(fs::read_to_string(workspace.join("Cargo.lock")).unwrap(), "version = 4\n");
        let manifest = fs::read_to_string(workspace.join("programs/Cargo.toml")).unwrap();
        let manifest = manifest.replace(&scratch.path().display().to_string(), "/r");
        for line in [
            "a-hotcell.path = \"/r/examples/a/rust\"\n",
            "b-hotcell.path = \"/r/target/examples/b\"\n",
            "[[bin]]\nname = \"b-example\"\npath = \"/r/examples/b/program.rs\"\n",
        ] {
            assert!(manifest.contains(line), "{line} is not in {manifest}");
        }
    }
}
