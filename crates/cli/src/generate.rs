//! `hotcell gen` and `hotcell build`: a package from a contract, and one with its shim compiled.

use std::path::PathBuf;
use std::process::ExitCode;

use hotcell_bind::{Checked, Job, Source};
use hotcell_generate::prebuilt;
use hotcell_generate::rust::{self, RustOptions};

use crate::args::{BuildArgs, Format, GenArgs, Lang, PackageArgs};
use crate::fail::Failure;
use crate::print::{complain, out};

pub(crate) fn generate(args: &GenArgs) -> ExitCode {
    report(render(&args.package).and_then(|(checked, files)| {
        let PackageArgs { out: folder, .. } = &args.package;
        hotcell_generate::write(folder, &files, args.check).map_err(usage)?;
        tell_left_out(&checked);
        let state = if args.check { "is up to date" } else { "is written" };
        Ok(format!("{} {state}: {} functions\n", folder.display(), checked.interface.functions.len()))
    }))
}

pub(crate) fn build(args: &BuildArgs) -> ExitCode {
    report(render(&args.package).and_then(|(checked, files)| {
        let compiled = hotcell_bind::compile(&checked)?;
        let mut files: Vec<_> = files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
        files.extend(prebuilt::files(&checked.interface, &compiled.source, compiled.shim));
        let PackageArgs { out: folder, .. } = &args.package;
        hotcell_generate::write(folder, &files, false).map_err(usage)?;
        tell_left_out(&checked);
        let glibc = compiled.glibc.map_or("any glibc".into(), |version| format!("glibc {version} or later"));
        Ok(format!(
            "{} is written: {} functions\nshim/shim.so needs {}, {glibc}, and {}\n",
            folder.display(),
            checked.interface.functions.len(),
            std::env::consts::ARCH,
            checked.interface.link.join(", ")
        ))
    }))
}

/// The files of a package.
fn render(args: &PackageArgs) -> Result<(Checked, Vec<(PathBuf, String)>), Failure> {
    let checked = hotcell_bind::check(&Job {
        source: Source::Contract(args.contract.clone()),
        only: None,
        include_dirs: args.include_dirs.clone(),
        defines: Vec::new(),
        library_dirs: args.library_dirs.clone(),
    })?;
    for warning in &checked.warnings {
        complain(warning.trim_end());
    }
    if checked.interface.functions.is_empty() {
        return Err(hotcell_bind::Error::nothing_bound(&checked.interface).into());
    }
    let Lang::Rust = args.lang;
    let options = RustOptions {
        crate_name: args.name.clone().unwrap_or_else(|| format!("{}-hotcell", checked.interface.library)),
        runtime: args
            .runtime
            .clone()
            .unwrap_or_else(|| concat!("\"", env!("CARGO_PKG_VERSION"), "\"").into()),
    };
    let files = rust::render(&checked.interface, &options).map_err(hotcell_bind::Error::from_generate)?;
    Ok((checked, files))
}

fn tell_left_out(checked: &Checked) {
    for function in &checked.interface.left_out {
        complain(&format!("left out: {}", hotcell_bind::Error::left_out(function)));
    }
}

fn report(done: Result<String, Failure>) -> ExitCode {
    let printed =
        done.and_then(|text| out(&text).map_err(|error| Failure::Usage(format!("cannot print: {error}"))));
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(Format::Text),
    }
}

fn usage(error: hotcell_generate::Error) -> Failure {
    Failure::Usage(error.to_string())
}
