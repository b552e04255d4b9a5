//! Debian's and Ubuntu's packages: which are to be had, and installing them.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

use anyhow::{Context, Result};

use super::machine::Machine;
use crate::process::{show, succeeds};

/// The packages that bring a requirement.
pub(crate) enum Packages {
    Named(&'static [&'static str]),
    /// Packages with a version in their names: those of the first version that apt knows.
    Newest {
        versions: &'static [u32],
        names: fn(u32) -> Vec<String>,
        /// What depends on them, for when nothing is known because apt has no lists.
        otherwise: &'static str,
    },
}

/// What is asked of apt; tests answer in its place.
pub(crate) trait Apt {
    fn may_install(&self) -> bool;
    fn knows(&self, package: &str) -> bool;
    fn update(&self) -> Result<()>;
    fn install(&self, packages: &[String]) -> Result<()>;
}

/// The names to install, with what apt knows now.
pub(crate) fn choose(apt: &dyn Apt, wanted: &[&Packages]) -> Vec<String> {
    let mut names = Vec::new();
    for packages in wanted {
        match packages {
            Packages::Named(list) => names.extend(list.iter().map(|it| (*it).to_owned())),
            Packages::Newest { versions, names: of, otherwise } => {
                let known = versions.iter().map(|it| of(*it)).find(|it| it.iter().all(|it| apt.knows(it)));
                names.extend(known.unwrap_or_else(|| vec![(*otherwise).to_owned()]));
            }
        }
    }
    names
}

/// Installs what is wanted. Fetches apt's lists first when it does not know a package (a fresh container
/// has none), and again when a package it knows is not to be had (old lists name old versions).
pub(crate) fn install(apt: &dyn Apt, wanted: &[&Packages]) -> Result<()> {
    let packages = choose(apt, wanted);
    if packages.iter().all(|it| apt.knows(it)) && apt.install(&packages).is_ok() {
        return Ok(());
    }
    apt.update().context("apt-get update")?;
    apt.install(&choose(apt, wanted)).context("apt-get install")
}

/// The apt of this machine.
pub(crate) struct System {
    /// What stands before a command so that it runs as root; `None` when nothing would do.
    root: Option<&'static [&'static str]>,
}

impl System {
    /// `None` on a machine without apt.
    pub(crate) fn find(machine: &Machine) -> Option<Self> {
        machine.program("apt-get").ok()?;
        // The owner of a process's folder is its effective user.
        let is_root = fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0);
        let root: Option<&[_]> = if is_root {
            Some(&[])
        } else if succeeds(Command::new("sudo").args(["-n", "true"])) {
            Some(&["sudo", "-n"])
        } else {
            None
        };
        Some(Self { root })
    }

    fn apt_get(&self, arguments: &[&str]) -> Command {
        let before = self.root.unwrap_or_default();
        // sudo drops the environment, so that `env` behind it sets the variable.
        let words = [before, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"], arguments].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        command
    }
}

impl Apt for System {
    fn may_install(&self) -> bool {
        self.root.is_some()
    }

    fn knows(&self, package: &str) -> bool {
        succeeds(Command::new("apt-cache").args(["show", "--no-all-versions", package]))
    }

    fn update(&self) -> Result<()> {
        show(&mut self.apt_get(&["update"]))
    }

    fn install(&self, packages: &[String]) -> Result<()> {
        let names = packages.iter().map(String::as_str);
        let words: Vec<&str> =
            ["install", "-y", "--no-install-recommends"].into_iter().chain(names).collect();
        show(&mut self.apt_get(&words))
    }
}
