//! `hotcell gen` and `hotcell build`: a package from a contract, and one with its shim compiled.

mod places;
mod runtime;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use hotcell_bind::{Checked, Job, Source};
use hotcell_generate::package::{self, Over};
use hotcell_generate::prebuilt;
use hotcell_generate::python::{self, PythonOptions};
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
        let (inside, shim) = (shim_folder(&args.package, &checked), compiled.shim);
        let shim = prebuilt::files(&checked.interface, &compiled.source, shim);
        files.extend(shim.map(|(path, bytes)| (inside.join(path), bytes)));
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
    let rendered: fn(&PackageArgs, &Checked, &Named) -> _ = match args.lang {
        Lang::Rust => render_rust,
        Lang::Python => render_python,
    };
    let named = Named::of(args)?;
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
    let files = rendered(args, &checked, &named).map_err(hotcell_bind::Error::from_generate)?;
    Ok((checked, files))
}

type Files = Result<Vec<(PathBuf, String)>, hotcell_generate::Error>;

fn render_rust(args: &PackageArgs, checked: &Checked, named: &Named) -> Files {
    let options = RustOptions {
        crate_name: args.name.clone().unwrap_or_else(|| rust::crate_name(&checked.interface.library)),
        runtime: named.runtime.clone(),
        libraries: places::libraries(checked, &args.out),
    };
    rust::render(&checked.interface, &options)
}

fn render_python(args: &PackageArgs, checked: &Checked, _named: &Named) -> Files {
    let options = PythonOptions {
        package: python_package(args, checked),
        libraries: places::libraries(checked, &args.out),
    };
    python::render(&checked.interface, &options)
}

fn python_package(args: &PackageArgs, checked: &Checked) -> String {
    args.name.clone().unwrap_or_else(|| python::package_name(&checked.interface.library))
}

/// The folder in a package where its shim lies.
fn shim_folder(args: &PackageArgs, checked: &Checked) -> PathBuf {
    match args.lang {
        Lang::Rust => PathBuf::new(),
        Lang::Python => PathBuf::from(python_package(args, checked)),
    }
}

/// What the words of the command line say of a package, checked.
struct Named {
    /// Where it finds the runtime.
    runtime: String,
}

impl Named {
    fn of(args: &PackageArgs) -> Result<Named, Failure> {
        let runtime = match (&args.runtime, args.lang) {
            (Some(text), Lang::Rust) => runtime(text)?,
            (Some(text), Lang::Python) => {
                return Err(Failure::Usage(format!(
                    "`--runtime {text}` is for packages of Rust\nhelp: leave it out: a package of Python imports `hotcell`"
                )));
            }
            (None, _) => concat!("\"", env!("CARGO_PKG_VERSION"), "\"").into(),
        };
        let check = match args.lang {
            Lang::Rust => rust::check_crate_name,
            Lang::Python => python::check_package_name,
        };
        if let Some(name) = &args.name {
            check(name).map_err(|why| {
                let better = if args.lang == Lang::Rust { "moon-hotcell" } else { "moon_hotcell" };
                let help = format!("write a name such as `{better}`");
                Failure::Usage(format!(
                    "`{name}` cannot be the name of a package, because {why}\nhelp: {help}"
                ))
            })?;
        }
        Ok(Named { runtime })
    }
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
