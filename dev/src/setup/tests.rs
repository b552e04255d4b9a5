//! The way from a bare machine to a ready one, with an apt that writes files.

use std::cell::{Cell, RefCell};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::anyhow;

use super::*;
use crate::scratch::Scratch;

/// An apt that knows packages once it has lists, and installs by writing a file of each.
struct FakeApt<'a> {
    disk: &'a Scratch,
    known: Vec<&'a str>,
    has_lists: Cell<bool>,
    /// Whether the lists are so old that nothing in them is to be had.
    stale: Cell<bool>,
    may_install: bool,
    log: RefCell<Vec<String>>,
}

const TOOLS: &[(&str, &str)] = &[
    ("gcc", "usr/bin/cc"),
    ("libc6-dev", "usr/include/stdio.h"),
    ("libclang1-16", "usr/lib/llvm-16/lib/libclang-16.so.1"),
    ("libclang-common-16-dev", "usr/lib/llvm-16/lib/clang/16/include/stddef.h"),
    ("golang-go", "usr/bin/go"),
    ("python3", "usr/bin/python3"),
    ("python3-venv", "usr/lib/python3/venv"),
    ("python3-pip", "usr/bin/pip3"),
    ("fonts-dejavu-core", "usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    ("python3-dev", "usr/include/python3/Python.h"),
];

/// All that is installed on a bare machine, and a file of each package.
fn contents() -> impl Iterator<Item = (&'static str, &'static str)> {
    TOOLS.iter().chain(examples::CONTENTS).copied()
}

impl<'a> FakeApt<'a> {
    fn new(disk: &'a Scratch) -> Self {
        let log = RefCell::default();
        Self {
            disk,
            known: contents().map(|it| it.0).collect(),
            has_lists: Cell::new(true),
            stale: Cell::new(false),
            may_install: true,
            log,
        }
    }

    fn log(&self) -> String {
        self.log.borrow().join("; ")
    }
}

impl Apt for FakeApt<'_> {
    fn may_install(&self) -> bool {
        self.may_install
    }

    fn knows(&self, package: &str) -> bool {
        self.has_lists.get() && self.known.contains(&package)
    }

    fn update(&self) -> Result<()> {
        self.log.borrow_mut().push("update".to_owned());
        self.has_lists.set(true);
        self.stale.set(false);
        Ok(())
    }

    fn install(&self, packages: &[String]) -> Result<()> {
        self.log.borrow_mut().push(format!("install {}", packages.join(" ")));
        if self.stale.get() {
            return Err(anyhow!("not found"));
        }
        for package in packages {
            let file = contents().find(|it| it.0 == package).ok_or_else(|| anyhow!("unknown {package}"))?.1;
            self.disk.write(file, "");
            let file = self.disk.path().join(file);
            fs::set_permissions(file, fs::Permissions::from_mode(0o755))?;
        }
        Ok(())
    }
}

/// The one call that installs all of it.
fn install_all() -> String {
    format!("install {}", contents().map(|it| it.0).collect::<Vec<_>>().join(" "))
}

fn ensure_with(apt: &FakeApt<'_>) -> Result<()> {
    ensure_all(&Machine::made_up(apt.disk.path()), &[REQUIREMENTS, EXAMPLES], Some(apt))
}

#[test]
fn a_bare_machine_becomes_ready_and_stays_so() {
    let disk = Scratch::new();
    let apt = FakeApt::new(&disk);
    ensure_with(&apt).unwrap();
    assert_eq!(apt.log(), install_all());
    ensure_with(&apt).unwrap();
    assert_eq!(apt.log(), install_all(), "nothing is missing the second time");
}

#[test]
fn only_what_is_missing_is_installed() {
    let disk = Scratch::new();
    let apt = FakeApt::new(&disk);
    ensure_with(&apt).unwrap();
    fs::remove_file(disk.path().join("usr/include/zlib.h")).unwrap();
    ensure_with(&apt).unwrap();
    assert_eq!(apt.log(), format!("{}; install zlib1g-dev", install_all()));
}

#[test]
fn lists_are_fetched_when_there_are_none_and_when_they_are_old() {
    let disk = Scratch::new();
    let apt = FakeApt::new(&disk);
    apt.has_lists.set(false);
    ensure_with(&apt).unwrap();
    assert_eq!(apt.log(), format!("update; {}", install_all()));

    let disk = Scratch::new();
    let apt = FakeApt::new(&disk);
    apt.stale.set(true);
    ensure_with(&apt).unwrap();
    assert_eq!(apt.log(), format!("{0}; update; {0}", install_all()));
}

#[test]
fn the_newest_known_libclang_is_chosen() {
    let disk = Scratch::new();
    let mut apt = FakeApt::new(&disk);
    let wanted = [&REQUIREMENTS[2].packages];
    // Half of a version is none: both packages must be known.
    apt.known = vec![
        "libclang1-18",
        "libclang1-15",
        "libclang-common-15-dev",
        "libclang1-14",
        "libclang-common-14-dev",
    ];
    assert_eq!(apt::choose(&apt, &wanted), ["libclang1-15", "libclang-common-15-dev"]);
    apt.known.clear();
    assert_eq!(apt::choose(&apt, &wanted), ["libclang-dev"]);
}

#[test]
fn without_root_the_command_is_told() {
    let disk = Scratch::new();
    let mut apt = FakeApt::new(&disk);
    apt.may_install = false;
    let error = ensure_with(&apt).unwrap_err().to_string();
    assert!(error.contains("sudo apt-get install -y gcc libc6-dev libclang1-16"), "{error}");
    assert_eq!(apt.log(), "", "nothing was tried");
}

#[test]
fn without_apt_the_needs_are_told_in_words() {
    let disk = Scratch::new();
    let error =
        ensure_all(&Machine::made_up(disk.path()), &[REQUIREMENTS, EXAMPLES], None).unwrap_err().to_string();
    for requirement in REQUIREMENTS.iter().chain(EXAMPLES) {
        assert!(error.contains(requirement.name) && error.contains(requirement.why), "{error}");
    }
}

#[test]
fn an_installation_that_brings_nothing_is_an_error() {
    let disk = Scratch::new();
    let apt = FakeApt::new(&disk);
    let never = Requirement {
        name: "a unicorn",
        why: "for luck",
        find: |_| Err("none seen".to_owned()),
        packages: Packages::Named(&["gcc"]),
    };
    let machine = Machine::made_up(disk.path());
    let error = ensure_all(&machine, &[&[never]], Some(&apt)).unwrap_err().to_string();
    assert!(error.contains("a unicorn") && error.contains("none seen"), "{error}");
}
