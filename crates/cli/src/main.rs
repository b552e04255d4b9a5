//! The `hotcell` command: glue between the crates and a shell.
#![forbid(unsafe_code)]

mod args;
mod call;
mod fail;
mod generate;
mod print;
mod words;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse_from(words::protect(std::env::args_os()));
    match &cli.command {
        Command::Call(args) => call::run(args),
        Command::Gen(args) => generate::run(args),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "hotcell", &mut std::io::stdout());
            ExitCode::SUCCESS
        }
    }
}
