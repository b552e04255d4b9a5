//! `cargo dev gen`: writes, or checks, every file that is generated from the protocol's and the sandbox's tables.
//!
//! The module is called `generate` because `gen` is a reserved word of the 2024 edition.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

mod errors;
mod names;
mod policies;
mod wire;

/// Files written by `cargo dev gen`, relative to the repository's root, in the order of `render`.
const GENERATED: &[&str] = &[
    "crates/protocol/src/wire.rs",
    "crates/protocol/src/errors.rs",
    "crates/generate/templates/shim/hotcell_wire.h",
    "docs/reference/wire.md",
    "docs/reference/errors.md",
    "crates/sandbox/src/tables.rs",
    "clients/go/internal/wire/wire.go",
    "clients/go/kinds.go",
    "clients/python/hotcell/errors.py",
];

/// Whether to write the generated files or to compare them with what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Check,
}

impl Mode {
    pub(crate) fn from_arguments(arguments: &[String]) -> Result<Self> {
        match arguments {
            [] => Ok(Self::Write),
            [check] if check == "--check" => Ok(Self::Check),
            _ => bail!("unexpected arguments; usage: cargo dev gen [--check]"),
        }
    }
}

/// Renders every generated file and writes it, or fails naming the stale ones.
pub(crate) fn run(root: &Path, mode: Mode) -> Result<()> {
    let mut stale = Vec::new();
    for (path, text) in render(root)? {
        let file = root.join(path);
        // A file that cannot be read is as stale as one with other text; writing it tells the reason.
        if fs::read_to_string(&file).is_ok_and(|old| old == text) {
            continue;
        }
        match mode {
            Mode::Check => stale.push(path),
            Mode::Write => {
                write(&file, &text)?;
                println!("wrote {path}");
            }
        }
    }
    if !stale.is_empty() {
        bail!("stale, run `cargo dev gen`:\n  {}", stale.join("\n  "));
    }
    Ok(())
}

fn render(root: &Path) -> Result<Vec<(&'static str, String)>> {
    let wire =
        wire::Wire::parse(&read(root, "crates/protocol/wire.toml")?).context("crates/protocol/wire.toml")?;
    let errors = errors::Errors::parse(&read(root, "crates/protocol/errors.toml")?)
        .context("crates/protocol/errors.toml")?;
    let policy = |name: &str| read(root, &format!("crates/sandbox/policies/{name}.toml"));
    let files = policies::FILES.iter().map(|name| policy(name)).collect::<Result<Vec<_>>>()?;
    let tables = policies::render(&policy("syscalls")?, &files).context("crates/sandbox/policies")?;
    let texts = [
        rustfmt(root, &wire::rust::render(&wire)).context("formatting wire.rs")?,
        rustfmt(root, &errors::rust::render(&errors)).context("formatting errors.rs")?,
        wire::c::render(&wire),
        wire::markdown::render(&wire),
        errors::markdown::render(&errors),
        rustfmt(root, &tables).context("formatting tables.rs")?,
        wire::go::render(&wire),
        errors::go::render(&errors),
        errors::python::render(&errors),
    ];
    Ok(GENERATED.iter().copied().zip(texts).collect())
}

fn read(root: &Path, path: &str) -> Result<String> {
    fs::read_to_string(root.join(path)).with_context(|| format!("reading {path}"))
}

fn write(file: &Path, text: &str) -> Result<()> {
    let folder = file.parent().expect("generated files lie in a folder");
    fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    fs::write(file, text).with_context(|| format!("writing {}", file.display()))
}

fn rustfmt(root: &Path, source: &str) -> Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root.join("rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting rustfmt")?;
    let mut stdin = child.stdin.take().expect("stdin was asked to be a pipe");
    // rustfmt reads everything before it prints, so writing first cannot block on a full pipe.
    stdin.write_all(source.as_bytes()).context("writing to rustfmt")?;
    drop(stdin);
    let output = child.wait_with_output().context("waiting for rustfmt")?;
    if !output.status.success() {
        bail!("rustfmt: {}", output.status);
    }
    String::from_utf8(output.stdout).context("rustfmt's output")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    /// A root with this repository's tables and nothing generated.
    fn root() -> Scratch {
        let scratch = Scratch::new();
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for path in ["crates/protocol/wire.toml", "crates/protocol/errors.toml", "rustfmt.toml"] {
            scratch.write(path, &read(own, path).unwrap());
        }
        for name in policies::FILES.iter().chain(&["syscalls"]) {
            let path = format!("crates/sandbox/policies/{name}.toml");
            scratch.write(&path, &read(own, &path).unwrap());
        }
        scratch
    }

    #[test]
    fn check_names_each_stale_file_and_writes_nothing() {
        let root = root();
        let missing = run(root.path(), Mode::Check).unwrap_err().to_string();
        for path in GENERATED {
            assert!(missing.contains(path), "{path} is not in {missing}");
            assert!(!root.path().join(path).exists(), "{path} was written");
        }
        run(root.path(), Mode::Write).unwrap();
        run(root.path(), Mode::Check).unwrap();
        root.write(GENERATED[3], "edited");
        let stale = run(root.path(), Mode::Check).unwrap_err().to_string();
        assert_eq!(stale, format!("stale, run `cargo dev gen`:\n  {}", GENERATED[3]));
    }

    #[test]
    fn an_error_names_the_table() {
        let root = root();
        root.write("crates/protocol/wire.toml", "[version]\nmajor = 1\n");
        let error = format!("{:#}", run(root.path(), Mode::Write).unwrap_err());
        assert!(error.contains("wire.toml") && error.contains("minor"), "{error}");
    }

    #[test]
    fn the_header_compiles() {
        let root = root();
        run(root.path(), Mode::Write).unwrap();
        let mut cc = Command::new("cc");
        cc.args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", "-x", "c"]);
        crate::process::output(cc.arg(root.path().join(GENERATED[2]))).unwrap();
    }

    #[test]
    fn arguments() {
        let mode = |words: &[&str]| {
            Mode::from_arguments(&words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()).ok()
        };
        assert_eq!(mode(&[]), Some(Mode::Write));
        assert_eq!(mode(&["--check"]), Some(Mode::Check));
        assert_eq!(mode(&["--chekc"]), None);
    }
}
