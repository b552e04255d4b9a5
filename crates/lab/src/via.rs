//! Whose calls the rows are tried with: this program's, or those of a program in another language, which is made and started here.
//!
//! What such a program is made of is in this one: the client's runtime in Go, the drivers, the library, its interface and its shim. What it
//! needs besides is a toolchain: `go` and, for cgo, a C compiler; or a Python that has the package `hotcell`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use hotcell::Options;
use hotcell_faulty::DIRECT_LIBRARY;
use serde_json::json;

use crate::direct::Program;
use crate::failure::{Failure, Why};
use crate::leaks::{Counts, Others, children_of};
use crate::row::{Ran, Stop};
use crate::stage::Library;
use crate::via::driver::Driver;

pub(crate) mod driver;
mod go;
pub(crate) mod host;
mod python;

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// A program in Rust: this one. What calls directly is a program in C.
    Rust,
    /// A program in Go. What calls directly uses cgo.
    Go,
    /// A program in Python. What calls directly uses ctypes.
    Python,
}

impl Via {
    /// All of them.
    pub const ALL: [Via; 3] = [Via::Rust, Via::Go, Via::Python];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Via::Rust => "Rust",
            Via::Go => "Go",
            Via::Python => "Python",
        }
    }

    /// What a program is that calls directly.
    pub fn direct(self) -> &'static str {
        match self {
            Via::Rust => "a program that calls it",
            Via::Go => "a program that calls it by cgo",
            Via::Python => "a program that calls it by ctypes",
        }
    }
}

/// A program in another language.
#[derive(Debug)]
struct Made {
    /// What starts the driver, and the program that calls directly.
    driver: Vec<OsString>,
    direct: Vec<OsString>,
    /// Variables of the driver's environment.
    variables: Vec<(&'static str, OsString)>,
}

/// Who makes the calls, in another language.
#[derive(Debug)]
pub(crate) struct There {
    via: Via,
    made: Made,
    /// Those of a session that loads the library.
    options: Options,
    // It ends before its folder goes.
    driver: Arc<Driver>,
    folder: tempfile::TempDir,
}

impl There {
    /// Makes the program, and starts it; `None` where this one makes the calls.
    ///
    /// # Errors
    ///
    /// In words: what is missing, what it is for, and what to do about it.
    pub(crate) fn make(via: Via, library: &Library) -> Result<Option<There>, String> {
        let make = match via {
            Via::Rust => return Ok(None),
            Via::Go => go::make,
            Via::Python => python::make,
        };
        let folder = tempfile::Builder::new().prefix("hotcell-lab-").tempdir().map_err(told("a folder"))?;
        let direct = folder.path().join("libfaulty-direct.so");
        fs::write(&direct, DIRECT_LIBRARY).map_err(told("a file in it"))?;
        let mut made = make(folder.path())?;
        made.direct.push(direct.into());
        made.variables.push(("LAB_LIBRARY", library.path().into()));
        let driver = start(&made, folder.path(), &[]).map_err(told("the driver"))?;
        Ok(Some(There { via, made, options: library.options(), driver, folder }))
    }

    pub(crate) fn language(&self) -> Via {
        self.via
    }

    pub(crate) fn driver(&self) -> &Arc<Driver> {
        &self.driver
    }

    /// The program that calls the library directly.
    pub(crate) fn direct(&self) -> Program {
        Program::Other(self.via, self.made.direct.clone())
    }

    /// Another driver, with other variables.
    pub(crate) fn another(&self, variables: &[(&str, &Path)]) -> Result<Arc<Driver>, Stop> {
        start(&self.made, self.folder.path(), variables).map_err(Stop::lacks("another driver"))
    }

    /// What there is now of all that may be left behind.
    pub(crate) fn counts(&self) -> Counts {
        let driver = self.driver.pid();
        // In Go threads come and do not go; what is left behind there is goroutines.
        let goroutines = self.driver.ask(json!({ "do": "goroutines" })).ok();
        let goroutines = goroutines.and_then(|said| usize::try_from(said["count"].as_u64()?).ok());
        let mut processes = children_of(driver, "serve");
        processes.push(driver);
        Counts::with(&Others {
            processes,
            threads: goroutines.map(|count| (driver, count)),
            folder: Some(temporary(self.folder.path())),
        })
    }

    /// How many calls of somebody else were right so far, and how many wrong.
    pub(crate) fn bystander(&self) -> Result<(u64, u64), Failure> {
        let said = self.driver.ask(json!({ "do": "bystander" }))?;
        match (said["right"].as_u64(), said["wrong"].as_u64()) {
            (Some(right), Some(wrong)) => Ok((right, wrong)),
            _ => Err(Failure::new(Why::Lost, format!("the driver says {said}"))),
        }
    }

    /// Has both sessions of a pool hang, and somebody else ask for one.
    pub(crate) fn all_hang(&self, given: &Options) -> Ran {
        let said =
            self.driver.ask(json!({ "do": "all-hang", "options": { "libraries": given.libraries } }))?;
        let failed = Failure::said(&said["third"]);
        match (&said["hanging"], &said["next"]) {
            (hanging, next) if *hanging == json!(["Hung", "Hung"]) && *next == json!(5) => Err(failed.into()),
            (hanging, next) => Err(Stop::Wrong(format!("{hanging}, then {next}"))),
        }
    }
}

fn start(made: &Made, folder: &Path, variables: &[(&str, &Path)]) -> std::io::Result<Arc<Driver>> {
    let temporary = temporary(folder);
    fs::create_dir_all(&temporary)?;
    let mut command = Command::new(&made.driver[0]);
    command.args(&made.driver[1..]).env("TMPDIR", temporary).envs(made.variables.iter().cloned());
    command.envs(variables.iter().copied()).env_remove("HOTCELL_SERVE").env_remove("HOTCELL_FAULTY_LIB");
    Driver::start(command, folder)
}

/// The folder that a driver has for temporary files.
fn temporary(folder: &Path) -> PathBuf {
    folder.join("temporary")
}

/// For what is wrong with this machine.
fn told<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> String {
    move |error| format!("{what}: {error}")
}

/// Writes files below a folder.
fn write<B: AsRef<[u8]>>(folder: &Path, files: impl IntoIterator<Item = (PathBuf, B)>) -> Result<(), String> {
    for (path, bytes) in files {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).and_then(|()| fs::write(&path, bytes)).map_err(told("a file of it"))?;
    }
    Ok(())
}

/// Runs a program of the toolchain: what it prints. What is to be done where there is none says `help`.
fn run(command: &mut Command, help: &str) -> Result<String, String> {
    let name = command.get_program().display().to_string();
    let output =
        command.output().map_err(|error| format!("`{name}` does not start: {error}\nhelp: {help}"))?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match output.status.success() {
        true => Ok(text),
        false => {
            let errors = String::from_utf8_lossy(&output.stderr);
            let last: Vec<&str> = errors.lines().rev().take(20).collect();
            let last = last.into_iter().rev().collect::<Vec<_>>().join("\n");
            Err(format!("`{name}` has failed ({}):\n{text}{last}\nhelp: {help}", output.status))
        }
    }
}
