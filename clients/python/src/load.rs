//! `hotcell.load`: a library is bound when the program runs.

use std::path::{Path, PathBuf};

use hotcell_bind::{Checked, Job, OpenType, Source};
use hotcell_generate::{python, rust};
use hotcell_model::Interface;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyString};
use sha2::{Digest, Sha256};

use crate::package::{self, Package};
use crate::{cache, ending, errors, ffi, options};

/// What it takes besides the options of sessions.
const BESIDES: [&str; 5] = ["include_dirs", "library_dirs", "defines", "cache", "progress"];

/// What a binding is made of.
struct Bound {
    interface: Interface,
    shim: Vec<u8>,
    libraries: Vec<PathBuf>,
    warnings: Vec<String>,
}

/// Why there is none.
enum Unbound {
    Error(hotcell_bind::Error),
    /// What it was told to has raised something.
    Raised(PyErr),
}

impl From<hotcell_bind::Error> for Unbound {
    fn from(error: hotcell_bind::Error) -> Unbound {
        Unbound::Error(error)
    }
}

/// Binds a library: `source` is a header, several of them, or a contract (`bind.toml`).
#[pyfunction]
#[pyo3(signature = (source, lib, include_dirs, library_dirs, defines, cache, calls, named))]
#[expect(clippy::too_many_arguments, reason = "Python names them, in one place")]
pub(crate) fn load(
    py: Python<'_>,
    source: Vec<PathBuf>,
    lib: Option<String>,
    include_dirs: Vec<PathBuf>,
    library_dirs: Vec<PathBuf>,
    defines: Vec<String>,
    cache: Option<PathBuf>,
    calls: (pyo3::Bound<'_, PyAny>, Py<PyAny>),
    named: Option<&pyo3::Bound<'_, PyDict>>,
) -> PyResult<Py<PyAny>> {
    let ((define, tell), options) = (calls, options::read_beside(named, &BESIDES)?);
    let source = match (source.as_slice(), lib) {
        ([contract], None) => Source::Contract(contract.clone()),
        (headers, library) => Source::Headers {
            headers: headers.iter().map(|it| it.display().to_string()).collect(),
            library: library.unwrap_or_default(),
            // `None` is as often what is missing as it is meant.
            any_null: false,
        },
    };
    let job = Job { source, only: None, include_dirs, defines, library_dirs };
    let clear =
        |py: Python<'_>| tell.bind(py).getattr("clear").and_then(|it| ffi::ends::call(&it, ())).map(drop);
    let tell = |step: &str| {
        // Where the interpreter is ending, nobody can be told.
        let told = ending::attach(|py| ffi::ends::call(tell.bind(py), (step,)).map(drop));
        told.unwrap_or(Ok(())).map_err(Unbound::Raised)
    };
    // Headers are read by the program that came with the package.
    if let Some(program) = options::own_program(py, "hotcell") {
        hotcell_bind::prefer_reader(program);
    }
    let bound = ffi::aside(py, || bind(&job, cache.as_deref(), &tell));
    // A compiler hears a terminal's signals, too, and ends of them.
    ffi::raise_signals(py)?;
    let bound = bound.map_err(|unbound| match unbound {
        Unbound::Error(error) => errors::of_kind(py, error.kind.name(), "", &error.to_string()),
        Unbound::Raised(raised) => raised,
    })?;
    if !bound.warnings.is_empty() {
        // They are shown where steps are.
        clear(py)?;
    }
    for warning in hotcell_bind::shown(&bound.warnings) {
        ffi::ends::call(&py.import("warnings")?.getattr("warn")?, (warning,))?;
    }
    let names = python::Names::of(&bound.interface);
    let classes = (PyString::new(py, &names.to_json()), &bound.interface.library);
    let namespace = ffi::ends::call(&define, classes)?;
    let variable = rust::library_variable(&bound.interface.library);
    let libraries = (package::leaked(Vec::new(), variable), bound.libraries);
    let names = (bound.interface, names);
    let shim = PyCFunction::new_closure(py, None, None, move |_, _| bound.shim.clone())?.into_any().unbind();
    let made = Package::make(py, names, shim, namespace.cast::<PyDict>()?, libraries)?;
    made.loaded.open(py, options)
}

/// Reads, checks and compiles, or finds what was compiled before.
fn bind(
    job: &Job,
    cache: Option<&Path>,
    tell: &dyn Fn(&str) -> Result<(), Unbound>,
) -> Result<Bound, Unbound> {
    tell(&format!("reading {}", source(job)))?;
    let checked = hotcell_bind::check(job)?;
    // Where the source cannot even be preprocessed, compiling says what is wrong.
    let place = cache.and_then(|folder| Some(folder.join(name(&checked).ok()?)));
    let found = place.as_deref().and_then(cache::read);
    let shim = match found {
        Some(shim) => shim,
        None => {
            let Interface { library, functions, .. } = &checked.interface;
            tell(&format!("compiling a shim for {} functions of {library}", functions.len()))?;
            let shim = hotcell_bind::compile(&checked)?.shim;
            // Without it the next one is slower.
            if let Some(place) = &place {
                let _ = cache::write(place, &shim);
            }
            shim
        }
    };
    tell("starting a worker")?;
    let Checked { mut interface, libraries, warnings, open_types, .. } = checked;
    open_types.iter().for_each(|ty| tell_of(ty, &mut interface));
    Ok(Bound { interface, shim, libraries: libraries.load_order(), warnings })
}

/// Adds to functions that wait for a type the lines that decide about it: who asks for one of them is told about that one alone.
fn tell_of(ty: &OpenType, interface: &mut Interface) {
    let answers = ty.answers();
    let said = answers.iter().enumerate().map(|(at, answer)| match (at, answer.lines.contains('\n')) {
        (0, false) => format!("{} # {}", answer.lines, answer.when),
        (0, true) => format!("# {}:\n{}", answer.when, answer.lines),
        _ => format!("# or, {}:\n{}", answer.when, answer.lines),
    });
    let lines = said.collect::<Vec<_>>().join("\n");
    let waits = interface.left_out.iter_mut().filter(|function| ty.functions.contains(&function.name));
    for function in waits {
        let own = function.help.take().map_or_else(String::new, |own| format!("\n{own}"));
        function.help = Some(format!("{lines}{own}"));
    }
}

/// What is read, in words.
fn source(job: &Job) -> String {
    match &job.source {
        Source::Contract(path) | Source::Text { path, .. } => path.display().to_string(),
        Source::Headers { headers, .. } => headers.join(", "),
    }
}

/// What a shim goes by: all that it is compiled of.
fn name(checked: &Checked) -> Result<String, hotcell_bind::Error> {
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    hash.update(hotcell_bind::inputs(checked)?);
    let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{}-{}.shim", checked.interface.library, &digest[..32]))
}
