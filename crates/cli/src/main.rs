//! The `hotcell` command: glue between the crates and a shell.
#![forbid(unsafe_code)]

mod args;
mod bench;
mod call;
mod check;
#[cfg(test)]
mod coverage;
mod decide;
mod diff;
mod doctor;
#[cfg(test)]
mod evidence;
mod explain;
mod fail;
mod generate;
mod init;
mod lab;
mod memory;
mod print;
#[cfg(test)]
mod reference;
mod report;
mod sandbox;
mod serve;
mod table;
mod target;
mod trace;
mod watch;
mod words;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::args::{Cli, Command};

/// Exit status of a fault of this program itself: one no kind of error has, unlike Rust's own 101.
const FAULT: u8 = 70;

fn main() -> ExitCode {
    std::panic::catch_unwind(run).unwrap_or(ExitCode::from(FAULT))
}

fn run() -> ExitCode {
    // No command for people, so that neither help nor completions have it.
    if std::env::args_os().skip(1).eq([hotcell_bind::READ]) {
        return read();
    }
    let cli = Cli::parse_from(words::protect(std::env::args_os()));
    hotcell_bind::prefer_reader(own_program(Path::new("/proc/self/exe")));
    match &cli.command {
        Command::Init(args) => init::run(args),
        Command::Call(args) => call::run(args),
        Command::Check(args) => check::run(args),
        Command::Decide(args) => decide::run(args),
        Command::Diff(args) => diff::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Gen(args) => generate::generate(args),
        Command::Build(args) => generate::build(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Trace(args) => trace::run(args),
        Command::Ps(args) => watch::ps(args),
        Command::Stats(args) => watch::stats(args),
        Command::Reload(args) => watch::reload(args),
        Command::Serve(args) => serve::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Lab(args) => lab::run(args),
        Command::Schema => printed(&format!("{:#}\n", hotcell_contract::schema())),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "hotcell", &mut script);
            printed(&String::from_utf8_lossy(&script))
        }
    }
}

/// This program, under whatever name it is installed, and though another one takes its place meanwhile; where there is no `/proc`, as it was
/// started.
fn own_program(running: &Path) -> PathBuf {
    let started = || PathBuf::from(OsStr::from_bytes(rustix::param::linux_execfn().to_bytes()));
    if running.exists() { running.to_owned() } else { started() }
}

fn read() -> ExitCode {
    match hotcell_header::apart::serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print::complain(&format!("error: headers cannot be read for another program: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn printed(text: &str) -> ExitCode {
    match print::out(text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use clap_complete::Shell;

    use super::*;

    #[test]
    fn the_own_program_is_known_without_proc() {
        let without = own_program(Path::new("/nowhere/exe"));
        assert_eq!(without.canonicalize().ok(), std::env::current_exe().ok());
        assert_eq!(own_program(Path::new("/proc/self/exe")), Path::new("/proc/self/exe"));
    }

    #[test]
    fn completions_have_no_command_that_is_for_programs() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "hotcell", &mut script);
            let script = String::from_utf8_lossy(&script);
            assert!(script.contains("completions") && !script.contains(hotcell_bind::READ), "{shell}");
        }
    }
}
