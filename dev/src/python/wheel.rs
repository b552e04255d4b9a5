//! The wheel: the native module, the Python around it, both programs, and what they are licensed under.
//!
//! It is put together from a copy of clients/python below `target/`: nothing is written into the repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::{copy, licences};
use crate::process::{output, show};

/// The programs that go along.
pub(super) const PROGRAMS: [&str; 2] = ["hotcell", "hotcell-worker"];

/// Where pyproject.toml says what maturin builds, which lies elsewhere than the copy.
const MANIFEST: &str = "manifest-path = \"Cargo.toml\"";

/// How a wheel is made.
pub(super) struct Making<'a> {
    pub(super) root: &'a Path,
    pub(super) maturin: PathBuf,
    /// The folder of the programs that were built.
    pub(super) built: &'a Path,
    /// Where its parts are put together, and where it comes to lie: alone.
    pub(super) source: PathBuf,
    pub(super) out: PathBuf,
    pub(super) release: bool,
}

impl Making<'_> {
    /// Makes it.
    pub(super) fn wheel(&self) -> Result<PathBuf> {
        self.gather()?;
        empty(&self.out)?;
        let mut maturin = Command::new(&self.maturin);
        let profile = if self.release { "release" } else { "dev" };
        maturin.args(["build", "--locked", "--strip", "--profile", profile, "--out"]).arg(&self.out);
        if !self.release {
            maturin.args(["--compression-level", "1"]);
        }
        show(maturin.current_dir(&self.source))?;
        let wheel = the_only(&self.out)?;
        self.check_tag(&wheel)?;
        Ok(wheel)
    }

    fn gather(&self) -> Result<()> {
        empty(&self.source)?;
        let client = self.root.join("clients/python");
        let text = fs::read_to_string(client.join("pyproject.toml")).context("reading pyproject.toml")?;
        ensure!(text.contains(MANIFEST), "clients/python/pyproject.toml does not say `{MANIFEST}`");
        let manifest = client.join("Cargo.toml");
        let text = text.replace(MANIFEST, &format!("manifest-path = {manifest:?}"));
        write(&self.source.join("pyproject.toml"), &text)?;
        write(&self.source.join("THIRD-PARTY.txt"), &licences::text(self.root)?)?;
        copy(&client.join("README.md"), &self.source.join("README.md"))?;
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            copy(&self.root.join(licence), &self.source.join(licence))?;
        }
        let package = self.source.join("hotcell");
        let programs = package.join("bin");
        fs::create_dir_all(&programs).with_context(|| format!("making {}", programs.display()))?;
        for file in files(&client.join("hotcell"))? {
            copy(&file, &package.join(file.file_name().unwrap_or_default()))?;
        }
        for program in PROGRAMS {
            let to = programs.join(program);
            copy(&self.built.join(program), &to)?;
            output(Command::new("strip").arg(&to))?;
        }
        Ok(())
    }

    /// Whether the programs need no newer C library than the wheel says, for which maturin looked at the module alone.
    fn check_tag(&self, wheel: &Path) -> Result<()> {
        let name = wheel.file_name().unwrap_or_default().to_string_lossy();
        let says = tagged(&name).with_context(|| format!("{name} does not say which glibc it needs"))?;
        for program in PROGRAMS {
            let file = self.source.join("hotcell/bin").join(program);
            let needed = output(Command::new("readelf").args(["--version-info", "--wide"]).arg(&file))?;
            let needs = glibc(&needed).with_context(|| format!("{program} needs no version of glibc"))?;
            ensure!(needs <= says, "{name} has {program}, which needs glibc {}.{}", needs.0, needs.1);
        }
        Ok(())
    }
}

/// The version of the C library in a wheel's name: `manylinux_2_34`.
fn tagged(name: &str) -> Option<(u32, u32)> {
    let mut numbers = name.split_once("-manylinux_")?.1.splitn(3, '_');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The newest version of the C library in what `readelf` says of the versions that a program needs.
fn glibc(needed: &str) -> Option<(u32, u32)> {
    let versions = needed.split("GLIBC_").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let mut numbers = rest[..end].split('.').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    });
    versions.max()
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<PathBuf>>>()?;
    Ok(paths.into_iter().filter(|path| path.is_file()).collect())
}

/// Makes a folder, without what may have been in it.
fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))
}

fn the_only(folder: &Path) -> Result<PathBuf> {
    match files(folder)?.as_slice() {
        [file] => Ok(file.clone()),
        others => bail!("{} has {} files, where one wheel was to be", folder.display(), others.len()),
    }
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("writing {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_library_of_a_tag_is_read() {
        assert_eq!(tagged("hotcell-0.1.0-cp311-abi3-manylinux_2_34_x86_64.whl"), Some((2, 34)));
        assert_eq!(tagged("hotcell-0.1.0-cp311-abi3-linux_x86_64.whl"), None);
    }

    #[test]
    fn the_c_library_of_a_program_is_the_newest_of_its_versions() {
        let check = |needed, expect| assert_eq!(glibc(needed), expect);
        check("Name: GLIBC_2.34  Flags: none\nName: GLIBC_2.2.5  Flags\nName: GLIBC_PRIVATE", Some((2, 34)));
        check("Name: GLIBC_2.9\nName: GLIBC_2.10", Some((2, 10)));
        check("No version information found in this file.", None);
    }
}
