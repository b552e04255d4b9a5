//! `hotcell gen` and `hotcell build`: a package from a contract, and one with its shim compiled.

mod languages;
mod places;
mod runtime;

use std::path::Path;
use std::process::ExitCode;

use hotcell_bind::{Checked, Job, Source};
use hotcell_generate::package::{self, Over};
use hotcell_generate::prebuilt;

use crate::args::{BuildArgs, Format, GenArgs, PackageArgs};
use crate::fail::Failure;
use crate::generate::languages::{Compiled, Made, Making};
use crate::print::{complain, out};

pub(crate) fn generate(args: &GenArgs) -> ExitCode {
    report(Making::of(&args.package).and_then(|making| {
        let (checked, made) = render(&args.package, &making)?;
        let PackageArgs { out: folder, .. } = &args.package;
        let over = if args.check { Over::Nothing } else { over(&args.package) };
        package::put(folder, &made.files, over).map_err(|error| unwritten(folder, error))?;
        tell_left_out(&checked, &made.left_out);
        places::tell(&checked);
        let (state, shim) = match args.check {
            true => ("is up to date", String::new()),
            false => ("is written", making.tell_shim() + &making.tell_taken(&checked)),
        };
        let functions = checked.interface.functions.len();
        Ok(format!("{} {state}: {functions} functions\n{shim}", folder.display()))
    }))
}

pub(crate) fn build(args: &BuildArgs) -> ExitCode {
    report(Making::of(&args.package).and_then(|making| {
        let (checked, made) = render(&args.package, &making)?;
        let Compiled { folder, beside } = making.compiled(&checked);
        let compiled = hotcell_bind::compile(&checked)?;
        let Made { files, left_out } = made;
        let mut files: Vec<_> = files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
        files.extend(prebuilt::files(&folder, &checked.interface, &compiled.source, compiled.shim));
        files.extend(beside.map(|(path, text)| (path, text.into_bytes())));
        let PackageArgs { out, .. } = &args.package;
        package::put(out, &files, over(&args.package)).map_err(|error| unwritten(out, error))?;
        tell_left_out(&checked, &left_out);
        places::tell(&checked);
        for path in &compiled.paths {
            complain(&format!(
                "warning: the shim needs {path} at that very place, since it has no soname\n\
                 help: link the library with one (`-Wl,-soname,NAME`), and build again"
            ));
        }
        let glibc = compiled.glibc.map_or("any glibc".into(), |version| format!("glibc {version} or later"));
        Ok(format!(
            "{} is written: {} functions\n{}/shim.so needs {}, {glibc}, and {}\n{}",
            out.display(),
            checked.interface.functions.len(),
            folder.display(),
            std::env::consts::ARCH,
            checked.interface.link.join(", "),
            making.tell_taken(&checked)
        ))
    }))
}

/// A package.
fn render(args: &PackageArgs, making: &Making<'_>) -> Result<(Checked, Made), Failure> {
    let checked = hotcell_bind::check(&Job {
        source: Source::Contract(args.contract.clone()),
        only: None,
        include_dirs: args.include_dirs.clone(),
        defines: Vec::new(),
        library_dirs: args.library_dirs.clone(),
    })?;
    for warning in hotcell_bind::shown(&checked.warnings) {
        complain(&warning);
    }
    if checked.interface.functions.is_empty() {
        return Err(hotcell_bind::Error::nothing_bound(&checked.interface).into());
    }
    let made = making.render(&checked).map_err(hotcell_bind::Error::from_generate)?;
    Ok((checked, made))
}

fn tell_left_out(checked: &Checked, unsupported: &[hotcell_generate::Error]) {
    for function in &checked.interface.left_out {
        complain(&format!("left out: {}", hotcell_bind::Error::left_out(function)));
    }
    for error in unsupported {
        complain(&format!("left out: {error}"));
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

fn over(args: &PackageArgs) -> Over {
    if args.force { Over::Everything } else { Over::Generated }
}

fn unwritten(folder: &Path, error: hotcell_generate::Error) -> Failure {
    let mut text = error.to_string();
    // The folder itself, or one above it.
    if folder.ancestors().any(Path::is_file) {
        text.push_str("\nhelp: `--out` names the folder of the package, and that is a file; name another");
    }
    Failure::Usage(text)
}
