//! `hotcell gen`: a package from a contract.

use std::process::ExitCode;

use hotcell_bind::{Job, Source};
use hotcell_generate::rust::{self, RustOptions};

use crate::args::{Format, GenArgs, Lang};
use crate::fail::Failure;
use crate::print::{complain, out};

pub(crate) fn run(args: &GenArgs) -> ExitCode {
    match generate(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(Format::Text),
    }
}

fn generate(args: &GenArgs) -> Result<(), Failure> {
    let checked = hotcell_bind::check(&Job {
        source: Source::Contract(args.contract.clone()),
        only: None,
        include_dirs: args.include_dirs.clone(),
        defines: Vec::new(),
        library_dirs: args.library_dirs.clone(),
    })?;
    for warning in &checked.warnings {
        complain(&warning.to_string());
    }
    let interface = checked.interface;
    let Lang::Rust = args.lang;
    let options = RustOptions {
        crate_name: args.name.clone().unwrap_or_else(|| format!("{}-hotcell", interface.library)),
        runtime: args
            .runtime
            .clone()
            .unwrap_or_else(|| concat!("\"", env!("CARGO_PKG_VERSION"), "\"").into()),
    };
    let files = rust::render(&interface, &options).map_err(usage)?;
    hotcell_generate::write(&args.out, &files, args.check).map_err(usage)?;
    for function in &interface.left_out {
        complain(&format!("left out: {}", hotcell_bind::Error::left_out(function)));
    }
    let state = if args.check { "is up to date" } else { "is written" };
    let text = format!("{} {state}: {} functions\n", args.out.display(), interface.functions.len());
    out(&text).map_err(|error| Failure::Usage(format!("cannot print: {error}")))
}

fn usage(error: hotcell_generate::Error) -> Failure {
    Failure::Usage(error.to_string())
}
