//! `hotcell gen` and `hotcell build`: a package from a contract, and one with its shim compiled.

mod places;
mod runtime;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use hotcell_bind::{Checked, Job, Source};
use hotcell_generate::package::{self, Over};
use hotcell_generate::prebuilt;
use hotcell_generate::rust::{self, RustOptions};

use crate::args::{BuildArgs, Format, GenArgs, Lang, PackageArgs};
use crate::fail::Failure;
use crate::generate::runtime::runtime;
use crate::print::{complain, out};

pub(crate) fn generate(args: &GenArgs) -> ExitCode {
    report(render(&args.package).and_then(|(checked, files)| {
        let PackageArgs { out: folder, .. } = &args.package;
        let over = if args.check { Over::Nothing } else { over(&args.package) };
        package::put(folder, &files, over).map_err(|error| unwritten(folder, error))?;
        tell_left_out(&checked);
        places::tell(&checked);
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
        package::put(folder, &files, over(&args.package)).map_err(|error| unwritten(folder, error))?;
        tell_left_out(&checked);
        places::tell(&checked);
        for path in &compiled.paths {
            complain(&format!(
                "warning: the shim needs {path} at that very place, since it has no soname\n\
                 help: link the library with one (`-Wl,-soname,NAME`), and build again"
            ));
        }
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
    let runtime = match &args.runtime {
        Some(text) => runtime(text)?,
        None => concat!("\"", env!("CARGO_PKG_VERSION"), "\"").into(),
    };
    if let Some(name) = &args.name {
        rust::check_crate_name(name).map_err(|why| {
            let help = "write a name such as `moon-hotcell`";
            Failure::Usage(format!("`{name}` cannot be the name of a package, because {why}\nhelp: {help}"))
        })?;
    }
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
        crate_name: args.name.clone().unwrap_or_else(|| rust::crate_name(&checked.interface.library)),
        runtime,
        libraries: places::libraries(&checked, &args.out),
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
