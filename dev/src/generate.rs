//! `cargo dev gen`: writes, or checks, every file that is generated from the protocol's two tables.
//!
//! The module is called `generate` because `gen` is a reserved word of the 2024 edition.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

mod errors;
mod names;
mod wire;

/// Files written by `cargo dev gen`, relative to the repository's root. `tidy` leaves them out of its
/// length limit.
pub(crate) const GENERATED: &[&str] = &[
    "crates/protocol/src/wire.rs",
    "crates/protocol/src/errors.rs",
    "crates/generate/templates/shim/hotcell_wire.h",
    "docs/reference/wire.md",
    "docs/reference/errors.md",
];

/// Whether to write the generated files or to compare them with what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Check,
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
    let texts = [
        rustfmt(root, &wire::rust::render(&wire)).context("formatting wire.rs")?,
        rustfmt(root, &errors::rust::render(&errors)).context("formatting errors.rs")?,
        wire::c::render(&wire),
        wire::markdown::render(&wire),
        errors::markdown::render(&errors),
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
